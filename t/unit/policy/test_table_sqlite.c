/* test_table_sqlite.c - sqlite: tables: what a query may be, what it gives, and what happens when the database is locked, slow, changed or damaged */
#include "unit/policy/map_help.h"

#include <sqlite3.h>

#include "util/clock.h"

static void run_sql(sqlite3 *db, const char *sql)
{
	char *error = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", sql, error);
}

static sqlite3 *open_db(const char *name)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path_of(name), &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 10000);
	run_sql(db, "PRAGMA synchronous = OFF");
	return db;
}

/* NAME from statements. */
static void make_db(const char *name, const char *sql)
{
	sqlite3 *db = open_db(name);

	run_sql(db, sql);
	sqlite3_close(db);
}

#define NAMES "CREATE TABLE names (name TEXT PRIMARY KEY, value);"
#define QUERY "SELECT value FROM names WHERE name = :key"

static void the_first_column_of_the_first_row_is_the_value(void **state)
{
	static const struct {
		const char *query, *key, *want;
	} cases[] = {
		{ QUERY, "text", "gold" },
		{ QUERY, "TEXT", "gold" },
		{ QUERY, "number", "42" },
		{ QUERY, "real", "1.5" },
		{ QUERY, "null", "" },
		{ QUERY, "empty", "" },
		{ QUERY, "none", NULL },
		{ QUERY, "' OR 1 --", NULL },
		{ QUERY, "example.org", "org" },
		{ "select name, value from names where value = :key;", "gold", "text" },
		{ " \n WITH x AS (SELECT :key AS k) SELECT k || '!' FROM x ; -- done", "why", "why!" },
		{ "SELECT value FROM names WHERE name = :key OR value = :key ORDER BY name DESC", "gold", "gold" },
		{ "SELECT 'a?b' WHERE :key LIKE '%?%'", "what?", "a?b" },
		{ "SELECT 1 WHERE :key = 'x'", "y", NULL },
	};
	struct world *world = *state;

	make_db("db", NAMES "INSERT INTO names VALUES ('text', 'gold'), ('number', 42), ('real', 1.5), ('null', NULL), ('empty', ''), ('example.org', 'org')");
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *spec = talloc_asprintf(NULL, "sqlite:db?%s", cases[i].query);
		struct table *table = open_table(world->set, spec);

		assert_key(table, cases[i].key, cases[i].want);
		assert_key(table, cases[i].key, cases[i].want);
		assert_false(table_is_empty(table));
		table_close(table);
		talloc_free(spec);
	}
	assert_string_equal(logged(world), "");
}

static void addresses_are_asked_by_domain_and_ips_as_text(void **state)
{
	const struct address user = { "User@Sub.Example.com", "User", "Sub.Example.com" };
	struct world *world = *state;
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *value = NULL;
	struct table *table;

	make_db("db2", NAMES "INSERT INTO names VALUES ('.example.com', 'parent'), ('192.0.2.1', 'address'), ('2001:db8::1', 'six')");
	table = open_table(world->set, "sqlite:db2?" QUERY);
	assert_answer(table_lookup_address(table, &user, mem, &value), &value, "parent", "a parent");
	assert_int_equal(table_lookup(table, ".example.com", NULL, NULL), ANSWER_YES);
	assert_ip(table, "192.0.2.1", "address");
	assert_ip(table, "2001:DB8:0::1", "six");
	assert_ip(table, "192.0.2.2", NULL);
	talloc_free(mem);
	table_close(table);
}

