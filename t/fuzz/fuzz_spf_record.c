/* fuzz_spf_record.c - lines of a zone in which every TXT record may be an SPF record, evaluated to the end; first line: "IP SENDER HELO". Whatever stands there, libspf2 is served plain terms alone */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../spf/zone.h"

static void must(bool condition)
{
	if (!condition)
		abort();
}

/* Texts that were taken are of the grammar: printable, no byte outside it. */
static void read_alone(TALLOC_CTX *mem, const char *text)
{
	struct spf_record record;
	const char *problem;

	if (!spf_is_record(text) || !spf_parse(mem, text, &record, &problem))
		return;
	for (const char *c = text; *c != '\0'; c++)
		must(*c >= 0x20 && *c < 0x7f);
	for (size_t i = 0; i < record.n; i++) {
		const struct spf_term *t = &record.terms[i];

		must(t->text >= text && t->text_len > 0 && t->text + t->text_len <= text + strlen(text) && t->bits4 <= 32 && t->bits6 <= 128);
		must(t->spec == NULL || spf_macro_valid(t->spec, t->spec_len, true));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	char *text = talloc_strndup(mem, (const char *)data, size), *rest = strchr(text, '\n'), *save = NULL, *ip, *sender, *helo;
	struct spf_outcome at_once, queued;
	struct zone *z;

	read_alone(mem, text);
	if (rest != NULL) {
		*rest++ = '\0';
		ip = strtok_r(text, " ", &save);
		sender = strtok_r(NULL, " ", &save);
		helo = strtok_r(NULL, " ", &save);
		z = zone_new(rest);
		if (helo != NULL) {
			zone_check(z, mem, ip, sender, helo, true, &at_once, NULL);
			z->queued = true;
			z->seed = (unsigned)size;
			zone_check(z, mem, ip, sender, helo, false, &queued, NULL);
			must(at_once.result != SPF_PENDING && at_once.result == queued.result && at_once.terms == queued.terms && at_once.voids == queued.voids);
			must(at_once.terms <= SPF_TERMS_MAX + 1 && at_once.voids <= SPF_VOIDS_MAX + 1);
			must(strstr(at_once.problem, "internal error") == NULL);
		}
		talloc_free(z);
	}
	talloc_free(mem);
	return 0;
}
