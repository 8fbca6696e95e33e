/* test_resolver.c - the resolver against a server that is slow, silent, lying or gone, by name; and what is asked once */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <talloc.h>

#include "dns_fake.h"
#include "net/resolver.h"
#include "net/resolver_cache.h"

struct world {
	struct dns_fake *fake, *second;
	struct resolver *resolver;
	struct answers *answers;
	char server[2][40];
	const char *servers[3];
	struct resolver_options options;
};

static void sleep_ms(int ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

static void open_resolver(struct world *w, int64_t timeout)
{
	char *error = NULL;

	w->options = (struct resolver_options){ .servers = w->servers, .timeout = timeout, .trust_ad = true, .cache = 1 << 20 };
	assert_int_equal(resolver_open(&w->options, NULL, &w->resolver, &error), 0);
	w->answers = answers_new(resolver_asker(w->resolver));
}

static void name_server(struct world *w, size_t i, const char *address, uint16_t port)
{
	snprintf(w->server[i], sizeof(w->server[i]), "%s@%u", address, port);
	w->servers[i] = w->server[i];
	w->servers[i + 1] = NULL;
}

static struct world *begin(int64_t timeout)
{
	struct world *w = calloc(1, sizeof(*w));

	w->fake = fake_begin(INADDR_LOOPBACK, 0);
	name_server(w, 0, "127.0.0.1", w->fake->port);
	open_resolver(w, timeout);
	return w;
}

static void end(struct world *w)
{
	answers_unref(w->answers);
	resolver_close(w->resolver);
	if (w->fake != NULL)
		fake_end(w->fake);
	if (w->second != NULL)
		fake_end(w->second);
	free(w);
}

/* A fresh session: it remembers nothing of the last one's questions. */
static void new_session(struct world *w)
{
	answers_unref(w->answers);
	w->answers = answers_new(resolver_asker(w->resolver));
}

/* Asks, and waits for what comes. */
static enum answer_status ask_for(struct world *w, uint16_t type, const char *name, const char *const **records_r, size_t *n_r, double *seconds_r)
{
	int64_t before = clock_mono();
	enum answer_status status;
	uint64_t seen = 0;

	while ((status = answers_get(w->answers, type, name, records_r, n_r)) == ANSWER_PENDING)
		if (!answers_wait(w->answers, &seen, before + 20000000))
			fail_msg("%s: no word from the resolver", name);
	*seconds_r = (double)(clock_mono() - before) / 1e6;
	return status;
}

static enum answer_status ask_a(struct world *w, const char *name, double *seconds_r)
{
	const char *const *records;
	size_t n;

	return ask_for(w, ns_t_a, name, &records, &n, seconds_r);
}

/* Bounds that a busy machine keeps, and what is meant to fail does not: a repeat comes after a second, a second server after half of one. */
static void in_time(double seconds, double least, double most, const char *what)
{
	if (seconds < least || seconds > most)
		fail_msg("%s took %.3f s, not %.2f to %.2f s", what, seconds, least, most);
}

/* ---- what is told apart */

static void answers_are_told_apart_and_read(void **state)
{
	static const struct {
		uint16_t type;
		const char *name;
		enum answer_status status;
		const char *first;
		size_t n;
	} cases[] = {
		{ ns_t_a, "ok.example", ANSWER_DATA, "192.0.2.1", 1 },
		{ ns_t_a, "OK2.Example.", ANSWER_DATA, "192.0.2.1", 1 },
		{ ns_t_aaaa, "ok.example", ANSWER_DATA, "2001:db8::1", 1 },
		{ ns_t_mx, "ok.example", ANSWER_DATA, "10 mx.example", 1 },
		{ ns_t_txt, "ok.example", ANSWER_DATA, "v=spf1 -all a\x01" "b\xff\"", 1 },
		{ ns_t_ptr, "1.2.0.192.in-addr.arpa", ANSWER_DATA, "host.example", 1 },
		{ ns_t_ns, ".", ANSWER_DATA, "host.example", 1 },
		{ ns_t_a, "many.example", ANSWER_DATA, "192.0.2.0", 40 },
		{ ns_t_a, "cname.example", ANSWER_DATA, "192.0.2.1", 1 },
		{ ns_t_cname, "cname.example", ANSWER_DATA, "middle.EXAMPLE", 1 },
		{ ns_t_a, "cnamenx.example", ANSWER_NXDOMAIN, NULL, 0 },
		{ ns_t_a, "nx.example", ANSWER_NXDOMAIN, NULL, 0 },
		{ ns_t_a, "nodata.example", ANSWER_EMPTY, NULL, 0 },
		{ ns_t_a, "nosoa.example", ANSWER_EMPTY, NULL, 0 },
		{ ns_t_a, "sf.example", ANSWER_FAILED, NULL, 0 },
		{ ns_t_a, "refused.example", ANSWER_FAILED, NULL, 0 },
		{ ns_t_a, "half.example", ANSWER_FAILED, NULL, 0 },
		{ ns_t_a, "loop.example", ANSWER_FAILED, NULL, 0 },
		{ ns_t_txt, "trunc.example", ANSWER_DATA, "v=spf1 -all a\x01" "b\xff\"", 1 },
		{ ns_t_txt, "huge.example", ANSWER_FAILED, NULL, 0 },
		{ ns_t_a, "wrongid.example", ANSWER_DATA, "192.0.2.1", 1 },
		{ ns_t_a, "wrongname.example", ANSWER_DATA, "192.0.2.1", 1 },
		{ ns_t_a, "a..example", ANSWER_NXDOMAIN, NULL, 0 },
		{ ns_t_a, "", ANSWER_NXDOMAIN, NULL, 0 },
		{ ns_t_a, "0123456789012345678901234567890123456789012345678901234567890123.example", ANSWER_NXDOMAIN, NULL, 0 },
	};
	struct world *w = begin(3000);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const *records;
		double seconds;
		size_t n;
		enum answer_status status = ask_for(w, cases[i].type, cases[i].name, &records, &n, &seconds);

		if (status != cases[i].status || n != cases[i].n || (n > 0 && strcmp(records[0], cases[i].first) != 0))
			fail_msg("%u %s: status %d, %zu records, %s", cases[i].type, cases[i].name, status, n, n > 0 ? records[0] : "-");
		in_time(seconds, 0, 0.5, cases[i].name);
	}
	assert_string_equal(answers_canonical(w->answers, ns_t_a, "cname.example"), "end.example");
	assert_null(answers_canonical(w->answers, ns_t_a, "ok.example"));
	assert_true(atomic_load(&w->fake->tcp_asked) >= 2);
	end(w);
}

