/* check.c - winnowctl check: is the configuration good? */
#include "ctl.h"

#include <stdio.h>
#include <sysexits.h>

extern const struct command command_check;

static int run_check(struct ctl *ctl, int argc, char **argv)
{
	struct winnow_options options = { .config_path = ctl->config };
	char *errors = NULL, *notes = NULL;
	struct winnow_engine *engine;

	(void)argv;
	if (argc > 1)
		return ctl_usage(ctl, &command_check);
	engine = winnow_engine_new(&options, &errors, &notes);
	if (notes != NULL)
		fprintf(ctl->err, "%s", notes);
	if (engine == NULL)
		fprintf(ctl->err, "%s", errors != NULL ? errors : "winnowctl: out of memory\n");
	else
		fprintf(ctl->out, "%s: good\n", ctl->config != NULL ? ctl->config : "built-in configuration");
	winnow_free(errors);
	winnow_free(notes);
	winnow_engine_free(engine);
	return engine != NULL ? EX_OK : 1;
}

const struct command command_check = { "check", run_check, RUN_HERE, "", "reads the configuration and names every error with its line", false };
