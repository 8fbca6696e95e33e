/* test_skew.c - when most messages are skewed alike, our own clock is doubted */
#include "fixture.h"

#include "check/skew.h"

static bool add(struct skew_watch *w, int n, int side, unsigned *alike, unsigned *seen)
{
	bool suspicious = false;

	for (int i = 0; i < n; i++)
		suspicious = skew_watch_add(w, side, alike, seen);
	return suspicious;
}

static void nothing_is_believed_before_twenty_messages(void **state)
{
	struct skew_watch *w = skew_watch_new(NULL);
	unsigned alike = 0, seen = 0;

	(void)state;
	assert_false(add(w, 19, 1, &alike, &seen));
	assert_true(add(w, 1, 1, &alike, &seen));
	assert_int_equal(alike, 20);
	assert_int_equal(seen, 20);
	talloc_free(w);
}

static void more_than_half_must_be_skewed_to_one_side(void **state)
{
	struct skew_watch *w = skew_watch_new(NULL);
	unsigned alike, seen;

	(void)state;
	assert_false(add(w, 10, 0, &alike, &seen));
	assert_false(add(w, 10, -1, &alike, &seen));
	assert_int_equal(alike, 10);
	assert_int_equal(seen, 20);
	assert_true(add(w, 1, -1, &alike, &seen));
	/* the two sides do not add up */
	assert_false(add(w, 1, 1, &alike, &seen));
	assert_false(add(w, 10, 1, &alike, &seen));
	talloc_free(w);
}

static void only_the_last_hundred_messages_count(void **state)
{
	struct skew_watch *w = skew_watch_new(NULL);
	unsigned alike, seen;

	(void)state;
	assert_true(add(w, 100, -1, &alike, &seen));
	assert_true(add(w, 49, 0, &alike, &seen));
	assert_int_equal(alike, 51);
	assert_int_equal(seen, 100);
	assert_false(add(w, 1, 0, &alike, &seen));
	assert_false(add(w, 1000, 0, &alike, &seen));
	assert_int_equal(alike, 0);
	/* and it comes back */
	assert_false(add(w, 50, 1, &alike, &seen));
	assert_true(add(w, 1, 1, &alike, &seen));
	talloc_free(w);
}

static void no_watch_doubts_nothing(void **state)
{
	unsigned alike, seen;

	(void)state;
	assert_false(add(NULL, 100, 1, &alike, &seen));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_believed_before_twenty_messages),
		cmocka_unit_test(more_than_half_must_be_skewed_to_one_side),
		cmocka_unit_test(only_the_last_hundred_messages_count),
		cmocka_unit_test(no_watch_doubts_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
