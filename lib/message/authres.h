/* authres.h - reads whose Authentication-Results field this is (RFC 8601 section 2.2) and writes values into one */
#ifndef WINNOW_MESSAGE_AUTHRES_H
#define WINNOW_MESSAGE_AUTHRES_H

#include <stdbool.h>
#include <stddef.h>

#include <talloc.h>

/* Reads the authserv-id of a field's value (comments, folding, quoted-string, version skipped). NULL: it cannot be read. Lower case, child of parent. */
char *authres_id(TALLOC_CTX *parent, const char *value, size_t len);

/* One result of a field: "dmarc=pass header.from=example.com". */
struct authres_result {
	const char *method, *result;     /* lower case */
	const char *reason;              /* "" none */
	struct authres_property {
		const char *name, *value;    /* "header.from", lower case; the value without quotes, as written */
	} *properties;
	size_t n;
};

struct authres_results {
	struct authres_result *v;
	size_t n;
};

enum { AUTHRES_RESULTS_MAX = 64, AUTHRES_PROPERTIES_MAX = 16 };

/* Reads what follows the authserv-id (and an ARC set's instance), by the grammar of RFC 8601 section 2.2 to its end. false: it breaks the grammar, or there is more than the limits allow:
 * then nothing of it may be believed. "none" gives no results. Strings are children of parent. Linear. */
bool authres_read(TALLOC_CTX *parent, const char *value, size_t len, struct authres_results *results_r);

/* The value of a property, or NULL. */
const char *authres_property(const struct authres_result *result, const char *name);

/* Must this field be removed as a forgery of ours (RFC 8601 section 5)? Yes if its id is one of ids (compared without case), or if no id can be read and one of ids occurs in it at all.
 * ids: n names, lower case. */
bool authres_is_ours(const char *value, size_t len, const char *const *ids, size_t n);

/* A pvalue or reason that nothing from outside can break out of: the text itself if it is an RFC 2045 token (or local@domain of such), else a quoted-string;
 * control characters and non-ASCII become "?", cut at 255 bytes. Child of parent. */
char *authres_value(TALLOC_CTX *parent, const char *text);

#endif
