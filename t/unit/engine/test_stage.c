/* test_stage.c - chains: asked side by side, run again as answers come, ended by the stage's deadline */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "facts/chain.h"
#include "util/clock.h"

enum { TYPE_A = 1, TYPE_MX = 15 };

/* The network: a table of answers, each after its delay, by threads of its own. */
struct zone_record {
	uint16_t type;
	const char *name, *data;         /* data NULL: no such name; "" : never answered */
	int delay_ms;
};

static const struct zone_record zone[] = {
	{ TYPE_MX, "example.com", "mx.example.com", 0 },
	{ TYPE_A, "mx.example.com", "192.0.2.1", 0 },
	{ TYPE_MX, "slow.example", "mx.slow.example", 60 },
	{ TYPE_A, "mx.slow.example", "192.0.2.2", 60 },
	{ TYPE_MX, "slow2.example", "mx.slow.example", 60 },
	{ TYPE_MX, "silent.example", "", 0 },
	{ TYPE_MX, "nothing.example", NULL, 0 },
};

struct delivery {
	struct answers *answers;
	const struct zone_record *record;
};

static void give(struct answers *answers, const struct zone_record *r)
{
	const char *const data[] = { r->data };

	answers_give(answers, r->type, r->name, r->data != NULL ? ANSWER_DATA : ANSWER_NXDOMAIN, data, 1);
}

static void *deliver(void *argument)
{
	struct delivery *d = argument;
	struct timespec ts = { .tv_nsec = d->record->delay_ms * 1000000L };

	nanosleep(&ts, NULL);
	give(d->answers, d->record);
	answers_unref(d->answers);
	talloc_free(d);
	return NULL;
}

static void ask(void *context, struct answers *answers, uint16_t type, const char *name)
{
	int *asked = context;

	++*asked;
	for (size_t i = 0; i < sizeof(zone) / sizeof(zone[0]); i++) {
		const struct zone_record *r = &zone[i];

		if (r->type != type || strcmp(r->name, name) != 0 || (r->data != NULL && r->data[0] == '\0'))
			continue;
		if (r->delay_ms == 0) {
			give(answers, r);
		} else {
			struct delivery *d = talloc(NULL, struct delivery);
			pthread_t thread;

			*d = (struct delivery){ answers_ref(answers), r };
			assert_int_equal(pthread_create(&thread, NULL, deliver, d), 0);
			pthread_detach(thread);
		}
	}
}

/* MX, then the address of the first one: the next question is known only with the answer to the one before. */
struct mail_host {
	const char *domain;
	int runs;
	enum answer_status mx, a;
	char address[32];
};

static enum chain_state run_mail_host(struct txn *t, void *state)
{
	struct mail_host *h = state;
	const char *const *records;
	size_t n;

	h->runs++;
	h->mx = answers_get(t->session->answers, TYPE_MX, h->domain, &records, &n);
	if (h->mx == ANSWER_PENDING)
		return CHAIN_PENDING;
	if (h->mx != ANSWER_DATA)
		return CHAIN_DONE;
	h->a = answers_get(t->session->answers, TYPE_A, records[0], &records, &n);
	if (h->a == ANSWER_PENDING)
		return CHAIN_PENDING;
	if (h->a == ANSWER_DATA)
		snprintf(h->address, sizeof(h->address), "%s", records[0]);
	return CHAIN_DONE;
}

struct fixture {
	struct winnow_engine *engine;
	struct winnow_session *ws;
	struct asker asker;
	int asked;
	char path[40];
};

static int setup(void **state)
{
	static const char *const mail[] = { "<a@example.net>", NULL };
	struct fixture *f = talloc_zero(NULL, struct fixture);
	struct winnow_client client = { .address = "198.51.100.1", .name = "mail.example.net" };     /* a verified name: its PTR is not asked for */
	const struct winnow_verdict *verdict;
	struct winnow_options options = { .config_path = f->path };
	char *errors = NULL;
	FILE *file;

	strcpy(f->path, "/tmp/winnow-stage-XXXXXX");
	file = fdopen(mkstemp(f->path), "w");
	fputs("stages { rcpt_timeout = \"300ms\" mail_timeout = \"300ms\" }\nspf { enabled = false }\nsender { enabled = false }\n", file);     /* their questions are not counted here */
	fclose(file);
	f->engine = winnow_engine_new(&options, &errors, NULL);
	if (f->engine == NULL)
		print_error("%s\n", errors);
	assert_non_null(f->engine);
	f->asker = (struct asker){ ask, &f->asked };
	f->engine->asker = &f->asker;
	f->ws = winnow_connect(f->engine, &client, &verdict);
	assert_non_null(f->ws);
	winnow_mail(f->ws, mail, NULL, NULL);
	f->ws->t.policy = config_default_policy(f->ws->t.config);
	f->ws->t.rcpt = talloc_zero(f->ws->t.lasting, struct rcpt);
	assert_true(address_parse_path(f->ws->t.rcpt, "<x@example.org>", &f->ws->t.rcpt->address));
	f->ws->t.rcpt->raw = "<x@example.org>";
	f->ws->t.rcpt->valid = true;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	winnow_close(f->ws);
	winnow_engine_free(f->engine);
	unlink(f->path);
	return talloc_free(f);
}

