/* test_table_cidr.c - Postfix's cidr tables */
#include "unit/policy/table_help.h"

static void the_first_line_that_holds_the_address_answers(void **state)
{
	static const struct {
		const char *ip, *want;
	} cases[] = {
		{ "192.0.2.1", "first" },          /* before the wider network: it answers */
		{ "192.0.2.2", "OK, allowed" },
		{ "192.0.2.9", "OK, allowed" },    /* behind the wider network: never reached, as in Postfix */
		{ "10.1.2.3", "ten" },
		{ "10.9.9.9", "ten" },
		{ "2001:db8::1", "host" }, { "2001:db8::2", "" }, { "2001:db9::1", NULL }, { "198.51.100.1", NULL },
		{ "2001:db8:aaaa::1", "" },
		{ "fd00::1", "brackets" }, { "fe80::1", "brackets too" }, { "203.0.113.77", "with comment" },
	};
	struct table_set *set = table_set_new_still(NULL);
	struct table *table;

	(void)state;
	write_file("cidr", "# ours\n192.0.2.1 first\n192.0.2.0/24\tOK, allowed  \r\n192.0.2.9/32 never\n10.0.0.0/8 ten\n10.1.0.0/16 never\n\n"
		"2001:db8::1 host\n2001:db8::/32\n2001:db8:aaaa::/48 never\n[fd00::]/8 brackets\n[fe80::/10] brackets too\n203.0.113.0/24 with comment # see above\n");
	table = open_table(set, "cidr:cidr");
	assert_false(table_is_empty(table));
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_ip(table, cases[i].ip, cases[i].want);
		assert_key(table, cases[i].ip, cases[i].want);
	}
	assert_key(table, "example.com", NULL);
	assert_key(table, "192.0.2.0/24", NULL);
	table_close(table);
	table_set_free(set);
}

static void wrong_lines_are_refused(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "192.0.2.0/24\n192.0.2.1/24 x\n", "cidr:2: 192.0.2.1/24 has host bits: write 192.0.2.0/24" },
		{ "example.com x\n", "cidr:1: \"example.com\" is no address or network: write it as 192.0.2.0/24, 2001:db8::/32 or a lone address" },
		{ "192.0.2 x\n", "cidr:1: \"192.0.2\" is no address or network: write it as 192.0.2.0/24, 2001:db8::/32 or a lone address" },
		{ "!192.0.2.0/24 x\n", "cidr:1: patterns with ! are not known here: write the exceptions in lines before the network that holds them" },
		{ "if 192.0.2.0/24\n", "cidr:1: if and endif are not known here: write each network in a line of its own, the first one that matches answers" },
		{ "192.0.2.0/24\nendif\n", "cidr:2: if and endif are not known here: write each network in a line of its own, the first one that matches answers" },
		{ "[192.0.2.0 x\n", "cidr:1: \"[192.0.2.0\" is no address or network: write it as 192.0.2.0/24, 2001:db8::/32 or a lone address" },
	};
	struct table_set *set = table_set_new_still(NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		write_file("cidr", cases[i].text);
		assert_open_fails(set, "cidr:cidr", cases[i].error);
	}
	table_set_free(set);
}

static void address_keys_are_asked_as_a_whole_only(void **state)
{
	struct table_set *set = table_set_new_still(NULL);
	const struct address address = { "a@192.0.2.1", "a", "192.0.2.1" };
	struct table *table;

	(void)state;
	write_file("cidr", "0.0.0.0/0\n");
	table = open_table(set, "cidr:cidr");
	assert_int_equal(table_lookup_address(table, &address, NULL, NULL), ANSWER_NO);
	table_close(table);
	table_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_line_that_holds_the_address_answers),
		cmocka_unit_test(wrong_lines_are_refused),
		cmocka_unit_test(address_keys_are_asked_as_a_whole_only),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
