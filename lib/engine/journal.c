/* journal.c - a journal that never makes a session wait: records go through a bounded queue to the one thread that writes the file */
#include "engine/journal_thread.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/clock.h"

enum {
	SPACE = 4096,                    /* a record of ordinary size needs no memory of its own before it is queued */
	FLUSH_US = 2000000, END_US = 500000
};

/* ---- the queue; lock held */

static void tell_of_row(struct journal *j)
{
	if (j->asleep || (j->gathering && (j->rows > HURRY_ROWS || j->bytes > HURRY_BYTES))) {
		j->asleep = j->gathering = false;
		pthread_cond_signal(&j->work);
	}
}

static void wake_writer(struct journal *j)
{
	j->urgent = true;
	j->asleep = j->gathering = false;
	pthread_cond_signal(&j->work);
}

static bool append(struct journal *j, const struct journal_row *row)
{
	struct chunk *c = j->last;

	if (j->rows >= QUEUE_ROWS || j->bytes + row->size > QUEUE_BYTES)
		return false;
	if (c == NULL || c->size - c->used < row->size) {
		size_t size = row->size > CHUNK_BYTES ? row->size : CHUNK_BYTES;

		c = size == CHUNK_BYTES && j->spare != NULL ? j->spare : malloc(sizeof(*c) + size);
		if (c == NULL)
			return false;
		if (c == j->spare)
			j->spare = NULL;
		c->next = NULL;
		c->used = 0;
		c->size = size;
		*(j->last != NULL ? &j->last->next : &j->first) = c;
		j->last = c;
	}
	memcpy(c->data + c->used, row, row->size);
	c->used += row->size;
	j->rows++;
	j->bytes += row->size;
	return true;
}

void journal_put(struct journal *j, const struct record *record)
{
	alignas(8) char space[SPACE];
	struct journal_row *row = NULL;
	bool queued = false;

	if (j == NULL || atomic_load_explicit(&j->off, memory_order_relaxed))
		return;
	if (journal_row_make(record, space, sizeof(space), &row) == 0) {
		pthread_mutex_lock(&j->lock);
		queued = append(j, row);
		if (queued)
			tell_of_row(j);
		pthread_mutex_unlock(&j->lock);
	}
	if (!queued)
		atomic_fetch_add(&j->dropped, 1);
	if ((char *)row != space)
		free(row);
}

uint64_t journal_dropped(const struct journal *j)
{
	return j != NULL ? atomic_load(&j->dropped) : 0;
}

/* ---- open, change, close */

void journal_free(struct journal *j)
{
	for (struct chunk *c = j->taken, *next; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	for (struct chunk *c = j->first, *next; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	free(j->spare);
	journal_db_close(j->db);
	journal_db_close(j->next);
	free(j->db_path);
	free(j->next_path);
	free(j->path);
	pthread_cond_destroy(&j->progress);
	pthread_cond_destroy(&j->work);
	pthread_mutex_destroy(&j->lock);
	free(j);
}

static void init_locks(struct journal *j)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&j->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&j->work, &attr);
	pthread_cond_init(&j->progress, &attr);
	pthread_condattr_destroy(&attr);
}

static int start_thread(struct journal *j)
{
	sigset_t all, old;
	int result;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	result = pthread_create(&j->thread, NULL, journal_writer, j);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -result;
}

int journal_open(const struct journal_options *options, struct log *log, struct journal **journal_r, char **error_r)
{
	struct journal *j = calloc(1, sizeof(*j));
	int result = j != NULL ? 0 : -ENOMEM;

	*journal_r = NULL;
	if (result != 0)
		return result;
	init_locks(j);
	j->log = log;
	j->now = options->now != NULL ? options->now : clock_wall;
	j->keep = options->keep;
	j->size_max = options->size_max;
	atomic_init(&j->off, options->keep <= 0);
	if (options->keep > 0) {
		j->path = strdup(options->path);
		j->db_path = strdup(options->path);
		result = j->path == NULL || j->db_path == NULL ? -ENOMEM : journal_db_open(options->path, log, &j->db, error_r);
		if (result == 0)
			journal_db_set_hurry(j->db, journal_hurry, j);
	}
	if (result == 0) {
		journal_first_clock(j);
		result = start_thread(j);
	}
	if (result != 0) {
		journal_free(j);
		return result;
	}
	*journal_r = j;
	return 0;
}

int journal_change(struct journal *j, const struct journal_options *options, char **error_r)
{
	bool on = options->keep > 0, same = on ? j->path != NULL && strcmp(j->path, options->path) == 0 : j->path == NULL;
	char *path = NULL, *db_path = NULL;
	struct journal_db *db = NULL;
	int result = 0;

	if (on && !same) {
		path = strdup(options->path);
		db_path = strdup(options->path);
		result = path == NULL || db_path == NULL ? -ENOMEM : journal_db_open(options->path, j->log, &db, error_r);
	}
	if (result != 0) {
		free(path);
		free(db_path);
		return result;
	}
	pthread_mutex_lock(&j->lock);
	if (on) {
		j->keep = options->keep;
		j->size_max = options->size_max;
	}
	j->look = true;
	if (!same) {
		/* one that was never taken over goes with the next */
		struct journal_db *unused = j->next;
		char *unused_path = j->next_path;

		j->replace = true;
		j->next = db;
		j->next_path = db_path;
		db = unused;
		db_path = unused_path;
	}
	wake_writer(j);
	pthread_mutex_unlock(&j->lock);
	journal_db_close(db);
	free(db_path);
	if (!same) {
		free(j->path);
		j->path = path;
		atomic_store(&j->off, !on);
	}
	return 0;
}

static struct timespec deadline_in(int64_t us)
{
	int64_t when = clock_mono() + us;

	return (struct timespec){ .tv_sec = (time_t)(when / 1000000), .tv_nsec = (long)(when % 1000000 * 1000) };
}

static void flush(struct journal *j, bool look)
{
	struct timespec deadline = deadline_in(FLUSH_US);
	uint64_t ticket;

	pthread_mutex_lock(&j->lock);
	ticket = ++j->asked;
	j->look |= look;
	wake_writer(j);
	while (j->done < ticket && !j->ended && pthread_cond_timedwait(&j->progress, &j->lock, &deadline) == 0)
		;
	pthread_mutex_unlock(&j->lock);
}

void journal_flush(struct journal *j)
{
	if (j != NULL)
		flush(j, false);
}

void journal_check(struct journal *j)
{
	flush(j, true);
}

void journal_close(struct journal *j)
{
	struct timespec deadline;
	pthread_t thread;
	bool ended;

	if (j == NULL)
		return;
	pthread_mutex_lock(&j->lock);
	j->stop = true;
	wake_writer(j);
	deadline = deadline_in(FLUSH_US + END_US);
	while (!j->ended && pthread_cond_timedwait(&j->progress, &j->lock, &deadline) == 0)
		;
	thread = j->thread;
	ended = j->ended;
	j->abandoned = !ended;
	if (!ended)
		j->log = NULL;           /* it may be closed by the time the writer comes back */
	pthread_mutex_unlock(&j->lock);
	if (ended) {
		pthread_join(thread, NULL);
		journal_free(j);
	} else {
		pthread_detach(thread);
	}
}
