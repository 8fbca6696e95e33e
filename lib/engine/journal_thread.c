/* journal_thread.c - the journal's writing thread: takes what has gathered, writes it, makes room, tells what went wrong */
#include "engine/journal_thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/clock.h"

enum {
	BATCH_ROWS = 1000, BATCH_BYTES = 1 << 20,        /* in one transaction: the file grows by no more before its size is looked at */
	BOUND_STEPS = 16,                                /* of making room after each: more than it took */
	GATHER_US = 100000, RETRY_US = 1000000, MINUTE_US = 60000000
};
#define HOUR_US 3600000000LL
#define DAY_US (24 * HOUR_US)

/* ---- the writer: what it has taken */

static const struct journal_row *row_at(const struct chunk *c, size_t at)
{
	return (const struct journal_row *)(const void *)(c->data + at);
}

/* n rows of bytes are done with: committed, or given up. */
static void done_with(struct journal *j, size_t n, size_t bytes)
{
	struct chunk *unused = NULL;

	for (size_t i = 0; i < n; i++) {
		j->at += row_at(j->taken, j->at)->size;
		if (j->at == j->taken->used) {
			struct chunk *c = j->taken;

			j->taken = c->next;
			j->at = 0;
			free(unused);
			unused = c;
		}
	}
	pthread_mutex_lock(&j->lock);
	j->rows -= n;
	j->bytes -= bytes;
	if (unused != NULL && unused->size == CHUNK_BYTES && j->spare == NULL) {
		j->spare = unused;
		unused = NULL;
	}
	pthread_mutex_unlock(&j->lock);
	free(unused);
}

/* Gathers the next rows for one transaction. */
static size_t next_batch(const struct journal *j, const struct journal_row *rows[BATCH_ROWS], size_t *bytes_r)
{
	const struct chunk *c = j->taken;
	size_t at = j->at, n = 0, bytes = 0;

	while (c != NULL && n < BATCH_ROWS && bytes < BATCH_BYTES) {
		rows[n] = row_at(c, at);
		bytes += rows[n]->size;
		at += rows[n++]->size;
		if (at == c->used) {
			c = c->next;
			at = 0;
		}
	}
	*bytes_r = bytes;
	return n;
}

bool journal_hurry(void *argument)
{
	struct journal *j = argument;
	bool stop;

	pthread_mutex_lock(&j->lock);
	stop = j->stop;
	pthread_mutex_unlock(&j->lock);
	return stop;
}

static void log_failure(struct journal *j, const char *why)
{
	int64_t now = clock_mono();
	uint64_t dropped = atomic_load(&j->dropped);

	j->failing = true;
	if (now < j->next_report)
		return;
	j->next_report = now + MINUTE_US;
	log_printf(j->log, LOG_LEVEL_ERROR, "journal: cannot be written: %s; records wait, %llu were dropped since the last such line", why,
		(unsigned long long)(dropped - j->reported));
	j->reported = dropped;
}

/* Opens the file again after it was damaged, moved or could not be written. 0 or -errno, which is logged. */
static int open_again(struct journal *j)
{
	char *error = NULL;
	int result = journal_db_open(j->db_path, j->log, &j->db, &error);

	if (result == 0)
		journal_db_set_hurry(j->db, journal_hurry, j);
	else
		log_failure(j, error != NULL ? error : strerror(-result));
	talloc_free(error);
	return result;
}

/* What an error of the file asks for. */
static int failed(struct journal *j, int result)
{
	if (result != JOURNAL_DAMAGED)
		log_failure(j, journal_db_error(j->db));
	if (result == -EBUSY)
		return result;
	journal_db_close(j->db);
	j->db = NULL;
	if (result == JOURNAL_DAMAGED)
		journal_db_set_aside(j->db_path, j->log);
	return result;
}

static int write_batch(struct journal *j)
{
	const struct journal_row *rows[BATCH_ROWS];
	size_t bytes, n = next_batch(j, rows, &bytes);
	int result;

	if (j->db_path == NULL) {
		done_with(j, n, bytes);
		return 0;
	}
	if (j->db == NULL && (result = open_again(j)) != 0)
		return result;
	result = journal_db_write(j->db, rows, n);
	if (result == -EBADMSG) {
		log_failure(j, journal_db_error(j->db));
		atomic_fetch_add(&j->dropped, n);
	} else if (result != 0) {
		return failed(j, result);
	}
	done_with(j, n, bytes);
	return 0;
}

/* Writes all that was taken; makes room as it goes. */
static int write_taken(struct journal *j, int64_t size_max)
{
	int result = 0;

	while (result == 0 && j->taken != NULL) {
		result = write_batch(j);
		for (int i = 0, more = 1; i < BOUND_STEPS && more == 1 && result == 0 && j->db != NULL; i++)
			more = journal_db_bound(j->db, size_max);
	}
	if (result == 0 && j->failing) {
		uint64_t dropped = atomic_load(&j->dropped);

		log_printf(j->log, LOG_LEVEL_WARNING, "journal: is written again; %llu records were dropped", (unsigned long long)(dropped - j->reported));
		j->failing = false;
		j->reported = dropped;
	} else if (atomic_load(&j->dropped) != j->reported && clock_mono() >= j->next_report) {
		uint64_t dropped = atomic_load(&j->dropped);

		log_printf(j->log, LOG_LEVEL_WARNING, "journal: %llu records were dropped, because they came faster than they could be written", (unsigned long long)(dropped - j->reported));
		j->next_report = clock_mono() + MINUTE_US;
		j->reported = dropped;
	}
	return result;
}

/* ---- the writer: what has to go */

