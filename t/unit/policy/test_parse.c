/* test_parse.c - the text of the configuration to a tree: grammar, recovery, includes, variables, limits */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "policy/parse.h"

struct fixture {
	TALLOC_CTX *mem;
	struct config_errors errors;
};

static int set_up(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);

	f->mem = f;
	f->errors.mem = f;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	talloc_free(*state);
	return 0;
}

static void fresh(struct fixture *f)
{
	talloc_free(f->errors.v);
	f->errors = (struct config_errors){ .mem = f->mem };
}

static struct node *parse(struct fixture *f, const char *text)
{
	fresh(f);
	return parse_text(f->mem, text, strlen(text), "t.conf", NULL, &f->errors);
}

/* The tree on one line: name=[value value] name:title{ ... }. */
static char *flat_nodes(TALLOC_CTX *mem, char *out, const struct node *node)
{
	for (; node != NULL; node = node->next) {
		if (node->kind == NODE_SECTION) {
			out = talloc_asprintf_append(out, "%s%s%s{ ", node->name, node->title != NULL ? ":" : "", node->title != NULL ? node->title : "");
			out = talloc_strdup_append(flat_nodes(mem, out, node->children), "} ");
			continue;
		}
		out = talloc_asprintf_append(out, "%s%s%s", node->name, node->append ? "+=" : "=", node->kind == NODE_LIST ? "[" : "");
		for (size_t i = 0; i < node->n_values; i++)
			out = talloc_asprintf_append(out, "%s%s", i > 0 ? "," : "", node->values[i]);
		out = talloc_asprintf_append(out, "%s ", node->kind == NODE_LIST ? "]" : "");
	}
	return out;
}

static char *flat(TALLOC_CTX *mem, const struct node *root)
{
	return flat_nodes(mem, talloc_strdup(mem, ""), root->children);
}

static void good_files_become_trees(void **state)
{
	static const struct {
		const char *text, *tree;
	} cases[] = {
		{ "", "" },
		{ "\n\n  \t\r\n", "" },
		{ "\xef\xbb\xbf""a = 1", "a=1 " },
		{ "a = 1", "a=1 " },
		{ "a=1\r\nb=\"2\"\r\n", "a=1 b=2 " },
		{ "a = -1.5e+3_x%", "a=-1.5e+3_x% " },
		{ "a = yes b = no", "a=yes b=no " },
		{ "a\n= 1", "a=1 " },
		{ "a += x", "a+=x " },
		{ "a+=x", "a+=x " },
		{ "a = { }", "a=[] " },
		{ "a = { x }", "a=[x] " },
		{ "a = { \"x\", y, 'z', }", "a=[x,y,z] " },
		{ "a = {\n\t\"x\",\n\n\t\"y\"\n}\nb = 1", "a=[x,y] b=1 " },
		{ "s { }", "s{ } " },
		{ "s\n{\n}\n", "s{ } " },
		{ "s { a = 1  b = { 2, 3 }  t { c = 4 } } d = 5", "s{ a=1 b=[2,3] t{ c=4 } } d=5 " },
		{ "s \"the title\" { a = 1 }", "s:the title{ a=1 } " },
		{ "s title { a = 1 }", "s:title{ a=1 } " },
		{ "s \"\" { }", "s:{ } " },
		{ "include = 1 include { }", "include=1 include{ } " },
		/* comments, and what is none */
		{ "# all # of it\na = 1 # b = 2\n", "a=1 " },
		{ "// all of it\na = 1 // b = 2\n", "a=1 " },
		{ "a /* b = 2 */ = /* c */ 1 /* d */", "a=1 " },
		{ "/* a = 1\n\n * { \" */ b = 2", "b=2 " },
		{ "/*/ a = 1 /*/ b = 2", "b=2 " },
		{ "/**/a = 1/***/b = 2", "a=1 b=2 " },
		{ "a = { # why }\n \"x\", // and \"y\"\n /* \"z\", */ \"w\" # last\n}", "a=[x,w] " },
		{ "a = \"x # y // z /* w */\" b = '# // /*'", "a=x # y // z /* w */ b=# // /* " },
		{ "a = x#comment", "a=x " },
		{ "a = x//comment", "a=x " },
		{ "s { # {\n a = 1 // }\n }", "s{ a=1 } " },
		{ "a = \"{ } = += , ( )\"", "a={ } = += , ( ) " },
		/* escapes */
		{ "a = \"\\\\ \\\" \\' \\$ \\t|\\n|\\r|\\x41\\x7e\"", "a=\\ \" ' $ \t|\n|\r|A~ " },
		{ "a = '\\\\ \\' \" \\d+ ${HOME} \\''", "a=\\ ' \" \\d+ ${HOME} ' " },
		{ "a = \"$ $x $$ $(y)\"", "a=$ $x $$ $(y) " },
		{ "a = \"\\${HOME}\"", "a=${HOME} " },
		{ "a = \"m\xc3\xbcller\"", "a=m\xc3\xbcller " },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct node *root = parse(f, cases[i].text);

		if (f->errors.n > 0)
			fail_msg("%s: %s", cases[i].text, f->errors.v[0].text);
		assert_string_equal(flat(f->mem, root), cases[i].tree);
	}
}

