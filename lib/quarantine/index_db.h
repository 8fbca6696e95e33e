/* index_db.h - the index seen through SQLite: what index.c and index_rows.c share; the one place in this folder that includes it */
#ifndef WINNOW_QUARANTINE_INDEX_DB_H
#define WINNOW_QUARANTINE_INDEX_DB_H

#include "quarantine/index.h"
#include "util/sqlite.h"

struct index {
	sqlite3 *db;
	char *path;
};

/* SQLite's result as 0 or -errno, with a text. */
int index_fault(struct index *index, int rc, char **error_r);

#endif
