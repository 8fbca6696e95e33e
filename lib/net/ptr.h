/* ptr.h - the client's name by PTR, confirmed by the name's own addresses: iprev (RFC 8601 section 3) */
#ifndef WINNOW_NET_PTR_H
#define WINNOW_NET_PTR_H

#include "net/answers.h"
#include "util/ip.h"

enum { PTR_NAMES_MAX = 10, PTR_QUESTION_MAX = 80 };      /* names of an answer that are looked at; octets of the question's name */

/* Results as in RFC 8601 section 2.7.3. */
enum ptr_result {
	PTR_PENDING,
	PTR_PASS,                        /* one of the names has the address */
	PTR_FAIL,                        /* there are names, and none has it */
	PTR_TEMPERROR,                   /* the PTR, or addresses that might have confirmed it, did not come */
	PTR_PERMERROR                    /* there is no PTR */
};

struct ptr_outcome {
	enum ptr_result result;
	const char *name;                /* PTR_PASS: the one that is confirmed; else the first that the PTR gives, or NULL. Belongs to the table of answers. */
};

/* Where the PTR of an address stands: "1.2.0.192.in-addr.arpa" (RFC 1035 section 3.5), nibbles below "ip6.arpa" (RFC 3596 section 2.5). */
void ptr_question(const struct ip *client, char name_r[PTR_QUESTION_MAX]);

/* Looks into the table of answers, where it asks what is missing: the PTR, then the addresses (of the client's family) of at most ten names, all at once. Names that no host can have are
 * not asked for. client.family is not 0. */
enum ptr_result ptr_check(struct answers *answers, const struct ip *client, struct ptr_outcome *outcome_r);

#endif
