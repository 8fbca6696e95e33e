/* test_spf_macro.c - macros: the vectors of RFC 7208 section 7.4, transformers, escapes, the limit of 253 octets */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/spf_private.h"

static struct spf_macros macros(const char *client)
{
	struct spf_macros m = { .local = "strong-bad", .sender_domain = "email.example.com", .domain = "email.example.com", .helo = "mx.example.org" };

	assert_true(ip_parse(client, &m.client));
	return m;
}

static void expect(const struct spf_macros *m, const char *spec, const char *want)
{
	char *got;

	if (!spf_macro_valid(spec, strlen(spec), false))
		fail_msg("\"%s\" is refused", spec);
	got = spf_macro_expand(NULL, m, spec, strlen(spec));
	if (strcmp(got, want) != 0)
		fail_msg("\"%s\" gives \"%s\", not \"%s\"", spec, got, want);
	talloc_free(got);
}

static void the_vectors_of_section_7_4_hold(void **state)
{
	static const char *const four[][2] = {
		{ "%{s}", "strong-bad@email.example.com" }, { "%{o}", "email.example.com" }, { "%{d}", "email.example.com" }, { "%{d4}", "email.example.com" }, { "%{d3}", "email.example.com" },
		{ "%{d2}", "example.com" }, { "%{d1}", "com" }, { "%{dr}", "com.example.email" }, { "%{d2r}", "example.email" }, { "%{l}", "strong-bad" }, { "%{l-}", "strong.bad" }, { "%{lr}", "strong-bad" },
		{ "%{lr-}", "bad.strong" }, { "%{l1r-}", "strong" }, { "%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com" }, { "%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com" },
		{ "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com" }, { "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com" },
		{ "%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net" },
	};
	struct spf_macros m = macros("192.0.2.3");

	(void)state;
	for (size_t i = 0; i < sizeof(four) / sizeof(four[0]); i++)
		expect(&m, four[i][0], four[i][1]);
	m = macros("2001:db8::cb01");
	expect(&m, "%{ir}.%{v}._spf.%{d2}", "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com");
}

static void transformers_split_reverse_and_keep(void **state)
{
	static const char *const cases[][2] = {
		{ "%{h}", "mx.example.org" }, { "%{H2R}", "example.mx" }, { "%{p}", "unknown" }, { "%{v}", "in-addr" }, { "%{v-}", "in.addr" }, { "%{v1-}", "addr" }, { "%{i}", "192.0.2.3" }, { "%{i2}", "2.3" }, { "%{i2r}", "0.192" },
		{ "%{o1r.}", "email" }, { "%{l.-}", "strong.bad" }, { "%{l+,/_=}", "strong-bad" }, { "%{s1}", "com" }, { "%{s-}", "strong.bad@email.example.com" }, { "%{d99999999999999999999999}", "email.example.com" },
		{ "%%", "%" }, { "%_", " " }, { "%-", "%20" }, { "a%%b%_c%-d", "a%b c%20d" }, { "%{d}.", "email.example.com" }, { "%{d}..", "email.example.com." }, { "%{L}", "strong-bad" }, { "%{S}", "strong-bad%40email.example.com" },
	};
	struct spf_macros m = macros("192.0.2.3");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(&m, cases[i][0], cases[i][1]);
	m.local = "a=b+c..d";
	expect(&m, "%{l}", "a=b+c..d");
	expect(&m, "%{l=+}", "a.b.c..d");
	expect(&m, "%{lr}", "d..a=b+c");
	expect(&m, "%{l2}", ".d");
	expect(&m, "%{L}", "a%3Db%2Bc..d");
	m.local = "\xff~_%";
	expect(&m, "%{L}", "%FF~_%25");
	m.local = "";
	expect(&m, "x%{l2r}y", "xy");
	m.validated = "mail.example.org";
	expect(&m, "%{p2}", "example.org");
}

static void labels_are_dropped_from_the_left_beyond_253_octets(void **state)
{
	struct spf_macros m = macros("192.0.2.3");
	char spec[900] = "", want[300] = "", *got;

	(void)state;
	for (int i = 0; i < 60; i++)
		strcat(spec, "abcdefghi.");
	strcat(spec, "%{d}");
	/* 17 octets of the domain, 23 labels of ten octets: 247 */
	for (int i = 0; i < 23; i++)
		strcat(want, "abcdefghi.");
	strcat(want, "email.example.com");
	expect(&m, spec, want);
	/* a local part beyond all bounds leaves its tail */
	m.local = talloc_zero_size(NULL, 100001);
	memset((char *)(uintptr_t)m.local, 'x', 100000);
	got = spf_macro_expand(NULL, &m, "%{l}.%{d}", 9);
	assert_string_equal(got, "email.example.com");
	talloc_free(got);
	got = spf_macro_expand(NULL, &m, "%{l}", 4);
	assert_false(domain_valid(got, 1));
	talloc_free(got);
	talloc_free((char *)(uintptr_t)m.local);
}

static void who_asks_for_p_is_known(void **state)
{
	static const struct { const char *spec; bool wants; } cases[] = {
		{ "%{p}", true }, { "x.%{P2r-}.y", true }, { "%%{p}", false }, { "%{d}.p", false }, { "%%%{p}", true }, { "%_{p}", false }, { "", false }, { "%", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (spf_macro_wants_name(cases[i].spec, strlen(cases[i].spec)) != cases[i].wants)
			fail_msg("%s", cases[i].spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_section_7_4_hold),
		cmocka_unit_test(transformers_split_reverse_and_keep),
		cmocka_unit_test(labels_are_dropped_from_the_left_beyond_253_octets),
		cmocka_unit_test(who_asks_for_p_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
