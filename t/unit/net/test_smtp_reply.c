/* test_smtp_reply.c - replies of SMTP servers, good and bad, whole and byte by byte */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "net/smtp_reply.h"

static const struct {
	const char *bytes;
	int result, code;
	const char *xcode, *text;
	size_t left;                     /* bytes that belong to no reply */
} cases[] = {
	{ "250 Ok\r\n", 1, 250, "", "Ok", 0 },
	{ "250 Ok\n", 1, 250, "", "Ok", 0 },
	{ "250\r\n", 1, 250, "", "", 0 },
	{ "250 \r\n", 1, 250, "", "", 0 },
	{ "250 2.1.5 Ok\r\n", 1, 250, "2.1.5", "Ok", 0 },
	{ "550 5.7.1\r\n", 1, 550, "5.7.1", "", 0 },
	{ "550 5.123.999 x\r\n", 1, 550, "5.123.999", "x", 0 },
	{ "550 5.1234.1 x\r\n", 1, 550, "", "5.1234.1 x", 0 },
	{ "550 4.7.1 of another class\r\n", 1, 550, "", "4.7.1 of another class", 0 },
	{ "550 5.7 short\r\n", 1, 550, "", "5.7 short", 0 },
	{ "550 5.7.1x\r\n", 1, 550, "", "5.7.1x", 0 },
	{ "550-5.1.1 no\r\n550 5.1.1 such user\r\n", 1, 550, "5.1.1", "no\nsuch user", 0 },
	{ "550-no\r\n550 5.1.1 such user\r\n", 1, 550, "5.1.1", "no\nsuch user", 0 },
	{ "250-a\r\n250-\r\n250-b\r\n250\r\n", 1, 250, "", "a\n\nb\n", 0 },
	{ "250 one\r\n220 two\r\n", 1, 250, "", "one", 9 },
	{ "250 a\tb\001c\177d\r\n", 1, 250, "", "a b?c?d", 0 },
	{ "250 a\rb\r\n", 1, 250, "", "a?b", 0 },
	{ "250 gr\303\274n\r\n", 1, 250, "", "gr\303\274n", 0 },
	{ "", 0, 0, "", "", 0 },
	{ "250 Ok", 0, 0, "", "", 0 },
	{ "250-more\r\n", 0, 250, "", "more", 0 },
	{ "250-a\r\n251 b\r\n", -EPROTO, 250, "", "a", 0 },
	{ "250Ok\r\n", -EPROTO, 0, "", "", 0 },
	{ "25\r\n", -EPROTO, 0, "", "", 0 },
	{ "\r\n", -EPROTO, 0, "", "", 0 },
	{ "199 x\r\n", -EPROTO, 0, "", "", 0 },
	{ "600 x\r\n", -EPROTO, 0, "", "", 0 },
	{ "2x0 x\r\n", -EPROTO, 0, "", "", 0 },
	{ " 250 x\r\n", -EPROTO, 0, "", "", 0 },
	{ "SSH-2.0-OpenSSH_9.2p1\r\n", -EPROTO, 0, "", "", 0 },
	{ "HTTP/1.1 200 OK\r\n", -EPROTO, 0, "", "", 0 },
};

static void play(size_t i, size_t piece)
{
	static struct smtp_reader reader;
	static struct smtp_reply reply;
	size_t len = strlen(cases[i].bytes), at = 0;
	int result = 0;

	smtp_reader_begin(&reader, &reply);
	while (result == 0 && at < len) {
		size_t used;

		result = smtp_reader_take(&reader, &reply, cases[i].bytes + at, len - at < piece ? len - at : piece, &used);
		at += used;
	}
	if (result != cases[i].result)
		fail_msg("%s: %d instead of %d", cases[i].bytes, result, cases[i].result);
	assert_int_equal(reply.code, cases[i].code);
	assert_string_equal(reply.xcode, cases[i].xcode);
	assert_string_equal(reply.text, cases[i].text);
	assert_int_equal(len - at, cases[i].left);
}

static void replies_are_read_whole_and_in_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t piece = 1; piece < 40; piece += 1 + piece / 4)
			play(i, piece);
}

static void a_nul_ends_no_text(void **state)
{
	static struct smtp_reader reader;
	static struct smtp_reply reply;
	size_t used;

	(void)state;
	smtp_reader_begin(&reader, &reply);
	assert_int_equal(smtp_reader_take(&reader, &reply, "250 a\0b\r\n", 9, &used), 1);
	assert_string_equal(reply.text, "a?b");
	assert_int_equal(reply.text_len, 3);
}

/* How many bytes of an endless reply are taken before it is given up. */
static size_t endless(const char *piece, int expected)
{
	static struct smtp_reader reader;
	static struct smtp_reply reply;
	size_t total = 0;

	smtp_reader_begin(&reader, &reply);
	for (int i = 0; i < 1000000; i++) {
		size_t used;
		int result = smtp_reader_take(&reader, &reply, piece, strlen(piece), &used);

		total += used;
		if (result != 0) {
			assert_int_equal(result, expected);
			assert_int_equal(smtp_reader_take(&reader, &reply, "250 x\r\n", 7, &used), expected);
			assert_int_equal(used, 0);
			assert_true(reply.text_len < SMTP_TEXT_MAX);
			return total;
		}
	}
	fail_msg("never given up");
	return 0;
}

static void what_has_no_end_is_given_up(void **state)
{
	(void)state;
	assert_in_range(endless("2", -EMSGSIZE), SMTP_LINE_MAX, SMTP_LINE_MAX + 10);
	assert_in_range(endless("250-line\r\n", -EMSGSIZE), 200 * 10, 200 * 10);
	assert_in_range(endless("250-a line that is so long that the text of all of them has no room, which must harm nobody\r\n", -EMSGSIZE), 10000, 30000);
	assert_in_range(endless("x\n", -EPROTO), 1, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_are_read_whole_and_in_pieces),
		cmocka_unit_test(a_nul_ends_no_text),
		cmocka_unit_test(what_has_no_end_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
