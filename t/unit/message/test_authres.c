/* test_authres.c - whose Authentication-Results field it is, and values that nothing breaks out of */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "message/authres.h"

static const char *const ids[] = { "mx.example.com", "mx2.example.com" };

/* The field's id is `id`; NULL: it cannot be read. ours: it must be removed. */
struct row {
	const char *what, *value, *id;
	bool ours;
};

static void check_rows(const struct row *rows, size_t n)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(rows[i].value);
		char *exact = malloc(len ? len : 1), *id;
		bool ours;

		memcpy(exact, rows[i].value, len);
		id = authres_id(NULL, exact, len);
		ours = authres_is_ours(exact, len, ids, 2);
		free(exact);
		if ((id == NULL) != (rows[i].id == NULL) || (id != NULL && strcmp(id, rows[i].id) != 0) || ours != rows[i].ours) {
			print_error("%s: \"%s\" gives %s%s\n", rows[i].what, rows[i].value, id, ours ? ", ours" : "");
			wrong++;
		}
		talloc_free(id);
	}
	assert_int_equal(wrong, 0);
}

static void ids_are_read(void **state)
{
	static const struct row rows[] = {
		{ "one result", " mx.example.com; spf=pass smtp.mailfrom=x.example", "mx.example.com", true },
		{ "another host", " mx.example.net; spf=pass", "mx.example.net", false },
		{ "the second of ours", " mx2.example.com; spf=pass", "mx2.example.com", true },
		{ "nothing tested", " mx.example.com; none", "mx.example.com", true },
		{ "nothing tested, no blank", "mx.example.com;none", "mx.example.com", true },
		{ "a version", " mx.example.com 1; spf=pass", "mx.example.com", true },
		{ "a version far away", " mx.example.com (x) 1 (y) ; spf=pass", "mx.example.com", true },
		{ "capitals", " MX.Example.COM; spf=pass", "mx.example.com", true },
		{ "no results", " mx.example.com", "mx.example.com", true },
		{ "a version and no results", " mx.example.com 1", "mx.example.com", true },
		{ "a comment before", " (x) mx.example.com; spf=pass", "mx.example.com", true },
		{ "a comment behind", " mx.example.com(x); spf=pass", "mx.example.com", true },
		{ "nested comments with quoted pairs", " (a (b \\) c) \\( d) mx.example.com (;e); spf=pass", "mx.example.com", true },
		{ "a comment that names another", " (mx.example.net;) mx.example.com; spf=pass", "mx.example.com", true },
		{ "another whose comment names us", " mx.example.net (mx.example.com); spf=pass", "mx.example.net", false },
		{ "another whose results name us", " mx.example.net; spf=pass smtp.helo=mx.example.com", "mx.example.net", false },
		{ "quotes", " \"mx.example.com\"; spf=pass", "mx.example.com", true },
		{ "quoted pairs", " \"mx.ex\\ample.com\"; spf=pass", "mx.example.com", true },
		{ "quotes and a version", " \"mx.example.com\" 1; spf=pass", "mx.example.com", true },
		{ "a slash in quotes", " \"mx.example.net/in\"; spf=pass", "mx.example.net/in", false },
		{ "folds", "\n mx.example.com\r\n\t1\n ;\n spf=pass", "mx.example.com", true },
		{ "a fold in quotes", " \"mx.example\n.com\"; spf=pass", "mx.example.com", true },
		{ "a trailing dot", " mx.example.com.; spf=pass", "mx.example.com", true },
		{ "our name as a part of another", " mx.example.com.evil.example; none", "mx.example.com.evil.example", false },
		{ "our name as the end of another", " amx.example.com; none", "amx.example.com", false },
		{ "UTF-8", " mx.b\xc3\xbc.example; none", "mx.b\xc3\xbc.example", false },
	};

	(void)state;
	check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

static void a_field_without_readable_id_is_ours_if_it_names_us(void **state)
{
	static const struct row rows[] = {
		{ "nothing", "", NULL, false },
		{ "no id", " ; spf=pass", NULL, false },
		{ "no id but our name", " ; spf=pass smtp.helo=mx.example.com", NULL, true },
		{ "as Microsoft writes it", " spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=x.example; dkim=none", NULL, false },
		{ "an open comment", " (mx.example.com; spf=pass", NULL, true },
		{ "an open comment behind the id", " mx.example.net (; spf=pass", NULL, false },
		{ "an open quote", " \"mx.example.com; spf=pass", NULL, true },
		{ "an open quote and a backslash", " \"MX.exam\\ple.com; spf=pass", NULL, true },
		{ "our name folded in an open quote", " \"mx.exam\nple.com; spf=pass", NULL, true },
		{ "an open quote of another", " \"mx.example.net; spf=pass", NULL, false },
		{ "text behind the id", " mx.example.com spf=pass", NULL, true },
		{ "text behind the id of another", " mx.example.net spf=pass", NULL, false },
		{ "text behind the version", " mx.example.com 1 x; spf=pass", NULL, true },
		{ "an @", " x@mx.example.com; spf=pass", NULL, true },
		{ "a slash", " mx.example.com/1; spf=pass", NULL, true },
		{ "a comma", " mx.example.com, mx.example.net; spf=pass", NULL, true },
		{ "blanks in quotes", " \" mx.example.com \"; spf=pass", NULL, true },
		{ "a control character in quotes", " \"mx.example.com\x01\"; spf=pass", NULL, true },
		{ "empty quotes", " \"\"; spf=pass", NULL, false },
		{ "a dot", " .; spf=pass", NULL, false },
		{ "two ids", " mx.example.net mx.example.com; spf=pass", NULL, true },
		{ "text behind the quotes", " \"mx.example.com\"x; spf=pass", NULL, true },
	};

	(void)state;
	check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

static void nul_hides_nothing(void **state)
{
	static const char value[] = " mx\0.example.com mx.example.com; spf=pass";

	(void)state;
	assert_null(authres_id(NULL, value, sizeof(value) - 1));
	assert_true(authres_is_ours(value, sizeof(value) - 1, ids, 2));
}

static void without_ids_nothing_is_ours(void **state)
{
	static const char *const empty[] = { "" };

	(void)state;
	assert_false(authres_is_ours(" mx.example.com; none", 21, ids, 0));
	assert_false(authres_is_ours(" mx.example.com x", 17, ids, 0));
	assert_false(authres_is_ours(" ; none", 7, empty, 1));
}

static void large_fields_are_read_in_linear_time(void **state)
{
	static const char *const pieces[] = { "(", "()", "\"", "\\", " ", "a", "mx.example.co", "1 ", "(\\)" };
	size_t len = 1000000;
	char *value = malloc(len);

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		for (size_t k = 0; k < len; k++)
			value[k] = pieces[i][k % strlen(pieces[i])];
		assert_false(authres_is_ours(value, len, ids, 2));
	}
	memset(value, ' ', len);
	memcpy(value + len - 14, "mx.example.com", 14);
	assert_true(authres_is_ours(value, len, ids, 2));
	/* 64 KB of results behind a name that is ours, and behind one that is not */
	memset(value, 'x', 65536);
	memcpy(value, " mx.example.com;", 16);
	assert_true(authres_is_ours(value, 65536, ids, 2));
	memcpy(value, " mx.example.net;", 16);
	assert_false(authres_is_ours(value, 65536, ids, 2));
	free(value);
}

static void values_are_tokens_or_quoted(void **state)
{
	static const struct {
		const char *what, *text, *expected;
	} rows[] = {
		{ "a domain", "x.example", "x.example" },
		{ "an address", "a.b+c@x.example", "a.b+c@x.example" },
		{ "only @ and domain", "@x.example", "@x.example" },
		{ "an IPv4 address", "192.0.2.1", "192.0.2.1" },
		{ "an IPv6 address", "2001:db8::1", "\"2001:db8::1\"" },
		{ "nothing", "", "\"\"" },
		{ "an @ alone", "@", "\"@\"" },
		{ "no domain behind the @", "a@", "\"a@\"" },
		{ "two @", "a@b@c", "\"a@b@c\"" },
		{ "a blank", "a b", "\"a b\"" },
		{ "a slash", "a/b", "\"a/b\"" },
		{ "an equals sign (VERP)", "a=b@x.example", "\"a=b@x.example\"" },
		{ "a semicolon", "a;dkim=pass header.d", "\"a;dkim=pass header.d\"" },
		{ "quotes", "\"a b\"@x.example", "\"\\\"a b\\\"@x.example\"" },
		{ "a quote that tries to get out", "a\"; dkim=pass", "\"a\\\"; dkim=pass\"" },
		{ "a backslash at the end", "a\\", "\"a\\\\\"" },
		{ "a parenthesis", "any@example.net(.example.com", "\"any@example.net(.example.com\"" },
		{ "a line end", "a\r\nX: y", "\"a??X: y\"" },
		{ "a tab and DEL", "a\tb\x7f", "\"a?b?\"" },
		{ "UTF-8", "\xc3\xbc@x", "\"??@x\"" },
		{ "a question mark", "a?", "\"a?\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *value = authres_value(NULL, rows[i].text);

		if (strcmp(value, rows[i].expected) != 0)
			fail_msg("%s: %s", rows[i].what, value);
		talloc_free(value);
	}
}

static void values_are_cut_at_255_bytes(void **state)
{
	char text[1001], *value;

	(void)state;
	memset(text, 'a', 1000);
	text[1000] = 0;
	value = authres_value(NULL, text);
	assert_int_equal(strlen(value), 255);
	talloc_free(value);
	memset(text, '\\', 1000);
	value = authres_value(NULL, text);
	assert_int_equal(strlen(value), 2 * 255 + 2);
	talloc_free(value);
}

/* every value, used as id, reads back as what went in: nothing breaks out */
static void quoted_values_read_back(void **state)
{
	(void)state;
	for (unsigned c = 33; c < 127; c++) {
		char text[] = { 'a', (char)c, 'b', (char)c, 'c', 0 };
		TALLOC_CTX *parent = talloc_new(NULL);
		char *value = talloc_asprintf(parent, "%s; none", authres_value(parent, text));
		char *id = authres_id(parent, value, strlen(value));

		for (char *p = text; *p != 0; p++)
			*p = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
		if (id == NULL || strcmp(id, text) != 0)
			fail_msg("%s gives %s", value, id);
		talloc_free(parent);
	}
}

/* Results as text: "method=result(reason) name=value ..." */
static char *shown(TALLOC_CTX *mem, const struct authres_results *r)
{
	char *out = talloc_strdup(mem, "");

	for (size_t i = 0; i < r->n; i++) {
		out = talloc_asprintf_append(out, "%s%s=%s(%s)", i > 0 ? "; " : "", r->v[i].method, r->v[i].result, r->v[i].reason);
		for (size_t k = 0; k < r->v[i].n; k++)
			out = talloc_asprintf_append(out, " %s=%s", r->v[i].properties[k].name, r->v[i].properties[k].value);
	}
	return out;
}

static void results_are_read_whole_or_not_at_all(void **state)
{
	static const struct { const char *value, *want; } cases[] = {
		{ "mx.example; none", "" },
		{ "mx.example 1; none ", "" },
		{ "mx.example;", "" },
		{ " mx.example;spf=pass smtp.mailfrom=a@b.example", "spf=pass() smtp.mailfrom=a@b.example" },
		{ "\"mx example\" 1; SPF = Pass SMTP . x", NULL },
		{ "mx; dkim=pass (2048 (x) bit) reason=\"good; \\\"key\\\"\" header.d=b.example header.b=\"ab/c+=\" ; dmarc/1=fail", "dkim=pass(good; \"key\") header.d=b.example header.b=ab/c+=; dmarc=fail()" },
		{ "mx; dkim=pass\n\theader.i=@b.example;\r\n\tspf=none;", "dkim=pass() header.i=@b.example; spf=none()" },
		{ "mx; iprev=pass policy.iprev=2001:db8::1; auth=pass smtp.auth=\"a b\"", "iprev=pass() policy.iprev=2001:db8::1; auth=pass() smtp.auth=a b" },
		{ "mx; dmarc=pass (p=reject; dmarc=fail) header.from=b.example", "dmarc=pass() header.from=b.example" },
		{ "", NULL }, { "mx", NULL }, { "mx none", NULL }, { "; none", NULL }, { "mx; x", NULL }, { "mx; spf", NULL }, { "mx; spf=", NULL }, { "mx; =pass", NULL }, { "mx; spf=pass x", NULL },
		{ "mx; spf=pass smtp.mailfrom", NULL }, { "mx; spf=pass smtp.mailfrom=", NULL }, { "mx; spf=pass smtpmailfrom=x", NULL }, { "mx; spf=pass (", NULL }, { "mx; spf=pass smtp.x=\"a", NULL },
		{ "mx; none; spf=pass", NULL }, { "mx; spf=pass; none", NULL }, { "mx; spf=pass smtp.x=a\x01", NULL }, { "mx; spf=pass smtp.x=\"a\x01\"", NULL }, { "mx; spf=pass,dkim=pass", NULL },
		{ "mx;; spf=pass", NULL },
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	struct authres_results r;
	char *many = talloc_strdup(mem, "mx");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool good = authres_read(mem, cases[i].value, strlen(cases[i].value), &r);
		char *got = shown(mem, &r);

		if (good != (cases[i].want != NULL) || strcmp(got, good ? cases[i].want : "") != 0)
			fail_msg("%s: %s %s", cases[i].value, good ? "read" : "not read", got);
	}
	assert_true(authres_read(mem, "mx; spf=pass smtp.helo=x smtp.mailfrom=y", 40, &r));
	assert_string_equal(authres_property(&r.v[0], "smtp.mailfrom"), "y");
	assert_null(authres_property(&r.v[0], "smtp.mail"));
	for (int i = 0; i < AUTHRES_RESULTS_MAX; i++)
		many = talloc_strdup_append(many, "; spf=pass");
	assert_true(authres_read(mem, many, strlen(many), &r));
	many = talloc_strdup_append(many, "; spf=pass");
	assert_false(authres_read(mem, many, strlen(many), &r));
	talloc_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_read),
		cmocka_unit_test(a_field_without_readable_id_is_ours_if_it_names_us),
		cmocka_unit_test(nul_hides_nothing),
		cmocka_unit_test(without_ids_nothing_is_ours),
		cmocka_unit_test(large_fields_are_read_in_linear_time),
		cmocka_unit_test(values_are_tokens_or_quoted),
		cmocka_unit_test(values_are_cut_at_255_bytes),
		cmocka_unit_test(quoted_values_read_back),
		cmocka_unit_test(results_are_read_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