static void a_server_without_edns_is_understood(void **state)
{
	struct world *w = begin(3000);
	double seconds;

	(void)state;
	assert_int_equal(ask_a(w, "formerr.example", &seconds), ANSWER_DATA);
	assert_true(atomic_load(&w->fake->plain));
	assert_int_equal(ask_a(w, "formerr2.example", &seconds), ANSWER_DATA);
	assert_int_equal(ask_a(w, "formerr3.example", &seconds), ANSWER_DATA);
	in_time(seconds, 0, 0.5, "formerr3");
	end(w);
}

static void ad_is_believed_from_loopback_when_wanted(void **state)
{
	struct world *w = begin(3000);
	double seconds;

	(void)state;
	assert_int_equal(ask_a(w, "secure.example", &seconds), ANSWER_DATA);
	assert_int_equal(ask_a(w, "ok.example", &seconds), ANSWER_DATA);
	assert_true(answers_secure(w->answers, ns_t_a, "secure.example"));
	assert_false(answers_secure(w->answers, ns_t_a, "ok.example"));
	assert_int_equal(atomic_load(&w->fake->ad_wanted), 2);
	/* and no longer, after a reload */
	w->options.trust_ad = false;
	resolver_change(w->resolver, &w->options);
	new_session(w);
	sleep_ms(50);
	assert_int_equal(ask_a(w, "secure.example", &seconds), ANSWER_DATA);
	assert_false(answers_secure(w->answers, ns_t_a, "secure.example"));
	end(w);
}

