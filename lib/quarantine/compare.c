/* compare.c - is this message the copy, after an MTA has handled it? */
#include "quarantine/compare.h"

#include <string.h>
#include <strings.h>

enum { DROPPED_MAX = 100 };              /* fields in a row that an MTA left out */

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool domain_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '@';
}

/* What neither folding nor an MTA that writes an address anew leaves as it was. */
static bool skipped(char c, bool addresses)
{
	return blank(c) || (addresses && (c == '"' || c == '<' || c == '>'));
}

/* Are two values the same, but for blanks? In fields of addresses an MTA may have completed them: "root" to "root@example.com", "a@host" to "a@host.example.com". */
static bool same_value(const char *kept, size_t kept_len, const char *now, size_t now_len, bool addresses)
{
	size_t k = 0, n = 0;

	for (;;) {
		while (k < kept_len && skipped(kept[k], addresses))
			k++;
		while (n < now_len && skipped(now[n], addresses))
			n++;
		if (k < kept_len && n < now_len && kept[k] == now[n]) {
			k++;
			n++;
		} else if (addresses && n < now_len && (now[n] == '@' || now[n] == '.')) {
			while (n < now_len && domain_char(now[n]))
				n++;
		} else {
			return k == kept_len && n == now_len;
		}
	}
}

bool compare_body(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t i = 0, j = 0;

	while (a_len > 0 && (a[a_len - 1] == '\n' || a[a_len - 1] == '\r'))
		a_len--;
	while (b_len > 0 && (b[b_len - 1] == '\n' || b[b_len - 1] == '\r'))
		b_len--;
	while (i < a_len && j < b_len) {
		i += a[i] == '\r' && i + 1 < a_len && a[i + 1] == '\n';
		j += b[j] == '\r' && j + 1 < b_len && b[j + 1] == '\n';
		if (a[i++] != b[j++])
			return false;
	}
	return i == a_len && j == b_len;
}

/* ---- the header block */

enum field_kind {
	FIELD_OTHER = 0,
	FIELD_OWN = 1,                   /* of the message itself: one more than the copy had makes it another message */
	FIELD_ADDRESSES = 2,
	FIELD_COMPLETED = 4,             /* an MTA adds it where it is missing */
	FIELD_DROPPED = 8                /* an MTA leaves it out */
};

