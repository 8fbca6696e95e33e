/* classes.c - winnowctl classes: the catalogue, with the action in force; winnowctl defaults: the file of defaults */
#include "ctl.h"

#include <stdio.h>
#include <sysexits.h>

extern const struct command command_classes, command_defaults;

static int run_classes(struct ctl *ctl, int argc, char **argv)
{
	char *text;

	(void)argv;
	if (argc > 1)
		return ctl_usage(ctl, &command_classes);
	text = winnow_classes(ctl->engine, ctl->json);
	if (text == NULL)
		return EX_OSERR;
	fprintf(ctl->out, "%s%s", text, ctl->json ? "\n" : "");
	winnow_free(text);
	return EX_OK;
}

static int run_defaults(struct ctl *ctl, int argc, char **argv)
{
	char *text;

	(void)argv;
	if (argc > 1)
		return ctl_usage(ctl, &command_defaults);
	text = winnow_defaults();
	if (text == NULL)
		return EX_OSERR;
	fputs(text, ctl->out);
	winnow_free(text);
	return EX_OK;
}

const struct command command_classes = { "classes", run_classes, RUN_BEST_IN_DAEMON, "[--json]", "the catalogue of reasons as TSV, with the action in force in the default policy", false };
const struct command command_defaults = { "defaults", run_defaults, RUN_HERE, "", "a configuration with every option as a commented default", false };
