/* dns_answer.h - an answer of DNS: one piece of memory that never changes, shared by the resolver's table and all who asked */
#ifndef WINNOW_NET_DNS_ANSWER_H
#define WINNOW_NET_DNS_ANSWER_H

#include <stdatomic.h>

#include "net/answers.h"

/* Octets of records' text in an answer, and records: what is larger is no answer (ANSWER_FAILED). A question's memory is bounded by it, whatever a stranger's zone holds. */
enum { DNS_TEXT_MAX = 32768, DNS_RECORDS_MAX = 1000 };

struct dns_answer {
	atomic_uint refs;
	enum answer_status status;
	bool secure;                     /* a resolver that we trust has validated it (RFC 4035 section 3.2.3: AD) */
	uint8_t rcode;                   /* of the packet (RFC 1035 section 4.1.1); 0 without one */
	uint32_t ttl;                    /* seconds: the least of its records and of the chain before them; of an empty one, from the SOA (RFC 2308 section 5); 0: not told */
	const char *canonical;           /* where a chain of CNAMEs ended; NULL: there was none */
	size_t size;                     /* octets of this piece of memory */
	size_t n;
	const char *records[];           /* n strings in presentation form, then NULL */
};

/* Copies; one reference for the caller. NULL: out of memory. records and n are taken with ANSWER_DATA alone. canonical: NULL, or a name. */
struct dns_answer *dns_answer_new(enum answer_status status, const char *canonical, const char *const *records, size_t n);
struct dns_answer *dns_answer_ref(struct dns_answer *answer);
void dns_answer_unref(struct dns_answer *answer);        /* NULL is allowed */

#endif
