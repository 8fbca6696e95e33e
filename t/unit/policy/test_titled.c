/* test_titled.c - sections with titles of their own: values, order, origins, errors, bounds, comparison, and how the file of defaults shows them */
#include "config_help.h"

#include <signal.h>
#include <sys/wait.h>

static const struct policy *entry(struct fixture *f, size_t i)
{
	return config_titled(f->config, list_rows, i);
}

static void each_section_has_values_of_its_own_in_the_order_of_the_file(void **state)
{
	static const char *const titles[] = { "zen.example", "a.example", "Zen.example" };
	struct fixture *f = *state;
	const char *const *codes;

	write_conf(f, "more.conf", "blocklist a.example { }\nrule \"zen.example\" { pattern = abc }\n");
	load(f, "blocklist \"zen.example\" { codes = { \"127.0.0.40\", \"127.0.0.5/30\" }  operator = \"x\"  wait = \"5s\" }\n"
		"include(\"more.conf\")\n"
		"blocklist 'Zen.example' { self_test = no  counted += \"10.0.0.0/8\"  spared = \"inline:a\"  keys = \"/k\" }\n");
	assert_int_equal(config_titled_count(f->config, list_rows), 3);
	assert_int_equal(config_titled_count(f->config, rule_rows), 1);
	for (size_t i = 0; i < COUNT(titles); i++) {
		assert_string_equal(policy_name(entry(f, i)), titles[i]);
		assert_ptr_equal(policy_config(entry(f, i)), f->config);
	}
	codes = setting_list(entry(f, 0), &list_rows[LIST_CODES]);
	assert_string_equal(codes[0], "127.0.0.40");
	assert_string_equal(codes[1], "127.0.0.5/30");
	assert_null(codes[2]);
	assert_string_equal(setting_string(entry(f, 0), &list_rows[LIST_OPERATOR]), "x");
	assert_int_equal(setting_ms(entry(f, 0), &list_rows[LIST_WAIT]), 5000);
	assert_true(setting_bool(entry(f, 0), &list_rows[LIST_SELF_TEST]));
	assert_null(setting_table(entry(f, 0), &list_rows[LIST_SPARED]));
	assert_null(setting_list(entry(f, 1), &list_rows[LIST_CODES])[0]);
	assert_string_equal(setting_list(entry(f, 1), &list_rows[LIST_COUNTED])[0], "127.0.0.0/8");
	assert_string_equal(setting_string(entry(f, 1), &list_rows[LIST_OPERATOR]), "");
	assert_int_equal(setting_ms(entry(f, 1), &list_rows[LIST_WAIT]), 3000);
	assert_false(setting_bool(entry(f, 2), &list_rows[LIST_SELF_TEST]));
	assert_string_equal(config_value_text(f, entry(f, 2), &list_rows[LIST_COUNTED]), "{ \"127.0.0.0/8\", \"10.0.0.0/8\" }");
	assert_string_equal(config_value_text(f, entry(f, 1), &list_rows[LIST_COUNTED]), "{ \"127.0.0.0/8\" }");
	assert_string_equal(table_spec(setting_table(entry(f, 2), &list_rows[LIST_SPARED])), "inline:a");
	assert_string_equal(setting_string(entry(f, 2), &list_rows[LIST_KEYS]), "/k");
	assert_string_equal(setting_string(config_titled(f->config, rule_rows, 0), &rule_rows[RULE_PATTERN]), "abc");
	assert_null(setting_list(config_default_policy(f->config), &list_rows[LIST_CODES])[0]);      /* the policies have the defaults */
}

static void a_file_without_them_has_none(void **state)
{
	struct fixture *f = *state;
	const char *file;
	int line;

	load(f, "rate { }\n");
	assert_int_equal(config_titled_count(f->config, list_rows), 0);
	assert_false(config_section_given(f->config, list_rows, &file, &line));
	config_unref(f->config);
	assert_int_equal(config_load(NULL, sections, COUNT(sections), f->tables, &f->config, &f->errors, NULL), 0);
	assert_int_equal(config_titled_count(f->config, rule_rows), 0);
}

