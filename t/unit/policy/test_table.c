/* test_table.c - tables: kinds, sharing, the order in which addresses and domains are asked */
#include "unit/policy/table_help.h"

static void wrong_specs_are_refused_with_a_remedy(void **state)
{
	static const struct {
		const char *spec, *error;
	} cases[] = {
		{ "hash:/etc/postfix/access", "table \"hash:/etc/postfix/access\": there is no kind \"hash\": known are inline:, file:, cidr:, pcre:, lmdb:, cdb:, sqlite:" },
		{ "/etc/winnow/list", "table \"/etc/winnow/list\": its kind is missing before the colon: write one of inline:, file:, cidr:, pcre:, lmdb:, cdb:, sqlite:" },
		{ ":x", "table \":x\": its kind is missing before the colon: write one of inline:, file:, cidr:, pcre:, lmdb:, cdb:, sqlite:" },
		{ "File:x", "table \"File:x\": there is no kind \"File\": known are inline:, file:, cidr:, pcre:, lmdb:, cdb:, sqlite:" },
		{ "fil:x", "table \"fil:x\": there is no kind \"fil\": known are inline:, file:, cidr:, pcre:, lmdb:, cdb:, sqlite:" },
		{ "file:", "table \"file:\": a path is missing after the colon" },
		{ "file:missing", "missing: No such file or directory" },
		{ "cidr:missing", "missing: No such file or directory" },
		{ "pcre:missing", "missing: No such file or directory" },
		{ "file:.", ".: is no regular file" },
	};
	struct table_set *set = table_set_new_still(NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_open_fails(set, cases[i].spec, cases[i].error);
	table_set_free(set);
}

static void the_empty_table_and_no_table_hold_nothing(void **state)
{
	struct table_set *set = table_set_new_still(NULL);
	struct table *tables[] = { NULL, open_table(set, ""), open_table(set, "inline:"), open_table(set, "inline: , ,") };
	const struct address address = { "a@b.example", "a", "b.example" };

	(void)state;
	for (size_t i = 0; i < COUNT(tables); i++) {
		assert_true(table_is_empty(tables[i]));
		assert_key(tables[i], "", NULL);
		assert_key(tables[i], "x", NULL);
		assert_ip(tables[i], "192.0.2.1", NULL);
		assert_int_equal(table_lookup_address(tables[i], &address, NULL, NULL), ANSWER_NO);
		assert_int_equal(table_lookup_domain(tables[i], "b.example", NULL, NULL), ANSWER_NO);
		table_close(tables[i]);
	}
	table_set_free(set);
	table_set_free(NULL);
	assert_string_equal(table_spec(NULL), "");
}

static void the_same_text_opens_the_same_table(void **state)
{
	struct table_set *set = table_set_new_still(NULL);
	struct table *a, *b, *c, *d;
	char *error;

	(void)state;
	write_file("shared", "one\n");
	a = open_table(set, "file:shared");
	b = open_table(set, "file:shared");
	c = table_open(set, "file:shared", "/nonexistent", true, &error);
	d = open_table(set, "inline:one");
	assert_ptr_equal(a, b);
	assert_ptr_not_equal(a, c);
	assert_ptr_not_equal(a, d);
	assert_string_equal(table_spec(a), "file:shared");
	assert_true(table_is_empty(c));
	table_close(a);
	assert_key(b, "one", "");
	table_close(b);
	table_close(c);
	table_close(d);
	table_close(NULL);
	/* all references gone: read anew */
	write_file("shared", "two\n");
	a = open_table(set, "file:shared");
	assert_key(a, "one", NULL);
	assert_key(a, "two", "");
	table_close(a);
	table_set_free(set);
}

static void a_relative_path_starts_from_the_directory_and_an_absolute_one_does_not(void **state)
{
	struct table_set *set = table_set_new_still(NULL);
	char spec[300], *error = NULL;
	struct table *table;

	(void)state;
	write_file("absolute", "key value\n");
	snprintf(spec, sizeof(spec), "file:%s", path_of("absolute"));
	table = table_open(set, spec, "/nonexistent", false, &error);
	assert_non_null(table);
	assert_key(table, "key", "value");
	table_close(table);
	table = table_open(set, spec, NULL, false, &error);
	assert_non_null(table);
	table_close(table);
	table_set_free(set);
}

static void an_optional_file_may_be_missing_and_a_required_one_may_not(void **state)
{
	struct table_set *set = table_set_new_still(NULL);
	char *error = NULL;
	struct table *optional = table_open(set, "file:later", directory, true, &error), *required;

	(void)state;
	assert_non_null(optional);
	assert_true(table_is_empty(optional));
	assert_key(optional, "key", NULL);
	assert_open_fails(set, "file:later", "later: No such file or directory");
	/* missing is allowed, bad is not */
	write_file("bad", "a 1\na 2\n");
	assert_null(table_open(set, "file:bad", directory, true, &error));
	talloc_free(error);
	write_file("later", "key 1\n");
	required = open_table(set, "file:later");
	assert_ptr_equal(required, optional);
	assert_key(required, "key", "1");
	table_close(required);
	table_close(optional);
	table_set_free(set);
}

static void tables_outlive_their_set(void **state)
{
	struct table_set *set = table_set_new(NULL);
	struct table *table;

	(void)state;
	write_file("outlives", "key value\n");
	table = open_table(set, "file:outlives");
	table_set_free(set);
	assert_key(table, "key", "value");
	table_close(table);
}

/* Which entries answer a question, with all others taken away: shows what is asked and in which order. */
static void addresses_are_asked_from_the_whole_to_the_last_parent(void **state)
{
	static const struct {
		const char *text, *local, *domain;
		const char *keys[7];   /* in the order in which they are asked */
	} cases[] = {
		{ "User@Mail.Sub.example.com", "User", "mail.sub.example.com",
			{ "user@mail.sub.example.com", "@mail.sub.example.com", "mail.sub.example.com", ".sub.example.com", ".example.com", ".com" } },
		{ "a@localhost", "a", "localhost", { "a@localhost", "@localhost", "localhost" } },
		{ "", "", "", { "<>" } },
		{ "PostMaster", "PostMaster", "", { "postmaster" } },
		{ "\"a b\"@x.example", "a b", "x.example", { "a b@x.example", "@x.example", "x.example", ".example" } },
		{ "a@[192.0.2.1]", "a", "[192.0.2.1]", { "a@[192.0.2.1]", "@[192.0.2.1]", "[192.0.2.1]" } },
		{ "gr\xc3\xbc\xc3\x9f@x.example", "gr\xc3\xbc\xc3\x9f", "x.example", { "gr\xc3\xbc\xc3\x9f@x.example", "@x.example", "x.example", ".example" } },
	};
	struct table_set *set = table_set_new_still(NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct address address = { cases[i].text, cases[i].local, cases[i].domain };

		for (size_t from = 0; from < COUNT(cases[i].keys) && cases[i].keys[from] != NULL; from++) {
			TALLOC_CTX *mem = talloc_new(NULL);
			char *spec = talloc_strdup(mem, "inline:example.org=no"), want[8];
			const char *value = NULL;
			struct table *table;

			for (size_t k = from; k < COUNT(cases[i].keys) && cases[i].keys[k] != NULL; k++)
				spec = talloc_asprintf_append(spec, ",%s=%zu", cases[i].keys[k], k);
			table = open_table(set, spec);
			snprintf(want, sizeof(want), "%zu", from);
			assert_answer(table_lookup_address(table, &address, mem, &value), &value, want, spec);
			assert_int_equal(table_lookup_address(table, &address, mem, NULL), ANSWER_YES);
			table_close(table);
			talloc_free(mem);
		}
	}
	table_set_free(set);
}

static void no_sender_can_dress_up_as_another_entry(void **state)
{
	static const struct address cases[] = {
		{ "bank.example", "bank.example", "" },
		{ "\"@bank.example\"", "@bank.example", "" },
		{ "\"ceo@bank.example\"", "ceo@bank.example", "" },
		{ "\"<>\"", "<>", "" },
		{ "\".example\"", ".example", "" },
		{ "\"2001:db8::1\"", "2001:db8::1", "" },
		{ "\".0.2.1]\"", ".0.2.1]", "" },
		{ "x", "", "" },
		{ "ceo@notbank.example", "ceo", "notbank.example" },
		{ "ceo@bank.example.evil.test", "ceo", "bank.example.evil.test" },
		{ "\"ceo@bank.example\"@evil.test", "ceo@bank.example", "evil.test" },
		{ "a@example", "a", "example" },
		{ "a@[192.0.2.1]", "a", "[192.0.2.1]" },
	};
	struct table_set *set = table_set_new_still(NULL);
	struct table *table = open_table(set, "inline:bank.example, @bank.example, ceo@bank.example, <>, .example=parent, 2001:db8::1, .0.2.1]");

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		const char *value = NULL;

		/* a true subdomain of .example is the only one that may be found */
		assert_answer(table_lookup_address(table, &cases[i], mem, &value), &value, i == 8 ? "parent" : NULL, cases[i].text);
		talloc_free(mem);
	}
	table_close(table);
	table_set_free(set);
}

