/* journal_read.c - the journal asked: by a name, or searched; on a read-only connection of its own, beside a daemon or without one */
#include "engine/journal_db.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "facts/finding.h"

enum { BUSY_MS = 5000, FIND_MAX = 1000, LIMIT = 100, NAME_MAX_BYTES = 400 };

struct journal_reader {
	sqlite3 *db;
	char *file;
};

/* ---- open */

static int fault_of(struct journal_reader *r, int rc, char **error_r)
{
	int result = sqlite_errno(r->db, rc);

	if (result != 0 && *error_r == NULL)
		*error_r = result == JOURNAL_DAMAGED
			? talloc_asprintf(NULL, "journal %s: it is damaged; the daemon sets it aside when it comes to that place; to begin anew at once, stop it and move the file away", r->file)
			: talloc_asprintf(NULL, "journal %s: %s", r->file, r->db != NULL ? sqlite3_errmsg(r->db) : sqlite3_errstr(rc));
	return result;
}

static int ask_version(struct journal_reader *r, char **error_r)
{
	sqlite3_stmt *s = NULL;
	int64_t version = 0;
	int rc = sqlite3_prepare_v2(r->db, "PRAGMA user_version", -1, &s, NULL), result;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		version = sqlite3_column_int64(s, 0);
	result = fault_of(r, rc, error_r);
	sqlite3_finalize(s);
	if (result == 0 && version != JOURNAL_VERSION) {
		*error_r = talloc_asprintf(NULL, "journal %s: %s", r->file, version == 0 ? "nothing was written yet" : "made by a later version of Winnow");
		result = version == 0 ? -ENOENT : -ENOTSUP;
	}
	return result;
}

/* A file that can be read but not locked: its log has to be looked at too, and that takes a file beside it. */
static char *unreadable(const char *file, int error)
{
	if (error == -ENOENT)
		return talloc_asprintf(NULL, "journal %s: there is none yet; has winnow-milter run with this configuration (journal.path, journal.keep)?", file);
	if (error == -EACCES || error == -EROFS || error == -EPERM)
		return talloc_asprintf(NULL, "journal %s: you may not read it; ask as root, or as the user that winnow-milter runs as", file);
	return talloc_asprintf(NULL, "journal %s: %s", file, strerror(-error));
}

