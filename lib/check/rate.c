/* rate.c - how much a client sends */
#include "check/rate.h"

#include "check/check.h"

const struct setting rate_settings[] = {
	[RATE_ENABLED] = SETTING_ENABLED,
	[RATE_MESSAGES_CONNECTION_MAX] = { .name = "messages_connection_max", .type = SET_INT, .scope = SCOPE_POLICY, .def = "100",
		.help = "messages in one outbound connection; 0: no limit", .unit = "messages",
		.limit = LIMIT_MAX, .limit_of = CLASS_MESSAGES_PER_CONNECTION },
	[RATE_MESSAGES_CONNECTION_BEHAVIOUR] = { .name = "messages_connection_behaviour", .type = SET_STRING, .scope = SCOPE_POLICY, .def = "drop",
		.help = "beyond it: drop (521, to Sendmail 421; connection closed), reject (550, it stays), defer (451)", .choices = "drop reject defer" },
	{ 0 }
};

static const enum class_id reports[] = { CLASS_MESSAGES_PER_CONNECTION, CLASS_COUNT };

/* Counted are the messages accepted before this one. */
static void judge_mail(struct txn *t)
{
	int64_t max = setting_int(t->policy, &rate_settings[RATE_MESSAGES_CONNECTION_MAX]);

	if (!t->outbound || max == 0 || t->session->messages < max)
		return;
	finding(t, CLASS_MESSAGES_PER_CONNECTION, 1.0, "%d messages were sent in this connection, at most %lld (rate.messages_connection_max)",
		t->session->messages, (long long)max);
}

const struct check check_rate = {
	.name = "rate",
	.judge = { [STAGE_MAIL] = judge_mail },
	.settings = rate_settings,
	.reports = reports,
	.help = "how much a client may send",
};
