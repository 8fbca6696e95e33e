/* skew.c - how the last messages' dates differed from our clock: most of them alike means that the clock is wrong, not they */
#include "check/skew.h"

#include <pthread.h>
#include <stdint.h>

struct skew_watch {
	pthread_mutex_t lock;
	int8_t side[SKEW_SEEN_MAX];      /* a ring */
	unsigned next, seen;
	unsigned past, future;           /* how often -1 and 1 are in the ring */
};

static int destroy(struct skew_watch *watch)
{
	pthread_mutex_destroy(&watch->lock);
	return 0;
}

struct skew_watch *skew_watch_new(TALLOC_CTX *parent)
{
	struct skew_watch *watch = talloc_zero(parent, struct skew_watch);

	if (watch == NULL)
		return NULL;
	pthread_mutex_init(&watch->lock, NULL);
	talloc_set_destructor(watch, destroy);
	return watch;
}

static void count(struct skew_watch *watch, int side, int by)
{
	if (side < 0)
		watch->past += (unsigned)by;
	else if (side > 0)
		watch->future += (unsigned)by;
}

bool skew_watch_add(struct skew_watch *watch, int side, unsigned *alike_r, unsigned *seen_r)
{
	unsigned alike, seen;

	if (watch == NULL)
		return false;
	pthread_mutex_lock(&watch->lock);
	if (watch->seen == SKEW_SEEN_MAX)
		count(watch, watch->side[watch->next], -1);
	else
		watch->seen++;
	watch->side[watch->next] = (int8_t)(side < 0 ? -1 : side > 0);
	watch->next = (watch->next + 1) % SKEW_SEEN_MAX;
	count(watch, side, 1);
	alike = watch->past > watch->future ? watch->past : watch->future;
	seen = watch->seen;
	pthread_mutex_unlock(&watch->lock);
	*alike_r = alike;
	*seen_r = seen;
	return seen >= SKEW_SEEN_MIN && alike * 2 > seen;
}
