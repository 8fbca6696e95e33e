/* access.c - the operators' block and allow lists: client addresses, envelope senders, header senders */
#include "check/access.h"

#include <stdio.h>

#include "check/check.h"
#include "check/listed.h"
#include "policy/global.h"
#include "policy/table.h"

enum {
	SENDER_FIELDS_MAX = 20,          /* From and Sender fields that are looked at, each */
	MAILBOXES_MAX = 20,              /* mailboxes in each of them */
	LIST_NAME_MAX = 120
};

static const struct setting settings[] = {
	SETTING_ENABLED,
	{ 0 }
};

static const enum class_id reports[] = {
	CLASS_IP_BLACKLISTED, CLASS_IP_BLACKLISTED_OUTGOING, CLASS_SENDER_BLACKLISTED, CLASS_SENDER_BLACKLISTED_OUTGOING, CLASS_SENDER_REFUSED_BY_DOMAIN,
	CLASS_WHITELISTED, CLASS_COUNT
};

/* One option in its two places: in the policy, and at top level for everybody. A policy does not inherit the top level's. */
struct list {
	const char *option;
	struct table *policy, *global;
};

static struct list list_of(const struct txn *t, const char *option, int policy_row, int global_row)
{
	struct list l = { .option = option };

	l.policy = setting_table(t->policy, &policy_settings[policy_row]);
	l.global = setting_table(t->policy, &global_settings[global_row]);
	return l;
}

static bool list_is_empty(const struct list *l)
{
	return table_is_empty(l->policy) && table_is_empty(l->global);
}

static void name_list(const struct txn *t, const struct list *l, bool own, char name[LIST_NAME_MAX])
{
	if (own)
		snprintf(name, LIST_NAME_MAX, "%s of policy \"%.60s\"", l->option, policy_name(t->policy));
	else
		snprintf(name, LIST_NAME_MAX, "%s of the top level", l->option);
}

/* name: which of the two lists it is on. */
static bool list_has_address(struct txn *t, const struct list *l, const struct address *address, char name[LIST_NAME_MAX])
{
	bool own = listed(t, l->option, table_lookup_address(l->policy, address, t->mem, NULL));

	if (!own && !listed(t, l->option, table_lookup_address(l->global, address, t->mem, NULL)))
		return false;
	name_list(t, l, own, name);
	return true;
}

static bool list_has_ip(struct txn *t, const struct list *l, const struct ip *ip, char name[LIST_NAME_MAX])
{
	bool own = listed(t, l->option, table_lookup_ip(l->policy, ip, t->mem, NULL));

	if (!own && !listed(t, l->option, table_lookup_ip(l->global, ip, t->mem, NULL)))
		return false;
	name_list(t, l, own, name);
	return true;
}

/* "<>" where there is none */
static const char *shown(const struct address *address)
{
	return address->text[0] ? address->text : "<>";
}

static bool global_has_client(struct txn *t, int row)
{
	struct table *table = setting_table(t->policy, &global_settings[row]);

	return listed(t, global_settings[row].name, table_lookup_ip(table, &t->session->client, t->mem, NULL));
}

static void judge_outgoing_client(struct txn *t)
{
	char ip[IP_TEXT_MAX];

	if (global_has_client(t, G_BLOCK_IPS_OUTGOING))
		finding(t, CLASS_IP_BLACKLISTED_OUTGOING, 1.0, "client address %s is on block_ips_outgoing", ip_print(&t->session->client, ip));
}

/* Trusted clients too: whom the operator names here is meant. */
static void judge_connect(struct txn *t)
{
	char ip[IP_TEXT_MAX];

	if (t->session->outbound)
		judge_outgoing_client(t);
	else if (global_has_client(t, G_BLOCK_IPS))
		finding(t, CLASS_IP_BLACKLISTED, 1.0, "client address %s is on block_ips", ip_print(&t->session->client, ip));
}

static void judge_mail(struct txn *t)
{
	struct table *senders;

	if (!t->outbound)
		return;
	/* the session became outbound by its login, after connect was judged */
	if (!t->session->outbound)
		judge_outgoing_client(t);
	senders = setting_table(t->policy, &global_settings[G_BLOCK_SENDERS_OUTGOING]);
	if (listed(t, "block_senders_outgoing", table_lookup_address(senders, &t->sender, t->mem, NULL)))
		finding(t, CLASS_SENDER_BLACKLISTED_OUTGOING, 1.0, "envelope sender %.200s is on block_senders_outgoing", shown(&t->sender));
}

static void judge_blocked(struct txn *t, const struct domain *domain)
{
	struct list block = list_of(t, "block_senders", POLICY_BLOCK_SENDERS, G_BLOCK_SENDERS);
	char name[LIST_NAME_MAX];

	if (list_has_address(t, &block, &t->sender, name)) {
		t->rcpt->word.blocked = true;
		finding(t, CLASS_SENDER_BLACKLISTED, 1.0, "envelope sender %.200s is on %s", shown(&t->sender), name);
	}
	if (domain != NULL && listed(t, "domain.block_senders", table_lookup_address(domain->block_senders, &t->sender, t->mem, NULL))) {
		t->rcpt->word.blocked = true;
		finding(t, CLASS_SENDER_REFUSED_BY_DOMAIN, 1.0, "envelope sender %.200s is on block_senders of domain \"%.100s\"", shown(&t->sender), domain->name);
	}
}

