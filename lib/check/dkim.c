/* dkim.c - who has signed this message (RFC 6376): facts for DMARC, allow lists and Authentication-Results; nobody is refused for a signature */
#include "check/dkim.h"

#include "check/check.h"
#include "facts/chain.h"

enum { FROM_FIELDS_MAX = 4, FROM_MAX = 20 };

const struct setting dkim_settings[] = {
	[DKIM_SETTING_ENABLED] = SETTING_ENABLED,
	[DKIM_SETTING_SIGNATURES_MAX] = { .name = "signatures_max", .type = SET_INT, .def = "10", .min = 1, .max = 100, .unit = "signatures",
		.help = "of a message that are verified; those aligned with From first" },
	[DKIM_SETTING_KEY_BITS_MIN] = { .name = "key_bits_min", .type = SET_INT, .scope = SCOPE_POLICY, .def = "1024", .min = 1024, .max = 4096, .unit = "bits",
		.help = "signatures with shorter RSA keys do not count" },
	{ 0 }
};

static const enum class_id reports[] = { CLASS_COUNT };

/* The domains that From names: several fields, and several mailboxes, are for the header rules to judge. */
static const char **from_domains(TALLOC_CTX *mem, const struct message *m, size_t *n_r)
{
	const char **domains = talloc_array(mem, const char *, FROM_FIELDS_MAX * FROM_MAX);
	const struct header_field *f = message_field(m, "From", 0);

	*n_r = 0;
	for (int n = 0; domains != NULL && f != NULL && n < FROM_FIELDS_MAX; n++) {
		struct mailbox_list list = address_list_parse(mem, f->value, f->value_len, FROM_MAX);

		for (size_t i = 0; i < list.n; i++)
			if (list.v[i].address.domain[0] != '\0')
				domains[(*n_r)++] = list.v[i].address.domain;
		f = message_field(m, "From", (size_t)(f - m->fields) + 1);
	}
	return domains;
}

static struct dkim_field *fields_of(TALLOC_CTX *mem, const struct message *m)
{
	struct dkim_field *fields = talloc_array(mem, struct dkim_field, m->n_fields);

	for (size_t i = 0; fields != NULL && i < m->n_fields; i++) {
		const struct header_field *f = &m->fields[i];

		fields[i] = (struct dkim_field){ .name = f->name, .value = f->value, .name_len = f->name_len, .value_len = f->value_len };
	}
	return fields;
}

static enum chain_state run_keys(struct txn *t, void *state)
{
	return dkim_verifier_keys(state, t->session->answers) ? CHAIN_DONE : CHAIN_PENDING;
}

/* The header is over: its signatures are read, and their keys asked for while the body arrives. */
static void ask_eoh(struct txn *t)
{
	struct dkim_options options = {
		.signatures_max = (size_t)setting_int(t->policy, &dkim_settings[DKIM_SETTING_SIGNATURES_MAX]),
		.bits_min = (unsigned)setting_int(t->policy, &dkim_settings[DKIM_SETTING_KEY_BITS_MIN]),
		.now = t->now / 1000000,
	};
	struct dkim_field *fields;
	TALLOC_CTX *mem;

	if (t->outbound || t->session->answers == NULL || t->session->dkim == NULL || t->message == NULL || t->dkim != NULL)
		return;
	t->dkim = talloc_zero(t->lasting, struct dkim_facts);
	if (t->dkim == NULL)
		return;
	if (message_field(t->message, "DKIM-Signature", 0) == NULL) {
		t->dkim->done = true;
		return;
	}
	mem = talloc_new(t->lasting);
	options.incomplete = t->message->header_cut;
	options.from = from_domains(mem, t->message, &options.n_from);
	fields = fields_of(mem, t->message);
	if (options.from != NULL && fields != NULL)
		t->dkim_verifier = dkim_verifier_new(t->lasting, t->session->dkim, fields, t->message->n_fields, &options, t->dkim);
	talloc_free(mem);
	if (t->dkim_verifier != NULL)
		chain_start(t, run_keys, t->dkim_verifier, STAGE_EOM);
	else
		note(t, "dkim", "no memory");
}

static void judge_body(struct txn *t)
{
	if (t->dkim_verifier != NULL)
		dkim_verifier_body(t->dkim_verifier, t->piece, t->piece_len);
}

/* What a missing key hides is a note. */
static void judge_eom(struct txn *t)
{
	if (t->dkim_verifier == NULL)
		return;
	dkim_verifier_end(t->dkim_verifier);
	for (size_t i = 0; i < t->dkim->n; i++) {
		const struct dkim_outcome *o = &t->dkim->v[i];

		if (o->result == DKIM_TEMPERROR)
			unavailable(t, "dkim", false, "%.60s._domainkey.%.200s: %.100s", o->selector, o->domain, o->problem);
	}
}

const struct check check_dkim = {
	.name = "dkim",
	.ask = { [STAGE_EOH] = ask_eoh },
	.judge = { [STAGE_BODY] = judge_body, [STAGE_EOM] = judge_eom },
	.settings = dkim_settings,
	.reports = reports,
	.help = "who has signed a message (DKIM); no class: for DMARC, allow lists and Authentication-Results",
};