static void servers_further_away_must_repeat_the_letters(void **state)
{
	struct world *w = begin(3000);
	double seconds;

	(void)state;
	assert_int_equal(ask_a(w, "a-long-enough-name.example", &seconds), ANSWER_DATA);
	assert_false(atomic_load(&w->fake->mixed));
	w->options.far = true;
	resolver_change(w->resolver, &w->options);
	sleep_ms(50);
	assert_int_equal(ask_a(w, "another-long-enough-name.secure.example", &seconds), ANSWER_DATA);
	assert_true(atomic_load(&w->fake->mixed));
	assert_int_equal(atomic_load(&w->fake->tcp_asked), 0);
	assert_false(answers_secure(w->answers, ns_t_a, "another-long-enough-name.secure.example"));
	/* one that does not is asked by TCP, where nobody guesses */
	assert_int_equal(ask_a(w, "lower-but-long-enough.example", &seconds), ANSWER_DATA);
	assert_int_equal(atomic_load(&w->fake->tcp_asked), 1);
	end(w);
}

/* ---- what is slow */

static void a_late_answer_comes_exactly_when_it_comes(void **state)
{
	static const struct { const char *name; double at; } cases[] = { { "slow300.example", 0.3 }, { "slow800.example", 0.8 }, { "slow1500.example", 1.5 }, { "slow2500.example", 2.5 } };
	struct world *w = begin(3000);
	int64_t before = clock_mono();
	const char *const *records;
	uint64_t seen = 0;
	size_t n;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(answers_get(w->answers, ns_t_a, cases[i].name, &records, &n), ANSWER_PENDING);
	for (size_t i = 0; i < 4; i++) {
		while (answers_get(w->answers, ns_t_a, cases[i].name, &records, &n) == ANSWER_PENDING)
			assert_true(answers_wait(w->answers, &seen, before + 10000000));
		assert_int_equal(n, 1);
		in_time((double)(clock_mono() - before) / 1e6, cases[i].at, cases[i].at + 0.15, cases[i].name);
	}
	end(w);
}

static void a_dead_name_slows_no_other_and_opens_no_breaker(void **state)
{
	struct world *w = begin(900);
	struct resolver_state states[RESOLVER_SERVERS_MAX];
	const char *const *records;
	double seconds, worst = 0;
	char name[40];
	size_t n;

	(void)state;
	for (int i = 0; i < 300; i++) {
		if (i % 3 == 0) {
			snprintf(name, sizeof(name), "dead%d.example", i);
			assert_int_equal(answers_get(w->answers, ns_t_a, name, &records, &n), ANSWER_PENDING);
		}
		snprintf(name, sizeof(name), "good%d.example", i);
		assert_int_equal(ask_a(w, name, &seconds), ANSWER_DATA);
		worst = seconds > worst ? seconds : worst;
		sleep_ms(5);
	}
	in_time(worst, 0, 0.3, "a good name beside dead ones");
	/* and dead names alone: nothing else is asked, and yet the server is not thought gone */
	new_session(w);
	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "deadalone%d.example", i);
		answers_get(w->answers, ns_t_a, name, &records, &n);
		sleep_ms(100);
	}
	assert_int_equal(ask_a(w, "deadalone29.example", &seconds), ANSWER_LATE);
	assert_int_equal(resolver_states(w->resolver, states), 1);
	assert_false(states[0].gone);
	assert_true(atomic_load(&w->fake->probes) >= 2);
	assert_int_equal(ask_a(w, "good.example", &seconds), ANSWER_DATA);
	end(w);
}

static void a_dead_name_is_late_in_time_and_not_asked_again_at_once(void **state)
{
	struct world *w = begin(600);
	double seconds;
	int asked;

	(void)state;
	assert_int_equal(ask_a(w, "dead.example", &seconds), ANSWER_LATE);
	in_time(seconds, 0.6, 0.9, "dead");
	asked = atomic_load(&w->fake->udp_asked);
	new_session(w);
	assert_int_equal(ask_a(w, "dead.example", &seconds), ANSWER_LATE);
	in_time(seconds, 0, 0.3, "dead again");
	assert_int_equal(atomic_load(&w->fake->udp_asked), asked);
	end(w);
}

