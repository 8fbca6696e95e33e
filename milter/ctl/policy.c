/* policy.c - winnowctl policy: what is in force for an address, and where it was set */
#include "ctl.h"

#include <string.h>
#include <sysexits.h>

extern const struct command command_policy;

static int run_policy(struct ctl *ctl, int argc, char **argv)
{
	bool outbound = argc > 1 && strcmp(argv[1], "--outbound") == 0;
	char *text;

	if (argc != 2 + outbound || argv[argc - 1][0] == '-')
		return ctl_usage(ctl, &command_policy);
	text = winnow_policy(ctl->engine, argv[argc - 1], outbound, ctl->json);
	if (text == NULL) {
		fprintf(ctl->err, "winnowctl: \"%s\" is no address; write local@domain\n", argv[argc - 1]);
		return EX_USAGE;
	}
	fprintf(ctl->out, "%s%s", text, ctl->json ? "\n" : "");
	winnow_free(text);
	return EX_OK;
}

const struct command command_policy = { "policy", run_policy, RUN_BEST_IN_DAEMON, "[--outbound] ADDRESS", "the settings in force for a recipient (or sender, user), with file and line of each", false };
