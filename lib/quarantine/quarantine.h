/* quarantine.h - copies of refused messages: a spool of files and an SQLite index of them */
#ifndef WINNOW_QUARANTINE_QUARANTINE_H
#define WINNOW_QUARANTINE_QUARANTINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <talloc.h>

#include "util/log.h"

struct quarantine;

/* One kept message. Strings may be NULL for "unknown"; lists end with NULL. */
struct quarantine_entry {
	const char *id;                  /* of the message, as in reply and log */
	const char *queue_id;
	int64_t time;                    /* microseconds since 1970 */
	const char *class, *detail;      /* id of the deciding class */
	const char *policy;
	const char *client, *helo;
	const char *sender;              /* "" is the null sender */
	const char *const *recipients;
	const char *subject;             /* decoded to UTF-8 */
	const char *message_id;
	uint64_t size;
	int64_t releasing, released;     /* when a release was last begun, and when the MTA took one; microseconds since 1970, 0: never; known to the index alone */
};

/* Opens the quarantine in folder path. Any thread may use it; several processes may have it open, and write by turns. 0, or -errno with *error_r (talloc child of NULL; the caller frees it).
 * make: for who writes: folders are made (mode 0700), an index too; one that is damaged is set aside as index.sqlite.damaged-DATE and made anew from the spool, with a line in the log.
 * The same happens when the index is found to be gone or damaged later. Without make the index is only read: -ENOENT if there is none.
 *
 * On disk: PATH/spool/XX/ID.eml is the copy, byte for byte (XX: the last two characters of the id); PATH/spool/XX/ID.entry is its entry as text (entry.h), so that the spool
 * alone is enough to make an index; PATH/index.sqlite is the index (WAL, synchronous=FULL); PATH/tmp holds files that are being written. Files have mode 0600. */
int quarantine_open(const char *path, bool make, struct log *log, struct quarantine **quarantine_r, char **error_r);
void quarantine_close(struct quarantine *quarantine);

/* Is the folder that is open still the one at path? false: another one is there now, or none; it was moved, or a disk mounted over it. What goes into this one, nobody would find. */
bool quarantine_is_at(const struct quarantine *quarantine, const char *path);

/* Keeps a copy. When it returns 0 the file is written and synced (its folder too) and the row is committed: only then may the refusal be given.
 * -errno: no copy, no row (after a crash in between a file without a row may remain; it is harmless). *error_r as above.
 * -EINVAL: the id is not one of 4 to 64 characters of A-Z a-z 0-9 . - or has a dot at its beginning or among its last two. -EEXIST: the id is kept already; nothing changed. */
int quarantine_keep(struct quarantine *quarantine, const struct quarantine_entry *entry, const char *data, size_t len, char **error_r);

/* What a list is made of; NULL and 0: any. sender, recipient: an address, a domain ("example.com", "@example.com"), or "<>". */
struct quarantine_filter {
	const char *class, *sender, *recipient;
	int64_t since;                   /* microseconds since 1970 */
	size_t limit;                    /* 0: all */
};

/* The newest first: a talloc array of *n_r entries, child of mem. 0 or -errno with *error_r. */
int quarantine_list(struct quarantine *quarantine, TALLOC_CTX *mem, const struct quarantine_filter *filter, struct quarantine_entry **entries_r, size_t *n_r, char **error_r);

/* One entry and the bytes of its copy (talloc children of mem; a NUL stands behind the bytes). -ENOENT: no such id, or its file is gone. *error_r as above. */
int quarantine_show(struct quarantine *quarantine, TALLOC_CTX *mem, const char *id, struct quarantine_entry *entry_r, char **data_r, size_t *len_r, char **error_r);

enum quarantine_mark { QUARANTINE_RELEASING, QUARANTINE_RELEASED };

/* Marks a copy with the time of its release. 0; -ENOENT: no such id; -errno. *error_r as above. */
int quarantine_mark(struct quarantine *quarantine, const char *id, enum quarantine_mark mark, int64_t time, char **error_r);

/* ---- the way out (expire.c). In each the row goes first, then the files: no row is ever without its files, and files without a row harm nobody. */

/* 0; -ENOENT: no such id; -errno: nothing is deleted, or the row is and its files could not be. *error_r as above. */
int quarantine_delete(struct quarantine *quarantine, const char *id, char **error_r);

struct quarantine_limits {
	int64_t before;                  /* copies of an earlier time go; INT64_MIN: none */
	uint64_t size_max;               /* then the oldest, until the messages of all together have no more bytes */
	bool (*stop)(void *arg);         /* asked now and then: true ends it early; NULL: nobody asks */
	void *arg;
};

struct quarantine_expired {
	uint64_t deleted, deleted_bytes; /* in this call */
	uint64_t copies, bytes;          /* that are left */
};

/* Deletes what is too old or too much, in small transactions, so that others get their turn. 0 or -errno with *error_r; *result_r is right in any case, but copies and bytes only after 0. */
int quarantine_expire(struct quarantine *quarantine, const struct quarantine_limits *limits, struct quarantine_expired *result_r, char **error_r);

/* Looks the index over, and makes it anew if it is damaged or gone; gives files without a row a row, takes rows without a file away, and files that belong to no copy. What it did is logged.
 * 0 or -errno with *error_r. */
int quarantine_mend(struct quarantine *quarantine, const struct quarantine_limits *limits, char **error_r);

/* How many copies, their bytes, and the time of the newest (0: none). 0 or -errno with *error_r. */
int quarantine_sums(struct quarantine *quarantine, uint64_t *copies_r, uint64_t *bytes_r, int64_t *newest_r, char **error_r);

#endif
