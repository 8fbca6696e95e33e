/* index.c - what the quarantine knows of its copies: one SQLite table, through one connection */
#include "quarantine/index_db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"

enum { VERSION = 2, BUSY_MS = 3000, HEADER = 100 };

/* Recipients: their strings, a NUL behind each, so that they come back exactly. */
static const char schema[] =
	"CREATE TABLE entries (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, time INTEGER NOT NULL, size INTEGER NOT NULL, queue_id TEXT, class TEXT, detail TEXT,"
	" policy TEXT, client TEXT, helo TEXT, sender TEXT, subject TEXT, message_id TEXT, recipients BLOB, releasing INTEGER NOT NULL DEFAULT 0, released INTEGER NOT NULL DEFAULT 0);"
	"CREATE INDEX entries_time ON entries (time, seq, size);"
	"PRAGMA user_version = 2;";

/* What a file of version 1 has not. */
static const char from_1_to_2[] =
	"ALTER TABLE entries ADD COLUMN releasing INTEGER NOT NULL DEFAULT 0; ALTER TABLE entries ADD COLUMN released INTEGER NOT NULL DEFAULT 0;"
	"DROP INDEX entries_time; CREATE INDEX entries_time ON entries (time, seq, size); PRAGMA user_version = 2;";

int index_fault(struct index *ix, int rc, char **error_r)
{
	int r = sqlite_errno(ix->db, rc);

	if (r != 0 && *error_r == NULL)
		*error_r = talloc_asprintf(NULL, "quarantine index %s: %s", ix->path, ix->db != NULL ? sqlite3_errmsg(ix->db) : sqlite3_errstr(rc));
	return r;
}

static int run(struct index *ix, const char *sql, char **error_r)
{
	int rc = sqlite3_exec(ix->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : index_fault(ix, rc, error_r);
}

/* The first column of the first row: a number, or whether the text is "ok". */
static int ask(struct index *ix, const char *sql, int64_t *number_r, bool *ok_r, char **error_r)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(ix->db, sql, -1, &s, NULL), r = 0;

	*number_r = 0;
	*ok_r = false;
	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_ROW) {
		const char *text;

		*number_r = sqlite3_column_int64(s, 0);
		text = (const char *)sqlite3_column_text(s, 0);
		*ok_r = text != NULL && strcmp(text, "ok") == 0;
	} else if (rc != SQLITE_DONE) {
		r = index_fault(ix, rc, error_r);
	}
	sqlite3_finalize(s);
	return r;
}

int index_check(struct index *ix, char **error_r)
{
	int64_t number;
	bool ok;
	int r = ask(ix, "PRAGMA quick_check(1)", &number, &ok, error_r);

	if (r == 0 && !ok) {
		*error_r = talloc_asprintf(NULL, "quarantine index %s: damaged", ix->path);
		r = INDEX_DAMAGED;
	}
	return r;
}

int index_make(struct index *ix, char **error_r)
{
	return run(ix, schema, error_r);
}

/* Looks the file over, and brings it to the present form. */
static int prepare_to_write(struct index *ix, bool *made_r, char **error_r)
{
	int64_t version;
	bool ok;
	int r = run(ix, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 4194304;", error_r);

	if (r == 0)
		r = index_check(ix, error_r);
	if (r == 0)
		r = index_begin(ix, error_r);
	if (r != 0)
		return r;
	r = ask(ix, "PRAGMA user_version", &version, &ok, error_r);
	if (r == 0 && version > VERSION) {
		*error_r = talloc_asprintf(NULL, "quarantine index %s: made by a later version of Winnow", ix->path);
		r = -ENOTSUP;
	}
	*made_r = r == 0 && version == 0;
	if (r == 0 && version == 1)
		r = run(ix, from_1_to_2, error_r);
	if (r == 0)
		r = index_commit(ix, error_r);
	if (r != 0)
		index_rollback(ix);
	return r;
}

static int prepare_to_read(struct index *ix, char **error_r)
{
	int64_t version;
	bool ok;
	int r = ask(ix, "PRAGMA user_version", &version, &ok, error_r);

	if (r == 0 && version != VERSION) {
		*error_r = talloc_asprintf(NULL, "quarantine index %s: %s", ix->path, version == 0 ? "not a quarantine, or not yet made"
			: version < VERSION ? "made by an earlier version of Winnow; winnow-milter brings it up to date when it starts" : "made by a later version of Winnow");
		return version == 0 ? -ENOENT : -ENOTSUP;
	}
	/* the log of the database (WAL) has to be looked at, too, and that takes a file beside it */
	if ((r == -EROFS || r == -EACCES || r == -ENOENT) && access(ix->path, R_OK) == 0) {
		talloc_free(*error_r);
		*error_r = talloc_asprintf(NULL, "quarantine index %s: it can only be read by who may write in its folder, or while the daemon has it open", ix->path);
	}
	return r;
}

/* What SQLite keeps beside a file that is not there any more would be played into a new one. */
static void remove_beside(const char *path)
{
	static const char *const beside[] = { "-wal", "-shm", "-journal" };

	for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
		char *name = talloc_asprintf(NULL, "%s%s", path, beside[i]);

		if (name != NULL)
			unlink(name);
		talloc_free(name);
	}
}

