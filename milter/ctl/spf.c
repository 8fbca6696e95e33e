/* spf.c - winnowctl spf: what SPF says of a client and a sender, and how it came to that */
#include "ctl.h"

#include <string.h>
#include <sysexits.h>

extern const struct command command_spf;

static int run_spf(struct ctl *ctl, int argc, char **argv)
{
	const char *ip = NULL, *from = NULL, *helo = "";
	char *text, *error;

	for (int i = 1; i < argc; i += 2) {
		const char **to = strcmp(argv[i], "--ip") == 0 ? &ip : strcmp(argv[i], "--from") == 0 ? &from : strcmp(argv[i], "--helo") == 0 ? &helo : NULL;

		if (to == NULL || i + 1 == argc)
			return ctl_usage(ctl, &command_spf);
		*to = argv[i + 1];
	}
	if (ip == NULL || from == NULL)
		return ctl_usage(ctl, &command_spf);
	if (winnow_spf(ctl->engine, ip, from, helo, ctl->json, &text, &error) != 0) {
		fprintf(ctl->err, "winnowctl: %s\n", error != NULL ? error : "no memory");
		winnow_free(error);
		return EX_USAGE;
	}
	fprintf(ctl->out, "%s%s", text, ctl->json ? "\n" : "");
	winnow_free(text);
	return EX_OK;
}

const struct command command_spf = {
	"spf", run_spf, RUN_BEST_IN_DAEMON, "--ip A --from F [--helo H]", "SPF's result for a client and an envelope sender (\"\": the null sender), with the trace", false,
};
