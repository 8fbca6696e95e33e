/* test_destination.c - where recipients' mail goes: domains that are not ours, routes that lead back, routes that lead nowhere */
#include "fixture.h"

#include "network.h"

extern const struct check check_recipient, check_relay;

static const char zone_text[] =
	"lost.example MX 30 mx1.example.net\nlost.example MX 10 mx.remote.example\nbyip.example MX 10 mail.byip.example\nmail.byip.example A 192.0.2.1\nbare.example A 192.0.2.1\nlo.example MX 10 lo.lo.example\n"
	"lo.lo.example A 127.0.0.1\nremote.example MX 10 mx.remote.example\nmx.remote.example A 203.0.113.9\nnull.example MX 0 .\nnull.example A 192.0.2.1\nsf.example * !fail\nsilent.example * !late\n"
	"mixed.example MX 10 sf.example\nmixed.example MX 10 mx1.example.net\nbackup.example MX 5 mx.remote.example\nbackup.example MX 20 mx1.example.net\nfirst.example MX 5 sf.example\n"
	"first.example MX 20 mx1.example.net\ndeadfirst.example MX 5 gone.example\ndeadfirst.example MX 20 mx1.example.net\nalldead.example MX 5 gone.example\nalldead.example MX 6 gone2.example\n"
	"somedead.example MX 5 gone.example\nsomedead.example MX 6 sf.example\nzero.example MX 5 zero.zero.example\nzero.zero.example A 0.0.0.0\nempty.example TXT x\nxn--mller-kva.example MX 10 mx1.example.net\n"
	"six.example AAAA ::1\nours.example MX 10 mx1.example.net\n";

#define BASE "hostname = \"mx1.example.net\"  own_ips = { \"192.0.2.1\" }  "
#define DOMAINS BASE "domains = \"inline:ours.example\" "
#define ROUTE(to) BASE "domain \"d.example\" { route = \"" to "\" }"

static void expect(const struct fixture *f, const char *label, enum class_id wanted, const char *detail)
{
	static const enum class_id classes[] = { CLASS_MX_NOT_CONFIGURED, CLASS_MX_POINTS_TO_US, CLASS_UNROUTEABLE };

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		fixture_expect(f, label, classes[i], classes[i] == wanted ? detail : NULL);
	fixture_expect(f, label, CLASS_INTERNAL_ERROR, NULL);
}

struct row {
	const char *conf, *rcpt;
	enum class_id wanted;            /* CLASS_COUNT: none */
	const char *detail, *note;       /* NULL: none */
};

static void play(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (int queued = 0; queued < 2; queued++) {
			struct network net = network_new(rows[i].conf, zone_text, queued);
			char label[300];
			const char *said;

			snprintf(label, sizeof(label), "%s: %s", rows[i].conf, rows[i].rcpt);
			fixture_mail(net.f, "<bob@sender.example>");
			fixture_rcpt(net.f, rows[i].rcpt);
			network_judge(&net, &check_recipient, STAGE_RCPT);
			expect(net.f, label, rows[i].wanted, rows[i].detail);
			said = fixture_note(net.f, "recipient");
			if ((said != NULL) != (rows[i].note != NULL) || (said != NULL && strstr(said, rows[i].note) == NULL))
				fail_msg("%s: note %s", label, said != NULL ? said : "none");
			network_free(&net);
		}
	}
}

