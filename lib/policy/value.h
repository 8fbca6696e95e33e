/* value.h - one value of an option: from the text of the file, and back. Internal to policy/ */
#ifndef WINNOW_POLICY_VALUE_H
#define WINNOW_POLICY_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <talloc.h>

#include "policy/parse.h"
#include "policy/setting.h"
#include "policy/table.h"

/* A value that was checked. Immutable; a talloc object whose destructor closes its table. */
struct value {
	union {
		int64_t i;                   /* SET_INT, SET_DURATION (ms), SET_SIZE (bytes) */
		double f;
		bool b;
		const char *s;               /* SET_STRING; SET_PATH as it is used */
		const char *const *list;     /* ends with NULL */
		struct table *table;         /* NULL: unset */
	};
	size_t n_list;
	const char *written;             /* SET_PATH as it stands in the file */
	bool append;                     /* to be put behind the inherited list (+= without a value before it) */
	uint64_t hash;                   /* of what takes effect */
	const char *file;                /* NULL: built in */
	int line;
};

/* What reading values needs. */
struct value_reader {
	TALLOC_CTX *mem;                 /* values are its children */
	const char *directory;           /* where relative paths start; "": here */
	struct table_set *tables;
	struct config_errors *errors;
	struct config_errors *notes;     /* NULL: not wanted */
};

/* Holds a node's value against its row. section: for messages, "" at top level. file: node->file or a copy that lives as long as the value.
 * NULL: errors were added. */
struct value *value_read(const struct value_reader *reader, const char *section, const struct setting *row, const struct node *node, const char *file);

/* The built-in one. A default that its own row forbids is a programming error (abort). NULL: a default table that cannot be read, with an error at file. */
struct value *value_default(const struct value_reader *reader, const char *section, const struct setting *row, const char *file);

/* Lists: puts b's strings (copied) behind a's, which takes b's file and line. Linear in b. */
void value_extend(struct value *a, const struct value *b);

/* The same as a new value. */
struct value *value_append(TALLOC_CTX *mem, const struct value *a, const struct value *b);

/* A string, or a list of n strings (copied) that was made up at start. */
struct value *value_string(TALLOC_CTX *mem, const char *text);
struct value *value_list(TALLOC_CTX *mem, const char *const *list, size_t n);

/* Of what takes effect: value_read() and the others have set it. */
uint64_t value_hash(const struct setting *row, const struct value *value);

bool value_equal(const struct setting *row, const struct value *a, const struct value *b);

/* As it would be written in the file; an unset table as "". */
char *value_text(TALLOC_CTX *mem, const struct setting *row, const struct value *value);

/* "from 1 to 10 messages", "one of observe, tag, enforce", ...: what a row allows; "" if anything of its type. */
char *value_range_text(TALLOC_CTX *mem, const struct setting *row);

/* Puts double quotes around text, with escapes where they are needed. */
char *value_quote(TALLOC_CTX *mem, const char *text);

#endif
