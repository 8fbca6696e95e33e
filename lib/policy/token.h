/* token.h - the configuration's text to tokens: words, strings, signs; comments, escapes and ${NAME} are done here. Internal to policy/ */
#ifndef WINNOW_POLICY_TOKEN_H
#define WINNOW_POLICY_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include <talloc.h>

struct config_errors;

enum {
	TOKEN_STRING_MAX = 65536,        /* bytes of one string, its variables put in */
	TOKEN_EXPANDED_MAX = 4 << 20     /* bytes that variables may bring into one file */
};

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_STRING, TOKEN_ASSIGN, TOKEN_APPEND, TOKEN_COMMA, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_PAREN_OPEN, TOKEN_PAREN_CLOSE,
	TOKEN_STRAY };                   /* text: what cannot stand in the file outside quotes; NULL: the error was reported */

struct token {
	enum token_kind kind;
	int line;
	char *text;                      /* of words, strings and stray text; child of the lexer's mem */
};

/* A place in a text. Moves forward only; linear. */
struct lexer {
	TALLOC_CTX *mem;
	const char *at, *end;
	int line;
	const char *file;
	struct config_errors *errors;
	int error_line;                  /* the last line that has an error: it gets no second one, which would only be an echo of the first */
	size_t expanded;
};

void lexer_init(struct lexer *lexer, TALLOC_CTX *mem, const char *text, size_t len, const char *file, struct config_errors *errors);
struct token lexer_next(struct lexer *lexer);

/* An error of syntax: the first of its line is kept. */
void lexer_error(struct lexer *lexer, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
