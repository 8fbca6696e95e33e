/* table_sqlite.c - "sqlite:PATH?QUERY": one SELECT with :key; its first column of the first row is the value
 *
 * Look-ups share a few read-only connections, each used by one at a time. None lasts longer than a moment: for a free connection, for a lock and for the query together
 * a look-up waits LOOKUP_US and the busy time at most, then the table cannot tell. SQLite maps no page of the database here (mmap_size 0), so that a file that is cut is an error. */
#include "policy/table_private.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "policy/mapfile.h"
#include "util/clock.h"
#include "util/sqlite.h"

enum {
	CONNECTIONS = 4,
	LOOKUP_US = 200000,
	LOAD_US = 2000000,               /* at start and reload there is more patience */
	BUSY_MS = 50,
	STEPS = 1000,                    /* of SQLite's machine between two looks at the clock: some 10 us */
};

struct connection {
	sqlite3 *db;
	sqlite3_stmt *stmt;
	int key;                         /* number of the parameter */
	int64_t deadline;                /* clock_mono() */
	struct connection *next;
};

struct pool {
	char *path, *query;
	pthread_mutex_t lock;            /* guards what follows */
	pthread_cond_t freed;
	struct connection *idle;
	unsigned open;
};

/* --- one connection --- */

static int is_late(void *arg)
{
	const struct connection *c = arg;

	return clock_mono() > c->deadline;
}

static int close_connection(struct connection *c)
{
	sqlite3_finalize(c->stmt);
	sqlite3_close(c->db);
	return 0;
}

