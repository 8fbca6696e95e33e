/* test_spf.c - SPF as a check: who is asked about, what is reported, what never refuses, what proves a sender */
#include "fixture.h"

#include "check/spf.h"
#include "facts/chain.h"
#include "spf/zone.h"
#include "util/clock.h"

extern const struct check check_spf, check_access;

static const char zone_text[] =
	"pass.example TXT v=spf1 ip4:11.22.33.44 -all\nfail.example TXT v=spf1 ip4:192.0.2.1 -all\nsoft.example TXT v=spf1 ~all\nneutral.example TXT v=spf1 ?all\nbroken.example TXT v=spf1 foo\nsf.example TXT !fail\n"
	"silent.example TXT !late\nnever.example TXT v=spf1 -all\nalias.example TXT v=spf1 redirect=never.example\nmail.sender.example TXT v=spf1 ?all\nhelo.fail.example TXT v=spf1 -all\nbig.example TXT v=spf1 include:%{l}.big.example -all\n"
	"bob.big.example TXT v=spf1 +all\ntwo.example TXT v=spf1 include:fail.example -all\n";

struct spf_fixture {
	struct fixture *f;
	struct zone *z;
};

static struct spf_fixture begin(const char *conf, const char *helo, const char *sender)
{
	struct spf_fixture s = { .f = fixture_new(conf), .z = zone_new(zone_text) };

	s.f->s.answers = answers_new(&s.z->asker);
	s.f->s.helo = helo;
	if (sender != NULL)
		fixture_mail(s.f, sender);
	return s;
}

static void end(struct spf_fixture *s)
{
	answers_unref(s->f->s.answers);
	talloc_free(s->z);
	fixture_free(s->f);
}

/* What stage.c does: the chains run to their end, what is silent reads late. */
static void finish(struct spf_fixture *s)
{
	struct txn *t = &s->f->t;

	for (int late = 0; late < 2; late++) {
		answers_late(s->f->s.answers, late);
		do
			for (size_t i = 0; i < t->n_chains; i++)
				if (t->chains[i].progress == CHAIN_PENDING)
					t->chains[i].progress = t->chains[i].run(t, t->chains[i].state);
		while (zone_step(s->z));
	}
	answers_late(s->f->s.answers, false);
	for (size_t i = 0; i < t->n_chains; i++)
		assert_int_equal(t->chains[i].progress, CHAIN_DONE);
}

static void judge(struct spf_fixture *s)
{
	check_spf.ask[STAGE_MAIL](&s->f->t);
	finish(s);
	fixture_judge(s->f, &check_spf, STAGE_MAIL);
}

static void fail_is_reported_for_both_identities_and_nothing_else_is(void **state)
{
	static const struct { const char *conf, *helo, *sender, *fail, *never, *note; } cases[] = {
		{ "", "mail.sender.example", "<a@pass.example>", NULL, NULL, NULL },
		{ "", "mail.sender.example", "<a@fail.example>", "MAIL FROM fail.example does not permit 11.22.33.44 (-all)", NULL, NULL },
		{ "", "mail.sender.example", "<a@soft.example>", NULL, NULL, NULL },
		{ "", "mail.sender.example", "<a@neutral.example>", NULL, NULL, NULL },
		{ "", "mail.sender.example", "<a@none.example>", NULL, NULL, NULL },
		{ "", "mail.sender.example", "<a@broken.example>", NULL, NULL, NULL },
		{ "", "mail.sender.example", "<a@sf.example>", NULL, NULL, "MAIL FROM sf.example: temperror, TXT sf.example: the name servers failed" },
		{ "", "mail.sender.example", "<a@silent.example>", NULL, NULL, "no answer in time" },
		{ "", "mail.sender.example", "<a@never.example>", "MAIL FROM never.example", "never.example publishes that it never sends", NULL },
		{ "", "mail.sender.example", "<a@alias.example>", "MAIL FROM alias.example", "alias.example", NULL },
		{ "", "helo.fail.example", "<a@pass.example>", "HELO helo.fail.example does not permit 11.22.33.44 (-all)", NULL, NULL },
		{ "spf { check_helo = false }", "helo.fail.example", "<a@pass.example>", NULL, NULL, NULL },
		{ "spf { check_helo = false }", "sf.example", "<a@pass.example>", NULL, NULL, NULL },
		{ "", "sf.example", "<a@pass.example>", NULL, NULL, "HELO sf.example: temperror" },
		/* the null sender is its HELO name, even where HELO alone is not judged; it is no domain that sends */
		{ "", "helo.fail.example", "<>", "HELO helo.fail.example", NULL, NULL },
		{ "spf { check_helo = false }", "helo.fail.example", "<>", "HELO helo.fail.example", NULL, NULL },
		{ "", "mail.sender.example", "<>", NULL, NULL, NULL },
		{ "", "[11.22.33.44]", "<>", NULL, NULL, NULL },
		{ "", NULL, "<>", NULL, NULL, NULL },
		{ "", NULL, "<a@fail.example>", "MAIL FROM", NULL, NULL },
		{ "", "mail.sender.example", "<postmaster>", NULL, NULL, NULL },
		/* MTAs take local parts that no path may have: they must not hide whose domain it is */
		{ "", "mail.sender.example", "<a b@fail.example>", "MAIL FROM fail.example", NULL, NULL },
		{ "", "mail.sender.example", "<a..b@never.example>", "MAIL FROM never.example", "never.example publishes", NULL },
		{ "", "mail.sender.example", "<a@fail..example>", NULL, NULL, NULL },
		/* without a local part it is postmaster's (RFC 7208 section 4.3) */
		{ "", "mail.sender.example", "<@fail.example>", "MAIL FROM fail.example", NULL, NULL },
		{ "", "mail.sender.example", "<@never.example>", "MAIL FROM never.example", "never.example publishes", NULL },
		{ "", "mail.sender.example", "<@>", NULL, NULL, NULL },
		{ "", "mail.sender.example", "<bob@big.example>", NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int queued = 0; queued < 2; queued++) {
			struct spf_fixture s = begin(cases[i].conf, cases[i].helo, cases[i].sender);
			const char *note;

			s.z->queued = queued;
			judge(&s);
			note = fixture_note(s.f, "spf");
			fixture_expect(s.f, cases[i].sender, CLASS_SPF_FAIL, cases[i].fail);
			fixture_expect(s.f, cases[i].sender, CLASS_SPF_NEVER_SENDS, cases[i].never);
			fixture_expect(s.f, cases[i].sender, CLASS_INTERNAL_ERROR, NULL);
			if ((note != NULL) != (cases[i].note != NULL) || (note != NULL && strstr(note, cases[i].note) == NULL))
				fail_msg("%s: note %s", cases[i].sender, note != NULL ? note : "none");
			end(&s);
		}
	}
}

