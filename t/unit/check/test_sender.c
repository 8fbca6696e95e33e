/* test_sender.c - which senders a submission may bear */
#include "fixture.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(senders_that_the_user_may_not_use_are_reported),
		cmocka_unit_test(names_are_separated_by_commas_and_blanks),
		cmocka_unit_test(inbound_senders_are_not_judged_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
