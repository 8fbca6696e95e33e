/* test_release.c - copies go out as they were kept, and whatever a server does, the report says it and the copy stays */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "quarantine/release.h"
#include "quarantine/ticket.h"

#include "unit/net/smtp_script.h"
#include "unit/quarantine/place.h"

#define GREET ">220 mx ESMTP\r\n", "<EHLO us.example", ">250-mx\r\n250-SIZE\r\n250 8BITMIME\r\n"
#define BYE "<QUIT", ">221 Bye\r\n", NULL

static const char message[] = "Subject: gr\303\274n\r\n\r\n.dot\r\nend\r\n";
static const char *const two[] = { "anna@example.com", "bob@example.com", NULL };
static struct smtp_script script;
static int64_t now = 1000;

static int64_t test_now(void)
{
	return now += 10;
}

static const char *key_path(struct place *p)
{
	return place_name(p, "../key");
}

/* Releases the copy "id-1" to a server that plays the script. */
static int released(struct place *p, struct quarantine *q, const char *const *steps, const char *to, struct release_report *report)
{
	static const struct smtp_limits limits = { .step = { 500, 500, 500, 500, 500, 500, 500 } };
	struct release_order order = { .id = "id-1", .to = to, .host = "127.0.0.1", .hello = "us.example", .field = "X-Winnow-Release", .key_path = key_path(p), .limits = &limits, .now = test_now };
	int r;

	script_begin(&script, steps);
	order.port = script.port;
	r = quarantine_release(q, p->mem, &order, report, &p->error);
	return r;
}

static void all_said(void)
{
	const char *wrong = script_end(&script);

	if (wrong != NULL)
		fail_msg("the server wanted \"%s\", and heard \"%s\"", wrong, script.heard);
}

static struct quarantine *with_copy(struct place *p, const char *sender, const char *const *recipients)
{
	struct quarantine *q = place_open(p);

	place_keep(p, q, &(struct quarantine_entry){ .id = "id-1", .time = 1, .sender = sender, .recipients = recipients }, message);
	return q;
}

static void a_copy_goes_to_all_its_recipients_with_its_ticket(void **state)
{
	static const char *const steps[] = { GREET, "<MAIL FROM:<> SIZE=*", ">250 2.1.0 Ok\r\n", "<RCPT TO:<anna@example.com>", ">250 2.1.5 Ok\r\n", "<RCPT TO:<bob@example.com>", ">250 Ok\r\n",
		"<DATA", ">354 go\r\n", "m", ">250 2.0.0 Ok: queued as A1\r\n", BYE };
	struct place *p = *state;
	struct quarantine *q = with_copy(p, "", two);
	struct release_report report;
	uint8_t key[TICKET_KEY];
	char ticket[TICKET_TEXT], *expected;
	struct quarantine_entry e;

	assert_int_equal(released(p, q, steps, NULL, &report), 0);
	assert_int_equal(report.outcome, RELEASE_DONE);
	assert_true(report.taken && report.rcpts[0].taken && report.rcpts[1].taken);
	assert_int_equal(report.n_rcpts, 2);
	assert_string_equal(report.word.text, "Ok: queued as A1");
	assert_null(report.reason);
	assert_int_equal(ticket_key_read(key_path(p), key), 0);
	assert_true(ticket_write(key, "id-1", message, strlen(message), ticket));
	expected = talloc_asprintf(p->mem, "X-Winnow-Release: id-1 %s\r\nSubject: gr\303\274n\r\n\r\n..dot\r\nend\r\n.\r\n", ticket);
	assert_int_equal(script.message_len, strlen(expected));
	assert_memory_equal(script.message, expected, script.message_len);
	all_said();
	e = place_entry(p, q, "id-1");           /* it stays, and is marked */
	assert_true(e.releasing > 1000 && e.released > e.releasing);
	assert_int_equal(report.before, 0);
	/* a second time: the report says when it was released before */
	assert_int_equal(released(p, q, steps, NULL, &report), 0);
	assert_true(report.before == e.released);
	all_said();
	quarantine_close(q);
}