static void a_thousand_questions_are_out_at_once(void **state)
{
	struct world *w = begin(3000);
	struct answers *all[10];
	int64_t before = clock_mono();
	const char *const *records;
	char name[40];
	size_t n;

	(void)state;
	for (size_t s = 0; s < 10; s++) {
		all[s] = answers_new(resolver_asker(w->resolver));
		for (size_t i = 0; i < 100; i++) {
			snprintf(name, sizeof(name), "slow500n%zu-%zu.example", s, i);
			assert_int_equal(answers_get(all[s], ns_t_a, name, &records, &n), ANSWER_PENDING);
		}
	}
	for (size_t s = 0; s < 10; s++) {
		uint64_t seen = 0;

		while (answers_wait(all[s], &seen, before + 10000000))
			;
		assert_int_equal(seen, 100);
		for (size_t i = 0; i < 100; i++) {
			snprintf(name, sizeof(name), "slow500n%zu-%zu.example", s, i);
			assert_int_equal(answers_get(all[s], ns_t_a, name, &records, &n), ANSWER_DATA);
		}
		answers_unref(all[s]);
	}
	in_time((double)(clock_mono() - before) / 1e6, 0.5, 1.5, "a thousand questions");
	assert_int_equal(resolver_counts(w->resolver).asked, 1000);
	assert_int_equal(resolver_counts(w->resolver).late, 0);
	end(w);
}

/* ---- who is gone */

static void silence_opens_the_breaker_and_the_first_answer_closes_it(void **state)
{
	struct world *w = begin(1200);
	struct resolver_state states[RESOLVER_SERVERS_MAX];
	double seconds, waited;
	char name[40];
	int64_t before;

	(void)state;
	assert_int_equal(ask_a(w, "first.example", &seconds), ANSWER_DATA);
	atomic_store(&w->fake->silent, true);
	before = clock_mono();
	for (int i = 0; clock_mono() - before < 4000000; i++) {
		snprintf(name, sizeof(name), "silent%d.example", i);
		assert_int_equal(ask_a(w, name, &seconds), ANSWER_LATE);
		in_time(seconds, 0, 1.6, name);
		sleep_ms(10);
	}
	in_time(seconds, 0, 0.3, "a question to a server that is known to be gone");
	resolver_states(w->resolver, states);
	assert_true(states[0].gone);
	/* what is known stays known */
	new_session(w);
	assert_int_equal(ask_a(w, "first.example", &seconds), ANSWER_DATA);
	atomic_store(&w->fake->silent, false);
	before = clock_mono();
	do {
		new_session(w);
		assert_int_equal(resolver_states(w->resolver, states), 1);
		sleep_ms(10);
		waited = (double)(clock_mono() - before) / 1e6;
	} while (states[0].gone && waited < 5);
	in_time(waited, 0, 1.6, "the way back");
	/* silence from before is forgotten */
	assert_int_equal(ask_a(w, "silent0.example", &seconds), ANSWER_DATA);
	in_time(seconds, 0, 0.5, "silent0, now");
	end(w);
}

static void a_closed_port_is_known_at_once_and_so_is_its_return(void **state)
{
	struct world *w = begin(3000);
	uint16_t port = w->fake->port;
	struct resolver_state states[RESOLVER_SERVERS_MAX];
	double seconds;
	int64_t before;

	(void)state;
	fake_end(w->fake);
	w->fake = NULL;
	assert_int_equal(ask_a(w, "one.example", &seconds), ANSWER_LATE);
	in_time(seconds, 0, 0.5, "a closed port");
	sleep_ms(200);
	assert_int_equal(ask_a(w, "two.example", &seconds), ANSWER_LATE);
	in_time(seconds, 0, 0.3, "a closed port, known");
	resolver_states(w->resolver, states);
	assert_true(states[0].gone);
	assert_int_equal(states[0].trouble, TROUBLE_NOBODY);
	w->fake = fake_begin(INADDR_LOOPBACK, port);
	before = clock_mono();
	do {
		sleep_ms(10);
		resolver_states(w->resolver, states);
	} while (states[0].gone && clock_mono() - before < 5000000);
	in_time((double)(clock_mono() - before) / 1e6, 0, 1.6, "the return");
	new_session(w);
	assert_int_equal(ask_a(w, "one.example", &seconds), ANSWER_DATA);
	end(w);
}