int journal_reader_open(const char *path, struct journal_reader **reader_r, char **error_r)
{
	TALLOC_CTX *mem = talloc_named_const(NULL, 0, "journal reader");
	struct journal_reader *r = talloc_zero(mem, struct journal_reader);
	int result = 0, rc;

	*reader_r = NULL;
	*error_r = NULL;
	if (r == NULL || (r->file = talloc_asprintf(r, "%s/" JOURNAL_FILE, path)) == NULL) {
		talloc_free(mem);
		return -ENOMEM;
	}
	if (access(r->file, R_OK) != 0)
		result = -errno;
	if (result == 0) {
		rc = sqlite3_open_v2(r->file, &r->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
		result = fault_of(r, rc, error_r);
	}
	if (result == 0) {
		sqlite3_busy_timeout(r->db, BUSY_MS);
		result = ask_version(r, error_r);
	}
	if (result != 0 && (*error_r == NULL || result == -EACCES || result == -EROFS || result == -EPERM)) {
		talloc_free(*error_r);
		*error_r = unreadable(r->file, result == -EROFS ? -EACCES : result);
	}
	if (result != 0)
		journal_reader_close(r);
	else
		*reader_r = r;
	return result == -EROFS ? -EACCES : result;
}

void journal_reader_close(struct journal_reader *r)
{
	if (r == NULL)
		return;
	sqlite3_close(r->db);
	talloc_free(talloc_parent(r));
}

/* ---- entries */

struct found {
	TALLOC_CTX *mem;
	struct journal_entry *v;
	size_t n, max;
};

static int keep(struct found *found, int64_t time, const char *body)
{
	char *json;

	if (body == NULL)
		return 0;
	if (found->n % 64 == 0) {
		struct journal_entry *grown = talloc_realloc(found->mem, found->v, struct journal_entry, found->n + 64);

		if (grown == NULL)
			return -ENOMEM;
		found->v = grown;
	}
	json = talloc_strdup(found->v, body);
	if (json == NULL)
		return -ENOMEM;
	found->v[found->n++] = (struct journal_entry){ .time = time, .json = json };
	return 0;
}

/* Everything of one question is answered from one state of the file. */
static int begin(struct journal_reader *r, char **error_r)
{
	return fault_of(r, sqlite3_exec(r->db, "BEGIN", NULL, NULL, NULL), error_r);
}

static void end(struct journal_reader *r)
{
	if (!sqlite3_get_autocommit(r->db))
		sqlite3_exec(r->db, "ROLLBACK", NULL, NULL, NULL);
}

static int prepare(struct journal_reader *r, const char *sql, sqlite3_stmt **s_r, char **error_r)
{
	return fault_of(r, sqlite3_prepare_v2(r->db, sql, -1, s_r, NULL), error_r);
}

/* ---- find */

/* Hashes may meet: is name one of the lines? */
static bool has_line(const char *names, const char *name, size_t len)
{
	while (names != NULL && *names != '\0') {
		size_t n = strcspn(names, "\n");

		if (n == len && memcmp(names, name, len) == 0)
			return true;
		names += n + (names[n] == '\n');
	}
	return false;
}

static int edges(struct journal_reader *r, int64_t *first_r, int64_t *last_r, char **error_r)
{
	sqlite3_stmt *s = NULL;
	int result = prepare(r, "SELECT (SELECT min(bucket) FROM keys), (SELECT max(bucket) FROM keys)", &s, error_r);

	*first_r = 0;
	*last_r = -1;
	if (result == 0) {
		int rc = sqlite3_step(s);

		if (rc == SQLITE_ROW && sqlite3_column_type(s, 1) != SQLITE_NULL) {
			*first_r = sqlite3_column_int64(s, 0);
			*last_r = sqlite3_column_int64(s, 1);
		}
		result = fault_of(r, rc, error_r);
	}
	sqlite3_finalize(s);
	return result;
}

static int find_in_bucket(struct journal_reader *r, sqlite3_stmt *s, int64_t bucket, const char *name, size_t len, struct found *found, char **error_r)
{
	int rc, result = 0;

	sqlite3_bind_int64(s, 1, bucket);
	sqlite3_bind_int64(s, 2, journal_hash(name, len));
	while (result == 0 && found->n < FIND_MAX && (rc = sqlite3_step(s)) != SQLITE_DONE) {
		result = fault_of(r, rc, error_r);
		if (result == 0 && has_line((const char *)sqlite3_column_text(s, 1), name, len))
			result = keep(found, sqlite3_column_int64(s, 0), (const char *)sqlite3_column_text(s, 2));
	}
	sqlite3_reset(s);
	return result;
}

int journal_find(struct journal_reader *r, TALLOC_CTX *mem, const char *key, struct journal_entry **entries_r, size_t *n_r, char **error_r)
{
	struct found found = { .mem = mem };
	size_t len;
	/* names are kept as records show them */
	char *shown = printable(mem, key, NAME_MAX_BYTES);
	const char *name = journal_name(shown != NULL ? shown : "", &len);
	sqlite3_stmt *s = NULL;
	int64_t first, last;
	int result;

	*error_r = NULL;
	result = begin(r, error_r);
	if (result == 0)
		result = edges(r, &first, &last, error_r);
	if (result == 0)
		result = prepare(r, "SELECT r.time, b.names, b.body FROM keys k JOIN records r ON r.n = k.n JOIN bodies b ON b.n = k.n WHERE k.bucket = ? AND k.hash = ? ORDER BY k.n DESC", &s, error_r);
	for (int64_t bucket = result == 0 ? last : -1; result == 0 && bucket >= first && bucket >= 0 && len > 0 && found.n < FIND_MAX; bucket--)
		result = find_in_bucket(r, s, bucket, name, len, &found, error_r);
	sqlite3_finalize(s);
	end(r);
	for (size_t i = 0; i < found.n / 2; i++) {
		struct journal_entry e = found.v[i];

		found.v[i] = found.v[found.n - 1 - i];
		found.v[found.n - 1 - i] = e;
	}
	*entries_r = found.v;
	*n_r = found.n;
	talloc_free(shown);
	return result;
}

/* ---- search */

struct wanted {
	char *from, *rcpt;               /* lower case; NULL: any */
	struct ipnet net;
	bool any_ip;
};

/* "a@example.com" and "<>" as a whole; "@example.com" and "example.com" as what stands behind the last @. */
static bool same_address(const char *wanted, const char *address, size_t len)
{
	size_t n = strlen(wanted);

	if (wanted[0] == '<' || strchr(wanted + 1, '@') != NULL)
		return n == len && memcmp(wanted, address, n) == 0;
	if (wanted[0] == '@') {
		wanted++;
		n--;
	}
	return len > n && address[len - n - 1] == '@' && memcmp(address + len - n, wanted, n) == 0;
}

static bool any_line(const char *wanted, const char *lines)
{
	while (lines != NULL && *lines != '\0') {
		size_t n = strcspn(lines, "\n");

		if (same_address(wanted, lines, n))
			return true;
		lines += n + (lines[n] == '\n');
	}
	return false;
}

static bool same_net(const struct ipnet *net, const void *blob, int len)
{
	struct ip ip = { .family = len == 4 ? 4 : 6 };

	if (blob == NULL || (len != 4 && len != 16))
		return false;
	memcpy(ip.addr, blob, (size_t)len);
	return ipnet_contains(net, &ip);
}

static bool fits(const struct wanted *w, sqlite3_stmt *s)
{
	const char *from = (const char *)sqlite3_column_text(s, 3);

	if (!w->any_ip && !same_net(&w->net, sqlite3_column_blob(s, 2), sqlite3_column_bytes(s, 2)))
		return false;
	if (w->from != NULL && (from == NULL || !same_address(w->from, from, strlen(from))))
		return false;
	return w->rcpt == NULL || any_line(w->rcpt, (const char *)sqlite3_column_text(s, 4));
}

static char *lower(TALLOC_CTX *mem, const char *text)
{
	/* <a@example.com> is a@example.com, but <> is a name of its own */
	bool brackets = text != NULL && text[0] == '<' && text[1] != '>' && text[1] != '\0' && text[strlen(text) - 1] == '>';
	char *out = text != NULL ? talloc_strndup(mem, text + brackets, strlen(text) - 2 * brackets) : NULL;

	for (char *p = out; p != NULL && *p != '\0'; p++)
		*p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
	return out;
}

/* As records show it. */
static char *lower_shown(TALLOC_CTX *mem, const char *text)
{
	return text != NULL ? lower(mem, printable(mem, text, NAME_MAX_BYTES)) : NULL;
}

/* Reads the query's words. -EINVAL with what is wrong. */
static int read_query(const struct journal_query *q, TALLOC_CTX *mem, struct wanted *w, char **error_r)
{
	*w = (struct wanted){ .from = lower_shown(mem, q->from), .rcpt = lower_shown(mem, q->rcpt), .any_ip = q->ip == NULL };
	if (q->ip != NULL && !ipnet_parse(q->ip, true, &w->net))
		*error_r = talloc_asprintf(NULL, "\"%s\" is no address or network; write 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32", q->ip);
	else if (q->class != NULL && class_find(q->class) == CLASS_COUNT)
		*error_r = talloc_asprintf(NULL, "\"%s\" is no class; `winnowctl classes` lists them", q->class);
	else if (q->action != NULL && action_find(q->action) == ACT_COUNT)
		*error_r = talloc_asprintf(NULL, "\"%s\" is no action; they are accept, tag, hold, tempfail, discard, quarantine and reject", q->action);
	return *error_r != NULL ? -EINVAL : 0;
}

/* With a bound in time by the index of times, else as they were written. */
static int prepare_search(struct journal_reader *r, const struct journal_query *q, sqlite3_stmt **s_r, char **error_r)
{
	bool by_time = q->since != 0 || q->until != 0;
	char sql[400];
	int result;

	snprintf(sql, sizeof(sql), "SELECT n, time, client, sender, rcpts FROM records %s WHERE (?1 IS NULL OR class = ?1) AND (?2 IS NULL OR action = ?2) %s",
		by_time ? "INDEXED BY records_time" : "NOT INDEXED", by_time ? "AND time >= ?3 AND time < ?4 ORDER BY time DESC, n DESC" : "ORDER BY n DESC");
	result = prepare(r, sql, s_r, error_r);
	if (result != 0)
		return result;
	sqlite3_bind_text(*s_r, 1, q->class, -1, SQLITE_STATIC);
	sqlite3_bind_text(*s_r, 2, q->action, -1, SQLITE_STATIC);
	if (by_time) {
		sqlite3_bind_int64(*s_r, 3, q->since);
		sqlite3_bind_int64(*s_r, 4, q->until != 0 ? q->until : INT64_MAX);
	}
	return 0;
}

static int keep_body(struct journal_reader *r, sqlite3_stmt *s, int64_t n, int64_t time, struct found *found, char **error_r)
{
	int rc, result;

	sqlite3_bind_int64(s, 1, n);
	rc = sqlite3_step(s);
	result = fault_of(r, rc, error_r);
	if (rc == SQLITE_ROW)
		result = keep(found, time, (const char *)sqlite3_column_text(s, 0));
	sqlite3_reset(s);
	return result;
}

int journal_search(struct journal_reader *r, TALLOC_CTX *mem, const struct journal_query *q, struct journal_entry **entries_r, size_t *n_r, char **error_r)
{
	struct found found = { .mem = mem, .max = q->limit != 0 ? q->limit : LIMIT };
	TALLOC_CTX *words = talloc_new(mem);
	sqlite3_stmt *rows = NULL, *body = NULL;
	struct wanted w;
	int result, rc;

	*error_r = NULL;
	result = read_query(q, words, &w, error_r);
	if (result == 0)
		result = begin(r, error_r);
	if (result == 0)
		result = prepare_search(r, q, &rows, error_r);
	if (result == 0)
		result = prepare(r, "SELECT body FROM bodies WHERE n = ?", &body, error_r);
	while (result == 0 && found.n < found.max && (rc = sqlite3_step(rows)) != SQLITE_DONE) {
		result = fault_of(r, rc, error_r);
		if (result == 0 && fits(&w, rows))
			result = keep_body(r, body, sqlite3_column_int64(rows, 0), sqlite3_column_int64(rows, 1), &found, error_r);
	}
	sqlite3_finalize(rows);
	sqlite3_finalize(body);
	end(r);
	talloc_free(words);
	*entries_r = found.v;
	*n_r = found.n;
	return result;
}
