/* mail_hosts.h - where mail for a domain goes: its MX, else itself (RFC 5321 section 5.1), or nowhere (RFC 7505); read from the table of answers */
#ifndef WINNOW_NET_MAIL_HOSTS_H
#define WINNOW_NET_MAIL_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

#include <talloc.h>

#include "net/answers.h"
#include "util/ip.h"

enum { MAIL_HOSTS_MAX = 10 };            /* hosts that are looked at; those of the lowest preferences */

/* An MX record; name points into the record. */
struct mx {
	unsigned preference;
	const char *name;
};

/* Reads MX records as the table gives them ("10 mx.example.com"), in their order: by preference, then name. mx_r: room for n.
 * "0 ." (it takes no mail, RFC 7505) is counted in *nulls_r (may be NULL) and left out, as is what cannot be read. Returns how many were read. */
size_t mx_read(const char *const *records, size_t n, struct mx *mx_r, size_t *nulls_r);

enum host_state {
	HOST_UNASKED,
	HOST_FOUND,                      /* it has addresses */
	HOST_MISSING,                    /* the name does not exist, or has neither A nor AAAA */
	HOST_UNKNOWN                     /* DNS failed, or said nothing in time: of nothing guilty */
};

struct mail_host {
	const char *name;
	unsigned preference;             /* 0 for an implicit one */
	enum host_state state;
	const struct ip *ips;            /* n_ips; n_ips > 0 with HOST_FOUND alone */
	size_t n_ips;
};

enum mail_state {
	MAIL_PENDING,
	MAIL_TO_HOSTS,                   /* there are hosts for it; whether one of them exists, its state tells */
	MAIL_NULL_MX,                    /* it says that it takes no mail */
	MAIL_NO_NAME,                    /* the name does not exist */
	MAIL_NO_RECORDS,                 /* it exists, without MX, A and AAAA */
	MAIL_UNKNOWN                     /* DNS failed, said nothing in time, or cannot be asked for such a name */
};

struct mail_hosts {
	enum mail_state state;
	bool implicit;                   /* no MX: the only host is the domain itself, also with MAIL_NO_NAME and MAIL_NO_RECORDS */
	bool cut;                        /* it has more MX than were looked at */
	const struct mail_host *hosts;   /* n, lowest preference first */
	size_t n;
	const char *why;                 /* of MAIL_UNKNOWN and HOST_UNKNOWN: what failed; else "" */
};

/* How much is wanted. */
enum mail_question {
	MAIL_ASK_NAMES,                  /* is there a place for its mail? Hosts of MX records are not asked for, an implicit one is */
	MAIL_ASK_ADDRESSES,              /* the addresses of the hosts too */
	MAIL_ASK_HOST                    /* domain is a host: no MX */
};

/* A chain's step: looks into the table by answers_get(), and asks side by side what can be known to be needed. MAIL_PENDING: run it again when answers came; *hosts_r
 * is not to be used. domain may hold U-labels. CNAMEs are followed by the resolver. "192.0.2.1" as an MX's host stands for itself, as MTAs take it.
 * Strings and arrays are children of mem, or belong to the table. Out of memory: MAIL_UNKNOWN. */
enum mail_state mail_hosts(TALLOC_CTX *mem, struct answers *answers, const char *domain, enum mail_question question, struct mail_hosts *hosts_r);

/* Can none of the hosts exist? false where one is unknown, or not looked at. */
bool mail_hosts_missing(const struct mail_hosts *hosts);

#endif
