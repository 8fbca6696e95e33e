/* history.h - the DMARC history: a row for each message with a policy, written by a thread of its own, so that no mail waits for the file */
#ifndef WINNOW_ENGINE_HISTORY_H
#define WINNOW_ENGINE_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "engine/verdict.h"
#include "util/log.h"

struct history;
struct winnow_session;

/* Starts it. path: the file, made with mode 0640; "": nothing is written until history_change() names one. Where it cannot be written now, that is logged: rows wait.
 * NULL: out of memory, or no thread. */
struct history *history_open(const char *path, struct log *log);

/* Another file from now on, or none (""). */
void history_change(struct history *history, const char *path);

/* Queues the lines of a row; the text is copied. Never waits: beyond 20000 rows or 16 MB it is dropped, counted and logged. NULL is allowed. */
void history_add(struct history *history, const char *row);

/* Waits (at most five seconds) until what is queued is written. */
void history_flush(struct history *history);

/* Writes what is queued, if it can be written, ends the thread and frees. NULL is allowed. */
void history_close(struct history *history);

/* The row of a message that was judged to its end: nothing where no policy record was found, where it was deferred and comes again, or in a dry run. */
void history_message(struct winnow_session *ws, const struct verdict_input *input);

#endif
