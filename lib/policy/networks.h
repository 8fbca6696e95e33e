/* networks.h - a set of networks that answers in one binary search, however many there are and however they nest */
#ifndef WINNOW_POLICY_NETWORKS_H
#define WINNOW_POLICY_NETWORKS_H

#include <stdbool.h>
#include <stdint.h>

#include <talloc.h>

#include "util/ip.h"

/* Which of several networks around an address answers. */
enum networks_rule {
	NETWORKS_NARROWEST,              /* the one with the most bits */
	NETWORKS_FIRST,                  /* the one with the smallest item number (Postfix's cidr: tables) */
};

struct networks;

struct networks *networks_new(TALLOC_CTX *parent);

/* Adds a network (host bits zero) with the caller's number for it. false: no memory, or more than 2^31. */
bool networks_add(struct networks *networks, const struct ipnet *net, uint32_t item);

/* Ends the adding. A network that was added twice answers with its smaller item, if same(context, smaller, larger) allows it (NULL: always);
 * otherwise 0 is not returned: -EEXIST with the larger item in *item_r. -ENOMEM. */
int networks_seal(struct networks *networks, enum networks_rule rule, bool (*same)(const void *context, uint32_t a, uint32_t b), const void *context, uint32_t *item_r);

/* The item of the network around ip. Any number of threads. */
bool networks_find(const struct networks *networks, const struct ip *ip, uint32_t *item_r);

#endif
