/* test_spf_limits.c - limits over the whole check (RFC 7208 section 4.6.4), which error comes first, what a chain asks, what an outcome says, and each measured defect of libspf2 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "unit/net/spf_play.h"

static void ten_terms_may_ask_dns(void **state)
{
	static const char zone[] =
		"h.example A 192.0.2.99\nh.example MX 10 h.example\n"
		"ten.example TXT v=spf1 a:h.example a:h.example a:h.example a:h.example a:h.example a:h.example a:h.example a:h.example a:h.example a:h.example ip4:192.0.2.1 -all\n"
		"eleven.example TXT v=spf1 a:h.example a:h.example a:h.example a:h.example a:h.example a:h.example a:h.example a:h.example a:h.example a:h.example a:h.example ip4:192.0.2.1 -all\n"
		"early.example TXT v=spf1 ip4:192.0.2.1 a:h.example a:h.example a:h.example a:h.example a:h.example a:h.example a:h.example a:h.example a:h.example a:h.example a:h.example -all\n"
		"free.example TXT v=spf1 ip4:1.1.1.1 ip4:1.1.1.1 ip4:1.1.1.1 ip4:1.1.1.1 ip6:::1 ip4:1.1.1.1 ip4:1.1.1.1 ip4:1.1.1.1 ip4:1.1.1.1 ip4:1.1.1.1 ip4:1.1.1.1 ip4:1.1.1.1 ip4:192.0.2.1 -all\n"
		/* a, mx, ptr, exists, include and redirect count: 4 + (1 + 4) + 1, then one more */
		"kinds.example TXT v=spf1 a:h.example mx:h.example ptr exists:%{l}.h.example include:i.example redirect=r%{l}.example\n1.2.0.192.in-addr.arpa PTR z.example\nz.example A 192.0.2.98\n"
		"i.example TXT v=spf1 a:h.example a:h.example a:h.example mx:h.example -all\nr1.example TXT v=spf1 +all\nr2.example TXT v=spf1 a:h.example +all\n1.h.example A 127.0.0.2\nx.example A 127.0.0.2\n"
		"chain.example TXT v=spf1 redirect=c1.example\nc1.example TXT v=spf1 redirect=c2.example\nc2.example TXT v=spf1 redirect=c3.example\nc3.example TXT v=spf1 redirect=c4.example\n"
		"c4.example TXT v=spf1 redirect=c5.example\nc5.example TXT v=spf1 redirect=c6.example\nc6.example TXT v=spf1 redirect=c7.example\nc7.example TXT v=spf1 redirect=c8.example\n"
		"c8.example TXT v=spf1 redirect=c9.example\nc9.example TXT v=spf1 redirect=c10.example\nc10.example TXT v=spf1 ip4:192.0.2.1 -all\n" "chain0.example TXT v=spf1 redirect=chain.example\n"
		"nest.example TXT v=spf1 include:n1.example -all\nn1.example TXT v=spf1 include:n2.example -all\nn2.example TXT v=spf1 include:n3.example -all\nn3.example TXT v=spf1 include:n4.example -all\n"
		"n4.example TXT v=spf1 include:n5.example -all\nn5.example TXT v=spf1 include:n6.example -all\nn6.example TXT v=spf1 include:n7.example -all\nn7.example TXT v=spf1 include:n8.example -all\n"
		"n8.example TXT v=spf1 include:n9.example -all\nn9.example TXT v=spf1 include:n10.example -all\nn10.example TXT v=spf1 ip4:192.0.2.1 -all\n" "nest0.example TXT v=spf1 include:nest.example -all\n";
	static const struct question questions[] = {
		{ V4, "x@ten.example", SPF_PASS },
		{ V4, "x@eleven.example", SPF_PERMERROR },
		{ V4, "x@early.example", SPF_PASS },
		{ V4, "x@free.example", SPF_PASS },
		{ "192.0.2.3", "2@kinds.example", SPF_PERMERROR },
		{ V4, "x@chain.example", SPF_PASS },
		{ V4, "x@chain0.example", SPF_PERMERROR },
		{ V4, "x@nest.example", SPF_PASS },
		{ "192.0.2.2", "x@nest.example", SPF_FAIL },
		{ V4, "x@nest0.example", SPF_PERMERROR },
	};

	(void)state;
	PLAY(zone, questions);
}

