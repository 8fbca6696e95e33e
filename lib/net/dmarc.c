/* dmarc.c - alignment and evaluation (RFC 9989 sections 4.4, 4.7, 5.3), a pure function over the table of answers */
#include "net/dmarc.h"

#include <string.h>

#include "net/dmarc_private.h"
#include "util/domain.h"

enum { A = 1 };

/* Does an identity speak for the author domain? */
enum aligned { ALIGNED_NO, ALIGNED_YES, ALIGNED_UNKNOWN, ALIGNED_PENDING };

struct evaluation {
	TALLOC_CTX *mem;                 /* of this run */
	struct answers *answers;
	const struct dmarc_question *question;
	const char *from;                /* A-labels */
	struct dmarc_walk walk;          /* of from */
	struct dmarc_outcome *outcome;
	bool pending, unknown;           /* an identity's alignment; what might have passed */
	const char *unknown_why;
};

const char *dmarc_result_name(enum dmarc_result result)
{
	static const char *const names[] = { "pending", "none", "pass", "fail", "temperror", "permerror" };

	return names[result];
}

const char *dmarc_policy_name(enum dmarc_policy policy)
{
	static const char *const names[] = { "", "none", "quarantine", "reject" };

	return names[policy];
}

/* ---- alignment */

static const char *last_label(const char *domain)
{
	const char *dot = strrchr(domain, '.');

	return dot != NULL ? dot + 1 : domain;
}

/* Relaxed: of one organizational domain. Only what lies within the author's can have it too, so nothing else is looked up. */
static enum aligned align_relaxed(struct evaluation *e, const char *domain)
{
	const char *org = e->walk.org;
	struct dmarc_walk walk;

	if (org == NULL)                         /* it lies somewhere above the author domain */
		return strcmp(last_label(domain), last_label(e->from)) == 0 ? ALIGNED_UNKNOWN : ALIGNED_NO;
	if (!domain_within(domain, org))
		return ALIGNED_NO;
	if (e->question->suffixes != NULL) {
		const char *registrable = suffix_list_registrable(e->question->suffixes, domain);

		return strcmp(registrable != NULL ? registrable : domain, org) == 0 ? ALIGNED_YES : ALIGNED_NO;
	}
	dmarc_discover(e->answers, NULL, domain, &walk);
	if (walk.state == DMARC_WALK_PENDING)
		return ALIGNED_PENDING;
	if (walk.state == DMARC_WALK_FAILED)
		return ALIGNED_UNKNOWN;
	return strcmp(walk.org, org) == 0 ? ALIGNED_YES : ALIGNED_NO;
}

static enum aligned align(struct evaluation *e, const char *identity, bool strict)
{
	const char *domain = domain_ascii(e->mem, identity);

	if (domain == NULL)
		return ALIGNED_NO;
	if (strcmp(domain, e->from) == 0)
		return ALIGNED_YES;
	return strict ? ALIGNED_NO : align_relaxed(e, domain);
}

/* Is it an aligned pass? What is not known is remembered. */
static bool passes(struct evaluation *e, const struct dmarc_identity *identity, bool strict, const char *what)
{
	enum aligned aligned;

	if (identity->domain == NULL || (!identity->passed && !identity->temperror))
		return false;
	aligned = align(e, identity->domain, strict);
	if (aligned == ALIGNED_PENDING)
		e->pending = true;
	if (aligned == ALIGNED_YES && identity->passed)
		return true;
	if (aligned == ALIGNED_UNKNOWN || aligned == ALIGNED_YES) {
		e->unknown = true;
		if (e->unknown_why == NULL)
			e->unknown_why = aligned == ALIGNED_YES ? what : "a look-up for the organizational domain failed";
	}
	return false;
}

static void look_at_identities(struct evaluation *e, const struct dmarc_record *record)
{
	const struct dmarc_question *q = e->question;
	struct dmarc_outcome *o = e->outcome;

	o->spf_aligned = passes(e, &q->spf, record->strict_spf, "SPF has a temporary error");
	for (size_t i = 0; i < q->n_dkim; i++)
		if (passes(e, &q->dkim[i], record->strict_dkim, "DKIM has a temporary error") && !o->dkim_aligned) {
			o->dkim_aligned = true;
			o->dkim_index = i;
		}
}

/* ---- policy */

/* Does the author domain not exist (RFC 9989 section 3.2.14)? */
static enum aligned nonexistent(struct evaluation *e)
{
	const char *const *records;
	size_t n;

	if (e->walk.name_seen)
		return ALIGNED_NO;
	switch (answers_get(e->answers, A, e->from, &records, &n)) {
	case ANSWER_PENDING: return ALIGNED_PENDING;
	case ANSWER_NXDOMAIN: return ALIGNED_YES;
	case ANSWER_FAILED: case ANSWER_LATE: return ALIGNED_UNKNOWN;
	default: return ALIGNED_NO;
	}
}

static void set_policy(struct dmarc_outcome *o, enum dmarc_policy policy, const char *tag)
{
	o->policy = policy;
	o->policy_tag = tag;
}

