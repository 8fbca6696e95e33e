/* test_quarantine.c - copies come back as they were kept; every fault leaves either both file and row, or neither */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <talloc.h>
#include <unistd.h>

#include "quarantine/entry.h"
#include "quarantine/quarantine.h"

struct place {
	char top[64], path[80];
	TALLOC_CTX *mem;
	char *error;
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	*state = p;
	if (p == NULL)
		return -1;
	strcpy(p->top, "/tmp/winnow-quarantine.XXXXXX");
	if (mkdtemp(p->top) == NULL)
		return -1;
	snprintf(p->path, sizeof(p->path), "%s/var/q", p->top);
	p->mem = talloc_new(NULL);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	struct place *p = *state;

	nftw(p->top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	talloc_free(p->error);
	talloc_free(p->mem);
	free(p);
	return 0;
}

static struct quarantine *opened(struct place *p, bool make)
{
	struct quarantine *q;
	int r = quarantine_open(p->path, make, NULL, &q, &p->error);

	if (r != 0)
		fail_msg("quarantine_open: %d %s", r, p->error);
	assert_null(p->error);
	return q;
}

/* The result of a call that must fail, and that it says why. */
static void assert_fails(struct place *p, int r, int expected)
{
	if (r != expected)
		fail_msg("%d (%s) instead of %d", r, p->error != NULL ? p->error : "no text", expected);
	assert_non_null(p->error);
	assert_true(strlen(p->error) > 10);
	talloc_free(p->error);
	p->error = NULL;
}

static int keep(struct place *p, struct quarantine *q, const char *id, int64_t time, const char *data)
{
	static const char *const to[] = { "anna@example.com", NULL };
	struct quarantine_entry e = { .id = id, .time = time, .class = "malware", .sender = "", .recipients = to, .size = strlen(data) };

	return quarantine_keep(q, &e, data, strlen(data), &p->error);
}

static void keep_good(struct place *p, struct quarantine *q, const char *id, int64_t time, const char *data)
{
	int r = keep(p, q, id, time, data);

	if (r != 0)
		fail_msg("keep %s: %d %s", id, r, p->error);
}

static void assert_list(struct place *p, struct quarantine *q, size_t limit, const char *ids)
{
	struct quarantine_entry *v;
	char *got = talloc_strdup(p->mem, "");
	size_t n;
	int r = quarantine_list(q, p->mem, &(struct quarantine_filter){ .limit = limit }, &v, &n, &p->error);

	if (r != 0)
		fail_msg("list: %d %s", r, p->error);
	for (size_t i = 0; i < n; i++)
		got = talloc_asprintf_append(got, "%s%s", i ? " " : "", v[i].id);
	assert_string_equal(got, ids);
}

static void assert_shows(struct place *p, struct quarantine *q, const char *id, const char *expected)
{
	struct quarantine_entry e;
	char *data;
	size_t len;
	int r = quarantine_show(q, p->mem, id, &e, &data, &len, &p->error);

	if (r != 0)
		fail_msg("show %s: %d %s", id, r, p->error);
	assert_string_equal(e.id, id);
	assert_int_equal(len, strlen(expected));
	assert_memory_equal(data, expected, len + 1);
}

/* Files below PATH/folder, temporary ones too; 0 if there is no such folder. */
static unsigned counted;

static int count_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)path;
	(void)st;
	(void)ftw;
	counted += type == FTW_F;
	return 0;
}

static unsigned files(struct place *p, const char *folder)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", p->path, folder);
	counted = 0;
	nftw(path, count_one, 16, FTW_PHYS);
	return counted;
}

static void assert_text(const char *a, const char *b)
{
	if (b == NULL)
		assert_null(a);
	else
		assert_string_equal(a, b);
}

