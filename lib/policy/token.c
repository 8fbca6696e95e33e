/* token.c - the configuration's text to tokens: words, strings, signs; comments, escapes and ${NAME} are done here */
#include "policy/token.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "policy/parse.h"

void lexer_init(struct lexer *l, TALLOC_CTX *mem, const char *text, size_t len, const char *file, struct config_errors *errors)
{
	*l = (struct lexer){ .mem = mem, .at = text, .end = text + len, .line = 1, .file = file, .errors = errors };
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		l->at += 3;                    /* the mark that some editors put at the beginning */
}

void lexer_error(struct lexer *l, int line, const char *format, ...)
{
	char text[512];
	va_list args;

	if (l->error_line == line)
		return;
	l->error_line = line;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	config_error_add(l->errors, l->file, line, "%s", text);
}

/* ---- what stands between tokens */

static bool starts(const struct lexer *l, const char *what)
{
	size_t n = strlen(what);

	return (size_t)(l->end - l->at) >= n && memcmp(l->at, what, n) == 0;
}

static void skip_line(struct lexer *l)
{
	const char *newline = memchr(l->at, '\n', (size_t)(l->end - l->at));

	l->at = newline != NULL ? newline : l->end;
}

static void skip_block_comment(struct lexer *l)
{
	int line = l->line;

	for (l->at += 2; l->at < l->end; l->at++) {
		if (starts(l, "*/")) {
			l->at += 2;
			return;
		}
		if (*l->at == '\n')
			l->line++;
	}
	lexer_error(l, line, "the comment that begins here has no end; close it with */");
}

static void skip_blanks(struct lexer *l)
{
	while (l->at < l->end) {
		char c = *l->at;

		if (c == '\n')
			l->line++;
		if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v')
			l->at++;
		else if (c == '#' || starts(l, "//"))
			skip_line(l);
		else if (starts(l, "/*"))
			skip_block_comment(l);
		else
			return;
	}
}

/* ---- words */

static bool word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '+' || c == '%';
}

static bool run_ends(const struct lexer *l)
{
	return strchr(" \t\r\n\f\v{}(),=;\"'#", *l->at) != NULL || starts(l, "+=") || starts(l, "//") || starts(l, "/*");
}

/* Everything up to the next blank or sign: a word, or stray text that needs quotes. */
static struct token read_run(struct lexer *l)
{
	struct token token = { .kind = TOKEN_WORD, .line = l->line };
	const char *begin = l->at;

	do {
		if (!word_char(*l->at))
			token.kind = TOKEN_STRAY;
		l->at++;
	} while (l->at < l->end && !run_ends(l));
	token.text = talloc_strndup(l->mem, begin, (size_t)(l->at - begin));
	return token;
}

/* ---- strings */

struct string {
	char *v;                         /* a talloc array */
	size_t n, size;
	bool too_long;
};

