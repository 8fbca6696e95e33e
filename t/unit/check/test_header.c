/* test_header.c - byte-order marks, doubled and missing and overlong fields, bad subjects, dates far off */
#include "fixture.h"

#include "check/skew.h"

extern const struct check check_header;

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define USUAL "From: bob@sender.example\nTo: anna@example.com\nSubject: hello\nDate: Tue, 24 Nov 2026 10:00:00 +0000\n"

static void judge(struct fixture *f, const char *fields)
{
	fixture_forget(f);
	fixture_mail(f, "<bob@sender.example>");
	fixture_message(f);
	fixture_fields(f, fields);
	fixture_judge(f, &check_header, STAGE_EOH);
}

static void a_usual_header_block_is_fine(void **state)
{
	struct fixture *f = fixture_new("");

	(void)state;
	judge(f, USUAL);
	fixture_body(f, "hello\r\n", 7);
	fixture_judge(f, &check_header, STAGE_EOM);
	assert_int_equal(f->t.found.n, 0);
	assert_int_equal(f->t.n_notes, 0);
	fixture_free(f);
}

static void byte_order_marks_in_names_and_before_values_are_reported(void **state)
{
	static const struct { const char *fields, *detail; } cases[] = {
		{ "\xEF\xBB\xBFX-First: y\n" USUAL, "UTF-8 byte-order mark in the name of field 1" },
		{ USUAL "\xEF\xBB\xBFX-Last: y\n", "UTF-8 byte-order mark in the name of field 5" },
		{ USUAL "X-\xEF\xBB\xBFMid: y\n", "in the name of field 5" },
		{ "\xFE\xFFX-First: y\n" USUAL, "UTF-16 (big-endian) byte-order mark in the name" },
		{ "\xFF\xFEX-First: y\n" USUAL, "UTF-16 (little-endian) byte-order mark in the name" },
		{ "+/v8-X-First: y\n" USUAL, "UTF-7 byte-order mark in the name" },
		{ "+/v9X-First: y\n" USUAL, "UTF-7" },
		{ "+/v+X-First: y\n" USUAL, "UTF-7" },
		{ "+/v/X-First: y\n" USUAL, "UTF-7" },
		{ "+/v0X-First: y\n" USUAL, NULL },
		{ USUAL "X-A: \xEF\xBB\xBFy\n", "UTF-8 byte-order mark before the value of X-A" },
		{ USUAL "X-A:\xEF\xBB\xBFy\n", "before the value of X-A" },
		{ USUAL "X-A:\n \t\xEF\xBB\xBFy\n", "before the value of X-A" },
		{ USUAL "X-A: \xFF\xFEy\n", "UTF-16" },
		{ USUAL "X-A: +/v8-y\n", "UTF-7" },
		{ USUAL "X-A: +/v8ADwA-some text\n", "UTF-7" },
		{ USUAL "X-A: y \xEF\xBB\xBF\n", NULL },
		{ USUAL "X-A: \xEF\xBBy\n", NULL },
		{ USUAL "X-A: 1+/v8\n", NULL },
		/* a long run of base64 may begin so by chance */
		{ USUAL "X-Digest: +/v8AAECAwQFBgcICQoLDA0ODw==\n", NULL },
		{ USUAL "X-Digest: +/v8AAECAwQFBgcICQoL\n DA0ODw==\n", NULL },
		{ USUAL "X-A: =?utf-8?B?77u/aGVsbG8=?=\n", NULL },
	};
	struct fixture *f = fixture_new("");

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		judge(f, cases[i].fields);
		fixture_expect(f, cases[i].fields, CLASS_HEADER_BOM, cases[i].detail);
	}
	fixture_free(f);
}

