/* sign.c - winnowctl sign: do the keys that sign a domain's mail and its records in DNS fit? */
#include "ctl.h"

#include <string.h>
#include <sysexits.h>

extern const struct command command_sign;

static int run_sign(struct ctl *ctl, int argc, char **argv)
{
	char *text = NULL;
	int wrong;

	if (argc != 3 || strcmp(argv[1], "test") != 0)
		return ctl_usage(ctl, &command_sign);
	wrong = winnow_sign_test(ctl->engine, argv[2], &text);
	fprintf(wrong == 0 ? ctl->out : ctl->err, "%s", text != NULL ? text : "winnowctl: no memory\n");
	winnow_free(text);
	return wrong == 0 ? EX_OK : 1;
}

const struct command command_sign = {
	"sign", run_sign, RUN_BEST_IN_DAEMON, "test DOMAIN", "compares the keys that sign mail of a domain (sign.keys) with its records in DNS", false,
};
