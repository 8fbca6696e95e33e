/* index_rows.c - the rows of the index: in, out, and searched */
#include "quarantine/index_db.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COLUMNS "id, time, size, queue_id, class, detail, policy, client, helo, sender, subject, message_id, recipients"

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
		r = index_fault(ix, rc, error_r);
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
		r = index_fault(ix, rc, error_r);
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

/* Reads a row of COLUMNS, releasing, released; false: memory is out. */
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
	e->releasing = sqlite3_column_int64(s, 13);
	e->released = sqlite3_column_int64(s, 14);
	return !bad;
}

/* Is it the address, or one of the domain ("example.com", "@example.com"); "" or "<>": the null sender? */
static bool address_fits(const char *wanted, const char *address)
{
	const char *at;

	if (address == NULL)
		return false;
	if (strcmp(wanted, "<>") == 0)
		wanted = "";
	if (strcasecmp(wanted, address) == 0)
		return true;
	at = strrchr(address, '@');
	return at != NULL && wanted[0] != '\0' && (wanted[0] == '@' || strchr(wanted, '@') == NULL) && strcasecmp(wanted + (wanted[0] == '@'), at + 1) == 0;
}

static bool fits(const struct quarantine_filter *filter, const struct quarantine_entry *e)
{
	if (filter->sender != NULL && !address_fits(filter->sender, e->sender))
		return false;
	if (filter->recipient == NULL)
		return true;
	for (size_t i = 0; e->recipients != NULL && e->recipients[i] != NULL; i++)
		if (address_fits(filter->recipient, e->recipients[i]))
			return true;
	return false;
}

