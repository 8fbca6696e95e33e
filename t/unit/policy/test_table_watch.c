/* test_table_watch.c - files that change while the tables are in use; time is ours, except where the thread itself is the subject */
#include "unit/policy/watch_help.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "util/clock.h"

static void a_file_renamed_into_place_is_read_at_once(void **state)
{
	struct world *world = *state;
	struct table *table;

	write_file("list", "old\n");
	table = open_table(world->set, "file:list");
	write_file("list.new", "new 1\nnewer 2\n");
	table_set_look(world->set, 0);
	assert_key(table, "old", "");
	assert_string_equal(logged(world), "");
	move("list.new", "list");
	table_set_look(world->set, 500 * MS);
	assert_key(table, "old", NULL);
	assert_key(table, "newer", "2");
	assert_string_equal(logged(world), "list: read anew, 2 entries");
	table_set_look(world->set, 1000 * MS);
	table_set_look(world->set, 9000 * MS);
	assert_string_equal(logged(world), "");
	table_close(table);
}

static void a_file_written_in_place_is_read_after_a_quiet_second(void **state)
{
	struct world *world = *state;
	struct table *table;

	write_file("list", "old\n");
	table = open_table(world->set, "file:list");
	write_file("list", "longer than before\n");
	table_set_look(world->set, 10 * SECOND);
	table_set_look(world->set, 10 * SECOND + 500 * MS);
	assert_key(table, "old", "");
	write_file("list", "longer than before\nand longer\n");   /* the second begins anew */
	table_set_look(world->set, 11 * SECOND);
	assert_key(table, "old", "");
	table_set_look(world->set, 11 * SECOND + 999 * MS);
	assert_key(table, "old", "");
	assert_string_equal(logged(world), "");
	table_set_look(world->set, 12 * SECOND);
	assert_key(table, "old", NULL);
	assert_key(table, "and", "longer");
	assert_string_equal(logged(world), "list: read anew, 2 entries");
	table_close(table);
}

static void a_half_written_file_is_never_seen(void **state)
{
	struct world *world = *state;
	struct table *table;

	write_file("list", "old\n");
	table = open_table(world->set, "file:list");
	write_file("list", "");                                    /* the editor has cut it */
	table_set_look(world->set, 0);
	write_file("list", "first 1\n\"second th");                /* and written half: a syntax error */
	table_set_look(world->set, 500 * MS);
	table_set_look(world->set, 1000 * MS);
	assert_key(table, "old", "");
	write_file("list", "first 1\n\"second thing\" 2\n");
	table_set_look(world->set, 1400 * MS);
	table_set_look(world->set, 1900 * MS);
	assert_key(table, "old", "");
	table_set_look(world->set, 2400 * MS);
	assert_key(table, "second thing", "2");
	assert_string_equal(logged(world), "list: read anew, 2 entries");
	table_close(table);
}

static void a_new_file_that_is_not_whole_yet_waits(void **state)
{
	struct world *world = *state;
	struct table *table;

	write_file("list", "old\n");
	table = open_table(world->set, "file:list");
	move("list", "list~");                                     /* as vi does: the old one aside, a new one of its name */
	write_file("list", "");
	table_set_look(world->set, 0);
	assert_key(table, "old", "");
	write_file("list", "first 1\nsecond");
	table_set_look(world->set, 500 * MS);
	assert_key(table, "old", "");
	write_file("list", "first 1\nsecond 2\n");
	table_set_look(world->set, 1000 * MS);
	assert_key(table, "second", "2");
	assert_string_equal(logged(world), "list: read anew, 2 entries");
	/* one that stays without a final line end is read after its second, as is an empty one */
	write_file("list.new", "third");
	move("list.new", "list");
	table_set_look(world->set, 2000 * MS);
	assert_key(table, "third", NULL);
	table_set_look(world->set, 3000 * MS);
	assert_key(table, "third", "");
	write_file("list.new", "");
	move("list.new", "list");
	table_set_look(world->set, 4000 * MS);
	assert_false(table_is_empty(table));
	table_set_look(world->set, 5000 * MS);
	assert_true(table_is_empty(table));
	table_close(table);
}

