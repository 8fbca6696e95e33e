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
	bool append;                     /* name += value */
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
	const char **files;              /* the first 200 files in the order in which they were opened; child of mem */
	size_t n_files;
};

void config_error_add(struct config_errors *errors, const char *file, int line, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* file is opened now: its errors come behind those of the files before it. */
void config_errors_file(struct config_errors *errors, const char *file);

/* By file (the first file first) and line. */
void config_errors_sort(struct config_errors *errors);

/* Reads a file and its includes; errors are collected and parsing goes on at the next line. Returns a NODE_SECTION without name whose children
 * are the file's options and sections; never NULL, a child of mem. Limits: 1 MB a file, depth 16, includes 16 deep (their files: 10,000, 64 MB in all); NUL is refused.
 *
 * file    = { option | section | "include" "(" string ")" }      option  = name ( "=" | "+=" ) ( value | list )       value = word | string, on the line of its "="
 * section = name [ value ] "{" file "}"                           list    = "{" [ value { "," value } [ "," ] ] "}"
 * word: letters, digits and _ - . + %. "string": \\ \" \$ \n \t \r \xHH, ${NAME}, ${NAME:-otherwise}. 'string': \\ and \' alone. A string ends on its line.
 * Comments: # and // to the end of the line, slash-star to star-slash. An included file's path starts from the folder of the file that includes it. */
struct node *parse_file(TALLOC_CTX *mem, const char *path, struct config_errors *errors);

/* The same from memory; name stands for the file in errors; include() is an error if base_directory is NULL. */
struct node *parse_text(TALLOC_CTX *mem, const char *text, size_t len, const char *name, const char *base_directory, struct config_errors *errors);

#endif