int index_list(struct index *ix, TALLOC_CTX *mem, const struct quarantine_filter *filter, struct quarantine_entry **entries_r, size_t *n_r, char **error_r)
{
	struct quarantine_entry *v = talloc_array(mem, struct quarantine_entry, 1);
	size_t n = 0, size = 1;
	sqlite3_stmt *s = NULL;
	int r = 0, rc = sqlite3_prepare_v2(ix->db, "SELECT " COLUMNS ", releasing, released FROM entries WHERE time >= ?1 AND (?2 IS NULL OR class = ?2)"
		" ORDER BY time DESC, seq DESC", -1, &s, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(s, 1, filter->since != 0 ? filter->since : INT64_MIN);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(s, 2, filter->class, -1, SQLITE_STATIC);
	while (v != NULL && rc == SQLITE_OK && (filter->limit == 0 || n < filter->limit) && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		TALLOC_CTX *row;

		rc = SQLITE_OK;
		if (n == size)
			v = talloc_realloc(mem, v, struct quarantine_entry, size *= 2);
		row = talloc_new(v);
		if (v == NULL || row == NULL || !row_read(row, s, &v[n]))
			rc = SQLITE_NOMEM;
		else if (fits(filter, &v[n]))
			n++;
		else
			talloc_free(row);
	}
	if (v == NULL)
		rc = SQLITE_NOMEM;
	if (rc != SQLITE_DONE && rc != SQLITE_OK)
		r = index_fault(ix, rc, error_r);
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
	int r = 0, rc = sqlite3_prepare_v2(ix->db, "SELECT " COLUMNS ", releasing, released FROM entries WHERE id = ?", -1, &s, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_DONE)
		r = -ENOENT;
	else if (rc != SQLITE_ROW)
		r = index_fault(ix, rc, error_r);
	else if (!row_read(mem, s, entry_r))
		r = -ENOMEM;
	sqlite3_finalize(s);
	return r;
}

int index_delete(struct index *ix, const char *id, bool *had_r, uint64_t *size_r, char **error_r)
{
	sqlite3_stmt *s = NULL;
	int r = 0, rc = sqlite3_prepare_v2(ix->db, "DELETE FROM entries WHERE id = ? RETURNING size", -1, &s, NULL);

	*had_r = false;
	*size_r = 0;
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
	while (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		*had_r = true;
		*size_r = (uint64_t)sqlite3_column_int64(s, 0);
		rc = SQLITE_OK;
	}
	if (rc != SQLITE_DONE)
		r = index_fault(ix, rc, error_r);
	sqlite3_finalize(s);
	return r;
}

int index_mark(struct index *ix, const char *id, enum quarantine_mark mark, int64_t time, bool *had_r, char **error_r)
{
	static const char *const sql[] = {
		[QUARANTINE_RELEASING] = "UPDATE entries SET releasing = ? WHERE id = ?", [QUARANTINE_RELEASED] = "UPDATE entries SET released = ? WHERE id = ?",
	};
	sqlite3_stmt *s = NULL;
	int r = 0, rc = sqlite3_prepare_v2(ix->db, sql[mark], -1, &s, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(s, 1, time);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(s, 2, id, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	*had_r = rc == SQLITE_DONE && sqlite3_changes(ix->db) > 0;
	if (rc != SQLITE_DONE)
		r = index_fault(ix, rc, error_r);
	sqlite3_finalize(s);
	return r;
}

int index_sums(struct index *ix, uint64_t *copies_r, uint64_t *bytes_r, int64_t *newest_r, char **error_r)
{
	sqlite3_stmt *s = NULL;
	int r = 0, rc = sqlite3_prepare_v2(ix->db, "SELECT count(*), total(size), max(time) FROM entries", -1, &s, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc != SQLITE_ROW) {
		r = index_fault(ix, rc, error_r);
	} else {
		double bytes = sqlite3_column_double(s, 1);

		*copies_r = (uint64_t)sqlite3_column_int64(s, 0);
		*bytes_r = bytes < 1.8e19 ? (uint64_t)bytes : UINT64_MAX;
		*newest_r = sqlite3_column_int64(s, 2);
	}
	sqlite3_finalize(s);
	return r;
}

/* Ids that a prepared statement gives; its second column, if there is one, goes to *last_r. */
static int read_ids(struct index *ix, TALLOC_CTX *mem, sqlite3_stmt *s, int rc, size_t max, int64_t *last_r, char ***ids_r, size_t *n_r, char **error_r)
{
	char **v = talloc_array(mem, char *, max);
	size_t n = 0;
	int r = 0;

	if (v == NULL)
		rc = SQLITE_NOMEM;
	while (rc == SQLITE_OK && n < max && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		const char *id = (const char *)sqlite3_column_text(s, 0);

		v[n] = talloc_strdup(v, id != NULL ? id : "");
		rc = v[n++] != NULL ? SQLITE_OK : SQLITE_NOMEM;
		*last_r = sqlite3_column_int64(s, 1);
	}
	if (rc != SQLITE_DONE && rc != SQLITE_OK)
		r = index_fault(ix, rc, error_r);
	sqlite3_finalize(s);
	*ids_r = v;
	*n_r = r == 0 ? n : 0;
	return r;
}

int index_oldest(struct index *ix, TALLOC_CTX *mem, int64_t before, size_t max, char ***ids_r, size_t *n_r, char **error_r)
{
	sqlite3_stmt *s = NULL;
	int64_t unused;
	int rc = sqlite3_prepare_v2(ix->db, "SELECT id, 0 FROM entries WHERE time < ? ORDER BY time, seq", -1, &s, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(s, 1, before);
	return read_ids(ix, mem, s, rc, max, &unused, ids_r, n_r, error_r);
}

int index_ids(struct index *ix, TALLOC_CTX *mem, int64_t *seq_r, size_t max, char ***ids_r, size_t *n_r, char **error_r)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(ix->db, "SELECT id, seq FROM entries WHERE seq > ? ORDER BY seq", -1, &s, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(s, 1, *seq_r);
	return read_ids(ix, mem, s, rc, max, seq_r, ids_r, n_r, error_r);
}
