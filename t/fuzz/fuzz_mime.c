/* fuzz_mime.c - the structure of messages: limits hold, and what comes back is whole */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <talloc.h>

#include "message/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good)
{
	if (!good)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct { size_t parts, depth; } limits[] = { { 100, 50 }, { 3, 2 }, { 0, 0 } };
	static bool ready;
	struct mime *mime;
	size_t letters = 0;

	if (!ready)
		mime_init();
	ready = true;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		mime = mime_parse(NULL, (const char *)data, size, limits[i].parts, limits[i].depth);
		require(mime != NULL && mime->n_parts >= 1 && mime->n_parts <= limits[i].parts + 1);
		require(mime->too_many == (mime->n_parts > limits[i].parts));
		for (size_t k = 0; k < mime->n_parts; k++) {
			const struct mime_part *part = &mime->parts[k];

			require(part->depth <= limits[i].depth && (k == 0) == (part->depth == 0) && (k == 0 || part->depth <= part[-1].depth + 1));
			letters += strlen(part->type.type) + strlen(part->type.subtype) + (part->type.boundary != NULL ? strlen(part->type.boundary) : 0);
		}
		talloc_free(mime);
	}
	require(letters > 0);
	return 0;
}
