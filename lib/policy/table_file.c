/* table_file.c - "file:PATH": a line is KEY [VALUE...]; # at the start of a line or after a blank begins a comment; a key with blanks stands in double quotes */
#include "policy/keys.h"
#include "policy/lines.h"
#include "policy/table_private.h"

/* The word at p, of which parts may be quoted ("John Smith", "a b"@example.com): cut off, quotes and the backslashes in them taken out.
 * Returns what follows, NULL if a quote is not closed. */
static char *cut_key(char *p)
{
	bool quoted = false;
	char *out = p;

	for (; *p != '\0' && (quoted || (*p != ' ' && *p != '\t')); p++) {
		if (*p == '"') {
			quoted = !quoted;
			continue;
		}
		if (quoted && *p == '\\' && p[1] != '\0')
			p++;
		*out++ = *p;
	}
	if (quoted)
		return NULL;
	if (*p != '\0')
		p++;
	*out = '\0';
	return p;
}

static bool add_line(struct keys *keys, TALLOC_CTX *parent, const struct lines *lines, char *key, char **error_r)
{
	char *value = cut_key(key);

	if (value == NULL)
		*error_r = lines_error(lines, parent, "the key's quotes are not closed");
	else if (*key == '\0')
		*error_r = lines_error(lines, parent, "the key is empty");
	else
		return keys_add(keys, key, lines_cut_comment(lines_skip_blanks(value)), lines->number, error_r);
	return false;
}

void *table_file_parse(TALLOC_CTX *parent, const char *name, char *text, size_t len, char **error_r)
{
	char *line, *place = talloc_asprintf(parent, "%s:", name);
	struct keys *keys = place != NULL ? keys_new(parent, place) : NULL;
	struct lines lines;
	int ret;

	if (keys == NULL)
		return NULL;
	lines_begin(&lines, name, text, len);
	while ((ret = lines_next(&lines, parent, &line, error_r)) > 0)
		if (!add_line(keys, parent, &lines, line, error_r))
			break;
	if (ret != 0 || !keys_seal(keys, error_r))
		TALLOC_FREE(keys);
	return keys;
}

static void *load(TALLOC_CTX *parent, const char *argument, char **error_r)
{
	size_t len;
	char *text = lines_read(parent, argument, &len, error_r);

	return text != NULL ? table_file_parse(parent, argument, text, len, error_r) : NULL;
}

const struct table_kind table_kind_file = {
	.name = "file", .is_file = true, .load = load, .lookup = keys_lookup, .lookup_ip = keys_lookup_ip, .each = keys_each, .count = keys_count,
};
