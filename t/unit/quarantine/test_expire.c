/* test_expire.c - copies leave by hand, by age, by size; what a fault left is mended; an index that is lost comes back; other processes get their turn */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "util/clock.h"

#include "unit/quarantine/place.h"

static void keep_n(struct place *p, struct quarantine *q, int from, int n)
{
	for (int i = from; i < from + n; i++) {
		char id[24];

		snprintf(id, sizeof(id), "copy-%04d", i);
		place_keep(p, q, &(struct quarantine_entry){ .id = id, .time = 1000 + i, .class = i % 2 ? "malware" : "phishing" }, "0123456789");
	}
}

static int files(struct place *p)
{
	char *command = talloc_asprintf(p->mem, "find %s/spool -type f | wc -l", p->path);
	FILE *f = popen(command, "r");
	int n = -1;

	assert_int_equal(fscanf(f, "%d", &n), 1);
	pclose(f);
	return n;
}

static struct quarantine_expired expire(struct place *p, struct quarantine *q, int64_t before, uint64_t size_max)
{
	const struct quarantine_limits limits = { .before = before, .size_max = size_max };
	struct quarantine_expired done;
	int r = quarantine_expire(q, &limits, &done, &p->error);

	if (r != 0)
		fail_msg("expire: %d %s", r, p->error);
	return done;
}

static void mend(struct place *p, struct quarantine *q)
{
	const struct quarantine_limits limits = { 0 };
	int r = quarantine_mend(q, &limits, &p->error);

	if (r != 0)
		fail_msg("mend: %d %s", r, p->error);
}

static void a_copy_is_deleted_with_its_files(void **state)
{
	struct place *p = *state;
	struct quarantine *q = place_open(p);

	keep_n(p, q, 0, 3);
	assert_int_equal(quarantine_delete(q, "copy-0001", &p->error), 0);
	assert_string_equal(place_list(p, q, NULL), "copy-0002 copy-0000");
	assert_int_equal(files(p), 4);
	place_fails(p, quarantine_delete(q, "copy-0001", &p->error), -ENOENT);
	place_fails(p, quarantine_delete(q, "../../etc/passwd", &p->error), -ENOENT);
	place_fails(p, quarantine_mark(q, "copy-0001", QUARANTINE_RELEASED, 1, &p->error), -ENOENT);
	/* a file without its row is deleted too */
	assert_int_equal(rename(place_name(p, "spool/00/copy-0000.eml"), place_name(p, "spool/00/orphan00.eml")), 0);
	assert_int_equal(quarantine_delete(q, "orphan00", &p->error), 0);
	assert_int_equal(files(p), 3);
	quarantine_close(q);
}

static void the_oldest_go_by_age_and_then_by_size(void **state)
{
	struct place *p = *state;
	struct quarantine *q = place_open(p);
	struct quarantine_expired done;

	keep_n(p, q, 0, 200);                    /* more than are deleted at once */
	done = expire(p, q, INT64_MIN, UINT64_MAX);
	assert_int_equal(done.deleted, 0);
	assert_int_equal(done.copies, 200);
	assert_int_equal(done.bytes, 2000);
	done = expire(p, q, 1150, 1500);
	assert_int_equal(done.deleted, 150);
	assert_int_equal(done.deleted_bytes, 1500);
	assert_int_equal(done.copies, 50);
	assert_int_equal(done.bytes, 500);
	assert_int_equal(files(p), 100);
	done = expire(p, q, INT64_MIN, 35);      /* three have 30 bytes */
	assert_int_equal(done.deleted, 47);
	assert_int_equal(done.copies, 3);
	assert_string_equal(place_list(p, q, NULL), "copy-0199 copy-0198 copy-0197");
	assert_int_equal(files(p), 6);
	done = expire(p, q, INT64_MIN, 0);
	assert_int_equal(done.copies, 0);
	assert_int_equal(files(p), 0);
	quarantine_close(q);
}

static bool at_once(void *arg)
{
	int *asked = arg;

	return ++*asked > 2;
}

static void it_stops_when_it_is_told_to(void **state)
{
	struct place *p = *state;
	struct quarantine *q = place_open(p);
	int asked = 0;
	const struct quarantine_limits limits = { .before = INT64_MAX, .stop = at_once, .arg = &asked };
	struct quarantine_expired done;

	keep_n(p, q, 0, 200);
	assert_int_equal(quarantine_expire(q, &limits, &done, &p->error), 0);
	assert_true(done.deleted > 0 && done.deleted < 200);
	assert_int_equal(files(p), (200 - done.deleted) * 2);
	quarantine_close(q);
}

