/* resolver.h - asks DNS for all sessions: one table of answers, questions that are out joined, one thread that speaks with the servers */
#ifndef WINNOW_NET_RESOLVER_H
#define WINNOW_NET_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/answers.h"
#include "util/ip.h"
#include "util/log.h"

enum {
	RESOLVER_SERVERS_MAX = 8,
	RESOLVER_KEEP_BRIEF = 5,         /* seconds: SERVFAIL, silence, and emptiness without a SOA are not asked for again */
	RESOLVER_KEEP_LEAST = 1, RESOLVER_KEEP_MOST = 86400, RESOLVER_KEEP_EMPTY_MOST = 3600     /* seconds, whatever a TTL says */
};

struct resolver_options {
	const char *const *servers;      /* "ADDRESS" or "ADDRESS@PORT", ends with NULL; the first that is well is asked; none or NULL: those of resolv_conf */
	const char *resolv_conf;         /* NULL: /etc/resolv.conf; without a server in it: 127.0.0.1 */
	int64_t timeout;                 /* of a question, in ms */
	bool trust_ad;                   /* believe the AD bit of servers on loopback */
	bool far;                        /* treat all servers as if they were not on loopback (tests) */
	size_t cache;                    /* octets of answers */
};

/* Any thread may ask. Owner: the engine. */
struct resolver;

/* Starts the thread. log: NULL, or for servers that go and come back; must outlive it. 0 or -errno with *error_r (talloc'ed, child of NULL; NULL: out of memory). */
int resolver_open(const struct resolver_options *options, struct log *log, struct resolver **resolver_r, char **error_r);

/* A reload: what is the same stays. With other servers every answer is forgotten, and what is out is asked there. */
void resolver_change(struct resolver *resolver, const struct resolver_options *options);

/* Ends the thread; who still waits is told ANSWER_LATE. No answers_get() may follow in tables that were made with its asker. NULL is allowed. */
void resolver_close(struct resolver *resolver);

/* For answers_new(). What comes of a question: ANSWER_DATA, ANSWER_EMPTY and ANSWER_NXDOMAIN as the server says, NXDOMAIN also for what cannot be a name in DNS;
 * ANSWER_FAILED: every server said SERVFAIL, REFUSED or what cannot be read; ANSWER_LATE: none answered within the timeout, or, at once, all are known to be gone. */
const struct asker *resolver_asker(struct resolver *resolver);

/* What a server's last trouble was. */
enum resolver_trouble { TROUBLE_NONE, TROUBLE_SILENT, TROUBLE_NOBODY, TROUBLE_SERVFAIL, TROUBLE_REFUSED, TROUBLE_UNREADABLE, TROUBLE_OTHER };

struct resolver_state {
	char name[IP_TEXT_MAX + 8];      /* ADDRESS@PORT */
	bool gone;                       /* its breaker is open */
	enum resolver_trouble trouble;   /* the last one */
	uint64_t asked, answered, failed, silent;        /* questions; answered: with data, nothing or NXDOMAIN */
};
size_t resolver_states(struct resolver *resolver, struct resolver_state states_r[RESOLVER_SERVERS_MAX]);

/* Is none of them left? Then every question is late at once. */
bool resolver_gone(struct resolver *resolver);

struct resolver_counts {
	uint64_t known, joined, asked, late, failed;     /* questions: answered from the table, joined, sent out; what came of those */
	uint64_t returns;                /* times that a server which was gone was there again */
	size_t bytes, kept, out;         /* of the table */
};
struct resolver_counts resolver_counts(struct resolver *resolver);

#endif