static void one_fault_gives_one_error_at_its_line_and_the_rest_is_read(void **state)
{
	static const struct {
		const char *text;
		int line;
		const char *error;           /* a part of it */
		const char *tree;
	} cases[] = {
		{ "a =\nb = 2", 1, "a has no value", "b=2 " },
		{ "a = # nothing\nb = 2", 1, "a has no value", "b=2 " },
		{ "s { a = }\nb = 2", 1, "a has no value", "s{ } b=2 " },
		{ "\na\nb = 2", 2, "a stands alone", "b=2 " },
		{ "a \"x\"\nb = 2", 1, "\"=\" is missing behind a", "b=2 " },
		{ "a x y z\nb = 2", 1, "\"=\" is missing behind a", "b=2 " },
		{ "a = \"x\nb = 2", 1, "no end on its line", "b=2 " },
		{ "a = 'x\nb = 2", 1, "no end on its line", "b=2 " },
		{ "a = \"x\\\nb = 2", 1, "no end on its line", "b=2 " },
		{ "a = { \"x\n}\nb = 2", 1, "no end on its line", "a=[] b=2 " },
		{ "a = { \"x\", \"y\"\nb = 2", 1, "the list of a that begins here has no end", "a=[x,y] b=2 " },
		{ "a = {\n\"x\",\ns { b = 2 }", 1, "the list of a", "a=[x] s{ b=2 } " },
		{ "a = { \"x\"", 1, "the list of a", "a=[x] " },
		{ "a = { \"x\"\n\"y\" }\nb = 2", 2, "a comma or } is missing", "a=[x] b=2 " },
		{ "a = { { x }, y }\nb = 2", 1, "a list is written", "a=[] b=2 " },
		{ "a = { , }\nb = 2", 1, "a list is written", "a=[] b=2 " },
		{ "a = inet:8893@127.0.0.1\nb = 2", 1, "inet:8893@127.0.0.1 must stand in double quotes", "b=2 " },
		{ "a = /var/run/x\nb = 2", 1, "/var/run/x must stand in double quotes", "b=2 " },
		{ "a = http://x\nb = 2", 1, "http: must stand in double quotes", "b=2 " },
		{ "a = { x, b@c, y }\nb = 2", 1, "b@c must stand in double quotes", "a=[x,y] b=2 " },
		{ "a = \"x\", \"y\"\nb = 2", 1, "several values need braces", "a=x b=2 " },
		{ "a = \"x\" \"y\"\nb = 2", 1, "belongs to nothing", "a=x b=2 " },
		{ "a = 1;\nb = 2", 1, "a stray \";\"", "a=1 b=2 " },
		{ "a == 1\nb = 2", 1, "a needs a word", "b=2 " },
		{ "@\nb = 2", 1, "a stray \"@\"", "b=2 " },
		{ "= 1\nb = 2", 1, "a stray \"=\"", "b=2 " },
		{ "{ a = 1\n c = 3 }\nb = 2", 1, "a stray \"{\"", "b=2 " },
		{ "a = 1\n}\nb = 2", 2, "a stray \"}\"", "a=1 b=2 " },
		{ "s {\n a = 1\n", 1, "the section s that begins here has no end", "s{ a=1 } " },
		{ "\ns \"x\" {\n a = 1\n t { }\n", 2, "the section s \"x\" that begins here has no end", "s:x{ a=1 t{ } } " },
		{ "a = 1\n/* b = 2\n", 2, "the comment that begins here has no end", "a=1 " },
		{ "a = \"x\\qy\"\nb = 2", 1, "\\q means nothing", "a=xy b=2 " },
		{ "a = \"\\q\" @ \"\\z\nb = 2", 1, "\\q means nothing", "a= b=2 " },      /* the rest of the line would only be an echo */
		{ "a = \"\\x4\"\nb = 2", 1, "\\x means nothing", "a=4 b=2 " },
		{ "a = \"\\x00\"\nb = 2", 1, "NUL", "a= b=2 " },
		{ "a = \"${\"\nb = 2", 1, "begins an environment variable", "a= b=2 " },
		{ "a = \"${}\"\nb = 2", 1, "begins an environment variable", "a=} b=2 " },
		{ "a = \"${A B}\"\nb = 2", 1, "begins an environment variable", "a=A B} b=2 " },
		{ "a = \"${WINNOW_TEST_UNSET}\"\nb = 2", 1, "WINNOW_TEST_UNSET is not set", "a= b=2 " },
		{ "include(\"x\")\nb = 2", 1, "nothing can be included", "b=2 " },
		{ "include(x)\nb = 2", 1, "an include is written", "b=2 " },
		{ "include(\"x\"\nb = 2", 1, "an include is written", "b=2 " },
		{ "include \"x\"\nb = 2", 1, "\"=\" is missing behind include", "b=2 " },
		{ "s { a @ { t\n = } 5\n}\nb = 2", 1, "a stands alone", "s{ } b=2 " },    /* goes on behind the braces that began on the bad line */
	};
	struct fixture *f = *state;

	unsetenv("WINNOW_TEST_UNSET");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct node *root = parse(f, cases[i].text);

		if (f->errors.n != 1)
			fail_msg("%s: %zu errors, second: %s", cases[i].text, f->errors.n, f->errors.n > 1 ? f->errors.v[1].text : "-");
		if (strstr(f->errors.v[0].text, cases[i].error) == NULL)
			fail_msg("%s: %s", cases[i].text, f->errors.v[0].text);
		assert_int_equal(f->errors.v[0].line, cases[i].line);
		assert_string_equal(f->errors.v[0].file, "t.conf");
		assert_string_equal(flat(f->mem, root), cases[i].tree);
	}
}