static void marks_stay_and_lists_are_filtered(void **state)
{
	static const char *const to[] = { "Anna@Example.com", "bob@example.org", NULL };
	struct place *p = *state;
	struct quarantine *q = place_open(p);

	place_keep(p, q, &(struct quarantine_entry){ .id = "id-1", .time = 100, .class = "malware", .sender = "", .recipients = to }, "x");
	place_keep(p, q, &(struct quarantine_entry){ .id = "id-2", .time = 200, .class = "phishing", .sender = "c@Sender.Example", .recipients = to + 1 }, "x");
	place_keep(p, q, &(struct quarantine_entry){ .id = "id-3", .time = 300, .class = "malware" }, "x");
	assert_string_equal(place_list(p, q, &(struct quarantine_filter){ .class = "malware" }), "id-3 id-1");
	assert_string_equal(place_list(p, q, &(struct quarantine_filter){ .class = "malware", .limit = 1 }), "id-3");
	assert_string_equal(place_list(p, q, &(struct quarantine_filter){ .sender = "<>" }), "id-1");
	assert_string_equal(place_list(p, q, &(struct quarantine_filter){ .sender = "C@sender.example" }), "id-2");
	assert_string_equal(place_list(p, q, &(struct quarantine_filter){ .sender = "sender.example" }), "id-2");
	assert_string_equal(place_list(p, q, &(struct quarantine_filter){ .sender = "@sender.example" }), "id-2");
	assert_string_equal(place_list(p, q, &(struct quarantine_filter){ .sender = "ender.example" }), "");
	assert_string_equal(place_list(p, q, &(struct quarantine_filter){ .recipient = "anna@example.com" }), "id-1");
	assert_string_equal(place_list(p, q, &(struct quarantine_filter){ .recipient = "example.org" }), "id-2 id-1");
	assert_string_equal(place_list(p, q, &(struct quarantine_filter){ .recipient = "example.org", .limit = 1 }), "id-2");
	assert_string_equal(place_list(p, q, &(struct quarantine_filter){ .since = 200 }), "id-3 id-2");
	assert_string_equal(place_list(p, q, &(struct quarantine_filter){ .since = 200, .recipient = "example.org", .class = "malware" }), "");
	assert_int_equal(quarantine_mark(q, "id-2", QUARANTINE_RELEASING, 7000000000000000, &p->error), 0);
	assert_int_equal(quarantine_mark(q, "id-2", QUARANTINE_RELEASED, 8000000000000000, &p->error), 0);
	quarantine_close(q);
	q = place_open(p);
	assert_true(place_entry(p, q, "id-2").releasing == 7000000000000000);
	assert_true(place_entry(p, q, "id-2").released == 8000000000000000);
	assert_true(place_entry(p, q, "id-1").released == 0);
	quarantine_close(q);
}

/* ---- faults */

static void an_index_that_is_lost_or_replaced_under_way_comes_back(void **state)
{
	struct place *p = *state;
	struct quarantine *q = place_open(p);
	char *index = place_name(p, "index.sqlite"), *old = place_name(p, "old");
	struct quarantine_expired done;

	keep_n(p, q, 0, 2);
	assert_int_equal(unlink(index), 0);      /* its log stays behind */
	keep_n(p, q, 2, 1);
	assert_string_equal(place_list(p, q, NULL), "copy-0002 copy-0001 copy-0000");
	assert_int_equal(unlink(index), 0);      /* now who reads finds it first */
	assert_string_equal(place_list(p, q, NULL), "copy-0002 copy-0001 copy-0000");
	assert_int_equal(unlink(index), 0);      /* and who deletes */
	assert_int_equal(quarantine_delete(q, "copy-0000", &p->error), 0);
	assert_string_equal(place_list(p, q, NULL), "copy-0002 copy-0001");
	assert_int_equal(rename(index, old), 0); /* another one in its place: without anything */
	close(open(index, O_CREAT | O_WRONLY, 0600));
	done = expire(p, q, INT64_MIN, 1000);
	assert_int_equal(done.copies, 2);
	assert_int_equal(truncate(index, 3000), 0);
	keep_n(p, q, 3, 1);
	assert_string_equal(place_list(p, q, NULL), "copy-0003 copy-0002 copy-0001");
	quarantine_close(q);
	q = place_open(p);
	assert_string_equal(place_list(p, q, NULL), "copy-0003 copy-0002 copy-0001");
	quarantine_close(q);
}

static void copy_file(const char *from, const char *to)
{
	char command[400];

	snprintf(command, sizeof(command), "cp %s %s", from, to);
	assert_int_equal(system(command), 0);
}

