/* test_conduct.c - unknown commands and refused recipients of one connection */
#include "fixture.h"

extern const struct check check_conduct;

static void unknown_commands_over_the_limit_are_reported_in_both_directions(void **state)
{
	static const struct { const char *conf; int count; const char *detail; } cases[] = {
		{ "conduct { unknown_commands_max = 3 }", 3, NULL },
		{ "conduct { unknown_commands_max = 3 }", 4, "4 unknown commands in this connection, at most 3 (conduct.unknown_commands_max)" },
		{ "conduct { unknown_commands_max = 0 }", 1000, NULL },
		{ "", 10, NULL },
		{ "", 11, "at most 10" },
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = fixture_new(cases[i / 2].conf);

		if (i % 2)
			fixture_outbound(f);
		f->s.trusted = i % 2;
		f->s.unknown_commands = cases[i / 2].count;
		fixture_judge(f, &check_conduct, STAGE_COMMAND);
		fixture_expect(f, cases[i / 2].conf, CLASS_UNRECOGNIZED_COMMANDS, cases[i / 2].detail);
		fixture_expect(f, cases[i / 2].conf, CLASS_FAILED_RECIPIENTS, NULL);
		fixture_free(f);
	}
}

static void refused_recipients_over_the_limit_are_reported_at_the_next_one(void **state)
{
	static const struct { const char *conf; int count; const char *detail; } cases[] = {
		{ "conduct { failed_recipients_max = 3 }", 3, NULL },
		{ "conduct { failed_recipients_max = 3 }", 4, "4 recipients were refused in this connection, at most 3 (conduct.failed_recipients_max)" },
		{ "conduct { failed_recipients_max = 0 }", 1000, NULL },
		{ "", 10, NULL },
		{ "", 11, "at most 10" },
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = fixture_new(cases[i / 2].conf);

		if (i % 2)
			fixture_login(f, "alice");
		f->s.refused_recipients = cases[i / 2].count;
		fixture_mail(f, "<bob@sender.example>");
		fixture_rcpt(f, "<anna@example.com>");
		fixture_judge(f, &check_conduct, STAGE_RCPT);
		fixture_expect(f, cases[i / 2].conf, CLASS_FAILED_RECIPIENTS, cases[i / 2].detail);
		fixture_free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_commands_over_the_limit_are_reported_in_both_directions),
		cmocka_unit_test(refused_recipients_over_the_limit_are_reported_at_the_next_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
