/* test_resolver_cache.c - the resolver's table: how long answers are kept, who is told, and how much it holds */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/resolver_cache.h"

enum { TYPE_A = 1, TYPE_TXT = 16 };

static void note(void *context, struct answers *answers, uint16_t type, const char *name)
{
	(void)context;
	(void)answers;
	(void)type;
	(void)name;
}

static const struct asker asker = { note, NULL };

/* A session that has asked. */
static struct answers *session(uint16_t type, const char *name)
{
	struct answers *a = answers_new(&asker);
	const char *const *records;
	size_t n;

	answers_get(a, type, name, &records, &n);
	return a;
}

static enum answer_status told(struct answers *a, uint16_t type, const char *name)
{
	const char *const *records;
	size_t n;

	return answers_get(a, type, name, &records, &n);
}

static enum cache_word ask_at(struct resolver_cache *c, const char *name, struct answers *who, int64_t now)
{
	struct dns_answer *answer;
	enum cache_word word = resolver_cache_ask(c, TYPE_A, name, who, now, &answer);

	assert_true((answer != NULL) == (word == CACHE_KNOWN));
	dns_answer_unref(answer);
	return word;
}

static void settle(struct resolver_cache *c, const char *name, enum answer_status status, int64_t until, bool brief)
{
	static const char *const records[] = { "192.0.2.1" };
	struct dns_answer *answer = dns_answer_new(status, NULL, records, 1);

	resolver_cache_settle(c, TYPE_A, name, answer, until, brief);
	dns_answer_unref(answer);
}

static void the_first_asks_and_others_join_and_all_are_told(void **state)
{
	struct resolver_cache *c = resolver_cache_new(1 << 20);
	struct answers *a = session(TYPE_A, "a.example"), *b = session(TYPE_A, "A.Example.");
	struct dns_answer *answer;

	(void)state;
	assert_int_equal(ask_at(c, "a.example", a, 100), CACHE_ASK);
	assert_int_equal(ask_at(c, "a.example", b, 101), CACHE_JOINED);
	assert_int_equal(resolver_cache_ask(c, TYPE_TXT, "a.example", a, 101, &answer), CACHE_ASK);
	assert_int_equal(resolver_cache_use(c).out, 2);
	settle(c, "a.example", ANSWER_DATA, 1000, false);
	assert_int_equal(told(a, TYPE_A, "a.example"), ANSWER_DATA);
	assert_int_equal(told(b, TYPE_A, "a.example"), ANSWER_DATA);
	assert_int_equal(told(a, TYPE_TXT, "a.example"), ANSWER_PENDING);
	assert_int_equal(resolver_cache_use(c).out, 1);
	assert_int_equal(resolver_cache_use(c).kept, 1);
	answers_unref(a);
	answers_unref(b);
	resolver_cache_free(c);
}

static void an_answer_is_known_until_its_time(void **state)
{
	struct resolver_cache *c = resolver_cache_new(1 << 20);
	struct answers *a = session(TYPE_A, "a.example");

	(void)state;
	assert_int_equal(ask_at(c, "a.example", a, 100), CACHE_ASK);
	settle(c, "a.example", ANSWER_NXDOMAIN, 1000, false);
	assert_int_equal(ask_at(c, "a.example", a, 999), CACHE_KNOWN);
	assert_int_equal(ask_at(c, "a.example", a, 1000), CACHE_ASK);
	assert_int_equal(ask_at(c, "a.example", a, 1001), CACHE_JOINED);
	/* not kept: the next one asks again */
	settle(c, "a.example", ANSWER_LATE, 0, true);
	assert_int_equal(resolver_cache_use(c).kept, 0);
	assert_int_equal(resolver_cache_use(c).bytes, 0);
	assert_int_equal(ask_at(c, "a.example", a, 1002), CACHE_ASK);
	resolver_cache_free(c);
	answers_unref(a);
}

static void silence_is_forgotten_when_a_server_is_back_and_all_when_there_are_others(void **state)
{
	struct resolver_cache *c = resolver_cache_new(1 << 20);
	struct answers *a = session(TYPE_A, "x");

	(void)state;
	ask_at(c, "good.example", a, 1);
	settle(c, "good.example", ANSWER_DATA, 1000, false);
	ask_at(c, "late.example", a, 1);
	settle(c, "late.example", ANSWER_LATE, 1000, true);
	assert_int_equal(ask_at(c, "late.example", a, 2), CACHE_KNOWN);
	resolver_cache_renew(c, false);
	assert_int_equal(ask_at(c, "late.example", a, 3), CACHE_ASK);
	assert_int_equal(ask_at(c, "good.example", a, 3), CACHE_KNOWN);
	resolver_cache_renew(c, true);
	assert_int_equal(ask_at(c, "good.example", a, 4), CACHE_ASK);
	resolver_cache_free(c);
	answers_unref(a);
}

