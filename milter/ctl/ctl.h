/* ctl.h - winnowctl: what a command is */
#ifndef WINNOW_CTL_H
#define WINNOW_CTL_H

#include <stdbool.h>

#include "winnow.h"

struct ctl {
	const char *config;              /* -c */
	bool json;
	struct winnow_engine *engine;    /* read configuration, no services; NULL where the command needs none */
};

struct command {
	const char *name;
	int (*run)(struct ctl *ctl, int argc, char **argv);      /* argv[0]: the command's name; the exit status */
	bool needs_config;
	const char *arguments, *help;
};

/* Complains on stderr how the command is used, and returns EX_USAGE. */
int ctl_usage(const struct command *command);

extern const struct command command_check, command_classes, command_defaults, command_quarantine;

#endif
