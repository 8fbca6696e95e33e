/* test_global.c - the top-level options: their defaults, sockets, our own names and addresses */
#include "config_help.h"

#include "util/ip.h"

static void the_rows_are_those_of_the_manual(void **state)
{
	static const struct {
		int row;
		const char *name, *value;
	} want[] = {
		{ G_LISTEN, "listen", "\"inet:8893@127.0.0.1\"" }, { G_DIRECTORY, "directory", "\"\"" }, { G_CONTROL, "control", "\"var/control.sock\"" },
		{ G_CONTROL_GROUP, "control_group", "\"\"" }, { G_LISTEN_GROUP, "listen_group", "\"\"" }, { G_LISTEN_MODE, "listen_mode", "\"0660\"" },
		{ G_SESSIONS_MAX, "sessions_max", "2000" }, { G_MEMORY_TOTAL, "memory_total", "\"512M\"" }, { G_USER, "user", "\"\"" }, { G_GROUP, "group", "\"\"" },
		{ G_PID_FILE, "pid_file", "\"\"" }, { G_SPOOL, "spool", "\"var/spool\"" }, { G_MEMORY_MAX, "memory_max", "\"1M\"" }, { G_OWN_NAMES, "own_names", "{ }" },
		{ G_DOMAINS, "domains", "\"\"" }, { G_ROUTES, "routes", "\"\"" }, { G_POLICIES, "policies", "\"\"" }, { G_RELAY_NETWORKS, "relay_networks", "\"\"" },
		{ G_TRUSTED_NETWORKS, "trusted_networks", "\"inline:127.0.0.0/8, ::1\"" },
		{ G_SUBMISSION_LISTENERS, "submission_listeners", "{ \"ORIGINATING\", \"MSA\", \"587\", \"465\" }" }, { G_OUTBOUND_LISTENERS, "outbound_listeners", "{ \"OUTBOUND\" }" },
		{ G_BLOCK_IPS, "block_ips", "\"\"" }, { G_BLOCK_IPS_OUTGOING, "block_ips_outgoing", "\"\"" }, { G_BLOCK_SENDERS, "block_senders", "\"\"" },
		{ G_BLOCK_SENDERS_OUTGOING, "block_senders_outgoing", "\"\"" }, { G_ALLOW_SENDERS, "allow_senders", "\"\"" }, { G_ALLOW_IPS, "allow_ips", "\"\"" },
		{ G_HOSTNAME, "hostname", NULL }, { G_OWN_IPS, "own_ips", NULL },
	};
	struct fixture *f = *state;
	const struct policy *p = load(f, "");

	assert_int_equal(COUNT(want), GLOBAL_COUNT);
	assert_null(global_settings[GLOBAL_COUNT].name);
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_string_equal(global_settings[want[i].row].name, want[i].name);
		assert_int_equal(global_settings[want[i].row].scope, SCOPE_GLOBAL);
		assert_non_null(global_settings[want[i].row].help);
		if (want[i].value != NULL)
			assert_string_equal(config_value_text(f, p, &global_settings[want[i].row]), want[i].value);
	}
}

static void options_of_the_top_level_are_checked(void **state)
{
	static const struct {
		const char *name, *value, *error;      /* NULL: good */
	} cases[] = {
		{ "listen", "inet:8893@127.0.0.1", NULL },
		{ "listen", "inet:0@localhost", NULL },
		{ "listen", "inet:8893", NULL },
		{ "listen", "inet6:8893@::1", NULL },
		{ "listen", "unix:/run/winnow.sock", NULL },
		{ "listen", "", "write \"inet:PORT@HOST\"" },
		{ "listen", "8893@127.0.0.1", "write \"inet:PORT@HOST\"" },
		{ "listen", "inet:127.0.0.1:8893", "write \"inet:PORT@HOST\"" },
		{ "listen", "inet:@127.0.0.1", "write \"inet:PORT@HOST\"" },
		{ "listen", "inet:8893@", "write \"inet:PORT@HOST\"" },
		{ "listen", "inet:8893@a b", "write \"inet:PORT@HOST\"" },
		{ "listen", "inet:smtp@127.0.0.1", "write \"inet:PORT@HOST\"" },
		{ "listen", "inet:65536@127.0.0.1", "up to 65535" },
		{ "listen", "inet:8893@::1", "write \"inet6:PORT@HOST\"" },
		{ "listen", "inet6:8893@127.0.0.1", "write \"inet:PORT@HOST\"" },
		{ "listen", "/run/winnow.sock", "write \"inet:PORT@HOST\"" },
		{ "listen", "unix:", "1 to 107" },
		{ "control", "/run/control.sock", NULL },
		{ "control", "var/control.sock", NULL },
		{ "control", "unix:var/control.sock", NULL },
		{ "control", "inet:8894@127.0.0.1", NULL },
		{ "control", "", "write a path" },
		{ "control", "inet:x", "write a path" },
		{ "listen_mode", "0600", NULL },
		{ "listen_mode", "660", NULL },
		{ "listen_mode", "rw-rw----", "octal" },
		{ "listen_mode", "0680", "octal" },
		{ "listen_mode", "4660", "octal" },
		{ "listen_mode", "66", "octal" },
		{ "sessions_max", "0", NULL },
		{ "sessions_max", "1000001", "is out of range" },
		{ "memory_total", "1K", "is out of range" },
		{ "hostname", "mx1.example.net", NULL },
		{ "hostname", "MX1.example.net.", NULL },
		{ "hostname", "", NULL },
		{ "hostname", "mx1..example", "the name of a host" },
		{ "hostname", "mx1 example", "the name of a host" },
		{ "hostname", "[192.0.2.1]", "the name of a host" },
		{ "own_names", "m/x", "the name of a host" },
		{ "own_ips", "192.0.2.1", NULL },
		{ "own_ips", "192.0.2.0/24", NULL },
		{ "own_ips", "2001:db8::/32", NULL },
		{ "own_ips", "192.0.2.1/24", "bits behind the network's length" },
		{ "own_ips", "192.0.2", "write an address or a network" },
		{ "own_ips", "mx.example.net", "write an address or a network" },
		{ "domains", "inline:a.example, b.example", NULL },
		{ "relay_networks", "inline:192.0.2.0/24", NULL },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		char *text = talloc_asprintf(f, "\n%s = \"%s\"\n", cases[i].name, cases[i].value);

		if (cases[i].error == NULL)
			load(f, text);
		else
			refused(f, text, 2, cases[i].error);
	}
	refused(f, "own_ips = { \"192.0.2.1\",\n \"x\" }\n", 1, "own_ips: \"x\"");
}