static void an_answer_that_is_there_needs_no_waiting(void **state)
{
	struct fixture *f = *state;
	struct mail_host h = { .domain = "example.com" };

	assert_true(chain_start(&f->ws->t, run_mail_host, &h, STAGE_RCPT));
	assert_int_equal(h.runs, 1);
	assert_string_equal(h.address, "192.0.2.1");
	stage_judge(&f->ws->t, STAGE_RCPT);
	assert_int_equal(h.runs, 1);
}

static void a_chain_is_run_again_as_answers_come(void **state)
{
	struct fixture *f = *state;
	struct mail_host h = { .domain = "slow.example" };

	assert_true(chain_start(&f->ws->t, run_mail_host, &h, STAGE_RCPT));
	assert_int_equal(h.mx, ANSWER_PENDING);
	stage_judge(&f->ws->t, STAGE_RCPT);
	assert_string_equal(h.address, "192.0.2.2");
	assert_true(h.runs >= 3);
	assert_int_equal(f->asked, 2);
}

static void chains_wait_side_by_side(void **state)
{
	struct fixture *f = *state;
	struct mail_host h[] = { { .domain = "slow.example" }, { .domain = "slow2.example" }, { .domain = "example.com" }, { .domain = "nothing.example" } };
	int64_t before = clock_mono();

	for (size_t i = 0; i < 4; i++)
		chain_start(&f->ws->t, run_mail_host, &h[i], STAGE_RCPT);
	stage_judge(&f->ws->t, STAGE_RCPT);
	assert_string_equal(h[0].address, "192.0.2.2");
	assert_string_equal(h[1].address, "192.0.2.2");
	assert_int_equal(h[3].mx, ANSWER_NXDOMAIN);
	/* two answers of 60 ms each in a row, not four */
	assert_true(clock_mono() - before >= 120000);
	assert_int_equal(f->asked, 6);
}

static void silence_ends_with_the_stage_and_is_told_apart(void **state)
{
	struct fixture *f = *state;
	struct mail_host silent = { .domain = "silent.example" }, slow = { .domain = "slow.example" };
	int64_t before = clock_mono(), took;

	chain_start(&f->ws->t, run_mail_host, &silent, STAGE_RCPT);
	chain_start(&f->ws->t, run_mail_host, &slow, STAGE_RCPT);
	stage_judge(&f->ws->t, STAGE_RCPT);
	took = clock_mono() - before;
	assert_true(took >= 300000);
	assert_int_equal(silent.mx, ANSWER_LATE);
	assert_string_equal(slow.address, "192.0.2.2");
	/* afterwards nobody waits for it again */
	before = clock_mono();
	stage_judge(&f->ws->t, STAGE_RCPT);
	assert_true(clock_mono() - before < took);
}

static void a_stage_does_not_wait_for_what_a_later_one_wants(void **state)
{
	struct fixture *f = *state;
	struct mail_host h = { .domain = "silent.example" };

	chain_start(&f->ws->t, run_mail_host, &h, STAGE_EOM);
	stage_judge(&f->ws->t, STAGE_RCPT);
	assert_int_equal(h.mx, ANSWER_PENDING);
}

static void without_a_network_no_chain_is_started(void **state)
{
	struct fixture *f = *state;
	struct mail_host h = { .domain = "example.com" };
	struct answers *answers = f->ws->s.answers;

	f->ws->s.answers = NULL;
	assert_false(chain_start(&f->ws->t, run_mail_host, &h, STAGE_RCPT));
	assert_int_equal(h.runs, 0);
	f->ws->s.answers = answers;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_answer_that_is_there_needs_no_waiting, setup, teardown),
		cmocka_unit_test_setup_teardown(a_chain_is_run_again_as_answers_come, setup, teardown),
		cmocka_unit_test_setup_teardown(chains_wait_side_by_side, setup, teardown),
		cmocka_unit_test_setup_teardown(silence_ends_with_the_stage_and_is_told_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stage_does_not_wait_for_what_a_later_one_wants, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_network_no_chain_is_started, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
