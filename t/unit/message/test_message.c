/* test_message.c - a message while it arrives: bytes and lines for every way it may be cut, the move to a file, the budget */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <talloc.h>
#include <unistd.h>

#include "message/message.h"

static char spool[] = "/tmp/winnow-message.XXXXXX";
static struct message_budget *budget;
static struct message_limits limits;

static int group_setup(void **state)
{
	(void)state;
	mime_init();
	return mkdtemp(spool) == NULL;
}

static int group_teardown(void **state)
{
	(void)state;
	mime_shutdown();
	return rmdir(spool);             /* fails if a file is left */
}

static int setup(void **state)
{
	(void)state;
	budget = message_budget_new(NULL, 64 << 20);
	limits = (struct message_limits){ .memory_max = 1 << 20, .spool = spool };
	return budget == NULL;
}

/* Whatever a test did: everything is given back. */
static int teardown(void **state)
{
	int left = message_budget_used(budget) != 0;

	(void)state;
	talloc_free(budget);
	return left;
}

static struct message *fresh(void)
{
	struct message *m = message_new(NULL, budget, &limits);

	assert_non_null(m);
	return m;
}

static void assert_bytes(struct message *m, const char *expected, size_t expected_len)
{
	const char *data;
	size_t len;

	assert_int_equal(message_bytes(m, &data, &len), 0);
	assert_int_equal(len, expected_len);
	assert_memory_equal(data, expected, len);
}

/* How many descriptors are open: a file has no name while it is written. */
static unsigned descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

struct lines {
	const char *name, *value;        /* of the only field */
	const char *body;
	size_t body_len;
	const char *header;              /* as it stands in the bytes */
	size_t line_max;
	const char *first;
};

#define TEN "0123456789"
#define SEVENTY TEN TEN TEN TEN TEN TEN TEN
#define B(s) s, sizeof(s) - 1

static const struct lines cases[] = {
	{ "A", " b", B(""), "A: b\r\n\r\n", 4, "" },
	{ "A", "b", B("hi\r\n"), "A:b\r\n\r\n", 3, "hi" },
	{ "Subject", " one\n two and a half", B("x\r\n"), "Subject: one\r\n two and a half\r\n\r\n", 15, "x" },
	{ "Subject", " one\r\n two", B("x\r\n"), "Subject: one\r\n two\r\n\r\n", 12, "x" },
	{ "A", "", B("\r\n\r\n"), "A:\r\n\r\n", 2, "" },
	{ "A", "\n b", B("\n"), "A:\r\n b\r\n\r\n", 2, "" },
	{ "A", " b", B("no line end"), "A: b\r\n\r\n", 11, "no line end" },
	{ "A", " b", B("12345\n123456789\n1"), "A: b\r\n\r\n", 9, "12345" },
	{ "A", " b", B("12345\r\n"), "A: b\r\n\r\n", 5, "12345" },
	{ "A", " b", B("12345\r67\r\r\n"), "A: b\r\n\r\n", 9, "12345\r67\r" },
	{ "A", " b", B("12345\r"), "A: b\r\n\r\n", 6, "12345\r" },
	{ "A", " b", B("\n\r\n\r"), "A: b\r\n\r\n", 4, "" },
	{ "A", " b", B("12\0" "4567\r\n"), "A: b\r\n\r\n", 7, "12" },
	{ "A", " b", B("\xef\xbb\xbf" "From: x\r\n\r\n"), "A: b\r\n\r\n", 10, "\xef\xbb\xbf" "From: x" },
	{ "A", " b", B(SEVENTY "012345678\r\n"), "A: b\r\n\r\n", 79, SEVENTY "012345678" },
	{ "A", " b", B(SEVENTY TEN "\r\n"), "A: b\r\n\r\n", 80, SEVENTY TEN },
	{ "A", " b", B(SEVENTY TEN "x\r\n"), "A: b\r\n\r\n", 81, SEVENTY TEN },
	{ "A", " b", B(SEVENTY TEN TEN "\r\n"), "A: b\r\n\r\n", 90, SEVENTY TEN },
};

