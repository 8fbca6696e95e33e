/* test_table_lmdb.c - Postfix's lmdb: tables: as postmap writes them, while it does, and damaged in every way */
#include "unit/policy/map_help.h"

#include "policy/table_private.h"

static void answers_are_those_of_the_source(void **state)
{
	assert_answers_of_the_source(*state, "lmdb");
}

static void an_empty_table_is_empty(void **state)
{
	struct world *world = *state;
	struct table *table;

	postmap("lmdb", "empty", "");
	table = open_table(world->set, "lmdb:empty");
	assert_key(table, "key", NULL);
	assert_true(table_is_empty(table));
	postmap("lmdb", "empty", "key value\n");
	assert_false(table_is_empty(table));
	assert_key(table, "key", "value");
	table_close(table);
}

static void long_keys_and_values_have_their_limits(void **state)
{
	struct world *world = *state;
	static char text[400000];
	char key[600];
	struct table *table;

	memset(key, 'k', sizeof(key));
	key[500] = '\0';
	/* 10,000 bytes lie on pages of their own; more than 64 KB are none of a mail system's */
	sprintf(text, "long %0*d\nlonger %0*d\nmost %0*d\n%s value\n", 10000, 7, 65536, 0, 65000, 8, key);
	postmap("lmdb", "long", text);
	table = open_table(world->set, "lmdb:long");
	sprintf(text, "%0*d", 10000, 7);
	assert_key(table, "long", text);
	sprintf(text, "%0*d", 65000, 8);
	assert_key(table, "most", text);
	assert_unavailable(table, "longer");
	assert_string_equal(logged(world), "long.lmdb: holds a value of 65537 bytes, 65536 are the limit; look-ups in it fail");
	assert_key(table, key, "value");
	key[500] = 'k';
	key[512] = '\0';
	assert_key(table, key, NULL);
	table_close(table);
}

/* --- a writer of our own, for what postmap does not write --- */

enum { PAGE = 4096 };

static void put(unsigned char *at, uint64_t n, int bytes)
{
	memcpy(at, &n, (size_t)bytes);       /* the tests run where the numbers have their low byte first */
}

static void begin_page(unsigned char *page, uint64_t pgno, unsigned flags)
{
	memset(page, 0, PAGE);
	put(page, pgno, 8);
	put(page + 10, flags, 2);
	put(page + 12, 16, 2);
	put(page + 14, PAGE, 2);
}

static void add_node(unsigned char *page, uint64_t number, const char *key, size_t key_size, const char *data)
{
	unsigned lower = page[12] | page[13] << 8, upper = page[14] | page[15] << 8, size = 8 + (unsigned)key_size + (data != NULL ? (unsigned)strlen(data) : 0);

	upper -= (size + 1) & ~1u;
	put(page + lower, upper, 2);
	put(page + upper, data != NULL ? strlen(data) : number, 4);
	put(page + upper + 6, key_size, 2);
	memcpy(page + upper + 8, key, key_size);
	if (data != NULL)
		memcpy(page + upper + 8 + key_size, data, strlen(data));
	put(page + 12, lower + 2, 2);
	put(page + 14, upper, 2);
}

static void put_meta(unsigned char *page, uint64_t pgno, uint64_t txnid, uint64_t depth, uint64_t root, uint64_t last)
{
	begin_page(page, pgno, 8);
	put(page + 16, 0xbeefc0de, 4);
	put(page + 20, 1, 4);
	put(page + 40, PAGE, 4);
	put(page + 88 + 6, depth, 2);
	put(page + 88 + 32, 4, 8);
	put(page + 88 + 40, root, 8);
	put(page + 136, last, 8);
	put(page + 144, txnid, 8);
}

/* A root (page 2) over two leaves; what tells them apart is the first key of the second. */
static void make_two_leaves(unsigned char file[5][PAGE])
{
	put_meta(file[0], 0, 8, 2, 2, 4);
	put_meta(file[1], 1, 7, 1, 3, 4);
	begin_page(file[2], 2, 1);
	add_node(file[2], 3, "", 0, NULL);
	add_node(file[2], 4, "key", 4, NULL);
	begin_page(file[3], 3, 2);
	add_node(file[3], 0, "a", 1, "1");
	add_node(file[3], 0, "key", 3, "without");
	begin_page(file[4], 4, 2);
	add_node(file[4], 0, "key", 4, "with");
	add_node(file[4], 0, "z", 2, "2");
}

