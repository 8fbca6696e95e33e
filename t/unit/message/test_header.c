/* test_header.c - names, unfolding, encoded words, UTF-8 */
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
	const char *what, *value, *expected;
};

typedef char *reader(TALLOC_CTX *parent, const char *value, size_t len);

static void check_rows(reader *read, const struct row *rows, size_t n)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(rows[i].value);
		char *exact = malloc(len ? len : 1), *text;

		memcpy(exact, rows[i].value, len);
		text = read(NULL, exact, len);
		free(exact);
		if (text == NULL || strcmp(text, rows[i].expected) != 0) {
			print_error("%s: \"%s\"\n\tgives \"%s\"\n\tnot   \"%s\"\n", rows[i].what, rows[i].value, text, rows[i].expected);
			wrong++;
		}
		talloc_free(text);
	}
	assert_int_equal(wrong, 0);
}

static void names_compare_without_case_and_trailing_blanks(void **state)
{
	(void)state;
	assert_true(header_name_equal("Subject", "subject"));
	assert_true(header_name_equal("SUBJECT \t", "Subject"));
	assert_true(header_name_equal("X-Foo", "x-foo "));
	assert_true(header_name_equal("", " "));
	assert_false(header_name_equal("Subject", "Subjec"));
	assert_false(header_name_equal("Subject", "Subject1"));
	assert_false(header_name_equal(" Subject", "Subject"));
	assert_false(header_name_equal("\xef\xbb\xbfSubject", "Subject"));
	assert_false(header_name_equal("X_Foo", "X\x7f""Foo"));
	assert_false(header_name_equal("{", "["));
}

static void values_are_unfolded_and_trimmed(void **state)
{
	static const struct row rows[] = {
		{ "nothing", "", "" },
		{ "blanks", " \t ", "" },
		{ "one line", " hello", "hello" },
		{ "a fold", " a\n b", "a b" },
		{ "a fold with CR", " a\r\n b", "a b" },
		{ "a fold with tab", " a\n\tb", "a\tb" },
		{ "two folds", " a\n b\n  c", "a b  c" },
		{ "an empty first line", "\n a", "a" },
		{ "an empty last line", " a\n ", "a" },
		{ "an empty line between", " a\n \n b", "a  b" },
		{ "blanks at the end", " a \t", "a" },
		{ "a bare CR stays", " a\rb", "a\rb" },
		{ "an LF without blank stays", " a\nb", "a\nb" },
		{ "an LF at the end stays", " a\n", "a\n" },
		{ "encoded words stay", " =?utf-8?Q?a?=", "=?utf-8?Q?a?=" },
		{ "bytes stay", " \xff\x01\xc3\xbc", "\xff\x01\xc3\xbc" },
	};
	char *text;

	(void)state;
	check_rows(header_unfold, rows, sizeof(rows) / sizeof(rows[0]));
	text = header_unfold(NULL, "a\0b\0", 4);
	assert_string_equal(text, "a\x01" "b\x01");
	talloc_free(text);
}

static void encoded_words_of_the_standard_are_decoded(void **state)
{
	static const struct row rows[] = {
		{ "ASCII", " =?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>", "Keith Moore <moore@cs.utk.edu>" },
		{ "Latin 1 in Q", "=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?=", "Keld J\xc3\xb8rn Simonsen" },
		{ "Latin 1 in B", "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\n =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
			"If you can read this you understand the example." },
		{ "Hebrew", "=?iso-8859-8?b?7eXs+SDv4SDp7Oj08A==?=", "\xd7\x9d\xd7\x95\xd7\x9c\xd7\xa9 \xd7\x9f\xd7\x91 \xd7\x99\xd7\x9c\xd7\x98\xd7\xa4\xd7\xa0" },
		{ "section 8, one", "(=?ISO-8859-1?Q?a?=)", "(a)" },
		{ "section 8, word and text", "(=?ISO-8859-1?Q?a?= b)", "(a b)" },
		{ "section 8, two words", "(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)" },
		{ "section 8, more blanks", "(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)" },
		{ "section 8, a fold", "(=?ISO-8859-1?Q?a?=\n    =?ISO-8859-1?Q?b?=)", "(ab)" },
		{ "section 8, a blank inside", "(=?ISO-8859-1?Q?a_b?=)", "(a b)" },
		{ "section 8, a blank between", "(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)" },
		{ "a language (RFC 2231)", "=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore" },
		{ "small letters for B and Q", "=?utf-8?b?YQ==?= =?utf-8?q?b?=", "ab" },
	};

	(void)state;
	check_rows(header_decode, rows, sizeof(rows) / sizeof(rows[0]));
}

