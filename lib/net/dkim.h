/* dkim.h - DKIM (RFC 6376, 8301, 8463): what the signatures of a message are worth; keys come from the table of answers, libopendkim canonicalises, hashes and verifies */
#ifndef WINNOW_NET_DKIM_H
#define WINNOW_NET_DKIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <talloc.h>

struct answers;

/* RFC 8601 section 2.7.1; DKIM_PENDING: the message has not ended. A signature that does not pass is worth as much as none (RFC 6376 section 6.1). */
enum dkim_result { DKIM_PENDING, DKIM_NONE, DKIM_PASS, DKIM_FAIL, DKIM_POLICY, DKIM_NEUTRAL, DKIM_TEMPERROR, DKIM_PERMERROR };

/* One signature. Strings are printable ASCII, never NULL, and live as long as the facts. */
struct dkim_outcome {
	enum dkim_result result;
	const char *domain;              /* d=, lower case, a domain; "": it could not be read */
	const char *selector;            /* s=, the same */
	const char *identity;            /* i= without its encoding; "@" and the domain where there is none; "": unreadable */
	const char *algorithm;           /* a=: "rsa-sha256", "ed25519-sha256", "rsa-sha1"; "": another or none */
	const char *b;                   /* the first characters of b=, so many that no other signature here begins so (at least 8) */
	const char *problem;             /* why it does not pass; "": it does */
	unsigned bits;                   /* of an RSA key that was found; 0: none, or Ed25519 */
	bool testing;                    /* the key says t=y: a failure means nothing */
	bool secure;                     /* the key was validated by DNSSEC */
};

/* Those that were looked at, in the order of the header. */
struct dkim_facts {
	struct dkim_outcome *v;
	size_t n;
	size_t fields;                   /* DKIM-Signature fields in the message */
	size_t duplicates;               /* that had domain, selector and algorithm of one above them: not looked at */
	size_t beyond;                   /* not looked at because there were too many */
	bool done;                       /* the results are there */
};

/* "pass", ... */
const char *dkim_result_name(enum dkim_result result);

/* Does a signature of that domain, or of one above it, pass? */
bool dkim_passes(const struct dkim_facts *facts, const char *domain);

/* ---- verification */

/* libopendkim, set up once for all messages and threads; a child of parent. NULL: no memory, or a library without Ed25519. It must outlive its verifiers. */
struct dkim_library;
struct dkim_library *dkim_library_new(TALLOC_CTX *parent);

/* A field as the MTA handed it on: the value with its leading blanks, folds as LF and a blank; no NUL in either. */
struct dkim_field {
	const char *name, *value;
	size_t name_len, value_len;
};

struct dkim_options {
	size_t signatures_max;           /* so many are verified, those aligned with `from` first; at least 1 */
	unsigned bits_min;               /* shorter RSA keys do not count */
	int64_t now;                     /* seconds since 1970, for t= and x= */
	const char *const *from;         /* domains of From */
	size_t n_from;
	bool incomplete;                 /* fields of the header were dropped: nothing can be verified */
};

/* One message. Order of calls: new, keys until it says true, body any number of times (keys may come meanwhile), end. */
struct dkim_verifier;

/* Reads the header's signatures and selects those that will be verified: at most signatures_max, whatever stands there. Fields and options are needed during the call only.
 * *facts becomes what is known so far; it must live as long as the verifier; its strings are children of mem. A child of mem; NULL: no memory. */
struct dkim_verifier *dkim_verifier_new(TALLOC_CTX *mem, struct dkim_library *library, const struct dkim_field *fields, size_t n, const struct dkim_options *options, struct dkim_facts *facts);

/* Looks for the keys in the table, at most one question for each selected signature; those that are missing are asked for. false: some are still missing, run it again when answers came.
 * What reads late or failed becomes temperror. It keeps nothing of the table. */
bool dkim_verifier_keys(struct dkim_verifier *v, struct answers *answers);

/* A piece of the body, as the MTA hands it on: any bytes, any length, CRLF may be split. */
void dkim_verifier_body(struct dkim_verifier *v, const void *data, size_t len);

/* The message has ended: the facts are done. Keys that never came are temperror. */
void dkim_verifier_end(struct dkim_verifier *v);

#endif
