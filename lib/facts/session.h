/* session.h - one SMTP connection: what we know of the client; lives from connect to close */
#ifndef WINNOW_FACTS_SESSION_H
#define WINNOW_FACTS_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include <talloc.h>

#include "facts/finding.h"
#include "util/ip.h"

struct answers;
struct dkim_library;
struct dnslist_watch;
struct geoip;
struct skew_watch;
struct stats;

/* How the client's name was found: the MTA's word (Sendmail's {client_resolve}; derived for Postfix), or ours once the PTR was asked by us. FAIL: no PTR; FORGED: a name that is not
 * its own; TEMP: not known yet. */
enum resolve { RESOLVE_UNKNOWN, RESOLVE_OK, RESOLVE_FAIL, RESOLVE_FORGED, RESOLVE_TEMP };

/* What kind of listener the client came to. */
enum listener { LISTENER_INBOUND, LISTENER_SUBMISSION, LISTENER_OUTBOUND };

struct session {
	TALLOC_CTX *mem;                 /* root of everything of this session, the struct included */
	char id[16];                     /* unique; its messages have ids of their own */
	struct ip client;                /* family 0: unix socket or unknown */
	uint16_t client_port;
	const char *client_name;         /* verified by the MTA, or by us; NULL if not */
	const char *client_ptr;          /* what the PTR says, true or not; NULL if none */
	enum resolve resolve;
	bool name_asked;                 /* we have looked the name up, and resolve is final */
	char country[3];                 /* of the address, ISO 3166-1; "": not known */
	uint32_t asn;                    /* of its network, and who runs that; 0, NULL: not known */
	const char *as_name;
	const char *daemon_name, *daemon_addr, *daemon_port;   /* never NULL */
	const char *mta_host;            /* macro j; never NULL */
	bool only_421_closes;            /* the MTA hangs up after 421, and not after 521 */
	enum listener listener;
	bool relay;                      /* the client's address is in relay_networks */
	bool trusted;                    /* ... in trusted_networks: its address, HELO and SPF are not judged */
	const char *helo;                /* NULL: none yet */
	const char *tls_version, *tls_cipher, *tls_bits;   /* NULL: not encrypted */
	struct findings found;           /* of connect and commands */
	int unknown_commands;
	int refused_recipients;          /* by the MTA or by us */
	int messages;                    /* accepted at end of message */
	unsigned transactions;           /* begun */
	bool outbound;                   /* before MAIL: by listener or address */
	struct answers *answers;         /* of the network, net/answers.h; NULL: nobody asks */
	struct dkim_library *dkim;       /* the engine's; shared by all sessions; NULL: no signature is verified */
	struct geoip *geoip;             /* net/geoip.h; the engine's; NULL: none */
	struct stats *stats;             /* the engine's counters; NULL: nothing is counted */
	struct dnslist_watch *dnslist_watch; /* the engine's: which DNS lists are believed; NULL: all */
	bool dnslists_counted;           /* the watch has heard what they said of this client */
	struct skew_watch *skew_watch;   /* the engine's; shared by all sessions; NULL: none */
};

#endif
