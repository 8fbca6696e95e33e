/* ctl.h - what a command of winnowctl is: it runs in winnowctl itself, or in the daemon that winnowctl asks to run it */
#ifndef WINNOW_CTL_H
#define WINNOW_CTL_H

#include <stdbool.h>
#include <stdio.h>

#include "winnow.h"

struct ctl {
	const char *config;              /* -c */
	bool json;
	bool rough;                      /* the configuration has errors: the engine knows where things are, and no more */
	struct winnow_engine *engine;    /* the daemon's, or one that has only read its configuration; NULL where the command needs none */
	bool in_daemon;
	FILE *out, *err;                 /* where it writes: never to stdout and stderr directly */
	const char *input;               /* what stands in for standard input and for a file named on the command line; NULL: nothing was read */
	size_t input_len;
};

enum where {
	RUN_HERE,                        /* in winnowctl, without configuration */
	RUN_WITH_CONFIG,                 /* in winnowctl, with the configuration read: it reads files beside a running daemon */
	RUN_IN_DAEMON,                   /* in the daemon; an error if none answers */
	RUN_BEST_IN_DAEMON               /* in the daemon if one answers, else here with the configuration */
};

struct command {
	const char *name;
	/* argv[0]: the command's name; ends with NULL. May run in several threads of the daemon at once: no getopt. The exit status. */
	int (*run)(struct ctl *ctl, int argc, char **argv);
	enum where where;
	const char *arguments, *help;
	bool reads_input;                /* its last argument is a file or "-": winnowctl reads it, and hands its bytes over in ctl->input */
};

/* All commands; NULL ends the list. */
extern const struct command *const ctl_commands[];
const struct command *ctl_find(const char *name);

/* Reads the value of a flag as a time, in microseconds since 1970: "2026-11-25", "2026-11-25T10:00" with or without a zone (none: of who asks), "2h": so long ago. 0, or EX_USAGE with a complaint. */
int ctl_time(struct ctl *ctl, const char *flag, const char *text, int64_t *time_r);

/* Complains on ctl->err how the command is used, and returns EX_USAGE. */
int ctl_usage(struct ctl *ctl, const struct command *command);

#endif
