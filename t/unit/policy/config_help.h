/* config_help.h - what the tests of the configuration share: a few sections, files from text, errors to look for */
#ifndef WINNOW_T_CONFIG_HELP_H
#define WINNOW_T_CONFIG_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#include <unistd.h>

#include "policy/global.h"
#include "policy/policy.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *check_even(const char *text)
{
	return strlen(text) % 2 == 0 ? NULL : "write an even number of letters";
}

/* One of each type, and each kind of scope and limit. */
enum { T_ENABLED, T_STRING, T_CHOICE, T_CHECKED, T_PATH, T_INT, T_INT_ANY, T_FLOAT, T_BOOL, T_DURATION, T_SIZE, T_LIST, T_CHOICES, T_TABLE, T_UNSET, T_FROM };
static const struct setting type_rows[] = {
	[T_ENABLED] = SETTING_ENABLED,
	[T_STRING] = { .name = "string", .type = SET_STRING, .scope = SCOPE_POLICY, .def = "a \"b\"" },
	[T_CHOICE] = { .name = "choice", .type = SET_STRING, .scope = SCOPE_POLICY, .def = "drop", .choices = "drop reject defer" },
	[T_CHECKED] = { .name = "checked", .type = SET_STRING, .scope = SCOPE_POLICY, .def = "", .check = check_even },
	[T_PATH] = { .name = "path", .type = SET_PATH, .scope = SCOPE_POLICY, .def = "var/x" },
	[T_INT] = { .name = "int", .type = SET_INT, .scope = SCOPE_POLICY, .def = "5", .min = -3, .max = 10, .unit = "things" },
	[T_INT_ANY] = { .name = "int_any", .type = SET_INT, .scope = SCOPE_POLICY, .def = "0" },
	[T_FLOAT] = { .name = "float", .type = SET_FLOAT, .scope = SCOPE_POLICY, .def = "0.5", .min = -2.5, .max = 2.5 },
	[T_BOOL] = { .name = "bool", .type = SET_BOOL, .scope = SCOPE_POLICY, .def = "false" },
	[T_DURATION] = { .name = "duration", .type = SET_DURATION, .scope = SCOPE_POLICY, .def = "90s", .min = 100, .max = 7 * 86400000.0 },
	[T_SIZE] = { .name = "size", .type = SET_SIZE, .scope = SCOPE_POLICY, .def = "16K", .min = 0, .max = 2147483648.0 },
	[T_LIST] = { .name = "list", .type = SET_LIST, .scope = SCOPE_POLICY, .def = "one, two" },
	[T_CHOICES] = { .name = "choices", .type = SET_LIST, .scope = SCOPE_POLICY, .def = "", .choices = "drop reject defer" },
	[T_TABLE] = { .name = "table", .type = SET_TABLE, .scope = SCOPE_POLICY, .def = "" },
	[T_UNSET] = { .name = "unset", .type = SET_TABLE, .scope = SCOPE_POLICY, .def = NULL },
	[T_FROM] = { .name = "from", .type = SET_INT, .scope = SCOPE_GLOBAL, .def = "3", .min = 2, .unit = "things" },
	{ 0 },
};

enum { RATE_ENABLED, RATE_MAX, RATE_WINDOW, RATE_MESSAGES, RATE_MESSAGES_WINDOW, RATE_FIRST, RATE_SECOND };
static const struct setting rate_rows[] = {
	[RATE_ENABLED] = SETTING_ENABLED,
	[RATE_MAX] = { .name = "connections_max", .type = SET_INT, .scope = SCOPE_GLOBAL, .def = "1000", .limit = LIMIT_MAX, .limit_of = CLASS_CONNECTIONS_RATELIMITED, .help = "connections" },
	[RATE_WINDOW] = { .name = "connections_window", .type = SET_DURATION, .scope = SCOPE_GLOBAL, .def = "1h", .limit = LIMIT_WINDOW, .limit_of = CLASS_CONNECTIONS_RATELIMITED },
	[RATE_MESSAGES] = { .name = "messages_max", .type = SET_INT, .scope = SCOPE_POLICY, .def = "500", .limit = LIMIT_MAX, .limit_of = CLASS_MESSAGE_RATE, .help = "messages" },
	[RATE_MESSAGES_WINDOW] = { .name = "messages_window", .type = SET_DURATION, .scope = SCOPE_POLICY, .def = "1h", .limit = LIMIT_WINDOW, .limit_of = CLASS_MESSAGE_RATE },
	[RATE_FIRST] = { .name = "first_max", .type = SET_SIZE, .scope = SCOPE_POLICY, .def = "50M", .limit = LIMIT_MAX, .limit_of = CLASS_OVERSIZED },
	[RATE_SECOND] = { .name = "second_max", .type = SET_SIZE, .scope = SCOPE_POLICY, .def = "50M", .limit = LIMIT_MAX, .limit_of = CLASS_OVERSIZED },
	{ 0 },
};

static const struct setting quarantine_rows[] = { { .name = "path", .type = SET_PATH, .def = "var/quarantine", .help = "copies" }, { 0 } };
static const struct setting sqlite_rows[] = { { .name = "path", .type = SET_PATH, .def = "var/state" }, { .name = "required", .type = SET_BOOL, .def = "false" }, { 0 } };
static const struct setting redis_rows[] = { { .name = "servers", .type = SET_LIST, .def = "" }, { .name = "required", .type = SET_BOOL, .def = "false" }, { 0 } };
static const struct setting memory_rows[] = { { 0 } };

