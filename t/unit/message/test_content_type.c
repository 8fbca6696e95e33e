/* test_content_type.c - Content-Type as standards write it, and as mail and attackers do */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message/header.h"

struct row {
	const char *what, *value;
	const char *type, *boundary, *charset, *name;    /* "text/plain"; NULL: there is none */
	bool malformed;
};

static bool same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void check_rows(const struct row *rows, size_t n)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < n; i++) {
		const struct row *row = &rows[i];
		TALLOC_CTX *parent = talloc_new(NULL);
		size_t len = strlen(row->value);
		char *exact = malloc(len ? len : 1);
		struct content_type t;
		const char *type;

		memcpy(exact, row->value, len);
		content_type_parse(parent, exact, len, &t);
		free(exact);
		type = talloc_asprintf(parent, "%s/%s", t.type, t.subtype);
		if (!same(type, row->type) || !same(t.boundary, row->boundary) || !same(t.charset, row->charset) || !same(t.name, row->name) || t.malformed != row->malformed) {
			print_error("%s: \"%s\" gives %s boundary=%s charset=%s name=%s%s\n", row->what, row->value, type, t.boundary, t.charset, t.name, t.malformed ? " malformed" : "");
			wrong++;
		}
		talloc_free(parent);
	}
	assert_int_equal(wrong, 0);
}

