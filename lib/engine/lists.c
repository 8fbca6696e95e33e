/* lists.c - the DNS lists as a service: tested before the listener opens and every ten minutes, their state kept across reloads */
#include "engine/lists.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check/dnsbl.h"
#include "engine/network.h"
#include "util/clock.h"

enum { SLICE = 50000 };                  /* microseconds: so soon a stop is noticed */

struct list_tests {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	atomic_bool stop;                /* changed under the lock */
};

/* ---- configuration */

static void set_lists(struct dnslist_watch *watch, const struct config *config)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct dnslist lists[DNSLIST_LISTS_MAX];
	size_t n;
	const struct dnsbl_list *configured = dnsbl_lists(mem, config, &n);

	n = n < DNSLIST_LISTS_MAX ? n : DNSLIST_LISTS_MAX;
	for (size_t i = 0; i < n; i++)
		lists[i] = configured[i].id;
	dnslist_watch_set(watch, lists, n);
	talloc_free(mem);
}

void lists_validate(const struct config *config, struct config_errors *errors)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	size_t n;
	const struct dnsbl_list *lists = dnsbl_lists(mem, config, &n);

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < i; k++) {
			const char *file = NULL, *other = NULL;
			int line = 0, other_line = 0;

			if (lists[k].id.kind != lists[i].id.kind || !dnslist_same_zone(lists[k].id.zone, lists[i].id.zone))
				continue;
			config_titled_origin(lists[i].entry, &file, &line);
			config_titled_origin(lists[k].entry, &other, &other_line);
			config_error_add(errors, file, line, "%s \"%s\": the same zone as in %s:%d; take one of them out", dnslist_kind_name(lists[i].id.kind), lists[i].id.shown, other, other_line);
			break;
		}
	}
	talloc_free(mem);
}

/* ---- test points */

/* Looks into the table, which asks the first time; true: something is still out. */
static bool collect(struct answers *answers, const struct dnslist *lists, size_t n, int points, struct dnslist_answer (*answers_r)[DNSLIST_POINTS])
{
	bool pending = false;

	for (size_t i = 0; i < n; i++) {
		for (int p = 0; p < points; p++) {
			enum answer_status status = ANSWER_FAILED;
			const char *const *records = NULL;
			char name[DNSLIST_NAME_MAX];
			size_t n_records = 0;

			if (dnslist_point_name(name, (enum dnslist_point)p, lists[i].zone))
				status = answers_get(answers, ns_t_a, name, &records, &n_records);
			pending |= status == ANSWER_PENDING;
			dnslist_read(lists[i].kind, status, records, n_records, &answers_r[i][p]);
		}
	}
	return pending;
}

void lists_ask(struct answers *answers, const struct dnslist *lists, size_t n, int points, int64_t deadline, const atomic_bool *stop,
	struct dnslist_answer (*answers_r)[DNSLIST_POINTS])
{
	uint64_t seen = 0;
	int64_t now;

	while (collect(answers, lists, n, points, answers_r) && (now = clock_mono()) < deadline && (stop == NULL || !atomic_load(stop)))
		answers_wait(answers, &seen, now + SLICE < deadline ? now + SLICE : deadline);
}

/* With a resolver of its own: what ours remembers of the test points is as old as their TTL. */
static void test(struct winnow_engine *engine, const struct config *config, const struct dnslist *lists, size_t n, struct dnslist_answer (*answers)[DNSLIST_POINTS])
{
	struct resolver_options options = network_options(config);
	int64_t deadline = clock_mono() + options.timeout * 1000;
	struct resolver *resolver = NULL;
	struct answers *table = NULL;
	char *error = NULL;

	options.cache = 1 << 20;
	if (resolver_open(&options, NULL, &resolver, &error) == 0)
		table = answers_new(resolver_asker(resolver));
	if (table != NULL)
		lists_ask(table, lists, n, POINT_NOT_LISTED_IPV6 + 1, deadline, &engine->list_tests->stop, answers);
	answers_unref(table);
	resolver_close(resolver);
	talloc_free(error);
}

