/* test_dnsbl.c - what DNS lists say of a client: each code, several lists and operators, white lists, who is never asked about, what accuses nobody */
#include "fixture.h"

#include <arpa/nameser.h>

#include "check/dnsbl.h"
#include "facts/chain.h"
#include "spf/zone.h"

extern const struct check check_dnsbl, check_access;

struct bench {
	struct fixture *f;
	struct zone *z;
};

static struct bench begin(const char *conf, const char *zone)
{
	struct bench b = { .f = fixture_new(conf), .z = zone_new(zone) };

	b.f->s.answers = answers_new(&b.z->asker);
	return b;
}

static void end(struct bench *b)
{
	answers_unref(b->f->s.answers);
	dnslist_watch_free(b->f->s.dnslist_watch);
	talloc_free(b->z);
	fixture_free(b->f);
}

/* What stage.c does: the chains run to their end, what is silent reads late. */
static void finish(struct bench *b)
{
	struct txn *t = &b->f->t;

	for (int late = 0; late < 2; late++) {
		answers_late(b->f->s.answers, late);
		do
			for (size_t i = 0; i < t->n_chains; i++)
				if (t->chains[i].progress == CHAIN_PENDING)
					t->chains[i].progress = t->chains[i].run(t, t->chains[i].state);
		while (zone_step(b->z));
	}
	answers_late(b->f->s.answers, false);
	for (size_t i = 0; i < t->n_chains; i++)
		assert_int_equal(t->chains[i].progress, CHAIN_DONE);
}

/* Connect to end of message, for one recipient. */
static void judge(struct bench *b)
{
	struct txn *t = &b->f->t;

	t->stage = STAGE_CONNECT;
	check_dnsbl.ask[STAGE_CONNECT](t);
	fixture_mail(b->f, "<bob@sender.example>");
	fixture_rcpt(b->f, "<anna@example.com>");
	t->stage = STAGE_RCPT;
	check_dnsbl.ask[STAGE_RCPT](t);
	finish(b);
	fixture_judge(b->f, &check_access, STAGE_RCPT);
	fixture_judge(b->f, &check_dnsbl, STAGE_RCPT);
	fixture_judge(b->f, &check_dnsbl, STAGE_EOM);
}

#define ZEN "blocklist \"zen.test\" { xbl = { \"127.0.0.4/30\" } pbl = { \"127.0.0.10/31\" } rbl = { \"127.0.0.2/31\", \"127.0.0.9\", \"127.0.0.30\" } }\n"
#define INTERNAL "blocklist \"int.test\" { internal = { \"127.0.0.0/8\" } count = { } }\n"
#define FOUR "blocklist \"a.test\" { name = \"List A\" operator = \"One\" }\nblocklist \"b.test\" { operator = \"one\" }\n" \
	"blocklist \"c.test\" { count = { \"127.0.0.2\" } }\nblocklist \"d.test\" { }\n"
#define WHITE "allowlist \"w1.test\" { }\nallowlist \"w2.test\" { name = \"White\" alone = { \"127.0.[2..20].[2;3]\" } }\nallowlist \"list.dnswl.org\" { }\n"

/* A line of the zone for the fixture's client. */
#define AT(zone, code) "44.33.22.11." zone " A " code "\n"

