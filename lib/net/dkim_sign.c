/* dkim_sign.c - makes DKIM signatures (RFC 6376 section 5, RFC 8301, 8463) */
#include "net/dkim_sign.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "net/canon.h"
#include "net/dkim_private.h"

enum { FOLD_AT = 76, B_LINE = 70 };

/* What h= will name. */
struct plan {
	const struct dkim_field *fields;         /* the message's */
	size_t n;
	const struct dkim_field *picked[DKIM_NAMES_MAX];        /* in the order of h= */
	size_t n_picked, names;
	const char *seen[DKIM_NAMES_MAX];        /* names that were dealt with */
	size_t n_seen;
	char *h;
	size_t column;
	bool full;
};

/* One more name in h=, on a new line where it would get long. */
static void name_it(struct plan *p, const char *name)
{
	size_t len = strlen(name);
	bool first = p->names == 0, fold = !first && p->column + len + 2 > FOLD_AT;

	if (p->names == DKIM_NAMES_MAX || p->h == NULL || strlen(p->h) + len + 3 > DKIM_H_MAX) {
		p->full = true;
		return;
	}
	p->h = talloc_asprintf_append_buffer(p->h, "%s%s%s", first ? "" : ":", fold ? "\n\t " : "", name);
	p->column = fold ? 9 + len : p->column + len + 1;
	p->names++;
}

/* Added by the MTA on the way out where they are missing. */
static bool is_completed(const char *name)
{
	return strcasecmp(name, "Date") == 0 || strcasecmp(name, "Message-ID") == 0;
}

static bool is_listed(const char *const *list, const char *name)
{
	for (; *list != NULL; list++)
		if (strcasecmp(*list, name) == 0)
			return true;
	return false;
}

/* All fields of that name, from the last to the first (section 5.4.2). How many. */
static size_t plan_name(struct plan *p, const char *name, const char *const *oversign)
{
	size_t len = strlen(name), present = 0;

	for (size_t i = 0; i < p->n_seen; i++)
		if (strcasecmp(p->seen[i], name) == 0)
			return 0;
	if (p->n_seen == DKIM_NAMES_MAX) {
		p->full = true;
		return 0;
	}
	p->seen[p->n_seen++] = name;
	for (size_t i = p->n; i-- > 0 && !p->full;) {
		if (!dkim_field_is(&p->fields[i], name, len))
			continue;
		name_it(p, name);
		if (!p->full)
			p->picked[p->n_picked++] = &p->fields[i];
		present++;
	}
	if (is_listed(oversign, name) && (present > 0 || !is_completed(name)))
		name_it(p, name);
	return present;
}

static const char *plan_all(struct plan *p, const struct dkim_sign_options *o)
{
	if (plan_name(p, "From", o->oversign) == 0)
		return "it has no From";
	for (size_t i = 0; o->headers[i] != NULL; i++)
		plan_name(p, o->headers[i], o->oversign);
	for (size_t i = 0; o->oversign[i] != NULL; i++)
		plan_name(p, o->oversign[i], o->oversign);
	if (p->h == NULL)
		return "there is no memory";
	return p->full ? "it has more fields than a signature can name" : NULL;
}

static char *add_times(char *value, const struct dkim_sign_options *o)
{
	value = talloc_asprintf_append_buffer(value, "t=%" PRId64 ";", o->now);
	return o->expires > 0 ? talloc_asprintf_append_buffer(value, " x=%" PRId64 ";", o->expires) : value;
}

/* Everything up to "b=", which is empty while it is hashed. */
static char *unsigned_value(TALLOC_CTX *mem, const struct plan *p, const uint8_t body[HASH_SHA256], const struct dkim_sign_options *o)
{
	char *value = talloc_asprintf(mem, " v=1; a=%s; c=%s/%s; d=%s;\n\ts=%s; ", private_key_is_ed25519(o->key) ? "ed25519-sha256" : "rsa-sha256",
		o->relaxed_header ? "relaxed" : "simple", o->relaxed_body ? "relaxed" : "simple", o->domain, o->selector);

	value = add_times(value, o);
	return talloc_asprintf_append_buffer(value, "\n\th=%s;\n\tbh=%s;\n\tb=", p->h, base64_text(mem, body, HASH_SHA256));
}

static char *add_signature(TALLOC_CTX *mem, char *value, const unsigned char *signature)
{
	char *text = base64_text(mem, signature, talloc_get_size(signature));

	if (text == NULL)
		return NULL;
	for (size_t at = 0, len = strlen(text); at < len; at += B_LINE)
		value = talloc_asprintf_append_buffer(value, "%s%.*s", at > 0 ? "\n\t " : "", B_LINE, text + at);
	return value;
}

/* The digest of the fields, and of the signature itself without its b= (section 3.7). */
static bool digest_of(TALLOC_CTX *mem, const struct plan *p, const char *value, bool relaxed, uint8_t digest_r[HASH_SHA256])
{
	struct dkim_field own = { .name = "DKIM-Signature", .value = value, .name_len = strlen("DKIM-Signature"), .value_len = strlen(value) };
	struct hash *hash = hash_new(mem);

	for (size_t i = 0; i < p->n_picked && hash != NULL; i++)
		canon_field(hash, p->picked[i], relaxed, 0, 0, true);
	if (hash != NULL)
		canon_field(hash, &own, relaxed, 0, 0, false);
	return hash_end(hash, digest_r);
}

char *dkim_sign(TALLOC_CTX *mem, const struct dkim_field *fields, size_t n, const uint8_t body[HASH_SHA256], const struct dkim_sign_options *o, const char **problem_r)
{
	TALLOC_CTX *scratch = talloc_new(mem);
	struct plan *p = talloc_zero(scratch, struct plan);
	uint8_t digest[HASH_SHA256];
	unsigned char *signature = NULL;
	char *value = NULL;

	*problem_r = "there is no memory";
	if (p != NULL) {
		*p = (struct plan){ .fields = fields, .n = n, .h = talloc_strdup(scratch, ""), .column = 10 };
		*problem_r = plan_all(p, o);
	}
	if (*problem_r == NULL) {
		*problem_r = "there is no memory";
		value = unsigned_value(scratch, p, body, o);
	}
	if (value != NULL && digest_of(scratch, p, value, o->relaxed_header, digest)) {
		signature = private_key_sign(scratch, o->key, digest);
		*problem_r = "libcrypto does not sign with this key";
	}
	value = signature != NULL ? talloc_steal(mem, add_signature(scratch, value, signature)) : NULL;
	talloc_free(scratch);
	return value;
}

bool dkim_sign_name_valid(const char *text, bool domain)
{
	return dkim_domain_valid(text, domain ? 2 : 1);
}

const char *dkim_sign_compare(TALLOC_CTX *mem, const struct private_key *key, const char *const *records, size_t n)
{
	char *p = private_key_public(mem, key);
	struct dkim_key found;

	if (p == NULL)
		return "there is no memory";
	dkim_key_choose(mem, records, n, private_key_is_ed25519(key), &found);
	if (found.result != DKIM_PASS)
		return found.problem;
	return strcmp(found.p, p) == 0 ? NULL : "the record holds another key";
}
