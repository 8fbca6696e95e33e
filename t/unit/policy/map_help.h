/* map_help.h - what the tests of databases share: files as postmap writes them, damage, threads that ask */
#ifndef WINNOW_T_MAP_HELP_H
#define WINNOW_T_MAP_HELP_H

#include "unit/policy/watch_help.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* In memory where there is such a place: postmap syncs what it writes, and a busy disk would make the tests wait for it. With Postfix's main.cf, which is long as it is:
 * Postfix waits for one that was changed within the last second. */
static inline int make_map_directory(void **state)
{
	const struct timespec long_ago[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };

	strcpy(directory, "/dev/shm/test_table.XXXXXX");
	if (mkdtemp(directory) == NULL && make_directory(state) != 0)
		return -1;
	write_file("main.cf", "");
	return utimensat(AT_FDCWD, path_of("main.cf"), long_ago, 0);
}

/* Runs postmap with words; input: what it reads. */
static inline void run_postmap(const char *words, const char *input)
{
	char command[512];
	FILE *pipe;

	snprintf(command, sizeof(command), "cd %s && PATH=$PATH:/usr/sbin exec postmap -c . %s", directory, words);
	pipe = popen(command, "w");
	assert_non_null(pipe);
	fputs(input, pipe);
	if (pclose(pipe) != 0)
		fail_msg("%s failed: postfix-lmdb and postfix-cdb (contrib/packages) are needed", command);
}

/* NAME.KIND from text, as an operator makes it. */
static inline void postmap(const char *kind, const char *name, const char *text)
{
	char words[256];

	write_file(name, text);
	snprintf(words, sizeof(words), "%s:%s", kind, name);
	run_postmap(words, "");
}

/* Entries "domain000017.example p3" ..., with a pad of that many letters before the domain. A talloc root. */
static inline char *many_entries(int n, int pad)
{
	char *text = talloc_array(NULL, char, (size_t)n * (size_t)(pad + 32) + 1), *p = text;

	assert_non_null(text);
	for (int i = 0; i < n; i++)
		p += sprintf(p, "%.*sdomain%06d.example p%d\n", pad, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", i, i % 7);
	*p = '\0';
	return text;
}

/* The whole file; a talloc root. */
static inline unsigned char *read_back(const char *name, size_t *n_r)
{
	FILE *f = fopen(path_of(name), "r");
	unsigned char *bytes;
	struct stat st;

	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	*n_r = (size_t)st.st_size;
	bytes = talloc_array(NULL, unsigned char, *n_r + 1);
	assert_int_equal(fread(bytes, 1, *n_r, f), *n_r);
	fclose(f);
	return bytes;
}

/* Bytes into the file as it lies, nothing else of it changes. */
static inline void overwrite(const char *name, const void *bytes, size_t n, off_t at)
{
	int fd = open(path_of(name), O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, n, at), n);
	close(fd);
}

/* As `cat from > to` does: the file stays the same one. */
static inline void copy_into(const char *from, const char *to)
{
	size_t n;
	unsigned char *bytes = read_back(from, &n);

	assert_int_equal(truncate(path_of(to), 0), 0);
	overwrite(to, bytes, n, 0);
	talloc_free(bytes);
}

/* A lie is never told about one of many_entries(): the right value or "cannot tell". Returns how many are told. */
static inline int assert_no_lies(struct table *table, int n, int pad)
{
	char *text = many_entries(n, pad), *save = NULL;
	TALLOC_CTX *mem = talloc_new(NULL);
	int told = 0;

	for (char *key = strtok_r(text, " \n", &save); key != NULL; key = strtok_r(NULL, " \n", &save)) {
		const char *want = strtok_r(NULL, " \n", &save), *value = NULL;
		enum answer answer = table_lookup(table, key, mem, &value);

		if (answer == ANSWER_NO || (answer == ANSWER_YES && strcmp(value, want) != 0))
			fail_msg("%s: %s", key, answer == ANSWER_NO ? "not found" : value);
		told += answer == ANSWER_YES;
	}
	talloc_free(mem);
	talloc_free(text);
	return told;
}

/* --- threads that ask "key" while the file is written: its value is a number, which never falls --- */

enum { ASKERS = 3 };

struct askers {
	struct table *table;
	atomic_bool stop;
	bool may_fail;                   /* ANSWER_UNAVAILABLE is no fault */
	atomic_long asked, failed;
	_Atomic(const char *) fault;
	pthread_t threads[ASKERS];
};

