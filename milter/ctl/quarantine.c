/* quarantine.c - winnowctl quarantine: lists and shows the copies that were kept */
#include "ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

extern const struct command command_quarantine;

static int complain(struct ctl *ctl, int result, char *error)
{
	fprintf(ctl->err, "winnowctl: %s\n", error != NULL ? error : strerror(-result));
	winnow_free(error);
	return result == -ENOENT ? EX_NOINPUT : EX_IOERR;
}

static int list(struct ctl *ctl, int argc, char **argv)
{
	char *text, *error, *end = NULL;
	unsigned long limit = 0;
	int result;

	if (argc == 4 && strcmp(argv[2], "--limit") == 0)
		limit = strtoul(argv[3], &end, 10);
	if ((argc != 2 && argc != 4) || (argc == 4 && (end == NULL || end == argv[3] || *end != '\0')))
		return ctl_usage(ctl, &command_quarantine);
	result = winnow_quarantine_list(ctl->engine, limit, ctl->json, &text, &error);
	if (result != 0)
		return complain(ctl, result, error);
	fprintf(ctl->out, "%s%s", text, ctl->json ? "\n" : "");
	winnow_free(text);
	return EX_OK;
}

static int show(struct ctl *ctl, int argc, char **argv)
{
	char *text, *error;
	size_t len;
	int result;

	if (argc != 3)
		return ctl_usage(ctl, &command_quarantine);
	result = winnow_quarantine_show(ctl->engine, argv[2], ctl->json, &text, &len, &error);
	if (result != 0)
		return complain(ctl, result, error);
	fwrite(text, 1, len, ctl->out);
	if (ctl->json)
		putc('\n', ctl->out);
	winnow_free(text);
	return EX_OK;
}

static int run_quarantine(struct ctl *ctl, int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "list") == 0)
		return list(ctl, argc, argv);
	if (argc >= 2 && strcmp(argv[1], "show") == 0)
		return show(ctl, argc, argv);
	return ctl_usage(ctl, &command_quarantine);
}

const struct command command_quarantine = { "quarantine", run_quarantine, RUN_WITH_CONFIG, "list [--limit N] | show ID", "the copies that were kept, the newest first; one of them with its message" };
