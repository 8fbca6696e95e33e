/* test_domain.c - names of domains: validity, A-labels, the tree, public suffixes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "util/domain.h"

static const char l63[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

static void domains_have_labels_of_1_to_63_octets(void **state)
{
	char name[400];

	(void)state;
	assert_true(domain_valid("a.b", 2));
	assert_true(domain_valid("a.b.", 2));
	assert_true(domain_valid("a", 1));
	assert_false(domain_valid("a", 2));
	assert_false(domain_valid("a.", 2));
	assert_false(domain_valid("", 1));
	assert_false(domain_valid(".", 1));
	assert_false(domain_valid(".a.b", 1));
	assert_false(domain_valid("a..b", 1));
	assert_false(domain_valid("a.b..", 1));
	snprintf(name, sizeof(name), "%s.b", l63);
	assert_true(domain_valid(name, 2));
	snprintf(name, sizeof(name), "%sa.b", l63);
	assert_false(domain_valid(name, 2));
	snprintf(name, sizeof(name), "%s.%s.%s.%.61s", l63, l63, l63, l63);
	assert_int_equal(strlen(name), 253);
	assert_true(domain_valid(name, 2));
	snprintf(name, sizeof(name), "%s.%s.%s.%.62s", l63, l63, l63, l63);
	assert_false(domain_valid(name, 2));
}

static void a_domain_becomes_a_labels_in_lower_case(void **state)
{
	static const struct { const char *in, *out; } cases[] = {
		{ "Example.COM", "example.com" },
		{ "example.com.", "example.com" },
		{ "_dmarc.example.com", "_dmarc.example.com" },
		{ "xn--bcher-kva.example", "xn--bcher-kva.example" },
		{ "b\xc3\xbc""cher.example", "xn--bcher-kva.example" },
		{ "B\xc3\x9c""CHER.example", "xn--bcher-kva.example" },
		{ "stra\xc3\x9f""e.example", "xn--strae-oqa.example" },          /* nontransitional: not strasse */
		{ "a\xe3\x80\x82""example", "a.example" },                         /* ideographic full stop */
		{ "", NULL }, { ".", NULL }, { "a..b", NULL }, { ".a", NULL }, { "a.b..", NULL },
		{ "[192.0.2.1]", NULL }, { "a b.example", NULL }, { "a@b.example", NULL }, { "a\\.b", NULL }, { "a\x01.b", NULL }, { "a%b.example", NULL },
		{ "a\xff.example", NULL }, { "\xc3.example", NULL }, { "a\xe2\x80\x8b\x20.example", NULL },
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	char name[1500];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *out = domain_ascii(mem, cases[i].in);

		if ((out == NULL) != (cases[i].out == NULL) || (out != NULL && strcmp(out, cases[i].out) != 0))
			fail_msg("%s: %s, not %s", cases[i].in, out != NULL ? out : "none", cases[i].out != NULL ? cases[i].out : "none");
	}
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_null(domain_ascii(mem, name));
	snprintf(name, sizeof(name), "%sb.example", l63);
	assert_null(domain_ascii(mem, name));
	talloc_free(mem);
}

static void below_needs_a_dot(void **state)
{
	(void)state;
	assert_true(domain_within("example.com", "example.com"));
	assert_true(domain_within("A.Example.com", "example.COM"));
	assert_false(domain_within("aexample.com", "example.com"));
	assert_false(domain_within("com", "example.com"));
	assert_false(domain_within("example.com", ""));
	assert_false(domain_within("example.com", "example.org"));
}

static void labels_are_counted_and_taken_from_the_right(void **state)
{
	static const char name[] = "a.b.c.example.com";

	(void)state;
	assert_int_equal(domain_labels("com"), 1);
	assert_int_equal(domain_labels(name), 5);
	assert_string_equal(domain_last_labels(name, 1), "com");
	assert_string_equal(domain_last_labels(name, 3), "c.example.com");
	assert_ptr_equal(domain_last_labels(name, 5), name);
	assert_ptr_equal(domain_last_labels(name, 9), name);
}

static void a_registrable_name_lies_one_below_a_public_suffix(void **state)
{
	struct suffix_list *list = suffix_list_new(NULL);

	(void)state;
	assert_non_null(list);
	assert_string_equal(suffix_list_registrable(list, "a.b.example.com"), "example.com");
	assert_string_equal(suffix_list_registrable(list, "example.com"), "example.com");
	assert_string_equal(suffix_list_registrable(list, "www.example.co.uk"), "example.co.uk");
	assert_string_equal(suffix_list_registrable(list, "a.unlisted-top"), "a.unlisted-top");
	assert_null(suffix_list_registrable(list, "co.uk"));
	assert_null(suffix_list_registrable(list, "com"));
	assert_null(suffix_list_registrable(list, "unlisted-top"));
	talloc_free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domains_have_labels_of_1_to_63_octets),
		cmocka_unit_test(a_domain_becomes_a_labels_in_lower_case),
		cmocka_unit_test(below_needs_a_dot),
		cmocka_unit_test(labels_are_counted_and_taken_from_the_right),
		cmocka_unit_test(a_registrable_name_lies_one_below_a_public_suffix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
