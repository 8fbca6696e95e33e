/* address.c - the envelope's paths (RFC 5321 section 4.1.2) */
#include "message/address.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "message/address_spec.h"
#include "message/header.h"
#include "message/lex.h"

enum { DOMAIN_MAX = 255, LABEL_MAX = 63 };

/* What stands in the brackets of an address literal: IPv4, IPv6: and IPv6, or another tag and visible characters. */
static bool literal_valid(const char *inside, size_t len)
{
	char text[INET6_ADDRSTRLEN + 1];
	struct in6_addr address;
	const char *colon = memchr(inside, ':', len);
	bool ipv6 = len >= 5 && strncasecmp(inside, "ipv6:", 5) == 0;

	if (colon == NULL || ipv6) {
		if (ipv6) {
			inside += 5;
			len -= 5;
		}
		if (len >= sizeof(text) || memchr(inside, 0, len) != NULL)
			return false;
		memcpy(text, inside, len);
		text[len] = 0;
		return inet_pton(ipv6 ? AF_INET6 : AF_INET, text, &address) == 1;
	}
	for (size_t i = 0; i < len; i++) {
		if (inside[i] <= 32 || inside[i] >= 127 || strchr("[]\\", inside[i]) != NULL)
			return false;
	}
	return colon != inside && colon + 1 < inside + len;
}

bool address_domain_valid(const char *domain, size_t len)
{
	size_t label = 0;
	bool ascii = true;

	if (len > 0 && domain[0] == '[')
		return len > 2 && len <= DOMAIN_MAX && domain[len - 1] == ']' && literal_valid(domain + 1, len - 2);
	if (len > 0 && domain[len - 1] == '.')
		len--;
	if (len == 0 || len > DOMAIN_MAX || !utf8_valid(domain, len))
		return false;
	for (size_t i = 0; i <= len; i++) {
		if (i == len || domain[i] == '.') {
			/* UTF-8 may be longer than the A-label that it stands for */
			if (label == 0 || (ascii && label > LABEL_MAX))
				return false;
			label = 0;
			ascii = true;
			continue;
		}
		char c = lex_lower(domain[i]);
		if ((unsigned char)c >= 128)
			ascii = false;
		else if (!lex_digit(c) && !(c >= 'a' && c <= 'z') && c != '-' && c != '_')
			return false;
		label++;
	}
	return true;
}

void address_build(TALLOC_CTX *parent, const char *written, size_t written_len, const char *local, size_t local_len, const char *domain, size_t domain_len,
	struct address *address_r)
{
	char *block, *p;

	*address_r = (struct address){ .text = "", .local = "", .domain = "" };
	if (domain_len > 0 && domain[domain_len - 1] == '.')
		domain_len--;
	block = talloc_size(parent, written_len + local_len + domain_len + 3);
	if (block == NULL)
		return;
	talloc_set_name_const(block, "address");
	address_r->local = block;
	memcpy(block, local, local_len);
	block[local_len] = 0;
	p = block + local_len + 1;
	address_r->text = p;
	memcpy(p, written, written_len);
	p += written_len;
	if (domain != NULL) {
		*p++ = '@';
		address_r->domain = p;
		for (size_t i = 0; i < domain_len; i++)
			*p++ = lex_lower(domain[i]);
	}
	*p = 0;
}

/* Drops "@a,@b:". false: it begins like a route and is none. */
static bool skip_route(struct lex *lex)
{
	if (lex->p == lex->end || *lex->p != '@')
		return true;
	for (;;) {
		const char *domain = ++lex->p;

		if (lex->p < lex->end && *lex->p == '[') {
			while (lex->p < lex->end && *lex->p != ']')
				lex->p++;
		}
		while (lex->p < lex->end && *lex->p != ',' && *lex->p != ':')
			lex->p++;
		if (lex->p == lex->end || !address_domain_valid(domain, (size_t)(lex->p - domain)))
			return false;
		if (*lex->p++ == ':')
			return true;
		if (lex->p == lex->end || *lex->p != '@')
			return false;
	}
}

/* Reads atoms and quoted strings with dots between them. out gets what they mean. false: something else stands there. */
static bool read_local(struct lex *lex, char *out, size_t *n_r)
{
	size_t n = 0;

	for (;;) {
		const char *start = lex->p;
		size_t before = n;

		if (lex->p < lex->end && *lex->p == '"') {
			n += lex_quoted(lex, out + n);
			for (const char *p = start; p < lex->p; p++) {
				if (lex_control(*p))
					return false;
			}
		} else {
			while (lex->p < lex->end && lex_atom_char(*lex->p))
				out[n++] = *lex->p++;
		}
		if (n == before || lex->bad)
			return false;
		if (lex->p == lex->end || *lex->p != '.') {
			*n_r = n;
			return true;
		}
		out[n++] = *lex->p++;
	}
}

static bool parse(TALLOC_CTX *parent, const char *path, size_t len, char *scratch, struct address *address_r)
{
	struct lex lex = { .p = path, .end = path + len };
	const char *written;
	size_t written_len, local_len;

	if (!skip_route(&lex))
		return false;
	written = lex.p;
	if (!utf8_valid(written, (size_t)(lex.end - written)) || lex.end - written > ADDRESS_MAX || !read_local(&lex, scratch, &local_len))
		return false;
	written_len = (size_t)(lex.p - written);
	if (lex.p == lex.end) {
		address_build(parent, written, written_len, scratch, local_len, NULL, 0, address_r);
		return true;
	}
	if (*lex.p++ != '@' || !address_domain_valid(lex.p, (size_t)(lex.end - lex.p)))
		return false;
	address_build(parent, written, written_len, scratch, local_len, lex.p, (size_t)(lex.end - lex.p), address_r);
	return true;
}

bool address_parse_path(TALLOC_CTX *parent, const char *path, struct address *address_r)
{
	size_t len = strlen(path);
	bool opened = len > 0 && path[0] == '<', closed = len > (opened ? 1 : 0) && path[len - 1] == '>', valid;
	const char *at;
	char *scratch;

	path += opened;
	len -= (size_t)opened + closed;
	if (len == 0 && opened == closed) {
		*address_r = (struct address){ .text = "", .local = "", .domain = "" };
		return true;
	}
	scratch = talloc_array(NULL, char, len + 1);
	valid = scratch != NULL && opened == closed && parse(parent, path, len, scratch, address_r);
	talloc_free(scratch);
	if (!valid) {
		at = memrchr(path, '@', len);
		size_t local_len = at != NULL ? (size_t)(at - path) : len;
		address_build(parent, path, local_len, path, local_len, at != NULL ? at + 1 : NULL, at != NULL ? len - local_len - 1 : 0, address_r);
	}
	return valid;
}