static void with_two_servers_a_silent_first_one_costs_little_and_soon_nothing(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	double seconds, sum = 0;
	char name[40];

	(void)state;
	w->fake = fake_begin(INADDR_LOOPBACK, 0);
	w->second = fake_begin(INADDR_LOOPBACK, 0);
	atomic_store(&w->fake->silent, true);
	name_server(w, 0, "127.0.0.1", w->fake->port);
	name_server(w, 1, "127.0.0.1", w->second->port);
	open_resolver(w, 3000);
	assert_int_equal(ask_a(w, "first.example", &seconds), ANSWER_DATA);
	in_time(seconds, 0.45, 0.9, "the first question");
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "n%d.example", i);
		assert_int_equal(ask_a(w, name, &seconds), ANSWER_DATA);
		in_time(seconds, 0, 0.4, name);
		sum += seconds;
	}
	in_time(sum, 0, 3, "a hundred questions");
	/* it is back: it is the first again */
	atomic_store(&w->fake->silent, false);
	sleep_ms(1200);
	assert_int_equal(ask_a(w, "later.example", &seconds), ANSWER_DATA);
	assert_true(atomic_load(&w->fake->udp_asked) > atomic_load(&w->fake->probes));
	end(w);
}

static void what_one_server_cannot_say_the_next_is_asked(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	double seconds;

	(void)state;
	w->fake = fake_begin(INADDR_LOOPBACK, 0);
	w->second = fake_begin(INADDR_LOOPBACK, 0);
	atomic_store(&w->fake->sulk, true);
	name_server(w, 0, "127.0.0.1", w->fake->port);
	name_server(w, 1, "127.0.0.1", w->second->port);
	open_resolver(w, 3000);
	assert_int_equal(ask_a(w, "ok.example", &seconds), ANSWER_DATA);
	in_time(seconds, 0, 0.5, "the second server's word");
	assert_int_equal(ask_a(w, "sf.example", &seconds), ANSWER_FAILED);
	in_time(seconds, 0, 0.5, "SERVFAIL of both");
	/* nobody at all behind the first one */
	fake_end(w->fake);
	w->fake = NULL;
	assert_int_equal(ask_a(w, "other.example", &seconds), ANSWER_DATA);
	in_time(seconds, 0, 0.4, "a closed port before a good server");
	end(w);
}

/* ---- what is asked once */

static void the_same_question_is_asked_once_and_then_known(void **state)
{
	struct world *w = begin(3000);
	struct answers *all[20];
	const char *const *records;
	struct resolver_counts counts;
	double seconds;
	size_t n;

	(void)state;
	for (size_t i = 0; i < 20; i++) {
		all[i] = answers_new(resolver_asker(w->resolver));
		assert_int_equal(answers_get(all[i], ns_t_a, i % 2 ? "SLOW200.example" : "slow200.example.", &records, &n), ANSWER_PENDING);
	}
	for (size_t i = 0; i < 20; i++) {
		uint64_t seen = 0;

		answers_wait(all[i], &seen, clock_mono() + 5000000);
		assert_int_equal(answers_get(all[i], ns_t_a, "slow200.example", &records, &n), ANSWER_DATA);
		assert_string_equal(records[0], "192.0.2.1");
		answers_unref(all[i]);
	}
	assert_int_equal(ask_a(w, "slow200.example", &seconds), ANSWER_DATA);
	in_time(seconds, 0, 0.15, "a known answer");
	counts = resolver_counts(w->resolver);
	assert_int_equal(counts.asked, 1);
	assert_int_equal(counts.joined, 19);
	assert_int_equal(counts.known, 1);
	assert_int_equal(atomic_load(&w->fake->udp_asked), 1);
	end(w);
}

static void ttl_ends_what_is_known(void **state)
{
	struct world *w = begin(3000);
	double seconds;

	(void)state;
	atomic_store(&w->fake->ttl, 1);
	assert_int_equal(ask_a(w, "brief.example", &seconds), ANSWER_DATA);
	new_session(w);
	assert_int_equal(ask_a(w, "brief.example", &seconds), ANSWER_DATA);
	assert_int_equal(atomic_load(&w->fake->udp_asked), 1);
	sleep_ms(1050);
	new_session(w);
	assert_int_equal(ask_a(w, "brief.example", &seconds), ANSWER_DATA);
	assert_int_equal(atomic_load(&w->fake->udp_asked), 2);
	end(w);
}

