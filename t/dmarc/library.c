/* library.c - ours against libopendmarc 1.4.2 on random records, identities and outcomes: each difference has a cause that is known (users of the library are hurt by them), and each cause is seen */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dmarc/theirs.h"
#include "net/dmarc_private.h"
#include "spf/zone.h"
#include "util/domain.h"

enum { CASES = 20000 };

static unsigned seed = 1;

static unsigned roll(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return seed / 65536 % n;
}

#define PICK(list) ((list)[roll(sizeof(list) / sizeof((list)[0]))])

/* Causes of differences, in the order in which they are looked for. */
enum cause { SAME, ABBREVIATED, TWICE, NO_POLICY, BAD_POLICY, BAD_OPTION, STEP_DOWN, NEW_TAGS, PREFIX, ONE_LETTER, STRICT, SIBLINGS, TEMPORARY, CAUSES };

static const char *const names[CAUSES] = {
	[ABBREVIATED] = "the beginning of a value is taken for it", [TWICE] = "the last of two tags counts", [NO_POLICY] = "a record without p is an error although reports are asked for",
	[BAD_POLICY] = "a bad sp is an error, an empty one is passed over", [BAD_OPTION] = "a bad value of a tag with a default is an error, or taken", [STEP_DOWN] = "pct=0 and t=y are left to the caller",
	[NEW_TAGS] = "np is not known", [PREFIX] = "whatever begins alike, read from the top, is aligned", [ONE_LETTER] = "a first label of one letter is dropped, and the rest aligns", [STRICT] = "strict is not",
	[SIBLINGS] = "without a public suffix list siblings do not align", [TEMPORARY] = "a temporary failure is a failure",
};

/* ---- records */

static char *make_record(TALLOC_CTX *mem)
{
	static const char *const p[] = { "none", "quarantine", "reject", "REJECT", "Quarantine" }, *const ends[] = { "", ";", "; ", " ;" }, *const odd[] = { "r", "q", "x", "" };
	static const char *const rua[] = { "mailto:a@b.example", "mailto:a@b.example,mailto:c@d.example", " mailto:a@b.example , mailto:c@d.example" }, *const blanks[] = { "", " ", "  " };
	char *text = talloc_strdup(mem, "v=DMARC1");
	unsigned strange = roll(12);

	if (strange != 1)
		text = talloc_asprintf_append(text, ";%sp%s=%s%s", PICK(blanks), PICK(blanks), PICK(blanks), strange == 2 ? PICK(odd) : PICK(p));
	if (roll(2))
		text = talloc_asprintf_append(text, ";%ssp=%s", PICK(blanks), strange == 3 ? PICK(odd) : PICK(p));
	if (roll(2))
		text = talloc_asprintf_append(text, "; adkim=%s", strange == 4 ? "x" : roll(2) ? "s" : "r");
	if (roll(2))
		text = talloc_asprintf_append(text, "; aspf=%s", roll(2) ? "s" : "r");
	if (roll(3) == 0)
		text = talloc_asprintf_append(text, "; pct=%u", strange == 5 ? 0 : 1 + roll(100));
	if (roll(2))
		text = talloc_asprintf_append(text, "; rua=%s", PICK(rua));
	if (strange == 6)
		text = talloc_asprintf_append(text, "; p=%s", PICK(p));
	if (strange == 7)
		text = talloc_asprintf_append(text, "; np=%s", PICK(p));
	if (strange == 8)
		text = talloc_asprintf_append(text, "; t=y");
	if (roll(4) == 0)
		text = talloc_asprintf_append(text, "; x%u=something", roll(9));
	return talloc_asprintf_append(text, "%s", PICK(ends));
}

static bool tag_is(const char *text, const char *tag, const char *const *values, size_t n)
{
	char wanted[40];

	for (size_t i = 0; i < n; i++) {
		const char *at;

		snprintf(wanted, sizeof(wanted), "%s=%s", tag, values[i]);
		at = strstr(text, wanted);
		if (at != NULL && (at == text || at[-1] == ' ' || at[-1] == ';') && strchr(" ;", at[strlen(wanted)]) != NULL)
			return true;
	}
	return false;
}

static char *squeezed(TALLOC_CTX *mem, const char *text)
{
	char *out = talloc_strdup(mem, text), *to = out;

	for (const char *c = text; *c != '\0'; c++)
		if (*c != ' ')
			*to++ = *c;
	*to = '\0';
	return out;
}

static enum cause record_cause(TALLOC_CTX *mem, const char *record, const struct dmarc_record *o, const struct theirs *t)
{
	static const char *const odd[] = { "r", "q" }, *const bad[] = { "x", "" };
	const char *text = squeezed(mem, record), *first = strstr(text, ";p="), *second = first != NULL ? strstr(first + 1, ";p=") : NULL;
	static const char letters[] = { [DMARC_POLICY_UNSET] = 0, [DMARC_POLICY_NONE] = 'n', [DMARC_POLICY_QUARANTINE] = 'q', [DMARC_POLICY_REJECT] = 'r' };

