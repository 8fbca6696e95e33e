/* spf.h - SPF (RFC 7208): what a domain says of a client's address, read from the table of answers; libspf2 evaluates what was read before */
#ifndef WINNOW_NET_SPF_H
#define WINNOW_NET_SPF_H

#include <stdbool.h>

#include <talloc.h>

#include "util/ip.h"

struct answers;

/* RFC 7208 section 2.6; SPF_PENDING: no result yet. */
enum spf_result { SPF_PENDING, SPF_NONE, SPF_NEUTRAL, SPF_PASS, SPF_FAIL, SPF_SOFTFAIL, SPF_TEMPERROR, SPF_PERMERROR };

/* One identity. MAIL FROM: local part and domain of the sender; the null sender and HELO: local "" and the HELO name as domain (sections 2.3, 2.4). */
struct spf_question {
	struct ip client;
	const char *local;               /* "": postmaster */
	const char *domain;              /* a dot at its end does not matter */
	const char *helo;                /* for %{h}; may be "" */
	bool trace;                      /* the outcome's trace is wanted */
};

/* Strings are children of mem, printable ASCII; never NULL. */
struct spf_outcome {
	enum spf_result result;
	const char *domain;              /* that was asked */
	const char *mechanism;           /* the term that matched, as written: "-all"; "": none */
	const char *problem;             /* of temperror and permerror: what; else "" */
	const char *trace;               /* lines: questions, answers, terms; "" unless it was asked for */
	bool never_sends;                /* the record's only directive is -all; a bare redirect to such a record too */
	unsigned terms, voids;           /* DNS terms and void look-ups that were counted (section 4.6.4) */
};

/* check_host() (section 4): looks into the table by answers_get() and never waits. SPF_PENDING: an answer is missing; it is asked for, run it again when answers came.
 * When pending answers read late (answers_late) it ends with temperror. The result does not depend on the order in which answers come.
 * A name that is no domain, has one label only, is a literal or too long: none, without a question. Out of memory: temperror.
 * A missing or failed PTR, or one of its names, never makes an error of its own (section 5.5); names that a PTR gives are not counted as void look-ups:
 * the client chooses them, and must not turn a fail into a permerror. */
enum spf_result spf_check(TALLOC_CTX *mem, struct answers *answers, const struct spf_question *question, struct spf_outcome *outcome_r);

/* "pass", ...; "pending" */
const char *spf_result_name(enum spf_result result);

/* The value of a Received-SPF field (section 9.1), or NULL if out of memory. identity: "mailfrom" or "helo"; receiver: our name. Child of mem. */
char *spf_received(TALLOC_CTX *mem, const struct spf_question *question, const struct spf_outcome *outcome, const char *identity, const char *receiver);

#endif
