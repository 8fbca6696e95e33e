/* test_dmarc_record.c - DMARC records: which text is one, and what its tags say */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/dmarc_private.h"

static void a_record_begins_with_its_version(void **state)
{
	static const char *const good[] = { "v=DMARC1", "v=DMARC1;", "v=DMARC1; p=none", "v = DMARC1 ;p=none", "V=DMARC1;", "v=DMARC1\t; p=none", "v=DMARC1;;;" };
	static const char *const bad[] = { "", "v", "v=", "v=dmarc1; p=none", "v=DMARC10; p=none", "v=DMARC1.0; p=none", "v=DMARC1 p=none", " v=DMARC1; p=none", "p=none; v=DMARC1", "p=none",
		"v=DMARC2; p=none", "v=spf1 -all", ";v=DMARC1", "w=DMARC1", "\"v=DMARC1\"" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!dmarc_is_record(good[i]))
			fail_msg("%s is none", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (dmarc_is_record(bad[i]))
			fail_msg("%s is one", bad[i]);
}

/* A record as text: everything that was read. */
static char *shown(TALLOC_CTX *mem, const char *text)
{
	struct dmarc_record r;

	assert_true(dmarc_record_parse(mem, text, &r));
	return talloc_asprintf(mem, "p=%s sp=%s np=%s %s%s%s%s%c %d fo=%u rua=%s ruf=%s", dmarc_policy_name(r.p), dmarc_policy_name(r.sp), dmarc_policy_name(r.np),
		r.usable ? r.substituted ? "as-none " : "" : "useless ", r.strict_dkim ? "adkim=s " : "", r.strict_spf ? "aspf=s " : "", r.testing ? "test " : "", r.psd, r.pct, r.fo, r.rua, r.ruf);
}

static void tags_are_read_strictly_and_have_defaults(void **state)
{
	static const struct { const char *text, *want; } cases[] = {
		{ "v=DMARC1; p=reject", "p=reject sp= np= u -1 fo=0 rua= ruf=" },
		{ "v=DMARC1;p=none;sp=quarantine;np=reject;adkim=s;aspf=s;psd=n;t=y;pct=50;fo=1:d:s", "p=none sp=quarantine np=reject adkim=s aspf=s test n 50 fo=14 rua= ruf=" },
		{ "v=DMARC1 ; P = REJECT ; SP = None ;ADKIM=R; t=N; psd=Y ;", "p=reject sp=none np= y -1 fo=0 rua= ruf=" },
		{ "v=DMARC1; aspf=s; p=quarantine", "p=quarantine sp= np= aspf=s u -1 fo=0 rua= ruf=" },
		/* bad values of tags that have defaults */
		{ "v=DMARC1; p=none; adkim=x; aspf=strict; psd=z; t=yes; pct=abc; fo=9", "p=none sp= np= u -1 fo=0 rua= ruf=" },
		{ "v=DMARC1; p=none; pct=101", "p=none sp= np= u -1 fo=0 rua= ruf=" },
		{ "v=DMARC1; p=none; pct=-1", "p=none sp= np= u -1 fo=0 rua= ruf=" },
		{ "v=DMARC1; p=none; pct=0", "p=none sp= np= u 0 fo=0 rua= ruf=" },
		{ "v=DMARC1; p=none; pct=00100", "p=none sp= np= u -1 fo=0 rua= ruf=" },
		{ "v=DMARC1; p=none; pct=100", "p=none sp= np= u 100 fo=0 rua= ruf=" },
		{ "v=DMARC1; p=none; fo=0:", "p=none sp= np= u -1 fo=0 rua= ruf=" },
		{ "v=DMARC1; p=none; fo= 0 : s ", "p=none sp= np= u -1 fo=9 rua= ruf=" },
		/* unknown tags, and what is no tag */
		{ "v=DMARC1; frob=1; hello; =x; p=none; rf=afrf; ri=86400; ;;", "p=none sp= np= u -1 fo=0 rua= ruf=" },
		{ "v=DMARC1; p=none; t=\x01y; \xff=1; adkim=s\xff", "p=none sp= np= u -1 fo=0 rua= ruf=" },
		/* policies */
		{ "v=DMARC1", "p= sp= np= useless u -1 fo=0 rua= ruf=" },
		{ "v=DMARC1; p=r", "p= sp= np= useless u -1 fo=0 rua= ruf=" },
		{ "v=DMARC1; p=rejected", "p= sp= np= useless u -1 fo=0 rua= ruf=" },
		{ "v=DMARC1; p=reject rua=mailto:a@b.example", "p= sp= np= useless u -1 fo=0 rua= ruf=" },
		{ "v=DMARC1; p=", "p= sp= np= useless u -1 fo=0 rua= ruf=" },
		{ "v=DMARC1; p=reject; sp=x", "p=reject sp= np= useless u -1 fo=0 rua= ruf=" },
		{ "v=DMARC1; p=reject; np=", "p=reject sp= np= useless u -1 fo=0 rua= ruf=" },
		{ "v=DMARC1; p=reject; sp=x; rua=mailto:a@b.example", "p=reject sp= np= as-none u -1 fo=0 rua=mailto:a@b.example ruf=" },
		{ "v=DMARC1; rua=mailto:a@b.example", "p= sp= np= as-none u -1 fo=0 rua=mailto:a@b.example ruf=" },
		{ "v=DMARC1; sp=reject; rua=mailto:a@b.example", "p= sp=reject np= as-none u -1 fo=0 rua=mailto:a@b.example ruf=" },
		{ "v=DMARC1; p=reject\x80; rua=mailto:a@b.example", "p= sp= np= as-none u -1 fo=0 rua=mailto:a@b.example ruf=" },
		/* twice */
		{ "v=DMARC1; p=reject; p=none", "p= sp= np= useless u -1 fo=0 rua= ruf=" },
		{ "v=DMARC1; p=reject; p=reject", "p=reject sp= np= u -1 fo=0 rua= ruf=" },
		{ "v=DMARC1; p=reject; adkim=s; adkim=r", "p=reject sp= np= u -1 fo=0 rua= ruf=" },
	};
	TALLOC_CTX *mem = talloc_new(NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *got = shown(mem, cases[i].text);

		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s: %s, not %s", cases[i].text, got, cases[i].want);
	}
	talloc_free(mem);
}

static void addresses_for_reports_are_those_that_mail_can_reach(void **state)
{
	static const struct { const char *value, *want; } cases[] = {
		{ "mailto:a@b.example", "mailto:a@b.example" },
		{ "mailto:a@b.example!10m", "mailto:a@b.example" },
		{ "mailto:a@b.example!500", "mailto:a@b.example" },
		{ "mailto:a@b.example!", "mailto:a@b.example" },
		{ " MAILTO:a@b.example , mailto:c%2cd@e.example!1K,", "MAILTO:a@b.example,mailto:c%2cd@e.example" },
		{ "https://b.example/x", "" }, { "a@b.example", "" }, { "mailto:", "" }, { "mailto:@b.example", "" }, { "mailto:a@", "" }, { "mailto:a", "" },
		{ "mailto:a@b", "" }, { "mailto:a@b..example", "" }, { "mailto:a b@c.example", "" }, { "mailto:a@b@c.example", "" }, { "mailto:a@b.example?subject=x", "" },
		{ "mailto:<a@b.example>", "" }, { "mailto:a\"@b.example", "" }, { "mailto:a@[192.0.2.1]", "" }, { "mailto:a@b.example!10x", "" },
		{ "x,,mailto:a@b.example", "mailto:a@b.example" },
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	struct dmarc_record r;
	char *many;
	size_t n = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(dmarc_record_parse(mem, talloc_asprintf(mem, "v=DMARC1; p=none; rua=%s; ruf=%s", cases[i].value, cases[i].value), &r));
		if (strcmp(r.rua, cases[i].want) != 0 || strcmp(r.ruf, cases[i].want) != 0)
			fail_msg("%s: %s, not %s", cases[i].value, r.rua, cases[i].want);
	}
	many = talloc_strdup(mem, "v=DMARC1; p=none; rua=mailto:a@b.example");
	for (int i = 0; i < 500; i++)
		many = talloc_strdup_append(many, ",mailto:a@b.example");
	assert_true(dmarc_record_parse(mem, many, &r));
	for (const char *c = r.rua; *c != '\0'; c++)
		n += *c == ',';
	assert_int_equal(n, DMARC_URIS_MAX);
	talloc_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_begins_with_its_version),
		cmocka_unit_test(tags_are_read_strictly_and_have_defaults),
		cmocka_unit_test(addresses_for_reports_are_those_that_mail_can_reach),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
