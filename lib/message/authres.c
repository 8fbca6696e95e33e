/* authres.c - whose Authentication-Results field is it, and values that nothing breaks out of (RFC 8601 section 2.2) */
#include "message/authres.h"

#include <string.h>
#include <strings.h>

#include "message/lex.h"

enum { VALUE_MAX = 255 };

/* Letters of an authserv-id outside quotes: an RFC 2045 token, or UTF-8 (RFC 8616). */
static bool id_char(char c)
{
	return lex_token_char(c) || (unsigned char)c >= 128;
}

/* What may stand behind the id: a version, then a semicolon or the end. */
static bool id_ends(struct lex *lex)
{
	bool gap = lex_cfws(lex);

	if (gap) {
		while (lex->p < lex->end && lex_digit(*lex->p))
			lex->p++;
		lex_cfws(lex);
	}
	return !lex->bad && (lex->p == lex->end || *lex->p == ';');
}

char *authres_id(TALLOC_CTX *parent, const char *value, size_t len)
{
	struct lex lex = { .p = value, .end = value + len };
	char *id;
	size_t n = 0;
	bool plain = true;

	lex_cfws(&lex);
	id = talloc_array(parent, char, (size_t)(lex.end - lex.p) + 1);
	if (id == NULL)
		return NULL;
	if (lex.p < lex.end && *lex.p == '"') {
		n = lex_quoted(&lex, id);
	} else {
		while (lex.p < lex.end && id_char(*lex.p))
			id[n++] = *lex.p++;
	}
	for (size_t i = 0; i < n; i++) {
		id[i] = lex_lower(id[i]);
		plain = plain && !lex_blank(id[i]) && !lex_control(id[i]);
	}
	if (n > 0 && id[n - 1] == '.')
		n--;
	if (n == 0 || !plain || !id_ends(&lex)) {
		talloc_free(id);
		return NULL;
	}
	id[n] = 0;
	return talloc_realloc(parent, id, char, n + 1);
}

static bool is_one_of(const char *id, const char *const *ids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(id, ids[i]) == 0)
			return true;
	}
	return false;
}

/* Does one of the names stand anywhere? Without the backslashes that hide letters in quoted strings, and without folds. */
static bool mentions(TALLOC_CTX *scratch, const char *value, size_t len, const char *const *ids, size_t n_ids)
{
	char *text = talloc_array(scratch, char, len + 1);
	size_t n = 0;

	if (text == NULL)
		return true;                     /* the safe side */
	for (size_t i = 0; i < len; i++) {
		if (value[i] != '\\' && value[i] != '\r' && value[i] != '\n')
			text[n++] = lex_lower(value[i]);
	}
	for (size_t i = 0; i < n_ids; i++) {
		if (ids[i][0] != 0 && memmem(text, n, ids[i], strlen(ids[i])) != NULL)
			return true;
	}
	return false;
}

bool authres_is_ours(const char *value, size_t len, const char *const *ids, size_t n)
{
	TALLOC_CTX *scratch = talloc_new(NULL);
	const char *id = authres_id(scratch, value, len);
	bool ours = id != NULL ? is_one_of(id, ids, n) : mentions(scratch, value, len, ids, n);

	talloc_free(scratch);
	return ours;
}

/* A token, or [token] "@" token. */
static bool needs_no_quotes(const char *text, size_t len)
{
	const char *at = memchr(text, '@', len);
	const char *last = at != NULL ? at + 1 : text;

	for (const char *p = text; p < text + len; p++) {
		if (p != at && !lex_token_char(*p))
			return false;
	}
	return last < text + len;
}

char *authres_value(TALLOC_CTX *parent, const char *text)
{
	size_t len = strnlen(text, VALUE_MAX), n = 0;
	char *value;

	if (needs_no_quotes(text, len))
		return talloc_strndup(parent, text, len);
	value = talloc_array(parent, char, 2 * len + 3);
	if (value == NULL)
		return NULL;
	value[n++] = '"';
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"' || text[i] == '\\')
			value[n++] = '\\';
		value[n++] = lex_control(text[i]) || (unsigned char)text[i] >= 128 ? '?' : text[i];
	}
	value[n++] = '"';
	value[n] = 0;
	return value;
}
