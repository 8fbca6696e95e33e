/* stats.h - counters and latency histograms, for people and for Prometheus */
#ifndef WINNOW_ENGINE_STATS_H
#define WINNOW_ENGINE_STATS_H

#include <stdint.h>

#include "engine/record.h"
#include "engine/stats_network.h"
#include "net/dnslist_watch.h"
#include "winnow.h"

/* Counters are changed atomically by any thread. Owner: the engine. */
struct stats;
struct stats *stats_new(void);
void stats_free(struct stats *stats);

/* A session was opened. */
void stats_connection(struct stats *stats, bool outbound);

/* A decision was made: by event, action, class; what each check took. */
void stats_record(struct stats *stats, const struct record *record);

/* A stage took so long, waiting included. */
void stats_stage(struct stats *stats, enum stage stage, int64_t microseconds);

/* A configuration was loaded, or refused. */
void stats_reload(struct stats *stats, bool good, int64_t now);

/* What others count is handed in. A malloc'ed text. */
struct stats_gauges {
	unsigned sessions, transactions;
	uint64_t message_bytes, log_dropped;
	const struct stats_network *network;     /* NULL: there is no resolver */
	const struct dnslist_state *lists;
	size_t n_lists;
};
char *stats_text(struct stats *stats, const struct stats_gauges *gauges, enum winnow_stats_format format);

#endif
