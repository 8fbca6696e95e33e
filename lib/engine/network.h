/* network.h - the network as a service: the resolver, opened at start, kept across reloads */
#ifndef WINNOW_ENGINE_NETWORK_H
#define WINNOW_ENGINE_NETWORK_H

#include "engine/engine.h"
#include "net/resolver.h"

/* What the configuration says of DNS; its strings are the configuration's. */
struct resolver_options network_options(const struct config *config);

/* Starts the resolver: from here on sessions have answers. 0 or -errno with *error_r (talloc child of NULL). */
int network_open(struct winnow_engine *engine, const struct config *config, char **error_r);

/* A reload: what is the same for it stays as it is. Sessions go on. */
void network_change(struct winnow_engine *engine, const struct config *config);

/* Asks, and waits until deadline (clock_mono): for who has a thread of its own. */
enum answer_status network_ask(struct answers *answers, uint16_t type, const char *name, int64_t deadline);

/* No session is left. */
void network_close(struct winnow_engine *engine);

#endif
