/* test_stats.c - what is counted of a record */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "check/check.h"
#include "engine/stats.h"

static bool says(struct stats *stats, const char *line)
{
	char *text = stats_text(stats, &(struct stats_gauges){ 0 }, WINNOW_STATS_PROMETHEUS);
	bool found = text != NULL && strstr(text, line) != NULL;

	if (!found)
		print_error("no \"%s\" in:\n%s\n", line, text);
	free(text);
	return found;
}

static void a_check_s_time_is_counted_once_a_message(void **state)
{
	struct stats *stats = stats_new();
	struct record_time time = { checks[0]->name, 40 };
	struct record r = { .event = "rcpt", .action = ACT_REJECT, .class = CLASS_HELO_INVALID, .times = &time, .n_times = 1 };
	char count[80];

	(void)state;
	stats_record(stats, &r);
	stats_record(stats, &r);
	r.event = "message";
	r.action = ACT_ACCEPT;
	r.class = CLASS_NOT_SPAM;
	stats_record(stats, &r);
	snprintf(count, sizeof(count), "winnow_check_seconds_count{check=\"%s\"} 1\n", checks[0]->name);
	assert_true(says(stats, count));
	assert_true(says(stats, "winnow_refused_total{direction=\"in\"} 2\n"));
	assert_true(says(stats, "winnow_messages_total{direction=\"in\",verdict=\"accept\"} 1\n"));
	assert_true(says(stats, "winnow_findings_total{class=\"helo-invalid\",decisive=\"yes\"} 2\n"));
	stats_free(stats);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_check_s_time_is_counted_once_a_message) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