static void string_add(struct lexer *l, struct string *s, const char *bytes, size_t n)
{
	if (s->n + n > TOKEN_STRING_MAX) {
		s->too_long = true;
		return;
	}
	if (s->n + n + 1 > s->size) {
		s->size = (s->n + n + 1) * 2;
		s->v = talloc_realloc(l->mem, s->v, char, s->size);
	}
	memcpy(s->v + s->n, bytes, n);
	s->n += n;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* at stands behind a backslash in double quotes; false: the line or the file ends here. */
static bool read_escape(struct lexer *l, struct string *s)
{
	static const char letters[] = "ntr\\\"'$", means[] = "\n\t\r\\\"'$";
	const char *found;
	char byte;

	if (l->at >= l->end || *l->at == '\n')
		return false;
	if (*l->at == 'x' && l->end - l->at >= 3 && hex_digit(l->at[1]) >= 0 && hex_digit(l->at[2]) >= 0) {
		byte = (char)(hex_digit(l->at[1]) * 16 + hex_digit(l->at[2]));
		if (byte == '\0')
			lexer_error(l, l->line, "\\x00 (NUL) cannot stand in a string");
		else
			string_add(l, s, &byte, 1);
		l->at += 3;
		return true;
	}
	found = strchr(letters, *l->at);
	if (found != NULL)
		string_add(l, s, &means[found - letters], 1);
	else
		lexer_error(l, l->line, "\\%c means nothing in double quotes; write \\\\ for a backslash, or put the text in single quotes", *l->at);
	l->at++;
	return true;
}

static bool name_char(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (!first && c >= '0' && c <= '9');
}

/* at stands on "${": puts in an environment variable, ${NAME} or ${NAME:-text if it is not set or empty}. */
static void read_variable(struct lexer *l, struct string *s)
{
	const char *p = l->at + 2, *value, *end;
	char name[128];
	size_t n = 0;

	while (p < l->end && n < sizeof(name) - 1 && name_char(*p, n == 0))
		name[n++] = *p++;
	name[n] = '\0';
	for (end = p; end < l->end && *end != '}' && *end != '\n' && *end != '"'; end++)
		;
	if (end == l->end || *end != '}' || n == 0 || (end > p && (end - p < 2 || p[0] != ':' || p[1] != '-'))) {
		lexer_error(l, l->line, "\"${\" begins an environment variable: write ${NAME} or ${NAME:-otherwise}, or \\$ for a dollar sign");
		l->at += 2;
		return;
	}
	l->at = end + 1;
	value = getenv(name);
	if (value != NULL && (value[0] != '\0' || end == p)) {
		size_t len = strlen(value);

		l->expanded += len;
		if (l->expanded > TOKEN_EXPANDED_MAX)
			s->too_long = true;
		else
			string_add(l, s, value, len);
	} else if (end > p) {
		string_add(l, s, p + 2, (size_t)(end - p) - 2);
	} else {
		lexer_error(l, l->line, "the environment variable %s is not set; write ${%s:-otherwise} to do without it", name, name);
	}
}

/* The text between quotes; false: it does not end on its line. */
static bool read_quoted(struct lexer *l, struct string *s, char quote)
{
	for (l->at++; l->at < l->end && *l->at != '\n';) {
		if (*l->at == quote) {
			l->at++;
			return true;
		}
		if (quote == '"' && *l->at == '\\') {
			l->at++;
			if (!read_escape(l, s))
				return false;
		} else if (quote == '"' && starts(l, "${")) {
			read_variable(l, s);
		} else {
			if (quote == '\'' && (starts(l, "\\\\") || starts(l, "\\'")))
				l->at++;
			string_add(l, s, l->at, 1);
			l->at++;
		}
	}
	return false;
}

static struct token read_string(struct lexer *l)
{
	struct token token = { .kind = TOKEN_STRING, .line = l->line };
	struct string s = { NULL, 0, 0, false };
	char quote = *l->at;

	if (!read_quoted(l, &s, quote)) {
		lexer_error(l, token.line, "the string that begins here has no end on its line; close it with %c", quote);
		token.kind = TOKEN_STRAY;
		talloc_free(s.v);
		return token;
	}
	if (s.too_long)
		lexer_error(l, token.line, "the string is too long; %d bytes is the limit", TOKEN_STRING_MAX);
	string_add(l, &s, "", 0);              /* makes room for the NUL */
	s.v[s.n] = '\0';
	talloc_set_name_const(s.v, "config string");
	token.text = s.v;
	return token;
}

/* ---- all of them */

struct token lexer_next(struct lexer *l)
{
	static const struct { char sign; enum token_kind kind; } signs[] = {
		{ '=', TOKEN_ASSIGN }, { ',', TOKEN_COMMA }, { '{', TOKEN_OPEN }, { '}', TOKEN_CLOSE }, { '(', TOKEN_PAREN_OPEN }, { ')', TOKEN_PAREN_CLOSE },
	};
	struct token token = { .kind = TOKEN_END };

	skip_blanks(l);
	token.line = l->line;
	if (l->at >= l->end)
		return token;
	if (*l->at == '"' || *l->at == '\'')
		return read_string(l);
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		if (*l->at == signs[i].sign) {
			l->at++;
			token.kind = signs[i].kind;
			return token;
		}
	}
	if (starts(l, "+=")) {
		l->at += 2;
		token.kind = TOKEN_APPEND;
		return token;
	}
	return read_run(l);
}
