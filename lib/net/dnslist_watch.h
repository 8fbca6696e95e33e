/* dnslist_watch.h - what we know of each DNS list's own state: its test points, its errors, its hit rate; and whether it is believed */
#ifndef WINNOW_NET_DNSLIST_WATCH_H
#define WINNOW_NET_DNSLIST_WATCH_H

#include "net/dnslist.h"
#include "util/log.h"

enum {
	DNSLIST_LISTS_MAX = 64,          /* lists of a configuration */
	DNSLIST_INTERVAL = 600,          /* seconds between tests */
	DNSLIST_INTERVAL_SILENT = 60,    /* ... of a list that does not answer */
	DNSLIST_TICK = 1,                /* dnslist_watch_due() is to be called as often as this: what clients have shown may make a test due earlier */
	DNSLIST_SILENT_MAX = 5           /* questions in a row without an answer: the list is not asked until its test points answer */
};

/* A list as it is configured. Strings are copied. */
struct dnslist {
	enum dnslist_kind kind;
	const char *zone;
	const char *shown;               /* for people: never holds a key */
	bool self_test;                  /* it has test points */
};

/* Any thread. Owner: the engine. Times are seconds of a clock that does not jump, handed in by who makes the tests; who judges clients has no clock. */
struct dnslist_watch;

/* log: NULL, or for lists that are suspended and come back, a line for each change; must outlive it. */
struct dnslist_watch *dnslist_watch_new(struct log *log);
void dnslist_watch_free(struct dnslist_watch *watch);

/* While gone(context) says that no resolver is left, that lists are silent says nothing of them. It is called under a lock, and must not call back. Before the first dnslist_watch_saw(). */
void dnslist_watch_network(struct dnslist_watch *watch, bool (*gone)(void *context), void *context);

/* The lists in use from now on, at most DNSLIST_LISTS_MAX; of those of one kind and name all but the first are shown with a number. Those that were there before with the same zone, kind and self_test keep their state. */
void dnslist_watch_set(struct dnslist_watch *watch, const struct dnslist *lists, size_t n);

/* Why the list is suspended; FAULT_NONE: it is in use (or not known here). */
enum dnslist_fault dnslist_watch_fault(struct dnslist_watch *watch, enum dnslist_kind kind, const char *zone);

/* A client was asked for, once in its session. hit: it is listed with a code that counts. alone: no other operator's list says so of this client: only then a hit speaks against
 * the list (when many lists agree, it is the clients). An answer that no list in order gives suspends it at once; so do DNSLIST_SILENT_MAX missing ones in a row,
 * and a share of hits far over its own usual one. A client that was counted of late is not counted again. */
void dnslist_watch_saw(struct dnslist_watch *watch, enum dnslist_kind kind, const char *zone, const struct dnslist_answer *answer, bool hit, bool alone, const struct ip *client);

/* What the test points said: suspends the list, or takes it back. FAULT_SILENT says nothing: the list stays what it is. */
void dnslist_watch_tested(struct dnslist_watch *watch, enum dnslist_kind kind, const char *zone, enum dnslist_fault fault, int64_t now);

/* The lists whose test is due, as children of mem: copies. A list without test points that is suspended is due too: it is taken back untested. */
struct dnslist *dnslist_watch_due(struct dnslist_watch *watch, TALLOC_CTX *mem, int64_t now, size_t *n_r);

/* Makes all tests due, but of lists that are suspended for their hit rate: their test points say nothing of it. */
void dnslist_watch_hurry(struct dnslist_watch *watch);

/* A resolver is back: the tests of lists that are suspended for their silence are due. */
void dnslist_watch_back(struct dnslist_watch *watch);

struct dnslist_state {
	enum dnslist_kind kind;
	char shown[128];
	enum dnslist_fault fault;        /* FAULT_NONE: in use */
	uint64_t asked, listed, not_listed, unusable, suspensions;
};
/* In the configuration's order; how many. */
size_t dnslist_watch_states(struct dnslist_watch *watch, struct dnslist_state states_r[DNSLIST_LISTS_MAX]);

#endif
