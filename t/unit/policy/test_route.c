/* test_route.c - SMTP routes: what is meant, and what is none */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/route.h"

static void routes_are_read_as_postfix_reads_them(void **state)
{
	static const struct { const char *text, *host; bool mx; const char *ip; uint16_t port; } cases[] = {
		{ "mail.example", "mail.example", true, NULL, 25 },
		{ "mail.example:2525", "mail.example", true, NULL, 2525 },
		{ "[mail.example]", "mail.example", false, NULL, 25 },
		{ "[mail.example]:24", "mail.example", false, NULL, 24 },
		{ "[192.0.2.1]:65535", "192.0.2.1", false, "192.0.2.1", 65535 },
		{ "192.0.2.1:26", "192.0.2.1", false, "192.0.2.1", 26 },
		{ "[2001:db8::1]", "2001:db8::1", false, "2001:db8::1", 25 },
		{ "[IPv6:2001:DB8::1]:1", "IPv6:2001:DB8::1", false, "2001:db8::1", 1 },
		{ "localhost:2526", "localhost", true, NULL, 2526 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char ip[IP_TEXT_MAX];
		struct route r;

		assert_null(route_fault(cases[i].text));
		if (!route_parse(cases[i].text, &r))
			fail_msg("%s is no route", cases[i].text);
		if (strcmp(r.host, cases[i].host) != 0 || r.mx != cases[i].mx || r.port != cases[i].port)
			fail_msg("%s: %s mx %d port %d", cases[i].text, r.host, r.mx, r.port);
		assert_int_equal(r.ip.family != 0, cases[i].ip != NULL);
		if (cases[i].ip != NULL)
			assert_string_equal(ip_print(&r.ip, ip), cases[i].ip);
	}
}

static void what_is_no_route_is_told_with_a_remedy(void **state)
{
	static const struct { const char *text, *fault; } cases[] = {
		{ ":25", "write HOST" }, { "[]", "write HOST" }, { "[", "write HOST" }, { "[a", "write HOST" }, { "a b", "write HOST" }, { "smtp:[a]/x", "write HOST" }, { "a:", "write HOST" },
		{ "a:x", "write HOST" }, { "a:123456", "write HOST" }, { "a@b", "write HOST" }, { "[a]25", "write HOST" }, { "a:25:25", "write HOST" }, { "[a b]", "write HOST" },
		{ "a:0", "a port is" }, { "[a]:65536", "a port is" },
	};
	char longest[ROUTE_HOST_MAX + 20];
	struct route r;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *fault = route_fault(cases[i].text);

		if (fault == NULL || strncmp(fault, cases[i].fault, strlen(cases[i].fault)) != 0)
			fail_msg("%s: %s", cases[i].text, fault != NULL ? fault : "right");
		assert_false(route_parse(cases[i].text, &r));
	}
	/* the absence of a route is no fault */
	assert_null(route_fault(""));
	assert_false(route_parse("", &r));
	memset(longest, 'a', sizeof(longest));
	strcpy(longest + ROUTE_HOST_MAX, ":26");
	assert_true(route_parse(longest, &r));
	assert_int_equal(strlen(r.host), ROUTE_HOST_MAX);
	strcpy(longest + ROUTE_HOST_MAX, "a:26");
	assert_false(route_parse(longest, &r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_are_read_as_postfix_reads_them),
		cmocka_unit_test(what_is_no_route_is_told_with_a_remedy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
