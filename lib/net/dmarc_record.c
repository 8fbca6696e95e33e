/* dmarc_record.c - reads DMARC records (RFC 9989 section 4.7), strictly where a policy follows and with defaults elsewhere */
#include "net/dmarc_private.h"

#include <string.h>
#include <strings.h>

#include "util/domain.h"

/* A piece of the record, without blanks around it. */
struct piece {
	const char *text;
	size_t len;
};

enum tag { TAG_P, TAG_SP, TAG_NP, TAG_PSD, TAG_T, TAG_PCT, TAG_ADKIM, TAG_ASPF, TAG_FO, TAG_RUA, TAG_RUF, TAG_COUNT };

static const char *const names[TAG_COUNT] = { "p", "sp", "np", "psd", "t", "pct", "adkim", "aspf", "fo", "rua", "ruf" };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct piece trim(const char *text, size_t len)
{
	while (len > 0 && is_blank(*text)) {
		text++;
		len--;
	}
	while (len > 0 && is_blank(text[len - 1]))
		len--;
	return (struct piece){ text, len };
}

static bool is(struct piece piece, const char *word)
{
	return strlen(word) == piece.len && strncasecmp(piece.text, word, piece.len) == 0;
}

bool dmarc_is_record(const char *text)
{
	if (*text != 'v' && *text != 'V')
		return false;
	text += 1 + strspn(text + 1, " \t");
	if (*text != '=')
		return false;
	text += 1 + strspn(text + 1, " \t");
	if (strncmp(text, "DMARC1", 6) != 0)     /* this value is case-sensitive */
		return false;
	text += 6 + strspn(text + 6, " \t");
	return *text == '\0' || *text == ';';
}

/* ---- values */

static enum dmarc_policy policy_of(struct piece value)
{
	if (is(value, "none"))
		return DMARC_POLICY_NONE;
	if (is(value, "quarantine"))
		return DMARC_POLICY_QUARANTINE;
	return is(value, "reject") ? DMARC_POLICY_REJECT : DMARC_POLICY_UNSET;
}

/* 0 to 100; -1: it is no such number. */
static int percent_of(struct piece value)
{
	int n = 0;

	if (value.len == 0 || value.len > 3)
		return -1;
	for (size_t i = 0; i < value.len; i++) {
		if (value.text[i] < '0' || value.text[i] > '9')
			return -1;
		n = n * 10 + value.text[i] - '0';
	}
	return n <= 100 ? n : -1;
}

/* "1:d:s"; 0: something else stands there. */
static unsigned options_of(struct piece value)
{
	unsigned fo = 0;

	for (size_t from = 0; from <= value.len;) {
		const char *colon = memchr(value.text + from, ':', value.len - from);
		size_t len = colon != NULL ? (size_t)(colon - value.text) - from : value.len - from;
		struct piece option = trim(value.text + from, len);

		if (is(option, "0"))
			fo |= DMARC_FO_0;
		else if (is(option, "1"))
			fo |= DMARC_FO_1;
		else if (is(option, "d"))
			fo |= DMARC_FO_D;
		else if (is(option, "s"))
			fo |= DMARC_FO_S;
		else
			return 0;
		from += len + 1;
	}
	return fo;
}

/* Takes "!10m" off the end: who sends reports ignores it (RFC 9990). */
static struct piece without_size(struct piece uri)
{
	size_t n = uri.len;

	if (n > 0 && strchr("kmgtKMGT", uri.text[n - 1]) != NULL)
		n--;
	while (n > 0 && uri.text[n - 1] >= '0' && uri.text[n - 1] <= '9')
		n--;
	if (n > 0 && uri.text[n - 1] == '!')
		uri.len = n - 1;
	return uri;
}

