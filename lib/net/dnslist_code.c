/* dnslist_code.c - codes of DNS lists as they are configured: networks, Postfix's patterns, bits */
#include "net/dnslist.h"

#include <string.h>

static const char forms[] = "write an address or network (\"127.0.0.4/30\"), a pattern (\"127.0.[0..255].[2;3]\"), or bits of the last octet (\"&88\")";
static const char outside[] = "no answer outside 127.0.0.0/8 is ever a listing; write a code within it";
static const char never[] = "127.0.0.1 and 127.255.0.0/16 are errors of lists, never a listing; take it out";

static void add(uint32_t octet[8], unsigned value)
{
	octet[value >> 5] |= UINT32_C(1) << (value & 31);
}

static bool has(const uint32_t octet[8], unsigned value)
{
	return octet[value >> 5] >> (value & 31) & 1;
}

static void add_range(uint32_t octet[8], unsigned from, unsigned to)
{
	for (unsigned value = from; value <= to; value++)
		add(octet, value);
}

/* 1 to 3 digits, at most 255, not "01". */
static bool number(const char **p, unsigned *value_r)
{
	const char *begin = *p;

	*value_r = 0;
	while (**p >= '0' && **p <= '9' && *p - begin < 3)
		*value_r = *value_r * 10 + (unsigned)(*(*p)++ - '0');
	return *p > begin && *value_r <= 255 && (begin[0] != '0' || *p - begin == 1);
}

/* "4", or "[2;4..7;9]" */
static bool octet(const char **p, uint32_t octet_r[8])
{
	unsigned from, to;

	if (**p != '[') {
		if (!number(p, &from))
			return false;
		add(octet_r, from);
		return true;
	}
	do {
		++*p;
		if (!number(p, &from))
			return false;
		to = from;
		if (strncmp(*p, "..", 2) == 0) {
			*p += 2;
			if (!number(p, &to) || to < from)
				return false;
		}
		add_range(octet_r, from, to);
	} while (**p == ';');
	return *(*p)++ == ']';
}

static const char *parse_pattern(const char *text, struct dnslist_code *code)
{
	const char *p = text;

	for (int i = 0; i < 4; i++)
		if ((i > 0 && *p++ != '.') || !octet(&p, code->octet[i]))
			return forms;
	return *p == '\0' ? NULL : forms;
}

static const char *parse_network(const char *text, struct dnslist_code *code)
{
	struct ipnet net;

	if (!ipnet_parse(text, true, &net) || net.ip.family != 4)
		return forms;
	if (!ipnet_parse(text, false, &net))
		return "bits behind the network's length are set; make them zero";
	for (int i = 0; i < 4; i++) {
		unsigned bits = net.bits > 8 * i ? net.bits - 8U * (unsigned)i : 0, free = bits >= 8 ? 0 : 8 - bits;

		add_range(code->octet[i], net.ip.addr[i], net.ip.addr[i] + (1U << free) - 1);
	}
	return NULL;
}

static const char *parse_bits(const char *text, struct dnslist_code *code)
{
	const char *p = text + 1;
	unsigned bits;

	if (!number(&p, &bits) || *p != '\0' || bits == 0)
		return "write a number from 1 to 255 after the &, as \"&88\" for any of 8, 16 and 64";
	add(code->octet[0], 127);
	add_range(code->octet[1], 0, 255);
	add_range(code->octet[2], 0, 255);
	for (unsigned value = 1; value <= 255; value++)
		if (value & bits)
			add(code->octet[3], value);
	return NULL;
}

/* Bits of an octet that are set: there is none with value 127 alone, or only the one. */
static bool only(const uint32_t o[8], unsigned value)
{
	for (unsigned i = 0; i < 256; i++)
		if (has(o, i) != (i == value))
			return false;
	return true;
}

static const char *complaint(const struct dnslist_code *code)
{
	if (!only(code->octet[0], 127))
		return outside;
	if (only(code->octet[1], 255) || (only(code->octet[1], 0) && only(code->octet[2], 0) && only(code->octet[3], 1)))
		return never;
	return NULL;
}

const char *dnslist_code_parse(const char *text, struct dnslist_code *code_r)
{
	const char *wrong;

	memset(code_r, 0, sizeof(*code_r));
	if (text[0] == '&')
		return parse_bits(text, code_r);
	wrong = strpbrk(text, "[;") != NULL ? parse_pattern(text, code_r) : parse_network(text, code_r);
	return wrong != NULL ? wrong : complaint(code_r);
}

const char *dnslist_code_check(const char *text)
{
	struct dnslist_code code;

	return dnslist_code_parse(text, &code);
}

struct dnslist_codes dnslist_codes_parse(TALLOC_CTX *mem, const char *const *texts)
{
	struct dnslist_codes codes = { 0 };
	size_t n = 0;

	while (texts[n] != NULL)
		n++;
	codes.v = n > 0 ? talloc_array(mem, struct dnslist_code, n) : NULL;
	for (size_t i = 0; codes.v != NULL && i < n; i++)
		if (dnslist_code_parse(texts[i], &codes.v[codes.n]) == NULL)
			codes.n++;
	return codes;
}

bool dnslist_codes_match(const struct dnslist_codes *codes, const uint32_t *addresses, size_t n)
{
	for (size_t c = 0; c < codes->n; c++) {
		for (size_t i = 0; i < n; i++) {
			bool fits = true;

			for (unsigned o = 0; o < 4 && fits; o++)
				fits = has(codes->v[c].octet[o], addresses[i] >> (24 - 8 * o) & 255);
			if (fits)
				return true;
		}
	}
	return false;
}
