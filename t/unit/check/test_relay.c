/* test_relay.c - who may send through us, and where to */
#include "fixture.h"

extern const struct check check_relay;

static void submissions_and_relaying_need_a_login_or_a_network(void **state)
{
	static const struct { enum listener listener; bool relay; const char *user; bool unauthenticated, denied; } cases[] = {
		{ LISTENER_SUBMISSION, false, NULL, true, false },
		{ LISTENER_SUBMISSION, true, NULL, true, false },
		{ LISTENER_SUBMISSION, false, "alice", false, false },
		{ LISTENER_OUTBOUND, false, NULL, false, true },
		{ LISTENER_OUTBOUND, true, NULL, false, false },
		{ LISTENER_OUTBOUND, false, "alice", false, false },
		{ LISTENER_INBOUND, true, NULL, false, false },
		{ LISTENER_INBOUND, false, "alice", false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = fixture_new("");
		char label[20];

		snprintf(label, sizeof(label), "case %zu", i);
		f->s.listener = cases[i].listener;
		f->s.relay = cases[i].relay;
		f->s.daemon_name = "ORIGINATING";
		f->s.daemon_port = "587";
		fixture_outbound(f);
		fixture_login(f, cases[i].user);
		fixture_mail(f, "<alice@example.com>");
		fixture_judge(f, &check_relay, STAGE_MAIL);
		fixture_expect(f, label, CLASS_SUBMISSION_UNAUTHENTICATED, cases[i].unauthenticated ? "client 11.22.33.44 did not log in on listener \"ORIGINATING\"" : NULL);
		fixture_expect(f, label, CLASS_RELAY_DENIED, cases[i].denied ? "client 11.22.33.44 is not in relay_networks" : NULL);
		fixture_free(f);
	}
}

static void inbound_mail_goes_to_our_domains_only(void **state)
{
	static const char both[] = "domains = \"inline:example.org\"  domain \"example.com\" { }";
	static const struct { const char *conf, *rcpt; bool hit; } cases[] = {
		{ both, "<anna@example.com>", false },
		{ both, "<anna@EXAMPLE.org>", false },
		{ both, "<anna@example.net>", true },
		{ both, "<anna@sub.example.com>", true },
		{ both, "<anna@badexample.com>", true },
		{ both, "<postmaster>", false },
		{ both, "postmaster", false },
		{ both, "<anna@[192.0.2.1]>", true },
		{ both, "<@example.com:anna@elsewhere.example>", true },
		{ "domain \"example.com\" { }", "<x@elsewhere.example>", true },
		{ "domains = \"inline:example.com\"", "<x@elsewhere.example>", true },
		{ "domains = \"inline:.example.com\"", "<x@sub.example.com>", false },
		{ "domains = \"inline:.example.com\"", "<x@example.com>", true },
		{ "", "<x@elsewhere.example>", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = fixture_new(cases[i].conf);

		fixture_mail(f, "<bob@sender.example>");
		fixture_rcpt(f, cases[i].rcpt);
		/* trust does not open the relay */
		f->s.trusted = i % 2;
		fixture_judge(f, &check_relay, STAGE_RCPT);
		fixture_expect(f, cases[i].rcpt, CLASS_RELAY_NOT_PERMITTED, cases[i].hit ? "is not in domains and has no domain section" : NULL);
		fixture_free(f);
	}
}

static void clients_that_may_relay_are_not_judged(void **state)
{
	struct fixture *f = fixture_new("domain \"example.com\" { }");

	(void)state;
	fixture_login(f, "alice");
	fixture_mail(f, "<alice@example.com>");
	fixture_rcpt(f, "<x@remote.example>");
	fixture_judge(f, &check_relay, STAGE_RCPT);
	fixture_expect(f, "outbound", CLASS_RELAY_NOT_PERMITTED, NULL);
	fixture_free(f);
}

static void an_empty_file_of_domains_does_not_open_the_relay(void **state)
{
	char path[] = "/tmp/winnow-domains-XXXXXX", conf[200];
	int fd = mkstemp(path);
	struct fixture *f;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	snprintf(conf, sizeof(conf), "domains = \"file:%s\"", path);
	f = fixture_new(conf);
	unlink(path);
	fixture_mail(f, "<bob@sender.example>");
	fixture_rcpt(f, "<x@elsewhere.example>");
	fixture_judge(f, &check_relay, STAGE_RCPT);
	fixture_expect(f, "empty file", CLASS_RELAY_NOT_PERMITTED, "elsewhere.example");
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(submissions_and_relaying_need_a_login_or_a_network),
		cmocka_unit_test(inbound_mail_goes_to_our_domains_only),
		cmocka_unit_test(clients_that_may_relay_are_not_judged),
		cmocka_unit_test(an_empty_file_of_domains_does_not_open_the_relay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
