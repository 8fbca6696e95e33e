/* spf_macro.c - macros of SPF records (RFC 7208 section 7): libspf2 loses characters and has had overflows there, so it never sees one */
#include "net/spf_private.h"

#include <stdio.h>
#include <string.h>

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_delimiter(char c)
{
	return c != '\0' && strchr(".-+,/_=", c) != NULL;
}

/* ---- syntax */

/* What stands between "%{" and "}". */
struct expand {
	char letter;                     /* lower case */
	bool escape;                     /* it was upper case */
	size_t keep;                     /* right-hand parts; 0: all */
	bool reverse;
	const char *delimiters;
	size_t n_delimiters;
	size_t len;                      /* of all, from "%" to "}" */
};

/* Reads "%{...}" at text; false: it is none. */
static bool read_expand(const char *text, size_t len, struct expand *e_r)
{
	size_t i = 3;
	bool digits;

	*e_r = (struct expand){ .keep = 0 };
	if (len < 4 || text[0] != '%' || text[1] != '{')
		return false;
	e_r->escape = text[2] >= 'A' && text[2] <= 'Z';
	e_r->letter = (char)(e_r->escape ? text[2] + 32 : text[2]);
	if (e_r->letter == '\0' || strchr("slodiphv", e_r->letter) == NULL)
		return false;
	for (digits = false; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
		digits = true;
		e_r->keep = e_r->keep > 1000 ? e_r->keep : e_r->keep * 10 + (size_t)(text[i] - '0');
	}
	if (digits && e_r->keep == 0)
		return false;
	if (i < len && (text[i] == 'r' || text[i] == 'R')) {
		e_r->reverse = true;
		i++;
	}
	e_r->delimiters = text + i;
	while (i < len && is_delimiter(text[i]))
		i++;
	e_r->n_delimiters = (size_t)(text + i - e_r->delimiters);
	if (e_r->n_delimiters == 0) {
		e_r->delimiters = ".";
		e_r->n_delimiters = 1;
	}
	e_r->len = i + 1;
	return i < len && text[i] == '}';
}

/* ( *alphanum ALPHA *alphanum ) / ( 1*alphanum "-" *( alphanum / "-" ) alphanum ) */
static bool is_top_label(const char *text, size_t len)
{
	bool letter = false, hyphen = false;

	if (len == 0 || text[0] == '-' || text[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_alnum(text[i]) && text[i] != '-')
			return false;
		hyphen |= text[i] == '-';
		letter |= text[i] > '9';
	}
	return letter || hyphen;
}

bool spf_macro_valid(const char *spec, size_t len, bool domain_spec)
{
	size_t literal = 0, i = 0, dot;          /* literal: where the last run of literals begins */
	struct expand e;

	while (i < len) {
		unsigned char c = (unsigned char)spec[i];

		if (c == '%') {
			if (read_expand(spec + i, len - i, &e))
				i += e.len;
			else if (i + 1 < len && spec[i + 1] != '\0' && strchr("%_-", spec[i + 1]) != NULL)
				i += 2;
			else
				return false;
			literal = i;
		} else if (c < 0x21 || c > 0x7e) {
			return false;
		} else {
			i++;
		}
	}
	if (!domain_spec)
		return true;
	if (len == 0)
		return false;
	if (literal == len)
		return true;                     /* it ends in a macro */
	/* "." toplabel [ "." ] */
	if (spec[len - 1] == '.')
		len--;
	for (dot = len; dot > literal && spec[dot - 1] != '.'; dot--)
		;
	return dot > literal && is_top_label(spec + dot, len - dot);
}

bool spf_macro_wants_name(const char *spec, size_t len)
{
	struct expand e;

	for (size_t i = 0; i + 1 < len; i++) {
		if (spec[i] != '%')
			continue;
		if (read_expand(spec + i, len - i, &e) && e.letter == 'p')
			return true;
		i++;
	}
	return false;
}

/* ---- expansion */

/* Only the last 253 octets can become part of the name: of more, the tail is kept. */
struct tail {
	char text[4 * DOMAIN_LEN_MAX + 8];
	size_t n;
};

static void put(struct tail *t, char c)
{
	if (t->n == sizeof(t->text)) {
		size_t keep = sizeof(t->text) / 2;

		memmove(t->text, t->text + t->n - keep, keep);
		t->n = keep;
	}
	t->text[t->n++] = c;
}

