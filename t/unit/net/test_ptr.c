/* test_ptr.c - a client's name is the one that has its address: results of iprev, whatever the order of answers; how much is asked */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/ptr.h"
#include "spf/zone.h"

#define TEN "1.2.0.192.in-addr.arpa PTR n1.example\n1.2.0.192.in-addr.arpa PTR n2.example\n1.2.0.192.in-addr.arpa PTR n3.example\n1.2.0.192.in-addr.arpa PTR n4.example\n" \
	"1.2.0.192.in-addr.arpa PTR n5.example\n1.2.0.192.in-addr.arpa PTR n6.example\n1.2.0.192.in-addr.arpa PTR n7.example\n1.2.0.192.in-addr.arpa PTR n8.example\n" \
	"1.2.0.192.in-addr.arpa PTR n9.example\n1.2.0.192.in-addr.arpa PTR n10.example\n"
#define SIX "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"

/* Runs it as a chain is run: again as answers come; what is silent reads late at last. */
static enum ptr_result run(struct zone *z, struct answers *answers, const char *client, struct ptr_outcome *o)
{
	struct ip ip;

	assert_true(ip_parse(client, &ip));
	while (ptr_check(answers, &ip, o) == PTR_PENDING) {
		if (zone_step(z))
			continue;
		answers_late(answers, true);
		assert_int_not_equal(ptr_check(answers, &ip, o), PTR_PENDING);
		answers_late(answers, false);
		break;
	}
	z->n_queue = 0;
	assert_int_equal(o->result == PTR_PENDING, false);
	return o->result;
}

static void a_name_is_confirmed_by_its_addresses(void **state)
{
	static const struct { const char *zone, *client; enum ptr_result result; const char *name; size_t asked; } cases[] = {
		{ "1.2.0.192.in-addr.arpa PTR mail.example\nmail.example A 192.0.2.1\n", "192.0.2.1", PTR_PASS, "mail.example", 2 },
		{ "1.2.0.192.in-addr.arpa PTR mail.example\nmail.example A 192.0.2.9\nmail.example A 192.0.2.1\n", "192.0.2.1", PTR_PASS, "mail.example", 2 },
		{ "1.2.0.192.in-addr.arpa PTR mail.example\nmail.example A 192.0.2.9\n", "192.0.2.1", PTR_FAIL, "mail.example", 2 },
		{ "1.2.0.192.in-addr.arpa PTR mail.example\n", "192.0.2.1", PTR_FAIL, "mail.example", 2 },
		{ "1.2.0.192.in-addr.arpa PTR mail.example\nmail.example AAAA 2001:db8::1\n", "192.0.2.1", PTR_FAIL, "mail.example", 2 },
		{ SIX " PTR mail.example\nmail.example AAAA 2001:db8::1\n", "2001:db8::1", PTR_PASS, "mail.example", 2 },
		{ SIX " PTR mail.example\nmail.example A 192.0.2.1\n", "2001:db8::1", PTR_FAIL, "mail.example", 2 },
		{ "", "192.0.2.1", PTR_PERMERROR, NULL, 1 },
		{ "1.2.0.192.in-addr.arpa * !nodata\n", "192.0.2.1", PTR_PERMERROR, NULL, 1 },
		{ "1.2.0.192.in-addr.arpa PTR !fail\n", "192.0.2.1", PTR_TEMPERROR, NULL, 1 },
		{ "1.2.0.192.in-addr.arpa PTR !late\n", "192.0.2.1", PTR_TEMPERROR, NULL, 1 },
		{ "1.2.0.192.in-addr.arpa PTR mail.example\nmail.example A !fail\n", "192.0.2.1", PTR_TEMPERROR, "mail.example", 2 },
		{ "1.2.0.192.in-addr.arpa PTR mail.example\nmail.example A !late\n", "192.0.2.1", PTR_TEMPERROR, "mail.example", 2 },
		/* one of several; silence matters only where none confirms */
		{ "1.2.0.192.in-addr.arpa PTR a.example\n1.2.0.192.in-addr.arpa PTR b.example\na.example A 192.0.2.9\nb.example A 192.0.2.1\n", "192.0.2.1", PTR_PASS, "b.example", 3 },
		{ "1.2.0.192.in-addr.arpa PTR a.example\n1.2.0.192.in-addr.arpa PTR b.example\na.example A !late\nb.example A 192.0.2.1\n", "192.0.2.1", PTR_PASS, "b.example", 3 },
		{ "1.2.0.192.in-addr.arpa PTR a.example\n1.2.0.192.in-addr.arpa PTR b.example\na.example A 192.0.2.9\nb.example A !fail\n", "192.0.2.1", PTR_TEMPERROR, "a.example", 3 },
		/* ten, and no more */
		{ TEN "n10.example A 192.0.2.1\n", "192.0.2.1", PTR_PASS, "n10.example", 11 },
		{ TEN "1.2.0.192.in-addr.arpa PTR n11.example\nn11.example A 192.0.2.1\n", "192.0.2.1", PTR_FAIL, "n1.example", 11 },
		/* names that no host has are neither asked for nor shown */
		{ "1.2.0.192.in-addr.arpa PTR a\\xffb.example\n1.2.0.192.in-addr.arpa PTR x\\x0dy\n1.2.0.192.in-addr.arpa PTR .\n1.2.0.192.in-addr.arpa PTR a b.example\n", "192.0.2.1", PTR_FAIL, NULL, 1 },
		{ "1.2.0.192.in-addr.arpa PTR (x);iprev=pass\n1.2.0.192.in-addr.arpa PTR _ok-1.example\n_ok-1.example A 192.0.2.1\n", "192.0.2.1", PTR_PASS, "_ok-1.example", 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (unsigned seed = 0; seed <= 4; seed++) {
			struct zone *z = zone_new(cases[i].zone);
			struct answers *answers = answers_new(&z->asker);
			struct ptr_outcome o;

			z->queued = seed > 0;    /* answers come one by one, in another order each time */
			z->seed = seed * 7919;
			if (run(z, answers, cases[i].client, &o) != cases[i].result || z->asked != cases[i].asked)
				fail_msg("case %zu, seed %u: %d, asked %zu\n%s", i, seed, o.result, z->asked, cases[i].zone);
			assert_true((o.name == NULL) == (cases[i].name == NULL));
			if (o.name != NULL)
				assert_string_equal(o.name, cases[i].name);
			/* again: nothing new is asked */
			assert_int_equal(run(z, answers, cases[i].client, &o), cases[i].result);
			assert_int_equal(z->asked, cases[i].asked);
			answers_unref(answers);
			talloc_free(z);
		}
	}
}

static void questions_stand_below_arpa(void **state)
{
	char name[PTR_QUESTION_MAX];
	struct ip ip;

	(void)state;
	assert_true(ip_parse("192.0.2.255", &ip));
	ptr_question(&ip, name);
	assert_string_equal(name, "255.2.0.192.in-addr.arpa");
	assert_true(ip_parse("255.255.255.255", &ip));
	ptr_question(&ip, name);
	assert_string_equal(name, "255.255.255.255.in-addr.arpa");
	assert_true(ip_parse("2001:db8::1", &ip));
	ptr_question(&ip, name);
	assert_string_equal(name, SIX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_confirmed_by_its_addresses),
		cmocka_unit_test(questions_stand_below_arpa),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
