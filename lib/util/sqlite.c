/* sqlite.c - SQLite's errors as ours */
#include "util/sqlite.h"

#include <errno.h>
#include <stddef.h>

int sqlite_errno(sqlite3 *db, int rc)
{
	int system = db != NULL ? sqlite3_system_errno(db) : 0;

	switch (rc & 0xff) {
	case SQLITE_OK: case SQLITE_ROW: case SQLITE_DONE:
		return 0;
	case SQLITE_CORRUPT: case SQLITE_NOTADB:
		return -EUCLEAN;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_BUSY: case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_PERM: case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_CANTOPEN:
		return system > 0 ? -system : -EACCES;
	case SQLITE_TOOBIG: case SQLITE_CONSTRAINT: case SQLITE_MISMATCH: case SQLITE_RANGE:
		return -EBADMSG;
	default:
		return system > 0 ? -system : -EIO;
	}
}
