/* test_address.c - the envelope's paths and the header's address lists, with every trap that we know */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "message/address.h"

struct path_row {
	const char *what, *path;
	bool valid;
	const char *text, *local, *domain;
};

#define A60 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void check_paths(const struct path_row *rows, size_t n)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < n; i++) {
		TALLOC_CTX *parent = talloc_new(NULL);
		const struct path_row *row = &rows[i];
		struct address a = { 0 };
		bool valid = address_parse_path(parent, row->path, &a);

		if (valid != row->valid || strcmp(a.text, row->text) != 0 || strcmp(a.local, row->local) != 0 || strcmp(a.domain, row->domain) != 0) {
			print_error("%s: %s gives %d \"%s\" \"%s\" \"%s\"\n", row->what, row->path, valid, a.text, a.local, a.domain);
			wrong++;
		}
		talloc_free(parent);
	}
	assert_int_equal(wrong, 0);
}

static void paths_are_read_as_mtas_hand_them_on(void **state)
{
	static const struct path_row rows[] = {
		{ "with brackets", "<a@b.example>", true, "a@b.example", "a", "b.example" },
		{ "without", "a@b.example", true, "a@b.example", "a", "b.example" },
		{ "the null path", "<>", true, "", "", "" },
		{ "the null path without brackets", "", true, "", "", "" },
		{ "no domain", "<postmaster>", true, "postmaster", "postmaster", "" },
		{ "no domain, no brackets", "root", true, "root", "root", "" },
		{ "case of both parts", "<Anna.B@Example.COM>", true, "Anna.B@example.com", "Anna.B", "example.com" },
		{ "a trailing dot", "<a@b.example.>", true, "a@b.example", "a", "b.example" },
		{ "a domain of one label", "<a@localhost>", true, "a@localhost", "a", "localhost" },
		{ "a quoted local part", "<\"a b\"@x.example>", true, "\"a b\"@x.example", "a b", "x.example" },
		{ "an @ in quotes", "<\"a@b\"@x.example>", true, "\"a@b\"@x.example", "a@b", "x.example" },
		{ "escapes in quotes", "<\"a\\\"b\\\\\"@x.example>", true, "\"a\\\"b\\\\\"@x.example", "a\"b\\", "x.example" },
		{ "brackets in quotes", "<\"<a>\"@x.example>", true, "\"<a>\"@x.example", "<a>", "x.example" },
		{ "quoted and plain words", "<a.\"b c\".d@x.example>", true, "a.\"b c\".d@x.example", "a.b c.d", "x.example" },
		{ "a quoted local part alone", "<\"a b\">", true, "\"a b\"", "a b", "" },
		{ "a source route", "<@a.example,@b.example:c@D.example>", true, "c@d.example", "c", "d.example" },
		{ "a source route of one", "@a.example:c@d.example", true, "c@d.example", "c", "d.example" },
		{ "a source route with a literal", "<@[IPv6:2001:db8::1]:c@d.example>", true, "c@d.example", "c", "d.example" },
		{ "an IPv4 literal", "<a@[192.0.2.1]>", true, "a@[192.0.2.1]", "a", "[192.0.2.1]" },
		{ "an IPv6 literal", "<a@[IPv6:2001:DB8::1]>", true, "a@[ipv6:2001:db8::1]", "a", "[ipv6:2001:db8::1]" },
		{ "another literal", "<a@[x400:c=de]>", true, "a@[x400:c=de]", "a", "[x400:c=de]" },
		{ "underscores", "<a@_x.b_c.example>", true, "a@_x.b_c.example", "a", "_x.b_c.example" },
		{ "specials of atoms", "<!#$%&'*+-/=?^_`{|}~@x.example>", true, "!#$%&'*+-/=?^_`{|}~@x.example", "!#$%&'*+-/=?^_`{|}~", "x.example" },
		{ "UTF-8 in both parts", "<\xc3\xbc@b\xc3\xbc.example>", true, "\xc3\xbc@b\xc3\xbc.example", "\xc3\xbc", "b\xc3\xbc.example" },
		{ "signed by BATV", "<prvs=1234ABCDEF=a@x.example>", true, "prvs=1234ABCDEF=a@x.example", "prvs=1234ABCDEF=a", "x.example" },
		{ "a local part over 64 octets", "<" A60 A60 "@x.example>", true, A60 A60 "@x.example", A60 A60, "x.example" },
	};

	(void)state;
	check_paths(rows, sizeof(rows) / sizeof(rows[0]));
}