static void values_and_sections_know_where_they_stand(void **state)
{
	struct fixture *f = *state;
	const char *file;
	int line;

	write_conf(f, "more.conf", "\nblocklist b {\n\twait = 9\n}\n");
	load(f, "\nblocklist \"a\" {\n\n\tcodes = \"12\"\n\tcodes += \"34\"\n}\ninclude(\"more.conf\")\n");
	assert_true(config_section_given(f->config, list_rows, &file, &line));
	assert_int_equal(line, 2);
	assert_non_null(strstr(file, "/t.conf"));
	config_titled_origin(entry(f, 0), &file, &line);
	assert_int_equal(line, 2);
	assert_non_null(strstr(file, "/t.conf"));
	config_origin(entry(f, 0), &list_rows[LIST_CODES], &file, &line);
	assert_int_equal(line, 5);
	config_origin(entry(f, 0), &list_rows[LIST_COUNTED], &file, &line);
	assert_null(file);
	assert_int_equal(line, 0);
	config_titled_origin(entry(f, 1), &file, &line);
	assert_int_equal(line, 2);
	assert_non_null(strstr(file, "/more.conf"));
	config_origin(entry(f, 1), &list_rows[LIST_WAIT], &file, &line);
	assert_int_equal(line, 3);
	assert_non_null(strstr(file, "/more.conf"));
}

static void relative_paths_start_from_the_directory(void **state)
{
	struct fixture *f = *state;

	load(f, talloc_asprintf(f, "directory = \"%s\"\nblocklist a { keys = \"k\" }\nblocklist b { }\n", f->folder));
	assert_string_equal(setting_string(entry(f, 0), &list_rows[LIST_KEYS]), talloc_asprintf(f, "%s/k", f->folder));
	assert_string_equal(setting_string(entry(f, 1), &list_rows[LIST_KEYS]), talloc_asprintf(f, "%s/var/keys", f->folder));
}

static void what_is_wrong_is_said_with_its_line_and_a_remedy(void **state)
{
	static const struct { const char *text; int line; const char *error; } cases[] = {
		{ "\nblocklist { codes = ab }\n", 2, "section blocklist needs a title; write blocklist \"ZONE\" { ... }" },
		{ "\nblocklist \"\" { codes = ab }\n", 2, "section blocklist needs a title; write blocklist \"ZONE\" { ... }" },
		{ "rule { }\n", 1, "section rule needs a title; write rule \"NAME\" { ... }" },
		{ "blocklist \"a b\" { }\n", 1, "blocklist \"a b\": write a zone without spaces" },
		{ "rule \"a\\nb\" { }\n", 1, "rule \"a?b\": control characters cannot stand in a title; take them out" },
		{ "\nrate \"fast\" { }\n", 2, "section rate takes no title; write rate { ... }" },
		{ "policy p {\n\tblocklist \"a\" { }\n}\n", 2, "section blocklist holds for all policies; put it at top level, outside policy \"p\"" },
		{ "policy default {\n\tblocklist { }\n}\n", 2, "put it at top level, outside policy \"default\"" },
		{ "domain a.example {\n\tblocklist \"a\" { }\n}\n", 2, "no section can stand in section domain" },
		{ "rate {\n\tblocklist \"a\" { }\n}\n", 2, "no section can stand in section rate" },
		{ "blocklist \"a\" {\n\trule b { }\n}\n", 2, "no section can stand in section blocklist; is a } missing above?" },
		{ "blocklist \"a\" {\n\tcods = ab\n}\n", 2, "unknown option \"cods\"; did you mean \"codes\"?" },
		{ "blocklist \"a\" {\n\tpattern = ab\n}\n", 2, "pattern does not belong in section blocklist; write rule \"NAME\" { pattern = ... }" },
		{ "blocklist \"a\" {\n\tnothing_like_it = ab\n}\n", 2, "section blocklist knows codes, counted, operator, self_test, wait, spared, keys" },
		{ "rate {\n\tself_test = no\n}\n", 2, "self_test does not belong in section rate; write blocklist \"ZONE\" { self_test = ... }" },
		{ "self_test = no\n", 1, "self_test does not belong at top level; write blocklist \"ZONE\" { self_test = ... }" },
		{ "blocklist.self_test = no\n", 1, "write blocklist \"ZONE\" { self_test = ... }" },
		{ "blocklist = a\n", 1, "blocklist is a section; write blocklist \"ZONE\" { ... }" },
		{ "blocklists \"a\" { }\n", 1, "unknown section \"blocklists\"; did you mean \"blocklist\"?" },
		{ "policy p { rull \"a\" { } }\n", 1, "unknown section \"rull\"; the file of defaults lists all of them" },
		{ "blocklist \"a\" {\n\tcodes = { ab, abc }\n}\n", 2, "blocklist.codes: \"abc\": write an even number of letters" },
		{ "blocklist \"a\" {\n\twait = 61\n}\n", 2, "blocklist.wait: \"61\" is out of range; write a duration" },
		{ "blocklist \"a\" {\n\twait += 6\n}\n", 2, "blocklist.wait: \"+=\": only lists grow; write = here" },
		{ "blocklist \"a\" {\n\tself_test = { }\n}\n", 2, "blocklist.self_test: \"{ }\" is a list, one value is needed" },
		{ "blocklist \"a\" {\n\tspared = \"nothing:a\"\n}\n", 2, "blocklist.spared: " },
	};
	struct fixture *f = *state;
	char longest[256 + 1] = "";

	for (size_t i = 0; i < COUNT(cases); i++)
		refused(f, cases[i].text, cases[i].line, cases[i].error);
	memset(longest, 'a', 256);
	refused(f, talloc_asprintf(f, "\nblocklist \"%s\" { }\n", longest), 2, "a title holds at most 255 characters; shorten it");
	longest[255] = '\0';
	load(f, talloc_asprintf(f, "blocklist \"%s\" { }\n", longest));
	assert_string_equal(policy_name(entry(f, 0)), longest);
}

