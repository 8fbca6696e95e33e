/* relay.c - who may send through us, and where to */
#include "check/check.h"

#include "policy/global.h"
#include "policy/table.h"

static const struct setting settings[] = {
	SETTING_ENABLED,
	{ 0 }
};

static const enum class_id reports[] = { CLASS_SUBMISSION_UNAUTHENTICATED, CLASS_RELAY_DENIED, CLASS_RELAY_NOT_PERMITTED, CLASS_COUNT };

/* A submission listener wants a login of everybody, relay networks included; one for relaying takes either. */
static void judge_mail(struct txn *t)
{
	const struct session *s = t->session;
	char ip[IP_TEXT_MAX];

	if (t->auth_user != NULL)
		return;
	if (s->listener == LISTENER_SUBMISSION)
		finding(t, CLASS_SUBMISSION_UNAUTHENTICATED, 1.0, "client %s did not log in on listener \"%.60s\" port \"%.20s\" (submission_listeners)",
			ip_print(&s->client, ip), s->daemon_name, s->daemon_port);
	else if (s->listener == LISTENER_OUTBOUND && !s->relay)
		finding(t, CLASS_RELAY_DENIED, 1.0, "client %s is not in relay_networks and did not log in on listener \"%.60s\" (outbound_listeners)",
			ip_print(&s->client, ip), s->daemon_name);
}

/* A recipient without a domain ("postmaster") is local. Trusted networks relay only if they are relay networks too. */
static void judge_rcpt(struct txn *t)
{
	const struct config *config = policy_config(t->policy);
	struct table *domains = setting_table(t->policy, &global_settings[G_DOMAINS]);
	const char *domain = t->rcpt->address.domain;
	enum answer answer;

	if (t->outbound || domain[0] == '\0')
		return;
	/* by the text, not by the content: a table whose file is empty for a moment must not open the relay */
	if (table_spec(domains)[0] == '\0' && !config_has_domains(config))
		return;
	if (config_domain(config, domain) != NULL)
		return;
	answer = table_lookup_domain(domains, domain, t->mem, NULL);
	if (answer == ANSWER_UNAVAILABLE)
		/* neither guilty nor free to relay */
		unavailable(t, "domains", true, "the table could not be asked for %.200s", domain);
	else if (answer == ANSWER_NO)
		finding(t, CLASS_RELAY_NOT_PERMITTED, 1.0, "recipient domain %.200s is not in domains and has no domain section", domain);
}

const struct check check_relay = {
	.name = "relay",
	.judge = { [STAGE_MAIL] = judge_mail, [STAGE_RCPT] = judge_rcpt },
	.settings = settings,
	.reports = reports,
	.help = "who may send through us (listeners, networks and domains stand at top level)",
};
