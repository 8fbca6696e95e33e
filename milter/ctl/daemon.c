/* daemon.c - winnowctl ping, reload, stats: questions that only a running daemon can answer */
#include "ctl.h"

#include <string.h>
#include <sysexits.h>

extern const struct command command_ping, command_reload, command_stats;

static int run_ping(struct ctl *ctl, int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return ctl_usage(ctl, &command_ping);
	if (ctl->json)
		fprintf(ctl->out, "{\"alive\": true, \"version\": \"%s\", \"sessions\": %u, \"messages\": %u}\n", WINNOW_VERSION, winnow_sessions_open(ctl->engine),
			winnow_transactions_open(ctl->engine));
	else
		fprintf(ctl->out, "winnow-milter %s is alive: %u sessions, %u messages open\n", WINNOW_VERSION, winnow_sessions_open(ctl->engine), winnow_transactions_open(ctl->engine));
	return EX_OK;
}

static int run_reload(struct ctl *ctl, int argc, char **argv)
{
	char *errors = NULL;

	(void)argv;
	if (argc > 1)
		return ctl_usage(ctl, &command_reload);
	if (winnow_engine_reload(ctl->engine, &errors) != 0) {
		fprintf(ctl->err, "%sthe old configuration stays in force\n", errors != NULL ? errors : "");
		winnow_free(errors);
		return EX_CONFIG;
	}
	winnow_free(errors);
	fprintf(ctl->out, "%s", ctl->json ? "{\"reloaded\": true}\n" : "reloaded\n");
	return EX_OK;
}

static int run_stats(struct ctl *ctl, int argc, char **argv)
{
	bool prometheus = argc == 2 && strcmp(argv[1], "--prometheus") == 0;
	char *text;

	if (argc > 1 && !prometheus)
		return ctl_usage(ctl, &command_stats);
	text = winnow_stats(ctl->engine, prometheus ? WINNOW_STATS_PROMETHEUS : ctl->json ? WINNOW_STATS_JSON : WINNOW_STATS_TEXT);
	if (text == NULL)
		return EX_OSERR;
	fputs(text, ctl->out);
	winnow_free(text);
	return EX_OK;
}

const struct command command_ping = { "ping", run_ping, RUN_IN_DAEMON, "[--json]", "is the daemon alive and serving? Exit 0 if it is (for monitors)", false };
const struct command command_reload = { "reload", run_reload, RUN_IN_DAEMON, "", "reads the configuration again; a bad one is refused with its errors", false };
const struct command command_stats = { "stats", run_stats, RUN_IN_DAEMON, "[--prometheus|--json]", "counters by class and action, latencies by stage and check", false };
