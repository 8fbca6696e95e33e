/* spf_syntax.c - the grammar of SPF records (RFC 7208 section 12), strictly: libspf2 never sees a text that was not read here */
#include "net/spf_private.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

enum { PROBLEM_MAX = 80 };

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

char *spf_printable(TALLOC_CTX *mem, const char *text, size_t len, size_t max)
{
	static const char hex[] = "0123456789abcdef";
	size_t take = len < max ? len : max, n = 0;
	char *out = talloc_array(mem, char, take * 4 + 4);

	for (size_t i = 0; out != NULL && i < take; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 0x20 && c < 0x7f) {
			out[n++] = (char)c;
			continue;
		}
		out[n++] = '\\';
		out[n++] = 'x';
		out[n++] = hex[c >> 4];
		out[n++] = hex[c & 15];
	}
	if (out != NULL)
		memcpy(out + n, take < len ? "..." : "", take < len ? 4 : 1);
	return out;
}

bool spf_is_record(const char *text)
{
	return strncasecmp(text, "v=spf1", 6) == 0 && (text[6] == '\0' || text[6] == ' ');
}

/* ---- prefix lengths */

/* Reads a number without leading zeros at the end of text, back to its slash, and takes both off. false: there is no such number, len stays. */
static bool number_off_end(const char *text, size_t *len, unsigned *number_r)
{
	size_t start = *len;
	unsigned number = 0;

	while (start > 0 && is_digit(text[start - 1]))
		start--;
	if (start == *len || *len - start > 3 || start == 0 || text[start - 1] != '/' || (text[start] == '0' && *len - start > 1))
		return false;
	for (size_t i = start; i < *len; i++)
		number = number * 10 + (unsigned)(text[i] - '0');
	*number_r = number;
	*len = start - 1;
	return true;
}

/* dual-cidr-length: "/24", "//64", "/24//64" are taken off the end. */
static bool dual_prefix(const char *text, size_t *len, struct spf_term *term)
{
	size_t rest = *len;
	unsigned n;

	if (number_off_end(text, &rest, &n)) {
		if (rest > 0 && text[rest - 1] == '/') {
			if (n > 128)
				return false;
			term->bits6 = (uint8_t)n;
			*len = --rest;
			if (!number_off_end(text, &rest, &n))
				return true;
		}
		if (n > 32)
			return false;
		term->bits4 = (uint8_t)n;
		*len = rest;
	}
	return true;
}

/* ---- mechanisms */

/* ":" domain-spec, or nothing where that is allowed */
static bool read_spec(const char *text, size_t len, bool needed, struct spf_term *term)
{
	if (len == 0)
		return !needed;
	if (text[0] != ':' || !spf_macro_valid(text + 1, len - 1, true))
		return false;
	term->spec = text + 1;
	term->spec_len = len - 1;
	return true;
}