static void it_can_go_to_another_address_alone(void **state)
{
	static const char *const steps[] = { GREET, "<MAIL FROM:<bounce@sender.example> SIZE=*", ">250 Ok\r\n", "<RCPT TO:<boss@example.com>", ">250 Ok\r\n", "<DATA", ">354 go\r\n", "m",
		">250 Ok\r\n", BYE };
	struct place *p = *state;
	struct quarantine *q = with_copy(p, "bounce@sender.example", two);
	struct release_report report;

	assert_int_equal(released(p, q, steps, "boss@example.com", &report), 0);
	assert_int_equal(report.outcome, RELEASE_DONE);
	assert_int_equal(report.n_rcpts, 1);
	assert_string_equal(report.rcpts[0].address, "boss@example.com");
	all_said();
	quarantine_close(q);
}

static void a_recipient_that_is_refused_is_told_of(void **state)
{
	static const char *const steps[] = { GREET, "<MAIL*", ">250 Ok\r\n", "<RCPT TO:<anna@example.com>", ">550 5.1.1 no such user\r\n", "<RCPT TO:<bob@example.com>", ">250 Ok\r\n",
		"<DATA", ">354 go\r\n", "m", ">250 2.0.0 taken\r\n", BYE };
	struct place *p = *state;
	struct quarantine *q = with_copy(p, "", two);
	struct release_report report;

	assert_int_equal(released(p, q, steps, NULL, &report), 0);
	assert_int_equal(report.outcome, RELEASE_REFUSED);
	assert_true(report.taken && !report.rcpts[0].taken && report.rcpts[1].taken);
	assert_int_equal(report.rcpts[0].word.code, 550);
	assert_string_equal(report.rcpts[0].word.xcode, "5.1.1");
	assert_int_equal(report.word.code, 250);
	assert_string_equal(report.word.text, "taken");
	assert_non_null(strstr(report.reason, "anna@example.com"));
	assert_non_null(report.remedy);
	all_said();
	assert_true(place_entry(p, q, "id-1").released > 0);
	quarantine_close(q);
}