static void strangers_whose_mx_is_us_are_told(void **state)
{
	static const struct row rows[] = {
		{ DOMAINS, "<x@lost.example>", CLASS_MX_NOT_CONFIGURED, "MX mx1.example.net of lost.example is us", NULL },
		{ DOMAINS, "<x@byip.example>", CLASS_MX_NOT_CONFIGURED, "MX mail.byip.example of byip.example is us", NULL },
		{ DOMAINS, "<x@bare.example>", CLASS_MX_NOT_CONFIGURED, "address bare.example of bare.example is us", NULL },
		{ DOMAINS, "<x@m\xc3\xbcller.example>", CLASS_MX_NOT_CONFIGURED, "is us", NULL },
		{ DOMAINS, "<x@mixed.example>", CLASS_MX_NOT_CONFIGURED, "is us", NULL },
		{ BASE "domain \"d.example\" { }", "<x@lost.example>", CLASS_MX_NOT_CONFIGURED, "is us", NULL },
		{ DOMAINS, "<x@lo.example>", CLASS_COUNT, NULL, NULL },
		{ DOMAINS, "<x@remote.example>", CLASS_COUNT, NULL, NULL },
		{ DOMAINS, "<x@null.example>", CLASS_COUNT, NULL, NULL },
		{ DOMAINS, "<x@gone.example>", CLASS_COUNT, NULL, NULL },
		{ DOMAINS, "<x@sf.example>", CLASS_COUNT, NULL, "where mail for sf.example goes: MX sf.example: the name servers failed" },
		{ DOMAINS, "<x@silent.example>", CLASS_COUNT, NULL, "no answer in time" },
		{ DOMAINS, "<x@ours.example>", CLASS_COUNT, NULL, NULL },
		{ DOMAINS, "<x@[192.0.2.1]>", CLASS_COUNT, NULL, NULL },
		{ DOMAINS, "<postmaster>", CLASS_COUNT, NULL, NULL },
		{ DOMAINS, "<a b@lost.example>", CLASS_COUNT, NULL, NULL },
		/* the MTA alone knows its domains */
		{ BASE, "<x@lost.example>", CLASS_COUNT, NULL, NULL },
	};

	(void)state;
	play(rows, sizeof(rows) / sizeof(rows[0]));
}

static void routes_that_lead_back_are_reported(void **state)
{
	static const struct row rows[] = {
		{ ROUTE("lost.example"), "<x@d.example>", CLASS_COUNT, NULL, NULL },
		{ ROUTE("ours.example"), "<x@d.example>", CLASS_MX_POINTS_TO_US, "mail for d.example is routed to ours.example, which leads back to us", NULL },
		{ ROUTE("mixed.example"), "<x@d.example>", CLASS_MX_POINTS_TO_US, "leads back", NULL },
		{ ROUTE("backup.example"), "<x@d.example>", CLASS_COUNT, NULL, NULL },
		{ ROUTE("first.example"), "<x@d.example>", CLASS_COUNT, NULL, NULL },
		{ ROUTE("deadfirst.example"), "<x@d.example>", CLASS_MX_POINTS_TO_US, "leads back", NULL },
		{ ROUTE("[mx1.example.net]"), "<x@d.example>", CLASS_MX_POINTS_TO_US, "routed to [mx1.example.net], which is us", NULL },
		{ ROUTE("mx1.example.net:25"), "<x@d.example>", CLASS_MX_POINTS_TO_US, "is us", NULL },
		{ ROUTE("[mx1.example.net]:2526"), "<x@d.example>", CLASS_COUNT, NULL, NULL },
		{ ROUTE("[192.0.2.1]"), "<x@d.example>", CLASS_MX_POINTS_TO_US, "is us", NULL },
		{ ROUTE("[192.0.2.1]:2526"), "<x@d.example>", CLASS_COUNT, NULL, NULL },
		{ ROUTE("[192.0.2.2]"), "<x@d.example>", CLASS_COUNT, NULL, NULL },
		{ ROUTE("[127.0.0.1]"), "<x@d.example>", CLASS_MX_POINTS_TO_US, "is us", NULL },
		{ ROUTE("[127.0.0.1]:2526"), "<x@d.example>", CLASS_COUNT, NULL, NULL },
		{ ROUTE("[localhost]"), "<x@d.example>", CLASS_MX_POINTS_TO_US, "is us", NULL },
		{ ROUTE("localhost:24"), "<x@d.example>", CLASS_COUNT, NULL, NULL },
		{ ROUTE("lo.example"), "<x@d.example>", CLASS_MX_POINTS_TO_US, "leads back", NULL },
		{ ROUTE("lo.example:24"), "<x@d.example>", CLASS_COUNT, NULL, NULL },
		{ ROUTE("zero.example"), "<x@d.example>", CLASS_MX_POINTS_TO_US, "leads back", NULL },
		{ ROUTE("six.example"), "<x@d.example>", CLASS_MX_POINTS_TO_US, "is us", NULL },
		{ BASE "routes = \"inline:t.example=[192.0.2.1], .t.example=ours.example, d.example=[192.0.2.1]\"  domains = \"inline:t.example, .t.example\"  domain \"d.example\" { route = \"[203.0.113.9]\" }",
			"<x@t.example>", CLASS_MX_POINTS_TO_US, "is us", NULL },
		{ BASE "routes = \"inline:.t.example=ours.example\"", "<x@a.t.example>", CLASS_MX_POINTS_TO_US, "leads back", NULL },
		/* the section's route wins; without one the table is asked */
		{ BASE "routes = \"inline:d.example=[192.0.2.1]\"  domain \"d.example\" { route = \"[203.0.113.9]\" }", "<x@d.example>", CLASS_COUNT, NULL, NULL },
		{ BASE "routes = \"inline:d.example=[192.0.2.1]\"  domain \"d.example\" { }", "<x@d.example>", CLASS_MX_POINTS_TO_US, "is us", NULL },
		{ BASE "domain \"ours.example\" { }", "<x@ours.example>", CLASS_COUNT, NULL, NULL },
	};

	(void)state;
	play(rows, sizeof(rows) / sizeof(rows[0]));
}