static void every_node_knows_its_line_whatever_comments_stand_before(void **state)
{
	struct fixture *f = *state;
	const struct node *n = parse(f, "# one\n// two\n/* three\nfour */ a = 1\nb = { # five\n x,\n y }\n\ns {\n\n c = 2\n}\nd = 3\n")->children;

	assert_int_equal(f->errors.n, 0);
	assert_int_equal(n->line, 4);
	assert_int_equal(n->next->line, 5);
	assert_int_equal(n->next->next->line, 9);
	assert_int_equal(n->next->next->children->line, 11);
	assert_int_equal(n->next->next->next->line, 13);
	assert_string_equal(n->file, "t.conf");
}

static void variables_of_the_environment_are_put_in(void **state)
{
	struct fixture *f = *state;
	struct node *root;

	setenv("WINNOW_TEST_SET", "it's \"this\" # {", 1);
	setenv("WINNOW_TEST_EMPTY", "", 1);
	unsetenv("WINNOW_TEST_UNSET");
	root = parse(f, "a = \"<${WINNOW_TEST_SET}>\" b = \"${WINNOW_TEST_SET:-x}\" c = \"${WINNOW_TEST_UNSET:-x y/z}\" d = \"${WINNOW_TEST_EMPTY}\" e = \"${WINNOW_TEST_EMPTY:-x}\" g = \"${WINNOW_TEST_UNSET:-}\"");
	assert_int_equal(f->errors.n, 0);
	assert_string_equal(flat(f->mem, root), "a=<it's \"this\" # {> b=it's \"this\" # { c=x y/z d= e=x g= ");
}

