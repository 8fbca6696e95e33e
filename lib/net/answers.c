/* answers.c - the answers of the network that one session has asked for: a table that fills while chains look into it */
#include "net/answers.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "net/dns_answer.h"
#include "util/clock.h"

struct entry {
	struct entry *next;
	uint16_t type;
	size_t len;
	bool lost;                       /* no memory for the answer */
	struct dns_answer *answer;       /* NULL: it did not come yet, or was lost */
	char name[];
};

struct answers {
	atomic_uint refs;
	const struct asker *asker;
	pthread_mutex_t lock;
	pthread_cond_t came;
	struct entry *entries;
	size_t n, outstanding;
	uint64_t count;                  /* answers that came */
	bool late;                       /* nobody waits any longer: answers_late() */
	int64_t waited, wake;            /* in all, in microseconds; at how much somebody wants to be run again */
};

struct answers *answers_new(const struct asker *asker)
{
	struct answers *a = calloc(1, sizeof(*a));
	pthread_condattr_t attr;

	if (a == NULL)
		return NULL;
	atomic_init(&a->refs, 1);
	a->asker = asker;
	a->wake = INT64_MAX;
	pthread_mutex_init(&a->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&a->came, &attr);
	pthread_condattr_destroy(&attr);
	return a;
}

struct answers *answers_ref(struct answers *answers)
{
	atomic_fetch_add(&answers->refs, 1);
	return answers;
}

void answers_unref(struct answers *answers)
{
	struct entry *next;

	if (answers == NULL || atomic_fetch_sub(&answers->refs, 1) != 1)
		return;
	for (struct entry *e = answers->entries; e != NULL; e = next) {
		next = e->next;
		dns_answer_unref(e->answer);
		free(e);
	}
	pthread_cond_destroy(&answers->came);
	pthread_mutex_destroy(&answers->lock);
	free(answers);
}

/* The name's length without the dot that may stand at its end. */
static size_t name_length(const char *name)
{
	size_t len = strlen(name);

	return len > 1 && name[len - 1] == '.' && name[len - 2] != '\\' ? len - 1 : len;
}

static struct entry *find(struct answers *a, uint16_t type, const char *name)
{
	size_t len = name_length(name);

	for (struct entry *e = a->entries; e != NULL; e = e->next)
		if (e->type == type && e->len == len && strncasecmp(e->name, name, len) == 0)
			return e;
	return NULL;
}

static struct entry *add(struct answers *a, uint16_t type, const char *name)
{
	size_t len = name_length(name);
	struct entry *e;

	if (len > ANSWER_NAME_MAX || a->n >= ANSWERS_MAX)
		return NULL;
	e = calloc(1, sizeof(*e) + len + 1);
	if (e == NULL)
		return NULL;
	memcpy(e->name, name, len);
	e->len = len;
	e->type = type;
	e->next = a->entries;
	a->entries = e;
	a->n++;
	a->outstanding++;
	return e;
}

static enum answer_status read_entry(const struct answers *a, const struct entry *e, const char *const **records_r, size_t *n_r)
{
	if (e->answer == NULL)
		return e->lost ? ANSWER_FAILED : a->late ? ANSWER_LATE : ANSWER_PENDING;
	if (e->answer->status == ANSWER_DATA) {
		*records_r = e->answer->records;
		*n_r = e->answer->n;
	}
	return e->answer->status;
}

enum answer_status answers_get(struct answers *answers, uint16_t type, const char *name, const char *const **records_r, size_t *n_r)
{
	enum answer_status status = ANSWER_FAILED;
	bool ask = false;
	struct entry *e;

	*records_r = NULL;
	*n_r = 0;
	pthread_mutex_lock(&answers->lock);
	e = find(answers, type, name);
	if (e == NULL) {
		e = add(answers, type, name);
		ask = e != NULL;
	}
	if (e != NULL)
		status = read_entry(answers, e, records_r, n_r);
	pthread_mutex_unlock(&answers->lock);
	if (!ask)
		return status;
	/* outside the lock: an asker that knows the answer gives it at once */
	answers->asker->ask(answers->asker->context, answers, type, name);
	pthread_mutex_lock(&answers->lock);
	status = read_entry(answers, e, records_r, n_r);
	pthread_mutex_unlock(&answers->lock);
	return status;
}

