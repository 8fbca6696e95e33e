/* places.c - who is served on the control socket now: a few places, and none that a hanging client keeps */
#include "places.h"

#include <pthread.h>
#include <stddef.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "wire.h"

enum { EVICTION_MS = 1000 };             /* more than enough for a thread to see that its client is gone */

static struct {
	pthread_mutex_t lock;
	struct place place[WIRE_CLIENTS_MAX];
} places = { .lock = PTHREAD_MUTEX_INITIALIZER };

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (long long)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void pause_ms(long ms)
{
	struct timespec ts = { .tv_nsec = ms * 1000000 };

	nanosleep(&ts, NULL);
}

/* Lock held. */
static struct place *free_place(void)
{
	for (size_t i = 0; i < WIRE_CLIENTS_MAX; i++)
		if (!places.place[i].used)
			return &places.place[i];
	return NULL;
}

/* Lock held. A client that asks properly sends its question at once: the one that has been silent longest is the one to go. */
static bool evict(void)
{
	struct place *victim = NULL;

	for (size_t i = 0; i < WIRE_CLIENTS_MAX; i++) {
		struct place *p = &places.place[i];

		if (p->used && !p->busy && (victim == NULL || p->touched < victim->touched))
			victim = p;
	}
	if (victim != NULL)
		shutdown(victim->fd, SHUT_RDWR);
	return victim != NULL;
}

struct place *place_take(int fd)
{
	struct place *p = NULL;
	long long deadline = now_ms() + EVICTION_MS;

	pthread_mutex_lock(&places.lock);
	while ((p = free_place()) == NULL && evict() && now_ms() < deadline) {
		pthread_mutex_unlock(&places.lock);
		pause_ms(1);
		pthread_mutex_lock(&places.lock);
	}
	if (p != NULL)
		*p = (struct place){ .fd = fd, .used = true, .touched = now_ms() };
	pthread_mutex_unlock(&places.lock);
	return p;
}

void place_touch(struct place *place)
{
	pthread_mutex_lock(&places.lock);
	place->touched = now_ms();
	pthread_mutex_unlock(&places.lock);
}

void place_busy(struct place *place, bool busy)
{
	pthread_mutex_lock(&places.lock);
	place->busy = busy;
	place->touched = now_ms();
	pthread_mutex_unlock(&places.lock);
}

void place_leave(struct place *place)
{
	pthread_mutex_lock(&places.lock);
	close(place->fd);                        /* with the lock: evict() must not meet another file of that number */
	place->used = false;
	pthread_mutex_unlock(&places.lock);
}
