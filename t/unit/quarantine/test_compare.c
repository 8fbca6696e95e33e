/* test_compare.c - a message is the copy, whatever an MTA does on the way; and it is another one, whatever somebody else does */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "quarantine/compare.h"

enum { FIELDS = 20 };

/* A header block as text, "Name:value" lines, to fields as an MTA hands them on. */
static size_t split(TALLOC_CTX *mem, const char *block, struct header_field fields[FIELDS])
{
	size_t n = 0;

	while (*block != '\0') {
		size_t name = strcspn(block, ":"), len = strcspn(block, "\n");

		while (block[len] == '\n' && (block[len + 1] == ' ' || block[len + 1] == '\t'))
			len += 1 + strcspn(block + len + 1, "\n");
		fields[n] = (struct header_field){ .name = talloc_strndup(mem, block, name), .value = talloc_strndup(mem, block + name + 1, len - name - 1), .name_len = name, .value_len = len - name - 1 };
		n++;
		block += len + (block[len] == '\n');
	}
	return n;
}

#define COPY "Received: from a\r\n\tby b\r\nFrom: root (Cron)\r\nTo: \"Anna B\" <anna@example.com>, bob@host\r\nSubject: the  report\r\nDate: now\r\nX-Other: x\r\n"
#define SAME "Received: from a\n\tby b\nFrom: root (Cron)\nTo: \"Anna B\" <anna@example.com>, bob@host\nSubject: the  report\nDate: now\nX-Other: x\n"

static const struct {
	const char *name, *copy, *now, *wrong;                   /* wrong: NULL: it is the copy */
} cases[] = {
	{ "as it was", COPY, SAME, NULL },
	{ "fields on top", COPY, "Return-Path: <x>\nReceived: by us\nX-Winnow-Release: a b\nAuthentication-Results: x\n" SAME, NULL },
	{ "fields at the end and between", COPY, "Received: from a\n\tby b\nX-A: 1\nFrom: root (Cron)\nTo: \"Anna B\" <anna@example.com>, bob@host\nSubject: the  report\nX-Other: y\nDate: now\nX-Other: x\n"
		"X-Spam: no\n", NULL },
	{ "folded anew", COPY, "received: from a by b\nFrom: root\n (Cron)\nTo: \"Anna B\"\n\t<anna@example.com>,\n\tbob@host\nSubject:the report \nDATE: now\nX-Other: x\n", NULL },
	{ "addresses completed", COPY, "Received: from a by b\nFrom: root@mx.example.net (Cron)\nTo: Anna B <anna@example.com>, <bob@host.example.net>\nSubject: the report\nDate: now\nX-Other: x\n", NULL },
	{ "what was missing is added", "Subject: x\r\n", "Message-ID: <1@mx>\nSubject: x\nFrom: a@b\nTo: undisclosed-recipients:;\nDate: now\n", NULL },
	{ "what an MTA leaves out", "Return-Path: <a>\r\nBcc: c@d\r\nSubject: x\r\nContent-Length: 3\r\n", "Subject: x\n", NULL },
	{ "or not", "Return-Path: <a>\r\nBcc: c@d\r\nSubject: x\r\nContent-Length: 3\r\n", "Return-Path: <a>\nBcc: c@d\nSubject: x\nContent-Length: 3\n", NULL },
	{ "no fields", "", "Received: x\n", NULL },
	{ "a field twice", "X: 1\r\nX: 1\r\nX: 2\r\n", "X: 1\nX: 1\nX: 2\n", NULL },
	{ "another subject", COPY, "Received: from a\n\tby b\nFrom: root (Cron)\nTo: \"Anna B\" <anna@example.com>, bob@host\nSubject: another report\nDate: now\nX-Other: x\n", "Subject" },
	{ "a second subject above", COPY, "Subject: buy\n" SAME, "Subject" },
	{ "a second subject below", COPY, SAME "Subject: buy\n", "Subject" },
	{ "a second From", COPY, SAME "From: ceo@bank.example\n", "From" },
	{ "a From before the colon", COPY, SAME "From : ceo@bank.example\n", "From " },
	{ "another From", COPY, "Received: from a\n\tby b\nFrom: toor (Cron)\nTo: \"Anna B\" <anna@example.com>, bob@host\nSubject: the  report\nDate: now\nX-Other: x\n", "From" },
	{ "a From with something in it", COPY, "Received: from a\n\tby b\nFrom: root@x <ceo@bank.example> (Cron)\nTo: \"Anna B\" <anna@example.com>, bob@host\nSubject: the  report\nDate: now\nX-Other: x\n", "From" },
	{ "another domain", COPY, "Received: from a\n\tby b\nFrom: root (Cron)\nTo: \"Anna B\" <anna@example.org>, bob@host\nSubject: the  report\nDate: now\nX-Other: x\n", "To" },
	{ "a field is missing", COPY, "Received: from a\n\tby b\nFrom: root (Cron)\nTo: \"Anna B\" <anna@example.com>, bob@host\nSubject: the  report\nDate: now\n", "X-Other" },
	{ "the last of two is missing", "X: 1\r\nX: 1\r\n", "X: 1\n", "X" },
	{ "another order", "X: 1\r\nY: 2\r\n", "Y: 2\nX: 1\n", "Y" },
	{ "a type is added", "Subject: x\r\n", "Subject: x\nContent-Type: text/html\n", "Content-Type" },
	{ "a transfer encoding is added", "Subject: x\r\n", "Content-Transfer-Encoding: base64\nSubject: x\n", "Content-Transfer-Encoding" },
	{ "a copy that is none", "no field\r\n", "Subject: x\n", "it cannot be read" },
};

