/* config.c - a configuration: built whole from the tree and the rows, never changed, swapped by reference count */
#include "policy/config.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/inside.h"

/* ---- rows and their places */

static int compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->begin < y->begin ? -1 : x->begin > y->begin;
}

static size_t count_rows(const struct setting *rows)
{
	size_t n = 0;

	while (rows[n].name != NULL)
		n++;
	return n;
}

/* What a titled section cannot have: its rows are not those of policies. */
static void check_titled(const struct section *section)
{
	for (const struct setting *row = section->rows; row->name != NULL; row++)
		if (row->scope != SCOPE_GLOBAL || row->limit != LIMIT_NONE)
			config_misuse(row, "a row of a titled section has global scope and no limit");
}

/* Gives each row of each section its index. */
static void lay_out(struct config *config, const struct section *const *sections, size_t n)
{
	static const struct section own = { .name = "policy", .rows = policy_settings };

	config->groups = talloc_zero_array(config, struct group, n + 1);
	config->n_groups = n + 1;
	for (size_t i = 0; i <= n; i++) {
		const struct section *section = i == 0 ? &own : sections[i - 1];

		config->groups[i] = (struct group){ .section = section, .first = config->n_rows, .n = count_rows(section->rows) };
		config->n_rows += config->groups[i].n;
	}
	config->rows = talloc_array(config, const struct setting *, config->n_rows + 1);
	config->ranges = talloc_array(config, struct range, n + 1);
	for (size_t i = 0; i <= n; i++) {
		struct group *group = &config->groups[i];
		const struct setting *rows = group->section->rows;

		if (group->section->titled)
			check_titled(group->section);
		for (size_t row = 0; row < group->n; row++)
			config->rows[group->first + row] = &rows[row];
		if (group->n > 0)
			config->ranges[config->n_ranges++] = (struct range){ (uintptr_t)rows, (uintptr_t)(rows + group->n), group };
	}
	qsort(config->ranges, config->n_ranges, sizeof(config->ranges[0]), compare_ranges);
}

/* The range that holds a row, or NULL. */
static const struct range *find_range(const struct config *config, const struct setting *row)
{
	const struct range *low = config->ranges;
	uintptr_t address = (uintptr_t)row;

	for (size_t n = config->n_ranges; n > 1;) {     /* the last range that begins at or before address */
		size_t half = n / 2;

		if (low[half].begin <= address)
			low += half;
		n -= half;
	}
	return address >= low->begin && address < low->end ? low : NULL;
}

ptrdiff_t config_row_index(const struct config *config, const struct setting *row)
{
	const struct range *range = find_range(config, row);

	return range != NULL ? (ptrdiff_t)(range->group->first + ((uintptr_t)row - range->begin) / sizeof(struct setting)) : -1;
}

struct group *config_group(const struct config *config, const struct setting *rows)
{
	const struct range *range = find_range(config, rows);

	return range != NULL && range->begin == (uintptr_t)rows ? range->group : NULL;
}

void config_misuse(const struct setting *row, const char *what)
{
	fprintf(stderr, "option %s: %s\n", row->name, what);
	abort();
}

/* ---- what the steps share */

const char *builder_file(struct builder *b, const struct node *node)
{
	size_t i = b->n_files;

	while (i > 0 && b->files[i - 1] != node->file)
		i--;
	if (i > 0)
		return b->copies[i - 1];
	b->files = talloc_realloc(b->tmp, b->files, const char *, b->n_files + 1);
	b->copies = talloc_realloc(b->tmp, b->copies, const char *, b->n_files + 1);
	b->files[b->n_files] = node->file;
	b->copies[b->n_files] = talloc_strdup(b->config, node->file);
	return b->copies[b->n_files++];
}

static int compare_names(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order != 0)
		return order;
	return x->order < y->order ? -1 : 1;
}

size_t builder_sort_names(struct builder *b, struct named *v, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		v[i].order = i;
	if (n > 1)
		qsort(v, n, sizeof(v[0]), compare_names);
	for (size_t i = 0; i < n; i++) {
		const char *shown;

		if (kept == 0 || strcmp(v[kept - 1].name, v[i].name) != 0) {
			v[kept++] = v[i];
			continue;
		}
		shown = titled_shown(b, v[i].node);
		names_doubled(b, v[i].node, talloc_asprintf(b->tmp, "%s \"%s\"", v[i].node->name, shown != v[i].node->title ? shown : v[i].name), v[kept - 1].node);
	}
	return kept;
}

