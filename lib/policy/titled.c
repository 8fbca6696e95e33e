/* titled.c - sections with titles of their own, any number of them: gathered, built, asked */
#include "policy/config.h"

#include <string.h>

#include "policy/inside.h"

enum { SECTIONS_MAX = 5000, TITLE_MAX = 255 };

/* ---- gathering */

const char *titled_shown(struct builder *b, const struct node *node)
{
	for (size_t i = 0; i < b->config->n_groups; i++) {
		const struct section *s = b->config->groups[i].section;

		if (s->titled && s->show_title != NULL && strcmp(s->name, node->name) == 0)
			return s->show_title(b->tmp, node->title);
	}
	return node->title;
}

static bool refuse_title(struct builder *b, const struct node *node, const char *remedy)
{
	config_error_add(b->errors, node->file, node->line, "%s \"%.80s\": %.300s", node->name, titled_shown(b, node), remedy);
	return false;
}

/* Titles go into evidence and the log. */
static bool good_title(struct builder *b, const struct section *section, const struct node *node)
{
	const char *remedy;

	if (strlen(node->title) > TITLE_MAX)
		return refuse_title(b, node, "a title holds at most 255 characters; shorten it");
	for (const char *p = node->title; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return refuse_title(b, node, "control characters cannot stand in a title; take them out");
	remedy = section->check_title != NULL ? section->check_title(node->title) : NULL;
	return remedy == NULL || refuse_title(b, node, remedy);
}

/* Is there room for one more? Said once: the file may hold very many. */
static bool has_room(struct builder *b, struct group *group, const struct node *node)
{
	size_t max = group->section->titled_max != 0 ? group->section->titled_max : SECTIONS_MAX;

	if (group->n_nodes < max)
		return true;
	if (!group->full)
		config_error_add(b->errors, node->file, node->line, "%s \"%.80s\": there can be at most %zu sections %s; take this one and those behind it out", node->name, titled_shown(b, node),
			max, node->name);
	group->full = true;
	return false;
}

void titled_gather(struct builder *b, const struct scope *scope, struct group *group, const struct node *node)
{
	if (scope->policy != NULL) {
		config_error_add(b->errors, node->file, node->line, "section %s holds for all policies; put it at top level, outside policy \"%.80s\"", node->name, scope->policy->title);
		return;
	}
	if (group->file == NULL) {
		group->file = builder_file(b, node);
		group->line = node->line;
	}
	if (node->title == NULL || node->title[0] == '\0') {
		config_error_add(b->errors, node->file, node->line, "section %s needs a title; write %s { ... }", node->name, section_text(b->tmp, group->section));
		return;
	}
	if (!has_room(b, group, node) || !good_title(b, group->section, node))
		return;
	if ((group->n_nodes & (group->n_nodes - 1)) == 0)
		group->nodes = talloc_realloc(b->tmp, group->nodes, const struct node *, group->n_nodes == 0 ? 1 : group->n_nodes * 2);
	group->nodes[group->n_nodes++] = node;
}

/* ---- building */

/* What the section says over the defaults, which policy "default" has. */
static struct policy *build_entry(struct builder *b, const struct group *group, const struct node *node)
{
	const struct value **defaults = b->config->base->values + group->first;
	struct policy *entry = policy_new(b, node->title, node);
	TALLOC_CTX *tmp = talloc_new(b->tmp);
	struct scope scope = { .first = group->first, .given = talloc_zero_array(tmp, struct value *, group->n), .seen = talloc_zero_array(tmp, const struct node *, group->n) };

	scope_read_rows(b, &scope, group, node);
	entry->first = group->first;
	entry->n_values = group->n;
	entry->values = talloc_zero_array(entry, const struct value *, group->n);
	for (size_t i = 0; i < group->n; i++)       /* a default is missing only where it was an error */
		entry->values[i] = defaults[i] != NULL ? builder_over(b, group->first + i, scope.given[i], defaults[i]) : scope.given[i];
	talloc_free(tmp);
	return entry;
}

static void build_group(struct builder *b, struct group *group)
{
	size_t n = group->n_nodes, kept;
	struct named *named = talloc_array(b->tmp, struct named, n + 1);
	bool *good = talloc_zero_array(b->tmp, bool, n + 1);        /* by place in the file: not a title's second one */

	for (size_t i = 0; i < n; i++)
		named[i] = (struct named){ .name = group->nodes[i]->title, .node = group->nodes[i] };
	kept = builder_sort_names(b, named, n);
	for (size_t i = 0; i < kept; i++)
		good[named[i].order] = true;
	group->entries = talloc_zero_array(b->config, struct policy *, kept + 1);
	for (size_t i = 0; i < n; i++)
		if (good[i])
			group->entries[group->n_entries++] = build_entry(b, group, group->nodes[i]);
	group->nodes = NULL;
	group->n_nodes = 0;
}

void titled_build(struct builder *b)
{
	for (size_t i = 0; i < b->config->n_groups; i++)
		if (b->config->groups[i].section->titled)
			build_group(b, &b->config->groups[i]);
}

/* ---- asking */

static const struct group *titled_group(const struct config *config, const struct setting *rows)
{
	const struct group *group = config_group(config, rows);

	if (group == NULL || !group->section->titled)
		config_misuse(rows, "not the first row of a titled section that was given to config_load()");
	return group;
}

size_t config_titled_count(const struct config *config, const struct setting *rows)
{
	return titled_group(config, rows)->n_entries;
}

const struct policy *config_titled(const struct config *config, const struct setting *rows, size_t i)
{
	const struct group *group = titled_group(config, rows);

	if (i >= group->n_entries)
		config_misuse(rows, "there are not so many sections of it");
	return group->entries[i];
}

void config_titled_origin(const struct policy *entry, const char **file_r, int *line_r)
{
	*file_r = entry->file;
	*line_r = entry->line;
}

static bool same_entry(const struct group *group, const struct policy *a, const struct policy *b)
{
	if (strcmp(a->name, b->name) != 0)
		return false;
	for (size_t i = 0; i < group->n; i++)
		if (!value_equal(&group->section->rows[i], a->values[i], b->values[i]))
			return false;
	return true;
}

bool config_titled_same(const struct config *a, const struct config *b, const struct setting *rows)
{
	const struct group *x = titled_group(a, rows), *y = titled_group(b, rows);

	if (x->n_entries != y->n_entries)
		return false;
	for (size_t i = 0; i < x->n_entries; i++)
		if (!same_entry(x, x->entries[i], y->entries[i]))
			return false;
	return true;
}