static void words_are_joined_before_they_are_converted(void **state)
{
	static const struct row rows[] = {
		{ "a character in two words", "=?utf-8?Q?J=C3?= =?utf-8?Q?=B6rg?=", "J\xc3\xb6rg" },
		{ "a character in two words, B and Q, other case", "=?UTF-8?B?SsM=?=\n\t=?utf-8?Q?=B6rg?=", "J\xc3\xb6rg" },
		{ "a character of two bytes in GB 2312", "=?gb2312?Q?=C4?= =?gb2312?Q?=E3?=", "\xe4\xbd\xa0" },
		{ "text between keeps them apart", "=?utf-8?Q?J=C3?= x =?utf-8?Q?=B6rg?=", "J\xef\xbf\xbd x \xef\xbf\xbdrg" },
		{ "another charset keeps them apart", "=?utf-8?Q?J=C3?= =?koi8-r?Q?=B6rg?=", "J\xef\xbf\xbd\xe2\x95\xa4rg" },
		{ "side by side without blank", "=?utf-8?Q?J=C3?==?utf-8?Q?=B6rg?=", "J\xc3\xb6rg" },
		{ "a word that cannot be read keeps its blanks", "=?utf-8?Q?a?= =?x-none?Q?b?= =?utf-8?Q?c?=", "a =?x-none?Q?b?= c" },
	};

	(void)state;
	check_rows(header_decode, rows, sizeof(rows) / sizeof(rows[0]));
}

static void charsets_are_converted(void **state)
{
	static const struct row rows[] = {
		{ "UTF-8", "=?utf-8?Q?=E2=82=AC?=", "\xe2\x82\xac" },
		{ "UTF-8 without hyphen", "=?UTF8?Q?=E2=82=AC?=", "\xe2\x82\xac" },
		{ "Windows 1252", "=?Windows-1252?Q?=80?=", "\xe2\x82\xac" },
		{ "Latin 1 is Windows 1252", "=?iso-8859-1?Q?=80?=", "\xe2\x82\xac" },
		{ "Latin 9", "=?iso-8859-15?Q?=A4?=", "\xe2\x82\xac" },
		{ "Cyrillic, KOI8", "=?koi8-r?B?8NLJ18XU?=", "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82" },
		{ "Cyrillic, Windows", "=?windows-1251?B?z/Do4uXy?=", "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82" },
		{ "Japanese, ISO 2022", "=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=", "\xe6\x97\xa5\xe6\x9c\xac" },
		{ "Japanese, Shift JIS", "=?Shift_JIS?B?k/qWew==?=", "\xe6\x97\xa5\xe6\x9c\xac" },
		{ "Chinese, GB 2312", "=?GB2312?B?xOO6ww==?=", "\xe4\xbd\xa0\xe5\xa5\xbd" },
		{ "Chinese, Big 5", "=?big5?B?p0GmbgAA?=", "\xe4\xbd\xa0\xe5\xa5\xbd\x01\x01" },
		{ "Korean, as Outlook calls it", "=?ks_c_5601-1987?B?x9Gx2w==?=", "\xed\x95\x9c\xea\xb8\x80" },
		{ "UTF-7", "=?utf-7?Q?a+2D3cKQ-?=", "a\xf0\x9f\x90\xa9" },
		{ "UTF-16", "=?utf-16?B?/v8AYSCs?=", "a\xe2\x82\xac" },
		{ "bytes that the charset does not have", "=?windows-1252?Q?a=81b?=", "a\xef\xbf\xbd" "b" },
		{ "half a character at the end", "=?shift_jis?Q?a=93?=", "a\xef\xbf\xbd" },
		{ "8-bit in ASCII", "=?us-ascii?Q?a=FFb?=", "a\xef\xbf\xbd" "b" },
		{ "an unknown charset", "=?x-none?Q?a?= b", "=?x-none?Q?a?= b" },
		{ "a charset with an option of iconv", "=?utf-16//TRANSLIT?Q?a?=", "=?utf-16//TRANSLIT?Q?a?=" },
		{ "a charset that makes much of little", "=?TSCII?Q?=88?=", "=?TSCII?Q?=88?=" },
		{ "no charset", "=??Q?a?=", "=??Q?a?=" },
		{ "only a language", "=?*en?Q?a?=", "=?*en?Q?a?=" },
		{ "a name that is too long", "=?iso-8859-11111111111111111111111111111111111111111111111111111111111111111111111111111111111?Q?a?=",
			"=?iso-8859-11111111111111111111111111111111111111111111111111111111111111111111111111111111111?Q?a?=" },
	};

	(void)state;
	check_rows(header_decode, rows, sizeof(rows) / sizeof(rows[0]));
}

