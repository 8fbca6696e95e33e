/* log_target.h - where log lines go: syslog, stderr or a file; used by log.c alone */
#ifndef WINNOW_UTIL_LOG_TARGET_H
#define WINNOW_UTIL_LOG_TARGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/log.h"

enum { LOG_LINE_MAX = 65536 };           /* bytes of one line as queued; longer ones are cut */

struct log_target;

/* Opens what options name; a talloc root of its own (log_target_close). 0, or -errno with *error_r (child of NULL; the caller frees it). */
int log_target_open(const struct log_options *options, struct log_target **target_r, char **error_r);

/* Makes it the one that is written to (syslog knows only one ident a process). Call after closing the one before. */
void log_target_begin(struct log_target *target);

/* Opens the file anew; on failure the old one stays. 0 or -errno. */
int log_target_reopen(struct log_target *target);

/* The path of a file, else "syslog" or "stderr". */
const char *log_target_name(const struct log_target *target);

/* Writes one line (at most LOG_LINE_MAX bytes, any bytes) of that time (microseconds since 1970).
 * May wait for the target: for a pipe, a socket or a terminal until *hurry is set, for syslog(3) and a disk as long as they hang.
 * 0; -EAGAIN: gave up because of *hurry; otherwise -errno: the line is lost. */
int log_target_write(struct log_target *target, enum log_level level, int64_t time, const char *text, size_t len, const atomic_bool *hurry);

/* NULL is allowed. */
void log_target_close(struct log_target *target);

/* Copies text so that no byte of it can end the line, move a cursor or reorder what is read: those become \xNN.
 * Bytes above 127 pass only where the whole text is valid UTF-8. out: at least 4 * len bytes. Returns the length; no NUL is added. */
size_t log_escape(const char *text, size_t len, char *out);

#endif