static void put_escaped(struct tail *t, char c)
{
	static const char hex[] = "0123456789ABCDEF";

	if (is_alnum(c) || strchr("-._~", c) != NULL) {
		put(t, c);
		return;
	}
	put(t, '%');
	put(t, hex[(unsigned char)c >> 4]);
	put(t, hex[(unsigned char)c & 15]);
}

static bool splits(const struct expand *e, char c)
{
	return memchr(e->delimiters, c, e->n_delimiters) != NULL;
}

static void put_part(struct tail *t, const struct expand *e, const char *part, size_t len, bool more)
{
	for (size_t i = 0; i < len; i++) {
		if (e->escape)
			put_escaped(t, part[i]);
		else
			put(t, part[i]);
	}
	if (more)
		put(t, '.');
}

/* The value split at the delimiters, perhaps reversed; the right-hand parts of that, joined by dots. */
static void put_value(struct tail *t, const struct expand *e, const char *value)
{
	size_t parts = 1, skip, len = strlen(value);

	for (size_t i = 0; i < len; i++)
		parts += splits(e, value[i]);
	skip = e->keep > 0 && e->keep < parts ? parts - e->keep : 0;
	if (!e->reverse) {
		const char *start = value;

		for (size_t n = 0; n < parts; n++) {
			const char *end = start;

			while (*end != '\0' && !splits(e, *end))
				end++;
			if (n >= skip)
				put_part(t, e, start, (size_t)(end - start), n + 1 < parts);
			start = end + 1;
		}
		return;
	}
	for (size_t n = 0, end = len; n < parts; n++) {
		size_t start = end;

		while (start > 0 && !splits(e, value[start - 1]))
			start--;
		if (n >= skip)
			put_part(t, e, value + start, end - start, n + 1 < parts);
		end = start - 1;                 /* not read after the last part */
	}
}

/* "192.0.2.3", or 32 nibbles with dots between */
static void client_text(const struct ip *ip, char text[72])
{
	if (ip->family != 6) {
		snprintf(text, 72, "%u.%u.%u.%u", ip->addr[0], ip->addr[1], ip->addr[2], ip->addr[3]);
		return;
	}
	for (int i = 0; i < 16; i++)
		snprintf(text + i * 4, 5, "%x.%x.", ip->addr[i] >> 4, ip->addr[i] & 15);
	text[63] = '\0';
}

static void put_macro(TALLOC_CTX *mem, struct tail *t, const struct expand *e, const struct spf_macros *m)
{
	char client[72];
	char *sender;

	switch (e->letter) {
	case 's':
		sender = talloc_asprintf(mem, "%s@%s", m->local, m->sender_domain);
		put_value(t, e, sender != NULL ? sender : "");
		talloc_free(sender);
		return;
	case 'l': put_value(t, e, m->local); return;
	case 'o': put_value(t, e, m->sender_domain); return;
	case 'd': put_value(t, e, m->domain); return;
	case 'h': put_value(t, e, m->helo); return;
	case 'p': put_value(t, e, m->validated != NULL ? m->validated : "unknown"); return;
	case 'v': put_value(t, e, m->client.family == 6 ? "ip6" : "in-addr"); return;
	default:
		client_text(&m->client, client);
		put_value(t, e, client);
	}
}

char *spf_macro_expand(TALLOC_CTX *mem, const struct spf_macros *macros, const char *spec, size_t len)
{
	struct tail t = { .n = 0 };
	const char *start = t.text;
	struct expand e;

	for (size_t i = 0; i < len; i++) {
		if (spec[i] != '%') {
			put(&t, spec[i]);
			continue;
		}
		if (read_expand(spec + i, len - i, &e)) {
			put_macro(mem, &t, &e, macros);
			i += e.len - 1;
			continue;
		}
		i++;
		if (spec[i] == '-') {
			put(&t, '%');
			put(&t, '2');
			put(&t, '0');
		} else {
			put(&t, spec[i] == '_' ? ' ' : '%');
		}
	}
	if (t.n > 0 && t.text[t.n - 1] == '.')
		t.n--;
	/* section 7.3: whole labels go from the left */
	while (t.n > DOMAIN_LEN_MAX) {
		const char *dot = memchr(start, '.', t.n);

		if (dot == NULL)
			break;                   /* a label that no name can have: the caller sees it */
		t.n -= (size_t)(dot + 1 - start);
		start = dot + 1;
	}
	return talloc_strndup(mem, start, t.n);
}