/* What the file may not make us do: reach other files, call functions behind our back, take all memory. */
static void restrict_connection(struct connection *c)
{
	sqlite3_extended_result_codes(c->db, 1);
	sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(c->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_limit(c->db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_limit(c->db, SQLITE_LIMIT_LENGTH, 1 << 20);
	sqlite3_exec(c->db, "PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON; PRAGMA query_only = ON;", NULL, NULL, NULL);
}

/* NULL, or what is wrong with the query, which prepare() took. */
static const char *check_query(struct connection *c, const char *query, const char *tail)
{
	sqlite3_stmt *second = NULL;
	int ret = sqlite3_prepare_v2(c->db, tail, -1, &second, NULL);

	sqlite3_finalize(second);
	query += strspn(query, " \t\r\n");
	if (ret != SQLITE_OK || second != NULL)
		return "the query holds more than one statement: write a single SELECT";
	if ((strncasecmp(query, "select", 6) != 0 && strncasecmp(query, "with", 4) != 0) || !sqlite3_stmt_readonly(c->stmt) || sqlite3_column_count(c->stmt) < 1)
		return "the query is no SELECT: write one that asks for the value of :key";
	c->key = sqlite3_bind_parameter_index(c->stmt, ":key");
	if (c->key == 0 || sqlite3_bind_parameter_count(c->stmt) != 1)
		return "the query asks for something else than :key: write it there, as in SELECT value FROM names WHERE name = :key";
	return NULL;
}

/* A talloc root. NULL with why set. */
static struct connection *open_connection(const struct pool *pool, int64_t deadline, char *why)
{
	struct connection *c = talloc_named_const(NULL, sizeof(*c), "struct connection");
	const char *tail = "", *what = NULL;
	int64_t left = deadline - clock_mono();
	struct stat st;
	int ret;

	if (c == NULL) {
		mapfile_fail(why, "%s", strerror(ENOMEM));
		return NULL;
	}
	*c = (struct connection){ .deadline = deadline };
	talloc_set_destructor(c, close_connection);
	errno = 0;
	if (stat(pool->path, &st) != 0 || !S_ISREG(st.st_mode)) {      /* SQLite's own words for it are vague, and it would wait for a FIFO */
		mapfile_fail(why, "%s", errno != 0 ? strerror(errno) : "is no regular file");
		talloc_free(c);
		return NULL;
	}
	ret = sqlite3_open_v2(pool->path, &c->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
	if (ret == SQLITE_OK) {
		restrict_connection(c);
		sqlite3_busy_timeout(c->db, left > 0 ? (int)(left / 1000) : 0);
		sqlite3_progress_handler(c->db, STEPS, is_late, c);
		ret = sqlite3_prepare_v3(c->db, pool->query, -1, SQLITE_PREPARE_PERSISTENT, &c->stmt, &tail);
		if (ret == SQLITE_OK)
			what = c->stmt == NULL ? "a query is missing behind the question mark" : check_query(c, pool->query, tail);
		sqlite3_busy_timeout(c->db, BUSY_MS);
	}
	if (ret == SQLITE_OK && what == NULL)
		return c;
	mapfile_fail(why, "%s", what != NULL ? what : c->db != NULL ? sqlite3_errmsg(c->db) : sqlite3_errstr(ret));
	talloc_free(c);
	return NULL;
}

/* --- the pool --- */

/* Waits for a free connection or opens one. NULL with why set. */
static struct connection *take(struct pool *pool, int64_t deadline, char *why)
{
	struct timespec until = { .tv_sec = (time_t)(deadline / 1000000), .tv_nsec = (long)(deadline % 1000000 * 1000) };
	struct connection *c;

	pthread_mutex_lock(&pool->lock);
	while (pool->idle == NULL && pool->open == CONNECTIONS) {
		if (pthread_cond_timedwait(&pool->freed, &pool->lock, &until) == ETIMEDOUT && pool->idle == NULL && pool->open == CONNECTIONS) {
			pthread_mutex_unlock(&pool->lock);
			mapfile_fail(why, "all %d connections were busy for %d ms: make the query faster (an index?)", CONNECTIONS, LOOKUP_US / 1000);
			return NULL;
		}
	}
	c = pool->idle;
	if (c != NULL)
		pool->idle = c->next;
	else
		pool->open++;
	pthread_mutex_unlock(&pool->lock);
	if (c != NULL) {
		c->deadline = deadline;
		return c;
	}
	c = open_connection(pool, deadline, why);
	if (c != NULL)
		return c;
	pthread_mutex_lock(&pool->lock);
	pool->open--;
	pthread_cond_signal(&pool->freed);
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* Gives it back; one that ran into trouble is closed, and the next look-up opens the file anew. */
static void give(struct pool *pool, struct connection *c, bool good)
{
	if (!good)
		talloc_free(c);
	pthread_mutex_lock(&pool->lock);
	if (good) {
		c->next = pool->idle;
		pool->idle = c;
	} else {
		pool->open--;
	}
	pthread_cond_signal(&pool->freed);
	pthread_mutex_unlock(&pool->lock);
}

static int close_pool(struct pool *pool)
{
	while (pool->idle != NULL) {
		struct connection *c = pool->idle;

		pool->idle = c->next;
		talloc_free(c);
	}
	pthread_cond_destroy(&pool->freed);
	pthread_mutex_destroy(&pool->lock);
	return 0;
}

static struct pool *new_pool(TALLOC_CTX *parent, const char *argument)
{
	struct pool *pool = talloc_zero(parent, struct pool);
	const char *mark = strchrnul(argument, '?');
	pthread_condattr_t attr;

	if (pool == NULL)
		return NULL;
	pool->path = talloc_strndup(pool, argument, (size_t)(mark - argument));
	pool->query = talloc_strdup(pool, *mark == '?' ? mark + 1 : "");
	if (pool->path == NULL || pool->query == NULL) {
		talloc_free(pool);
		return NULL;
	}
	pthread_mutex_init(&pool->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->freed, &attr);
	pthread_condattr_destroy(&attr);
	talloc_set_destructor(pool, close_pool);
	return pool;
}

/* --- the kind --- */

static void *load(TALLOC_CTX *parent, const char *argument, char **error_r)
{
	struct pool *pool = new_pool(parent, argument);
	char why[MAPFILE_WHY_MAX];
	struct connection *c;

	if (pool == NULL)
		return NULL;
	c = take(pool, clock_mono() + LOAD_US, why);
	if (c != NULL) {
		give(pool, c, true);
		return pool;
	}
	*error_r = talloc_asprintf(parent, "%s: %s", pool->path, why);
	talloc_free(pool);
	return NULL;
}

/* The first column of the row. */
static enum answer take_value(sqlite3_stmt *stmt, TALLOC_CTX *mem, const char **value_r, char *why)
{
	bool is_null = sqlite3_column_type(stmt, 0) == SQLITE_NULL;
	const char *text = is_null ? "" : (const char *)sqlite3_column_text(stmt, 0);
	int n = sqlite3_column_bytes(stmt, 0);

	if (n > MAPFILE_VALUE_MAX) {
		mapfile_fail(why, "a value has %d bytes, %d are the limit", n, MAPFILE_VALUE_MAX);
		return ANSWER_UNAVAILABLE;
	}
	*value_r = text != NULL ? talloc_strdup(mem, text) : NULL;
	if (*value_r != NULL)
		return ANSWER_YES;
	mapfile_fail(why, "no memory for what it holds");
	return ANSWER_UNAVAILABLE;
}

/* One look-up on a connection. *good_r: the connection may be used again. */
static enum answer ask(struct connection *c, const char *key, TALLOC_CTX *mem, const char **value_r, bool *good_r, char *why)
{
	int ret = sqlite3_bind_text(c->stmt, c->key, key, -1, SQLITE_STATIC);
	enum answer answer = ANSWER_UNAVAILABLE;

	if (ret == SQLITE_OK)
		ret = sqlite3_step(c->stmt);
	*good_r = ret == SQLITE_ROW || ret == SQLITE_DONE || (ret & 0xff) == SQLITE_BUSY || (ret & 0xff) == SQLITE_INTERRUPT;
	if (ret == SQLITE_DONE) {
		answer = ANSWER_NO;
	} else if (ret != SQLITE_ROW) {
		if ((ret & 0xff) == SQLITE_INTERRUPT)
			mapfile_fail(why, "the query took longer than %d ms: make it faster (an index?)", LOOKUP_US / 1000);
		else
			mapfile_fail(why, "%s", sqlite3_errmsg(sqlite3_db_handle(c->stmt)));
	} else {
		answer = take_value(c->stmt, mem, value_r, why);
	}
	sqlite3_reset(c->stmt);
	sqlite3_clear_bindings(c->stmt);
	return answer;
}

static enum answer lookup(const void *content, const char *key, TALLOC_CTX *mem, const char **value_r)
{
	struct pool *pool = (struct pool *)(uintptr_t)content;
	char why[MAPFILE_WHY_MAX];
	struct connection *c = take(pool, clock_mono() + LOOKUP_US, why);
	enum answer answer = ANSWER_UNAVAILABLE;
	bool good;

	if (c != NULL) {
		answer = ask(c, key, mem, value_r, &good, why);
		give(pool, c, good);
	}
	if (answer == ANSWER_UNAVAILABLE)
		*value_r = talloc_strdup(mem, why);
	return answer;
}

const struct table_kind table_kind_sqlite = {
	.name = "sqlite", .is_file = true, .has_query = true, .reading = TABLE_READ_LIVE, .load = load, .lookup = lookup,
};
