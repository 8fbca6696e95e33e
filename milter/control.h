/* control.h - the control socket: what winnowctl asks of a running daemon */
#ifndef WINNOW_MILTER_CONTROL_H
#define WINNOW_MILTER_CONTROL_H

#include "winnow.h"

/* Listens at `control`, while still root: group control_group may use it, and the user that winnow-milter becomes owns it. 0, or -1 with a line on stderr. */
int control_open(struct winnow_engine *engine, unsigned uid);

/* Starts the thread that answers. */
int control_start(struct winnow_engine *engine);

/* Ends it: the socket goes, clients that have not asked yet are sent away, questions that run are waited for, five seconds at most. From any thread; later calls do nothing.
 * true: no question runs any more. */
bool control_stop(void);

#endif