static void keys_with_and_without_their_nul_are_found_on_either_side_of_a_page(void **state)
{
	static unsigned char file[5][PAGE];
	struct world *world = *state;
	struct table *table;

	make_two_leaves(file);
	write_bytes("own.lmdb", (const char *)file, sizeof(file));
	table = open_table(world->set, "lmdb:own");
	assert_key(table, "a", "1");
	assert_key(table, "z", "2");
	assert_key(table, "key", "with");
	assert_key(table, "b", NULL);
	assert_key(table, "zz", NULL);
	/* the one with the NUL deleted, its place in the root left as it was: LMDB does that */
	begin_page(file[4], 4, 2);
	add_node(file[4], 0, "z", 2, "2");
	overwrite("own.lmdb", file[4], PAGE, (off_t)4 * PAGE);
	assert_key(table, "key", "without");
	table_close(table);
}

static void the_newer_meta_page_counts_and_both_must_be_good(void **state)
{
	static unsigned char file[5][PAGE];
	struct world *world = *state;
	struct table *table;

	make_two_leaves(file);
	put_meta(file[1], 1, 9, 1, 3, 4);
	write_bytes("own.lmdb", (const char *)file, sizeof(file));
	table = open_table(world->set, "lmdb:own");
	assert_key(table, "key", "without");
	assert_key(table, "z", NULL);
	put_meta(file[1], 1, 7, 1, 3, 4);
	overwrite("own.lmdb", file[1], PAGE, PAGE);
	assert_key(table, "z", "2");
	/* the older one must not answer for a newer one that is gone */
	memset(file[1], 0, PAGE);
	overwrite("own.lmdb", file[1], PAGE, PAGE);
	assert_unavailable(table, "z");
	assert_false(table_is_empty(table));
	table_close(table);
}

static void trees_that_lead_astray_end(void **state)
{
	static unsigned char file[5][PAGE];
	struct world *world = *state;
	struct table *table;

	make_two_leaves(file);
	write_bytes("own.lmdb", (const char *)file, sizeof(file));
	table = open_table(world->set, "lmdb:own");
	put_meta(file[0], 0, 8, 32, 2, 4);
	begin_page(file[2], 2, 1);
	add_node(file[2], 2, "", 0, NULL);          /* a circle */
	add_node(file[2], 2, "key", 4, NULL);
	overwrite("own.lmdb", file, (size_t)3 * PAGE, 0);
	assert_unavailable(table, "z");
	put_meta(file[0], 0, 8, 33, 2, 4);
	overwrite("own.lmdb", file, PAGE, 0);
	assert_unavailable(table, "z");
	put_meta(file[0], 0, 8, 2, 1, 4);
	overwrite("own.lmdb", file, PAGE, 0);
	assert_unavailable(table, "z");
	put_meta(file[0], 0, 8, 2, UINT64_C(1) << 60, UINT64_C(1) << 61);
	overwrite("own.lmdb", file, PAGE, 0);
	assert_unavailable(table, "z");
	assert_string_equal(logged(world), "own.lmdb: is damaged: page 2 is not what should be there; look-ups in it fail");
	table_close(table);
}

