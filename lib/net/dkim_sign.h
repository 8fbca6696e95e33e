/* dkim_sign.h - makes DKIM signatures (RFC 6376 section 5, RFC 8301, 8463) */
#ifndef WINNOW_NET_DKIM_SIGN_H
#define WINNOW_NET_DKIM_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <talloc.h>

#include "net/dkim.h"
#include "util/hash.h"

struct dkim_sign_options {
	const char *domain, *selector;           /* d=, s= */
	const struct private_key *key;
	const char *const *headers;              /* signed as often as they are present; ends with NULL. From is signed in any case (section 5.4) */
	const char *const *oversign;             /* signed once more than they are present, so that nobody can add one (section 8.15); ends with NULL */
	bool relaxed_header, relaxed_body;       /* c= */
	int64_t now, expires;                    /* t=, x=: seconds since 1970; expires 0: none */
};

/* The value of a DKIM-Signature field, beginning with a blank, folds as LF and a tab: as a field is handed to the MTA. A child of mem.
 * fields: the message's, in order, as the MTA will send them; body: the digest of its body in the form that c= names.
 * Date and Message-ID are not oversigned where they are missing: Sendmail adds them on the way out, after the milters.
 * NULL with *problem_r (a constant): no From; more fields than a signature can name; a key that does not sign; no memory. */
char *dkim_sign(TALLOC_CTX *mem, const struct dkim_field *fields, size_t n, const uint8_t body[HASH_SHA256], const struct dkim_sign_options *options, const char **problem_r);

/* Is it a name that a selector, or a domain of a signature, can have? */
bool dkim_sign_name_valid(const char *text, bool domain);

/* Compares a key with the TXT records at its name: NULL if verifiers will take its signatures, else what is wrong. A child of mem, or a constant. */
const char *dkim_sign_compare(TALLOC_CTX *mem, const struct private_key *key, const char *const *records, size_t n);

#endif
