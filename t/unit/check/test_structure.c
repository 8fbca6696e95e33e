/* test_structure.c - sizes, lines and parts at their limits, and split messages */
#include "fixture.h"

#include "check/structure.h"

extern const struct check check_structure;

static void announced_sizes_over_the_limit_are_reported_at_mail(void **state)
{
	static const char conf[] = "structure { size_max = \"10K\"  size_max_outgoing = \"1K\" }";
	static const struct { const char *conf; bool outbound; int64_t announced; const char *detail; } cases[] = {
		{ conf, false, 10240, NULL },
		{ conf, false, 10241, "10241 octets announced, at most 10240 (structure.size_max)" },
		{ conf, false, INT64_MAX, "structure.size_max" },
		{ conf, false, -1, NULL },
		{ conf, true, 1024, NULL },
		{ conf, true, 1025, "at most 1024 (structure.size_max_outgoing)" },
		{ "structure { size_max = 0 }", false, INT64_MAX, NULL },
		{ "policy \"default\" { limit \"oversized\" { max = \"2K\" } }", false, 2049, "at most 2048" },
		{ "", false, 50 << 20, NULL },
		{ "", false, (50 << 20) + 1, "at most 52428800" },
		{ "", true, (50 << 20) + 1, "at most 52428800" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = fixture_new(cases[i].conf);

		f->t.outbound = cases[i].outbound;
		fixture_mail(f, "<bob@sender.example>");
		f->t.size_announced = cases[i].announced;
		fixture_judge(f, &check_structure, STAGE_MAIL);
		fixture_expect(f, cases[i].conf, CLASS_OVERSIZED, cases[i].detail);
		fixture_free(f);
	}
}

static void a_message_is_oversized_as_soon_as_it_has_grown_too_large(void **state)
{
	struct fixture *f = fixture_new("structure { size_max = \"1K\"  size_max_outgoing = \"2K\" }");
	char line[100];
	size_t left;

	(void)state;
	memset(line, 'x', 98);
	line[98] = '\r';
	line[99] = '\n';
	fixture_mail(f, "<bob@sender.example>");
	fixture_message(f);
	fixture_fields(f, "From: bob@sender.example\n");
	fixture_body(f, line, 100);
	fixture_judge(f, &check_structure, STAGE_BODY);
	fixture_expect(f, "small", CLASS_OVERSIZED, NULL);
	while (f->t.message->size + 100 <= 1024)
		fixture_body(f, line, 100);
	left = (size_t)(1024 - f->t.message->size);
	fixture_body(f, line, left);
	assert_int_equal(f->t.message->size, 1024);
	fixture_judge(f, &check_structure, STAGE_BODY);
	fixture_expect(f, "at the limit", CLASS_OVERSIZED, NULL);
	fixture_judge(f, &check_structure, STAGE_EOM);
	fixture_expect(f, "at the limit", CLASS_OVERSIZED, NULL);
	fixture_body(f, "y", 1);
	fixture_judge(f, &check_structure, STAGE_BODY);
	fixture_expect(f, "over it", CLASS_OVERSIZED, "message of 1025 octets so far, at most 1024 (structure.size_max)");
	/* further pieces do not report it anew */
	fixture_body(f, line, 98);
	fixture_judge(f, &check_structure, STAGE_BODY);
	fixture_expect(f, "over it", CLASS_OVERSIZED, "message of 1025 octets");
	fixture_forget(f);
	fixture_judge(f, &check_structure, STAGE_EOM);
	fixture_expect(f, "at the end", CLASS_OVERSIZED, "at most 1024");
	fixture_forget(f);
	f->t.outbound = true;
	fixture_judge(f, &check_structure, STAGE_EOM);
	fixture_expect(f, "outbound", CLASS_OVERSIZED, NULL);
	fixture_free(f);
}

static void judge_lines(const char *conf, size_t header_line, size_t body_line, const char *detail)
{
	struct fixture *f = fixture_new(conf);
	char *value = talloc_zero_size(f->mem, header_line + 1), *line = talloc_zero_size(f->mem, body_line + 1);
	char label[40];

	snprintf(label, sizeof(label), "header %zu, body %zu", header_line, body_line);
	fixture_mail(f, "<bob@sender.example>");
	fixture_message(f);
	fixture_field(f, "From", " bob@sender.example");
	memset(value, 'v', header_line);
	memset(line, 'b', body_line);
	/* the name and the colon are a part of the line; a fold begins a new one */
	fixture_field(f, "X", talloc_asprintf(f->mem, " short\n %s", header_line > 1 ? value + 1 : value));
	fixture_body(f, "short\r\n", 7);
	fixture_body(f, line, body_line / 2);
	fixture_body(f, line + body_line / 2, body_line - body_line / 2);
	fixture_body(f, "\r\nshort\r\n", 9);
	fixture_close(f, 100, 50);
	fixture_judge(f, &check_structure, STAGE_EOM);
	fixture_expect(f, label, CLASS_LINE_TOO_LONG, detail);
	fixture_free(f);
}

static void a_line_over_the_limit_is_reported_at_the_end(void **state)
{
	(void)state;
	judge_lines("", 10, 998, NULL);
	judge_lines("", 10, 999, "line of 999 octets, at most 998 (structure.line_length_max)");
	judge_lines("", 998, 10, NULL);
	judge_lines("", 999, 10, "line of 999 octets");
	judge_lines("structure { line_length_max = 0 }", 10, 5000, NULL);
	judge_lines("structure { line_length_max = 500 }", 10, 500, NULL);
	judge_lines("structure { line_length_max = 500 }", 10, 501, "at most 500");
	judge_lines("policy \"default\" { limit \"line-too-long\" { max = 500 } }", 10, 501, "at most 500");
}

/* A multipart of so many text parts, as message_close() of the engine reads it. */
static void judge_parts(const char *conf, size_t leaves, size_t parts_max, const char *detail)
{
	struct fixture *f = fixture_new(conf);
	static const char part[] = "--=b\r\nContent-Type: text/plain\r\n\r\npart\r\n";
	char label[40];

	snprintf(label, sizeof(label), "%zu leaves", leaves);
	fixture_mail(f, "<bob@sender.example>");
	fixture_message(f);
	fixture_fields(f, "From: bob@sender.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"=b\"\n");
	for (size_t i = 0; i < leaves; i++)
		fixture_body(f, part, sizeof(part) - 1);
	fixture_body(f, "--=b--\r\n", 8);
	fixture_close(f, parts_max, 50);
	fixture_judge(f, &check_structure, STAGE_EOM);
	fixture_expect(f, label, CLASS_MIME_PARTS_EXCESSIVE, detail);
	fixture_expect(f, label, CLASS_MESSAGE_PARTIAL, NULL);
	assert_null(fixture_note(f, "structure"));
	fixture_free(f);
}

static void more_parts_than_the_limit_are_reported(void **state)
{
	(void)state;
	/* the multipart itself is one */
	judge_parts("", 99, 100, NULL);
	judge_parts("", 100, 100, "more than 100 MIME parts (structure.parts_max)");
	judge_parts("structure { parts_max = 3 }", 2, 3, NULL);
	judge_parts("structure { parts_max = 3 }", 3, 3, "more than 3 MIME parts");
	judge_parts("structure { parts_max = 0 }", 300, 100, NULL);
}

static void a_split_message_is_reported_when_its_header_is_known(void **state)
{
	static const struct { const char *fields; bool hit; } cases[] = {
		{ "Content-Type: message/partial; id=\"a@b\"; number=1; total=3\n", true },
		{ "CONTENT-TYPE: Message/Partial\n", true },
		{ "Content-Type:\n message/partial;\n id=x\n", true },
		{ "Content-Type: (comment) message (x) / (y) partial; id=x\n", true },
		{ "Content-Type: text/plain\nContent-Type: message/partial; id=x\n", true },
		{ "Content-Type: message/rfc822\n", false },
		{ "Content-Type: text/plain; name=\"message/partial\"\n", false },
		{ "Content-Type: message/partially\n", false },
		{ "X-Content-Type: message/partial; id=x\n", false },
		{ "Subject: message/partial\n", false },
	};
	struct fixture *f = fixture_new("");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fixture_forget(f);
		fixture_mail(f, "<bob@sender.example>");
		fixture_message(f);
		fixture_fields(f, cases[i].fields);
		fixture_judge(f, &check_structure, STAGE_EOH);
		fixture_expect(f, cases[i].fields, CLASS_MESSAGE_PARTIAL, cases[i].hit ? "Content-Type of the message is message/partial" : NULL);
	}
	fixture_free(f);
}

