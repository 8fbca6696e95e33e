/* dmarc_private.h - the parts of DMARC: records, discovery; for lib/net/dmarc*.c and their tests alone */
#ifndef WINNOW_NET_DMARC_PRIVATE_H
#define WINNOW_NET_DMARC_PRIVATE_H

#include "net/answers.h"
#include "net/dmarc.h"

enum {
	DMARC_WALK_MAX = 8,              /* questions of a tree walk (RFC 9989 section 4.10) */
	DMARC_WALK_LABELS = 7,           /* a name of more labels jumps to its last so many */
	DMARC_URIS_MAX = 20              /* of a list that are kept */
};

/* ---- dmarc_record.c */

/* Is this TXT record a DMARC record: does it begin with v=DMARC1 (RFC 9989 section 4.7)? */
bool dmarc_is_record(const char *text);

/* Reads one. What is no tag, an unknown tag, or a bad value of one that has a default is passed over; a tag that stands twice with different values has none. Linear.
 * false: out of memory. */
bool dmarc_record_parse(TALLOC_CTX *mem, const char *text, struct dmarc_record *record_r);

/* ---- dmarc_walk.c */

/* Where the policy of a domain stands and what its organizational domain is. */
struct dmarc_walk {
	enum { DMARC_WALK_PENDING, DMARC_WALK_DONE, DMARC_WALK_FAILED } state;   /* failed: org is not known; what was found before holds */
	const char *org;                 /* part of the start's name; NULL unless done */
	const char *domain, *text;       /* of the policy record: that of the start, else of its organizational domain, else of the public suffix above; NULL: there is none */
	const char *failed;              /* the name whose look-up failed */
	bool name_seen;                  /* a record, or an empty answer, at or below the start: it exists */
};

/* start: A-labels, lower case. suffixes NULL: tree walk. */
void dmarc_discover(struct answers *answers, const struct suffix_list *suffixes, const char *start, struct dmarc_walk *walk_r);

#endif
