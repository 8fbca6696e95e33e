/* index.h - what the quarantine knows of its copies: one SQLite table, through one connection (inside of quarantine.c) */
#ifndef WINNOW_QUARANTINE_INDEX_H
#define WINNOW_QUARANTINE_INDEX_H

#include <stdbool.h>
#include <stddef.h>

#include <talloc.h>

#include "quarantine/quarantine.h"

/* One connection; used by one thread at a time (the caller's lock). */
struct index;

/* The file is damaged, or no database at all: what index_* returns then. */
#define INDEX_DAMAGED (-EBADMSG)

/* Opens path. write: the file is made (mode 0600) where it is missing, and looked over for damage; *made_r: there was no table before.
 * 0 or -errno with *error_r (talloc child of NULL; the caller frees it). */
int index_open(const char *path, bool write, struct index **index_r, bool *made_r, char **error_r);
void index_close(struct index *index);

/* One writing transaction. All return 0 or -errno with *error_r; after an error: index_rollback(). index_insert() does nothing if the id is there already. */
int index_begin(struct index *index, char **error_r);
int index_has(struct index *index, const char *id, bool *has_r, char **error_r);
int index_insert(struct index *index, const struct quarantine_entry *entry, char **error_r);
int index_commit(struct index *index, char **error_r);
void index_rollback(struct index *index);

/* As quarantine_list() and quarantine_show(). */
int index_list(struct index *index, TALLOC_CTX *mem, size_t limit, struct quarantine_entry **entries_r, size_t *n_r, char **error_r);
int index_get(struct index *index, TALLOC_CTX *mem, const char *id, struct quarantine_entry *entry_r, char **error_r);

/* Renames the file and its log to a name with the date; *name_r (talloc child of NULL) is that of the file. No connection of this process may be open. 0 or -errno. */
int index_set_aside(const char *path, char **name_r);

#endif
