/* fuzz_dmarc.c - first line: FROM SPF DKIM...; then a zone in which every TXT record may be a DMARC record: evaluated to the end, by tree walk and by public suffixes */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../spf/zone.h"
#include "net/dmarc_private.h"
#include "util/domain.h"

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void read_alone(TALLOC_CTX *mem, const char *text)
{
	struct dmarc_record r;

	dmarc_is_record(text);
	must(dmarc_record_parse(mem, text, &r));
	must(r.pct >= -1 && r.pct <= 100 && (r.psd == 'y' || r.psd == 'n' || r.psd == 'u'));
	must(!r.usable || r.substituted || r.p != DMARC_POLICY_UNSET);
	must(!r.substituted || r.rua[0] != '\0');
	for (const char *c = r.rua; *c != '\0'; c++)
		must(*c > 0x20 && *c < 0x7f);
}

static void evaluate(TALLOC_CTX *mem, struct zone *z, const struct dmarc_question *q)
{
	struct answers *answers = answers_new(&z->asker);
	struct dmarc_outcome o;

	z->asked = 0;
	if (dmarc_check(mem, answers, q, &o) == DMARC_PENDING) {
		answers_late(answers, true);
		dmarc_check(mem, answers, q, &o);
	}
	must(o.result != DMARC_PENDING);
	must(z->asked <= DMARC_WALK_MAX * (2 + q->n_dkim) + 1);
	must((o.result == DMARC_PASS) == (o.spf_aligned || o.dkim_aligned));
	must(o.disposition == DMARC_POLICY_NONE || (o.result == DMARC_FAIL && o.disposition <= o.policy));
	answers_unref(answers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct suffix_list *list = suffix_list_new(mem);
	char *text = talloc_strndup(mem, (const char *)data, size), *rest = strchr(text, '\n'), *save = NULL;
	struct dmarc_identity dkim[4];
	struct dmarc_question q = { .dkim = dkim };
	struct zone *z = zone_new(rest != NULL ? rest + 1 : "");

	read_alone(mem, text);
	if (rest != NULL)
		*rest = '\0';
	for (struct zone_line *l = z->lines; l != NULL; l = l->next)
		read_alone(mem, l->data);
	q.from = strtok_r(text, " ", &save);
	if (q.from == NULL)
		q.from = "";
	q.spf = (struct dmarc_identity){ .domain = strtok_r(NULL, " ", &save), .passed = size % 2 != 0, .temperror = size % 2 == 0 };
	for (const char *d; q.n_dkim < 4 && (d = strtok_r(NULL, " ", &save)) != NULL; q.n_dkim++)
		dkim[q.n_dkim] = (struct dmarc_identity){ .domain = d, .passed = q.n_dkim != 1, .temperror = q.n_dkim == 1 };
	evaluate(mem, z, &q);
	q.suffixes = list;
	evaluate(mem, z, &q);
	talloc_free(z);
	talloc_free(mem);
	return 0;
}
