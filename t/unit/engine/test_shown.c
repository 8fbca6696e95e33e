/* test_shown.c - text for people: what may stay as it is, and what is shown as bytes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/shown.h"

static void what_is_read_stays_and_what_acts_is_shown_as_bytes(void **state)
{
	static const struct { const char *text; size_t max; const char *shown; } cases[] = {
		{ "", 10, "" }, { "lunch", 10, "lunch" }, { "lunch", 5, "lunch" }, { "lunches", 5, "lunch..." },
		{ "Gr\303\274\303\237e \360\237\230\200", 40, "Gr\303\274\303\237e \360\237\230\200" },
		{ "a\tb\nc\rd\033[31m\177", 40, "a\\x09b\\x0Ac\\x0Dd\\x1B[31m\\x7F" },
		{ "\302\233m", 40, "\\xC2\\x9Bm" },                               /* a control of C1 */
		{ "a\342\200\256b", 40, "a\\xE2\\x80\\xAEb" },                    /* right to left from here on */
		{ "gr\374n", 40, "gr\\xFCn" }, { "\303\274\377", 40, "\\xC3\\xBC\\xFF" },
		{ "\303\274\303\274", 3, "\303\274..." }, { "\303\274\303\274", 2, "\303\274..." }, { "\303\274\303\274", 1, "..." }, { "\360\237\230\200x", 3, "..." },
		{ "a\200\200\200\200\200", 4, "a..." },                           /* no character at all */
		{ "\\x41", 10, "\\x41" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = shown(NULL, cases[i].text, cases[i].max);

		assert_non_null(text);
		if (strcmp(text, cases[i].shown) != 0)
			fail_msg("case %zu: \"%s\" instead of \"%s\"", i, text, cases[i].shown);
		talloc_free(text);
	}
}

static void lines_and_tabs_stay(void **state)
{
	static const char text[] = "a\tb\r\nc\rd\r\r\n\n\r\n\033[2Jgr\303\274n\377\0x\ngr\303\274n\r";
	static const char expected[] = "a\tb\nc\\x0Dd\\x0D\n\n\n\\x1B[2Jgr\\xC3\\xBCn\\xFF\\x00x\ngr\303\274n\\x0D";
	char *got = NULL, *large = malloc(100000);
	size_t len = 0;
	FILE *f = open_memstream(&got, &len);

	(void)state;
	assert_true(f != NULL && large != NULL);
	shown_write(f, text, sizeof(text) - 1);
	fflush(f);
	assert_int_equal(len, sizeof(expected) - 1);
	assert_memory_equal(got, expected, len);
	memset(large, 'x', 100000);
	large[50000] = '\033';
	shown_write(f, large, 100000);
	fclose(f);
	assert_int_equal(len, sizeof(expected) - 1 + 100000 + 3);
	free(large);
	free(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_read_stays_and_what_acts_is_shown_as_bytes), cmocka_unit_test(lines_and_tabs_stay) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
