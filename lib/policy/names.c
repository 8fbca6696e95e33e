/* names.c - errors about names that the configuration does not know: the nearest one, or the place where they belong */
#include "policy/inside.h"

#include <string.h>

#include "policy/hint.h"

/* The tree may hold far more errors than are kept: no work for those. */
static bool enough(struct builder *b)
{
	return b->errors->cut;
}

static const char *const own_sections[] = { "policy", "domain", "class", "limit", NULL };

char *section_text(TALLOC_CTX *mem, const struct section *section)
{
	if (section->title == NULL && !section->titled)
		return talloc_strdup(mem, section->name);
	return talloc_asprintf(mem, "%s \"%s\"", section->name, section->title != NULL ? section->title : "NAME");
}

static bool top_level(const struct group *group)
{
	return group->section->name[0] == '\0';
}

/* Offers the rows that could stand where node stands; true: some groups are there at all. */
static void offer_here(struct builder *b, const struct scope *scope, const struct group *group, struct hint *hint, char **known)
{
	for (size_t i = 0; i < b->config->n_groups; i++) {
		const struct group *g = &b->config->groups[i];

		if (group != NULL ? g != group : scope->policy != NULL ? i != 0 : !top_level(g))
			continue;
		for (size_t row = 0; row < g->n; row++) {
			if (group == NULL && scope->policy == NULL && i == 0 && !scope_at_top(row))
				continue;
			hint_offer(hint, g->section->rows[row].name);
			if (strlen(*known) < 300)
				*known = talloc_asprintf_append_buffer(*known, "%s%s", (*known)[0] != '\0' ? ", " : "", g->section->rows[row].name);
		}
	}
}

/* "helo { allow_literal = ... }", where an option of that name belongs; NULL: nowhere. */
static char *find_elsewhere(struct builder *b, const char *name)
{
	TALLOC_CTX *mem = b->tmp;

	for (size_t i = 0; i < b->config->n_groups; i++) {
		const struct section *s = b->config->groups[i].section;

		for (const struct setting *row = s->rows; row->name != NULL; row++) {
			if (strcmp(row->name, name) != 0)
				continue;
			if (i == 0)
				return talloc_asprintf(mem, "policy \"NAME\" { %s = ... }", name);
			if (s->name[0] == '\0')
				return talloc_asprintf(mem, "%s = ... at top level, outside all sections", name);
			return talloc_asprintf(mem, "%s { %s = ... }", section_text(mem, s), name);
		}
	}
	for (const struct setting *row = domain_settings; row->name != NULL; row++)
		if (strcmp(row->name, name) == 0)
			return talloc_asprintf(mem, "domain \"NAME\" { %s = ... }", name);
	return NULL;
}

static const struct group *find_group(struct builder *b, const char *name, size_t len)
{
	for (size_t i = 1; i < b->config->n_groups; i++) {
		const char *section = b->config->groups[i].section->name;

		if (len > 0 && strlen(section) == len && memcmp(section, name, len) == 0)
			return &b->config->groups[i];
	}
	return NULL;
}

/* "helo.allow_literal = true", as the manual names it. */
static bool dotted(struct builder *b, const struct node *node)
{
	const char *dot = strchr(node->name, '.');
	const struct group *group = dot != NULL ? find_group(b, node->name, (size_t)(dot - node->name)) : NULL;

	if (group == NULL)
		return false;
	config_error_add(b->errors, node->file, node->line, "unknown option \"%.80s\"; write %s { %.80s = ... }", node->name, section_text(b->tmp, group->section), dot + 1);
	return true;
}

void names_unknown_option(struct builder *b, const struct scope *scope, const struct node *node, const struct group *group)
{
	struct hint hint = { .wanted = node->name };
	char *known, *elsewhere;
	const struct group *same;
	const char *section = group != NULL ? group->section->name : scope->policy != NULL ? "policy" : "";

	if (enough(b) || dotted(b, node))
		return;
	known = talloc_strdup(b->tmp, "");
	offer_here(b, scope, group, &hint, &known);
	elsewhere = find_elsewhere(b, node->name);
	same = find_group(b, node->name, strlen(node->name));
	if (hint.best != NULL && (hint.distance <= 1 || (elsewhere == NULL && same == NULL)))
		config_error_add(b->errors, node->file, node->line, "unknown option \"%.80s\"; did you mean \"%s\"?", node->name, hint.best);
	else if (elsewhere != NULL && section[0] != '\0')
		config_error_add(b->errors, node->file, node->line, "%.80s does not belong in section %s; write %s", node->name, section, elsewhere);
	else if (elsewhere != NULL)
		config_error_add(b->errors, node->file, node->line, "%.80s does not belong at top level; write %s", node->name, elsewhere);
	else if (same != NULL)
		config_error_add(b->errors, node->file, node->line, "%.80s is a section; write %.80s { ... }", node->name, section_text(b->tmp, same->section));
	else if (section[0] != '\0')
		config_error_add(b->errors, node->file, node->line, "unknown option \"%.80s\"; section %s knows %s", node->name, section, known);
	else
		config_error_add(b->errors, node->file, node->line, "unknown option \"%.80s\"; the file of defaults lists all of them", node->name);
}