static void an_answer_after_the_deadline_takes_the_place_of_silence_and_not_the_other_way_round(void **state)
{
	struct resolver_cache *c = resolver_cache_new(1 << 20);
	struct answers *a = session(TYPE_A, "a.example");

	(void)state;
	ask_at(c, "a.example", a, 1);
	settle(c, "a.example", ANSWER_LATE, 1000, true);
	assert_int_equal(told(a, TYPE_A, "a.example"), ANSWER_LATE);
	settle(c, "a.example", ANSWER_DATA, 5000, false);
	assert_int_equal(ask_at(c, "a.example", a, 2000), CACHE_KNOWN);
	settle(c, "a.example", ANSWER_LATE, 3000, true);
	assert_int_equal(ask_at(c, "a.example", a, 4000), CACHE_KNOWN);
	/* of a name that nobody has asked for: it is kept all the same, once */
	settle(c, "b.example", ANSWER_DATA, 5000, false);
	assert_int_equal(ask_at(c, "b.example", a, 2000), CACHE_KNOWN);
	assert_int_equal(resolver_cache_use(c).kept, 2);
	assert_int_equal(resolver_cache_use(c).out, 0);
	resolver_cache_free(c);
	answers_unref(a);
}

static void what_was_used_longest_ago_goes_first(void **state)
{
	struct resolver_cache *c = resolver_cache_new(1 << 20);
	struct answers *a = session(TYPE_A, "x");
	struct resolver_cache_use use;
	char name[40];
	int known = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "n%d.example", i);
		assert_int_equal(ask_at(c, name, a, 1), CACHE_ASK);
		settle(c, name, ANSWER_DATA, 1000, false);
		assert_int_equal(ask_at(c, "n0.example", a, 1), CACHE_KNOWN);    /* used all the time: it stays */
	}
	use = resolver_cache_use(c);
	assert_in_range(use.bytes, 900000, 1 << 20);
	for (int i = 0; i < 20000; i++) {
		struct dns_answer *answer;

		snprintf(name, sizeof(name), "n%d.example", i);
		if (resolver_cache_ask(c, TYPE_A, name, a, 2, &answer) == CACHE_KNOWN) {
			known++;
			assert_true(i == 0 || i > 10000);
		}
		dns_answer_unref(answer);
	}
	assert_int_equal(known, use.kept);
	resolver_cache_limit(c, 1 << 24);
	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "n%d.example", i);
		settle(c, name, ANSWER_DATA, 1000, false);
	}
	assert_int_equal(resolver_cache_use(c).kept, 20000);
	assert_int_equal(resolver_cache_use(c).out, 0);
	resolver_cache_limit(c, 1 << 16);
	assert_in_range(resolver_cache_use(c).bytes, 1, 1 << 16);
	resolver_cache_free(c);
	answers_unref(a);
}

static void what_is_larger_than_all_room_is_told_and_not_kept(void **state)
{
	struct resolver_cache *c = resolver_cache_new(16 * 1000);
	struct answers *a = session(TYPE_A, "a.example");
	char text[2000];
	const char *const records[] = { text };
	struct dns_answer *answer;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	answer = dns_answer_new(ANSWER_DATA, NULL, records, 1);
	assert_int_equal(ask_at(c, "a.example", a, 1), CACHE_ASK);
	resolver_cache_settle(c, TYPE_A, "a.example", answer, 1000, false);
	dns_answer_unref(answer);
	assert_int_equal(told(a, TYPE_A, "a.example"), ANSWER_DATA);
	assert_int_equal(resolver_cache_use(c).kept, 0);
	assert_int_equal(resolver_cache_use(c).bytes, 0);
	resolver_cache_free(c);
	answers_unref(a);
}

static void questions_that_are_out_are_bounded_and_told_at_the_end(void **state)
{
	struct resolver_cache *c = resolver_cache_new(1 << 20);
	struct answers *a = session(TYPE_A, "n7.example");
	char name[40];

	(void)state;
	for (int i = 0; i < RESOLVER_OUT_MAX; i++) {
		snprintf(name, sizeof(name), "n%d.example", i);
		assert_int_equal(ask_at(c, name, a, 1), CACHE_ASK);
	}
	assert_int_equal(ask_at(c, "more.example", a, 1), CACHE_FULL);
	assert_int_equal(ask_at(c, "n3.example", a, 1), CACHE_JOINED);
	settle(c, "n3.example", ANSWER_DATA, 1000, false);
	assert_int_equal(ask_at(c, "more.example", a, 1), CACHE_ASK);
	assert_int_equal(told(a, TYPE_A, "n7.example"), ANSWER_PENDING);
	resolver_cache_free(c);
	assert_int_equal(told(a, TYPE_A, "n7.example"), ANSWER_LATE);
	answers_unref(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_asks_and_others_join_and_all_are_told),
		cmocka_unit_test(an_answer_is_known_until_its_time),
		cmocka_unit_test(silence_is_forgotten_when_a_server_is_back_and_all_when_there_are_others),
		cmocka_unit_test(an_answer_after_the_deadline_takes_the_place_of_silence_and_not_the_other_way_round),
		cmocka_unit_test(what_was_used_longest_ago_goes_first),
		cmocka_unit_test(what_is_larger_than_all_room_is_told_and_not_kept),
		cmocka_unit_test(questions_that_are_out_are_bounded_and_told_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
