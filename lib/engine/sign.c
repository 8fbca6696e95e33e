/* sign.c - outbound mail is signed (DKIM), last of all, as the MTA will send it */
#include "engine/sign.h"

#include <string.h>

#include "engine/sign_keys.h"
#include "message/author.h"
#include "net/canon.h"
#include "net/dkim_sign.h"

/* ---- the header as the MTA will send it */

struct sent {
	struct dkim_field *v;            /* from the end of the array: fields are put on top */
	size_t first, n;                 /* v[first] to v[n - 1] */
};

/* The index-th of that name, counted from 1 as smfi_chgheader() counts; n: there is none. */
static size_t find(const struct sent *h, const char *name, unsigned index)
{
	for (size_t i = h->first; i < h->n; i++)
		if (header_name_equal(h->v[i].name, name) && index-- <= 1)
			return i;
	return h->n;
}

static struct dkim_field made(const char *name, const char *value)
{
	return (struct dkim_field){ .name = name, .value = value, .name_len = strlen(name), .value_len = strlen(value) };
}

static void apply_change(struct sent *h, const struct change *c)
{
	size_t at;

	switch (c->kind) {
	case CHANGE_ADD_HEADER:
		h->v[--h->first] = made(c->name, c->value);
		break;
	case CHANGE_DELETE_HEADER:
		at = find(h, c->name, c->index);
		if (at < h->n)
			memmove(&h->v[at], &h->v[at + 1], (--h->n - at) * sizeof(h->v[0]));
		break;
	case CHANGE_SET_HEADER:
		at = find(h, c->name, 1);
		h->v[at] = made(c->name, c->value);
		h->n += at == h->n;
		break;
	default:
		break;                           /* the envelope is not signed */
	}
}

/* Changes are carried out in their order (milter/reply.c). false: no memory. */
static bool sent_header(const struct txn *t, TALLOC_CTX *mem, struct sent *h)
{
	const struct message *m = t->message;

	*h = (struct sent){ .first = t->n_changes, .n = t->n_changes + m->n_fields };
	h->v = talloc_array(mem, struct dkim_field, m->n_fields + 2 * t->n_changes + 1);
	if (h->v == NULL)
		return false;
	for (size_t i = 0; i < m->n_fields; i++) {
		const struct header_field *f = &m->fields[i];

		h->v[h->first + i] = (struct dkim_field){ .name = f->name, .value = f->value, .name_len = f->name_len, .value_len = f->value_len };
	}
	for (size_t i = 0; i < t->n_changes; i++)
		apply_change(h, &t->changes[i]);
	return true;
}

/* ---- the body */

static bool body_digest(struct message *m, TALLOC_CTX *mem, bool relaxed, uint8_t digest_r[HASH_SHA256])
{
	struct canon_body *body = canon_body_new(mem, relaxed, -1);
	uint64_t octets;
	const char *data;
	size_t len;

	if (body == NULL || message_bytes(m, &data, &len) != 0 || len < m->body_size)
		return false;
	canon_body_add(body, data + (len - m->body_size), m->body_size);
	return canon_body_end(body, digest_r, &octets);
}

/* ---- signing */

static const char *sign_with(struct txn *t, TALLOC_CTX *mem, const struct signers *signers)
{
	const char *form = setting_string(t->policy, &sign_settings[SIGN_CANONICALIZATION]), *problem = NULL;
	int64_t lifetime = setting_ms(t->policy, &sign_settings[SIGN_LIFETIME]) / 1000;
	struct dkim_sign_options options = {
		.domain = signers->domain, .now = t->now / 1000000, .relaxed_header = strncmp(form, "relaxed/", 8) == 0, .relaxed_body = strcmp(strchr(form, '/'), "/relaxed") == 0,
		.headers = setting_list(t->policy, &sign_settings[SIGN_HEADERS]), .oversign = setting_list(t->policy, &sign_settings[SIGN_OVERSIGN]),
	};
	uint8_t digest[HASH_SHA256];
	char *values[SIGNERS_MAX];
	struct sent h;

	if (t->message->header_cut)
		return "it has more fields than are kept";
	if (!sent_header(t, mem, &h) || !body_digest(t->message, mem, options.relaxed_body, digest))
		return "there is no memory";
	options.expires = lifetime > 0 ? options.now + lifetime : 0;
	for (size_t i = 0; i < signers->n && problem == NULL; i++) {
		options.selector = signers->v[i].selector;
		options.key = signers->v[i].key;
		values[i] = dkim_sign(mem, h.v + h.first, h.n - h.first, digest, &options, &problem);
		if (values[i] != NULL)
			problem = NULL;
	}
	/* the last one added stands highest; the first key's is to */
	for (size_t i = signers->n; problem == NULL && i-- > 0;)
		change(t, CHANGE_ADD_HEADER, "DKIM-Signature", 0, values[i]);
	return problem;
}

const char *sign_message(struct winnow_session *ws)
{
	struct txn *t = &ws->t;
	size_t before = t->n_changes;
	struct signers signers;
	struct author author;
	const char *problem;
	TALLOC_CTX *mem;

	if (!t->outbound || t->message == NULL || ws->dry != NULL || table_spec(setting_table(t->policy, &sign_settings[SIGN_KEYS]))[0] == '\0')
		return NULL;
	mem = talloc_new(t->lasting);
	if (mem == NULL)
		return "there is no memory";
	author = author_of(mem, t->message->fields, t->message->n_fields);
	if (author.state != AUTHOR_ONE) {
		talloc_free(mem);
		return NULL;                     /* nobody's: the header rules judge it */
	}
	problem = sign_keys_find(ws->engine->sign_keys, t->config, mem, author.domain, &signers);
	if (problem == NULL && signers.domain != NULL) {
		problem = sign_with(t, mem, &signers);
		if (problem == NULL && t->n_changes != before + signers.n)
			problem = "there is no memory";
	}
	if (problem != NULL && (problem = talloc_strdup(t->lasting, problem)) == NULL)
		problem = "there is no memory";
	talloc_free(mem);
	return problem;
}
