/* dnslist_rate.h - has a DNS list begun to list far more clients than it used to? */
#ifndef WINNOW_NET_DNSLIST_RATE_H
#define WINNOW_NET_DNSLIST_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "util/ip.h"

enum { DNSLIST_RECENT = 256 };

/* A cumulative sum (Page's test): each client adds how much likelier it is under a broken list than under the usual share; a sum below zero begins anew. */
struct dnslist_rate {
	double usual;                    /* share of clients that it lists */
	double weight;                   /* clients behind that number */
	double sum;
	unsigned n, hits;                /* of the present run: since the sum was zero */
	uint32_t recent[DNSLIST_RECENT]; /* clients that were counted of late, by hash */
};

void dnslist_rate_init(struct dnslist_rate *rate);

/* Counts a client, unless it was counted of late: one that comes again and again says nothing new (IPv6 by /64). true: the share is far over the usual one. */
bool dnslist_rate_count(struct dnslist_rate *rate, bool hit, const struct ip *client);

/* The list was found right all the same: what is usual moves half way to what was seen, and the run ends. */
void dnslist_rate_accept(struct dnslist_rate *rate);

#endif
