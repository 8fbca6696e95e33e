/* test_table_file.c - files of keys, one a line */
#include "unit/policy/table_help.h"

static void lines_are_read(void **state)
{
	static const struct {
		const char *text, *key, *want;
	} cases[] = {
		{ "a\n", "a", "" },
		{ "a", "a", "" },
		{ "a b c\n", "a", "b c" },
		{ "a\tb\n", "a", "b" },
		{ "a  \t b  \t\n", "a", "b" },
		{ "  a b\n", "a", "b" },
		{ "User@Example.COM OK\n", "user@example.com", "OK" },
		{ "user@example.com\n", "USER@example.com", "" },
		{ "a b\r\nc d\r\n", "a", "b" },
		{ "a b\r\nc d\r\n", "c", "d" },
		{ "a\r\n", "a", "" },
		{ "\r\n\n \t\n#a\n  # a\nb\n", "b", "" },
		{ "\r\n\n \t\n#a\n  # a\nb\n", "a", NULL },
		{ "\r\n\n \t\n#a\n  # a\nb\n", "#a", NULL },
		{ "a # comment\n", "a", "" },
		{ "a b # comment # more\n", "a", "b" },
		{ "a b\t#comment\n", "a", "b" },
		{ "a b#c\n", "a", "b#c" },
		{ "a#b\n", "a#b", "" },
		{ "\xef\xbb\xbf" "a\n", "a", "" },
		{ "\"John Smith\" john@example.com\n", "john smith", "john@example.com" },
		{ "\"a b\"@example.com x\n", "a b@example.com", "x" },
		{ "\"say \\\"hi\\\" \\\\\" x\n", "say \"hi\" \\", "x" },
		{ "\"a # b\" x\n", "a # b", "x" },
		{ "a \"b c\"\n", "a", "\"b c\"" },
		{ "gr\xc3\xbc\xc3\x9f X\n", "gr\xc3\xbc\xc3\x9f", "X" },
		{ "\xfc X\n", "\xfc", "X" },
		{ "a 1\na 1\n", "a", "1" },
		{ "example.com/path x\n", "example.com/path", "x" },
		{ "a=b c\n", "a=b", "c" },
		{ "1.5 c\n", "1.5", "c" },
		{ "12345 c\n", "12345", "c" },
		{ "* c\n", "*", "c" },
		{ "4.3.2.1.example c\n", "4.3.2.1.example", "c" },
		{ "", "a", NULL },
		{ "# nothing\n", "a", NULL },
	};
	struct table_set *set = table_set_new_still(NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct table *table;

		write_file("lines", cases[i].text);
		table = open_table(set, "file:lines");
		assert_key(table, cases[i].key, cases[i].want);
		table_close(table);
	}
	table_set_free(set);
}

static void wrong_lines_are_refused_with_file_line_and_remedy(void **state)
{
	static const struct {
		const char *text, *error;
		size_t n;
	} cases[] = {
		{ "a 1\n\nb\nA 2\n", "wrong:4: \"a\" stands there a second time, with another value than in wrong:1: keep one of them", 0 },
		{ "# x\n192.0.2.1/24\n", "wrong:2: 192.0.2.1/24 has host bits: write 192.0.2.0/24", 0 },
		{ "192.0.2.1\n192.0.2.300\n", "wrong:2: \"192.0.2.300\" is no address or network: write it as 192.0.2.0/24, 2001:db8::/32 or a lone address", 0 },
		{ "192.0.2 x\n", "wrong:1: \"192.0.2\" is no address or network: write it as 192.0.2.0/24, 2001:db8::/32 or a lone address", 0 },
		{ "192.0.2.* x\n", "wrong:1: \"192.0.2.*\" is no address or network: write it as 192.0.2.0/24, 2001:db8::/32 or a lone address", 0 },
		{ "2001:DB8:::1\n", "wrong:1: \"2001:db8:::1\" is no address or network: write it as 192.0.2.0/24, 2001:db8::/32 or a lone address", 0 },
		{ "a.example\n*.example.com\n", "wrong:2: \"*.example.com\" would match nothing: write a dot for all below a domain, .example.com", 0 },
		{ "*@Example.com x\n", "wrong:1: \"*@example.com\" would match nothing: write the domain alone, example.com", 0 },
		{ "10.0.0.0/8 a\n10.0.0.0/08 b\n", "wrong:2: \"10.0.0.0/08\" is no address or network: write it as 192.0.2.0/24, 2001:db8::/32 or a lone address", 0 },
		{ "2001:db8::/32 a\n\n2001:0db8::/32 b\n", "wrong:3: \"2001:0db8::/32\" stands there a second time, with another value than in wrong:1: keep one of them", 0 },
		{ "a\nb\0c\n", "wrong:2: the line holds a NUL byte: write text, in UTF-8", 6 },
		{ "\0", "wrong:1: the line holds a NUL byte: write text, in UTF-8", 1 },
		{ "a\n\"b c\n", "wrong:2: the key's quotes are not closed", 0 },
		{ "\"\" x\n", "wrong:1: the key is empty", 0 },
	};
	struct table_set *set = table_set_new_still(NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		write_bytes("wrong", cases[i].text, cases[i].n > 0 ? cases[i].n : strlen(cases[i].text));
		assert_open_fails(set, "file:wrong", cases[i].error);
	}
	table_set_free(set);
}

