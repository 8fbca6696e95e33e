/* conduct.c - how a client behaves: unknown commands, refused recipients */
#include "check/check.h"

enum { ENABLED, UNKNOWN_COMMANDS_MAX, FAILED_RECIPIENTS_MAX };

static const struct setting settings[] = {
	[ENABLED] = SETTING_ENABLED,
	[UNKNOWN_COMMANDS_MAX] = { .name = "unknown_commands_max", .type = SET_INT, .scope = SCOPE_GLOBAL, .def = "10",
		.help = "unknown commands in a connection; 0: no limit", .unit = "commands", .limit = LIMIT_MAX, .limit_of = CLASS_UNRECOGNIZED_COMMANDS },
	[FAILED_RECIPIENTS_MAX] = { .name = "failed_recipients_max", .type = SET_INT, .scope = SCOPE_GLOBAL, .def = "10",
		.help = "refused recipients in a connection, the MTA's included; 0: no limit", .unit = "recipients",
		.limit = LIMIT_MAX, .limit_of = CLASS_FAILED_RECIPIENTS },
	{ 0 }
};

static const enum class_id reports[] = { CLASS_UNRECOGNIZED_COMMANDS, CLASS_FAILED_RECIPIENTS, CLASS_COUNT };

static void judge_command(struct txn *t)
{
	int64_t max = setting_int(t->policy, &settings[UNKNOWN_COMMANDS_MAX]);

	if (max == 0 || t->session->unknown_commands <= max)
		return;
	finding(t, CLASS_UNRECOGNIZED_COMMANDS, 1.0, "%d unknown commands in this connection, at most %lld (conduct.unknown_commands_max)",
		t->session->unknown_commands, (long long)max);
}

/* Counted are the refusals before this recipient. */
static void judge_rcpt(struct txn *t)
{
	int64_t max = setting_int(t->policy, &settings[FAILED_RECIPIENTS_MAX]);

	if (max == 0 || t->session->refused_recipients <= max)
		return;
	finding(t, CLASS_FAILED_RECIPIENTS, 1.0, "%d recipients were refused in this connection, at most %lld (conduct.failed_recipients_max)",
		t->session->refused_recipients, (long long)max);
}

const struct check check_conduct = {
	.name = "conduct",
	.judge = { [STAGE_COMMAND] = judge_command, [STAGE_RCPT] = judge_rcpt },
	.settings = settings,
	.reports = reports,
	.help = "how a client behaves, trusted or not",
};
