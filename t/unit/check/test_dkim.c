/* test_dkim.c - DKIM as a check: whose mail is verified, what becomes a fact or a note, what proves a sender on an allow list at the end of the message */
#include "fixture.h"

#include "check/access.h"
#include "check/dkim.h"
#include "facts/chain.h"
#include "spf/zone.h"

extern const struct check check_dkim, check_access;

#define ED_P "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

static const char fields[] =
	"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\n d=football.example.com; i=@football.example.com;\n q=dns/txt; s=brisbane; t=1528637909; h=from : to :\n"
	" subject : date : message-id : from : subject : date;\n bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\n"
	" Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\n"
	"From: Joe SixPack <joe@football.example.com>\nTo: Suzie Q <suzie@shopping.example.net>\nSubject: Is dinner ready?\nDate: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\n"
	"Message-ID: <20030712040037.46341.5F8J@football.example.com>\n";
static const char body[] = "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
static const char zone_text[] = "brisbane._domainkey.football.example.com TXT v=DKIM1; k=ed25519; p=" ED_P "\n";

struct dkim_fixture {
	struct fixture *f;
	struct zone *z;
};

static struct dkim_fixture begin(const char *conf, const char *zone)
{
	struct dkim_fixture s = { .f = fixture_new(conf), .z = zone_new(zone) };

	s.f->s.answers = answers_new(&s.z->asker);
	s.f->s.dkim = dkim_library_new(s.f->mem);
	assert_non_null(s.f->s.dkim);
	fixture_mail(s.f, "<joe@football.example.com>");
	return s;
}

static void end(struct dkim_fixture *s)
{
	answers_unref(s->f->s.answers);
	talloc_free(s->z);
	fixture_free(s->f);
}

static void header(struct dkim_fixture *s, const char *text)
{
	fixture_message(s->f);
	fixture_fields(s->f, text);
	assert_int_equal(message_close_header(s->f->t.message), 0);
	check_dkim.ask[STAGE_EOH](&s->f->t);
}

static void piece(struct dkim_fixture *s, const char *data, size_t len)
{
	s->f->t.piece = data;
	s->f->t.piece_len = len;
	s->f->t.stage = STAGE_BODY;
	check_dkim.judge[STAGE_BODY](&s->f->t);
	s->f->t.piece = NULL;
}

/* What stage.c does at the end: the chain runs, what is silent reads late, then the judge. */
static void finish(struct dkim_fixture *s)
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
	t->stage = STAGE_EOM;
	check_dkim.judge[STAGE_EOM](t);
}

static void message(struct dkim_fixture *s)
{
	header(s, fields);
	piece(s, body, 10);
	piece(s, body + 10, sizeof(body) - 1 - 10);
	finish(s);
}

static void results_are_facts_and_what_keys_did_not_tell_is_a_note(void **state)
{
	static const struct { const char *zone; enum dkim_result result; const char *note; } cases[] = {
		{ zone_text, DKIM_PASS, NULL }, { "", DKIM_PERMERROR, NULL }, { "brisbane._domainkey.football.example.com TXT v=DKIM1; p=\n", DKIM_PERMERROR, NULL },
		{ "brisbane._domainkey.football.example.com TXT !fail\n", DKIM_TEMPERROR, "brisbane._domainkey.football.example.com: the name servers failed" },
		{ "brisbane._domainkey.football.example.com TXT !late\n", DKIM_TEMPERROR, "no answer in time" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int queued = 0; queued < 2; queued++) {
			struct dkim_fixture s = begin("", cases[i].zone);
			const char *note;

			s.z->queued = queued;
			message(&s);
			note = fixture_note(s.f, "dkim");
			assert_true(s.f->t.dkim->done);
			assert_int_equal(s.f->t.dkim->n, 1);
			assert_int_equal(s.f->t.dkim->v[0].result, cases[i].result);
			assert_int_equal(s.z->asked, 1);
			if ((note != NULL) != (cases[i].note != NULL) || (note != NULL && strstr(note, cases[i].note) == NULL))
				fail_msg("case %zu: note %s", i, note != NULL ? note : "none");
			assert_int_equal(s.f->t.found.n, 0);
			end(&s);
		}
	}
}