static void our_names_are_hostname_and_own_names(void **state)
{
	struct fixture *f = *state;

	load(f, "hostname = \"MX1.Example.NET.\"\nown_names = { \"b.example\", \"A.example.\" }\n");
	assert_string_equal(config_hostname(f->config), "mx1.example.net");
	assert_string_equal(setting_string(config_default_policy(f->config), &global_settings[G_HOSTNAME]), "mx1.example.net");
	assert_true(config_is_own_name(f->config, "mx1.example.net"));
	assert_true(config_is_own_name(f->config, "Mx1.EXAMPLE.net."));
	assert_true(config_is_own_name(f->config, "a.example"));
	assert_true(config_is_own_name(f->config, "B.example."));
	assert_false(config_is_own_name(f->config, "example.net"));
	assert_false(config_is_own_name(f->config, "x.a.example"));
	assert_false(config_is_own_name(f->config, "a.example.."));
	assert_false(config_is_own_name(f->config, ""));
	assert_false(config_is_own_name(f->config, "."));
	assert_false(config_is_own_name(f->config, talloc_asprintf(f, "%0300d", 0)));
}

static void without_hostname_the_machine_has_a_name(void **state)
{
	struct fixture *f = *state;
	char name[256] = "";

	assert_int_equal(gethostname(name, sizeof(name) - 1), 0);
	load(f, "hostname = \"\"\n");
	assert_true(strcasecmp(config_hostname(f->config), name) == 0 || strcmp(config_hostname(f->config), "localhost") == 0);
	assert_true(config_is_own_name(f->config, config_hostname(f->config)));
	for (const char *p = config_hostname(f->config); *p != '\0'; p++)
		assert_false(*p >= 'A' && *p <= 'Z');
}

static bool is_own(struct fixture *f, const char *text)
{
	struct ip ip;

	assert_true(ip_parse(text, &ip));
	return config_is_own_ip(f->config, &ip);
}

static void our_addresses_are_those_that_are_configured(void **state)
{
	struct fixture *f = *state;

	load(f, "own_ips = { \"192.0.2.1\", \"198.51.100.0/24\", \"2001:db8::/32\" }\n");
	assert_true(is_own(f, "192.0.2.1"));
	assert_false(is_own(f, "192.0.2.2"));
	assert_true(is_own(f, "198.51.100.77"));
	assert_true(is_own(f, "2001:db8:1::1"));
	assert_true(is_own(f, "::ffff:192.0.2.1"));
	assert_false(is_own(f, "2001:db9::1"));
	assert_false(is_own(f, "127.0.0.1"));
	assert_false(config_is_own_ip(f->config, &(struct ip){ .family = 0 }));
}

static void by_default_our_addresses_are_the_machines_but_loopback(void **state)
{
	struct fixture *f = *state;
	const char *const *list;
	size_t n = 0;

	load(f, "");
	assert_false(is_own(f, "127.0.0.1"));
	assert_false(is_own(f, "::1"));
	assert_false(is_own(f, "192.0.2.1"));
	for (list = setting_list(config_default_policy(f->config), &global_settings[G_OWN_IPS]); *list != NULL; list++, n++)
		assert_true(is_own(f, *list));
	load(f, "own_ips += \"192.0.2.1\"\n");
	assert_true(is_own(f, "192.0.2.1"));
	list = setting_list(config_default_policy(f->config), &global_settings[G_OWN_IPS]);
	assert_string_equal(list[n], "192.0.2.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_rows_are_those_of_the_manual, set_up, tear_down),
		cmocka_unit_test_setup_teardown(options_of_the_top_level_are_checked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(our_names_are_hostname_and_own_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_hostname_the_machine_has_a_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(our_addresses_are_those_that_are_configured, set_up, tear_down),
		cmocka_unit_test_setup_teardown(by_default_our_addresses_are_the_machines_but_loopback, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
