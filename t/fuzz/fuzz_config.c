/* fuzz_config.c - the configuration's text to a tree: any bytes */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/parse.h"

/* Depth is bounded, so this may recurse; reads every string that the tree holds. */
static size_t weigh(const struct node *node, unsigned depth)
{
	size_t n = 0;

	for (; node != NULL; node = node->next) {
		if (depth > 16 + 1)            /* the options of the innermost section */
			abort();
		n += strlen(node->name) + (node->title != NULL ? strlen(node->title) : 0);
		if (node->line < 1)
			abort();
		for (size_t i = 0; i < node->n_values; i++)
			n += strlen(node->values[i]);
		n += weigh(node->children, depth + 1);
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct config_errors errors = { .mem = mem };
	struct node *root = parse_text(mem, (const char *)data, size, "fuzz.conf", NULL, &errors);

	weigh(root->children, 1);
	config_errors_sort(&errors);
	talloc_free(mem);
	return 0;
}
