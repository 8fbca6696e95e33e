/* lists.h - the DNS lists as a service: tested before the listener opens and every ten minutes, their state kept across reloads */
#ifndef WINNOW_ENGINE_LISTS_H
#define WINNOW_ENGINE_LISTS_H

#include <stdatomic.h>
#include <stdio.h>

#include "engine/engine.h"
#include "net/dnslist_watch.h"
#include "net/resolver.h"

/* What the rows cannot say: a zone that two sections name. Errors with file and line. */
void lists_validate(const struct config *config, struct config_errors *errors);

/* Makes engine->dnslist_watch, tests all lists side by side (dns.timeout in all), and starts the thread that goes on with it. The network is open.
 * 0 or -errno with *error_r (talloc child of NULL). */
int lists_open(struct winnow_engine *engine, const struct config *config, char **error_r);

/* A reload: lists that stay keep their state; all are tested at once, before sessions see the configuration. */
void lists_change(struct winnow_engine *engine, const struct config *config);

/* Ends the thread at once, in the middle of a test too. No session is left. */
void lists_close(struct winnow_engine *engine);

/* Asks the first `points` test points of n lists, side by side; what is out at the deadline (clock_mono), or when *stop becomes true (NULL: never), reads as late. */
void lists_ask(struct answers *answers, const struct dnslist *lists, size_t n, int points, int64_t deadline, const atomic_bool *stop,
	struct dnslist_answer (*answers_r)[DNSLIST_POINTS]);

/* winnowctl check --network: a line for each list, with what is wrong and what to do. How many are wrong. */
int lists_check(FILE *f, const struct config *config, const struct resolver_options *options);

#endif
