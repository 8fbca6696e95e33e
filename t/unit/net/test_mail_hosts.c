/* test_mail_hosts.c - where mail for a domain goes: a zone, domains, what they must give, whatever the order in which answers come */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/mail_hosts.h"
#include "spf/zone.h"

static const char zone_text[] =
	"mx.example MX 20 b.mx.example\nmx.example MX 5 a.mx.example\nmx.example A 192.0.2.1\na.mx.example A 192.0.2.5\na.mx.example AAAA 2001:db8::5\nb.mx.example AAAA 2001:db8::20\n"
	"a.example A 192.0.2.7\nsix.example AAAA 2001:db8::7\ntext.example TXT hello\nnull.example MX 0 .\nnull.example A 192.0.2.1\nodd.example MX 10 .\ntwonull.example MX 0 .\n"
	"twonull.example MX 10 .\nmixed.example MX 0 .\nmixed.example MX 10 a.mx.example\nalias.example CNAME a.example\ngone-alias.example CNAME gone.example\nnull-alias.example CNAME null.example\n"
	"dead.example MX 10 gone.example\ndead.example MX 20 text.example\ndead.example A 192.0.2.1\nhalf.example MX 10 gone.example\nhalf.example MX 20 sf.example\nnumber.example MX 10 192.0.2.9\n"
	"sf.example * !fail\nsilent.example * !late\nsf6.example AAAA !fail\nsf6.example MX !nodata\nsf46.example AAAA !fail\nsf46.example A 192.0.2.3\nsfmx.example MX !fail\nsfmx.example A 192.0.2.3\n"
	"same.example MX 10 c.mx.example\nsame.example MX 10 a.mx.example\nsame.example MX 10 B.mx.example\nlater.example MX 10 silent.example\nlater.example MX 20 a.mx.example\n"
	"xn--mller-kva.example MX 10 a.mx.example\nbad.example MX what\nbadip.example A nonsense\n"
	"many.example MX 13 m13.example\nmany.example MX 1 m1.example\nmany.example MX 12 m12.example\nmany.example MX 2 m2.example\nmany.example MX 11 m11.example\nmany.example MX 3 m3.example\n"
	"many.example MX 10 m10.example\nmany.example MX 4 m4.example\nmany.example MX 9 m9.example\nmany.example MX 5 m5.example\nmany.example MX 8 m8.example\nmany.example MX 6 m6.example\nmany.example MX 7 m7.example\n";

/* "5 a.mx.example=192.0.2.5,2001:db8::5; 20 b..." with ! for a missing host, ? for an unknown one, - for one that was not asked for */
static char *hosts_text(TALLOC_CTX *mem, const struct mail_hosts *h)
{
	char *out = talloc_strdup(mem, h->cut ? "cut: " : "");

	for (size_t i = 0; i < h->n; i++) {
		static const char *const marks[] = { [HOST_UNASKED] = "-", [HOST_FOUND] = "=", [HOST_MISSING] = "!", [HOST_UNKNOWN] = "?" };
		char ip[IP_TEXT_MAX];

		out = talloc_asprintf_append(out, "%s%u %s%s", i > 0 ? "; " : "", h->hosts[i].preference, h->hosts[i].name, marks[h->hosts[i].state]);
		assert_true((h->hosts[i].n_ips > 0) == (h->hosts[i].state == HOST_FOUND));
		for (size_t j = 0; j < h->hosts[i].n_ips; j++)
			out = talloc_asprintf_append(out, "%s%s", j > 0 ? "," : "", ip_print(&h->hosts[i].ips[j], ip));
	}
	return out;
}

static const char *const states[] = {
	[MAIL_PENDING] = "pending", [MAIL_TO_HOSTS] = "hosts", [MAIL_NULL_MX] = "null", [MAIL_NO_NAME] = "no name", [MAIL_NO_RECORDS] = "no records", [MAIL_UNKNOWN] = "unknown",
};

/* As an engine would run the chain: again after each answer, at last with what is silent read as late. */
static void run(struct zone *z, TALLOC_CTX *mem, const char *domain, enum mail_question question, struct mail_hosts *h)
{
	struct answers *answers = answers_new(&z->asker);

	while (mail_hosts(mem, answers, domain, question, h) == MAIL_PENDING) {
		if (zone_step(z))
			continue;
		answers_late(answers, true);
		assert_int_not_equal(mail_hosts(mem, answers, domain, question, h), MAIL_PENDING);
		break;
	}
	assert_true(h->state != MAIL_UNKNOWN || h->why[0] != '\0');
	/* the table must not be gone where names of it are still read */
	for (size_t i = 0; i < h->n; i++)
		((struct mail_host *)(uintptr_t)h->hosts)[i].name = talloc_strdup(mem, h->hosts[i].name);
	z->n_queue = 0;
	answers_unref(answers);
}