/* A leap of the clock would make everything look old: after one ahead, age is not believed for an hour. A clock that is behind does no harm. */
static void see_clock(struct journal *j, int64_t expected, int64_t tolerance)
{
	int64_t wall = j->now(), mono = clock_mono();

	if (wall - expected > tolerance) {
		j->quiet_until = mono + HOUR_US;
		log_printf(j->log, LOG_LEVEL_INFO, "journal: the clock is %lld minutes ahead of what was expected: nothing is dropped for its age in the next hour",
			(long long)((wall - expected) / MINUTE_US));
	}
	j->wall = wall;
	j->mono = mono;
}

void journal_first_clock(struct journal *j)
{
	int64_t newest = j->db != NULL ? journal_db_newest(j->db) : 0;

	see_clock(j, newest > 0 ? newest : j->now(), DAY_US);
	j->next_look = 0;
}

static bool age_known(struct journal *j)
{
	see_clock(j, j->wall + clock_mono() - j->mono, HOUR_US);
	return j->mono >= j->quiet_until;
}

/* One step of making room. true: there is more to do. */
static bool make_room(struct journal *j, int64_t keep, int64_t size_max)
{
	bool due = clock_mono() >= j->next_look;
	int result;

	if (j->db == NULL)
		return false;
	if (due && journal_db_lost(j->db)) {
		log_printf(j->log, LOG_LEVEL_ERROR, "journal: its file in %s is gone; it is begun anew", j->db_path);
		journal_db_close(j->db);
		j->db = NULL;
		if (open_again(j) != 0)
			return false;
	}
	result = journal_db_bound(j->db, size_max);
	if (result == 0 && due) {
		if (age_known(j))
			result = journal_db_expire(j->db, j->wall - keep * 1000, j->wall + DAY_US);
		if (result <= 0) {
			j->next_look = clock_mono() + MINUTE_US;
			journal_db_checkpoint(j->db);
		}
	}
	if (result < 0)
		failed(j, result);
	return result > 0;
}

/* ---- the writer */

/* Waits until there is something to do. Lock held. */
static void rest(struct journal *j, int64_t until, bool failing)
{
	struct timespec deadline = { .tv_sec = (time_t)(until / 1000000), .tv_nsec = (long)(until % 1000000 * 1000) };

	if (failing) {
		/* another record changes nothing */
		while (!j->urgent && !j->stop && pthread_cond_timedwait(&j->work, &j->lock, &deadline) == 0)
			;
	} else if (!j->urgent && !j->stop) {
		j->asleep = j->first == NULL;
		while (j->asleep && pthread_cond_timedwait(&j->work, &j->lock, &deadline) == 0)
			;
		j->asleep = false;
		if (j->first != NULL && !j->urgent && !j->stop && j->rows <= HURRY_ROWS) {
			until = clock_mono() + GATHER_US;
			deadline = (struct timespec){ .tv_sec = (time_t)(until / 1000000), .tv_nsec = (long)(until % 1000000 * 1000) };
			j->gathering = true;
			while (j->gathering && pthread_cond_timedwait(&j->work, &j->lock, &deadline) == 0)
				;
			j->gathering = false;
		}
	}
	j->urgent = false;
}

/* Goes over to another file: what is queued goes there; or to none, when what is queued is written. Lock held; it is given up meanwhile. */
static void take_over(struct journal *j)
{
	struct journal_db *old = j->db;

	free(j->db_path);
	j->db = j->next;
	j->db_path = j->next_path;
	j->next = NULL;
	j->next_path = NULL;
	j->replace = false;
	pthread_mutex_unlock(&j->lock);
	journal_db_close(old);
	if (j->db != NULL)
		journal_db_set_hurry(j->db, journal_hurry, j);
	journal_first_clock(j);
	pthread_mutex_lock(&j->lock);
}

static void take(struct journal *j)
{
	if (j->taken != NULL)
		return;
	j->taken = j->first;
	j->at = 0;
	j->first = j->last = NULL;
}

void *journal_writer(void *argument)
{
	struct journal *j = argument;
	bool abandoned, stop = false;
	int result = 0;

	pthread_mutex_lock(&j->lock);
	while (!stop) {
		int64_t keep = j->keep, size_max = j->size_max;
		uint64_t asked = j->asked;
		bool more = false;

		stop = j->stop;
		if (j->replace && j->next != NULL)
			take_over(j);
		take(j);
		if (j->look)
			j->next_look = 0;
		j->look = false;
		pthread_mutex_unlock(&j->lock);
		result = write_taken(j, size_max);
		if (result == 0 && !stop)
			more = make_room(j, keep, size_max);
		pthread_mutex_lock(&j->lock);
		stop = stop && (result != 0 || j->first == NULL);
		if (result != 0) {
			if (!j->stop && !j->replace)
				rest(j, clock_mono() + RETRY_US, true);
			else if (j->replace)
				take_over(j);
			continue;
		}
		if (!more && j->done != asked) {
			j->done = asked;
			pthread_cond_broadcast(&j->progress);
		}
		if (j->replace)
			take_over(j);
		else if (!more && !stop)
			rest(j, j->db != NULL ? j->next_look : clock_mono() + MINUTE_US, false);
	}
	if (j->rows > 0)
		log_printf(j->log, LOG_LEVEL_ERROR, "journal: %zu records could not be written before the end", j->rows);
	j->ended = true;
	abandoned = j->abandoned;
	pthread_cond_broadcast(&j->progress);
	pthread_mutex_unlock(&j->lock);
	if (abandoned)
		journal_free(j);
	return NULL;
}
