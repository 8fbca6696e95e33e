/* config.h - a configuration: a tree held against the setting rows, built whole, never changed, swapped by reference count */
#ifndef WINNOW_POLICY_CONFIG_H
#define WINNOW_POLICY_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include <talloc.h>

#include "policy/parse.h"
#include "policy/setting.h"
#include "policy/table.h"

struct config;

/* Loads path (NULL: built-in defaults alone) against sections (n of them, static; policy.c adds the rows of `policy` and `domain` itself).
 * All errors of all kinds are collected: syntax, unknown names (with the nearest known one), wrong types, values out of range, doubled options and titles (both lines), unknown classes,
 * sections or scopes that are not allowed here, tables and files that cannot be read. 0: *config_r with one reference for the caller; -EINVAL: errors->n > 0, sorted, *config_r NULL.
 * notes: what is worth a line at start but no error (a file named only by a default is missing); may be NULL. */
int config_load(const char *path, const struct section *const *sections, size_t n, struct table_set *tables, struct config **config_r, struct config_errors *errors, struct config_errors *notes);

/* Threads may share it; the last unref frees it and closes its tables. */
struct config *config_ref(struct config *config);
void config_unref(struct config *config);

/* The policy "default": every row has a value in it (global ones too). */
const struct policy *config_default_policy(const struct config *config);

/* Where a row's value in this policy came from: *file_r NULL: built in. */
void config_origin(const struct policy *policy, const struct setting *row, const char **file_r, int *line_r);

/* The value as it would be written in the file; child of mem. */
char *config_value_text(TALLOC_CTX *mem, const struct policy *policy, const struct setting *row);

/* Is the value equal in both configurations (services are kept across a reload if theirs are)? */
bool config_same(const struct config *a, const struct config *b, const struct setting *row);

/* Sections with titles of their own (struct section: titled), as blocklist "zen.example" { }: how many the file has, and the i-th in the order of the file (includes where they stand).
 * One is read like a policy, but by its own rows alone: setting_*(entry, row), config_origin() (file NULL: not set there), config_value_text(); policy_name(entry) is its title as written,
 * policy_config(entry) its configuration. No two have the same title (A and a are two). It has no mode, classes or fingerprint. They live as long as the configuration.
 * rows: of such a section that config_load() was given; anything else, and an i that is too large, is a programming error (abort). */
size_t config_titled_count(const struct config *config, const struct setting *rows);
const struct policy *config_titled(const struct config *config, const struct setting *rows, size_t i);

/* Where the section itself stands, for errors about its title. */
void config_titled_origin(const struct policy *entry, const char **file_r, int *line_r);

/* Do both configurations have the same ones: titles, order and values? */
bool config_titled_same(const struct config *a, const struct config *b, const struct setting *rows);

/* Does the file have the top-level section of these rows (store "redis" { }), be it empty? Then *file_r, *line_r say where; of titled ones: where the first one stands. */
bool config_section_given(const struct config *config, const struct setting *rows, const char **file_r, int *line_r);

/* The commented file of defaults (etc/winnow.conf's body) made from the rows; child of mem. */
char *config_defaults_text(TALLOC_CTX *mem, const struct section *const *sections, size_t n);

#endif