static void what_variables_bring_in_is_bounded(void **state)
{
	struct fixture *f = *state;
	char *big = talloc_zero_array(f->mem, char, 60001), *text = talloc_strdup(f->mem, "");

	memset(big, 'x', 60000);
	setenv("WINNOW_TEST_BIG", big, 1);
	parse(f, "a = \"${WINNOW_TEST_BIG}\"\nb = \"${WINNOW_TEST_BIG}${WINNOW_TEST_BIG}\"\n");
	assert_int_equal(f->errors.n, 1);
	assert_int_equal(f->errors.v[0].line, 2);
	for (int i = 0; i < 80; i++)
		text = talloc_strdup_append(text, "a = \"${WINNOW_TEST_BIG}\"\n");
	parse(f, text);
	assert_true(f->errors.n > 5);
	unsetenv("WINNOW_TEST_BIG");
}

static void sections_nest_sixteen_deep_and_no_deeper(void **state)
{
	struct fixture *f = *state;

	for (int depth = 16; depth <= 100000; depth = depth == 16 ? 17 : depth == 17 ? 100000 : depth + 1) {
		char *text = talloc_array(f->mem, char, (size_t)depth * 4 + 20);
		size_t n = 0;

		for (int i = 0; i < depth; i++)
			n += (size_t)sprintf(text + n, "s{\n");
		for (int i = 0; i < depth; i++)
			text[n++] = '}';
		strcpy(text + n, "\nb = 2\n");
		parse(f, text);
		assert_int_equal(f->errors.n, depth > 16 ? 1 : 0);
		if (depth > 16)
			assert_int_equal(f->errors.v[0].line, 17);
	}
}

static void a_nul_and_a_file_over_one_megabyte_are_refused(void **state)
{
	struct fixture *f = *state;
	char *text = talloc_array(f->mem, char, (1 << 20) + 1);

	fresh(f);
	assert_null(parse_text(f->mem, "a = 1\nb = \0\n", 12, "t.conf", NULL, &f->errors)->children);
	assert_int_equal(f->errors.n, 1);
	assert_int_equal(f->errors.v[0].line, 2);
	memset(text, '\n', 1 << 20);
	text[1 << 20] = '\n';
	fresh(f);
	parse_text(f->mem, text, 1 << 20, "t.conf", NULL, &f->errors);
	assert_int_equal(f->errors.n, 0);
	parse_text(f->mem, text, (1 << 20) + 1, "t.conf", NULL, &f->errors);
	assert_int_equal(f->errors.n, 1);
	assert_non_null(strstr(f->errors.v[0].text, "1 MB"));
}

/* ---- files */

static char *make_folder(TALLOC_CTX *mem)
{
	char *path = talloc_strdup(mem, "/tmp/winnow-parse-XXXXXX");

	assert_non_null(mkdtemp(path));
	return path;
}

static char *write_file(struct fixture *f, const char *folder, const char *name, const char *text)
{
	char *path = talloc_asprintf(f->mem, "%s/%s", folder, name);
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	return path;
}

