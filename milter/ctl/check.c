/* check.c - winnowctl check: is the configuration good, and what it names in the network? */
#include "ctl.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

extern const struct command command_check;

/* Asks what the configuration names; the exit status. */
static int check_network(struct ctl *ctl, struct winnow_engine *engine)
{
	char *text = NULL;
	int wrong = winnow_check_network(engine, &text);

	fprintf(wrong == 0 ? ctl->out : ctl->err, "%s", text != NULL ? text : "winnowctl: out of memory\n");
	winnow_free(text);
	return wrong == 0 ? EX_OK : 1;
}

static int run_check(struct ctl *ctl, int argc, char **argv)
{
	struct winnow_options options = { .config_path = ctl->config };
	char *errors = NULL, *notes = NULL;
	bool network = argc == 2 && strcmp(argv[1], "--network") == 0;
	struct winnow_engine *engine;
	int status;

	if (argc > 1 && !network)
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
	status = engine == NULL ? 1 : network ? check_network(ctl, engine) : EX_OK;
	winnow_engine_free(engine);
	return status;
}

const struct command command_check = { "check", run_check, RUN_HERE, "[--network]", "reads the configuration and names every error with its line; --network: asks what it names, too", false };