static void two_look_ups_may_be_void(void **state)
{
	static const char zone[] =
		"two.example TXT v=spf1 a:v1.example a:v2.example ip4:192.0.2.1 -all\n" "three.example TXT v=spf1 a:v1.example a:v2.example a:v3.example ip4:192.0.2.1 -all\n" "empty.example TXT v=spf1 mx:e.example mx:e.example mx:e.example ip4:192.0.2.1 -all\n"
		"e.example A 192.0.2.9\n" "same.example TXT v=spf1 exists:v1.example exists:v1.example exists:v1.example ip4:192.0.2.1 -all\n" "spread.example TXT v=spf1 include:i1.example a:v2.example ip4:192.0.2.1 -all\n"
		"i1.example TXT v=spf1 a:v1.example exists:v9.example -all\n" "ptr.example TXT v=spf1 ptr a:v1.example a:v2.example ip4:192.0.2.1 -all\n" "ptr2.example TXT v=spf1 ptr a:v1.example ip4:192.0.2.1 -all\n"
		"names.example TXT v=spf1 ptr:%{d1} a:v1.example a:v2.example ip4:192.0.2.7 -all\n7.2.0.192.in-addr.arpa PTR g1.example\n7.2.0.192.in-addr.arpa PTR g2.example\n7.2.0.192.in-addr.arpa PTR g3.example\n"
		"match.example TXT v=spf1 a:v1.example a:v2.example ip4:192.0.2.1 a:v3.example -all\n" "bad.example TXT v=spf1 a:x..example a:x..example a:x..example ip4:192.0.2.1 -all\n"
		"fam.example TXT v=spf1 a:e.example a:e.example a:e.example -all\n";
	static const struct question questions[] = {
		{ V4, "x@two.example", SPF_PASS },
		{ V4, "x@three.example", SPF_PERMERROR },
		{ V4, "x@empty.example", SPF_PERMERROR },
		{ V4, "x@same.example", SPF_PERMERROR },
		{ V4, "x@spread.example", SPF_PERMERROR },
		{ V4, "x@ptr.example", SPF_PERMERROR },
		{ V4, "x@ptr2.example", SPF_PASS },
		{ "192.0.2.7", "x@names.example", SPF_PASS },
		{ V4, "x@match.example", SPF_PASS },
		{ V4, "x@bad.example", SPF_PASS },
		{ V4, "x@fam.example", SPF_FAIL },
		{ V6, "x@fam.example", SPF_PERMERROR },
	};

	(void)state;
	PLAY(zone, questions);
}

static void the_first_error_on_the_way_is_the_result(void **state)
{
	static const char zone[] =
		"sf.example * !fail\n" "tp.example TXT v=spf1 a:sf.example include:missing.example -all\n" "pt.example TXT v=spf1 include:missing.example a:sf.example -all\n" "syn.example TXT v=spf1 a:sf.example foo\n"
		"vt.example TXT v=spf1 a:v1.example a:v2.example a:v3.example a:sf.example -all\n" "tv.example TXT v=spf1 a:v1.example a:v2.example a:sf.example a:v3.example -all\n" "mt.example TXT v=spf1 ip4:192.0.2.1 a:sf.example -all\n"
		"it.example TXT v=spf1 include:tp.example +all\n" "ip.example TXT v=spf1 include:pt.example +all\n" "is.example TXT v=spf1 include:syn.example +all\n";
	static const struct question questions[] = {
		{ "192.0.2.2", "x@tp.example", SPF_TEMPERROR },
		{ "192.0.2.2", "x@pt.example", SPF_PERMERROR },
		{ "192.0.2.2", "x@syn.example", SPF_PERMERROR },
		{ "192.0.2.2", "x@vt.example", SPF_PERMERROR },
		{ "192.0.2.2", "x@tv.example", SPF_TEMPERROR },
		{ V4, "x@mt.example", SPF_PASS },
		{ "192.0.2.2", "x@mt.example", SPF_TEMPERROR },
		{ "192.0.2.2", "x@it.example", SPF_TEMPERROR },
		{ "192.0.2.2", "x@ip.example", SPF_PERMERROR },
		{ "192.0.2.2", "x@is.example", SPF_PERMERROR },
	};

	(void)state;
	PLAY(zone, questions);
}

