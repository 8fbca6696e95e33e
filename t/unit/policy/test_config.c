/* test_config.c - a configuration file against the rows: values of every type, errors, where options may stand, origins, defaults */
#include "config_help.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void values_of_every_type_are_read(void **state)
{
	static const struct {
		const char *name, *written, *shown;
		int row;
	} cases[] = {
		{ "string", "x", "\"x\"", T_STRING },
		{ "string", "\"\"", "\"\"", T_STRING },
		{ "string", "\"a\\tb \\\"c\\\" \\\\ \\${D}\"", "\"a\\x09b \\\"c\\\" \\\\ \\${D}\"", T_STRING },
		{ "string", "true", "\"true\"", T_STRING },
		{ "choice", "reject", "\"reject\"", T_CHOICE },
		{ "checked", "abcd", "\"abcd\"", T_CHECKED },
		{ "path", "\"/a/b\"", "\"/a/b\"", T_PATH },
		{ "path", "\"a/b\"", "\"a/b\"", T_PATH },
		{ "int", "10", "10", T_INT },
		{ "int", "-3", "-3", T_INT },
		{ "int", "\"007\"", "7", T_INT },
		{ "int_any", "9000000000000000", "9000000000000000", T_INT_ANY },
		{ "float", "2.5", "2.5", T_FLOAT },
		{ "float", "-2.5", "-2.5", T_FLOAT },
		{ "float", "1", "1", T_FLOAT },
		{ "float", ".25", "0.25", T_FLOAT },
		{ "float", "\"0.1\"", "0.1", T_FLOAT },
		{ "float", "-0", "0", T_FLOAT },
		{ "bool", "true", "true", T_BOOL },
		{ "bool", "Yes", "true", T_BOOL },
		{ "bool", "\"on\"", "true", T_BOOL },
		{ "bool", "false", "false", T_BOOL },
		{ "bool", "no", "false", T_BOOL },
		{ "bool", "OFF", "false", T_BOOL },
		{ "duration", "90", "\"90s\"", T_DURATION },
		{ "duration", "\"200ms\"", "\"200ms\"", T_DURATION },
		{ "duration", "60s", "\"1m\"", T_DURATION },
		{ "duration", "\"5m\"", "\"5m\"", T_DURATION },
		{ "duration", "\"48h\"", "\"2d\"", T_DURATION },
		{ "duration", "\"7d\"", "\"7d\"", T_DURATION },
		{ "duration", "\"1500ms\"", "\"1500ms\"", T_DURATION },
		{ "duration", "100ms", "\"100ms\"", T_DURATION },
		{ "size", "0", "\"0\"", T_SIZE },
		{ "size", "1024", "\"1K\"", T_SIZE },
		{ "size", "1025", "\"1025\"", T_SIZE },
		{ "size", "\"16K\"", "\"16K\"", T_SIZE },
		{ "size", "50m", "\"50M\"", T_SIZE },
		{ "size", "\"2G\"", "\"2G\"", T_SIZE },
		{ "list", "{ }", "{ }", T_LIST },
		{ "list", "{ a, \"b c\" }", "{ \"a\", \"b c\" }", T_LIST },
		{ "list", "\"lone\"", "{ \"lone\" }", T_LIST },
		{ "list", "\"\"", "{ }", T_LIST },
		{ "choices", "{ defer, drop }", "{ \"defer\", \"drop\" }", T_CHOICES },
		{ "table", "\"inline:a, b=c\"", "\"inline:a, b=c\"", T_TABLE },
		{ "table", "\"\"", "\"\"", T_TABLE },
		{ "unset", "\"\"", "\"\"", T_UNSET },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct policy *p = load(f, talloc_asprintf(f, "types { %s = %s }\n", cases[i].name, cases[i].written));

		assert_string_equal(config_value_text(f, p, &type_rows[cases[i].row]), cases[i].shown);
		/* what is shown can be written, and means the same */
		p = load(f, talloc_asprintf(f, "types { %s = %s }\n", cases[i].name, cases[i].shown));
		assert_string_equal(config_value_text(f, p, &type_rows[cases[i].row]), cases[i].shown);
	}
}

