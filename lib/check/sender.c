/* sender.c - envelope senders: does their domain take mail; of submissions: readable, and the user's own */
#include "check/check.h"

#include <string.h>
#include <strings.h>

#include "check/listed.h"
#include "check/ours.h"
#include "facts/chain.h"
#include "net/mail_hosts.h"
#include "policy/global.h"
#include "policy/table.h"

enum { ENABLED, LOGIN_MAPS };

static const struct setting settings[] = {
	[ENABLED] = SETTING_ENABLED,
	[LOGIN_MAPS] = { .name = "login_maps", .type = SET_TABLE, .scope = SCOPE_POLICY, .def = "",
		.help = "sender -> users that may use it, as Postfix's smtpd_sender_login_maps; empty: any" },
	{ 0 }
};

static const enum class_id reports[] = { CLASS_SENDER_INVALID, CLASS_DNS_MISSING, CLASS_COUNT };

/* Is user among the names, separated by commas and blanks? */
static bool names_user(const char *names, const char *user)
{
	static const char separators[] = ", \t\r\n";
	size_t length = strlen(user);

	for (names += strspn(names, separators); *names; names += strspn(names, separators)) {
		size_t n = strcspn(names, separators);

		if (n == length && strncasecmp(names, user, n) == 0)
			return true;
		names += n;
	}
	return false;
}

/* As Postfix's reject_sender_login_mismatch for users that are logged in: who may use an address stands in the map, others may not. */
static void judge_owner(struct txn *t)
{
	struct table *maps = setting_table(t->policy, &settings[LOGIN_MAPS]);
	const char *users = "";
	enum answer answer;

	if (table_is_empty(maps))
		return;
	answer = table_lookup_address(maps, &t->sender, t->mem, &users);
	if (listed(t, "sender.login_maps", answer)) {
		if (!names_user(users, t->auth_user))
			finding(t, CLASS_SENDER_INVALID, 1.0, "sender %.150s is not one that user %.100s may use (sender.login_maps)", t->sender.text, t->auth_user);
	} else if (answer == ANSWER_NO) {
		finding(t, CLASS_SENDER_INVALID, 1.0, "sender %.150s of user %.100s is not in sender.login_maps", t->sender.text, t->auth_user);
	}
}

/* ---- the domain */

static enum chain_state run_domain(struct txn *t, void *state)
{
	return mail_hosts(t->lasting, t->session->answers, t->sender.domain, MAIL_ASK_NAMES, state) == MAIL_PENDING ? CHAIN_PENDING : CHAIN_DONE;
}

/* An address literal is a host, and no domain. What is ours takes mail, whatever DNS says of it. Clients that we trust may forward whose domain they like. That the
 * local part cannot be read does not matter: MTAs take "<a..b@example.com>". */
static bool domain_matters(const struct txn *t)
{
	const char *domain = t->sender.domain;
	enum ours ours;

	if (t->null_sender || domain[0] == '\0' || domain[0] == '[' || t->session->trusted)
		return false;
	if (t->session->client.family == 0 && t->auth_user == NULL)
		return false;                    /* this machine */
	ours = domain_is_ours(t, domain);
	return ours == OURS_NO || ours == OURS_UNTOLD;
}

/* Can it be asked for at all? */
static bool domain_possible(const struct txn *t)
{
	return address_domain_valid(t->sender.domain, strlen(t->sender.domain));
}

static void ask_mail(struct txn *t)
{
	if (t->session->answers == NULL || t->sender_hosts != NULL || !domain_matters(t) || !domain_possible(t))
		return;
	t->sender_hosts = talloc_zero(t->lasting, struct mail_hosts);
	if (t->sender_hosts != NULL)
		chain_start(t, run_domain, t->sender_hosts, STAGE_MAIL);
}

/* Inbound dns-missing, outbound sender-invalid: each class is kept in its own direction alone. */
static void judge_domain(struct txn *t)
{
	const char *domain = t->sender.domain, *fault;
	enum class_case special = CASE_USUAL;

	/* of a submission it is malformed, below */
	if (t->sender_hosts == NULL && !t->outbound && domain_matters(t) && !domain_possible(t))
		finding_shown(t, CLASS_DNS_MISSING, 1.0, "sender domain %.200s is no name that DNS can hold", domain);
	if (t->sender_hosts == NULL)
		return;
	switch (t->sender_hosts->state) {
	case MAIL_NULL_MX: fault = "takes no mail (null MX)"; special = CASE_NULL_MX; break;
	case MAIL_NO_NAME: fault = "does not exist in DNS"; break;
	case MAIL_NO_RECORDS: fault = "has neither MX nor A nor AAAA"; break;
	case MAIL_UNKNOWN: unavailable(t, "sender", setting_bool(t->policy, &dns_settings[DNS_REQUIRED]), "domain %.150s: %.250s", domain, t->sender_hosts->why); return;
	default: return;
	}
	finding_case(t, CLASS_DNS_MISSING, 1.0, special, "sender domain %.200s %s", domain, fault);
	finding_shown(t, CLASS_SENDER_INVALID, 1.0, "sender domain %.200s %s", domain, fault);
}

/* ---- judging */

static void judge_mail(struct txn *t)
{
	judge_domain(t);
	if (!t->outbound)
		return;
	if (!t->sender_valid)
		finding(t, CLASS_SENDER_INVALID, 1.0, "sender %.250s is malformed", t->sender.text);
	else if (t->null_sender)
		return;
	else if (t->sender.domain[0] == '\0')
		finding(t, CLASS_SENDER_INVALID, 1.0, "sender %.250s has no domain", t->sender.text);
	else if (t->auth_user != NULL)
		judge_owner(t);
}

const struct check check_sender = {
	.name = "sender",
	.ask = { [STAGE_MAIL] = ask_mail },
	.judge = { [STAGE_MAIL] = judge_mail },
	.settings = settings,
	.reports = reports,
	.help = "envelope senders",
};