/* Each row was measured: libspf2 alone gives something else. */
static void what_libspf2_does_otherwise_does_not_matter(void **state)
{
	static const char zone[] =
		"syntax.test TXT v=spf1 ip4:192.0.2.300 -all\nunknown.test TXT v=spf1 foo:bar -all\n" "sf.test TXT !fail\n" "nodata.test A 192.0.2.1\n" "zero.test TXT v=spf1 ip4:0.0.0.0/0 -all\n" "mapped.test TXT v=spf1 ip4:192.0.2.1 -all\n"
		/* the counter restarted in each include: 21 questions, pass */
		"h.test A 192.0.2.99\n" "inc.test TXT v=spf1 include:i1.test include:i2.test include:i3.test include:i4.test +all\ni1.test TXT v=spf1 a:h.test a:h.test a:h.test a:h.test -all\n"
		"i2.test TXT v=spf1 a:h.test a:h.test a:h.test a:h.test -all\ni3.test TXT v=spf1 a:h.test a:h.test a:h.test a:h.test -all\ni4.test TXT v=spf1 a:h.test a:h.test a:h.test a:h.test -all\n"
		"void.test TXT v=spf1 a:v1.test a:v2.test a:v3.test +all\n" "before.test TXT v=spf1 redirect=no.test ip4:192.0.2.1\nno.test TXT v=spf1 -all\n" "withall.test TXT v=spf1 redirect=no.test ~all\n" "twice.test TXT v=spf1 redirect=no.test redirect=yes.test\n"
		"d2.ac.test A 127.0.0.2\n" "trunc.test TXT v=spf1 exists:d2.%{d2}.x -all\nd2.trunc.test.x A 127.0.0.2\n" "l1r.test TXT v=spf1 exists:%{l1r-}.%{d} -all\nstrong.l1r.test A 127.0.0.2\n"
		"la.test TXT v=spf1 include:lb.test -all\nlb.test TXT v=spf1 include:la.test -all\n" "exp.test TXT v=spf1 -all exp=%{l}.exp.test\n" "loop.test TXT v=spf1 -all\nloop6.test TXT v=spf1 -all\n"
		"rev.test TXT v=spf1 exists:%{d1r}.y -all\nrev.y A 127.0.0.2\n" "url.test TXT v=spf1 exists:%{L}.y -all\n%C3%A9.y A 127.0.0.2\n" "ptrdom.test TXT v=spf1 ptr:other.test -all\n"
		"aaaaptr.test TXT v=spf1 ptr -all\n1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR m.aaaaptr.test\nm.aaaaptr.test AAAA 2001:db8::1\n";
	static const struct question questions[] = {
		{ V4, "x@syntax.test", SPF_PERMERROR },
		{ V4, "x@unknown.test", SPF_PERMERROR },
		{ V4, "x@sf.test", SPF_TEMPERROR },
		{ V4, "x@nodata.test", SPF_NONE },
		{ V4, "x@missing.test", SPF_NONE },
		{ V4, "x@zero.test", SPF_PASS },
		{ "::ffff:192.0.2.1", "x@mapped.test", SPF_PASS },
		{ V4, "x@inc.test", SPF_PERMERROR },
		{ V4, "x@void.test", SPF_PERMERROR },
		{ V4, "x@before.test", SPF_PASS },
		{ V4, "x@withall.test", SPF_SOFTFAIL },
		{ V4, "x@twice.test", SPF_PERMERROR },
		{ V4, "x@trunc.test", SPF_PASS },
		{ V4, "strong@l1r.test", SPF_PASS },
		{ V4, "x@la.test", SPF_PERMERROR },
		{ V4, "x@exp.test", SPF_FAIL },
		{ "127.0.0.1", "x@loop.test", SPF_FAIL },
		{ "127.255.0.1", "x@loop.test", SPF_FAIL },
		{ "::1", "x@loop6.test", SPF_FAIL },
		{ V4, "x@rev.test", SPF_PASS },
		{ V4, "\xc3\xa9@url.test", SPF_PASS },
		{ V4, "x@ptrdom.test", SPF_FAIL },
		{ V6, "x@aaaaptr.test", SPF_PASS },
	};

	(void)state;
	PLAY(zone, questions);
}