static void check_case(const struct lines *c, size_t at, size_t step)
{
	struct message *m = fresh();
	char expected[512];
	size_t header_len = strlen(c->header), n = 0;
	const bool cr_in_doubt = strlen(c->first) == 79;   /* a CR as the 80th byte, its LF not yet there */

	assert_int_equal(message_add_field(m, c->name, c->value), 0);
	if (step % 2 == 0)
		assert_int_equal(message_close_header(m), 0);
	if (at > 0)
		assert_int_equal(message_add_body(m, c->body, at), 0);
	for (n = at; n < c->body_len; n += step)
		assert_int_equal(message_add_body(m, c->body + n, step < c->body_len - n ? step : c->body_len - n), 0);
	assert_int_equal(message_close(m, 100, 50), 0);
	memcpy(expected, c->header, header_len);
	memcpy(expected + header_len, c->body, c->body_len);
	assert_bytes(m, expected, header_len + c->body_len);
	assert_int_equal(m->size, header_len + c->body_len);
	assert_int_equal(m->body_size, c->body_len);
	assert_int_equal(m->line_max, c->line_max);
	assert_int_equal(m->first_body_line_known, c->body_len > 0);
	if (cr_in_doubt && m->first_body_line[79] == '\r')
		m->first_body_line[79] = '\0';
	assert_string_equal(m->first_body_line, c->first);
	assert_non_null(m->mime);
	assert_true(m->header_closed);
	talloc_free(m);
}

static void bytes_and_lines_do_not_depend_on_how_the_body_is_cut(void **state)
{
	(void)state;
	for (int file = 0; file < 2; file++) {
		limits.memory_max = file ? 0 : 1 << 20;
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			for (size_t at = 0; at <= cases[i].body_len; at++)
				check_case(&cases[i], at, 1000);
			for (size_t step = 1; step < 8; step++)
				check_case(&cases[i], 0, step);
		}
	}
}

static void the_first_body_line_is_known_as_soon_as_it_is_complete(void **state)
{
	struct message *m = fresh();

	(void)state;
	message_close_header(m);
	message_add_body(m, "ab", 2);
	assert_false(m->first_body_line_known);
	message_add_body(m, "c\r", 2);
	assert_false(m->first_body_line_known);
	assert_int_equal(m->line_max, 3);        /* the CR may be half of a line end */
	message_add_body(m, "\nd", 2);
	assert_true(m->first_body_line_known);
	assert_string_equal(m->first_body_line, "abc");
	talloc_free(m);
}

static void fields_keep_spelling_order_and_index(void **state)
{
	static const struct { const char *name, *value; unsigned index; } fields[] = {
		{ "Received", " a", 1 }, { "Subject", " b", 1 }, { "RECEIVED", " c", 2 }, { "\xef\xbb\xbfSubject", " d", 1 }, { "received ", "\n e", 3 }, { "", "f", 1 },
		{ "Received-SPF", " g", 1 }, { "Receive", " h", 1 }, { "", "", 2 }, { "subject", " i\n j", 2 },
	};
	const size_t n = sizeof(fields) / sizeof(fields[0]);
	struct message *m = fresh();
	const struct header_field *f;

	(void)state;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(message_add_field(m, fields[i].name, fields[i].value), 0);
	assert_int_equal(m->n_fields, n);
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(m->fields[i].name, fields[i].name);
		assert_string_equal(m->fields[i].value, fields[i].value);
		assert_int_equal(m->fields[i].name_len, strlen(fields[i].name));
		assert_int_equal(m->fields[i].value_len, strlen(fields[i].value));
		assert_int_equal(m->fields[i].index, fields[i].index);
	}
	f = message_field(m, "received", 0);
	assert_ptr_equal(f, &m->fields[0]);
	f = message_field(m, "received", 1);
	assert_ptr_equal(f, &m->fields[2]);
	f = message_field(m, "SUBJECT", 2);
	assert_ptr_equal(f, &m->fields[9]);
	assert_null(message_field(m, "Subject", n));
	assert_null(message_field(m, "To", 0));
	talloc_free(m);
}

static void ten_thousand_fields_are_counted_right(void **state)
{
	(void)state;
	for (int same = 0; same < 2; same++) {
		struct message *m = fresh();
		char name[32];

		for (unsigned i = 0; i < 10000; i++) {
			snprintf(name, sizeof(name), same ? (i % 2 ? "x-a" : "X-A") : "X-%u", i);
			assert_int_equal(message_add_field(m, name, " v"), 0);
		}
		for (unsigned i = 0; i < 10000; i++)
			assert_int_equal(m->fields[i].index, same ? i + 1 : 1);
		talloc_free(m);
	}
}

static void fields_beyond_a_limit_are_counted_and_dropped(void **state)
{
	struct message *m;

	(void)state;
	limits.fields_max = 2;
	m = fresh();
	for (int i = 0; i < 3; i++) {
		assert_false(m->header_cut);
		assert_int_equal(message_add_field(m, "A", i < 2 ? " b" : " longer"), 0);
	}
	assert_true(m->header_cut);
	assert_int_equal(m->n_fields, 2);
	message_close_header(m);
	assert_bytes(m, "A: b\r\nA: b\r\n\r\n", 14);
	assert_int_equal(m->size, 14 + 11);
	assert_int_equal(m->line_max, 9);
	talloc_free(m);

	limits.fields_max = 0;
	limits.header_total_max = 12;
	m = fresh();
	message_add_field(m, "A", " b");         /* 6 bytes with its line end */
	message_add_field(m, "A", " b");
	assert_false(m->header_cut);
	message_add_field(m, "A", " b");
	assert_true(m->header_cut);
	assert_int_equal(m->n_fields, 2);
	talloc_free(m);
}