/* p at the author domain itself; below the record's name sp, and np for names that do not exist. Where that is not known, the weaker one. */
static void choose_policy(struct evaluation *e, const struct dmarc_record *record)
{
	struct dmarc_outcome *o = e->outcome;

	set_policy(o, record->p, "p");
	if (record->substituted)
		set_policy(o, DMARC_POLICY_NONE, "p");
	if (record->substituted || strcmp(e->walk.domain, e->from) == 0)
		return;
	if (record->sp != DMARC_POLICY_UNSET)
		set_policy(o, record->sp, "sp");
	if (record->np == DMARC_POLICY_UNSET || record->np == o->policy || o->spf_aligned || o->dkim_aligned)
		return;                          /* where it passes nobody asks whether it exists */
	switch (nonexistent(e)) {
	case ALIGNED_PENDING:
		e->pending = true;
		break;
	case ALIGNED_YES:
		o->nonexistent = true;
		set_policy(o, record->np, "np");
		break;
	case ALIGNED_UNKNOWN:
		if (record->np < o->policy)
			set_policy(o, record->np, "np");
		break;
	default:
		break;
	}
}

/* t=y, and pct=0 of RFC 7489 which meant the same. */
static enum dmarc_policy disposition_of(const struct dmarc_record *record, enum dmarc_policy policy)
{
	if ((record->testing || record->pct == 0) && policy > DMARC_POLICY_NONE)
		return policy - 1;
	return policy;
}

/* ---- evaluation */

static enum dmarc_result finish(struct evaluation *e, enum dmarc_result result, const char *problem)
{
	e->outcome->result = result;
	if (problem != NULL)
		e->outcome->problem = problem;
	return result;
}

/* A record was found: the result. */
static enum dmarc_result apply(struct evaluation *e, TALLOC_CTX *mem)
{
	struct dmarc_outcome *o = e->outcome;

	if (!dmarc_record_parse(mem, e->walk.text, &o->record))
		return finish(e, DMARC_TEMPERROR, "no memory");
	if (!o->record.usable)
		return finish(e, DMARC_NONE, "the record has no usable policy and no address for reports");
	look_at_identities(e, &o->record);
	choose_policy(e, &o->record);
	if (e->pending)
		return finish(e, DMARC_PENDING, NULL);
	if (o->spf_aligned || o->dkim_aligned)
		return finish(e, DMARC_PASS, NULL);
	if (e->unknown)
		return finish(e, DMARC_TEMPERROR, e->unknown_why);
	o->disposition = disposition_of(&o->record, o->policy);
	return finish(e, DMARC_FAIL, NULL);
}

static enum dmarc_result evaluate(struct evaluation *e, TALLOC_CTX *mem)
{
	struct dmarc_outcome *o = e->outcome;

	e->from = domain_ascii(e->mem, e->question->from);
	if (e->from == NULL)
		return finish(e, DMARC_PERMERROR, "the author domain is no domain");
	dmarc_discover(e->answers, e->question->suffixes, e->from, &e->walk);
	if (e->walk.state == DMARC_WALK_PENDING)
		return finish(e, DMARC_PENDING, NULL);
	o->from = talloc_strdup(mem, e->from);
	if (e->walk.org != NULL)
		o->org = talloc_strdup(mem, e->walk.org);
	if (e->walk.text != NULL)
		o->domain = talloc_strdup(mem, e->walk.domain);
	if (o->from == NULL || o->org == NULL || o->domain == NULL)
		return finish(e, DMARC_TEMPERROR, "no memory");
	if (e->walk.text != NULL)
		return apply(e, mem);
	if (e->walk.state == DMARC_WALK_FAILED)
		return finish(e, DMARC_TEMPERROR, "the look-up of the policy record failed");
	return finish(e, DMARC_NONE, NULL);
}

static const struct dmarc_outcome nothing = {
	.result = DMARC_TEMPERROR, .from = "", .domain = "", .org = "", .record = { .psd = 'u', .pct = -1, .rua = "", .ruf = "" },
	.disposition = DMARC_POLICY_NONE, .policy_tag = "", .problem = "",
};

enum dmarc_result dmarc_check(TALLOC_CTX *mem, struct answers *answers, const struct dmarc_question *question, struct dmarc_outcome *outcome_r)
{
	TALLOC_CTX *run = talloc_new(mem), *kept = talloc_new(mem);
	struct evaluation e = { .mem = run, .answers = answers, .question = question, .outcome = outcome_r };

	*outcome_r = nothing;
	if (run == NULL || kept == NULL)
		finish(&e, DMARC_TEMPERROR, "no memory");
	else
		evaluate(&e, kept);
	talloc_free(run);
	/* a run that did not end, or broke off, leaves nothing behind */
	if (outcome_r->result == DMARC_PENDING || strcmp(outcome_r->problem, "no memory") == 0) {
		enum dmarc_result result = outcome_r->result;
		const char *problem = outcome_r->problem;

		talloc_free(kept);
		*outcome_r = nothing;
		outcome_r->result = result;
		outcome_r->problem = problem;
	}
	return outcome_r->result;
}