/* SPF pass of the envelope sender's domain, which is the one that the lists were asked for. The HELO name's pass, which the null sender gets, proves no sender. */
static bool proven_by_spf(const struct txn *t)
{
	return t->spf != NULL && t->spf->mail_judged && !t->null_sender && t->spf->mail.result == SPF_PASS;
}

/* Which of the lists of senders names it? */
static bool lists_name_sender(struct txn *t, const struct domain *domain, char name[LIST_NAME_MAX])
{
	struct list senders = list_of(t, "allow_senders", POLICY_ALLOW_SENDERS, G_ALLOW_SENDERS);

	if (list_has_address(t, &senders, &t->sender, name))
		return true;
	if (domain == NULL || !listed(t, "domain.allow_senders", table_lookup_address(domain->allow_senders, &t->sender, t->mem, NULL)))
		return false;
	snprintf(name, LIST_NAME_MAX, "allow_senders of domain \"%.80s\"", domain->name);
	return true;
}

/* An entry bound to an address is proof; a sender's name is one with SPF pass (before DKIM and DMARC are known). */
static void judge_allowed(struct txn *t, const struct domain *domain)
{
	struct list ips = list_of(t, "allow_ips", POLICY_ALLOW_IPS, G_ALLOW_IPS);
	char name[LIST_NAME_MAX], ip[IP_TEXT_MAX];

	if (list_has_ip(t, &ips, &t->session->client, name)) {
		t->rcpt->word.allowed = t->rcpt->word.proven = true;
		finding(t, CLASS_WHITELISTED, 1.0, "client address %s is on %s", ip_print(&t->session->client, ip), name);
		return;
	}
	if (!lists_name_sender(t, domain, name))
		return;
	t->rcpt->word.listed = true;
	if (!proven_by_spf(t) && setting_bool(t->policy, &policy_settings[POLICY_ALLOW_AUTHENTICATED])) {
		note(t, "allow", "sender is listed but not proven: envelope sender %.200s is on %s (allow_authenticated)", shown(&t->sender), name);
		return;
	}
	t->rcpt->word.allowed = true;
	t->rcpt->word.proven = proven_by_spf(t);
	finding(t, CLASS_WHITELISTED, 1.0, "envelope sender %.200s is on %s%s", shown(&t->sender), name, proven_by_spf(t) ? ", with SPF pass" : "");
}

static void judge_rcpt(struct txn *t)
{
	const struct domain *domain;

	t->rcpt->word = (struct list_word){ 0 };
	if (t->outbound)
		return;
	domain = config_domain(policy_config(t->policy), t->rcpt->address.domain);
	judge_blocked(t, domain);
	judge_allowed(t, domain);
}

void access_prove(struct txn *t)
{
	struct list_word *word = t->n_rcpts > 0 ? &t->rcpts[0]->word : NULL;
	const char *check = t->check;

	if (word == NULL || !word->listed || word->proven || t->null_sender || !dkim_passes(t->dkim, t->sender.domain))
		return;
	t->check = "access";
	if (!word->allowed)
		note_drop(t, "allow");           /* "not proven": it is now */
	word->allowed = word->proven = true;
	finding(t, CLASS_WHITELISTED, 1.0, "envelope sender %.200s is allowed, with DKIM pass", shown(&t->sender));
	t->check = check;
}

static void judge_header_sender(struct txn *t, const struct list *block, const char *field_name)
{
	const struct message *m = t->message;
	const struct header_field *field = message_field(m, field_name, 0);
	char name[LIST_NAME_MAX];

	for (int n = 0; field != NULL && n < SENDER_FIELDS_MAX; n++) {
		struct mailbox_list list = address_list_parse(t->mem, field->value, field->value_len, MAILBOXES_MAX);

		for (size_t i = 0; i < list.n; i++) {
			const struct address *a = &list.v[i].address;

			if (a->text[0] && list_has_address(t, block, a, name)) {
				finding(t, CLASS_SENDER_BLACKLISTED, 1.0, "header %s %.200s is on %s", field_name, a->text, name);
				return;
			}
		}
		field = message_field(m, field_name, (size_t)(field - m->fields) + 1);
	}
}

static void judge_eom(struct txn *t)
{
	struct list block;

	if (t->outbound || t->message == NULL)
		return;
	block = list_of(t, "block_senders", POLICY_BLOCK_SENDERS, G_BLOCK_SENDERS);
	if (list_is_empty(&block))
		return;
	judge_header_sender(t, &block, "From");
	judge_header_sender(t, &block, "Sender");
}

const struct check check_access = {
	.name = "access",
	.judge = { [STAGE_CONNECT] = judge_connect, [STAGE_MAIL] = judge_mail, [STAGE_RCPT] = judge_rcpt, [STAGE_EOM] = judge_eom },
	.settings = settings,
	.reports = reports,
	.help = "the block and allow lists (their options stand at top level, in policies and in domains)",
};
