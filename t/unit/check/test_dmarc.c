/* test_dmarc.c - DMARC and ARC as checks: what is reported, what never refuses, who may vouch for a message */
#include "fixture.h"

#include "check/arc.h"
#include "check/dmarc.h"
#include "facts/chain.h"
#include "spf/zone.h"
#include "util/domain.h"

extern const struct check check_arc, check_dmarc;

static const char zone_text[] =
	"_dmarc.bank.example TXT v=DMARC1; p=reject; sp=quarantine\n_dmarc.none.example TXT v=DMARC1; p=none\n_dmarc.fails.example TXT !fail\n_dmarc.late.example TXT !late\n"
	"_dmarc.bank.co.uk TXT v=DMARC1; p=reject\n_dmarc.co.uk TXT v=DMARC1; p=quarantine\n";

#define TRUST "arc { trusted_sealers = \"inline:list.example, hub.example\" }\n"

/* What was found before: SPF result and MAIL FROM, DKIM domain and result, ARC sets. */
struct row {
	const char *what, *conf, *from, *sender;
	enum spf_result spf;             /* SPF_PENDING: not asked */
	const char *dkim;
	enum dkim_result dkim_result;    /* DKIM_PENDING: signatures were not verified */
	const char *arc;                 /* sealers from the last to the first, blanks between them; NULL: no chain */
	const char *results;             /* of each set */
	enum class_id want;              /* CLASS_COUNT: nothing */
	enum dmarc_result result;
	const char *override;            /* NULL: none */
};

static struct arc_facts *arc_of(TALLOC_CTX *mem, const struct row *row)
{
	struct arc_facts *arc = talloc_zero(mem, struct arc_facts);
	char *save = NULL, *copy = talloc_strdup(mem, row->arc);
	const char *names[8];
	size_t n = 0;

	arc->result = row->arc[0] == '!' ? ARC_FAIL : ARC_PASS;
	arc->partial = row->arc[0] == '~';
	arc->problem = "";
	arc->sets = talloc_array(mem, struct arc_set, 8);
	for (char *d = strtok_r(copy + (row->arc[0] == '!' || row->arc[0] == '~'), " ", &save); d != NULL; d = strtok_r(NULL, " ", &save))
		names[n++] = d;
	arc->n = n;
	for (size_t i = 0; i < n; i++)
		arc->sets[i] = (struct arc_set){ .sealer = names[n - 1 - i], .selector = "s1", .signer = names[n - 1 - i], .signer_selector = "s1", .results = row->results };
	return arc;
}

static void set_facts(struct fixture *f, const struct row *row)
{
	struct txn *t = &f->t;

	if (row->spf != SPF_PENDING) {
		t->spf = talloc_zero(t->lasting, struct spf_facts);
		t->spf->mail.result = row->spf;
	}
	if (row->dkim == NULL || row->dkim_result != DKIM_PENDING) {
		t->dkim = talloc_zero(t->lasting, struct dkim_facts);
		t->dkim->done = true;
	}
	if (row->dkim != NULL && t->dkim != NULL) {
		t->dkim->v = talloc_zero(t->lasting, struct dkim_outcome);
		t->dkim->n = 1;
		t->dkim->v[0] = (struct dkim_outcome){ .result = row->dkim_result, .domain = row->dkim };
	}
	if (row->arc != NULL)
		t->arc = arc_of(t->lasting, row);
}

/* What stage.c does. */
static void finish(struct fixture *f, struct zone *z)
{
	struct txn *t = &f->t;

	for (int late = 0; late < 2; late++) {
		answers_late(f->s.answers, late);
		do
			for (size_t i = 0; i < t->n_chains; i++)
				if (t->chains[i].progress == CHAIN_PENDING)
					t->chains[i].progress = t->chains[i].run(t, t->chains[i].state);
		while (zone_step(z));
	}
	answers_late(f->s.answers, false);
	for (size_t i = 0; i < t->n_chains; i++)
		assert_int_equal(t->chains[i].progress, CHAIN_DONE);
}

