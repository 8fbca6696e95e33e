/* test_table_pcre.c - Postfix's pcre tables, with limits */
#include "unit/policy/table_help.h"

#include "util/clock.h"

static void the_first_line_that_matches_answers(void **state)
{
	static const struct {
		const char *text, *key, *want;
	} cases[] = {
		{ "/foo/ one\n/fo/ two\n", "foo", "one" },
		{ "/foo/ one\n/fo/ two\n", "fog", "two" },
		{ "/foo/ one\n/fo/ two\n", "bar", NULL },
		{ "/^a@b\\.example$/\n", "a@b.example", "" },
		{ "/FOO/ x\n", "foo", "x" },
		{ "/FOO/i x\n", "foo", NULL },                         /* i toggles, as in Postfix: keys are lower case */
		{ "/foo/i x\n", "FOO", "x" },
		{ "!/foo/ x\n", "bar", "x" },
		{ "!/foo/ x\n", "foo", NULL },
		{ "! /foo/ x\n", "bar", "x" },
		{ "/a.b/ x\n", "a\nb", "x" },
		{ "/a.b/s x\n", "a\nb", NULL },
		{ "/^b/ x\n", "a\nb", NULL },
		{ "/^b/m x\n", "a\nb", "x" },
		{ "/ a b c /x x\n", "abc", "x" },
		{ "/a b/ x\n", "a b", "x" },
		{ "/a\\/b/ x\n", "a/b", "x" },
		{ ",a/b, x\n", "a/b", "x" },
		{ "/a/ \t two  words \r\n", "a", "two  words" },
		{ "/a/ x # no comment here\n", "a", "x # no comment here" },
		{ "# /a/ x\n/b/ y\n", "a", NULL },
		{ "/^gr\xc3\xbc.$/ x\n", "gr\xc3\xbc\xc3\x9f", "x" },   /* . is a character, not a byte */
		{ "/b/ x\n", "\xff" "b", "x" },                        /* what is not UTF-8 is no error */
		{ "/^.$/ x\n", "\xff", NULL },
	};
	struct table_set *set = table_set_new_still(NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct table *table;

		write_file("pcre", cases[i].text);
		table = open_table(set, "pcre:pcre");
		assert_key(table, cases[i].key, cases[i].want);
		table_close(table);
	}
	table_set_free(set);
}

static void values_take_what_the_groups_took(void **state)
{
	static const struct {
		const char *text, *key, *want;
	} cases[] = {
		{ "/^(.*)@(.*)$/ $2/$1\n", "a@b.example", "b.example/a" },
		{ "/^(.*)@(.*)$/ ${1}x$(2)y\n", "a@b", "axby" },
		{ "/(a)/ $$1 costs $$\n", "a", "$1 costs $" },
		{ "/(a)|(b)/ <$1$2>\n", "b", "<b>" },
		{ "/(a)?b/ <$1>\n", "b", "<>" },
		{ "/(a)(b)(c)(d)(e)(f)(g)(h)(i)/ $9$8$7$6$5$4$3$2$1\n", "abcdefghi", "ihgfedcba" },
		{ "/(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)/ $9\n", "abcdefghijk", "i" },
		{ "/(a)/ $1$1$1\n", "a", "aaa" },
		{ "!/a/ $$\n", "b", "$" },
		{ "/(.*)/ [$1]\n", "", "[]" },
	};
	struct table_set *set = table_set_new_still(NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct table *table;

		write_file("pcre", cases[i].text);
		table = open_table(set, "pcre:pcre");
		assert_key(table, cases[i].key, cases[i].want);
		table_close(table);
	}
	table_set_free(set);
}