static void a_bad_file_is_told_once_and_the_old_content_stays(void **state)
{
	struct world *world = *state;
	struct table *table;

	write_file("nets", "192.0.2.0/24 old\n198.51.100.0/24\n");
	table = open_table(world->set, "cidr:nets");
	write_file("nets", "192.0.2.0/24 new\n\n192.0.2.1/25\n");
	for (int i = 0; i < 10; i++)
		table_set_look(world->set, i * 500 * MS);
	assert_ip(table, "192.0.2.1", "old");
	assert_string_equal(logged(world), "nets:3: 192.0.2.1/25 has host bits: write 192.0.2.0/25; the 2 entries of before stay in force");
	/* a rename of a bad one is told at once, and once */
	write_file("nets.new", "nonsense\n");
	move("nets.new", "nets");
	for (int i = 20; i < 30; i++)
		table_set_look(world->set, i * 500 * MS);
	assert_string_equal(logged(world),
		"nets:1: \"nonsense\" is no address or network: write it as 192.0.2.0/24, 2001:db8::/32 or a lone address; the 2 entries of before stay in force");
	assert_ip(table, "192.0.2.1", "old");
	write_file("nets.new", "192.0.2.0/24 new\n");
	move("nets.new", "nets");
	table_set_look(world->set, 30 * SECOND);
	assert_ip(table, "192.0.2.1", "new");
	assert_string_equal(logged(world), "nets: read anew, 1 entries");
	table_close(table);
}

static void a_vanished_file_keeps_its_content(void **state)
{
	struct world *world = *state;
	struct table *table;

	write_file("list", "old\n");
	table = open_table(world->set, "file:list");
	move("list", "list.aside");
	for (int i = 0; i < 10; i++)
		table_set_look(world->set, i * 500 * MS);
	assert_key(table, "old", "");
	assert_string_equal(logged(world), "list: cannot be read any more: No such file or directory; the 1 entries of before stay in force");
	move("list.aside", "list");
	table_set_look(world->set, 10 * SECOND);
	assert_string_equal(logged(world), "list: read anew, 1 entries");
	assert_int_equal(unlink(path_of("list")), 0);
	table_set_look(world->set, 11 * SECOND);
	assert_string_equal(logged(world), "list: cannot be read any more: No such file or directory; the 1 entries of before stay in force");
	table_close(table);
}

static void an_optional_file_may_appear_later(void **state)
{
	struct world *world = *state;
	char *error;
	struct table *table = table_open(world->set, "file:later", directory, true, &error);

	table_set_look(world->set, 0);
	table_set_look(world->set, 1 * SECOND);
	assert_string_equal(logged(world), "");
	write_file("later.new", "a 1\na 2\n");
	move("later.new", "later");
	table_set_look(world->set, 2 * SECOND);
	table_set_look(world->set, 3 * SECOND);
	assert_string_equal(logged(world), "later:2: \"a\" stands there a second time, with another value than in later:1: keep one of them; the table stays empty");
	assert_true(table_is_empty(table));
	write_file("later.new", "a 1\n");
	move("later.new", "later");
	table_set_look(world->set, 4 * SECOND);
	assert_key(table, "a", "1");
	table_close(table);
}

static void a_link_that_points_elsewhere_is_followed(void **state)
{
	struct world *world = *state;
	struct table *table;

	write_file("v1", "key 1\n");
	write_file("v2", "key 2\n");
	assert_int_equal(symlink("v1", path_of("link")), 0);
	table = open_table(world->set, "file:link");
	assert_int_equal(symlink("v2", path_of("link.new")), 0);
	move("link.new", "link");
	table_set_look(world->set, 0);
	assert_key(table, "key", "2");
	table_close(table);
}