static void a_mark_that_ended_the_header_block_is_found_in_the_body(void **state)
{
	static const struct { const char *fields, *body; bool hit; } cases[] = {
		{ "", "\xEF\xBB\xBF" "From: bob@sender.example\r\nSubject: hello\r\n\r\nhello\r\n", true },
		{ "", "\xEF\xBB\xBFX-First: y\r\n", true },
		{ "From: bob@sender.example\n", "\xEF\xBB\xBFSubject: hello\r\n\r\nhello\r\n", true },
		{ "From: bob@sender.example\nTo: anna@example.com\n", "\xEF\xBB\xBFsubject: hello\r\n", true },
		{ "To: anna@example.com\nSubject: hello\n", "\xEF\xBB\xBFX-Foo: y\r\n", true },
		/* the MTA put these in */
		{ "Received: by mx\nFrom: bob@sender.example\nDate: Tue, 24 Nov 2026 10:00:00 +0000\nMessage-Id: <1@mx>\n", "\xEF\xBB\xBFX-First: y\r\n", true },
		{ "", "\xEF\xBB\xBFHello Anna\r\n", false },
		{ "", "From: bob@sender.example\r\n", false },
		{ "", "", false },
		{ "", "\xEF\xBB\xBF: y\r\n", false },
		{ USUAL, "\xEF\xBB\xBFHi Anna, this text file starts with a mark.\r\nBob\r\n", false },
		{ USUAL, "\xEF\xBB\xBFNote: read this\r\n", false },
		{ USUAL, "\xEF\xBB\xBF" "From: bob@sender.example\r\n> quoted\r\n", false },
		{ USUAL, "\r\n\xEF\xBB\xBF" "Received: y\r\n", false },
	};
	struct fixture *f = fixture_new("");

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t n = strlen(cases[i].body);

		judge(f, cases[i].fields);
		/* in pieces that split the mark */
		fixture_body(f, cases[i].body, n > 1);
		fixture_body(f, cases[i].body + (n > 1), n - (n > 1));
		fixture_judge(f, &check_header, STAGE_EOM);
		fixture_expect(f, cases[i].body, CLASS_HEADER_BOM, cases[i].hit ? "byte-order mark before the field" : NULL);
	}
	fixture_free(f);
}