static void bad_values_are_refused_with_what_was_got_and_what_is_allowed(void **state)
{
	static const struct {
		const char *name, *written, *error;
	} cases[] = {
		{ "string", "{ a }", "types.string: \"{ }\" is a list, one value is needed" },
		{ "string", "\"a\\nb\"", "control characters" },
		{ "string", "\"a\\x7f\"", "control characters" },
		{ "choice", "rejekt", "types.choice: \"rejekt\" is not known (\"reject\"?); write one of drop, reject, defer" },
		{ "choice", "\"\"", "is not known; write one of drop, reject, defer" },
		{ "choice", "\"drop reject\"", "is not known" },
		{ "choice", "rejec", "(\"reject\"?)" },
		{ "checked", "abc", "types.checked: \"abc\": write an even number of letters" },
		{ "path", "\"a\\nb\"", "control characters" },
		{ "int", "11", "types.int: \"11\" is out of range; write a whole number from -3 to 10 things" },
		{ "int", "-4", "is out of range" },
		{ "int", "1.5", "is no whole number" },
		{ "int", "5s", "is no whole number" },
		{ "int", "\"\"", "is no whole number" },
		{ "int", "\" 5\"", "is no whole number" },
		{ "int", "0x5", "is no whole number" },
		{ "int", "-", "is no whole number" },
		{ "int", "many", "is no whole number" },
		{ "int_any", "-1", "types.int_any: \"-1\" is below zero; write a whole number" },
		{ "int_any", "9000000000000001", "is no whole number" },
		{ "int_any", "99999999999999999999999999", "is no whole number" },
		{ "from", "1", "types.from: \"1\" is out of range; write a whole number from 2 things" },
		{ "float", "2.6", "is out of range; write a number such as 0.9 from -2.5 to 2.5" },
		{ "float", "nan", "is no number" },
		{ "float", "inf", "is no number" },
		{ "float", "1e3", "is no number" },
		{ "float", "1.2.3", "is no number" },
		{ "float", "\"0,5\"", "is no number" },
		{ "float", ".", "is no number" },
		{ "float", "0.1234567890123456", "is no number" },
		{ "bool", "1", "types.bool: \"1\" is neither true nor false; write true or false" },
		{ "bool", "maybe", "is neither true nor false" },
		{ "bool", "{ true }", "is a list" },
		{ "duration", "\"99ms\"", "types.duration: \"99ms\" is out of range; write a duration such as \"200ms\", \"90s\", \"5m\", \"48h\" or \"7d\" from 100ms to 7d" },
		{ "duration", "\"8d\"", "is out of range" },
		{ "duration", "\"5M\"", "is no duration" },
		{ "duration", "\"5 m\"", "is no duration" },
		{ "duration", "\"1.5h\"", "is no duration" },
		{ "duration", "\"-5m\"", "is no duration" },
		{ "duration", "\"m\"", "is no duration" },
		{ "duration", "\"9000000000000000d\"", "is no duration" },
		{ "size", "\"3G\"", "is out of range; write a size such as 1024, \"16K\", \"50M\" or \"2G\" from 0 to 2G" },
		{ "size", "\"5T\"", "is no size" },
		{ "size", "\"5KB\"", "is no size" },
		{ "size", "-1", "is no size" },
		{ "list", "{ a, \"\" }", "an entry of the list is empty" },
		{ "list", "{ \"a\\nb\" }", "control characters" },
		{ "choices", "{ drop, reject, drip }", "\"drip\" is not known (\"drop\"?)" },
		{ "table", "{ a, b }", "is a list" },
		{ "table", "\"nokind:x\"", "types.table: " },
		{ "table", "\"file:/nonexistent/winnow\"", "types.table: " },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(cases); i++)
		refused(f, talloc_asprintf(f, "\ntypes {\n\t%s = %s\n}\n", cases[i].name, cases[i].written), 3, cases[i].error);
}