static void an_mta_may_add_leave_out_complete_and_fold_and_no_more(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		char *copy = talloc_asprintf(mem, "%s\r\nbody\r\n", cases[i].copy);
		struct header_field fields[FIELDS];
		size_t n = split(mem, cases[i].now, fields);
		const char *body, *wrong = "?";
		bool same = compare_header(mem, copy, strlen(copy), fields, n, &body, &wrong);

		if (same != (cases[i].wrong == NULL) || (wrong == NULL) != same || (!same && strcmp(wrong, cases[i].wrong) != 0))
			fail_msg("%s: %s instead of %s", cases[i].name, wrong != NULL ? wrong : "the same", cases[i].wrong != NULL ? cases[i].wrong : "the same");
		if (same)
			assert_string_equal(body, "body\r\n");
		talloc_free(mem);
	}
}

static void a_copy_may_end_anywhere(void **state)
{
	static const char copy[] = "Subject: x\r\n y\r\nX: z\r\n\r\nb";
	struct header_field fields[FIELDS];
	TALLOC_CTX *mem = talloc_new(NULL);
	size_t n = split(mem, "Subject: x y\nX: z\n", fields);

	(void)state;
	for (size_t len = 0; len < sizeof(copy); len++) {
		char *piece = talloc_memdup(mem, copy, len);             /* so that a sanitizer sees a byte too many */
		const char *body = NULL, *wrong;

		(void)compare_header(mem, piece, len, fields, n, &body, &wrong);
		if (len >= 24)
			assert_ptr_equal(body, piece + 24);
	}
	talloc_free(mem);
}

static void fields_without_end_cost_no_time(void **state)
{
	enum { MANY = 20000 };
	TALLOC_CTX *mem = talloc_new(NULL);
	struct header_field *fields = talloc_zero_array(mem, struct header_field, MANY);
	char *copy = talloc_strdup(mem, "");
	const char *body, *wrong;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		copy = talloc_strdup_append_buffer(copy, "Bcc: a\r\n");
		fields[i] = (struct header_field){ .name = "X", .value = "y", .name_len = 1, .value_len = 1 };
	}
	copy = talloc_strdup_append_buffer(copy, "\r\n");
	assert_true(compare_header(mem, copy, strlen(copy), fields, MANY, &body, &wrong));
	talloc_free(mem);
}

static void bodies_differ_by_line_ends_alone(void **state)
{
	static const struct { const char *a, *b; bool same; } bodies[] = {
		{ "", "", true }, { "a\r\n", "a\n", true }, { "a\r\nb", "a\nb\r\n", true }, { "a\r\n\r\n\r\n", "a", true }, { "", "\r\n\r\n", true }, { "a\rb\r\n", "a\rb\n", true },
		{ "a", "b", false }, { "a\r\nb", "ab", false }, { "a b", "a  b", false }, { "a", "ab", false }, { "ab", "a", false }, { "a\rb", "a\nb", false }, { "a\n\nb", "a\nb", false },
		{ "", "x", false }, { "a\r\r\nb", "a\nb", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		if (compare_body(bodies[i].a, strlen(bodies[i].a), bodies[i].b, strlen(bodies[i].b)) != bodies[i].same)
			fail_msg("body %zu", i);
		assert_int_equal(compare_body(bodies[i].b, strlen(bodies[i].b), bodies[i].a, strlen(bodies[i].a)), bodies[i].same);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_mta_may_add_leave_out_complete_and_fold_and_no_more),
		cmocka_unit_test(a_copy_may_end_anywhere),
		cmocka_unit_test(fields_without_end_cost_no_time),
		cmocka_unit_test(bodies_differ_by_line_ends_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
