/* stats_network.h - what the resolver has counted, for people and for Prometheus */
#ifndef WINNOW_ENGINE_STATS_NETWORK_H
#define WINNOW_ENGINE_STATS_NETWORK_H

#include <stdio.h>

#include <jansson.h>

#include "net/resolver.h"

/* A look at it. */
struct stats_network {
	struct resolver_counts counts;
	struct resolver_state servers[RESOLVER_SERVERS_MAX];
	size_t n_servers;
};

void stats_network_look(struct stats_network *network_r, struct resolver *resolver);

void stats_network_people(FILE *f, const struct stats_network *network);
void stats_network_prometheus(FILE *f, const struct stats_network *network);
json_t *stats_network_json(const struct stats_network *network);

#endif
