/* value.c - one value of an option: compared, joined, written as in the file */
#include "policy/value.h"

#include <stdio.h>
#include <string.h>

#include "policy/number.h"

/* ---- what takes effect */

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
	return hash;
}

uint64_t value_hash(const struct setting *row, const struct value *value)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	switch (row->type) {
	case SET_BOOL:
		return hash_bytes(hash, &value->b, sizeof(value->b));
	case SET_FLOAT:
		return hash_bytes(hash, &value->f, sizeof(value->f));
	case SET_STRING:
	case SET_PATH:
		return hash_bytes(hash, value->s, strlen(value->s));
	case SET_LIST:
		for (size_t i = 0; i < value->n_list; i++)
			hash = hash_bytes(hash, value->list[i], strlen(value->list[i]) + 1);
		return hash;
	case SET_TABLE:                       /* unset is not empty */
		return value->table != NULL ? hash_bytes(hash, table_spec(value->table), strlen(table_spec(value->table))) : 1;
	default:
		return hash_bytes(hash, &value->i, sizeof(value->i));
	}
}

bool value_equal(const struct setting *row, const struct value *a, const struct value *b)
{
	if (a->hash != b->hash || a->n_list != b->n_list)
		return false;
	switch (row->type) {
	case SET_STRING:
	case SET_PATH:
		return strcmp(a->s, b->s) == 0;
	case SET_LIST:
		for (size_t i = 0; i < a->n_list; i++)
			if (strcmp(a->list[i], b->list[i]) != 0)
				return false;
		return true;
	case SET_BOOL:
		return a->b == b->b;
	case SET_FLOAT:
		return a->f == b->f;
	case SET_TABLE:
		return (a->table == NULL) == (b->table == NULL) && strcmp(table_spec(a->table), table_spec(b->table)) == 0;
	default:
		return a->i == b->i;
	}
}

/* ---- values made of others */

void value_extend(struct value *a, const struct value *b)
{
	size_t n = a->n_list + b->n_list, room = talloc_get_size(a->list) / sizeof(char *);
	const char **list = (const char **)(uintptr_t)a->list;

	if (room < n + 1)
		list = talloc_realloc(a, list, const char *, 2 * n + 2);
	for (size_t i = 0; i < b->n_list; i++) {
		list[a->n_list + i] = talloc_strdup(list, b->list[i]);
		a->hash = hash_bytes(a->hash, b->list[i], strlen(b->list[i]) + 1);
	}
	list[n] = NULL;
	a->list = list;
	a->n_list = n;
	a->file = b->file;
	a->line = b->line;
}

struct value *value_list(TALLOC_CTX *mem, const char *const *entries, size_t n)
{
	struct value *value = talloc_zero(mem, struct value);

	value->hash = value_hash(&(struct setting){ .type = SET_LIST }, value);
	value_extend(value, &(struct value){ .list = entries, .n_list = n });
	return value;
}

struct value *value_append(TALLOC_CTX *mem, const struct value *a, const struct value *b)
{
	struct value *value = value_list(mem, a->list, a->n_list);

	value_extend(value, b);
	return value;
}

struct value *value_string(TALLOC_CTX *mem, const char *text)
{
	struct value *value = talloc_zero(mem, struct value);

	value->s = talloc_strdup(value, text);
	value->written = value->s;
	value->hash = value_hash(&(struct setting){ .type = SET_STRING }, value);
	return value;
}

/* ---- what a row allows, in words */

static bool has_range(const struct setting *row)
{
	return row->min != 0 || row->max != 0;
}

static char *bound_text(TALLOC_CTX *mem, const struct setting *row, double bound)
{
	switch (row->type) {
	case SET_DURATION:
		return number_duration_text(mem, (int64_t)bound);
	case SET_SIZE:                        /* 1e15 is for people to read: whole gigabytes */
		return number_size_text(mem, bound >= 1e10 ? (int64_t)bound >> 30 << 30 : (int64_t)bound);
	default:
		return number_float_text(mem, bound);
	}
}

static char *choices_text(TALLOC_CTX *mem, const char *choices)
{
	char *text = talloc_strdup(mem, "one of ");

	for (const char *p = choices; *p != '\0'; p++)
		text = *p == ' ' ? talloc_strdup_append(text, ", ") : talloc_strndup_append(text, p, 1);
	return text;
}

char *value_range_text(TALLOC_CTX *mem, const struct setting *row)
{
	char *text = talloc_strdup(mem, "");
	bool number = row->type == SET_INT || row->type == SET_FLOAT || row->type == SET_DURATION || row->type == SET_SIZE;

	if (row->choices != NULL) {
		talloc_free(text);
		return choices_text(mem, row->choices);
	}
	if (number && has_range(row) && row->max >= row->min)
		text = talloc_asprintf_append(text, "from %s to %s", bound_text(text, row, row->min), bound_text(text, row, row->max));
	else if (number && has_range(row))
		text = talloc_asprintf_append(text, "from %s", bound_text(text, row, row->min));
	if (row->unit != NULL)
		text = talloc_asprintf_append(text, "%s%s", text[0] != '\0' ? " " : "", row->unit);
	return text;
}

/* ---- as in the file */

char *value_quote(TALLOC_CTX *mem, const char *text)
{
	char *quoted = talloc_array(mem, char, 4 * strlen(text) + 3), *out = quoted;

	*out++ = '"';
	for (const char *p = text; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if (c < 0x20 || c == 0x7f) {
			out += sprintf(out, "\\x%02x", c);
			continue;
		}
		if (c == '"' || c == '\\' || (c == '$' && p[1] == '{'))
			*out++ = '\\';
		*out++ = *p;
	}
	*out++ = '"';
	*out = '\0';
	talloc_set_name_const(quoted, "config text");
	return quoted;
}

static char *list_text(TALLOC_CTX *mem, const struct value *value)
{
	char *text;

	if (value->n_list == 0)
		return talloc_strdup(mem, "{ }");
	text = talloc_strdup(mem, "{ ");
	for (size_t i = 0; i < value->n_list; i++) {
		char *entry = value_quote(mem, value->list[i]);

		text = talloc_asprintf_append_buffer(text, "%s%s", i > 0 ? ", " : "", entry);
		talloc_free(entry);
	}
	return talloc_strdup_append_buffer(text, " }");
}

char *value_text(TALLOC_CTX *mem, const struct setting *row, const struct value *value)
{
	char *text, *quoted;

	switch (row->type) {
	case SET_STRING:
		return value_quote(mem, value->s);
	case SET_PATH:
		return value_quote(mem, value->written);
	case SET_LIST:
		return list_text(mem, value);
	case SET_TABLE:
		return value_quote(mem, table_spec(value->table));
	case SET_BOOL:
		return talloc_strdup(mem, value->b ? "true" : "false");
	case SET_FLOAT:
		return number_float_text(mem, value->f);
	case SET_INT:
		return talloc_asprintf(mem, "%lld", (long long)value->i);
	default:
		break;
	}
	text = row->type == SET_DURATION ? number_duration_text(mem, value->i) : number_size_text(mem, value->i);
	quoted = value_quote(mem, text);
	talloc_free(text);
	return quoted;
}