/* Two sections with titles of their own. */
enum { LIST_CODES, LIST_COUNTED, LIST_OPERATOR, LIST_SELF_TEST, LIST_WAIT, LIST_SPARED, LIST_KEYS, LIST_ROWS };
static const struct setting list_rows[] = {
	[LIST_CODES] = { .name = "codes", .type = SET_LIST, .def = "", .check = check_even, .help = "what refuses" },
	[LIST_COUNTED] = { .name = "counted", .type = SET_LIST, .def = "127.0.0.0/8", .help = "what counts" },
	[LIST_OPERATOR] = { .name = "operator", .type = SET_STRING, .def = "" },
	[LIST_SELF_TEST] = { .name = "self_test", .type = SET_BOOL, .def = "true" },
	[LIST_WAIT] = { .name = "wait", .type = SET_DURATION, .def = "3s", .min = 100, .max = 60000 },
	[LIST_SPARED] = { .name = "spared", .type = SET_TABLE, .def = NULL },
	[LIST_KEYS] = { .name = "keys", .type = SET_PATH, .def = "var/keys" },
	[LIST_ROWS] = { 0 },
};
enum { RULE_PATTERN, RULE_SCORE };
static const struct setting rule_rows[] = {
	[RULE_PATTERN] = { .name = "pattern", .type = SET_STRING, .def = "" }, [RULE_SCORE] = { .name = "score", .type = SET_FLOAT, .def = "1.0", .min = -100, .max = 100 }, { 0 },
};

static const char *check_no_space(const char *text)
{
	return strchr(text, ' ') == NULL ? NULL : "write a zone without spaces";
}

static const struct section global_section = { .name = "", .rows = global_settings }, type_section = { .name = "types", .rows = type_rows, .help = "one of each" },
	rate_section = { .name = "rate", .rows = rate_rows }, quarantine_section = { .name = "quarantine", .rows = quarantine_rows },
	sqlite_section = { .name = "store", .title = "sqlite", .rows = sqlite_rows }, redis_section = { .name = "store", .title = "redis", .rows = redis_rows },
	memory_section = { .name = "store", .title = "memory", .rows = memory_rows },
	list_section = { .name = "blocklist", .titled = true, .title = "ZONE", .rows = list_rows, .help = "lists", .titled_max = 5, .check_title = check_no_space,
		.example = "# a ready-made one\nblocklist \"ready.example\" {\n\tcodes = { \"127.0.0.40\" }\n\t# explained\n\twait = \"9s\"\n}\n\nblocklist \"second.example\" { self_test = false }" },
	rule_section = { .name = "rule", .titled = true, .rows = rule_rows };
static const struct section *const sections[] = { &global_section, &type_section, &rate_section, &quarantine_section, &sqlite_section, &redis_section, &memory_section, &list_section, &rule_section };

/* The state of a test: everything is freed and the folder removed at its end. */
struct fixture {
	char *folder;                    /* where files are written; relative paths start from the present folder, not from here */
	struct table_set *tables;
	struct config_errors errors, notes;
	struct config *config;           /* what was loaded last */
};

static inline int set_up(void **state)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);

	f->folder = talloc_strdup(f, "/tmp/winnow-config-XXXXXX");
	f->tables = table_set_new_still(NULL);
	f->errors.mem = f;
	f->notes.mem = f;
	*state = f;
	return mkdtemp(f->folder) != NULL ? 0 : -1;
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;
	int result;

	config_unref(f->config);
	table_set_free(f->tables);
	result = system(talloc_asprintf(f, "rm -rf '%s'", f->folder));
	talloc_free(f);
	return result;
}

static inline char *write_conf(struct fixture *f, const char *name, const char *text)
{
	char *path = talloc_asprintf(f, "%s/%s", f->folder, name);
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	return path;
}

/* Loads text in place of what was loaded before. */
static inline int try_load(struct fixture *f, const char *text)
{
	char *path = write_conf(f, "t.conf", text);

	config_unref(f->config);
	talloc_free(f->errors.v);
	f->errors = (struct config_errors){ .mem = f };
	return config_load(path, sections, COUNT(sections), f->tables, &f->config, &f->errors, &f->notes);
}

static inline const struct policy *load(struct fixture *f, const char *text)
{
	if (try_load(f, text) != 0)
		fail_msg("%s\n%s:%d: %s", text, f->errors.v[0].file, f->errors.v[0].line, f->errors.v[0].text);
	return config_default_policy(f->config);
}

/* Loads text that has exactly one error: at that line, with this in it. */
static inline void refused(struct fixture *f, const char *text, int line, const char *error)
{
	if (try_load(f, text) == 0)
		fail_msg("accepted: %s", text);
	assert_null(f->config);
	if (f->errors.n != 1 || f->errors.v[0].line != line || strstr(f->errors.v[0].text, error) == NULL)
		fail_msg("%s\n%zu errors, the first is %d: %s", text, f->errors.n, f->errors.v[0].line, f->errors.v[0].text);
}

#endif
