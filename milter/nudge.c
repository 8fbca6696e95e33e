/* nudge.c - no session waits for a worker that is busy elsewhere */
#include "milter.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

/* libmilter's pool counts a worker as idle until it has woken. Sessions that become ready meanwhile are left to it, all of them; if it then blocks, in a
 * question to the network or in half a packet, they wait for it, although a worker is started for whatever becomes ready next. So where workers are blocked and
 * little else happens, something becomes ready: a connection to ourselves that says nothing. Its worker looks for those left behind when it is done. */

enum { LOOK_MS = 100, LITTLE = 20, SETTLE_MS = 5, SETTLES = 10, BURST_MAX = 32, WORKERS = 2 };      /* LITTLE: packets between two looks; WORKERS: that libmilter keeps */

static atomic_bool stopped;

static void pause_ms(long ms)
{
	struct timespec ts = { .tv_nsec = ms * 1000000 };

	nanosleep(&ts, NULL);
}

static unsigned busy(void)
{
	return callbacks_running() + guard_reading();
}

/* Does so much more go on, soon? A busy machine takes its time to start a thread. */
static bool grows_to(unsigned wanted)
{
	for (int i = 0; i < SETTLES && !atomic_load(&stopped); i++) {
		pause_ms(SETTLE_MS);
		if (busy() >= wanted)
			return true;
	}
	return false;
}

/* As long as all nudges of a burst set other sessions going there are more of them, and the next burst is twice as large: a thousand that were left are found in a quarter of a second. */
static void nudge(void)
{
	unsigned burst = 1;

	while (!atomic_load(&stopped)) {
		unsigned before = busy();

		for (unsigned i = 0; i < burst; i++)
			if (!listener_nudge())
				return;
		if (!grows_to(before + burst))
			return;
		burst = burst * 2 < BURST_MAX ? burst * 2 : BURST_MAX;
	}
}

static void *look(void *unused)
{
	unsigned long packets = guard_packets();

	while (!atomic_load(&stopped)) {
		unsigned long now;

		pause_ms(LOOK_MS);
		now = guard_packets();
		if (busy() >= WORKERS && now - packets < LITTLE)
			nudge();
		packets = now;
	}
	return unused;
}

void nudge_start(void)
{
	pthread_t thread;

	if (guard_pool() && pthread_create(&thread, NULL, look, NULL) == 0)
		pthread_detach(thread);          /* it may hang in a connection, and touches nothing that is freed */
}

void nudge_stop(void)
{
	atomic_store(&stopped, true);
}
