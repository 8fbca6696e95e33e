/* history_row.c - what the DMARC history says of a message: who it came from, what was authenticated, what was asked for and what was done */
#include "engine/engine.h"

#include <string.h>

#include "check/dmarc.h"
#include "engine/history.h"
#include "net/dmarc_history.h"

/* The domain that all recipients have; "": they have several. */
static const char *recipients_domain(const struct txn *t)
{
	const char *domain = t->n_rcpts > 0 && t->rcpts[0]->valid ? t->rcpts[0]->address.domain : "";

	for (size_t i = 1; i < t->n_rcpts; i++)
		if (!t->rcpts[i]->valid || strcasecmp(domain, t->rcpts[i]->address.domain) != 0)
			return "";
	return domain;
}

/* Does a bounce come back to who sends our reports? To report on it would never end. */
static bool own_bounce(const struct txn *t, const char *sender)
{
	bool to_sender = t->null_sender && t->n_rcpts > 0 && sender[0] != '\0';

	for (size_t i = 0; i < t->n_rcpts && to_sender; i++)
		to_sender = strcasecmp(t->rcpts[i]->address.text, sender) == 0;
	return to_sender;
}

/* Signatures that pass come first: a report has room for so many. */
static void add_signatures(TALLOC_CTX *mem, const struct txn *t, struct dmarc_row *row)
{
	const struct dkim_facts *facts = t->dkim;

	row->signatures = facts != NULL ? talloc_array(mem, struct dmarc_row_signature, facts->n + 1) : NULL;
	for (int passing = 1; passing >= 0 && row->signatures != NULL; passing--)
		for (size_t i = 0; i < facts->n; i++)
			if ((facts->v[i].result == DKIM_PASS) == (passing == 1) && facts->v[i].domain[0] != '\0')
				row->signatures[row->n_signatures++] = (struct dmarc_row_signature){ facts->v[i].domain, facts->v[i].selector, facts->v[i].result };
}

static enum dmarc_action action_of(enum action action)
{
	switch (action) {
	case ACT_REJECT: return DMARC_ACTION_REJECT;
	case ACT_DISCARD: return DMARC_ACTION_DISCARD;
	case ACT_TEMPFAIL: return DMARC_ACTION_TEMPFAIL;
	case ACT_QUARANTINE:
	case ACT_HOLD: return DMARC_ACTION_QUARANTINE;
	default: return DMARC_ACTION_ACCEPT;
	}
}

/* Of a failure: what was done, and why it is not what the domain's owner asks for (RFC 9990 section 3.1.1.8). */
static void add_disposition(struct winnow_session *ws, const struct verdict_input *input, struct dmarc_row *row)
{
	const struct dmarc_facts *f = ws->t.dmarc;
	const struct dmarc_outcome *o = &f->outcome;
	enum class_id class = o->disposition == DMARC_POLICY_REJECT ? CLASS_DMARC_REJECT : CLASS_DMARC_QUARANTINE;
	const struct finding *found = findings_get(&ws->t.found, class);

	row->disposition = DMARC_POLICY_NONE;
	if (o->result == DMARC_TEMPERROR) {
		row->reason = "other";
		row->comment = "a temporary failure of DNS";
		return;
	}
	if (o->result != DMARC_FAIL)
		return;
	if (o->policy != o->disposition) {
		row->reason = "policy_test_mode";
		row->comment = o->record.testing ? "t=y" : "pct=0";
	}
	if (o->disposition == DMARC_POLICY_NONE)
		return;
	if (f->override != NULL) {
		row->reason = f->override;
		row->comment = f->comment;
	} else if (found == NULL || !verdict_counts(found, input)) {
		row->reason = "local_policy";
		row->comment = input->word.allowed ? "allow list" : "not asked for by the recipient";
	} else if (row->action == DMARC_ACTION_ACCEPT) {
		row->reason = "local_policy";
		row->comment = "failures are recorded only";
	} else if (row->action == DMARC_ACTION_QUARANTINE && o->disposition == DMARC_POLICY_REJECT) {
		row->disposition = DMARC_POLICY_QUARANTINE;
		row->reason = "local_policy";
		row->comment = "kept for the recipient";
	} else {
		row->disposition = o->disposition;
	}
}

/* false: there is nothing to report. */
static bool make_row(TALLOC_CTX *mem, struct winnow_session *ws, const struct verdict_input *input, struct dmarc_row *row)
{
	const struct txn *t = &ws->t;
	const struct dmarc_outcome *o = &t->dmarc->outcome;
	const struct policy *p = config_default_policy(t->config);
	char *client = talloc_array(mem, char, IP_TEXT_MAX);

	if (client == NULL || o->domain[0] == '\0' || ws->decided.action == ACT_TEMPFAIL || own_bounce(t, setting_string(p, &dmarc_settings[DMARC_SETTING_REPORT_SENDER])))
		return false;
	*row = (struct dmarc_row){
		.id = t->id, .reporter = config_hostname(t->config), .received = t->now / 1000000, .client = ip_print(&t->session->client, client), .from = o->from,
		.envelope_from = !t->null_sender && t->sender_valid ? t->sender.domain : "", .envelope_to = recipients_domain(t), .helo = t->session->helo,
		.spf_domain = t->spf != NULL ? t->spf->mail.domain : "", .spf_helo = t->null_sender, .spf = t->spf != NULL ? t->spf->mail.result : SPF_NONE,
		.domain = o->domain, .record = o->record, .policy = o->policy, .psl = strcmp(setting_string(p, &dmarc_settings[DMARC_SETTING_DISCOVERY]), "psl") == 0,
		.result = o->result, .spf_aligned = o->spf_aligned, .dkim_aligned = o->dkim_aligned, .arc = t->arc != NULL ? t->arc->result : ARC_NONE,
		.action = action_of(ws->decided.action),
	};
	add_signatures(mem, t, row);
	add_disposition(ws, input, row);
	return true;
}

void history_message(struct winnow_session *ws, const struct verdict_input *input)
{
	const struct dmarc_facts *f = ws->t.dmarc;
	struct dmarc_row row;
	TALLOC_CTX *mem;
	char *text;

	if (ws->engine->history == NULL || ws->dry != NULL || f == NULL || f->author.state != AUTHOR_ONE || f->outcome.result == DMARC_PENDING || f->outcome.domain == NULL)
		return;
	if (setting_string(config_default_policy(ws->t.config), &dmarc_settings[DMARC_SETTING_HISTORY])[0] == '\0')
		return;
	mem = talloc_new(NULL);
	text = make_row(mem, ws, input, &row) ? dmarc_row_text(mem, &row) : NULL;
	if (text != NULL)
		history_add(ws->engine->history, text);
	talloc_free(mem);
}