static void what_is_no_path_is_refused_but_taken_apart(void **state)
{
	static const struct path_row rows[] = {
		{ "no closing bracket", "<a@b.example", false, "a@b.example", "a", "b.example" },
		{ "no opening bracket", "a@b.example>", false, "a@b.example", "a", "b.example" },
		{ "a bracket alone", "<", false, "", "", "" },
		{ "a closing bracket alone", ">", false, "", "", "" },
		{ "two brackets", "<<a@b.example>>", false, "<a@b.example>", "<a", "b.example>" },
		{ "no local part", "<@b.example>", false, "@b.example", "", "b.example" },
		{ "an empty quoted local part", "<\"\"@b.example>", false, "\"\"@b.example", "\"\"", "b.example" },
		{ "no domain behind the @", "<a@>", false, "a@", "a", "" },
		{ "a dot as domain", "<a@.>", false, "a@", "a", "" },
		{ "an empty label", "<a@b..example>", false, "a@b..example", "a", "b..example" },
		{ "a leading dot in the domain", "<a@.b.example>", false, "a@.b.example", "a", ".b.example" },
		{ "two trailing dots", "<a@b..>", false, "a@b.", "a", "b." },
		{ "a leading dot", "<.a@b.example>", false, ".a@b.example", ".a", "b.example" },
		{ "a trailing dot", "<a.@b.example>", false, "a.@b.example", "a.", "b.example" },
		{ "two dots", "<a..b@c.example>", false, "a..b@c.example", "a..b", "c.example" },
		{ "two @", "<a@b@C.example>", false, "a@b@c.example", "a@b", "c.example" },
		{ "a blank", "<a b@c.example>", false, "a b@c.example", "a b", "c.example" },
		{ "a blank at the end", "<a@c.example >", false, "a@c.example ", "a", "c.example " },
		{ "a blank behind the bracket", "<a@c.example> ", false, "a@c.example> ", "a", "c.example> " },
		{ "a tab in the domain", "<a@c\t.example>", false, "a@c\t.example", "a", "c\t.example" },
		{ "a line end", "<a@c.example\r\nRCPT>", false, "a@c.example\r\nrcpt", "a", "c.example\r\nrcpt" },
		{ "a control character in quotes", "<\"a\x01\"@c.example>", false, "\"a\x01\"@c.example", "\"a\x01\"", "c.example" },
		{ "an open quote", "<\"a@c.example>", false, "\"a@c.example", "\"a", "c.example" },
		{ "a quote in the middle", "<a\"b\"@c.example>", false, "a\"b\"@c.example", "a\"b\"", "c.example" },
		{ "text behind a quote", "<\"a\"b@c.example>", false, "\"a\"b@c.example", "\"a\"b", "c.example" },
		{ "a parenthesis", "<any@example.net(.example.com>", false, "any@example.net(.example.com", "any", "example.net(.example.com" },
		{ "a comma", "<a,b@c.example>", false, "a,b@c.example", "a,b", "c.example" },
		{ "a semicolon in the domain", "<a@c;d.example>", false, "a@c;d.example", "a", "c;d.example" },
		{ "a slash in the domain", "<a@c/d>", false, "a@c/d", "a", "c/d" },
		{ "a per cent in the domain", "<a@c%d>", false, "a@c%d", "a", "c%d" },
		{ "an IPv4 literal that is none", "<a@[300.0.2.1]>", false, "a@[300.0.2.1]", "a", "[300.0.2.1]" },
		{ "an IPv6 literal that is none", "<a@[IPv6:zz]>", false, "a@[ipv6:zz]", "a", "[ipv6:zz]" },
		{ "an IPv6 literal without tag", "<a@[2001:db8::1]@>", false, "a@[2001:db8::1]@", "a@[2001:db8::1]", "" },
		{ "an empty literal", "<a@[]>", false, "a@[]", "a", "[]" },
		{ "an open literal", "<a@[192.0.2.1>", false, "a@[192.0.2.1", "a", "[192.0.2.1" },
		{ "text behind a literal", "<a@[192.0.2.1]x>", false, "a@[192.0.2.1]x", "a", "[192.0.2.1]x" },
		{ "an open route", "<@a.example,b@c.example>", false, "@a.example,b@c.example", "@a.example,b", "c.example" },
		{ "a route of nothing", "<@:b@c.example>", false, "@:b@c.example", "@:b", "c.example" },
		{ "UTF-8 that is none", "<\xfc@c.example>", false, "\xfc@c.example", "\xfc", "c.example" },
		{ "UTF-8 that is none in the domain", "<a@\xfc.example>", false, "a@\xfc.example", "a", "\xfc.example" },
		{ "a label over 63 octets", "<a@" A60 "aaaa.example>", false, "a@" A60 "aaaa.example", "a", A60 "aaaa.example" },
		{ "a domain over 255 octets", "<a@" A60 "." A60 "." A60 "." A60 "." A60 ">", false, "a@" A60 "." A60 "." A60 "." A60 "." A60, "a",
			A60 "." A60 "." A60 "." A60 "." A60 },
		{ "over 320 octets", "<" A60 A60 A60 A60 A60 A60 "@x>", false, A60 A60 A60 A60 A60 A60 "@x", A60 A60 A60 A60 A60 A60, "x" },
	};

	(void)state;
	check_paths(rows, sizeof(rows) / sizeof(rows[0]));
}

