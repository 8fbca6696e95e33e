/* dmarc.c - does anything that was authenticated speak for the domain of From, and what does that domain ask for if not (RFC 9989) */
#include "check/dmarc.h"

#include <string.h>

#include "check/arc.h"
#include "check/check.h"
#include "facts/chain.h"
#include "policy/table.h"

const struct setting dmarc_settings[] = {
	[DMARC_SETTING_ENABLED] = SETTING_ENABLED,
	[DMARC_SETTING_DISCOVERY] = { .name = "discovery", .type = SET_STRING, .def = "treewalk", .choices = "treewalk psl",
		.help = "how an organizational domain is found: treewalk (RFC 9989), or psl, the public suffix list (RFC 7489)" },
	[DMARC_SETTING_OVERRIDE_IPS] = { .name = "override_ips", .type = SET_TABLE, .scope = SCOPE_POLICY, .def = "", .help = "forwarders and lists whose failures are recorded only" },
	[DMARC_SETTING_HISTORY] = { .name = "history", .type = SET_PATH, .def = "", .help = "file of rows for aggregate reports, which opendmarc-import reads too; empty: none" },
	[DMARC_SETTING_REPORT_SENDER] = { .name = "report_sender", .type = SET_STRING, .def = "",
		.help = "address that winnowctl dmarc report sends aggregate reports as, to quarantine.release; empty: none are sent" },
	[DMARC_SETTING_REPORT_ORG] = { .name = "report_org", .type = SET_STRING, .def = "", .help = "who we are, in these reports; empty: hostname" },
	{ 0 }
};

static const enum class_id reports[] = { CLASS_DMARC_REJECT, CLASS_DMARC_QUARANTINE, CLASS_COUNT };

/* ---- what was authenticated */

/* MAIL FROM, or HELO of a bounce. Who did not look at SPF does not know that it fails. */
static struct dmarc_identity spf_identity(const struct txn *t)
{
	struct dmarc_identity id = { .domain = t->null_sender ? t->session->helo : t->sender_valid ? t->sender.domain : NULL, .temperror = true };

	if (t->spf != NULL && t->spf->mail.result != SPF_PENDING) {
		id.passed = t->spf->mail.result == SPF_PASS;
		id.temperror = t->spf->mail.result == SPF_TEMPERROR;
	}
	return id;
}

/* Each signature that was looked at. Where signatures were not verified at all, one of the author domain might have passed. NULL: out of memory. */
static struct dmarc_identity *dkim_identities(TALLOC_CTX *mem, const struct txn *t, const char *from, size_t *n_r)
{
	const struct dkim_facts *facts = t->dkim;
	size_t n = facts != NULL ? facts->n : 0;
	struct dmarc_identity *ids = talloc_array(mem, struct dmarc_identity, n + 1);

	for (size_t i = 0; ids != NULL && i < n; i++)
		ids[i] = (struct dmarc_identity){
			.domain = facts->v[i].domain, .passed = facts->v[i].result == DKIM_PASS, .temperror = facts->v[i].result == DKIM_TEMPERROR || facts->v[i].result == DKIM_PENDING,
		};
	if (ids != NULL && (facts == NULL || !facts->done) && message_field(t->message, "DKIM-Signature", 0) != NULL)
		ids[n++] = (struct dmarc_identity){ .domain = from, .temperror = true };
	*n_r = n;
	return ids;
}

/* ahead: before the results are there; whatever may pass is asked about. */
static enum dmarc_result evaluate(struct txn *t, bool ahead, struct dmarc_outcome *o)
{
	struct dmarc_question q = { .from = t->dmarc->author.domain, .spf = spf_identity(t) };
	TALLOC_CTX *mem = talloc_new(NULL);
	struct dmarc_identity *dkim = dkim_identities(mem, t, q.from, &q.n_dkim);
	enum dmarc_result result;

	if (strcmp(setting_string(t->policy, &dmarc_settings[DMARC_SETTING_DISCOVERY]), "psl") == 0)
		q.suffixes = t->session->suffixes;
	if (dkim == NULL)
		q.n_dkim = 0;
	for (size_t i = 0; i < q.n_dkim && ahead; i++)
		dkim[i] = (struct dmarc_identity){ .domain = dkim[i].domain, .temperror = true };
	if (ahead)
		q.spf = (struct dmarc_identity){ .domain = q.spf.domain, .temperror = q.spf.passed || q.spf.temperror };
	q.dkim = dkim;
	result = dmarc_check(ahead ? mem : t->lasting, t->session->answers, &q, o);
	talloc_free(mem);
	return result;
}

/* ---- asking */

static enum chain_state run_ahead(struct txn *t, void *state)
{
	struct dmarc_outcome o;