static const struct { const char *conf, *zone; const char *xbl, *pbl, *rbl, *multiple, *internal, *dnswl, *note; } code_cases[] = {
	{ ZEN, "", NULL, NULL, NULL, NULL, NULL, NULL, NULL },
	{ "", AT("zen.test", "127.0.0.4"), NULL, NULL, NULL, NULL, NULL, NULL, NULL },
	{ ZEN, AT("zen.test", "127.0.0.4"), "11.22.33.44 is listed by zen.test (127.0.0.4)", NULL, NULL, NULL, NULL, NULL, NULL },
	{ ZEN, AT("zen.test", "127.0.0.5"), "zen.test", NULL, NULL, NULL, NULL, NULL, NULL },
	{ ZEN, AT("zen.test", "127.0.0.7"), "zen.test", NULL, NULL, NULL, NULL, NULL, NULL },
	{ ZEN, AT("zen.test", "127.0.0.10"), NULL, "zen.test (127.0.0.10)", NULL, NULL, NULL, NULL, NULL },
	{ ZEN, AT("zen.test", "127.0.0.11"), NULL, "zen.test (127.0.0.11)", NULL, NULL, NULL, NULL, NULL },
	{ ZEN, AT("zen.test", "127.0.0.2"), NULL, NULL, "zen.test", NULL, NULL, NULL, NULL },
	{ ZEN, AT("zen.test", "127.0.0.3"), NULL, NULL, "zen.test", NULL, NULL, NULL, NULL },
	{ ZEN, AT("zen.test", "127.0.0.2") AT("zen.test", "127.0.0.9"), NULL, NULL, "zen.test (127.0.0.2, 127.0.0.9)", NULL, NULL, NULL, NULL },
	{ ZEN, AT("zen.test", "127.0.0.30"), NULL, NULL, "zen.test", NULL, NULL, NULL, NULL },
	{ ZEN, AT("zen.test", "127.0.0.20"), NULL, NULL, NULL, NULL, NULL, NULL, NULL },
	{ ZEN, AT("zen.test", "127.0.0.4") AT("zen.test", "127.0.0.10") AT("zen.test", "127.0.0.2"), "zen.test", "zen.test", "zen.test", NULL, NULL, NULL, NULL },
	{ "class \"xbl\" { action = \"score\" } dnsbl { lists_min = 1 } " ZEN, AT("zen.test", "127.0.0.4"), "zen.test", NULL, NULL, "zen.test", NULL, NULL, NULL },
	/* answers that are no listing */
	{ ZEN, AT("zen.test", "127.255.255.252"), NULL, NULL, NULL, NULL, NULL, NULL, "zen.test: it says that there is no such zone" },
	{ ZEN, AT("zen.test", "127.255.255.254"), NULL, NULL, NULL, NULL, NULL, NULL, "public" },
	{ ZEN, AT("zen.test", "127.255.255.255"), NULL, NULL, NULL, NULL, NULL, NULL, "over quota" },
	{ ZEN, AT("zen.test", "127.0.0.1"), NULL, NULL, NULL, NULL, NULL, NULL, "refuses to answer us" },
	{ ZEN, AT("zen.test", "10.0.0.1"), NULL, NULL, NULL, NULL, NULL, NULL, "outside 127.0.0.0/8" },
	{ ZEN, AT("zen.test", "127.0.0.4") AT("zen.test", "192.0.2.1"), NULL, NULL, NULL, NULL, NULL, NULL, "outside" },
	{ ZEN, AT("zen.test", "!fail"), NULL, NULL, NULL, NULL, NULL, NULL, "zen.test: its servers failed" },
	{ ZEN, AT("zen.test", "!late"), NULL, NULL, NULL, NULL, NULL, NULL, "zen.test: no answer in time" },
	{ FOUR, AT("a.test", "!late") AT("c.test", "!fail"), NULL, NULL, NULL, NULL, NULL, NULL, "List A: no answer in time; c.test: its servers failed" },
	/* operators */
	{ FOUR, AT("a.test", "127.0.0.2"), NULL, NULL, NULL, NULL, NULL, NULL, NULL },
	{ FOUR, AT("a.test", "127.0.0.2") AT("b.test", "127.0.0.2"), NULL, NULL, NULL, NULL, NULL, NULL, NULL },
	{ FOUR, AT("a.test", "127.0.0.2") AT("c.test", "127.0.0.3"), NULL, NULL, NULL, NULL, NULL, NULL, NULL },
	{ FOUR, AT("a.test", "127.0.0.2") AT("c.test", "127.0.0.2"), NULL, NULL, NULL, "listed by List A (127.0.0.2), c.test (127.0.0.2)", NULL, NULL, NULL },
	{ FOUR, AT("b.test", "127.0.0.2") AT("d.test", "127.3.0.9"), NULL, NULL, NULL, "b.test (127.0.0.2), d.test (127.3.0.9)", NULL, NULL, NULL },
	{ FOUR, AT("a.test", "127.0.0.2") AT("d.test", "!late"), NULL, NULL, NULL, NULL, NULL, NULL, "d.test" },
	{ FOUR "dnsbl { lists_min = 3 }", AT("a.test", "127.0.0.2") AT("b.test", "127.0.0.2") AT("d.test", "127.0.0.2"), NULL, NULL, NULL, NULL, NULL, NULL, NULL },
	{ FOUR "dnsbl { lists_min = 3 }", AT("a.test", "127.0.0.2") AT("c.test", "127.0.0.2") AT("d.test", "127.0.0.2"), NULL, NULL, NULL, "List A", NULL, NULL, NULL },
	{ ZEN FOUR, AT("zen.test", "127.0.0.4") AT("d.test", "127.0.0.2"), "zen.test", NULL, NULL, "zen.test (127.0.0.4), d.test", NULL, NULL, NULL },
	{ ZEN INTERNAL, AT("int.test", "127.0.0.5"), NULL, NULL, NULL, NULL, "11.22.33.44 is listed by int.test (127.0.0.5)", NULL, NULL },
	{ ZEN INTERNAL "dnsbl { lists_min = 1 }", AT("int.test", "127.0.0.5"), NULL, NULL, NULL, NULL, "int.test", NULL, NULL },
	/* white lists */
	{ WHITE, AT("w1.test", "127.0.5.1"), NULL, NULL, NULL, NULL, NULL, NULL, NULL },
	{ WHITE, AT("w1.test", "127.0.5.1") AT("w2.test", "127.0.9.1"), NULL, NULL, NULL, NULL, NULL, "listed by w1.test (127.0.5.1), White (127.0.9.1)", NULL },
	{ WHITE, AT("w2.test", "127.0.9.2"), NULL, NULL, NULL, NULL, NULL, "White (127.0.9.2)", NULL },
	{ WHITE, AT("w2.test", "127.0.10.2"), NULL, NULL, NULL, NULL, NULL, NULL, "White: it refuses" },
	{ WHITE, AT("w1.test", "127.0.5.1") AT("w2.test", "127.0.0.255"), NULL, NULL, NULL, NULL, NULL, NULL, "White: it refuses" },
	{ WHITE, AT("w1.test", "127.0.5.1") AT("list.dnswl.org", "127.0.5.0"), NULL, NULL, NULL, NULL, NULL, NULL, NULL },
	{ WHITE, AT("w1.test", "127.0.5.1") AT("list.dnswl.org", "127.0.5.1"), NULL, NULL, NULL, NULL, NULL, "list.dnswl.org", NULL },
	{ WHITE "dnsbl { allow_lists_min = 1 }", AT("w1.test", "127.0.0.2"), NULL, NULL, NULL, NULL, NULL, "w1.test", NULL },
	{ ZEN WHITE, AT("zen.test", "127.0.0.4") AT("w2.test", "127.0.9.3"), "zen.test", NULL, NULL, NULL, NULL, "White", NULL },
};

