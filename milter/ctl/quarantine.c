/* quarantine.c - winnowctl quarantine: lists, shows, releases and deletes the copies that were kept */
#include "ctl.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

extern const struct command command_quarantine;

static int complain(struct ctl *ctl, int result, char *error)
{
	fprintf(ctl->err, "winnowctl: %s\n", error != NULL ? error : strerror(-result));
	winnow_free(error);
	return result == -ENOENT ? EX_NOINPUT : result == -EACCES ? EX_NOPERM : result == -EINVAL ? EX_USAGE : EX_IOERR;
}

/* ---- list, show */

static int list_flag(struct ctl *ctl, struct winnow_copies *which, const char *flag, const char *value)
{
	char *end;

	if (strcmp(flag, "--class") == 0) {
		which->class_id = value;
	} else if (strcmp(flag, "--from") == 0) {
		which->from = value;
	} else if (strcmp(flag, "--rcpt") == 0) {
		which->rcpt = value;
	} else if (strcmp(flag, "--since") == 0) {
		return ctl_time(ctl, flag, value, &which->since);
	} else if (strcmp(flag, "--limit") == 0) {
		which->limit = isdigit((unsigned char)value[0]) ? strtoul(value, &end, 10) : 0;
		if (which->limit == 0 || *end != '\0') {
			fprintf(ctl->err, "winnowctl: --limit \"%s\" is no number of copies\n", value);
			return EX_USAGE;
		}
	} else {
		fprintf(ctl->err, "winnowctl: quarantine list has no flag \"%s\"\n", flag);
		return ctl_usage(ctl, &command_quarantine);
	}
	return EX_OK;
}

static int list(struct ctl *ctl, int argc, char **argv)
{
	struct winnow_copies which = { 0 };
	char *text, *error;
	int result;

	for (int i = 2; i < argc; i += 2) {
		if (i + 1 == argc) {
			fprintf(ctl->err, "winnowctl: %s: %s\n", argv[i], argv[i][0] == '-' ? "its value is missing" : "quarantine list takes flags only");
			return ctl_usage(ctl, &command_quarantine);
		}
		result = list_flag(ctl, &which, argv[i], argv[i + 1]);
		if (result != EX_OK)
			return result;
	}
	result = winnow_quarantine_list(ctl->engine, &which, ctl->json, &text, &error);
	if (result != 0)
		return complain(ctl, result, error);
	fprintf(ctl->out, "%s%s", text, ctl->json ? "\n" : "");
	winnow_free(text);
	return EX_OK;
}

static int show(struct ctl *ctl, int argc, char **argv)
{
	enum winnow_show how = ctl->json ? WINNOW_SHOW_JSON : ctl->out == stdout && isatty(STDOUT_FILENO) ? WINNOW_SHOW_TERMINAL : WINNOW_SHOW_BYTES;
	char *text, *error;
	size_t len;
	int result;

	if (argc != 3)
		return ctl_usage(ctl, &command_quarantine);
	result = winnow_quarantine_show(ctl->engine, argv[2], how, &text, &len, &error);
	if (result != 0)
		return complain(ctl, result, error);
	fwrite(text, 1, len, ctl->out);
	if (ctl->json)
		putc('\n', ctl->out);
	winnow_free(text);
	return EX_OK;
}

/* ---- of several ids at once: what went worst is the exit status */

static int worse(int a, int b)
{
	static const int order[] = { EX_IOERR, EX_NOPERM, EX_UNAVAILABLE, EX_NOINPUT, EX_TEMPFAIL };

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return EX_OK;
}

/* An array of what each id came to. */
static void put_json(struct ctl *ctl, bool first, const char *text)
{
	fprintf(ctl->out, "%s%s", first ? "[\n" : ",\n", text);
}

static int delete_one(struct ctl *ctl, const char *id, bool first)
{
	char *error;
	int result = winnow_quarantine_delete(ctl->engine, id, &error), status = result == 0 ? EX_OK : complain(ctl, result, error);

	if (!ctl->json) {
		if (result == 0)
			fprintf(ctl->out, "%s deleted\n", id);
		return status;
	}
	/* an id has no byte that JSON would have to escape; what is none is not repeated */
	if (id[strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-")] == '\0') {
		char text[200];

		snprintf(text, sizeof(text), "{\"id\": \"%.100s\", \"deleted\": %s}", id, result == 0 ? "true" : "false");
		put_json(ctl, first, text);
	} else {
		put_json(ctl, first, "{\"id\": null, \"deleted\": false}");
	}
	return status;
}

static int release_status(enum winnow_release outcome)
{
	switch (outcome) {
	case WINNOW_RELEASE_DONE: return EX_OK;
	case WINNOW_RELEASE_LATER: return EX_TEMPFAIL;
	case WINNOW_RELEASE_REFUSED: return EX_UNAVAILABLE;
	case WINNOW_RELEASE_UNKNOWN: return EX_NOINPUT;
	default: return EX_IOERR;
	}
}

static int release_one(struct ctl *ctl, const char *id, const char *to, bool first)
{
	char *text, *error;
	enum winnow_release outcome = winnow_quarantine_release(ctl->engine, id, to, ctl->json, &text, &error);

	if (ctl->json)
		put_json(ctl, first, text != NULL ? text : "{}");
	else if (text != NULL)
		fputs(text, ctl->out);
	fflush(ctl->out);
	if (error != NULL)
		fprintf(ctl->err, "winnowctl: %s\n", error);
	winnow_free(text);
	winnow_free(error);
	return release_status(outcome);
}

/* release ID... [--to ADDRESS], delete ID...: flags may stand anywhere. */
static int each(struct ctl *ctl, int argc, char **argv, bool release)
{
	const char *to = NULL;
	int n = 2, status = EX_OK;

	for (int i = 2; i < argc; i++) {
		if (argv[i][0] != '-') {
			argv[n++] = argv[i];
		} else if (release && strcmp(argv[i], "--to") == 0 && i + 1 < argc && to == NULL) {
			to = argv[++i];
		} else {
			fprintf(ctl->err, "winnowctl: quarantine %s: %s does not belong there\n", argv[1], argv[i]);
			return ctl_usage(ctl, &command_quarantine);
		}
	}
	if (n == 2)
		return ctl_usage(ctl, &command_quarantine);
	if (release && ctl->rough) {
		/* mail must not go to where only the built-in value says */
		fprintf(ctl->err, "winnowctl: nothing is released until the configuration is mended\n");
		return EX_CONFIG;
	}
	for (int i = 2; i < n; i++)
		status = worse(status, release ? release_one(ctl, argv[i], to, i == 2) : delete_one(ctl, argv[i], i == 2));
	if (ctl->json)
		fputs("\n]\n", ctl->out);
	return status;
}

static int run_quarantine(struct ctl *ctl, int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "list") == 0)
		return list(ctl, argc, argv);
	if (argc >= 2 && strcmp(argv[1], "show") == 0)
		return show(ctl, argc, argv);
	if (argc >= 2 && strcmp(argv[1], "release") == 0)
		return each(ctl, argc, argv, true);
	if (argc >= 2 && strcmp(argv[1], "delete") == 0)
		return each(ctl, argc, argv, false);
	return ctl_usage(ctl, &command_quarantine);
}

const struct command command_quarantine = {
	"quarantine", run_quarantine, RUN_WITH_CONFIG, "list [--class ID] [--from A] [--rcpt A] [--since T] [--limit N] | show ID | release ID... [--to ADDRESS] | delete ID...",
	"the copies that were kept, the newest first; one of them with its message; to their recipients after all (over SMTP, to quarantine.release); away with them"
};