static void values_are_read_back_with_their_types(void **state)
{
	struct fixture *f = *state;
	const struct policy *p = load(f, "types { duration = \"5m\"  size = 2K  float = -0.1  int = -2  bool = on  list = { x, y }  path = \"/p\"  table = \"inline:k=v\" }\n");
	const char *value;

	assert_int_equal(setting_ms(p, &type_rows[T_DURATION]), 300000);
	assert_int_equal(setting_size(p, &type_rows[T_SIZE]), 2048);
	assert_true(setting_float(p, &type_rows[T_FLOAT]) == -0.1);
	assert_int_equal(setting_int(p, &type_rows[T_INT]), -2);
	assert_true(setting_bool(p, &type_rows[T_BOOL]));
	assert_true(setting_bool(p, &type_rows[T_ENABLED]));
	assert_string_equal(setting_list(p, &type_rows[T_LIST])[1], "y");
	assert_null(setting_list(p, &type_rows[T_LIST])[2]);
	assert_null(setting_list(p, &type_rows[T_CHOICES])[0]);
	assert_string_equal(setting_string(p, &type_rows[T_PATH]), "/p");
	assert_string_equal(setting_string(p, &type_rows[T_STRING]), "a \"b\"");
	assert_int_equal(table_lookup(setting_table(p, &type_rows[T_TABLE]), "K", f, &value), ANSWER_YES);
	assert_string_equal(value, "v");
	assert_null(setting_table(p, &type_rows[T_UNSET]));
	p = load(f, "types { unset = \"\" }\n");
	assert_non_null(setting_table(p, &type_rows[T_UNSET]));
	assert_true(table_is_empty(setting_table(p, &type_rows[T_UNSET])));
}

static void lists_grow_by_plus(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *text, *x, *y;        /* in policy x, and in "default" */
	} cases[] = {
		{ "types { list = a  list += { b, c }  list += d }\n policy x { }\n", "{ \"a\", \"b\", \"c\", \"d\" }", "{ \"a\", \"b\", \"c\", \"d\" }" },
		{ "types { list += a }\n types { list += b } policy x { }\n", "{ \"one\", \"two\", \"a\", \"b\" }", "{ \"one\", \"two\", \"a\", \"b\" }" },
		{ "types { list = a }\n policy x { types { list += b } }\n", "{ \"a\", \"b\" }", "{ \"a\" }" },
		{ "types { list += a }\n policy \"default\" { types { list += b } } policy x { types { list += c  list += d } }\n", "{ \"one\", \"two\", \"a\", \"b\", \"c\", \"d\" }",
			"{ \"one\", \"two\", \"a\", \"b\" }" },
		{ "types { list += a }\n policy \"default\" { types { list = b } } policy x { types { list = { } list += c } }\n", "{ \"c\" }", "{ \"b\" }" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		load(f, cases[i].text);
		assert_string_equal(config_value_text(f, policy_find(f->config, "x"), &type_rows[T_LIST]), cases[i].x);
		assert_string_equal(config_value_text(f, config_default_policy(f->config), &type_rows[T_LIST]), cases[i].y);
	}
	refused(f, "types { int += 3 }\n", 1, "only lists grow");
	refused(f, "types { list = a\n list = b }\n", 2, "types.list is set twice, first at");
}

