/* test_dmarc.c - DMARC by the rules of RFC 9989 and 7489, and every case in which libopendmarc 1.4.2 is known to go wrong */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/dmarc.h"
#include "net/dmarc_private.h"
#include "spf/zone.h"
#include "util/domain.h"

/* What was authenticated: "d.example" passed, "?d.example" temperror, "-d.example" failed; dkim: blanks between them. */
struct row {
	const char *from, *spf, *dkim;
	enum dmarc_result want;
	enum dmarc_policy disposition;
	const char *domain;              /* of the record; NULL: not looked at */
	const char *org, *tag;           /* the same */
};

#define NONE DMARC_POLICY_NONE
#define QUARANTINE DMARC_POLICY_QUARANTINE
#define REJECT DMARC_POLICY_REJECT

static struct dmarc_identity identity_of(const char *text)
{
	return (struct dmarc_identity){ .domain = text + (*text == '?' || *text == '-'), .passed = *text != '?' && *text != '-', .temperror = *text == '?' };
}

static enum dmarc_result run(struct zone *z, TALLOC_CTX *mem, const struct row *row, const struct suffix_list *suffixes, struct dmarc_outcome *o)
{
	struct answers *answers = answers_new(&z->asker);
	struct dmarc_question q = { .from = row->from, .suffixes = suffixes };
	struct dmarc_identity dkim[8];
	char *save = NULL;

	if (row->spf != NULL)
		q.spf = identity_of(row->spf);
	if (row->dkim != NULL)
		for (char *d = strtok_r(talloc_strdup(mem, row->dkim), " ", &save); d != NULL; d = strtok_r(NULL, " ", &save))
			dkim[q.n_dkim++] = identity_of(d);
	q.dkim = dkim;
	while (dmarc_check(mem, answers, &q, o) == DMARC_PENDING) {
		assert_string_equal(o->problem, "");
		if (zone_step(z))
			continue;
		answers_late(answers, true);
		assert_int_not_equal(dmarc_check(mem, answers, &q, o), DMARC_PENDING);
		break;
	}
	z->n_queue = 0;
	answers_unref(answers);
	return o->result;
}

static void play(const char *text, const struct row *rows, size_t n, const struct suffix_list *suffixes)
{
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		TALLOC_CTX *mem = talloc_new(NULL);
		struct zone *z = zone_new(text);
		struct dmarc_outcome o, queued;

		run(z, mem, r, suffixes, &o);
		if (o.result != r->want || o.disposition != (r->disposition != 0 ? r->disposition : NONE))
			fail_msg("row %zu, %s: %s/%s (%s), not %s", i, r->from, dmarc_result_name(o.result), dmarc_policy_name(o.disposition), o.problem, dmarc_result_name(r->want));
		if ((r->domain != NULL && strcmp(o.domain, r->domain) != 0) || (r->org != NULL && strcmp(o.org, r->org) != 0) || (r->tag != NULL && strcmp(o.policy_tag, r->tag) != 0))
			fail_msg("row %zu, %s: record of %s, org %s, tag %s", i, r->from, o.domain, o.org, o.policy_tag);
		assert_true((o.problem[0] != '\0') >= (o.result == DMARC_TEMPERROR || o.result == DMARC_PERMERROR));
		assert_true((o.result == DMARC_PASS) == (o.spf_aligned || o.dkim_aligned));
		z->queued = true;
		for (unsigned seed = 1; seed <= 3; seed++) {
			z->seed = seed * 7919;
			run(z, mem, r, suffixes, &queued);
			if (queued.result != o.result || queued.disposition != o.disposition || strcmp(queued.org, o.org) != 0 || strcmp(queued.domain, o.domain) != 0)
				fail_msg("row %zu, %s: %s, and %s where answers come one by one", i, r->from, dmarc_result_name(o.result), dmarc_result_name(queued.result));
		}
		talloc_free(z);
		talloc_free(mem);
	}
}

#define PLAY(zone_text, rows) play(zone_text, rows, sizeof(rows) / sizeof((rows)[0]), NULL)

