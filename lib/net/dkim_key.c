/* dkim_key.c - judges key records (RFC 6376 section 3.6.1, RFC 8463) strictly, down to the numbers in the key, before libopendkim sees any of it */
#include "net/dkim_private.h"

#include <string.h>
#include <strings.h>

enum { ED25519_LEN = 32, DER_MAX = DKIM_KEY_TEXT_MAX, EXPONENT_MAX = 8 };
enum { DER_INTEGER = 2, DER_BITS = 3, DER_SEQUENCE = 0x30 };

/* ---- DER: a SubjectPublicKeyInfo that holds an RSA key */

struct der {
	const unsigned char *p, *end;
};

/* Takes an element of that tag: what it holds. Lengths are as short as can be. */
static bool der_take(struct der *d, unsigned tag, struct der *inner_r)
{
	size_t len, octets;

	if (d->end - d->p < 2 || d->p[0] != tag)
		return false;
	len = d->p[1];
	d->p += 2;
	if (len >= 0x80) {
		octets = len & 0x7f;
		if (octets < 1 || octets > 2 || (size_t)(d->end - d->p) < octets)
			return false;
		len = octets == 1 ? d->p[0] : (size_t)d->p[0] << 8 | d->p[1];
		if (len < (octets == 1 ? 0x80u : 0x100u))
			return false;
		d->p += octets;
	}
	if ((size_t)(d->end - d->p) < len)
		return false;
	*inner_r = (struct der){ d->p, d->p + len };
	d->p += len;
	return true;
}

/* A positive number without leading zeros, and its bits. */
static bool der_number(struct der *d, unsigned *bits_r)
{
	struct der n;

	if (!der_take(d, DER_INTEGER, &n) || n.p == n.end || n.p[0] >= 0x80)
		return false;
	if (n.p[0] == 0 && ++n.p != n.end && n.p[0] < 0x80)
		return false;
	*bits_r = 8 * (unsigned)(n.end - n.p);
	for (unsigned top = n.p != n.end ? n.p[0] : 0x80; top < 0x80; top <<= 1)
		--*bits_r;
	return n.p != n.end;
}

/* NULL, or what is wrong. Both numbers odd, the exponent at least 3 and short: else a key costs more than it should. */
static const char *read_rsa(const unsigned char *data, size_t len, unsigned *bits_r)
{
	/* 1.2.840.113549.1.1.1 and NULL */
	static const unsigned char algorithm[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00 };
	struct der all = { data, data + len }, info, oid, bits, key;
	unsigned exponent;

	if (!der_take(&all, DER_SEQUENCE, &info) || all.p != all.end || !der_take(&info, DER_SEQUENCE, &oid) || !der_take(&info, DER_BITS, &bits) || info.p != info.end)
		return "the key is no SubjectPublicKeyInfo";
	if ((size_t)(oid.end - oid.p) != sizeof(algorithm) || memcmp(oid.p, algorithm, sizeof(algorithm)) != 0)
		return "the key is of another algorithm";
	if (bits.p == bits.end || *bits.p++ != 0 || !der_take(&bits, DER_SEQUENCE, &key) || bits.p != bits.end || !der_number(&key, bits_r) || !der_number(&key, &exponent)
	    || key.p != key.end)
		return "the key cannot be read";
	if (*bits_r > DKIM_BITS_MAX)
		return "the key is too long";
	if (exponent < 2 || exponent > 8 * EXPONENT_MAX || (key.end[-1] & 1) == 0)
		return "the key's exponent is not usable";
	return NULL;
}

/* ---- the record */

static void fault(struct dkim_key *key, enum dkim_result result, const char *problem)
{
	if (key->result != DKIM_PASS)
		return;
	key->result = result;
	key->problem = problem;
}

/* Is one of the colon-separated words in the tag's value this one? Without the tag: yes. */
static bool lists(const struct dkim_tags *tags, const char *name, const char *word, const char *other)
{
	const struct dkim_tag *tag = dkim_tags_find(tags, name);
	const char *list = tag != NULL ? tag->value : NULL, *entry;
	size_t len;

	if (tag == NULL)
		return true;
	while ((entry = dkim_list_next(&list, tag->value + tag->value_len, &len)) != NULL)
		if ((len == strlen(word) && strncasecmp(entry, word, len) == 0) || (other != NULL && len == strlen(other) && strncasecmp(entry, other, len) == 0))
			return true;
	return false;
}

