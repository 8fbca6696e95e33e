/* authres_read.c - reads the results of an Authentication-Results field (RFC 8601 section 2.2), all or nothing: what others saw, as ARC hands it on */
#include <string.h>

#include "message/authres.h"
#include "message/lex.h"

struct reader {
	struct lex lex;
	TALLOC_CTX *mem;
};

static bool at(const struct reader *r, char c)
{
	return r->lex.p < r->lex.end && *r->lex.p == c;
}

/* That character, with blanks and comments before and behind it. */
static bool take(struct reader *r, char c)
{
	lex_cfws(&r->lex);
	if (!at(r, c))
		return false;
	r->lex.p++;
	lex_cfws(&r->lex);
	return true;
}

/* A keyword: letters, digits and inner hyphens; "." joins two, as in "header.from". In lower case; NULL: there is none. */
static char *keyword(struct reader *r, bool dot)
{
	const char *from = r->lex.p;
	char *out;

	while (r->lex.p < r->lex.end && (lex_digit(*r->lex.p) || (lex_lower(*r->lex.p) >= 'a' && lex_lower(*r->lex.p) <= 'z') || *r->lex.p == '-' || *r->lex.p == '_' || (dot && *r->lex.p == '.')))
		r->lex.p++;
	if (r->lex.p == from)
		return NULL;
	out = talloc_strndup(r->mem, from, (size_t)(r->lex.p - from));
	for (char *c = out; c != NULL && *c != '\0'; c++)
		*c = lex_lower(*c);
	return out;
}

/* A pvalue: a quoted string, a token, local@domain, @domain. NULL: none; it holds control characters. */
static char *pvalue(struct reader *r)
{
	char *out = talloc_array(r->mem, char, (size_t)(r->lex.end - r->lex.p) + 1);
	size_t n = 0;

	if (out == NULL)
		return NULL;
	if (at(r, '"')) {
		n = lex_quoted(&r->lex, out);
		if (at(r, '@'))
			out[n++] = *r->lex.p++;
	}
	while (r->lex.p < r->lex.end && (lex_token_char(*r->lex.p) || *r->lex.p == '@' || *r->lex.p == '/' || *r->lex.p == ':' || *r->lex.p == '[' || *r->lex.p == ']' || *r->lex.p == '='
	       || (unsigned char)*r->lex.p >= 128))
		out[n++] = *r->lex.p++;
	out[n] = '\0';
	if (n == 0 || r->lex.bad)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (lex_control(out[i]))
			return NULL;
	return talloc_realloc(r->mem, out, char, n + 1);
}

/* method ["/" version] "=" result *(reason / property); stands behind the semicolon. */
static bool read_result(struct reader *r, struct authres_result *result)
{
	*result = (struct authres_result){ .method = keyword(r, false), .reason = "" };
	if (result->method == NULL)
		return false;
	if (take(r, '/') && keyword(r, false) == NULL)
		return false;
	if (!take(r, '='))
		return false;
	result->result = keyword(r, false);
	result->properties = talloc_array(r->mem, struct authres_property, AUTHRES_PROPERTIES_MAX);
	if (result->result == NULL || result->properties == NULL)
		return false;
	for (;;) {
		bool gap = lex_cfws(&r->lex);
		char *name, *value;

		if (r->lex.p == r->lex.end || *r->lex.p == ';')
			return !r->lex.bad;
		name = gap ? keyword(r, true) : NULL;
		value = name != NULL && take(r, '=') ? pvalue(r) : NULL;
		if (value == NULL)
			return false;
		if (strcmp(name, "reason") == 0)
			result->reason = value;
		else if (result->n < AUTHRES_PROPERTIES_MAX && strchr(name, '.') != NULL)
			result->properties[result->n++] = (struct authres_property){ name, value };
		else
			return false;
	}
}

/* authserv-id and its version: up to the first semicolon, whoever it is. */
static bool skip_id(struct reader *r)
{
	char *id;

	lex_cfws(&r->lex);
	id = pvalue(r);
	if (id == NULL)
		return false;
	if (lex_cfws(&r->lex))
		while (r->lex.p < r->lex.end && lex_digit(*r->lex.p))
			r->lex.p++;
	lex_cfws(&r->lex);
	return at(r, ';');
}

bool authres_read(TALLOC_CTX *parent, const char *value, size_t len, struct authres_results *results)
{
	struct reader r = { .lex = { .p = value, .end = value + len }, .mem = talloc_new(parent) };

	*results = (struct authres_results){ 0 };
	if (r.mem == NULL)
		return false;
	results->v = talloc_array(r.mem, struct authres_result, AUTHRES_RESULTS_MAX);
	if (results->v == NULL || !skip_id(&r))
		goto bad;
	while (take(&r, ';')) {
		const char *from = r.lex.p;
		char *word;

		if (r.lex.p == r.lex.end)
			break;                   /* a semicolon at the end is a common fault that says nothing */
		word = keyword(&r, false);
		lex_cfws(&r.lex);
		if (word != NULL && strcmp(word, "none") == 0 && r.lex.p == r.lex.end && results->n == 0)
			break;
		r.lex.p = from;
		if (results->n == AUTHRES_RESULTS_MAX || !read_result(&r, &results->v[results->n++]))
			goto bad;
	}
	if (r.lex.p == r.lex.end && !r.lex.bad)
		return true;
bad:
	talloc_free(r.mem);
	*results = (struct authres_results){ 0 };
	return false;
}

const char *authres_property(const struct authres_result *result, const char *name)
{
	for (size_t i = 0; i < result->n; i++)
		if (strcmp(result->properties[i].name, name) == 0)
			return result->properties[i].value;
	return NULL;
}
