/* test_origin.c - whose name is asked for, what stands in the session then, country and network; what is never anybody's fault */
#include "fixture.h"

#include "facts/chain.h"
#include "net/geoip.h"
#include "spf/zone.h"

extern const struct check check_origin;

static const char zone_text[] = "44.33.22.11.in-addr.arpa PTR mail.sender.example\nmail.sender.example A 11.22.33.44\n45.33.22.11.in-addr.arpa PTR liar.example\n"
	"46.33.22.11.in-addr.arpa PTR !late\n";

struct origin_fixture {
	struct fixture *f;
	struct zone *z;
};

static struct origin_fixture begin(const char *client)
{
	struct origin_fixture o = { .f = fixture_new(""), .z = zone_new(zone_text) };

	o.f->s.answers = answers_new(&o.z->asker);
	o.f->s.resolve = RESOLVE_FAIL;
	fixture_client(o.f, client);
	return o;
}

static void end(struct origin_fixture *o)
{
	answers_unref(o->f->s.answers);
	talloc_free(o->z);
	fixture_free(o->f);
}

/* The events up to MAIL. */
static void ask(struct origin_fixture *o)
{
	check_origin.ask[STAGE_CONNECT](&o->f->t);
	check_origin.ask[STAGE_HELO](&o->f->t);
	fixture_mail(o->f, "<a@sender.example>");
	check_origin.ask[STAGE_MAIL](&o->f->t);
}

/* What stage.c does at RCPT: the chains run to their end, what is silent reads late. */
static void judge(struct origin_fixture *o)
{
	struct txn *t = &o->f->t;

	for (int late = 0; late < 2; late++) {
		answers_late(o->f->s.answers, late);
		do
			for (size_t i = 0; i < t->n_chains; i++)
				if (t->chains[i].progress == CHAIN_PENDING)
					t->chains[i].progress = t->chains[i].run(t, t->chains[i].state);
		while (zone_step(o->z));
	}
	answers_late(o->f->s.answers, false);
	for (size_t i = 0; i < t->n_chains; i++)
		assert_int_equal(t->chains[i].progress, CHAIN_DONE);
	fixture_judge(o->f, &check_origin, STAGE_RCPT);
}

static void what_we_find_stands_in_place_of_the_mtas_word(void **state)
{
	static const struct { const char *client; enum resolve before, after; const char *name, *ptr; bool final, note; } cases[] = {
		{ "11.22.33.44", RESOLVE_FAIL, RESOLVE_OK, "mail.sender.example", "mail.sender.example", true, false },
		{ "11.22.33.44", RESOLVE_TEMP, RESOLVE_OK, "mail.sender.example", "mail.sender.example", true, false },
		{ "11.22.33.44", RESOLVE_FORGED, RESOLVE_OK, "mail.sender.example", "mail.sender.example", true, false },
		{ "11.22.33.45", RESOLVE_FAIL, RESOLVE_FORGED, NULL, "liar.example", true, false },
		{ "11.22.33.46", RESOLVE_FAIL, RESOLVE_TEMP, NULL, NULL, false, true },
		{ "11.22.33.47", RESOLVE_TEMP, RESOLVE_FAIL, NULL, NULL, true, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int queued = 0; queued < 2; queued++) {
			struct origin_fixture o = begin(cases[i].client);
			struct session *s = &o.f->s;
			size_t asked;

			o.z->queued = queued;
			s->resolve = cases[i].before;
			ask(&o);
			judge(&o);
			assert_int_equal(s->resolve, cases[i].after);
			assert_int_equal(s->name_asked, cases[i].final);
			assert_true((s->client_name == NULL) == (cases[i].name == NULL) && (s->client_ptr == NULL) == (cases[i].ptr == NULL));
			if (cases[i].name != NULL)
				assert_string_equal(s->client_name, cases[i].name);
			if (cases[i].ptr != NULL)
				assert_string_equal(s->client_ptr, cases[i].ptr);
			assert_int_equal(fixture_note(o.f, "ptr") != NULL, cases[i].note);
			/* the session's next message: what is final is not asked again */
			asked = o.z->asked;
			o.f->t.chains = NULL;
			o.f->t.n_chains = 0;
			fixture_forget(o.f);
			ask(&o);
			assert_int_equal(o.f->t.n_chains, !cases[i].final);
			judge(&o);
			assert_int_equal(o.z->asked, asked);
			assert_int_equal(s->resolve, cases[i].after);
			end(&o);
		}
	}
}