static void what_the_library_is_known_to_get_wrong_is_right(void **state)
{
	static const char zone[] =
		"_dmarc.paypal.com TXT v=DMARC1; p=reject\n" "_dmarc.x.com TXT v=DMARC1; p=reject\n" "_dmarc.example.com TXT v=DMARC1; p=reject; aspf=s; adkim=s\n"
		"_dmarc.bank.co.uk TXT v=DMARC1; p=reject\n" "_dmarc.example.net TXT v=DMARC1; p=reject\n" "_dmarc.own.example TXT v=DMARC1; p=none; sp=reject\n"
		"_dmarc.zero.example TXT v=DMARC1; p=reject; pct=0\n"
		"_dmarc.nov.example TXT p=reject\n" "_dmarc.last.example TXT p=reject; v=DMARC1\n" "_dmarc.lower.example TXT v=dmarc1; p=reject\n" "_dmarc.short.example TXT v=DMARC1; p=r\n"
		"_dmarc.nop.example TXT v=DMARC1; rua=mailto:a@nop.example\n" "_dmarc.badp.example TXT v=DMARC1; p=bogus; rua=mailto:a@badp.example\n"
		"_dmarc.twice.example TXT v=DMARC1; p=reject; p=none\n" "_dmarc.emptysp.example TXT v=DMARC1; p=reject; sp=\n" "_dmarc.xn--bcher-kva.example TXT v=DMARC1; p=reject\n"
		"_dmarc.np.example TXT v=DMARC1; p=none; np=reject\nthere.np.example A 192.0.2.1\n";
	static const struct row rows[] = {
		{ "paypal.com", "z.com", NULL, DMARC_FAIL, REJECT },
		{ "paypal.com", NULL, "z.com", DMARC_FAIL, REJECT },
		{ "paypal.com", "l.com", "a.l.com p.com", DMARC_FAIL, REJECT },
		{ "x.com", "paypal.com", "any.com", DMARC_FAIL, REJECT },
		{ "example.com", "mail.example.com", NULL, DMARC_FAIL, REJECT },
		{ "example.com", NULL, "mail.example.com", DMARC_FAIL, REJECT },
		{ "example.com", NULL, "EXAMPLE.com", DMARC_PASS },
		{ "paypal.com", NULL, "com", DMARC_FAIL, REJECT },
		{ "bank.co.uk", NULL, "co.uk uk", DMARC_FAIL, REJECT },
		{ "bank.co.uk", "thief.co.uk", NULL, DMARC_FAIL, REJECT },
		{ "mail.example.net", "news.example.net", NULL, DMARC_PASS, NONE, "example.net", "example.net" },
		{ "own.example", NULL, NULL, DMARC_FAIL, NONE, "own.example", "own.example", "p" },
		{ "a.own.example", NULL, NULL, DMARC_FAIL, REJECT, "own.example", "own.example", "sp" },
		{ "zero.example", NULL, NULL, DMARC_FAIL, QUARANTINE },
		{ "nov.example", NULL, NULL, DMARC_NONE, NONE, "" },
		{ "last.example", NULL, NULL, DMARC_NONE, NONE, "" },
		{ "lower.example", NULL, NULL, DMARC_NONE, NONE, "" },
		{ "short.example", NULL, NULL, DMARC_NONE, NONE, "short.example" },
		{ "nop.example", NULL, NULL, DMARC_FAIL, NONE, "nop.example" },
		{ "nop.example", "nop.example", NULL, DMARC_PASS },
		{ "badp.example", NULL, NULL, DMARC_FAIL, NONE },
		{ "twice.example", NULL, NULL, DMARC_NONE },
		{ "emptysp.example", NULL, NULL, DMARC_NONE },
		{ "b\xc3\xbc""cher.example", NULL, "xn--bcher-kva.example", DMARC_PASS, NONE, "xn--bcher-kva.example" },
		{ "B\xc3\x9c""CHER.example", NULL, NULL, DMARC_FAIL, REJECT },
		{ "paypal.com", "?paypal.com", NULL, DMARC_TEMPERROR },
		{ "paypal.com", NULL, "?paypal.com", DMARC_TEMPERROR },
		{ "missing.np.example", NULL, NULL, DMARC_FAIL, REJECT, "np.example", "np.example", "np" },
		{ "there.np.example", NULL, NULL, DMARC_FAIL, NONE, "np.example", "np.example", "p" },
	};

	(void)state;
	PLAY(zone, rows);
}