static void assert_entry(const struct quarantine_entry *a, const struct quarantine_entry *b)
{
	size_t n = 0;

	assert_text(a->id, b->id);
	assert_text(a->queue_id, b->queue_id);
	assert_true(a->time == b->time);
	assert_text(a->class, b->class);
	assert_text(a->detail, b->detail);
	assert_text(a->policy, b->policy);
	assert_text(a->client, b->client);
	assert_text(a->helo, b->helo);
	assert_text(a->sender, b->sender);
	assert_text(a->subject, b->subject);
	assert_text(a->message_id, b->message_id);
	assert_true(a->size == b->size);
	if (b->recipients == NULL) {
		assert_null(a->recipients);
		return;
	}
	for (; b->recipients[n] != NULL; n++)
		assert_text(a->recipients[n], b->recipients[n]);
	assert_null(a->recipients[n]);
}

static char all_bytes[256], long_text[100001];
static const char *const hostile_list[] = { "", "a@b", "'); DROP TABLE entries; --", "x\ny\r\nz", "\xff\xfe\x80", all_bytes, "a@b", NULL };
static const char *const empty_list[] = { NULL };

static struct quarantine_entry hostile[] = {
	{ .id = "0123", .time = 1 },
	{ .id = "A.b-c9", .time = INT64_MAX, .queue_id = "", .class = "", .detail = "", .policy = "", .client = "", .helo = "", .sender = "", .recipients = empty_list,
		.subject = "", .message_id = "" },
	{ .id = "0123456789012345678901234567890123456789012345678901234567890123", .time = -5, .queue_id = all_bytes, .class = "'\"%s%n;", .detail = "a\nid other\ntime 7",
		.policy = "\xff", .client = "\xc3\x28", .helo = " ", .sender = all_bytes, .recipients = hostile_list, .subject = long_text, .message_id = "%41%zz%", .size = 1ull << 40 },
};
enum { HOSTILE = sizeof(hostile) / sizeof(hostile[0]) };

static void every_field_and_byte_comes_back(void **state)
{
	struct place *p = *state;
	static char data[70000];
	struct quarantine_entry e, *v;
	size_t len, n;
	char *got;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7 % 256);
	/* the second time from a file that is closed and opened; the third time from an index that was made anew from the spool */
	for (int round = 0; round < 3; round++) {
		struct quarantine *q;

		if (round == 2) {
			char index[128];

			snprintf(index, sizeof(index), "%s/index.sqlite", p->path);
			assert_int_equal(unlink(index), 0);
		}
		q = opened(p, true);
		for (size_t i = 0; i < HOSTILE; i++) {
			if (round == 0)
				assert_int_equal(quarantine_keep(q, &hostile[i], data, sizeof(data) - i, &p->error), 0);
			assert_int_equal(quarantine_show(q, p->mem, hostile[i].id, &e, &got, &len, &p->error), 0);
			assert_entry(&e, &hostile[i]);
			assert_int_equal(len, sizeof(data) - i);
			assert_memory_equal(got, data, len);
		}
		assert_int_equal(quarantine_list(q, p->mem, &(struct quarantine_filter){ 0 }, &v, &n, &p->error), 0);
		assert_int_equal(n, HOSTILE);
		assert_entry(&v[0], &hostile[1]);
		assert_entry(&v[1], &hostile[0]);
		assert_entry(&v[2], &hostile[2]);
		quarantine_close(q);
	}
}

static void an_entry_as_text_comes_back(void **state)
{
	struct place *p = *state;

	for (size_t i = 0; i < HOSTILE; i++) {
		struct quarantine_entry e;
		char *text = entry_print(p->mem, &hostile[i]);
		size_t len = strlen(text);

		assert_true(entry_parse(p->mem, text, len, &e));
		assert_entry(&e, &hostile[i]);
		for (size_t k = 0; k < len; k++)
			assert_true((unsigned char)text[k] < 127 && (text[k] >= ' ' || text[k] == '\n'));
		assert_false(entry_parse(p->mem, text, len - 1, &e));
	}
}

static void a_list_begins_with_the_newest(void **state)
{
	struct place *p = *state;
	struct quarantine *q = opened(p, true);

	assert_list(p, q, 0, "");
	keep_good(p, q, "id-one", 100, "1");
	keep_good(p, q, "id-two", 300, "2");
	keep_good(p, q, "id-three", 200, "3");
	keep_good(p, q, "id-four", 200, "4");
	assert_list(p, q, 0, "id-two id-four id-three id-one");
	assert_list(p, q, 2, "id-two id-four");
	assert_list(p, q, 100, "id-two id-four id-three id-one");
	quarantine_close(q);
}

