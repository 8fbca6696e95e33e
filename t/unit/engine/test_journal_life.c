/* test_journal_life.c - the journal in trouble: full, locked, old, killed, damaged, moved; and what a reload does to it */
#include "journal_help.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <sqlite3.h>

#include "util/clock.h"

static void put_many(struct lab *lab, const char *prefix, int n, int64_t time)
{
	for (int i = 0; i < n; i++) {
		char id[32];

		snprintf(id, sizeof(id), "%s%d", prefix, i);
		put_plain(lab, id, time);
	}
}

/* Flushes for as long as it takes, within reason: a sanitizer or a busy machine is slow. */
static void flush_until(struct lab *lab, size_t records)
{
	for (int i = 0; i < 30 && count_all(lab) < records; i++)
		journal_flush(lab->journal);
	assert_int_equal(count_all(lab), records);
}

static int64_t file_size(const struct lab *lab, const char *suffix)
{
	char path[120];
	struct stat st;

	snprintf(path, sizeof(path), "%s/journal.sqlite%s", lab->path, suffix);
	return stat(path, &st) == 0 ? st.st_size : -1;
}

static void run_sql(const struct lab *lab, const char *sql)
{
	char path[120];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/journal.sqlite", lab->path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 10000);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* ---- reopening */

static void a_journal_goes_on_where_it_ended(void **state)
{
	struct lab *lab = *state;
	struct stat st;

	for (int i = 0; i < 3; i++) {
		char id[8];

		snprintf(id, sizeof(id), "N%d", i);
		lab_open(lab);
		put_plain(lab, id, NOW + i);
		lab_close(lab);                  /* closing flushes */
	}
	assert_int_equal(count_all(lab), 3);
	assert_int_equal(count_of(lab, "N0"), 1);
	assert_int_equal(stat(lab->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(lab_logged(lab, "journal"), 0);
}

static void records_are_on_disk_soon_without_a_flush(void **state)
{
	struct lab *lab = *state;
	const struct timespec moment = { .tv_nsec = 20000000 };
	int i;

	lab_open(lab);
	put_plain(lab, "SOON", NOW);
	for (i = 0; i < 500 && count_of(lab, "SOON") == 0; i++)
		nanosleep(&moment, NULL);
	assert_true(i < 500);
}

static void keep_zero_keeps_nothing(void **state)
{
	struct lab *lab = *state;
	struct record r = plain_record("NONE", NOW);

	lab->keep = 0;
	lab_open(lab);
	put_plain(lab, "NONE", NOW);
	journal_flush(lab->journal);
	assert_int_equal(journal_dropped(lab->journal), 0);
	assert_int_equal(file_size(lab, ""), -1);
	journal_put(NULL, &r);
	journal_flush(NULL);
	journal_close(NULL);
}

static void reload(struct lab *lab, int expected)
{
	struct journal_options options = lab_options(lab);
	char *error = NULL;

	assert_int_equal(journal_change(lab->journal, &options, &error), expected);
	if (expected != 0)
		assert_non_null(error);
	talloc_free(error);
}

static void a_reload_moves_switches_off_and_on(void **state)
{
	struct lab *lab = *state;
	char first[80];

	lab_open(lab);
	put_plain(lab, "A", NOW);
	journal_flush(lab->journal);
	strcpy(first, lab->path);
	snprintf(lab->path, sizeof(lab->path), "%s/deep/er/j2", lab->folder);
	reload(lab, 0);
	put_plain(lab, "B", NOW);
	journal_flush(lab->journal);
	assert_int_equal(count_all(lab), 1);
	assert_int_equal(count_of(lab, "B"), 1);
	strcpy(lab->path, first);
	assert_int_equal(count_of(lab, "B"), 0);
	assert_int_equal(count_of(lab, "A"), 1);

	lab->keep = 0;
	reload(lab, 0);
	put_plain(lab, "C", NOW);
	lab->keep = DAY / 1000;
	reload(lab, 0);
	put_plain(lab, "D", NOW);
	journal_flush(lab->journal);
	assert_int_equal(count_of(lab, "C"), 0);
	assert_int_equal(count_of(lab, "D"), 1);
}

static void a_reload_that_fails_leaves_all_as_it_was(void **state)
{
	struct lab *lab = *state;
	char first[80];

	lab_open(lab);
	strcpy(first, lab->path);
	snprintf(lab->path, sizeof(lab->path), "%s/log/j", lab->folder);      /* the log is a file */
	reload(lab, -ENOTDIR);
	strcpy(lab->path, first);
	put_plain(lab, "A", NOW);
	journal_flush(lab->journal);
	assert_int_equal(count_of(lab, "A"), 1);
}

/* ---- what cannot be written */

/* Another process might: nothing can be written while this is open. */
static sqlite3 *hold_lock(const struct lab *lab)
{
	char path[120];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/journal.sqlite", lab->path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 10000);         /* the writer looks after its file, too */
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	return db;
}

static void records_wait_while_another_holds_the_lock_and_are_dropped_beyond_the_queue(void **state)
{
	enum { QUEUE = 20000, OVER = 50 };
	struct lab *lab = *state;
	int64_t begun;
	sqlite3 *db;

	lab_open(lab);
	db = hold_lock(lab);
	put_many(lab, "Q", QUEUE + OVER, NOW);
	assert_int_equal(journal_dropped(lab->journal), OVER);
	begun = clock_mono();
	journal_flush(lab->journal);
	assert_in_range(clock_mono() - begun, 1900000, 30000000);
	assert_int_equal(count_all(lab), 0);
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	flush_until(lab, QUEUE);
	assert_int_equal(journal_dropped(lab->journal), OVER);
	assert_int_equal(count_of(lab, "Q19999"), 1);
	assert_int_equal(lab_logged(lab, "cannot be written"), 1);
	assert_int_equal(lab_logged(lab, "is written again"), 1);
}

static void closing_does_not_wait_for_a_lock_for_ever(void **state)
{
	struct lab *lab = *state;
	int64_t begun;
	sqlite3 *db;

	lab_open(lab);
	db = hold_lock(lab);
	put_plain(lab, "LOST", NOW);
	begun = clock_mono();
	lab_close(lab);
	assert_true(clock_mono() - begun < 4000000);
	assert_int_equal(lab_logged(lab, "1 records could not be written"), 1);
	sqlite3_close(db);
}

static void a_full_disk_costs_records_and_nothing_else(void **state)
{
	struct lab *lab = *state;
	struct rlimit old, small;

	lab_open(lab);
	put_many(lab, "BEFORE", 100, NOW);
	journal_flush(lab->journal);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){ .rlim_cur = 512 << 10, .rlim_max = old.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	put_many(lab, "DURING", 3000, NOW);
	journal_flush(lab->journal);
	journal_flush(lab->journal);
	assert_int_equal(lab_logged(lab, "cannot be written"), 1);      /* one line a minute */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	flush_until(lab, 3100);
	assert_int_equal(lab_logged(lab, "is written again"), 1);
	put_plain(lab, "AFTER", NOW);
	flush_until(lab, 3101);
	assert_int_equal(count_of(lab, "DURING2999"), 1);
}

static void a_file_that_was_moved_away_is_begun_anew(void **state)
{
	struct lab *lab = *state;
	char command[200];

	lab_open(lab);
	put_plain(lab, "A", NOW);
	journal_flush(lab->journal);
	snprintf(command, sizeof(command), "mv %s %s.old", lab->path, lab->path);
	assert_int_equal(system(command), 0);
	journal_check(lab->journal);
	put_plain(lab, "B", NOW);
	journal_flush(lab->journal);
	assert_int_equal(count_of(lab, "B"), 1);
	assert_int_equal(count_of(lab, "A"), 0);
	assert_int_equal(lab_logged(lab, "is gone"), 1);
}

/* ---- bounds */

static void records_older_than_keep_go(void **state)
{
	struct lab *lab = *state;

	lab_open(lab);
	put_many(lab, "OLD", 700, NOW - 15 * DAY);
	put_many(lab, "NEW", 10, NOW - 13 * DAY);
	put_plain(lab, "TODAY", NOW);
	journal_flush(lab->journal);
	journal_check(lab->journal);
	assert_int_equal(count_all(lab), 11);
	assert_int_equal(count_of(lab, "OLD699"), 0);
	lab_clock += 2 * DAY / 24 / 2;           /* an hour later at most is no leap */
	journal_check(lab->journal);
	assert_int_equal(count_all(lab), 11);
	lab->keep = DAY / 1000;
	reload(lab, 0);
	journal_flush(lab->journal);
	assert_int_equal(count_all(lab), 1);
}

static void a_clock_that_leaps_ahead_costs_no_records(void **state)
{
	struct lab *lab = *state;

	lab_open(lab);
	put_many(lab, "R", 20, NOW);
	journal_flush(lab->journal);
	journal_check(lab->journal);
	lab_clock = NOW + 365 * DAY;
	journal_check(lab->journal);
	assert_int_equal(count_all(lab), 20);
	assert_int_equal(lab_logged(lab, "the clock"), 1);
	lab_close(lab);
	/* nor at a start */
	lab_open(lab);
	journal_check(lab->journal);
	assert_int_equal(count_all(lab), 20);
}

static void a_clock_that_is_behind_costs_no_records(void **state)
{
	struct lab *lab = *state;

	lab_open(lab);
	put_many(lab, "R", 20, NOW);
	journal_flush(lab->journal);
	lab_clock = 0;
	journal_check(lab->journal);
	put_plain(lab, "OF1970", 0);
	journal_flush(lab->journal);
	assert_int_equal(count_all(lab), 21);
}

static void records_from_the_future_go_with_those_that_came_after_them(void **state)
{
	struct lab *lab = *state;

	lab_open(lab);
	put_many(lab, "FUTURE", 300, NOW + 900 * DAY);
	put_many(lab, "OLD", 5, NOW - 20 * DAY);
	put_many(lab, "ALSO", 3, NOW + 900 * DAY);
	put_plain(lab, "TODAY", NOW);
	journal_flush(lab->journal);
	for (int i = 0; i < 3; i++)
		journal_check(lab->journal);
	assert_int_equal(count_of(lab, "OLD0"), 0);
	assert_true(count_of(lab, "FUTURE0") == 0);
	assert_int_equal(count_of(lab, "ALSO0"), 1);
	assert_int_equal(count_of(lab, "TODAY"), 1);
}

static void the_file_stays_within_size_max_and_uses_its_room_again(void **state)
{
	enum { ROUNDS = 12, EACH = 3000 };
	struct lab *lab = *state;
	size_t kept;

	lab->size_max = 4 << 20;
	lab_open(lab);
	for (int i = 0; i < ROUNDS; i++) {
		char prefix[16];

		snprintf(prefix, sizeof(prefix), "R%d-", i);
		put_many(lab, prefix, EACH, NOW);
		journal_flush(lab->journal);
		assert_in_range(file_size(lab, ""), 0, lab->size_max + (2 << 20));
		assert_in_range(file_size(lab, "-wal"), 0, 8 << 20);
	}
	assert_int_equal(journal_dropped(lab->journal), 0);
	kept = count_all(lab);
	assert_in_range(kept, EACH / 2, ROUNDS * EACH / 2);
	assert_int_equal(count_of(lab, "R11-2999"), 1);
	assert_int_equal(count_of(lab, "R0-0"), 0);

	/* and shrinks with it */
	lab->size_max = 1 << 20;
	reload(lab, 0);
	for (int i = 0; i < 30 && file_size(lab, "") > (3 << 20); i++)
		journal_check(lab->journal);
	assert_in_range(file_size(lab, ""), 0, 3 << 20);
	assert_in_range(count_all(lab), 1, kept - 1);
	assert_int_equal(count_of(lab, "R11-2999"), 1);
}

static void names_go_with_their_records(void **state)
{
	enum { EACH = 3000 };
	struct lab *lab = *state;

	lab->size_max = 1 << 20;
	lab_open(lab);
	for (int i = 0; i < 6; i++) {
		put_many(lab, "SAME", EACH, NOW);
		journal_flush(lab->journal);
	}
	lab_close(lab);
	/* three buckets of 4096 at most are in use; a key has no record in the first of them at worst */
	run_sql(lab, "CREATE TEMP TABLE t (x CHECK (x)); INSERT INTO t SELECT count(*) <= 4096 + (SELECT count(*) FROM records) FROM keys;"
		"INSERT INTO t SELECT min(bucket) >= (SELECT min(n) FROM records) >> 12 FROM keys");
}

/* ---- kill and damage */

/* The program itself, started anew: PATH ROUND. Tells on standard output how far it has committed. */
static int write_until_killed(const char *path, const char *round)
{
	struct lab lab = { .keep = 14 * DAY / 1000, .size_max = 1 << 30 };
	struct journal_options options = lab_options(&lab);
	char *error = NULL;

	options.path = path;
	if (journal_open(&options, NULL, &lab.journal, &error) != 0)
		return 1;
	for (int i = 0;; i++) {
		char id[32];

		snprintf(id, sizeof(id), "K%s-%d", round, i);
		put_plain(&lab, id, NOW);
		if (i % 20 == 19) {
			journal_flush(lab.journal);
			if (write(STDOUT_FILENO, &i, sizeof(i)) != sizeof(i))
				return 1;
		}
	}
}

static pid_t start_writer(const struct lab *lab, int round, int out)
{
	char number[16];
	pid_t pid = fork();

	if (pid == 0) {
		snprintf(number, sizeof(number), "%d", round);
		dup2(out, STDOUT_FILENO);
		execl("/proc/self/exe", "writer", lab->path, number, (char *)NULL);
		_exit(1);
	}
	return pid;
}

static void a_kill_costs_nothing_that_was_committed(void **state)
{
	enum { ROUNDS = 20 };
	struct lab *lab = *state;
	unsigned seed = 1;
	int last[ROUNDS], total = 0;

	for (int round = 0; round < ROUNDS; round++) {
		struct timespec moment = { .tv_nsec = rand_r(&seed) % 40000000 };
		int pipes[2], i;
		pid_t pid;

		assert_int_equal(pipe(pipes), 0);
		pid = start_writer(lab, round, pipes[1]);
		close(pipes[1]);
		last[round] = -1;
		/* it writes by now */
		if (read(pipes[0], &i, sizeof(i)) == sizeof(i))
			last[round] = i;
		nanosleep(&moment, NULL);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &i, 0), pid);
		while (read(pipes[0], &i, sizeof(i)) == sizeof(i))
			last[round] = i;
		close(pipes[0]);
		assert_in_range(last[round], 19, 1000000);
		total += last[round] + 1;
	}
	/* as it lies there, and when it was opened */
	for (int open = 0; open < 2; open++) {
		for (int round = 0; round < ROUNDS; round++) {
			char id[32];

			snprintf(id, sizeof(id), "K%d-%d", round, last[round]);
			assert_int_equal(count_of(lab, id), 1);
		}
		assert_true(count_all(lab) >= (size_t)total);
		if (open == 0)
			lab_open(lab);
	}
	put_plain(lab, "AFTER", NOW);
	journal_flush(lab->journal);
	assert_int_equal(count_of(lab, "AFTER"), 1);
	assert_int_equal(lab_logged(lab, "damaged"), 0);
	lab_close(lab);
	run_sql(lab, "CREATE TEMP TABLE t (x CHECK (x = 'ok')); INSERT INTO t SELECT * FROM pragma_integrity_check");
}

/* Writes over the file from an offset on, or cuts it there. */
static void damage(const struct lab *lab, off_t from, bool cut)
{
	char path[120];
	int fd;

	snprintf(path, sizeof(path), "%s/journal.sqlite", lab->path);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	if (cut)
		assert_int_equal(ftruncate(fd, from), 0);
	else
		for (off_t at = from; at < 64 << 10; at += 4096)
			assert_int_equal(pwrite(fd, "this is no database, this is a letter", 37, at), 37);
	close(fd);
}

static void a_damaged_file_is_set_aside_with_one_line(void **state)
{
	static const struct { off_t from; bool cut; } cases[] = { { 0, false }, { 4096, false }, { 8192, true }, { 5000, true } };
	struct lab *lab = *state;
	char command[200];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		lab_open(lab);
		put_many(lab, "A", 200, NOW);
		lab_close(lab);
		damage(lab, cases[i].from, cases[i].cut);
		lab_open(lab);
		put_plain(lab, "B", NOW);
		flush_until(lab, 1);
		assert_int_equal(count_of(lab, "B"), 1);
		lab_close(lab);
		assert_int_equal(lab_logged(lab, "is damaged; it is kept as"), i + 1);
		snprintf(command, sizeof(command), "test $(ls %s | grep -c '^journal.sqlite.damaged-[0-9TZ-]*$') = %zu", lab->path, i + 1);
		assert_int_equal(system(command), 0);
		snprintf(command, sizeof(command), "rm -f %s/journal.sqlite %s/journal.sqlite-*", lab->path, lab->path);
		assert_int_equal(system(command), 0);
	}
	assert_int_equal(lab_logged(lab, "cannot be written"), 0);
}

