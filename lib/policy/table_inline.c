/* table_inline.c - "inline:KEY, KEY=VALUE, ...": the whole table in the configuration */
#include "policy/keys.h"
#include "policy/table_private.h"

#include <string.h>

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Trims what lies between p and end, in place. */
static char *trim(char *p, char *end)
{
	while (is_space(*p) && p < end)
		p++;
	while (end > p && is_space(end[-1]))
		end--;
	*end = '\0';
	return p;
}

void *table_inline_parse(TALLOC_CTX *parent, char *text, char **error_r)
{
	struct keys *keys = keys_new(parent, "inline: entry ");
	unsigned number = 0;
	char *next = text;

	while (keys != NULL && next != NULL) {
		char *end = strchrnul(next, ','), *key = next, *equals;
		const char *value = "";

		next = *end == ',' ? end + 1 : NULL;
		number++;
		key = trim(key, end);
		if (*key == '\0')
			continue;
		equals = strchr(key, '=');
		if (equals != NULL) {
			value = trim(equals + 1, equals + 1 + strlen(equals + 1));
			key = trim(key, equals);
		}
		if (*key == '\0') {
			*error_r = talloc_asprintf(parent, "inline: entry %u: a key is missing before =", number);
			TALLOC_FREE(keys);
		} else if (!keys_add(keys, key, value, number, error_r)) {
			TALLOC_FREE(keys);
		}
	}
	if (keys != NULL && !keys_seal(keys, error_r))
		TALLOC_FREE(keys);
	return keys;
}

static void *load(TALLOC_CTX *parent, const char *argument, char **error_r)
{
	char *text = talloc_strdup(parent, argument);

	return text != NULL ? table_inline_parse(parent, text, error_r) : NULL;
}

const struct table_kind table_kind_inline = {
	.name = "inline", .load = load, .lookup = keys_lookup, .lookup_ip = keys_lookup_ip, .each = keys_each, .count = keys_count,
};