static void an_id_is_kept_once(void **state)
{
	struct place *p = *state;
	struct quarantine *q = opened(p, true);

	keep_good(p, q, "same", 1, "first");
	assert_fails(p, keep(p, q, "same", 2, "second"), -EEXIST);
	assert_shows(p, q, "same", "first");
	assert_int_equal(files(p, "spool"), 2);
	assert_int_equal(files(p, "tmp"), 0);
	quarantine_close(q);
}

static void only_ids_that_are_safe_file_names_are_taken(void **state)
{
	static const char *const bad[] = { "", "abc", "../x", "ab/cd", "abc..", "....", ".hidden", "a b c", "abc\n", "ab\xc3\xa4g", "abcd.", "abc.d", "a%00b", "%s%s",
		"01234567890123456789012345678901234567890123456789012345678901234" };
	struct place *p = *state;
	struct quarantine *q = opened(p, true);
	struct quarantine_entry e = { .id = NULL };
	char *data;
	size_t len;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_fails(p, keep(p, q, bad[i], 1, "x"), -EINVAL);
		assert_fails(p, quarantine_show(q, p->mem, bad[i], &e, &data, &len, &p->error), -ENOENT);
	}
	e.id = NULL;
	assert_fails(p, quarantine_keep(q, &e, "x", 1, &p->error), -EINVAL);
	assert_fails(p, quarantine_show(q, p->mem, "unknown", &e, &data, &len, &p->error), -ENOENT);
	assert_int_equal(files(p, "spool"), 0);
	quarantine_close(q);
}

static void nobody_else_may_read_it(void **state)
{
	struct place *p = *state;
	mode_t old = umask(0);
	struct quarantine *q = opened(p, true);
	static const struct { const char *name; mode_t mode; } expected[] = {
		{ "", 0700 }, { "spool", 0700 }, { "spool/34", 0700 }, { "spool/34/1234.eml", 0600 }, { "spool/34/1234.entry", 0600 }, { "tmp", 0700 }, { "index.sqlite", 0600 },
		{ "index.sqlite-wal", 0600 }, { "index.sqlite-shm", 0600 },
	};

	keep_good(p, q, "1234", 1, "x");
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		char path[160];
		struct stat st;

		snprintf(path, sizeof(path), "%s/%s", p->path, expected[i].name);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, expected[i].mode);
	}
	quarantine_close(q);
	umask(old);
}

static void a_missing_folder_is_an_error_unless_it_may_be_made(void **state)
{
	struct place *p = *state;
	struct quarantine *q;

	assert_fails(p, quarantine_open(p->path, false, NULL, &q, &p->error), -ENOENT);
	assert_null(q);
	assert_int_equal(mkdir(p->path, 0700), -1);      /* not even its parent was made */
	quarantine_close(opened(p, true));
	quarantine_close(opened(p, false));
}

static void a_file_in_its_place_is_an_error(void **state)
{
	struct place *p = *state;
	struct quarantine *q;
	char name[160];

	snprintf(p->path, sizeof(p->path), "%s/file", p->top);
	close(open(p->path, O_CREAT | O_WRONLY, 0600));
	assert_fails(p, quarantine_open(p->path, true, NULL, &q, &p->error), -ENOTDIR);
	assert_fails(p, quarantine_open(p->path, false, NULL, &q, &p->error), -ENOTDIR);
	snprintf(p->path, sizeof(p->path), "%s/q", p->top);
	assert_int_equal(mkdir(p->path, 0700), 0);
	snprintf(name, sizeof(name), "%s/spool", p->path);
	close(open(name, O_CREAT | O_WRONLY, 0600));
	assert_fails(p, quarantine_open(p->path, true, NULL, &q, &p->error), -ENOTDIR);
}