static unsigned field_kind(const char *name)
{
	static const struct { const char *name; unsigned kind; } kinds[] = {
		{ "From", FIELD_OWN | FIELD_ADDRESSES | FIELD_COMPLETED }, { "Sender", FIELD_OWN | FIELD_ADDRESSES }, { "Reply-To", FIELD_OWN | FIELD_ADDRESSES },
		{ "To", FIELD_OWN | FIELD_ADDRESSES | FIELD_COMPLETED }, { "Cc", FIELD_OWN | FIELD_ADDRESSES }, { "Bcc", FIELD_ADDRESSES | FIELD_DROPPED | FIELD_COMPLETED },
		{ "Subject", FIELD_OWN }, { "Date", FIELD_OWN | FIELD_COMPLETED }, { "Message-ID", FIELD_OWN | FIELD_COMPLETED }, { "MIME-Version", FIELD_OWN },
		{ "Return-Path", FIELD_ADDRESSES | FIELD_DROPPED }, { "Content-Length", FIELD_DROPPED }, { "Errors-To", FIELD_ADDRESSES }, { "Return-Receipt-To", FIELD_ADDRESSES },
		{ "Disposition-Notification-To", FIELD_ADDRESSES }, { "Resent-From", FIELD_ADDRESSES }, { "Resent-Sender", FIELD_ADDRESSES }, { "Resent-Reply-To", FIELD_ADDRESSES },
		{ "Resent-To", FIELD_ADDRESSES }, { "Resent-Cc", FIELD_ADDRESSES }, { "Resent-Bcc", FIELD_ADDRESSES | FIELD_DROPPED },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (header_name_equal(name, kinds[i].name))
			return kinds[i].kind;
	return strncasecmp(name, "Content-", 8) == 0 ? FIELD_OWN : FIELD_OTHER;
}

/* A field of the copy. */
struct kept_field {
	const char *name, *value;
	size_t value_len;
	unsigned kind;
};

/* Where the line at p ends; *next_r: where the next one begins. */
static const char *line_end(const char *p, const char *end, const char **next_r)
{
	const char *lf = memchr(p, '\n', (size_t)(end - p));

	*next_r = lf != NULL ? lf + 1 : end;
	return lf == NULL ? end : lf > p && lf[-1] == '\r' ? lf - 1 : lf;
}

/* Reads the header block of a copy: how many fields, in a talloc array, child of mem; *body_r: what is behind it. -1: it is none. */
static long read_fields(TALLOC_CTX *mem, const char *data, size_t len, struct kept_field **fields_r, const char **body_r)
{
	const char *p = data, *const end = data + len, *next, *stop;
	struct kept_field *v = NULL;
	size_t n = 0;

	while (p < end && (stop = line_end(p, end, &next)) > p) {
		const char *colon = memchr(p, ':', (size_t)(stop - p));

		if (colon == NULL)
			return -1;
		while (next < end && (*next == ' ' || *next == '\t'))
			stop = line_end(next, end, &next);
		if ((n & (n - 1)) == 0)
			v = talloc_realloc(mem, v, struct kept_field, n == 0 ? 1 : 2 * n);
		if (v == NULL)
			return -1;
		v[n] = (struct kept_field){ .name = talloc_strndup(v, p, (size_t)(colon - p)), .value = colon + 1, .value_len = (size_t)(stop - colon) - 1 };
		if (v[n].name == NULL)
			return -1;
		v[n].kind = field_kind(v[n].name);
		n++;
		p = next;
	}
	*fields_r = v;
	*body_r = p < end ? next : end;
	return (long)n;
}

static bool same_field(const struct kept_field *kept, const struct header_field *now)
{
	return header_name_equal(kept->name, now->name) && same_value(kept->value, kept->value_len, now->value, now->value_len, (kept->kind & FIELD_ADDRESSES) != 0);
}

/* May the MTA have added it? */
static bool may_be_added(const struct kept_field *kept, size_t n, const char *name)
{
	unsigned kind = field_kind(name);

	if ((kind & FIELD_OWN) == 0)
		return true;
	if ((kind & FIELD_COMPLETED) == 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (header_name_equal(kept[i].name, name))
			return false;
	return true;
}

/* The copy's fields are there, in their order, and nothing between them that makes it another message. NULL, or the name of the field that is wrong. */
static const char *other_field(const struct kept_field *kept, size_t n, const struct header_field *fields, size_t n_fields)
{
	size_t k = 0;

	for (size_t i = 0; i < n_fields; i++) {
		const struct header_field *now = &fields[i];
		size_t at = k;

		while (at < n && at - k < DROPPED_MAX && !same_field(&kept[at], now) && (kept[at].kind & FIELD_DROPPED) != 0)
			at++;
		if (at < n && same_field(&kept[at], now))
			k = at + 1;
		else if (!may_be_added(kept, n, now->name))
			return now->name;
	}
	while (k < n && (kept[k].kind & FIELD_DROPPED) != 0)
		k++;
	return k < n ? kept[k].name : NULL;
}

bool compare_header(TALLOC_CTX *mem, const char *data, size_t len, const struct header_field *fields, size_t n_fields, const char **body_r, const char **wrong_r)
{
	struct kept_field *kept = NULL;
	long n = read_fields(mem, data, len, &kept, body_r);

	*wrong_r = n < 0 ? "it cannot be read" : other_field(kept, (size_t)n, fields, n_fields);
	return *wrong_r == NULL;
}
