/* tls.c - who must come encrypted */
#include "check/check.h"

#include "check/listed.h"
#include "policy/table.h"

enum { ENABLED, SENDER_DOMAINS, REQUIRED, REQUIRED_OUTGOING };

static const struct setting settings[] = {
	[ENABLED] = SETTING_ENABLED,
	[SENDER_DOMAINS] = { .name = "sender_domains", .type = SET_TABLE, .scope = SCOPE_GLOBAL, .def = "",
		.help = "sender domains that must come encrypted" },
	[REQUIRED] = { .name = "required", .type = SET_BOOL, .scope = SCOPE_POLICY, .def = "false",
		.help = "mail to these recipients must come encrypted" },
	[REQUIRED_OUTGOING] = { .name = "required_outgoing", .type = SET_BOOL, .scope = SCOPE_POLICY, .def = "false",
		.help = "mail of these users and senders must come encrypted" },
	{ 0 }
};

static const enum class_id reports[] = { CLASS_TLS_REQUIRED_SENDER, CLASS_TLS_REQUIRED_RECIPIENT, CLASS_TLS_REQUIRED_OUTGOING, CLASS_COUNT };

static void judge_mail(struct txn *t)
{
	if (t->session->tls_version != NULL)
		return;
	if (t->outbound) {
		if (setting_bool(t->policy, &settings[REQUIRED_OUTGOING]))
			finding(t, CLASS_TLS_REQUIRED_OUTGOING, 1.0, "sender %.200s in a session without TLS, policy \"%.60s\" wants it (tls.required_outgoing)",
				t->null_sender ? "<>" : t->sender.text, policy_name(t->policy));
	} else if (t->sender.domain[0]) {
		struct table *domains = setting_table(t->policy, &settings[SENDER_DOMAINS]);

		if (listed(t, "tls.sender_domains", table_lookup_domain(domains, t->sender.domain, t->mem, NULL)))
			finding(t, CLASS_TLS_REQUIRED_SENDER, 1.0, "sender domain %.200s in a session without TLS (tls.sender_domains)", t->sender.domain);
	}
}

static void judge_rcpt(struct txn *t)
{
	if (t->outbound || t->session->tls_version != NULL || !setting_bool(t->policy, &settings[REQUIRED]))
		return;
	finding(t, CLASS_TLS_REQUIRED_RECIPIENT, 1.0, "recipient %.200s in a session without TLS, policy \"%.60s\" wants it (tls.required)",
		t->rcpt->address.text, policy_name(t->policy));
}

const struct check check_tls = {
	.name = "tls",
	.judge = { [STAGE_MAIL] = judge_mail, [STAGE_RCPT] = judge_rcpt },
	.settings = settings,
	.reports = reports,
	.help = "who must come encrypted",
};
