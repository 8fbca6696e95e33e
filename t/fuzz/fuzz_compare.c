/* fuzz_compare.c - any bytes as a kept copy: its own fields are the copy's, and its own body is */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "quarantine/compare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *text = (const char *)data, *body = NULL, *wrong = NULL;
	struct header_field fields[] = { { .name = "Subject", .value = " x", .name_len = 7, .value_len = 2 }, { .name = "X", .value = "", .name_len = 1 } };
	bool same = compare_header(mem, text, size, fields, size % 3, &body, &wrong);

	if (same != (wrong == NULL) || (same && (body < text || body > text + size)))
		abort();
	if (same && !compare_body(body, size - (size_t)(body - text), body, size - (size_t)(body - text)))
		abort();
	if (compare_body(text, size, text, size / 2) != compare_body(text, size / 2, text, size))
		abort();
	talloc_free(mem);
	return 0;
}
