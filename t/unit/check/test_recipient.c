/* test_recipient.c - recipients that exist, that are written badly, that nobody reads */
#include "fixture.h"

extern const struct check check_recipient;

static void judge(struct fixture *f, const char *rcpt)
{
	fixture_forget(f);
	fixture_mail(f, "<bob@sender.example>");
	fixture_rcpt(f, rcpt);
	fixture_judge(f, &check_recipient, STAGE_RCPT);
}

static void recipients_that_are_not_in_the_table_are_reported(void **state)
{
	static const char known[] = "domain \"example.com\" { recipients = \"inline:anna@example.com, al@example.com\" }  domain \"example.org\" { }";
	static const char relay[] = "recipient { relay_recipients = \"inline:x@example.org, whole.example\" }  domain \"example.com\" { recipients = \"inline:anna@example.com\" }";
	static const char section[] = "recipient { relay_recipients = \"inline:x@example.org\" }  domain \"example.com\" { policy = \"default\" }";
	static const char none[] = "domain \"example.com\" { recipients = \"\" }";
	static const struct { const char *conf, *rcpt, *detail; } cases[] = {
		{ known, "<anna@example.com>", NULL },
		{ known, "<Anna@Example.COM>", NULL },
		{ known, "<nobody@example.com>", "recipient nobody@example.com is not in domain.recipients" },
		{ known, "<ann@example.com>", "domain.recipients" },
		{ known, "<x@example.org>", NULL },
		{ known, "<x@elsewhere.example>", NULL },
		{ known, "<postmaster>", NULL },
		{ relay, "<x@example.org>", NULL },
		{ relay, "<y@example.org>", "is not in recipient.relay_recipients" },
		{ relay, "<anything@whole.example>", NULL },
		{ relay, "<anna@example.com>", NULL },
		{ relay, "<x@example.com>", "is not in domain.recipients" },
		{ relay, "<postmaster>", NULL },
		{ section, "<x@example.com>", "is not in recipient.relay_recipients" },
		{ none, "<anna@example.com>", "domain.recipients" },
		{ "", "<anna@example.com>", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = fixture_new(cases[i].conf);

		judge(f, cases[i].rcpt);
		fixture_expect(f, cases[i].rcpt, CLASS_DESTINATION_NOT_CONFIGURED, cases[i].detail);
		fixture_free(f);
	}
}

static void outbound_recipients_are_not_looked_up(void **state)
{
	struct fixture *f = fixture_new("recipient { relay_recipients = \"inline:x@example.org\"  blackhole = \"inline:null@example.com\" }");

	(void)state;
	fixture_login(f, "alice");
	judge(f, "<null@example.com>");
	fixture_expect(f, "outbound", CLASS_DESTINATION_NOT_CONFIGURED, NULL);
	fixture_expect(f, "outbound", CLASS_BLACKHOLE, NULL);
	judge(f, "<a%b@example.com>");
	fixture_expect(f, "outbound", CLASS_ADDRESS_CHARS, "character '%'");
	fixture_free(f);
}

static void local_parts_with_restricted_characters_are_reported(void **state)
{
	static const struct { const char *rcpt, *detail; } cases[] = {
		{ "<anna@example.com>", NULL },
		{ "anna@example.com", NULL },
		{ "<anna+o'neil=x_1.2-3@example.com>", NULL },
		{ "<a#*?^~b@example.com>", NULL },
		{ "<@relay.example,@b.example:anna@example.com>", NULL },
		{ "<postmaster>", NULL },
		{ "<a@b-c.example>", NULL },
		{ "<an&na@example.com>", "character '&' in the local part of an&na@example.com (recipient.restricted_chars)" },
		{ "<user%elsewhere.example@example.com>", "character '%'" },
		{ "<elsewhere.example!user@example.com>", "character '!'" },
		{ "<|prog@example.com>", "character '|'" },
		{ "</etc/passwd@example.com>", "character '/'" },
		{ "<a;b@example.com>", "character ';'" },
		{ "<a`b@example.com>", "character '`'" },
		{ "<a$b@example.com>", "character '$'" },
		{ "<a(b)@example.com>", "character '('" },
		{ "<a)b@example.com>", "character ')'" },
		{ "<a{b@example.com>", "character '{'" },
		{ "<a}b@example.com>", "character '}'" },
		{ "<a<b@example.com>", "character '<'" },
		{ "<a>b@example.com>", "character '>'" },
		{ "<a\\b@example.com>", "character '\\'" },
		{ "<\"anna\"@example.com>", "character '\"'" },
		{ "<\"a b\"@example.com>", "character '\"'" },
		{ "<a b@example.com>", "character ' '" },
		{ "<user@elsewhere.example@example.com>", "second @" },
		{ "<a\tb@example.com>", "control character" },
		{ "<a\x7f@example.com>", "control character" },
		{ "<a\xc2\x85@example.com>", "control character" },
		{ "<.anna@example.com>", "begins with '.'" },
		{ "<-anna@example.com>", "begins with '-'" },
		{ "<an..na@example.com>", "two dots together" },
		{ "<j\xc3\xbcrgen@example.com>", NULL },
		{ "<j\xfcrgen@example.com>", "not UTF-8" },
		{ "<anna@>", "is not an address" },
		{ "<@example.com>", "is not an address" },
		{ "<anna@exa mple.com>", "is not an address" },
		{ "<>", "is not an address" },
	};
	struct fixture *f = fixture_new("");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		judge(f, cases[i].rcpt);
		fixture_expect(f, cases[i].rcpt, CLASS_ADDRESS_CHARS, cases[i].detail);
	}
	fixture_free(f);
}

static void restricted_characters_are_the_policys(void **state)
{
	static const char conf[] = "policy \"easy\" { recipient { restricted_chars = \"+\" } }  domain \"example.com\" { policy = \"easy\" }";
	static const struct { const char *rcpt; bool hit; } cases[] = {
		{ "<an&na@example.com>", false },
		{ "<an+na@example.com>", true },
		{ "<an&na@example.org>", true },
		{ "<an+na@example.org>", false },
		/* these never pass */
		{ "<.anna@example.com>", true },
		{ "<a\x01@example.com>", true },
	};
	struct fixture *f = fixture_new(conf);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		judge(f, cases[i].rcpt);
		fixture_expect(f, cases[i].rcpt, CLASS_ADDRESS_CHARS, cases[i].hit ? "local part" : NULL);
	}
	fixture_free(f);
}

static void blackholes_are_reported(void **state)
{
	struct fixture *f = fixture_new("policy \"default\" { recipient { blackhole = \"inline:null@example.com, .void.example\" } }");

	(void)state;
	judge(f, "<Null@example.com>");
	fixture_expect(f, "null", CLASS_BLACKHOLE, "is in recipient.blackhole");
	judge(f, "<x@a.void.example>");
	fixture_expect(f, "a.void.example", CLASS_BLACKHOLE, "recipient x@a.void.example");
	judge(f, "<nulls@example.com>");
	fixture_expect(f, "nulls", CLASS_BLACKHOLE, NULL);
	judge(f, "<null@example.org>");
	fixture_expect(f, "example.org", CLASS_BLACKHOLE, NULL);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recipients_that_are_not_in_the_table_are_reported),
		cmocka_unit_test(outbound_recipients_are_not_looked_up),
		cmocka_unit_test(local_parts_with_restricted_characters_are_reported),
		cmocka_unit_test(restricted_characters_are_the_policys),
		cmocka_unit_test(blackholes_are_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