/* A script that comes to nothing: how it ends, and what the report names. */
static const struct {
	const char *const *steps;
	enum release_outcome outcome;
	const char *step, *reason;
	bool begun;                      /* its bytes went */
} failures[] = {
	{ (const char *const[]){ ">554 5.7.1 not you\r\n", NULL }, RELEASE_REFUSED, "connection", "554 5.7.1 not you", false },
	{ (const char *const[]){ ">421 4.3.2 busy\r\n", NULL }, RELEASE_LATER, "connection", "421 4.3.2 busy", false },
	{ (const char *const[]){ "reset", NULL }, RELEASE_LATER, "connection", "closed", false },
	{ (const char *const[]){ "wait", NULL }, RELEASE_LATER, "connection", "no answer in time", false },
	{ (const char *const[]){ ">220 x\r\n", "<EHLO*", ">550 5.7.1 no\r\n", "<HELO*", ">550 5.7.1 never\r\n", NULL }, RELEASE_REFUSED, "EHLO", "never", false },
	{ (const char *const[]){ GREET, "<MAIL*", ">451 4.3.0 later\r\n", BYE }, RELEASE_LATER, "MAIL", "451 4.3.0 later", false },
	{ (const char *const[]){ GREET, "<MAIL*", ">550 5.1.8 no\r\n", BYE }, RELEASE_REFUSED, "MAIL", "550 5.1.8 no", false },
	{ (const char *const[]){ GREET, "<MAIL*", ">250 Ok\r\n", "<RCPT*", ">450 4.2.1 later\r\n", "<RCPT*", ">451 later too\r\n", BYE }, RELEASE_LATER, "RCPT", "450 4.2.1 later", false },
	{ (const char *const[]){ GREET, "<MAIL*", ">250 Ok\r\n", "<RCPT*", ">450 4.2.1 later\r\n", "<RCPT*", ">550 5.1.1 never\r\n", BYE }, RELEASE_REFUSED, "RCPT", "bob@example.com: 550", false },
	{ (const char *const[]){ GREET, "<MAIL*", ">250 Ok\r\n", "<RCPT*", ">250 Ok\r\n", "<RCPT*", ">421 4.4.2 bye\r\n", NULL }, RELEASE_LATER, "DATA", "closed", true },
	{ (const char *const[]){ GREET, "<MAIL*", ">250 Ok\r\n", "<RCPT*", ">250 Ok\r\n", NULL }, RELEASE_LATER, "RCPT", "closed", false },
	{ (const char *const[]){ GREET, "<MAIL*", ">250 Ok\r\n", "<RCPT*", ">250 Ok\r\n", "<RCPT*", ">250 Ok\r\n", "<DATA", ">554 5.5.1 no\r\n", BYE }, RELEASE_REFUSED, "DATA", "554 5.5.1 no", true },
	{ (const char *const[]){ GREET, "<MAIL*", ">250 Ok\r\n", "<RCPT*", ">250 Ok\r\n", "<RCPT*", ">250 Ok\r\n", "<DATA", ">354 x\r\n", "m", ">550 5.7.1 spam\r\n", BYE }, RELEASE_REFUSED, "message",
		"550 5.7.1 spam", true },
	{ (const char *const[]){ GREET, "<MAIL*", ">250 Ok\r\n", "<RCPT*", ">250 Ok\r\n", "<RCPT*", ">250 Ok\r\n", "<DATA", ">354 x\r\n", "m", ">451 4.7.1 later\r\n", BYE }, RELEASE_LATER, "message",
		"451 4.7.1 later", true },
	{ (const char *const[]){ GREET, "<MAIL*", ">250 Ok\r\n", "<RCPT*", ">250 Ok\r\n", "<RCPT*", ">250 Ok\r\n", "<DATA", ">354 x\r\n", "m", NULL }, RELEASE_LATER, "message", "closed", true },
};

static void a_server_that_does_not_take_it_leaves_the_copy_where_it_is(void **state)
{
	struct place *p = *state;
	struct quarantine *q = with_copy(p, "", two);

	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		struct release_report report;
		struct quarantine_entry e;
		int64_t before = now;
		int r = released(p, q, failures[i].steps, NULL, &report);

		if (r != 0 || report.outcome != failures[i].outcome || report.step == NULL || strcmp(report.step, failures[i].step) != 0 || strstr(report.reason, failures[i].reason) == NULL)
			fail_msg("failure %zu: %d, outcome %d, %s: %s", i, r, (int)report.outcome, report.step, report.reason);
		assert_non_null(report.remedy);
		assert_false(report.taken);
		for (size_t k = 0; k < report.n_rcpts; k++)
			assert_false(report.rcpts[k].taken);
		all_said();
		e = place_entry(p, q, "id-1");
		assert_true(e.released == 0);
		assert_int_equal(e.releasing > before, failures[i].begun);
	}
	quarantine_close(q);
}

static void addresses_that_cannot_be_said_are_refused(void **state)
{
	static const char *const greeted[] = { GREET, BYE };
	static const char *const some[] = { GREET, "<MAIL*", ">250 Ok\r\n", "<RCPT TO:<bob@example.com>", ">250 Ok\r\n", "<DATA", ">354 x\r\n", "m", ">250 Ok\r\n", BYE };
	static const char *const odd[] = { "a>\r\nDATA", "bob@example.com", "\303\244@x", NULL };
	struct place *p = *state;
	struct quarantine *q = with_copy(p, "x y", two);
	struct release_report report;

	assert_int_equal(released(p, q, greeted, NULL, &report), 0);
	assert_int_equal(report.outcome, RELEASE_REFUSED);
	assert_string_equal(report.step, "MAIL");
	all_said();
	quarantine_delete(q, "id-1", &p->error);
	place_keep(p, q, &(struct quarantine_entry){ .id = "id-1", .time = 1, .sender = "", .recipients = odd }, message);
	assert_int_equal(released(p, q, some, NULL, &report), 0);
	assert_int_equal(report.outcome, RELEASE_REFUSED);
	assert_true(report.taken && !report.rcpts[0].taken && report.rcpts[1].taken && !report.rcpts[2].taken);
	all_said();
	quarantine_close(q);
}