/* ":" network [ "/" bits ] */
static bool read_network(const char *text, size_t len, int family, struct spf_term *term)
{
	unsigned max = family == AF_INET ? 32 : 128, bits = max;
	char address[INET6_ADDRSTRLEN];

	if (len < 2 || text[0] != ':')
		return false;
	text++;
	len--;
	number_off_end(text, &len, &bits);
	if (bits > max || len == 0 || len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	term->ip.family = family == AF_INET ? 4 : 6;
	if (family == AF_INET)
		term->bits4 = (uint8_t)bits;
	else
		term->bits6 = (uint8_t)bits;
	return inet_pton(family, address, term->ip.addr) == 1;
}

/* What follows the mechanism's name. */
static bool read_arguments(const char *text, size_t len, struct spf_term *term)
{
	switch (term->mechanism) {
	case SPF_MECH_ALL: return len == 0;
	case SPF_MECH_INCLUDE: case SPF_MECH_EXISTS: return read_spec(text, len, true, term);
	case SPF_MECH_PTR: return read_spec(text, len, false, term);
	case SPF_MECH_A: case SPF_MECH_MX: return dual_prefix(text, &len, term) && read_spec(text, len, false, term);
	case SPF_MECH_IP4: return read_network(text, len, AF_INET, term);
	case SPF_MECH_IP6: return read_network(text, len, AF_INET6, term);
	}
	return false;
}

static bool read_directive(const char *text, size_t len, struct spf_term *term_r)
{
	static const char *const names[] = {
		[SPF_MECH_ALL] = "all", [SPF_MECH_INCLUDE] = "include", [SPF_MECH_A] = "a", [SPF_MECH_MX] = "mx", [SPF_MECH_PTR] = "ptr", [SPF_MECH_IP4] = "ip4",
		[SPF_MECH_IP6] = "ip6", [SPF_MECH_EXISTS] = "exists",
	};
	size_t name = 0;

	*term_r = (struct spf_term){ .text = text, .text_len = len, .qualifier = '+', .bits4 = 32, .bits6 = 128 };
	if (strchr("+-~?", text[0]) != NULL) {
		term_r->qualifier = *text++;
		len--;
	}
	while (name < len && (is_alpha(text[name]) || is_digit(text[name])))
		name++;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strlen(names[i]) != name || strncasecmp(text, names[i], name) != 0)
			continue;
		term_r->mechanism = (enum spf_mechanism)i;
		return read_arguments(text + name, len - name, term_r);
	}
	return false;
}

/* ---- modifiers */

/* Length of the name before "=", 0: it is no modifier. */
static size_t modifier_name(const char *text, size_t len)
{
	size_t n = 0;

	if (!is_alpha(text[0]))
		return 0;
	while (n < len && (is_alpha(text[n]) || is_digit(text[n]) || text[n] == '-' || text[n] == '_' || text[n] == '.'))
		n++;
	return n < len && text[n] == '=' ? n : 0;
}

static bool read_modifier(const char *text, size_t name, size_t len, struct spf_record *record, bool *exp)
{
	const char *value = text + name + 1;
	size_t value_len = len - name - 1;
	bool redirect = name == 8 && strncasecmp(text, "redirect", 8) == 0;

	if (!redirect && (name != 3 || strncasecmp(text, "exp", 3) != 0))
		return spf_macro_valid(value, value_len, false);
	/* each at most once (section 6) */
	if (redirect ? record->redirect != NULL : *exp)
		return false;
	if (redirect) {
		record->redirect = value;
		record->redirect_len = value_len;
	} else {
		*exp = true;
	}
	return spf_macro_valid(value, value_len, true);
}

/* ---- the record */

static size_t count_terms(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += text[0] == ' ' && text[1] != ' ' && text[1] != '\0';
	return n;
}

bool spf_parse(TALLOC_CTX *mem, const char *text, struct spf_record *record_r, const char **problem_r)
{
	const char *p = text + 6;
	bool exp = false;

	*record_r = (struct spf_record){ 0 };
	*problem_r = "no memory";
	if (strnlen(text, SPF_RECORD_MAX + 1) > SPF_RECORD_MAX) {
		*problem_r = "the record is too long";
		return false;
	}
	record_r->terms = talloc_array(mem, struct spf_term, count_terms(text) + 1);
	if (record_r->terms == NULL)
		return false;
	for (p += strspn(p, " "); *p != '\0'; p += strspn(p, " ")) {
		size_t len = strcspn(p, " "), name = modifier_name(p, len);
		struct spf_term *term = &record_r->terms[record_r->n];

		if (name > 0 ? !read_modifier(p, name, len, record_r, &exp) : !read_directive(p, len, term)) {
			const char *shown = spf_printable(mem, p, len, PROBLEM_MAX);

			*problem_r = talloc_asprintf(mem, "syntax error at \"%s\"", shown != NULL ? shown : "");
			return false;
		}
		if (name == 0) {
			record_r->has_all |= term->mechanism == SPF_MECH_ALL;
			record_r->n++;
		}
		p += len;
	}
	*problem_r = "";
	return true;
}