static void fields_that_may_stand_once_are_counted(void **state)
{
	static const struct { const char *conf, *fields, *detail; } cases[] = {
		{ "", USUAL "SUBJECT: again\n", "2 fields Subject, at most 1 (header.singletons)" },
		{ "", USUAL "Subject: 2\nSubject: 3\n", "3 fields Subject" },
		{ "", USUAL "Subject : obsolete\n", "2 fields Subject" },
		{ "", USUAL "From: x@y.example\n", "2 fields From" },
		{ "", USUAL "Sender: x@y.example\nSender: x@y.example\n", "Sender" },
		{ "", USUAL "Reply-To: a@b.example\nReply-to: a@b.example\n", "Reply-To" },
		{ "", USUAL "To: a@b.example\n", "To" },
		{ "", USUAL "Cc: a@b.example\nCC: a@b.example\n", "Cc" },
		{ "", USUAL "Bcc: a@b.example\nBcc: a@b.example\n", "Bcc" },
		{ "", USUAL "Message-ID: <1>\nMessage-Id: <1>\n", "Message-ID" },
		{ "", USUAL "In-Reply-To: <1>\nIn-Reply-To: <1>\n", "In-Reply-To" },
		{ "", USUAL "References: <1>\nReferences: <1>\n", "References" },
		{ "", USUAL "Date: Tue, 24 Nov 2026 10:00:00 +0000\n", "Date" },
		{ "", USUAL "Received: a\nReceived: b\nComments: a\nComments: b\nKeywords: a\nKeywords: b\nX-Subject: x\nResent-To: a\nResent-To: b\nDKIM-Signature: a\nDKIM-Signature: b\n", NULL },
		{ "", "To: anna@example.com\nSubject: hello\n", "no field From (header.from_required)" },
		{ "", "X-From: bob@sender.example\n", "no field From" },
		{ "", "", "no field From" },
		{ "", "From: bob@sender.example\n", NULL },
		{ "header { from_required = false }", "Subject: hello\n", NULL },
		{ "header { singletons = { \"X-Once\" } }", USUAL "Subject: 2\n", NULL },
		{ "header { singletons = { \"X-Once\" } }", USUAL "X-ONCE: 1\nx-once: 2\n", "2 fields X-Once" },
		{ "header { singletons = { } }", USUAL USUAL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fixture *f = fixture_new(cases[i].conf);

		judge(f, cases[i].fields);
		fixture_expect(f, cases[i].fields, CLASS_HEADER_COUNT, cases[i].detail);
		fixture_free(f);
	}
}

/* A value of length octets behind its blank, folded in the middle. */
static void judge_length(const char *conf, const char *name, size_t length, const char *detail)
{
	struct fixture *f = fixture_new(conf);
	char *value = talloc_zero_size(f->mem, length + 2), label[60];

	snprintf(label, sizeof(label), "%s of %zu", name, length);
	memset(value, 'v', length + 1);
	value[0] = ' ';
	value[length / 2] = '\n';
	value[length / 2 + 1] = ' ';
	fixture_mail(f, "<bob@sender.example>");
	fixture_message(f);
	fixture_fields(f, USUAL);
	fixture_field(f, name, value);
	fixture_judge(f, &check_header, STAGE_EOH);
	fixture_expect(f, label, CLASS_HEADER_TOO_LONG, detail);
	fixture_free(f);
}

static void values_over_the_limit_are_reported(void **state)
{
	static const char *const trace[] = { "Received", "ARC-Seal", "arc-message-signature", "DKIM-Signature", "Authentication-Results", "X-Anything", "x-y" };

	(void)state;
	judge_length("", "Keywords", 16384, NULL);
	judge_length("", "Keywords", 16385, "Keywords of 16385 octets, at most 16384 (header.length_max)");
	judge_length("", "Authentication-Result", 16385, "header.length_max");
	for (size_t i = 0; i < COUNT(trace); i++) {
		judge_length("", trace[i], 49152, NULL);
		judge_length("", trace[i], 49153, "at most 49152 (header.trace_length_max)");
	}
	judge_length("header { length_max = 100 }", "Keywords", 100, NULL);
	judge_length("header { length_max = 100 }", "Keywords", 101, "at most 100");
	judge_length("header { length_max = 0 }", "Keywords", 60000, NULL);
	judge_length("header { trace_length_max = 0 }", "X-Long", 60000, NULL);
	judge_length("policy \"default\" { limit \"header-too-long\" { max = 100 } }", "Keywords", 101, "at most 100");
}

static void a_header_block_that_was_cut_is_too_long_and_may_lack_its_from(void **state)
{
	struct fixture *f = fixture_new("");

	(void)state;
	fixture_mail(f, "<bob@sender.example>");
	fixture_message(f);
	for (int i = 0; i < 1001; i++)
		fixture_field(f, "X-Many", " y");
	fixture_field(f, "From", " bob@sender.example");
	assert_true(f->t.message->header_cut);
	fixture_judge(f, &check_header, STAGE_EOH);
	fixture_expect(f, "cut", CLASS_HEADER_TOO_LONG, "only 1000 fields were kept");
	fixture_expect(f, "cut", CLASS_HEADER_COUNT, NULL);
	fixture_free(f);
}

static void subjects_with_control_or_raw_8bit_characters_are_reported(void **state)
{
	static const struct { const char *conf; bool smtputf8; const char *subject, *detail; } cases[] = {
		{ "", false, "Subject: plain\n", NULL },
		{ "", false, "Subject:\n", NULL },
		{ "", false, "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe_aus?=\n =?iso-8859-1?B?TfxuY2hlbg==?=\ttab\n", NULL },
		{ "", false, "Subject: Gr\xfc\xdf" "e\n", "raw 8-bit characters in Subject that are not UTF-8" },
		{ "", false, "Subject: Gr\xc3\xbc\xc3\x9f" "e\n", "raw UTF-8 in Subject without SMTPUTF8 (header.subject_utf8)" },
		{ "", true, "Subject: Gr\xc3\xbc\xc3\x9f" "e\n", NULL },
		{ "", true, "Subject: Gr\xfc\xdf" "e\n", "not UTF-8" },
		{ "", true, "Subject: \xc0\xaf\n", "not UTF-8" },
		{ "header { subject_utf8 = true }", false, "Subject: Gr\xc3\xbc\xc3\x9f" "e\n", NULL },
		{ "header { subject_utf8 = true }", false, "Subject: Gr\xfc\xdf" "e\n", "not UTF-8" },
		{ "", false, "Subject: a\x01" "b\n", "control character 0x01 in Subject" },
		{ "", false, "Subject: a\x08" "b\n", "0x08" },
		{ "", false, "Subject: a\x0b" "b\n", "0x0b" },
		{ "", false, "Subject: a\x0c" "b\n", "0x0c" },
		{ "", false, "Subject: a\x1b[31mb\n", "0x1b" },
		{ "", false, "Subject: a\x1f" "b\n", "0x1f" },
		{ "", false, "Subject: a\x7f" "b\n", "0x7f" },
		{ "", false, "Subject: a\rb\n", "0x0d" },
		{ "", false, "Subject: a\tb~ c\n", NULL },
		{ "", true, "Subject: a\x01" "b\n", "0x01" },
		{ "header { subject_utf8 = true }", false, "Subject: a\x01" "b\n", "0x01" },
		{ "", false, "Subject: plain\nSUBJECT: a\x01" "b\n", "0x01" },
		{ "", false, "Subject: plain\nX-Subject: Gr\xfc\xdf" "e\nComments: a\x01\n", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fixture *f = fixture_new(cases[i].conf);

		f->t.smtputf8 = cases[i].smtputf8;
		judge(f, cases[i].subject);
		fixture_expect(f, cases[i].subject, CLASS_SUBJECT_INVALID, cases[i].detail);
		fixture_free(f);
	}
}

static void dates_far_from_now_are_reported(void **state)
{
	/* now is Tue, 24 Nov 2026 10:00:00 +0000 */
	static const struct { const char *conf, *date, *detail; } cases[] = {
		{ "", "Date: Tue, 24 Nov 2026 10:00:00 +0000\n", NULL },
		{ "", "Date: Tue, 17 Nov 2026 10:00:00 +0000\n", NULL },
		{ "", "Date: Tue, 17 Nov 2026 09:59:59 +0000\n", "Date is 7.0 days in the past, at most 7.0 (header.date_skew_max)" },
		{ "", "Date: Tue, 01 Dec 2026 10:00:00 +0000\n", NULL },
		{ "", "Date: Tue, 01 Dec 2026 10:00:01 +0000\n", "Date is 7.0 days in the future" },
		{ "", "Date: Mon, 16 Nov 2026 22:30:00 -1100\n", "in the past" },
		{ "", "Date: Mon, 16 Nov 2026 23:30:00 -1100\n", NULL },
		{ "", "Date: Tue, 01 Dec 2026 22:30:00 +1300\n", NULL },
		{ "", "Date: Sun, 25 Oct 2026 10:00:00 +0000\n", "Date is 30.0 days in the past" },
		{ "", "Date: Thu, 01 Jan 1970 00:00:00 +0000\n", "in the past" },
		{ "", "Date: Fri, 31 Dec 9999 23:59:59 +0000\n", "in the future" },
		{ "", "Date: yesterday\n", NULL },
		{ "", "Date:\n", NULL },
		{ "", "Subject: no date\n", NULL },
		{ "", "Resent-Date: Thu, 01 Jan 1970 00:00:00 +0000\n", NULL },
		{ "", "Date: Tue, 24 Nov 2026 10:00:00 +0000\nDate: Thu, 01 Jan 1970 00:00:00 +0000\n", NULL },
		{ "header { date_skew_max = \"1h\" }", "Date: Tue, 24 Nov 2026 09:00:00 +0000\n", NULL },
		{ "header { date_skew_max = \"1h\" }", "Date: Tue, 24 Nov 2026 08:59:59 +0000\n", "in the past" },
		{ "header { date_skew_max = 0 }", "Date: Thu, 01 Jan 1970 00:00:00 +0000\n", NULL },
		{ "policy \"default\" { limit \"date-skew\" { max = \"1h\" } }", "Date: Tue, 24 Nov 2026 08:59:59 +0000\n", "in the past" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fixture *f = fixture_new(cases[i].conf);

		judge(f, cases[i].date);
		fixture_expect(f, cases[i].date, CLASS_DATE_SKEW, cases[i].detail);
		fixture_free(f);
	}
}

static void date_skew_is_suspended_while_most_messages_are_skewed_alike(void **state)
{
	static const char old[] = "From: b@sender.example\nDate: Sun, 25 Oct 2026 10:00:00 +0000\n";
	static const char good[] = "From: b@sender.example\nDate: Tue, 24 Nov 2026 10:00:00 +0000\n";
	struct fixture *f = fixture_new("");

	(void)state;
	f->s.skew_watch = skew_watch_new(f->mem);
	for (int i = 0; i < 19; i++) {
		judge(f, old);
		fixture_expect(f, "too few to believe", CLASS_DATE_SKEW, "30.0 days in the past");
		assert_null(fixture_note(f, "date-skew"));
	}
	judge(f, old);
	fixture_expect(f, "twenty alike", CLASS_DATE_SKEW, NULL);
	assert_string_equal(fixture_note(f, "date-skew"), "suspended: 20 of 20 messages skewed alike, is our clock right?");
	/* a good date needs no note */
	judge(f, good);
	fixture_expect(f, "good", CLASS_DATE_SKEW, NULL);
	assert_null(fixture_note(f, "date-skew"));
	for (int i = 0; i < 20; i++)
		judge(f, good);
	judge(f, old);
	fixture_expect(f, "most are good again", CLASS_DATE_SKEW, "in the past");
	fixture_free(f);
}

static void no_message_is_nothing_to_judge(void **state)
{
	struct fixture *f = fixture_new("");

	(void)state;
	fixture_mail(f, "<bob@sender.example>");
	fixture_judge(f, &check_header, STAGE_EOH);
	fixture_judge(f, &check_header, STAGE_EOM);
	assert_int_equal(f->t.found.n, 0);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_usual_header_block_is_fine),
		cmocka_unit_test(byte_order_marks_in_names_and_before_values_are_reported),
		cmocka_unit_test(a_mark_that_ended_the_header_block_is_found_in_the_body),
		cmocka_unit_test(fields_that_may_stand_once_are_counted),
		cmocka_unit_test(values_over_the_limit_are_reported),
		cmocka_unit_test(a_header_block_that_was_cut_is_too_long_and_may_lack_its_from),
		cmocka_unit_test(subjects_with_control_or_raw_8bit_characters_are_reported),
		cmocka_unit_test(dates_far_from_now_are_reported),
		cmocka_unit_test(date_skew_is_suspended_while_most_messages_are_skewed_alike),
		cmocka_unit_test(no_message_is_nothing_to_judge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
