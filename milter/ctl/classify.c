/* classify.c - winnowctl classify: what the engine says of a message in a file */
#include "ctl.h"

#include <string.h>
#include <sysexits.h>

extern const struct command command_classify;

enum { RCPTS_MAX = 100 };

/* Reads the flags before the file. 0, or EX_USAGE. */
static int read_flags(struct winnow_classification *how, const char *rcpts[RCPTS_MAX + 1], int argc, char **argv)
{
	size_t n_rcpts = 0;

	for (int i = 1; i < argc - 1; i++) {
		const char *flag = argv[i], *value = i + 1 < argc - 1 ? argv[i + 1] : NULL;
		const char **to = strcmp(flag, "--ip") == 0 ? &how->ip : strcmp(flag, "--helo") == 0 ? &how->helo : strcmp(flag, "--from") == 0 ? &how->from
			: strcmp(flag, "--user") == 0 ? &how->user : strcmp(flag, "--policy") == 0 ? &how->policy : NULL;

		if (strcmp(flag, "--tls") == 0) {
			how->tls = true;
			continue;
		}
		if (strcmp(flag, "--outbound") == 0) {
			how->outbound = true;
			continue;
		}
		if (value == NULL || (to == NULL && strcmp(flag, "--rcpt") != 0) || (to == NULL && n_rcpts == RCPTS_MAX))
			return EX_USAGE;
		if (to != NULL)
			*to = value;
		else
			rcpts[n_rcpts++] = value;
		i++;
	}
	return 0;
}

static int run_classify(struct ctl *ctl, int argc, char **argv)
{
	const char *rcpts[RCPTS_MAX + 1] = { NULL };
	struct winnow_classification how = { .rcpts = rcpts };
	char *text, *error;
	int status = EX_OK;

	if (argc < 2 || ctl->input == NULL || read_flags(&how, rcpts, argc, argv) != 0)
		return ctl_usage(ctl, &command_classify);
	if (winnow_classify(ctl->engine, &how, ctl->input, ctl->input_len, ctl->json, &status, &text, &error) != 0) {
		fprintf(ctl->err, "winnowctl: %s\n", error != NULL ? error : "the message could not be judged");
		winnow_free(error);
		return EX_USAGE;
	}
	fprintf(ctl->out, "%s%s", text, ctl->json ? "\n" : "");
	winnow_free(text);
	return status;
}

const struct command command_classify = {
	"classify", run_classify, RUN_BEST_IN_DAEMON, "[--ip A] [--helo H] [--from F] [--rcpt R]... [--user U] [--tls] [--outbound] [--policy P] FILE|-",
	"judges a message without an MTA: verdict and findings; exit 0 accept, 75 tempfail, 77 reject or quarantine, 99 discard", true
};
