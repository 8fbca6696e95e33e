/* dmarc_history.h - a row of the DMARC history: what reports (RFC 9990) need of one message, as the lines that opendmarc-import reads */
#ifndef WINNOW_NET_DMARC_HISTORY_H
#define WINNOW_NET_DMARC_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "net/arc.h"
#include "net/dkim.h"
#include "net/dmarc.h"
#include "net/spf.h"

enum { DMARC_ROW_SIGNATURES = 100 };     /* of a row at most (RFC 9990 section 3.1.1.11) */

struct dmarc_row_signature {
	const char *domain, *selector;
	enum dkim_result result;
};

/* What was done, as OpenDMARC counts it. */
enum dmarc_action { DMARC_ACTION_REJECT, DMARC_ACTION_DISCARD, DMARC_ACTION_ACCEPT, DMARC_ACTION_TEMPFAIL, DMARC_ACTION_QUARANTINE };

/* Strings are never NULL where a row was read; where one is written NULL stands for "". */
struct dmarc_row {
	const char *id, *reporter;       /* of the message; our name */
	int64_t received;                /* seconds since 1970 */
	const char *client;              /* its address */
	const char *from;                /* author domain, A-labels */
	const char *envelope_from;       /* domain; "": the null sender */
	const char *envelope_to;         /* domain of the recipients; "": several, or not known */
	const char *helo;
	const char *spf_domain;          /* "": none was asked */
	bool spf_helo;                   /* it is the HELO name */
	enum spf_result spf;
	struct dmarc_row_signature *signatures;
	size_t n_signatures;
	const char *domain;              /* whose policy record it is */
	struct dmarc_record record;
	enum dmarc_policy policy;        /* of it, for this author domain: what OpenDMARC calls the policy; not read again */
	bool psl;                        /* found by the public suffix list, not by the tree walk */
	enum dmarc_result result;
	bool spf_aligned, dkim_aligned;
	enum dmarc_policy disposition;   /* that was applied; not of a pass */
	const char *reason, *comment;    /* type (RFC 9990 section 3.1.1.8) and text, why it is not what the domain asks for; "" */
	enum arc_result arc;
	enum dmarc_action action;
};

/* The row as text: lines "KEY VALUE [WORD=VALUE...]", from "job" to "action". What opendmarc-import knows is a line's first value; it passes over the words behind it.
 * A value is one word: any byte that would end it is %XX. Child of mem; NULL: out of memory. */
char *dmarc_row_text(TALLOC_CTX *mem, const struct dmarc_row *row);

/* Reads rows until the end of the file; each is called with every whole one, whose strings live for the call. What is no row, and one that was torn, is passed over.
 * 0, or -errno of reading. */
int dmarc_history_read(FILE *file, void (*each)(void *context, const struct dmarc_row *row), void *context);

#endif
