/* index.c - what the quarantine knows of its copies: one SQLite table, through one connection */
#include "quarantine/index.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "util/clock.h"

enum { VERSION = 1, BUSY_MS = 3000 };

struct index {
	sqlite3 *db;
	char *path;
};

#define COLUMNS "id, time, size, queue_id, class, detail, policy, client, helo, sender, subject, message_id, recipients"

/* Recipients: their strings, a NUL behind each, so that they come back exactly. */
static const char schema[] =
	"CREATE TABLE entries (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, time INTEGER NOT NULL, size INTEGER NOT NULL, queue_id TEXT, class TEXT, detail TEXT,"
	" policy TEXT, client TEXT, helo TEXT, sender TEXT, subject TEXT, message_id TEXT, recipients BLOB);"
	"CREATE INDEX entries_time ON entries (time, seq);"
	"PRAGMA user_version = 1;";

static int to_errno(sqlite3 *db, int rc)
{
	int system = db != NULL ? sqlite3_system_errno(db) : 0;

	switch (rc & 0xff) {
	case SQLITE_OK: case SQLITE_ROW: case SQLITE_DONE:
		return 0;
	case SQLITE_CORRUPT: case SQLITE_NOTADB:
		return INDEX_DAMAGED;
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
	case SQLITE_TOOBIG:
		return -EFBIG;
	default:
		return system > 0 ? -system : -EIO;
	}
}

/* The errno of rc, with a text. */
static int fault(struct index *ix, int rc, char **error_r)
{
	int r = to_errno(ix->db, rc);

	if (r != 0 && *error_r == NULL)
		*error_r = talloc_asprintf(NULL, "quarantine index %s: %s", ix->path, ix->db != NULL ? sqlite3_errmsg(ix->db) : sqlite3_errstr(rc));
	return r;
}

static int run(struct index *ix, const char *sql, char **error_r)
{
	int rc = sqlite3_exec(ix->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : fault(ix, rc, error_r);
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
		r = fault(ix, rc, error_r);
	}
	sqlite3_finalize(s);
	return r;
}

/* Looks the file over; makes the table if there is none. */
static int prepare_to_write(struct index *ix, bool *made_r, char **error_r)
{
	int64_t version;
	bool ok;
	int r = run(ix, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 4194304;", error_r);

	if (r == 0)
		r = ask(ix, "PRAGMA quick_check(1)", &version, &ok, error_r);
	if (r == 0 && !ok) {
		*error_r = talloc_asprintf(NULL, "quarantine index %s: damaged", ix->path);
		return INDEX_DAMAGED;
	}
	if (r == 0)
		r = index_begin(ix, error_r);
	if (r != 0)
		return r;
	r = ask(ix, "PRAGMA user_version", &version, &ok, error_r);
	if (r == 0 && version > VERSION) {
		*error_r = talloc_asprintf(NULL, "quarantine index %s: made by a later version of Winnow", ix->path);
		r = -ENOTSUP;
	}
	if (r == 0 && version == 0) {
		r = run(ix, schema, error_r);
		*made_r = r == 0;
	}
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
		*error_r = talloc_asprintf(NULL, "quarantine index %s: %s", ix->path, version == 0 ? "not a quarantine, or not yet made" : "made by a later version of Winnow");
		return version == 0 ? -ENOENT : -ENOTSUP;
	}
	/* the log of the database (WAL) has to be looked at, too, and that takes a file beside it */
	if ((r == -EROFS || r == -EACCES || r == -ENOENT) && access(ix->path, R_OK) == 0) {
		talloc_free(*error_r);
		*error_r = talloc_asprintf(NULL, "quarantine index %s: it can only be read by who may write in its folder, or while the daemon has it open", ix->path);
	}
	return r;
}

int index_open(const char *path, bool write, struct index **index_r, bool *made_r, char **error_r)
{
	struct index *ix;
	TALLOC_CTX *mem;
	int r = 0, rc, fd;

	*index_r = NULL;
	*made_r = false;
	*error_r = NULL;
	/* Made here for its mode: SQLite would leave that to the umask, and gives the files beside it the same.
	 * One that is there must not be opened: closing it again would drop the locks of other connections of this process. */
	fd = write ? open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
	if (fd >= 0)
		close(fd);
	else if (write ? errno != EEXIST : access(path, F_OK) != 0)
		r = -errno;
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
		r = fault(ix, rc, error_r);
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

int index_has(struct index *ix, const char *id, bool *has_r, char **error_r)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(ix->db, "SELECT 1 FROM entries WHERE id = ?", -1, &s, NULL), r = 0;

	*has_r = false;
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		*has_r = true;
	else if (rc != SQLITE_DONE)
		r = fault(ix, rc, error_r);
	sqlite3_finalize(s);
	return r;
}

/* All recipients in one piece; SQLITE_OK or the error. */
static int bind_recipients(sqlite3_stmt *s, int column, const char *const *recipients)
{
	size_t len = 0;
	char *blob, *p;

	if (recipients == NULL)
		return sqlite3_bind_null(s, column);
	for (size_t i = 0; recipients[i] != NULL; i++)
		len += strlen(recipients[i]) + 1;
	if (len == 0)
		return sqlite3_bind_zeroblob(s, column, 0);
	p = blob = malloc(len);
	if (blob == NULL)
		return SQLITE_NOMEM;
	for (size_t i = 0; recipients[i] != NULL; i++)
		p = stpcpy(p, recipients[i]) + 1;
	return sqlite3_bind_blob64(s, column, blob, len, free);
}

