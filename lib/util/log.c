/* log.c - a log that never makes a session wait: lines go through a bounded queue to one writing thread */
#include "util/log.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <talloc.h>

#include "util/clock.h"
#include "util/log_target.h"

enum {
	QUEUE_LINES = 4096,
	QUEUE_BYTES = 4 << 20,
	PRINTF_MAX = 2048,               /* longer lines are formatted on the heap */
	FLUSH_US = 2000000,
	GATHER_US = 30000,
	END_US = 500000,                 /* how long a writer that was told to end may take */
};

/* What stands before each line in the ring. */
struct record {
	int64_t time;
	uint32_t len;
	uint32_t level;
};

struct log {
	atomic_int level;
	atomic_uint_fast64_t dropped;
	atomic_bool hurry;               /* a writer that waits for its target shall look at what has changed */

	pthread_mutex_t lock;            /* guards all below; held for copies only, never while anything is written */
	pthread_cond_t work;             /* the writer waits here */
	pthread_cond_t progress;         /* log_flush and log_close wait here */
	bool asleep;                     /* the writer waits for a line: only then is it worth a signal */
	bool gathering;                  /* ... it has been told of one, and waits a moment for more */
	bool stop, reopen, ended;
	bool abandoned;                  /* log_close did not wait for it any longer: the writer frees */
	bool urgent;                     /* do not gather this time */
	struct log_target *next;         /* to be taken over by the writer */
	uint64_t head, tail;             /* bytes ever put in and taken out */
	uint64_t origin;                 /* of which this one stands at the ring's beginning; moved by the writer, while the ring is empty */
	unsigned lines;
	char *ring;

	pthread_t thread;                /* from here on: the writer's own */
	struct log_target *target;
	uint64_t reported;
	bool works;                      /* the last line was written */
	char line[LOG_LINE_MAX];
};

static void ring_put(struct log *log, const void *data, size_t n)
{
	size_t at = (size_t)((log->head - log->origin) % QUEUE_BYTES);
	size_t first = n < QUEUE_BYTES - at ? n : QUEUE_BYTES - at;

	memcpy(log->ring + at, data, first);
	memcpy(log->ring, (const char *)data + first, n - first);
	log->head += n;
}

/* Needs no lock: nobody overwrites what is not taken out yet. */
static void ring_get(const struct log *log, uint64_t from, void *data, size_t n)
{
	size_t at = (size_t)((from - log->origin) % QUEUE_BYTES);
	size_t first = n < QUEUE_BYTES - at ? n : QUEUE_BYTES - at;

	memcpy(data, log->ring + at, first);
	memcpy((char *)data + first, log->ring, n - first);
}

/* Lock held. A line wakes the writer that sleeps, at most once a GATHER_US: two switches of threads for each message cost more than all its checks. */
static void tell_of_line(struct log *log)
{
	if (log->asleep || (log->gathering && log->lines > QUEUE_LINES / 4)) {
		log->asleep = log->gathering = false;
		pthread_cond_signal(&log->work);
	}
}

/* Lock held. The same for what cannot wait: a flush, another target, the end. */
static void wake_writer(struct log *log)
{
	if (log->asleep || log->gathering) {
		log->asleep = log->gathering = false;
		log->urgent = true;
		pthread_cond_signal(&log->work);
	}
}

static void deadline_in(int64_t us, struct timespec *ts_r)
{
	int64_t when = clock_mono() + us;

	ts_r->tv_sec = (time_t)(when / 1000000);
	ts_r->tv_nsec = (long)(when % 1000000 * 1000);
}

static void free_log(struct log *log)
{
	log_target_close(log->next);
	log_target_close(log->target);
	pthread_cond_destroy(&log->progress);
	pthread_cond_destroy(&log->work);
	pthread_mutex_destroy(&log->lock);
	talloc_free(log);
}

/* --- the writer: called with the lock held, which they give up while they write --- */

static void write_own(struct log *log, const char *text)
{
	int ret = log_target_write(log->target, LOG_LEVEL_WARNING, clock_wall(), text, strlen(text), &log->hurry);

	log->works = ret == 0;
}

static void take_over(struct log *log)
{
	struct log_target *old = log->target;

	log->target = log->next;
	log->next = NULL;
	atomic_store(&log->hurry, false);
	pthread_mutex_unlock(&log->lock);
	log_target_close(old);
	log_target_begin(log->target);
	pthread_mutex_lock(&log->lock);
	pthread_cond_broadcast(&log->progress);
}