static void names_that_are_not_known_get_a_hint(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "hostnam = x", "unknown option \"hostnam\"; did you mean \"hostname\"?" },
		{ "HOSTNAME = x", "did you mean \"hostname\"?" },
		{ "own-ips = x", "did you mean \"own_ips\"?" },
		{ "sesions_max = 3", "did you mean \"sessions_max\"?" },
		{ "xyzzy = 3", "unknown option \"xyzzy\"; the file of defaults lists all" },
		{ "types { durration = 3 }", "unknown option \"durration\"; did you mean \"duration\"?" },
		{ "types { xyzzy = 3 }", "section types knows enabled, string, choice" },
		{ "types { connections_max = 3 }", "connections_max does not belong in section types; write rate { connections_max = ... }" },
		{ "types { hostname = x }", "hostname does not belong in section types; write hostname = ... at top level" },
		{ "types { servers = x }", "write store \"redis\" { servers = ... }" },
		{ "connections_max = 3", "connections_max does not belong at top level; write rate { connections_max = ... }" },
		{ "quarantine = false", "quarantine does not belong at top level; write policy \"NAME\" { quarantine = ... }" },
		{ "recipients = \"\"", "write domain \"NAME\" { recipients = ... }" },
		{ "rate.connections_max = 3", "write rate { connections_max = ... }" },
		{ "types = 3", "types is a section; write types { ... }" },
		{ "hostname { }", "hostname is an option, not a section; write hostname = VALUE" },
		{ "mode { }", "mode is an option" },
		{ "type { }", "unknown section \"type\"; did you mean \"types\"?" },
		{ "polcy \"x\" { }", "unknown section \"polcy\"; did you mean \"policy\"?" },
		{ "xyzzy { a = 1 }", "unknown section \"xyzzy\"" },
		{ "types \"x\" { }", "section types takes no title" },
		{ "store { }", "section store needs a title; write one of store \"sqlite\", store \"redis\", store \"memory\"" },
		{ "store \"mysql\" { path = x }", "there is no store \"mysql\"; write one of store \"sqlite\"" },
		{ "types { rate { } }", "no section can stand in section types" },
		{ "class \"helo-invald\" { action = score }", "unknown class \"helo-invald\"; did you mean \"helo-invalid\"?" },
		{ "class \"xyzzy\" { action = score }", "unknown class \"xyzzy\"" },
		{ "class { action = score }", "section class needs the name of a class" },
		{ "class \"helo-invalid\" { aktion = score }", "did you mean \"action\"?" },
		{ "class \"helo-invalid\" { xyzzy = score }", "it knows action, weight, text, observe" },
		{ "class \"helo-invalid\" { threshold = 1 }", "threshold does not belong in class" },
		{ "limit \"helo-invalid\" { max = 1 }", "has no limit; those that have one: connections-ratelimited, message-rate, oversized" },
		{ "limit \"message-rat\" { max = 1 }", "did you mean \"message-rate\"?" },
		{ "limit \"message-rate\" { maximum = 1 }", "unknown option \"maximum\" in limit" },
		{ "limit \"oversized\" { window = 1 }", "has no window; it knows max" },
		{ "policy { }", "section policy needs a name" },
		{ "policy \"a b\" { }", "a policy's name holds" },
		{ "policy \"x\" { hostname = y }", "hostname does not belong in section policy; write hostname = ... at top level" },
		{ "policy \"x\" { mod = tag }", "did you mean \"mode\"?" },
		{ "policy \"x\" { rate { connections_max = 3 } }", "rate.connections_max holds for all policies; put it at top level: rate { connections_max = ... }" },
		{ "policy \"x\" { limit \"connections-ratelimited\" { max = 3 } }", "put it at top level or in policy \"default\"" },
		{ "policy \"x\" { policy \"y\" { } }", "a section policy stands at top level only" },
		{ "policy \"x\" { domain \"y\" { } }", "a section domain stands at top level only" },
		{ "policy \"x\" { quarantine { path = y } }", "quarantine.path holds for all policies" },
		{ "domain { }", "section domain needs a name" },
		{ "domain \"x.example\" { polici = default }", "did you mean \"policy\"?" },
		{ "domain \"x.example\" { mode = tag }", "mode does not belong in section domain; write policy \"NAME\" { mode = ... }" },
		{ "domain \"x.example\" { rate { } }", "no section can stand in section domain" },
		{ "policy \"strict\" { } domain \"x.example\" { policy = strikt }", "there is no policy \"strikt\"; did you mean \"strict\"?" },
		{ "domain \"x.example\" { policy = strict }", "there is no policy \"strict\"; write policy \"strict\" { ... }" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(cases); i++)
		refused(f, talloc_asprintf(f, "\n\n%s\n", cases[i].text), 3, cases[i].error);
}

