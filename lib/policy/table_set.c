/* table_set.c - all tables that are open, shared by their text, and the thread that looks at their files */
#include "policy/table_private.h"

#include <signal.h>
#include <string.h>
#include <time.h>

#include "util/clock.h"

enum { BUCKETS = 1024, TICK_US = 500000 };

struct table_set {
	pthread_mutex_t lock;            /* guards all below and the references of the tables; never held while a file is read */
	pthread_cond_t wake;             /* the thread waits here */
	struct log *log;
	bool still, running, stop;
	pthread_t thread;
	unsigned refs;                   /* the owner's, and one for each table */
	unsigned files;
	struct table *buckets[BUCKETS];
};

static struct table_set *new_set(struct log *log, bool still)
{
	struct table_set *set = talloc_named_const(NULL, sizeof(*set), "struct table_set");
	pthread_condattr_t attr;

	if (set == NULL)
		return NULL;
	memset(set, 0, sizeof(*set));
	set->log = log;
	set->still = still;
	set->refs = 1;
	pthread_mutex_init(&set->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&set->wake, &attr);
	pthread_condattr_destroy(&attr);
	return set;
}

struct table_set *table_set_new(struct log *log)
{
	return new_set(log, false);
}

struct table_set *table_set_new_still(struct log *log)
{
	return new_set(log, true);
}

/* Gives the lock up; the last one out frees. */
static void unlock_and_drop(struct table_set *set)
{
	bool last = --set->refs == 0;

	pthread_mutex_unlock(&set->lock);
	if (!last)
		return;
	pthread_cond_destroy(&set->wake);
	pthread_mutex_destroy(&set->lock);
	talloc_free(set);
}

void table_set_free(struct table_set *set)
{
	bool running;

	if (set == NULL)
		return;
	pthread_mutex_lock(&set->lock);
	set->stop = true;
	running = set->running;
	pthread_cond_signal(&set->wake);
	pthread_mutex_unlock(&set->lock);
	if (running)
		pthread_join(set->thread, NULL);
	pthread_mutex_lock(&set->lock);
	set->log = NULL;
	unlock_and_drop(set);
}

void table_set_log(struct table_set *set, enum log_level level, const char *line)
{
	pthread_mutex_lock(&set->lock);      /* holds the log: the set's owner closes it after table_set_free() */
	if (!set->stop)
		log_line(set->log, level, line);
	pthread_mutex_unlock(&set->lock);
}

/* --- the tables --- */

static struct table **bucket_of(struct table_set *set, const char *spec)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *spec != '\0'; spec++)
		h = (h ^ (unsigned char)*spec) * UINT64_C(0x100000001b3);
	return &set->buckets[(h ^ h >> 32) % BUCKETS];
}

/* Lock held. */
static struct table *find(struct table_set *set, const char *spec, const char *directory)
{
	struct table *table = *bucket_of(set, spec);

	while (table != NULL && (strcmp(table->spec, spec) != 0 || strcmp(table->directory, directory) != 0))
		table = table->next;
	if (table != NULL)
		table->refs++;
	return table;
}

struct table *table_set_find(struct table_set *set, const char *spec, const char *directory)
{
	struct table *table;

	pthread_mutex_lock(&set->lock);
	table = find(set, spec, directory);
	pthread_mutex_unlock(&set->lock);
	return table;
}

static bool is_file(const struct table *table)
{
	return table->kind != NULL && table->kind->is_file;
}

/* A reference to each table of files, for one look without the lock. */
static struct table **take_files(struct table_set *set, unsigned *n_r)
{
	struct table **files;
	unsigned n = 0;

	pthread_mutex_lock(&set->lock);
	files = talloc_named_const(NULL, sizeof(*files) * set->files, "files to look at");
	for (unsigned i = 0; i < BUCKETS && files != NULL; i++) {
		for (struct table *table = set->buckets[i]; table != NULL; table = table->next) {
			if (is_file(table)) {
				table->refs++;
				files[n++] = table;
			}
		}
	}
	pthread_mutex_unlock(&set->lock);
	*n_r = n;
	return files;
}

void table_set_look(struct table_set *set, int64_t now)
{
	unsigned n;
	struct table **files = take_files(set, &n);

	for (unsigned i = 0; i < n; i++) {
		table_watch_look(files[i], set->log, now);
		table_close(files[i]);
	}
	talloc_free(files);
}

static void *watch(void *arg)
{
	struct table_set *set = arg;

	pthread_mutex_lock(&set->lock);
	while (!set->stop) {
		int64_t next = clock_mono() + TICK_US;
		struct timespec deadline = { .tv_sec = (time_t)(next / 1000000), .tv_nsec = (long)(next % 1000000 * 1000) };

		while (!set->stop && pthread_cond_timedwait(&set->wake, &set->lock, &deadline) == 0)
			;
		if (set->stop)
			break;
		pthread_mutex_unlock(&set->lock);
		table_set_look(set, clock_mono());
		pthread_mutex_lock(&set->lock);
	}
	pthread_mutex_unlock(&set->lock);
	return NULL;
}

/* Lock held. Signals stay with the program's own threads. */
static void start_thread(struct table_set *set)
{
	sigset_t all, old;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = pthread_create(&set->thread, NULL, watch, set);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	set->running = ret == 0;
	if (ret != 0)
		log_printf(set->log, LOG_LEVEL_ERROR, "tables: the thread that watches files does not start: %s; changed files are read at the next start", strerror(ret));
}

struct table *table_set_add(struct table_set *set, struct table *table)
{
	struct table *other, **bucket = bucket_of(set, table->spec);

	pthread_mutex_lock(&set->lock);
	other = find(set, table->spec, table->directory);
	if (other == NULL) {
		table->next = *bucket;
		*bucket = table;
		set->refs++;
		if (is_file(table)) {
			set->files++;
			if (!set->still && !set->running && !set->stop)
				start_thread(set);
		}
	}
	pthread_mutex_unlock(&set->lock);
	return other != NULL ? other : table;
}

bool table_set_drop(struct table_set *set, struct table *table)
{
	struct table **p = bucket_of(set, table->spec);

	pthread_mutex_lock(&set->lock);
	if (--table->refs > 0) {
		pthread_mutex_unlock(&set->lock);
		return false;
	}
	while (*p != table)
		p = &(*p)->next;
	*p = table->next;
	if (is_file(table))
		set->files--;
	unlock_and_drop(set);
	return true;
}
