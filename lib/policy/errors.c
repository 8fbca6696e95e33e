/* errors.c - errors of the configuration: collected, bounded, in the order of the files */
#include "policy/parse.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { ERRORS_MAX = 200, TEXT_MAX = 600 };

void config_errors_file(struct config_errors *errors, const char *file)
{
	if (errors->n_files < ERRORS_MAX)
		errors->files = talloc_realloc(errors->mem, errors->files, const char *, errors->n_files + 1);
	else
		return;
	errors->files[errors->n_files++] = talloc_strdup(errors->files, file);
}

void config_error_add(struct config_errors *errors, const char *file, int line, const char *format, ...)
{
	va_list args;
	char *text;

	if (errors->n >= ERRORS_MAX) {
		errors->cut = true;
		return;
	}
	errors->v = talloc_realloc(errors->mem, errors->v, struct config_error, errors->n + 1);
	va_start(args, format);
	text = talloc_vasprintf(errors->v, format, args);
	va_end(args);
	if (strlen(text) > TEXT_MAX)
		strcpy(text + TEXT_MAX - 3, "...");
	for (char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	errors->v[errors->n++] = (struct config_error){ talloc_strdup(errors->v, file != NULL ? file : "configuration"), line, text };
}

/* ---- order */

struct key {
	size_t file, at;                 /* which file, and the place in errors: what came first stays first */
	struct config_error error;
};

static size_t file_order(const struct config_errors *errors, const char *file)
{
	size_t i;

	for (i = 0; i < errors->n_files; i++)
		if (strcmp(errors->files[i], file) == 0)
			break;
	return i;
}

static int compare(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	int names;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	names = strcmp(x->error.file, y->error.file);
	if (names != 0)
		return names;
	if (x->error.line != y->error.line)
		return x->error.line < y->error.line ? -1 : 1;
	return x->at < y->at ? -1 : 1;
}

void config_errors_sort(struct config_errors *errors)
{
	struct key *keys;

	if (errors->n < 2)
		return;
	keys = talloc_array(errors->mem, struct key, errors->n);
	for (size_t i = 0; i < errors->n; i++)
		keys[i] = (struct key){ file_order(errors, errors->v[i].file), i, errors->v[i] };
	qsort(keys, errors->n, sizeof(keys[0]), compare);
	for (size_t i = 0; i < errors->n; i++)
		errors->v[i] = keys[i].error;
	talloc_free(keys);
}