/* Flattens a list to "name|text|local|domain" per mailbox, newline between, with M and C for malformed and cut in front. */
static char *flat(TALLOC_CTX *parent, const struct mailbox_list *list)
{
	char *s = talloc_asprintf(parent, "%s%s", list->malformed ? "M" : "", list->cut ? "C" : "");

	for (size_t i = 0; i < list->n; i++)
		s = talloc_asprintf_append(s, "{%s|%s}", list->v[i].name, list->v[i].address.text);
	return s;
}

struct list_row {
	const char *what, *value, *expected;
};

static void check_lists(const struct list_row *rows, size_t n)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < n; i++) {
		TALLOC_CTX *parent = talloc_new(NULL);
		size_t len = strlen(rows[i].value);
		char *exact = malloc(len ? len : 1);
		struct mailbox_list list;

		memcpy(exact, rows[i].value, len);
		list = address_list_parse(parent, exact, len, 10);
		free(exact);
		if (strcmp(flat(parent, &list), rows[i].expected) != 0) {
			print_error("%s: %s\n\tgives %s\n\tnot   %s\n", rows[i].what, rows[i].value, flat(parent, &list), rows[i].expected);
			wrong++;
		}
		talloc_free(parent);
	}
	assert_int_equal(wrong, 0);
}

