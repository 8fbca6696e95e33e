/* test_author.c - the author domain of From: one, or none at all */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "message/author.h"

static struct author author(TALLOC_CTX *mem, const char *const *from, size_t n)
{
	struct header_field fields[8] = { { .name = "Subject", .value = " From: x@y.example", .name_len = 7, .value_len = 18, .index = 1 } };

	for (size_t i = 0; i < n; i++)
		fields[i + 1] = (struct header_field){ .name = i % 2 == 0 ? "From" : "fROM ", .value = from[i], .name_len = i % 2 == 0 ? 4 : 5, .value_len = strlen(from[i]), .index = (unsigned)i + 1 };
	return author_of(mem, fields, n + 1);
}

static void from_gives_one_domain_or_none(void **state)
{
	static const struct { const char *from; enum author_state want; const char *domain; } cases[] = {
		{ " a@example.com", AUTHOR_ONE, "example.com" },
		{ " \"A, B\" <a@Example.COM>", AUTHOR_ONE, "example.com" },
		{ " <a@example.com.>", AUTHOR_ONE, "example.com" },
		{ " a@example.com (b@other.example)", AUTHOR_ONE, "example.com" },
		{ " \"b@other.example\" <a@example.com>", AUTHOR_ONE, "example.com" },
		{ " =?utf-8?q?b=40other=2Eexample?= <a@example.com>", AUTHOR_ONE, "example.com" },
		{ " =?utf-8?q?b=40other=2Eexample=3E?= <a@example.com>", AUTHOR_ONE, "example.com" },
		{ " \"a@x.example\"@example.com", AUTHOR_ONE, "example.com" },
		{ " group: a@example.com, b@EXAMPLE.com;", AUTHOR_ONE, "example.com" },
		{ " a@example.com,\n\tb@example.com", AUTHOR_ONE, "example.com" },
		{ " <@relay.example:a@example.com>", AUTHOR_ONE, "example.com" },
		{ " a@b\xc3\xbc""cher.example, b@xn--bcher-kva.example", AUTHOR_ONE, "xn--bcher-kva.example" },
		{ " a@example.com, b@other.example", AUTHOR_SEVERAL, NULL },
		{ " group: a@example.com; b@other.example", AUTHOR_SEVERAL, NULL },
		{ " g: a@example.com;, h: b@other.example;", AUTHOR_SEVERAL, NULL },
		{ " a@example.com, b@sub.example.com", AUTHOR_SEVERAL, NULL },
		{ " a@example.com, b@[192.0.2.1]", AUTHOR_SEVERAL, NULL },
		{ " a@[192.0.2.1]", AUTHOR_UNREADABLE, NULL },
		{ "", AUTHOR_UNREADABLE, NULL }, { " ", AUTHOR_UNREADABLE, NULL }, { " undisclosed:;", AUTHOR_UNREADABLE, NULL }, { " somebody", AUTHOR_UNREADABLE, NULL },
		{ " <>", AUTHOR_UNREADABLE, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct author a = author(mem, &cases[i].from, 1);

		if (a.state != cases[i].want || (a.domain == NULL) != (cases[i].domain == NULL) || (a.domain != NULL && strcmp(a.domain, cases[i].domain) != 0))
			fail_msg("%s: %d %s", cases[i].from, a.state, a.domain != NULL ? a.domain : "none");
		assert_true((author_problem(a.state)[0] == '\0') == (a.state == AUTHOR_ONE));
		assert_int_equal(talloc_total_blocks(mem), a.domain != NULL ? 2 : 1);
		talloc_free(mem);
	}
}

static void no_field_and_two_fields_give_none(void **state)
{
	static const char *const two[] = { " a@example.com", " a@example.com" };
	TALLOC_CTX *mem = talloc_new(NULL);

	(void)state;
	assert_int_equal(author(mem, two, 0).state, AUTHOR_MISSING);
	assert_int_equal(author(mem, two, 2).state, AUTHOR_SEVERAL);
	talloc_free(mem);
}

static void what_can_be_read_in_two_ways_is_said(void **state)
{
	static const char *const doubtful[] = { " ceo@bank.example <a@example.com>" }, *const clear[] = { " Ceo <a@example.com>" };
	TALLOC_CTX *mem = talloc_new(NULL);

	(void)state;
	assert_true(author(mem, doubtful, 1).malformed);
	assert_false(author(mem, clear, 1).malformed);
	talloc_free(mem);
}

static void a_crowd_is_not_read_to_its_end(void **state)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	char *from = talloc_strdup(mem, " a@example.com");
	const char *one;

	(void)state;
	for (int i = 0; i < 200; i++)
		from = talloc_strdup_append(from, ", a@example.com");
	one = from;
	assert_int_equal(author(mem, &one, 1).state, AUTHOR_SEVERAL);
	talloc_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_gives_one_domain_or_none),
		cmocka_unit_test(no_field_and_two_fields_give_none),
		cmocka_unit_test(what_can_be_read_in_two_ways_is_said),
		cmocka_unit_test(a_crowd_is_not_read_to_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
