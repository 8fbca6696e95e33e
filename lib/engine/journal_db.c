/* journal_db.c - the journal's file: opened, made, or set aside and begun anew; its statements and errors */
#include "engine/journal_db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"

enum { BUSY_STEP_US = 5000, BUSY_STEPS = 200 };

static const char *const texts[STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE", [COMMIT] = "COMMIT", [ROLLBACK] = "ROLLBACK",
	[LAST] = "SELECT max(n) FROM records",
	[ADD_RECORD] = "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
	[ADD_BODY] = "INSERT OR REPLACE INTO bodies VALUES (?, ?, ?)",
	[ADD_KEY] = "INSERT OR IGNORE INTO keys VALUES (?, ?, ?)",
	[PAGES] = "PRAGMA page_count", [FREE_PAGES] = "PRAGMA freelist_count",
	[FIRST_N] = "SELECT min(n) FROM records",
	[UP_TO] = "SELECT n FROM records ORDER BY n LIMIT 1 OFFSET ?",
	[DROP_RECORDS] = "DELETE FROM records WHERE n <= ?", [DROP_BODIES] = "DELETE FROM bodies WHERE n <= ?",
	[FIRST_BUCKET] = "SELECT min(bucket) FROM keys", [DROP_BUCKET] = "DELETE FROM keys WHERE bucket = ?",
	[OLD] = "SELECT n FROM records WHERE time < ? ORDER BY time LIMIT ?",
	[DROP_RECORD] = "DELETE FROM records WHERE n = ?", [DROP_BODY] = "DELETE FROM bodies WHERE n = ?",
	[FUTURE] = "SELECT n FROM records WHERE time > ? AND n < ? LIMIT ?",
	[NEWEST] = "SELECT time FROM records WHERE n = (SELECT max(n) FROM records)",
};

/* ---- errors */

int journal_fault(struct journal_db *d, int rc)
{
	int result = sqlite_errno(d->db, rc);

	if (result != 0)
		snprintf(d->error, sizeof(d->error), "%s: %s", d->file, result == -ENOSPC ? "the disk is full" : d->db != NULL ? sqlite3_errmsg(d->db) : sqlite3_errstr(rc));
	return result;
}

const char *journal_db_error(const struct journal_db *d)
{
	return d->error;
}

/* ---- statements */

int journal_exec(struct journal_db *d, const char *sql)
{
	return journal_fault(d, sqlite3_exec(d->db, sql, NULL, NULL, NULL));
}

sqlite3_stmt *journal_statement(struct journal_db *d, enum statement which, int *rc)
{
	sqlite3_stmt **s = &d->statements[which];

	*rc = SQLITE_OK;
	if (*s == NULL)
		*rc = sqlite3_prepare_v3(d->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT, s, NULL);
	return *s;
}

int journal_run(struct journal_db *d, enum statement which, const int64_t *values, int n, int64_t *number_r)
{
	int rc, result;
	sqlite3_stmt *s = journal_statement(d, which, &rc);

	if (number_r != NULL)
		*number_r = 0;
	if (s == NULL)
		return journal_fault(d, rc);
	for (int i = 0; i < n; i++)
		sqlite3_bind_int64(s, i + 1, values[i]);
	rc = sqlite3_step(s);
	if (rc == SQLITE_ROW && number_r != NULL)
		*number_r = sqlite3_column_int64(s, 0);
	result = journal_fault(d, rc);
	sqlite3_reset(s);
	return result;
}

int journal_end(struct journal_db *d, int result)
{
	if (result == 0)
		result = journal_run(d, COMMIT, NULL, 0, NULL);
	if (result != 0 && !sqlite3_get_autocommit(d->db)) {
		char first[sizeof(d->error)];

		memcpy(first, d->error, sizeof(first));
		journal_run(d, ROLLBACK, NULL, 0, NULL);
		memcpy(d->error, first, sizeof(first));
	}
	if (result == 0 && d->wal_pages >= JOURNAL_WAL_PAGES)
		journal_db_checkpoint(d);
	return result;
}

/* ---- open */

static int busy(void *argument, int count)
{
	struct journal_db *d = argument;

	if (count >= BUSY_STEPS || (d->hurry != NULL && count > 0 && d->hurry(d->argument)))
		return 0;
	usleep(BUSY_STEP_US);
	return 1;
}

static int committed(void *argument, sqlite3 *db, const char *name, int pages)
{
	struct journal_db *d = argument;

	(void)db;
	(void)name;
	d->wal_pages = pages;
	return SQLITE_OK;
}

/* Makes the file with its mode: SQLite would leave that to the umask, and gives the files beside it the same. */
static int make_file(const char *folder, const char *file)
{
	char *parent = strdup(folder);
	int fd;

	for (char *slash = parent != NULL ? strchr(parent + (folder[0] == '/'), '/') : NULL; slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(parent, 0755);
		*slash = '/';
	}
	free(parent);
	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return -errno;
	fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	return fd >= 0 || errno == EEXIST ? 0 : -errno;
}

