/* dmarc.c - winnowctl dmarc report: aggregate reports (RFC 9990) from dmarc.history, shown or sent */
#include "ctl.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

extern const struct command command_dmarc;

/* A day of UTC, as reports have them. */
static int read_day(struct ctl *ctl, const char *text, int64_t *day_r)
{
	struct tm tm = { 0 }, given;
	const char *end = strptime(text, "%Y-%m-%d", &tm);
	time_t seconds;

	given = tm;
	seconds = timegm(&tm);
	if (end == NULL || *end != '\0' || tm.tm_mday != given.tm_mday || seconds <= 0) {
		fprintf(ctl->err, "winnowctl: --day \"%s\" is no day; write 2026-11-24\n", text);
		return EX_USAGE;
	}
	*day_r = (int64_t)seconds * 1000000;
	return EX_OK;
}

static int status_of(int result)
{
	switch (result) {
	case 0: return EX_OK;
	case -EAGAIN:
	case -EBUSY: return EX_TEMPFAIL;
	case -EREMOTEIO: return EX_UNAVAILABLE;
	case -EINVAL: return EX_CONFIG;
	case -ENOENT: return EX_NOINPUT;
	case -EACCES: return EX_NOPERM;
	default: return EX_IOERR;
	}
}

static int run_dmarc(struct ctl *ctl, int argc, char **argv)
{
	struct winnow_dmarc_report how = { 0 };
	char *text = NULL, *error = NULL;
	int result;

	if (argc < 2 || strcmp(argv[1], "report") != 0)
		return ctl_usage(ctl, &command_dmarc);
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--print") == 0) {
			how.print = true;
		} else if (strcmp(argv[i], "--domain") == 0 && i + 1 < argc) {
			how.domain = argv[++i];
		} else if (strcmp(argv[i], "--day") == 0 && i + 1 < argc) {
			result = read_day(ctl, argv[++i], &how.day);
			if (result != EX_OK)
				return result;
		} else {
			return ctl_usage(ctl, &command_dmarc);
		}
	}
	if (ctl->rough && !how.print) {
		/* mail must not go to where only the built-in value says */
		fprintf(ctl->err, "winnowctl: nothing is sent until the configuration is mended\n");
		return EX_CONFIG;
	}
	result = winnow_dmarc_report(ctl->engine, &how, ctl->json, &text, &error);
	if (text != NULL)
		fprintf(ctl->out, "%s%s", text, ctl->json && !how.print ? "\n" : "");
	if (error != NULL)
		fprintf(ctl->err, "winnowctl: %s\n", error);
	winnow_free(text);
	winnow_free(error);
	return status_of(result);
}

const struct command command_dmarc = {
	"dmarc", run_dmarc, RUN_WITH_CONFIG, "report [--day YYYY-MM-DD] [--domain D] [--print]",
	"aggregate reports (RFC 9990) of a day of UTC, yesterday's if none is named, from dmarc.history: sent through quarantine.release to who asks for them, or shown"
};