/* mailto:LOCAL@DOMAIN, of characters that a URI may have (RFC 3986 section 2, RFC 6068), without recipients or headers of its own. */
static bool is_mailto(TALLOC_CTX *mem, struct piece uri)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+=:@/";
	const char *at = memrchr(uri.text, '@', uri.len);
	char *domain;
	bool good;

	if (uri.len < 7 || strncasecmp(uri.text, "mailto:", 7) != 0 || at == NULL || at == uri.text + 7)
		return false;
	for (size_t i = 7; i < uri.len; i++)
		if (strchr(allowed, uri.text[i]) == NULL)
			return false;
	if (memchr(uri.text, '@', uri.len) != at)
		return false;
	domain = talloc_strndup(mem, at + 1, uri.len - (size_t)(at + 1 - uri.text));
	good = domain != NULL && domain_valid(domain, 2) && domain[strspn(domain, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")] == '\0';
	talloc_free(domain);
	return good;
}

/* The URIs of a list that can be used. NULL: out of memory. */
static const char *uris_of(TALLOC_CTX *mem, struct piece value)
{
	char *out = talloc_strdup(mem, "");
	int n = 0;

	for (size_t from = 0; from < value.len && out != NULL && n < DMARC_URIS_MAX;) {
		const char *comma = memchr(value.text + from, ',', value.len - from);
		size_t len = comma != NULL ? (size_t)(comma - value.text) - from : value.len - from;
		struct piece uri = trim(value.text + from, len);

		uri = without_size(uri);
		if (is_mailto(mem, uri)) {
			out = talloc_asprintf_append_buffer(out, "%s%.*s", n > 0 ? "," : "", (int)uri.len, uri.text);
			n++;
		}
		from += len + 1;
	}
	return out;
}

/* ---- tags */

struct found {
	struct piece value[TAG_COUNT];   /* text NULL: not there */
	bool doubled[TAG_COUNT];
};

/* "name = value" of printable characters; what is none, or has an unknown name, is passed over. */
static void take(struct found *found, const char *text, size_t len)
{
	const char *equals = memchr(text, '=', len);
	struct piece name, value;

	if (equals == NULL)
		return;
	name = trim(text, (size_t)(equals - text));
	value = trim(equals + 1, len - (size_t)(equals + 1 - text));
	for (size_t i = 0; i < value.len; i++)
		if ((value.text[i] < 0x20 || value.text[i] > 0x7e) && !is_blank(value.text[i]))
			return;
	for (int i = 0; i < TAG_COUNT; i++) {
		struct piece *there = &found->value[i];

		if (!is(name, names[i]))
			continue;
		if (there->text != NULL && (there->len != value.len || memcmp(there->text, value.text, value.len) != 0))
			found->doubled[i] = true;
		*there = value;
	}
}

/* A policy tag: good, or not there. */
static bool policy_tag(const struct found *found, enum tag tag, enum dmarc_policy *policy_r)
{
	*policy_r = found->value[tag].text != NULL && !found->doubled[tag] ? policy_of(found->value[tag]) : DMARC_POLICY_UNSET;
	return found->value[tag].text == NULL || *policy_r != DMARC_POLICY_UNSET;
}

/* The value of a tag that has a default, or an empty piece. */
static struct piece optional(const struct found *found, enum tag tag)
{
	return found->value[tag].text != NULL && !found->doubled[tag] ? found->value[tag] : (struct piece){ "", 0 };
}

bool dmarc_record_parse(TALLOC_CTX *mem, const char *text, struct dmarc_record *record_r)
{
	struct found found = { 0 };
	struct piece psd;
	bool p, sp, np;

	for (const char *end; text != NULL; text = end != NULL ? end + 1 : NULL) {
		end = strchr(text, ';');
		take(&found, text, end != NULL ? (size_t)(end - text) : strlen(text));
	}
	*record_r = (struct dmarc_record){ .psd = 'u' };
	p = policy_tag(&found, TAG_P, &record_r->p);
	sp = policy_tag(&found, TAG_SP, &record_r->sp);
	np = policy_tag(&found, TAG_NP, &record_r->np);
	psd = optional(&found, TAG_PSD);
	if (is(psd, "y") || is(psd, "n"))
		record_r->psd = is(psd, "y") ? 'y' : 'n';
	record_r->testing = is(optional(&found, TAG_T), "y");
	record_r->pct = percent_of(optional(&found, TAG_PCT));
	record_r->strict_dkim = is(optional(&found, TAG_ADKIM), "s");
	record_r->strict_spf = is(optional(&found, TAG_ASPF), "s");
	record_r->fo = options_of(optional(&found, TAG_FO));
	record_r->rua = uris_of(mem, optional(&found, TAG_RUA));
	record_r->ruf = uris_of(mem, optional(&found, TAG_RUF));
	if (record_r->rua == NULL || record_r->ruf == NULL)
		return false;
	record_r->usable = p && sp && np && record_r->p != DMARC_POLICY_UNSET;
	if (!record_r->usable && record_r->rua[0] != '\0')
		record_r->usable = record_r->substituted = true;
	return true;
}