static void play(const struct row *row, unsigned seed)
{
	struct fixture *f = fixture_new(row->conf != NULL ? row->conf : TRUST);
	struct zone *z = zone_new(zone_text);
	const struct dmarc_facts *d;
	size_t asked;

	z->queued = seed > 0;
	z->seed = seed;
	f->s.answers = answers_new(&z->asker);
	f->s.suffixes = suffix_list_new(f->mem);
	fixture_mail(f, row->sender);
	fixture_message(f);
	if (row->from[0] != '\0')
		fixture_fields(f, row->from);
	if (row->dkim != NULL)
		fixture_fields(f, "DKIM-Signature: x\n");
	assert_int_equal(message_close_header(f->t.message), 0);
	set_facts(f, row);
	f->t.stage = STAGE_EOH;
	check_dmarc.ask[STAGE_EOH](&f->t);
	check_dmarc.ask[STAGE_EOH](&f->t);       /* again for another policy: nothing new */
	finish(f, z);
	asked = z->asked;
	f->t.stage = STAGE_EOM;
	fixture_judge(f, &check_dmarc, STAGE_EOM);
	d = f->t.dmarc;
	assert_non_null(d);
	assert_int_equal(z->asked, asked);       /* all was asked before */
	if (d->outcome.result != row->result || f->t.found.n != (row->want != CLASS_COUNT) || (row->want != CLASS_COUNT && findings_get(&f->t.found, row->want) == NULL))
		fail_msg("%s: %s, %zu findings: %s", row->what, dmarc_result_name(d->outcome.result), f->t.found.n, f->t.found.n > 0 ? f->t.found.v[0].detail : "");
	if ((d->override == NULL) != (row->override == NULL) || (d->override != NULL && strcmp(d->override, row->override) != 0))
		fail_msg("%s: override %s", row->what, d->override != NULL ? d->override : "none");
	assert_true((d->override == NULL) == (d->comment == NULL));
	answers_unref(f->s.answers);
	z->n_queue = 0;
	talloc_free(z);
	fixture_free(f);
}

#define PLAY(rows) for (size_t row_i = 0; row_i < sizeof(rows) / sizeof((rows)[0]); row_i++) { play(&(rows)[row_i], 0); play(&(rows)[row_i], 7); }

#define BANK "From: Ceo <ceo@bank.example>\n"

static void failures_are_reported_as_the_domain_asks(void **state)
{
	static const struct row rows[] = {
		{ "reject", NULL, BANK, "<b@spam.example>", SPF_PASS, NULL, 0, NULL, NULL, CLASS_DMARC_REJECT, DMARC_FAIL },
		{ "quarantine", NULL, "From: ceo@sub.bank.example\n", "<b@spam.example>", SPF_NONE, NULL, 0, NULL, NULL, CLASS_DMARC_QUARANTINE, DMARC_FAIL },
		{ "none", NULL, "From: ceo@none.example\n", "<b@spam.example>", SPF_NONE, NULL, 0, NULL, NULL, CLASS_COUNT, DMARC_FAIL },
		{ "no record", NULL, "From: ceo@else.example\n", "<b@spam.example>", SPF_NONE, NULL, 0, NULL, NULL, CLASS_COUNT, DMARC_NONE },
		{ "SPF passes", NULL, BANK, "<b@mail.bank.example>", SPF_PASS, NULL, 0, NULL, NULL, CLASS_COUNT, DMARC_PASS },
		{ "SPF fails", NULL, BANK, "<b@mail.bank.example>", SPF_FAIL, NULL, 0, NULL, NULL, CLASS_DMARC_REJECT, DMARC_FAIL },
		{ "DKIM passes", NULL, BANK, "<b@spam.example>", SPF_FAIL, "bank.example", DKIM_PASS, NULL, NULL, CLASS_COUNT, DMARC_PASS },
		{ "DKIM fails", NULL, BANK, "<b@spam.example>", SPF_FAIL, "bank.example", DKIM_FAIL, NULL, NULL, CLASS_DMARC_REJECT, DMARC_FAIL },
		{ "DKIM is not trusted", NULL, BANK, "<b@spam.example>", SPF_FAIL, "bank.example", DKIM_POLICY, NULL, NULL, CLASS_DMARC_REJECT, DMARC_FAIL },
		{ "DKIM of another", NULL, BANK, "<b@spam.example>", SPF_FAIL, "spam.example", DKIM_PASS, NULL, NULL, CLASS_DMARC_REJECT, DMARC_FAIL },
		{ "public suffixes", "dmarc { discovery = \"psl\" }\n", "From: a@x.bank.co.uk\n", "<b@y.bank.co.uk>", SPF_PASS, NULL, 0, NULL, NULL, CLASS_COUNT, DMARC_PASS },
		{ "public suffixes, a cousin", "dmarc { discovery = \"psl\" }\n", "From: a@thief.co.uk\n", "<b@bank.co.uk>", SPF_PASS, NULL, 0, NULL, NULL, CLASS_COUNT, DMARC_NONE },
		{ "treewalk, a cousin", NULL, "From: a@thief.co.uk\n", "<b@spam.example>", SPF_PASS, NULL, 0, NULL, NULL, CLASS_DMARC_QUARANTINE, DMARC_FAIL },
	};

	(void)state;
	PLAY(rows);
}