static void questions_go_out_at_connect_and_are_not_repeated(void **state)
{
	struct origin_fixture o = begin("11.22.33.44");

	(void)state;
	o.z->queued = true;
	check_origin.ask[STAGE_CONNECT](&o.f->t);
	check_origin.ask[STAGE_CONNECT](&o.f->t);
	assert_int_equal(o.z->asked, 1);
	assert_true(zone_step(o.z));
	check_origin.ask[STAGE_HELO](&o.f->t);
	assert_int_equal(o.z->asked, 2);
	assert_int_equal(o.f->t.n_chains, 0);
	fixture_mail(o.f, "<a@sender.example>");
	check_origin.ask[STAGE_MAIL](&o.f->t);
	check_origin.ask[STAGE_MAIL](&o.f->t);
	assert_int_equal(o.f->t.n_chains, 1);
	assert_int_equal(o.f->t.chains[0].wanted, STAGE_RCPT);
	judge(&o);
	assert_int_equal(o.z->asked, 2);
	end(&o);
}

static void who_is_ours_or_known_is_not_asked_about(void **state)
{
	(void)state;
	for (int i = 0; i < 9; i++) {
		struct origin_fixture o = begin("11.22.33.44");

		switch (i) {
		case 0: o.f->s.trusted = true; break;
		case 1: o.f->s.relay = true; break;
		case 2: fixture_outbound(o.f); break;
		case 3: fixture_client(o.f, NULL); break;
		case 4: fixture_client(o.f, "10.0.0.1"); break;
		case 5: fixture_client(o.f, "127.0.0.1"); break;
		case 6: fixture_client(o.f, "fe80::1"); break;
		case 7:
			o.f->s.resolve = RESOLVE_OK;
			o.f->s.client_name = "mail.sender.example";
			break;
		default: break;
		}
		ask(&o);
		judge(&o);
		assert_int_equal(o.z->asked, i < 8 ? 0 : 2);
		assert_int_equal(o.f->s.resolve, i < 7 ? RESOLVE_FAIL : RESOLVE_OK);
		assert_null(fixture_note(o.f, "ptr"));
		end(&o);
	}
}

static void a_login_ends_the_questions(void **state)
{
	struct origin_fixture o = begin("11.22.33.45");

	(void)state;
	check_origin.ask[STAGE_CONNECT](&o.f->t);
	fixture_mail(o.f, "<a@sender.example>");
	fixture_login(o.f, "alice");
	check_origin.ask[STAGE_MAIL](&o.f->t);
	assert_int_equal(o.f->t.n_chains, 0);
	judge(&o);
	assert_int_equal(o.f->s.resolve, RESOLVE_FAIL);
	end(&o);
}

static void without_a_network_the_mtas_word_stays(void **state)
{
	struct origin_fixture o = begin("11.22.33.44");
	struct answers *answers = o.f->s.answers;

	(void)state;
	o.f->s.answers = NULL;
	ask(&o);
	fixture_judge(o.f, &check_origin, STAGE_RCPT);
	assert_int_equal(o.f->s.resolve, RESOLVE_FAIL);
	assert_null(fixture_note(o.f, "ptr"));
	o.f->s.answers = answers;
	end(&o);
}

static void country_and_network_are_known_at_connect_of_everybody(void **state)
{
	char folder[] = "/tmp/winnow-origin-XXXXXX", command[500], country[100], asn[100];
	struct geoip_options options = { .path = { country, asn }, .still = true };
	struct geoip *geoip;
	char *error;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(country, sizeof(country), "%s/c", folder);
	snprintf(asn, sizeof(asn), "%s/a", folder);
	snprintf(command, sizeof(command), "python3 -B t/fake/mmdb.py %s country '11.22.0.0/16 NL' && python3 -B t/fake/mmdb.py %s asn '11.22.33.44/32 64500 Example Net'", country, asn);
	assert_int_equal(system(command), 0);
	assert_int_equal(geoip_open(&options, NULL, &geoip, &error), 0);
	for (int i = 0; i < 4; i++) {
		struct origin_fixture o = begin(i == 3 ? "11.23.0.1" : i == 2 ? "11.22.33.45" : "11.22.33.44");
		struct session *s = &o.f->s;

		if (i == 1)
			fixture_outbound(o.f);
		s->geoip = geoip;
		check_origin.ask[STAGE_CONNECT](&o.f->t);
		check_origin.ask[STAGE_CONNECT](&o.f->t);
		assert_string_equal(s->country, i < 3 ? "NL" : "");
		assert_int_equal(s->asn, i < 2 ? 64500 : 0);
		assert_true((s->as_name != NULL) == (i < 2));
		if (s->as_name != NULL)
			assert_string_equal(s->as_name, "Example Net");
		end(&o);
	}
	geoip_close(geoip);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_we_find_stands_in_place_of_the_mtas_word),
		cmocka_unit_test(questions_go_out_at_connect_and_are_not_repeated),
		cmocka_unit_test(who_is_ours_or_known_is_not_asked_about),
		cmocka_unit_test(a_login_ends_the_questions),
		cmocka_unit_test(without_a_network_the_mtas_word_stays),
		cmocka_unit_test(country_and_network_are_known_at_connect_of_everybody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
