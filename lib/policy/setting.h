/* setting.h - options as rows: what a check or service declares, and what it reads back */
#ifndef WINNOW_POLICY_SETTING_H
#define WINNOW_POLICY_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <talloc.h>

#include "facts/class.h"

struct config;
struct policy;
struct table;

enum setting_type {
	SET_STRING,
	SET_PATH,                        /* a string; relative ones start from `directory`, behind "unix:" too; "" and "inet:...", "inet6:..." stay as they are */
	SET_INT, SET_FLOAT, SET_BOOL,
	SET_DURATION,                    /* "90", "200ms", "90s", "5m", "48h", "7d": kept in milliseconds */
	SET_SIZE,                        /* "1024", "16K", "50M", "2G": kept in bytes */
	SET_LIST,                        /* of strings; a lone string is a list of one */
	SET_TABLE                        /* policy/table.h */
};

enum setting_scope { SCOPE_GLOBAL, SCOPE_POLICY, SCOPE_DOMAIN };

/* Which `limit "ID" { max window }` this option is also known as. */
enum setting_limit { LIMIT_NONE, LIMIT_MAX, LIMIT_WINDOW };

/* One option. An array of rows ends with { 0 }. Defaults are written as in the file, without quotes around a lone string; a list as "a, b". */
struct setting {
	const char *name;
	enum setting_type type;
	enum setting_scope scope;
	const char *def;                 /* NULL: unset (SET_TABLE only: setting_table() gives NULL), or known only at start (then def_text says how it is shown) */
	const char *help;                /* one line for etc/winnow.conf and the manual */
	double min, max;                 /* of numbers, durations (ms) and sizes (bytes); both 0: any that is not negative */
	const char *choices;             /* "observe tag enforce": of a string, NULL: any */
	enum setting_limit limit;        /* with limit_of */
	enum class_id limit_of;
	const char *def_text;            /* shown instead of def in etc/winnow.conf; NULL: def */
	const char *unit;                /* "messages", "octets", ... for the manual; NULL: none */
	const char *(*check)(const char *text);   /* of strings, paths and each entry of lists, if not NULL: NULL when text is good, else what would be right ("write HOST:PORT") */
};

/* A check of rows that hold addresses and networks. */
const char *setting_check_network(const char *text);

/* The first row of every check's section. */
#define SETTING_ENABLED { .name = "enabled", .type = SET_BOOL, .scope = SCOPE_POLICY, .def = "true", .help = "false: this check asks nothing and reports nothing" }

/* A section of the file: `name { rows }`, or `name "title" { rows }` with that one title (store "sqlite"). name "" is the top level.
 * titled: any number of sections `name "TITLE" { rows }`, each with values of its own (config_titled()), at top level only. Their rows are of global scope, one at least, without limits:
 * anything else is a programming error (abort). The policies hold the defaults of these rows. */
struct section {
	const char *name;
	const char *title;               /* NULL: none. titled: what stands for the title in the file of defaults and in errors ("ZONE"; NULL: "NAME"); check_title must take it */
	const struct setting *rows;
	const char *help;                /* one line above the section in etc/winnow.conf */
	bool titled;
	size_t titled_max;               /* so many of them; 0: 5000 */
	const char *(*check_title)(const char *title);   /* titled: NULL when it is good, else what would be right; it has 1 to 255 characters, no control characters. NULL: any */
	char *(*show_title)(TALLOC_CTX *mem, const char *title);         /* titled: what errors show of a title that may hold a secret, a child of mem; NULL: all of it */
	const char *example;             /* titled: ready-made sections as they would stand in the file; etc/winnow.conf shows them switched off. Lines that begin with # stay as they are. NULL: none */
};

/* Reads a value of the policy in force by its row: `setting_int(t->policy, &settings[SIZE_MAX])`. A few nanoseconds.
 * The row must belong to a section that config_load() was given, and have that type: anything else is a programming error (assert).
 * Rows of global scope are the same in every policy. Strings and lists live as long as the configuration; a list ends with NULL. */
bool setting_bool(const struct policy *policy, const struct setting *row);
int64_t setting_int(const struct policy *policy, const struct setting *row);       /* SET_INT */
int64_t setting_ms(const struct policy *policy, const struct setting *row);        /* SET_DURATION */
int64_t setting_size(const struct policy *policy, const struct setting *row);      /* SET_SIZE */
double setting_float(const struct policy *policy, const struct setting *row);
const char *setting_string(const struct policy *policy, const struct setting *row);   /* SET_STRING, SET_PATH; never NULL */
const char *const *setting_list(const struct policy *policy, const struct setting *row);
struct table *setting_table(const struct policy *policy, const struct setting *row);  /* NULL: unset (not the same as empty) */

#endif