static void who_it_was_for_is_not_known(void **state)
{
	static const char *const steps[] = { NULL };
	static const char *const to[] = { ">220 x\r\n", "<EHLO*", ">250 x\r\n", "<MAIL FROM:<>", ">250 x\r\n", "<RCPT TO:<a@b>", ">250 x\r\n", "<DATA", ">354 x\r\n", "m", ">250 x\r\n", BYE };
	struct place *p = *state;
	struct quarantine *q = with_copy(p, NULL, NULL);
	struct release_report report;

	assert_int_equal(released(p, q, steps, NULL, &report), 0);
	assert_int_equal(report.outcome, RELEASE_REFUSED);
	assert_non_null(strstr(report.remedy, "--to"));
	all_said();
	assert_int_equal(released(p, q, to, "a@b", &report), 0);
	assert_int_equal(report.outcome, RELEASE_DONE);
	all_said();
	quarantine_close(q);
}

static void what_is_not_there_is_not_released(void **state)
{
	static const char *const steps[] = { NULL };
	struct place *p = *state;
	struct quarantine *q = place_open(p);
	struct release_report report;

	place_fails(p, released(p, q, steps, NULL, &report), -ENOENT);
	all_said();
	quarantine_close(q);
}

static void a_key_that_is_none_stops_it(void **state)
{
	static const char *const steps[] = { NULL };
	struct place *p = *state;
	struct quarantine *q = with_copy(p, "", two);
	struct release_report report;
	FILE *f = fopen(key_path(p), "w");

	fputs("short", f);
	fclose(f);
	place_fails(p, released(p, q, steps, NULL, &report), -EBADMSG);
	all_said();
	quarantine_close(q);
}

static void names_are_resolved(void **state)
{
	static const char *const steps[] = { NULL };
	struct place *p = *state;
	struct quarantine *q = with_copy(p, "", two);
	struct release_report report;
	struct release_order order = { .id = "id-1", .host = "localhost", .hello = "us", .field = "X", .key_path = key_path(p), .now = test_now };

	script_begin(&script, steps);
	order.port = script.port;
	script_end(&script);                     /* nobody listens there any more */
	assert_int_equal(quarantine_release(q, p->mem, &order, &report, &p->error), 0);
	assert_int_equal(report.outcome, RELEASE_LATER);
	assert_non_null(strstr(report.reason, "refused"));
	quarantine_close(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_copy_goes_to_all_its_recipients_with_its_ticket, place_make, place_remove),
		cmocka_unit_test_setup_teardown(it_can_go_to_another_address_alone, place_make, place_remove),
		cmocka_unit_test_setup_teardown(a_recipient_that_is_refused_is_told_of, place_make, place_remove),
		cmocka_unit_test_setup_teardown(a_server_that_does_not_take_it_leaves_the_copy_where_it_is, place_make, place_remove),
		cmocka_unit_test_setup_teardown(addresses_that_cannot_be_said_are_refused, place_make, place_remove),
		cmocka_unit_test_setup_teardown(who_it_was_for_is_not_known, place_make, place_remove),
		cmocka_unit_test_setup_teardown(what_is_not_there_is_not_released, place_make, place_remove),
		cmocka_unit_test_setup_teardown(a_key_that_is_none_stops_it, place_make, place_remove),
		cmocka_unit_test_setup_teardown(names_are_resolved, place_make, place_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
