/* history.c - the DMARC history's file: a bounded queue, and one thread that appends what is in it */
#include "engine/history.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"

enum { QUEUE_ROWS = 20000, QUEUE_BYTES = 16 << 20, GATHER_US = 100000, RETRY_US = 1000000, LOCK_STEP_US = 20000, LOCK_US = 5000000, FLUSH_US = 5000000, MINUTE_US = 60000000 };

struct row {
	struct row *next;
	size_t len;
	char text[];
};

struct history {
	struct log *log;
	pthread_mutex_t lock;            /* guards what follows; held for copies only, never while anything is written */
	pthread_cond_t work, progress;
	char *path;
	bool stop;
	struct row *first, *last;
	size_t rows, bytes;              /* queued, or being written */
	uint64_t dropped;

	pthread_t thread;                /* from here on the writer's own */
	atomic_bool ending;
	struct row *taken;
	int64_t next_report;
	uint64_t reported;
	bool failing;
};

static struct timespec at(int64_t mono)
{
	return (struct timespec){ .tv_sec = (time_t)(mono / 1000000), .tv_nsec = (long)(mono % 1000000 * 1000) };
}

/* ---- the file */

/* Only one writes at a time, and none while opendmarc-import reads: it takes this lock too. Who holds it for long is waited for a while. */
static int lock_file(const struct history *h, int fd)
{
	const struct timespec step = { .tv_nsec = LOCK_STEP_US * 1000 };
	int64_t until = clock_mono() + LOCK_US;

	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (clock_mono() >= until || atomic_load(&h->ending))
			return -EBUSY;
		nanosleep(&step, NULL);
	}
	return 0;
}

/* Opens it each time: whoever rotates it need tell nobody. fd or -errno. */
static int open_locked(const struct history *h, const char *path)
{
	for (int i = 0; i < 10; i++) {
		struct stat ours, there;
		int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640), result;

		if (fd < 0)
			return -errno;
		result = fstat(fd, &ours) != 0 ? -errno : !S_ISREG(ours.st_mode) ? -EINVAL : lock_file(h, fd);
		if (result == 0 && stat(path, &there) == 0 && there.st_dev == ours.st_dev && there.st_ino == ours.st_ino)
			return fd;
		close(fd);                       /* moved away while we waited for it */
		if (result != 0)
			return result;
	}
	return -EAGAIN;
}

/* Whole, or not at all: what a full disk took half of is taken back. */
static int append(int fd, const struct row *row)
{
	off_t before = lseek(fd, 0, SEEK_END);
	size_t done = 0;
	int result = before < 0 ? -errno : 0;

	while (result == 0 && done < row->len) {
		ssize_t n = write(fd, row->text + done, row->len - done);

		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			result = n == 0 ? -EIO : -errno;
	}
	if (result != 0 && done > 0 && ftruncate(fd, before) != 0)
		result = -errno;
	return result;
}

/* ---- the writer */

static void done_with_first(struct history *h)
{
	struct row *row = h->taken;

	h->taken = row->next;
	pthread_mutex_lock(&h->lock);
	h->rows--;
	h->bytes -= row->len;
	if (h->rows == 0)
		pthread_cond_broadcast(&h->progress);
	pthread_mutex_unlock(&h->lock);
	free(row);
}

static int write_taken(struct history *h, const char *path)
{
	int fd = path[0] != '\0' ? open_locked(h, path) : -1, result = 0;

	if (path[0] != '\0' && fd < 0)
		return fd;
	while (h->taken != NULL && result == 0) {
		result = fd >= 0 ? append(fd, h->taken) : 0;
		if (result == 0)
			done_with_first(h);
	}
	if (fd >= 0 && close(fd) != 0 && result == 0)
		result = -errno;
	return result;
}

static void tell(struct history *h, const char *path, int result, uint64_t dropped)
{
	unsigned long long lost = (unsigned long long)(dropped - h->reported);

	if (result == 0 && h->failing) {
		log_printf(h->log, LOG_LEVEL_WARNING, "dmarc.history: %s is written again; %llu rows were dropped", path, lost);
	} else if (clock_mono() < h->next_report || (result == 0 && lost == 0)) {
		return;
	} else if (result != 0) {
		log_printf(h->log, LOG_LEVEL_ERROR, "dmarc.history: %s cannot be written: %s; rows wait, %llu were dropped since the last such line; is there room, may winnow-milter write there?",
			path, result == -EBUSY ? "another program keeps it locked" : strerror(-result), lost);
	} else {
		log_printf(h->log, LOG_LEVEL_WARNING, "dmarc.history: %llu rows were dropped, because they came faster than they could be written", lost);
	}
	h->failing = result != 0;
	h->next_report = clock_mono() + MINUTE_US;
	h->reported = dropped;
}

