/* table_help.h - what the tests of tables share: files in a directory of their own, questions in one line */
#ifndef WINNOW_T_TABLE_HELP_H
#define WINNOW_T_TABLE_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include "policy/table.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char directory[64];

static inline int make_directory(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/test_table.XXXXXX");
	return mkdtemp(directory) != NULL ? 0 : -1;
}

static inline int remove_directory(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

static inline const char *path_of(const char *name)
{
	static char path[8][256];
	static unsigned next;
	char *p = path[next++ % 8];

	snprintf(p, 256, "%s/%s", directory, name);
	return p;
}

static inline void write_bytes(const char *name, const char *bytes, size_t n)
{
	FILE *f = fopen(path_of(name), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	fclose(f);
}

static inline void write_file(const char *name, const char *text)
{
	write_bytes(name, text, strlen(text));
}

/* Opens a table that must open. */
static inline struct table *open_table(struct table_set *set, const char *spec)
{
	char *error = NULL;
	struct table *table = table_open(set, spec, directory, false, &error);

	if (table == NULL)
		fail_msg("%s: %s", spec, error);
	return table;
}

/* Opens a table that must not, and compares the error without the directory. */
static inline void assert_open_fails(struct table_set *set, const char *spec, const char *want)
{
	char *error = NULL, *found;
	struct table *table = table_open(set, spec, directory, false, &error);
	size_t n = strlen(directory) + 1;

	if (table != NULL)
		fail_msg("opened: %s", spec);
	assert_non_null(error);
	while ((found = strstr(error, directory)) != NULL)
		memmove(found, found + n, strlen(found + n) + 1);
	assert_string_equal(error, want);
	talloc_free(error);
}

/* want: the value, NULL: not in the table. */
static inline void assert_answer(enum answer answer, const char *const *value, const char *want, const char *question)
{
	if (want == NULL ? answer != ANSWER_NO : answer != ANSWER_YES || strcmp(*value, want) != 0)
		fail_msg("%s: answer %d, value %s; expected %s", question, answer, answer == ANSWER_YES ? *value : "-", want != NULL ? want : "none");
}

static inline void assert_key(struct table *table, const char *key, const char *want)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *value = NULL;
	enum answer answer = table_lookup(table, key, mem, &value);

	assert_answer(answer, &value, want, key);
	talloc_free(mem);
}

static inline void assert_ip(struct table *table, const char *text, const char *want)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *value = NULL;
	struct ip ip;

	assert_true(ip_parse(text, &ip));
	assert_answer(table_lookup_ip(table, &ip, mem, &value), &value, want, text);
	talloc_free(mem);
}

#endif
