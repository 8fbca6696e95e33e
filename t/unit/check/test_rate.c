/* test_rate.c - how many messages one connection may bring */
#include "fixture.h"

#include "check/rate.h"

extern const struct check check_rate;

static void messages_beyond_the_limit_of_a_connection_are_reported(void **state)
{
	static const struct { const char *conf; int messages; bool outbound, hit; } cases[] = {
		{ "rate { messages_connection_max = 2 }", 2, true, true },
		{ "rate { messages_connection_max = 2 }", 3, true, true },
		{ "rate { messages_connection_max = 2 }", 1, true, false },
		{ "rate { messages_connection_max = 2 }", 0, true, false },
		{ "rate { messages_connection_max = 0 }", 100000, true, false },
		{ "rate { messages_connection_max = 2 }", 2, false, false },
		{ "policy \"default\" { limit \"messages-per-connection\" { max = 2 } }", 2, true, true },
		{ "", 100, true, true },
		{ "", 99, true, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = fixture_new(cases[i].conf);

		f->s.messages = cases[i].messages;
		f->t.outbound = cases[i].outbound;
		fixture_mail(f, "<alice@example.com>");
		fixture_judge(f, &check_rate, STAGE_MAIL);
		fixture_expect(f, cases[i].conf, CLASS_MESSAGES_PER_CONNECTION, cases[i].hit ? "(rate.messages_connection_max)" : NULL);
		fixture_free(f);
	}
}

static void the_detail_names_the_count_and_the_limit(void **state)
{
	struct fixture *f = fixture_new("rate { messages_connection_max = 2 }");

	(void)state;
	f->s.messages = 7;
	fixture_login(f, "alice");
	fixture_mail(f, "<alice@example.com>");
	fixture_judge(f, &check_rate, STAGE_MAIL);
	assert_string_equal(fixture_finding(f, CLASS_MESSAGES_PER_CONNECTION)->detail, "7 messages were sent in this connection, at most 2 (rate.messages_connection_max)");
	fixture_free(f);
}

static void the_engine_can_read_the_behaviour(void **state)
{
	static const char *const behaviours[] = { "drop", "reject", "defer" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char conf[100];
		struct fixture *f;

		snprintf(conf, sizeof(conf), "rate { messages_connection_behaviour = \"%s\" }", behaviours[i]);
		f = fixture_new(i == 0 ? "" : conf);
		assert_string_equal(setting_string(f->t.policy, &rate_settings[RATE_MESSAGES_CONNECTION_BEHAVIOUR]), behaviours[i]);
		fixture_free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_beyond_the_limit_of_a_connection_are_reported),
		cmocka_unit_test(the_detail_names_the_count_and_the_limit),
		cmocka_unit_test(the_engine_can_read_the_behaviour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
