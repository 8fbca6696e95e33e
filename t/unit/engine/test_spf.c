/* test_spf.c - winnowctl spf's text and object, and a message's evidence, over a network in a zone */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "spf/zone.h"
#include "util/clock.h"

static const char zone_text[] =
	"d.example TXT v=spf1 include:i.example -all\ni.example TXT v=spf1 ip4:192.0.2.0/24 ?all\nnever.example TXT v=spf1 -all\nhelo.example TXT v=spf1 ~all\nbad.example TXT v=spf1 \\x01\n";

struct fixture {
	struct winnow_engine *engine;
	struct zone *z;
};

static int setup(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);
	char *errors = NULL;

	f->engine = winnow_engine_new(&(struct winnow_options){ .foreground = true }, &errors, NULL);
	f->z = zone_new(zone_text);
	zone_add(f->z, "d.example MX 10 mx.d.example");
	assert_non_null(f->engine);
	f->engine->asker = &f->z->asker;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	winnow_engine_free(f->engine);
	talloc_free(f->z);
	return talloc_free(f);
}

static void expect(struct fixture *f, const char *ip, const char *from, const char *helo, bool json, const char *begins, const char *holds)
{
	char *text, *error;

	assert_int_equal(winnow_spf(f->engine, ip, from, helo, json, &text, &error), 0);
	if (strncmp(text, begins, strlen(begins)) != 0 || strstr(text, holds) == NULL)
		fail_msg("%s", text);
	winnow_free(text);
}

static void the_result_comes_first_then_the_way_to_it(void **state)
{
	struct fixture *f = *state;
	char *text, *error;

	expect(f, "192.0.2.1", "a@d.example", "", false, "result=pass\nidentity=mailfrom\ndomain=d.example\nmechanism=include:i.example\nterms=1\nvoids=0\n\nTXT d.example\n", "ip4:192.0.2.0/24 matches: pass");
	expect(f, "198.51.100.1", "<a@d.example>", "", false, "result=fail\n", "mechanism=-all\n");
	expect(f, "198.51.100.1", "never.example", "", false, "result=fail\n", "never-sends=yes\n");
	expect(f, "198.51.100.1", "", "helo.example", false, "result=softfail\nidentity=helo\ndomain=helo.example\n", "~all");
	expect(f, "198.51.100.1", "<>", "helo.example", false, "result=softfail\nidentity=helo\n", "");
	expect(f, "198.51.100.1", "a@bad.example", "", false, "result=permerror\n", "problem=bad.example: syntax error at \"\\x01\"\n");
	expect(f, "198.51.100.1", "a@none.example", "", false, "result=none\n", "TXT none.example: no such name\n");
	expect(f, "198.51.100.1", "a@[192.0.2.1]", "", false, "result=none\n", "terms=0\n");
	expect(f, "::ffff:192.0.2.9", "a@d.example", "", true, "{", "\"result\": \"pass\"");
	assert_int_equal(winnow_spf(f->engine, "192.0.2", "a@d.example", "", false, &text, &error), -EINVAL);
	assert_non_null(strstr(error, "--ip"));
	winnow_free(error);
}

static const struct winnow_change *header(const struct winnow_verdict *v, const char *name)
{
	for (size_t i = 0; i < v->n_changes; i++)
		if (v->changes[i].name != NULL && strcmp(v->changes[i].name, name) == 0)
			return &v->changes[i];
	return NULL;
}

static void an_accepted_message_says_both_identities(void **state)
{
	static const char *const mail[] = { "<bob@d.example>", NULL }, *const anna[] = { "<anna@example.com>", NULL };
	struct fixture *f = *state;
	const struct winnow_verdict *v;
	struct winnow_session *s = winnow_connect(f->engine, &(struct winnow_client){ .address = "192.0.2.1", .name = "helo.example" }, &v);

	winnow_helo(s, "helo.example", NULL);
	winnow_mail(s, mail, NULL, NULL);
	assert_int_equal(winnow_rcpt(s, anna, NULL, NULL)->action, WINNOW_CONTINUE);
	winnow_data(s, NULL);
	winnow_header(s, "From", " bob@d.example");
	winnow_eoh(s);
	v = winnow_eom(s, NULL);
	assert_non_null(header(v, "Authentication-Results"));
	assert_non_null(strstr(header(v, "Authentication-Results")->value, ";\n\tspf=pass smtp.mailfrom=d.example;\n\tspf=softfail smtp.helo=helo.example"));
	assert_null(header(v, "Received-SPF"));
	winnow_close(s);
}

