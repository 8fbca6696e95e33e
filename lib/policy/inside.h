/* inside.h - how a configuration is made: what config.c, scope.c, domain.c, policy.c and global.c share. Internal to policy/ */
#ifndef WINNOW_POLICY_INSIDE_H
#define WINNOW_POLICY_INSIDE_H

#include <stdatomic.h>

#include "policy/config.h"
#include "policy/global.h"
#include "policy/policy.h"
#include "policy/value.h"
#include "util/ip.h"

/* A section that config_load() was given, and where the values of its rows stand in struct policy. */
struct group {
	const struct section *section;
	size_t first, n;
	const char *file;                /* where the file has this section first; NULL: nowhere */
	int line;
	struct policy **entries;         /* titled: one for each section, in the order of the file */
	size_t n_entries;
	const struct node **nodes;       /* titled, until the configuration is made: what was gathered; further ones were refused if there is no room */
	size_t n_nodes;
	bool full;                       /* that was said */
};

/* The rows of a group, for finding a row by its address. */
struct range {
	uintptr_t begin, end;
	struct group *group;
};

/* A policy; or one section of a titled group, which has the values of that group alone, and no rules. */
struct policy {
	const struct config *config;
	const char *name;
	const struct value **values;     /* by row, less first: all of all groups; inherited ones are shared */
	size_t first, n_values;
	struct class_rule *rules;        /* by class */
	uint64_t fingerprint;
	const char *file;                /* NULL: not in the file */
	int line;
};

struct config {
	atomic_uint references;
	struct group *groups;            /* the first one is the rows of policy_settings */
	size_t n_groups, n_rows;
	struct range *ranges;            /* by address */
	size_t n_ranges;
	const struct setting **rows;     /* by row */
	struct policy **policies;        /* by name */
	size_t n_policies;
	const struct policy *base;       /* "default" */
	struct domain *domains;          /* by name */
	size_t n_domains;
	const char *directory;           /* absolute, if there is a way to know */
	const char *hostname;
	const char **own_names;          /* hostname and own_names, lower case, sorted */
	size_t n_own_names;
	struct ipnet *own_nets;
	size_t n_own_nets;
};

/* What one `class "ID" { }` says. */
struct class_words {
	const struct value *action, *weight, *text, *observe;   /* NULL: nothing */
	const char *file;
	int line;
};

/* What stands at top level, in one policy, or in one section of a titled group. */
struct scope {
	const struct node *policy;       /* NULL: none around it */
	size_t first;                    /* the row that is the first one here: 0 but for a section of a titled group */
	struct value **given;            /* by row, less first; NULL: nothing, or nothing that is right */
	const struct node **seen;        /* by row, less first: where it was set */
	struct class_words **classes;    /* by class; NULL: nothing */
};

struct builder {
	struct config *config;
	TALLOC_CTX *tmp;                 /* until the configuration is made */
	struct config_errors *errors;
	struct value_reader reader;
	const char *path;                /* NULL: built-in defaults */
	const char **files, **copies;    /* files of nodes, and their copies that live with the configuration; the last one is asked first */
	size_t n_files;
	struct scope top;
	const struct node **policy_nodes, **domain_nodes;
	size_t n_policy_nodes, n_domain_nodes;
};

/* The index of a row in struct policy's values, or -1 if no section has it. */
ptrdiff_t config_row_index(const struct config *config, const struct setting *row);

/* The group of these rows; NULL: none has them, or not as its first one. */
struct group *config_group(const struct config *config, const struct setting *rows);

/* Ends the program: a row is used as it was not declared. */
void config_misuse(const struct setting *row, const char *what) __attribute__((noreturn, cold));

/* How a section is written: helo, store "sqlite", blocklist "ZONE". */
char *section_text(TALLOC_CTX *mem, const struct section *section);

/* The value that is in force where given (NULL: nothing) is said over inherited (NULL: the built-in one, made when it is needed). */
const struct value *builder_over(struct builder *b, size_t row, struct value *given, const struct value *inherited);

/* A policy, or a section of a titled group, without values; node NULL: not in the file. */
struct policy *policy_new(struct builder *b, const char *name, const struct node *node);

/* A copy of node->file that lives as long as the configuration. */
const char *builder_file(struct builder *b, const struct node *node);

/* scope.c: the tree against the rows. What stands at top level goes to b->top; its policy and domain sections are gathered. */
void scope_init(struct builder *b, struct scope *scope, const struct node *policy);
void scope_read(struct builder *b, struct scope *scope, const struct node *children);
void scope_read_rows(struct builder *b, struct scope *scope, const struct group *group, const struct node *section);   /* what stands in a section of this group */

/* titled.c: a section of a titled group is gathered when it is met, and built when the defaults are known. */
const char *titled_shown(struct builder *b, const struct node *node);   /* its title as errors may show it */
void titled_gather(struct builder *b, const struct scope *scope, struct group *group, const struct node *node);

/* Does this row of policy_settings stand at top level too (mode, threshold, ...)? The names of the others mean something else there. */
bool scope_at_top(size_t policy_row);

/* names.c: errors about names that are not known, with the nearest one or the place where they belong. */
void names_unknown_option(struct builder *b, const struct scope *scope, const struct node *node, const struct group *group);   /* group NULL: none around it */
void names_unknown_section(struct builder *b, const struct scope *scope, const struct node *node);
void names_unknown_title(struct builder *b, const struct node *node);   /* of a section that is known */
void names_unknown_class(struct builder *b, const struct node *node);
void names_no_limit(struct builder *b, const struct node *node);        /* a class that has no limit */
void names_unknown_among(struct builder *b, const struct node *node, const char *where, const struct setting *rows);   /* an option of class, limit or domain */
void names_doubled(struct builder *b, const struct node *node, const char *what, const struct node *first);

/* The steps of config_load() around the top level, in this order: where paths start; what the machine knows of itself; policies; titled sections; domains. */
void global_find_directory(struct builder *b, const struct node *tree);
void global_build(struct builder *b);
void policies_build(struct builder *b);
void titled_build(struct builder *b);
void domains_build(struct builder *b);

/* Sorts by name (equal ones in their present order), says where one is doubled and leaves those out. Returns how many are left. */
struct named {
	const char *name;
	const struct node *node;
	size_t order;
};
size_t builder_sort_names(struct builder *b, struct named *v, size_t n);

extern const struct setting domain_settings[];
extern const struct setting class_settings[];
enum { CLASS_ACTION, CLASS_WEIGHT, CLASS_TEXT, CLASS_OBSERVE };

#endif