void names_unknown_among(struct builder *b, const struct node *node, const char *where, const struct setting *rows)
{
	struct hint hint = { .wanted = node->name };
	char *known, *elsewhere;

	if (enough(b))
		return;
	known = talloc_strdup(b->tmp, "");
	for (const struct setting *row = rows; row->name != NULL; row++) {
		hint_offer(&hint, row->name);
		known = talloc_asprintf_append_buffer(known, "%s%s", known[0] != '\0' ? ", " : "", row->name);
	}
	elsewhere = find_elsewhere(b, node->name);
	if (node->kind == NODE_SECTION)
		config_error_add(b->errors, node->file, node->line, "no section can stand in %s; it knows the options %s", where, known);
	else if (hint.best != NULL)
		config_error_add(b->errors, node->file, node->line, "unknown option \"%.80s\" in %s; did you mean \"%s\"?", node->name, where, hint.best);
	else if (elsewhere != NULL)
		config_error_add(b->errors, node->file, node->line, "%.80s does not belong in %s; write %s", node->name, where, elsewhere);
	else
		config_error_add(b->errors, node->file, node->line, "unknown option \"%.80s\" in %s; it knows %s", node->name, where, known);
}

void names_unknown_section(struct builder *b, const struct scope *scope, const struct node *node)
{
	struct hint hint = { .wanted = node->name };
	bool is_option = false;

	if (enough(b))
		return;
	for (size_t i = 0; i < b->config->n_groups; i++) {
		const struct group *g = &b->config->groups[i];

		if (scope->policy == NULL || !g->section->titled)
			hint_offer(&hint, g->section->name);
		if (i == 0 || top_level(g))
			for (size_t row = 0; row < g->n; row++)
				is_option |= strcmp(g->section->rows[row].name, node->name) == 0;
	}
	for (const char *const *own = own_sections + (scope->policy != NULL ? 2 : 0); *own != NULL; own++)
		hint_offer(&hint, *own);
	if (scope->policy != NULL && (strcmp(node->name, "policy") == 0 || strcmp(node->name, "domain") == 0))
		config_error_add(b->errors, node->file, node->line, "a section %s stands at top level only; is a } missing above?", node->name);
	else if (is_option)
		config_error_add(b->errors, node->file, node->line, "%.80s is an option, not a section; write %.80s = VALUE", node->name, node->name);
	else if (hint.best != NULL)
		config_error_add(b->errors, node->file, node->line, "unknown section \"%.80s\"; did you mean \"%s\"?", node->name, hint.best);
	else
		config_error_add(b->errors, node->file, node->line, "unknown section \"%.80s\"; the file of defaults lists all of them", node->name);
}

void names_unknown_title(struct builder *b, const struct node *node)
{
	char *known;

	if (enough(b))
		return;
	known = talloc_strdup(b->tmp, "");
	for (size_t i = 1; i < b->config->n_groups; i++) {
		const struct section *s = b->config->groups[i].section;

		if (strcmp(s->name, node->name) == 0 && s->title != NULL)
			known = talloc_asprintf_append_buffer(known, "%s%s \"%s\"", known[0] != '\0' ? ", " : "", s->name, s->title);
	}
	if (known[0] == '\0')
		config_error_add(b->errors, node->file, node->line, "section %s takes no title; write %s { ... }", node->name, node->name);
	else if (node->title == NULL)
		config_error_add(b->errors, node->file, node->line, "section %s needs a title; write one of %s", node->name, known);
	else
		config_error_add(b->errors, node->file, node->line, "there is no %s \"%.80s\"; write one of %s", node->name, node->title, known);
}

void names_unknown_class(struct builder *b, const struct node *node)
{
	struct hint hint = { .wanted = node->title };

	if (enough(b))
		return;
	for (int id = 0; id < CLASS_COUNT; id++)
		hint_offer(&hint, class_row((enum class_id)id)->id);
	if (hint.best != NULL)
		config_error_add(b->errors, node->file, node->line, "unknown class \"%.80s\"; did you mean \"%s\"?", node->title, hint.best);
	else
		config_error_add(b->errors, node->file, node->line, "unknown class \"%.80s\"; \"winnowctl classes\" lists all of them", node->title);
}

void names_no_limit(struct builder *b, const struct node *node)
{
	bool has[CLASS_COUNT] = { false };
	char *known;

	if (enough(b))
		return;
	known = talloc_strdup(b->tmp, "");
	for (size_t i = 0; i < b->config->n_rows; i++)
		if (b->config->rows[i]->limit != LIMIT_NONE)
			has[b->config->rows[i]->limit_of] = true;
	for (int id = 0; id < CLASS_COUNT; id++)
		if (has[id])
			known = talloc_asprintf_append_buffer(known, "%s%s", known[0] != '\0' ? ", " : "", class_row((enum class_id)id)->id);
	config_error_add(b->errors, node->file, node->line, "class \"%s\" has no limit; those that have one: %s", node->title, known[0] != '\0' ? known : "none");
}

void names_doubled(struct builder *b, const struct node *node, const char *what, const struct node *first)
{
	config_error_add(b->errors, node->file, node->line, "%.200s is set twice, first at %s:%d; take one of them out", what, first->file, first->line);
}
