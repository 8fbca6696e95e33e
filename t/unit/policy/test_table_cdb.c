/* test_table_cdb.c - Postfix's cdb: tables: as postmap writes them, replaced by it, and damaged in every way */
#include "unit/policy/map_help.h"

static void answers_are_those_of_the_source(void **state)
{
	assert_answers_of_the_source(*state, "cdb");
}

static void an_empty_table_is_empty(void **state)
{
	struct world *world = *state;
	struct table *table;

	postmap("cdb", "map", "");
	table = open_table(world->set, "cdb:map");
	assert_key(table, "key", NULL);
	assert_true(table_is_empty(table));
	table_close(table);
}

static void values_have_their_limit(void **state)
{
	struct world *world = *state;
	static char text[400000];
	struct table *table;

	sprintf(text, "long %0*d\nlonger %0*d\n", 65536, 7, 65537, 0);
	postmap("cdb", "map", text);
	table = open_table(world->set, "cdb:map");
	sprintf(text, "%0*d", 65536, 7);
	assert_key(table, "long", text);
	assert_unavailable(table, "longer");
	assert_string_equal(logged(world), "map.cdb: is damaged, or a value has more than 65536 bytes: the record at byte 67596; look-ups in it fail");
	table_close(table);
}

/* A cdb file of one record, by hand. */
static void put(unsigned char *at, uint32_t n)
{
	for (int i = 0; i < 4; i++)
		at[i] = (unsigned char)(n >> 8 * i);
}

static size_t make_one(unsigned char *file, const char *key, unsigned key_size, const char *value)
{
	uint32_t h = 5381, n = 2048, size = (uint32_t)strlen(value);

	for (unsigned i = 0; i < key_size; i++)
		h = (h * 33) ^ (unsigned char)key[i];
	put(file + n, key_size);
	put(file + n + 4, size);
	memcpy(file + n + 8, key, key_size);
	memcpy(file + n + 8 + key_size, value, size);
	n += 8 + key_size + size;
	for (unsigned i = 0; i < 256; i++) {
		put(file + i * 8, n);
		put(file + i * 8 + 4, i == h % 256 ? 2 : 0);
	}
	memset(file + n, 0, 16);
	put(file + n + (h / 256 % 2) * 8, h);
	put(file + n + (h / 256 % 2) * 8 + 4, 2048);
	return n + 16;
}

static void keys_are_found_with_and_without_their_nul(void **state)
{
	static unsigned char file[4096];
	struct world *world = *state;
	struct table *table;

	for (unsigned nul = 0; nul <= 1; nul++) {
		write_bytes("own.cdb", (const char *)file, make_one(file, "key", 3 + nul, "value"));
		table = open_table(world->set, "cdb:own");
		assert_key(table, "key", "value");
		assert_key(table, "kez", NULL);
		table_close(table);
	}
}

static void hash_tables_that_are_full_end(void **state)
{
	static unsigned char file[4096 + (1 << 20)];
	struct world *world = *state;
	struct table *table;
	size_t n = make_one(file, "key", 3, "value");

	/* every table: 100,000 slots of one hash that is no key's, without a free one */
	for (unsigned i = 0; i < 256; i++) {
		put(file + i * 8, (uint32_t)n);
		put(file + i * 8 + 4, 100000);
	}
	for (unsigned i = 0; i < 100000; i++) {
		put(file + n + i * 8, 1);
		put(file + n + i * 8 + 4, 2048);
	}
	write_bytes("own.cdb", (const char *)file, n + 800000);
	table = open_table(world->set, "cdb:own");
	assert_unavailable(table, "key");
	assert_string_equal(logged(world), "own.cdb: is damaged: a hash table without a free slot; look-ups in it fail");
	table_close(table);
}

static void what_is_no_table_of_postfix_is_refused_with_a_remedy(void **state)
{
	static unsigned char file[4096];
	struct world *world = *state;
	size_t n = make_one(file, "key", 3, "value");

	assert_open_fails(world->set, "cdb:none", "none.cdb: No such file or directory; postmap cdb:none writes it");
	write_file("bad.cdb", "");
	assert_open_fails(world->set, "cdb:bad", "bad.cdb: is no CDB file, or not whole: 0 bytes; postmap cdb:bad writes it");
	write_bytes("bad.cdb", (const char *)file, n - 1);
	assert_open_fails(world->set, "cdb:bad", "bad.cdb: is no CDB file, or damaged, or not whole: hash table 50 lies behind its end; postmap cdb:bad writes it");
	assert_int_equal(mkfifo(path_of("fifo.cdb"), 0600), 0);
	assert_open_fails(world->set, "cdb:fifo", "fifo.cdb: is no regular file; postmap cdb:fifo writes it");
}

/* --- damage --- */

enum { MANY = 400, BLOCK = 512 };