static void who_is_ours_is_not_asked_about(void **state)
{
	(void)state;
	for (int i = 0; i < 6; i++) {
		struct spf_fixture s = begin("", "helo.fail.example", "<a@fail.example>");

		switch (i) {
		case 0: s.f->s.trusted = true; break;
		case 1: s.f->s.relay = true; break;
		case 2: fixture_outbound(s.f); break;
		case 4: fixture_client(s.f, NULL); break;
		default: break;
		}
		check_spf.ask[STAGE_HELO](&s.f->t);
		if (i == 3)
			fixture_login(s.f, "alice");
		judge(&s);
		fixture_expect(s.f, "ours", CLASS_SPF_FAIL, i < 5 ? NULL : "MAIL FROM");
		/* HELO comes before the login is known */
		assert_int_equal(s.z->asked, i == 3 ? 1 : i < 5 ? 0 : 2);
		end(&s);
	}
}

static void without_a_network_nothing_is_said(void **state)
{
	struct spf_fixture s = begin("", "helo.fail.example", "<a@fail.example>");
	struct answers *answers = s.f->s.answers;

	(void)state;
	s.f->s.answers = NULL;
	check_spf.ask[STAGE_HELO](&s.f->t);
	check_spf.ask[STAGE_MAIL](&s.f->t);
	fixture_judge(s.f, &check_spf, STAGE_MAIL);
	assert_null(s.f->t.spf);
	fixture_expect(s.f, "no network", CLASS_SPF_FAIL, NULL);
	assert_null(fixture_note(s.f, "spf"));
	s.f->s.answers = answers;
	end(&s);
}

static void questions_start_at_helo_and_are_not_repeated(void **state)
{
	struct spf_fixture s = begin("", "mail.sender.example", NULL);

	(void)state;
	s.z->queued = true;
	check_spf.ask[STAGE_HELO](&s.f->t);
	assert_int_equal(s.z->asked, 1);
	assert_int_equal(s.f->t.n_chains, 0);
	fixture_mail(s.f, "<a@pass.example>");
	check_spf.ask[STAGE_MAIL](&s.f->t);
	check_spf.ask[STAGE_MAIL](&s.f->t);
	assert_int_equal(s.z->asked, 2);
	assert_int_equal(s.f->t.n_chains, 2);
	finish(&s);
	assert_int_equal(s.f->t.spf->mail.result, SPF_PASS);
	assert_int_equal(s.f->t.spf->helo.result, SPF_NEUTRAL);
	end(&s);
}

/* What is waited for, as stage.c does, until the first chain ends; the asker never answers. */
static void wait_in_vain(struct spf_fixture *s, int64_t most)
{
	struct txn *t = &s->f->t;
	int64_t deadline = clock_mono() + most;
	uint64_t seen = 0;

	while ((t->chains[0].progress = t->chains[0].run(t, t->chains[0].state)) == CHAIN_PENDING)
		if (!answers_wait(s->f->s.answers, &seen, deadline))
			break;
}