int index_insert(struct index *ix, const struct quarantine_entry *e, char **error_r)
{
	const char *const texts[] = { e->queue_id, e->class, e->detail, e->policy, e->client, e->helo, e->sender, e->subject, e->message_id };
	const int n = sizeof(texts) / sizeof(texts[0]);
	sqlite3_stmt *s = NULL;
	int r = 0, rc = sqlite3_prepare_v2(ix->db, "INSERT OR IGNORE INTO entries (" COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)", -1, &s, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(s, 1, e->id, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(s, 2, e->time);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(s, 3, (int64_t)e->size);
	for (int i = 0; i < n && rc == SQLITE_OK; i++)
		rc = sqlite3_bind_text(s, 4 + i, texts[i], -1, SQLITE_STATIC);      /* NULL binds NULL */
	if (rc == SQLITE_OK)
		rc = bind_recipients(s, 4 + n, e->recipients);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc != SQLITE_DONE)
		r = fault(ix, rc, error_r);
	sqlite3_finalize(s);
	return r;
}

static char *column(TALLOC_CTX *mem, sqlite3_stmt *s, int i, bool *bad)
{
	const char *text = (const char *)sqlite3_column_text(s, i);
	char *copy;

	if (text == NULL) {
		*bad |= sqlite3_column_type(s, i) != SQLITE_NULL;
		return NULL;
	}
	copy = talloc_strdup(mem, text);
	*bad |= copy == NULL;
	return copy;
}

static const char *const *column_recipients(TALLOC_CTX *mem, sqlite3_stmt *s, int i, bool *bad)
{
	const char *blob;
	const char **v;
	char *copy;
	size_t len, n = 0;

	if (sqlite3_column_type(s, i) == SQLITE_NULL)
		return NULL;
	blob = sqlite3_column_blob(s, i);
	len = (size_t)sqlite3_column_bytes(s, i);
	for (size_t k = 0; k < len; k++)
		n += blob[k] == '\0';
	v = talloc_zero_array(mem, const char *, n + 1);
	copy = len > 0 ? talloc_memdup(v, blob, len) : NULL;
	*bad |= v == NULL || (len > 0 && copy == NULL);
	if (*bad)
		return v;
	for (size_t k = 0, start = 0, at = 0; k < len; k++) {
		if (copy[k] == '\0') {
			v[at++] = copy + start;
			start = k + 1;
		}
	}
	return v;
}

/* Reads a row of COLUMNS; false: memory is out. */
static bool row_read(TALLOC_CTX *mem, sqlite3_stmt *s, struct quarantine_entry *e)
{
	bool bad = false;

	*e = (struct quarantine_entry){ .time = sqlite3_column_int64(s, 1), .size = (uint64_t)sqlite3_column_int64(s, 2) };
	e->id = column(mem, s, 0, &bad);
	e->queue_id = column(mem, s, 3, &bad);
	e->class = column(mem, s, 4, &bad);
	e->detail = column(mem, s, 5, &bad);
	e->policy = column(mem, s, 6, &bad);
	e->client = column(mem, s, 7, &bad);
	e->helo = column(mem, s, 8, &bad);
	e->sender = column(mem, s, 9, &bad);
	e->subject = column(mem, s, 10, &bad);
	e->message_id = column(mem, s, 11, &bad);
	e->recipients = column_recipients(mem, s, 12, &bad);
	return !bad;
}

int index_list(struct index *ix, TALLOC_CTX *mem, size_t limit, struct quarantine_entry **entries_r, size_t *n_r, char **error_r)
{
	struct quarantine_entry *v = talloc_array(mem, struct quarantine_entry, 1);
	size_t n = 0, size = 1;
	sqlite3_stmt *s = NULL;
	int r = 0, rc = sqlite3_prepare_v2(ix->db, "SELECT " COLUMNS " FROM entries ORDER BY time DESC, seq DESC LIMIT ?", -1, &s, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(s, 1, limit == 0 || limit > INT64_MAX ? -1 : (int64_t)limit);
	while (v != NULL && rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		if (n == size)
			v = talloc_realloc(mem, v, struct quarantine_entry, size *= 2);
		if (v == NULL || !row_read(v, s, &v[n++]))
			rc = SQLITE_NOMEM;
		else
			rc = SQLITE_OK;
	}
	if (v == NULL)
		rc = SQLITE_NOMEM;
	if (rc != SQLITE_DONE)
		r = fault(ix, rc, error_r);
	sqlite3_finalize(s);
	if (r != 0) {
		talloc_free(v);
		v = NULL;
		n = 0;
	}
	*entries_r = v;
	*n_r = n;
	return r;
}

int index_get(struct index *ix, TALLOC_CTX *mem, const char *id, struct quarantine_entry *entry_r, char **error_r)
{
	sqlite3_stmt *s = NULL;
	int r = 0, rc = sqlite3_prepare_v2(ix->db, "SELECT " COLUMNS " FROM entries WHERE id = ?", -1, &s, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_DONE)
		r = -ENOENT;
	else if (rc != SQLITE_ROW)
		r = fault(ix, rc, error_r);
	else if (!row_read(mem, s, entry_r))
		r = -ENOMEM;
	sqlite3_finalize(s);
	return r;
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
