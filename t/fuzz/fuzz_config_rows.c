/* fuzz_config_rows.c - a tree against rows: any text, a few sections; whatever loads can be read, and what is shown of it loads again */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "policy/global.h"
#include "policy/policy.h"

static const struct setting rows[] = {
	SETTING_ENABLED,
	{ .name = "string", .type = SET_STRING, .scope = SCOPE_POLICY, .def = "x" },
	{ .name = "choice", .type = SET_STRING, .scope = SCOPE_POLICY, .def = "drop", .choices = "drop reject defer" },
	{ .name = "path", .type = SET_PATH, .scope = SCOPE_POLICY, .def = "var/x" },
	{ .name = "int", .type = SET_INT, .scope = SCOPE_POLICY, .def = "5", .min = -3, .max = 10, .limit = LIMIT_MAX, .limit_of = CLASS_MESSAGE_RATE },
	{ .name = "float", .type = SET_FLOAT, .scope = SCOPE_POLICY, .def = "0.5", .min = -1e9, .max = 1e9 },
	{ .name = "duration", .type = SET_DURATION, .scope = SCOPE_POLICY, .def = "90s", .limit = LIMIT_WINDOW, .limit_of = CLASS_MESSAGE_RATE },
	{ .name = "size", .type = SET_SIZE, .scope = SCOPE_GLOBAL, .def = "16K", .limit = LIMIT_MAX, .limit_of = CLASS_OVERSIZED },
	{ .name = "list", .type = SET_LIST, .scope = SCOPE_POLICY, .def = "one, two" },
	{ .name = "unset", .type = SET_TABLE, .scope = SCOPE_POLICY, .def = NULL },
	{ 0 },
};
static const struct setting store_rows[] = { { .name = "servers", .type = SET_LIST, .def = "" }, { 0 } };
static const struct setting list_rows[] = {
	{ .name = "codes", .type = SET_LIST, .def = "" }, { .name = "counted", .type = SET_LIST, .def = "127.0.0.0/8" }, { .name = "operator", .type = SET_STRING, .def = "" },
	{ .name = "self_test", .type = SET_BOOL, .def = "true" }, { .name = "score", .type = SET_FLOAT, .def = "1.0", .min = -1e9, .max = 1e9 }, { 0 },
};
enum { LISTS_MAX = 40 };
static const struct section blocklist = { .name = "blocklist", .titled = true, .title = "ZONE", .rows = list_rows, .titled_max = LISTS_MAX };
static const struct section top = { .name = "", .rows = global_settings }, types = { .name = "types", .rows = rows }, store = { .name = "store", .title = "redis", .rows = store_rows };
static const struct section *const sections[] = { &top, &types, &store, &blocklist };

/* The bytes as a file that needs no folder. */
static int load(const void *bytes, size_t size, struct table_set *tables, struct config **config_r, struct config_errors *errors)
{
	char path[64];
	int fd = memfd_create("fuzz.conf", 0), result;

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	result = config_load(path, sections, sizeof(sections) / sizeof(sections[0]), tables, config_r, errors, NULL);
	close(fd);
	return result;
}

/* The sections with titles of their own, written anew. */
static char *add_titled(char *text, const struct config *config)
{
	size_t n = config_titled_count(config, list_rows);

	if (n > LISTS_MAX)
		abort();
	for (size_t i = 0; i < n; i++) {
		const struct policy *entry = config_titled(config, list_rows, i);
		const char *file, *title = policy_name(entry);
		int line;

		config_titled_origin(entry, &file, &line);
		if (file == NULL || line < 1 || title[0] == '\0' || strlen(title) > 255)
			abort();
		text = talloc_strdup_append(text, "blocklist '");
		for (; *title != '\0'; title++)
			text = talloc_asprintf_append(text, *title == '\'' || *title == '\\' ? "\\%c" : "%c", *title);
		text = talloc_strdup_append(text, "' {\n");
		for (const struct setting *row = list_rows; row->name != NULL; row++)
			text = talloc_asprintf_append(text, "%s = %s\n", row->name, config_value_text(text, entry, row));
		text = talloc_strdup_append(text, "}\n");
	}
	return text;
}

/* Writes the section anew from what is in force: it must load, to the same values. */
static void check_texts(TALLOC_CTX *mem, const struct config *config, struct table_set *tables)
{
	struct config_errors errors = { .mem = mem };
	char *text = talloc_strdup(mem, "types {\n");
	struct config *again;

	for (const struct setting *row = rows; row->name != NULL; row++)
		if (row->type != SET_TABLE)
			text = talloc_asprintf_append(text, "%s = %s\n", row->name, config_value_text(mem, config_default_policy(config), row));
	text = add_titled(talloc_strdup_append(text, "}\n"), config);
	if (load(text, strlen(text), tables, &again, &errors) != 0)
		abort();
	for (const struct setting *row = rows; row->name != NULL; row++)
		if (row->type != SET_TABLE && row->type != SET_PATH && !config_same(config, again, row))
			abort();
	if (!config_titled_same(config, again, list_rows))
		abort();
	config_unref(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct config_errors errors = { .mem = mem };
	struct table_set *tables = table_set_new_still(NULL);
	struct address address = { "anna@a.example", "anna", "a.example" };
	struct config *config;
	const char *unknown;

	if (load(data, size, tables, &config, &errors) == 0) {
		const struct policy *base = config_default_policy(config);
		const struct policy *p = policy_for_recipient(config, setting_table(base, &global_settings[G_POLICIES]), &address, mem, &unknown);

		if (p == NULL || policy_find(config, policy_name(p)) != p || policy_class(p, CLASS_SPF_FAIL)->action == ACT_ACCEPT)
			abort();
		config_is_own_name(config, "a.example");
		check_texts(mem, config, tables);
		config_unref(config);
	} else if (errors.n == 0 || config != NULL) {
		abort();
	}
	table_set_free(tables);
	talloc_free(mem);
	return 0;
}
