/* test_ip.c - addresses and networks: what is read, what is refused, how they are written */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "util/ip.h"

static void addresses_are_read_and_written_in_canonical_form(void **state)
{
	static const struct {
		const char *text;
		int family;
		const char *printed;
	} cases[] = {
		{ "192.0.2.1", 4, "192.0.2.1" },
		{ "0.0.0.0", 4, "0.0.0.0" },
		{ "255.255.255.255", 4, "255.255.255.255" },
		{ "2001:db8::1", 6, "2001:db8::1" },
		{ "2001:DB8:0:0:0:0:0:1", 6, "2001:db8::1" },
		{ "2001:0db8::0001", 6, "2001:db8::1" },
		{ "::", 6, "::" },
		{ "::1", 6, "::1" },
		{ "1::", 6, "1::" },
		{ "2001:db8:0:1:1:1:1:1", 6, "2001:db8:0:1:1:1:1:1" },       /* a lone zero group is not shortened */
		{ "1::8:7:6:5:4:3", 6, "1:0:8:7:6:5:4:3" },
		{ "2001:0:0:1:0:0:0:1", 6, "2001:0:0:1::1" },                /* the longest run */
		{ "2001:db8:0:0:1:0:0:1", 6, "2001:db8::1:0:0:1" },          /* the first of two equal ones */
		{ "0:0:1:0:0:0:0:0", 6, "0:0:1::" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 6, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "IPv6:2001:db8::2", 6, "2001:db8::2" },
		{ "ipv6:::1", 6, "::1" },
		{ "::ffff:192.0.2.1", 4, "192.0.2.1" },
		{ "::FFFF:c000:0201", 4, "192.0.2.1" },
		{ "IPv6:::ffff:192.0.2.1", 4, "192.0.2.1" },
		{ "::192.0.2.1", 6, "::c000:201" },                          /* IPv4-compatible ones are history: IPv6 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char buf[IP_TEXT_MAX];
		struct ip ip, again;

		assert_true(ip_parse(cases[i].text, &ip));
		assert_int_equal(ip.family, cases[i].family);
		assert_string_equal(ip_print(&ip, buf), cases[i].printed);
		assert_true(ip_parse(buf, &again));
		assert_true(ip_equal(&ip, &again));
	}
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const cases[] = {
		"", " ", "192.0.2", "192.0.2.256", "192.0.2.1 ", " 192.0.2.1", "192.0.2.1.", "192.0.2.01", "192.0.2.1/32", "0x7f.1", "2130706433", "192.0.2.1\n",
		"[192.0.2.1]", "[2001:db8::1]", "fe80::1%eth0", "2001:db8:::1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "::g", "IPv6:", "IPv6:192.0.2.1",
		"IPv6:IPv6:::1", "IPv4:192.0.2.1", "localhost", ":", "1::2::3",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip ip = { .family = 9 };

		if (ip_parse(cases[i], &ip))
			fail_msg("read as an address: '%s'", cases[i]);
		assert_int_equal(ip.family, 0);
	}
}

static void an_unknown_address_prints_as_unknown(void **state)
{
	char buf[IP_TEXT_MAX];
	struct ip none = { 0 };

	(void)state;
	assert_string_equal(ip_print(&none, buf), "unknown");
}

static void networks_are_read(void **state)
{
	static const struct {
		const char *text, *strict, *lenient;   /* "address bits"; NULL: refused */
		int strict_bits, lenient_bits;
	} cases[] = {
		{ "192.0.2.0/24", "192.0.2.0", "192.0.2.0", 24, 24 },
		{ "192.0.2.1/24", NULL, "192.0.2.0", 0, 24 },
		{ "192.0.2.1", "192.0.2.1", "192.0.2.1", 32, 32 },
		{ "192.0.2.1/32", "192.0.2.1", "192.0.2.1", 32, 32 },
		{ "192.0.2.129/25", NULL, "192.0.2.128", 0, 25 },
		{ "0.0.0.0/0", "0.0.0.0", "0.0.0.0", 0, 0 },
		{ "10.0.0.0/9", "10.0.0.0", "10.0.0.0", 9, 9 },
		{ "2001:db8::/32", "2001:db8::", "2001:db8::", 32, 32 },
		{ "2001:db8::1/33", NULL, "2001:db8::", 0, 33 },
		{ "::/0", "::", "::", 0, 0 },
		{ "2001:db8::1", "2001:db8::1", "2001:db8::1", 128, 128 },
		{ "::ffff:192.0.2.0/120", "192.0.2.0", "192.0.2.0", 24, 24 },
		{ "::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1", 32, 32 },
		{ "::ffff:0.0.0.0/95", NULL, NULL, 0, 0 },
		{ "192.0.2.0/33", NULL, NULL, 0, 0 },
		{ "2001:db8::/129", NULL, NULL, 0, 0 },
		{ "192.0.2.0/", NULL, NULL, 0, 0 },
		{ "192.0.2.0/024", NULL, NULL, 0, 0 },
		{ "192.0.2.0/-1", NULL, NULL, 0, 0 },
		{ "192.0.2.0/+8", NULL, NULL, 0, 0 },
		{ "192.0.2.0/24/1", NULL, NULL, 0, 0 },
		{ "192.0.2.0/1000000000000", NULL, NULL, 0, 0 },
		{ "192.0.2/24", NULL, NULL, 0, 0 },
		{ "/24", NULL, NULL, 0, 0 },
		{ "", NULL, NULL, 0, 0 },
		{ "1111111111111111111111111111111111111111111111111111111111111111/24", NULL, NULL, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int lenient = 0; lenient < 2; lenient++) {
			const char *want = lenient ? cases[i].lenient : cases[i].strict;
			char buf[IP_TEXT_MAX];
			struct ipnet net;
			bool ok = ipnet_parse(cases[i].text, lenient, &net);

			if (ok != (want != NULL))
				fail_msg("'%s' lenient %d: read %d", cases[i].text, lenient, ok);
			if (want == NULL) {
				assert_int_equal(net.ip.family, 0);
				continue;
			}
			assert_string_equal(ip_print(&net.ip, buf), want);
			assert_int_equal(net.bits, lenient ? cases[i].lenient_bits : cases[i].strict_bits);
		}
	}
}

