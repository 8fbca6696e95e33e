/* journal_write.c - what the journal's writer does with its file: rows in, old rows out, bounded */
#include "engine/journal_db.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	STEP_ROWS = 128,                 /* in one step of making room */
	WAL_PAGES_MAX = 16384,           /* 64 MB: a reader holds on to old pages, nothing more is written until it lets go */
	VACUUM_PAGES = 256, SLACK_PAGES = 256
};

static int finish(sqlite3_stmt *s)
{
	int rc = sqlite3_step(s);

	sqlite3_reset(s);
	return rc;
}

static int run0(struct journal_db *d, enum statement which)
{
	return journal_run(d, which, NULL, 0, NULL);
}

static int run1(struct journal_db *d, enum statement which, int64_t value)
{
	return journal_run(d, which, &value, 1, NULL);
}

static int ask(struct journal_db *d, enum statement which, int64_t *number_r)
{
	return journal_run(d, which, NULL, 0, number_r);
}

/* ---- rows in */

static int add_keys(struct journal_db *d, int64_t n, const char *names, size_t len)
{
	int rc = SQLITE_DONE;
	sqlite3_stmt *s = journal_statement(d, ADD_KEY, &rc);

	for (const char *line = names, *stop = names + len, *next; s != NULL && line < stop; line = next + 1) {
		next = memchr(line, '\n', (size_t)(stop - line));
		if (next == NULL)
			next = stop;
		sqlite3_bind_int64(s, 1, n >> JOURNAL_BUCKET_BITS);
		sqlite3_bind_int64(s, 2, journal_hash(line, (size_t)(next - line)));
		sqlite3_bind_int64(s, 3, n);
		rc = finish(s);
		if (rc != SQLITE_DONE)
			break;
	}
	return s != NULL && rc == SQLITE_DONE ? 0 : journal_fault(d, rc);
}

static int add_row(struct journal_db *d, int64_t n, const struct journal_row *row)
{
	const char *names = (const char *)(row + 1), *from = names + row->names, *rcpts = from + row->from, *body = rcpts + row->rcpts;
	int rc, result;
	sqlite3_stmt *s = journal_statement(d, ADD_RECORD, &rc);

	if (s == NULL)
		return journal_fault(d, rc);
	sqlite3_bind_int64(s, 1, n);
	sqlite3_bind_int64(s, 2, row->time);
	sqlite3_bind_text(s, 3, row->event, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 4, row->class, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 5, row->action, -1, SQLITE_STATIC);
	if (row->client.family != 0)
		sqlite3_bind_blob(s, 6, row->client.addr, row->client.family == 4 ? 4 : 16, SQLITE_STATIC);
	else
		sqlite3_bind_null(s, 6);
	sqlite3_bind_text(s, 7, from, (int)row->from, SQLITE_STATIC);
	sqlite3_bind_text(s, 8, rcpts, (int)row->rcpts, SQLITE_STATIC);
	result = journal_fault(d, finish(s));
	s = result == 0 ? journal_statement(d, ADD_BODY, &rc) : NULL;
	if (s == NULL)
		return result != 0 ? result : journal_fault(d, rc);
	sqlite3_bind_int64(s, 1, n);
	sqlite3_bind_text(s, 2, names, (int)row->names, SQLITE_STATIC);
	sqlite3_bind_text(s, 3, body, (int)row->body, SQLITE_STATIC);
	result = journal_fault(d, finish(s));
	return result == 0 ? add_keys(d, n, names, row->names) : result;
}

int journal_db_write(struct journal_db *d, const struct journal_row *const *rows, size_t n)
{
	int64_t last = 0;
	int result;

	if (d->wal_pages >= WAL_PAGES_MAX)
		journal_db_checkpoint(d);
	if (d->wal_pages >= WAL_PAGES_MAX) {
		snprintf(d->error, sizeof(d->error), "%s: a reader holds on to its old pages; end it", d->file);
		return -EBUSY;
	}
	result = run0(d, BEGIN);
	if (result != 0)
		return result;
	result = ask(d, LAST, &last);
	for (size_t i = 0; i < n && result == 0; i++)
		result = add_row(d, ++last, rows[i]);
	return journal_end(d, result);
}

/* ---- old rows out */

int64_t journal_db_newest(struct journal_db *d)
{
	int64_t time;

	return ask(d, NEWEST, &time) == 0 ? time : 0;
}

