/* test_history.c - the DMARC history's file: appended, moved away, unwritable, locked, bounded */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <talloc.h>

#include "engine/history.h"
#include "util/clock.h"

struct place {
	char folder[64];
	char *path, *moved, *log_path;
	struct log *log;
};

static int set_up(void **state)
{
	struct place *p = talloc_zero(NULL, struct place);
	char *error = NULL;

	strcpy(p->folder, "/tmp/winnow-history-XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	p->path = talloc_asprintf(p, "%s/history", p->folder);
	p->moved = talloc_asprintf(p, "%s/history.1", p->folder);
	p->log_path = talloc_asprintf(p, "%s/log", p->folder);
	assert_int_equal(log_open(&(struct log_options){ .target = p->log_path, .level = LOG_LEVEL_INFO, .ident = "test" }, &p->log, &error), 0);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	log_close(p->log);
	(void)rmdir(p->path);
	unlink(p->path);
	unlink(p->moved);
	unlink(p->log_path);
	rmdir(p->folder);
	talloc_free(p);
	return 0;
}

static char *content(struct place *p, const char *path)
{
	char *text = talloc_zero_size(p, 1 << 20);
	FILE *f = fopen(path, "r");

	if (f != NULL) {
		text[fread(text, 1, (1 << 20) - 1, f)] = '\0';
		fclose(f);
	}
	return text;
}

static void rows_are_appended_in_their_order(void **state)
{
	struct place *p = *state;
	struct history *h = history_open(p->path, p->log);
	struct stat st;

	history_add(h, "one\n");
	history_add(h, "two\n");
	history_flush(h);
	assert_string_equal(content(p, p->path), "one\ntwo\n");
	history_add(h, "three\n");
	history_close(h);
	assert_string_equal(content(p, p->path), "one\ntwo\nthree\n");
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 07, 0);
}

static void a_file_that_was_moved_away_is_begun_anew(void **state)
{
	struct place *p = *state;
	struct history *h = history_open(p->path, p->log);

	history_add(h, "one\n");
	history_flush(h);
	assert_int_equal(rename(p->path, p->moved), 0);
	history_add(h, "two\n");
	history_flush(h);
	assert_string_equal(content(p, p->moved), "one\n");
	assert_string_equal(content(p, p->path), "two\n");
	history_change(h, p->moved);
	history_add(h, "three\n");
	history_flush(h);
	history_change(h, "");
	history_add(h, "nowhere\n");
	history_close(h);
	assert_string_equal(content(p, p->moved), "one\nthree\n");
	assert_string_equal(content(p, p->path), "two\n");
}

static void what_cannot_be_written_waits_and_is_logged(void **state)
{
	struct place *p = *state;
	struct history *h;

	assert_int_equal(mkdir(p->path, 0700), 0);
	h = history_open(p->path, p->log);
	history_add(h, "one\n");
	for (int i = 0; i < 100 && strstr(content(p, p->log_path), "cannot be written: Is a directory") == NULL; i++)
		usleep(50000);
	assert_non_null(strstr(content(p, p->log_path), "cannot be written: Is a directory"));
	rmdir(p->path);
	history_flush(h);
	assert_string_equal(content(p, p->path), "one\n");
	history_close(h);
	log_flush(p->log);
	assert_non_null(strstr(content(p, p->log_path), "is written again; 0 rows were dropped"));
}

static void a_full_disk_leaves_no_half_rows_and_nobody_waits(void **state)
{
	struct place *p = *state;
	struct rlimit was, small;
	struct history *h = history_open(p->path, p->log);
	char *row = talloc_zero_size(p, 4000);
	int64_t before;
	struct stat st;

	memset(row, 'x', 3998);
	row[3998] = '\n';
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &was);
	small = was;
	small.rlim_cur = 10000;                  /* two rows and a half */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	before = clock_mono();
	for (int i = 0; i < 10000; i++)
		history_add(h, row);
	assert_true(clock_mono() - before < 2000000);
	for (int i = 0; i < 100 && strstr(content(p, p->log_path), "File too large") == NULL; i++)
		usleep(50000);
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_size, 2 * 3999);
	setrlimit(RLIMIT_FSIZE, &was);
	assert_non_null(strstr(content(p, p->log_path), "File too large"));
	history_flush(h);
	history_close(h);
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_size % 3999, 0);
	assert_in_range(st.st_size / 3999, 4000, 4300);      /* 16 MB, and what had been written before */
	log_flush(p->log);
	assert_non_null(strstr(content(p, p->log_path), "rows were dropped"));
}

static void who_reads_under_a_lock_is_not_disturbed(void **state)
{
	struct place *p = *state;
	struct history *h = history_open(p->path, p->log);
	int fd = open(p->path, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_SH), 0);
	history_add(h, "one\n");
	usleep(300000);
	assert_string_equal(content(p, p->path), "");
	flock(fd, LOCK_UN);
	history_flush(h);
	assert_string_equal(content(p, p->path), "one\n");
	/* an end does not wait for it */
	flock(fd, LOCK_SH);
	history_add(h, "two\n");
	history_close(h);
	close(fd);
	assert_string_equal(content(p, p->path), "one\n");
	log_flush(p->log);
	assert_non_null(strstr(content(p, p->log_path), "1 rows could not be written before the end"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rows_are_appended_in_their_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_that_was_moved_away_is_begun_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_written_waits_and_is_logged, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_full_disk_leaves_no_half_rows_and_nobody_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_reads_under_a_lock_is_not_disturbed, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
