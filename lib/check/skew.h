/* skew.h - how the last messages' dates differed from our clock: most of them alike means that the clock is wrong, not they */
#ifndef WINNOW_CHECK_SKEW_H
#define WINNOW_CHECK_SKEW_H

#include <stdbool.h>

#include <talloc.h>

enum {
	SKEW_SEEN_MIN = 20,              /* with fewer messages nothing is believed */
	SKEW_SEEN_MAX = 100              /* remembered: the last so many */
};

struct skew_watch;

/* Empty; a talloc child of parent (one thread's own, or NULL). Owner: the engine. NULL: out of memory. */
struct skew_watch *skew_watch_new(TALLOC_CTX *parent);

/* Adds a message: -1 dated too far in the past, 1 in the future, 0 neither. Several threads at once.
 * True: at least SKEW_SEEN_MIN messages are remembered, this one included, and more than half of them are skewed to one side:
 * *alike_r of *seen_r. watch NULL: false. */
bool skew_watch_add(struct skew_watch *watch, int side, unsigned *alike_r, unsigned *seen_r);

#endif
