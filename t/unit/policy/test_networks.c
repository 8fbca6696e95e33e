/* test_networks.c - sets of networks against the slow and obvious way */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "policy/networks.h"

static uint64_t seed;

static uint32_t next_random(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 33);
}

/* Addresses that crowd into few places and both ends, so that networks nest and touch. */
static struct ip random_ip(int family)
{
	struct ip ip = { .family = (uint8_t)family };

	for (int i = 0; i < (family == 4 ? 4 : 16); i++) {
		uint32_t r = next_random() % 8;

		ip.addr[i] = (uint8_t)(r < 3 ? 0 : r < 5 ? 0xff : r == 5 ? 0x80 : next_random());
	}
	return ip;
}

static bool slow_find(const struct ipnet *nets, unsigned n, enum networks_rule rule, const struct ip *ip, uint32_t *item_r)
{
	bool found = false;

	for (unsigned i = 0; i < n; i++) {
		if (!ipnet_contains(&nets[i], ip))
			continue;
		if (!found || (rule == NETWORKS_NARROWEST && nets[i].bits > nets[*item_r].bits))
			*item_r = i;
		found = true;
	}
	return found;
}

static void answers_are_those_of_a_linear_search(void **state)
{
	enum { ROUNDS = 300, NETS = 60, ASKED = 200 };

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct networks *networks = networks_new(NULL);
		enum networks_rule rule = round % 2 == 0 ? NETWORKS_NARROWEST : NETWORKS_FIRST;
		struct ipnet nets[NETS];
		uint32_t item;
		unsigned n = round % NETS;

		seed = round;
		for (unsigned i = 0; i < n; i++) {
			struct ip ip = random_ip(next_random() % 2 == 0 ? 4 : 6);

			nets[i] = ipnet_of(&ip, next_random() % (ip.family == 4 ? 33 : 129));
			assert_true(networks_add(networks, &nets[i], i));
		}
		assert_int_equal(networks_seal(networks, rule, NULL, NULL, &item), 0);
		for (unsigned i = 0; i < ASKED; i++) {
			struct ip ip = random_ip(next_random() % 2 == 0 ? 4 : 6);
			uint32_t got = 0, want = 0;

			if (n > 0 && i % 2 == 0)
				ip = nets[i % n].ip;
			assert_int_equal(networks_find(networks, &ip, &got), slow_find(nets, n, rule, &ip, &want));
			assert_int_equal(got, want);
		}
		talloc_free(networks);
	}
}

static void the_bounds_of_a_network_belong_to_it(void **state)
{
	static const struct {
		const char *net, *inside[2], *outside[2];
	} cases[] = {
		{ "0.0.0.0/0", { "0.0.0.0", "255.255.255.255" }, { "::", "::1" } },
		{ "255.255.255.255", { "255.255.255.255", "255.255.255.255" }, { "255.255.255.254", "0.0.0.0" } },
		{ "0.0.0.0", { "0.0.0.0", "0.0.0.0" }, { "0.0.0.1", "255.255.255.255" } },
		{ "::/0", { "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" }, { "0.0.0.0", "255.255.255.255" } },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" }, { "::", "ffff::" } },
		{ "2001:db8::/32", { "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff" }, { "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::" } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct networks *networks = networks_new(NULL);
		struct ipnet net;
		struct ip ip;
		uint32_t item;

		assert_true(ipnet_parse(cases[i].net, false, &net));
		assert_true(networks_add(networks, &net, 7));
		assert_int_equal(networks_seal(networks, NETWORKS_NARROWEST, NULL, NULL, &item), 0);
		for (int k = 0; k < 2; k++) {
			item = 0;
			assert_true(ip_parse(cases[i].inside[k], &ip) && networks_find(networks, &ip, &item));
			assert_int_equal(item, 7);
			assert_true(ip_parse(cases[i].outside[k], &ip));
			assert_false(networks_find(networks, &ip, &item));
		}
		talloc_free(networks);
	}
}

static bool never_same(const void *context, uint32_t a, uint32_t b)
{
	assert_string_equal(context, "context");
	assert_true(a < b);
	return false;
}

static void a_network_added_twice_is_told(void **state)
{
	static const char *const texts[] = { "192.0.2.0/24", "192.0.2.0/25", "2001:db8::/32", "192.0.2.0/24" };
	struct networks *networks = networks_new(NULL);
	struct ip none = { 0 };
	uint32_t item = 0;

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		struct ipnet net;

		assert_true(ipnet_parse(texts[i], false, &net));
		assert_true(networks_add(networks, &net, i));
	}
	assert_int_equal(networks_seal(networks, NETWORKS_NARROWEST, never_same, "context", &item), -EEXIST);
	assert_int_equal(item, 3);
	assert_false(networks_find(networks, &none, &item));
	talloc_free(networks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_those_of_a_linear_search),
		cmocka_unit_test(the_bounds_of_a_network_belong_to_it),
		cmocka_unit_test(a_network_added_twice_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