static void well_formed_fields_are_read(void **state)
{
	static const struct row rows[] = {
		{ "a type alone", "text/html", "text/html", NULL, NULL, NULL, false },
		{ "capitals", " TEXT/Html; CHARSET=UTF-8", "text/html", NULL, "utf-8", NULL, false },
		{ "quotes", "text/plain; charset=\"us-ascii\"", "text/plain", NULL, "us-ascii", NULL, false },
		{ "a comment (RFC 2045)", "text/plain; charset=us-ascii (Plain text)", "text/plain", NULL, "us-ascii", NULL, false },
		{ "a multipart", "multipart/mixed; boundary=\"=_a/b c:1\"", "multipart/mixed", "=_a/b c:1", NULL, NULL, false },
		{ "case of the boundary", "multipart/mixed; boundary=AbC", "multipart/mixed", "AbC", NULL, NULL, false },
		{ "folds", " multipart/alternative;\n\tboundary=\"a\"\r\n ;\n charset=utf-8", "multipart/alternative", "a", "utf-8", NULL, false },
		{ "a fold in quotes", "a/b; name=\"x\n y\"", "a/b", NULL, NULL, "x y", false },
		{ "comments everywhere", "(a)message(b)/(c(d))partial(e);(f)id(g)=(h)\"x\"(\\));number=1", "message/partial", NULL, NULL, NULL, false },
		{ "quoted pairs", "a/b; name=\"x\\\"\\\\y\"", "a/b", NULL, NULL, "x\"\\y", false },
		{ "a semicolon in quotes", "a/b; name=\"x; boundary=y\"", "a/b", NULL, NULL, "x; boundary=y", false },
		{ "a semicolon at the end", "text/plain;", "text/plain", NULL, NULL, NULL, false },
		{ "two semicolons", "text/plain;; ;charset=a", "text/plain", NULL, "a", NULL, false },
		{ "other parameters", "text/plain; format=flowed; delsp=yes", "text/plain", NULL, NULL, NULL, false },
		{ "nothing", "", "text/plain", NULL, NULL, NULL, false },
		{ "blanks", " \n ", "text/plain", NULL, NULL, NULL, false },
		{ "an empty boundary", "multipart/mixed; boundary=\"\"", "multipart/mixed", "", NULL, NULL, false },
	};

	(void)state;
	check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

static void parameters_of_rfc_2231_are_joined_and_decoded(void **state)
{
	static const struct row rows[] = {
		{ "two sections", "multipart/mixed; boundary*0=\"ab\"; boundary*1=cd", "multipart/mixed", "abcd", NULL, NULL, false },
		{ "sections in disorder", "multipart/mixed; boundary*2=ef; boundary*0=ab; boundary*1=cd", "multipart/mixed", "abcdef", NULL, NULL, false },
		{ "a section is missing", "multipart/mixed; boundary*0=ab; boundary*2=ef", "multipart/mixed", "ab", NULL, NULL, false },
		{ "no first section", "multipart/mixed; boundary*1=ab", "multipart/mixed", NULL, NULL, NULL, false },
		{ "a charset", "a/b; name*=iso-8859-1'de'J%F6rg.txt", "a/b", NULL, NULL, "J\xc3\xb6rg.txt", false },
		{ "an empty charset", "a/b; name*=''a%20b", "a/b", NULL, NULL, "a b", false },
		{ "no charset at all", "a/b; name*=a%20b", "a/b", NULL, NULL, "a b", false },
		{ "an unknown charset", "a/b; name*=x-none''a%FFb", "a/b", NULL, NULL, "a\xef\xbf\xbd" "b", false },
		{ "the example of the standard", "application/x-stuff; name*0*=us-ascii'en'This%20is%20even%20more%20; name*1*=%2A%2A%2Afun%2A%2A%2A%20; name*2=\"isn't it!\"",
			"application/x-stuff", NULL, NULL, "This is even more ***fun*** isn't it!", false },
		{ "a character in two sections", "a/b; name*0*=utf-8''J%C3; name*1*=%B6rg", "a/b", NULL, NULL, "J\xc3\xb6rg", false },
		{ "per cent without digits", "a/b; name*=utf-8''100%; name*=x", "a/b", NULL, NULL, "100%", true },
		{ "per cent in an unencoded section", "a/b; name*0=100%41", "a/b", NULL, NULL, "100%41", false },
		{ "both forms of name", "a/b; name=\"Jrg\"; name*=utf-8''J%C3%B6rg", "a/b", NULL, NULL, "J\xc3\xb6rg", false },
		{ "both forms of boundary, the same", "multipart/mixed; boundary=ab; boundary*0=ab", "multipart/mixed", "ab", NULL, NULL, false },
		{ "both forms of boundary, not the same", "multipart/mixed; boundary=ab; boundary*=cd", "multipart/mixed", "cd", NULL, NULL, true },
		{ "a section in two forms", "multipart/mixed; boundary*0=ab; boundary*0*=cd", "multipart/mixed", "ab", NULL, NULL, true },
		{ "whole and in sections", "multipart/mixed; boundary*=ab; boundary*0=cd; boundary*1=ef", "multipart/mixed", "ab", NULL, NULL, true },
		{ "a type of parameter split", "text/plain; charset*0=\"UTF\"; charset*1=-8", "text/plain", NULL, "utf-8", NULL, false },
		{ "a section that is none", "a/b; name*x=a; name*99999999999=b; name*1x=c", "a/b", NULL, NULL, NULL, false },
		{ "NUL in per cent", "a/b; name*=utf-8''a%00b", "a/b", NULL, NULL, "a\x01" "b", false },
		{ "an encoded word", "a/b; name=\"=?iso-8859-1?Q?J=F6rg?=.txt\"", "a/b", NULL, NULL, "J\xc3\xb6rg.txt", false },
		{ "raw Latin 1", "a/b; name=J\xf6rg", "a/b", NULL, NULL, "J\xef\xbf\xbdrg", false },
	};

	(void)state;
	check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

static void bad_fields_are_read_as_far_as_possible(void **state)
{
	static const struct row rows[] = {
		{ "no semicolon", "text/plain charset=utf-8 name=x", "text/plain", NULL, "utf-8", "x", false },
		{ "blanks around the equals sign", "text/plain; charset = utf-8", "text/plain", NULL, "utf-8", NULL, false },
		{ "blanks around the slash", "text / html", "text/html", NULL, NULL, NULL, false },
		{ "specials in an unquoted value", "multipart/mixed; boundary=a/b=c?d:e@f", "multipart/mixed", "a/b=c?d:e@f", NULL, NULL, false },
		{ "no subtype", "text", "text/plain", NULL, NULL, NULL, true },
		{ "no subtype but parameters", "multipart; boundary=x", "text/plain", "x", NULL, NULL, true },
		{ "an empty subtype", "text/; charset=a", "text/plain", NULL, "a", NULL, true },
		{ "an empty type", "/html; charset=a", "text/plain", NULL, "a", NULL, true },
		{ "a second slash", "text/html/x; charset=a", "text/html", NULL, "a", NULL, true },
		{ "a comma", "text/html, charset=a; name=b", "text/html", NULL, NULL, "b", true },
		{ "only a comment", "(text/html)", "text/plain", NULL, NULL, NULL, true },
		{ "8-bit in the type", "text/ht\xffml; charset=a", "text/ht", NULL, "a", NULL, true },
		{ "a type in quotes", "\"text/html\"; charset=a", "text/plain", NULL, "a", NULL, true },
		{ "a word without value", "text/html; charset; name=a", "text/html", NULL, NULL, "a", true },
		{ "an equals sign without value", "text/html; charset=; name=a", "text/html", NULL, "", "a", true },
		{ "a value without name", "text/html; =x; name=a", "text/html", NULL, NULL, "a", true },
		{ "an open quote", "multipart/mixed; boundary=\"abc", "multipart/mixed", "abc", NULL, NULL, true },
		{ "an open comment", "multipart/mixed (; boundary=abc", "multipart/mixed", NULL, NULL, NULL, true },
		{ "a quote in a value", "a/b; name=x\"y\"; charset=z", "a/b", NULL, "z", "x", true },
		{ "a name with blanks", "a/b; name=my file.pdf; charset=z", "a/b", NULL, "z", "my", true },
		{ "a parameter twice", "multipart/mixed; boundary=a; boundary=b", "multipart/mixed", "a", NULL, NULL, true },
		{ "a parameter twice in other case", "multipart/mixed; boundary=a; BOUNDARY=a", "multipart/mixed", "a", NULL, NULL, true },
		{ "another parameter twice", "text/plain; x=1; x=2", "text/plain", NULL, NULL, NULL, true },
		{ "message/partial with a comment", "message/(x)partial (y); id=1", "message/partial", NULL, NULL, NULL, false },
		{ "bare CR and LF", "text/plain;\rcharset=a\nname=b", "text/plain", NULL, "a", "b", false },
	};

	(void)state;
	check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

static void nul_is_a_bad_byte(void **state)
{
	static const char value[] = "text/plain\0; charset=\"a\0b\"; name=c\0d";
	TALLOC_CTX *parent = talloc_new(NULL);
	struct content_type t;

	(void)state;
	content_type_parse(parent, value, sizeof(value) - 1, &t);
	assert_true(t.malformed);
	assert_string_equal(t.subtype, "plain");
	assert_string_equal(t.charset, "a\x01" "b");
	assert_string_equal(t.name, "c\x01" "d");
	talloc_free(parent);
}

static void no_more_parameters_than_a_limit_are_read(void **state)
{
	TALLOC_CTX *parent = talloc_new(NULL);
	char value[8000];
	size_t len = (size_t)snprintf(value, sizeof(value), "text/plain");
	struct content_type t;

	(void)state;
	for (unsigned i = 0; i < 255; i++)
		len += (size_t)snprintf(value + len, sizeof(value) - len, "; p%u=%u", i, i);
	len += (size_t)snprintf(value + len, sizeof(value) - len, "; charset=a");
	content_type_parse(parent, value, len, &t);
	assert_false(t.malformed);
	assert_string_equal(t.charset, "a");
	len += (size_t)snprintf(value + len, sizeof(value) - len, "; name=a");
	content_type_parse(parent, value, len, &t);
	assert_true(t.malformed);
	assert_null(t.name);
	talloc_free(parent);
}

static void large_fields_are_read_in_linear_time(void **state)
{
	static const char *const pieces[] = { "a=b;", ";", "(", "\"", "a", "a ", "=", "name*0*=utf-8''%FF;", "/", "a/b;a=\"\"", "\\", "*" };
	size_t len = 1000000;
	char *value = malloc(len);

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		TALLOC_CTX *parent = talloc_new(NULL);
		struct content_type t;

		for (size_t k = 0; k < len; k++)
			value[k] = pieces[i][k % strlen(pieces[i])];
		memcpy(value, "a/b;", 4);
		content_type_parse(parent, value, len, &t);
		assert_string_equal(t.subtype, "b");
		assert_true(t.malformed || pieces[i][0] == ';');
		talloc_free(parent);
	}
	/* one name of a megabyte, each byte of it three in UTF-8 */
	memset(value, 0xff, len);
	memcpy(value, "a/b;name*=koi8-r''", 18);
	TALLOC_CTX *parent = talloc_new(NULL);
	struct content_type t;
	content_type_parse(parent, value, len, &t);
	assert_false(t.malformed);
	assert_int_equal(strlen(t.name), 2 * (len - 18));
	talloc_free(parent);
	free(value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(well_formed_fields_are_read),
		cmocka_unit_test(parameters_of_rfc_2231_are_joined_and_decoded),
		cmocka_unit_test(bad_fields_are_read_as_far_as_possible),
		cmocka_unit_test(nul_is_a_bad_byte),
		cmocka_unit_test(no_more_parameters_than_a_limit_are_read),
		cmocka_unit_test(large_fields_are_read_in_linear_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
