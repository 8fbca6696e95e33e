/* lex.c - what all readers of structured fields share: blanks, folding, comments, quoted strings */
#include "message/lex.h"

#include <string.h>

bool lex_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool lex_control(char c)
{
	return (unsigned char)c < 32 || c == 127;
}

bool lex_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool lex_token_char(char c)
{
	return c > 32 && c < 127 && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

bool lex_atom_char(char c)
{
	unsigned char u = (unsigned char)c;

	return u >= 128 || (u > 32 && u < 127 && strchr("()<>@,;:\\\".[]", c) == NULL);
}

char lex_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

int lex_hex(char c)
{
	if (lex_digit(c))
		return c - '0';
	c = lex_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool lex_blanks(struct lex *lex)
{
	const char *start = lex->p;

	while (lex->p < lex->end && lex_blank(*lex->p))
		lex->p++;
	return lex->p > start;
}

/* p stands at "(". The depth is a number, not a stack: 100,000 open parentheses cost nothing. */
static void skip_comment(struct lex *lex)
{
	size_t depth = 0;

	for (; lex->p < lex->end; lex->p++) {
		switch (*lex->p) {
		case '(':
			depth++;
			break;
		case ')':
			if (--depth == 0) {
				lex->p++;
				return;
			}
			break;
		case '\\':
			if (lex->p + 1 < lex->end)
				lex->p++;
			break;
		}
	}
	lex->bad = true;
}

bool lex_cfws(struct lex *lex)
{
	const char *start = lex->p;

	while (lex->p < lex->end) {
		if (*lex->p == '(')
			skip_comment(lex);
		else if (!lex_blanks(lex))
			break;
	}
	return lex->p > start;
}

size_t lex_quoted(struct lex *lex, char *out)
{
	size_t n = 0;

	for (lex->p++; lex->p < lex->end; lex->p++) {
		char c = *lex->p;

		if (c == '"') {
			lex->p++;
			return n;
		}
		if (c == '\r' || c == '\n')
			continue;
		if (c == '\\' && lex->p + 1 < lex->end)
			c = *++lex->p;
		out[n++] = c;
	}
	lex->bad = true;
	return n;
}
