/* test_table_inline.c - tables within the configuration */
#include "unit/policy/table_help.h"

static void entries_are_keys_with_or_without_values(void **state)
{
	static const struct {
		const char *spec, *key, *want;
	} cases[] = {
		{ "inline:a", "a", "" },
		{ "inline:a", "A", "" },
		{ "inline:Some.Key", "some.key", "" },
		{ "inline: a , b = 1 ,c=2", "a", "" },
		{ "inline: a , b = 1 ,c=2", "b", "1" },
		{ "inline: a , b = 1 ,c=2", "c", "2" },
		{ "inline: a , b = 1 ,c=2", "b ", NULL },
		{ "inline:a,,b,", "b", "" },
		{ "inline:a,,b,", "", NULL },
		{ "inline:a=", "a", "" },
		{ "inline:remote.example=[127.0.0.1]:2526", "remote.example", "[127.0.0.1]:2526" },
		{ "inline:k=a=b", "k", "a=b" },
		{ "inline:k=Value Of Two", "k", "Value Of Two" },
		{ "inline:\n\ta,\n\tb\n", "b", "" },
		{ "inline:two words=1", "two words", "1" },
		{ "inline:a,a", "a", "" },
		{ "inline:a=1, A=1", "a", "1" },
		{ "inline:<>", "<>", "" },
		{ "inline:a#b", "a#b", "" },
	};
	struct table_set *set = table_set_new_still(NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct table *table = open_table(set, cases[i].spec);

		assert_key(table, cases[i].key, cases[i].want);
		assert_false(table_is_empty(table));
		table_close(table);
	}
	table_set_free(set);
}

static void wrong_entries_are_refused(void **state)
{
	static const struct {
		const char *spec, *error;
	} cases[] = {
		{ "inline:a, =b", "inline: entry 2: a key is missing before =" },
		{ "inline:a=1, b, A=2", "inline: entry 3: \"a\" stands there a second time, with another value than in inline: entry 1: keep one of them" },
		{ "inline:192.0.2.1/24", "inline: entry 1: 192.0.2.1/24 has host bits: write 192.0.2.0/24" },
		{ "inline:2001:db8::1/32=x", "inline: entry 1: 2001:db8::1/32 has host bits: write 2001:db8::/32" },
		{ "inline:192.0.2.0/33", "inline: entry 1: \"192.0.2.0/33\" is no address or network: write it as 192.0.2.0/24, 2001:db8::/32 or a lone address" },
		{ "inline:192.0.2.0/24x", "inline: entry 1: \"192.0.2.0/24x\" is no address or network: write it as 192.0.2.0/24, 2001:db8::/32 or a lone address" },
		{ "inline:192.0.2.1=a, 192.0.2.1/32=b", "inline: entry 2: \"192.0.2.1/32\" stands there a second time, with another value than in inline: entry 1: keep one of them" },
		{ "inline:2001:db8::1=a, x, 2001:DB8:0::1=b", "inline: entry 3: \"2001:db8:0::1\" stands there a second time, with another value than in inline: entry 1: keep one of them" },
	};
	struct table_set *set = table_set_new_still(NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_open_fails(set, cases[i].spec, cases[i].error);
	table_set_free(set);
}

static void the_narrowest_network_answers(void **state)
{
	static const struct {
		const char *ip, *want;
	} cases[] = {
		{ "10.1.2.3", "host" }, { "10.1.2.4", "24" }, { "10.1.3.4", "16" }, { "10.2.0.0", "8" }, { "11.0.0.0", NULL }, { "9.255.255.255", NULL },
		{ "2001:db8::1", "v6" }, { "2001:db8:1::1", "narrow" }, { "2001:db7::1", NULL }, { "::ffff:10.1.2.3", "host" }, { "127.0.0.1", "" },
	};
	struct table_set *set = table_set_new_still(NULL);
	struct table *table = open_table(set, "inline:10.0.0.0/8=8, 10.1.2.3=host, 10.1.2.0/24=24, 10.1.0.0/16=16, 2001:db8::/32=v6, 2001:db8:1::/48=narrow, 127.0.0.0/8");

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_ip(table, cases[i].ip, cases[i].want);
	/* as text only what stands there */
	assert_key(table, "10.1.2.3", "host");
	assert_key(table, "10.1.2.4", NULL);
	assert_key(table, "10.0.0.0/8", "8");
	table_close(table);
	table_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_keys_with_or_without_values),
		cmocka_unit_test(wrong_entries_are_refused),
		cmocka_unit_test(the_narrowest_network_answers),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
