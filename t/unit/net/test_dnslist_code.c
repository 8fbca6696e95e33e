/* test_dnslist_code.c - codes of DNS lists: every form that may be written, what each matches, what is refused and how */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <talloc.h>

#include "net/dnslist.h"

static uint32_t address(const char *text)
{
	struct ip ip;

	assert_true(ip_parse(text, &ip));
	return (uint32_t)ip.addr[0] << 24 | (uint32_t)ip.addr[1] << 16 | (uint32_t)ip.addr[2] << 8 | ip.addr[3];
}

static bool matches(const char *code, const char *text)
{
	const char *const list[] = { code, NULL };
	TALLOC_CTX *mem = talloc_new(NULL);
	struct dnslist_codes codes = dnslist_codes_parse(mem, list);
	uint32_t a = address(text);
	bool yes = dnslist_codes_match(&codes, &a, 1);

	talloc_free(mem);
	return yes;
}

static void every_form_matches_what_it_says(void **state)
{
	static const struct { const char *code, *yes[6], *no[6]; } cases[] = {
		{ "127.0.0.2", { "127.0.0.2" }, { "127.0.0.3", "127.0.1.2", "127.1.0.2" } },
		{ "127.0.0.4/30", { "127.0.0.4", "127.0.0.5", "127.0.0.7" }, { "127.0.0.3", "127.0.0.8", "127.0.1.4" } },
		{ "127.0.0.10/31", { "127.0.0.10", "127.0.0.11" }, { "127.0.0.9", "127.0.0.12" } },
		{ "127.0.0.0/8", { "127.0.0.2", "127.255.255.255", "127.128.3.4" }, { "126.255.255.255", "128.0.0.0" } },
		{ "127.0.0.0/9", { "127.127.0.2" }, { "127.128.0.2" } },
		{ "127.0.8.0/22", { "127.0.8.1", "127.0.11.255" }, { "127.0.12.0", "127.0.7.255" } },
		{ "127.0.[0..255].[2;3]", { "127.0.0.2", "127.0.255.3" }, { "127.0.0.4", "127.1.0.2" } },
		{ "127.0.[2..20].[1..3]", { "127.0.2.1", "127.0.20.3", "127.0.15.2" }, { "127.0.1.1", "127.0.21.1", "127.0.5.0", "127.0.5.4" } },
		{ "127.0.0.[2;4..7;9]", { "127.0.0.2", "127.0.0.4", "127.0.0.7", "127.0.0.9" }, { "127.0.0.3", "127.0.0.8" } },
		{ "127.[0].[0].[10..11]", { "127.0.0.10" }, { "127.0.0.12" } },
		{ "&88", { "127.0.0.8", "127.0.0.16", "127.0.0.64", "127.0.0.80", "127.0.0.255" }, { "127.0.0.2", "127.0.0.4", "127.0.0.32", "127.0.0.128" } },
		{ "&1", { "127.0.0.3" }, { "127.0.0.2" } },
		{ "::ffff:127.0.0.2", { "127.0.0.2" }, { "127.0.0.3" } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (dnslist_code_check(cases[i].code) != NULL)
			fail_msg("%s: %s", cases[i].code, dnslist_code_check(cases[i].code));
		for (size_t k = 0; k < 6 && cases[i].yes[k] != NULL; k++)
			if (!matches(cases[i].code, cases[i].yes[k]))
				fail_msg("%s does not match %s", cases[i].code, cases[i].yes[k]);
		for (size_t k = 0; k < 6 && cases[i].no[k] != NULL; k++)
			if (matches(cases[i].code, cases[i].no[k]))
				fail_msg("%s matches %s", cases[i].code, cases[i].no[k]);
	}
}

static void what_is_no_code_is_told_why(void **state)
{
	static const struct { const char *code, *want; } cases[] = {
		{ "", "write an address or network" }, { "xbl", "write an address or network" }, { "127.0.0", "write an address or network" }, { "127.0.0.256", "write an address or network" }, { "127.0.0.4/33", "write an address or network" }, { "::1", "write an address or network" },
		{ "127.0.0.4/30 ", "write an address or network" }, { "127.0.0.[2", "write an address or network" }, { "127.0.0.[]", "write an address or network" }, { "127.0.0.[2;]", "write an address or network" }, { "127.0.0.[3..2]", "write an address or network" },
		{ "127.0.0.[2..]", "write an address or network" }, { "127.0.0.[2;3]x", "write an address or network" }, { "127.0.0.[2;3].4", "write an address or network" }, { "127.0.[2;3]", "write an address or network" }, { "127.0.0.[256]", "write an address or network" },
		{ "127.0.0.[02]", "write an address or network" }, { "127.0.0.[-1]", "write an address or network" }, { "[127;128].0.0.2;", "write an address or network" },
		{ "127.0.0.5/30", "make them zero" },
		{ "10.0.0.1", "outside 127.0.0.0/8 is ever" }, { "126.0.0.0/7", "outside" }, { "0.0.0.0/0", "outside" }, { "[126..127].0.0.2", "outside" },
		{ "127.0.0.1", "never a listing" }, { "127.255.255.254", "never a listing" }, { "127.255.0.0/16", "never a listing" }, { "127.255.[0..3].[2]", "never a listing" },
		{ "&", "from 1 to 255" }, { "&0", "from 1 to 255" }, { "&256", "from 1 to 255" }, { "&8 ", "from 1 to 255" }, { "&-1", "from 1 to 255" }, { "&x", "from 1 to 255" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *got = dnslist_code_check(cases[i].code);

		if (got == NULL || strstr(got, cases[i].want) == NULL)
			fail_msg("\"%s\": %s", cases[i].code, got != NULL ? got : "accepted");
		if (cases[i].code[0] != '\0')
			assert_false(matches(cases[i].code, "127.0.0.2") && strstr(cases[i].want, "write an address") != NULL);
	}
}

static void any_of_several_codes_and_answers_is_enough(void **state)
{
	const char *const list[] = { "127.0.0.2", "nonsense", "&16", NULL }, *const nothing[] = { NULL };
	uint32_t addresses[] = { 0x7f000003, 0x7f000050 };
	TALLOC_CTX *mem = talloc_new(NULL);
	struct dnslist_codes codes = dnslist_codes_parse(mem, list), none = dnslist_codes_parse(mem, nothing);

	(void)state;
	assert_int_equal(codes.n, 2);
	assert_true(dnslist_codes_match(&codes, addresses, 2));
	assert_false(dnslist_codes_match(&codes, addresses, 1));
	assert_false(dnslist_codes_match(&codes, addresses, 0));
	assert_false(dnslist_codes_match(&none, addresses, 2));
	talloc_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_matches_what_it_says),
		cmocka_unit_test(what_is_no_code_is_told_why),
		cmocka_unit_test(any_of_several_codes_and_answers_is_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
