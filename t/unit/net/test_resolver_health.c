/* test_resolver_health.c - the breaker: dead names do not open it, silence does, the first answer closes it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/resolver_health.h"

enum { AFTER = 500000, S = 1000000 };

static void a_server_that_answers_is_well(void **state)
{
	struct health h = { 0 };

	(void)state;
	for (int64_t now = S; now < 100 * (int64_t)S; now += S / 10) {
		health_sent(&h, now);
		assert_false(health_probe(&h, AFTER, now));
		assert_false(health_look(&h, now));
		assert_false(health_answered(&h));
		assert_int_equal(health_next(&h, AFTER), INT64_MAX);
	}
}

static void a_dead_name_costs_a_probe_a_second_and_opens_nothing(void **state)
{
	struct health h = { 0 };
	int probes = 0;

	(void)state;
	/* a dead name asked each 100 ms, for a minute, and nothing else */
	for (int64_t now = S; now < 61 * (int64_t)S; now += S / 10) {
		health_sent(&h, now);
		assert_false(health_look(&h, now));
		if (health_probe(&h, AFTER, now)) {
			probes++;
			health_answered(&h);             /* the server is there */
		}
		assert_false(h.open);
	}
	assert_in_range(probes, 30, 60);
}

static void silence_opens_it_after_two_probes(void **state)
{
	struct health h = { 0 };
	int64_t t = 10 * (int64_t)S;

	(void)state;
	health_sent(&h, t);
	assert_false(health_suspect(&h, AFTER, t + AFTER - 1));
	assert_false(health_probe(&h, AFTER, t + AFTER - 1));
	assert_int_equal(health_next(&h, AFTER), t + AFTER);
	assert_true(health_suspect(&h, AFTER, t + AFTER));
	assert_true(health_probe(&h, AFTER, t + AFTER));
	assert_false(health_probe(&h, AFTER, t + AFTER + 1));
	assert_int_equal(health_next(&h, AFTER), t + AFTER + S);
	assert_false(health_look(&h, t + AFTER + S - 1));
	assert_false(health_look(&h, t + AFTER + S));
	assert_true(health_probe(&h, AFTER, t + AFTER + S));
	assert_true(health_look(&h, t + AFTER + 2 * S));
	assert_true(h.open);
	assert_int_equal(h.opened, t + AFTER + 2 * S);
	/* one probe a second, until it is back */
	for (int i = 0; i < 5; i++) {
		int64_t now = t + AFTER + (2 + i) * (int64_t)S;

		assert_true(health_probe(&h, AFTER, now));
		assert_false(health_probe(&h, AFTER, now + S / 2));
		assert_false(health_look(&h, now + S));
	}
	assert_true(health_answered(&h));
	assert_false(h.open);
	assert_false(health_answered(&h));
	assert_int_equal(health_next(&h, AFTER), INT64_MAX);
}

static void one_lost_probe_opens_nothing(void **state)
{
	struct health h = { 0 };

	(void)state;
	health_sent(&h, S);
	assert_true(health_probe(&h, AFTER, 2 * S));
	assert_false(health_look(&h, 3 * S));
	assert_true(health_probe(&h, AFTER, 3 * S));
	health_answered(&h);
	assert_false(health_look(&h, 5 * S));
	/* and is not remembered */
	health_sent(&h, 6 * S);
	assert_true(health_probe(&h, AFTER, 7 * S));
	assert_false(health_look(&h, 8 * S));
	assert_false(h.open);
}

static void a_closed_port_opens_it_by_the_first_probe(void **state)
{
	struct health h = { 0 };

	(void)state;
	health_sent(&h, S);
	/* a question met a closed port: perhaps TCP alone. A probe is due at once */
	assert_false(health_nobody(&h, false, S + 1));
	assert_true(health_suspect(&h, AFTER, S + 1));
	assert_true(health_probe(&h, AFTER, S + 1));
	assert_true(health_nobody(&h, true, S + 2));
	assert_true(h.open);
	assert_false(health_nobody(&h, true, S + 3));
	assert_false(health_probe(&h, AFTER, S + 3));
	assert_true(health_probe(&h, AFTER, 2 * S + 1));
	/* UDP is there: only TCP is closed */
	h = (struct health){ 0 };
	health_sent(&h, S);
	health_nobody(&h, false, S + 1);
	assert_true(health_probe(&h, AFTER, S + 1));
	assert_false(health_answered(&h));
	assert_false(health_suspect(&h, AFTER, 10 * S));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_that_answers_is_well),
		cmocka_unit_test(a_dead_name_costs_a_probe_a_second_and_opens_nothing),
		cmocka_unit_test(silence_opens_it_after_two_probes),
		cmocka_unit_test(one_lost_probe_opens_nothing),
		cmocka_unit_test(a_closed_port_opens_it_by_the_first_probe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