static int prepare(struct journal_db *d)
{
	sqlite3_stmt *s = NULL;
	int result = journal_exec(d, "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 4194304; PRAGMA cache_size = -512;");
	int64_t version = 0, last;

	if (result == 0)
		result = journal_run(d, BEGIN, NULL, 0, NULL);
	if (result != 0)
		return result;
	result = journal_fault(d, sqlite3_prepare_v2(d->db, "PRAGMA user_version", -1, &s, NULL));
	if (result == 0 && sqlite3_step(s) == SQLITE_ROW)
		version = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	if (result == 0 && version > JOURNAL_VERSION) {
		snprintf(d->error, sizeof(d->error), "%s: was made by a later version of Winnow", d->file);
		result = -ENOTSUP;
	}
	if (result == 0 && version == 0)
		result = journal_exec(d, JOURNAL_SCHEMA);
	/* a look at both ends: a file that is damaged in its middle is found when it comes to that */
	if (result == 0)
		result = journal_run(d, LAST, NULL, 0, &last);
	if (result == 0)
		result = journal_run(d, FIRST_N, NULL, 0, &last);
	return journal_end(d, result);
}

static int try_open(const char *folder, struct journal_db **db_r, char *error, size_t error_size)
{
	struct journal_db *d = calloc(1, sizeof(*d));
	int result = d != NULL && asprintf(&d->file, "%s/" JOURNAL_FILE, folder) >= 0 ? make_file(folder, d->file) : -ENOMEM;

	if (result != 0) {
		snprintf(error, error_size, "%s: %s", folder, strerror(-result));
	} else {
		result = journal_fault(d, sqlite3_open_v2(d->file, &d->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL));
		if (result == 0) {
			sqlite3_busy_handler(d->db, busy, d);
			sqlite3_wal_hook(d->db, committed, d);
			result = prepare(d);
		}
		if (result == 0 && stat(d->file, &d->stat) != 0)
			result = -errno;
		snprintf(error, error_size, "%s", d->error);
	}
	if (result != 0) {
		journal_db_close(d);
		d = NULL;
	}
	*db_r = d;
	return result;
}

/* Renames the file out of the way; its log goes with it: it must not be played into a new one. 0 or -errno. */
static int rename_aside(TALLOC_CTX *mem, const char *folder, const char **name_r)
{
	time_t now = (time_t)(clock_wall() / 1000000);
	char *file = talloc_asprintf(mem, "%s/" JOURNAL_FILE, folder), *name, date[32];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &tm);
	name = talloc_asprintf(mem, "%s.damaged-%s", file, date);
	for (int i = 2; name != NULL && access(name, F_OK) == 0; i++)
		name = talloc_asprintf(mem, "%s.damaged-%s-%d", file, date, i);
	if (file == NULL || name == NULL)
		return -ENOMEM;
	if (rename(file, name) != 0)
		return -errno;
	rename(talloc_asprintf(mem, "%s-wal", file), talloc_asprintf(mem, "%s-wal", name));
	unlink(talloc_asprintf(mem, "%s-shm", file));
	*name_r = name;
	return 0;
}

int journal_db_set_aside(const char *path, struct log *log)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *name = NULL;
	int result = rename_aside(mem, path, &name);

	if (result == 0)
		log_printf(log, LOG_LEVEL_ERROR, "journal: %s/" JOURNAL_FILE " is damaged; it is kept as %s, and a new one is begun", path, name);
	else
		log_printf(log, LOG_LEVEL_ERROR, "journal: %s/" JOURNAL_FILE " is damaged, and cannot be set aside: %s; move it away", path, strerror(-result));
	talloc_free(mem);
	return result;
}

int journal_db_open(const char *path, struct log *log, struct journal_db **db_r, char **error_r)
{
	char error[300] = "";
	int result = try_open(path, db_r, error, sizeof(error));

	if (result == JOURNAL_DAMAGED && journal_db_set_aside(path, log) == 0)
		result = try_open(path, db_r, error, sizeof(error));
	if (result != 0)
		*error_r = talloc_strdup(NULL, error);
	return result;
}

void journal_db_close(struct journal_db *d)
{
	if (d == NULL)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(d->statements[i]);
	sqlite3_close(d->db);
	free(d->file);
	free(d);
}

bool journal_db_lost(const struct journal_db *d)
{
	struct stat now;

	return stat(d->file, &now) != 0 || now.st_ino != d->stat.st_ino || now.st_dev != d->stat.st_dev;
}

void journal_db_set_hurry(struct journal_db *d, bool (*hurry)(void *), void *argument)
{
	d->hurry = hurry;
	d->argument = argument;
}

void journal_db_checkpoint(struct journal_db *d)
{
	int pages = 0, done = 0;

	if (d->wal_pages > 0 && sqlite3_wal_checkpoint_v2(d->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &done) == SQLITE_OK && done == pages)
		d->wal_pages = 0;
}