static void domains_are_asked_with_their_parents(void **state)
{
	static const struct {
		const char *domain, *want;
	} cases[] = {
		{ "example.com", "itself" }, { "EXAMPLE.com", "itself" }, { "example.com.", "itself" }, { "mail.example.com", "below" }, { "a.b.example.com", "below" },
		{ "notexample.com", NULL }, { "com", NULL }, { "", NULL }, { ".", NULL }, { "..", NULL }, { "example.org", NULL }, { "a.example.org", "org" }, { "example.com..", NULL },
	};
	struct table_set *set = table_set_new_still(NULL);
	struct table *table = open_table(set, "inline:example.com=itself, .example.com=below, .example.org=org");

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		const char *value = NULL;

		assert_answer(table_lookup_domain(table, cases[i].domain, mem, &value), &value, cases[i].want, cases[i].domain);
		talloc_free(mem);
	}
	table_close(table);
	table_set_free(set);
}

static void keys_of_any_length_are_safe(void **state)
{
	struct table_set *set = table_set_new_still(NULL);
	static char longest[70000];
	struct table *table;
	const char *value;
	TALLOC_CTX *mem = talloc_new(NULL);

	(void)state;
	write_file("whatever", "@long.example domain\n");
	table = open_table(set, "file:whatever");
	for (size_t n = 1000; n < sizeof(longest); n = n < 1100 ? n + 1 : n * 3) {
		const struct address local = { "x", longest, "long.example" }, domain = { "x", "user", longest }, both = { "x", longest, longest };

		memset(longest, 'A', n);
		longest[n] = '\0';
		assert_key(table, longest, NULL);
		/* the address is in no table, but its domain is */
		assert_answer(table_lookup_address(table, &local, mem, &value), &value, "domain", "long local part");
		assert_int_equal(table_lookup_address(table, &domain, mem, NULL), ANSWER_NO);
		assert_int_equal(table_lookup_address(table, &both, mem, NULL), ANSWER_NO);
		assert_int_equal(table_lookup_domain(table, longest, mem, NULL), ANSWER_NO);
		memset(longest, '.', n);
		assert_int_equal(table_lookup_address(table, &domain, mem, NULL), ANSWER_NO);
		assert_int_equal(table_lookup_domain(table, longest, mem, NULL), ANSWER_NO);
	}
	talloc_free(mem);
	table_close(table);
	table_set_free(set);
}

