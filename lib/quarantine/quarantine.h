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
};

/* Opens the quarantine in folder path (made with mode 0700 if make). Any thread may use it. 0, or -errno with *error_r (talloc child of NULL; the caller frees it).
 * The files are PATH/spool/XX/ID.eml (XX: the last two characters of the id), the index is PATH/index.sqlite (WAL, synchronous=FULL). */
int quarantine_open(const char *path, bool make, struct log *log, struct quarantine **quarantine_r, char **error_r);
void quarantine_close(struct quarantine *quarantine);

/* Keeps a copy. When it returns 0 the file is written and synced (its folder too) and the row is committed: only then may the refusal be given.
 * -errno: no copy, no row (a file without a row may remain; it is harmless). *error_r as above. */
int quarantine_keep(struct quarantine *quarantine, const struct quarantine_entry *entry, const char *data, size_t len, char **error_r);

/* The newest first, at most limit (0: all): a talloc array of *n_r entries, child of mem. 0 or -errno with *error_r. */
int quarantine_list(struct quarantine *quarantine, TALLOC_CTX *mem, size_t limit, struct quarantine_entry **entries_r, size_t *n_r, char **error_r);

/* One entry and the bytes of its copy (talloc children of mem). -ENOENT: no such id. */
int quarantine_show(struct quarantine *quarantine, TALLOC_CTX *mem, const char *id, struct quarantine_entry *entry_r, char **data_r, size_t *len_r, char **error_r);

#endif
