/* dkim_signature.c - reads a DKIM-Signature field (RFC 6376 section 3.5) strictly, before libopendkim sees it */
#include "net/dkim_private.h"

#include <string.h>
#include <strings.h>

#include "util/domain.h"

enum { HASH_LEN = 32, IDENTITY_MAX = 250, DIGITS_MAX = 12, LENGTH_DIGITS_MAX = 18, SIGNATURE_MAX = 4096 };

struct reader {
	TALLOC_CTX *mem;
	struct dkim_tags tags;
	struct dkim_signature *sig;
	bool no_memory;
};

/* The first problem counts. */
static void fault(struct reader *r, enum dkim_result result, const char *problem)
{
	if (r->sig->result != DKIM_PENDING)
		return;
	r->sig->result = result;
	r->sig->problem = problem;
}

/* The tag's value without blanks; "" where there is none: then `problem`, if not NULL, is the signature's. */
static char *text_of(struct reader *r, const char *name, const char *problem)
{
	const struct dkim_tag *tag = dkim_tags_find(&r->tags, name);
	char *text = tag != NULL ? dkim_tag_text(r->mem, tag) : talloc_strdup(r->mem, "");

	if (text == NULL) {
		r->no_memory = true;
		return NULL;
	}
	if (text[0] == '\0' && problem != NULL)
		fault(r, DKIM_NEUTRAL, problem);
	return text;
}

static void lower(char *text)
{
	for (; *text != '\0'; text++)
		*text = (char)(*text >= 'A' && *text <= 'Z' ? *text + 32 : *text);
}

/* A domain, or "" and the problem. */
static char *domain_of(struct reader *r, const char *name, unsigned labels_min, const char *problem)
{
	char *text = text_of(r, name, problem);

	if (text == NULL || text[0] == '\0')
		return text;
	lower(text);
	if (!dkim_domain_valid(text, labels_min)) {
		fault(r, DKIM_NEUTRAL, problem);
		text[0] = '\0';
	}
	return text;
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* dkim-quoted-printable (section 2.11), in place. What it hides must be printable too. */
static bool decode(char *text)
{
	char *out = text;

	for (; *text != '\0'; text++) {
		int c = (unsigned char)*text;

		if (c == '=') {
			int high = hex(text[1]), low = high >= 0 ? hex(text[2]) : -1;

			if (low < 0)
				return false;
			c = high * 16 + low;
			text += 2;
		}
		if (c < 0x20 || c >= 0x7f)
			return false;
		*out++ = (char)c;
	}
	*out = '\0';
	return true;
}

/* i= is below d=; without one it is "@" and d= (section 3.5). */
static void read_identity(struct reader *r)
{
	struct dkim_signature *s = r->sig;
	const struct dkim_tag *tag = dkim_tags_find(&r->tags, "i");
	const char *at;

	if (tag == NULL) {
		s->i = s->d[0] != '\0' ? talloc_asprintf(r->mem, "@%s", s->d) : talloc_strdup(r->mem, "");
		r->no_memory |= s->i == NULL;
		return;
	}
	s->i = text_of(r, "i", NULL);
	if (s->i == NULL)
		return;
	/* libopendkim takes the first @ of what it decodes, and no more than 255 octets */
	at = strlen(s->i) <= IDENTITY_MAX && decode(s->i) ? strchr(s->i, '@') : NULL;
	if (at == NULL || !dkim_domain_valid(at + 1, 1) || !domain_within(at + 1, s->d)) {
		fault(r, DKIM_NEUTRAL, "i= is not within d=");
		s->i[0] = '\0';
	}
}

static void read_algorithm(struct reader *r)
{
	static const char *const known[] = { "rsa-sha256", "ed25519-sha256", "rsa-sha1" };
	char *a = text_of(r, "a", "a= is missing");

	for (size_t i = 0; a != NULL && i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(a, known[i]) == 0)
			r->sig->algorithm = known[i];
	if (r->sig->algorithm[0] == '\0')
		fault(r, DKIM_NEUTRAL, "a= is not known");
	talloc_free(a);
}

static void read_canonicalization(struct reader *r)
{
	static const struct { const char *text; bool relaxed; } known[] = {
		{ "", false }, { "simple", false }, { "simple/simple", false }, { "simple/relaxed", true }, { "relaxed", false }, { "relaxed/simple", false }, { "relaxed/relaxed", true },
	};
	const char *c = text_of(r, "c", NULL);

	for (size_t i = 0; c != NULL && i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(c, known[i].text) == 0 && (c[0] != '\0' || dkim_tags_find(&r->tags, "c") == NULL)) {
			r->sig->relaxed_body = known[i].relaxed;
			return;
		}
	}
	fault(r, DKIM_NEUTRAL, "c= is not known");
}

/* Is one octet of a field's name (RFC 5322 section 2.2), and none that ends a tag? */
static bool is_name(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] <= 0x20 || text[i] >= 0x7f)
			return false;
	return true;
}

static void read_names(struct reader *r)
{
	struct dkim_signature *s = r->sig;
	const char *list, *end, *name;
	bool from = false;
	size_t len;

	s->h = text_of(r, "h", "h= is missing");
	if (s->h == NULL)
		return;
	list = s->h;
	end = list + strlen(list);
	while ((name = dkim_list_next(&list, end, &len)) != NULL) {
		s->names++;
		from |= len == 4 && strncasecmp(name, "from", 4) == 0;
		if (!is_name(name, len))
			fault(r, DKIM_NEUTRAL, "h= names what is no field");
	}
	if (s->names > DKIM_NAMES_MAX || strlen(s->h) > DKIM_H_MAX)
		fault(r, DKIM_NEUTRAL, "h= is too long");
	if (!from)
		fault(r, DKIM_NEUTRAL, "h= does not name From");
}

