/* parse.h - the text of the configuration to a tree of nodes with file and line; knows no option */
#ifndef WINNOW_POLICY_PARSE_H
#define WINNOW_POLICY_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include <talloc.h>

enum node_kind { NODE_VALUE, NODE_LIST, NODE_SECTION };

struct node {
	const char *file;
	int line;
	enum node_kind kind;
	const char *name;
	const char *title;               /* of a section; NULL if none */
	const char **values;             /* NODE_VALUE: one; NODE_LIST: n_values; strings without their quotes, escapes done */
	size_t n_values;
	struct node *children;           /* NODE_SECTION */
	struct node *next;
};

/* Errors of parsing and of checking alike, in any order until config_errors_sort(). */
struct config_error {
	const char *file;
	int line;                        /* 0: the file as a whole */
	const char *text;                /* what is wrong, and what would be right */
};

struct config_errors {
	struct config_error *v;          /* a talloc array, child of mem */
	size_t n;
	TALLOC_CTX *mem;
	bool cut;                        /* more than 200: the rest was dropped */
};

void config_error_add(struct config_errors *errors, const char *file, int line, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* By file (the first file first) and line. */
void config_errors_sort(struct config_errors *errors);

/* Reads a file and its includes; errors are collected and parsing goes on at the next line. The tree (maybe empty) is a child of mem.
 * Limits: 1 MB a file, depth 16, includes 16 deep; NUL is refused. Grammar: facts, and options.md section 1. */
struct node *parse_file(TALLOC_CTX *mem, const char *path, struct config_errors *errors);

/* The same from memory; name stands for the file in errors; include() is an error if base_directory is NULL. */
struct node *parse_text(TALLOC_CTX *mem, const char *text, size_t len, const char *name, const char *base_directory, struct config_errors *errors);

#endif