static void only_inbound_mail_is_verified_and_only_with_a_network(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		struct dkim_fixture s = begin("", zone_text);
		struct answers *answers = s.f->s.answers;

		switch (i) {
		case 0: fixture_outbound(s.f); break;
		case 1: fixture_login(s.f, "alice"); break;
		case 2: s.f->s.answers = NULL; break;
		case 3: s.f->s.dkim = NULL; break;
		case 4: s.f->s.trusted = true; break;          /* a forwarder of ours: its mail is signed by others all the same */
		}
		header(&s, fields);
		piece(&s, body, sizeof(body) - 1);
		fixture_judge(s.f, &check_dkim, STAGE_EOM);
		if (i < 4)
			assert_null(s.f->t.dkim);
		else
			assert_int_equal(s.f->t.dkim->v[0].result, DKIM_PASS);
		assert_int_equal(s.z->asked, i < 4 ? 0 : 1);
		s.f->s.answers = answers;
		end(&s);
	}
}

static void an_unsigned_message_asks_nothing(void **state)
{
	struct dkim_fixture s = begin("", zone_text);

	(void)state;
	header(&s, strstr(fields, "From:"));
	piece(&s, body, sizeof(body) - 1);
	finish(&s);
	assert_true(s.f->t.dkim->done);
	assert_int_equal(s.f->t.dkim->n + s.f->t.dkim->fields, 0);
	assert_int_equal(s.z->asked, 0);
	end(&s);
}

static void limits_are_the_policy_s(void **state)
{
	static const char rsa[] = "From: a@a.example\nDKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=s; h=from; bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b=AAAA\n"
		"DKIM-Signature: v=1; a=rsa-sha256; d=b.example; s=s; h=from; bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b=AAAA\n";
	static const char zone[] = "s._domainkey.a.example TXT p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR"
		"+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB\n";
	struct dkim_fixture s = begin("dkim { signatures_max = 1  key_bits_min = 1025 }", zone);

	(void)state;
	header(&s, rsa);
	finish(&s);
	assert_int_equal(s.f->t.dkim->n, 1);
	assert_int_equal(s.f->t.dkim->beyond, 1);
	assert_string_equal(s.f->t.dkim->v[0].domain, "a.example");
	assert_int_equal(s.f->t.dkim->v[0].result, DKIM_POLICY);
	assert_int_equal(s.f->t.dkim->v[0].bits, 1024);
	end(&s);
}

static void a_signature_of_its_domain_proves_a_listed_sender(void **state)
{
	static const struct { const char *conf, *sender, *zone; bool allowed, proven; } cases[] = {
		{ "allow_senders = \"inline:football.example.com\"", "<joe@football.example.com>", zone_text, true, true },
		{ "allow_senders = \"inline:football.example.com\" allow_authenticated = true", "<joe@football.example.com>", zone_text, true, true },
		{ "allow_senders = \"inline:joe@x.football.example.com\" allow_authenticated = true", "<joe@x.football.example.com>", zone_text, true, true },
		{ "allow_senders = \"inline:football.example.com\" allow_authenticated = true", "<joe@football.example.com>", "", false, false },
		{ "allow_senders = \"inline:football.example.com\"", "<joe@football.example.com>", "", true, false },
		{ "allow_senders = \"inline:example.com\" allow_authenticated = true", "<joe@example.com>", zone_text, false, false },
		{ "allow_senders = \"inline:other.example\" allow_authenticated = true", "<joe@football.example.com>", zone_text, false, false },
		{ "allow_senders = \"inline:football.example.com\"", "<>", zone_text, false, false },
		{ "dkim { enabled = false } allow_senders = \"inline:football.example.com\"", "<joe@football.example.com>", NULL, true, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dkim_fixture s = begin(cases[i].conf, cases[i].zone != NULL ? cases[i].zone : "");
		struct list_word *word;

		fixture_mail(s.f, cases[i].sender);
		fixture_rcpt(s.f, "<anna@example.org>");
		fixture_judge(s.f, &check_access, STAGE_RCPT);
		fixture_accept(s.f);
		if (cases[i].zone != NULL)
			message(&s);
		s.f->t.stage = STAGE_EOM;
		access_prove(&s.f->t);
		word = &s.f->t.rcpts[0]->word;
		if (word->allowed != cases[i].allowed || word->proven != cases[i].proven)
			fail_msg("case %zu: allowed %d, proven %d", i, word->allowed, word->proven);
		fixture_expect(s.f, cases[i].sender, CLASS_WHITELISTED, cases[i].allowed ? "envelope sender" : NULL);
		assert_true(!word->proven || fixture_note(s.f, "allow") == NULL);
		end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_are_facts_and_what_keys_did_not_tell_is_a_note),
		cmocka_unit_test(only_inbound_mail_is_verified_and_only_with_a_network),
		cmocka_unit_test(an_unsigned_message_asks_nothing),
		cmocka_unit_test(limits_are_the_policy_s),
		cmocka_unit_test(a_signature_of_its_domain_proves_a_listed_sender),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