static void what_stands_twice_is_an_error_that_names_both_lines(void **state)
{
	struct fixture *f = *state;

	refused(f, "blocklist b { }\nblocklist a { }\n\nblocklist \"b\" { wait = 1000000 }\nblocklist c { }\n", 4, "blocklist \"b\" is set twice, first at ");
	assert_non_null(strstr(f->errors.v[0].text, "/t.conf:1; take one of them out"));
	refused(f, "blocklist a {\n\twait = 5\n\twait = 6\n}\nblocklist b {\n\twait = 5\n}\n", 3, "blocklist.wait is set twice, first at ");
	assert_non_null(strstr(f->errors.v[0].text, "/t.conf:2;"));
	load(f, "blocklist a { }\nrule a { }\nblocklist A { }\n");
	assert_int_equal(config_titled_count(f->config, list_rows), 2);
	assert_int_not_equal(try_load(f, "blocklist c { }\nblocklist a { }\nblocklist c { }\nblocklist a { }\nblocklist a { }\n"), 0);
	assert_int_equal(f->errors.n, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(f->errors.v[i].line, 3 + (int)i);
		assert_non_null(strstr(f->errors.v[i].text, i == 0 ? "/t.conf:1;" : "/t.conf:2;"));
	}
}

static void faults_of_all_sections_come_in_one_go_in_order(void **state)
{
	static const int lines[] = { 1, 3, 4, 6 };
	struct fixture *f = *state;

	assert_int_not_equal(try_load(f, "blocklist { }\nblocklist a {\n\twait = x\n\tcodes = abc\n}\nblocklist b { waits = 3 }\nblocklist c { }\n"), 0);
	assert_int_equal(f->errors.n, COUNT(lines));
	for (size_t i = 0; i < COUNT(lines); i++)
		assert_int_equal(f->errors.v[i].line, lines[i]);
}