static void each_code_is_what_the_configuration_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(code_cases) / sizeof(code_cases[0]); i++) {
		for (int queued = 0; queued < 2; queued++) {
			struct bench b = begin(code_cases[i].conf, code_cases[i].zone);
			const char *note;

			b.z->queued = queued;
			judge(&b);
			fixture_expect(b.f, code_cases[i].zone, CLASS_XBL, code_cases[i].xbl);
			fixture_expect(b.f, code_cases[i].zone, CLASS_PBL, code_cases[i].pbl);
			fixture_expect(b.f, code_cases[i].zone, CLASS_RBL, code_cases[i].rbl);
			fixture_expect(b.f, code_cases[i].zone, CLASS_DNSBL_MULTIPLE, code_cases[i].multiple);
			fixture_expect(b.f, code_cases[i].zone, CLASS_IP_BLACKLISTED_INTERNAL, code_cases[i].internal);
			fixture_expect(b.f, code_cases[i].zone, CLASS_DNSWL, code_cases[i].dnswl);
			assert_int_equal(b.f->t.rcpt->word.dnswl, code_cases[i].dnswl != NULL);
			assert_false(b.f->t.rcpt->word.allowed || b.f->t.rcpt->word.proven);
			note = fixture_note(b.f, "dnsbl");
			if ((note != NULL) != (code_cases[i].note != NULL) || (note != NULL && strstr(note, code_cases[i].note) == NULL))
				fail_msg("%s: note %s", code_cases[i].zone, note != NULL ? note : "none");
			end(&b);
		}
	}
}