static void remove_folder(struct fixture *f, const char *folder)
{
	assert_int_equal(system(talloc_asprintf(f->mem, "rm -rf '%s'", folder)), 0);
}

static void includes_start_from_the_folder_of_the_file_that_includes(void **state)
{
	struct fixture *f = *state;
	char *folder = make_folder(f->mem), *main_path;
	struct node *root;

	mkdir(talloc_asprintf(f->mem, "%s/sub", folder), 0700);
	main_path = write_file(f, folder, "main.conf", "a = 1\ninclude(\"sub/one.conf\")\ns {\n\tinclude(\"sub/two.conf\")\n}\nz = 9\n");
	write_file(f, folder, "sub/one.conf", "b = 2\ninclude(\"two.conf\")");
	write_file(f, folder, "sub/two.conf", "\nc = 3\n");
	root = parse_file(f->mem, main_path, &f->errors);
	assert_int_equal(f->errors.n, 0);
	assert_string_equal(flat(f->mem, root), "a=1 b=2 c=3 s{ c=3 } z=9 ");
	assert_string_equal(root->children->next->next->file, talloc_asprintf(f->mem, "%s/sub/two.conf", folder));
	assert_int_equal(root->children->next->next->line, 2);
	fresh(f);
	root = parse_text(f->mem, "include(\"sub/two.conf\") d = 4", 29, "t.conf", folder, &f->errors);
	assert_int_equal(f->errors.n, 0);
	assert_string_equal(flat(f->mem, root), "c=3 d=4 ");
	remove_folder(f, folder);
}

static void errors_of_all_files_come_in_the_order_of_the_files_and_lines(void **state)
{
	struct fixture *f = *state;
	char *folder = make_folder(f->mem), *main_path = write_file(f, folder, "z.conf", "include(\"a.conf\")\n\nx =\ninclude(\"missing.conf\")\ny =\ns {\n");
	static const struct {
		const char *file;
		int line;
	} want[] = { { "z.conf", 3 }, { "z.conf", 4 }, { "z.conf", 5 }, { "z.conf", 6 }, { "a.conf", 1 }, { "a.conf", 3 } };

	write_file(f, folder, "a.conf", "q =\ns {\n}}\n");
	parse_file(f->mem, main_path, &f->errors);
	config_errors_sort(&f->errors);
	assert_int_equal(f->errors.n, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_string_equal(f->errors.v[i].file, talloc_asprintf(f->mem, "%s/%s", folder, want[i].file));
		assert_int_equal(f->errors.v[i].line, want[i].line);
	}
	remove_folder(f, folder);
}

static void includes_in_a_circle_or_too_deep_are_errors(void **state)
{
	struct fixture *f = *state;
	char *folder = make_folder(f->mem), *path;

	path = write_file(f, folder, "a.conf", "a = 1\ninclude(\"b.conf\")\n");
	write_file(f, folder, "b.conf", "\n\ninclude(\"./a.conf\")\nb = 2\n");
	assert_string_equal(flat(f->mem, parse_file(f->mem, path, &f->errors)), "a=1 b=2 ");
	assert_int_equal(f->errors.n, 1);
	assert_int_equal(f->errors.v[0].line, 3);
	assert_non_null(strstr(f->errors.v[0].file, "b.conf"));
	assert_non_null(strstr(f->errors.v[0].text, "includes itself"));
	for (int i = 0; i < 20; i++)
		write_file(f, folder, talloc_asprintf(f->mem, "%d", i), talloc_asprintf(f->mem, "include(\"%d\")\n", i + 1));
	fresh(f);
	parse_file(f->mem, talloc_asprintf(f->mem, "%s/0", folder), &f->errors);
	assert_int_equal(f->errors.n, 1);
	assert_non_null(strstr(f->errors.v[0].text, "16 deep"));
	assert_non_null(strstr(f->errors.v[0].file, "/16"));
	remove_folder(f, folder);
}