static void a_folder_that_cannot_be_written_leaves_neither_file_nor_row(void **state)
{
	struct place *p = *state;
	struct quarantine *q = opened(p, true);
	char name[160];

	/* root may write everywhere: a file where the folder of this id should be */
	snprintf(name, sizeof(name), "%s/spool/cd", p->path);
	close(open(name, O_CREAT | O_WRONLY, 0600));
	assert_fails(p, keep(p, q, "abcd", 1, "x"), -ENOTDIR);
	assert_list(p, q, 0, "");
	assert_int_equal(files(p, "tmp"), 0);
	assert_int_equal(unlink(name), 0);
	keep_good(p, q, "abcd", 1, "x");
	assert_list(p, q, 0, "abcd");
	quarantine_close(q);
}

static void a_full_disk_leaves_neither_file_nor_row(void **state)
{
	struct place *p = *state;
	struct quarantine *q = opened(p, true);
	struct rlimit old, small;
	char *big = malloc(300001);

	memset(big, 'x', 300000);
	big[300000] = '\0';
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){ 200000, old.rlim_max };
	keep_good(p, q, "before", 1, "x");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_fails(p, keep(p, q, "large", 2, big), -EFBIG);
	/* now the files fit, but the index does not grow: its log reaches the limit */
	small.rlim_cur = 4096;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_not_equal(keep(p, q, "small", 3, "x"), 0);
	assert_non_null(p->error);
	talloc_free(p->error);
	p->error = NULL;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_list(p, q, 0, "before");
	assert_int_equal(files(p, "spool"), 2);
	assert_int_equal(files(p, "tmp"), 0);
	keep_good(p, q, "small", 3, "x");
	keep_good(p, q, "large", 4, big);
	assert_list(p, q, 0, "large small before");
	quarantine_close(q);
	free(big);
}

/* Writes rubbish over the index at an offset. */
static void damage(struct place *p, off_t at, size_t len)
{
	char name[160], *rubbish = malloc(len);
	int fd;

	memset(rubbish, 0x5a, len);
	snprintf(name, sizeof(name), "%s/index.sqlite", p->path);
	fd = open(name, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, rubbish, len, at), len);
	close(fd);
	free(rubbish);
}

static unsigned set_aside(struct place *p)
{
	DIR *d = opendir(p->path);
	const struct dirent *e;
	unsigned n = 0;

	while ((e = readdir(d)) != NULL)
		n += strncmp(e->d_name, "index.sqlite.damaged-20", 23) == 0 && strstr(e->d_name, "-wal") == NULL;
	closedir(d);
	return n;
}

/* Opening or listing, by who only reads, ends with an error and a text. */
static void reading_fails(struct place *p)
{
	struct quarantine_entry *v;
	struct quarantine *q;
	size_t n;
	int r = quarantine_open(p->path, false, NULL, &q, &p->error);

	if (r == 0)
		r = quarantine_list(q, p->mem, &(struct quarantine_filter){ 0 }, &v, &n, &p->error);
	quarantine_close(q);
	assert_int_not_equal(r, 0);
	assert_fails(p, r, r);
}

static void a_damaged_index_is_set_aside_and_made_anew_from_the_spool(void **state)
{
	struct place *p = *state;
	struct quarantine *q = opened(p, true);
	char name[160];

	keep_good(p, q, "one1", 100, "first");
	keep_good(p, q, "two2", 200, "second");
	quarantine_close(q);
	/* its beginning, and a page in the middle; both are found when it is opened */
	for (unsigned round = 0; round < 2; round++) {
		damage(p, round == 0 ? 0 : 4096 + 8, round == 0 ? 200 : 4000);
		reading_fails(p);
		assert_int_equal(set_aside(p), round);   /* who only reads changes nothing */
		q = opened(p, true);
		assert_int_equal(set_aside(p), round + 1);
		assert_list(p, q, 0, "two2 one1");
		assert_shows(p, q, "one1", "first");
		quarantine_close(q);
	}
	/* a copy without its entry is listed all the same */
	snprintf(name, sizeof(name), "%s/spool/e1/one1.entry", p->path);
	assert_int_equal(unlink(name), 0);
	damage(p, 0, 200);
	q = opened(p, true);
	assert_shows(p, q, "one1", "first");
	assert_fails(p, keep(p, q, "one1", 1, "again"), -EEXIST);
	keep_good(p, q, "three3", 300, "third");
	quarantine_close(q);
}