static void the_thread_sees_a_rename_and_ends_with_the_set(void **state)
{
	struct world *world = *state;
	struct table_set *set = table_set_new(world->log);
	int64_t until = clock_mono() + 20 * SECOND;
	struct table *table, *other;

	write_file("list", "old\n");
	write_file("other", "x\n");
	table = open_table(set, "file:list");
	other = open_table(set, "file:other");
	write_file("list.new", "new\n");
	move("list.new", "list");
	while (table_lookup(table, "new", NULL, NULL) != ANSWER_YES && clock_mono() < until)
		poll(NULL, 0, 20);
	assert_key(table, "new", "");
	assert_key(other, "x", "");
	table_close(other);
	table_close(table);
	table_set_free(set);
}

/* --- many threads --- */

static atomic_bool stop;

static void *look_up(void *arg)
{
	const struct address address = { "user@example.com", "user", "example.com" };
	struct table *table = arg;
	long last = 0, asked = 0;

	while (!atomic_load(&stop)) {
		TALLOC_CTX *mem = talloc_new(NULL);
		const char *value = NULL;
		struct ip ip;
		long version;

		/* the entry moves from key to key, but within one version exactly one of those that are asked is there */
		if (table_lookup_address(table, &address, mem, &value) != ANSWER_YES)
			return (void *)1;
		version = strtol(value, NULL, 10);
		if (version < last || !ip_parse("192.0.2.77", &ip) || table_lookup_ip(table, &ip, mem, &value) != ANSWER_YES)
			return (void *)2;
		last = strtol(value, NULL, 10);
		if (last < version)
			return (void *)3;
		talloc_free(mem);
		asked++;
	}
	return asked > 0 ? NULL : (void *)4;
}

static void many_threads_look_up_while_a_file_is_replaced_200_times(void **state)
{
	static const char *const keys[] = { "user@example.com", "@example.com", "example.com", ".com" };
	enum { THREADS = 4, VERSIONS = 200 };
	struct world *world = *state;
	pthread_t threads[THREADS];
	struct table *table;

	write_file("list", "user@example.com 1\n192.0.2.0/24 1\n");
	table = open_table(world->set, "file:list");
	atomic_store(&stop, false);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, look_up, table), 0);
	for (int version = 2; version <= VERSIONS; version++) {
		char text[100];

		snprintf(text, sizeof(text), "%s %d\n192.0.2.0/%d %d\n", keys[version % 4], version, 24 + version % 2, version);
		write_file("list.new", text);
		move("list.new", "list");
		table_set_look(world->set, version * SECOND);
		poll(NULL, 0, 1);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < THREADS; i++) {
		void *result;

		pthread_join(threads[i], &result);
		assert_ptr_equal(result, NULL);
	}
	assert_ip(table, "192.0.2.1", "200");
	table_close(table);
}

static void *open_and_close(void *arg)
{
	struct table_set *set = arg;

	for (int i = 0; i < 200; i++) {
		struct table *table = open_table(set, i % 2 == 0 ? "file:list" : "inline:user@example.com");

		assert_key(table, "user@example.com", "");
		table_close(table);
	}
	return NULL;
}

static void many_threads_open_and_close_while_files_are_looked_at(void **state)
{
	enum { THREADS = 3 };
	struct world *world = *state;
	pthread_t threads[THREADS];

	write_file("list", "user@example.com\n");
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, open_and_close, world->set), 0);
	for (int i = 0; i < 300; i++)
		table_set_look(world->set, i * SECOND);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_string_equal(logged(world), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WATCH_TEST(a_file_renamed_into_place_is_read_at_once),
		WATCH_TEST(a_file_written_in_place_is_read_after_a_quiet_second),
		WATCH_TEST(a_half_written_file_is_never_seen),
		WATCH_TEST(a_new_file_that_is_not_whole_yet_waits),
		WATCH_TEST(a_bad_file_is_told_once_and_the_old_content_stays),
		WATCH_TEST(a_vanished_file_keeps_its_content),
		WATCH_TEST(an_optional_file_may_appear_later),
		WATCH_TEST(a_link_that_points_elsewhere_is_followed),
		WATCH_TEST(the_thread_sees_a_rename_and_ends_with_the_set),
		WATCH_TEST(many_threads_look_up_while_a_file_is_replaced_200_times),
		WATCH_TEST(many_threads_open_and_close_while_files_are_looked_at),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