static void what_nobody_knows_refuses_nothing(void **state)
{
	static const struct row rows[] = {
		{ "record", NULL, "From: a@fails.example\n", "<b@spam.example>", SPF_NONE, NULL, 0, NULL, NULL, CLASS_COUNT, DMARC_TEMPERROR },
		{ "late record", NULL, "From: a@late.example\n", "<b@spam.example>", SPF_NONE, NULL, 0, NULL, NULL, CLASS_COUNT, DMARC_TEMPERROR },
		{ "SPF temperror", NULL, BANK, "<b@bank.example>", SPF_TEMPERROR, NULL, 0, NULL, NULL, CLASS_COUNT, DMARC_TEMPERROR },
		{ "SPF temperror of another", NULL, BANK, "<b@spam.example>", SPF_TEMPERROR, NULL, 0, NULL, NULL, CLASS_DMARC_REJECT, DMARC_FAIL },
		{ "SPF not asked", NULL, BANK, "<b@bank.example>", SPF_PENDING, NULL, 0, NULL, NULL, CLASS_COUNT, DMARC_TEMPERROR },
		{ "DKIM temperror", NULL, BANK, "<b@spam.example>", SPF_NONE, "bank.example", DKIM_TEMPERROR, NULL, NULL, CLASS_COUNT, DMARC_TEMPERROR },
		{ "DKIM temperror of another", NULL, BANK, "<b@spam.example>", SPF_NONE, "spam.example", DKIM_TEMPERROR, NULL, NULL, CLASS_DMARC_REJECT, DMARC_FAIL },
		{ "DKIM not verified", NULL, BANK, "<b@spam.example>", SPF_NONE, "bank.example", DKIM_PENDING, NULL, NULL, CLASS_COUNT, DMARC_TEMPERROR },
		{ "no From", NULL, "", "<b@spam.example>", SPF_NONE, NULL, 0, NULL, NULL, CLASS_COUNT, DMARC_NONE },
		{ "two From", NULL, BANK BANK, "<b@spam.example>", SPF_NONE, NULL, 0, NULL, NULL, CLASS_COUNT, DMARC_PERMERROR },
		{ "several domains", NULL, "From: a@bank.example, b@spam.example\n", "<b@spam.example>", SPF_PASS, NULL, 0, NULL, NULL, CLASS_COUNT, DMARC_PERMERROR },
	};

	(void)state;
	PLAY(rows);
}

