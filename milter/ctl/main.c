/* main.c - winnowctl: finds the command, and where it runs: here, or in the daemon */
#include "ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "client.h"

static int help(FILE *f, int status)
{
	fprintf(f, "usage: winnowctl [-c FILE] [-s CONTROL_SOCKET] [--json] COMMAND ...\n\n");
	for (size_t i = 0; ctl_commands[i] != NULL; i++)
		fprintf(f, "  %s %s\n      %s\n", ctl_commands[i]->name, ctl_commands[i]->arguments, ctl_commands[i]->help);
	return status;
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

static int complain(const char *what)
{
	fprintf(stderr, "winnowctl: %s: %s\n", what, strerror(errno));
	return EX_NOINPUT;
}

/* Reads the file that the last argument names, "-": standard input. */
static int read_input(struct ctl *ctl, const char *path)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe");
	char *data = NULL;
	size_t len = 0, got;
	FILE *gather = open_memstream(&data, &len);
	char block[65536];
	int error;

	if (f == NULL || gather == NULL) {
		if (gather != NULL)
			fclose(gather);
		free(data);
		return complain(path);
	}
	while ((got = fread(block, 1, sizeof(block), f)) > 0)
		fwrite(block, 1, got, gather);
	error = ferror(f) ? errno : 0;   /* a folder can be opened, and not read */
	if (f != stdin)
		fclose(f);
	fclose(gather);
	ctl->input = data;
	ctl->input_len = len;
	errno = error;
	return error == 0 ? EX_OK : complain(path);
}

static int run_here(struct ctl *ctl, const struct command *command, int argc, char **argv)
{
	/* to look at what is on disk it is enough to know where it is; to judge, all of the file must be good */
	struct winnow_options options = { .config_path = ctl->config, .rough = command->where == RUN_WITH_CONFIG };
	char *errors = NULL;
	int status;

	if (command->where != RUN_HERE) {
		ctl->engine = winnow_engine_new(&options, &errors, NULL);
		if (ctl->engine == NULL)
			fprintf(stderr, "%s", errors != NULL ? errors : "winnowctl: out of memory\n");
		ctl->rough = ctl->engine != NULL && errors != NULL;
		if (ctl->rough)
			fprintf(stderr, "winnowctl: %s has errors (winnowctl check names them); only where things are was read from it\n", ctl->config);
		winnow_free(errors);
		if (ctl->engine == NULL)
			return EX_CONFIG;
	}
	status = command->run(ctl, argc, argv);
	winnow_engine_free(ctl->engine);
	return status;
}

static int run(struct ctl *ctl, const char *socket, const struct command *command, int argc, char **argv)
{
	int status = EX_OK;

	if (command->reads_input && argc > 1) {
		static char read[] = "-";

		status = read_input(ctl, argv[argc - 1]);
		argv[argc - 1] = read;           /* a file's name may have any bytes, and the daemon needs it not */
	}
	if (status != EX_OK)
		return status;
	if (command->where == RUN_IN_DAEMON || command->where == RUN_BEST_IN_DAEMON) {
		/* -1: no daemon answers there */
		status = client_ask(ctl, socket, argc, argv, command->where == RUN_IN_DAEMON);
		if (status >= 0)
			return status;
		if (command->where == RUN_IN_DAEMON)
			return EX_UNAVAILABLE;
	}
	return run_here(ctl, command, argc, argv);
}

int main(int argc, char **argv)
{
	struct ctl ctl = { .out = stdout, .err = stderr };
	const struct command *command;
	const char *socket = NULL;
	int c, status;

	argc = take_json(argc, argv, &ctl.json);
	while ((c = getopt(argc, argv, "+c:s:hV")) != -1) {
		switch (c) {
		case 'c': ctl.config = optarg; break;
		case 's': socket = optarg; break;
		case 'h': return help(stdout, EX_OK);
		case 'V': printf("winnowctl %s\n", WINNOW_VERSION); return EX_OK;
		default: fprintf(stderr, "winnowctl -h lists options and commands\n"); return EX_USAGE;
		}
	}
	if (optind >= argc)
		return help(stderr, EX_USAGE);
	command = ctl_find(argv[optind]);
	if (command == NULL) {
		fprintf(stderr, "winnowctl: \"%s\" is no command; winnowctl -h lists them\n", argv[optind]);
		return EX_USAGE;
	}
	status = run(&ctl, socket, command, argc - optind, argv + optind);
	free((void *)(uintptr_t)ctl.input);
	return status;
}