static void a_network_contains_its_addresses_and_no_others(void **state)
{
	static const struct {
		const char *net, *ip;
		bool inside;
	} cases[] = {
		{ "192.0.2.0/24", "192.0.2.0", true },
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.0/24", "192.0.1.255", false },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "192.0.2.128/25", "192.0.2.128", true },
		{ "192.0.2.4/30", "192.0.2.7", true },
		{ "192.0.2.4/30", "192.0.2.8", false },
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "0.0.0.0/0", "203.0.113.1", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "::/0", "2001:db8::1", true },
		{ "::/0", "192.0.2.1", false },
		{ "2001:db8::/32", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", true },
		{ "2001:db8::/32", "2001:db9::", false },
		{ "2001:db8::/127", "2001:db8::1", true },
		{ "2001:db8::/127", "2001:db8::2", false },
		{ "192.0.2.0/24", "::ffff:192.0.2.9", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ipnet net;
		struct ip ip, none = { 0 };

		assert_true(ipnet_parse(cases[i].net, false, &net));
		assert_true(ip_parse(cases[i].ip, &ip));
		if (ipnet_contains(&net, &ip) != cases[i].inside)
			fail_msg("%s in %s", cases[i].ip, cases[i].net);
		assert_false(ipnet_contains(&net, &none));
	}
}

static void the_network_of_an_address_has_its_leading_bits(void **state)
{
	static const struct {
		const char *ip;
		unsigned bits;
		const char *net;
		unsigned net_bits;
	} cases[] = {
		{ "192.0.2.255", 24, "192.0.2.0", 24 },
		{ "192.0.2.255", 0, "0.0.0.0", 0 },
		{ "192.0.2.255", 31, "192.0.2.254", 31 },
		{ "192.0.2.255", 64, "192.0.2.255", 32 },
		{ "2001:db8:1:2:3:4:5:6", 64, "2001:db8:1:2::", 64 },
		{ "2001:db8:1:2:3:4:5:6", 128, "2001:db8:1:2:3:4:5:6", 128 },
		{ "2001:db8:1:2:3:4:5:6", 4000, "2001:db8:1:2:3:4:5:6", 128 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char buf[IP_TEXT_MAX];
		struct ipnet net;
		struct ip ip;

		assert_true(ip_parse(cases[i].ip, &ip));
		net = ipnet_of(&ip, cases[i].bits);
		assert_string_equal(ip_print(&net.ip, buf), cases[i].net);
		assert_int_equal(net.bits, cases[i].net_bits);
		assert_true(ipnet_contains(&net, &ip));
	}
	assert_int_equal(ipnet_of(&(struct ip){ 0 }, 24).bits, 0);
}

static void this_machine_is_known_by_any_of_its_own_addresses(void **state)
{
	static const struct { const char *ip; bool loopback; } cases[] = {
		{ "127.0.0.1", true }, { "127.255.0.9", true }, { "0.0.0.0", true }, { "::1", true }, { "::", true }, { "::ffff:127.0.0.1", true },
		{ "128.0.0.1", false }, { "0.0.0.1", false }, { "10.0.0.1", false }, { "::2", false }, { "fe80::1", false }, { "1::", false },
	};
	struct ip ip;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(ip_parse(cases[i].ip, &ip));
		if (ip_is_loopback(&ip) != cases[i].loopback)
			fail_msg("%s", cases[i].ip);
	}
	assert_false(ip_is_loopback(&(struct ip){ 0 }));
}

static void addresses_that_nobody_outside_has_are_private(void **state)
{
	static const char *const private_ones[] = {
		"0.0.0.0", "10.255.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "169.254.1.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "::", "::1", "fc00::1", "fdff::1", "fe80::1",
		"febf::1", "::ffff:10.0.0.1",
	};
	static const char *const others[] = {
		"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "203.0.113.7", "::2", "2001:db8::1",
		"fec0::1", "::ffff:8.8.8.8",
	};
	struct ip ip = { 0 };

	(void)state;
	assert_false(ip_is_private(&ip));
	for (size_t i = 0; i < sizeof(private_ones) / sizeof(private_ones[0]); i++)
		if (!ip_parse(private_ones[i], &ip) || !ip_is_private(&ip))
			fail_msg("%s", private_ones[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!ip_parse(others[i], &ip) || ip_is_private(&ip))
			fail_msg("%s", others[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_and_written_in_canonical_form),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(an_unknown_address_prints_as_unknown),
		cmocka_unit_test(networks_are_read),
		cmocka_unit_test(a_network_contains_its_addresses_and_no_others),
		cmocka_unit_test(the_network_of_an_address_has_its_leading_bits),
		cmocka_unit_test(this_machine_is_known_by_any_of_its_own_addresses),
		cmocka_unit_test(addresses_that_nobody_outside_has_are_private),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