static void any_block_of_noise_ends_nothing_and_makes_no_other_values(void **state)
{
	struct world *world = *state;
	char *text = many_entries(MANY, 0);
	TALLOC_CTX *mem = talloc_new(NULL);
	unsigned char *bytes, block[BLOCK];
	uint64_t random = 1;
	int told = 0;
	size_t n;

	postmap("cdb", "many", text);
	bytes = read_back("many.cdb", &n);
	for (size_t round = 0; round < 4 * (n / BLOCK); round++) {
		size_t at = round / 4 * BLOCK;
		char *error = NULL;
		struct table *table;

		for (unsigned i = 0; i < BLOCK; i++) {
			random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
			/* zeroes, ones, noise, and a few changed bytes */
			block[i] = round % 4 == 0 ? 0 : round % 4 == 1 ? 0xff : round % 4 == 2 || random >> 58 == 0 ? (unsigned char)(random >> 40) : bytes[at + i];
		}
		overwrite("many.cdb", block, BLOCK, (off_t)at);
		table = table_open(world->set, "cdb:many", directory, false, &error);
		for (int i = 0; i < MANY && table != NULL; i++) {
			const char *value = NULL;
			char key[100];

			snprintf(key, sizeof(key), "domain%06d.example", i);
			if (table_lookup(table, key, mem, &value) == ANSWER_YES && (round % 4 < 2 || at < 2048)) {
				/* a hash table that is zeroed has lost its entries (the format has no sums), but it cannot give one the value of another */
				told++;
				if (at < 2048)
					assert_true(value[0] == 'p' && value[1] == '0' + i % 7 && value[2] == '\0');
			}
		}
		table_close(table);
		talloc_free(error);
		overwrite("many.cdb", bytes + at, BLOCK, (off_t)at);
	}
	assert_true(told > 0);
	talloc_free(mem);
	talloc_free(bytes);
	talloc_free(text);
}

static void a_file_that_is_written_in_place_does_not_answer_until_it_is_whole(void **state)
{
	struct world *world = *state;
	struct table *table;
	unsigned char *bytes;
	size_t n;

	postmap("cdb", "map", "key 1\n");
	postmap("cdb", "other", "key 2\nmore 3\n");
	bytes = read_back("other.cdb", &n);
	table = open_table(world->set, "cdb:map");
	for (size_t at = 0; at < n; at += 50) {
		assert_int_equal(truncate(path_of("map.cdb"), 0), 0);
		overwrite("map.cdb", bytes, at, 0);
		assert_unavailable(table, "key");
		assert_unavailable(table, "none");
		table_set_look(world->set, (int64_t)at);
	}
	assert_string_equal(logged(world), "map.cdb: has been written in place, and is read anew when it is whole; look-ups in it fail");
	overwrite("map.cdb", bytes, n, 0);
	table_set_look(world->set, 10 * SECOND);
	assert_unavailable(table, "key");
	table_set_look(world->set, 11 * SECOND);
	assert_key(table, "key", "2");
	assert_string_equal(logged(world), "map.cdb: read anew, 2 entries");
	table_close(table);
	talloc_free(bytes);
}

static void a_file_cut_in_the_middle_of_mail_ends_nothing(void **state)
{
	struct world *world = *state;
	char *many = many_entries(1000, 0), *text = talloc_asprintf(NULL, "%skey 1\n", many);
	struct askers askers;
	struct table *table;
	unsigned char *bytes;
	size_t n;

	postmap("cdb", "map", text);
	bytes = read_back("map.cdb", &n);
	table = open_table(world->set, "cdb:map");
	askers_begin(&askers, table, true);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(truncate(path_of("map.cdb"), (off_t)(n * (unsigned)i / 100)), 0);
		usleep(500);
		overwrite("map.cdb", bytes, n, 0);
		table_set_look(world->set, 2 * i * SECOND);            /* seen */
		table_set_look(world->set, (2 * i + 1) * SECOND);      /* quiet for a second: loaded */
		usleep(500);
	}
	askers_end(&askers, world);
	assert_true(atomic_load(&askers.failed) > 0);
	assert_key(table, "key", "1");
	table_close(table);
	talloc_free(bytes);
	talloc_free(text);
	talloc_free(many);
}

static void it_is_read_anew(struct world *world, int version)
{
	table_set_look(world->set, version * 100 * MS);
	assert_string_equal(logged(world), version % 3 != 0 ? "map.cdb: read anew, 3001 entries" : "map.cdb: read anew, 1 entries");
}

static void look_ups_go_on_while_postmap_replaces_the_file(void **state)
{
	assert_rewrites_are_seen_whole(*state, "cdb", 20, it_is_read_anew);
}

static void a_bad_file_of_the_name_leaves_the_old_one_in_force(void **state)
{
	struct world *world = *state;
	struct table *table;

	postmap("cdb", "map", "key 1\n");
	table = open_table(world->set, "cdb:map");
	write_file("junk.cdb", "junk");
	move("junk.cdb", "map.cdb");
	for (int i = 0; i < 10; i++)
		table_set_look(world->set, i * 500 * MS);
	assert_key(table, "key", "1");
	assert_string_equal(logged(world), "map.cdb: is no CDB file, or not whole: 4 bytes; postmap cdb:map writes it; what was opened before stays open");
	unlink(path_of("map.cdb"));
	table_set_look(world->set, 6 * SECOND);
	assert_key(table, "key", "1");
	assert_string_equal(logged(world), "map.cdb: cannot be read any more: No such file or directory; what was opened before stays open");
	postmap("cdb", "map", "key 2\n");
	table_set_look(world->set, 7 * SECOND);
	assert_key(table, "key", "2");
	table_close(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WATCH_TEST(answers_are_those_of_the_source),
		WATCH_TEST(an_empty_table_is_empty),
		WATCH_TEST(values_have_their_limit),
		WATCH_TEST(keys_are_found_with_and_without_their_nul),
		WATCH_TEST(hash_tables_that_are_full_end),
		WATCH_TEST(what_is_no_table_of_postfix_is_refused_with_a_remedy),
		WATCH_TEST(any_block_of_noise_ends_nothing_and_makes_no_other_values),
		WATCH_TEST(a_file_that_is_written_in_place_does_not_answer_until_it_is_whole),
		WATCH_TEST(a_file_cut_in_the_middle_of_mail_ends_nothing),
		WATCH_TEST(look_ups_go_on_while_postmap_replaces_the_file),
		WATCH_TEST(a_bad_file_of_the_name_leaves_the_old_one_in_force),
	};

	return cmocka_run_group_tests(tests, make_map_directory, remove_directory);
}