static void domains_have_hosts_or_say_why_not(void **state)
{
	static const struct { const char *domain; enum mail_question question; enum mail_state want; const char *hosts, *why; } cases[] = {
		{ "mx.example", MAIL_ASK_ADDRESSES, MAIL_TO_HOSTS, "5 a.mx.example=192.0.2.5,2001:db8::5; 20 b.mx.example=2001:db8::20", "" },
		{ "MX.Example", MAIL_ASK_NAMES, MAIL_TO_HOSTS, "5 a.mx.example-; 20 b.mx.example-", "" },
		{ "mx.example", MAIL_ASK_HOST, MAIL_TO_HOSTS, "0 mx.example=192.0.2.1", "" },
		{ "same.example", MAIL_ASK_NAMES, MAIL_TO_HOSTS, "10 a.mx.example-; 10 B.mx.example-; 10 c.mx.example-", "" },
		/* no MX */
		{ "a.example", MAIL_ASK_NAMES, MAIL_TO_HOSTS, "0 a.example=192.0.2.7", "" },
		{ "six.example", MAIL_ASK_NAMES, MAIL_TO_HOSTS, "0 six.example=2001:db8::7", "" },
		{ "alias.example", MAIL_ASK_ADDRESSES, MAIL_TO_HOSTS, "0 alias.example=192.0.2.7", "" },
		{ "text.example", MAIL_ASK_NAMES, MAIL_NO_RECORDS, "0 text.example!", "" },
		{ "gone.example", MAIL_ASK_NAMES, MAIL_NO_NAME, "0 gone.example!", "" },
		{ "gone-alias.example", MAIL_ASK_NAMES, MAIL_NO_NAME, "0 gone-alias.example!", "" },
		{ "gone.example", MAIL_ASK_HOST, MAIL_NO_NAME, "0 gone.example!", "" },
		{ "192.0.2.1", MAIL_ASK_NAMES, MAIL_NO_NAME, "0 192.0.2.1!", "" },
		{ "", MAIL_ASK_NAMES, MAIL_NO_NAME, "0 !", "" },
		/* RFC 7505 */
		{ "null.example", MAIL_ASK_NAMES, MAIL_NULL_MX, "", "" },
		{ "odd.example", MAIL_ASK_ADDRESSES, MAIL_NULL_MX, "", "" },
		{ "twonull.example", MAIL_ASK_NAMES, MAIL_NULL_MX, "", "" },
		{ "null-alias.example", MAIL_ASK_NAMES, MAIL_NULL_MX, "", "" },
		{ "null.example", MAIL_ASK_HOST, MAIL_TO_HOSTS, "0 null.example=192.0.2.1", "" },
		{ "mixed.example", MAIL_ASK_NAMES, MAIL_TO_HOSTS, "10 a.mx.example-", "" },
		/* hosts that are missing are told, and the domain's own address is not used for them */
		{ "dead.example", MAIL_ASK_ADDRESSES, MAIL_TO_HOSTS, "10 gone.example!; 20 text.example!", "" },
		{ "half.example", MAIL_ASK_ADDRESSES, MAIL_TO_HOSTS, "10 gone.example!; 20 sf.example?", "A sf.example: the name servers failed" },
		{ "later.example", MAIL_ASK_ADDRESSES, MAIL_TO_HOSTS, "10 silent.example?; 20 a.mx.example=192.0.2.5,2001:db8::5", "A silent.example: no answer in time" },
		{ "number.example", MAIL_ASK_ADDRESSES, MAIL_TO_HOSTS, "10 192.0.2.9=192.0.2.9", "" },
		{ "many.example", MAIL_ASK_NAMES, MAIL_TO_HOSTS, "cut: 1 m1.example-; 2 m2.example-; 3 m3.example-; 4 m4.example-; 5 m5.example-; 6 m6.example-; 7 m7.example-; 8 m8.example-; "
			"9 m9.example-; 10 m10.example-", "" },
		/* failures say nothing of the domain */
		{ "sf.example", MAIL_ASK_NAMES, MAIL_UNKNOWN, "", "MX sf.example: the name servers failed" },
		{ "silent.example", MAIL_ASK_NAMES, MAIL_UNKNOWN, "", "MX silent.example: no answer in time" },
		{ "sfmx.example", MAIL_ASK_NAMES, MAIL_UNKNOWN, "", "MX sfmx.example: the name servers failed" },
		{ "sf6.example", MAIL_ASK_NAMES, MAIL_UNKNOWN, "0 sf6.example?", "AAAA sf6.example: the name servers failed" },
		{ "sf46.example", MAIL_ASK_NAMES, MAIL_TO_HOSTS, "0 sf46.example=192.0.2.3", "AAAA sf46.example: the name servers failed" },
		{ "bad.example", MAIL_ASK_NAMES, MAIL_UNKNOWN, "", "records that cannot be read, or no memory" },
		/* IDN */
		{ "m\xc3\xbcller.example", MAIL_ASK_NAMES, MAIL_TO_HOSTS, "10 a.mx.example-", "" },
		{ "M\xc3\x9cLLER.example", MAIL_ASK_NAMES, MAIL_TO_HOSTS, "10 a.mx.example-", "" },
		{ "m\xc3\xb6ller.example", MAIL_ASK_NAMES, MAIL_NO_NAME, "0 xn--mller-jua.example!", "" },
		{ "m\xff.example", MAIL_ASK_NAMES, MAIL_UNKNOWN, "", "it cannot be written as a name of DNS" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (unsigned seed = 0; seed < 4; seed++) {
			TALLOC_CTX *mem = talloc_new(NULL);
			struct zone *z = zone_new(zone_text);
			struct mail_hosts h;
			char *text;

			z->queued = seed > 0;
			z->seed = seed * 7919;
			run(z, mem, cases[i].domain, cases[i].question, &h);
			text = hosts_text(mem, &h);
			if (h.state != cases[i].want || strcmp(text, cases[i].hosts) != 0)
				fail_msg("%s: %s \"%s\", not %s", cases[i].domain, states[h.state], text, states[cases[i].want]);
			/* which of several failures is told depends on which came */
			if (strcmp(h.why, cases[i].why) != 0 && (seed == 0 || h.why[0] == '\0'))
				fail_msg("%s: why \"%s\"", cases[i].domain, h.why);
			talloc_free(z);
			talloc_free(mem);
		}
	}
}

static void addresses_that_cannot_be_read_are_none(void **state)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct zone *z = zone_new(zone_text);
	struct mail_hosts h;

	(void)state;
	run(z, mem, "badip.example", MAIL_ASK_HOST, &h);
	assert_int_equal(h.hosts[0].n_ips, 0);
	talloc_free(z);
	talloc_free(mem);
}

