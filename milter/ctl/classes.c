/* classes.c - winnowctl classes: the catalogue, with the action in force; winnowctl defaults: the file of defaults */
#include "ctl.h"

#include <stdio.h>
#include <sysexits.h>

static int run_classes(struct ctl *ctl, int argc, char **argv)
{
	char *text;

	(void)argv;
	if (argc > 1)
		return ctl_usage(&command_classes);
	text = winnow_classes(ctl->engine, ctl->json);
	if (text == NULL)
		return EX_OSERR;
	printf("%s%s", text, ctl->json ? "\n" : "");
	winnow_free(text);
	return EX_OK;
}

static int run_defaults(struct ctl *ctl, int argc, char **argv)
{
	char *text;

	(void)ctl;
	(void)argv;
	if (argc > 1)
		return ctl_usage(&command_defaults);
	text = winnow_defaults();
	if (text == NULL)
		return EX_OSERR;
	fputs(text, stdout);
	winnow_free(text);
	return EX_OK;
}

const struct command command_classes = { "classes", run_classes, true, "[--json]", "the catalogue of reasons as TSV, with the action in force in the default policy" };
const struct command command_defaults = { "defaults", run_defaults, false, "", "a configuration with every option as a commented default" };