/* ---- loading */

int config_load(const char *path, const struct section *const *sections, size_t n, struct table_set *tables, struct config **config_r, struct config_errors *errors, struct config_errors *notes)
{
	struct config *config = talloc_named_const(NULL, sizeof(*config), "configuration");
	struct builder b = { .config = config, .tmp = talloc_new(NULL), .errors = errors, .path = path };
	struct node *tree = NULL;

	*config_r = NULL;
	memset(config, 0, sizeof(*config));
	atomic_init(&config->references, 1);
	b.reader = (struct value_reader){ .mem = config, .directory = "", .tables = tables, .errors = errors, .notes = notes };
	lay_out(config, sections, n);
	if (path != NULL)
		tree = parse_file(b.tmp, path, errors);
	global_find_directory(&b, tree);
	scope_init(&b, &b.top, NULL);
	if (tree != NULL)
		scope_read(&b, &b.top, tree->children);
	global_build(&b);
	policies_build(&b);
	titled_build(&b);
	domains_build(&b);
	talloc_free(b.tmp);
	if (errors->n > 0) {
		config_errors_sort(errors);
		config_unref(config);
		return -EINVAL;
	}
	*config_r = config;
	return 0;
}

struct config *config_ref(struct config *config)
{
	atomic_fetch_add_explicit(&config->references, 1, memory_order_relaxed);
	return config;
}

void config_unref(struct config *config)
{
	if (config != NULL && atomic_fetch_sub_explicit(&config->references, 1, memory_order_acq_rel) == 1)
		talloc_free(config);
}

const struct policy *config_default_policy(const struct config *config)
{
	return config->base;
}

/* ---- reading values */

static inline const struct value *value_of(const struct policy *policy, const struct setting *row)
{
	ptrdiff_t index = config_row_index(policy->config, row);

	if (index < 0)
		config_misuse(row, "its section was not given to config_load()");
	if ((size_t)index - policy->first >= policy->n_values)        /* below first: very large */
		config_misuse(row, "read from a titled section that does not have it");
	return policy->values[(size_t)index - policy->first];
}

static inline const struct value *value_as(const struct policy *policy, const struct setting *row, enum setting_type type)
{
	if (row->type != type)
		config_misuse(row, "read as another type than its own");
	return value_of(policy, row);
}

bool setting_bool(const struct policy *policy, const struct setting *row)
{
	return value_as(policy, row, SET_BOOL)->b;
}

int64_t setting_int(const struct policy *policy, const struct setting *row)
{
	return value_as(policy, row, SET_INT)->i;
}

int64_t setting_ms(const struct policy *policy, const struct setting *row)
{
	return value_as(policy, row, SET_DURATION)->i;
}

int64_t setting_size(const struct policy *policy, const struct setting *row)
{
	return value_as(policy, row, SET_SIZE)->i;
}

double setting_float(const struct policy *policy, const struct setting *row)
{
	return value_as(policy, row, SET_FLOAT)->f;
}

const char *setting_string(const struct policy *policy, const struct setting *row)
{
	return value_as(policy, row, row->type == SET_PATH ? SET_PATH : SET_STRING)->s;
}

const char *const *setting_list(const struct policy *policy, const struct setting *row)
{
	return value_as(policy, row, SET_LIST)->list;
}

struct table *setting_table(const struct policy *policy, const struct setting *row)
{
	return value_as(policy, row, SET_TABLE)->table;
}

/* ---- about values */

void config_origin(const struct policy *policy, const struct setting *row, const char **file_r, int *line_r)
{
	const struct value *value = value_of(policy, row);

	*file_r = value->file;
	*line_r = value->file != NULL ? value->line : 0;
}

char *config_value_text(TALLOC_CTX *mem, const struct policy *policy, const struct setting *row)
{
	return value_text(mem, row, value_of(policy, row));
}

bool config_same(const struct config *a, const struct config *b, const struct setting *row)
{
	return value_equal(row, value_of(a->base, row), value_of(b->base, row));
}

bool config_section_given(const struct config *config, const struct setting *rows, const char **file_r, int *line_r)
{
	for (size_t i = 0; i < config->n_groups; i++) {
		const struct group *group = &config->groups[i];

		if (group->section->rows != rows || group->file == NULL)
			continue;
		*file_r = group->file;
		*line_r = group->line;
		return true;
	}
	return false;
}
