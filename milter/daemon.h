/* daemon.h - what a process does around its work: background, identity, pid file */
#ifndef WINNOW_MILTER_DAEMON_H
#define WINNOW_MILTER_DAEMON_H

#include <stdbool.h>

#include "winnow.h"

/* Before any thread is made. malloc keeps an arena of its own for up to eight threads a processor, and each fills with what reloads and messages leave in it:
 * one for each processor gives the same speed with half the memory. */
void daemon_bound_memory(void);

/* Goes to the background, before any thread is made; the process that was started waits for daemon_ready() (and then exits 0) or for the end of this one (and exits with its status).
 * Errors until then still reach its terminal. */
void daemon_begin(void);
void daemon_ready(void);

/* Who we run as after start as root. */
struct identity {
	bool change;
	unsigned uid, gid;
	char name[64];
};

/* Reads `user` and `group`. 0, or -1 with a line on stderr. */
int identity_find(struct winnow_engine *engine, struct identity *identity_r);

/* Becomes that user for good, supplementary groups included. 0, or -1 with a line on stderr. */
int identity_take(const struct identity *identity);

/* Writes `pid_file` (nothing if it is empty); removes it again if it is still ours. 0, or -1 with a line on stderr. */
int pid_file_write(struct winnow_engine *engine);
void pid_file_remove(void);

#endif