/* It compiles 511 octets of a record and drops the rest without a word. */
static void long_records_are_evaluated_to_their_end(void **state)
{
	static const size_t lengths[] = { 15, 16, 17, 63, 64, 65, 200, 300, 1000, 4000 };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		for (int six = 0; six < 2; six++) {
			TALLOC_CTX *mem = talloc_new(NULL);
			char *text = talloc_strdup(mem, "");
			struct zone *z = zone_new("");
			struct spf_outcome o;
			char last[60];

			for (size_t n = 0; n < lengths[i] && strlen(text) < 60000; n++)
				text = six ? talloc_asprintf_append_buffer(text, " %cip6:2001:db8:%zx::/48", "+-~?"[n % 4], n + 16) : talloc_asprintf_append_buffer(text, " %cip4:10.%zu.%zu.0/24", "+-~?"[n % 4], n / 256, n % 256);
			snprintf(last, sizeof(last), "%s", six ? "~ip6:fe80::1" : "~ip4:192.0.2.1");
			zone_add(z, talloc_asprintf(mem, "long.example TXT v=spf1%s %s +all", text, last));
			zone_check(z, mem, six ? "fe80::1" : V4, "x@long.example", "h", false, &o, NULL);
			assert_int_equal(o.result, SPF_SOFTFAIL);
			assert_string_equal(o.mechanism, last);
			/* the middle one, by its own qualifier */
			zone_check(z, mem, six ? "2001:db8:17::5" : "10.0.7.9", "x@long.example", "h", false, &o, NULL);
			assert_int_equal(o.result, SPF_NEUTRAL);
			zone_check(z, mem, "203.0.113.1", "x@long.example", "h", false, &o, NULL);
			assert_string_equal(o.mechanism, "+all");
			talloc_free(z);
			talloc_free(mem);
		}
	}
}

static void a_chain_asks_nothing_that_it_need_not_know(void **state)
{
	static const char zone[] =
		"d.example TXT v=spf1 ip4:192.0.2.1 a:a.example include:i.example mx -all exp=e.example\na.example A 192.0.2.2\ni.example TXT v=spf1 a:b.example -all\nb.example A 192.0.2.3\n"
		"d.example MX 10 m1.example\nd.example MX 20 m2.example\nm1.example A 192.0.2.4\nm2.example A 192.0.2.5\n";
	static const struct { const char *client; size_t asked; int runs_max; } cases[] = {
		{ "192.0.2.1", 1, 2 }, { "192.0.2.2", 2, 3 }, { "192.0.2.3", 4, 5 }, { "192.0.2.5", 7, 8 }, { "192.0.2.6", 7, 8 },
	};
	struct zone *z = zone_new(zone);

	(void)state;
	z->queued = true;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct spf_outcome o;
		int runs;

		z->asked = 0;
		zone_check(z, mem, cases[i].client, "x@d.example", "h.example", false, &o, &runs);
		assert_int_equal(z->asked, cases[i].asked);
		assert_true(runs <= cases[i].runs_max);
		talloc_free(mem);
	}
	talloc_free(z);
}

static void loops_end_after_few_questions(void **state)
{
	struct zone *z = zone_new("a.example TXT v=spf1 include:b.example include:a%{l}.example -all\nb.example TXT v=spf1 include:a.example include:b.example ?all\n");
	TALLOC_CTX *mem = talloc_new(NULL);
	struct spf_outcome o;

	(void)state;
	assert_int_equal(zone_check(z, mem, V4, "x@a.example", "h.example", false, &o, NULL), SPF_PERMERROR);
	assert_int_equal(z->asked, 2);
	assert_int_equal(o.terms, 11);
	talloc_free(z);
	talloc_free(mem);
}