static void events_out_of_order_change_nothing(void **state)
{
	struct message *m = fresh();

	(void)state;
	assert_int_equal(message_add_body(m, "x\r\n", 3), 0);
	assert_int_equal(message_add_field(m, "A", " b"), -EINVAL);
	assert_int_equal(message_close_header(m), 0);
	assert_int_equal(message_close(m, 100, 50), 0);
	assert_int_equal(message_add_body(m, "y", 1), -EINVAL);
	assert_int_equal(message_close(m, 100, 50), 0);
	assert_bytes(m, "\r\nx\r\n", 5);
	assert_int_equal(m->size, 5);
	talloc_free(m);
}

static void add_blocks(struct message *m, size_t n, char *block, size_t block_len, int expected)
{
	for (size_t i = 0; i < n; i++) {
		memset(block, 'a' + (int)(i % 26), block_len - 2);
		memcpy(block + block_len - 2, "\r\n", 2);
		assert_int_equal(message_add_body(m, block, block_len), expected);
	}
}

static void a_large_message_moves_to_a_file_without_a_name(void **state)
{
	static char block[65535];
	struct message *m;
	unsigned before = descriptors();
	const char *data;
	size_t len;

	(void)state;
	limits.memory_max = 200000;
	m = fresh();
	message_add_field(m, "A", " b");
	message_close_header(m);
	add_blocks(m, 3, block, sizeof(block), 0);
	assert_int_equal(descriptors(), before);
	assert_in_range(message_budget_used(budget), 3 * sizeof(block), 200000 + 10000);
	add_blocks(m, 3, block, sizeof(block), 0);
	assert_int_equal(descriptors(), before + 1);
	assert_true(message_budget_used(budget) < 10000);
	assert_int_equal(message_bytes(m, &data, &len), 0);
	assert_int_equal(len, 8 + 6 * sizeof(block));
	/* it grows while it is mapped */
	add_blocks(m, 2, block, sizeof(block), 0);
	assert_int_equal(message_close(m, 100, 50), 0);
	assert_int_equal(message_bytes(m, &data, &len), 0);
	assert_int_equal(len, 8 + 8 * sizeof(block));
	assert_int_equal(len, m->size);
	assert_memory_equal(data, "A: b\r\n\r\naaa", 11);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(data[8 + i * sizeof(block)], 'a' + (int)(i % 3));
	assert_int_equal(m->line_max, sizeof(block) - 2);
	talloc_free(m);
	assert_int_equal(descriptors(), before);
}

static void a_message_of_exactly_the_limit_stays_in_memory(void **state)
{
	char block[1000];
	unsigned before = descriptors();
	struct message *m;

	(void)state;
	limits.memory_max = 2 + 50 * sizeof(block);
	m = fresh();
	add_blocks(m, 50, block, sizeof(block), 0);
	assert_int_equal(descriptors(), before);
	assert_int_equal(message_add_body(m, "x", 1), 0);
	assert_int_equal(descriptors(), before + 1);
	talloc_free(m);
}

static void the_structure_is_read_from_the_file_too(void **state)
{
	struct message *m;

	(void)state;
	limits.memory_max = 10;
	m = fresh();
	message_add_field(m, "Content-Type", " multipart/mixed;\n boundary=b");
	message_add_body(m, "--b\r\n\r\n--b\r\nContent-Type: message/partial\r\n\r\n", 44);
	assert_int_equal(message_close(m, 100, 50), 0);
	assert_int_equal(m->mime->n_parts, 3);
	assert_true(m->mime->partial);
	talloc_free(m);
}

static void a_budget_that_is_used_up_sends_messages_to_the_spool(void **state)
{
	static char block[65535];
	struct message *m[100];

	(void)state;
	message_budget_set_max(budget, 8 << 20);
	for (size_t i = 0; i < 100; i++) {
		m[i] = fresh();
		assert_int_equal(message_add_field(m[i], "A", " b"), 0);
		add_blocks(m[i], 4, block, sizeof(block), 0);
		assert_true(message_budget_used(budget) <= 8 << 20);
	}
	for (size_t i = 0; i < 100; i++) {
		assert_int_equal(message_close(m[i], 100, 50), 0);
		assert_int_equal(m[i]->size, 8 + 4 * sizeof(block));
		talloc_free(m[i]);
	}
}