static bool has(const struct dkim_tags *tags, const char *name, const char *word)
{
	return dkim_tags_find(tags, name) != NULL && lists(tags, name, word, NULL);
}

static void read_data(struct dkim_key *key)
{
	unsigned char data[DER_MAX];
	size_t len;
	const char *problem;

	if (key->p[0] == '\0') {
		fault(key, DKIM_PERMERROR, "the key is revoked");
		return;
	}
	if (!dkim_base64(key->p, strlen(key->p), data, &len)) {
		fault(key, DKIM_PERMERROR, "the key is no base64");
		return;
	}
	if (key->ed25519) {
		if (len != ED25519_LEN)
			fault(key, DKIM_PERMERROR, "the key has not 32 octets");
		return;
	}
	problem = read_rsa(data, len, &key->bits);
	if (problem != NULL) {
		key->bits = 0;
		fault(key, DKIM_PERMERROR, problem);
	}
}

bool dkim_key_parse(TALLOC_CTX *mem, const char *record, bool ed25519, struct dkim_key *key)
{
	size_t len = strlen(record);
	const struct dkim_tag *v, *k, *p;
	struct dkim_tags tags;

	*key = (struct dkim_key){ .ed25519 = ed25519, .result = DKIM_PASS, .problem = "" };
	if (len > DKIM_KEY_TEXT_MAX || dkim_tags_parse(record, len, &tags) != NULL)
		return false;
	v = dkim_tags_find(&tags, "v");
	k = dkim_tags_find(&tags, "k");
	p = dkim_tags_find(&tags, "p");
	/* v= is optional, but where it stands it stands first */
	if (p == NULL || (v != NULL && (v != &tags.v[0] || v->value_len != 5 || memcmp(v->value, "DKIM1", 5) != 0)))
		return false;
	key->p = dkim_tag_text(mem, p);
	if (key->p == NULL) {
		key->p = talloc_strdup(mem, "");
		fault(key, DKIM_TEMPERROR, "no memory");
		return true;
	}
	key->testing = has(&tags, "t", "y");
	key->strict = has(&tags, "t", "s");
	if (k != NULL ? k->value_len != (ed25519 ? 7u : 3u) || memcmp(k->value, ed25519 ? "ed25519" : "rsa", k->value_len) != 0 : ed25519)
		fault(key, DKIM_PERMERROR, "the key is for another algorithm");
	if (!lists(&tags, "h", "sha256", NULL))
		fault(key, DKIM_PERMERROR, "the key is for other hashes");
	if (!lists(&tags, "s", "*", "email"))
		fault(key, DKIM_PERMERROR, "the key is not for mail");
	read_data(key);
	return true;
}

/* Of keys that cannot be used, which one says most? One that is revoked is better than one that is for something else. */
static bool says_more(const struct dkim_key *a, const struct dkim_key *b)
{
	return b->p == NULL || strcmp(a->problem, b->problem) > 0;
}

void dkim_key_choose(TALLOC_CTX *mem, const char *const *records, size_t n, bool ed25519, struct dkim_key *key)
{
	struct dkim_key best = { 0 };
	bool found = false;

	for (size_t i = 0; i < n; i++) {
		struct dkim_key one;

		if (!dkim_key_parse(mem, records[i], ed25519, &one))
			continue;
		if (one.result == DKIM_PASS && found && strcmp(one.p, best.p) != 0) {
			best.result = DKIM_PERMERROR;
			best.problem = "there are several keys";
			break;
		}
		if (one.result == DKIM_PASS || (!found && says_more(&one, &best)))
			best = one;
		found |= one.result == DKIM_PASS;
	}
	if (best.p == NULL)
		best = (struct dkim_key){ .p = talloc_strdup(mem, ""), .ed25519 = ed25519, .result = DKIM_PERMERROR, .problem = n > 0 ? "no key record" : "no key" };
	*key = best;
}
