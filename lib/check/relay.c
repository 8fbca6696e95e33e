/* relay.c - who may send through us, and where to */
#include "check/check.h"

#include "check/ours.h"

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

/* Is the recipient refused with more precise words, whatever else is found? Where mx-not-configured is only observed, scored or ignored the relay stays shut. */
static bool said_by_mx(const struct txn *t)
{
	const struct class_rule *rule = policy_class(t->policy, CLASS_MX_NOT_CONFIGURED);

	return findings_get(&t->found_rcpt, CLASS_MX_NOT_CONFIGURED) != NULL && policy_mode(t->policy) == MODE_ENFORCE && !rule->observe
		&& (rule->action == ACT_REJECT || rule->action == ACT_TEMPFAIL);
}

/* A recipient without a domain ("postmaster") is local. Trusted networks relay only if they are relay networks too. */
static void judge_rcpt(struct txn *t)
{
	const char *domain = t->rcpt->address.domain;
	enum ours ours;

	if (t->outbound || domain[0] == '\0')
		return;
	ours = domain_is_ours(t, domain);
	if (ours == OURS_UNAVAILABLE)
		/* neither guilty nor free to relay */
		unavailable(t, "domains", true, "the table could not be asked for %.200s", domain);
	else if (ours == OURS_NO && !said_by_mx(t))
		finding(t, CLASS_RELAY_NOT_PERMITTED, 1.0, "recipient domain %.200s is not in domains and has no domain section", domain);
}

const struct check check_relay = {
	.name = "relay",
	.judge = { [STAGE_MAIL] = judge_mail, [STAGE_RCPT] = judge_rcpt },
	.settings = settings,
	.reports = reports,
	.help = "who may send through us (listeners, networks and domains stand at top level)",
};
