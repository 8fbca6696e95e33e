/* test_canon.c - canonical forms: the examples of RFC 6376 section 3.4.5, published hashes of empty bodies, pieces of any size */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/canon.h"

static void field_is(const char *name, const char *value, bool relaxed, size_t cut, size_t cut_len, bool line_end, const char *want)
{
	struct dkim_field field = { .name = name, .value = value, .name_len = strlen(name), .value_len = strlen(value) };
	struct hash *hash = hash_new(NULL);
	uint8_t got[HASH_SHA256], digest[HASH_SHA256];

	canon_field(hash, &field, relaxed, cut, cut_len, line_end);
	assert_true(hash_end(hash, got) && hash_sha256(want, strlen(want), digest));
	if (memcmp(got, digest, sizeof(got)) != 0)
		fail_msg("%s:%s is not %s", name, value, want);
}

static void fields_have_two_forms(void **state)
{
	(void)state;
	field_is("A", " X", true, 0, 0, true, "a:X\r\n");
	field_is("B ", " Y\t\n\tZ  ", true, 0, 0, true, "b:Y Z\r\n");
	field_is("A", " X", false, 0, 0, true, "A: X\r\n");
	field_is("B ", " Y\t\n\tZ  ", false, 0, 0, true, "B : Y\t\r\n\tZ  \r\n");
	field_is("B", " Y\r\n Z", false, 0, 0, true, "B: Y\r\n Z\r\n");
	field_is("B", " Y\r\n Z", true, 0, 0, true, "b:Y Z\r\n");
	field_is("Subject", "", true, 0, 0, true, "subject:\r\n");
	field_is("Subject", " \t\n ", true, 0, 0, true, "subject:\r\n");
	field_is("Subject", "\n\n", false, 0, 0, false, "Subject:\r\n\r\n");
	field_is("S", " a=1; b=xyz\n\tabc ; c=2 ", true, 8, 9, false, "s:a=1; b=; c=2");
	field_is("S", " a=1; b=xyz\n\tabc ", true, 8, 9, false, "s:a=1; b=");
	field_is("S", " a=1; b=xyz; c=2 ", false, 8, 3, false, "S: a=1; b=; c=2 ");
	field_is("S", " a\rb", true, 0, 0, false, "s:a\rb");
}

static void body_is(const char *body, size_t len, bool relaxed, int64_t limit, const char *want, uint64_t octets)
{
	uint8_t digest[HASH_SHA256], got[HASH_SHA256];

	assert_true(hash_sha256(want, strlen(want), digest));
	for (size_t piece = 1; piece <= len + 1; piece = piece < 8 ? piece + 1 : piece * 2) {
		struct canon_body *b = canon_body_new(NULL, relaxed, limit);
		uint64_t made;

		for (size_t at = 0; at < len; at += piece)
			canon_body_add(b, body + at, piece < len - at ? piece : len - at);
		assert_true(canon_body_end(b, got, &made));
		if (memcmp(got, digest, sizeof(got)) != 0 || made != octets)
			fail_msg("%s body \"%s\" in pieces of %zu: %llu octets", relaxed ? "relaxed" : "simple", body, piece, (unsigned long long)made);
		talloc_free(b);
	}
}

static void bodies_have_two_forms(void **state)
{
	static const struct { const char *body, *simple, *relaxed; } cases[] = {
		{ " C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n" },
		{ "", "\r\n", "" },
		{ "\r\n", "\r\n", "" },
		{ "\r\n\r\n", "\r\n", "" },
		{ "x", "x\r\n", "x\r\n" },
		{ "\r\n\r\nx\r\n\r\ny", "\r\n\r\nx\r\n\r\ny\r\n", "\r\n\r\nx\r\n\r\ny\r\n" },
		{ " \t \r\n", " \t \r\n", "" },
		{ "x\r\n \r\n\t\r\n", "x\r\n \r\n\t\r\n", "x\r\n" },
		{ "a\rb\nc\r\r\n", "a\rb\nc\r\r\n", "a\rb\nc\r\r\n" },
		{ "x\r", "x\r\r\n", "x\r\r\n" },
		{ "\t\tx\t\t", "\t\tx\t\t\r\n", " x\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		body_is(cases[i].body, strlen(cases[i].body), false, -1, cases[i].simple, strlen(cases[i].simple));
		body_is(cases[i].body, strlen(cases[i].body), true, -1, cases[i].relaxed, strlen(cases[i].relaxed));
	}
}

static void a_limit_ends_the_hash_and_not_the_count(void **state)
{
	(void)state;
	body_is("Hello\r\nworld\r\n", 14, false, 5, "Hello", 14);
	body_is("Hello\r\nworld\r\n", 14, true, 0, "", 14);
	body_is("Hello\r\nworld\r\n", 14, true, 99, "Hello\r\nworld\r\n", 14);
	body_is("\r\n\r\nx", 5, true, 3, "\r\n\r", 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_have_two_forms),
		cmocka_unit_test(bodies_have_two_forms),
		cmocka_unit_test(a_limit_ends_the_hash_and_not_the_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