static void there_can_be_so_many_of_them_and_no_more(void **state)
{
	struct fixture *f = *state;
	char *text = talloc_strdup(f, "");

	for (int i = 1; i <= 5; i++)
		text = talloc_asprintf_append(text, "blocklist \"l%d\" { }\n", i);
	load(f, text);
	assert_int_equal(config_titled_count(f->config, list_rows), 5);
	refused(f, talloc_asprintf(f, "%sblocklist \"l6\" { }\nblocklist \"l7\" { waits = 1 }\n", text), 6,
		"blocklist \"l6\": there can be at most 5 sections blocklist; take this one and those behind it out");
	text = talloc_strdup(f, "");
	for (int i = 0; i < 5000; i++)
		text = talloc_asprintf_append_buffer(text, "rule \"r%d\" { score = %d  pattern = \"p%d\" }\n", (i * 7919) % 5000, i % 100, i);
	load(f, text);
	assert_int_equal(config_titled_count(f->config, rule_rows), 5000);
	for (size_t i = 0; i < 5000; i++) {
		const struct policy *rule = config_titled(f->config, rule_rows, i);

		assert_string_equal(policy_name(rule), talloc_asprintf(f, "r%zu", (i * 7919) % 5000));
		assert_true(setting_float(rule, &rule_rows[RULE_SCORE]) == (double)(i % 100));
		assert_string_equal(setting_string(rule, &rule_rows[RULE_PATTERN]), talloc_asprintf(f, "p%zu", i));
	}
	refused(f, talloc_asprintf(f, "%srule \"more\" { }\nrule \"still more\" { }\n", text), 5001, "at most 5000 sections rule");
}

static void configurations_are_compared_by_titles_order_and_values(void **state)
{
	static const char base[] = "blocklist a { wait = 5  codes = { ab, cd } }\nblocklist b { }\n";
	static const struct { const char *text; bool same; } cases[] = {
		{ "\n\nblocklist \"a\" { codes = ab  codes += cd  wait = \"5000ms\" }\nblocklist b { wait = 3 }\n", true },
		{ "sessions_max = 5\nrule a { }\nblocklist a { wait = 5  codes = { ab, cd } }\nblocklist b { }\n", true },
		{ "blocklist a { wait = 6  codes = { ab, cd } }\nblocklist b { }\n", false },
		{ "blocklist a { wait = 5  codes = { abcd } }\nblocklist b { }\n", false },
		{ "blocklist b { }\nblocklist a { wait = 5  codes = { ab, cd } }\n", false },
		{ "blocklist a { wait = 5  codes = { ab, cd } }\nblocklist B { }\n", false },
		{ "blocklist a { wait = 5  codes = { ab, cd } }\n", false },
		{ "blocklist a { wait = 5  codes = { ab, cd } }\nblocklist b { spared = \"\" }\n", false },
		{ "blocklist a { wait = 5  codes = { ab, cd } }\nblocklist b { }\nblocklist c { }\n", false },
	};
	struct fixture *f = *state;
	struct config *first;

	load(f, base);
	first = config_ref(f->config);
	for (size_t i = 0; i < COUNT(cases); i++) {
		load(f, cases[i].text);
		if (config_titled_same(first, f->config, list_rows) != cases[i].same || config_titled_same(f->config, first, list_rows) != cases[i].same)
			fail_msg("%s", cases[i].text);
	}
	config_unref(first);
}

static void they_do_not_change_what_a_policy_is(void **state)
{
	struct fixture *f = *state;
	uint64_t before = policy_fingerprint(load(f, "policy p { threshold = 0.8 }\n")), p = policy_fingerprint(policy_find(f->config, "p"));

	assert_true(policy_fingerprint(load(f, "blocklist a { wait = 7 }\nrule r { score = 3 }\npolicy p { threshold = 0.8 }\nblocklist b { codes = ab }\n")) == before);
	assert_true(policy_fingerprint(policy_find(f->config, "p")) == p);
	assert_null(policy_find(f->config, "a"));
	assert_int_equal(policy_mode(config_default_policy(f->config)), MODE_ENFORCE);
	assert_int_equal(setting_ms(policy_find(f->config, "p"), &list_rows[LIST_WAIT]), 3000);
}

