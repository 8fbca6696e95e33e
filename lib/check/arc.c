/* arc.c - who handed this message on, and what they saw (RFC 8617): facts for DMARC and Authentication-Results; nobody is refused for a chain */
#include "check/arc.h"

#include <string.h>
#include <strings.h>

#include "check/check.h"
#include "check/dkim.h"
#include "facts/chain.h"
#include "message/authres.h"
#include "policy/table.h"
#include "util/domain.h"

const struct setting arc_settings[] = {
	[ARC_SETTING_ENABLED] = SETTING_ENABLED,
	[ARC_SETTING_TRUSTED_SEALERS] = { .name = "trusted_sealers", .type = SET_TABLE, .scope = SCOPE_POLICY, .def = "",
		.help = "domains (d= of ARC-Seal) whose chain may save a message that fails DMARC" },
	{ 0 }
};

static const enum class_id reports[] = { CLASS_COUNT };

/* ---- validation */

static enum chain_state run_keys(struct txn *t, void *state)
{
	return arc_validator_keys(state, t->session->answers) ? CHAIN_DONE : CHAIN_PENDING;
}

/* The header is over: the chain is read, and its keys asked for while the body arrives. */
static void ask_eoh(struct txn *t)
{
	struct arc_options options = { .bits_min = (unsigned)setting_int(t->policy, &dkim_settings[DKIM_SETTING_KEY_BITS_MIN]), .now = t->now / 1000000 };
	struct dkim_field *fields;
	TALLOC_CTX *mem;

	if (t->outbound || t->session->answers == NULL || t->message == NULL || t->arc != NULL)
		return;
	t->arc = talloc_zero(t->lasting, struct arc_facts);
	if (t->arc == NULL)
		return;
	mem = talloc_new(t->lasting);
	fields = dkim_fields_of(mem, t->message);
	options.incomplete = t->message->header_cut;
	if (fields != NULL)
		t->arc_validator = arc_validator_new(t->lasting, fields, t->message->n_fields, &options, t->arc);
	talloc_free(mem);
	if (t->arc_validator == NULL)
		note(t, "arc", "no memory");
	else if (!t->arc->done)
		chain_start(t, run_keys, t->arc_validator, STAGE_EOM);
}

static void judge_body(struct txn *t)
{
	if (t->arc_validator != NULL)
		arc_validator_body(t->arc_validator, t->piece, t->piece_len);
}

static void judge_eom(struct txn *t)
{
	if (t->arc_validator == NULL)
		return;
	arc_validator_end(t->arc_validator);
	if (t->arc->result == ARC_TEMPERROR)
		unavailable(t, "arc", false, "%.200s", t->arc->problem);
}

/* ---- trust */

static bool trusted(struct txn *t, const char *sealer)
{
	struct table *table = setting_table(t->policy, &arc_settings[ARC_SETTING_TRUSTED_SEALERS]);
	enum answer answer = table != NULL ? table_lookup_domain(table, sealer, t->mem, NULL) : ANSWER_NO;

	if (answer == ANSWER_UNAVAILABLE)
		unavailable(t, "arc.trusted_sealers", false, "the table cannot be read");
	return answer == ANSWER_YES;
}

/* The domain of "user@domain", or of a domain alone, lies within org. */
static bool speaks_for(TALLOC_CTX *mem, const char *value, const char *org)
{
	const char *at = value != NULL ? strrchr(value, '@') : NULL;
	const char *domain = value != NULL ? domain_ascii(mem, at != NULL ? at + 1 : value) : NULL;

	return domain != NULL && domain_within(domain, org);
}

/* Did it pass there: DMARC for this very author domain, or DKIM or SPF of its organizational domain? */
static bool passed_there(TALLOC_CTX *mem, const struct arc_set *set, const char *from, const char *org)
{
	struct authres_results results;

	if (!authres_read(mem, set->results, strlen(set->results), &results))
		return false;
	for (size_t i = 0; i < results.n; i++) {
		const struct authres_result *r = &results.v[i];
		const char *header_from = authres_property(r, "header.from");

		if (strcmp(r->result, "pass") != 0)
			continue;
		if (strcmp(r->method, "dmarc") == 0 && header_from != NULL && strcasecmp(header_from, from) == 0)
			return true;
		if (strcmp(r->method, "dkim") == 0 && (speaks_for(mem, authres_property(r, "header.d"), org) || speaks_for(mem, authres_property(r, "header.i"), org)))
			return true;
		if (strcmp(r->method, "spf") == 0 && speaks_for(mem, authres_property(r, "smtp.mailfrom"), org))
			return true;
	}
	return false;
}

/* "arc=pass as[2].d=list.example as[2].s=s1 as[1].d=... as[1].s=..." */
static char *comment_of(TALLOC_CTX *mem, const struct arc_facts *arc)
{
	char *text = talloc_strdup(mem, "arc=pass");

	for (size_t i = arc->n; i-- > 0 && text != NULL;)
		text = talloc_asprintf_append_buffer(text, " as[%zu].d=%s as[%zu].s=%s", i + 1, arc->sets[i].sealer, i + 1, arc->sets[i].selector);
	return text;
}

char *arc_vouches(struct txn *t, TALLOC_CTX *mem, const char *from, const char *org)
{
	const struct arc_facts *arc = t->arc;
	size_t first;
	bool passed;
	TALLOC_CTX *scratch;

	if (arc == NULL || arc->result != ARC_PASS || arc->partial || arc->n == 0 || org[0] == '\0')
		return NULL;
	first = arc->n;
	while (first > 0 && trusted(t, arc->sets[first - 1].sealer))
		first--;
	/* the last one vouches for the message as it came: its signature is its own */
	if (first == arc->n || !trusted(t, arc->sets[arc->n - 1].signer))
		return NULL;
	scratch = talloc_new(mem);
	passed = passed_there(scratch, &arc->sets[first], from, org);
	talloc_free(scratch);
	return passed ? comment_of(mem, arc) : NULL;
}

const struct check check_arc = {
	.name = "arc",
	.ask = { [STAGE_EOH] = ask_eoh },
	.judge = { [STAGE_BODY] = judge_body, [STAGE_EOM] = judge_eom },
	.settings = arc_settings,
	.reports = reports,
	.help = "who has handed a message on (ARC); no class: for DMARC and Authentication-Results",
};
