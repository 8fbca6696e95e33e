/* test_spf_syntax.c - the grammar of SPF records: what is one, what breaks it, what is read */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/spf_private.h"

static const char *const good[] = {
	"v=spf1", "v=spf1 ", "V=SPF1  -ALL  ", "v=spf1 all", "v=spf1 +all -all ~all ?all", "v=spf1 a", "v=spf1 A/0 a/32 a//0 a//128 a/24//64", "v=spf1 a:example.com", "v=spf1 a:example.com.",
	"v=spf1 a:example.com/24//64", "v=spf1 a:example.com/24.example.org", "v=spf1 mx mx/24 mx:b.example//7 -mx:x.y", "v=spf1 ptr ptr:example.com", "v=spf1 include:example.com",
	"v=spf1 exists:%{i}.%{s1}.100/86400.rate.%{d}", "v=spf1 ip4:0.0.0.0/0 ip4:255.255.255.255 ip4:1.2.3.4/32", "v=spf1 ip6:::/0 ip6:::1 ip6:2001:DB8::1.2.3.4/128 ip6:1:2:3:4:5:6:7:8",
	"v=spf1 redirect=example.com", "v=spf1 REDIRECT=%{d}", "v=spf1 exp=example.com redirect=x.example -all", "v=spf1 moo=", "v=spf1 moo= moo=", "v=spf1 a.b-c_9=%{d2r.+-}%%%_%-!~", "v=spf1 a=1.2.3.4 all=x include=",
	"v=spf1 a:%{d}", "v=spf1 a:%%", "v=spf1 a:%{S99R+-,/_=.}", "v=spf1 a:foo.1-2", "v=spf1 a:foo.1a", "v=spf1 a:!#$&'()*.example", "v=spf1 a:example.com/24/x.y", "v=spf1 a:x..example", "v=spf1 exists:a=b.com",
	"v=spf1 a:%{h007}", "v=spf1 a:x.c--d",
};

static const char *const bad[] = {
	"v=spf1 foo", "v=spf1 al", "v=spf1 allx", "v=spf1 all:x", "v=spf1 all/8", "v=spf1 -", "v=spf1 --all", "v=spf1 *all", "v=spf1 .", "v=spf1 =x", "v=spf1 1x=y", "v=spf1 +redirect=x.example",
	"v=spf1 a:", "v=spf1 a:/24", "v=spf1 a/", "v=spf1 a//", "v=spf1 a/33", "v=spf1 a/024", "v=spf1 a/-1", "v=spf1 a//129", "v=spf1 a//0128", "v=spf1 a/24/64", "v=spf1 a///64", "v=spf1 a/24//64//1", "v=spf1 a/24/", "v=spf1 ab",
	"v=spf1 a:example", "v=spf1 a:1.2.3.4", "v=spf1 a:x.example-", "v=spf1 a:x.-example", "v=spf1 a:x.exam_ple", "v=spf1 a:x.", "v=spf1 a:.", "v=spf1 a:..", "v=spf1 a:x.y..", "v=spf1 a:example.com:8080",
	"v=spf1 include", "v=spf1 include:", "v=spf1 include:x.example/24", "v=spf1 exists", "v=spf1 exists/24", "v=spf1 ptr/24", "v=spf1 ptr:", "v=spf1 mx:", "v=spf1 mx:x.example/",
	"v=spf1 ip4", "v=spf1 ip4:", "v=spf1 ip4:1.2.3", "v=spf1 ip4:1.2.3.4.5", "v=spf1 ip4:1.2.3.256", "v=spf1 ip4:01.2.3.4", "v=spf1 ip4:1.2.3.4/33", "v=spf1 ip4:1.2.3.4/", "v=spf1 ip4:1.2.3.4//32", "v=spf1 ip4:1.2.3.4/08",
	"v=spf1 ip4:::1", "v=spf1 ip4/24:1.2.3.4", "v=spf1 ip4=1.2.3.4 ip4:", "v=spf1 ip6", "v=spf1 ip6:", "v=spf1 ip6:1.2.3.4", "v=spf1 ip6:::1/129", "v=spf1 ip6:::1//64", "v=spf1 ip6:12345::", "v=spf1 ip6:1::2::3", "v=spf1 ip6:fe80::1%eth0",
	"v=spf1 redirect=", "v=spf1 redirect=x", "v=spf1 redirect:x.example", "v=spf1 redirect=x.example redirect=x.example", "v=spf1 redirect=x.example Redirect=y.example", "v=spf1 exp=", "v=spf1 exp=a.example exp=a.example",
	"v=spf1 a:%", "v=spf1 a:%{", "v=spf1 a:%{}", "v=spf1 a:%{x}", "v=spf1 a:%{d", "v=spf1 a:%(d)", "v=spf1 a:%{d0}", "v=spf1 a:%{d000}.x", "v=spf1 a:%{dr2}", "v=spf1 a:%{d*}", "v=spf1 a:%{c}", "v=spf1 exp=%{r}", "v=spf1 x=%{t}", "v=spf1 x=%", "v=spf1 a:%a",
	"v=spf1 a\t", "v=spf1\ta -all", "v=spf1 a:x\x80.example", "v=spf1 x=\x7f", "v=spf1 -all\n", "v=spf1 -all,", "v=spf1 a;", "v=spf1 ip4:1.2.3.4, -all", "v=spf1 \"a\"",
};

