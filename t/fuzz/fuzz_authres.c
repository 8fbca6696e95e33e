/* fuzz_authres.c - any bytes as an Authentication-Results field, and as a value that we write into one */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "message/authres.h"

static void must(bool condition)
{
	if (!condition)
		abort();
}

/* Is it one value and nothing else: visible ASCII, quotes closed and nothing behind them? */
static void check_value(const char *value)
{
	size_t len = strlen(value);

	must(len > 0 && len <= 2 * 255 + 2);
	for (size_t i = 0; i < len; i++)
		must(value[i] >= 32 && value[i] < 127);
	if (*value != '"') {
		must(strpbrk(value, " ()<>,;:\\\"/[]?=") == NULL);
		return;
	}
	for (size_t i = 1; i < len - 1; i++) {
		must(value[i] != '"');
		if (value[i] == '\\')
			must(++i < len - 1);
	}
	must(len > 1 && value[len - 1] == '"');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const ids[] = { "mx.example.com", "b" };
	TALLOC_CTX *parent = talloc_new(NULL);
	const char *value = (const char *)data;
	struct authres_results results;
	char *id = authres_id(parent, value, size), *text, *field, *again;

	if (id != NULL) {
		must(*id != 0 && strlen(id) <= size);
		must(authres_is_ours(value, size, (const char *const[]){ id }, 1));
	}
	if (authres_read(parent, value, size, &results))
		for (size_t i = 0; i < results.n; i++)
			must(*results.v[i].method != 0 && *results.v[i].result != 0 && results.v[i].n <= AUTHRES_PROPERTIES_MAX);
	must(!authres_is_ours(value, size, ids, 0));
	authres_is_ours(value, size, ids, 2);

	text = authres_value(parent, talloc_strndup(parent, value, size));
	check_value(text);
	/* written as an id behind ours it stays one */
	if (strchr(text, '@') == NULL || *text == '"') {
		field = talloc_asprintf(parent, "%s; none", text);
		again = authres_id(parent, field, strlen(field));
		must(again != NULL || strchr(text, ' ') != NULL || strlen(text) <= 3);
	}
	talloc_free(parent);
	return 0;
}
