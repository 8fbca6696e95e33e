/* value_read.c - one value of an option, from the text of the file: every check that a row asks for */
#include "policy/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/hint.h"
#include "policy/number.h"

/* ---- errors */

static bool has_range(const struct setting *row)
{
	return row->min != 0 || row->max != 0;
}

/* min alone: no upper end. */
static bool in_range(const struct setting *row, double value)
{
	if (!has_range(row))
		return value >= 0;
	return value >= row->min && (value <= row->max || row->max < row->min);
}

/* What stands behind "write" in an error. */
static char *allowed_text(TALLOC_CTX *mem, const struct setting *row)
{
	static const char *const forms[] = {
		[SET_STRING] = "text", [SET_PATH] = "a path", [SET_INT] = "a whole number", [SET_FLOAT] = "a number such as 0.9", [SET_BOOL] = "true or false",
		[SET_DURATION] = "a duration such as \"200ms\", \"90s\", \"5m\", \"48h\" or \"7d\"", [SET_SIZE] = "a size such as 1024, \"16K\", \"50M\" or \"2G\"",
		[SET_LIST] = "a list { \"a\", \"b\" }", [SET_TABLE] = "a table: \"inline:KEY, KEY=VALUE\", \"file:PATH\" or another KIND:PATH",
	};
	char *range = value_range_text(mem, row);

	if (row->choices != NULL)
		return range;
	return talloc_asprintf(mem, "%s%s%s", forms[row->type], range[0] != '\0' ? " " : "", range);
}

/* ---- reading */

struct reading {
	const struct value_reader *reader;
	const char *section;
	const struct setting *row;
	const struct node *node;
	TALLOC_CTX *tmp;
};

/* Says what was got and what is allowed. */
static bool refuse(const struct reading *r, const char *got, const char *why)
{
	config_error_add(r->reader->errors, r->node->file, r->node->line, "%s%s%s: \"%.80s\" %s; write %s", r->section, r->section[0] != '\0' ? "." : "", r->row->name, got, why,
		allowed_text(r->tmp, r->row));
	return false;
}

/* The same where the remedy is a whole sentence of its own. */
static bool refuse_text(const struct reading *r, const char *got, const char *remedy)
{
	config_error_add(r->reader->errors, r->node->file, r->node->line, "%s%s%s: \"%.80s\": %.300s", r->section, r->section[0] != '\0' ? "." : "", r->row->name, got, remedy);
	return false;
}

static bool is_choice(const char *choices, const char *text)
{
	size_t n = strchr(text, ' ') == NULL ? strlen(text) : 0;

	for (const char *p = choices; p != NULL && n > 0; p = strchr(p, ' ')) {
		p += *p == ' ';
		if (strncmp(p, text, n) == 0 && (p[n] == ' ' || p[n] == '\0'))
			return true;
	}
	return false;
}

static bool check_choice(const struct reading *r, const char *text)
{
	struct hint hint = { .wanted = text };
	char *words, *save = NULL;

	if (is_choice(r->row->choices, text))
		return true;
	words = talloc_strdup(r->tmp, r->row->choices);
	for (char *word = strtok_r(words, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save))
		hint_offer(&hint, word);
	if (hint.best != NULL)
		return refuse(r, text, talloc_asprintf(r->tmp, "is not known (\"%s\"?)", hint.best));
	return refuse(r, text, "is not known");
}

/* Control characters would end up in replies, headers and the log. */
static bool check_string(const struct reading *r, const char *text)
{
	const char *remedy;

	for (const char *p = text; *p != '\0'; p++)
		if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
			return refuse_text(r, text, "control characters cannot stand here; take them out");
	if (r->row->choices != NULL && !check_choice(r, text))
		return false;
	remedy = r->row->check != NULL ? r->row->check(text) : NULL;
	return remedy == NULL || refuse_text(r, text, remedy);
}