static void values_are_children_of_mem(void **state)
{
	struct table_set *set = table_set_new_still(NULL);
	struct table *table = open_table(set, "inline:k=v, 192.0.2.0/24=net");
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *value;
	struct ip ip, none = { 0 };

	(void)state;
	assert_int_equal(table_lookup(table, "k", mem, &value), ANSWER_YES);
	assert_ptr_equal(talloc_parent(value), mem);
	assert_true(ip_parse("192.0.2.9", &ip));
	assert_int_equal(table_lookup_ip(table, &ip, mem, &value), ANSWER_YES);
	assert_ptr_equal(talloc_parent(value), mem);
	table_close(table);
	assert_string_equal(value, "net");
	talloc_free(mem);
	table = open_table(set, "inline:unknown");
	assert_int_equal(table_lookup_ip(table, &none, NULL, NULL), ANSWER_NO);
	table_close(table);
	table_set_free(set);
}

static void list(void *context, const char *key, const char *value)
{
	char **text = context;

	*text = talloc_asprintf_append(*text, "%s>%s;", key, value);
}

static void entries_are_listed_where_the_table_knows_them(void **state)
{
	static const struct { const char *spec, *want; } cases[] = {
		{ "inline:B=2, a, c = x y", "b>2;a>;c>x y;" }, { "inline:", "" }, { "", "" }, { "file:listed", "k>v w;l>;" }, { "pcre:patterns", "" },
	};
	struct table_set *set = table_set_new_still(NULL);

	(void)state;
	write_file("listed", "# none\nk v w\nL\n");
	write_file("patterns", "/x/ y\n");
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct table *table = open_table(set, cases[i].spec);
		char *text = talloc_strdup(NULL, "");

		table_each(table, list, &text);
		assert_string_equal(text, cases[i].want);
		talloc_free(text);
		table_close(table);
	}
	table_each(NULL, list, NULL);
	table_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_specs_are_refused_with_a_remedy),
		cmocka_unit_test(the_empty_table_and_no_table_hold_nothing),
		cmocka_unit_test(the_same_text_opens_the_same_table),
		cmocka_unit_test(a_relative_path_starts_from_the_directory_and_an_absolute_one_does_not),
		cmocka_unit_test(an_optional_file_may_be_missing_and_a_required_one_may_not),
		cmocka_unit_test(tables_outlive_their_set),
		cmocka_unit_test(addresses_are_asked_from_the_whole_to_the_last_parent),
		cmocka_unit_test(no_sender_can_dress_up_as_another_entry),
		cmocka_unit_test(domains_are_asked_with_their_parents),
		cmocka_unit_test(keys_of_any_length_are_safe),
		cmocka_unit_test(values_are_children_of_mem),
		cmocka_unit_test(entries_are_listed_where_the_table_knows_them),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