static void what_is_set_twice_is_an_error_that_names_both_lines(void **state)
{
	static const struct {
		const char *text;
		int line;
		const char *error;
	} cases[] = {
		{ "hostname = a\nhostname = a\n", 2, "hostname is set twice, first at " },
		{ "types { int = 1 }\ntypes { int = 1 }\n", 2, "types.int is set twice, first at " },
		{ "mode = tag\n\nmode = tag\n", 3, "mode is set twice" },
		{ "store \"sqlite\" { }\nstore \"sqlite\" { }\n", 2, "store \"sqlite\" is set twice" },
		{ "class \"spf-fail\" { }\nclass \"spf-fail\" { action = score }\n", 2, "class \"spf-fail\" is set twice" },
		{ "class \"spf-fail\" { action = score\n action = tag }\n", 2, "action is set twice" },
		{ "policy x { }\npolicy y { }\npolicy x { }\n", 3, "policy \"x\" is set twice" },
		{ "policy x { mode = tag\n mode = tag }\n", 2, "mode is set twice" },
		{ "domain \"a.example\" { }\ndomain \"A.Example.\" { }\n", 2, "domain \"a.example\" is set twice" },
		{ "domain \"a.example\" { route = b\nroute = c }\n", 2, "route is set twice" },
		{ "limit \"message-rate\" { max = 1 }\nrate { messages_max = 2 }\n", 2, "rate.messages_max is set twice" },
		{ "policy x { rate { messages_max = 2 }\n limit \"message-rate\" { max = 1 } }\n", 2, "rate.messages_max is set twice" },
		{ "rate { connections_max = 2 }\npolicy \"default\" { limit \"connections-ratelimited\" { max = 1 } }\n", 2, "rate.connections_max is set twice" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		refused(f, cases[i].text, cases[i].line, cases[i].error);
		assert_non_null(strstr(f->errors.v[0].text, "/t.conf:1"));
	}
	load(f, "types { int = 1 }\ntypes { bool = yes }\npolicy x { types { int = 1 } types { bool = no } }\n");
}

static void all_faults_of_a_file_come_in_one_go_in_order(void **state)
{
	static const char text[] =
		"hostname = \"mx1.example.net\"    # good\n"          /* 1 */
		"hostnam = \"mx2.example.net\"\n"
		"sessions_max = lots\n"                                 /* 3 */
		"listen = inet:8893@127.0.0.1\n"
		"/* a comment\n"
		"   of two lines */ memory_max =\n"                    /* 6 */
		"types {\n"
		"\tduration = \"5 weeks\"   // too long\n"             /* 8 */
		"\tint = 99\n"
		"\tlist = { \"a\", # why\n"
		"\t\t\"b\" }\n"
		"\tchoice = \"dropp\"\n"                               /* 12 */
		"}\n"
		"store \"mysql\" { }\n"                                /* 14 */
		"policy \"default\" {\n"
		"\tclass \"no-such-class\" { action = \"reject\" }\n"  /* 16 */
		"\tclass \"spf-fail\" { action = \"accept\" }\n"
		"\tlimit \"spf-fail\" { max = 3 }\n"                   /* 18 */
		"\thostname = \"x\"\n"
		"}\n"
		"domain \"not a domain\" { }\n"                        /* 21 */
		"domain \"a.example\" { policy = \"none\" }\n"
		"own_names = { \"x\" \"y\" }\n"                        /* 23 */
		"domains = \"file:/nonexistent/domains\"\n"
		"hostname = \"again.example.net\"\n"                   /* 25 */
		"rate {\n";
	static const int lines[] = { 2, 3, 4, 6, 8, 9, 12, 14, 16, 17, 18, 19, 21, 22, 23, 24, 25, 26 };
	struct fixture *f = *state;

	assert_int_not_equal(try_load(f, text), 0);
	for (size_t i = 0; i < f->errors.n && i < COUNT(lines); i++)
		if (f->errors.v[i].line != lines[i])
			fail_msg("error %zu: line %d instead of %d: %s", i, f->errors.v[i].line, lines[i], f->errors.v[i].text);
	assert_int_equal(f->errors.n, COUNT(lines));
	for (size_t i = 0; i < f->errors.n; i++)
		assert_string_equal(f->errors.v[i].file, talloc_asprintf(f, "%s/t.conf", f->folder));
}

static void every_value_knows_where_it_was_set(void **state)
{
	struct fixture *f = *state;
	const char *file, *included = write_conf(f, "more.conf", "\n\ntypes { int = 7 }\n");
	const struct policy *x;
	int line;

	load(f, "types {\n string = a }\ninclude(\"more.conf\")\npolicy \"default\" {\n types { bool = on } }\npolicy x {\n\n types { float = 1 }\n limit \"message-rate\" { max = 3 } }\n");
	x = policy_find(f->config, "x");
	config_origin(x, &type_rows[T_STRING], &file, &line);
	assert_string_equal(file, talloc_asprintf(f, "%s/t.conf", f->folder));
	assert_int_equal(line, 2);
	config_origin(x, &type_rows[T_INT], &file, &line);
	assert_string_equal(file, included);
	assert_int_equal(line, 3);
	config_origin(x, &type_rows[T_BOOL], &file, &line);
	assert_int_equal(line, 5);
	config_origin(x, &type_rows[T_FLOAT], &file, &line);
	assert_int_equal(line, 8);
	config_origin(x, &rate_rows[RATE_MESSAGES], &file, &line);
	assert_int_equal(line, 9);
	config_origin(config_default_policy(f->config), &type_rows[T_FLOAT], &file, &line);
	assert_null(file);
	assert_int_equal(line, 0);
	config_origin(x, &global_settings[G_HOSTNAME], &file, &line);
	assert_null(file);
}

static void relative_paths_start_from_the_directory(void **state)
{
	struct fixture *f = *state;
	char *here = getcwd(NULL, 0);
	const struct policy *p = load(f, "types { path = \"a/b\" }\n");

	assert_string_equal(setting_string(p, &type_rows[T_PATH]), talloc_asprintf(f, "%s/a/b", here));
	assert_string_equal(setting_string(p, &global_settings[G_DIRECTORY]), here);
	assert_string_equal(config_value_text(f, p, &global_settings[G_DIRECTORY]), "\"\"");
	assert_string_equal(setting_string(p, &global_settings[G_PID_FILE]), "");
	assert_string_equal(setting_string(p, &global_settings[G_LISTEN]), "inet:8893@127.0.0.1");
	write_conf(f, "keys", "one 1\n");
	p = load(f, talloc_asprintf(f, "listen = \"unix:run/s\"\ncontrol = \"unix:/run/c\"\ntypes { table = \"file:keys\" path = \"/abs\" }\ndirectory = \"%s\"\n", f->folder));
	assert_string_equal(setting_string(p, &global_settings[G_DIRECTORY]), f->folder);
	assert_string_equal(setting_string(p, &global_settings[G_LISTEN]), talloc_asprintf(f, "unix:%s/run/s", f->folder));
	assert_string_equal(setting_string(p, &global_settings[G_CONTROL]), "unix:/run/c");
	assert_string_equal(setting_string(p, &global_settings[G_SPOOL]), talloc_asprintf(f, "%s/var/spool", f->folder));
	assert_string_equal(setting_string(p, &type_rows[T_PATH]), "/abs");
	assert_int_equal(table_lookup(setting_table(p, &type_rows[T_TABLE]), "one", f, NULL), ANSWER_YES);
	assert_int_equal(mkdir(talloc_asprintf(f, "%s/sub", f->folder), 0700), 0);
	assert_int_equal(chdir(f->folder), 0);
	p = load(f, "directory = sub\n");
	assert_string_equal(setting_string(p, &global_settings[G_SPOOL]), talloc_asprintf(f, "%s/sub/var/spool", f->folder));
	assert_string_equal(config_value_text(f, p, &global_settings[G_DIRECTORY]), "\"sub\"");
	refused(f, "directory = nowhere\n", 1, "there is no folder");
	assert_int_equal(chdir(here), 0);
	free(here);
}

static const struct setting default_table_rows[] = { { .name = "list", .type = SET_TABLE, .def = "file:etc/winnow-test-nowhere" }, { 0 } };

static void a_file_that_only_a_default_names_may_be_missing(void **state)
{
	static const struct section with_default = { .name = "lists", .rows = default_table_rows };
	const struct section *const list[] = { &global_section, &with_default };
	struct fixture *f = *state;

	assert_int_equal(config_load(NULL, list, 2, f->tables, &f->config, &f->errors, &f->notes), 0);
	assert_int_equal(f->notes.n, 1);
	assert_non_null(strstr(f->notes.v[0].text, "etc/winnow-test-nowhere does not exist"));
	assert_true(table_is_empty(setting_table(config_default_policy(f->config), &default_table_rows[0])));
	config_unref(f->config);
	assert_int_not_equal(config_load(write_conf(f, "x", "lists { list = \"file:etc/winnow-test-nowhere\" }\n"), list, 2, f->tables, &f->config, &f->errors, NULL), 0);
	assert_int_equal(f->errors.n, 1);
}

static void without_a_file_everything_is_built_in(void **state)
{
	struct fixture *f = *state;
	const struct policy *p;

	assert_int_equal(config_load(NULL, sections, COUNT(sections), f->tables, &f->config, &f->errors, NULL), 0);
	p = config_default_policy(f->config);
	assert_string_equal(policy_name(p), "default");
	assert_int_equal(policy_mode(p), MODE_ENFORCE);
	assert_int_equal(setting_int(p, &global_settings[G_SESSIONS_MAX]), 2000);
	assert_ptr_equal(policy_config(p), f->config);
	assert_false(config_has_domains(f->config));
	config_unref(f->config);
	f->config = NULL;
	assert_int_not_equal(config_load("/nonexistent/winnow.conf", sections, COUNT(sections), f->tables, &f->config, &f->errors, NULL), 0);
	assert_int_equal(f->errors.n, 1);
}

static void sections_that_stand_in_the_file_are_known_even_when_empty(void **state)
{
	struct fixture *f = *state;
	const char *file;
	int line;

	load(f, "\nstore \"memory\" { }\nrate { }\npolicy x { types { } }\n");
	assert_true(config_section_given(f->config, memory_rows, &file, &line));
	assert_int_equal(line, 2);
	assert_true(config_section_given(f->config, rate_rows, &file, &line));
	assert_false(config_section_given(f->config, sqlite_rows, &file, &line));
	assert_false(config_section_given(f->config, type_rows, &file, &line));
}

static void configurations_are_compared_by_what_takes_effect(void **state)
{
	struct fixture *f = *state;
	struct config *a;

	load(f, "types { duration = 90  list = { a, b }  string = x  table = \"inline:a\"  int = 1  float = 1.0 }\n");
	a = config_ref(f->config);
	load(f, "\n\ntypes { duration = \"90s\"  list = { ab }  string = y  table = \"inline:a\"  int = 2  float = 1  unset = \"\" }\n");
	assert_true(config_same(a, f->config, &type_rows[T_DURATION]));
	assert_true(config_same(a, f->config, &type_rows[T_TABLE]));
	assert_true(config_same(a, f->config, &type_rows[T_FLOAT]));
	assert_true(config_same(a, f->config, &type_rows[T_BOOL]));
	assert_false(config_same(a, f->config, &type_rows[T_LIST]));
	assert_false(config_same(a, f->config, &type_rows[T_STRING]));
	assert_false(config_same(a, f->config, &type_rows[T_INT]));
	assert_false(config_same(a, f->config, &type_rows[T_UNSET]));        /* empty is not unset */
	config_unref(a);
}

static void a_row_read_as_another_type_or_of_another_section_ends_the_program(void **state)
{
	static const struct setting stranger[] = { { .name = "stranger", .type = SET_INT, .def = "1" } };
	struct fixture *f = *state;
	const struct policy *p = load(f, "");

	for (int i = 0; i < 2; i++) {
		pid_t child = fork();
		int status;

		if (child == 0) {
			signal(SIGABRT, SIG_DFL);
			assert_non_null(freopen("/dev/null", "w", stderr));
			if (i == 0)
				setting_int(p, stranger);
			else
				setting_int(p, &type_rows[T_SIZE]);
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	}
}

/* Takes the # away that switches options off ("# " begins an explanation). */
static char *switch_on(TALLOC_CTX *mem, const char *text, unsigned *n_r)
{
	char *out = talloc_zero_array(mem, char, strlen(text) + 1), *p = out;
	bool start = true;

	for (; *text != '\0'; text++) {
		if (start && text[0] == '#' && text[1] != ' ' && text[1] != '\n') {
			++*n_r;
			continue;
		}
		start = *text == '\n' || (start && *text == '\t');
		*p++ = *text;
	}
	return out;
}

static void the_file_of_defaults_is_a_good_file_and_says_the_built_in_values(void **state)
{
	struct fixture *f = *state;
	char *text = config_defaults_text(f, sections, COUNT(sections)), *on;
	const struct policy *p = load(f, text);
	struct config *built_in;
	unsigned n = 0, rows = 0;
	const char *file;
	int line;

	config_origin(p, &type_rows[T_INT], &file, &line);
	assert_null(file);                    /* as it is made, nothing is set */
	assert_false(config_section_given(f->config, memory_rows, &file, &line));
	assert_int_equal(config_load(NULL, sections, COUNT(sections), f->tables, &built_in, &f->errors, NULL), 0);
	on = switch_on(f, text, &n);
	p = load(f, on);
	for (size_t i = 0; i < COUNT(sections); i++) {
		for (const struct setting *row = sections[i]->rows; row->name != NULL; row++, rows++) {
			config_origin(p, row, &file, &line);
			if (row->def != NULL && !config_same(built_in, f->config, row))
				fail_msg("%s: %s", row->name, config_value_text(f, p, row));
			if (file == NULL && !sections[i]->titled && strcmp(row->name, "hostname") != 0 && strcmp(row->name, "own_ips") != 0)
				fail_msg("%s is missing", row->name);
		}
	}
	assert_true(n > rows);
	assert_non_null(config_domain(f->config, "example.com"));
	assert_true(config_same(built_in, f->config, &global_settings[G_OWN_IPS]));
	assert_true(config_same(built_in, f->config, &global_settings[G_HOSTNAME]));
	config_unref(built_in);
}

static void twenty_thousand_domains_load(void **state)
{
	struct fixture *f = *state;
	FILE *out;

	out = fopen(talloc_asprintf(f, "%s/a.conf", f->folder), "w");
	for (int i = 0; i < 10000; i++)
		fprintf(out, "domain \"d%d.example\" { policy = \"p%d\"  route = \"[192.0.2.1]:25\" }\n", (i * 7919) % 10000, i % 50);
	fclose(out);
	out = fopen(talloc_asprintf(f, "%s/b.conf", f->folder), "w");
	for (int i = 10000; i < 20000; i++)
		fprintf(out, "domain \"d%d.example\" { recipients = \"inline:a, b\" }\n", i);
	for (int i = 0; i < 50; i++)
		fprintf(out, "policy \"p%d\" { threshold = 0.%02d }\n", i, i + 40);
	fclose(out);
	load(f, "include(\"a.conf\")\ninclude(\"b.conf\")\n");
	for (int i = 0; i < 20000; i++) {
		const struct domain *d = config_domain(f->config, talloc_asprintf(f, "d%d.example", i));

		assert_non_null(d);
		assert_int_equal(i >= 10000, d->recipients != NULL);
	}
	assert_null(config_domain(f->config, "d20000.example"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(values_of_every_type_are_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bad_values_are_refused_with_what_was_got_and_what_is_allowed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(values_are_read_back_with_their_types, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lists_grow_by_plus, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names_that_are_not_known_get_a_hint, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_set_twice_is_an_error_that_names_both_lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(all_faults_of_a_file_come_in_one_go_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_value_knows_where_it_was_set, set_up, tear_down),
		cmocka_unit_test_setup_teardown(relative_paths_start_from_the_directory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_that_only_a_default_names_may_be_missing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_a_file_everything_is_built_in, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sections_that_stand_in_the_file_are_known_even_when_empty, set_up, tear_down),
		cmocka_unit_test_setup_teardown(configurations_are_compared_by_what_takes_effect, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_row_read_as_another_type_or_of_another_section_ends_the_program, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_file_of_defaults_is_a_good_file_and_says_the_built_in_values, set_up, tear_down),
		cmocka_unit_test_setup_teardown(twenty_thousand_domains_load, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