static void words_of_real_mail_are_decoded_leniently(void **state)
{
	static const struct row rows[] = {
		{ "no padding", "=?utf-8?B?YQ?=", "a" },
		{ "one digit too many", "=?utf-8?B?YWJjZ?=", "abc" },
		{ "padding in the middle", "=?utf-8?B?YQ==Yg==?=", "ab" },
		{ "blanks in base64", "=?utf-8?B?YW Jj?=", "abc" },
		{ "a fold in base64", "=?utf-8?B?YW\n Jj?=", "abc" },
		{ "something else in base64", "=?utf-8?B?YW!j?= x", "=?utf-8?B?YW!j?= x" },
		{ "a blank in Q", "=?utf-8?Q?hello world?=", "hello world" },
		{ "a question mark in Q", "=?utf-8?Q?what?" "?=", "what?" },
		{ "an = in Q", "=?utf-8?Q?a=b=?= c", "a=b= c" },
		{ "an = and one digit in Q", "=?utf-8?Q?a=4?=", "a=4" },
		{ "small hexadecimal digits", "=?utf-8?Q?=c3=b6?=", "\xc3\xb6" },
		{ "a word that begins with an escape", "=?utf-8?Q?=41?=", "A" },
		{ "raw 8-bit in Q", "=?iso-8859-1?Q?J\xf6rg?=", "J\xc3\xb6rg" },
		{ "an empty word", "a=?utf-8?Q?" "?=b", "ab" },
		{ "text before and behind without blanks", "a=?utf-8?Q?b?=c", "abc" },
		{ "in quotes", "\"=?utf-8?Q?b?=\"", "\"b\"" },
		{ "over 75 characters", "=?utf-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?=",
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
		{ "no end", "=?utf-8?Q?abc", "=?utf-8?Q?abc" },
		{ "no end, then one with an end", "=?utf-8?Q?abc =?utf-8?Q?def?=", "=?utf-8?Q?abc def" },
		{ "another encoding", "=?utf-8?X?abc?=", "=?utf-8?X?abc?=" },
		{ "a start that is none", "=?=?utf-8?Q?a?=", "=?a" },
		{ "decoded line ends stay to be seen", "=?utf-8?Q?a=0D=0Ab?=", "a\r\nb" },
		{ "a decoded NUL becomes byte 1", "=?utf-8?Q?a=00b?= =?koi8-r?Q?=00?=", "a\x01" "b\x01" },
		{ "a decoded BOM stays to be seen", "=?utf-8?Q?=EF=BB=BFa?=", "\xef\xbb\xbf" "a" },
		{ "a decoded word is not decoded again", "=?utf-8?Q?=3D=3Futf-8=3FQ=3Fa=3F=3D?=", "=?utf-8?Q?a?=" },
		{ "decoded blanks stay", "=?utf-8?Q?_a_?=", " a " },
		{ "raw UTF-8", "J\xc3\xb6rg \xf0\x9f\x90\xa9", "J\xc3\xb6rg \xf0\x9f\x90\xa9" },
		{ "raw Latin 1", "J\xf6rg", "J\xef\xbf\xbdrg" },
		{ "overlong UTF-8", "a\xc0\x80", "a\xef\xbf\xbd\xef\xbf\xbd" },
		{ "raw control characters stay", "a\x01\x7f\r" "b", "a\x01\x7f\r" "b" },
		{ "folded text", "a\n b\n =?utf-8?Q?c?=\n d", "a b c d" },
	};

	(void)state;
	check_rows(header_decode, rows, sizeof(rows) / sizeof(rows[0]));
}

static void an_attacker_opens_only_so_many_charsets(void **state)
{
	char value[20000] = "";
	size_t len = 0;
	char *text;

	(void)state;
	/* 5 charsets in turns are one more than stay open */
	for (unsigned i = 0; i < 500; i++)
		len += (size_t)snprintf(value + len, sizeof(value) - len, "=?iso-8859-%u?Q?a?= ", 2 + i % 5);
	text = header_decode(NULL, value, len);
	assert_memory_equal(text, "aaaaaaaaaaaaaaaaaaaaaaaaa", 25);
	assert_non_null(strstr(text, "=?iso-8859-"));
	talloc_free(text);
}

/* what a hostile field repeats, with an end that only the last of them reaches: each would take minutes if a reader were quadratic */
static void large_fields_are_decoded_in_linear_time(void **state)
{
	static const char *const pieces[] = { "=?utf-8?Q?a", "x=?utf-8?B?a", "=?utf-8?Q?a?= ", "=?koi8-r?B?YQ?=x", "=?koi8-r?Q?=FF=00?= =?cp1251?Q?a?= ", "=?x?Q?", "=?", "\xff", "\n ",
		" ", "=?utf-16?B?2AA?= ", "=?utf-8?Q?a ", "=?iso-2022-jp?Q?=1B$B=FF=FF?= " };
	static const char *const ends[] = { "", "?=", " =?", " =?utf-8?Q?a?=" };
	size_t len = 1000000;
	char *value = malloc(len);

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]) * 4; i++) {
		const char *piece = pieces[i / 4], *end = ends[i % 4];
		char *text;

		for (size_t k = 0; k < len; k++)
			value[k] = piece[k % strlen(piece)];
		memcpy(value + len - strlen(end), end, strlen(end));
		text = header_decode(NULL, value, len);
		assert_non_null(text);
		assert_true(strlen(text) <= 4 * len);
		assert_true(utf8_valid(text, strlen(text)));
		talloc_free(text);
	}
	free(value);
}