static void the_table_is_bounded(void **state)
{
	struct world *w = begin(3000);
	struct resolver_counts counts;
	double seconds;
	char name[40];

	(void)state;
	for (int i = 0; i < 6000; i++) {
		if (i % 400 == 0)
			new_session(w);
		snprintf(name, sizeof(name), "n%d.example", i);
		assert_int_equal(ask_a(w, name, &seconds), ANSWER_DATA);
	}
	counts = resolver_counts(w->resolver);
	assert_in_range(counts.bytes, 500000, 1 << 20);
	assert_in_range(counts.kept, 1500, 5999);
	assert_int_equal(counts.out, 0);
	end(w);
}

/* ---- who is gone while it is asked */

static void a_session_may_go_while_answers_come_and_the_resolver_may_close(void **state)
{
	struct world *w = begin(3000);
	const char *const *records;
	char name[40];
	size_t n;

	(void)state;
	for (int i = 0; i < 200; i++) {
		struct answers *a = answers_new(resolver_asker(w->resolver));

		snprintf(name, sizeof(name), "slow%dgo%d.example", 100 + i % 50, i);
		assert_int_equal(answers_get(a, ns_t_a, name, &records, &n), ANSWER_PENDING);
		answers_unref(a);
	}
	for (int i = 0; i < 2000 && resolver_counts(w->resolver).out > 0; i++)
		sleep_ms(10);
	assert_int_equal(resolver_counts(w->resolver).out, 0);
	/* what is out when it closes is told so */
	assert_int_equal(answers_get(w->answers, ns_t_a, "dead.example", &records, &n), ANSWER_PENDING);
	assert_int_equal(answers_get(w->answers, ns_t_a, "slow900.example", &records, &n), ANSWER_PENDING);
	sleep_ms(20);
	resolver_close(w->resolver);
	w->resolver = NULL;
	assert_int_equal(answers_get(w->answers, ns_t_a, "dead.example", &records, &n), ANSWER_LATE);
	assert_int_equal(answers_get(w->answers, ns_t_a, "slow900.example", &records, &n), ANSWER_LATE);
	end(w);
}

static void other_servers_get_what_is_out(void **state)
{
	struct world *w = begin(3000);
	const char *const *records;
	double seconds;
	size_t n;

	(void)state;
	w->second = fake_begin(INADDR_LOOPBACK, 0);
	assert_int_equal(ask_a(w, "known.example", &seconds), ANSWER_DATA);
	atomic_store(&w->fake->silent, true);
	assert_int_equal(answers_get(w->answers, ns_t_a, "out.example", &records, &n), ANSWER_PENDING);
	/* the same again changes nothing, and what is known stays */
	resolver_change(w->resolver, &w->options);
	sleep_ms(50);
	new_session(w);
	assert_int_equal(answers_get(w->answers, ns_t_a, "known.example", &records, &n), ANSWER_DATA);
	assert_int_equal(answers_get(w->answers, ns_t_a, "out.example", &records, &n), ANSWER_PENDING);
	name_server(w, 0, "127.0.0.1", w->second->port);
	resolver_change(w->resolver, &w->options);
	assert_int_equal(ask_a(w, "out.example", &seconds), ANSWER_DATA);
	in_time(seconds, 0, 0.4, "the new server's word");
	new_session(w);
	assert_int_equal(ask_a(w, "known.example", &seconds), ANSWER_DATA);
	assert_int_equal(atomic_load(&w->second->udp_asked), 2);
	end(w);
}

static void *ask_much(void *arg)
{
	struct world *w = arg;
	char name[40];

	for (int round = 0; round < 20; round++) {
		struct answers *a = answers_new(resolver_asker(w->resolver));
		const char *const *records;
		uint64_t seen = 0;
		size_t n;

		for (int i = 0; i < 25; i++) {
			snprintf(name, sizeof(name), "%s%d-%d.example", i % 5 ? "n" : i % 2 ? "nx" : "slow3x", round, i);
			answers_get(a, ns_t_a, name, &records, &n);
		}
		while (round % 4 != 0 && answers_wait(a, &seen, clock_mono() + 5000000))
			;
		answers_unref(a);
	}
	return NULL;
}

