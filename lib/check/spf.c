/* spf.c - may this client send for that domain: SPF for HELO and MAIL FROM (RFC 7208), asked early, judged when the recipient's policy is known */
#include "check/spf.h"

#include "check/check.h"
#include "facts/chain.h"
#include "policy/global.h"

enum { SECOND = 1000 };

const struct setting spf_settings[] = {
	[SPF_SETTING_ENABLED] = SETTING_ENABLED,
	[SPF_SETTING_CHECK_HELO] = { .name = "check_helo", .type = SET_BOOL, .scope = SCOPE_POLICY, .def = "true", .help = "judge the HELO identity too" },
	[SPF_SETTING_TIMEOUT] = { .name = "timeout", .type = SET_DURATION, .def = "20s", .min = 100, .max = 600 * SECOND, .help = "for the whole evaluation; then temperror" },
	{ 0 }
};

static const enum class_id reports[] = { CLASS_SPF_FAIL, CLASS_SPF_NEVER_SENDS, CLASS_COUNT };

struct spf_question spf_helo_identity(const struct txn *t)
{
	const char *helo = t->session->helo != NULL ? t->session->helo : "";

	return (struct spf_question){ .client = t->session->client, .local = "", .domain = helo, .helo = helo };
}

struct spf_question spf_mail_identity(const struct txn *t)
{
	struct spf_question q = spf_helo_identity(t);

	if (!t->null_sender) {
		/* of what is no path of SMTP too: MTAs take "<a..b@example.com>", RFC 7208 section 4.3 says what "<@example.com>" means, and what can be no domain has no record */
		q.local = t->sender.local;
		q.domain = t->sender.domain;
	}
	return q;
}

/* ---- asking */

struct evaluation {
	struct spf_question question;
	struct spf_outcome *outcome;     /* a fact of the transaction */
	int64_t limit;                   /* of answers_waited(): what a client lets pass between its commands is not the evaluation's */
};

static enum chain_state run_evaluation(struct txn *t, void *state)
{
	struct answers *answers = t->session->answers;
	struct evaluation *e = state;

	if (spf_check(t->lasting, answers, &e->question, e->outcome) != SPF_PENDING)
		return CHAIN_DONE;
	if (answers_waited(answers) >= e->limit) {
		*e->outcome = (struct spf_outcome){ .result = SPF_TEMPERROR, .domain = e->question.domain, .mechanism = "", .problem = "no result within spf.timeout", .trace = "" };
		return CHAIN_DONE;
	}
	answers_wake(answers, e->limit);
	return CHAIN_PENDING;
}

static void start(struct txn *t, struct spf_question question, struct spf_outcome *outcome)
{
	struct evaluation *e = talloc(t->lasting, struct evaluation);
	int64_t limit = answers_waited(t->session->answers) + setting_ms(t->policy, &spf_settings[SPF_SETTING_TIMEOUT]) * 1000;

	if (e == NULL)
		return;
	*e = (struct evaluation){ .question = question, .outcome = outcome, .limit = limit };
	chain_start(t, run_evaluation, e, STAGE_MAIL);
}

/* Only sends the first question: a chain of the session would be forgotten at MAIL. */
static void ask_helo(struct txn *t)
{
	struct spf_question q = spf_helo_identity(t);
	struct spf_outcome outcome;
	TALLOC_CTX *mem;

	if (t->session->answers == NULL || !txn_of_stranger(t))
		return;
	mem = talloc_new(NULL);
	spf_check(mem, t->session->answers, &q, &outcome);
	talloc_free(mem);
}

static void ask_mail(struct txn *t)
{
	if (t->session->answers == NULL || !txn_of_stranger(t) || t->spf != NULL)
		return;
	t->spf = talloc_zero(t->lasting, struct spf_facts);
	if (t->spf == NULL)
		return;
	start(t, spf_mail_identity(t), &t->spf->mail);
	if (!t->null_sender)
		start(t, spf_helo_identity(t), &t->spf->helo);
}

/* ---- judging */

/* identity: of the two, in a reply */
static void judge_outcome(struct txn *t, const struct spf_outcome *o, const char *identity)
{
	char ip[IP_TEXT_MAX];

	if (o->result == SPF_TEMPERROR)
		unavailable(t, "spf", setting_bool(t->policy, &dns_settings[DNS_REQUIRED]), "%s %.200s: temperror, %.150s", identity, o->domain, o->problem);
	if (o->result == SPF_FAIL)
		finding_shown(t, CLASS_SPF_FAIL, 1.0, "%s %.200s does not permit %s (%.100s)", identity, o->domain, ip_print(&t->session->client, ip), o->mechanism);
}

/* Softfail, neutral, none and permerror refuse nothing (section 8); what a temperror hides is a note, or defers the message where DNS is required. */
static void judge_mail(struct txn *t)
{
	struct spf_facts *f = t->spf;

	if (f == NULL || !txn_of_stranger(t))
		return;
	f->mail_judged = f->mail.result != SPF_PENDING;
	f->helo_judged = f->helo.result != SPF_PENDING && setting_bool(t->policy, &spf_settings[SPF_SETTING_CHECK_HELO]);
	if (f->mail_judged) {
		if (f->mail.never_sends && !t->null_sender)
			finding_shown(t, CLASS_SPF_NEVER_SENDS, 1.0, "%.200s publishes that it never sends mail (v=spf1 -all)", f->mail.domain);
		judge_outcome(t, &f->mail, t->null_sender ? "HELO" : "MAIL FROM");
	}
	if (f->helo_judged)
		judge_outcome(t, &f->helo, "HELO");
}

const struct check check_spf = {
	.name = "spf",
	.ask = { [STAGE_HELO] = ask_helo, [STAGE_MAIL] = ask_mail },
	.judge = { [STAGE_MAIL] = judge_mail },
	.settings = spf_settings,
	.reports = reports,
	.help = "may this client send for the sender's domain (SPF)",
};
