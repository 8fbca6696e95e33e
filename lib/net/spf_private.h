/* spf_private.h - the parts of SPF: grammar, macros, questions, libspf2; for lib/net/spf*.c and their tests alone */
#ifndef WINNOW_NET_SPF_PRIVATE_H
#define WINNOW_NET_SPF_PRIVATE_H

#include <stddef.h>
#include <stdint.h>

#include "net/answers.h"
#include "net/spf.h"
#include "util/domain.h"

enum { DNS_A = 1, DNS_PTR = 12, DNS_MX = 15, DNS_TXT = 16, DNS_AAAA = 28 };
enum {
	SPF_TERMS_MAX = 10, SPF_VOIDS_MAX = 2, SPF_MX_MAX = 10, SPF_PTR_MAX = 10,   /* section 4.6.4 */
	SPF_RECORD_MAX = 65535                   /* octets that a TXT record can hold */
};

/* ---- spf_syntax.c: the grammar of section 12 */

enum spf_mechanism { SPF_MECH_ALL, SPF_MECH_INCLUDE, SPF_MECH_A, SPF_MECH_MX, SPF_MECH_PTR, SPF_MECH_IP4, SPF_MECH_IP6, SPF_MECH_EXISTS };

/* A directive. Texts point into the record. */
struct spf_term {
	const char *text;                /* as written */
	size_t text_len;
	char qualifier;                  /* '+', '-', '~', '?' */
	enum spf_mechanism mechanism;
	const char *spec;                /* domain-spec; NULL: the current domain */
	size_t spec_len;
	struct ip ip;                    /* of ip4 and ip6, host bits as written */
	uint8_t bits4, bits6;            /* prefix lengths; 32 and 128 where none is written */
};

struct spf_record {
	struct spf_term *terms;
	size_t n;
	const char *redirect;            /* its domain-spec; NULL: none */
	size_t redirect_len;
	bool has_all;
};

/* Is this TXT record an SPF record (section 4.5)? */
bool spf_is_record(const char *text);

/* Reads a record strictly. false: it breaks the grammar, *problem_r says where (child of mem, printable). text must outlive the record. Linear. */
bool spf_parse(TALLOC_CTX *mem, const char *text, struct spf_record *record_r, const char **problem_r);

/* Any bytes as printable ASCII, at most max of them. Child of mem. */
char *spf_printable(TALLOC_CTX *mem, const char *text, size_t len, size_t max);

/* ---- spf_macro.c: section 7 */

struct spf_macros {
	const char *local, *sender_domain, *helo;   /* %{l} %{o} %{h}; %{s} is made of the first two */
	const char *domain;                         /* %{d} */
	const char *validated;                      /* %{p}; NULL: "unknown" */
	struct ip client;                           /* %{i} %{v} */
};

/* Is it a macro-string? domain_spec: a domain-spec, which ends in a top label or a macro. c, r and t are letters of explanations alone. */
bool spf_macro_valid(const char *spec, size_t len, bool domain_spec);

/* Does it use %{p}? */
bool spf_macro_wants_name(const char *spec, size_t len);

/* Expands a valid one. Labels are dropped from the left until it has at most 253 octets, a dot at the end too. Child of mem; NULL: out of memory. */
char *spf_macro_expand(TALLOC_CTX *mem, const struct spf_macros *macros, const char *spec, size_t len);

/* ---- one check_host() */

struct spf_library;

struct spf_run {
	TALLOC_CTX *mem;                 /* of this run */
	struct answers *answers;
	const struct spf_question *question;
	struct spf_macros macros;        /* but domain and validated, which depend on the record */
	unsigned terms, voids, depth;
	bool name_counted;               /* a void PTR look-up for %{p} */
	enum spf_result stop;            /* SPF_NONE: go on; else the end of the whole check: pending, temperror, permerror */
	const char *problem;
	char *trace;                     /* NULL: none wanted */
	struct spf_library *library;     /* spf_dns.c; NULL: not needed yet */
};

/* The record that is being evaluated. */
struct spf_frame {
	const char *domain;
	struct spf_record record;
	const struct spf_term *asked;    /* the DNS term that libspf2 asked for last; NULL: none */
	const struct spf_term *matched;
};

/* spf.c: the record of a domain, its directives, its redirect. SPF_NONE: there is no record, or see run->stop. *frame_r (may be NULL): the record that decided. */
enum spf_result spf_check_host(struct spf_run *run, const char *domain, struct spf_frame *frame_r);

/* spf.c: ends the whole check; the first call counts. */
void spf_stop(struct spf_run *run, enum spf_result result, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* spf.c: a line of the trace */
void spf_trace(struct spf_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- spf_ask.c: what terms ask of the table; each may stop the run */

/* The SPF record of a domain, NULL: none, or stopped. Belongs to the table. */
const char *spf_ask_record(struct spf_run *run, const char *domain);

/* The name that a domain-spec of this frame stands for, without a dot at its end; it may be none that can be asked for. NULL: stopped. spec NULL: the frame's domain. */
const char *spf_ask_target(struct spf_run *run, const struct spf_frame *frame, const char *spec, size_t len);

/* Addresses, of the client's family, that an `a` or `mx` term names. *n_r: how many. */
const struct ip *spf_ask_addresses(struct spf_run *run, const struct spf_frame *frame, const struct spf_term *term, size_t *n_r);

/* Does an `include`, `exists` or `ptr` term match? */
bool spf_ask_match(struct spf_run *run, const struct spf_frame *frame, const struct spf_term *term);

/* Counts a term that asks DNS; false: the run is stopped. */
bool spf_count_term(struct spf_run *run);

/* ---- spf_dns.c: libspf2 */

/* Lets libspf2 evaluate n terms of the frame: of which at most the last one asks DNS. The result, or SPF_NONE: none matched, or stopped. */
enum spf_result spf_evaluate(struct spf_run *run, struct spf_frame *frame, const struct spf_term *terms, size_t n);

/* How many terms it takes at once */
enum { SPF_PART_MAX = 16 };

#endif
