/* table.h - tables that operators keep: one interface, one file a kind (table_<kind>.c) and one row in table.c */
#ifndef WINNOW_POLICY_TABLE_H
#define WINNOW_POLICY_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <talloc.h>

#include "message/address.h"
#include "util/ip.h"
#include "util/log.h"

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_UNAVAILABLE };

/* How a kind of files reads them. */
enum table_reading {
	TABLE_READ_WHOLE,                /* content is a copy of the file: a changed one is loaded anew */
	TABLE_READ_IN_PLACE,             /* content keeps the file open and reads it at each look-up, as long as it is the version that was loaded: to load costs next to nothing */
	TABLE_READ_LIVE,                 /* the same, and what others write into the file is seen by the next look-up: only another file of that name is loaded */
};

/* What one kind does. Content is immutable once loaded: a changed file is loaded anew and swapped in. */
struct table_kind {
	const char *name;                /* the word before the colon */
	bool is_file;                    /* the rest is a path: relative ones start from the directory; watched */
	const char *suffix;              /* which the path gets, as with Postfix; NULL: none */
	bool has_query;                  /* behind the path stands ?QUERY */
	enum table_reading reading;
	bool whole_key;                  /* address keys are asked as the whole address only (pcre), not by domain */
	/* Loads the content (a talloc child of parent, freed with it). NULL with *error_r = "FILE:LINE: what, and what would be right" (child of parent). */
	void *(*load)(TALLOC_CTX *parent, const char *argument, char **error_r);
	/* key: lower case, NUL-terminated. On ANSWER_YES *value_r (may be "") lives as long as the content, or as mem. Several threads at once.
	 * On ANSWER_UNAVAILABLE *value_r may be set to why, which is logged. */
	enum answer (*lookup)(const void *content, const char *key, TALLOC_CTX *mem, const char **value_r);
	/* The most specific network that holds ip; NULL: the kind is asked with the address as text. */
	enum answer (*lookup_ip)(const void *content, const struct ip *ip, TALLOC_CTX *mem, const char **value_r);
	/* Shows each entry, in their order. NULL: its entries cannot be listed. */
	void (*each)(const void *content, void (*visit)(void *context, const char *key, const char *value), void *context);
	/* Entries in it. NULL: not known, never empty. */
	size_t (*count)(const void *content);
};

struct table;

/* All tables that are open, by their text: two configurations that name the same table share it, so that a reload keeps it.
 * Owner: the engine. Starts a thread at the first file table: it looks at the files twice a second; one that was renamed into place is loaded at once
 * (unless it is empty or ends within a line: an editor may still be writing it), one that was written in place after a quiet second; a bad one is logged once
 * with its line and the old content stays in force. A file that vanished keeps its content too. */
struct table_set;
struct table_set *table_set_new(struct log *log);

/* Without a thread: files are read once, and again only by table_set_look(). For programs that end soon, and for tests. */
struct table_set *table_set_new_still(struct log *log);

/* One look at all files, as the thread does twice a second; now: clock_mono() (of a test: its own). Any thread. */
void table_set_look(struct table_set *set, int64_t now);

/* Ends the thread and waits for it. Tables that are still open stay usable, unwatched, until they are closed. NULL is allowed. */
void table_set_free(struct table_set *set);

/* Opens "inline:...", "file:PATH", "cidr:PATH", "pcre:PATH", "lmdb:PATH", "cdb:PATH", "sqlite:PATH?QUERY"; "" is the empty table. directory: where relative paths start ("": here).
 * optional: the file may be missing (the table is empty until it appears). Reference counted: table_close(). NULL with *error_r (talloc child of NULL: the caller frees it). */
struct table *table_open(struct table_set *set, const char *spec, const char *directory, bool optional, char **error_r);
void table_close(struct table *table);

/* Is key in the table (case does not matter)? On ANSWER_YES *value_r (may be NULL if not wanted) is a talloc child of mem: "" where the entry has no value. table NULL: ANSWER_NO.
 * A key of more than 1 KB is in no table. Never waits for a reload; ANSWER_UNAVAILABLE: the table cannot tell now (a pattern that ran into its limits, no memory, a database that is
 * damaged, locked or slow, which the log tells once a minute). A database waits a quarter of a second at most. */
enum answer table_lookup(struct table *table, const char *key, TALLOC_CTX *mem, const char **value_r);

/* Asks user@domain, @domain, domain, .parent, .grandparent ... as Postfix does; the null sender as "<>"; an address without domain as itself, unless it could be taken
 * for a domain, an address or "<>" (<bank.example> as a sender must not match the entry bank.example): then ANSWER_NO. A quoted local part is asked without its quotes. */
enum answer table_lookup_address(struct table *table, const struct address *address, TALLOC_CTX *mem, const char **value_r);

/* Asks domain, .parent, ... */
enum answer table_lookup_domain(struct table *table, const char *domain, TALLOC_CTX *mem, const char **value_r);

/* Asks by address: networks in inline:, file: and cidr:, the address as text elsewhere. Family 0: ANSWER_NO. */
enum answer table_lookup_ip(struct table *table, const struct ip *ip, TALLOC_CTX *mem, const char **value_r);

/* Shows each entry that the table holds now; strings are valid while visit runs. Only of inline: and file: tables: others are not listed, and visit is not called. */
void table_each(struct table *table, void (*visit)(void *context, const char *key, const char *value), void *context);

/* True for NULL and for a table that holds nothing now. A database that cannot be read or counted (sqlite:) is not empty. */
bool table_is_empty(struct table *table);

/* The text that it was opened with ("" for NULL). */
const char *table_spec(const struct table *table);

#endif