/* Waits for rows, and a moment for more of them. Lock held. */
static void rest(struct history *h)
{
	struct timespec until;

	while (h->first == NULL && h->taken == NULL && !h->stop)
		pthread_cond_wait(&h->work, &h->lock);
	until = at(clock_mono() + (h->failing ? RETRY_US : GATHER_US));
	while (!h->stop && pthread_cond_timedwait(&h->work, &h->lock, &until) == 0)
		;
}

static void *writer(void *argument)
{
	struct history *h = argument;
	bool stop = false;

	pthread_mutex_lock(&h->lock);
	while (!stop) {
		struct row **end = &h->taken;
		uint64_t dropped;
		char *path;
		int result;

		rest(h);
		stop = h->stop;
		while (*end != NULL)
			end = &(*end)->next;
		*end = h->first;
		h->first = h->last = NULL;
		path = strdup(h->path);
		dropped = h->dropped;
		pthread_mutex_unlock(&h->lock);
		result = path != NULL ? write_taken(h, path) : -ENOMEM;
		tell(h, path != NULL ? path : "", result, dropped);
		free(path);
		pthread_mutex_lock(&h->lock);
	}
	if (h->rows > 0)
		log_printf(h->log, LOG_LEVEL_ERROR, "dmarc.history: %zu rows could not be written before the end", h->rows);
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

/* ---- for the engine */

/* All signals stay with the program's own threads. */
static int start_thread(struct history *h)
{
	sigset_t all, old;
	int result;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	result = pthread_create(&h->thread, NULL, writer, h);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return result;
}

static void try_it(struct history *h, const char *path)
{
	int fd = path[0] != '\0' ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640) : -1;

	if (path[0] != '\0' && fd < 0)
		log_printf(h->log, LOG_LEVEL_ERROR, "dmarc.history: %s: %s; rows wait until it can be written", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

struct history *history_open(const char *path, struct log *log)
{
	struct history *h = calloc(1, sizeof(*h));
	pthread_condattr_t attr;

	if (h == NULL)
		return NULL;
	h->log = log;
	h->path = strdup(path);
	pthread_mutex_init(&h->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&h->work, &attr);
	pthread_cond_init(&h->progress, &attr);
	pthread_condattr_destroy(&attr);
	if (h->path != NULL && start_thread(h) == 0) {
		try_it(h, path);
		return h;
	}
	pthread_cond_destroy(&h->progress);
	pthread_cond_destroy(&h->work);
	pthread_mutex_destroy(&h->lock);
	free(h->path);
	free(h);
	return NULL;
}

void history_change(struct history *h, const char *path)
{
	char *fresh = strdup(path), *old = NULL;
	bool other = false;

	if (fresh == NULL)
		return;
	pthread_mutex_lock(&h->lock);
	other = strcmp(h->path, path) != 0;
	old = h->path;
	h->path = fresh;
	pthread_mutex_unlock(&h->lock);
	free(old);
	if (other)
		try_it(h, path);
}

void history_add(struct history *h, const char *text)
{
	size_t len = strlen(text);
	struct row *row;
	bool room;

	if (h == NULL)
		return;
	row = malloc(sizeof(*row) + len + 1);
	if (row != NULL) {
		row->next = NULL;
		row->len = len;
		memcpy(row->text, text, len + 1);
	}
	pthread_mutex_lock(&h->lock);
	room = row != NULL && h->rows < QUEUE_ROWS && h->bytes + len <= QUEUE_BYTES;
	if (room) {
		if (h->first == NULL)
			h->first = row;
		else
			h->last->next = row;
		h->last = row;
		h->rows++;
		h->bytes += len;
		if (h->rows == 1)                /* it may sleep; else it looks again by itself */
			pthread_cond_signal(&h->work);
	} else {
		h->dropped++;
	}
	pthread_mutex_unlock(&h->lock);
	if (!room)
		free(row);
}

void history_flush(struct history *h)
{
	struct timespec until = at(clock_mono() + FLUSH_US);

	pthread_mutex_lock(&h->lock);
	while (h->rows > 0 && pthread_cond_timedwait(&h->progress, &h->lock, &until) == 0)
		;
	pthread_mutex_unlock(&h->lock);
}

static void free_rows(struct row *row)
{
	while (row != NULL) {
		struct row *next = row->next;

		free(row);
		row = next;
	}
}

void history_close(struct history *h)
{
	if (h == NULL)
		return;
	atomic_store(&h->ending, true);
	pthread_mutex_lock(&h->lock);
	h->stop = true;
	pthread_cond_signal(&h->work);
	pthread_mutex_unlock(&h->lock);
	pthread_join(h->thread, NULL);
	free_rows(h->first);
	free_rows(h->taken);
	pthread_cond_destroy(&h->progress);
	pthread_cond_destroy(&h->work);
	pthread_mutex_destroy(&h->lock);
	free(h->path);
	free(h);
}
