/* explain.c - winnowctl explain: why a message, connection or recipient got its verdict */
#include "ctl.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

extern const struct command command_explain;

static int run_explain(struct ctl *ctl, int argc, char **argv)
{
	char *text, *error;
	int result;

	if (argc != 2 || argv[1][0] == '\0')
		return ctl_usage(ctl, &command_explain);
	result = winnow_explain(ctl->engine, argv[1], ctl->json, &text, &error);
	if (result != 0) {
		fprintf(ctl->err, "winnowctl: %s\n", error != NULL ? error : strerror(-result));
		winnow_free(error);
		return result == -ENOENT ? 1 : result == -EACCES ? EX_NOPERM : EX_IOERR;
	}
	fprintf(ctl->out, "%s%s", text, ctl->json ? "\n" : "");
	winnow_free(text);
	return EX_OK;
}

const struct command command_explain = {
	"explain", run_explain, RUN_WITH_CONFIG, "[--json] ID",
	"why: the records of an id (in replies, log and headers), queue id or Message-ID, with each check's finding, strength, weight and microseconds; exit 1: none"
};
