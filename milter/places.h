/* places.h - who is served on the control socket now: a few places, and none that a hanging client keeps */
#ifndef WINNOW_MILTER_PLACES_H
#define WINNOW_MILTER_PLACES_H

#include <stdbool.h>

struct place {
	int fd;                          /* the client's */
	bool used, busy;                 /* busy: its command runs, the client is not waited for */
	long long touched;               /* milliseconds: when the client last gave or took a byte */
};

/* A place for the client at fd. If none is free the client that has been waited for longest loses its own. NULL: commands run in all of them; fd stays the
 * caller's. */
struct place *place_take(int fd);

/* The client gave or took something. */
void place_touch(struct place *place);

/* Its command runs from now on: the place is safe; and runs no more. */
void place_busy(struct place *place, bool busy);

/* Closes fd and frees the place. */
void place_leave(struct place *place);

#endif