static void well_formed_utf8_is_told_from_other_bytes(void **state)
{
	static const struct {
		const char *what, *text;
		size_t len;
		bool valid;
	} rows[] = {
		{ "nothing", "", 0, true },
		{ "ASCII", "abc\x7f", 4, true },
		{ "NUL is a character", "a\0b", 3, true },
		{ "the smallest of two bytes", "\xc2\x80", 2, true },
		{ "the largest of two bytes", "\xdf\xbf", 2, true },
		{ "the smallest of three bytes", "\xe0\xa0\x80", 3, true },
		{ "before the surrogates", "\xed\x9f\xbf", 3, true },
		{ "behind the surrogates", "\xee\x80\x80", 3, true },
		{ "the largest of three bytes", "\xef\xbf\xbf", 3, true },
		{ "the smallest of four bytes", "\xf0\x90\x80\x80", 4, true },
		{ "the largest of all", "\xf4\x8f\xbf\xbf", 4, true },
		{ "a byte-order mark", "\xef\xbb\xbf", 3, true },
		{ "a continuation alone", "\x80", 1, false },
		{ "overlong in two", "\xc0\xaf", 2, false },
		{ "overlong in two, the last", "\xc1\xbf", 2, false },
		{ "overlong in three", "\xe0\x9f\xbf", 3, false },
		{ "overlong in four", "\xf0\x8f\xbf\xbf", 4, false },
		{ "the first surrogate", "\xed\xa0\x80", 3, false },
		{ "the last surrogate", "\xed\xbf\xbf", 3, false },
		{ "above U+10FFFF", "\xf4\x90\x80\x80", 4, false },
		{ "a lead byte of five", "\xf8\x88\x80\x80\x80", 5, false },
		{ "FF", "\xff", 1, false },
		{ "cut after one", "\xe2\x82\xac", 1, false },
		{ "cut after two", "\xe2\x82\xac", 2, false },
		{ "cut after three", "\xf0\x9f\x90\xa9", 3, false },
		{ "a bad third byte", "\xe2\x82\x20", 3, false },
		{ "a bad fourth byte", "\xf0\x9f\x90\xff", 4, false },
		{ "good and then bad", "a\xc3\xb6\xff", 4, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *exact = malloc(rows[i].len ? rows[i].len : 1);

		memcpy(exact, rows[i].text, rows[i].len);
		if (utf8_valid(exact, rows[i].len) != rows[i].valid)
			fail_msg("%s", rows[i].what);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_compare_without_case_and_trailing_blanks),
		cmocka_unit_test(values_are_unfolded_and_trimmed),
		cmocka_unit_test(encoded_words_of_the_standard_are_decoded),
		cmocka_unit_test(words_are_joined_before_they_are_converted),
		cmocka_unit_test(charsets_are_converted),
		cmocka_unit_test(words_of_real_mail_are_decoded_leniently),
		cmocka_unit_test(an_attacker_opens_only_so_many_charsets),
		cmocka_unit_test(large_fields_are_decoded_in_linear_time),
		cmocka_unit_test(well_formed_utf8_is_told_from_other_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
