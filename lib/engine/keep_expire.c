/* keep_expire.c - the thread that takes old copies out of the quarantine: at start, each hour, after a reload, and when there are too many */
#include "engine/keep_expire.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "engine/keep.h"
#include "engine/services.h"
#include "util/clock.h"

#define SECOND_US 1000000LL
#define HOUR_US (3600 * SECOND_US)
#define DAY_US (24 * HOUR_US)

enum {
	NICE = 10,                               /* mail goes first */
	RETRY_BYTES = 64 << 20                   /* that come before it tries again, if it failed */
};

struct keeper {
	struct winnow_engine *engine;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool wake;                               /* under the lock */
	atomic_bool stop;
	atomic_llong room;                       /* bytes that may still come before there is too much */
	/* of the thread alone */
	char *mended;                            /* path of the quarantine that was looked over */
	int64_t mend_at, no_age_until;           /* on the monotonic clock */
	int64_t wall, mono;                      /* both clocks at the last look */
};

static bool stopping(void *arg)
{
	struct keeper *k = arg;

	return atomic_load(&k->stop);
}

static void complain(struct keeper *k, char *error, int result)
{
	winnow_log(k->engine, WINNOW_LOG_WARNING, "%s", error != NULL ? error : strerror(-result));
	talloc_free(error);
}

/* A leap of the clock ahead would make every copy look old: after one, age is not believed for an hour. */
static void see_clock(struct keeper *k, int64_t expected, int64_t tolerance, const char *expectation)
{
	int64_t wall = clock_wall(), mono = clock_mono();

	if (wall - expected > tolerance) {
		k->no_age_until = mono + HOUR_US;
		winnow_log(k->engine, WINNOW_LOG_INFO, "quarantine: the clock is %lld minutes ahead of %s: no copy is removed for its age in the next hour, in case the clock is wrong",
			(long long)((wall - expected) / (60 * SECOND_US)), expectation);
	}
	k->wall = wall;
	k->mono = mono;
}

/* Once for each folder, and once a day: is the index whole, has each file its row? */
static void mend(struct keeper *k, struct quarantine *q, const char *path, const struct quarantine_limits *limits)
{
	bool another = k->mended == NULL || strcmp(k->mended, path) != 0;
	uint64_t copies, bytes;
	int64_t newest;
	char *error;
	int r;

	if (!another && clock_mono() < k->mend_at)
		return;
	free(k->mended);
	k->mended = strdup(path);
	k->mend_at = clock_mono() + DAY_US;
	r = quarantine_mend(q, limits, &error);
	if (r != 0)
		complain(k, error, r);
	if (another && quarantine_sums(q, &copies, &bytes, &newest, &error) == 0)
		see_clock(k, newest > 0 ? newest : clock_wall(), DAY_US, "the newest copy");
	else
		talloc_free(error);
}

static void look(struct keeper *k)
{
	struct config *config = engine_config(k->engine);
	const struct policy *p = config_default_policy(config);
	int64_t keep = setting_ms(p, &quarantine_settings[QUARANTINE_KEEP]) * 1000;
	double size_max = setting_size(p, &quarantine_settings[QUARANTINE_SIZE_MAX]);
	char *error;
	struct kept_quarantine *held = keep_hold_good(k->engine, &error);
	struct quarantine_limits limits = { .before = INT64_MIN, .size_max = (uint64_t)size_max, .stop = stopping, .arg = k };
	struct quarantine_expired done;
	int r;

	config_unref(config);
	talloc_free(error);              /* who wants to keep a copy says it */
	if (held == NULL)
		return;
	see_clock(k, k->wall + clock_mono() - k->mono, HOUR_US, "what it was, and the time that passed since");
	mend(k, keep_held(held), keep_held_path(held), &limits);
	if (keep > 0 && clock_mono() >= k->no_age_until)
		limits.before = clock_wall() - keep;
	r = quarantine_expire(keep_held(held), &limits, &done, &error);
	if (done.deleted > 0)
		winnow_log(k->engine, WINNOW_LOG_INFO, "quarantine: %" PRIu64 " old copies (%" PRIu64 " bytes) were removed", done.deleted, done.deleted_bytes);
	if (r != 0) {
		complain(k, error, r);
		atomic_store(&k->room, RETRY_BYTES);
	} else if (!atomic_load(&k->stop)) {
		atomic_store(&k->room, (long long)limits.size_max - (long long)done.bytes);
	}
	keep_let_go(held);
}

/* Waits until it is time, or until somebody wakes it. false: the end. */
static bool rest(struct keeper *k, int64_t microseconds)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += microseconds / SECOND_US;
	pthread_mutex_lock(&k->lock);
	while (!k->wake && !atomic_load(&k->stop) && pthread_cond_timedwait(&k->changed, &k->lock, &until) == 0)
		;
	k->wake = false;
	pthread_mutex_unlock(&k->lock);
	return !atomic_load(&k->stop);
}

static void *run(void *arg)
{
	const struct timespec pause = { .tv_nsec = 200000000 };
	struct keeper *k = arg;

	/* of this thread alone, on Linux */
	(void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
	do {
		look(k);
		nanosleep(&pause, NULL);         /* however often it is woken */
	} while (rest(k, HOUR_US));
	return NULL;
}

struct keeper *keeper_start(struct winnow_engine *engine)
{
	struct keeper *k = calloc(1, sizeof(*k));
	pthread_condattr_t attributes;
	int r = ENOMEM;

	if (k != NULL) {
		k->engine = engine;
		k->wall = clock_wall();
		k->mono = clock_mono();
		atomic_init(&k->room, INT64_MAX);
		pthread_mutex_init(&k->lock, NULL);
		pthread_condattr_init(&attributes);
		pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
		pthread_cond_init(&k->changed, &attributes);
		pthread_condattr_destroy(&attributes);
		r = pthread_create(&k->thread, NULL, run, k);
	}
	if (r == 0)
		return k;
	winnow_log(engine, WINNOW_LOG_ERROR, "quarantine: old copies are not removed: %s", strerror(r));
	if (k != NULL) {
		pthread_cond_destroy(&k->changed);
		pthread_mutex_destroy(&k->lock);
		free(k);
	}
	return NULL;
}

void keeper_wake(struct keeper *k)
{
	if (k == NULL)
		return;
	pthread_mutex_lock(&k->lock);
	k->wake = true;
	pthread_cond_signal(&k->changed);
	pthread_mutex_unlock(&k->lock);
}

void keeper_kept(struct keeper *k, uint64_t bytes)
{
	if (k != NULL && atomic_fetch_sub(&k->room, (long long)bytes) < (long long)bytes)
		keeper_wake(k);
}

void keeper_stop(struct keeper *k)
{
	if (k == NULL)
		return;
	atomic_store(&k->stop, true);
	keeper_wake(k);
	pthread_join(k->thread, NULL);
	pthread_cond_destroy(&k->changed);
	pthread_mutex_destroy(&k->lock);
	free(k->mended);
	free(k);
}