static void routes_to_nowhere_are_reported(void **state)
{
	static const struct row rows[] = {
		{ ROUTE("gone.example"), "<x@d.example>", CLASS_UNROUTEABLE, "gone.example, to which mail for d.example is routed, does not exist in DNS", NULL },
		{ ROUTE("[gone.example]:26"), "<x@d.example>", CLASS_UNROUTEABLE, "does not exist in DNS", NULL },
		{ ROUTE("empty.example"), "<x@d.example>", CLASS_UNROUTEABLE, "has neither MX nor A nor AAAA", NULL },
		{ ROUTE("[empty.example]"), "<x@d.example>", CLASS_UNROUTEABLE, "has neither A nor AAAA", NULL },
		{ ROUTE("[remote.example]"), "<x@d.example>", CLASS_UNROUTEABLE, "has neither A nor AAAA", NULL },
		{ ROUTE("null.example"), "<x@d.example>", CLASS_UNROUTEABLE, "takes no mail (null MX)", NULL },
		{ ROUTE("alldead.example"), "<x@d.example>", CLASS_UNROUTEABLE, "has no MX that exists", NULL },
		{ ROUTE("somedead.example"), "<x@d.example>", CLASS_COUNT, NULL, NULL },
		{ ROUTE("remote.example"), "<x@d.example>", CLASS_COUNT, NULL, NULL },
		{ ROUTE("sf.example"), "<x@d.example>", CLASS_COUNT, NULL, "where mail for sf.example goes: MX sf.example" },
		{ ROUTE("[silent.example]"), "<x@d.example>", CLASS_COUNT, NULL, "silent.example: no answer in time" },
		{ ROUTE("mailstore"), "<x@d.example>", CLASS_COUNT, NULL, NULL },
		{ ROUTE("[mailstore]:24"), "<x@d.example>", CLASS_COUNT, NULL, NULL },
		{ BASE "domains = \"inline:gone.example\"", "<x@gone.example>", CLASS_COUNT, NULL, NULL },
	};

	(void)state;
	play(rows, sizeof(rows) / sizeof(rows[0]));
}

static void the_port_of_the_listener_is_ours(void **state)
{
	struct network net = network_new(ROUTE("[192.0.2.1]:2525"), zone_text, false);

	(void)state;
	net.f->s.daemon_port = "2525";
	fixture_rcpt(net.f, "<x@d.example>");
	network_judge(&net, &check_recipient, STAGE_RCPT);
	expect(net.f, "2525", CLASS_MX_POINTS_TO_US, "is us");
	network_free(&net);
}