static void includes_that_multiply_come_to_an_end(void **state)
{
	struct fixture *f = *state;
	char *folder = make_folder(f->mem), *many = talloc_strdup(f->mem, "");

	for (int i = 0; i < 200; i++)
		many = talloc_strdup_append(many, "include(\"2\")\n");
	write_file(f, folder, "0", "include(\"1\")\ninclude(\"1\")\ninclude(\"1\")\n");
	write_file(f, folder, "1", many);
	many = talloc_strdup(f->mem, "");
	for (int i = 0; i < 200; i++)
		many = talloc_strdup_append(many, "include(\"3\")\n");
	write_file(f, folder, "2", many);
	write_file(f, folder, "3", "");
	parse_file(f->mem, talloc_asprintf(f->mem, "%s/0", folder), &f->errors);
	assert_int_equal(f->errors.n, 1);
	assert_non_null(strstr(f->errors.v[0].text, "too many"));
	remove_folder(f, folder);
}

static void what_cannot_be_read_is_said_where_it_is_named(void **state)
{
	struct fixture *f = *state;
	char *folder = make_folder(f->mem), *path = write_file(f, folder, "a.conf", "\ninclude(\".\")\n");

	assert_null(parse_file(f->mem, "/nonexistent/winnow.conf", &f->errors)->children);
	assert_int_equal(f->errors.n, 1);
	assert_int_equal(f->errors.v[0].line, 0);
	assert_non_null(strstr(f->errors.v[0].text, "No such file"));
	fresh(f);
	parse_file(f->mem, path, &f->errors);
	assert_int_equal(f->errors.n, 1);
	assert_int_equal(f->errors.v[0].line, 2);
	assert_non_null(strstr(f->errors.v[0].text, "not a file"));
	fresh(f);
	assert_int_equal(mkfifo(talloc_asprintf(f->mem, "%s/fifo", folder), 0600), 0);
	parse_file(f->mem, talloc_asprintf(f->mem, "%s/fifo", folder), &f->errors);      /* does not wait for a writer */
	assert_int_equal(f->errors.n, 1);
	fresh(f);
	assert_null(parse_file(f->mem, "/dev/null", &f->errors)->children);
	assert_int_equal(f->errors.n, 0);
	remove_folder(f, folder);
}

static void more_than_two_hundred_errors_are_cut(void **state)
{
	struct fixture *f = *state;
	char *text = talloc_strdup(f->mem, "");

	for (int i = 0; i < 300; i++)
		text = talloc_strdup_append(text, "a =\n");
	parse(f, text);
	assert_int_equal(f->errors.n, 200);
	assert_true(f->errors.cut);
}

static void control_characters_of_the_file_do_not_reach_the_terminal(void **state)
{
	struct fixture *f = *state;

	parse(f, "a = \x1b[31m\n");
	assert_int_equal(f->errors.n, 1);
	assert_null(strchr(f->errors.v[0].text, '\x1b'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(good_files_become_trees, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_fault_gives_one_error_at_its_line_and_the_rest_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_node_knows_its_line_whatever_comments_stand_before, set_up, tear_down),
		cmocka_unit_test_setup_teardown(variables_of_the_environment_are_put_in, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_variables_bring_in_is_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sections_nest_sixteen_deep_and_no_deeper, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_nul_and_a_file_over_one_megabyte_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(includes_start_from_the_folder_of_the_file_that_includes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(errors_of_all_files_come_in_the_order_of_the_files_and_lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(includes_in_a_circle_or_too_deep_are_errors, set_up, tear_down),
		cmocka_unit_test_setup_teardown(includes_that_multiply_come_to_an_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_read_is_said_where_it_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(more_than_two_hundred_errors_are_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(control_characters_of_the_file_do_not_reach_the_terminal, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