static void damage_under_an_open_index_is_survived(void **state)
{
	struct place *p = *state;
	struct quarantine *q = opened(p, true);
	char name[160];

	keep_good(p, q, "one1", 100, "first");
	/* closing moves the log into the file; a second handle stays open while the file is damaged below it */
	quarantine_close(q);
	q = opened(p, true);
	snprintf(name, sizeof(name), "%s/index.sqlite", p->path);
	damage(p, 0, 200);
	damage(p, 4096, 4096);
	keep_good(p, q, "two2", 200, "second");
	assert_list(p, q, 0, "two2 one1");
	assert_int_equal(set_aside(p), 1);
	quarantine_close(q);
}

static void a_file_without_row_does_not_block_its_id(void **state)
{
	struct place *p = *state;
	struct quarantine *q = opened(p, true);
	char name[160];
	int fd;

	keep_good(p, q, "xxcd", 1, "other");
	snprintf(name, sizeof(name), "%s/spool/cd/abcd.eml", p->path);
	fd = open(name, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(fd, "half", 4), 4);
	close(fd);
	keep_good(p, q, "abcd", 2, "whole");
	assert_shows(p, q, "abcd", "whole");
	/* a row without file */
	assert_int_equal(unlink(name), 0);
	assert_fails(p, quarantine_show(q, p->mem, "abcd", &(struct quarantine_entry){ 0 }, &(char *){ NULL }, &(size_t){ 0 }, &p->error), -ENOENT);
	quarantine_close(q);
}

static void what_a_dead_process_left_is_removed(void **state)
{
	struct place *p = *state;
	char name[160];
	pid_t pid;

	quarantine_close(opened(p, true));
	pid = fork();
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	snprintf(name, sizeof(name), "%s/tmp/%ld-0000", p->path, (long)pid);
	close(open(name, O_CREAT | O_WRONLY, 0600));
	snprintf(name, sizeof(name), "%s/tmp/%ld-0000", p->path, (long)getpid());
	close(open(name, O_CREAT | O_WRONLY, 0600));
	quarantine_close(opened(p, false));
	assert_int_equal(files(p, "tmp"), 2);
	quarantine_close(opened(p, true));
	assert_int_equal(files(p, "tmp"), 1);    /* the living one's stays */
}

