/* test_keep_rate.c - no minute has more copies of a network than are allowed, wherever it begins */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/keep_rate.h"

#define SECOND 1000000LL

static struct ip ip_of(const char *text)
{
	struct ip ip;

	if (text[0] == '\0')
		return (struct ip){ 0 };
	assert_true(ip_parse(text, &ip));
	return ip;
}

static int taken(struct keep_rate *rate, const char *text, int64_t now, int64_t max, int tries)
{
	struct ip ip = ip_of(text);
	int n = 0;

	for (int i = 0; i < tries; i++)
		n += keep_rate_take(rate, &ip, now, max);
	return n;
}

static void networks_are_counted_apart(void **state)
{
	struct keep_rate *rate = keep_rate_new(42);
	struct ip a = ip_of("203.0.113.200"), b = ip_of("203.0.114.7");

	(void)state;
	assert_false(keep_rate_full(rate, &a, 0, 3));
	assert_int_equal(taken(rate, "203.0.113.7", 0, 3, 2), 2);
	assert_int_equal(taken(rate, "203.0.113.99", 0, 3, 5), 1);       /* the same /24 */
	assert_true(keep_rate_full(rate, &a, 0, 3));
	assert_false(keep_rate_full(rate, &b, 0, 3));
	assert_int_equal(taken(rate, "203.0.114.7", 0, 3, 5), 3);
	assert_int_equal(taken(rate, "2001:db8:1:2::1", 0, 3, 2), 2);
	assert_int_equal(taken(rate, "2001:db8:1:2:ffff::9", 0, 3, 2), 1);       /* the same /64 */
	assert_int_equal(taken(rate, "2001:db8:1:3::1", 0, 3, 5), 3);
	assert_int_equal(taken(rate, "", 0, 3, 5), 3);                   /* no address is a network too */
	assert_int_equal(taken(rate, "198.51.100.1", 0, 0, 1000), 1000); /* 0: no limit */
	keep_rate_free(rate);
}

static void a_copy_that_did_not_come_about_is_given_back(void **state)
{
	struct keep_rate *rate = keep_rate_new(42);
	struct ip ip = ip_of("203.0.113.7");

	(void)state;
	keep_rate_return(rate, &ip, 0);          /* nothing was counted */
	assert_int_equal(taken(rate, "203.0.113.7", 4 * SECOND, 3, 5), 3);
	keep_rate_return(rate, &ip, 6 * SECOND); /* counted in the five seconds before */
	assert_int_equal(taken(rate, "203.0.113.7", 6 * SECOND, 3, 5), 1);
	keep_rate_free(rate);
}

/* Tries at random moments; then every minute that begins with a copy is counted. */
static void no_minute_has_more_wherever_it_begins(void **state)
{
	enum { TRIES = 40000, MAX = 60 };
	static int64_t at[TRIES];
	struct keep_rate *rate = keep_rate_new(1);
	int64_t now = 7 * SECOND;
	unsigned seed = 12345;
	int n = 0, last_minute = 0;

	(void)state;
	for (int i = 0; i < TRIES; i++) {
		/* rushes and pauses */
		now += i % 500 == 0 ? (int64_t)(rand_r(&seed) % 70) * SECOND : rand_r(&seed) % 60000;
		if (taken(rate, "203.0.113.7", now, MAX, 1) == 1)
			at[n++] = now;
	}
	for (int i = 0, first = 0; i < n; i++) {
		while (at[i] - at[first] >= 60 * SECOND)
			first++;
		if (i - first + 1 > MAX)
			fail_msg("%d copies in a minute", i - first + 1);
		last_minute = i - first + 1;
	}
	assert_true(n > 1000 && last_minute > 0);        /* and it does let some in */
	/* half a minute after a full one there is none, after 65 seconds all are free again */
	assert_int_equal(taken(rate, "203.0.113.7", now + 100 * SECOND, MAX, 100), MAX);
	assert_int_equal(taken(rate, "203.0.113.7", now + 130 * SECOND, MAX, 100), 0);
	assert_int_equal(taken(rate, "203.0.113.7", now + 166 * SECOND, MAX, 100), MAX);
	keep_rate_free(rate);
}

static void many_networks_do_not_make_a_busy_one_forgotten(void **state)
{
	struct keep_rate *rate = keep_rate_new(99);

	(void)state;
	assert_int_equal(taken(rate, "203.0.113.7", 0, 3, 5), 3);
	for (int i = 0; i < 100000; i++) {
		char text[40];

		snprintf(text, sizeof(text), "2001:db8:%x:%x::1", i >> 12, i & 0xfff);
		assert_int_equal(taken(rate, text, SECOND, 3, 1), 1);
	}
	assert_int_equal(taken(rate, "203.0.113.7", 2 * SECOND, 3, 5), 0);
	keep_rate_free(rate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks_are_counted_apart),
		cmocka_unit_test(a_copy_that_did_not_come_about_is_given_back),
		cmocka_unit_test(no_minute_has_more_wherever_it_begins),
		cmocka_unit_test(many_networks_do_not_make_a_busy_one_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