static bool read_bool(const struct reading *r, const char *text, bool *r_out)
{
	static const struct { const char *word; bool value; } words[] = { { "true", true }, { "yes", true }, { "on", true }, { "false", false }, { "no", false }, { "off", false } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(words[i].word, text) == 0) {
			*r_out = words[i].value;
			return true;
		}
	}
	return refuse(r, text, "is neither true nor false");
}

static bool read_number(const struct reading *r, const char *text, struct value *value)
{
	bool good;

	switch (r->row->type) {
	case SET_INT:
		good = number_int(text, &value->i);
		break;
	case SET_FLOAT:
		good = number_float(text, &value->f);
		break;
	case SET_DURATION:
		good = number_duration(text, &value->i);
		break;
	default:
		good = number_size(text, &value->i);
		break;
	}
	if (!good)
		return refuse(r, text, r->row->type == SET_DURATION ? "is no duration" : r->row->type == SET_SIZE ? "is no size" : r->row->type == SET_INT ? "is no whole number" : "is no number");
	if (!in_range(r->row, r->row->type == SET_FLOAT ? value->f : (double)value->i))
		return refuse(r, text, has_range(r->row) ? "is out of range" : "is below zero");
	return true;
}

/* Relative paths start from the directory; sockets that are no files stay as they are. */
static const char *resolve_path(TALLOC_CTX *mem, const char *directory, const char *text)
{
	const char *slash = directory[0] != '\0' && directory[strlen(directory) - 1] != '/' ? "/" : "";
	const char *prefix = "";

	if (strncmp(text, "unix:", 5) == 0) {
		prefix = "unix:";
		text += 5;
	}
	if (text[0] == '\0' || text[0] == '/' || directory[0] == '\0' || strncmp(text, "inet:", 5) == 0 || strncmp(text, "inet6:", 6) == 0)
		return talloc_asprintf(mem, "%s%s", prefix, text);
	return talloc_asprintf(mem, "%s%s%s%s", prefix, directory, slash, text);
}

static bool read_list(const struct reading *r, struct value *value)
{
	const struct node *node = r->node;
	size_t n = node->n_values;
	const char **list;
	bool good = true;

	if (node->kind == NODE_VALUE && node->values[0][0] == '\0')
		n = 0;                         /* "" (an empty variable, say) is the empty list */
	list = talloc_zero_array(value, const char *, n + 1);
	for (size_t i = 0; i < n; i++) {
		if (node->values[i][0] == '\0')
			good = refuse_text(r, "", "an entry of the list is empty; take it out");
		else
			good &= check_string(r, node->values[i]);
		list[i] = talloc_strdup(list, node->values[i]);
	}
	value->list = list;
	value->n_list = n;
	value->append = node->append;
	return good;
}

static int close_table(struct value *value)
{
	table_close(value->table);
	return 0;
}

/* A file that only a default names may be missing, which is worth a note. */
static void note_missing(const struct reading *r, const char *text)
{
	const char *colon = strchr(text, ':'), *path;

	if (r->reader->notes == NULL || colon == NULL || strncmp(text, "inline:", 7) == 0)
		return;
	path = resolve_path(r->tmp, r->reader->directory, colon + 1);
	if (access(path, F_OK) != 0)
		config_error_add(r->reader->notes, r->node->file, 0, "%s%s%s: %.200s does not exist yet, the table is empty", r->section, r->section[0] != '\0' ? "." : "", r->row->name, path);
}

static bool read_table(const struct reading *r, const char *text, bool built_in, struct value *value)
{
	char *error = NULL;

	if (!check_string(r, text))
		return false;
	if (built_in)
		note_missing(r, text);
	value->table = table_open(r->reader->tables, text, r->reader->directory, built_in, &error);
	if (value->table != NULL) {
		talloc_set_destructor(value, close_table);
		return true;
	}
	config_error_add(r->reader->errors, r->node->file, r->node->line, "%s%s%s: %.500s", r->section, r->section[0] != '\0' ? "." : "", r->row->name, error != NULL ? error : text);
	talloc_free(error);
	return false;
}

