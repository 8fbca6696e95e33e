/* test_finding.c - findings, notes and changes: where they are kept, what is made of foreign bytes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "facts/txn.h"

struct fixture {
	struct session s;
	struct txn t;
};

static int setup(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);

	f->s.mem = f;
	f->t = (struct txn){ .session = &f->s, .mem = f, .lasting = f, .open = true, .stage = STAGE_EOM };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	return talloc_free(*state);
}

static void findings_go_to_whom_they_concern(void **state)
{
	struct fixture *f = *state;

	f->t.stage = STAGE_CONNECT;
	finding(&f->t, CLASS_IP_BLACKLISTED, 1.0, "a");
	f->t.stage = STAGE_MAIL;
	finding(&f->t, CLASS_SENDER_BLACKLISTED, 1.0, "b");
	f->t.stage = STAGE_RCPT;
	finding(&f->t, CLASS_GREYLISTED, 1.0, "c");
	assert_int_equal(f->s.found.n, 1);
	assert_int_equal(f->t.found.n, 1);
	assert_int_equal(f->t.found_rcpt.n, 1);
	assert_int_equal(f->s.found.v[0].class, CLASS_IP_BLACKLISTED);
	assert_int_equal(f->t.found.v[0].stage, STAGE_MAIL);
	assert_string_equal(f->t.found_rcpt.v[0].detail, "c");
}

static void a_class_of_the_other_direction_is_not_kept(void **state)
{
	struct fixture *f = *state;

	f->t.outbound = true;
	finding(&f->t, CLASS_HELO_INVALID, 1.0, "in");
	finding(&f->t, CLASS_RELAY_DENIED, 1.0, "out");
	finding(&f->t, CLASS_DATE_SKEW, 1.0, "both");
	assert_int_equal(f->t.found.n, 2);
	assert_null(findings_get(&f->t.found, CLASS_HELO_INVALID));
	/* before MAIL the session's direction counts */
	f->t.open = false;
	f->t.stage = STAGE_CONNECT;
	finding(&f->t, CLASS_IP_BLACKLISTED_OUTGOING, 1.0, "out");
	assert_int_equal(f->s.found.n, 0);
}

static void the_strongest_finding_of_a_class_is_kept(void **state)
{
	struct fixture *f = *state;

	finding(&f->t, CLASS_PHISHING, 0.5, "weak");
	finding_shown(&f->t, CLASS_PHISHING, 0.8, "strong");
	finding(&f->t, CLASS_PHISHING, 0.8, "as strong, but later");
	finding(&f->t, CLASS_PHISHING, 0.2, "weaker");
	assert_int_equal(f->t.found.n, 1);
	assert_string_equal(f->t.found.v[0].detail, "strong");
	assert_true(f->t.found.v[0].shown);
}

static void a_case_of_a_class_is_kept_and_shown(void **state)
{
	struct fixture *f = *state;

	finding_case(&f->t, CLASS_DNS_MISSING, 1.0, CASE_NULL_MX, "null MX of %s", "a.example");
	assert_int_equal(f->t.found.v[0].special, CASE_NULL_MX);
	assert_string_equal(f->t.found.v[0].detail, "null MX of a.example");
	assert_true(f->t.found.v[0].shown);
	finding(&f->t, CLASS_PHISHING, 1.0, "x");
	assert_int_equal(f->t.found.v[1].special, CASE_USUAL);
}

static void strength_is_clamped(void **state)
{
	struct fixture *f = *state;

	finding(&f->t, CLASS_PHISHING, 7.0, "x");
	finding(&f->t, CLASS_URLBL, -1.0, "x");
	finding(&f->t, CLASS_PYZOR, 0.0 / 0.0 * 1.0, "x");
	assert_true(findings_get(&f->t.found, CLASS_PHISHING)->strength == 1.0);
	assert_true(findings_get(&f->t.found, CLASS_URLBL)->strength == 0.0);
	assert_true(findings_get(&f->t.found, CLASS_PYZOR)->strength == 0.0);
}

static void details_are_printable_and_bounded(void **state)
{
	struct fixture *f = *state;
	char wide[3000];

	memset(wide, 'x', sizeof(wide) - 1);
	wide[sizeof(wide) - 1] = '\0';
	finding(&f->t, CLASS_PHISHING, 1.0, "%s", "a\r\nid=forged \xc3\xbc\x01%n");
	assert_string_equal(f->t.found.v[0].detail, "a\\x0D\\x0Aid=forged \\xC3\\xBC\\x01%n");
	finding(&f->t, CLASS_URLBL, 1.0, "%s", wide);
	assert_int_equal(strlen(f->t.found.v[1].detail), 403);
}

