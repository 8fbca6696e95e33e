/* salvage.c - what a configuration with errors still says of where things are */
#include "engine/salvage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ROUNDS = 4 };

static const char *const wanted[] = { "directory", "control", "hostname", "quarantine", "journal", "evidence" };

static bool is_wanted(const char *name)
{
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (strcmp(name, wanted[i]) == 0)
			return true;
	return false;
}

/* ---- the good part as a text, an option a line */

static void write_string(FILE *f, const char *text)
{
	putc('"', f);
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		if (*p < 0x20 || *p == 0x7f)
			fprintf(f, "\\x%02X", *p);
		else
			fprintf(f, "%s%c", *p == '"' || *p == '\\' || *p == '$' ? "\\" : "", *p);
	}
	putc('"', f);
}

static void write_option(FILE *f, const struct node *node)
{
	fprintf(f, "%s %s %s", node->name, node->append ? "+=" : "=", node->kind == NODE_LIST ? "{ " : "");
	for (size_t i = 0; i < node->n_values; i++) {
		fputs(i > 0 ? ", " : "", f);
		write_string(f, node->values[i]);
	}
	fputs(node->kind == NODE_LIST ? " }\n" : "\n", f);
}

static void write_tree(FILE *f, const struct node *top)
{
	for (const struct node *node = top->children; node != NULL; node = node->next) {
		if (!is_wanted(node->name) || node->title != NULL)
			continue;
		if (node->kind != NODE_SECTION) {
			write_option(f, node);
			continue;
		}
		fprintf(f, "%s {\n", node->name);
		for (const struct node *in = node->children; in != NULL; in = in->next)
			if (in->kind != NODE_SECTION)
				write_option(f, in);
		fputs("}\n", f);
	}
}

static char *good_text(const char *path)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct config_errors ignored = { .mem = mem };
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (f != NULL) {
		write_tree(f, parse_file(mem, path, &ignored));
		fclose(f);
	}
	talloc_free(mem);
	return text;
}

/* ---- read as a file */

/* Makes the options of these lines blank. false: there was none. */
static bool blank_out(char *text, const struct config_errors *errors)
{
	bool any = false;
	int line = 1;

	for (char *p = text; *p != '\0'; line++) {
		size_t len = strcspn(p, "\n");
		bool bad = false;

		for (size_t i = 0; i < errors->n; i++)
			bad |= errors->v[i].line == line;
		if (bad && memchr(p, '=', len) != NULL) {
			memset(p, ' ', len);
			any = true;
		}
		p += len + (p[len] != '\0');
	}
	return any;
}

static int load_text(const char *text, const struct section *const *sections, size_t n, struct table_set *tables, struct config **config_r, struct config_errors *errors)
{
	int fd = memfd_create("winnow.conf", MFD_CLOEXEC), result;
	size_t len = strlen(text);
	char name[40];

	if (fd < 0)
		return -errno;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	result = write(fd, text, len) == (ssize_t)len ? config_load(name, sections, n, tables, config_r, errors, NULL) : -EIO;
	close(fd);
	return result;
}

int salvage_config(const char *path, const struct section *const *sections, size_t n, struct table_set *tables, struct config **config_r)
{
	char *text = good_text(path);
	int result = text != NULL ? -EINVAL : -ENOMEM;
	bool again = true;

	for (int round = 0; round < ROUNDS && result == -EINVAL && again; round++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct config_errors errors = { .mem = mem };

		result = load_text(text, sections, n, tables, config_r, &errors);
		again = result == -EINVAL && blank_out(text, &errors);
		talloc_free(mem);
	}
	free(text);
	return result;
}