static void wrong_queries_and_databases_are_refused_with_a_remedy(void **state)
{
	static const struct {
		const char *spec, *want;
	} cases[] = {
		{ "sqlite:", "table \"sqlite:\": a path is missing after the colon" },
		{ "sqlite:?SELECT :key", "table \"sqlite:?SELECT :key\": a path is missing after the colon" },
		{ "sqlite:db3", "db3: a query is missing behind the question mark" },
		{ "sqlite:db3?", "db3: a query is missing behind the question mark" },
		{ "sqlite:db3? -- nothing", "db3: a query is missing behind the question mark" },
		{ "sqlite:none?" QUERY, "none: No such file or directory" },
		{ "sqlite:folder?" QUERY, "folder: is no regular file" },
		{ "sqlite:fifo?" QUERY, "fifo: is no regular file" },
		{ "sqlite:junk?" QUERY, "junk: file is not a database" },
		{ "sqlite:db3?SELECT value FORM names", "db3: near \"names\": syntax error" },
		{ "sqlite:db3?SELECT value FROM nobody WHERE name = :key", "db3: no such table: nobody" },
		{ "sqlite:db3?SELECT wrong FROM names WHERE name = :key", "db3: no such column: wrong" },
		{ "sqlite:db3?SELECT value FROM names", "db3: the query asks for something else than :key: write it there, as in SELECT value FROM names WHERE name = :key" },
		{ "sqlite:db3?SELECT value FROM names WHERE name = ?", "db3: the query asks for something else than :key: write it there, as in SELECT value FROM names WHERE name = :key" },
		{ "sqlite:db3?SELECT :other FROM names WHERE name = :key", "db3: the query asks for something else than :key: write it there, as in SELECT value FROM names WHERE name = :key" },
		{ "sqlite:db3?" QUERY "; DROP TABLE names", "db3: the query holds more than one statement: write a single SELECT" },
		{ "sqlite:db3?" QUERY "; nonsense", "db3: the query holds more than one statement: write a single SELECT" },
		{ "sqlite:db3?DELETE FROM names WHERE name = :key", "db3: the query is no SELECT: write one that asks for the value of :key" },
		{ "sqlite:db3?DELETE FROM names WHERE name = :key RETURNING value", "db3: the query is no SELECT: write one that asks for the value of :key" },
		{ "sqlite:db3?WITH x AS (SELECT 1) DELETE FROM names WHERE name = :key RETURNING value", "db3: the query is no SELECT: write one that asks for the value of :key" },
		{ "sqlite:db3?PRAGMA table_info(names)", "db3: the query is no SELECT: write one that asks for the value of :key" },
		{ "sqlite:db3?ATTACH :key AS other", "db3: the query is no SELECT: write one that asks for the value of :key" },
		{ "sqlite:db3?EXPLAIN " QUERY, "db3: the query is no SELECT: write one that asks for the value of :key" },
	};
	struct world *world = *state;

	make_db("db3", NAMES "INSERT INTO names VALUES ('key', 'value')");
	write_file("junk", "this is no database, and it is longer than a database's header has to be, by far: there are a hundred bytes in it");
	assert_int_equal(mkdir(path_of("folder"), 0700), 0);
	assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_open_fails(world->set, cases[i].spec, cases[i].want);
}

static void a_missing_database_is_an_error_unless_it_is_optional(void **state)
{
	struct world *world = *state;
	char *error = NULL;
	struct table *table = table_open(world->set, "sqlite:later?" QUERY, directory, true, &error);

	assert_non_null(table);
	assert_key(table, "key", NULL);
	assert_true(table_is_empty(table));
	make_db("later", NAMES "INSERT INTO names VALUES ('key', 'value')");
	table_set_look(world->set, 0);
	assert_key(table, "key", "value");
	assert_string_equal(logged(world), "later: opened anew");
	table_close(table);
}

static void changes_are_seen_at_once_and_another_file_when_it_is_looked_at(void **state)
{
	struct world *world = *state;
	struct table *table;
	sqlite3 *db;

	make_db("db4", NAMES "INSERT INTO names VALUES ('key', 'old')");
	table = open_table(world->set, "sqlite:db4?" QUERY);
	assert_key(table, "key", "old");
	db = open_db("db4");
	run_sql(db, "UPDATE names SET value = 'new'");
	assert_key(table, "key", "new");
	run_sql(db, "ALTER TABLE names ADD COLUMN more");          /* the query is prepared anew */
	assert_key(table, "key", "new");
	sqlite3_close(db);
	table_set_look(world->set, 0);
	table_set_look(world->set, 5 * SECOND);
	assert_string_equal(logged(world), "");
	make_db("db4.new", NAMES "INSERT INTO names VALUES ('key', 'other')");
	move("db4.new", "db4");
	table_set_look(world->set, 6 * SECOND);
	assert_key(table, "key", "other");
	assert_string_equal(logged(world), "db4: opened anew");
	table_close(table);
}

static void a_query_without_end_is_given_up(void **state)
{
	struct world *world = *state;
	struct table *table;
	int64_t began;

	make_db("db5", NAMES "INSERT INTO names VALUES ('key', 'value')");
	table = open_table(world->set, "sqlite:db5?WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE :key = 'slow') SELECT max(i) FROM n");
	assert_key(table, "fast", "1");
	began = clock_mono();
	assert_unavailable(table, "slow");
	assert_true(clock_mono() - began > 150 * MS);              /* it did try */
	assert_true(clock_mono() - began < 5 * SECOND);            /* 0.2 s; a busy machine may take its time */
	assert_key(table, "fast", "1");
	assert_string_equal(logged(world), "db5: the query took longer than 200 ms: make it faster (an index?); look-ups in it fail");
	table_close(table);
}

static void *ask_slow(void *arg)
{
	assert_unavailable(arg, "slow");
	return NULL;
}

static void slow_queries_do_not_pile_up(void **state)
{
	enum { THREADS = 16 };
	struct world *world = *state;
	pthread_t threads[THREADS];
	struct table *table;
	int64_t began;

	make_db("db6", NAMES);
	table = open_table(world->set, "sqlite:db6?WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE :key = 'slow') SELECT max(i) FROM n");
	began = clock_mono();
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_slow, table), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_true(clock_mono() - began < 10 * SECOND);           /* one after the other on two cores: not 16 times 0.2 s of work, and never without end */
	assert_key(table, "fast", "1");
	table_close(table);
}