static void all_lists_are_asked_at_connect_and_never_twice(void **state)
{
	struct bench b = begin(ZEN FOUR WHITE, AT("zen.test", "127.0.0.4"));
	size_t lists;
	struct dnsbl_list *v = dnsbl_lists(b.f->mem, b.f->config, &lists);

	(void)state;
	assert_int_equal(lists, 8);
	assert_string_equal(v[1].id.shown, "List A");
	assert_int_equal(v[7].id.kind, DNSLIST_ALLOW);
	b.f->t.stage = STAGE_CONNECT;
	check_dnsbl.ask[STAGE_CONNECT](&b.f->t);
	assert_int_equal(b.z->asked, 8);
	check_dnsbl.ask[STAGE_CONNECT](&b.f->t);
	judge(&b);
	check_dnsbl.ask[STAGE_RCPT](&b.f->t);
	assert_int_equal(b.z->asked, 8);
	assert_int_equal(b.f->t.n_chains, 1);
	end(&b);
}

static void who_is_ours_is_never_asked_about(void **state)
{
	(void)state;
	for (int i = 0; i < 12; i++) {
		static const char *const skipped[] = { "10.1.2.3", "192.168.1.1", "172.16.0.1", "127.0.0.1", "169.254.1.1", "100.64.0.1", "::1", "fe80::1" };
		struct bench b = begin(ZEN, "44.33.22.11.zen.test A 127.0.0.4\n3.2.1.10.zen.test A 127.0.0.4\n");

		switch (i) {
		case 0: b.f->s.trusted = true; break;
		case 1: b.f->s.relay = true; break;
		case 2: fixture_outbound(b.f); break;
		case 3: fixture_client(b.f, NULL); break;
		default: fixture_client(b.f, skipped[i - 4]);
		}
		judge(&b);
		assert_int_equal(b.z->asked, 0);
		assert_null(b.f->t.dnsbl);
		fixture_expect(b.f, "ours", CLASS_XBL, NULL);
		end(&b);
	}
}

static void who_logs_in_after_connect_is_not_judged(void **state)
{
	struct bench b = begin(ZEN WHITE, AT("zen.test", "127.0.0.10"));

	(void)state;
	check_dnsbl.ask[STAGE_CONNECT](&b.f->t);
	fixture_login(b.f, "alice");
	judge(&b);
	fixture_expect(b.f, "alice", CLASS_PBL, NULL);
	assert_null(b.f->t.dnsbl);
	end(&b);
}

static void the_skip_list_is_the_operators(void **state)
{
	struct bench b = begin(ZEN "dnsbl { skip = { \"11.22.0.0/16\", \"2001:db8::/32\" } }", AT("zen.test", "127.0.0.4")), c = begin(ZEN "dnsbl { skip = { } }", "1.0.0.10.zen.test A 127.0.0.4\n");

	(void)state;
	judge(&b);
	assert_int_equal(b.z->asked, 0);
	fixture_client(c.f, "10.0.0.1");
	judge(&c);
	fixture_expect(c.f, "10.0.0.1", CLASS_XBL, "10.0.0.1 is listed");
	end(&b);
	end(&c);
}