static void an_old_backup_of_the_index_is_brought_up_to_date(void **state)
{
	struct place *p = *state;
	struct quarantine *q = place_open(p);
	char *index = place_name(p, "index.sqlite"), *backup = place_name(p, "backup");

	keep_n(p, q, 0, 3);
	quarantine_close(q);
	copy_file(index, backup);
	q = place_open(p);
	keep_n(p, q, 3, 2);
	assert_int_equal(quarantine_delete(q, "copy-0000", &p->error), 0);
	quarantine_close(q);
	assert_int_equal(rename(backup, index), 0);
	q = place_open(p);
	assert_string_equal(place_list(p, q, NULL), "copy-0002 copy-0001 copy-0000");
	close(open(place_name(p, "spool/00/stray-00.entry"), O_CREAT | O_WRONLY, 0600));
	mend(p, q);
	assert_string_equal(place_list(p, q, NULL), "copy-0004 copy-0003 copy-0002 copy-0001");
	assert_string_equal(place_entry(p, q, "copy-0003").class, "malware");
	assert_int_equal(files(p), 8);
	mend(p, q);                              /* nothing more to do */
	assert_string_equal(place_list(p, q, NULL), "copy-0004 copy-0003 copy-0002 copy-0001");
	quarantine_close(q);
}

static void damage_that_nobody_has_come_upon_is_found_by_looking(void **state)
{
	struct place *p = *state;
	struct quarantine *q = place_open(p);
	char rubbish[4000];
	int fd;

	keep_n(p, q, 0, 3);
	quarantine_close(q);
	q = place_open(p);
	memset(rubbish, 0x5a, sizeof(rubbish));
	fd = open(place_name(p, "index.sqlite"), O_WRONLY);
	assert_int_equal(pwrite(fd, rubbish, sizeof(rubbish), 2 * 4096 + 8), sizeof(rubbish));
	close(fd);
	mend(p, q);
	assert_string_equal(place_list(p, q, NULL), "copy-0002 copy-0001 copy-0000");
	quarantine_close(q);
}

static void an_index_of_the_first_version_is_taken_over(void **state)
{
	struct place *p = *state;
	struct quarantine *q = place_open(p);
	char *command = talloc_asprintf(p->mem, "sqlite3 %s/index.sqlite 'ALTER TABLE entries DROP COLUMN releasing; ALTER TABLE entries DROP COLUMN released; PRAGMA user_version = 1'", p->path);

	if (system("command -v sqlite3 > /dev/null") != 0) {
		quarantine_close(q);
		skip();
	}
	keep_n(p, q, 0, 2);
	quarantine_close(q);
	assert_int_equal(system(command), 0);
	place_fails(p, quarantine_open(p->path, false, NULL, &q, &p->error), -ENOTSUP);
	q = place_open(p);
	assert_int_equal(quarantine_mark(q, "copy-0001", QUARANTINE_RELEASED, 5, &p->error), 0);
	assert_string_equal(place_list(p, q, NULL), "copy-0001 copy-0000");
	assert_true(place_entry(p, q, "copy-0001").released == 5);
	quarantine_close(q);
}

static void a_spool_that_cannot_be_read_in_part_is_known_in_part(void **state)
{
	struct place *p = *state;
	struct quarantine *q = place_open(p);

	keep_n(p, q, 0, 3);
	quarantine_close(q);
	/* root may read everything: a folder that is none */
	assert_int_equal(rename(place_name(p, "spool/01"), place_name(p, "spool-01")), 0);
	assert_int_equal(symlink("nowhere", place_name(p, "spool/01")), 0);
	assert_int_equal(unlink(place_name(p, "index.sqlite")), 0);
	q = place_open(p);
	assert_string_equal(place_list(p, q, NULL), "copy-0002 copy-0000");
	assert_int_equal(unlink(place_name(p, "spool/01")), 0);
	assert_int_equal(rename(place_name(p, "spool-01"), place_name(p, "spool/01")), 0);
	mend(p, q);
	assert_string_equal(place_list(p, q, NULL), "copy-0002 copy-0001 copy-0000");
	quarantine_close(q);
}

/* ---- several at once */

static void who_writes_for_too_long_is_not_waited_for_for_ever(void **state)
{
	struct place *p = *state;
	struct quarantine *q = place_open(p);
	int fd = open(p->path, O_RDONLY | O_DIRECTORY);
	int64_t start;

	keep_n(p, q, 0, 1);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	start = clock_mono();
	place_fails(p, quarantine_delete(q, "copy-0000", &p->error), -EBUSY);
	start = clock_mono() - start;
	assert_true(start > 2000000 && start < 15000000);
	assert_string_equal(place_list(p, q, NULL), "copy-0000");        /* who reads need not wait */
	close(fd);
	assert_int_equal(quarantine_delete(q, "copy-0000", &p->error), 0);
	quarantine_close(q);
}

