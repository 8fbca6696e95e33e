/* test_helo.c - greetings that claim to be us, and greetings that are none */
#include "fixture.h"

extern const struct check check_helo;

#define L63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

static void greet(struct fixture *f, const char *helo)
{
	f->s.helo = helo;
	fixture_mail(f, "<bob@sender.example>");
	fixture_rcpt(f, "<anna@example.com>");
	fixture_judge(f, &check_helo, STAGE_HELO);
}

static void a_greeting_with_our_name_or_address_is_reported(void **state)
{
	static const char conf[] = "hostname = \"mx1.example.net\"  own_names = { \"mail.example.org\" }  own_ips = { \"192.0.2.25\", \"2001:db8::/64\" }";
	static const struct { const char *helo; bool us; } cases[] = {
		{ "mx1.example.net", true },
		{ "MX1.example.NET.", true },
		{ "mail.EXAMPLE.org", true },
		{ "192.0.2.25", true },
		{ "[192.0.2.25]", true },
		{ "[IPv6:2001:db8::25]", true },
		{ "[ipv6:2001:DB8:0::25]", true },
		{ "2001:db8::25", true },
		{ "mx1.example.net.sender.example", false },
		{ "x.mx1.example.net", false },
		{ "mx1.example.ne", false },
		{ "[192.0.2.26]", false },
		{ "[IPv6:2001:db9::25]", false },
		{ "mail.sender.example", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = fixture_new(conf);

		greet(f, cases[i].helo);
		fixture_expect(f, cases[i].helo, CLASS_HELO_IS_US, cases[i].us ? "client 11.22.33.44 says HELO" : NULL);
		/* one finding a greeting: ours, whatever else is wrong with it */
		if (cases[i].us)
			fixture_expect(f, cases[i].helo, CLASS_HELO_INVALID, NULL);
		fixture_free(f);
	}
}

static void we_may_greet_with_our_own_name(void **state)
{
	static const struct { const char *client; bool trusted, relay, us; } cases[] = {
		{ "11.22.33.44", false, false, true },
		{ "11.22.33.44", true, false, false },
		{ "11.22.33.44", false, true, false },
		{ "192.0.2.25", false, false, false },
		{ "127.0.0.3", false, false, false },
		{ "::1", false, false, false },
		{ "::2", false, false, true },
		{ NULL, false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = fixture_new("hostname = \"mx1.example.net\"  own_ips = { \"192.0.2.25\" }");

		fixture_client(f, cases[i].client);
		f->s.trusted = cases[i].trusted;
		f->s.relay = cases[i].relay;
		greet(f, "mx1.example.net");
		fixture_expect(f, cases[i].client ? cases[i].client : "no address", CLASS_HELO_IS_US, cases[i].us ? "mx1.example.net" : NULL);
		fixture_free(f);
	}
}

static void greetings_that_are_no_name_and_no_literal_are_reported(void **state)
{
	static const struct { const char *helo, *detail; } cases[] = {
		/* addresses */
		{ "11.22.33.44", "bare IP address" },
		{ "2001:db9::1", "bare IP address" },
		{ "[11.22.33.44]", NULL },
		{ "[IPv6:2001:db9::1]", NULL },
		{ "[IPv6:::ffff:11.22.33.44]", NULL },
		{ "[2001:db9::1]", "malformed address literal" },
		{ "[IPv6:11.22.33.44]", "malformed address literal" },
		{ "[IPv6:IPv6:2001:db9::1]", "malformed address literal" },
		{ "[11.22.33.444]", "malformed address literal" },
		{ "[11.22.33.44", "malformed address literal" },
		{ "[11.22.33.44].", "malformed address literal" },
		{ "[11.22.33.44]x", "malformed address literal" },
		{ "[]", "malformed address literal" },
		{ "[", "malformed address literal" },
		{ "[ 11.22.33.44 ]", "malformed address literal" },
		{ "[mail.sender.example]", "malformed address literal" },
		{ "[1111111111111111111111111111111111111111111111111111111111111111]", "malformed address literal" },
		{ "11.22.33.44]", "a character that no host name has" },
		{ "11.22.33.44.", "last label is a number" },
		/* names */
		{ "mail.sender.example", NULL },
		{ "mail.sender.example.", NULL },
		{ "MAIL-1.sender.example", NULL },
		{ "1mail.2sender.example", NULL },
		{ "11-22-33-44.dyn.sender.example", NULL },
		{ "xn--mller-kva.example", NULL },
		{ "a.b", NULL },
		{ L63 ".example", NULL },
		{ "x" L63 ".example", "label of more than 63 octets" },
		{ L63 "." L63 "." L63 "." L63, NULL },
		{ L63 "." L63 "." L63 "." L63 ".", NULL },
		{ L63 "." L63 "." L63 "." L63 ".a", "more than 255 octets" },
		{ "localhost", "not fully qualified (helo.allow_single_label)" },
		{ "localhost.", "not fully qualified" },
		{ "", "empty" },
		{ ".", "empty" },
		{ "..", "empty label" },
		{ ".sender.example", "empty label" },
		{ "mail..sender.example", "empty label" },
		{ "mail.sender.example..", "empty label" },
		{ "my_host.sender.example", "an underscore (helo.allow_underscore)" },
		{ "-mail.sender.example", "hyphen" },
		{ "mail-.sender.example", "hyphen" },
		{ "mail.sender.example-", "hyphen" },
		{ "mail.sender.123", "last label is a number" },
		{ "mail.sender.123.", "last label is a number" },
		{ "mail.sender.12a", NULL },
		{ "123.456", "last label is a number" },
		{ "12345", "last label is a number" },
		{ "ma il.sender.example", "a character that no host name has" },
		{ "mail.sender.example:25", "a character that no host name has" },
		{ "m\xc3\xbcller.example", "a character that no host name has" },
		{ "mail%s.sender.example", "a character that no host name has" },
		{ "mail\x01.sender.example", "a character that no host name has" },
	};
	struct fixture *f = fixture_new("hostname = \"mx1.example.net\"  own_ips = { \"192.0.2.25\" }");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fixture_forget(f);
		greet(f, cases[i].helo);
		fixture_expect(f, cases[i].helo, CLASS_HELO_INVALID, cases[i].detail);
		fixture_expect(f, cases[i].helo, CLASS_HELO_IS_US, NULL);
	}
	fixture_free(f);
}

static void options_widen_or_narrow_what_is_valid(void **state)
{
	static const struct { const char *conf, *helo, *detail; } cases[] = {
		{ "helo { allow_literal = false }", "[11.22.33.44]", "address literal (helo.allow_literal)" },
		{ "helo { allow_literal = false }", "mail.sender.example", NULL },
		{ "helo { allow_underscore = true }", "my_host.sender.example", NULL },
		{ "helo { allow_underscore = true }", "my host.sender.example", "a character" },
		{ "helo { allow_underscore = true }", "my_host", "not fully qualified" },
		{ "helo { allow_single_label = true }", "localhost", NULL },
		{ "helo { allow_single_label = true }", "12345", "last label is a number" },
		{ "helo { allow_single_label = true }", "11.22.33.44", "bare IP address" },
		{ "policy \"easy\" { helo { allow_single_label = true } }  domain \"example.com\" { policy = \"easy\" }", "localhost", NULL },
		{ "policy \"easy\" { helo { allow_single_label = true } }  domain \"example.org\" { policy = \"easy\" }", "localhost", "not fully qualified" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = fixture_new(cases[i].conf);

		greet(f, cases[i].helo);
		fixture_expect(f, cases[i].conf, CLASS_HELO_INVALID, cases[i].detail);
		fixture_free(f);
	}
}

static void trusted_and_silent_and_outbound_clients_are_not_judged(void **state)
{
	struct fixture *f = fixture_new("");

	(void)state;
	greet(f, NULL);
	assert_int_equal(f->t.found.n + f->s.found.n + f->t.found_rcpt.n, 0);
	f->s.trusted = true;
	greet(f, "11.22.33.44");
	fixture_expect(f, "trusted", CLASS_HELO_INVALID, NULL);
	f->s.trusted = false;
	fixture_login(f, "alice");
	greet(f, "laptop");
	fixture_expect(f, "logged in", CLASS_HELO_INVALID, NULL);
	f->t.outbound = false;
	greet(f, "laptop");
	fixture_expect(f, "a stranger", CLASS_HELO_INVALID, "HELO laptop: ");
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_greeting_with_our_name_or_address_is_reported),
		cmocka_unit_test(we_may_greet_with_our_own_name),
		cmocka_unit_test(greetings_that_are_no_name_and_no_literal_are_reported),
		cmocka_unit_test(options_widen_or_narrow_what_is_valid),
		cmocka_unit_test(trusted_and_silent_and_outbound_clients_are_not_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
