/* table_private.h - what the files of tables share: the kinds, and a table as table.c and table_watch.c see it */
#ifndef WINNOW_POLICY_TABLE_PRIVATE_H
#define WINNOW_POLICY_TABLE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "policy/table.h"
#include "util/signature.h"

extern const struct table_kind table_kind_inline, table_kind_file, table_kind_cidr, table_kind_pcre, table_kind_lmdb, table_kind_cdb, table_kind_sqlite;

/* The content of a kind from memory: what load() does once it has read the file. text (len bytes and a NUL) is cut up in place and must live as long as the result.
 * name: for errors. NULL with *error_r (child of parent). */
void *table_inline_parse(TALLOC_CTX *parent, char *text, char **error_r);
void *table_file_parse(TALLOC_CTX *parent, const char *name, char *text, size_t len, char **error_r);
void *table_cidr_parse(TALLOC_CTX *parent, const char *name, char *text, size_t len, char **error_r);
void *table_pcre_parse(TALLOC_CTX *parent, const char *name, char *text, size_t len, char **error_r);

/* Reads from the file so far: what a look-up costs, whatever the machine. For tests. */
unsigned long table_lmdb_reads(const void *content);

/* One version of what a table holds; a talloc root. The table has one reference, each look-up in progress another. */
struct content {
	atomic_uint refs;
	void *data;
};

/* What the watching knows of a file. */
struct watch {
	pthread_mutex_t lock;            /* one look at a time; guards this struct, never taken by a look-up */
	struct signature seen;           /* the version that was loaded or found bad */
	struct signature pending;        /* a newer one, not loaded yet */
	int64_t pending_since;
	bool missing;
	bool bad;                        /* the version that was seen could not be loaded */
};

struct table {
	struct table_set *set;
	const struct table_kind *kind;   /* NULL: the empty table */
	char *spec, *directory;
	char *argument;                  /* what the kind loads: of a file the whole path, with its suffix or query */
	char *path;                      /* of a file */
	unsigned refs;                   /* guarded by the set's lock */
	struct table *next;              /* in its bucket */
	pthread_mutex_t lock;            /* guards the pointer below, for as long as it takes to count a reference */
	struct content *content;         /* NULL: nothing was there to load yet */
	_Atomic int64_t next_complaint;  /* clock_mono() */
	struct watch watch;
};

/* Loads what the table names now. NULL with *error_r (child of NULL). */
struct content *table_load(const struct table *table, char **error_r);

/* Puts content in force and drops the one before. */
void table_swap(struct table *table, struct content *content);

/* Entries of what is in force; known_r: false when nothing was ever loaded. */
size_t table_count(struct table *table, bool *known_r);

/* Logs why a look-up failed: at most once a minute. now: clock_mono(). */
void table_complain(struct table *table, int64_t now, const char *why);

/* --- table_set.c --- */

/* A line in the set's log; none once the set is gone. */
void table_set_log(struct table_set *set, enum log_level level, const char *line);

/* The open table of that text and directory with one more reference, NULL if there is none. */
struct table *table_set_find(struct table_set *set, const char *spec, const char *directory);

/* Takes table in and watches it, or finds that another thread has added its like meanwhile: then that one with one more reference, and table stays the caller's. */
struct table *table_set_add(struct table_set *set, struct table *table);

/* Gives one reference back. true: it was the last one, the table is out of the set and the caller's to free. */
bool table_set_drop(struct table_set *set, struct table *table);

/* --- table_watch.c --- */

/* First load, at opening. 0; -1 with *error_r (child of NULL). A file that is missing is no error if optional. */
int table_watch_begin(struct table *table, bool optional, char **error_r);

/* One look at one file: loads it if it has changed and is ready. */
void table_watch_look(struct table *table, struct log *log, int64_t now);

#endif
