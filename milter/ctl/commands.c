/* commands.c - the table of winnowctl's commands; the daemon has it too */
#include "ctl.h"

#include <string.h>
#include <sysexits.h>

/* A new command is a file and two lines here. */
extern const struct command command_check, command_classes, command_classify, command_defaults, command_dmarc, command_explain, command_ping, command_policy,
	command_quarantine, command_reload, command_search, command_sign, command_spf, command_stats;

const struct command *const ctl_commands[] = {
	&command_check, &command_classes, &command_classify, &command_defaults, &command_dmarc, &command_explain, &command_ping, &command_policy,
	&command_quarantine, &command_reload, &command_search, &command_sign, &command_spf, &command_stats,
	NULL,
};

const struct command *ctl_find(const char *name)
{
	for (size_t i = 0; ctl_commands[i] != NULL; i++)
		if (strcmp(ctl_commands[i]->name, name) == 0)
			return ctl_commands[i];
	return NULL;
}

int ctl_usage(struct ctl *ctl, const struct command *command)
{
	fprintf(ctl->err, "usage: winnowctl %s %s\n", command->name, command->arguments);
	return EX_USAGE;
}