/* The answer to RCPT. */
static enum winnow_action mail_from(struct winnow_session *s, const char *sender)
{
	static const char *const anna[] = { "<anna@example.com>", NULL };
	enum winnow_action action;

	winnow_mail(s, (const char *const[]){ sender, NULL }, NULL, NULL);
	action = winnow_rcpt(s, anna, NULL, NULL)->action;
	winnow_abort(s);
	return action;
}

/* Else a stranger has his thousandth message judged without DNS. */
static void the_questions_of_earlier_messages_leave_room_for_this_one(void **state)
{
	struct fixture *f = *state;
	const struct winnow_verdict *v;
	struct winnow_session *s = winnow_connect(f->engine, &(struct winnow_client){ .address = "198.51.100.1", .name = "helo.example" }, &v);
	char sender[64];

	for (int i = 0; i < 2 * ANSWERS_MAX; i++) {
		snprintf(sender, sizeof(sender), "helo%d.example", i);
		winnow_helo(s, sender, NULL);
	}
	for (int i = 0; i < 2 * ANSWERS_MAX; i++) {
		snprintf(sender, sizeof(sender), "none%d.example A 192.0.2.25", i);
		zone_add(f->z, sender);
		snprintf(sender, sizeof(sender), "<bob@none%d.example>", i);
		assert_int_equal(mail_from(s, sender), WINNOW_CONTINUE);
	}
	assert_int_equal(mail_from(s, "<bob@never.example>"), WINNOW_REJECT);
	winnow_close(s);
}

static int64_t milliseconds_of_rcpt(struct fixture *f)
{
	static const char *const mail[] = { "<bob@silent.example>", NULL }, *const anna[] = { "<anna@example.com>", NULL };
	const struct winnow_verdict *v;
	struct winnow_session *s = winnow_connect(f->engine, &(struct winnow_client){ .address = "192.0.2.1", .name = "helo.example" }, &v);
	int64_t before;

	winnow_helo(s, "helo.example", NULL);
	winnow_mail(s, mail, NULL, NULL);
	before = clock_mono();
	assert_int_equal(winnow_rcpt(s, anna, NULL, NULL)->action, WINNOW_CONTINUE);
	winnow_close(s);
	return (clock_mono() - before) / 1000;
}

/* What was asked at MAIL is waited for at RCPT: the MTA waits for RCPT's answer, and knows nothing of our other stages. */
static void an_event_is_answered_within_its_own_deadline(void **state)
{
	struct fixture *f = *state;
	char path[] = "/tmp/test_spf-XXXXXX", *errors = NULL;
	FILE *config = fdopen(mkstemp(path), "w");
	int64_t took;

	fputs("stages { mail_timeout = \"30s\" rcpt_timeout = \"300ms\" }", config);
	fclose(config);
	winnow_engine_free(f->engine);
	f->engine = winnow_engine_new(&(struct winnow_options){ .config_path = path, .foreground = true }, &errors, NULL);
	assert_non_null(f->engine);
	unlink(path);
	f->z->queued = true;
	f->engine->asker = &f->z->asker;
	took = milliseconds_of_rcpt(f);
	assert_in_range(took, 290, 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_result_comes_first_then_the_way_to_it, setup, teardown),
		cmocka_unit_test_setup_teardown(an_accepted_message_says_both_identities, setup, teardown),
		cmocka_unit_test_setup_teardown(the_questions_of_earlier_messages_leave_room_for_this_one, setup, teardown),
		cmocka_unit_test_setup_teardown(an_event_is_answered_within_its_own_deadline, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