static void forwarders_and_trusted_chains_may_vouch(void **state)
{
#define DMARC_PASSED "mx; dmarc=pass header.from=bank.example"
#define ROW(what, arc, results, vouches) \
	{ what, NULL, BANK, "<b@list.example>", SPF_PASS, NULL, 0, arc, results, vouches ? CLASS_COUNT : CLASS_DMARC_REJECT, DMARC_FAIL, vouches ? "local_policy" : NULL }
	static const struct row rows[] = {
		{ "override_ips", "dmarc { override_ips = \"inline:11.22.33.44\" }\n", BANK, "<b@spam.example>", SPF_PASS, NULL, 0, NULL, NULL, CLASS_COUNT, DMARC_FAIL, "trusted_forwarder" },
		{ "other ips", "dmarc { override_ips = \"inline:11.22.33.45\" }\n", BANK, "<b@spam.example>", SPF_PASS, NULL, 0, NULL, NULL, CLASS_DMARC_REJECT, DMARC_FAIL },
		{ "nobody trusted", "", BANK, "<b@spam.example>", SPF_PASS, NULL, 0, "list.example", DMARC_PASSED, CLASS_DMARC_REJECT, DMARC_FAIL },
		ROW("one trusted", "list.example", DMARC_PASSED, true),
		ROW("two trusted", "hub.example list.example", DMARC_PASSED, true),
		ROW("a stranger before one that is trusted", "list.example stranger.example", DMARC_PASSED, true),
		ROW("a stranger last", "stranger.example list.example", DMARC_PASSED, false),
		ROW("a stranger alone", "stranger.example", DMARC_PASSED, false),
		ROW("a chain that fails", "!list.example", DMARC_PASSED, false),
		ROW("half a body", "~list.example", DMARC_PASSED, false),
		ROW("it failed there", "list.example", "mx; dmarc=fail header.from=bank.example; spf=softfail smtp.mailfrom=bank.example", false),
		ROW("another From", "list.example", "mx; dmarc=pass header.from=other.example", false),
		ROW("no From", "list.example", "mx; dmarc=pass", false),
		ROW("DKIM", "list.example", "mx; dkim=pass header.d=mail.bank.example header.b=abc", true),
		ROW("DKIM by its identity", "list.example", "mx; dkim=pass header.i=@bank.example", true),
		ROW("DKIM of another", "list.example", "mx; dkim=pass header.d=bank.example.evil.example", false),
		ROW("SPF", "list.example", "mx; spf=pass (ok) smtp.mailfrom=ceo@bank.example", true),
		ROW("SPF of another", "list.example", "mx; spf=pass smtp.mailfrom=bank.example@evil.example", false),
		ROW("SPF of HELO", "list.example", "mx; spf=pass smtp.helo=bank.example", false),
		ROW("results that cannot be read", "list.example", "mx; dmarc=pass header.from=bank.example; x", false),
		ROW("no results", "list.example", "mx; none", false),
		ROW("results without an id", "list.example", "dmarc=pass header.from=bank.example", false),
	};

	(void)state;
	PLAY(rows);
}

static void whom_we_trust_and_our_own_mail_is_not_judged(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct fixture *f = fixture_new("");
		struct zone *z = zone_new(zone_text);

		f->s.answers = answers_new(&z->asker);
		f->s.trusted = i == 0;
		f->s.relay = i == 1;
		if (i == 2)
			fixture_outbound(f);
		if (i == 3)
			fixture_client(f, NULL);
		fixture_mail(f, "<b@spam.example>");
		fixture_message(f);
		fixture_fields(f, BANK);
		assert_int_equal(message_close_header(f->t.message), 0);
		check_dmarc.ask[STAGE_EOH](&f->t);
		fixture_judge(f, &check_dmarc, STAGE_EOM);
		assert_null(f->t.dmarc);
		assert_int_equal(z->asked, 0);
		assert_int_equal(f->t.found.n, 0);
		answers_unref(f->s.answers);
		talloc_free(z);
		fixture_free(f);
	}
}

static void a_chain_is_read_at_the_end_of_the_header(void **state)
{
	static const struct { const char *fields; enum arc_result want; } cases[] = { { BANK, ARC_NONE }, { BANK "ARC-Seal: x\n", ARC_FAIL } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct fixture *f = fixture_new("");
		struct zone *z = zone_new("");

		f->s.answers = answers_new(&z->asker);
		fixture_mail(f, "<b@spam.example>");
		fixture_message(f);
		fixture_fields(f, cases[i].fields);
		assert_int_equal(message_close_header(f->t.message), 0);
		check_arc.ask[STAGE_EOH](&f->t);
		assert_true(f->t.arc != NULL && f->t.arc->done);
		assert_int_equal(f->t.n_chains, 0);
		fixture_judge(f, &check_arc, STAGE_EOM);
		assert_int_equal(f->t.arc->result, cases[i].want);
		answers_unref(f->s.answers);
		talloc_free(z);
		fixture_free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failures_are_reported_as_the_domain_asks),
		cmocka_unit_test(what_nobody_knows_refuses_nothing),
		cmocka_unit_test(forwarders_and_trusted_chains_may_vouch),
		cmocka_unit_test(whom_we_trust_and_our_own_mail_is_not_judged),
		cmocka_unit_test(a_chain_is_read_at_the_end_of_the_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
