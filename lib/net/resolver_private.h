/* resolver_private.h - the resolver's inside: what its two halves share, those who ask and the thread; for resolver*.c alone */
#ifndef WINNOW_NET_RESOLVER_PRIVATE_H
#define WINNOW_NET_RESOLVER_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "net/resolver_cache.h"
#include "net/resolver_servers.h"

/* epoll's data.u64 of the eventfd that wakes the thread. */
#define RESOLVER_WAKE UINT64_MAX

/* A question that is out. The thread's own, from when it takes it off the queue; freed when it is settled and no server has it any longer. */
struct question {
	struct question *next, *before;          /* next: of the queue, then of its list */
	struct list *list;
	bool settled;                            /* who waited was told; a server may still say something */
	int64_t deadline, hedge;                 /* when it counts as late, and when another server is asked too */
	uint32_t tried;                          /* servers, a bit each */
	unsigned attempts;                       /* servers that have it */
	struct dns_answer *failed;               /* what a server said that was no answer */
	uint16_t type;
	struct dns_name name;
	char text[];
};

/* In the order in which they were asked: all wait equally long. */
struct list {
	struct question *first, *last;
};

struct resolver {
	struct asker asker;
	struct log *log;
	struct resolver_cache *cache;
	int epoll, wake;
	pthread_t thread;

	pthread_mutex_t lock;                    /* guards what follows, up to the thread's own */
	struct question *queue, *queue_last;
	struct resolver_address addresses[RESOLVER_SERVERS_MAX];
	size_t n_addresses;
	int64_t timeout;                         /* ms */
	bool trust_ad, far, change, stop;
	struct resolver_servers *servers;        /* replaced by the thread */

	struct list young, old, ghosts;          /* asked of one server; of others too, or of all; settled */
	struct resolver_ear ear;
	bool none_left;                          /* all are gone: nothing more will come of what is out */
	int64_t question_us, hedge_us;

	atomic_uint_fast64_t known, joined, asked, late, failed, returns;
};

/* Makes the servers of r->addresses; at first, before the thread runs: r->servers stays NULL if that fails. */
void resolver_first_servers(struct resolver *resolver);

/* The thread; ends when r->stop is set. */
void *resolver_run(void *resolver);

/* The questions that it had, when it has ended. */
void resolver_free_questions(struct resolver *resolver);

#endif
