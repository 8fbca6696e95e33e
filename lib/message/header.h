/* header.h - header fields: names, values, encoded words, Content-Type (RFC 5322, 2045, 2047, 2231) */
#ifndef WINNOW_MESSAGE_HEADER_H
#define WINNOW_MESSAGE_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include <talloc.h>

/* One field as the MTA handed it on. */
struct header_field {
	const char *name;                /* as spelled; may hold any byte but NUL (a byte-order mark, for one) */
	const char *value;               /* with its leading space, folds as LF + blank, without the last line end; NUL-terminated, no NUL inside */
	size_t name_len, value_len;
	unsigned index;                  /* 1-based among fields of that name (case-insensitive), as smfi_chgheader counts */
};

/* Do two field names denote the same field? Case does not matter; blanks before the colon (obsolete syntax) neither. */
bool header_name_equal(const char *a, const char *b);

/* The value unfolded (LF or CRLF + blank becomes the blank), leading and trailing blanks removed: a talloc'ed string, child of parent.
 * A NUL becomes byte 1, here and below: the string does not end early, and who looks for control characters finds one. */
char *header_unfold(TALLOC_CTX *parent, const char *value, size_t len);

/* The value unfolded and its encoded words decoded to UTF-8 (RFC 2047; adjacent words of one charset are joined before they are converted; unknown charsets and bad words stay as written).
 * Lenient where mail programs are: words longer than 75 characters, blanks in them, words beside other text or in quoted strings, padding missing.
 * Raw bytes that are not UTF-8 become U+FFFD; control characters stay. Never fails; linear; the result has at most 4 bytes for each byte of input. */
char *header_decode(TALLOC_CTX *parent, const char *value, size_t len);

/* Is the byte sequence well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates)? */
bool utf8_valid(const char *text, size_t len);

struct content_type {
	const char *type, *subtype;      /* lower case; "text", "plain" where the field is empty or unreadable (RFC 2045 section 5.2) */
	const char *boundary;            /* NULL if none, "" is possible; RFC 2231 parts joined; no UTF-8 promised */
	const char *charset;             /* lower case, NULL if none */
	const char *name;                /* "name" parameter, decoded (RFC 2231, or encoded words) to UTF-8; NULL if none */
	bool malformed;                  /* it could not be read to its end, a parameter stands twice, or there are two different boundaries or charsets;
	                                  * an empty field is not malformed */
};

/* Reads the value of Content-Type: comments anywhere, folding, quoted strings, RFC 2231 continuations, a missing semicolon. Any byte may occur. Strings are children of parent. */
void content_type_parse(TALLOC_CTX *parent, const char *value, size_t len, struct content_type *type_r);

#endif
