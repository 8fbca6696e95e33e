/* journal.h - decision records on disk (findings before policy): what `explain`, `search` and `whatif` read */
#ifndef WINNOW_ENGINE_JOURNAL_H
#define WINNOW_ENGINE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <talloc.h>

#include "engine/record.h"
#include "util/log.h"

struct journal;

struct journal_options {
	const char *path;                /* folder, made with mode 0700: PATH/journal.sqlite, WAL */
	int64_t keep;                    /* milliseconds; 0: no journal is kept at all, nothing is opened */
	int64_t size_max;                /* bytes of the file; beyond it the oldest records go, and their room is used again */
	int64_t (*now)(void);            /* microseconds since 1970; NULL: clock_wall */
};

/* Opens for writing, and starts the one writing thread. A damaged file is set aside (journal.sqlite.damaged-DATE) and begun anew, with one log line. Owner: the engine.
 * 0, or -errno with *error_r (talloc child of NULL). */
int journal_open(const struct journal_options *options, struct log *log, struct journal **journal_r, char **error_r);

/* A reload: takes over keep and size_max; another path (or keep that was 0) is opened here, and the writing thread goes over to it with what is queued.
 * 0, or -errno with *error_r: then all stays as it was. One call at a time. */
int journal_change(struct journal *journal, const struct journal_options *options, char **error_r);

/* Queues a record (it is copied). Never waits: beyond 16 MB or 20,000 records in the queue it is dropped and counted; the count is logged at most once a minute. NULL: no journal.
 * The thread gathers for 100 ms and writes what it has in one transaction (synchronous=NORMAL: a power cut costs the last moments, a kill nothing that was committed).
 * While the file cannot be written (disk full, locked) records wait in the queue; it is tried again each second. */
void journal_put(struct journal *journal, const struct record *record);

/* Waits (at most two seconds) until what is queued is committed. */
void journal_flush(struct journal *journal);
uint64_t journal_dropped(const struct journal *journal);

/* Flushes, ends the thread, frees. A disk that hangs delays it by some seconds; then the thread is left to it. NULL is allowed. */
void journal_close(struct journal *journal);

/* ---- reading: by own read-only connections, while the daemon writes and when it is down */

struct journal_reader;

/* -ENOENT: no journal there yet; -EACCES: no right to read it. */
int journal_reader_open(const char *path, struct journal_reader **reader_r, char **error_r);
void journal_reader_close(struct journal_reader *reader);

/* A record as it was written: one JSON object (child of mem) with the keys of the log line, "time" (UTC), "subject", "rcpt" and "blackhole" as arrays, "notes" and "times" (microseconds of each check)
 * as objects, "auth" (what SPF and each DKIM signature said) as an array, "allowed", "proven" and "no_recipient_left" where true, and "findings": an array of
 * { class, check, stage, strength, weight (null: none), action (of the policy), detail, counted, observed, bypassed, decided }. */
struct journal_entry {
	int64_t time;
	const char *json;
};

/* All records with that id, queue id or message-id (with or without <>), the oldest first; at most the newest thousand. *n_r 0: none. 0 or -errno with *error_r. */
int journal_find(struct journal_reader *reader, TALLOC_CTX *mem, const char *key, struct journal_entry **entries_r, size_t *n_r, char **error_r);

/* What `search` asks; NULL and 0: any. from, rcpt: an address, "<>", or a domain ("@example.com", "example.com"); ip: an address or network. */
struct journal_query {
	const char *from, *rcpt, *ip, *class, *action;
	int64_t since, until;            /* microseconds since 1970; until is not included */
	size_t limit;                    /* 0: 100 */
};

/* The newest first. -EINVAL: the query's ip, class or action is none. */
int journal_search(struct journal_reader *reader, TALLOC_CTX *mem, const struct journal_query *query, struct journal_entry **entries_r, size_t *n_r, char **error_r);

#endif
