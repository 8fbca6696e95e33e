/* client.h - asks the daemon to run a command */
#ifndef WINNOW_CTL_CLIENT_H
#define WINNOW_CTL_CLIENT_H

#include "ctl.h"

/* Asks the daemon at socket (NULL: `control` of the configuration) to run argv, and copies what it wrote to stdout and stderr. The command's exit status; -1: nobody answers there
 * (if complain: with a line on stderr that says what to do). */
int client_ask(struct ctl *ctl, const char *socket, int argc, char **argv, bool complain);

#endif
