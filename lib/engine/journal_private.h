/* journal_private.h - what the journal's files share: a record on its way to disk, the file, the one that writes it */
#ifndef WINNOW_ENGINE_JOURNAL_PRIVATE_H
#define WINNOW_ENGINE_JOURNAL_PRIVATE_H

#include <errno.h>

#include "engine/journal.h"
#include "util/ip.h"

/* The file.
 * records: what search filters by, one narrow row a record, n in the order of writing.
 * bodies: the record as JSON, and its names (id, queue id, message-id, a line each).
 * keys: the hashes of the names, so that a record is found by each of them. They are kept in buckets of 4096 records: a new hash goes into the newest bucket, some forty pages that are
 * in memory anyway, not to a random page of a tree of millions; expiry drops whole buckets; a look-up asks each bucket, some hundreds of them in a journal of a gigabyte. */
#define JOURNAL_FILE "journal.sqlite"
#define JOURNAL_SCHEMA \
	"CREATE TABLE records (n INTEGER PRIMARY KEY, time INTEGER NOT NULL, event TEXT, class TEXT, action TEXT, client BLOB, sender TEXT, rcpts TEXT);" \
	"CREATE INDEX records_time ON records (time);" \
	"CREATE TABLE bodies (n INTEGER PRIMARY KEY, names TEXT NOT NULL, body TEXT NOT NULL);" \
	"CREATE TABLE keys (bucket INTEGER, hash INTEGER, n INTEGER, PRIMARY KEY (bucket, hash, n)) WITHOUT ROWID;" \
	"PRAGMA user_version = 1;"
enum { JOURNAL_VERSION = 1, JOURNAL_BUCKET_BITS = 12 };

/* ---- journal_json.c */

/* A record as it waits in the queue: this head, then names, from, rcpts and body without NULs between. */
struct journal_row {
	uint32_t size;                   /* of all, a multiple of 8 */
	uint32_t names, from, rcpts, body;       /* lengths */
	struct ip client;
	int64_t time;
	const char *event, *class, *action;      /* live as long as the program */
};

/* Writes a record into space (aligned to 8), or into a malloc'ed block if it does not fit: the caller frees *row_r if it is not space. 0, -EMSGSIZE (over 4 MB) or -ENOMEM. */
int journal_row_make(const struct record *record, void *space, size_t size, struct journal_row **row_r);

/* Without blanks around it, and of a message-id what stands in <>. Points into text. */
const char *journal_name(const char *text, size_t *len_r);

/* The hash of a name, as keys hold it. */
int64_t journal_hash(const char *name, size_t len);

/* ---- journal_write.c: the file as its writer has it. Errors as -errno, with a text in journal_db_error(). */

struct journal_db;

enum { JOURNAL_DAMAGED = -EUCLEAN };

/* Opens PATH/journal.sqlite, or makes it with its folder. Damaged: set aside, with a line in log. 0 or -errno with *error_r (talloc child of NULL). */
int journal_db_open(const char *path, struct log *log, struct journal_db **db_r, char **error_r);
void journal_db_close(struct journal_db *db);
const char *journal_db_error(const struct journal_db *db);

/* Renames a damaged file to journal.sqlite.damaged-DATE, so that a new one can be begun; a line in log. 0 or -errno. */
int journal_db_set_aside(const char *path, struct log *log);

/* The file was moved or removed under us. */
bool journal_db_lost(const struct journal_db *db);

/* Asked while another holds the lock: true ends the waiting. */
void journal_db_set_hurry(struct journal_db *db, bool (*hurry)(void *), void *argument);

/* All rows in one transaction. -EBUSY: locked. JOURNAL_DAMAGED. -EBADMSG: these rows cannot be written, whatever is tried. */
int journal_db_write(struct journal_db *db, const struct journal_row *const *rows, size_t n);

/* The time of the newest record; 0: none. */
int64_t journal_db_newest(struct journal_db *db);

/* One step (some rows) of making room: 1: there is more to do, 0: done, or -errno. */
int journal_db_bound(struct journal_db *db, int64_t size_max);
/* ... of dropping what is older than before, and what stands in front of it with a time after future (a clock was wrong then). */
int journal_db_expire(struct journal_db *db, int64_t before, int64_t future);
/* Puts what is committed where it belongs, if no reader is in the way. */
void journal_db_checkpoint(struct journal_db *db);

/* ---- journal.c, for tests */

/* Looks at once for what has to go, and waits for it as journal_flush() does. */
void journal_check(struct journal *journal);

#endif