static void after_spf_timeout_it_is_a_temperror(void **state)
{
	struct spf_fixture s = begin("spf { timeout = \"1s\" }", "mail.sender.example", "<bob@big.example>");
	struct txn *t = &s.f->t;
	int64_t before = clock_mono();

	(void)state;
	s.z->queued = true;
	check_spf.ask[STAGE_MAIL](t);
	wait_in_vain(&s, 20000);
	assert_int_equal(t->chains[0].progress, CHAIN_PENDING);
	wait_in_vain(&s, 60000000);
	assert_int_equal(t->chains[0].progress, CHAIN_DONE);
	assert_in_range(clock_mono() - before, 1000000, 20000000);
	assert_int_equal(t->spf->mail.result, SPF_TEMPERROR);
	assert_string_equal(t->spf->mail.problem, "no result within spf.timeout");
	s.z->n_queue = 0;
	end(&s);
}

/* What a client lets pass between its commands is not the evaluation's time: nobody gets round a fail by dawdling. */
static void a_client_that_dawdles_is_judged_all_the_same(void **state)
{
	struct spf_fixture s = begin("spf { timeout = \"100ms\" }", "mail.sender.example", "<a@two.example>");

	(void)state;
	s.z->queued = true;
	check_spf.ask[STAGE_MAIL](&s.f->t);
	s.f->t.now += INT64_C(3600000000);
	usleep(150000);
	finish(&s);
	fixture_judge(s.f, &check_spf, STAGE_MAIL);
	fixture_expect(s.f, "a slow client", CLASS_SPF_FAIL, "MAIL FROM two.example");
	assert_null(fixture_note(s.f, "spf"));
	end(&s);
}

static void where_dns_is_required_a_temperror_defers(void **state)
{
	static const struct { const char *conf, *helo, *sender, *error; } cases[] = {
		{ "dns { required = true }", "mail.sender.example", "<a@sf.example>", "spf: MAIL FROM sf.example: temperror, TXT sf.example: the name servers failed" },
		{ "dns { required = true }", "mail.sender.example", "<a@silent.example>", "no answer in time" },
		{ "dns { required = true }", "sf.example", "<a@pass.example>", "spf: HELO sf.example: temperror" },
		{ "dns { required = true }", "sf.example", "<>", "spf: HELO sf.example: temperror" },
		{ "dns { required = true }  spf { check_helo = false }", "sf.example", "<a@pass.example>", NULL },
		{ "dns { required = true }", "mail.sender.example", "<a@broken.example>", NULL },
		{ "dns { required = true }", "mail.sender.example", "<a@none.example>", NULL },
		{ "dns { required = false }", "sf.example", "<a@silent.example>", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct spf_fixture s = begin(cases[i].conf, cases[i].helo, cases[i].sender);

		judge(&s);
		fixture_expect(s.f, cases[i].sender, CLASS_INTERNAL_ERROR, cases[i].error);
		fixture_expect(s.f, cases[i].sender, CLASS_SPF_FAIL, NULL);
		if (cases[i].error != NULL)
			assert_null(fixture_note(s.f, "spf"));
		end(&s);
	}
}

static void spf_pass_proves_a_listed_sender(void **state)
{
	static const char plain[] = "allow_senders = \"inline:pass.example, fail.example, soft.example, sf.example, mail.sender.example\"";
	static const char strict[] = "allow_senders = \"inline:pass.example, fail.example, soft.example, sf.example, mail.sender.example\"  allow_authenticated = true";
	static const struct { const char *conf, *sender; bool allowed, proven; } cases[] = {
		{ plain, "<a@pass.example>", true, true }, { plain, "<a@fail.example>", true, false }, { plain, "<a@soft.example>", true, false }, { plain, "<a@sf.example>", true, false },
		{ strict, "<a@pass.example>", true, true }, { strict, "<a@fail.example>", false, false }, { strict, "<a@soft.example>", false, false }, { strict, "<a@sf.example>", false, false },
		{ plain, "<>", false, false }, { plain, "<a@other.example>", false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct spf_fixture s = begin(cases[i].conf, "mail.sender.example", cases[i].sender);

		judge(&s);
		fixture_rcpt(s.f, "<anna@example.com>");
		check_access.judge[STAGE_RCPT](&s.f->t);
		if (s.f->t.rcpt->word.allowed != cases[i].allowed || s.f->t.rcpt->word.proven != cases[i].proven)
			fail_msg("%s: allowed %d proven %d", cases[i].sender, s.f->t.rcpt->word.allowed, s.f->t.rcpt->word.proven);
		end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fail_is_reported_for_both_identities_and_nothing_else_is),
		cmocka_unit_test(who_is_ours_is_not_asked_about),
		cmocka_unit_test(without_a_network_nothing_is_said),
		cmocka_unit_test(questions_start_at_helo_and_are_not_repeated),
		cmocka_unit_test(after_spf_timeout_it_is_a_temperror),
		cmocka_unit_test(a_client_that_dawdles_is_judged_all_the_same),
		cmocka_unit_test(where_dns_is_required_a_temperror_defers),
		cmocka_unit_test(spf_pass_proves_a_listed_sender),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
