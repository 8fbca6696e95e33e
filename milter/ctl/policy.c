/* policy.c - winnowctl policy: what is in force for an address, and where it was set */
#include "ctl.h"

#include <string.h>
#include <sysexits.h>

extern const struct command command_policy;

static int run_policy(struct ctl *ctl, int argc, char **argv)
{
	bool outbound = argc > 1 && strcmp(argv[1], "--outbound") == 0;
	const char *address = argv[argc - 1];
	char *text;

	if (argc != 2 + outbound || address[0] == '-')
		return ctl_usage(ctl, &command_policy);
	if (!outbound && strchr(address, '@') == NULL && strchr(address, '.') != NULL) {
		fprintf(ctl->err, "winnowctl: \"%s\" is no address; write one of that domain: anybody@%s (a login: --outbound)\n", address, address);
		return EX_USAGE;
	}
	text = winnow_policy(ctl->engine, address, outbound, ctl->json);
	if (text == NULL) {
		fprintf(ctl->err, "winnowctl: \"%s\" is no address; write local@domain\n", address);
		return EX_USAGE;
	}
	fprintf(ctl->out, "%s%s", text, ctl->json ? "\n" : "");
	winnow_free(text);
	return EX_OK;
}

const struct command command_policy = { "policy", run_policy, RUN_BEST_IN_DAEMON, "[--outbound] ADDRESS", "the settings in force for a recipient (or sender, user), with file and line of each", false };
