/* fuzz_dnslist.c - any text as a code, a zone and the records of an answer of a DNS list: nothing that is never a listing is one */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <talloc.h>

#include "net/dnslist.h"

static void require(int condition)
{
	if (!condition)
		abort();
}

static void check_answer(enum dnslist_kind kind, const char *const *records, size_t n, const struct dnslist_codes *codes)
{
	struct dnslist_answer a;
	char text[64];

	dnslist_read(kind, ANSWER_DATA, records, n, &a);
	require(a.n <= DNSLIST_CODES_MAX && a.n <= n && (a.says == DNSLIST_UNUSABLE) == (a.trouble != TROUBLE_OF_NONE));
	for (size_t i = 0; a.says == DNSLIST_LISTED && i < a.n; i++) {
		require(a.codes[i] >> 24 == 127 && a.codes[i] >> 16 != 0x7fff && a.codes[i] != 0x7f000001);
		require(kind != DNSLIST_ALLOW || (a.codes[i] != 0x7f0000ff && a.codes[i] >> 8 != 0x7f000a));
	}
	dnslist_codes_text(&a, text, sizeof(text));
	require(strlen(text) < sizeof(text));
	dnslist_codes_match(codes, a.codes, a.n);
	dnslist_test(kind, (struct dnslist_answer[DNSLIST_POINTS]){ a, a, a, a });
}

/* What may be asked has a name that DNS can hold, and is shown without what may be a key. */
static void check_zone(TALLOC_CTX *mem, const char *zone)
{
	struct ip six = { .family = 6, .addr = { 0x20, 1 } }, four = { .family = 4, .addr = { 192, 0, 2, 1 } };
	char name[DNSLIST_NAME_MAX];
	bool good = dnslist_zone_good(zone);

	for (int i = 0; i < 2; i++)
		if (dnslist_name(name, i ? &six : &four, zone))
			require(strlen(name) <= 253);
		else
			require(!good);
	require(strlen(dnslist_shown(mem, zone)) <= strlen(zone) + 1);
}

/* Lines: the first is a code, the second a zone, the others are records. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	char *text = talloc_strndup(mem, (const char *)data, size), *save = text, *line;
	const char *list[2] = { strsep(&save, "\n"), NULL }, *zone = save != NULL ? strsep(&save, "\n") : "", *records[40];
	struct dnslist_codes codes = dnslist_codes_parse(mem, list);
	struct dnslist_code code;
	size_t n = 0;

	require((dnslist_code_parse(list[0], &code) == NULL) == (codes.n == 1));
	check_zone(mem, zone);
	while (save != NULL && n < 40 && (line = strsep(&save, "\n")) != NULL)
		records[n++] = line;
	check_answer(DNSLIST_BLOCK, records, n, &codes);
	check_answer(DNSLIST_ALLOW, records, n, &codes);
	talloc_free(mem);
	return 0;
}