static void the_file_of_defaults_shows_them_switched_off(void **state)
{
	static const char wanted[] =
		"\n# lists\n"
		"#blocklist \"ZONE\" {\n"
		"\t#codes = { }                                # what refuses\n"
		"\t#counted = { \"127.0.0.0/8\" }                # what counts\n"
		"\t#operator = \"\"\n"
		"\t#self_test = true\n"
		"\t#wait = \"3s\"                                # (from 100ms to 1m)\n"
		"\t#spared = \"\"                                # by default unset\n"
		"\t#keys = \"var/keys\"\n"
		"#}\n"
		"\n"
		"# a ready-made one\n"
		"#blocklist \"ready.example\" {\n"
		"\t#codes = { \"127.0.0.40\" }\n"
		"\t# explained\n"
		"\t#wait = \"9s\"\n"
		"#}\n"
		"\n"
		"#blocklist \"second.example\" { self_test = false }\n"
		"\n"
		"#rule \"NAME\" {\n";
	struct fixture *f = *state;
	char *text = config_defaults_text(f, sections, COUNT(sections)), *at, *on;

	at = strstr(text, "\n# lists\n");
	assert_non_null(at);
	at[strlen(wanted)] = '\0';
	assert_string_equal(at, wanted);
	text = config_defaults_text(f, sections, COUNT(sections));
	load(f, text);
	assert_int_equal(config_titled_count(f->config, list_rows), 0);
	on = text;
	for (const char *p = text; *p != '\0'; p++)       /* "# " begins an explanation, # a switched off line */
		if (*p != '#' || p[1] == ' ' || p[1] == '\n' || (p > text && p[-1] != '\n' && p[-1] != '\t'))
			*on++ = *p;
	*on = '\0';
	load(f, text);
	assert_int_equal(config_titled_count(f->config, list_rows), 3);
	assert_int_equal(config_titled_count(f->config, rule_rows), 1);
	for (const struct setting *row = list_rows; row->name != NULL; row++) {
		char *built_in = config_value_text(f, config_default_policy(f->config), row);
		const char *file;
		int line;

		assert_string_equal(config_value_text(f, entry(f, 0), row), built_in);
		config_origin(entry(f, 0), row, &file, &line);
		assert_non_null(file);
	}
	assert_string_equal(policy_name(entry(f, 1)), "ready.example");
	assert_int_equal(setting_ms(entry(f, 1), &list_rows[LIST_WAIT]), 9000);
	assert_false(setting_bool(entry(f, 2), &list_rows[LIST_SELF_TEST]));
}

/* In a process of its own: does it end by abort()? */
static bool aborts(struct fixture *f, void (*misuse)(struct fixture *))
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		signal(SIGABRT, SIG_DFL);
		if (freopen("/dev/null", "w", stderr) != NULL)
			misuse(f);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void load_policy_rows(struct fixture *f)
{
	static const struct section bad = { .name = "bad", .titled = true, .rows = rate_rows };
	const struct section *const blocklist[] = { &bad };
	struct config *config;

	config_load(NULL, blocklist, 1, f->tables, &config, &f->errors, NULL);
}

static void read_later_row(struct fixture *f) { setting_float(entry(f, 0), &rule_rows[RULE_SCORE]); }
static void read_earlier_row(struct fixture *f) { setting_int(entry(f, 0), &type_rows[T_INT]); }
static void read_mode(struct fixture *f) { policy_mode(entry(f, 0)); }
static void too_large(struct fixture *f) { entry(f, 1); }
static void not_titled(struct fixture *f) { config_titled_count(f->config, rate_rows); }
static void not_the_first(struct fixture *f) { config_titled_count(f->config, &list_rows[1]); }
static void right_use(struct fixture *f) { setting_ms(entry(f, 0), &list_rows[LIST_WAIT]); }

static void wrong_use_ends_the_program(void **state)
{
	static void (*const misuses[])(struct fixture *) = { load_policy_rows, read_later_row, read_earlier_row, read_mode, too_large, not_titled, not_the_first };
	struct fixture *f = *state;

	load(f, "blocklist a { }\n");
	for (size_t i = 0; i < COUNT(misuses); i++)
		if (!aborts(f, misuses[i]))
			fail_msg("misuse %zu went on", i);
	assert_false(aborts(f, right_use));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_section_has_values_of_its_own_in_the_order_of_the_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_without_them_has_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(values_and_sections_know_where_they_stand, set_up, tear_down),
		cmocka_unit_test_setup_teardown(relative_paths_start_from_the_directory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_wrong_is_said_with_its_line_and_a_remedy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_stands_twice_is_an_error_that_names_both_lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(faults_of_all_sections_come_in_one_go_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(there_can_be_so_many_of_them_and_no_more, set_up, tear_down),
		cmocka_unit_test_setup_teardown(configurations_are_compared_by_titles_order_and_values, set_up, tear_down),
		cmocka_unit_test_setup_teardown(they_do_not_change_what_a_policy_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_file_of_defaults_shows_them_switched_off, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wrong_use_ends_the_program, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
