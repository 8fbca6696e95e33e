/* fuzz_dkim_key.c - key records, a line each: whatever is called usable is of the grammar, and libopendkim reads it too */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/dkim_private.h"

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void check(const struct dkim_key *key, bool ed25519)
{
	unsigned char data[DKIM_KEY_TEXT_MAX];
	size_t len;

	must(key->p != NULL && key->problem != NULL && key->result != DKIM_PENDING && key->ed25519 == ed25519);
	must((key->result == DKIM_PASS) == (key->problem[0] == '\0'));
	if (key->result != DKIM_PASS)
		return;
	must(dkim_base64(key->p, strlen(key->p), data, &len));
	must(ed25519 ? len == 32 && key->bits == 0 : key->bits > 0 && key->bits <= DKIM_BITS_MAX && strlen(key->p) < 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	char *text = talloc_strndup(mem, (const char *)data, size), *save = NULL;
	const char *records[16];
	size_t n = 0;

	for (char *line = strtok_r(text, "\n", &save); line != NULL && n < 16; line = strtok_r(NULL, "\n", &save))
		records[n++] = line;
	for (int ed25519 = 0; ed25519 < 2; ed25519++) {
		struct dkim_key key, back;

		for (size_t i = 0; i < n; i++)
			if (dkim_key_parse(mem, records[i], ed25519, &key))
				check(&key, ed25519);
		dkim_key_choose(mem, records, n, ed25519, &key);
		check(&key, ed25519);
		for (size_t i = 0; i < n / 2; i++) {
			const char *other = records[i];

			records[i] = records[n - 1 - i];
			records[n - 1 - i] = other;
		}
		dkim_key_choose(mem, records, n, ed25519, &back);
		must(back.result == key.result && strcmp(back.problem, key.problem) == 0);
	}
	talloc_free(mem);
	return 0;
}