static void records_of_the_grammar_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct spf_record record;
		const char *problem;

		if (!spf_is_record(good[i]) || !spf_parse(mem, good[i], &record, &problem))
			fail_msg("\"%s\" was refused", good[i]);
		talloc_free(mem);
	}
}

static void all_others_are_refused_with_the_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct spf_record record;
		const char *problem;

		if (spf_is_record(bad[i]) && spf_parse(mem, bad[i], &record, &problem))
			fail_msg("\"%s\" was taken", bad[i]);
		if (spf_is_record(bad[i]))
			assert_non_null(strstr(problem, "syntax error at \""));
		talloc_free(mem);
	}
}

static void only_version_1_followed_by_a_blank_is_a_record(void **state)
{
	static const struct { const char *text; bool is; } cases[] = {
		{ "v=spf1", true }, { "V=sPf1", true }, { "v=spf1 ", true }, { "v=spf1 anything \x01", true }, { "v=spf10", false }, { "v=spf1\ta", false }, { "v=spf1-all", false }, { " v=spf1", false },
		{ "v=spf2", false }, { "spf1", false }, { "", false }, { "v=spf", false }, { "v=spf1.", false }, { "\"v=spf1 -all\"", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (spf_is_record(cases[i].text) != cases[i].is)
			fail_msg("\"%s\"", cases[i].text);
}

static void terms_are_read_with_all_their_parts(void **state)
{
	static const char text[] = "v=spf1 -A:x.example/24//64 ~ip4:192.0.2.1/28  ?ip6:2001:db8::/32 redirect=r.example mx ALL exp=e.example";
	TALLOC_CTX *mem = talloc_new(NULL);
	struct spf_record r;
	const char *problem;

	(void)state;
	assert_true(spf_parse(mem, text, &r, &problem));
	assert_int_equal(r.n, 5);
	assert_int_equal(r.terms[0].mechanism, SPF_MECH_A);
	assert_int_equal(r.terms[0].qualifier, '-');
	assert_memory_equal(r.terms[0].spec, "x.example/", 10);
	assert_int_equal(r.terms[0].spec_len, 9);
	assert_int_equal(r.terms[0].bits4, 24);
	assert_int_equal(r.terms[0].bits6, 64);
	assert_memory_equal(r.terms[0].text, "-A:x.example/24//64 ", r.terms[0].text_len + 1);
	assert_int_equal(r.terms[1].mechanism, SPF_MECH_IP4);
	assert_int_equal(r.terms[1].bits4, 28);
	assert_int_equal(r.terms[1].ip.addr[3], 1);
	assert_int_equal(r.terms[2].qualifier, '?');
	assert_int_equal(r.terms[2].bits6, 32);
	assert_int_equal(r.terms[3].mechanism, SPF_MECH_MX);
	assert_null(r.terms[3].spec);
	assert_int_equal(r.terms[3].bits4, 32);
	assert_int_equal(r.terms[3].bits6, 128);
	assert_int_equal(r.terms[3].qualifier, '+');
	assert_int_equal(r.terms[4].mechanism, SPF_MECH_ALL);
	assert_true(r.has_all);
	assert_memory_equal(r.redirect, "r.example ", 10);
	assert_int_equal(r.redirect_len, 9);
	talloc_free(mem);
}

static void a_record_of_64_kib_is_read_and_a_longer_one_is_not(void **state)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	char *text = talloc_array(mem, char, 70000);
	const char *problem;
	struct spf_record r;
	size_t n = (size_t)sprintf(text, "v=spf1");

	(void)state;
	while (n + 12 <= SPF_RECORD_MAX)
		n += (size_t)sprintf(text + n, " ip4:1.2.3.4");
	assert_true(spf_parse(mem, text, &r, &problem));
	assert_int_equal(r.n, (n - 6) / 12);
	sprintf(text + n, " ip4:1.2.3.4");
	assert_false(spf_parse(mem, text, &r, &problem));
	talloc_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_of_the_grammar_are_read),
		cmocka_unit_test(all_others_are_refused_with_the_place),
		cmocka_unit_test(only_version_1_followed_by_a_blank_is_a_record),
		cmocka_unit_test(terms_are_read_with_all_their_parts),
		cmocka_unit_test(a_record_of_64_kib_is_read_and_a_longer_one_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
