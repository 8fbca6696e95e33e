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

/* Opens the quarantine in folder path. Any thread may use it. 0, or -errno with *error_r (talloc child of NULL; the caller frees it).
 * make: for who keeps copies: folders are made (mode 0700), an index too; one that is damaged is set aside as index.sqlite.damaged-DATE and made anew from the spool, with a line in the log.
 * Without make the index is only read as long as nothing is kept: -ENOENT if there is none; fit for a process beside the daemon.
 *
 * On disk: PATH/spool/XX/ID.eml is the copy, byte for byte (XX: the last two characters of the id); PATH/spool/XX/ID.entry is its entry as text (entry.h), so that the spool
 * alone is enough to make an index; PATH/index.sqlite is the index (WAL, synchronous=FULL); PATH/tmp holds files that are being written. Files have mode 0600. */
int quarantine_open(const char *path, bool make, struct log *log, struct quarantine **quarantine_r, char **error_r);
void quarantine_close(struct quarantine *quarantine);

/* Keeps a copy. When it returns 0 the file is written and synced (its folder too) and the row is committed: only then may the refusal be given.
 * -errno: no copy, no row (after a crash in between a file without a row may remain; it is harmless). *error_r as above.
 * -EINVAL: the id is not one of 4 to 64 characters of A-Z a-z 0-9 . - or has a dot at its beginning or among its last two. -EEXIST: the id is kept already; nothing changed. */
int quarantine_keep(struct quarantine *quarantine, const struct quarantine_entry *entry, const char *data, size_t len, char **error_r);

/* The newest first, at most limit (0: all): a talloc array of *n_r entries, child of mem. 0 or -errno with *error_r. */
int quarantine_list(struct quarantine *quarantine, TALLOC_CTX *mem, size_t limit, struct quarantine_entry **entries_r, size_t *n_r, char **error_r);

/* One entry and the bytes of its copy (talloc children of mem; a NUL stands behind the bytes). -ENOENT: no such id, or its file is gone. *error_r as above. */
int quarantine_show(struct quarantine *quarantine, TALLOC_CTX *mem, const char *id, struct quarantine_entry *entry_r, char **data_r, size_t *len_r, char **error_r);

#endif