/* Drops a bucket of keys whose records are all gone: 1: there was one. */
static int drop_bucket(struct journal_db *d)
{
	int64_t first = 0, bucket = 0;
	int result = ask(d, FIRST_N, &first);

	if (result == 0)
		result = ask(d, FIRST_BUCKET, &bucket);
	if (result != 0 || (first > 0 && bucket >= first >> JOURNAL_BUCKET_BITS))
		return result;
	result = run1(d, DROP_BUCKET, bucket);
	return result != 0 ? result : sqlite3_changes(d->db) > 0;
}

/* Within a transaction: the oldest in the order of writing. */
static int drop_first(struct journal_db *d)
{
	int64_t skip = STEP_ROWS - 1, up_to = 0;
	int result = journal_run(d, UP_TO, &skip, 1, &up_to);

	if (result == 0 && up_to == 0)
		result = ask(d, LAST, &up_to);
	if (result == 0)
		result = run1(d, DROP_RECORDS, up_to);
	if (result == 0)
		result = run1(d, DROP_BODIES, up_to);
	return result;
}

/* Ends a step: the keys go too. more: rows went. */
static int end_step(struct journal_db *d, int result, bool more)
{
	int bucket = 0;

	if (result == 0) {
		bucket = drop_bucket(d);
		result = bucket < 0 ? bucket : 0;
	}
	result = journal_end(d, result);
	return result != 0 ? result : more || bucket > 0;
}

int journal_db_bound(struct journal_db *d, int64_t size_max)
{
	int64_t pages = 0, unused = 0, limit = size_max / 4096, used, rows = 0;
	int result = ask(d, PAGES, &pages);

	if (result == 0)
		result = ask(d, FREE_PAGES, &unused);
	if (result != 0)
		return result;
	used = pages - unused;
	if (used > limit)
		d->bounding = true;
	else if (used <= limit - limit / 64 - 16)
		d->bounding = false;
	if (d->bounding) {
		result = ask(d, LAST, &rows);
		d->bounding = rows > 0;
	}
	if (result == 0 && d->bounding) {
		result = run0(d, BEGIN);
		return result != 0 ? result : end_step(d, drop_first(d), true);
	}
	/* size_max was lowered: the file itself must shrink */
	if (result == 0 && pages > limit + SLACK_PAGES && unused > SLACK_PAGES) {
		char sql[64];

		snprintf(sql, sizeof(sql), "PRAGMA incremental_vacuum(%d)", VACUUM_PAGES);
		result = journal_exec(d, sql);
		if (result == 0 && d->wal_pages >= JOURNAL_WAL_PAGES)
			journal_db_checkpoint(d);
		return result != 0 ? result : 1;
	}
	return result;
}

/* Reads the n of the rows that a statement selects. */
static int select_rows(struct journal_db *d, enum statement which, const int64_t *values, int n_values, int64_t rows[STEP_ROWS], int *n_r)
{
	int rc, result;
	sqlite3_stmt *s = journal_statement(d, which, &rc);

	*n_r = 0;
	if (s == NULL)
		return journal_fault(d, rc);
	for (int i = 0; i < n_values; i++)
		sqlite3_bind_int64(s, i + 1, values[i]);
	while (*n_r < STEP_ROWS && (rc = sqlite3_step(s)) == SQLITE_ROW)
		rows[(*n_r)++] = sqlite3_column_int64(s, 0);
	result = journal_fault(d, rc);
	sqlite3_reset(s);
	return result;
}

static int drop_rows(struct journal_db *d, const int64_t *rows, int n)
{
	int result = 0;

	for (int i = 0; i < n && result == 0; i++) {
		result = run1(d, DROP_RECORD, rows[i]);
		if (result == 0)
			result = run1(d, DROP_BODY, rows[i]);
	}
	return result;
}

int journal_db_expire(struct journal_db *d, int64_t before, int64_t future)
{
	int64_t rows[STEP_ROWS], old[2] = { before, STEP_ROWS }, ahead[3] = { future, 0, STEP_ROWS };
	int n = 0, n_ahead = 0, result = select_rows(d, OLD, old, 2, rows, &n);

	if (result != 0)
		return result;
	if (n == 0)
		return drop_bucket(d);
	result = run0(d, BEGIN);
	if (result != 0)
		return result;
	for (int i = 0; i < n; i++)
		ahead[1] = rows[i] > ahead[1] ? rows[i] : ahead[1];
	result = drop_rows(d, rows, n);
	if (result == 0)
		result = select_rows(d, FUTURE, ahead, 3, rows, &n_ahead);
	if (result == 0)
		result = drop_rows(d, rows, n_ahead);
	return end_step(d, result, true);
}
