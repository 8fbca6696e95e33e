/* stats_lists.h - what is counted of DNS lists, for people and for Prometheus */
#ifndef WINNOW_ENGINE_STATS_LISTS_H
#define WINNOW_ENGINE_STATS_LISTS_H

#include <stdio.h>

#include <jansson.h>

#include "net/dnslist_watch.h"

void stats_lists_people(FILE *f, const struct dnslist_state *lists, size_t n);
void stats_lists_prometheus(FILE *f, const struct dnslist_state *lists, size_t n);

/* A new array. */
json_t *stats_lists_json(const struct dnslist_state *lists, size_t n);

#endif