static void findings_of_a_stage_can_be_dropped(void **state)
{
	struct fixture *f = *state;

	f->t.stage = STAGE_HELO;
	finding(&f->t, CLASS_HELO_INVALID, 1.0, "x");
	f->t.stage = STAGE_EOM;
	finding(&f->t, CLASS_DATE_SKEW, 1.0, "x");
	findings_drop_stage(&f->t.found, STAGE_HELO);
	assert_int_equal(f->t.found.n, 1);
	assert_int_equal(f->t.found.v[0].class, CLASS_DATE_SKEW);
}

static void a_service_is_noted_once_and_a_required_one_is_a_finding(void **state)
{
	struct fixture *f = *state;

	unavailable(&f->t, "clamav", false, "no answer in %d s", 5);
	unavailable(&f->t, "clamav", false, "connection refused");
	unavailable(&f->t, "pyzor", false, "late");
	assert_int_equal(f->t.n_notes, 2);
	assert_string_equal(f->t.notes[0].name, "clamav");
	assert_string_equal(f->t.notes[0].reason, "connection refused");
	assert_int_equal(f->t.found.n, 0);
	unavailable(&f->t, "dns", true, "silent");
	assert_int_equal(f->t.found.n, 1);
	assert_string_equal(findings_get(&f->t.found, CLASS_INTERNAL_ERROR)->detail, "dns: silent");
	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "service%d", i);
		note(&f->t, name, "x");
	}
	assert_int_equal(f->t.n_notes, 32);
}

static void what_is_said_again_and_again_takes_no_memory(void **state)
{
	struct fixture *f = *state;
	size_t blocks = 0;

	for (int i = 0; i < 1000; i++) {
		f->t.stage = STAGE_HELO;
		finding(&f->t, CLASS_HELO_INVALID, 1.0, "recipient %d", i);
		finding(&f->t, CLASS_HELO_INVALID, 1.0, "recipient %d, again", i);
		findings_drop_stage(&f->t.found, STAGE_HELO);
		unavailable(&f->t, "domains", false, "recipient %d", i);
		unavailable(&f->t, "domains", true, "recipient %d", i);
		if (i == 10)
			blocks = talloc_total_blocks(f);
	}
	assert_int_equal(talloc_total_blocks(f), blocks);
}

static void changes_are_kept_in_order_and_bounded(void **state)
{
	struct fixture *f = *state;

	/* all fields that a message may have, and more recipients than an MTA takes */
	for (unsigned i = 0; i < 20000; i++)
		change(&f->t, CHANGE_DELETE_HEADER, "X-A", i, NULL);
	for (unsigned i = 0; i < 50000; i++)
		change(&f->t, CHANGE_DELETE_RECIPIENT, NULL, 0, "<a@b.example>");
	change(&f->t, CHANGE_HOLD, NULL, 0, "why");
	assert_int_equal(f->t.changes[f->t.n_changes - 1].kind, CHANGE_HOLD);
	for (unsigned i = 0; i < 50000; i++)
		change(&f->t, CHANGE_DELETE_HEADER, "X-A", i, NULL);
	assert_int_equal(f->t.n_changes, 100000);
	assert_int_equal(f->t.changes[16000].index, 16000);
	assert_string_equal(f->t.changes[3].name, "X-A");
	assert_null(f->t.changes[3].value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(findings_go_to_whom_they_concern, setup, teardown),
		cmocka_unit_test_setup_teardown(a_class_of_the_other_direction_is_not_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(the_strongest_finding_of_a_class_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(a_case_of_a_class_is_kept_and_shown, setup, teardown),
		cmocka_unit_test_setup_teardown(strength_is_clamped, setup, teardown),
		cmocka_unit_test_setup_teardown(details_are_printable_and_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(findings_of_a_stage_can_be_dropped, setup, teardown),
		cmocka_unit_test_setup_teardown(a_service_is_noted_once_and_a_required_one_is_a_finding, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_said_again_and_again_takes_no_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(changes_are_kept_in_order_and_bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