static void what_is_no_table_of_postfix_is_refused_with_a_remedy(void **state)
{
	static unsigned char file[5][PAGE];
	struct world *world = *state;

	assert_open_fails(world->set, "lmdb:none", "none.lmdb: No such file or directory; postmap lmdb:none writes it");
	assert_open_fails(world->set, "lmdb:", "table \"lmdb:\": a path is missing after the colon");
	write_file("bad.lmdb", "");
	assert_open_fails(world->set, "lmdb:bad", "bad.lmdb: ends at byte 0, within what belongs to it; postmap lmdb:bad writes it");
	make_two_leaves(file);
	write_bytes("bad.lmdb", (const char *)file, PAGE + 10);
	assert_open_fails(world->set, "lmdb:bad", "bad.lmdb: ends at byte 4106, within what belongs to it; postmap lmdb:bad writes it");
	file[0][16] ^= 1;
	write_bytes("bad.lmdb", (const char *)file, sizeof(file));
	assert_open_fails(world->set, "lmdb:bad", "bad.lmdb: is no LMDB file; postmap lmdb:bad writes it");
	file[0][16] ^= 1;
	file[0][20] = 2;
	write_bytes("bad.lmdb", (const char *)file, sizeof(file));
	assert_open_fails(world->set, "lmdb:bad", "bad.lmdb: is LMDB's data version 2, and 1 is known here; postmap lmdb:bad writes it");
	file[0][20] = 1;
	file[0][88 + 4] = 4;
	write_bytes("bad.lmdb", (const char *)file, sizeof(file));
	assert_open_fails(world->set, "lmdb:bad", "bad.lmdb: is no table of Postfix: its keys are sorted in another way (flags 0x4); postmap lmdb:bad writes it");
	file[0][88 + 4] = 0;
	file[0][41] = 0x11;
	write_bytes("bad.lmdb", (const char *)file, sizeof(file));
	assert_open_fails(world->set, "lmdb:bad", "bad.lmdb: is damaged or of another sort of machine: pages of 4352 bytes; postmap lmdb:bad writes it");
	assert_int_equal(mkdir(path_of("folder.lmdb"), 0700), 0);
	assert_open_fails(world->set, "lmdb:folder", "folder.lmdb: is no regular file; postmap lmdb:folder writes it");
	assert_int_equal(mkfifo(path_of("fifo.lmdb"), 0600), 0);
	assert_open_fails(world->set, "lmdb:fifo", "fifo.lmdb: is no regular file; postmap lmdb:fifo writes it");
}

/* --- damage --- */

enum { MANY = 1500, PAD = 96 };              /* three levels */

static struct table *open_many(struct world *world, unsigned char **bytes_r, size_t *n_r)
{
	char *text = many_entries(MANY, PAD);
	struct table *table;

	postmap("lmdb", "many", text);
	talloc_free(text);
	*bytes_r = read_back("many.lmdb", n_r);
	table = open_table(world->set, "lmdb:many");
	assert_int_equal(assert_no_lies(table, MANY, PAD), MANY);
	assert_true(*n_r > 40 * PAGE);
	return table;
}

static void each_page_zeroed_in_turn_ends_nothing_and_makes_no_lies(void **state)
{
	static const unsigned char nothing[PAGE];
	struct world *world = *state;
	unsigned char *bytes;
	int told, fewest = MANY;
	size_t n;
	struct table *table = open_many(world, &bytes, &n);

	for (size_t at = 0; at < n; at += PAGE) {
		overwrite("many.lmdb", nothing, PAGE, (off_t)at);
		told = assert_no_lies(table, MANY, PAD);
		if (at < (size_t)2 * PAGE)
			assert_int_equal(told, 0);
		fewest = told > 0 && told < fewest ? told : fewest;
		overwrite("many.lmdb", bytes + at, PAGE, (off_t)at);
	}
	assert_true(fewest < MANY);          /* a leaf was hit, and the others went on */
	assert_int_equal(assert_no_lies(table, MANY, PAD), MANY);
	table_close(table);
	talloc_free(bytes);
}

static void an_end_cut_while_it_is_open_ends_nothing_and_makes_no_lies(void **state)
{
	struct world *world = *state;
	unsigned char *bytes;
	size_t n;
	struct table *table = open_many(world, &bytes, &n);

	for (size_t at = 0; at < n; at += at < (size_t)2 * PAGE ? 97 : PAGE / 2) {
		assert_int_equal(truncate(path_of("many.lmdb"), (off_t)at), 0);
		assert_true(assert_no_lies(table, MANY, PAD) < MANY || at > n - PAGE);
		overwrite("many.lmdb", bytes + at, n - at, (off_t)at);
	}
	assert_int_equal(assert_no_lies(table, MANY, PAD), MANY);
	table_close(table);
	talloc_free(bytes);
}