static void one_aligned_pass_is_a_pass(void **state)
{
	static const char zone[] = "_dmarc.example.com TXT v=DMARC1; p=reject\n" "_dmarc.s.example TXT v=DMARC1; p=quarantine; aspf=s\n" "_dmarc.d.example TXT v=DMARC1; p=quarantine; adkim=s\n"
		"_dmarc.island.example.com TXT v=DMARC1; p=none; psd=n\n";
	static const struct row rows[] = {
		{ "example.com", NULL, NULL, DMARC_FAIL, REJECT, "example.com", "example.com", "p" },
		{ "example.com", "example.com", NULL, DMARC_PASS },
		{ "example.com", "bounce.example.com", NULL, DMARC_PASS },
		{ "example.com", "Bounce.Example.COM.", NULL, DMARC_PASS },
		{ "a.example.com", "b.example.com", "other.example", DMARC_PASS },
		{ "a.example.com", "example.com", NULL, DMARC_PASS },
		{ "example.com", "-example.com", "-example.com", DMARC_FAIL, REJECT },
		{ "example.com", "aexample.com", "example.com.evil.example", DMARC_FAIL, REJECT },
		{ "example.com", "other.example", "third.example -example.com mail.example.com", DMARC_PASS },
		{ "example.com", "[192.0.2.1]", "", DMARC_FAIL, REJECT },
		{ "example.com", "", ".example.com a@example.com", DMARC_FAIL, REJECT },
		{ "s.example", "a.s.example", NULL, DMARC_FAIL, QUARANTINE },
		{ "s.example", "a.s.example", "a.s.example", DMARC_PASS },
		{ "s.example", "S.example", NULL, DMARC_PASS },
		{ "d.example", "a.d.example", NULL, DMARC_PASS },
		{ "d.example", NULL, "a.d.example", DMARC_FAIL, QUARANTINE },
		/* an island of its own within the domain aligns with nothing outside it, and the other way round */
		{ "example.com", NULL, "island.example.com", DMARC_FAIL, REJECT },
		{ "island.example.com", NULL, "example.com", DMARC_FAIL, NONE, "island.example.com", "island.example.com", "p" },
		{ "a.island.example.com", NULL, "b.island.example.com", DMARC_PASS, NONE, "island.example.com" },
		{ "example.com", NULL, "a.island.example.com", DMARC_FAIL, REJECT },
	};

	(void)state;
	PLAY(zone, rows);
}

