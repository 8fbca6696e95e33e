/* test_events.c - what the events answer where nothing could be judged */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/engine.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"       /* talloc_set_memlimit: nothing else lets an allocation fail */

static struct winnow_engine *engine;

static int make_engine(void **state)
{
	char *errors = NULL;

	engine = winnow_engine_new(&(struct winnow_options){ .foreground = true }, &errors, NULL);
	*state = engine;
	return engine != NULL ? 0 : -1;
}

static int free_engine(void **state)
{
	winnow_engine_free(*state);
	return 0;
}

static struct winnow_session *connect_client(void)
{
	const struct winnow_verdict *v;
	struct winnow_session *s = winnow_connect(engine, &(struct winnow_client){ .address = "203.0.113.7", .name = "mail.friend.example" }, &v);

	assert_non_null(s);
	assert_int_equal(v->action, WINNOW_CONTINUE);
	return s;
}

static void the_end_of_a_message_that_never_began_is_deferred(void **state)
{
	struct winnow_session *s = connect_client();
	const struct winnow_verdict *v = winnow_eom(s, NULL);

	(void)state;
	assert_int_equal(v->action, WINNOW_TEMPFAIL);
	assert_int_equal(v->code, 451);
	assert_string_equal(v->class_id, "internal-error");
	winnow_close(s);
}

static void a_recipient_for_whom_there_is_no_memory_is_deferred_and_the_next_one_is_not(void **state)
{
	static const char *const mail[] = { "<a@friend.example>", NULL }, *const anna[] = { "<anna@example.com>", NULL };
	struct winnow_session *s = connect_client();

	(void)state;
	assert_int_equal(winnow_helo(s, "mail.friend.example", NULL)->action, WINNOW_CONTINUE);
	assert_int_equal(winnow_mail(s, mail, NULL, NULL)->action, WINNOW_CONTINUE);
	for (int i = 0; i < 200; i++)
		assert_non_null(talloc_size(s->t.lasting, 64));       /* its pool is used up */
	talloc_set_memlimit(s->t.lasting, 1);
	assert_int_equal(winnow_rcpt(s, anna, NULL, NULL)->action, WINNOW_TEMPFAIL);
	talloc_set_memlimit(s->t.lasting, 1 << 20);
	assert_int_equal(winnow_rcpt(s, anna, NULL, NULL)->action, WINNOW_CONTINUE);
	assert_true(s->t.open);
	assert_int_equal(s->t.n_rcpts, 1);
	winnow_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_end_of_a_message_that_never_began_is_deferred),
		cmocka_unit_test(a_recipient_for_whom_there_is_no_memory_is_deferred_and_the_next_one_is_not),
	};

	return cmocka_run_group_tests(tests, make_engine, free_engine);
}
