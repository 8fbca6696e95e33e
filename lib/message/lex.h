/* lex.h - what all readers of structured fields share: blanks, folding, comments, quoted strings (RFC 5322 section 3.2). Internal to message/ */
#ifndef WINNOW_MESSAGE_LEX_H
#define WINNOW_MESSAGE_LEX_H

#include <stdbool.h>
#include <stddef.h>

/* A place in a field's value. Nothing here allocates or recurses, every call moves p forward only: a reader that does the same is linear. */
struct lex {
	const char *p, *end;
	bool bad;                        /* a comment or quoted string had no end */
};

/* ASCII only, whatever the locale; any byte may be asked. */
bool lex_blank(char c);                  /* space, tab, CR, LF: what folding leaves in a value */
bool lex_control(char c);                /* 0 to 31 and 127 */
bool lex_digit(char c);
bool lex_token_char(char c);             /* of an RFC 2045 token: visible ASCII without ()<>@,;:\"/[]?= */
bool lex_atom_char(char c);              /* of an RFC 5322 atom, bytes of UTF-8 among them (RFC 6532) */
char lex_lower(char c);
int lex_hex(char c);                     /* 0 to 15, or -1 */

/* Skips blanks and comments (nested to any depth, with quoted pairs). Returns whether there was anything to skip. */
bool lex_cfws(struct lex *lex);

/* The same for blanks alone. */
bool lex_blanks(struct lex *lex);

/* Reads a quoted string; p stands at its opening quote and is left behind the closing one. What it means is written to out (never more bytes than are read;
 * folds and quoted pairs resolved; no NUL is added), its length is returned. Without closing quote all the rest is read and bad set. */
size_t lex_quoted(struct lex *lex, char *out);

#endif
