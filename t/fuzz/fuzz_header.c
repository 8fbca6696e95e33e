/* fuzz_header.c - any bytes as a field's value: unfolding, encoded words, Content-Type, UTF-8 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "message/header.h"

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void check_string(const char *text)
{
	if (text != NULL)
		must(utf8_valid(text, strlen(text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *parent = talloc_new(NULL);
	const char *value = (const char *)data;
	struct content_type type;
	char *text;

	text = header_unfold(parent, value, size);
	must(strlen(text) <= size);
	must(header_name_equal(text, text));
	text = header_decode(parent, value, size);
	must(strlen(text) <= 4 * size);
	check_string(text);
	utf8_valid(value, size);

	content_type_parse(parent, value, size, &type);
	must(type.type != NULL && *type.type != 0 && type.subtype != NULL && *type.subtype != 0);
	check_string(type.type);
	check_string(type.subtype);
	check_string(type.name);
	for (const char *p = type.charset; p != NULL && *p != 0; p++)
		must(*p < 'A' || *p > 'Z');
	must(type.boundary == NULL || strlen(type.boundary) <= 4 * size);
	talloc_free(parent);
	return 0;
}
