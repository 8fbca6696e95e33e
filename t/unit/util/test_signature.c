/* test_signature.c - versions of a file are told apart: written, renamed over, touched, gone */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/signature.h"

static void versions_of_a_file_are_told_apart(void **state)
{
	char path[] = "/tmp/winnow-signature-XXXXXX", other[] = "/tmp/winnow-signature-XXXXXX";
	int fd = mkstemp(path), fd_other = mkstemp(other);
	struct timespec long_ago[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	struct signature a, b;

	(void)state;
	assert_true(fd >= 0 && fd_other >= 0);
	a = signature_of(path);
	b = signature_of(path);
	assert_false(signature_none(&a));
	assert_true(signature_same(&a, &b) && signature_same_file(&a, &b));
	/* written into */
	assert_int_equal(write(fd, "x", 1), 1);
	b = signature_of(path);
	assert_true(!signature_same(&a, &b) && signature_same_file(&a, &b));
	/* as long as before, of another time */
	a = b;
	assert_int_equal(futimens(fd, long_ago), 0);
	b = signature_of(path);
	assert_true(!signature_same(&a, &b) && signature_same_file(&a, &b));
	/* another file of that name */
	assert_int_equal(rename(other, path), 0);
	b = signature_of(path);
	assert_true(!signature_same(&a, &b) && !signature_same_file(&a, &b));
	/* none */
	unlink(path);
	b = signature_of(path);
	assert_int_equal(errno, ENOENT);
	assert_true(signature_none(&b));
	close(fd);
	close(fd_other);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(versions_of_a_file_are_told_apart) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
