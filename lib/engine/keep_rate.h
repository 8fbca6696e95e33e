/* keep_rate.h - how many copies each client network has had in the last minute (quarantine.rate_max) */
#ifndef WINNOW_ENGINE_KEEP_RATE_H
#define WINNOW_ENGINE_KEEP_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "util/ip.h"

/* A table of fixed size: 4096 networks (/24, /64; all clients without an address are one), those with the fewest copies make room. Any thread may use it. */
struct keep_rate;

/* seed: so that nobody outside knows which networks share a place. NULL: out of memory. */
struct keep_rate *keep_rate_new(uint64_t seed);
void keep_rate_free(struct keep_rate *rate);

/* now: microseconds of the monotonic clock; max: 0: no limit. Any minute, wherever it begins, has at most max copies: what is counted reaches back between 60 and 65 seconds. */

/* Has the network of ip had max copies? */
bool keep_rate_full(struct keep_rate *rate, const struct ip *ip, int64_t now, int64_t max);

/* Counts one copy more; false: the network has had max. */
bool keep_rate_take(struct keep_rate *rate, const struct ip *ip, int64_t now, int64_t max);

/* The copy that was counted did not come about. */
void keep_rate_return(struct keep_rate *rate, const struct ip *ip, int64_t now);

#endif