bool answers_secure(struct answers *answers, uint16_t type, const char *name)
{
	const struct entry *e;
	bool secure;

	pthread_mutex_lock(&answers->lock);
	e = find(answers, type, name);
	secure = e != NULL && e->answer != NULL && e->answer->secure;
	pthread_mutex_unlock(&answers->lock);
	return secure;
}

const char *answers_canonical(struct answers *answers, uint16_t type, const char *name)
{
	const char *canonical;
	const struct entry *e;

	pthread_mutex_lock(&answers->lock);
	e = find(answers, type, name);
	canonical = e != NULL && e->answer != NULL ? e->answer->canonical : NULL;
	pthread_mutex_unlock(&answers->lock);
	return canonical;
}

size_t answers_count(struct answers *answers)
{
	size_t n;

	pthread_mutex_lock(&answers->lock);
	n = answers->n;
	pthread_mutex_unlock(&answers->lock);
	return n;
}

/* answer NULL: there was no memory for it. */
static void take(struct answers *answers, uint16_t type, const char *name, struct dns_answer *answer)
{
	struct entry *e;

	pthread_mutex_lock(&answers->lock);
	e = find(answers, type, name);
	if (e != NULL && e->answer == NULL && !e->lost) {
		e->answer = answer != NULL ? dns_answer_ref(answer) : NULL;
		e->lost = answer == NULL;
		answers->outstanding--;
		answers->count++;
		pthread_cond_broadcast(&answers->came);
	}
	pthread_mutex_unlock(&answers->lock);
}

void answers_share(struct answers *answers, uint16_t type, const char *name, struct dns_answer *answer)
{
	if (answer->status != ANSWER_PENDING)
		take(answers, type, name, answer);
}

void answers_give(struct answers *answers, uint16_t type, const char *name, enum answer_status status, const char *const *records, size_t n)
{
	struct dns_answer *answer;

	if (status == ANSWER_PENDING)
		return;
	answer = dns_answer_new(status, NULL, records, n);
	take(answers, type, name, answer);
	dns_answer_unref(answer);
}

int64_t answers_waited(struct answers *answers)
{
	int64_t waited;

	pthread_mutex_lock(&answers->lock);
	waited = answers->waited;
	pthread_mutex_unlock(&answers->lock);
	return waited;
}

void answers_wake(struct answers *answers, int64_t waited)
{
	pthread_mutex_lock(&answers->lock);
	if (waited < answers->wake)
		answers->wake = waited;
	pthread_mutex_unlock(&answers->lock);
}

/* Until something came since the count seen, or that time (clock_mono). */
static void wait_until(struct answers *a, uint64_t seen, int64_t deadline)
{
	struct timespec until = { .tv_sec = deadline / 1000000, .tv_nsec = deadline % 1000000 * 1000 };
	int error = 0;

	while (a->count == seen && a->outstanding > 0 && error != ETIMEDOUT)
		error = pthread_cond_timedwait(&a->came, &a->lock, &until);
}

bool answers_wait(struct answers *answers, uint64_t *seen, int64_t deadline)
{
	int64_t before = clock_mono(), left;
	bool came;

	pthread_mutex_lock(&answers->lock);
	left = answers->wake - answers->waited;
	wait_until(answers, *seen, left < deadline - before ? before + left : deadline);
	answers->waited += clock_mono() - before;
	came = answers->count != *seen;
	*seen = answers->count;
	if (answers->waited >= answers->wake) {
		answers->wake = INT64_MAX;
		came = true;
	}
	pthread_mutex_unlock(&answers->lock);
	return came;
}

void answers_late(struct answers *answers, bool late)
{
	pthread_mutex_lock(&answers->lock);
	answers->late = late;
	pthread_mutex_unlock(&answers->lock);
}
