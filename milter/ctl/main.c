/* main.c - winnowctl: finds the command, reads the configuration that it needs, runs it */
#include "ctl.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const struct command *const commands[] = { &command_check, &command_classes, &command_defaults, &command_quarantine, NULL };

static int help(FILE *f, int status)
{
	fprintf(f, "usage: winnowctl [-c FILE] [--json] COMMAND ...\n\n");
	for (size_t i = 0; commands[i] != NULL; i++)
		fprintf(f, "  %s %s\n      %s\n", commands[i]->name, commands[i]->arguments, commands[i]->help);
	return status;
}

int ctl_usage(const struct command *command)
{
	fprintf(stderr, "usage: winnowctl %s %s\n", command->name, command->arguments);
	return EX_USAGE;
}

/* --json may stand anywhere; it is taken out. */
static int take_json(int argc, char **argv, bool *json_r)
{
	int kept = 0;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			*json_r = true;
		else
			argv[kept++] = argv[i];
	}
	argv[kept] = NULL;
	return kept;
}

static int run(struct ctl *ctl, const struct command *command, int argc, char **argv)
{
	struct winnow_options options = { .config_path = ctl->config };
	char *errors = NULL;
	int status;

	if (command->needs_config) {
		ctl->engine = winnow_engine_new(&options, &errors, NULL);
		if (ctl->engine == NULL) {
			fprintf(stderr, "%s", errors != NULL ? errors : "winnowctl: out of memory\n");
			winnow_free(errors);
			return EX_CONFIG;
		}
	}
	status = command->run(ctl, argc, argv);
	winnow_engine_free(ctl->engine);
	return status;
}

int main(int argc, char **argv)
{
	struct ctl ctl = { 0 };
	int c;

	argc = take_json(argc, argv, &ctl.json);
	while ((c = getopt(argc, argv, "+c:hV")) != -1) {
		switch (c) {
		case 'c': ctl.config = optarg; break;
		case 'h': return help(stdout, EX_OK);
		case 'V': printf("winnowctl %s\n", WINNOW_VERSION); return EX_OK;
		default: return help(stderr, EX_USAGE);
		}
	}
	if (optind >= argc)
		return help(stderr, EX_USAGE);
	for (size_t i = 0; commands[i] != NULL; i++)
		if (strcmp(commands[i]->name, argv[optind]) == 0)
			return run(&ctl, commands[i], argc - optind, argv + optind);
	fprintf(stderr, "winnowctl: \"%s\" is no command\n\n", argv[optind]);
	return help(stderr, EX_USAGE);
}