static void the_tree_is_walked_as_the_rfc_says(void **state)
{
	static const char zone[] =
		"_dmarc.com TXT v=DMARC1; p=none; sp=quarantine; psd=y\n" "_dmarc.a.example.com TXT v=DMARC1; p=reject\n" "_dmarc.both.com TXT v=DMARC1; p=quarantine\n_dmarc.x.both.com TXT v=DMARC1; p=reject\n"
		"_dmarc.mid.org TXT v=DMARC1; p=reject; sp=none\n_dmarc.y.z.mid.org TXT v=DMARC1; p=quarantine\n_dmarc.org TXT v=something\n"
		"_dmarc.net TXT v=DMARC1; p=reject\n"
		"_dmarc.two.test TXT v=DMARC1; p=reject\n_dmarc.two.test TXT v=DMARC1; p=none\n" "_dmarc.mixed.test TXT hello\n_dmarc.mixed.test TXT v=DMARC1; p=reject\n"
		"_dmarc.up.test TXT v=DMARC1; p=reject\n_dmarc.two.up.test TXT v=DMARC1; p=none\n_dmarc.two.up.test TXT v=DMARC1; p=none\n"
		"_dmarc.c1.test CNAME _dmarc.up.test\n"
		"_dmarc.psd.test TXT v=DMARC1; p=reject; psd=y\n" "_dmarc.g.h.deep.long.test TXT v=DMARC1; p=reject\n"
		"_dmarc.unusable.test TXT v=DMARC1; p=frob\n_dmarc.low.unusable.test TXT v=DMARC1; p=frob\n";
	static const struct row rows[] = {
		/* psd=y at the top: the name below it is the organizational domain, with or without a record */
		{ "example.com", NULL, NULL, DMARC_FAIL, QUARANTINE, "com", "example.com", "sp" },
		{ "b.a.example.com", NULL, NULL, DMARC_FAIL, QUARANTINE, "com", "example.com", "sp" },
		{ "a.example.com", NULL, NULL, DMARC_FAIL, REJECT, "a.example.com", "example.com", "p" },
		{ "a.example.com", NULL, "other.com", DMARC_FAIL, REJECT },
		{ "a.example.com", NULL, "b.example.com", DMARC_PASS },
		{ "com", NULL, NULL, DMARC_FAIL, NONE, "com", "com", "p" },
		{ "com", NULL, "example.com", DMARC_FAIL, NONE },
		{ "x.both.com", NULL, NULL, DMARC_FAIL, REJECT, "x.both.com", "both.com" },
		{ "w.x.both.com", NULL, NULL, DMARC_FAIL, QUARANTINE, "both.com", "both.com", "p" },
		/* without psd the name with the fewest labels */
		{ "y.z.mid.org", NULL, "mid.org", DMARC_PASS, NONE, "y.z.mid.org", "mid.org" },
		{ "x.y.z.mid.org", NULL, NULL, DMARC_FAIL, NONE, "mid.org", "mid.org", "sp" },
		{ "some.net", NULL, "other.net", DMARC_PASS, NONE, "net", "net" },
		/* two records at one name are none, others beside one do not matter */
		{ "two.test", NULL, NULL, DMARC_NONE, NONE, "", "two.test" },
		{ "mixed.test", NULL, NULL, DMARC_FAIL, REJECT },
		{ "two.up.test", NULL, NULL, DMARC_FAIL, REJECT, "up.test", "up.test" },
		{ "c1.test", NULL, NULL, DMARC_FAIL, REJECT, "c1.test" },
		{ "psd.test", NULL, NULL, DMARC_FAIL, REJECT, "psd.test", "psd.test", "p" },
		{ "a.b.psd.test", NULL, "c.b.psd.test", DMARC_PASS, NONE, "psd.test", "b.psd.test" },
		{ "a.b.psd.test", NULL, "d.psd.test", DMARC_FAIL, REJECT, "psd.test", "b.psd.test" },
		{ "nothing.test", "nothing.test", "nothing.test", DMARC_NONE, NONE, "", "nothing.test" },
		{ "a.b.c.d.e.f.g.h.deep.long.test", NULL, NULL, DMARC_FAIL, REJECT, "g.h.deep.long.test", "g.h.deep.long.test" },
		{ "unusable.test", NULL, NULL, DMARC_NONE, NONE, "unusable.test" },
		{ "low.unusable.test", NULL, NULL, DMARC_NONE, NONE, "low.unusable.test" },
		{ "localhost", NULL, NULL, DMARC_NONE, NONE, "", "localhost" },
		{ "[192.0.2.1]", NULL, NULL, DMARC_PERMERROR, NONE, "" },
		{ "", NULL, NULL, DMARC_PERMERROR }, { "a..b", NULL, NULL, DMARC_PERMERROR }, { "a b.example", NULL, NULL, DMARC_PERMERROR },
	};

	(void)state;
	PLAY(zone, rows);
}

