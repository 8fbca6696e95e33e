/* test_date.c - dates of mail: what RFC 5322 allows, what programs write, and what is none */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "message/date.h"

#define NOT_A_DATE INT64_MIN

struct row {
	const char *what, *value;
	int64_t seconds;
};

static void check_rows(const struct row *rows, size_t n)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(rows[i].value);
		char *exact = malloc(len + 1);
		int64_t seconds = NOT_A_DATE;
		bool is_date;

		/* no NUL behind it: a sanitizer sees what is read too far */
		exact = realloc(memcpy(exact, rows[i].value, len), len ? len : 1);
		is_date = date_parse(exact, len, &seconds);
		if (is_date != (rows[i].seconds != NOT_A_DATE) || seconds != rows[i].seconds) {
			print_error("%s: \"%s\" gives %lld, not %lld\n", rows[i].what, rows[i].value, (long long)seconds, (long long)rows[i].seconds);
			wrong++;
		}
		free(exact);
	}
	assert_int_equal(wrong, 0);
}

static void dates_of_the_standard_are_read(void **state)
{
	static const struct row rows[] = {
		{ "A.1.1", "Fri, 21 Nov 1997 09:55:06 -0600", 880127706 },
		{ "A.1.2", "Tue, 1 Jul 2003 10:52:37 +0200", 1057049557 },
		{ "A.1.3", "Thu, 13 Feb 1969 23:32:54 -0330", -27723426 },
		{ "A.2", "Fri, 21 Nov 1997 10:01:10 -0600", 880128070 },
		{ "A.2, the answer to it", "Fri, 21 Nov 1997 11:00:00 -0600", 880131600 },
		{ "A.3", "Mon, 24 Nov 1997 14:22:01 -0800", 880410121 },
		{ "A.5, with comments, folds and no seconds", "Thu,\n      13\n        Feb\n          1969\n      23:32\n               -0330 (Newfoundland Time)", -27723480 },
		{ "A.6.2, obsolete", "21 Nov 97 09:55:06 GMT", 880106106 },
		{ "A.6.3, obsolete blanks and comments", "Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", 880127706 },
	};

	(void)state;
	check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

static void dates_of_real_mail_are_read_leniently(void **state)
{
	static const struct row rows[] = {
		{ "the epoch", "Thu, 1 Jan 1970 00:00:00 +0000", 0 },
		{ "a second before it", "31 Dec 1969 23:59:59 +0000", -1 },
		{ "no day name", "1 Jul 2003 10:52:37 +0200", 1057049557 },
		{ "a wrong day name", "Mon, 1 Jul 2003 10:52:37 +0200", 1057049557 },
		{ "a German day name", "Di, 1 Jul 2003 10:52:37 +0200", 1057049557 },
		{ "a day name in UTF-8", "\xd0\x92\xd1\x82, 1 Jul 2003 10:52:37 +0200", 1057049557 },
		{ "no comma behind it", "Tue 1 Jul 2003 10:52:37 +0200", 1057049557 },
		{ "no blank behind it", "Tue,1 Jul 2003 10:52:37 +0200", 1057049557 },
		{ "a day with leading zero", "Tue, 01 Jul 2003 10:52:37 +0200", 1057049557 },
		{ "an hour of one digit", "1 Jul 2003 9:52:37 +0200", 1057045957 },
		{ "no seconds", "1 Jul 2003 10:52 +0200", 1057049520 },
		{ "a leap second is the next minute's 0", "31 Dec 2016 23:59:60 +0000", 1483228800 },
		{ "capitals do not matter", "TUE, 1 JUL 2003 10:52:37 +0200", 1057049557 },
		{ "a zone's name in a comment", "1 Jul 2003 10:52:37 +0200 (CEST)", 1057049557 },
		{ "a zone's name without parentheses", "1 Jul 2003 10:52:37 +0200 CEST", 1057049557 },
		{ "nested comments with quoted pairs", "(a(b\\)c))1(x)Jul(y)2003(z)10:52:37(\\()+0200(", 1057049557 },
		{ "a comment where the zone should be", "1 Jul 2003 10:52:37 (CEST)", 1057056757 },
		{ "no zone at all", "1 Jul 2003 10:52:37", 1057056757 },
		{ "line ends and tabs around it", "\r\n\t1 Jul 2003 10:52:37 +0200\r\n", 1057049557 },
		{ "two digits, 49", "1 Jan 49 00:00:00 +0000", 2493072000 },
		{ "two digits, 50", "1 Jan 50 00:00:00 +0000", -631152000 },
		{ "two digits, 00", "1 Jan 00 00:00:00 +0000", 946684800 },
		{ "three digits", "1 Jan 103 00:00:00 +0000", 1041379200 },
		{ "the largest year", "31 Dec 9999 23:59:59 +0000", 253402300799 },
		{ "the smallest year", "1 Jan 0000 00:00:00 +0000", -62167219200 },
		{ "beyond 32 bits", "19 Jan 2038 03:14:08 +0000", 2147483648 },
		{ "a leap day", "29 Feb 2024 12:00:00 +0000", 1709208000 },
		{ "a leap day in a year of 400", "29 Feb 2000 00:00:00 +0000", 951782400 },
		{ "the day after a leap day", "1 Mar 2024 00:00:00 +0000", 1709251200 },
	};

	(void)state;
	check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

static void zones_are_what_the_standard_makes_of_them(void **state)
{
	static const struct row rows[] = {
		{ "unknown", "1 Jul 2003 12:00:00 -0000", 1057060800 },
		{ "UT", "1 Jul 2003 12:00:00 UT", 1057060800 },
		{ "UTC", "1 Jul 2003 12:00:00 UTC", 1057060800 },
		{ "Z", "1 Jul 2003 12:00:00 Z", 1057060800 },
		{ "EST", "1 Jul 2003 12:00:00 EST", 1057060800 + 5 * 3600 },
		{ "EDT", "1 Jul 2003 12:00:00 edt", 1057060800 + 4 * 3600 },
		{ "CST", "1 Jul 2003 12:00:00 CST", 1057060800 + 6 * 3600 },
		{ "CDT", "1 Jul 2003 12:00:00 CDT", 1057060800 + 5 * 3600 },
		{ "MST", "1 Jul 2003 12:00:00 MST", 1057060800 + 7 * 3600 },
		{ "MDT", "1 Jul 2003 12:00:00 MDT", 1057060800 + 6 * 3600 },
		{ "PST", "1 Jul 2003 12:00:00 PST", 1057060800 + 8 * 3600 },
		{ "PDT", "1 Jul 2003 12:00:00 PDT", 1057060800 + 7 * 3600 },
		{ "a military letter is unknown", "1 Jul 2003 12:00:00 A", 1057060800 },
		{ "a name that nobody knows", "1 Jul 2003 12:00:00 CEST", 1057060800 },
		{ "half hours", "1 Jul 2003 12:00:00 +0530", 1057060800 - 19800 },
		{ "the farthest east", "1 Jul 2003 12:00:00 +1400", 1057060800 - 14 * 3600 },
		{ "15 hours are not plausible", "1 Jul 2003 12:00:00 +1500", 1057060800 },
		{ "99 hours neither", "1 Jul 2003 12:00:00 -9900", 1057060800 },
		{ "60 minutes neither", "1 Jul 2003 12:00:00 +0160", 1057060800 },
		{ "too few digits", "1 Jul 2003 12:00:00 +200", 1057060800 },
		{ "too many digits", "1 Jul 2003 12:00:00 +02000", 1057060800 },
		{ "a colon", "1 Jul 2003 12:00:00 +02:00", 1057060800 },
		{ "a name with a number", "1 Jul 2003 12:00:00 GMT+0200", 1057060800 },
	};

	(void)state;
	check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

static void what_is_no_date_is_refused(void **state)
{
	static const struct row rows[] = {
		{ "nothing", "", NOT_A_DATE },
		{ "blanks", " \n ", NOT_A_DATE },
		{ "ISO form", "2003-07-01T10:52:37+02:00", NOT_A_DATE },
		{ "ISO form with a blank", "2003-07-01 10:52:37 +0200", NOT_A_DATE },
		{ "the form of ctime", "Tue Jul  1 10:52:37 2003", NOT_A_DATE },
		{ "a German month", "Di, 1 Mai 2003 10:52:37 +0200", NOT_A_DATE },
		{ "a month in full", "1 July 2003 10:52:37 +0200", NOT_A_DATE },
		{ "two letters of a month", "1 Ju 2003 10:52:37 +0200", NOT_A_DATE },
		{ "a month's number", "1 07 2003 10:52:37 +0200", NOT_A_DATE },
		{ "day 0", "0 Jul 2003 10:52:37 +0200", NOT_A_DATE },
		{ "day 32", "32 Jul 2003 10:52:37 +0200", NOT_A_DATE },
		{ "day 100", "100 Jul 2003 10:52:37 +0200", NOT_A_DATE },
		{ "31 February", "31 Feb 2003 10:52:37 +0200", NOT_A_DATE },
		{ "31 April", "31 Apr 2003 10:52:37 +0200", NOT_A_DATE },
		{ "29 February of an ordinary year", "29 Feb 2023 10:52:37 +0200", NOT_A_DATE },
		{ "29 February of a century", "29 Feb 1900 10:52:37 +0200", NOT_A_DATE },
		{ "29 February of the second century after one of 400", "29 Feb 2200 10:52:37 +0200", NOT_A_DATE },
		{ "hour 24", "1 Jul 2003 24:00:00 +0200", NOT_A_DATE },
		{ "minute 60", "1 Jul 2003 10:60:00 +0200", NOT_A_DATE },
		{ "second 61", "1 Jul 2003 10:52:61 +0200", NOT_A_DATE },
		{ "no minutes", "1 Jul 2003 10 +0200", NOT_A_DATE },
		{ "no seconds behind the colon", "1 Jul 2003 10:52: +0200", NOT_A_DATE },
		{ "no time", "1 Jul 2003", NOT_A_DATE },
		{ "a year of one digit", "1 Jul 3 10:52:37 +0200", NOT_A_DATE },
		{ "a year of five digits", "1 Jul 02003 10:52:37 +0200", NOT_A_DATE },
		{ "a negative year", "1 Jul -2003 10:52:37 +0200", NOT_A_DATE },
		{ "fractions of a second", "1 Jul 2003 10:52:37.5 +0200", NOT_A_DATE },
		{ "12-hour clock", "1 Jul 2003 10:52:37 AM +0200", NOT_A_DATE },
		{ "text behind it", "1 Jul 2003 10:52:37 +0200; x=y", NOT_A_DATE },
		{ "a control character behind it", "1 Jul 2003 10:52:37 +0200\x01", NOT_A_DATE },
		{ "a number that overflows", "99999999999999999999 Jul 2003 10:52:37 +0200", NOT_A_DATE },
		{ "an open comment that hides the time", "1 Jul 2003 (10:52:37 +0200", NOT_A_DATE },
	};

	(void)state;
	check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

static void a_nul_is_a_bad_byte_like_others(void **state)
{
	static const char value[] = "1 Jul 2003 10:52:37 +0200\0";
	int64_t seconds = 7;

	(void)state;
	assert_true(date_parse(value, sizeof(value) - 2, &seconds));
	assert_int_equal(seconds, 1057049557);
	seconds = 7;
	assert_false(date_parse(value, sizeof(value) - 1, &seconds));
	assert_int_equal(seconds, 7);
}

/* against the C library, which knows the calendar too: every day that a year of 400 has, and some beyond */
static void every_day_of_500_years_is_what_timegm_says(void **state)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	int64_t seconds;
	char value[64];

	(void)state;
	for (int64_t day = -141428; day < 41200; day++) {
		time_t t = day * 86400;
		struct tm tm;

		gmtime_r(&t, &tm);
		snprintf(value, sizeof(value), "%d %s %04d 00:00 +0000", tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900);
		assert_true(date_parse(value, strlen(value), &seconds));
		assert_int_equal(seconds, t);
	}
}

static void the_zone_of_the_machine_does_not_matter(void **state)
{
	static const char value[] = "1 Jul 2003 10:52:37 +0200";
	int64_t seconds;

	(void)state;
	setenv("TZ", "America/New_York", 1);
	tzset();
	assert_true(date_parse(value, strlen(value), &seconds));
	assert_int_equal(seconds, 1057049557);
	unsetenv("TZ");
	tzset();
}

static void half_a_megabyte_of_open_comments_is_read_once(void **state)
{
	size_t len = 500000;
	char *value = malloc(len);
	int64_t seconds;

	(void)state;
	memset(value, '(', len);
	assert_false(date_parse(value, len, &seconds));
	memset(value, ')', len);
	assert_false(date_parse(value, len, &seconds));
	free(value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_of_the_standard_are_read),
		cmocka_unit_test(dates_of_real_mail_are_read_leniently),
		cmocka_unit_test(zones_are_what_the_standard_makes_of_them),
		cmocka_unit_test(what_is_no_date_is_refused),
		cmocka_unit_test(a_nul_is_a_bad_byte_like_others),
		cmocka_unit_test(every_day_of_500_years_is_what_timegm_says),
		cmocka_unit_test(the_zone_of_the_machine_does_not_matter),
		cmocka_unit_test(half_a_megabyte_of_open_comments_is_read_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