static void reopen(struct log *log)
{
	char text[512];
	int ret;

	log->reopen = false;
	pthread_mutex_unlock(&log->lock);
	ret = log_target_reopen(log->target);
	if (ret != 0) {
		snprintf(text, sizeof(text), "log: %.300s cannot be opened again, the old file stays in use: %s", log_target_name(log->target), strerror(-ret));
		write_own(log, text);
	}
	pthread_mutex_lock(&log->lock);
	pthread_cond_broadcast(&log->progress);
}

static void report_drops(struct log *log)
{
	uint64_t dropped = atomic_load(&log->dropped);
	char text[160];

	snprintf(text, sizeof(text), "log: %llu lines were dropped, because the log's target did not take them", (unsigned long long)(dropped - log->reported));
	pthread_mutex_unlock(&log->lock);
	write_own(log, text);
	if (log->works)
		log->reported = dropped;
	pthread_mutex_lock(&log->lock);
}

static void write_next(struct log *log)
{
	struct record record;
	int ret;

	pthread_mutex_unlock(&log->lock);
	ring_get(log, log->tail, &record, sizeof(record));
	ring_get(log, log->tail + sizeof(record), log->line, record.len);
	ret = log_target_write(log->target, (enum log_level)record.level, record.time, log->line, record.len, &log->hurry);
	log->works = ret == 0;
	if (ret != 0 && ret != -EAGAIN)
		atomic_fetch_add(&log->dropped, 1);
	pthread_mutex_lock(&log->lock);
	if (ret == -EAGAIN)
		return;   /* the line stays, for the next target */
	log->tail += sizeof(record) + record.len;
	if (--log->lines == 0)
		log->origin = log->tail;         /* from the beginning again: a ring that is never full does not wander through all its pages */
	pthread_cond_broadcast(&log->progress);
}

/* Waits until there is something to do; a line alone is given a moment of company. */
static void rest(struct log *log)
{
	struct timespec deadline;

	log->asleep = true;
	while (log->asleep)
		pthread_cond_wait(&log->work, &log->lock);
	if (!log->urgent && !log->stop) {
		deadline_in(GATHER_US, &deadline);
		log->gathering = true;
		while (log->gathering && pthread_cond_timedwait(&log->work, &log->lock, &deadline) == 0)
			;
		log->gathering = false;
	}
	log->urgent = false;
}

static void *writer(void *arg)
{
	struct log *log = arg;
	bool abandoned;

	pthread_mutex_lock(&log->lock);
	while (!log->stop) {
		/* drops are told when the rush is over, and only to a target that takes lines */
		bool tell = log->works && log->lines <= QUEUE_LINES / 2 && atomic_load(&log->dropped) != log->reported;

		if (log->next != NULL) {
			take_over(log);
		} else if (log->reopen) {
			reopen(log);
		} else if (tell) {
			report_drops(log);
		} else if (log->lines > 0) {
			write_next(log);
		} else {
			rest(log);
		}
	}
	log->ended = true;
	abandoned = log->abandoned;
	pthread_cond_broadcast(&log->progress);
	pthread_mutex_unlock(&log->lock);
	if (abandoned)
		free_log(log);
	return NULL;
}

/* --- open and close --- */

static void init_locks(struct log *log)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&log->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&log->work, &attr);
	pthread_cond_init(&log->progress, &attr);
	pthread_condattr_destroy(&attr);
}

/* All signals stay with the program's own threads; a broken pipe is an error of write() then. */
static int start_thread(struct log *log)
{
	sigset_t all, old;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = pthread_create(&log->thread, NULL, writer, log);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -ret;
}

int log_open(const struct log_options *options, struct log **log_r, char **error_r)
{
	struct log_target *target;
	struct log *log;
	int ret;

	*log_r = NULL;
	ret = log_target_open(options, &target, error_r);
	if (ret != 0)
		return ret;
	log = talloc_named_const(NULL, sizeof(*log), "struct log");
	if (log != NULL) {
		memset(log, 0, sizeof(*log));
		log->ring = talloc_array(log, char, QUEUE_BYTES);
	}
	if (log == NULL || log->ring == NULL) {
		log_target_close(target);
		talloc_free(log);
		*error_r = talloc_strdup(NULL, "log: out of memory");
		return -ENOMEM;
	}
	init_locks(log);
	atomic_init(&log->level, (int)options->level);
	log->target = target;
	log->works = true;
	log_target_begin(target);
	ret = start_thread(log);
	if (ret != 0) {
		free_log(log);
		*error_r = talloc_asprintf(NULL, "log: its thread does not start: %s", strerror(-ret));
		return ret;
	}
	*log_r = log;
	return 0;
}

