/* scope.c - the tree against the rows: what stands at top level or in one policy */
#include "policy/inside.h"

#include <string.h>

static const char *check_reply_text(const char *text)
{
	if (strlen(text) > 400)
		return "a reply's text holds at most 400 characters; shorten it";
	for (const char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
			return "a reply's text holds printable ASCII only (RFC 5321); take the other characters out";
	return NULL;
}

const struct setting class_settings[] = {
	[CLASS_ACTION] = { .name = "action", .type = SET_STRING, .scope = SCOPE_POLICY, .def = NULL, .choices = "reject tempfail quarantine hold discard tag score ignore", .help = "what is done" },
	[CLASS_WEIGHT] = { .name = "weight", .type = SET_FLOAT, .scope = SCOPE_POLICY, .def = NULL, .min = -100, .max = 100, .help = "part in the combined score (log-odds)" },
	[CLASS_TEXT] = { .name = "text", .type = SET_STRING, .scope = SCOPE_POLICY, .def = NULL, .check = check_reply_text, .help = "of the reply" },
	[CLASS_OBSERVE] = { .name = "observe", .type = SET_BOOL, .scope = SCOPE_POLICY, .def = "false", .help = "true: recorded only, refuses nothing" },
	{ 0 },
};

static const struct setting limit_settings[] = { { .name = "max" }, { .name = "window" }, { 0 } };

void scope_init(struct builder *b, struct scope *scope, const struct node *policy)
{
	size_t n = b->config->n_rows;

	scope->policy = policy;
	scope->first = 0;
	scope->given = talloc_zero_array(b->tmp, struct value *, n);
	scope->seen = talloc_zero_array(b->tmp, const struct node *, n);
	scope->classes = talloc_zero_array(b->tmp, struct class_words *, CLASS_COUNT);
}

bool scope_at_top(size_t row)
{
	return row != POLICY_QUARANTINE && row != POLICY_ALLOW_SENDERS && row != POLICY_ALLOW_IPS && row != POLICY_BLOCK_SENDERS;
}

/* ---- one option */

static const struct setting *find_row(const struct group *group, const char *name)
{
	for (size_t i = 0; i < group->n; i++)
		if (strcmp(group->section->rows[i].name, name) == 0)
			return &group->section->rows[i];
	return NULL;
}

static void set_row(struct builder *b, struct scope *scope, const struct group *group, const struct setting *row, const struct node *node)
{
	size_t index = group->first + (size_t)(row - group->section->rows) - scope->first;
	const char *section = group->section->name;
	const struct node *first = scope->seen[index];
	struct value *value;

	if (first != NULL && !node->append) {
		names_doubled(b, node, talloc_asprintf(b->tmp, "%s%s%s", section, section[0] != '\0' ? "." : "", row->name), first);
		return;
	}
	scope->seen[index] = node;
	value = value_read(&b->reader, section, row, node, builder_file(b, node));
	if (value == NULL)
		return;
	if (scope->given[index] != NULL) {
		value_extend(scope->given[index], value);
		talloc_free(value);
	} else {
		scope->given[index] = value;
	}
}

static void read_row(struct builder *b, struct scope *scope, const struct group *group, const struct setting *row, const struct node *node)
{
	const char *section = group->section->name;

	if (scope->policy != NULL && row->scope == SCOPE_GLOBAL)
		config_error_add(b->errors, node->file, node->line, "%s.%s holds for all policies; put it at top level: %s { %s = ... }", section, row->name, section, row->name);
	else
		set_row(b, scope, group, row, node);
}

/* An option that stands in no section but the policy, if any. */
static void read_option(struct builder *b, struct scope *scope, const struct node *node)
{
	const struct group *own = &b->config->groups[0];
	const struct setting *row;

	for (size_t i = 1; scope->policy == NULL && i < b->config->n_groups; i++) {
		const struct group *group = &b->config->groups[i];

		row = group->section->name[0] == '\0' ? find_row(group, node->name) : NULL;
		if (row != NULL) {
			set_row(b, scope, group, row, node);
			return;
		}
	}
	row = find_row(own, node->name);
	if (row != NULL && (scope->policy != NULL || scope_at_top((size_t)(row - own->section->rows))))
		set_row(b, scope, own, row, node);
	else
		names_unknown_option(b, scope, node, NULL);
}

/* ---- class and limit */

static bool find_class(struct builder *b, const struct node *node, enum class_id *id_r)
{
	if (node->title == NULL) {
		config_error_add(b->errors, node->file, node->line, "section %s needs the name of a class: %s \"helo-invalid\" { ... }", node->name, node->name);
		return false;
	}
	*id_r = class_find(node->title);
	if (*id_r == CLASS_COUNT)
		names_unknown_class(b, node);
	return *id_r != CLASS_COUNT;
}

static void read_class(struct builder *b, struct scope *scope, const struct node *node)
{
	const struct value *values[CLASS_OBSERVE + 1] = { NULL };
	const struct node *seen[CLASS_OBSERVE + 1] = { NULL };
	struct class_words *words;
	enum class_id id;
	char *section;

	if (!find_class(b, node, &id))
		return;
	section = talloc_asprintf(b->tmp, "class \"%s\"", node->title);
	if (scope->classes[id] != NULL) {
		names_doubled(b, node, section, &(struct node){ .file = scope->classes[id]->file, .line = scope->classes[id]->line });
		return;
	}
	for (const struct node *child = node->children; child != NULL; child = child->next) {
		size_t i = 0;

		while (class_settings[i].name != NULL && strcmp(class_settings[i].name, child->name) != 0)
			i++;
		if (class_settings[i].name == NULL || child->kind == NODE_SECTION)
			names_unknown_among(b, child, section, class_settings);
		else if (seen[i] != NULL)
			names_doubled(b, child, child->name, seen[i]);
		else
			values[i] = value_read(&b->reader, section, &class_settings[i], child, builder_file(b, child));
		if (class_settings[i].name != NULL && seen[i] == NULL)
			seen[i] = child;
	}
	words = talloc_zero(b->tmp, struct class_words);
	*words = (struct class_words){ values[CLASS_ACTION], values[CLASS_WEIGHT], values[CLASS_TEXT], values[CLASS_OBSERVE], builder_file(b, node), node->line };
	scope->classes[id] = words;
}

/* The first row that is this limit of the class. */
static const struct group *find_limit(struct builder *b, enum class_id id, enum setting_limit limit, const struct setting **row_r)
{
	for (size_t i = 0; i < b->config->n_groups; i++) {
		const struct group *group = &b->config->groups[i];

		for (size_t row = 0; row < group->n; row++) {
			*row_r = &group->section->rows[row];
			if ((*row_r)->limit == limit && (*row_r)->limit_of == id)
				return group;
		}
	}
	return NULL;
}

static void read_limit(struct builder *b, struct scope *scope, const struct node *node)
{
	const struct setting *rows[2];
	const struct group *groups[2];
	enum class_id id;

	if (!find_class(b, node, &id))
		return;
	groups[0] = find_limit(b, id, LIMIT_MAX, &rows[0]);
	groups[1] = find_limit(b, id, LIMIT_WINDOW, &rows[1]);
	if (groups[0] == NULL && groups[1] == NULL) {
		names_no_limit(b, node);
		return;
	}
	for (const struct node *child = node->children; child != NULL; child = child->next) {
		bool window = strcmp(child->name, "window") == 0;

		if (child->kind == NODE_SECTION || (!window && strcmp(child->name, "max") != 0))
			names_unknown_among(b, child, "limit", limit_settings);
		else if (groups[window] == NULL)
			config_error_add(b->errors, child->file, child->line, "the limit of class \"%s\" has no %s; it knows %s", node->title, child->name, window ? "max" : "window");
		else if (scope->policy == NULL || rows[window]->scope == SCOPE_POLICY)
			set_row(b, scope, groups[window], rows[window], child);
		else if (strcmp(scope->policy->title, "default") == 0)
			set_row(b, &b->top, groups[window], rows[window], child);
		else
			config_error_add(b->errors, child->file, child->line, "the limit of class \"%s\" holds for all policies; put it at top level or in policy \"default\"", node->title);
	}
}

/* ---- sections */

void scope_read_rows(struct builder *b, struct scope *scope, const struct group *group, const struct node *section)
{
	for (const struct node *child = section->children; child != NULL; child = child->next) {
		const struct setting *row = find_row(group, child->name);

		if (child->kind == NODE_SECTION)
			config_error_add(b->errors, child->file, child->line, "no section can stand in section %s; is a } missing above?", section->name);
		else if (row == NULL)
			names_unknown_option(b, scope, child, group);
		else
			read_row(b, scope, group, row, child);
	}
}

static void read_section(struct builder *b, struct scope *scope, const struct node *node)
{
	struct group *group = NULL;
	bool known = false;

	for (size_t i = 1; i < b->config->n_groups && group == NULL; i++) {
		struct group *g = &b->config->groups[i];
		const char *title = g->section->title;

		if (g->section->name[0] == '\0' || strcmp(g->section->name, node->name) != 0)
			continue;
		known = true;
		if (g->section->titled || ((title == NULL) == (node->title == NULL) && (title == NULL || strcmp(title, node->title) == 0)))
			group = g;
	}
	if (group != NULL && group->section->titled) {
		titled_gather(b, scope, group, node);
		return;
	}
	if (group == NULL) {
		if (known)
			names_unknown_title(b, node);
		else
			names_unknown_section(b, scope, node);
		return;
	}
	if (scope->policy == NULL && group->file != NULL && group->section->title != NULL) {
		names_doubled(b, node, talloc_asprintf(b->tmp, "%s \"%s\"", node->name, node->title), &(struct node){ .file = group->file, .line = group->line });
		return;
	}
	if (scope->policy == NULL && group->file == NULL) {
		group->file = builder_file(b, node);
		group->line = node->line;
	}
	scope_read_rows(b, scope, group, node);
}

static void gather(struct builder *b, const struct node ***nodes, size_t *n, const struct node *node)
{
	if (node->title == NULL || node->title[0] == '\0') {
		config_error_add(b->errors, node->file, node->line, "section %s needs a name: %s \"NAME\" { ... }", node->name, node->name);
		return;
	}
	if ((*n & (*n - 1)) == 0)
		*nodes = talloc_realloc(b->tmp, *nodes, const struct node *, *n == 0 ? 1 : *n * 2);
	(*nodes)[(*n)++] = node;
}

void scope_read(struct builder *b, struct scope *scope, const struct node *children)
{
	bool top = scope->policy == NULL;

	for (const struct node *node = children; node != NULL; node = node->next) {
		if (node->kind != NODE_SECTION)
			read_option(b, scope, node);
		else if (strcmp(node->name, "class") == 0)
			read_class(b, scope, node);
		else if (strcmp(node->name, "limit") == 0)
			read_limit(b, scope, node);
		else if (top && strcmp(node->name, "policy") == 0)
			gather(b, &b->policy_nodes, &b->n_policy_nodes, node);
		else if (top && strcmp(node->name, "domain") == 0)
			gather(b, &b->domain_nodes, &b->n_domain_nodes, node);
		else
			read_section(b, scope, node);
	}
}
