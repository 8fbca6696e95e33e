/* fuzz_table_file.c - the content of tables: the first byte names the kind (f, c, p, i), the first line is also what is looked up, the rest is the file */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/table_private.h"

enum { INPUT_MAX = 4096 };

static void *parse(TALLOC_CTX *mem, uint8_t kind, char *text, size_t len, const struct table_kind **kind_r, char **error_r)
{
	switch (kind) {
	case 'c':
		*kind_r = &table_kind_cidr;
		return table_cidr_parse(mem, "name", text, len, error_r);
	case 'p':
		*kind_r = &table_kind_pcre;
		return table_pcre_parse(mem, "name", text, len, error_r);
	case 'i':
		*kind_r = &table_kind_inline;
		return table_inline_parse(mem, text, error_r);
	default:
		*kind_r = &table_kind_file;
		return table_file_parse(mem, "name", text, len, error_r);
	}
}

/* An answer's value must be a string that can be read. */
static void check(enum answer answer, const char *const *value)
{
	if (answer == ANSWER_YES && (*value == NULL || strlen(*value) > (1 << 20)))
		abort();
}

static void look_up(const struct table_kind *kind, const void *content, const char *key, TALLOC_CTX *mem)
{
	static const char *const ips[] = { "192.0.2.1", "0.0.0.0", "255.255.255.255", "::", "2001:db8::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" };
	const char *value = NULL;
	struct ip ip;

	check(kind->lookup(content, key, mem, &value), &value);
	check(kind->lookup(content, "user@example.com", mem, &value), &value);
	check(kind->lookup(content, "", mem, &value), &value);
	for (size_t i = 0; i < sizeof(ips) / sizeof(ips[0]) && kind->lookup_ip != NULL; i++)
		if (ip_parse(ips[i], &ip))
			check(kind->lookup_ip(content, &ip, mem, &value), &value);
	if (kind->lookup_ip != NULL && ip_parse(key, &ip))
		check(kind->lookup_ip(content, &ip, mem, &value), &value);
	kind->count(content);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	const struct table_kind *kind;
	char *text, *error = NULL;
	char key[256] = "";
	void *content;

	if (size > 0 && size <= INPUT_MAX) {
		text = talloc_size(mem, size);
		memcpy(text, data + 1, size - 1);
		text[size - 1] = '\0';
		for (size_t i = 0; i < sizeof(key) - 1 && text[i] != '\0' && text[i] != '\n'; i++)
			key[i] = text[i];
		content = parse(mem, data[0], text, size - 1, &kind, &error);
		if (content != NULL)
			look_up(kind, content, key, mem);
		else if (error == NULL || error[0] == '\0')
			abort();   /* each refusal says why */
	}
	talloc_free(mem);
	return 0;
}
