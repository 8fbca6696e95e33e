/* search.c - winnowctl search: the decision records that fit */
#include "ctl.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

extern const struct command command_search;

/* ---- flags */

static int read_flag(struct ctl *ctl, struct winnow_query *q, const char *flag, const char *value)
{
	const struct { const char *flag; const char **value; } texts[] = {
		{ "--from", &q->from }, { "--rcpt", &q->rcpt }, { "--ip", &q->ip }, { "--class", &q->class_id }, { "--action", &q->action },
	};
	char *end;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(flag, texts[i].flag) == 0) {
			*texts[i].value = value;
			return 0;
		}
	}
	if (strcmp(flag, "--since") == 0)
		return ctl_time(ctl, flag, value, &q->since);
	if (strcmp(flag, "--until") == 0)
		return ctl_time(ctl, flag, value, &q->until);
	if (strcmp(flag, "--limit") != 0) {
		fprintf(ctl->err, "winnowctl: search has no flag \"%s\"\n", flag);
		return ctl_usage(ctl, &command_search);
	}
	q->limit = isdigit((unsigned char)value[0]) ? strtoul(value, &end, 10) : 0;
	if (q->limit == 0 || *end != '\0' || q->limit > 1000000) {
		fprintf(ctl->err, "winnowctl: --limit \"%s\" is no number of records; write 1 to 1000000\n", value);
		return EX_USAGE;
	}
	return 0;
}

static int run_search(struct ctl *ctl, int argc, char **argv)
{
	struct winnow_query q = { 0 };
	char *text, *error;
	int result;

	for (int i = 1; i < argc; i += 2) {
		if (i + 1 == argc) {
			fprintf(ctl->err, "winnowctl: %s: %s\n", argv[i], argv[i][0] == '-' ? "its value is missing" : "search takes flags only");
			return ctl_usage(ctl, &command_search);
		}
		result = read_flag(ctl, &q, argv[i], argv[i + 1]);
		if (result != 0)
			return result;
	}
	result = winnow_search(ctl->engine, &q, ctl->json, &text, &error);
	if (result != 0) {
		fprintf(ctl->err, "winnowctl: %s\n", error != NULL ? error : strerror(-result));
		winnow_free(error);
		return result == -EINVAL ? EX_USAGE : result == -ENOENT ? EX_NOINPUT : result == -EACCES ? EX_NOPERM : EX_IOERR;
	}
	fprintf(ctl->out, "%s%s", text, ctl->json ? "\n" : "");
	winnow_free(text);
	return EX_OK;
}

const struct command command_search = {
	"search", run_search, RUN_WITH_CONFIG,
	"[--json] [--from A] [--rcpt A] [--ip A] [--class ID] [--action A] [--since T] [--until T] [--limit N]",
	"the decision records that fit, the newest first (100); A: an address, a domain or a network; T: 2026-11-25, 2026-11-25T10:00, or how long ago: 2h, 7d"
};