static atomic_bool enough;

static bool over(void *arg)
{
	(void)arg;
	return atomic_load(&enough);
}

static void *mend_again_and_again(void *arg)
{
	struct quarantine *q = arg;
	const struct quarantine_limits limits = { .stop = over };
	char *error;

	while (!over(NULL)) {
		if (quarantine_mend(q, &limits, &error) != 0)
			return error;
	}
	return NULL;
}

/* Another process deletes and lists, while one thread of ours keeps and another mends: no row is ever without its files. */
static void rows_and_files_stay_together_whoever_writes(void **state)
{
	enum { COPIES = 150 };
	struct place *p = *state;
	struct quarantine *q = place_open(p);
	pthread_t mender;
	void *complaint;
	pid_t child = fork();
	int status;

	if (child == 0) {
		struct quarantine *other;
		char *error;
		int left = COPIES / 2;

		/* SQLite and threads do not go through a fork: all of it is opened anew */
		if (quarantine_open(p->path, true, NULL, &other, &error) != 0)
			_exit(1);
		for (int tries = 0; left > 0 && tries < 20000; tries++) {
			struct quarantine_entry *v;
			TALLOC_CTX *mem = talloc_new(NULL);
			size_t n;

			if (quarantine_list(other, mem, &(struct quarantine_filter){ .class = "phishing" }, &v, &n, &error) != 0)
				_exit(2);
			for (size_t i = 0; i < n; i++, left--)
				if (quarantine_delete(other, v[i].id, &error) != 0)
					_exit(3);
			talloc_free(mem);
			usleep(1000);
		}
		quarantine_close(other);
		_exit(left > 0 ? 4 : 0);
	}
	atomic_store(&enough, false);
	assert_int_equal(pthread_create(&mender, NULL, mend_again_and_again, q), 0);
	keep_n(p, q, 0, COPIES);
	assert_int_equal(waitpid(child, &status, 0), child);
	atomic_store(&enough, true);
	pthread_join(mender, &complaint);
	assert_null(complaint);
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(files(p), COPIES);
	for (int i = 1; i < COPIES; i += 2) {
		char id[24];

		snprintf(id, sizeof(id), "copy-%04d", i);
		assert_string_equal(place_entry(p, q, id).class, "malware");
	}
	assert_string_equal(place_list(p, q, &(struct quarantine_filter){ .class = "phishing" }), "");
	quarantine_close(q);
}

static void what_root_makes_belongs_to_the_owner_of_the_folder(void **state)
{
	static const char *const names[] = { "spool", "tmp", "index.sqlite", "index.sqlite-wal" };
	struct place *p = *state;
	struct quarantine *q;

	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdir(p->path, 0700), 0);
	assert_int_equal(chown(p->path, 12345, 23456), 0);
	q = place_open(p);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct stat st;

		assert_int_equal(stat(place_name(p, names[i]), &st), 0);
		assert_int_equal(st.st_uid, 12345);
		assert_int_equal(st.st_gid, 23456);
	}
	quarantine_close(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_copy_is_deleted_with_its_files, place_make, place_remove),
		cmocka_unit_test_setup_teardown(the_oldest_go_by_age_and_then_by_size, place_make, place_remove),
		cmocka_unit_test_setup_teardown(it_stops_when_it_is_told_to, place_make, place_remove),
		cmocka_unit_test_setup_teardown(marks_stay_and_lists_are_filtered, place_make, place_remove),
		cmocka_unit_test_setup_teardown(an_index_that_is_lost_or_replaced_under_way_comes_back, place_make, place_remove),
		cmocka_unit_test_setup_teardown(an_old_backup_of_the_index_is_brought_up_to_date, place_make, place_remove),
		cmocka_unit_test_setup_teardown(damage_that_nobody_has_come_upon_is_found_by_looking, place_make, place_remove),
		cmocka_unit_test_setup_teardown(an_index_of_the_first_version_is_taken_over, place_make, place_remove),
		cmocka_unit_test_setup_teardown(a_spool_that_cannot_be_read_in_part_is_known_in_part, place_make, place_remove),
		cmocka_unit_test_setup_teardown(who_writes_for_too_long_is_not_waited_for_for_ever, place_make, place_remove),
		cmocka_unit_test_setup_teardown(rows_and_files_stay_together_whoever_writes, place_make, place_remove),
		cmocka_unit_test_setup_teardown(what_root_makes_belongs_to_the_owner_of_the_folder, place_make, place_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
