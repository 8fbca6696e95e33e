/* test_answers.c - the table of answers: asked once, told apart, waited for within a deadline */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/answers.h"
#include "util/clock.h"

enum { TYPE_A = 1, TYPE_TXT = 16 };

struct world {
	int asked;
	char last[300];
};

static void count(void *context, struct answers *a, uint16_t type, const char *name)
{
	struct world *w = context;

	(void)a;
	(void)type;
	w->asked++;
	snprintf(w->last, sizeof(w->last), "%s", name);
}

static void a_question_is_asked_once_whatever_its_case(void **state)
{
	struct world w = { 0 };
	struct asker asker = { count, &w };
	struct answers *a = answers_new(&asker);
	const char *const *records;
	size_t n;

	(void)state;
	assert_int_equal(answers_get(a, TYPE_A, "example.com", &records, &n), ANSWER_PENDING);
	assert_int_equal(answers_get(a, TYPE_A, "EXAMPLE.com", &records, &n), ANSWER_PENDING);
	assert_int_equal(w.asked, 1);
	assert_int_equal(answers_get(a, TYPE_TXT, "example.com", &records, &n), ANSWER_PENDING);
	assert_int_equal(w.asked, 2);
	answers_unref(a);
}

static void kinds_of_answers_are_told_apart(void **state)
{
	struct world w = { 0 };
	struct asker asker = { count, &w };
	struct answers *a = answers_new(&asker);
	const char *const data[] = { "192.0.2.1", "192.0.2.2" };
	const enum answer_status kinds[] = { ANSWER_DATA, ANSWER_EMPTY, ANSWER_NXDOMAIN, ANSWER_FAILED, ANSWER_LATE };
	const char *const *records;
	size_t n;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		char name[16];

		snprintf(name, sizeof(name), "n%zu", i);
		answers_get(a, TYPE_A, name, &records, &n);
		answers_give(a, TYPE_A, name, kinds[i], data, 2);
		assert_int_equal(answers_get(a, TYPE_A, name, &records, &n), kinds[i]);
		assert_int_equal(n, kinds[i] == ANSWER_DATA ? 2 : 0);
		if (n == 2)
			assert_string_equal(records[1], "192.0.2.2");
		/* the first answer holds */
		answers_give(a, TYPE_A, name, ANSWER_NXDOMAIN, NULL, 0);
		assert_int_equal(answers_get(a, TYPE_A, name, &records, &n), kinds[i]);
	}
	answers_give(a, TYPE_A, "never-asked", ANSWER_DATA, data, 2);
	assert_int_equal(answers_get(a, TYPE_A, "never-asked", &records, &n), ANSWER_PENDING);
	answers_unref(a);
}

static void late_is_a_way_of_looking(void **state)
{
	struct world w = { 0 };
	struct asker asker = { count, &w };
	struct answers *a = answers_new(&asker);
	const char *const data[] = { "x" };
	const char *const *records;
	size_t n;

	(void)state;
	answers_get(a, TYPE_A, "slow", &records, &n);
	answers_late(a, true);
	assert_int_equal(answers_get(a, TYPE_A, "slow", &records, &n), ANSWER_LATE);
	answers_late(a, false);
	assert_int_equal(answers_get(a, TYPE_A, "slow", &records, &n), ANSWER_PENDING);
	answers_give(a, TYPE_A, "slow", ANSWER_DATA, data, 1);
	assert_int_equal(answers_get(a, TYPE_A, "slow", &records, &n), ANSWER_DATA);
	answers_unref(a);
}

static void questions_are_bounded(void **state)
{
	struct world w = { 0 };
	struct asker asker = { count, &w };
	struct answers *a = answers_new(&asker);
	const char *const *records;
	char name[400];
	size_t n;

	(void)state;
	for (int i = 0; i < ANSWERS_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(answers_get(a, TYPE_A, name, &records, &n), ANSWER_PENDING);
	}
	assert_int_equal(answers_get(a, TYPE_A, "one-more", &records, &n), ANSWER_FAILED);
	assert_int_equal(w.asked, ANSWERS_MAX);
	memset(name, 'a', 300);
	name[300] = '\0';
	assert_int_equal(answers_get(a, TYPE_TXT, name, &records, &n), ANSWER_FAILED);
	answers_unref(a);
}

static void *give_later(void *argument)
{
	struct answers *a = argument;
	struct timespec ts = { .tv_nsec = 30 * 1000000 };

	nanosleep(&ts, NULL);
	answers_give(a, TYPE_A, "slow", ANSWER_EMPTY, NULL, 0);
	answers_unref(a);
	return NULL;
}

static void waiting_ends_with_an_answer_a_deadline_or_nothing_outstanding(void **state)
{
	struct world w = { 0 };
	struct asker asker = { count, &w };
	struct answers *a = answers_new(&asker);
	const char *const *records;
	uint64_t seen = 0;
	pthread_t thread;
	int64_t before;
	size_t n;

	(void)state;
	assert_false(answers_wait(a, &seen, clock_mono() + 60000000));
	answers_get(a, TYPE_A, "slow", &records, &n);
	before = clock_mono();
	assert_false(answers_wait(a, &seen, before + 20000));
	assert_true(clock_mono() - before >= 20000);
	pthread_create(&thread, NULL, give_later, answers_ref(a));
	assert_true(answers_wait(a, &seen, clock_mono() + 60000000));
	assert_int_equal(seen, 1);
	assert_false(answers_wait(a, &seen, clock_mono() + 60000000));
	pthread_join(thread, NULL);
	answers_unref(a);
}

static void who_has_a_limit_of_its_own_is_woken_then_once(void **state)
{
	struct world w = { 0 };
	struct asker asker = { count, &w };
	struct answers *a = answers_new(&asker);
	const char *const *records;
	struct timespec pause = { .tv_nsec = 30 * 1000000 };
	uint64_t seen = 0;
	int64_t before;
	size_t n;

	(void)state;
	answers_get(a, TYPE_A, "slow", &records, &n);
	assert_int_equal(answers_waited(a), 0);
	answers_wake(a, 60000000);
	answers_wake(a, 1000000);
	answers_wake(a, 50000000);
	nanosleep(&pause, NULL);                 /* nobody waits: it does not count */
	assert_int_equal(answers_waited(a), 0);
	assert_false(answers_wait(a, &seen, clock_mono() + 10000));
	assert_in_range(answers_waited(a), 10000, 999999);
	before = clock_mono();
	assert_true(answers_wait(a, &seen, before + 60000000));
	assert_int_equal(seen, 0);
	assert_in_range(answers_waited(a), 1000000, 20000000);
	assert_false(answers_wait(a, &seen, clock_mono() + 10000));
	/* a limit that has passed before anybody waits */
	answers_wake(a, 1);
	assert_true(answers_wait(a, &seen, clock_mono() + 60000000));
	answers_unref(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_is_asked_once_whatever_its_case),
		cmocka_unit_test(kinds_of_answers_are_told_apart),
		cmocka_unit_test(late_is_a_way_of_looking),
		cmocka_unit_test(questions_are_bounded),
		cmocka_unit_test(waiting_ends_with_an_answer_a_deadline_or_nothing_outstanding),
		cmocka_unit_test(who_has_a_limit_of_its_own_is_woken_then_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
