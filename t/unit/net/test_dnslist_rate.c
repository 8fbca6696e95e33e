/* test_dnslist_rate.c - the hit rate of a DNS list: what makes it suspect, what never does, what it learns */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "net/dnslist_rate.h"

/* The n-th client; every one is another. */
static struct ip client(unsigned n)
{
	return (struct ip){ .family = 4, .addr = { 11, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n } };
}

/* Counts n clients of which `per` of 100 are hits, evenly mixed; which one made it suspect, or 0. */
static unsigned feed(struct dnslist_rate *r, unsigned *next, unsigned n, unsigned per)
{
	for (unsigned i = 0; i < n; i++) {
		struct ip ip = client((*next)++);

		if (dnslist_rate_count(r, (i + 1) * per / 100 > i * per / 100, &ip))
			return i + 1;
	}
	return 0;
}

static void a_jump_is_seen_and_its_own_usual_share_is_not(void **state)
{
	static const struct { unsigned n, usual, then, least, most; } cases[] = {
		{ 0, 0, 100, 20, 20 },           /* nothing known: twenty in a row */
		{ 0, 0, 80, 0, 0 },
		{ 20, 0, 100, 20, 20 },
		{ 300, 1, 100, 15, 20 },
		{ 300, 1, 50, 15, 60 },
		{ 300, 5, 5, 0, 0 }, { 300, 5, 10, 0, 0 }, { 300, 5, 95, 15, 20 },
		{ 300, 30, 30, 0, 0 }, { 300, 30, 45, 0, 0 }, { 300, 30, 100, 15, 20 },
		{ 1000, 80, 80, 0, 0 }, { 1000, 80, 100, 30, 80 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dnslist_rate r;
		unsigned next = 0, got;

		dnslist_rate_init(&r);
		assert_int_equal(feed(&r, &next, cases[i].n, cases[i].usual), 0);
		got = feed(&r, &next, 300, cases[i].then);
		if (got < cases[i].least || got > cases[i].most)
			fail_msg("%u of %u%%, then %u%%: suspect at %u, usual %.3f", cases[i].n, cases[i].usual, cases[i].then, got, r.usual);
	}
}

static void one_client_that_comes_again_says_nothing_new(void **state)
{
	struct dnslist_rate r;
	struct ip ip = client(7), six = { .family = 6, .addr = { 0x20, 1, 0xd, 0xb8 } };

	(void)state;
	dnslist_rate_init(&r);
	for (int i = 0; i < 1000; i++)
		assert_false(dnslist_rate_count(&r, true, &ip));
	assert_int_equal(r.n, 1);
	for (uint8_t i = 0; i < 200; i++) {
		six.addr[15] = i;        /* one /64 is one client */
		assert_false(dnslist_rate_count(&r, true, &six));
	}
	assert_int_equal(r.n, 2);
	six.addr[7] = 1;
	dnslist_rate_count(&r, true, &six);
	assert_int_equal(r.n, 3);
}

static void a_list_that_was_right_may_list_more_from_then_on(void **state)
{
	struct dnslist_rate r;
	unsigned next = 0, times = 0;

	(void)state;
	dnslist_rate_init(&r);
	feed(&r, &next, 500, 2);
	/* seven of ten are too many for it: after it was found right a few times they are usual */
	while (feed(&r, &next, 300, 70) != 0 && times < 10) {
		dnslist_rate_accept(&r);
		times++;
	}
	assert_in_range(times, 1, 3);
	/* all of them are never usual */
	for (times = 0; times < 20; times++) {
		assert_int_not_equal(feed(&r, &next, 300, 100), 0);
		dnslist_rate_accept(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_jump_is_seen_and_its_own_usual_share_is_not),
		cmocka_unit_test(one_client_that_comes_again_says_nothing_new),
		cmocka_unit_test(a_list_that_was_right_may_list_more_from_then_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
