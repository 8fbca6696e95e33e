/* sqlite.h - SQLite's header, and its errors as ours */
#ifndef WINNOW_UTIL_SQLITE_H
#define WINNOW_UTIL_SQLITE_H

#include <sqlite3.h>

/* 0 for success, rows and their end; else -errno. -EBADMSG: this row cannot be written, whatever is tried; -EUCLEAN: the file is no database (any more). db may be NULL. */
int sqlite_errno(sqlite3 *db, int rc);

#endif
