/* arc_field.c - the three fields of a set (RFC 8617 section 4.1), read strictly: tags as in DKIM, instances, values */
#include <string.h>
#include <strings.h>

#include "net/arc_private.h"

enum { TIME_DIGITS = 12, LENGTH_DIGITS = 76, HASH_TEXT = 44 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* One or two digits that give 1 to 50 (section 4.2.1). 0: something else. */
static unsigned instance_of(const char *text, size_t len)
{
	unsigned n = 0;

	if (len < 1 || len > 2)
		return 0;
	for (size_t i = 0; i < len; i++) {
		if (!is_digit(text[i]))
			return 0;
		n = n * 10 + (unsigned)(text[i] - '0');
	}
	return n <= ARC_SETS_MAX ? n : 0;
}

/* ---- ARC-Authentication-Results: [CFWS] "i" [CFWS] "=" [CFWS] position [CFWS] ";" */

/* Skips blanks and comments, which may be nested. false: one has no end. */
static bool skip(const char **p, const char *end)
{
	int depth = 0;

	for (; *p < end; ++*p) {
		if (depth > 0 && **p == '\\' && *p + 1 < end)
			++*p;
		else if (**p == '(')
			depth++;
		else if (depth > 0 && **p == ')')
			depth--;
		else if (depth == 0 && !is_blank(**p))
			return true;
	}
	return depth == 0;
}

const char *arc_read_results(const struct dkim_field *field, unsigned *instance_r, size_t *rest_r)
{
	static const char problem[] = "has no instance";
	const char *p = field->value, *end = p + field->value_len, *digits;

	if (!skip(&p, end) || p == end || *p++ != 'i' || !skip(&p, end) || p == end || *p++ != '=' || !skip(&p, end))
		return problem;
	for (digits = p; p < end && is_digit(*p); p++)
		;
	*instance_r = instance_of(digits, (size_t)(p - digits));
	if (*instance_r == 0 || !skip(&p, end) || p == end || *p++ != ';')
		return problem;
	*rest_r = (size_t)(p - field->value);
	return NULL;
}

/* ---- tags that both signatures have */

/* A number of so many digits at most; what is too large for 63 bits is the largest. Without the tag -1. false: it is none. */
static bool number(const struct dkim_tags *tags, const char *name, size_t digits_max, int64_t *number_r)
{
	const struct dkim_tag *tag = dkim_tags_find(tags, name);
	int64_t n = 0;

	*number_r = -1;
	if (tag == NULL)
		return true;
	if (tag->value_len < 1 || tag->value_len > digits_max)
		return false;
	for (size_t i = 0; i < tag->value_len; i++) {
		if (!is_digit(tag->value[i]))
			return false;
		n = n > (INT64_MAX - 9) / 10 ? INT64_MAX : n * 10 + tag->value[i] - '0';
	}
	*number_r = n;
	return true;
}

static bool is(const struct dkim_tag *tag, const char *word)
{
	return tag->value_len == strlen(word) && memcmp(tag->value, word, tag->value_len) == 0;
}

/* base64 with blanks anywhere in it, of at most max octets. A child of mem; NULL: it is none. */
static unsigned char *base64(TALLOC_CTX *mem, const struct dkim_tag *tag, size_t max, size_t *len_r)
{
	char *text = dkim_tag_text(mem, tag);
	unsigned char *data = NULL;

	if (text != NULL && strlen(text) / 4 * 3 <= max)
		data = talloc_size(mem, strlen(text) + 1);
	if (data != NULL && !dkim_base64(text, strlen(text), data, len_r))
		TALLOC_FREE(data);
	talloc_free(text);
	return data;
}

/* The value of b= with the blanks around it, up to the semicolon or the end: what is left out of the hash (RFC 6376 section 3.7). */
static void find_cut(const struct dkim_field *field, const struct dkim_tag *b, struct arc_signature *sig)
{
	const char *from = b->value, *end = field->value + field->value_len, *to;

	while (from[-1] != '=' && is_blank(from[-1]))
		from--;
	to = memchr(b->value, ';', (size_t)(end - b->value));
	sig->cut = (size_t)(from - field->value);
	sig->cut_len = (size_t)((to != NULL ? to : end) - from);
}

static char *lower_case(TALLOC_CTX *mem, const struct dkim_tag *tag)
{
	char *out = talloc_strndup(mem, tag->value, tag->value_len);

	for (char *c = out; c != NULL && *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c += 'a' - 'A';
	return out;
}

static const char *read_domain(TALLOC_CTX *mem, const struct dkim_tags *tags, struct arc_signature *sig)
{
	const struct dkim_tag *d = dkim_tags_find(tags, "d"), *s = dkim_tags_find(tags, "s");

	if (d == NULL || s == NULL)
		return "has no d= or no s=";
	sig->d = lower_case(mem, d);
	sig->s = talloc_strndup(mem, s->value, s->value_len);
	if (sig->d == NULL || sig->s == NULL)
		return "no memory";
	return dkim_domain_valid(sig->d, 2) && dkim_domain_valid(sig->s, 1) ? NULL : "has a d= or s= that is no domain";
}

/* i, a, b, d, s and t. RFC 8301: no SHA-1. */
static const char *read_common(TALLOC_CTX *mem, const struct dkim_field *field, struct dkim_tags *tags, struct arc_signature *sig)
{
	const char *problem = dkim_tags_parse(field->value, field->value_len, tags);
	const struct dkim_tag *i, *a, *b;
	int64_t t;

	*sig = (struct arc_signature){ .l = -1, .x = -1 };
	if (problem != NULL)
		return problem;
	i = dkim_tags_find(tags, "i");
	a = dkim_tags_find(tags, "a");
	b = dkim_tags_find(tags, "b");
	if (i == NULL || (sig->instance = instance_of(i->value, i->value_len)) == 0)
		return "has no instance from 1 to 50";
	if (a == NULL || b == NULL)
		return "has no a= or no b=";
	if (!is(a, "rsa-sha256") && !is(a, "ed25519-sha256"))
		return "has an algorithm that is not used";
	sig->ed25519 = is(a, "ed25519-sha256");
	sig->b = base64(mem, b, ARC_SIGNATURE_MAX, &sig->b_len);
	if (sig->b == NULL)
		return "has a b= that is no base64";
	find_cut(field, b, sig);
	if (!number(tags, "t", TIME_DIGITS, &t))
		return "has a t= that is no time";
	if (!number(tags, "x", TIME_DIGITS, &sig->x) || (sig->x >= 0 && t > sig->x))
		return "has an x= that is no time after t=";
	return read_domain(mem, tags, sig);
}

/* ---- ARC-Seal */

const char *arc_read_seal(TALLOC_CTX *mem, const struct dkim_field *field, struct arc_signature *sig)
{
	struct dkim_tags tags;
	const char *problem = read_common(mem, field, &tags, sig);
	const struct dkim_tag *cv;

	if (problem != NULL)
		return problem;
	if (dkim_tags_find(&tags, "h") != NULL)
		return "has an h=";
	cv = dkim_tags_find(&tags, "cv");
	if (cv == NULL || (!is(cv, "none") && !is(cv, "pass") && !is(cv, "fail")))
		return "has no cv=";
	sig->cv = is(cv, "none") ? ARC_CV_NONE : is(cv, "pass") ? ARC_CV_PASS : ARC_CV_FAIL;
	return NULL;
}

/* ---- ARC-Message-Signature */

/* "relaxed/simple"; the body's is simple where it is left out, and both without the tag (RFC 6376 section 3.5). */
static bool read_canonicalisation(const struct dkim_tags *tags, struct arc_signature *sig)
{
	const struct dkim_tag *c = dkim_tags_find(tags, "c");

	if (c == NULL)
		return true;
	sig->relaxed_header = is(c, "relaxed") || is(c, "relaxed/simple") || is(c, "relaxed/relaxed");
	sig->relaxed_body = is(c, "simple/relaxed") || is(c, "relaxed/relaxed");
	return sig->relaxed_header || sig->relaxed_body || is(c, "simple") || is(c, "simple/simple");
}

/* Names with a colon between each two; ARC-Seal must not be among them (section 4.1.2). */
static const char *read_names(const struct dkim_tags *tags, struct arc_signature *sig)
{
	const struct dkim_tag *h = dkim_tags_find(tags, "h");
	const char *list, *end, *name;
	size_t names = 0, colons = 0, len;

	if (h == NULL)
		return "has no h=";
	sig->h = list = h->value;
	sig->h_len = h->value_len;
	end = h->value + h->value_len;
	for (const char *p = list; p < end; p++)
		colons += *p == ':';
	for (; (name = dkim_list_next(&list, end, &len)) != NULL; names++) {
		for (size_t i = 0; i < len; i++)
			if (is_blank(name[i]))
				return "has an h= that is no list of names";
		if (len == 8 && strncasecmp(name, "ARC-Seal", len) == 0)
			return "covers ARC-Seal";
	}
	if (names != colons + 1)
		return "has an h= that is no list of names";
	return names <= DKIM_NAMES_MAX ? NULL : "covers too many fields";
}

/* Is dns/txt among its ways to ask for a key? */
static bool reads_dns(const struct dkim_tags *tags)
{
	const struct dkim_tag *q = dkim_tags_find(tags, "q");
	const char *list = q != NULL ? q->value : NULL, *word;
	size_t len;

	if (q == NULL)
		return true;
	while ((word = dkim_list_next(&list, q->value + q->value_len, &len)) != NULL)
		if (len == 7 && memcmp(word, "dns/txt", len) == 0)
			return true;
	return false;
}

const char *arc_read_message_signature(TALLOC_CTX *mem, const struct dkim_field *field, struct arc_signature *sig)
{
	struct dkim_tags tags;
	const char *problem = read_common(mem, field, &tags, sig);
	const struct dkim_tag *bh;
	unsigned char *hash;
	size_t len = 0;

	if (problem != NULL)
		return problem;
	bh = dkim_tags_find(&tags, "bh");
	hash = bh != NULL ? base64(mem, bh, HASH_TEXT, &len) : NULL;
	if (hash == NULL || len != HASH_SHA256)
		return "has no bh= that is a hash";
	memcpy(sig->bh, hash, HASH_SHA256);
	talloc_free(hash);
	if (!read_canonicalisation(&tags, sig))
		return "has a c= that is not known";
	if (!number(&tags, "l", LENGTH_DIGITS, &sig->l))
		return "has an l= that is no length";
	if (!reads_dns(&tags))
		return "has a q= that is not dns/txt";
	return read_names(&tags, sig);
}