static bool read_lone(const struct reading *r, bool built_in, struct value *value)
{
	const char *text = r->node->values[0];

	switch (r->row->type) {
	case SET_BOOL:
		return read_bool(r, text, &value->b);
	case SET_STRING:
		value->s = talloc_strdup(value, text);
		return check_string(r, text);
	case SET_PATH:
		value->written = talloc_strdup(value, text);
		value->s = resolve_path(value, r->reader->directory, text);
		return check_string(r, text);
	case SET_TABLE:
		return read_table(r, text, built_in, value);
	default:
		return read_number(r, text, value);
	}
}

static struct value *read_node(const struct value_reader *reader, const char *section, const struct setting *row, const struct node *node, bool built_in)
{
	struct value *value = talloc_zero(reader->mem, struct value);
	struct reading r = { reader, section, row, node, talloc_new(NULL) };
	bool good;

	talloc_set_name_const(value, "config value");
	if (row->type == SET_LIST)
		good = read_list(&r, value);
	else if (node->kind == NODE_LIST)
		good = refuse(&r, "{ }", "is a list, one value is needed");
	else if (node->append)
		good = refuse_text(&r, "+=", "only lists grow; write = here");
	else
		good = read_lone(&r, built_in, value);
	talloc_free(r.tmp);
	if (!good) {
		talloc_free(value);
		return NULL;
	}
	value->hash = value_hash(row, value);
	return value;
}

struct value *value_read(const struct value_reader *reader, const char *section, const struct setting *row, const struct node *node, const char *file)
{
	struct value *value = read_node(reader, section, row, node, false);

	if (value != NULL) {
		value->file = file;
		value->line = node->line;
	}
	return value;
}

/* ---- built-in values */

/* "a, b" to a node with two values. */
static void split_default(TALLOC_CTX *mem, const char *def, struct node *node)
{
	char *text = talloc_strdup(mem, def), *save = NULL;

	node->kind = NODE_LIST;
	node->values = talloc_array(mem, const char *, strlen(def) / 2 + 2);
	for (char *entry = strtok_r(text, ",", &save); entry != NULL; entry = strtok_r(NULL, ",", &save)) {
		size_t n;

		entry += strspn(entry, " ");
		for (n = strlen(entry); n > 0 && entry[n - 1] == ' '; n--)
			entry[n - 1] = '\0';
		if (n > 0)
			node->values[node->n_values++] = entry;
	}
}

/* Of a row without a default: nothing. */
static struct value *value_unset(const struct value_reader *reader, const struct setting *row)
{
	struct value *value = talloc_zero(reader->mem, struct value);

	if (row->type == SET_LIST) {
		value->list = talloc_zero_array(value, const char *, 1);
	} else if (row->type == SET_STRING || row->type == SET_PATH) {
		value->s = talloc_strdup(value, "");
		value->written = value->s;
	}
	value->hash = value_hash(row, value);
	return value;
}

struct value *value_default(const struct value_reader *reader, const char *section, const struct setting *row, const char *file)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct node node = { .file = file, .kind = NODE_VALUE, .name = row->name };
	struct value *value;

	if (row->def == NULL) {
		talloc_free(tmp);
		return value_unset(reader, row);
	}
	if (row->type == SET_LIST) {
		split_default(tmp, row->def, &node);
	} else {
		node.values = talloc_array(tmp, const char *, 1);
		node.values[0] = row->def;
		node.n_values = 1;
	}
	value = read_node(reader, section, row, &node, true);
	talloc_free(tmp);
	if (value == NULL && row->type != SET_TABLE) {
		fprintf(stderr, "the default of %s.%s does not fit its own row\n", section, row->name);
		abort();
	}
	return value;
}