	if (t->read && o->usable && !o->substituted && t->p == letters[o->p] && t->sp == letters[o->sp] && (t->adkim == 's') == o->strict_dkim && (t->aspf == 's') == o->strict_spf
	    && t->pct == (o->pct >= 0 ? o->pct : 100) && strcmp(t->rua, o->rua) == 0)
		return SAME;
	if (!t->read && !o->usable)
		return SAME;
	if (second != NULL)
		return TWICE;
	if (tag_is(text, "p", odd, 2) || tag_is(text, "sp", odd, 2))
		return ABBREVIATED;
	if (first == NULL || tag_is(text, "p", bad, 2))
		return NO_POLICY;
	if (tag_is(text, "sp", bad, 2))
		return BAD_POLICY;
	return tag_is(text, "adkim", bad, 1) ? BAD_OPTION : CAUSES;
}

/* ---- verdicts */

static const char *const domains[] = { "example.com", "mail.example.com", "news.example.com", "a.mail.example.com", "z.com", "other.com", "example.org", "com", "x.example.org" };

static bool begins_alike(const char *a, const char *b)
{
	return domain_within(a, b) || domain_within(b, a);
}

/* One identity passes for them and not for us, or the other way round: why? */
static enum cause alignment_cause(struct identity id, const char *from, bool strict)
{
	if (id.outcome != 1 || strcmp(id.domain, from) == 0)
		return SAME;
	if (id.domain[1] == '.' || from[1] == '.')
		return ONE_LETTER;
	if (strict && begins_alike(id.domain, from))
		return STRICT;
	if (begins_alike(id.domain, from))
		return PREFIX;
	return SIBLINGS;
}

static enum cause verdict_cause(const struct dmarc_outcome *o, const struct theirs *t, struct identity spf, struct identity dkim)
{
	static const char letters[] = { 'n', 'n', 'q', 'r' };
	enum cause cause;

	if (t->verdict == (o->result == DMARC_PASS ? 'p' : letters[o->disposition]))
		return SAME;
	if (o->result == DMARC_TEMPERROR)
		return TEMPORARY;
	if (o->result != DMARC_PASS && t->verdict != 'p')
		return o->record.pct == 0 || o->record.testing ? STEP_DOWN : o->record.np != DMARC_POLICY_UNSET ? NEW_TAGS : CAUSES;
	cause = alignment_cause(spf, o->from, o->record.strict_spf);
	return cause != SAME ? cause : alignment_cause(dkim, o->from, o->record.strict_dkim);
}

static void ask_us(struct zone *z, TALLOC_CTX *mem, const char *from, struct identity spf, struct identity dkim, struct dmarc_outcome *o)
{
	struct answers *answers = answers_new(&z->asker);
	struct dmarc_identity d = { .domain = dkim.domain, .passed = dkim.outcome == OUTCOME_PASS, .temperror = dkim.outcome == OUTCOME_TEMPORARY };
	struct dmarc_question q = {
		.from = from, .spf = { .domain = spf.domain, .passed = spf.outcome == OUTCOME_PASS, .temperror = spf.outcome == OUTCOME_TEMPORARY }, .dkim = &d, .n_dkim = 1,
	};

	if (dmarc_check(mem, answers, &q, o) == DMARC_PENDING)
		abort();
	answers_unref(answers);
}

int main(void)
{
	static const char *const from_names[] = { "example.com", "mail.example.com", "x.com" };
	unsigned seen[CAUSES] = { 0 }, bad = 0;

	for (int i = 0; i < CASES; i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		char *record = make_record(mem);
		const char *from = PICK(from_names), *org = from[0] == 'x' ? "x.com" : "example.com";
		struct identity spf = { PICK(domains), roll(4) }, dkim = { PICK(domains), roll(4) };
		struct zone *z = zone_new(talloc_asprintf(mem, "_dmarc.%s TXT %s\n", org, record));
		struct dmarc_outcome o;
		struct theirs t;
		enum cause cause;

		ask_us(z, mem, from, spf, dkim, &o);
		ask_them(record, from, strcmp(from, org) != 0 ? org : NULL, spf, dkim, &t);
		cause = record_cause(mem, record, &o.record, &t);
		if (cause == SAME && t.read)
			cause = verdict_cause(&o, &t, spf, dkim);
		if (cause == CAUSES && bad++ < 20)
			printf("%s, From %s, SPF %u %s, DKIM %u %s: ours %s/%s, theirs %s %c%c%c\n", record, from, spf.outcome, spf.domain, dkim.outcome, dkim.domain, dmarc_result_name(o.result),
				dmarc_policy_name(o.disposition), t.read ? "read" : "not read", t.verdict, t.p, t.sp);
		else if (cause != CAUSES)
			seen[cause]++;
		talloc_free(z);
		talloc_free(mem);
	}
	printf("%u the same\n", seen[SAME]);
	for (int cause = SAME + 1; cause < CAUSES; cause++) {
		printf("%5u %s\n", seen[cause], names[cause]);
		bad += seen[cause] == 0;
	}
	return bad > 0 || seen[SAME] < CASES / 4;
}