static void lists_of_the_standard_are_read(void **state)
{
	static const struct list_row rows[] = {
		{ "one address", "a@b.example", "{|a@b.example}" },
		{ "a name", "John Doe <jdoe@machine.example>", "{John Doe|jdoe@machine.example}" },
		{ "several", "Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>", "{Mary Smith|mary@x.test}{|jdoe@example.org}{Who?|one@y.test}" },
		{ "a quoted name", "\"Giant; \\\"Big\\\" Box\" <sysservices@example.net>", "{Giant; \"Big\" Box|sysservices@example.net}" },
		{ "a dot in a quoted name", "\"Joe Q. Public\" <john.q.public@example.com>", "{Joe Q. Public|john.q.public@example.com}" },
		{ "a dot in a name (obsolete)", "Joe Q. Public <john.q.public@example.com>", "{Joe Q. Public|john.q.public@example.com}" },
		{ "a group", "A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;", "{Ed Jones|c@a.test}{|joe@where.test}{John|jdoe@one.test}" },
		{ "an empty group", "Undisclosed recipients:;", "" },
		{ "a group and more", "g: a@b.example;, c@d.example", "{|a@b.example}{|c@d.example}" },
		{ "comments everywhere (A.5)", "Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", "{Pete|pete@silly.test}" },
		{ "a group with comments (A.5)", "A Group(Some people)\n     :Chris Jones <c@(Chris's host.)public.example>,\n         joe@example.org,\n  John <jdoe@one.test> (my dear friend); (the end of the group)",
			"{Chris Jones|c@public.example}{|joe@example.org}{John|jdoe@one.test}" },
		{ "an empty group with comments (A.5)", "(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;", "" },
		{ "obsolete addresses (A.6.1)", "Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example", "{Mary Smith|mary@example.net}{|jdoe@test.example}" },
		{ "nothing", "", "" },
		{ "blanks and a comment", " \n (x) ", "" },
	};

	(void)state;
	check_lists(rows, sizeof(rows) / sizeof(rows[0]));
}

static void traps_are_seen(void **state)
{
	static const struct list_row rows[] = {
		{ "another address as quoted name", "\"x@y.example\" <z@w.example>", "{x@y.example|z@w.example}" },
		{ "another address as unquoted name", "ceo@bank.example <z@w.example>", "M{ceo@bank.example|z@w.example}" },
		{ "a comment behind an address", "a@b.example (John)", "{|a@b.example}" },
		{ "a comment that continues the domain", "a@b.example(.evil.example)", "{|a@b.example}" },
		{ "a comment in the domain", "a@b(x).example", "{|a@b.example}" },
		{ "a route", "<@a.example,@b.example:c@D.example>", "{|c@d.example}" },
		{ "a route without end", "<@a.example,c@d.example>", "M" },
		{ "no closing bracket", "Anna <a@b.example", "M{Anna|a@b.example}" },
		{ "no closing bracket before a comma", "Anna <a@b.example, Bert <c@d.example>", "M{Anna|a@b.example}{Bert|c@d.example}" },
		{ "no opening bracket", "a@b.example>", "M{|a@b.example}" },
		{ "two brackets", "Anna <<a@b.example>>", "M{Anna|a@b.example}" },
		{ "brackets in brackets", "Anna <x<a@b.example>", "M{|a@b.example}" },
		{ "two addresses without comma", "<a@b.example> <c@d.example>", "M{|a@b.example}{|c@d.example}" },
		{ "two bare addresses without comma", "a@b.example c@d.example", "M" },
		{ "a semicolon as separator", "a@b.example; c@d.example", "M{|a@b.example}{|c@d.example}" },
		{ "many commas", ",,a@b.example,,, c@d.example,", "{|a@b.example}{|c@d.example}" },
		{ "a bare word", "root, a@b.example", "M{|a@b.example}" },
		{ "bare words", "the big boss", "M" },
		{ "a word in brackets", "Boss <root>", "M" },
		{ "nothing in brackets", "Boss <>", "M" },
		{ "two @", "a@b@c.example", "M" },
		{ "two @ in brackets", "Anna <a@b@c.example>, d@e.example", "M{|d@e.example}" },
		{ "a blank in brackets", "Anna <a b@c.example>", "M" },
		{ "blanks around the @", "a @ b.example, < c @ d.example >", "{|a@b.example}{|c@d.example}" },
		{ "a quoted local part", "\"a b\"@c.example, \"x@y\"@z.example", "{|\"a b\"@c.example}{|\"x@y\"@z.example}" },
		{ "a quoted local part with brackets", "\"<x@y>\"@z.example", "{|\"<x@y>\"@z.example}" },
		{ "an empty quoted local part", "\"\"@z.example", "M" },
		{ "dots of some mobile phones", "a..b.@docomo.example", "{|a..b.@docomo.example}" },
		{ "an open quote", "\"Anna <a@b.example>", "M" },
		{ "an open comment", "Anna (x <a@b.example>", "M" },
		{ "a closing parenthesis alone", "Anna :) <a@b.example>", "M{)|a@b.example}" },
		{ "a group in a group", "a: b: c@d.example;;", "M{|c@d.example}" },
		{ "a group without end", "a: c@d.example", "M{|c@d.example}" },
		{ "a group without name", ":a@b.example;", "M{|a@b.example}" },
		{ "mailto", "<mailto:a@b.example>, c@d.example", "M{|a@b.example}{|c@d.example}" },
		{ "a list's tag in the name", "[List] Anna <a@b.example>", "M{[List] Anna|a@b.example}" },
		{ "an address literal", "a@[192.0.2.1], <b@[IPv6:2001:db8::1]>", "{|a@[192.0.2.1]}{|b@[ipv6:2001:db8::1]}" },
		{ "a literal that is none", "a@[b.example]", "M" },
		{ "a bad domain", "a@b!c.example, d@e..example, f@g.example", "M{|f@g.example}" },
		{ "a trailing dot", "a@B.Example.", "{|a@b.example}" },
		{ "a fold in a quoted name", "\"Anna\n B\" <a@b.example>", "{Anna B|a@b.example}" },
		{ "a fold with a tab in a quoted name", "\"Anna\n\tB\" <a@b.example>", "{Anna\tB|a@b.example}" },
		{ "a tab in a quoted local part", "\"a\tb\"@c.example", "M" },
		{ "an escaped line end in a quoted local part", "\"\\\r,\"@c.example", "M" },
		{ "a fold in a name", "Anna\n\tB\r\n C <a@b.example>", "{Anna B C|a@b.example}" },
		{ "UTF-8", "J\xc3\xb6rg <j\xc3\xb6@b\xc3\xbc.example>", "{J\xc3\xb6rg|j\xc3\xb6@b\xc3\xbc.example}" },
		{ "Latin 1 in the name", "J\xf6rg <j@b.example>", "{J\xef\xbf\xbdrg|j@b.example}" },
		{ "Latin 1 in the address", "<j\xf6@b.example>", "M" },
		{ "a control character in the name", "A\x01 <a@b.example>", "M{A\x01|a@b.example}" },
		{ "a control character in the address", "<a\x01@b.example>", "M" },
	};

	(void)state;
	check_lists(rows, sizeof(rows) / sizeof(rows[0]));
}