/* Tests what is due. What was not asked, for want of memory or because of a stop, reads as silence. */
static void test_due(struct winnow_engine *engine, const struct config *config)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct dnslist_answer (*answers)[DNSLIST_POINTS];
	bool ask = false;
	size_t n;
	struct dnslist *lists = dnslist_watch_due(engine->dnslist_watch, mem, clock_mono() / 1000000, &n);

	answers = (void *)talloc_zero_array(mem, struct dnslist_answer, n * DNSLIST_POINTS);
	if (answers == NULL)
		n = 0;
	for (size_t i = 0; i < n; i++) {
		ask |= lists[i].self_test;
		for (int p = 0; p < DNSLIST_POINTS; p++)
			dnslist_read(lists[i].kind, ANSWER_LATE, NULL, 0, &answers[i][p]);
	}
	if (ask)
		test(engine, config, lists, n, answers);
	for (size_t i = 0; i < n && !atomic_load(&engine->list_tests->stop); i++) {
		enum dnslist_fault fault = lists[i].self_test ? dnslist_test(lists[i].kind, answers[i]) : FAULT_NONE;

		dnslist_watch_tested(engine->dnslist_watch, lists[i].kind, lists[i].zone, fault, clock_mono() / 1000000);
	}
	talloc_free(mem);
}

/* ---- the thread */

/* Waits for the next look, or for the end; false: it has come. */
static bool wait_a_while(struct list_tests *tests)
{
	struct timespec until;
	bool go_on;
	int error = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += DNSLIST_TICK;
	pthread_mutex_lock(&tests->lock);
	while (!atomic_load(&tests->stop) && error != ETIMEDOUT)
		error = pthread_cond_timedwait(&tests->wake, &tests->lock, &until);
	go_on = !atomic_load(&tests->stop);
	pthread_mutex_unlock(&tests->lock);
	return go_on;
}

static bool resolver_is_gone(void *context)
{
	return resolver_gone(context);
}

static void *run(void *argument)
{
	struct winnow_engine *engine = argument;
	uint64_t returns = 0;            /* of name servers: an outage may be over before we look */

	while (wait_a_while(engine->list_tests)) {
		struct config *config = engine_config(engine);
		uint64_t now = resolver_counts(engine->resolver).returns;

		if (now != returns)
			dnslist_watch_back(engine->dnslist_watch);
		returns = now;
		test_due(engine, config);
		config_unref(config);
	}
	return NULL;
}

static struct list_tests *tests_new(void)
{
	struct list_tests *tests = calloc(1, sizeof(*tests));
	pthread_condattr_t attr;

	if (tests == NULL)
		return NULL;
	pthread_mutex_init(&tests->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&tests->wake, &attr);
	pthread_condattr_destroy(&attr);
	atomic_init(&tests->stop, false);
	return tests;
}

static void tests_free(struct list_tests *tests)
{
	if (tests == NULL)
		return;
	pthread_cond_destroy(&tests->wake);
	pthread_mutex_destroy(&tests->lock);
	free(tests);
}

int lists_open(struct winnow_engine *engine, const struct config *config, char **error_r)
{
	int result = 0;

	engine->dnslist_watch = dnslist_watch_new(engine->log);
	engine->list_tests = tests_new();
	if (engine->dnslist_watch == NULL || engine->list_tests == NULL)
		result = -ENOMEM;
	if (result == 0) {
		dnslist_watch_network(engine->dnslist_watch, resolver_is_gone, engine->resolver);
		set_lists(engine->dnslist_watch, config);
		test_due(engine, config);
		result = -pthread_create(&engine->list_tests->thread, NULL, run, engine);
	}
	if (result != 0) {
		tests_free(engine->list_tests);
		engine->list_tests = NULL;
		*error_r = talloc_asprintf(NULL, "DNS lists: their tests cannot be started: %s", strerror(-result));
	}
	return result;
}

void lists_change(struct winnow_engine *engine, const struct config *config)
{
	if (engine->list_tests == NULL)
		return;
	set_lists(engine->dnslist_watch, config);
	dnslist_watch_hurry(engine->dnslist_watch);
	test_due(engine, config);
}

void lists_close(struct winnow_engine *engine)
{
	if (engine->list_tests != NULL) {
		pthread_mutex_lock(&engine->list_tests->lock);
		atomic_store(&engine->list_tests->stop, true);
		pthread_cond_signal(&engine->list_tests->wake);
		pthread_mutex_unlock(&engine->list_tests->lock);
		pthread_join(engine->list_tests->thread, NULL);
	}
	tests_free(engine->list_tests);
	dnslist_watch_free(engine->dnslist_watch);
	engine->list_tests = NULL;
	engine->dnslist_watch = NULL;
}
