/* defaults.c - the commented file of all options, made from the rows */
#include "policy/config.h"

#include <string.h>

#include "policy/inside.h"

enum { COLUMN = 48 };                    /* where the comments begin */

static const char head[] =
	"# Options of Winnow with their defaults\n"
	"#\n"
	"# A # directly before a name switches the option off: it then has the default that is shown. \"# \" begins an explanation.\n"
	"# Written as: name = value, lists { \"a\", \"b\" }, section { ... }, include(\"file\"). Quote what holds / : or @.\n"
	"# Durations: 90 or \"90s\", \"200ms\", \"5m\", \"48h\", \"7d\". Sizes: 1024, \"16K\", \"50M\", \"2G\".\n"
	"# Tables: \"inline:KEY, KEY=VALUE\", \"file:PATH\", \"cidr:PATH\", \"pcre:PATH\", \"lmdb:PATH\" and \"cdb:PATH\" (as postmap writes\n"
	"# them), \"sqlite:PATH?SELECT value FROM names WHERE name = :key\"; \"\" is the empty table.\n"
	"# [P]: the option can stand in a policy too, as policy \"NAME\" { section { option = ... } }; at top level it holds for all policies.\n"
	"# \"winnow-milter -t\" checks the file, \"winnowctl policy ADDRESS\" shows what is in force and where it was set.\n";

/* The default as it would be written in the file. */
static char *default_text(TALLOC_CTX *mem, const struct setting *row)
{
	struct config_errors errors = { .mem = mem };
	const struct value_reader reader = { .mem = mem, .directory = "", .errors = &errors };

	if (row->def_text != NULL)
		return talloc_strdup(mem, row->def_text);
	if (row->type == SET_LIST)
		return value_text(mem, row, value_default(&reader, "", row, NULL));
	if (row->type == SET_INT || row->type == SET_FLOAT || row->type == SET_BOOL)
		return talloc_strdup(mem, row->def != NULL ? row->def : row->type == SET_BOOL ? "false" : "0");
	return value_quote(mem, row->def != NULL ? row->def : "");
}

static char *comment_text(TALLOC_CTX *mem, const struct setting *row, bool mark)
{
	char *text = talloc_strdup(mem, row->help != NULL ? row->help : ""), *range = value_range_text(mem, row);

	if (row->def == NULL && row->def_text == NULL)
		text = talloc_asprintf_append(text, "%sby default unset", text[0] != '\0' ? "; " : "");
	if (range[0] != '\0')
		text = talloc_asprintf_append(text, "%s(%s)", text[0] != '\0' ? " " : "", range);
	if (mark && row->scope == SCOPE_POLICY)
		text = talloc_asprintf_append(text, "%s[P]", text[0] != '\0' ? " " : "");
	return text;
}

/* One option: behind it what it means, or above it where it is too long. */
static char *add_row(char *out, TALLOC_CTX *mem, const struct setting *row, const char *indent, bool mark)
{
	char *line = talloc_asprintf(mem, "%s#%s = %s", indent, row->name, default_text(mem, row)), *comment = comment_text(mem, row, mark);
	size_t width = strlen(line) + (indent[0] == '\t' ? 3 : 0);

	if (comment[0] == '\0')
		return talloc_asprintf_append_buffer(out, "%s\n", line);
	if (width >= COLUMN)
		return talloc_asprintf_append_buffer(out, "%s# %s\n%s\n", indent, comment, line);
	return talloc_asprintf_append_buffer(out, "%s%*s# %s\n", line, (int)(COLUMN - width), "", comment);
}

/* Ready-made sections: each line switched off, explanations as they are. */
static char *add_example(char *out, const char *text)
{
	while (*text != '\0') {
		size_t indent = strspn(text, "\t"), len = strcspn(text, "\n");
		bool on = indent < len && text[indent] != '#';

		out = talloc_asprintf_append_buffer(out, "%.*s%s%.*s\n", (int)indent, text, on ? "#" : "", (int)(len - indent), text + indent);
		text += len + (text[len] == '\n');
	}
	return out;
}