	(void)state;
	return evaluate(t, true, &o) == DMARC_PENDING ? CHAIN_PENDING : CHAIN_DONE;
}

/* The header is over: the author domain is known, and who may speak for it. */
static void ask_eoh(struct txn *t)
{
	if (t->session->answers == NULL || t->message == NULL || t->dmarc != NULL || !txn_of_stranger(t))
		return;
	t->dmarc = talloc_zero(t->lasting, struct dmarc_facts);
	if (t->dmarc == NULL)
		return;
	t->dmarc->author = author_of(t->lasting, t->message->fields, t->message->n_fields);
	if (t->dmarc->author.state == AUTHOR_ONE)
		chain_start(t, run_ahead, t->dmarc, STAGE_EOM);
}

/* ---- judging */

static void override(struct txn *t, const char *type, const char *comment)
{
	t->dmarc->override = type;
	t->dmarc->comment = comment;
	note(t, "override", "dmarc: %.200s fails, %s: %.200s", t->dmarc->outcome.from, type, comment);
}

/* Is the failure recorded only? */
static bool overridden(struct txn *t)
{
	struct table *ips = setting_table(t->policy, &dmarc_settings[DMARC_SETTING_OVERRIDE_IPS]);
	const struct dmarc_outcome *o = &t->dmarc->outcome;
	enum answer answer = ips != NULL ? table_lookup_ip(ips, &t->session->client, t->mem, NULL) : ANSWER_NO;
	const char *comment;

	if (answer == ANSWER_UNAVAILABLE)
		unavailable(t, "dmarc.override_ips", false, "the table cannot be read");
	if (answer == ANSWER_YES) {
		override(t, "trusted_forwarder", "dmarc.override_ips");
		return true;
	}
	comment = arc_vouches(t, t->lasting, o->from, o->org);
	if (comment != NULL)
		override(t, "local_policy", comment);
	return comment != NULL;
}

static const char *word_of(enum dkim_result result)
{
	return result == DKIM_PASS ? "not aligned" : dkim_result_name(result);
}

/* "SPF pass not aligned (z.example), DKIM fail (bank.example)" */
static const char *why(const struct txn *t)
{
	const char *spf = t->spf == NULL ? "none" : t->spf->mail.result == SPF_PASS ? "not aligned" : spf_result_name(t->spf->mail.result);
	const struct dkim_facts *dkim = t->dkim;

	if (dkim == NULL || dkim->n == 0)
		return talloc_asprintf(t->mem, "SPF %s, no DKIM", spf);
	return talloc_asprintf(t->mem, "SPF %s, DKIM %s (%.100s%s)", spf, word_of(dkim->v[0].result), dkim->v[0].domain, dkim->n > 1 ? " and others" : "");
}

static void no_author(struct dmarc_facts *f)
{
	f->outcome = (struct dmarc_outcome){
		.result = f->author.state == AUTHOR_MISSING ? DMARC_NONE : DMARC_PERMERROR, .from = "", .domain = "", .org = "", .record = { .psd = 'u', .pct = -1, .rua = "", .ruf = "" },
		.disposition = DMARC_POLICY_NONE, .policy_tag = "", .problem = author_problem(f->author.state),
	};
}

static void judge_eom(struct txn *t)
{
	struct dmarc_facts *f = t->dmarc;
	struct dmarc_outcome *o = f != NULL ? &f->outcome : NULL;
	const char *reason;

	if (f == NULL || !txn_of_stranger(t))
		return;
	if (f->author.state != AUTHOR_ONE) {
		no_author(f);
		return;
	}
	if (evaluate(t, false, o) == DMARC_PENDING) {
		o->result = DMARC_TEMPERROR;
		o->problem = "no answer in time";
	}
	if (o->result == DMARC_TEMPERROR)
		unavailable(t, "dmarc", false, "%.200s: %.150s", f->author.domain, o->problem);
	if (o->disposition == DMARC_POLICY_NONE || overridden(t))
		return;
	reason = why(t);
	finding_shown(t, o->disposition == DMARC_POLICY_REJECT ? CLASS_DMARC_REJECT : CLASS_DMARC_QUARANTINE, 1.0, "%.200s: %s=%s, %s", o->from, o->policy_tag, dmarc_policy_name(o->policy),
		reason != NULL ? reason : "nothing aligned");
}

const struct check check_dmarc = {
	.name = "dmarc",
	.ask = { [STAGE_EOH] = ask_eoh },
	.judge = { [STAGE_EOM] = judge_eom },
	.settings = dmarc_settings,
	.reports = reports,
	.help = "does SPF or DKIM speak for the domain of From (DMARC)",
};