static void a_reader_says_that_a_file_is_damaged(void **state)
{
	struct lab *lab = *state;
	struct journal_reader *reader = NULL;
	const struct journal_query all = { 0 };
	struct journal_entry *entries;
	char *error = NULL;
	size_t n;
	int result;

	lab_open(lab);
	put_many(lab, "A", 200, NOW);
	lab_close(lab);
	damage(lab, 4096, false);
	result = journal_reader_open(lab->path, &reader, &error);
	if (result == 0)
		result = journal_search(reader, NULL, &all, &entries, &n, &error);
	assert_int_equal(result, JOURNAL_DAMAGED);
	assert_non_null(strstr(error, "it is damaged"));
	talloc_free(error);
	journal_reader_close(reader);
}

static void a_file_of_a_later_version_is_left_alone(void **state)
{
	struct lab *lab = *state;
	struct journal_options options = lab_options(lab);
	struct journal_reader *reader;
	char *error = NULL;

	lab_open(lab);
	lab_close(lab);
	run_sql(lab, "PRAGMA user_version = 99");
	assert_int_equal(journal_open(&options, lab->log, &lab->journal, &error), -ENOTSUP);
	assert_non_null(strstr(error, "later version"));
	talloc_free(error);
	assert_int_equal(journal_reader_open(lab->path, &reader, &error), -ENOTSUP);
	talloc_free(error);
	assert_int_equal(lab_logged(lab, "damaged"), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, lab_setup, lab_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(a_journal_goes_on_where_it_ended),
		CASE(records_are_on_disk_soon_without_a_flush),
		CASE(keep_zero_keeps_nothing),
		CASE(a_reload_moves_switches_off_and_on),
		CASE(a_reload_that_fails_leaves_all_as_it_was),
		CASE(records_wait_while_another_holds_the_lock_and_are_dropped_beyond_the_queue),
		CASE(closing_does_not_wait_for_a_lock_for_ever),
		CASE(a_full_disk_costs_records_and_nothing_else),
		CASE(a_file_that_was_moved_away_is_begun_anew),
		CASE(records_older_than_keep_go),
		CASE(a_clock_that_leaps_ahead_costs_no_records),
		CASE(a_clock_that_is_behind_costs_no_records),
		CASE(records_from_the_future_go_with_those_that_came_after_them),
		CASE(the_file_stays_within_size_max_and_uses_its_room_again),
		CASE(names_go_with_their_records),
		CASE(a_kill_costs_nothing_that_was_committed),
		CASE(a_damaged_file_is_set_aside_with_one_line),
		CASE(a_reader_says_that_a_file_is_damaged),
		CASE(a_file_of_a_later_version_is_left_alone),
	};

	if (argc == 3)
		return write_until_killed(argv[1], argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
