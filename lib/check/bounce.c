/* bounce.c - mail from the null sender */
#include "check/check.h"

static const struct setting settings[] = {
	SETTING_ENABLED,
	{ 0 }
};

static const enum class_id reports[] = { CLASS_BOUNCE_MULTI_RECIPIENT, CLASS_COUNT };

/* A report goes to the one sender of the message it is about (RFC 3464, RFC 5321 section 4.5.5). Recipients that were refused do not count. */
static void judge_rcpt(struct txn *t)
{
	if (t->null_sender && t->n_rcpts >= 1)
		finding(t, CLASS_BOUNCE_MULTI_RECIPIENT, 1.0, "null sender, recipient %.200s after %zu others", t->rcpt->address.text, t->n_rcpts);
}

const struct check check_bounce = {
	.name = "bounce",
	.judge = { [STAGE_RCPT] = judge_rcpt },
	.settings = settings,
	.reports = reports,
	.help = "mail from the null sender",
};
