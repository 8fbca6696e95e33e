/* dmarc.h - DMARC (RFC 9989; RFC 7489 with a public suffix list): what the domain of From asks for, and whether what was authenticated speaks for it */
#ifndef WINNOW_NET_DMARC_H
#define WINNOW_NET_DMARC_H

#include <stdbool.h>
#include <stddef.h>

#include <talloc.h>

struct answers;
struct suffix_list;                      /* util/domain.h */

/* RFC 8601 section 2.7 and RFC 9989. NONE: no policy record that could be used. PERMERROR: the author domain is no domain. DMARC_PENDING: no result yet. */
enum dmarc_result { DMARC_PENDING, DMARC_NONE, DMARC_PASS, DMARC_FAIL, DMARC_TEMPERROR, DMARC_PERMERROR };

/* Weakest first. UNSET: the tag is not there, or its value is none. */
enum dmarc_policy { DMARC_POLICY_UNSET, DMARC_POLICY_NONE, DMARC_POLICY_QUARANTINE, DMARC_POLICY_REJECT };

enum { DMARC_FO_0 = 1, DMARC_FO_1 = 2, DMARC_FO_D = 4, DMARC_FO_S = 8 };

/* A policy record (RFC 9989 section 4.7). Strings are children of the mem it was read with; never NULL. */
struct dmarc_record {
	enum dmarc_policy p, sp, np;     /* as published */
	bool usable;                     /* a policy follows from it */
	bool substituted;                /* p is missing, or one of the three is bad, but there is an address for reports: read as p=none */
	char psd;                        /* 'y', 'n', 'u' */
	bool testing;                    /* t=y */
	int pct;                         /* 0 to 100, of RFC 7489; -1: not published */
	bool strict_dkim, strict_spf;    /* adkim=s, aspf=s */
	unsigned fo;                     /* DMARC_FO_*; 0: not published */
	const char *rua, *ruf;           /* mailto: URIs that can be used, comma between them, without size limits; "" none */
};

/* Something that was authenticated: the domain of MAIL FROM (of HELO with the null sender), or d= of a signature. */
struct dmarc_identity {
	const char *domain;              /* any text; what is no domain aligns with nothing */
	bool passed;
	bool temperror;                  /* nobody knows: it might have passed */
};

struct dmarc_question {
	const char *from;                /* the author domain: A-labels or UTF-8, any case. Who has none or several does not ask */
	struct dmarc_identity spf;       /* domain NULL: none */
	const struct dmarc_identity *dkim;   /* n_dkim of them */
	size_t n_dkim;
	const struct suffix_list *suffixes;  /* NULL: tree walk (RFC 9989 section 4.10); else a public suffix list finds organizational domains (RFC 7489 section 3.2) */
};

/* All that evidence and a row of the history need. Strings are children of mem; never NULL. */
struct dmarc_outcome {
	enum dmarc_result result;
	const char *from;                /* author domain in A-labels, lower case; "" where it is none */
	const char *domain;              /* whose record it is; "": no record */
	const char *org;                 /* organizational domain of the author domain; "": not known */
	struct dmarc_record record;      /* as published, where domain is not "" */
	enum dmarc_policy policy;        /* for this author domain: p, sp or np; UNSET without a usable record */
	const char *policy_tag;          /* "p", "sp", "np": which tag that is; "" */
	enum dmarc_policy disposition;   /* what the domain's owner asks for: policy where the result is fail, a step lower with t=y or pct=0; else NONE */
	bool nonexistent;                /* the author domain does not exist (looked at only where np says something of its own) */
	bool spf_aligned, dkim_aligned;  /* an aligned pass */
	size_t dkim_index;               /* of the first aligned pass, where there is one */
	const char *problem;             /* of temperror and permerror, and of a record that cannot be used: what; else "" */
};

/* Discovery, alignment and evaluation: looks into the table by answers_get() and never waits. DMARC_PENDING: an answer is missing; it is asked for, run it again when answers came.
 * Asked with the author domain alone, before anything was authenticated, it sends the first questions. When pending answers read late (answers_late) it ends.
 * The result does not depend on the order in which answers come. At most 8 questions for the author domain and each identity that could align, and one for its existence.
 * A temporary failure in anything that could have made it pass is temperror (disposition none), never fail. Out of memory: temperror. */
enum dmarc_result dmarc_check(TALLOC_CTX *mem, struct answers *answers, const struct dmarc_question *question, struct dmarc_outcome *outcome_r);

/* "pass", ...; "pending" */
const char *dmarc_result_name(enum dmarc_result result);

/* "none", "quarantine", "reject"; "" where it is unset */
const char *dmarc_policy_name(enum dmarc_policy policy);

#endif
