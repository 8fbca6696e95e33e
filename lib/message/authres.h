/* authres.h - reads whose Authentication-Results field this is (RFC 8601 section 2.2) and writes values into one */
#ifndef WINNOW_MESSAGE_AUTHRES_H
#define WINNOW_MESSAGE_AUTHRES_H

#include <stdbool.h>
#include <stddef.h>

#include <talloc.h>

/* Reads the authserv-id of a field's value (comments, folding, quoted-string, version skipped). NULL: it cannot be read. Lower case, child of parent. */
char *authres_id(TALLOC_CTX *parent, const char *value, size_t len);

/* Must this field be removed as a forgery of ours (RFC 8601 section 5)? Yes if its id is one of ids (compared without case), or if no id can be read and one of ids occurs in it at all.
 * ids: n names, lower case. */
bool authres_is_ours(const char *value, size_t len, const char *const *ids, size_t n);

/* A pvalue or reason that nothing from outside can break out of: the text itself if it is an RFC 2045 token (or local@domain of such), else a quoted-string;
 * control characters and non-ASCII become "?", cut at 255 bytes. Child of parent. */
char *authres_value(TALLOC_CTX *parent, const char *text);

#endif