static void the_outcome_says_why(void **state)
{
	static const char zone[] =
		"d.example TXT v=spf1 a:a.example ?include:i.example -all\na.example A 192.0.2.2\ni.example TXT v=spf1 ip4:192.0.2.3 -all\n" "two.example TXT v=spf1\ntwo.example TXT v=spf1\n" "bad.example TXT v=spf1 a:\\x01\n" "sf.example TXT !fail\n";
	struct zone *z = zone_new(zone);
	TALLOC_CTX *mem = talloc_new(NULL);
	struct spf_outcome o;

	(void)state;
	zone_check(z, mem, "192.0.2.3", "x@D.Example.", "h.example", true, &o, NULL);
	assert_string_equal(o.domain, "D.Example");
	assert_string_equal(o.mechanism, "?include:i.example");
	assert_string_equal(o.problem, "");
	assert_int_equal(o.terms, 2);
	assert_string_equal(o.trace,
		"TXT D.Example\n    v=spf1 a:a.example ?include:i.example -all\n  A a.example\n      192.0.2.2\n  TXT i.example\n      v=spf1 ip4:192.0.2.3 -all\n    ip4:192.0.2.3 matches: pass\n  ?include:i.example matches: neutral\n");
	zone_check(z, mem, "192.0.2.3", "x@two.example", "h.example", false, &o, NULL);
	assert_string_equal(o.problem, "two.example has two records");
	assert_string_equal(o.trace, "");
	zone_check(z, mem, "192.0.2.3", "x@bad.example", "h.example", false, &o, NULL);
	assert_string_equal(o.problem, "bad.example: syntax error at \"a:\\x01\"");
	zone_check(z, mem, "192.0.2.3", "x@sf.example", "h.example", false, &o, NULL);
	assert_string_equal(o.problem, "TXT sf.example: the name servers failed");
	talloc_free(z);
	talloc_free(mem);
}

static void domains_that_never_send_are_told_apart(void **state)
{
	static const struct { const char *record; bool never; } cases[] = {
		{ "v=spf1 -all", true }, { "V=SPF1  -ALL ", true }, { "v=spf1 -all exp=x.example", true }, { "v=spf1 moo=1 -all", true }, { "v=spf1 redirect=pass.example -all", true }, { "v=spf1 redirect=never.example", true },
		{ "v=spf1 redirect=bare.example moo=1", true }, { "v=spf1 ~all", false }, { "v=spf1 ?all", false }, { "v=spf1 +all", false }, { "v=spf1", false }, { "v=spf1 ip4:1.2.3.4 -all", false }, { "v=spf1 -ip4:0.0.0.0/0", false },
		{ "v=spf1 -all ip4:1.2.3.4", false }, { "v=spf1 redirect=soft.example", false }, { "v=spf1 a redirect=never.example", false }, { "v=spf1 include:never.example -all", false }, { "v=spf1 -all foo", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct zone *z = zone_new("pass.example TXT v=spf1 +all\nnever.example TXT v=spf1 -all\nsoft.example TXT v=spf1 ~all\nbare.example TXT v=spf1 redirect=never.example\nd.example A 192.0.2.77\n");
		struct spf_outcome o;

		zone_add(z, talloc_asprintf(mem, "d.example TXT %s", cases[i].record));
		zone_check(z, mem, V4, "x@d.example", "h.example", false, &o, NULL);
		if (o.never_sends != cases[i].never)
			fail_msg("%s", cases[i].record);
		talloc_free(z);
		talloc_free(mem);
	}
}

static void received_spf_lets_nothing_break_out(void **state)
{
	struct zone *z = zone_new("d.example TXT v=spf1 -all\n");
	struct spf_question q = { .local = "a\"\r\nX: y\\;", .domain = "d.example", .helo = "h (x);\x80", .client = { .family = 4, .addr = { 192, 0, 2, 1 } } };
	TALLOC_CTX *mem = talloc_new(NULL);
	struct answers *answers = answers_new(&z->asker);
	struct spf_outcome o;

	(void)state;
	assert_int_equal(spf_check(mem, answers, &q, &o), SPF_FAIL);
	assert_string_equal(spf_received(mem, &q, &o, "mailfrom", "mx.us.example"),
		" fail (mx.us.example)\n\treceiver=mx.us.example; identity=mailfrom; client-ip=192.0.2.1;\n\tenvelope-from=\"a\\\"\\\\x0d\\\\x0aX: y\\\\;@d.example\"; helo=\"h (x);\\\\x80\";\n\tmechanism=-all;");
	answers_unref(answers);
	talloc_free(z);
	talloc_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_terms_may_ask_dns),
		cmocka_unit_test(two_look_ups_may_be_void),
		cmocka_unit_test(the_first_error_on_the_way_is_the_result),
		cmocka_unit_test(what_libspf2_does_otherwise_does_not_matter),
		cmocka_unit_test(long_records_are_evaluated_to_their_end),
		cmocka_unit_test(a_chain_asks_nothing_that_it_need_not_know),
		cmocka_unit_test(loops_end_after_few_questions),
		cmocka_unit_test(the_outcome_says_why),
		cmocka_unit_test(domains_that_never_send_are_told_apart),
		cmocka_unit_test(received_spf_lets_nothing_break_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
