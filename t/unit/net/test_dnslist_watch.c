/* test_dnslist_watch.c - DNS lists are suspended by their test points, their errors, their silence and their hit rate, said once, and come back */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <talloc.h>

#include "net/dnslist_watch.h"

static const struct dnslist two[] = {
	{ .kind = DNSLIST_BLOCK, .zone = "a.test", .shown = "A list", .self_test = true },
	{ .kind = DNSLIST_ALLOW, .zone = "b.test.", .shown = "B list", .self_test = false },
};

struct bench {
	TALLOC_CTX *mem;
	char path[64];
	struct log *log;
	struct dnslist_watch *watch;
	unsigned next;                   /* client */
};

static struct bench begin(void)
{
	struct bench b = { .mem = talloc_new(NULL), .path = "/tmp/winnow-watch-XXXXXX" };
	struct log_options options = { .target = b.path, .facility = "mail", .ident = "test", .level = LOG_LEVEL_INFO };
	char *error = NULL;

	close(mkstemp(b.path));
	assert_int_equal(log_open(&options, &b.log, &error), 0);
	b.watch = dnslist_watch_new(b.log);
	dnslist_watch_set(b.watch, two, 2);
	return b;
}

/* How many lines of the log hold both texts. */
static unsigned lines(const struct bench *b, const char *one, const char *other)
{
	char line[2000];
	unsigned n = 0;
	FILE *f;

	log_flush(b->log);
	f = fopen(b->path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		n += strstr(line, one) != NULL && strstr(line, other) != NULL;
	fclose(f);
	return n;
}

static void end(struct bench *b)
{
	dnslist_watch_free(b->watch);
	log_close(b->log);
	unlink(b->path);
	talloc_free(b->mem);
}

static enum dnslist_fault fault(const struct bench *b, size_t i)
{
	return dnslist_watch_fault(b->watch, two[i].kind, two[i].zone);
}

static struct dnslist_state state_of(const struct bench *b, size_t i)
{
	struct dnslist_state states[DNSLIST_LISTS_MAX];

	assert_int_equal(dnslist_watch_states(b->watch, states), 2);
	return states[i];
}

/* A client that is new, and an answer. */
static void saw(struct bench *b, size_t i, const char *record, bool alone)
{
	struct ip client = { .family = 4, .addr = { 11, 0, (uint8_t)(b->next >> 8), (uint8_t)b->next } };
	enum answer_status status = record == NULL ? ANSWER_NXDOMAIN : record[0] == '\0' ? ANSWER_LATE : ANSWER_DATA;
	struct dnslist_answer answer;

	b->next++;
	dnslist_read(two[i].kind, status, &record, 1, &answer);
	dnslist_watch_saw(b->watch, two[i].kind, two[i].zone, &answer, answer.says == DNSLIST_LISTED, alone, &client);
}

/* The shown names of what is due, joined. */
static const char *due(const struct bench *b, int64_t now)
{
	size_t n;
	struct dnslist *lists = dnslist_watch_due(b->watch, b->mem, now, &n);
	char *text = talloc_strdup(b->mem, "");

	for (size_t i = 0; i < n; i++)
		text = talloc_asprintf_append(text, "%s;", lists[i].shown);
	return text;
}

static void test_points_suspend_a_list_and_take_it_back_with_one_line_each(void **state)
{
	struct bench b = begin();

	(void)state;
	assert_string_equal(due(&b, 100), "A list;");
	dnslist_watch_tested(b.watch, DNSLIST_BLOCK, "A.TEST.", FAULT_NONE, 100);
	assert_int_equal(fault(&b, 0), FAULT_NONE);
	assert_string_equal(due(&b, 699), "");
	assert_string_equal(due(&b, 700), "A list;");
	for (int i = 0; i < 5; i++) {
		dnslist_watch_tested(b.watch, DNSLIST_BLOCK, "a.test", i == 2 ? FAULT_SILENT : FAULT_LISTS_ALL, 700 + 600 * i);
		assert_int_equal(fault(&b, 0), FAULT_LISTS_ALL);
	}
	assert_int_equal(fault(&b, 1), FAULT_NONE);
	assert_int_equal(lines(&b, "blocklist A list: suspended: it lists everybody", "until its test points are right"), 1);
	assert_int_equal(state_of(&b, 0).suspensions, 1);
	assert_int_equal(state_of(&b, 0).fault, FAULT_LISTS_ALL);
	dnslist_watch_tested(b.watch, DNSLIST_BLOCK, "a.test", FAULT_NONE, 4000);
	dnslist_watch_tested(b.watch, DNSLIST_BLOCK, "a.test", FAULT_NONE, 4600);
	assert_int_equal(fault(&b, 0), FAULT_NONE);
	assert_int_equal(lines(&b, "blocklist A list: in use again: its test points are right", ""), 1);
	assert_int_equal(lines(&b, "", "a.test"), 0);
	end(&b);
}

static void silence_of_a_test_changes_nothing_and_is_asked_again_soon(void **state)
{
	struct bench b = begin();

	(void)state;
	dnslist_watch_tested(b.watch, DNSLIST_BLOCK, "a.test", FAULT_SILENT, 100);
	assert_int_equal(fault(&b, 0), FAULT_NONE);
	assert_string_equal(due(&b, 159), "");
	assert_string_equal(due(&b, 160), "A list;");
	assert_int_equal(lines(&b, "", "A list"), 0);
	end(&b);
}

static void an_answer_that_no_list_in_order_gives_suspends_at_once(void **state)
{
	static const struct { const char *record; enum dnslist_fault fault; } cases[] = {
		{ "127.255.255.252", FAULT_TYPING }, { "127.255.255.254", FAULT_RESOLVER }, { "127.255.255.255", FAULT_QUOTA }, { "127.0.0.1", FAULT_REFUSAL }, { "10.0.0.1", FAULT_STRANGERS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench b = begin();

		dnslist_watch_tested(b.watch, DNSLIST_BLOCK, "a.test", FAULT_NONE, 100);
		saw(&b, 0, cases[i].record, true);
		saw(&b, 0, cases[i].record, true);
		assert_int_equal(fault(&b, 0), cases[i].fault);
		assert_int_equal(lines(&b, "suspended", dnslist_fault_text(cases[i].fault)), 1);
		/* its test comes when it would have come */
		assert_string_equal(due(&b, 699), "");
		assert_string_equal(due(&b, 700), "A list;");
		dnslist_watch_tested(b.watch, DNSLIST_BLOCK, "a.test", FAULT_NONE, 700);
		assert_int_equal(fault(&b, 0), FAULT_NONE);
		assert_int_equal(state_of(&b, 0).unusable, 2);
		end(&b);
	}
}

static void a_list_without_test_points_is_taken_back_after_ten_minutes(void **state)
{
	struct bench b = begin();

	(void)state;
	assert_string_equal(due(&b, 90), "A list;");
	dnslist_watch_tested(b.watch, DNSLIST_BLOCK, "a.test", FAULT_NONE, 100);
	saw(&b, 1, "127.0.0.255", true);
	assert_int_equal(fault(&b, 1), FAULT_REFUSAL);
	assert_int_equal(lines(&b, "allowlist B list: suspended", "ten minutes from now"), 1);
	assert_string_equal(due(&b, 699), "");
	assert_string_equal(due(&b, 700), "A list;B list;");
	dnslist_watch_tested(b.watch, DNSLIST_ALLOW, "b.test", FAULT_NONE, 700);
	assert_int_equal(fault(&b, 1), FAULT_NONE);
	assert_int_equal(lines(&b, "allowlist B list: in use again", ""), 1);
	assert_string_equal(due(&b, 9999), "A list;");
	end(&b);
}

static void a_list_that_does_not_answer_is_no_longer_asked_after_a_few_times(void **state)
{
	struct bench b = begin();

	(void)state;
	dnslist_watch_tested(b.watch, DNSLIST_BLOCK, "a.test", FAULT_NONE, 100);
	for (int i = 0; i < 100; i++)
		saw(&b, 0, i % DNSLIST_SILENT_MAX == 0 ? NULL : "", true);
	assert_int_equal(fault(&b, 0), FAULT_NONE);
	for (int i = 0; i < DNSLIST_SILENT_MAX; i++)
		saw(&b, 0, "", true);
	assert_int_equal(fault(&b, 0), FAULT_SILENT);
	assert_int_equal(lines(&b, "suspended", "it does not answer"), 1);
	assert_string_equal(due(&b, 159), "");
	assert_string_equal(due(&b, 160), "A list;");
	dnslist_watch_tested(b.watch, DNSLIST_BLOCK, "a.test", FAULT_SILENT, 160);
	assert_int_equal(fault(&b, 0), FAULT_SILENT);
	assert_string_equal(due(&b, 219), "");
	assert_string_equal(due(&b, 220), "A list;");
	dnslist_watch_tested(b.watch, DNSLIST_BLOCK, "a.test", FAULT_NONE, 220);
	assert_int_equal(fault(&b, 0), FAULT_NONE);
	end(&b);
}

static bool says_gone(void *context)
{
	return *(const bool *)context;
}

static void silence_while_no_resolver_is_left_is_not_the_lists_fault(void **state)
{
	struct bench b = begin();
	bool gone = true;

	(void)state;
	dnslist_watch_tested(b.watch, DNSLIST_BLOCK, "a.test", FAULT_NONE, 100);
	dnslist_watch_network(b.watch, says_gone, &gone);
	for (int i = 0; i < 3 * DNSLIST_SILENT_MAX; i++)
		saw(&b, 0, "", true);
	assert_int_equal(fault(&b, 0), FAULT_NONE);
	assert_int_equal(state_of(&b, 0).unusable, 3 * DNSLIST_SILENT_MAX);
	gone = false;
	for (int i = 0; i < DNSLIST_SILENT_MAX; i++)
		saw(&b, 0, "", true);
	assert_int_equal(fault(&b, 0), FAULT_SILENT);
	end(&b);
}

static void lists_that_were_silent_are_tested_as_soon_as_a_resolver_is_back(void **state)
{
	struct bench b = begin();

	(void)state;
	dnslist_watch_tested(b.watch, DNSLIST_BLOCK, "a.test", FAULT_NONE, 100);
	dnslist_watch_back(b.watch);
	assert_string_equal(due(&b, 101), "");
	for (int i = 0; i < DNSLIST_SILENT_MAX; i++) {
		saw(&b, 0, "", true);
		saw(&b, 1, "", true);
	}
	assert_int_equal(lines(&b, "allowlist B list: suspended", "a minute from now"), 1);
	assert_string_equal(due(&b, 102), "");
	dnslist_watch_back(b.watch);
	assert_string_equal(due(&b, 102), "A list;B list;");
	end(&b);
}

static void a_list_that_lists_the_world_is_suspended_unless_others_agree(void **state)
{
	(void)state;
	for (int others = 0; others < 2; others++) {
		for (size_t i = 0; i < 2; i++) {
			struct bench b = begin();
			struct dnslist_state s;

			for (int k = 0; k < 200; k++)
				saw(&b, i, k % 50 == 0 ? "127.0.0.2" : NULL, true);
			assert_int_equal(fault(&b, i), FAULT_NONE);
			for (int k = 0; k < 25; k++)
				saw(&b, i, "127.0.0.2", !others);
			s = state_of(&b, i);
			assert_int_equal(s.fault, others ? FAULT_NONE : FAULT_RATE);
			assert_int_equal(lines(&b, "suspended", "far more clients than it used to"), !others);
			assert_int_equal(s.asked, 225);
			assert_int_equal(s.listed, 29);
			assert_int_equal(s.not_listed, 196);
			assert_int_equal(s.suspensions, !others);
			/* its test points were right all the time: neither they nor a reload take it back before ten minutes have passed */
			dnslist_watch_hurry(b.watch);
			assert_string_equal(due(&b, 599), others || i == 1 ? "A list;" : "");
			assert_int_equal(strstr(due(&b, 600), i == 0 ? "A list" : "B list") != NULL, !others || i == 0);
			dnslist_watch_tested(b.watch, two[i].kind, two[i].zone, FAULT_NONE, 600);
			assert_int_equal(fault(&b, i), FAULT_NONE);
			assert_int_equal(lines(&b, "in use again", ""), !others);
			end(&b);
		}
	}
}

static void a_reload_keeps_the_state_of_lists_that_stay(void **state)
{
	static const struct dnslist other[] = {
		{ .kind = DNSLIST_ALLOW, .zone = "a.test", .shown = "allow A", .self_test = true },
		{ .kind = DNSLIST_BLOCK, .zone = "a.test", .shown = "another name", .self_test = true },
	}, changed[] = { { .kind = DNSLIST_BLOCK, .zone = "a.test", .shown = "A", .self_test = false } };
	struct bench b = begin();
	struct dnslist_state states[DNSLIST_LISTS_MAX];

	(void)state;
	dnslist_watch_tested(b.watch, DNSLIST_BLOCK, "a.test", FAULT_LISTS_NOTHING, 100);
	saw(&b, 0, NULL, true);
	dnslist_watch_set(b.watch, other, 2);
	assert_int_equal(dnslist_watch_states(b.watch, states), 2);
	assert_string_equal(states[0].shown, "allow A");
	assert_int_equal(states[0].fault, FAULT_NONE);
	assert_string_equal(states[1].shown, "another name");
	assert_int_equal(states[1].fault, FAULT_LISTS_NOTHING);
	assert_int_equal(states[1].asked, 1);
	assert_int_equal(dnslist_watch_fault(b.watch, DNSLIST_ALLOW, "b.test"), FAULT_NONE);
	assert_string_equal(due(&b, 200), "allow A;");
	dnslist_watch_hurry(b.watch);
	assert_string_equal(due(&b, 200), "allow A;another name;");
	/* with test points or without is another list */
	dnslist_watch_set(b.watch, changed, 1);
	assert_int_equal(dnslist_watch_fault(b.watch, DNSLIST_BLOCK, "a.test"), FAULT_NONE);
	dnslist_watch_set(b.watch, NULL, 0);
	assert_int_equal(dnslist_watch_states(b.watch, states), 0);
	end(&b);
}

static void the_number_of_lists_is_bounded(void **state)
{
	struct dnslist many[DNSLIST_LISTS_MAX + 10];
	struct dnslist_state states[DNSLIST_LISTS_MAX];
	char zones[DNSLIST_LISTS_MAX + 10][20];
	struct dnslist_watch *w = dnslist_watch_new(NULL);

	(void)state;
	for (size_t i = 0; i < DNSLIST_LISTS_MAX + 10; i++) {
		snprintf(zones[i], sizeof(zones[i]), "z%zu.test", i);
		many[i] = (struct dnslist){ .kind = DNSLIST_BLOCK, .zone = zones[i], .shown = zones[i], .self_test = true };
	}
	for (int i = 0; i < 2; i++) {
		dnslist_watch_set(w, many, DNSLIST_LISTS_MAX + 10);
		assert_int_equal(dnslist_watch_states(w, states), DNSLIST_LISTS_MAX);
	}
	dnslist_watch_free(w);
	dnslist_watch_free(NULL);
}

static void lists_of_one_name_are_told_apart(void **state)
{
	static const struct dnslist same[] = {
		{ .kind = DNSLIST_BLOCK, .zone = "a.test", .shown = "Zen" }, { .kind = DNSLIST_BLOCK, .zone = "b.test", .shown = "Zen" }, { .kind = DNSLIST_ALLOW, .zone = "c.test", .shown = "Zen" },
		{ .kind = DNSLIST_BLOCK, .zone = "d.test", .shown = "Zen" }, { .kind = DNSLIST_BLOCK, .zone = "e.test", .shown = "Zen (2)" },
	};
	static const char *const shown[] = { "Zen", "Zen (2)", "Zen", "Zen (3)", "Zen (2) (2)" };
	struct dnslist_state states[DNSLIST_LISTS_MAX];
	struct bench b = begin();

	(void)state;
	for (int again = 0; again < 2; again++) {
		dnslist_watch_set(b.watch, same, 5);
		assert_int_equal(dnslist_watch_states(b.watch, states), 5);
		for (size_t i = 0; i < 5; i++)
			assert_string_equal(states[i].shown, shown[i]);
	}
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_points_suspend_a_list_and_take_it_back_with_one_line_each),
		cmocka_unit_test(silence_of_a_test_changes_nothing_and_is_asked_again_soon),
		cmocka_unit_test(an_answer_that_no_list_in_order_gives_suspends_at_once),
		cmocka_unit_test(a_list_without_test_points_is_taken_back_after_ten_minutes),
		cmocka_unit_test(a_list_that_does_not_answer_is_no_longer_asked_after_a_few_times),
		cmocka_unit_test(silence_while_no_resolver_is_left_is_not_the_lists_fault),
		cmocka_unit_test(lists_that_were_silent_are_tested_as_soon_as_a_resolver_is_back),
		cmocka_unit_test(a_list_that_lists_the_world_is_suspended_unless_others_agree),
		cmocka_unit_test(a_reload_keeps_the_state_of_lists_that_stay),
		cmocka_unit_test(the_number_of_lists_is_bounded),
		cmocka_unit_test(lists_of_one_name_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
