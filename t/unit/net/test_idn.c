/* test_idn.c - domains as DNS holds them */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/idn.h"

static void labels_that_are_not_ascii_become_a_labels(void **state)
{
	static const struct { const char *domain, *want; } cases[] = {
		{ "example.com", "example.com" }, { "_x.EXAMPLE.com.", "_x.EXAMPLE.com." }, { "r3---sn.example", "r3---sn.example" }, { "xn--mller-kva.example", "xn--mller-kva.example" }, { "", "" },
		{ "m\xc3\xbcller.example", "xn--mller-kva.example" }, { "M\xc3\x9cLLER.Example", "xn--mller-kva.example" },
		/* u and a combining diaeresis */
		{ "mu\xcc\x88ller.example", "xn--mller-kva.example" },
		/* what IDNA 2003 made "ss" of is a letter of its own */
		{ "fa\xc3\x9f.example", "xn--fa-hia.example" },
		{ "\xe4\xbe\x8b\xe3\x81\x88.\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88", "xn--r8jz45g.xn--zckzah" },
		{ "m\xff.example", NULL }, { "m\xc3", NULL }, { "\xcc\x88" "a.example", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *got = idn_ascii(NULL, cases[i].domain);

		if ((got == NULL) != (cases[i].want == NULL) || (got != NULL && strcmp(got, cases[i].want) != 0))
			fail_msg("%s: %s", cases[i].domain, got != NULL ? got : "none");
		talloc_free(got);
	}
}

static void names_that_would_grow_too_long_are_none(void **state)
{
	char label[400] = "";

	(void)state;
	for (int i = 0; i < 60; i++)
		strcat(label, "\xe4\xbe\x8b");
	strcat(label, "\xc3\xbc\xe3\x81\x88\xe2\x84\xa6.example");
	for (int i = 0; i < 5; i++)
		strcat(label, "\xc3\xb6\xd7\x90");
	talloc_free(idn_ascii(NULL, label));     /* whatever it is: no overrun, no leak */
	memset(label, 'a', 300);
	strcpy(label + 300, "\xc3\xbc");
	assert_null(idn_ascii(NULL, label));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_that_are_not_ascii_become_a_labels),
		cmocka_unit_test(names_that_would_grow_too_long_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