static char *add_section(char *out, TALLOC_CTX *mem, const struct section *section)
{
	bool off = section->title != NULL || section->titled;

	out = talloc_strdup_append_buffer(out, "\n");
	if (section->help != NULL)
		out = talloc_asprintf_append_buffer(out, "# %s\n", section->help);
	if (section->name[0] == '\0') {
		for (const struct setting *row = section->rows; row->name != NULL; row++)
			out = add_row(out, mem, row, "", true);
		return out;
	}
	/* one with a title would be chosen by standing there */
	out = talloc_asprintf_append_buffer(out, "%s%s {\n", off ? "#" : "", section_text(mem, section));
	for (const struct setting *row = section->rows; row->name != NULL; row++)
		out = add_row(out, mem, row, "\t", true);
	out = talloc_strdup_append_buffer(out, off ? "#}\n" : "}\n");
	return section->example != NULL ? add_example(talloc_strdup_append_buffer(out, "\n"), section->example) : out;
}

/* A limit and an option of a check that exist among the sections, to show how they are written in a policy. */
static char *add_policy_examples(char *out, const struct section *const *sections, size_t n)
{
	const struct setting *limit = NULL;
	const struct section *check = NULL;

	for (size_t i = 0; i < n; i++) {
		for (const struct setting *row = sections[i]->rows; row->name != NULL; row++) {
			if (limit == NULL && row->limit == LIMIT_MAX && row->scope == SCOPE_POLICY)
				limit = row;
			if (check == NULL && sections[i]->name[0] != '\0' && strcmp(row->name, "enabled") == 0 && row->scope == SCOPE_POLICY)
				check = sections[i];
		}
	}
	out = talloc_strdup_append_buffer(out, "\t# what is done about one class: reject, tempfail, quarantine, hold, discard, tag, score, ignore\n"
		"\t#class \"helo-invalid\" { action = \"score\"  weight = 1.5 }\n");
	if (limit != NULL)
		out = talloc_asprintf_append_buffer(out, "\t# its limit, short for the option of the check\n\t#limit \"%s\" { max = %s }\n", class_row(limit->limit_of)->id,
			limit->type == SET_INT ? limit->def : talloc_asprintf(out, "\"%s\"", limit->def));
	if (check != NULL)
		out = talloc_asprintf_append_buffer(out, "\t# and every option marked [P]\n\t#%s { enabled = true }\n", check->name);
	return out;
}

static char *add_policy_and_domain(char *out, TALLOC_CTX *mem, const struct section *const *sections, size_t n)
{
	out = talloc_strdup_append_buffer(out, "\n# ---- policies: what holds for whom; the others begin as copies of \"default\"\n\npolicy \"default\" {\n");
	for (const struct setting *row = policy_settings; row->name != NULL; row++)
		out = add_row(out, mem, row, "\t", false);
	out = add_policy_examples(out, sections, n);
	out = talloc_strdup_append_buffer(out, "}\n\n# ---- domains: one section for each that needs options of its own\n\n#domain \"example.com\" {\n");
	for (const struct setting *row = domain_settings; row->name != NULL; row++)
		out = add_row(out, mem, row, "\t", false);
	return talloc_strdup_append_buffer(out, "#}\n");
}

char *config_defaults_text(TALLOC_CTX *mem, const struct section *const *sections, size_t n)
{
	TALLOC_CTX *tmp = talloc_new(NULL);
	char *out = talloc_strdup(mem, head);

	out = talloc_strdup_append_buffer(out, "\n# ---- top level\n");
	for (size_t i = 0; i < n; i++)
		if (sections[i]->name[0] == '\0')
			out = add_section(out, tmp, sections[i]);
	out = add_policy_and_domain(out, tmp, sections, n);
	out = talloc_strdup_append_buffer(out, "\n# ---- checks and services\n");
	for (size_t i = 0; i < n; i++)
		if (sections[i]->name[0] != '\0')
			out = add_section(out, tmp, sections[i]);
	talloc_free(tmp);
	return out;
}