static void subdomains_and_missing_names_have_policies_of_their_own(void **state)
{
	static const char zone[] =
		"_dmarc.a.example TXT v=DMARC1; p=reject; sp=quarantine; np=none\nin.a.example A 192.0.2.1\nempty.a.example TXT !nodata\nfails.a.example * !fail\nlate.a.example * !late\n"
		"_dmarc.b.example TXT v=DMARC1; p=none; sp=quarantine; np=reject\nfails.b.example A !fail\nseen.b.example A !fail\n_dmarc.seen.b.example TXT !nodata\n"
		"_dmarc.c.example TXT v=DMARC1; p=none; np=reject; t=y\n" "_dmarc.d.example TXT v=DMARC1; p=quarantine; t=y\n" "_dmarc.e.example TXT v=DMARC1; p=none; t=y; pct=0\n"
		"_dmarc.f.example TXT v=DMARC1; p=reject; pct=1\n" "_dmarc.g.example TXT v=DMARC1; p=reject; t=y; pct=0\n" "_dmarc.h.example TXT v=DMARC1; p=reject; np=bogus; rua=mailto:x@h.example\n"
		"_dmarc.i.example TXT v=DMARC1; p=reject; sp=bogus\n" "_dmarc.j.example TXT v=DMARC1; p=none; np=reject\n_dmarc.in.j.example TXT !nodata\n";
	static const struct row rows[] = {
		{ "a.example", NULL, NULL, DMARC_FAIL, REJECT, "a.example", NULL, "p" },
		{ "in.a.example", NULL, NULL, DMARC_FAIL, QUARANTINE, "a.example", NULL, "sp" },
		{ "empty.a.example", NULL, NULL, DMARC_FAIL, QUARANTINE, NULL, NULL, "sp" },
		{ "out.a.example", NULL, NULL, DMARC_FAIL, NONE, NULL, NULL, "np" },
		{ "out.a.example", "out.a.example", NULL, DMARC_PASS },
		/* whether it exists is not known: the weaker of the two */
		{ "fails.a.example", NULL, NULL, DMARC_FAIL, NONE, NULL, NULL, "np" },
		{ "late.a.example", NULL, NULL, DMARC_FAIL, NONE, NULL, NULL, "np" },
		{ "fails.b.example", NULL, NULL, DMARC_FAIL, QUARANTINE, NULL, NULL, "sp" },
		{ "seen.b.example", NULL, NULL, DMARC_FAIL, QUARANTINE, NULL, NULL, "sp" },
		{ "out.b.example", NULL, NULL, DMARC_FAIL, REJECT, NULL, NULL, "np" },
		{ "out.c.example", NULL, NULL, DMARC_FAIL, QUARANTINE, NULL, NULL, "np" },
		{ "d.example", NULL, NULL, DMARC_FAIL, NONE },
		{ "e.example", NULL, NULL, DMARC_FAIL, NONE },
		{ "f.example", NULL, NULL, DMARC_FAIL, REJECT },
		{ "g.example", NULL, NULL, DMARC_FAIL, QUARANTINE },
		{ "h.example", NULL, NULL, DMARC_FAIL, NONE },
		{ "i.example", NULL, NULL, DMARC_NONE, NONE },
		/* an empty answer below it: it exists */
		{ "in.j.example", NULL, NULL, DMARC_FAIL, NONE, NULL, NULL, "p" },
	};

	(void)state;
	PLAY(zone, rows);
}

static void a_temporary_failure_never_refuses(void **state)
{
	static const char zone[] =
		"_dmarc.fails.example * !fail\n" "_dmarc.late.example * !late\n" "_dmarc.example.org TXT v=DMARC1; p=reject\n_dmarc.org * !fail\n"
		"_dmarc.example.com TXT v=DMARC1; p=reject\n_dmarc.slow.example.com * !late\n" "_dmarc.strict.org TXT v=DMARC1; p=reject; adkim=s; aspf=s\n"
		"_dmarc.stop.org TXT v=DMARC1; p=reject; psd=n\n";
	static const struct row rows[] = {
		{ "fails.example", "fails.example", "fails.example", DMARC_TEMPERROR },
		{ "late.example", NULL, NULL, DMARC_TEMPERROR },
		{ "a.fails.example", NULL, NULL, DMARC_TEMPERROR },
		/* the record is known, the organizational domain is not */
		{ "example.org", NULL, NULL, DMARC_FAIL, REJECT, "example.org", "" },
		{ "example.org", "example.org", NULL, DMARC_PASS },
		{ "example.org", "a.example.org", NULL, DMARC_TEMPERROR },
		{ "example.org", "other.org", NULL, DMARC_TEMPERROR },
		{ "example.org", "other.test", "example.net", DMARC_FAIL, REJECT },
		{ "strict.org", "a.strict.org", "b.strict.org", DMARC_FAIL, REJECT },
		{ "stop.org", "a.stop.org", NULL, DMARC_PASS },
		/* of what was authenticated */
		{ "example.com", "?example.com", NULL, DMARC_TEMPERROR },
		{ "example.com", "?mail.example.com", NULL, DMARC_TEMPERROR },
		{ "example.com", "?other.example", "?third.example", DMARC_FAIL, REJECT },
		{ "example.com", "?example.com", "example.com", DMARC_PASS },
		{ "example.com", "example.com", "?example.com", DMARC_PASS },
		{ "example.com", NULL, "-example.com ?example.com", DMARC_TEMPERROR },
		{ "example.com", NULL, "slow.example.com", DMARC_TEMPERROR },
		{ "example.com", "-slow.example.com", NULL, DMARC_FAIL, REJECT },
	};

	(void)state;
	PLAY(zone, rows);
}

