/* dmarc_mail.h - an aggregate report as a message (RFC 9990 section 3.5), and its way to the MTA */
#ifndef WINNOW_ENGINE_DMARC_MAIL_H
#define WINNOW_ENGINE_DMARC_MAIL_H

#include <stddef.h>
#include <stdint.h>

#include <talloc.h>

#include "net/smtp_client.h"

struct dmarc_mail {
	const char *sender, *org;        /* who we are: address, name */
	const char *submitter;           /* our host name */
	const char *to, *domain;         /* one address; the policy domain */
	const char *id;                  /* of the report */
	int64_t begin, end;              /* of the report's day, seconds since 1970 */
	int64_t now;                     /* for Date */
	const char *gz;                  /* the document, compressed */
	size_t gz_len;
};

/* The message, lines ended by CRLF; what org has beyond printable ASCII is "?". Child of mem; NULL: out of memory. */
char *dmarc_mail_text(TALLOC_CTX *mem, const struct dmarc_mail *mail);

enum dmarc_mail_outcome {
	DMARC_MAIL_SENT,
	DMARC_MAIL_LATER,                /* the MTA did not take it now */
	DMARC_MAIL_UNREACHABLE,          /* ... and will not take another one */
	DMARC_MAIL_REFUSED
};

/* Hands it to an MTA ("host", port), which sees hello as our name. *word_r: what it said last, printable, child of mem; never NULL. */
enum dmarc_mail_outcome dmarc_mail_send(TALLOC_CTX *mem, const char *host, uint16_t port, const char *hello, const struct dmarc_mail *mail, const char *text, const char **word_r);

#endif