static void what_is_ours_or_sent_by_ours_is_not_asked_about(void **state)
{
	static const struct { const char *conf, *rcpt; bool outbound; } cases[] = {
		{ DOMAINS, "<x@ours.example>", false }, { DOMAINS, "<x@lost.example>", true }, { ROUTE("gone.example"), "<x@d.example>", true }, { ROUTE("[mailstore]"), "<x@d.example>", false },
		{ ROUTE("[203.0.113.9]"), "<x@d.example>", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct network net = network_new(cases[i].conf, zone_text, false);

		if (cases[i].outbound)
			fixture_outbound(net.f);
		fixture_rcpt(net.f, cases[i].rcpt);
		network_judge(&net, &check_recipient, STAGE_RCPT);
		expect(net.f, cases[i].rcpt, CLASS_COUNT, NULL);
		assert_int_equal(net.z->asked, 0);
		network_free(&net);
	}
}

/* No network at all: routes that need none are judged all the same. */
static void without_a_network_only_what_is_written_counts(void **state)
{
	static const struct { const char *conf, *rcpt; enum class_id wanted; } cases[] = {
		{ ROUTE("[192.0.2.1]"), "<x@d.example>", CLASS_MX_POINTS_TO_US }, { ROUTE("gone.example"), "<x@d.example>", CLASS_COUNT }, { DOMAINS, "<x@lost.example>", CLASS_COUNT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = fixture_new(cases[i].conf);

		fixture_rcpt(f, cases[i].rcpt);
		f->t.stage = STAGE_RCPT;
		check_recipient.ask[STAGE_RCPT](&f->t);
		fixture_judge(f, &check_recipient, STAGE_RCPT);
		expect(f, cases[i].conf, cases[i].wanted, "is us");
		fixture_free(f);
	}
}

static void a_route_that_cannot_be_read_is_a_note(void **state)
{
	struct network net = network_new(BASE "routes = \"inline:d.example=smtp:[x]\"", zone_text, false);

	(void)state;
	fixture_rcpt(net.f, "<x@d.example>");
	network_judge(&net, &check_recipient, STAGE_RCPT);
	expect(net.f, "bad route", CLASS_COUNT, NULL);
	assert_non_null(strstr(fixture_note(net.f, "routes"), "\"smtp:[x]\" of d.example is no route: write HOST"));
	network_free(&net);
}

/* The state of an unfinished question outlives a recipient that goes first. */
static void a_recipient_that_goes_leaves_its_chain_alone(void **state)
{
	struct network net = network_new(DOMAINS, zone_text, true);
	struct txn *t = &net.f->t;

	(void)state;
	fixture_rcpt(net.f, "<x@silent.example>");
	t->stage = STAGE_RCPT;
	check_recipient.ask[STAGE_RCPT](t);
	assert_int_equal(t->n_chains, 1);
	talloc_free(t->rcpt);
	t->rcpt = NULL;
	answers_late(net.f->s.answers, true);
	assert_int_equal(t->chains[0].run(t, t->chains[0].state), CHAIN_DONE);
	network_free(&net);
}

static void relaying_stays_refused_where_the_other_refusal_would_not_act(void **state)
{
	static const struct { const char *conf; bool relay; } cases[] = {
		{ "", false },
		{ "class \"mx-not-configured\" { action = \"tempfail\" } ", false },
		{ "class \"mx-not-configured\" { action = \"ignore\" } ", true },
		{ "class \"mx-not-configured\" { action = \"score\" } ", true },
		{ "class \"mx-not-configured\" { action = \"hold\" } ", true },
		{ "class \"mx-not-configured\" { observe = true } ", true },
		{ "mode = \"observe\" ", true },
		{ "mode = \"tag\" ", true },
		{ "recipient { enabled = false } ", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *conf = talloc_asprintf(NULL, "%s\n" DOMAINS, cases[i].conf);
		struct network net = network_new(conf, zone_text, false);

		fixture_mail(net.f, "<bob@sender.example>");
		fixture_rcpt(net.f, "<x@lost.example>");
		if (setting_bool(net.f->t.policy, &check_recipient.settings[0]))
			network_judge(&net, &check_recipient, STAGE_RCPT);
		check_relay.judge[STAGE_RCPT](&net.f->t);
		fixture_expect(net.f, cases[i].conf, CLASS_RELAY_NOT_PERMITTED, cases[i].relay ? "is not in domains" : NULL);
		network_free(&net);
		talloc_free(conf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strangers_whose_mx_is_us_are_told),
		cmocka_unit_test(routes_that_lead_back_are_reported),
		cmocka_unit_test(routes_to_nowhere_are_reported),
		cmocka_unit_test(the_port_of_the_listener_is_ours),
		cmocka_unit_test(what_is_ours_or_sent_by_ours_is_not_asked_about),
		cmocka_unit_test(without_a_network_only_what_is_written_counts),
		cmocka_unit_test(a_route_that_cannot_be_read_is_a_note),
		cmocka_unit_test(a_recipient_that_goes_leaves_its_chain_alone),
		cmocka_unit_test(relaying_stays_refused_where_the_other_refusal_would_not_act),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