static void what_is_too_large_is_refused(void **state)
{
	struct table_set *set = table_set_new_still(NULL);
	char *line = malloc(70000);
	struct table *table;
	FILE *f;

	(void)state;
	memset(line, 'x', 70000);
	line[0] = 'k';
	line[1] = ' ';
	line[65536] = '\n';
	write_bytes("large", line, 65537);
	table = open_table(set, "file:large");
	assert_int_equal(table_lookup(table, "k", NULL, NULL), ANSWER_YES);
	table_close(table);
	line[65536] = 'x';
	line[65537] = '\n';
	write_bytes("large", line, 65538);
	assert_open_fails(set, "file:large", "large:1: the line is longer than 64 KB");
	free(line);
	f = fopen(path_of("large"), "w");
	assert_int_equal(fseek(f, 64 << 20, SEEK_SET), 0);
	fputc('x', f);
	fclose(f);
	assert_open_fails(set, "file:large", "large: is larger than 64 MB");
	table_set_free(set);
}

static void networks_and_names_live_side_by_side(void **state)
{
	struct table_set *set = table_set_new_still(NULL);
	struct table *table;

	(void)state;
	write_file("mixed", "192.0.2.0/24 office\n192.0.2.7 printer\n2001:DB8::/32 six\nexample.com\n0.0.0.0/0 all\n");
	table = open_table(set, "file:mixed");
	assert_ip(table, "192.0.2.8", "office");
	assert_ip(table, "192.0.2.7", "printer");
	assert_ip(table, "203.0.113.1", "all");
	assert_ip(table, "2001:db8::9", "six");
	assert_ip(table, "2001:db9::9", NULL);
	assert_key(table, "example.com", "");
	assert_key(table, "192.0.2.0/24", "office");
	assert_key(table, "192.0.2.8", NULL);
	table_close(table);
	table_set_free(set);
}

static void a_hundred_thousand_entries_of_each_sort_are_fine(void **state)
{
	enum { N = 100000 };
	struct table_set *set = table_set_new_still(NULL);
	FILE *f = fopen(path_of("many"), "w");
	struct table *table;
	char key[64], want[16];

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		fprintf(f, "user%u@Domain%u.example v%u\n", i, i % 1000, i);
		fprintf(f, "%u.%u.%u.0/24 n%u\n", 1 + i / 65536, i / 256 % 256, i % 256, i);
	}
	fclose(f);
	table = open_table(set, "file:many");
	for (unsigned i = 0; i < N; i += 97) {
		snprintf(key, sizeof(key), "user%u@domain%u.example", i, i % 1000);
		snprintf(want, sizeof(want), "v%u", i);
		assert_key(table, key, want);
		key[0] = 'x';
		assert_key(table, key, NULL);
		snprintf(key, sizeof(key), "%u.%u.%u.77", 1 + i / 65536, i / 256 % 256, i % 256);
		snprintf(want, sizeof(want), "n%u", i);
		assert_ip(table, key, want);
	}
	assert_ip(table, "200.0.0.1", NULL);
	table_close(table);
	table_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read),
		cmocka_unit_test(wrong_lines_are_refused_with_file_line_and_remedy),
		cmocka_unit_test(what_is_too_large_is_refused),
		cmocka_unit_test(networks_and_names_live_side_by_side),
		cmocka_unit_test(a_hundred_thousand_entries_of_each_sort_are_fine),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
