/* index.h - what the quarantine knows of its copies: one SQLite table, through one connection (inside of quarantine.c) */
#ifndef WINNOW_QUARANTINE_INDEX_H
#define WINNOW_QUARANTINE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <talloc.h>

#include "quarantine/quarantine.h"

/* One connection; used by one thread at a time (the caller's lock). */
struct index;

/* The file is damaged, or no database at all, or not the one any more that was opened: what index_* returns then. */
#define INDEX_DAMAGED (-EUCLEAN)

/* All return 0 or -errno with *error_r (talloc child of NULL; the caller frees it). */

/* Opens path. write: the file is made (mode 0600) where it is missing, brought to the present form, and looked over for damage.
 * *made_r: it has no table yet: index_make() in the caller's first transaction, together with what the spool knows. */
int index_open(const char *path, bool write, struct index **index_r, bool *made_r, char **error_r);
void index_close(struct index *index);
int index_make(struct index *index, char **error_r);

/* Reads the whole file: INDEX_DAMAGED if it is. */
int index_check(struct index *index, char **error_r);

/* Is the file gone from its path, or another one, or does it not look like a database any more? Costs two system calls; asked before each writing transaction. */
bool index_gone(struct index *index);

/* One writing transaction. After an error: index_rollback(). */
int index_begin(struct index *index, char **error_r);
int index_commit(struct index *index, char **error_r);
void index_rollback(struct index *index);

/* index_rows.c: index_insert() does nothing if the id is there already; index_delete() nothing if it is not, *size_r is that of the row, *had_r whether it was there. */
int index_has(struct index *index, const char *id, bool *has_r, char **error_r);
int index_insert(struct index *index, const struct quarantine_entry *entry, char **error_r);
int index_delete(struct index *index, const char *id, bool *had_r, uint64_t *size_r, char **error_r);
int index_mark(struct index *index, const char *id, enum quarantine_mark mark, int64_t time, bool *had_r, char **error_r);

/* As quarantine_list() and quarantine_show(). */
int index_list(struct index *index, TALLOC_CTX *mem, const struct quarantine_filter *filter, struct quarantine_entry **entries_r, size_t *n_r, char **error_r);
int index_get(struct index *index, TALLOC_CTX *mem, const char *id, struct quarantine_entry *entry_r, char **error_r);

/* How many copies, of how many bytes, and the time of the newest (0: none). */
int index_sums(struct index *index, uint64_t *copies_r, uint64_t *bytes_r, int64_t *newest_r, char **error_r);

/* Ids in a talloc array of *n_r, child of mem: of the oldest copies (before: only those of an earlier time; INT64_MAX: all), or of rows behind *seq_r, which moves on. */
int index_oldest(struct index *index, TALLOC_CTX *mem, int64_t before, size_t max, char ***ids_r, size_t *n_r, char **error_r);
int index_ids(struct index *index, TALLOC_CTX *mem, int64_t *seq_r, size_t max, char ***ids_r, size_t *n_r, char **error_r);

/* Renames the file and its log to a name with the date; *name_r (talloc child of NULL) is that of the file. No connection of this process may be open. 0 or -errno. */
int index_set_aside(const char *path, char **name_r);

#endif