static void a_second_process_reads_while_this_one_writes(void **state)
{
	struct place *p = *state;
	struct quarantine *q;
	int ready[2], status, r = 0;
	char id[16];
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	/* SQLite must not be open across fork(): the child waits until there is something to read */
	pid = fork();
	if (pid == 0) {
		struct quarantine_entry *v, e;
		size_t n, len, before = 0;
		char *error = NULL, *data;
		int bad = read(ready[0], id, 1) != 1 || quarantine_open(p->path, false, NULL, &q, &error) != 0;

		while (bad == 0 && before < 31) {
			bad = quarantine_list(q, p->mem, &(struct quarantine_filter){ 0 }, &v, &n, &error);
			if (bad == 0 && (n < before || n == 0))
				bad = 7;
			/* what is listed is there, whole */
			if (bad == 0)
				bad = quarantine_show(q, p->mem, v[0].id, &e, &data, &len, &error);
			before = n;
		}
		quarantine_close(q);
		_exit(bad != 0);
	}
	q = opened(p, true);
	keep_good(p, q, "id-000", 0, "x");
	assert_int_equal(write(ready[1], "x", 1), 1);
	for (int i = 1; i <= 30 && r == 0; i++) {
		snprintf(id, sizeof(id), "id-%03d", i);
		r = keep(p, q, id, i, "x");
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(r, 0);
	assert_int_equal(status, 0);
	close(ready[0]);
	close(ready[1]);
	quarantine_close(q);
}

struct worker {
	struct quarantine *q;
	int number, bad, same;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	TALLOC_CTX *mem = talloc_new(NULL);

	for (int i = 0; i < 10; i++) {
		struct quarantine_entry *v, e = { .id = talloc_asprintf(mem, "t%d-%02d", w->number, i), .time = i };
		char *error = NULL;
		size_t n;

		w->bad |= quarantine_keep(w->q, &e, "x", 1, &error) != 0;
		talloc_free(error);
		e.id = talloc_asprintf(mem, "same-%02d", i);
		w->same += quarantine_keep(w->q, &e, "x", 1, &error) == 0;
		talloc_free(error);
		w->bad |= quarantine_list(w->q, mem, &(struct quarantine_filter){ .limit = 5 }, &v, &n, &error) != 0;
		talloc_free(error);
	}
	talloc_free(mem);
	return NULL;
}

static void threads_share_it(void **state)
{
	struct place *p = *state;
	struct quarantine *q = opened(p, true);
	struct quarantine_entry *v;
	struct worker w[4];
	pthread_t threads[4];
	size_t n;
	int same = 0;

	for (int i = 0; i < 4; i++) {
		w[i] = (struct worker){ .q = q, .number = i };
		assert_int_equal(pthread_create(&threads[i], NULL, work, &w[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(w[i].bad, 0);
		same += w[i].same;
	}
	assert_int_equal(same, 10);
	assert_int_equal(quarantine_list(q, p->mem, &(struct quarantine_filter){ 0 }, &v, &n, &p->error), 0);
	assert_int_equal(n, 50);
	assert_int_equal(files(p, "spool"), 100);
	assert_int_equal(files(p, "tmp"), 0);
	quarantine_close(q);
}

/* Its descriptors follow the folder that was moved, its index stays behind: a copy would be in two places. */
static void a_folder_that_was_moved_takes_nothing(void **state)
{
	struct place *p = *state;
	struct quarantine *q = opened(p, true);
	char away[96];

	keep_good(p, q, "AAAA0001", 1, "one");
	assert_true(quarantine_is_at(q, p->path));
	snprintf(away, sizeof(away), "%s-away", p->path);
	assert_int_equal(rename(p->path, away), 0);
	assert_false(quarantine_is_at(q, p->path));
	assert_true(quarantine_is_at(q, away));
	assert_fails(p, keep(p, q, "AAAA0002", 2, "two"), -ESTALE);
	assert_int_equal(mkdir(p->path, 0700), 0);
	assert_false(quarantine_is_at(q, p->path));
	assert_fails(p, keep(p, q, "AAAA0003", 3, "three"), -ESTALE);
	assert_int_equal(files(p, ""), 0);
	assert_int_equal(rmdir(p->path), 0);
	assert_int_equal(rename(away, p->path), 0);
	keep_good(p, q, "AAAA0004", 4, "four");
	assert_list(p, q, 0, "AAAA0004 AAAA0001");
	assert_int_equal(files(p, "spool"), 4);
	assert_int_equal(files(p, "tmp"), 0);
	quarantine_close(q);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(every_field_and_byte_comes_back),
		T(an_entry_as_text_comes_back),
		T(a_list_begins_with_the_newest),
		T(an_id_is_kept_once),
		T(only_ids_that_are_safe_file_names_are_taken),
		T(nobody_else_may_read_it),
		T(a_missing_folder_is_an_error_unless_it_may_be_made),
		T(a_file_in_its_place_is_an_error),
		T(a_folder_that_cannot_be_written_leaves_neither_file_nor_row),
		T(a_full_disk_leaves_neither_file_nor_row),
		T(a_damaged_index_is_set_aside_and_made_anew_from_the_spool),
		T(damage_under_an_open_index_is_survived),
		T(a_file_without_row_does_not_block_its_id),
		T(what_a_dead_process_left_is_removed),
		T(a_second_process_reads_while_this_one_writes),
		T(threads_share_it),
		T(a_folder_that_was_moved_takes_nothing),
	};

	for (int i = 0; i < 255; i++)
		all_bytes[i] = (char)(i + 1);
	memset(long_text, 'y', sizeof(long_text) - 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