static void only_what_is_needed_is_asked(void **state)
{
	static const struct { const char *domain; enum mail_question question; size_t asked; } cases[] = {
		{ "mx.example", MAIL_ASK_NAMES, 1 }, { "mx.example", MAIL_ASK_ADDRESSES, 5 }, { "mx.example", MAIL_ASK_HOST, 2 }, { "a.example", MAIL_ASK_NAMES, 3 },
		{ "null.example", MAIL_ASK_ADDRESSES, 1 }, { "number.example", MAIL_ASK_ADDRESSES, 1 }, { "sf.example", MAIL_ASK_ADDRESSES, 1 }, { "m\xff.example", MAIL_ASK_ADDRESSES, 0 },
		{ "many.example", MAIL_ASK_ADDRESSES, 1 + 2 * MAIL_HOSTS_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct zone *z = zone_new(zone_text);
		struct mail_hosts h;

		run(z, mem, cases[i].domain, cases[i].question, &h);
		if (z->asked != cases[i].asked)
			fail_msg("%s: %zu questions, not %zu", cases[i].domain, z->asked, cases[i].asked);
		talloc_free(z);
		talloc_free(mem);
	}
}

static void a_domain_is_a_dead_end_only_when_all_its_hosts_are_known_to_be_missing(void **state)
{
	static const struct { const char *domain; bool missing; } cases[] = {
		{ "dead.example", true }, { "gone.example", true }, { "mx.example", false }, { "half.example", false }, { "later.example", false }, { "many.example", false },
		{ "sf.example", false }, { "null.example", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct zone *z = zone_new(zone_text);
		struct mail_hosts h;

		run(z, mem, cases[i].domain, MAIL_ASK_ADDRESSES, &h);
		if (mail_hosts_missing(&h) != cases[i].missing)
			fail_msg("%s: %d", cases[i].domain, mail_hosts_missing(&h));
		talloc_free(z);
		talloc_free(mem);
	}
}

static void mx_records_are_read_strictly(void **state)
{
	static const char *const records[] = { "10 b", "5 c", "x d", "70000 e", "10 .", "7", "7 ", "8\ti", "10 a", "-1 j", "65535 k" };
	struct mx mx[sizeof(records) / sizeof(records[0])];
	size_t nulls, n;

	(void)state;
	n = mx_read(records, sizeof(records) / sizeof(records[0]), mx, &nulls);
	assert_int_equal(n, 4);
	assert_int_equal(nulls, 1);
	assert_string_equal(mx[0].name, "c");
	assert_string_equal(mx[1].name, "a");
	assert_string_equal(mx[2].name, "b");
	assert_int_equal(mx[3].preference, 65535);
	assert_int_equal(mx_read(records, 0, mx, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domains_have_hosts_or_say_why_not),
		cmocka_unit_test(addresses_that_cannot_be_read_are_none),
		cmocka_unit_test(only_what_is_needed_is_asked),
		cmocka_unit_test(a_domain_is_a_dead_end_only_when_all_its_hosts_are_known_to_be_missing),
		cmocka_unit_test(mx_records_are_read_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
