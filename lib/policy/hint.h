/* hint.h - the known name that an unknown one probably meant. Internal to policy/ */
#ifndef WINNOW_POLICY_HINT_H
#define WINNOW_POLICY_HINT_H

/* Start with { .wanted = NAME }, offer all candidates, read best: the nearest one within one edit for each three letters, or NULL. */
struct hint {
	const char *wanted;
	const char *best;                /* one of the strings that were offered */
	unsigned distance;
};

void hint_offer(struct hint *hint, const char *candidate);

#endif
