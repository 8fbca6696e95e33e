/* arc.h - ARC (RFC 8617): does the chain of those who handed a message on hold, and who are they. It says nothing of their honesty: a chain of strangers has no effect */
#ifndef WINNOW_NET_ARC_H
#define WINNOW_NET_ARC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <talloc.h>

#include "net/dkim.h"

struct answers;

/* RFC 8617 section 4.4. ARC_TEMPERROR: a key could not be had, or the header was not kept whole: not evaluated. ARC_PENDING: the message has not ended. */
enum arc_result { ARC_PENDING, ARC_NONE, ARC_PASS, ARC_FAIL, ARC_TEMPERROR };

enum { ARC_SETS_MAX = 50 };              /* section 4.2.1 */

/* One set. Strings are printable ASCII, never NULL, and live as long as the facts. */
struct arc_set {
	const char *sealer, *selector;   /* d= (lower case) and s= of its ARC-Seal */
	const char *signer, *signer_selector;   /* the same of its ARC-Message-Signature */
	const char *results;             /* of its ARC-Authentication-Results what follows "i=N;": authserv-id and results, unfolded; other bytes are "?" */
};

struct arc_facts {
	enum arc_result result;
	const char *problem;             /* of fail and temperror: what; a child of the facts' memory, printable; else "" */
	struct arc_set *sets;            /* sets[i - 1] has instance i; n 0 where the sets could not be read */
	size_t n;
	bool ended;                      /* the last seal itself says cv=fail: nothing is added to such a chain */
	bool partial;                    /* of pass: the last ARC-Message-Signature does not cover the end of the body (l=): good for no override */
	unsigned oldest_pass;            /* of pass: the lowest instance from which on the message was not altered; 0: not altered at all. At most the last 10 are looked at */
	bool done;                       /* the result is there */
};

/* "pass", ... */
const char *arc_result_name(enum arc_result result);

struct arc_options {
	unsigned bits_min;               /* shorter RSA keys do not count */
	int64_t now;                     /* seconds since 1970, for x= */
	bool incomplete;                 /* fields of the header were dropped: nothing can be validated */
};

/* One message. Order of calls: new, keys until it says true, body any number of times (keys may come meanwhile), end. */
struct arc_validator;

/* Reads the chain and hashes all fields that it covers; fields and options are needed during the call only. *facts becomes what is known so far; it must live as long as the
 * validator; its strings are children of mem. A child of mem; NULL: out of memory. Where there is no chain, or a broken one, the facts are done and nothing remains to be asked:
 * the other calls do nothing. Time: linear in the header for each set, and names in h= are few. */
struct arc_validator *arc_validator_new(TALLOC_CTX *mem, const struct dkim_field *fields, size_t n, const struct arc_options *options, struct arc_facts *facts);

/* Looks for the keys in the table; those that are missing are asked for, all at once. false: some are still missing, run it again when answers came. It keeps nothing of the table. */
bool arc_validator_keys(struct arc_validator *v, struct answers *answers);

/* A piece of the body, as the MTA hands it on: any bytes, any length, CRLF may be split. */
void arc_validator_body(struct arc_validator *v, const void *data, size_t len);

/* The message has ended: the facts are done. Keys that never came are temperror. */
void arc_validator_end(struct arc_validator *v);

#endif