static void noise_in_any_page_ends_nothing(void **state)
{
	struct world *world = *state;
	unsigned char *bytes, page[PAGE];
	uint64_t random = 1;
	size_t n;
	struct table *table = open_many(world, &bytes, &n);
	TALLOC_CTX *mem = talloc_new(NULL);

	for (int round = 0; round < 400; round++) {
		size_t at = (size_t)(round % (int)(n / PAGE)) * PAGE;

		memcpy(page, bytes + at, PAGE);
		for (int i = 0; i < 1 + round % 8; i++) {
			random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
			/* in the header and the offsets as a rule: that is where it hurts */
			page[(random >> 33) % (round % 3 == 0 ? PAGE : 160)] = (unsigned char)(random >> 56);
		}
		overwrite("many.lmdb", page, PAGE, (off_t)at);
		for (int i = 0; i < MANY; i += 50) {
			const char *value = NULL;
			char key[200];

			snprintf(key, sizeof(key), "%0*d", PAD, 0);
			memset(key, 'a', PAD);
			snprintf(key + PAD, sizeof(key) - PAD, "domain%06d.example", i);
			if (table_lookup(table, key, mem, &value) == ANSWER_YES)
				assert_true(strlen(value) <= 65536);
		}
		table_is_empty(table);
		overwrite("many.lmdb", bytes + at, PAGE, (off_t)at);
	}
	assert_int_equal(assert_no_lies(table, MANY, PAD), MANY);
	talloc_free(mem);
	table_close(table);
	talloc_free(bytes);
}

static void a_file_cut_in_the_middle_of_mail_comes_back_by_itself(void **state)
{
	struct world *world = *state;
	unsigned char *bytes;
	struct table *table;
	struct askers askers;
	size_t n;

	postmap("lmdb", "map", "key 1\n");
	bytes = read_back("map.lmdb", &n);
	table = open_table(world->set, "lmdb:map");
	askers_begin(&askers, table, true);
	for (int i = 0; i < 200; i++) {
		assert_int_equal(truncate(path_of("map.lmdb"), (off_t)(n * (unsigned)i / 200)), 0);
		usleep(500);
		overwrite("map.lmdb", bytes, n, 0);
		usleep(500);
	}
	askers_end(&askers, world);
	assert_true(atomic_load(&askers.failed) > 0);
	assert_key(table, "key", "1");
	assert_non_null(strstr(logged(world), "; look-ups in it fail"));
	table_close(table);
	talloc_free(bytes);
}

static void trouble_is_told_once_a_minute(void **state)
{
	struct world *world = *state;
	struct table *table;

	postmap("lmdb", "map", "key 1\n");
	table = open_table(world->set, "lmdb:map");
	table_complain(table, 1000 * (int64_t)SECOND, "is broken");
	table_complain(table, 1059 * (int64_t)SECOND, "is broken");
	assert_string_equal(logged(world), "map.lmdb: is broken; look-ups in it fail");
	table_complain(table, 1060 * (int64_t)SECOND, "is still broken");
	assert_string_equal(logged(world), "map.lmdb: is still broken; look-ups in it fail");
	table_close(table);
}

/* --- while it is written --- */

static void nothing_is_said(struct world *world, int version)
{
	(void)version;
	assert_string_equal(logged(world), "");
}

static void look_ups_go_on_while_postmap_writes_the_file_anew(void **state)
{
	assert_rewrites_are_seen_whole(*state, "lmdb", 25, nothing_is_said);
}

/* postmap -i commits each entry by itself: some 10,000 transactions a second. */
static void look_ups_go_on_while_postmap_adds_entries(void **state)
{
	struct world *world = *state;
	char *text = talloc_strdup(NULL, "");
	struct askers askers;
	struct table *table;

	postmap("lmdb", "map", "key 0\n");
	table = open_table(world->set, "lmdb:map");
	for (int i = 1; i <= 1500; i++)
		text = talloc_asprintf_append_buffer(text, "key %d\nother%d %d\n", i, i * 7919 % 1500, i);
	askers_begin(&askers, table, false);
	run_postmap("-i -r lmdb:map", text);
	askers_end(&askers, world);
	assert_key(table, "key", "1500");
	table_close(table);
	talloc_free(text);
}