static void encoded_words_in_names_are_decoded(void **state)
{
	static const struct list_row rows[] = {
		{ "one", "=?iso-8859-1?Q?J=F6rg?= <a@b.example>", "{J\xc3\xb6rg|a@b.example}" },
		{ "two", "=?utf-8?B?SsO2?=\n =?utf-8?B?cmc=?= <a@b.example>", "{J\xc3\xb6rg|a@b.example}" },
		{ "one that decodes to an address", "=?utf-8?Q?=3Cevil=40x.example=3E=2C?= <a@b.example>", "{<evil@x.example>,|a@b.example}" },
		{ "one with a raw comma and @", "=?utf-8?Q?Doe,_John_(x)_@home?= <a@b.example>", "{Doe, John (x) @home|a@b.example}" },
		{ "one with raw brackets", "=?utf-8?Q?<x@y.example>?= <a@b.example>", "{<x@y.example>|a@b.example}" },
		{ "one in quotes", "\"=?utf-8?Q?J=C3=B6rg?=\" <a@b.example>", "{J\xc3\xb6rg|a@b.example}" },
		{ "one without end", "=?utf-8?Q?J=C3=B6rg <a@b.example>", "{=?utf-8?Q?J=C3=B6rg|a@b.example}" },
		{ "one instead of an address", "=?utf-8?Q?a@b.example?=", "M" },
		{ "one as local part is not decoded", "=?utf-8?Q?a?=@b.example", "{|=?utf-8?Q?a?=@b.example}" },
		{ "one with a local part that is none", "=?utf-8?Q?a,b?=@b.example", "M" },
		{ "beside text", "=?utf-8?Q?J=C3=B6rg?= Maier <a@b.example>", "{J\xc3\xb6rg Maier|a@b.example}" },
	};

	(void)state;
	check_lists(rows, sizeof(rows) / sizeof(rows[0]));
}