static void threads_ask_while_it_is_changed(void **state)
{
	struct world *w = begin(2000);
	pthread_t threads[8];

	(void)state;
	w->second = fake_begin(INADDR_LOOPBACK, 0);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_much, w), 0);
	for (int i = 0; i < 20; i++) {
		struct resolver_state states[RESOLVER_SERVERS_MAX];

		name_server(w, 0, "127.0.0.1", i % 2 ? w->fake->port : w->second->port);
		w->options.cache = (size_t)(1 + i % 3) << 20;
		resolver_change(w->resolver, &w->options);
		assert_int_equal(resolver_states(w->resolver, states), 1);
		sleep_ms(5);
	}
	for (size_t i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 300 && resolver_counts(w->resolver).out > 0; i++)
		sleep_ms(10);
	assert_int_equal(resolver_counts(w->resolver).out, 0);
	assert_int_equal(resolver_counts(w->resolver).late, 0);
	end(w);
}

/* ---- which servers */

static void resolv_conf_names_the_servers_where_none_are_set(void **state)
{
	struct resolver_state states[RESOLVER_SERVERS_MAX];
	struct resolver_options options = { .timeout = 1000, .cache = 1 << 20 };
	char path[] = "/tmp/winnow-resolv-XXXXXX", *error = NULL;
	static const char *const bad[] = { "localhost", "1.2.3.4@0", NULL };
	struct resolver *r;
	FILE *f = fdopen(mkstemp(path), "w");

	(void)state;
	fputs("# comment\nsearch example.com\nnameserver 127.0.0.2 \nnameserver\tfe80::1%eth0\n nameserver ::1\noptions edns0\nnameserver 192.0.2.1@5\n", f);
	fclose(f);
	options.resolv_conf = path;
	assert_int_equal(resolver_open(&options, NULL, &r, &error), 0);
	assert_int_equal(resolver_states(r, states), 2);
	assert_string_equal(states[0].name, "127.0.0.2@53");
	assert_string_equal(states[1].name, "::1@53");
	resolver_close(r);
	options.resolv_conf = "/nonexistent/resolv.conf";
	assert_int_equal(resolver_open(&options, NULL, &r, &error), 0);
	assert_int_equal(resolver_states(r, states), 1);
	assert_string_equal(states[0].name, "127.0.0.1@53");
	resolver_close(r);
	options.servers = bad;
	assert_int_equal(resolver_open(&options, NULL, &r, &error), -EINVAL);
	assert_non_null(error);
	talloc_free(error);
	unlink(path);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_told_apart_and_read),
		cmocka_unit_test(a_server_without_edns_is_understood),
		cmocka_unit_test(ad_is_believed_from_loopback_when_wanted),
		cmocka_unit_test(servers_further_away_must_repeat_the_letters),
		cmocka_unit_test(a_late_answer_comes_exactly_when_it_comes),
		cmocka_unit_test(a_dead_name_slows_no_other_and_opens_no_breaker),
		cmocka_unit_test(a_dead_name_is_late_in_time_and_not_asked_again_at_once),
		cmocka_unit_test(a_thousand_questions_are_out_at_once),
		cmocka_unit_test(silence_opens_the_breaker_and_the_first_answer_closes_it),
		cmocka_unit_test(a_closed_port_is_known_at_once_and_so_is_its_return),
		cmocka_unit_test(with_two_servers_a_silent_first_one_costs_little_and_soon_nothing),
		cmocka_unit_test(what_one_server_cannot_say_the_next_is_asked),
		cmocka_unit_test(the_same_question_is_asked_once_and_then_known),
		cmocka_unit_test(ttl_ends_what_is_known),
		cmocka_unit_test(the_table_is_bounded),
		cmocka_unit_test(a_session_may_go_while_answers_come_and_the_resolver_may_close),
		cmocka_unit_test(other_servers_get_what_is_out),
		cmocka_unit_test(threads_ask_while_it_is_changed),
		cmocka_unit_test(resolv_conf_names_the_servers_where_none_are_set),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
