/* test_bounce.c - reports go to one recipient */
#include "fixture.h"

extern const struct check check_bounce;

static void a_null_sender_has_one_recipient(void **state)
{
	static const struct { const char *sender; size_t accepted; bool hit; } cases[] = {
		{ "<>", 0, false },
		{ "<>", 1, true },
		{ "<>", 2, true },
		{ "<bob@sender.example>", 1, false },
		{ "<not an address>", 1, false },
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = fixture_new("");

		if (i % 2)
			fixture_login(f, "alice");
		fixture_mail(f, cases[i / 2].sender);
		for (size_t n = 0; n < cases[i / 2].accepted; n++) {
			fixture_rcpt(f, "<anna@example.com>");
			fixture_accept(f);
		}
		/* refused ones do not count */
		f->t.rcpts_refused = 3;
		fixture_rcpt(f, "<al@example.com>");
		fixture_judge(f, &check_bounce, STAGE_RCPT);
		fixture_expect(f, cases[i / 2].sender, CLASS_BOUNCE_MULTI_RECIPIENT, cases[i / 2].hit ? "null sender, recipient al@example.com" : NULL);
		fixture_free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_null_sender_has_one_recipient),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
