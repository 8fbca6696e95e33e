/* log.h - a log that never makes a session wait: lines go through a bounded queue to one writing thread */
#ifndef WINNOW_UTIL_LOG_H
#define WINNOW_UTIL_LOG_H

#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log;

/* What a log is opened with; strings are copied. */
struct log_options {
	const char *target;              /* "syslog", "stderr" or the path of a file (made with mode 0640, appended to) */
	const char *facility;            /* of syslog: mail, daemon, local0 .. local7 */
	const char *ident;               /* program name: syslog's ident */
	enum log_level level;            /* lines above it are not written */
};

/* Opens the log and starts its thread. Owner: the caller (log_close). 0, or -errno with *error_r = a talloc'ed text (child of NULL; the caller frees it). */
int log_open(const struct log_options *options, struct log **log_r, char **error_r);

/* Queues one line (a final newline is added; control characters in it, marks that reorder text, and bytes above 127 unless the line is valid UTF-8 are shown as \xNN,
 * so that nothing from outside can forge a line; cut after 64 KB).
 * Never blocks: when the queue (4096 lines, 4 MB) is full the line is dropped and counted, and the count is written as a line of its own when there is room again.
 * log NULL: the line goes to stderr at once (before start-up is done, and in small programs). */
void log_line(struct log *log, enum log_level level, const char *line);
void log_printf(struct log *log, enum log_level level, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Switches to other options (a reload): the queue is kept. 0 or -errno with *error_r as in log_open; then the old target stays. */
int log_change(struct log *log, const struct log_options *options, char **error_r);

/* Closes and opens the file again (after logrotate). Only sets a flag: safe from any thread. */
void log_reopen(struct log *log);

/* Lines dropped so far. */
uint64_t log_dropped(const struct log *log);

/* Waits (at most two seconds) until what is queued is written. */
void log_flush(struct log *log);

/* log_flush, then ends the thread and frees. A target that hangs delays it by 2.5 s at most; the thread frees the log itself if it ever comes back. NULL is allowed. */
void log_close(struct log *log);

/* "error", "warning", "info", "debug" to the level; -1 if it is none of them. */
int log_level_parse(const char *text);

#endif
