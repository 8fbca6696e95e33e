/* test_lists.c - the DNS lists' test points: asked side by side, until the deadline or a stop; the zones that two sections name */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/lists.h"
#include "util/clock.h"

/* Answers what its list says; a zone that begins with "mute" is never heard of. */
struct world {
	struct asker asker;
	unsigned asked;
};

static void answer(void *context, struct answers *answers, uint16_t type, const char *name)
{
	struct world *w = context;
	const char *record = "127.0.0.2";

	w->asked++;
	if (strstr(name, "mute") != NULL)
		return;
	if (strncmp(name, "2.0.0", 5) == 0 && strstr(name, "bad") == NULL)
		answers_give(answers, type, name, ANSWER_DATA, &record, 1);
	else
		answers_give(answers, type, name, ANSWER_NXDOMAIN, NULL, 0);
}

static const struct dnslist lists[] = {
	{ .kind = DNSLIST_BLOCK, .zone = "mute.test", .shown = "mute", .self_test = true },
	{ .kind = DNSLIST_BLOCK, .zone = "good.test", .shown = "good", .self_test = true },
	{ .kind = DNSLIST_ALLOW, .zone = "bad.test", .shown = "bad", .self_test = true },
};
enum { LISTS = sizeof(lists) / sizeof(lists[0]) };

static int64_t ask(struct world *w, int64_t wait, const atomic_bool *stop, int points, struct dnslist_answer (*said)[DNSLIST_POINTS])
{
	struct answers *answers;
	int64_t before = clock_mono();

	w->asker = (struct asker){ answer, w };
	w->asked = 0;
	answers = answers_new(&w->asker);
	lists_ask(answers, lists, LISTS, points, before + wait, stop, said);
	answers_unref(answers);
	return clock_mono() - before;
}

static void one_that_is_silent_does_not_hide_the_others(void **state)
{
	struct dnslist_answer said[LISTS][DNSLIST_POINTS];
	struct world w;
	int64_t took = ask(&w, 200000, NULL, DNSLIST_POINTS, said);

	(void)state;
	assert_in_range(took, 190000, 5000000);
	assert_int_equal(w.asked, LISTS * DNSLIST_POINTS);
	assert_int_equal(dnslist_test(DNSLIST_BLOCK, said[0]), FAULT_SILENT);
	assert_int_equal(dnslist_test(DNSLIST_BLOCK, said[1]), FAULT_NONE);
	assert_int_equal(dnslist_test(DNSLIST_ALLOW, said[2]), FAULT_LISTS_NOTHING);
	assert_int_equal(said[1][POINT_LISTED_IPV6].says, DNSLIST_LISTED);
	ask(&w, 0, NULL, POINT_NOT_LISTED + 1, said);
	assert_int_equal(w.asked, LISTS * 2);
}

static void a_stop_ends_the_test(void **state)
{
	struct dnslist_answer said[LISTS][DNSLIST_POINTS];
	atomic_bool stop = true;
	struct world w;

	(void)state;
	assert_in_range(ask(&w, 60 * INT64_C(1000000), &stop, 2, said), 0, 5000000);
	assert_int_equal(said[1][POINT_LISTED].says, DNSLIST_LISTED);
	assert_int_equal(said[0][POINT_LISTED].trouble, TROUBLE_OF_LATENESS);
}

/* The engine's errors for that configuration; "" if it is good. */
static char *errors_of(const char *text)
{
	char path[] = "/tmp/winnow-lists-XXXXXX", *errors = NULL, *result;
	struct winnow_options options = { .config_path = path };
	int fd = mkstemp(path);
	struct winnow_engine *engine;

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	engine = winnow_engine_new(&options, &errors, NULL);
	unlink(path);
	result = strdup(engine == NULL ? errors : "");
	winnow_free(errors);
	winnow_engine_free(engine);
	return result;
}

static void a_zone_that_two_sections_name_is_an_error(void **state)
{
	static const struct { const char *text, *want; } cases[] = {
		{ "blocklist \"a.test\" { }\nblocklist \"b.test\" { }\nallowlist \"a.test\" { }\n", NULL },
		{ "blocklist \"a.test\" { }\nblocklist \"A.test\" { }\n", ":2: blocklist \"A.test\": the same zone as in " },
		{ "allowlist \"a.test\" { }\n\nallowlist \"a.test.\" { name = \"Dot\" }\n", ":3: allowlist \"Dot\": the same zone as in " },
		{ "blocklist \"abcdefghij0123456789klmnop.a.test\" { }\nblocklist \"abcdefghij0123456789klmnop.a.test.\" { }\n", ":2: blocklist \"KEY.a.test\": the same zone as in " },
		{ "blocklist \"abcdefghij0123456789klmnop.a.test\" { }\nblocklist \"abcdefghij0123456789klmnop.a.test\" { }\n", ":2: blocklist \"KEY.a.test\" is set twice" },
		{ "blocklist \"a test\" { }\n", ":1: blocklist \"a test\": write the name of a DNS list's zone" },
		{ "blocklist \"a.test\" { xbl = { \"127.0.0.1\" } }\n", ":1: blocklist.xbl: \"127.0.0.1\": " },
		{ "policy \"p\" { blocklist \"a.test\" { } }\n", "put it at top level" },
		{ "blocklist \"a.test\" { name = \"a\\\"b\" }\n", "without quotes" },
		{ "dnsbl { skip = { \"10.0.0.1/8\" } }\n", "make them zero" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *errors = errors_of(cases[i].text);

		if (cases[i].want == NULL ? errors[0] != '\0' : strstr(errors, cases[i].want) == NULL || strstr(errors, "abcdefghij") != NULL)
			fail_msg("%s: %s", cases[i].text, errors);
		free(errors);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_is_silent_does_not_hide_the_others),
		cmocka_unit_test(a_stop_ends_the_test),
		cmocka_unit_test(a_zone_that_two_sections_name_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