static void local_and_domain_of_a_mailbox_are_taken_apart(void **state)
{
	static const char value[] = "x <a.\"b \\\" c\"@D.example>";
	TALLOC_CTX *parent = talloc_new(NULL);
	struct mailbox_list list = address_list_parse(parent, value, strlen(value), 1);

	(void)state;
	assert_int_equal(list.n, 1);
	assert_string_equal(list.v[0].address.text, "a.\"b \\\" c\"@d.example");
	assert_string_equal(list.v[0].address.local, "a.b \" c");
	assert_string_equal(list.v[0].address.domain, "d.example");
	talloc_free(parent);
}

static void no_more_mailboxes_than_asked_for_are_read(void **state)
{
	static const char value[] = "a@b.example, c@d.example, e@f.example";
	TALLOC_CTX *parent = talloc_new(NULL);
	struct mailbox_list list = address_list_parse(parent, value, strlen(value), 2);

	(void)state;
	assert_string_equal(flat(parent, &list), "C{|a@b.example}{|c@d.example}");
	list = address_list_parse(parent, value, strlen(value), 3);
	assert_int_equal(list.n, 3);
	assert_false(list.cut);
	list = address_list_parse(parent, value, strlen(value), 0);
	assert_int_equal(list.n, 0);
	assert_true(list.cut);
	talloc_free(parent);
}

static void nul_is_an_ordinary_bad_byte(void **state)
{
	static const char value[] = "A\0nna <a@b.example>, <c\0@d.example>, \"\0\"@x.example, e@f.example\0.evil.example, g@h.example";
	TALLOC_CTX *parent = talloc_new(NULL);
	struct mailbox_list list = address_list_parse(parent, value, sizeof(value) - 1, 10);

	(void)state;
	assert_string_equal(flat(parent, &list), "M{A\x01nna|a@b.example}{|g@h.example}");
	talloc_free(parent);
}

/* what a hostile field repeats: each would take minutes if its reader were quadratic */
static void large_fields_are_read_in_linear_time(void **state)
{
	static const char *const pieces[] = { "a@b.example,", "<a@b.example>", "(", "\"", "<", ">", "[", "=?a?q?,", "=?a?q?", "a ", "@", "<@", ":", "a.", "\\", "(\\", "<[" };
	size_t len = 1200000;
	char *value = malloc(len);

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		TALLOC_CTX *parent = talloc_new(NULL);
		struct mailbox_list list;

		for (size_t k = 0; k < len; k++)
			value[k] = pieces[i][k % strlen(pieces[i])];
		list = address_list_parse(parent, value, len, 100000);
		if (i == 0) {
			assert_int_equal(list.n, 100000);
			assert_false(list.cut);
			assert_false(list.malformed);
		} else {
			assert_true(list.malformed);
		}
		talloc_free(parent);
	}
	free(value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_read_as_mtas_hand_them_on),
		cmocka_unit_test(what_is_no_path_is_refused_but_taken_apart),
		cmocka_unit_test(lists_of_the_standard_are_read),
		cmocka_unit_test(traps_are_seen),
		cmocka_unit_test(encoded_words_in_names_are_decoded),
		cmocka_unit_test(local_and_domain_of_a_mailbox_are_taken_apart),
		cmocka_unit_test(no_more_mailboxes_than_asked_for_are_read),
		cmocka_unit_test(nul_is_an_ordinary_bad_byte),
		cmocka_unit_test(large_fields_are_read_in_linear_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