/* Makes the file for its mode: SQLite would leave that to the umask, and gives the files beside it the same; what root makes belongs to whom the folder belongs.
 * One that is there must not be opened: closing it again would drop the locks of other connections of this process. 0 or -errno. */
static int make_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), r = 0;
	char *folder;
	struct stat st;

	if (fd < 0)
		return errno == EEXIST ? 0 : -errno;
	folder = talloc_strndup(NULL, path, (size_t)(strrchr(path, '/') - path));
	if (folder != NULL && geteuid() == 0 && stat(folder, &st) == 0 && fchown(fd, st.st_uid, st.st_gid) != 0)
		r = -errno;
	talloc_free(folder);
	close(fd);
	if (r == 0)
		remove_beside(path);
	return r;
}

int index_open(const char *path, bool write, struct index **index_r, bool *made_r, char **error_r)
{
	struct index *ix;
	TALLOC_CTX *mem;
	int r, rc;

	*index_r = NULL;
	*made_r = false;
	*error_r = NULL;
	r = write ? make_file(path) : access(path, F_OK) != 0 ? -errno : 0;
	if (r != 0) {
		*error_r = talloc_asprintf(NULL, "quarantine index %s: %s", path, strerror(-r));
		return r;
	}
	mem = talloc_new(NULL);
	ix = talloc_zero(mem, struct index);
	if (ix == NULL || (ix->path = talloc_strdup(ix, path)) == NULL) {
		talloc_free(mem);
		return -ENOMEM;
	}
	rc = sqlite3_open_v2(path, &ix->db, write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY, NULL);
	if (rc != SQLITE_OK) {
		r = index_fault(ix, rc, error_r);
	} else {
		sqlite3_busy_timeout(ix->db, BUSY_MS);
		r = write ? prepare_to_write(ix, made_r, error_r) : prepare_to_read(ix, error_r);
	}
	if (r != 0)
		index_close(ix);
	else
		*index_r = ix;
	return r;
}

void index_close(struct index *ix)
{
	if (ix == NULL)
		return;
	sqlite3_close(ix->db);
	talloc_free(talloc_parent(ix));
}

/* A database begins with its name, and is not shorter than it says itself (https://www.sqlite.org/fileformat2.html, 1.3); read through SQLite's own descriptor. */
static bool looks_whole(sqlite3_file *file)
{
	unsigned char h[HEADER];
	sqlite3_int64 size = 0, page, pages;

	if (file == NULL || file->pMethods == NULL || file->pMethods->xRead(file, h, HEADER, 0) != SQLITE_OK || memcmp(h, "SQLite format 3", 16) != 0)
		return false;
	page = h[16] << 8 | h[17];
	pages = (sqlite3_int64)h[28] << 24 | h[29] << 16 | h[30] << 8 | h[31];
	return file->pMethods->xFileSize(file, &size) == SQLITE_OK && size >= (page == 1 ? 65536 : page) * pages;
}

bool index_gone(struct index *ix)
{
	sqlite3_file *file = NULL;
	int moved = 0;

	if (sqlite3_file_control(ix->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0)
		return true;
	return sqlite3_file_control(ix->db, "main", SQLITE_FCNTL_FILE_POINTER, (void *)&file) == SQLITE_OK && !looks_whole(file);
}

int index_begin(struct index *ix, char **error_r)
{
	return run(ix, "BEGIN IMMEDIATE", error_r);
}

int index_commit(struct index *ix, char **error_r)
{
	return run(ix, "COMMIT", error_r);
}

void index_rollback(struct index *ix)
{
	if (!sqlite3_get_autocommit(ix->db))
		sqlite3_exec(ix->db, "ROLLBACK", NULL, NULL, NULL);
}

int index_set_aside(const char *path, char **name_r)
{
	time_t now = (time_t)(clock_wall() / 1000000);
	char date[32], *from, *to, *name;
	TALLOC_CTX *mem = talloc_new(NULL);
	struct tm tm;
	int r = 0;

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &tm);
	name = talloc_asprintf(mem, "%s.damaged-%s", path, date);
	for (int i = 2; name != NULL && access(name, F_OK) == 0; i++)
		name = talloc_asprintf(mem, "%s.damaged-%s-%d", path, date, i);
	if (name == NULL || (rename(path, name) != 0 && errno != ENOENT))
		r = name == NULL ? -ENOMEM : -errno;
	/* its log belongs to it and must not be played into a new file */
	from = talloc_asprintf(mem, "%s-wal", path);
	to = talloc_asprintf(mem, "%s-wal", name != NULL ? name : "");
	if (r == 0 && from != NULL && to != NULL && rename(from, to) != 0 && errno != ENOENT)
		r = -errno;
	from = talloc_asprintf(mem, "%s-shm", path);
	if (r == 0 && from != NULL)
		unlink(from);
	*name_r = talloc_strdup(NULL, name != NULL ? name : path);
	talloc_free(mem);
	return r;
}