/* -1: there is none. */
static int64_t read_number(struct reader *r, const char *name, size_t digits_max, const char *problem)
{
	const struct dkim_tag *tag = dkim_tags_find(&r->tags, name);
	int64_t n = 0;

	if (tag == NULL)
		return -1;
	for (size_t i = 0; i < tag->value_len; i++) {
		if (tag->value[i] < '0' || tag->value[i] > '9' || tag->value_len > digits_max) {
			fault(r, DKIM_NEUTRAL, problem);
			return -1;
		}
		n = n * 10 + tag->value[i] - '0';
	}
	if (tag->value_len == 0)
		fault(r, DKIM_NEUTRAL, problem);
	return tag->value_len > 0 ? n : -1;
}

static void read_times(struct reader *r, int64_t now)
{
	struct dkim_signature *s = r->sig;

	s->t = read_number(r, "t", DIGITS_MAX, "t= is no time");
	s->x = read_number(r, "x", DIGITS_MAX, "x= is no time");
	if (s->t >= 0 && s->x >= 0 && s->x <= s->t)
		fault(r, DKIM_NEUTRAL, "x= is not after t=");
	if (s->x >= 0 && now >= s->x + DKIM_DRIFT)
		fault(r, DKIM_FAIL, "signature expired");
	if (s->t >= 0 && now < s->t - DKIM_DRIFT)
		fault(r, DKIM_FAIL, "signed in the future");
}

/* The one method that there is. */
static void read_query(struct reader *r)
{
	const char *q = text_of(r, "q", NULL), *list = q, *entry;
	size_t len;

	if (q == NULL || dkim_tags_find(&r->tags, "q") == NULL)
		return;
	while ((entry = dkim_list_next(&list, q + strlen(q), &len)) != NULL)
		if ((len == 7 && strncmp(entry, "dns/txt", 7) == 0) || (len == 3 && strncmp(entry, "dns", 3) == 0))
			return;
	fault(r, DKIM_NEUTRAL, "q= names no method that is known");
}

static void read_hashes(struct reader *r)
{
	struct dkim_signature *s = r->sig;
	unsigned char data[SIGNATURE_MAX];
	char *bh = text_of(r, "bh", "bh= is missing");
	size_t len;

	s->b = text_of(r, "b", "b= is missing");
	if (bh == NULL || s->b == NULL)
		return;
	/* 32 octets: of SHA-256, which all algorithms have that are verified */
	if (strlen(bh) > 2 * HASH_LEN || !dkim_base64(bh, strlen(bh), data, &len) || (len != HASH_LEN && strcmp(s->algorithm, "rsa-sha1") != 0))
		fault(r, DKIM_NEUTRAL, "bh= is no hash");
	if (strlen(s->b) > SIGNATURE_MAX || !dkim_base64(s->b, strlen(s->b), data, &len))
		fault(r, DKIM_NEUTRAL, "b= is no signature");
	talloc_free(bh);
}

/* libopendkim takes away the values of all tags whose name ends in "b" right before the "=", and no others, before it hashes this field. */
static void check_writing(struct reader *r)
{
	for (size_t i = 0; i < r->tags.n; i++) {
		const struct dkim_tag *t = &r->tags.v[i];

		if (t->name[t->name_len - 1] == 'b' && (t->name_len > 1) == !t->gap)
			fault(r, DKIM_NEUTRAL, "b= cannot be told from other tags");
	}
}

static void read_version(struct reader *r)
{
	char *v = text_of(r, "v", "v= is missing");

	if (v != NULL && strcmp(v, "1") != 0)
		fault(r, DKIM_NEUTRAL, "v= is not 1");
	talloc_free(v);
}

bool dkim_signature_parse(TALLOC_CTX *mem, const char *value, size_t len, int64_t now, struct dkim_signature *sig)
{
	struct reader r = { .mem = mem, .sig = sig };
	const char *problem;

	*sig = (struct dkim_signature){ .algorithm = "", .problem = "", .l = -1, .t = -1, .x = -1 };
	problem = len <= DKIM_FIELD_MAX ? dkim_tags_parse(value, len, &r.tags) : "the field is too long";
	if (problem != NULL) {
		fault(&r, DKIM_NEUTRAL, problem);
		r.tags.n = 0;
	}
	read_version(&r);
	sig->d = domain_of(&r, "d", 2, "d= is no domain");
	sig->s = domain_of(&r, "s", 1, "s= is no selector");
	if (sig->d == NULL || sig->s == NULL)
		return false;
	if (strlen(sig->d) + strlen(sig->s) + sizeof("._domainkey.") - 1 > 253)
		fault(&r, DKIM_NEUTRAL, "the key's name is too long");
	read_identity(&r);
	read_algorithm(&r);
	read_canonicalization(&r);
	read_names(&r);
	sig->l = read_number(&r, "l", LENGTH_DIGITS_MAX, "l= is no length");
	read_query(&r);
	read_hashes(&r);
	check_writing(&r);
	if (strcmp(sig->algorithm, "rsa-sha1") == 0)
		fault(&r, DKIM_POLICY, "rsa-sha1 is not accepted");
	read_times(&r, now);
	return !r.no_memory;
}