static void a_public_suffix_list_finds_organizational_domains_instead(void **state)
{
	static const char zone[] =
		"_dmarc.example.com TXT v=DMARC1; p=reject; sp=quarantine\n" "_dmarc.com TXT v=DMARC1; p=reject\n" "_dmarc.bank.co.uk TXT v=DMARC1; p=reject\n_dmarc.low.mid.example.com TXT v=DMARC1; p=none\n"
		"_dmarc.mid.example.com TXT v=DMARC1; p=none; psd=n\n" "_dmarc.co.uk TXT v=DMARC1; p=reject\n" "_dmarc.fails.com * !fail\n" "_dmarc.a.fails.com TXT v=DMARC1; p=reject\n"
		"_dmarc.amazonaws.com TXT v=DMARC1; p=reject\n";
	static const struct row rows[] = {
		{ "example.com", NULL, NULL, DMARC_FAIL, REJECT, "example.com", "example.com", "p" },
		{ "a.b.example.com", NULL, NULL, DMARC_FAIL, QUARANTINE, "example.com", "example.com", "sp" },
		{ "x.mid.example.com", NULL, NULL, DMARC_FAIL, QUARANTINE, "example.com", "example.com", "sp" },
		{ "low.mid.example.com", NULL, "example.com", DMARC_PASS, NONE, "low.mid.example.com", "example.com" },
		{ "other.com", "other.com", NULL, DMARC_NONE, NONE, "", "other.com" },
		{ "bank.co.uk", NULL, "thief.co.uk co.uk uk", DMARC_FAIL, REJECT, "bank.co.uk", "bank.co.uk" },
		{ "mail.bank.co.uk", NULL, "news.bank.co.uk", DMARC_PASS },
		{ "co.uk", NULL, "bank.co.uk", DMARC_FAIL, REJECT, "co.uk", "co.uk" },
		{ "co.uk", NULL, "co.uk", DMARC_PASS },
		{ "paypal.com", "z.com", NULL, DMARC_NONE },
		/* a public suffix below it is nobody's */
		{ "amazonaws.com", NULL, "s3.amazonaws.com", DMARC_FAIL, REJECT },
		{ "amazonaws.com", NULL, "x.amazonaws.com", DMARC_PASS },
		{ "b.fails.com", NULL, NULL, DMARC_TEMPERROR },
		{ "a.fails.com", NULL, NULL, DMARC_FAIL, REJECT },
	};
	struct suffix_list *list = suffix_list_new(NULL);

	(void)state;
	play(zone, rows, sizeof(rows) / sizeof(rows[0]), list);
	talloc_free(list);
}

/* ---- what is asked */

struct asked {
	char names[64][256];
	size_t n;
};

static void note_question(void *context, struct answers *answers, uint16_t type, const char *name)
{
	struct asked *asked = context;
	const char *record = "v=DMARC1; p=none; psd=n";

	snprintf(asked->names[asked->n++ % 64], 256, "%s", name);
	answers_give(answers, type, name, strncmp(name, "_dmarc.stop.", 12) == 0 ? ANSWER_DATA : ANSWER_NXDOMAIN, &record, 1);
}

static void asks(const char *from, const char *dkim, const char *const *want, size_t n)
{
	struct asked asked = { .n = 0 };
	struct asker asker = { note_question, &asked };
	struct answers *answers = answers_new(&asker);
	TALLOC_CTX *mem = talloc_new(NULL);
	struct dmarc_identity identity = { .domain = dkim, .passed = true };
	struct dmarc_question q = { .from = from, .dkim = &identity, .n_dkim = dkim != NULL };
	struct dmarc_outcome o;

	assert_int_not_equal(dmarc_check(mem, answers, &q, &o), DMARC_PENDING);
	for (size_t i = 0; i < asked.n || i < n; i++)
		assert_string_equal(i < asked.n ? asked.names[i] : "nothing", i < n ? want[i] : "nothing");
	talloc_free(mem);
	answers_unref(answers);
}

#define ASKS(from, dkim, ...) do { static const char *const want[] = { __VA_ARGS__ }; asks(from, dkim, want, sizeof(want) / sizeof(want[0])); } while (0)

