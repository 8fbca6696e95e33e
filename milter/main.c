/* main.c - winnow-milter: options, engine, listener, privileges, smfi_main, and the same list backwards */
#include "milter.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "daemon.h"

struct arguments {
	const char *config, *socket;
	bool foreground, test;
};

static int usage(FILE *f, int status)
{
	fprintf(f, "usage: winnow-milter [-f] [-c FILE] [-p SOCKET] [-t] [-V]\n"
		   "  -f         stay in the foreground, log to stderr\n"
		   "  -c FILE    the configuration (default: built-in values)\n"
		   "  -p SOCKET  listen here instead of `listen`: inet:PORT@HOST, inet6:PORT@HOST, unix:PATH\n"
		   "  -t         check the configuration and exit: 0 good, 1 with FILE:LINE: reason for each error\n"
		   "  -V         print the version\n");
	return status;
}

/* -1: go on; else the exit status. */
static int parse_arguments(int argc, char **argv, struct arguments *a)
{
	int c;

	while ((c = getopt(argc, argv, "fc:p:tVh")) != -1) {
		switch (c) {
		case 'f': a->foreground = true; break;
		case 'c': a->config = optarg; break;
		case 'p': a->socket = optarg; break;
		case 't': a->test = true; break;
		case 'V': printf("winnow-milter %s\n", WINNOW_VERSION); return EX_OK;
		case 'h': return usage(stdout, EX_OK);
		default: return usage(stderr, EX_USAGE);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "winnow-milter: \"%s\" is no option\n", argv[optind]);
		return usage(stderr, EX_USAGE);
	}
	return -1;
}

static void say(char *text)
{
	if (text != NULL)
		fprintf(stderr, "%s%s", text, text[0] != '\0' && text[strlen(text) - 1] == '\n' ? "" : "\n");
	winnow_free(text);
}

static int check_only(const struct winnow_options *options)
{
	char *errors = NULL, *notes = NULL;
	struct winnow_engine *engine = winnow_engine_new(options, &errors, &notes);
	struct identity identity;
	int status;

	say(notes);
	say(errors);
	status = engine != NULL && identity_find(engine, &identity) == 0 ? 0 : 1;
	winnow_engine_free(engine);
	return status;
}

static int listen_as_configured(struct winnow_engine *engine, const char *override)
{
	char *spec = winnow_engine_setting(engine, "listen"), *group = winnow_engine_setting(engine, "listen_group"), *mode = winnow_engine_setting(engine, "listen_mode");
	int result = listener_open(override != NULL ? override : spec, group, (unsigned)strtoul(mode, NULL, 8));

	winnow_free(spec);
	winnow_free(group);
	winnow_free(mode);
	return result;
}

static void greet(struct winnow_engine *engine, char *notes)
{
	char *mode = winnow_engine_setting(engine, "mode");

	for (char *save = NULL, *line = notes != NULL ? strtok_r(notes, "\n", &save) : NULL; line != NULL; line = strtok_r(NULL, "\n", &save))
		winnow_log(engine, WINNOW_LOG_INFO, "note: %s", line);
	winnow_log(engine, WINNOW_LOG_INFO, "winnow-milter %s is ready", WINNOW_VERSION);
	if (mode != NULL && strcmp(mode, "observe") == 0)
		winnow_log(engine, WINNOW_LOG_WARNING, "mode = \"observe\": nothing is refused but unauthenticated submission and foreign relaying; set mode = \"enforce\" when you have looked");
	winnow_free(mode);
}

/* Takes everything that others need, while still root, and then the identity that it runs with. */
static int take_all(struct winnow_engine *engine, const struct identity *identity)
{
	char *errors = NULL;

	if (winnow_engine_prepare(engine, identity->uid, identity->gid, &errors) == 0 && control_open(engine, identity->uid) == 0 && pid_file_write(engine) == 0
	    && identity_take(identity) == 0 && winnow_engine_start(engine, &errors) == 0)
		return EX_OK;
	say(errors);
	return EX_CANTCREAT;
}

/* From a good start to the end of the last session. */
static int work(struct winnow_engine *engine, char *notes)
{
	int status = EX_OSERR;

	/* signals last: a stop must find all that it stops */
	if (control_start(engine) == 0 && signals_start(engine) == 0) {
		nudge_start();
		greet(engine, notes);
		daemon_ready();
		status = smfi_main() == MI_SUCCESS || signals_stopping() ? EX_OK : EX_SOFTWARE;
	}
	signals_join();
	return status;
}

/* What is still used after all waiting must not be freed: the process ends without tearing down. */
static void end_at_once(struct winnow_engine *engine, int status)
{
	struct timespec while_the_log_is_written = { .tv_nsec = 300 * 1000000 };

	winnow_log(engine, WINNOW_LOG_WARNING, "stopped, while a message or a question of winnowctl was still being worked on");
	nanosleep(&while_the_log_is_written, NULL);
	_exit(status);
}

/* Everything between a good configuration and the end of the process. */
static int serve(struct winnow_engine *engine, const struct arguments *a, char *notes)
{
	struct identity identity;
	bool idle;
	int status;

	if (identity_find(engine, &identity) != 0)
		return EX_NOUSER;
	listener_raise_limits();
	if (smfi_register(*callbacks(engine)) != MI_SUCCESS)
		return EX_UNAVAILABLE;
	if (listen_as_configured(engine, a->socket) != 0)
		return EX_OSERR;
	status = take_all(engine, &identity);
	if (status == EX_OK)
		status = work(engine, notes);
	idle = control_stop();
	idle &= callbacks_finish();
	listener_remove();
	pid_file_remove();
	if (!idle)
		end_at_once(engine, status);
	if (status == EX_OK)
		winnow_log(engine, WINNOW_LOG_INFO, "stopped");
	return status;
}

int main(int argc, char **argv)
{
	struct arguments a = { 0 };
	struct winnow_options options;
	struct winnow_engine *engine;
	char *errors = NULL, *notes = NULL;
	int status = parse_arguments(argc, argv, &a);

	if (status >= 0)
		return status;
	options = (struct winnow_options){ .config_path = a.config, .foreground = a.foreground };
	signals_block();
	daemon_bound_memory();
	if (a.test)
		return check_only(&options);
	if (!a.foreground)
		daemon_begin();
	engine = winnow_engine_new(&options, &errors, &notes);
	if (engine == NULL) {
		say(notes);
		say(errors);
		return EX_CONFIG;
	}
	status = serve(engine, &a, notes);
	winnow_free(notes);
	winnow_engine_free(engine);
	return status;
}
