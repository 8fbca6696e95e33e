/* fuzz_arc.c - lines "NAME KEY" up to an empty one, then a message: its chain is validated at once and with answers one by one, its body hashed in two ways and measured in a third */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../arc/message.h"
#include "net/canon.h"
#include "net/dkim_private.h"

static void must(bool condition)
{
	if (!condition)
		abort();
}

/* Pieces do not matter, and the length is that which DKIM compares with l=. */
static void hash_body(const struct text_message *m, bool relaxed)
{
	struct canon_body *whole = canon_body_new(NULL, relaxed, -1), *pieces = canon_body_new(NULL, relaxed, -1);
	struct dkim_length length = dkim_length_new(relaxed);
	uint8_t a[HASH_SHA256], b[HASH_SHA256];
	uint64_t n, k;

	canon_body_add(whole, m->body, m->body_len);
	for (size_t i = 0; i < m->body_len; i++)
		canon_body_add(pieces, m->body + i, 1);
	dkim_length_add(&length, m->body, m->body_len);
	must(canon_body_end(whole, a, &n) && canon_body_end(pieces, b, &k) && n == k && memcmp(a, b, sizeof(a)) == 0);
	must(n == dkim_length_end(&length));
	talloc_free(whole);
	talloc_free(pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	char *text = talloc_memdup(mem, data, size + (size == 0)), *keys = NULL, *body;
	struct text_message *m = talloc(mem, struct text_message);
	struct arc_options options = { .bits_min = 1024, .now = 1700000000 };
	struct arc_facts facts, queued;
	struct zone *z = zone_new("");

	body = size > 1 ? memmem(text, size, "\n\n", 2) : NULL;
	if (body != NULL) {
		keys = talloc_strndup(mem, text, (size_t)(body - text));
		for (char *save = NULL, *line = strtok_r(keys, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
			char *key = strchr(line, ' ');

			if (key != NULL)
				zone_add(z, talloc_asprintf(mem, "%.*s TXT%s", (int)(key - line), line, key));
		}
		body += 2;
	}
	text_message_read(mem, body != NULL ? body : text, body != NULL ? size - (size_t)(body - text) : size, m);
	text_message_validate(z, mem, m, &options, 1, &facts);
	z->queued = true;
	text_message_validate(z, mem, m, &options, 4096, &queued);
	must(facts.done && facts.result != ARC_PENDING && facts.result == queued.result && facts.oldest_pass == queued.oldest_pass && facts.n == queued.n);
	must(facts.n <= ARC_SETS_MAX && facts.oldest_pass <= facts.n);
	must((facts.problem[0] == '\0') == (facts.result == ARC_PASS || facts.result == ARC_NONE));
	for (size_t i = 0; i < facts.n; i++)
		for (const char *c = facts.sets[i].results; *c != '\0'; c++)
			must(*c >= 0x20 && *c < 0x7f);
	hash_body(m, false);
	hash_body(m, true);
	talloc_free(z);
	talloc_free(mem);
	return 0;
}
