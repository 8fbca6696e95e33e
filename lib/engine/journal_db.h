/* journal_db.h - the journal's file seen through SQLite; the one place in this folder that includes it */
#ifndef WINNOW_ENGINE_JOURNAL_DB_H
#define WINNOW_ENGINE_JOURNAL_DB_H

#include <sys/stat.h>

#include "engine/journal_private.h"
#include "util/sqlite.h"

enum { JOURNAL_WAL_PAGES = 1000 };       /* of 4 KB in the log beside the file: then they are put where they belong */

enum statement {
	BEGIN, COMMIT, ROLLBACK, LAST, ADD_RECORD, ADD_BODY, ADD_KEY, PAGES, FREE_PAGES, FIRST_N, UP_TO, DROP_RECORDS, DROP_BODIES, FIRST_BUCKET, DROP_BUCKET,
	OLD, DROP_RECORD, DROP_BODY, FUTURE, NEWEST, STATEMENTS
};

struct journal_db {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	char *file;
	struct stat stat;                /* of the file that was opened */
	int wal_pages;
	bool bounding;                   /* on the way from the upper mark to the lower one */
	bool (*hurry)(void *);
	void *argument;
	char error[300];
};

/* SQLite's result by sqlite_errno(), and the text is kept in d->error. */
int journal_fault(struct journal_db *d, int rc);

int journal_exec(struct journal_db *d, const char *sql);

/* Ready for new values; NULL with *rc: it cannot be prepared. They are prepared when they are first wanted. */
sqlite3_stmt *journal_statement(struct journal_db *d, enum statement which, int *rc);

/* Runs one with numbers as values; *number_r (may be NULL): the first column of the first row, or 0. */
int journal_run(struct journal_db *d, enum statement which, const int64_t *values, int n, int64_t *number_r);

/* Ends a transaction: commits if all went well so far, else rolls back. */
int journal_end(struct journal_db *d, int result);

#endif