static void ipv6_clients_are_asked_by_nibbles(void **state)
{
	struct bench b = begin(ZEN, "5.4.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.2.0.0.6.a.c.7.8.b.d.0.1.0.0.2.zen.test A 127.0.0.4\n");

	(void)state;
	fixture_client(b.f, "2001:db8:7ca6:22::45");
	judge(&b);
	fixture_expect(b.f, "IPv6", CLASS_XBL, "2001:db8:7ca6:22::45 is listed by zen.test");
	end(&b);
}

static void a_key_is_not_shown_and_a_name_is(void **state)
{
	static const char zone[] = "44.33.22.11.abcdefghij0123456789klmnop.zen.dq.spamhaus.net A 127.0.0.4\n";
	struct bench b = begin("blocklist \"abcdefghij0123456789klmnop.zen.dq.spamhaus.net\" { xbl = { \"127.0.0.4/30\" } }", zone);
	struct bench c = begin("blocklist \"abcdefghij0123456789klmnop.zen.dq.spamhaus.net\" { xbl = { \"127.0.0.4/30\" } name = \"Spamhaus ZEN\" }", zone);

	(void)state;
	judge(&b);
	fixture_expect(b.f, "key", CLASS_XBL, "listed by KEY.zen.dq.spamhaus.net (127.0.0.4)");
	assert_true(fixture_finding(b.f, CLASS_XBL)->shown);
	judge(&c);
	fixture_expect(c.f, "name", CLASS_XBL, "listed by Spamhaus ZEN (127.0.0.4)");
	end(&b);
	end(&c);
}

static void our_own_lists_are_not_told_to_the_sender(void **state)
{
	struct bench b = begin(INTERNAL, AT("int.test", "127.0.0.5"));

	(void)state;
	judge(&b);
	assert_false(fixture_finding(b.f, CLASS_IP_BLACKLISTED_INTERNAL)->shown);
	end(&b);
}