static void a_split_message_is_found_in_any_part(void **state)
{
	static const struct { const char *body; bool hit; } cases[] = {
		{ "--b1\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b1\r\nContent-Type: message/partial; id=x; number=1\r\n\r\nhello\r\n--b1--\r\n", true },
		{ "Content-Type: message/partial\r\n\r\n--b1\r\nContent-Type: text/plain; name=\"message/partial\"\r\n\r\nContent-Type: message/partial; id=1; number=1\r\n--b1--\r\n"
		  "Content-Type: message/partial\r\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = fixture_new("");

		fixture_mail(f, "<bob@sender.example>");
		fixture_message(f);
		fixture_fields(f, "From: bob@sender.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b1\n");
		fixture_judge(f, &check_structure, STAGE_EOH);
		fixture_expect(f, "header", CLASS_MESSAGE_PARTIAL, NULL);
		fixture_body(f, cases[i].body, strlen(cases[i].body));
		fixture_close(f, 100, 50);
		fixture_judge(f, &check_structure, STAGE_EOM);
		fixture_expect(f, cases[i].body, CLASS_MESSAGE_PARTIAL, cases[i].hit ? "a part of the message is message/partial" : NULL);
		fixture_free(f);
	}
}

static void what_is_nested_too_deeply_is_a_note(void **state)
{
	struct fixture *f = fixture_new("structure { depth_max = 3 }");

	(void)state;
	fixture_mail(f, "<bob@sender.example>");
	fixture_message(f);
	fixture_fields(f, "From: bob@sender.example\nContent-Type: multipart/mixed; boundary=b0\n");
	for (int i = 0; i < 8; i++) {
		char text[100];

		fixture_body(f, text, (size_t)snprintf(text, sizeof(text), "--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n", i, i + 1));
	}
	fixture_body(f, "--b8\r\n\r\nhello\r\n", 15);
	fixture_close(f, 100, (size_t)setting_int(f->t.policy, &structure_settings[STRUCTURE_DEPTH_MAX]));
	fixture_judge(f, &check_structure, STAGE_EOM);
	assert_int_equal(f->t.found.n, 0);
	assert_non_null(fixture_note(f, "structure"));
	assert_non_null(strstr(fixture_note(f, "structure"), "deeper than 3 levels was not looked at (structure.depth_max)"));
	fixture_free(f);
}

static void a_message_that_could_not_be_read_is_not_judged(void **state)
{
	struct fixture *f = fixture_new("");

	(void)state;
	fixture_mail(f, "<bob@sender.example>");
	fixture_judge(f, &check_structure, STAGE_EOH);
	fixture_judge(f, &check_structure, STAGE_BODY);
	fixture_judge(f, &check_structure, STAGE_EOM);
	fixture_message(f);
	fixture_judge(f, &check_structure, STAGE_EOM);
	assert_null(f->t.message->mime);
	assert_int_equal(f->t.found.n, 0);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(announced_sizes_over_the_limit_are_reported_at_mail),
		cmocka_unit_test(a_message_is_oversized_as_soon_as_it_has_grown_too_large),
		cmocka_unit_test(a_line_over_the_limit_is_reported_at_the_end),
		cmocka_unit_test(more_parts_than_the_limit_are_reported),
		cmocka_unit_test(a_split_message_is_reported_when_its_header_is_known),
		cmocka_unit_test(a_split_message_is_found_in_any_part),
		cmocka_unit_test(what_is_nested_too_deeply_is_a_note),
		cmocka_unit_test(a_message_that_could_not_be_read_is_not_judged),
	};
	int r;

	mime_init();
	r = cmocka_run_group_tests(tests, NULL, NULL);
	mime_shutdown();
	return r;
}
