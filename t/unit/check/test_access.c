/* test_access.c - block and allow lists name clients and senders, and nobody else */
#include "fixture.h"

extern const struct check check_access;

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void a_client_on_block_ips_is_reported_at_connect(void **state)
{
	static const struct { const char *list, *client; bool hit; } cases[] = {
		{ "11.22.33.44", "11.22.33.44", true },
		{ "11.22.33.0/26", "11.22.33.44", true },
		{ "11.22.33.0/27, 11.22.33.45, 11.22.33.4", "11.22.33.44", false },
		{ "2001:db8::/32", "2001:db8:1::5", true },
		{ "2001:db8::/32", "2001:db9::5", false },
		{ "11.22.33.44", NULL, false },
		{ "127.0.0.1", "127.0.0.1", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char conf[200];
		struct fixture *f;

		snprintf(conf, sizeof(conf), "block_ips = \"inline:%s\"", cases[i].list);
		f = fixture_new(conf);
		fixture_client(f, cases[i].client);
		f->s.trusted = i == 6;
		fixture_judge(f, &check_access, STAGE_CONNECT);
		fixture_expect(f, conf, CLASS_IP_BLACKLISTED, cases[i].hit ? "is on block_ips" : NULL);
		fixture_expect(f, conf, CLASS_IP_BLACKLISTED_OUTGOING, NULL);
		fixture_free(f);
	}
}

static void outbound_sessions_have_a_block_list_of_their_own(void **state)
{
	struct fixture *f = fixture_new("block_ips = \"inline:11.22.33.45\"  block_ips_outgoing = \"inline:11.22.33.44\"");

	(void)state;
	fixture_judge(f, &check_access, STAGE_CONNECT);
	fixture_expect(f, "inbound", CLASS_IP_BLACKLISTED, NULL);
	fixture_expect(f, "inbound", CLASS_IP_BLACKLISTED_OUTGOING, NULL);

	/* a login makes the session outbound: judged at MAIL */
	fixture_login(f, "alice");
	fixture_mail(f, "<alice@example.com>");
	fixture_judge(f, &check_access, STAGE_MAIL);
	fixture_expect(f, "login", CLASS_IP_BLACKLISTED_OUTGOING, "11.22.33.44 is on block_ips_outgoing");
	assert_int_equal(fixture_finding(f, CLASS_IP_BLACKLISTED_OUTGOING)->stage, STAGE_MAIL);
	fixture_free(f);

	f = fixture_new("block_ips = \"inline:11.22.33.45\"  block_ips_outgoing = \"inline:11.22.33.44\"");
	fixture_outbound(f);
	fixture_judge(f, &check_access, STAGE_CONNECT);
	fixture_expect(f, "listener", CLASS_IP_BLACKLISTED_OUTGOING, "11.22.33.44");
	fixture_forget(f);
	fixture_mail(f, "<alice@example.com>");
	fixture_judge(f, &check_access, STAGE_MAIL);
	fixture_expect(f, "not twice", CLASS_IP_BLACKLISTED_OUTGOING, NULL);
	fixture_client(f, "11.22.33.45");
	fixture_judge(f, &check_access, STAGE_CONNECT);
	fixture_expect(f, "block_ips is not for outbound", CLASS_IP_BLACKLISTED, NULL);
	fixture_free(f);
}

static void an_envelope_sender_on_a_block_list_is_reported_at_rcpt(void **state)
{
	static const struct { const char *conf, *sender; const char *detail; } cases[] = {
		{ "policy \"default\" { block_senders = \"inline:bob@sender.example\" }", "<bob@sender.example>",
		  "envelope sender bob@sender.example is on block_senders of policy \"default\"" },
		{ "policy \"default\" { block_senders = \"inline:BOB@Sender.Example\" }", "<Bob@SENDER.example>", "of policy" },
		{ "policy \"default\" { block_senders = \"inline:sender.example\" }", "<bob@sender.example>", "of policy" },
		{ "policy \"default\" { block_senders = \"inline:.example\" }", "<bob@sender.example>", "of policy" },
		{ "policy \"default\" { block_senders = \"inline:<>\" }", "<>", "envelope sender <> is on" },
		{ "block_senders = \"inline:bob@sender.example\"", "<bob@sender.example>", "block_senders of the top level" },
		{ "block_senders = \"inline:bob@sender.example\"  policy \"default\" { block_senders = \"inline:x@y.example\" }", "<bob@sender.example>", "of the top level" },
		{ "policy \"default\" { block_senders = \"inline:spammer@bad.example, ender.example, mail.sender.example, .sender.example\" }", "<bob@sender.example>", NULL },
		{ "policy \"default\" { block_senders = \"inline:bob@sender.example\" }", "<bobby@sender.example>", NULL },
		{ "policy \"default\" { block_senders = \"inline:sender.example\" }", "<>", NULL },
		{ "policy \"other\" { block_senders = \"inline:sender.example\" }", "<bob@sender.example>", NULL },
		{ "block_senders_outgoing = \"inline:sender.example\"", "<bob@sender.example>", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fixture *f = fixture_new(cases[i].conf);

		fixture_mail(f, cases[i].sender);
		fixture_rcpt(f, "<anna@example.com>");
		fixture_judge(f, &check_access, STAGE_RCPT);
		fixture_expect(f, cases[i].conf, CLASS_SENDER_BLACKLISTED, cases[i].detail);
		fixture_expect(f, cases[i].conf, CLASS_SENDER_REFUSED_BY_DOMAIN, NULL);
		assert_int_equal(f->t.rcpt->word.blocked, cases[i].detail != NULL);
		assert_false(f->t.rcpt->word.allowed);
		fixture_free(f);
	}
}

static void the_block_list_of_a_domain_holds_for_its_recipients_alone(void **state)
{
	static const char conf[] = "domain \"example.com\" { block_senders = \"inline:sender.example\" }";
	static const struct { const char *sender, *rcpt, *detail; } cases[] = {
		{ "<bob@sender.example>", "<anna@example.com>", "is on block_senders of domain \"example.com\"" },
		{ "<bob@sender.example>", "<anna@EXAMPLE.COM>", "is on block_senders of domain \"example.com\"" },
		{ "<bob@sender.example>", "<carl@example.org>", NULL },
		{ "<bob@sender.example>", "<anna@sub.example.com>", NULL },
		{ "<bob@sender2.example>", "<anna@example.com>", NULL },
		{ "<>", "<anna@example.com>", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fixture *f = fixture_new(conf);

		fixture_mail(f, cases[i].sender);
		fixture_rcpt(f, cases[i].rcpt);
		fixture_judge(f, &check_access, STAGE_RCPT);
		fixture_expect(f, cases[i].rcpt, CLASS_SENDER_REFUSED_BY_DOMAIN, cases[i].detail);
		fixture_expect(f, cases[i].rcpt, CLASS_SENDER_BLACKLISTED, NULL);
		assert_int_equal(f->t.rcpt->word.blocked, cases[i].detail != NULL);
		fixture_free(f);
	}
}

static void header_senders_are_held_against_the_block_lists_at_the_end(void **state)
{
	static const char policy[] = "policy \"default\" { block_senders = \"inline:spammer@bad.example\" }";
	static const char global[] = "block_senders = \"inline:bad.example\"";
	static const struct { const char *conf, *fields, *detail; } cases[] = {
		{ policy, "From: Spammer <spammer@bad.example>\n", "header From spammer@bad.example is on block_senders of policy \"default\"" },
		{ policy, "From: bob@sender.example\nSender: <SPAMMER@bad.example>\n", "header Sender SPAMMER@bad.example" },
		{ policy, "From: bob@sender.example,\n \"x, y\" <spammer@bad.example>\n", "header From spammer@bad.example" },
		{ policy, "From: bob@sender.example\nFrom: spammer@bad.example\n", "header From spammer@bad.example" },
		{ global, "From: anybody@bad.example\n", "block_senders of the top level" },
		{ policy, "From: \"spammer@bad.example\" <bob@sender.example>\n", NULL },
		{ policy, "From: bob@sender.example (spammer@bad.example)\n", NULL },
		{ policy, "From: bob@sender.example\nReply-To: spammer@bad.example\nX-Sender: spammer@bad.example\n", NULL },
		{ policy, "To: spammer@bad.example\n", NULL },
		{ "block_senders = \"inline:<>\"", "From: <>\nSender:\n", NULL },
		{ "", "From: spammer@bad.example\n", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fixture *f = fixture_new(cases[i].conf);

		fixture_mail(f, "<bob@sender.example>");
		fixture_message(f);
		fixture_fields(f, cases[i].fields);
		fixture_judge(f, &check_access, STAGE_EOM);
		fixture_expect(f, cases[i].fields, CLASS_SENDER_BLACKLISTED, cases[i].detail);
		fixture_forget(f);
		fixture_login(f, "alice");
		fixture_judge(f, &check_access, STAGE_EOM);
		fixture_expect(f, "outbound", CLASS_SENDER_BLACKLISTED, NULL);
		fixture_free(f);
	}
}

static void senders_of_submissions_have_a_block_list_of_their_own(void **state)
{
	struct fixture *f = fixture_new("block_senders_outgoing = \"inline:alice@example.com\"  block_senders = \"inline:carl@example.com\"");

	(void)state;
	fixture_login(f, "alice");
	fixture_mail(f, "<Alice@example.com>");
	fixture_judge(f, &check_access, STAGE_MAIL);
	fixture_expect(f, "alice", CLASS_SENDER_BLACKLISTED_OUTGOING, "Alice@example.com is on block_senders_outgoing");
	fixture_forget(f);
	fixture_mail(f, "<carl@example.com>");
	fixture_judge(f, &check_access, STAGE_MAIL);
	fixture_expect(f, "carl", CLASS_SENDER_BLACKLISTED_OUTGOING, NULL);
	fixture_rcpt(f, "<x@remote.example>");
	fixture_judge(f, &check_access, STAGE_RCPT);
	fixture_expect(f, "carl", CLASS_SENDER_BLACKLISTED, NULL);
	fixture_free(f);

	f = fixture_new("block_senders_outgoing = \"inline:bob@sender.example\"");
	fixture_mail(f, "<bob@sender.example>");
	fixture_judge(f, &check_access, STAGE_MAIL);
	fixture_expect(f, "inbound", CLASS_SENDER_BLACKLISTED_OUTGOING, NULL);
	fixture_free(f);
}

static void an_allowed_sender_or_client_is_whitelisted(void **state)
{
	static const char domain[] = "domain \"example.com\" { allow_senders = \"inline:bob@sender.example\" }";
	static const struct { const char *conf, *sender, *rcpt, *detail; bool proven; } cases[] = {
		{ "policy \"default\" { allow_senders = \"inline:bob@sender.example\" }", "<bob@sender.example>", "<anna@example.com>", "envelope sender bob@sender.example is on allow_senders of policy", false },
		{ "allow_senders = \"inline:sender.example\"", "<bob@sender.example>", "<anna@example.com>", "allow_senders of the top level", false },
		{ domain, "<bob@sender.example>", "<anna@example.com>", "allow_senders of domain \"example.com\"", false },
		{ domain, "<bob@sender.example>", "<anna@example.org>", NULL, false },
		{ "policy \"default\" { allow_ips = \"inline:11.22.33.0/24\" }", "<bob@sender.example>", "<anna@example.com>", "client address 11.22.33.44 is on allow_ips of policy", true },
		{ "allow_ips = \"inline:11.22.33.44\"", "<>", "<anna@example.com>", "allow_ips of the top level", true },
		{ "allow_ips = \"inline:11.22.33.45\"", "<bob@sender.example>", "<anna@example.com>", NULL, false },
		{ "allow_senders = \"inline:<>\"", "<>", "<anna@example.com>", "envelope sender <>", false },
		{ "allow_senders = \"inline:sender.example\"", "<>", "<anna@example.com>", NULL, false },
		{ "policy \"default\" { allow_senders = \"inline:bob@sender.example, ender.example, .sender.example\" }", "<robert@sender.example>", "<anna@example.com>", NULL, false },
		{ "policy \"default\" { allow_authenticated = true  allow_ips = \"inline:11.22.33.44\" }", "<bob@sender.example>", "<anna@example.com>", "client address", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fixture *f = fixture_new(cases[i].conf);
		const struct finding *found;

		fixture_mail(f, cases[i].sender);
		fixture_rcpt(f, cases[i].rcpt);
		fixture_judge(f, &check_access, STAGE_RCPT);
		fixture_expect(f, cases[i].conf, CLASS_WHITELISTED, cases[i].detail);
		assert_int_equal(f->t.rcpt->word.allowed, cases[i].detail != NULL);
		assert_int_equal(f->t.rcpt->word.proven, cases[i].proven);
		found = fixture_finding(f, CLASS_WHITELISTED);
		assert_true(found == NULL || found->strength >= 1.0);
		fixture_free(f);
	}
}

static void a_listed_sender_without_proof_is_noted_where_proof_is_wanted(void **state)
{
	struct fixture *f = fixture_new("policy \"default\" { allow_authenticated = true  allow_senders = \"inline:sender.example\" }");

	(void)state;
	fixture_mail(f, "<bob@sender.example>");
	fixture_rcpt(f, "<anna@example.com>");
	fixture_judge(f, &check_access, STAGE_RCPT);
	fixture_expect(f, "not proven", CLASS_WHITELISTED, NULL);
	assert_false(f->t.rcpt->word.allowed);
	assert_non_null(strstr(fixture_note(f, "allow"), "sender is listed but not proven"));
	fixture_forget(f);
	fixture_mail(f, "<bob@other.example>");
	fixture_judge(f, &check_access, STAGE_RCPT);
	assert_null(fixture_note(f, "allow"));
	fixture_free(f);
}

static void outbound_mail_is_never_whitelisted(void **state)
{
	struct fixture *f = fixture_new("allow_senders = \"inline:example.com\"  allow_ips = \"inline:11.22.33.44\"");

	(void)state;
	fixture_login(f, "alice");
	fixture_mail(f, "<alice@example.com>");
	fixture_rcpt(f, "<anna@example.com>");
	f->t.rcpt->word.allowed = true;
	fixture_judge(f, &check_access, STAGE_RCPT);
	fixture_expect(f, "outbound", CLASS_WHITELISTED, NULL);
	assert_false(f->t.rcpt->word.allowed);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_on_block_ips_is_reported_at_connect),
		cmocka_unit_test(outbound_sessions_have_a_block_list_of_their_own),
		cmocka_unit_test(an_envelope_sender_on_a_block_list_is_reported_at_rcpt),
		cmocka_unit_test(the_block_list_of_a_domain_holds_for_its_recipients_alone),
		cmocka_unit_test(header_senders_are_held_against_the_block_lists_at_the_end),
		cmocka_unit_test(senders_of_submissions_have_a_block_list_of_their_own),
		cmocka_unit_test(an_allowed_sender_or_client_is_whitelisted),
		cmocka_unit_test(a_listed_sender_without_proof_is_noted_where_proof_is_wanted),
		cmocka_unit_test(outbound_mail_is_never_whitelisted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