static void wrong_lines_are_refused_with_file_line_and_place(void **state)
{
	static const char dollar[] = "after $ a group is expected: write $1 to $9, ${1} or $(1), and $$ for the character itself";
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "/a/\n/(b/ x\n", "missing closing parenthesis (at offset 2 of the pattern)" },
		{ "\n/[a/ x\n", "missing terminating ] for character class (at offset 2 of the pattern)" },
		{ "\n/a\n", "the pattern has no closing /" },
		{ "\n/a\\/\n", "the pattern has no closing /" },
		{ "\n/a/iZ x\n", "the flag \"Z\" is not known: use i, m, s or x, and a blank before the value" },
		{ "\nexample.com x\n", "a pattern is expected: write /re/flags VALUE" },
		{ "\nif /a/\n/b/\nendif\n", "if and endif are not known here: write the condition into each pattern, as /^(?=.*condition).*pattern/" },
		{ "\nendif\n", "if and endif are not known here: write the condition into each pattern, as /^(?=.*condition).*pattern/" },
		{ "\n/(a)/ $2\n", "the value refers to a group that the pattern does not have" },
		{ "\n!/(a)/ $1\n", "a pattern with ! has no groups to take $1 from" },
		{ "\n/(a)/ $0\n", dollar },
		{ "\n/(a)/ x$\n", dollar },
		{ "\n/(a)/ ${1\n", dollar },
		{ "\n/(a)/ $(1}\n", dollar },
		{ "\n/(a)/ $12\n", dollar },
		{ "\n/(a)/ $name\n", dollar },
		{ "\n/\xff/ x\n", "UTF-8 error: illegal byte (0xfe or 0xff) (at offset 0 of the pattern)" },
	};
	struct table_set *set = table_set_new_still(NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char want[300];

		write_file("pcre", cases[i].text);
		snprintf(want, sizeof(want), "pcre:2: %s", cases[i].error);
		assert_open_fails(set, "pcre:pcre", want);
	}
	table_set_free(set);
}

static void a_pattern_that_runs_wild_is_not_decided(void **state)
{
	struct table_set *set = table_set_new_still(NULL);
	struct table *table;
	const char *value = NULL;
	TALLOC_CTX *mem = talloc_new(NULL);
	int64_t begun;

	(void)state;
	write_file("pcre", "/^(a+)+$/ wild\n/^a/ tame\n");
	table = open_table(set, "pcre:pcre");
	begun = clock_mono();
	assert_int_equal(table_lookup(table, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", mem, &value), ANSWER_UNAVAILABLE);
	assert_true(clock_mono() - begun < 1000000);
	/* only that one look-up */
	assert_key(table, "aaa", "wild");
	assert_key(table, "ab", "tame");
	table_close(table);
	talloc_free(mem);
	table_set_free(set);
}

static void a_long_key_does_not_run_out_of_stack(void **state)
{
	struct table_set *set = table_set_new_still(NULL);
	struct table *table;
	char key[1001];

	(void)state;
	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	write_file("pcre", "/^(?:(.)|\\n)*$/ all\n");
	table = open_table(set, "pcre:pcre");
	assert_key(table, key, "all");
	table_close(table);
	table_set_free(set);
}

static void addresses_are_asked_as_a_whole_and_as_text(void **state)
{
	struct table_set *set = table_set_new_still(NULL);
	const struct address address = { "User@Mail.example", "User", "mail.example" }, null = { "", "", "" };
	struct table *table;
	const char *value = NULL;
	TALLOC_CTX *mem = talloc_new(NULL);

	(void)state;
	write_file("pcre", "/^mail\\.example$/ domain\n/^@/ at\n/^user@mail\\.example$/ whole\n/^<>$/ null\n/^192\\.0\\.2\\./ text\n");
	table = open_table(set, "pcre:pcre");
	assert_answer(table_lookup_address(table, &address, mem, &value), &value, "whole", "address");
	assert_answer(table_lookup_address(table, &null, mem, &value), &value, "null", "<>");
	assert_answer(table_lookup_domain(table, "mail.example", mem, &value), &value, "domain", "domain");
	assert_answer(table_lookup_domain(table, "a.mail.example", mem, &value), &value, NULL, "subdomain");
	assert_ip(table, "192.0.2.9", "text");
	assert_ip(table, "198.51.100.1", NULL);
	table_close(table);
	talloc_free(mem);
	table_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_line_that_matches_answers),
		cmocka_unit_test(values_take_what_the_groups_took),
		cmocka_unit_test(wrong_lines_are_refused_with_file_line_and_place),
		cmocka_unit_test(a_pattern_that_runs_wild_is_not_decided),
		cmocka_unit_test(a_long_key_does_not_run_out_of_stack),
		cmocka_unit_test(addresses_are_asked_as_a_whole_and_as_text),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
