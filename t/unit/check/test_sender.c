/* test_sender.c - which senders a submission may bear, and whose domains take mail */
#include "fixture.h"

#include "network.h"

extern const struct check check_sender;

#define MAPS "sender { login_maps = \"inline:ceo@example.com=bert carl, alice@example.com=alice, @team.example=dora bert, shop.example=shop\" }"

static void senders_that_the_user_may_not_use_are_reported(void **state)
{
	static const struct { const char *conf, *user, *sender, *detail; } cases[] = {
		{ MAPS, "alice", "<alice@example.com>", NULL },
		{ MAPS, "ALICE", "<Alice@EXAMPLE.com>", NULL },
		{ MAPS, "alice", "<ceo@example.com>", "sender ceo@example.com is not one that user alice may use (sender.login_maps)" },
		{ MAPS, "bert", "<ceo@example.com>", NULL },
		{ MAPS, "carl", "<CEO@example.com>", NULL },
		{ MAPS, "car", "<ceo@example.com>", "not one that user car may use" },
		{ MAPS, "carla", "<ceo@example.com>", "not one that user carla may use" },
		{ MAPS, "bert carl", "<ceo@example.com>", "may use" },
		{ MAPS, "alice", "<other@example.com>", "sender other@example.com of user alice is not in sender.login_maps" },
		{ MAPS, "dora", "<anything@team.example>", NULL },
		{ MAPS, "alice", "<anything@team.example>", "may use" },
		{ MAPS, "shop", "<orders@shop.example>", NULL },
		{ MAPS, "alice", "<>", NULL },
		/* a relay client that did not log in has no name to hold against the map */
		{ MAPS, NULL, "<ceo@example.com>", NULL },
		{ "", "alice", "<anything@anywhere.example>", NULL },
		/* unreadable, whoever sends it */
		{ "", "alice", "<alice@>", "malformed" },
		{ "", NULL, "<a b@example.com>", "malformed" },
		{ "", NULL, "<alice@example.com", "malformed" },
		{ "", "alice", "<alice>", "sender alice has no domain" },
		{ "", NULL, "alice", "has no domain" },
		{ "", "alice", "alice@example.com", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = fixture_new(cases[i].conf);
		char label[200];

		snprintf(label, sizeof(label), "%s as %s", cases[i].user ? cases[i].user : "nobody", cases[i].sender);
		fixture_login(f, cases[i].user);
		fixture_mail(f, cases[i].sender);
		fixture_judge(f, &check_sender, STAGE_MAIL);
		fixture_expect(f, label, CLASS_SENDER_INVALID, cases[i].detail);
		fixture_free(f);
	}
}

static void names_are_separated_by_commas_and_blanks(void **state)
{
	static const char *const users[] = { "ann", "bert", "carl", "dora" };
	char path[] = "/tmp/winnow-logins-XXXXXX", conf[200];
	int fd = mkstemp(path);
	struct fixture *f;

	(void)state;
	assert_int_equal(dprintf(fd, "ceo@example.com ann bert,carl , dora\n"), 37);
	close(fd);
	snprintf(conf, sizeof(conf), "sender { login_maps = \"file:%s\" }", path);
	f = fixture_new(conf);
	unlink(path);
	fixture_mail(f, "<ceo@example.com>");
	for (size_t i = 0; i < 4; i++) {
		fixture_login(f, users[i]);
		fixture_judge(f, &check_sender, STAGE_MAIL);
		fixture_expect(f, users[i], CLASS_SENDER_INVALID, NULL);
	}
	fixture_login(f, "erik");
	fixture_judge(f, &check_sender, STAGE_MAIL);
	fixture_expect(f, "erik", CLASS_SENDER_INVALID, "erik");
	fixture_free(f);
}

static void inbound_senders_are_not_judged_here(void **state)
{
	struct fixture *f = fixture_new(MAPS);

	(void)state;
	fixture_mail(f, "<not an address>");
	fixture_judge(f, &check_sender, STAGE_MAIL);
	fixture_expect(f, "inbound", CLASS_SENDER_INVALID, NULL);
	fixture_free(f);
}

static const char zone_text[] =
	"mx.example MX 10 gone.example\na.example A 192.0.2.7\nsix.example AAAA 2001:db8::7\ntext.example TXT x\nnull.example MX 0 .\nnull.example A 192.0.2.7\nsf.example * !fail\nsilent.example * !late\n"
	"xn--mller-kva.example TXT x\n";

/* Inbound it is dns-missing, outbound sender-invalid. */
static void senders_whose_domain_takes_no_mail_are_reported(void **state)
{
	static const struct { const char *sender, *detail, *note; enum class_case special; } cases[] = {
		{ "<bob@gone.example>", "sender domain gone.example does not exist in DNS", NULL, CASE_USUAL },
		{ "<bob@Text.Example>", "sender domain text.example has neither MX nor A nor AAAA", NULL, CASE_USUAL },
		{ "<bob@null.example>", "sender domain null.example takes no mail (null MX)", NULL, CASE_NULL_MX },
		{ "<bob@m\xc3\xbcller.example>", "has neither MX nor A nor AAAA", NULL, CASE_USUAL },
		{ "<bob@localhost>", "does not exist", NULL, CASE_USUAL },
		{ "<bob@mx.example>", NULL, NULL, CASE_USUAL },
		{ "<bob@a.example>", NULL, NULL, CASE_USUAL },
		{ "<bob@six.example>", NULL, NULL, CASE_USUAL },
		{ "<bob@sf.example>", NULL, "domain sf.example: MX sf.example: the name servers failed", CASE_USUAL },
		{ "<bob@silent.example>", NULL, "no answer in time", CASE_USUAL },
		{ "<bob@[192.0.2.1]>", NULL, NULL, CASE_USUAL },
		{ "<bob@ours.example>", NULL, NULL, CASE_USUAL },
		{ "<bob@section.example>", NULL, NULL, CASE_USUAL },
		{ "<>", NULL, NULL, CASE_USUAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int k = 0; k < 4; k++) {
			struct network net = network_new("domains = \"inline:ours.example\"  domain \"section.example\" { }", zone_text, k & 1);
			bool outbound = k & 2;
			const char *note;

			if (outbound)
				fixture_outbound(net.f);
			fixture_mail(net.f, cases[i].sender);
			network_judge(&net, &check_sender, STAGE_MAIL);
			fixture_expect(net.f, cases[i].sender, CLASS_DNS_MISSING, outbound ? NULL : cases[i].detail);
			fixture_expect(net.f, cases[i].sender, CLASS_SENDER_INVALID, outbound ? cases[i].detail : NULL);
			fixture_expect(net.f, cases[i].sender, CLASS_INTERNAL_ERROR, NULL);
			if (!outbound && cases[i].detail != NULL)
				assert_int_equal(fixture_finding(net.f, CLASS_DNS_MISSING)->special, cases[i].special);
			note = fixture_note(net.f, "sender");
			if ((note != NULL) != (cases[i].note != NULL) || (note != NULL && strstr(note, cases[i].note) == NULL))
				fail_msg("%s: note %s", cases[i].sender, note != NULL ? note : "none");
			network_free(&net);
		}
	}
}

static void whose_domain_does_not_matter_is_not_asked_about(void **state)
{
	static const struct { const char *client, *sender, *user; bool trusted; size_t asked; } cases[] = {
		{ "11.22.33.44", "<bob@gone.example>", NULL, false, 3 },
		{ "11.22.33.44", "<bob@gone.example>", NULL, true, 0 },
		{ NULL, "<bob@gone.example>", NULL, false, 0 },
		{ NULL, "<bob@gone.example>", "alice", false, 3 },
		{ "11.22.33.44", "<bob@>", NULL, false, 0 },
		{ "11.22.33.44", "<bob>", NULL, false, 0 },
		{ "11.22.33.44", "<>", NULL, false, 0 },
		{ "11.22.33.44", "<bob@[192.0.2.1]>", NULL, false, 0 },
		{ "11.22.33.44", "<bob@ours.example>", NULL, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct network net = network_new("domains = \"inline:ours.example\"", zone_text, false);

		fixture_client(net.f, cases[i].client);
		net.f->s.trusted = cases[i].trusted;
		if (cases[i].user != NULL)
			fixture_login(net.f, cases[i].user);
		fixture_mail(net.f, cases[i].sender);
		network_judge(&net, &check_sender, STAGE_MAIL);
		if (net.z->asked != cases[i].asked)
			fail_msg("%s: %zu questions", cases[i].sender, net.z->asked);
		network_free(&net);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(senders_that_the_user_may_not_use_are_reported),
		cmocka_unit_test(names_are_separated_by_commas_and_blanks),
		cmocka_unit_test(inbound_senders_are_not_judged_here),
		cmocka_unit_test(senders_whose_domain_takes_no_mail_are_reported),
		cmocka_unit_test(whose_domain_does_not_matter_is_not_asked_about),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
