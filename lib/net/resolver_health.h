/* resolver_health.h - is a server there? What one of them did lately, and the breaker that spares us asking one that is gone; pure, times are handed in */
#ifndef WINNOW_NET_RESOLVER_HEALTH_H
#define WINNOW_NET_RESOLVER_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

/* A name that never answers says nothing of the server: so when one has waited for long while nothing else came, the server is asked something that it surely knows (a probe).
 * Only probes open the breaker, when nothing at all answers them; an open one is probed once a second, and the first answer closes it. Times: microseconds of clock_mono(). */
enum { HEALTH_PROBE_US = 1000000, HEALTH_MISSES = 2 };

struct health {
	int64_t waits_since;             /* when the oldest question since the last answer went out; 0: none waits */
	int64_t probed;                  /* when the probe that is out went out; 0: none is */
	int64_t next_probe;
	unsigned misses;                 /* probes in a row that nothing answered */
	bool open;                       /* the breaker: nothing is asked but probes */
	int64_t opened;                  /* since when */
};

void health_sent(struct health *h, int64_t now);

/* Anything came, whatever it says. true: the breaker was open, and is closed now. */
bool health_answered(struct health *h);

/* Nobody listens there (an ICMP message said so). probe: it was a probe. true: the breaker opens now. What was no probe may be one TCP port alone: the next probe is due. */
bool health_nobody(struct health *h, bool probe, int64_t now);

/* Has it been silent for so long (after microseconds) that another server is better? */
bool health_suspect(const struct health *h, int64_t after, int64_t now);

/* Counts a probe that nothing has answered within a second. true: the breaker opens now. */
bool health_look(struct health *h, int64_t now);

/* Is a probe to be sent now? Then it is counted as sent. */
bool health_probe(struct health *h, int64_t after, int64_t now);

/* When to call health_look() and health_probe() next; INT64_MAX: when something was sent. */
int64_t health_next(const struct health *h, int64_t after);

#endif
