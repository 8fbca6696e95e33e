/* resolver_servers.h - the servers that the resolver asks, each with a channel of c-ares, its health and its breaker; used by the resolver's thread alone */
#ifndef WINNOW_NET_RESOLVER_SERVERS_H
#define WINNOW_NET_RESOLVER_SERVERS_H

#include "net/dns_wire.h"
#include "net/resolver.h"
#include "util/ip.h"
#include "util/log.h"

struct resolver_servers;

/* How the resolver hears of what became of its questions. */
struct resolver_ear {
	/* The question with that tag has ended. answer: lent; NULL: the server said nothing in time, or nobody listens there. Comes once for each question, possibly before the call that
	 * asks it returns, and not while servers are freed. */
	void (*ended)(void *context, void *tag, struct dns_answer *answer);
	/* A breaker has closed, or opened: none_left says that all are open. */
	void (*changed)(void *context, bool back, bool none_left);
	void *context;
};

/* A server's address and port, as read from a text ADDRESS or ADDRESS@PORT. */
struct resolver_address {
	struct ip ip;
	uint16_t port;
};
bool resolver_address_parse(const char *text, struct resolver_address *address_r);

/* epoll: where their sockets are put; the events' data.u64 is for resolver_servers_event(). timeout: of a question, in ms. trust_ad, far: resolver_options. NULL: out of memory or descriptors. ear and log must outlive it. */
struct resolver_servers *resolver_servers_new(const struct resolver_address *addresses, size_t n, int64_t timeout, bool trust_ad, bool far, int epoll, struct log *log, const struct resolver_ear *ear);

/* Questions that are out are dropped without a word. NULL is allowed. */
void resolver_servers_free(struct resolver_servers *servers);

/* Which one to ask, none of those whose bit is set in tried: the first that is well, or else the first that is not gone; -1: there is none. */
int resolver_servers_choose(const struct resolver_servers *servers, uint32_t tried, int64_t now);

/* Asks it; ear->ended() follows. */
void resolver_servers_ask(struct resolver_servers *servers, int which, uint16_t type, const struct dns_name *name, void *tag, int64_t now);

/* One event of epoll. */
void resolver_servers_event(struct resolver_servers *servers, uint64_t data, uint32_t events);

/* Time passed: repeats, ends, probes; and when that is to be called next, at the latest (clock_mono). */
void resolver_servers_tick(struct resolver_servers *servers, int64_t now);
int64_t resolver_servers_due(const struct resolver_servers *servers);

/* What each did; any thread, while they are not freed. The number of servers; at most max are written. */
size_t resolver_servers_states(const struct resolver_servers *servers, struct resolver_state *states_r, size_t max);

#endif