static void what_is_ignored_observed_or_only_scores_opens_nothing(void **state)
{
	static const struct { const char *conf; bool opens; } cases[] = {
		{ "", true }, { "class \"dnswl\" { action = \"tag\" }", true }, { "class \"dnswl\" { action = \"score\" }", false }, { "class \"dnswl\" { action = \"ignore\" }", false },
		{ "class \"dnswl\" { observe = true }", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char conf[600];
		struct bench b;

		snprintf(conf, sizeof(conf), "%s\n%s", WHITE, cases[i].conf);
		b = begin(conf, AT("w2.test", "127.0.5.3"));
		judge(&b);
		assert_int_equal(b.f->t.rcpt->word.dnswl, cases[i].opens);
		fixture_expect(b.f, cases[i].conf, CLASS_DNSWL, "White");
		end(&b);
	}
}

/* A watch that knows the lists of the configuration. */
static void watch(struct bench *b)
{
	size_t n;
	struct dnsbl_list *lists = dnsbl_lists(b->f->mem, b->f->config, &n);
	struct dnslist ids[DNSLIST_LISTS_MAX];

	for (size_t i = 0; i < n; i++)
		ids[i] = lists[i].id;
	b->f->s.dnslist_watch = dnslist_watch_new(NULL);
	dnslist_watch_set(b->f->s.dnslist_watch, ids, n);
}

static void a_suspended_list_is_neither_asked_nor_believed(void **state)
{
	struct bench b = begin(ZEN WHITE, AT("zen.test", "127.0.0.4") AT("w2.test", "127.0.5.3"));

	(void)state;
	watch(&b);
	dnslist_watch_tested(b.f->s.dnslist_watch, DNSLIST_BLOCK, "zen.test", FAULT_LISTS_ALL, 100);
	dnslist_watch_tested(b.f->s.dnslist_watch, DNSLIST_ALLOW, "w2.test", FAULT_QUOTA, 100);
	judge(&b);
	assert_int_equal(b.z->asked, 2);
	fixture_expect(b.f, "suspended", CLASS_XBL, NULL);
	fixture_expect(b.f, "suspended", CLASS_DNSWL, NULL);
	assert_string_equal(fixture_note(b.f, "dnsbl"),
		"zen.test is suspended: it lists everybody (127.0.0.1 too); White is suspended: it says that we are over quota (127.255.255.255)");
	end(&b);
}

static void the_watch_hears_of_a_session_once_and_of_trials_never(void **state)
{
	(void)state;
	for (int trial = 0; trial < 2; trial++) {
		struct bench b = begin(ZEN FOUR, AT("zen.test", "127.0.0.20") AT("c.test", "127.0.0.3") AT("d.test", "127.0.0.2"));
		struct dnslist_state s[DNSLIST_LISTS_MAX];

		watch(&b);
		b.f->s.stats = trial ? NULL : (struct stats *)&b;        /* it only says that something is counted */
		judge(&b);
		fixture_forget(b.f);
		b.f->t.dnsbl = NULL;
		b.f->t.n_chains = 0;
		judge(&b);
		dnslist_watch_states(b.f->s.dnslist_watch, s);
		assert_int_equal(s[0].asked, !trial);
		assert_int_equal(s[0].listed, !trial);           /* 127.0.0.20 counts */
		assert_int_equal(s[3].listed, 0);                /* 127.0.0.3 of c.test is configured for nothing */
		assert_int_equal(s[3].not_listed, !trial);
		assert_int_equal(s[4].listed, !trial);
		end(&b);
	}
}

/* Whoever comes is listed: the list is suspended, and says nothing of the twenty-first. */
static void a_list_that_lists_the_world_is_noticed(void **state)
{
	struct dnslist_watch *shared = NULL;

	(void)state;
	for (int i = 1; i <= 21; i++) {
		char zone[100], ip[20];
		struct bench b;

		snprintf(zone, sizeof(zone), "%d.33.22.11.zen.test A 127.0.0.4\n", i);
		snprintf(ip, sizeof(ip), "11.22.33.%d", i);
		b = begin(ZEN, zone);
		if (shared == NULL)
			watch(&b);
		else
			b.f->s.dnslist_watch = shared;
		shared = b.f->s.dnslist_watch;
		fixture_client(b.f, ip);
		b.f->s.stats = (struct stats *)&b;
		judge(&b);
		fixture_expect(b.f, ip, CLASS_XBL, i <= 20 ? ip : NULL);
		if (i < 21)
			b.f->s.dnslist_watch = NULL;
		else
			assert_string_equal(fixture_note(b.f, "dnsbl"), "zen.test is suspended: it lists far more clients than it used to");
		end(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_code_is_what_the_configuration_says),
		cmocka_unit_test(all_lists_are_asked_at_connect_and_never_twice),
		cmocka_unit_test(who_is_ours_is_never_asked_about),
		cmocka_unit_test(who_logs_in_after_connect_is_not_judged),
		cmocka_unit_test(the_skip_list_is_the_operators),
		cmocka_unit_test(ipv6_clients_are_asked_by_nibbles),
		cmocka_unit_test(a_key_is_not_shown_and_a_name_is),
		cmocka_unit_test(our_own_lists_are_not_told_to_the_sender),
		cmocka_unit_test(what_is_ignored_observed_or_only_scores_opens_nothing),
		cmocka_unit_test(a_suspended_list_is_neither_asked_nor_believed),
		cmocka_unit_test(the_watch_hears_of_a_session_once_and_of_trials_never),
		cmocka_unit_test(a_list_that_lists_the_world_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
