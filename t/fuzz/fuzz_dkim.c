/* fuzz_dkim.c - a message and key records through all of it, libopendkim included. Lines "%key RECORD" come first and stand at every name that is asked for. Whatever stands there, no
 * assertion of the library is reached, the work is bounded, pieces make no difference, and nothing passes that is not over this body */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../dkim/verify.h"

enum { MAX = 3 };

static void must(bool condition)
{
	if (!condition)
		abort();
}

/* The same records for whatever is asked. */
struct keys {
	struct asker asker;
	const char *records[8];
	size_t n, asked;
};

static void ask(void *context, struct answers *answers, uint16_t type, const char *name)
{
	struct keys *k = context;

	k->asked++;
	must(type == DNS_TXT && strlen(name) <= 253 && strstr(name, "._domainkey.") != NULL);
	answers_give(answers, type, name, k->n > 0 ? ANSWER_DATA : ANSWER_NXDOMAIN, k->records, k->n);
}

static struct dkim_facts *run(struct verify *v, struct dkim_library *library, struct keys *keys, size_t chunk)
{
	static const char *const from[] = { "football.example.com" };
	struct dkim_options options = { .signatures_max = MAX, .bits_min = 1024, .now = 1700000000, .from = from, .n_from = 1 };
	struct dkim_facts *facts = talloc_zero(v, struct dkim_facts);
	struct answers *answers = answers_new(&keys->asker);
	struct dkim_verifier *d = dkim_verifier_new(v, library, v->fields, v->n_fields, &options, facts);

	keys->asked = 0;
	for (size_t at = 0, n; at < v->body_len; at += n) {
		n = v->body_len - at < chunk ? v->body_len - at : chunk;
		dkim_verifier_body(d, v->body + at, n);
	}
	must(dkim_verifier_keys(d, answers));
	dkim_verifier_end(d);
	talloc_free(d);
	answers_unref(answers);
	must(facts->done && keys->asked <= MAX && facts->n <= 2 * MAX);
	return facts;
}

static void check(const struct dkim_outcome *o)
{
	const char *const texts[] = { o->domain, o->selector, o->identity, o->algorithm, o->b, o->problem };

	must(o->result != DKIM_PENDING && o->result != DKIM_NONE && (o->result == DKIM_PASS) == (o->problem[0] == '\0'));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (const char *c = texts[i]; *c != '\0'; c++)
			must(*c >= 0x20 && *c < 0x7f);
	must(o->domain[0] == '\0' || dkim_domain_valid(o->domain, 2));
	must(o->result != DKIM_PASS || (o->domain[0] != '\0' && o->selector[0] != '\0' && strcmp(o->algorithm, "rsa-sha1") != 0));
	must(strstr(o->problem, "lost") == NULL && strstr(o->problem, "mistaken") == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dkim_library *library;
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *text = (const char *)data, *end = text + size;
	struct keys keys = { .asker = { ask, &keys } };
	struct dkim_facts *whole, *pieces;
	struct verify *v;

	if (library == NULL)
		library = dkim_library_new(NULL);
	must(library != NULL);
	while (end - text > 5 && memcmp(text, "%key ", 5) == 0 && keys.n < 8) {
		const char *lf = memchr(text, '\n', (size_t)(end - text)), *stop = lf != NULL ? lf : end;

		keys.records[keys.n++] = talloc_strndup(mem, text + 5, (size_t)(stop - text - 5));
		text = lf != NULL ? lf + 1 : end;
	}
	v = verify_read(text, (size_t)(end - text));
	whole = run(v, library, &keys, 65536);
	pieces = run(v, library, &keys, 3);
	must(whole->n == pieces->n && whole->beyond == pieces->beyond);
	for (size_t i = 0; i < whole->n; i++) {
		check(&whole->v[i]);
		must(whole->v[i].result == pieces->v[i].result && strcmp(whole->v[i].problem, pieces->v[i].problem) == 0);
	}
	talloc_free(v);
	talloc_free(mem);
	return 0;
}