void log_close(struct log *log)
{
	struct timespec deadline;
	pthread_t thread;
	bool ended;

	if (log == NULL)
		return;
	log_flush(log);
	deadline_in(END_US, &deadline);
	pthread_mutex_lock(&log->lock);
	log->stop = true;
	atomic_store(&log->hurry, true);
	wake_writer(log);
	while (!log->ended && pthread_cond_timedwait(&log->progress, &log->lock, &deadline) == 0)
		;
	thread = log->thread;
	ended = log->ended;
	log->abandoned = !ended;
	pthread_mutex_unlock(&log->lock);
	if (ended) {
		pthread_join(thread, NULL);
		free_log(log);
	} else {
		/* it hangs in the kernel or in libc's syslog(): nothing may wait for that; it frees the log if it ever comes back */
		pthread_detach(thread);
	}
}

int log_change(struct log *log, const struct log_options *options, char **error_r)
{
	struct log_target *target, *unused;
	int ret = log_target_open(options, &target, error_r);

	if (ret != 0)
		return ret;
	pthread_mutex_lock(&log->lock);
	unused = log->next;
	log->next = target;
	atomic_store(&log->level, (int)options->level);
	atomic_store(&log->hurry, true);
	wake_writer(log);
	pthread_mutex_unlock(&log->lock);
	log_target_close(unused);
	return 0;
}

void log_reopen(struct log *log)
{
	if (log == NULL)
		return;
	pthread_mutex_lock(&log->lock);
	log->reopen = true;
	wake_writer(log);
	pthread_mutex_unlock(&log->lock);
}

void log_flush(struct log *log)
{
	struct timespec deadline;
	uint64_t until;

	if (log == NULL)
		return;
	deadline_in(FLUSH_US, &deadline);
	pthread_mutex_lock(&log->lock);
	until = log->head;
	wake_writer(log);
	while ((log->tail < until || log->next != NULL || log->reopen) && !log->ended
		&& pthread_cond_timedwait(&log->progress, &log->lock, &deadline) == 0)
		;
	pthread_mutex_unlock(&log->lock);
}

/* --- lines --- */

static void write_stderr(const char *line, size_t len)
{
	char *text = talloc_size(NULL, len * 4 + 1);
	size_t n, done = 0;

	if (text == NULL)
		return;
	n = log_escape(line, len, text);
	text[n++] = '\n';
	while (done < n) {
		ssize_t written = write(STDERR_FILENO, text + done, n - done);

		if (written > 0)
			done += (size_t)written;
		else if (written == 0 || errno != EINTR)
			break;
	}
	talloc_free(text);
}

void log_line(struct log *log, enum log_level level, const char *line)
{
	struct record record = { .level = (uint32_t)level };
	size_t len = strnlen(line, LOG_LINE_MAX + 1);

	if (log != NULL && (int)level > atomic_load_explicit(&log->level, memory_order_relaxed))
		return;
	if (len > LOG_LINE_MAX) {
		/* not within a UTF-8 sequence, or the whole line would no longer be valid */
		for (len = LOG_LINE_MAX; len > LOG_LINE_MAX - 4 && ((unsigned char)line[len] & 0xc0) == 0x80; len--)
			;
	}
	while (len > 0 && line[len - 1] == '\n')
		len--;
	if (log == NULL) {
		write_stderr(line, len);
		return;
	}
	record.len = (uint32_t)len;
	record.time = clock_wall();
	pthread_mutex_lock(&log->lock);
	if (log->lines >= QUEUE_LINES || QUEUE_BYTES - (log->head - log->tail) < sizeof(record) + len) {
		atomic_fetch_add(&log->dropped, 1);
	} else {
		ring_put(log, &record, sizeof(record));
		ring_put(log, line, len);
		log->lines++;
		tell_of_line(log);
	}
	pthread_mutex_unlock(&log->lock);
}

void log_printf(struct log *log, enum log_level level, const char *format, ...)
{
	char text[PRINTF_MAX];
	char *longer;
	va_list ap;
	int n;

	if (log != NULL && (int)level > atomic_load_explicit(&log->level, memory_order_relaxed))
		return;
	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n < sizeof(text)) {
		log_line(log, level, text);
		return;
	}
	va_start(ap, format);
	longer = talloc_vasprintf(NULL, format, ap);
	va_end(ap);
	log_line(log, level, longer != NULL ? longer : text);
	talloc_free(longer);
}

uint64_t log_dropped(const struct log *log)
{
	return log != NULL ? atomic_load(&log->dropped) : 0;
}

int log_level_parse(const char *text)
{
	static const char *const names[] = {
		[LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARNING] = "warning", [LOG_LEVEL_INFO] = "info", [LOG_LEVEL_DEBUG] = "debug",
	};

	for (int i = 0; i <= LOG_LEVEL_DEBUG; i++)
		if (strcmp(text, names[i]) == 0)
			return i;
	return -1;
}