static void another_file_of_the_name_is_opened_at_once_if_it_is_good(void **state)
{
	struct world *world = *state;
	struct table *table;

	postmap("lmdb", "map", "key 1\n");
	table = open_table(world->set, "lmdb:map");
	write_file("junk.lmdb", "junk");
	move("junk.lmdb", "map.lmdb");
	table_set_look(world->set, 0);
	assert_key(table, "key", "1");
	assert_string_equal(logged(world), "");                    /* it may be in the making */
	table_set_look(world->set, 1 * SECOND);
	table_set_look(world->set, 5 * SECOND);
	assert_key(table, "key", "1");
	assert_string_equal(logged(world), "map.lmdb: ends at byte 4, within what belongs to it; postmap lmdb:map writes it; what was opened before stays open");
	/* mended in place: no new file, and seen all the same */
	postmap("lmdb", "good", "key 2\n");
	copy_into("good.lmdb", "map.lmdb");
	table_set_look(world->set, 6 * SECOND);
	table_set_look(world->set, 8 * SECOND);
	assert_key(table, "key", "2");
	assert_string_equal(logged(world), "map.lmdb: read anew, 1 entries");
	postmap("lmdb", "new", "key 3\nlock 4\n");
	move("new.lmdb", "map.lmdb");
	table_set_look(world->set, 9 * SECOND);
	assert_key(table, "key", "3");
	assert_string_equal(logged(world), "map.lmdb: read anew, 2 entries");
	/* and gone */
	unlink(path_of("map.lmdb"));
	table_set_look(world->set, 10 * SECOND);
	assert_key(table, "key", "3");
	assert_string_equal(logged(world), "map.lmdb: cannot be read any more: No such file or directory; what was opened before stays open");
	table_close(table);
}

/* --- what it costs --- */

/* Reads for opening and for one look-up. */
static void cost(const char *name, int n, unsigned long *load_r, unsigned long *lookup_r)
{
	char *text = many_entries(n, 0), *error = NULL;
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *value = NULL;
	void *content;

	postmap("lmdb", name, text);
	content = table_kind_lmdb.load(mem, talloc_asprintf(mem, "%s.lmdb", path_of(name)), &error);
	assert_non_null(content);
	*load_r = table_lmdb_reads(content);
	assert_int_equal(table_kind_lmdb.lookup(content, "domain000007.example", mem, &value), ANSWER_YES);
	*lookup_r = table_lmdb_reads(content) - *load_r;
	/* nothing grows with the entries but the file */
	assert_true(talloc_total_size(content) < 1000);
	talloc_free(mem);
	talloc_free(text);
}

static void a_hundred_thousand_domains_cost_less_than_twice_what_ten_do(void **state)
{
	unsigned long load_ten, lookup_ten, load_many, lookup_many;

	(void)state;
	cost("ten", 10, &load_ten, &lookup_ten);
	cost("hundred", 100000, &load_many, &lookup_many);
	assert_true(load_ten > 0 && lookup_ten > 0);
	assert_true(load_many < 2 * load_ten);
	assert_true(lookup_many < 2 * lookup_ten);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WATCH_TEST(answers_are_those_of_the_source),
		WATCH_TEST(an_empty_table_is_empty),
		WATCH_TEST(long_keys_and_values_have_their_limits),
		WATCH_TEST(keys_with_and_without_their_nul_are_found_on_either_side_of_a_page),
		WATCH_TEST(the_newer_meta_page_counts_and_both_must_be_good),
		WATCH_TEST(trees_that_lead_astray_end),
		WATCH_TEST(what_is_no_table_of_postfix_is_refused_with_a_remedy),
		WATCH_TEST(each_page_zeroed_in_turn_ends_nothing_and_makes_no_lies),
		WATCH_TEST(an_end_cut_while_it_is_open_ends_nothing_and_makes_no_lies),
		WATCH_TEST(noise_in_any_page_ends_nothing),
		WATCH_TEST(a_file_cut_in_the_middle_of_mail_comes_back_by_itself),
		WATCH_TEST(trouble_is_told_once_a_minute),
		WATCH_TEST(look_ups_go_on_while_postmap_writes_the_file_anew),
		WATCH_TEST(look_ups_go_on_while_postmap_adds_entries),
		WATCH_TEST(another_file_of_the_name_is_opened_at_once_if_it_is_good),
		WATCH_TEST(a_hundred_thousand_domains_cost_less_than_twice_what_ten_do),
	};

	return cmocka_run_group_tests(tests, make_map_directory, remove_directory);
}