static void at_most_eight_names_are_asked_and_none_beyond_the_answer(void **state)
{
	(void)state;
	ASKS("a.b.c.d.e.f.g.h.i.j.mail.example.com", NULL, "_dmarc.a.b.c.d.e.f.g.h.i.j.mail.example.com", "_dmarc.g.h.i.j.mail.example.com", "_dmarc.h.i.j.mail.example.com",
		"_dmarc.i.j.mail.example.com", "_dmarc.j.mail.example.com", "_dmarc.mail.example.com", "_dmarc.example.com", "_dmarc.com");
	ASKS("a.b.c.d.e.f.g.com", NULL, "_dmarc.a.b.c.d.e.f.g.com", "_dmarc.b.c.d.e.f.g.com", "_dmarc.c.d.e.f.g.com", "_dmarc.d.e.f.g.com", "_dmarc.e.f.g.com", "_dmarc.f.g.com", "_dmarc.g.com",
		"_dmarc.com");
	ASKS("a.b.c.d.e.f.g.h.com", NULL, "_dmarc.a.b.c.d.e.f.g.h.com", "_dmarc.c.d.e.f.g.h.com", "_dmarc.d.e.f.g.h.com", "_dmarc.e.f.g.h.com", "_dmarc.f.g.h.com", "_dmarc.g.h.com", "_dmarc.h.com",
		"_dmarc.com");
	ASKS("example.com", NULL, "_dmarc.example.com", "_dmarc.com");
	ASKS("a.stop.example.com", NULL, "_dmarc.a.stop.example.com", "_dmarc.stop.example.com");
	/* what cannot align is not asked for */
	ASKS("stop.example.com", "other.example.org", "_dmarc.stop.example.com");
	ASKS("stop.example.com", "example.com", "_dmarc.stop.example.com");
	ASKS("stop.example.com", "x.stop.example.com", "_dmarc.stop.example.com", "_dmarc.x.stop.example.com");
}

static void names_too_long_to_ask_for_have_no_record(void **state)
{
	char name[300] = "";
	struct asked asked = { .n = 0 };
	struct asker asker = { note_question, &asked };
	struct answers *answers = answers_new(&asker);
	TALLOC_CTX *mem = talloc_new(NULL);
	struct dmarc_outcome o;

	(void)state;
	for (int i = 0; i < 4; i++)
		snprintf(name + strlen(name), sizeof(name) - strlen(name), "%s%.*s", i > 0 ? "." : "", i < 3 ? 63 : 61, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	assert_int_equal(strlen(name), 253);
	assert_int_equal(dmarc_check(mem, answers, &(struct dmarc_question){ .from = name }, &o), DMARC_NONE);
	assert_int_equal(asked.n, 3);
	talloc_free(mem);
	answers_unref(answers);
}

static void a_run_that_is_not_over_leaves_no_memory(void **state)
{
	struct zone *z = zone_new("_dmarc.example.com TXT v=DMARC1; p=reject\n");
	struct answers *answers = answers_new(&z->asker);
	TALLOC_CTX *mem = talloc_new(NULL);
	struct dmarc_outcome o;

	(void)state;
	z->queued = true;
	for (int i = 0; i < 3; i++)
		assert_int_equal(dmarc_check(mem, answers, &(struct dmarc_question){ .from = "a.example.com" }, &o), DMARC_PENDING);
	assert_int_equal(talloc_total_blocks(mem), 1);
	z->n_queue = 0;
	answers_unref(answers);
	talloc_free(mem);
	talloc_free(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_library_is_known_to_get_wrong_is_right),
		cmocka_unit_test(one_aligned_pass_is_a_pass),
		cmocka_unit_test(the_tree_is_walked_as_the_rfc_says),
		cmocka_unit_test(subdomains_and_missing_names_have_policies_of_their_own),
		cmocka_unit_test(a_temporary_failure_never_refuses),
		cmocka_unit_test(a_public_suffix_list_finds_organizational_domains_instead),
		cmocka_unit_test(at_most_eight_names_are_asked_and_none_beyond_the_answer),
		cmocka_unit_test(names_too_long_to_ask_for_have_no_record),
		cmocka_unit_test(a_run_that_is_not_over_leaves_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
