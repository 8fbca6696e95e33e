/* test_ticket.c - the key is made once, and a ticket fits its own copy alone */
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
#include <libgen.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "quarantine/ticket.h"

static char folder[64], path[80];

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/winnow-ticket.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/key", folder);
	return 0;
}

static int teardown(void **state)
{
	char more[160];

	(void)state;
	unlink(path);
	snprintf(more, sizeof(more), "%s/a/b/key", folder);
	unlink(more);
	while (strcmp(dirname(more), folder) != 0)
		rmdir(more);
	return rmdir(folder);            /* nothing else was left behind */
}

static void a_ticket_fits_its_copy_and_key_alone(void **state)
{
	uint8_t key[TICKET_KEY] = { 1, 2, 3 }, other[TICKET_KEY] = { 1, 2, 4 };
	char text[TICKET_TEXT], longer[TICKET_TEXT + 1];

	(void)state;
	assert_true(ticket_write(key, "id-1", "message", 7, text));
	assert_true(ticket_fits(key, "id-1", "message", 7, text));
	assert_false(ticket_fits(other, "id-1", "message", 7, text));
	assert_false(ticket_fits(key, "id-2", "message", 7, text));
	assert_false(ticket_fits(key, "id-1", "messagf", 7, text));
	assert_false(ticket_fits(key, "id-1", "message", 6, text));
	assert_false(ticket_fits(key, "id-1", "message", 7, ""));
	snprintf(longer, sizeof(longer), "%s0", text);
	assert_false(ticket_fits(key, "id-1", "message", 7, longer));
	for (size_t i = 0; i < TICKET_TEXT - 1; i++) {
		text[i] ^= 1;
		assert_false(ticket_fits(key, "id-1", "message", 7, text));
		text[i] ^= 1;
	}
	assert_false(ticket_write(key, "an id that is longer than any id of ours can be, and would not fit into the block that is hashed", "x", 1, text));
}

static void a_key_is_made_once_and_for_its_owner_alone(void **state)
{
	uint8_t key[TICKET_KEY], again[TICKET_KEY], zero[TICKET_KEY] = { 0 };
	mode_t old = umask(0);
	struct stat st;
	char more[160];

	(void)state;

	assert_int_equal(ticket_key_read(path, key), -ENOENT);
	assert_int_equal(ticket_key_make(path, 0, 0), 0);
	snprintf(more, sizeof(more), "%s/a/b/key", folder);      /* its folders are made too */
	assert_int_equal(ticket_key_make(more, 0, 0), 0);
	umask(old);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(ticket_key_read(path, key), 0);
	assert_memory_not_equal(key, zero, sizeof(key));
	assert_int_equal(ticket_key_make(path, 0, 0), 0);
	assert_int_equal(ticket_key_read(path, again), 0);
	assert_memory_equal(key, again, sizeof(key));
}

static void what_is_no_key_is_refused(void **state)
{
	char none[160];
	uint8_t key[TICKET_KEY];
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	(void)state;
	assert_int_equal(ticket_key_read(path, key), -EBADMSG);
	assert_int_equal(write(fd, "a line of text that is too long for one\n", 40), 40);
	close(fd);
	assert_int_equal(ticket_key_read(path, key), -EBADMSG);
	snprintf(none, sizeof(none), "%s/key/key", folder);
	assert_int_equal(ticket_key_make(none, 0, 0), -ENOTDIR);
	assert_int_equal(ticket_key_read(folder, key), -EIO);
}

static void *make(void *arg)
{
	uint8_t *key = arg;

	if (ticket_key_make(path, 0, 0) != 0 || ticket_key_read(path, key) != 0)
		memset(key, 0, TICKET_KEY);
	return NULL;
}

static void who_makes_it_at_once_gets_the_same(void **state)
{
	enum { THREADS = 8 };
	uint8_t keys[THREADS][TICKET_KEY], zero[TICKET_KEY] = { 0 };
	pthread_t threads[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, make, keys[i]), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < THREADS; i++) {
		assert_memory_not_equal(keys[i], zero, TICKET_KEY);
		assert_memory_equal(keys[i], keys[0], TICKET_KEY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_ticket_fits_its_copy_and_key_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(a_key_is_made_once_and_for_its_owner_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_no_key_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(who_makes_it_at_once_gets_the_same, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