static void without_budget_for_the_fields_a_message_is_broken(void **state)
{
	const char *data;
	size_t len;

	(void)state;
	for (int with_spool = 0; with_spool < 2; with_spool++) {
		struct message *m;

		limits.spool = with_spool ? spool : NULL;
		message_budget_set_max(budget, with_spool ? 4000 : 20000);
		m = fresh();
		assert_int_equal(message_add_field(m, "A", " b"), -ENOMEM);      /* without spool: the 16 KB of its buffer do not fit beside it */
		assert_int_equal(message_add_field(m, "A", " longer"), -ENOMEM);
		assert_int_equal(message_close_header(m), -ENOMEM);
		assert_int_equal(message_add_body(m, "hello\r\n", 7), -ENOMEM);
		assert_int_equal(message_close(m, 100, 50), -ENOMEM);
		assert_int_equal(message_bytes(m, &data, &len), -ENOMEM);
		assert_null(m->mime);
		assert_int_equal(m->size, 6 + 11 + 2 + 7);       /* what is counted goes on being counted */
		assert_int_equal(m->line_max, 9);
		assert_string_equal(m->first_body_line, "hello");
		talloc_free(m);
	}
}

static void without_spool_memory_max_does_not_matter(void **state)
{
	static char block[65535];
	struct message *m;

	(void)state;
	limits.spool = NULL;
	limits.memory_max = 1000;
	m = fresh();
	add_blocks(m, 4, block, sizeof(block), 0);
	assert_int_equal(message_close(m, 100, 50), 0);
	talloc_free(m);
}

static void a_spool_that_cannot_be_used_breaks_the_message(void **state)
{
	static char block[65535];
	struct message *m;

	(void)state;
	limits.spool = "/nonexistent/spool";
	limits.memory_max = 1000;
	m = fresh();
	assert_int_equal(message_add_field(m, "A", " b"), 0);
	add_blocks(m, 2, block, sizeof(block), -ENOENT);
	assert_int_equal(message_close(m, 100, 50), -ENOENT);
	assert_int_equal(m->n_fields, 1);
	assert_string_equal(m->fields[0].value, " b");
	talloc_free(m);
}

static void a_full_spool_breaks_the_message(void **state)
{
	static char block[65535];
	struct rlimit old, small = { 300000, RLIM_INFINITY };
	struct message *m;
	unsigned before = descriptors();

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	limits.memory_max = 100000;
	m = fresh();
	add_blocks(m, 4, block, sizeof(block), 0);
	add_blocks(m, 2, block, sizeof(block), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	add_blocks(m, 1, block, sizeof(block), -EFBIG);
	assert_int_equal(message_close(m, 100, 50), -EFBIG);
	assert_int_equal(m->size, 2 + 7 * sizeof(block));
	assert_int_equal(descriptors(), before);
	talloc_free(m);
}

static void any_sequence_of_events_gives_the_budget_back(void **state)
{
	static char block[65536];      /* its last byte stays NUL: its end is a long value */
	unsigned long seed = 4711;

	(void)state;
	memset(block, 'x', sizeof(block) - 1);
	for (int i = 0; i < 300; i++) {
		struct message *m;
		const char *data;
		size_t len;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		message_budget_set_max(budget, 1000 + (seed >> 40) % 400000);
		limits.memory_max = (seed >> 20) % 300000;
		limits.spool = seed >> 60 & 1 ? spool : NULL;
		m = fresh();
		for (unsigned k = 0; k < (seed >> 33) % 200; k++)
			message_add_field(m, k % 7 ? "X-A" : "X-B", k % 50 ? " v" : block + sizeof(block) - 1 - 3000);
		for (unsigned k = 0; k < (seed >> 50) % 8; k++)
			message_add_body(m, block, (seed >> k) % (sizeof(block) - 1));
		if (seed >> 59 & 1)
			message_close(m, 100, 50);
		if (message_bytes(m, &data, &len) == 0)
			assert_int_equal(len, m->size);
		assert_true(message_budget_used(budget) <= 401000);
		talloc_free(m);
		assert_int_equal(message_budget_used(budget), 0);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(bytes_and_lines_do_not_depend_on_how_the_body_is_cut),
		T(the_first_body_line_is_known_as_soon_as_it_is_complete),
		T(fields_keep_spelling_order_and_index),
		T(ten_thousand_fields_are_counted_right),
		T(fields_beyond_a_limit_are_counted_and_dropped),
		T(events_out_of_order_change_nothing),
		T(a_large_message_moves_to_a_file_without_a_name),
		T(a_message_of_exactly_the_limit_stays_in_memory),
		T(the_structure_is_read_from_the_file_too),
		T(a_budget_that_is_used_up_sends_messages_to_the_spool),
		T(without_budget_for_the_fields_a_message_is_broken),
		T(without_spool_memory_max_does_not_matter),
		T(a_spool_that_cannot_be_used_breaks_the_message),
		T(a_full_spool_breaks_the_message),
		T(any_sequence_of_events_gives_the_budget_back),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
