/* test_tls.c - who must come encrypted */
#include "fixture.h"

extern const struct check check_tls;

#define SENDERS "tls { sender_domains = \"inline:sender.example, .bank.example\" }"
#define SECURE "policy \"secure\" { tls { required = true } }  domain \"example.com\" { policy = \"secure\" }"
#define OUTGOING "policy \"default\" { tls { required_outgoing = true } }"

static void sender_domains_on_the_list_must_come_encrypted(void **state)
{
	static const struct { const char *sender, *tls; bool hit; } cases[] = {
		{ "<bob@sender.example>", NULL, true },
		{ "<bob@SENDER.example>", NULL, true },
		{ "<bob@sender.example>", "TLSv1.3", false },
		{ "<bob@mail.bank.example>", NULL, true },
		{ "<bob@bank.example>", NULL, false },
		{ "<bob@other.example>", NULL, false },
		{ "<>", NULL, false },
	};
	struct fixture *f = fixture_new(SENDERS);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fixture_forget(f);
		f->s.tls_version = cases[i].tls;
		fixture_mail(f, cases[i].sender);
		fixture_judge(f, &check_tls, STAGE_MAIL);
		fixture_expect(f, cases[i].sender, CLASS_TLS_REQUIRED_SENDER, cases[i].hit ? "in a session without TLS (tls.sender_domains)" : NULL);
	}
	f->s.tls_version = NULL;
	fixture_login(f, "alice");
	fixture_mail(f, "<bob@sender.example>");
	fixture_forget(f);
	fixture_judge(f, &check_tls, STAGE_MAIL);
	fixture_expect(f, "outbound", CLASS_TLS_REQUIRED_SENDER, NULL);
	fixture_free(f);
}

static void recipients_of_a_policy_may_want_encryption(void **state)
{
	static const struct { const char *rcpt, *tls; bool hit; } cases[] = {
		{ "<anna@example.com>", NULL, true },
		{ "<anna@example.com>", "TLSv1.2", false },
		{ "<carl@example.org>", NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = fixture_new(SECURE);

		f->s.tls_version = cases[i].tls;
		fixture_mail(f, "<bob@sender.example>");
		fixture_rcpt(f, cases[i].rcpt);
		fixture_judge(f, &check_tls, STAGE_RCPT);
		fixture_expect(f, cases[i].rcpt, CLASS_TLS_REQUIRED_RECIPIENT, cases[i].hit ? "policy \"secure\" wants it (tls.required)" : NULL);
		fixture_free(f);
	}
}

static void users_of_a_policy_may_have_to_submit_encrypted(void **state)
{
	struct fixture *f = fixture_new(OUTGOING);

	(void)state;
	fixture_login(f, "alice");
	fixture_mail(f, "<alice@example.com>");
	fixture_judge(f, &check_tls, STAGE_MAIL);
	fixture_expect(f, "plain", CLASS_TLS_REQUIRED_OUTGOING, "sender alice@example.com in a session without TLS");
	fixture_rcpt(f, "<x@remote.example>");
	fixture_judge(f, &check_tls, STAGE_RCPT);
	fixture_expect(f, "plain", CLASS_TLS_REQUIRED_RECIPIENT, NULL);

	fixture_forget(f);
	f->s.tls_version = "TLSv1.3";
	fixture_judge(f, &check_tls, STAGE_MAIL);
	fixture_expect(f, "encrypted", CLASS_TLS_REQUIRED_OUTGOING, NULL);
	f->s.tls_version = NULL;
	f->t.outbound = false;
	fixture_judge(f, &check_tls, STAGE_MAIL);
	fixture_expect(f, "inbound", CLASS_TLS_REQUIRED_OUTGOING, NULL);
	fixture_free(f);

	f = fixture_new("");
	fixture_login(f, "alice");
	fixture_mail(f, "<alice@example.com>");
	fixture_judge(f, &check_tls, STAGE_MAIL);
	fixture_expect(f, "not required", CLASS_TLS_REQUIRED_OUTGOING, NULL);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sender_domains_on_the_list_must_come_encrypted),
		cmocka_unit_test(recipients_of_a_policy_may_want_encryption),
		cmocka_unit_test(users_of_a_policy_may_have_to_submit_encrypted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
