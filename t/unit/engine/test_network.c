/* test_network.c - the resolver as the engine's service: sessions ask it, reloads keep it or change its servers, it ends after them */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "net/resolver.h"
#include "unit/net/dns_fake.h"

struct world {
	struct winnow_engine *engine;
	struct dns_fake *fake, *second;
	char folder[40], config[60];
};

static void write_config(const struct world *w, uint16_t port, const char *cache)
{
	FILE *f = fopen(w->config, "w");

	assert_non_null(f);
	fprintf(f, "directory = \"%s\"\nhostname = \"mx.example.net\"\ndomains = \"inline:example.com\"\nlog { target = \"%s/log\" }\n"
		"dns { servers = { \"127.0.0.1@%u\" } timeout = \"1s\" cache = \"%s\" }\n", w->folder, w->folder, port, cache);
	fclose(f);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct winnow_options options = { 0 };
	char *errors = NULL;

	strcpy(w->folder, "/tmp/winnow-network-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	snprintf(w->config, sizeof(w->config), "%s/conf", w->folder);
	w->fake = fake_begin(INADDR_LOOPBACK, 0);
	w->second = fake_begin(INADDR_LOOPBACK, 0);
	write_config(w, w->fake->port, "1M");
	options.config_path = w->config;
	w->engine = winnow_engine_new(&options, &errors, NULL);
	if (w->engine == NULL)
		fail_msg("%s", errors);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	char command[80];

	winnow_engine_free(w->engine);
	fake_end(w->fake);
	fake_end(w->second);
	snprintf(command, sizeof(command), "rm -rf %s", w->folder);
	assert_int_equal(system(command), 0);
	free(w);
	return 0;
}

static struct winnow_session *connect_client(struct world *w)
{
	struct winnow_client client = { .address = "198.51.100.1", .name = "mail.example.net" };     /* a verified name: its PTR is not asked for */
	const struct winnow_verdict *verdict;
	struct winnow_session *ws = winnow_connect(w->engine, &client, &verdict);

	assert_non_null(ws);
	return ws;
}

static enum answer_status ask_for(struct winnow_session *ws, const char *name)
{
	int64_t deadline = clock_mono() + 5000000;
	enum answer_status status;
	const char *const *records;
	uint64_t seen = 0;
	size_t n;

	while ((status = answers_get(ws->s.answers, ns_t_a, name, &records, &n)) == ANSWER_PENDING)
		assert_true(answers_wait(ws->s.answers, &seen, deadline));
	return status;
}

static void reload(struct world *w)
{
	char *errors = NULL;

	if (winnow_engine_reload(w->engine, &errors) != 0)
		fail_msg("%s", errors);
}

static void an_engine_that_was_not_started_asks_nobody(void **state)
{
	struct world *w = *state;
	struct winnow_session *ws = connect_client(w);

	assert_null(ws->s.answers);
	assert_null(w->engine->resolver);
	winnow_close(ws);
}

static void sessions_ask_and_reloads_keep_what_is_known(void **state)
{
	struct world *w = *state;
	struct winnow_session *ws, *old;
	struct resolver *resolver;
	char *errors = NULL;

	assert_int_equal(winnow_engine_start(w->engine, &errors), 0);
	resolver = w->engine->resolver;
	assert_non_null(resolver);
	ws = connect_client(w);
	assert_int_equal(ask_for(ws, "one.example"), ANSWER_DATA);
	winnow_close(ws);
	write_config(w, w->fake->port, "2M");
	reload(w);
	assert_ptr_equal(w->engine->resolver, resolver);
	old = connect_client(w);
	assert_int_equal(ask_for(old, "one.example"), ANSWER_DATA);
	assert_int_equal(atomic_load(&w->fake->udp_asked), 1);
	/* other servers: sessions that are open go on with them */
	write_config(w, w->second->port, "2M");
	reload(w);
	ws = connect_client(w);
	assert_int_equal(ask_for(ws, "two.example"), ANSWER_DATA);
	assert_int_equal(ask_for(old, "three.example"), ANSWER_DATA);
	assert_int_equal(atomic_load(&w->fake->udp_asked), 1);
	assert_int_equal(atomic_load(&w->second->udp_asked), 2);
	winnow_close(old);
	winnow_close(ws);
}

static void a_session_may_close_and_the_engine_end_while_answers_are_out(void **state)
{
	struct world *w = *state;
	struct winnow_session *ws;
	const char *const *records;
	char *errors = NULL;
	size_t n;

	assert_int_equal(winnow_engine_start(w->engine, &errors), 0);
	ws = connect_client(w);
	assert_int_equal(answers_get(ws->s.answers, ns_t_a, "slow400.example", &records, &n), ANSWER_PENDING);
	assert_int_equal(answers_get(ws->s.answers, ns_t_a, "dead.example", &records, &n), ANSWER_PENDING);
	winnow_close(ws);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_engine_that_was_not_started_asks_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(sessions_ask_and_reloads_keep_what_is_known, setup, teardown),
		cmocka_unit_test_setup_teardown(a_session_may_close_and_the_engine_end_while_answers_are_out, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