static inline void *ask_on(void *arg)
{
	struct askers *a = arg;
	long last = 0;

	while (!atomic_load(&a->stop)) {
		const char *value = NULL;
		TALLOC_CTX *mem = talloc_new(NULL);
		enum answer answer = table_lookup(a->table, "key", mem, &value);
		long version = answer == ANSWER_YES ? strtol(value, NULL, 10) : last;

		talloc_free(mem);
		if (answer == ANSWER_NO)
			atomic_store(&a->fault, "the key was not found");
		if (answer == ANSWER_UNAVAILABLE && !a->may_fail)
			atomic_store(&a->fault, "the table could not tell");
		if (version < last)
			atomic_store(&a->fault, "an older version came back");
		last = version;
		atomic_fetch_add(answer == ANSWER_YES ? &a->asked : &a->failed, 1);
	}
	return NULL;
}

static inline void askers_begin(struct askers *a, struct table *table, bool may_fail)
{
	*a = (struct askers){ .table = table, .may_fail = may_fail };
	for (int i = 0; i < ASKERS; i++)
		assert_int_equal(pthread_create(&a->threads[i], NULL, ask_on, a), 0);
}

static inline void askers_end(struct askers *a, struct world *world)
{
	atomic_store(&a->stop, true);
	for (int i = 0; i < ASKERS; i++)
		pthread_join(a->threads[i], NULL);
	if (atomic_load(&a->fault) != NULL)
		fail_msg("%s; log: %s", atomic_load(&a->fault), logged(world));
	assert_true(atomic_load(&a->asked) > 0);
}

static inline void assert_unavailable(struct table *table, const char *key)
{
	const char *value = NULL;
	TALLOC_CTX *mem = talloc_new(NULL);
	enum answer answer = table_lookup(table, key, mem, &value);

	if (answer != ANSWER_UNAVAILABLE)
		fail_msg("%s: answer %d", key, answer);
	talloc_free(mem);
}

/* --- what holds for both kinds of Postfix --- */

static inline struct table *open_map(struct world *world, const char *kind, const char *name)
{
	char spec[64];

	snprintf(spec, sizeof(spec), "%s:%s", kind, name);
	return open_table(world->set, spec);
}

static inline void assert_answers_of_the_source(struct world *world, const char *kind)
{
	const struct address user = { "User@Sub.Example.com", "User", "Sub.Example.com" }, other = { "x@example.org", "x", "example.org" };
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *value = NULL;
	struct table *table;

	postmap(kind, "map", "Key  value with  blanks\nexample.org gold\n.example.com parent\nuser@sub.example.com lone\n192.0.2.1 address\n<> null\n");
	table = open_map(world, kind, "map");
	assert_key(table, "key", "value with  blanks");
	assert_key(table, "KEY", "value with  blanks");
	assert_key(table, "ke", NULL);
	assert_key(table, "key1", NULL);
	assert_key(table, "", NULL);
	assert_key(table, "zzz", NULL);
	assert_ip(table, "192.0.2.1", "address");
	assert_ip(table, "192.0.2.2", NULL);
	assert_answer(table_lookup_address(table, &user, mem, &value), &value, "lone", "address");
	assert_answer(table_lookup_address(table, &other, mem, &value), &value, "gold", "its domain");
	assert_answer(table_lookup_domain(table, "a.b.example.com", mem, &value), &value, "parent", "a parent");
	assert_int_equal(table_lookup(table, "key", NULL, NULL), ANSWER_YES);
	assert_false(table_is_empty(table));
	talloc_free(mem);
	table_close(table);
}

/* postmap writes versions of the table, large and small in turn, while threads ask; then() follows each. */
static inline void assert_rewrites_are_seen_whole(struct world *world, const char *kind, int versions, void (*then)(struct world *world, int version))
{
	char *many = many_entries(3000, 0), last[16];
	struct askers askers;
	struct table *table;

	postmap(kind, "map", "key 0\n");
	table = open_map(world, kind, "map");
	askers_begin(&askers, table, false);
	for (int i = 1; i <= versions; i++) {
		char *text = talloc_asprintf(NULL, "%skey %d\n", i % 3 != 0 ? many : "", i);

		postmap(kind, "map", text);
		then(world, i);
		talloc_free(text);
	}
	askers_end(&askers, world);
	snprintf(last, sizeof(last), "%d", versions);
	assert_key(table, "key", last);
	table_close(table);
	talloc_free(many);
}

#endif