static void a_locked_database_cannot_tell_and_recovers(void **state)
{
	struct world *world = *state;
	struct table *table;
	sqlite3 *db;

	make_db("db7", NAMES "INSERT INTO names VALUES ('key', 'value')");
	table = open_table(world->set, "sqlite:db7?" QUERY);
	db = open_db("db7");
	run_sql(db, "BEGIN EXCLUSIVE");
	assert_unavailable(table, "key");
	assert_unavailable(table, "key");
	run_sql(db, "COMMIT");
	assert_key(table, "key", "value");
	sqlite3_close(db);
	assert_string_equal(logged(world), "db7: database is locked; look-ups in it fail");
	table_close(table);
}

static void a_lost_table_cannot_tell_and_recovers(void **state)
{
	struct world *world = *state;
	struct table *table;

	make_db("db8", NAMES "INSERT INTO names VALUES ('key', 'value')");
	table = open_table(world->set, "sqlite:db8?" QUERY);
	make_db("db8", "ALTER TABLE names RENAME TO aside");
	assert_unavailable(table, "key");
	assert_unavailable(table, "key");
	make_db("db8", "ALTER TABLE aside RENAME TO names");
	assert_key(table, "key", "value");
	assert_string_equal(logged(world), "db8: no such table: names; look-ups in it fail");
	table_close(table);
}

static void each_page_zeroed_and_any_end_cut_ends_nothing(void **state)
{
	static const unsigned char nothing[4096];
	struct world *world = *state;
	char *text = talloc_strdup(NULL, NAMES);
	unsigned char *bytes;
	size_t n, told = 0;

	for (int i = 0; i < 1000; i++)
		text = talloc_asprintf_append_buffer(text, "INSERT INTO names VALUES ('domain%06d.example', 'p%d');", i, i % 7);
	make_db("db9", talloc_asprintf(text, "BEGIN; %s COMMIT;", text));
	bytes = read_back("db9", &n);
	for (size_t round = 0; round < 2 * (n / 4096); round++) {
		struct table *table = open_table(world->set, "sqlite:db9?" QUERY);
		size_t at = round / 2 * 4096;
		TALLOC_CTX *mem = talloc_new(NULL);

		if (round % 2 == 0)
			overwrite("db9", nothing, 4096, (off_t)at);
		else
			assert_int_equal(truncate(path_of("db9"), (off_t)at), 0);
		for (int i = 0; i < 1000; i += 20) {
			const char *value = NULL;
			char key[100], want[10];

			snprintf(key, sizeof(key), "domain%06d.example", i);
			snprintf(want, sizeof(want), "p%d", i % 7);
			if (table_lookup(table, key, mem, &value) == ANSWER_YES && at > 0) {
				assert_string_equal(value, want);
				told++;
			}
		}
		overwrite("db9", bytes + at, n - at, (off_t)at);
		assert_key(table, "domain000001.example", "p1");       /* the same table, mended */
		table_close(table);
		talloc_free(mem);
	}
	assert_true(told > 0);
	talloc_free(text);
	talloc_free(bytes);
}

static void look_ups_go_on_while_others_write(void **state)
{
	struct world *world = *state;
	struct askers askers;
	struct table *table;
	sqlite3 *db = open_db("db10");

	run_sql(db, "PRAGMA journal_mode = WAL; " NAMES "INSERT INTO names VALUES ('key', 0)");
	table = open_table(world->set, "sqlite:db10?" QUERY);
	askers_begin(&askers, table, false);
	for (int i = 1; i <= 300; i++) {
		run_sql(db, "UPDATE names SET value = value + 1; INSERT OR REPLACE INTO names VALUES (random() % 1000, randomblob(2000));");
		if (i % 100 == 0)
			run_sql(db, "PRAGMA wal_checkpoint(TRUNCATE)");
	}
	askers_end(&askers, world);
	assert_key(table, "key", "300");
	sqlite3_close(db);
	table_close(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WATCH_TEST(the_first_column_of_the_first_row_is_the_value),
		WATCH_TEST(addresses_are_asked_by_domain_and_ips_as_text),
		WATCH_TEST(wrong_queries_and_databases_are_refused_with_a_remedy),
		WATCH_TEST(a_missing_database_is_an_error_unless_it_is_optional),
		WATCH_TEST(changes_are_seen_at_once_and_another_file_when_it_is_looked_at),
		WATCH_TEST(a_query_without_end_is_given_up),
		WATCH_TEST(slow_queries_do_not_pile_up),
		WATCH_TEST(a_locked_database_cannot_tell_and_recovers),
		WATCH_TEST(a_lost_table_cannot_tell_and_recovers),
		WATCH_TEST(each_page_zeroed_and_any_end_cut_ends_nothing),
		WATCH_TEST(look_ups_go_on_while_others_write),
	};

	return cmocka_run_group_tests(tests, make_map_directory, remove_directory);
}
