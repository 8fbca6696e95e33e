/* global.c - the options of the top level and of DNS, and what the machine knows of itself */
#include "policy/global.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/inside.h"

#define MEGA 1048576.0

/* ---- what the rows allow */

/* libmilter's way to name a socket. */
static const char *check_socket(const char *text)
{
	static const char remedy[] = "write \"inet:PORT@HOST\", \"inet6:PORT@HOST\" or \"unix:PATH\"";
	bool six = strncmp(text, "inet6:", 6) == 0;
	const char *host, *port;
	struct ip ip;
	size_t digits;

	if (strncmp(text, "unix:", 5) == 0)
		return text[5] != '\0' && strlen(text + 5) < 108 ? NULL : "the path of a unix socket holds 1 to 107 characters";
	if (!six && strncmp(text, "inet:", 5) != 0)
		return remedy;
	port = strchr(text, ':') + 1;
	digits = strspn(port, "0123456789");
	host = port[digits] == '@' ? port + digits + 1 : NULL;
	if (digits == 0 || digits > 5 || (host == NULL && port[digits] != '\0') || (host != NULL && (host[0] == '\0' || strcspn(host, " \t/@") != strlen(host))))
		return remedy;
	if (strtol(port, NULL, 10) > 65535)
		return "a port is a number up to 65535";
	if (host != NULL && ip_parse(host, &ip) && (ip.family == 6) != six)
		return six ? "this is an IPv4 address; write \"inet:PORT@HOST\"" : "this is an IPv6 address; write \"inet6:PORT@HOST\"";
	return NULL;
}

static const char *check_control(const char *text)
{
	if (strncmp(text, "inet", 4) != 0 && strncmp(text, "unix:", 5) != 0 && text[0] != '\0')
		return strlen(text) < 108 ? NULL : "the path of a unix socket holds at most 107 characters";
	return check_socket(text) == NULL ? NULL : "write a path, \"unix:PATH\", \"inet:PORT@HOST\" or \"inet6:PORT@HOST\"";
}

static const char *check_mode(const char *text)
{
	size_t n = strlen(text);

	return n >= 3 && n <= 4 && strspn(text, "01234567") == n && (n == 3 || text[0] == '0') ? NULL : "write three octal digits (owner, group, others), as \"0660\"";
}

static const char *check_host_name(const char *text)
{
	static const char remedy[] = "write the name of a host, as \"mx1.example.net\"";
	size_t n = strlen(text), label = 0;

	if (n > 254)
		return remedy;
	for (size_t i = 0; i < n; i++) {
		char c = text[i];

		if (c == '.' && label == 0)
			return remedy;
		if (c != '.' && !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
			return remedy;
		label = c == '.' ? 0 : label + 1;
		if (label > 63)
			return remedy;
	}
	return NULL;
}

const char *setting_check_network(const char *text)
{
	struct ipnet net;

	if (ipnet_parse(text, false, &net))
		return NULL;
	if (ipnet_parse(text, true, &net))
		return "bits behind the network's length are set; make them zero";
	return "write an address or a network, as \"192.0.2.25\" or \"2001:db8::/32\"";
}

/* ---- the rows */

const struct setting global_settings[] = {
	[G_LISTEN] = { .name = "listen", .type = SET_PATH, .def = "inet:8893@127.0.0.1", .check = check_socket, .help = "where the MTA connects: inet:PORT@HOST, inet6:PORT@HOST, unix:PATH; -p overrides" },
	[G_DIRECTORY] = { .name = "directory", .type = SET_PATH, .def = "", .help = "where relative paths start; empty: the folder the program was started in" },
	[G_CONTROL] = { .name = "control", .type = SET_PATH, .def = "var/control.sock", .check = check_control, .help = "socket of winnowctl (a path alone is unix:)" },
	[G_CONTROL_GROUP] = { .name = "control_group", .type = SET_STRING, .def = "", .help = "group that may use it" },
	[G_LISTEN_GROUP] = { .name = "listen_group", .type = SET_STRING, .def = "", .help = "owner group of a unix listen socket" },
	[G_LISTEN_MODE] = { .name = "listen_mode", .type = SET_STRING, .def = "0660", .check = check_mode, .help = "its rights" },
	[G_SESSIONS_MAX] = { .name = "sessions_max", .type = SET_INT, .def = "2000", .max = 1000000, .unit = "sessions", .help = "sessions beyond it are answered 421 at connect; 0: no limit" },
	[G_MEMORY_TOTAL] = { .name = "memory_total", .type = SET_SIZE, .def = "512M", .min = MEGA, .max = 1e15,
		.help = "message bytes in memory, all sessions together; beyond it they go to the spool" },
	[G_USER] = { .name = "user", .type = SET_STRING, .def = "", .help = "identity after start as root" },
	[G_GROUP] = { .name = "group", .type = SET_STRING, .def = "", .help = "its group; empty: the user's" },
	[G_PID_FILE] = { .name = "pid_file", .type = SET_PATH, .def = "", .help = "written after the listener is open" },
	[G_SPOOL] = { .name = "spool", .type = SET_PATH, .def = "var/spool", .help = "folder of messages over memory_max while they arrive" },
	[G_MEMORY_MAX] = { .name = "memory_max", .type = SET_SIZE, .def = "1M", .max = 1024 * MEGA, .help = "largest message kept in memory" },
	[G_HOSTNAME] = { .name = "hostname", .type = SET_STRING, .def = NULL, .def_text = "\"\"", .check = check_host_name,
		.help = "authserv-id, HELO of callouts, one of our names; empty: the name of the machine" },
	[G_OWN_NAMES] = { .name = "own_names", .type = SET_LIST, .def = "", .check = check_host_name, .help = "further names of ours (HELO, MX)" },
	[G_OWN_IPS] = { .name = "own_ips", .type = SET_LIST, .def = NULL, .def_text = "{ }", .check = setting_check_network,
		.help = "addresses and networks of ours; empty: the addresses of the machine but loopback" },
	[G_DOMAINS] = { .name = "domains", .type = SET_TABLE, .def = "",
		.help = "recipient domains we accept mail for, besides the domain sections; none at all: the MTA's relay control is trusted" },
	[G_ROUTES] = { .name = "routes", .type = SET_TABLE, .def = "", .help = "domain -> SMTP route, for domains without a section and for callouts of senders and bounces" },
	[G_POLICIES] = { .name = "policies", .type = SET_TABLE, .def = "", .help = "address, domain or user -> name of a policy; asked before the domain sections" },
	[G_RELAY_NETWORKS] = { .name = "relay_networks", .type = SET_TABLE, .def = "", .help = "clients that may relay: their sessions are outbound" },
	[G_TRUSTED_NETWORKS] = { .name = "trusted_networks", .type = SET_TABLE, .def = "inline:127.0.0.0/8, ::1",
		.help = "this machine, forwarders and own relays: not judged by address, HELO and SPF, not counted, not greylisted" },
	[G_SUBMISSION_LISTENERS] = { .name = "submission_listeners", .type = SET_LIST, .def = "ORIGINATING, MSA, 587, 465",
		.help = "{daemon_name} or {daemon_port} of listeners that want authentication" },
	[G_OUTBOUND_LISTENERS] = { .name = "outbound_listeners", .type = SET_LIST, .def = "OUTBOUND", .help = "listeners for relaying by address, without authentication" },
	[G_BLOCK_IPS] = { .name = "block_ips", .type = SET_TABLE, .def = "", .help = "refused clients" },
	[G_BLOCK_IPS_OUTGOING] = { .name = "block_ips_outgoing", .type = SET_TABLE, .def = "", .help = "the same for outbound sessions" },
	[G_BLOCK_SENDERS] = { .name = "block_senders", .type = SET_TABLE, .def = "", .help = "envelope or header senders nobody gets mail from" },
	[G_BLOCK_SENDERS_OUTGOING] = { .name = "block_senders_outgoing", .type = SET_TABLE, .def = "", .help = "envelope senders of submissions" },
	[G_ALLOW_SENDERS] = { .name = "allow_senders", .type = SET_TABLE, .def = "", .help = "senders allowed for everybody" },
	[G_ALLOW_IPS] = { .name = "allow_ips", .type = SET_TABLE, .def = "", .help = "clients allowed for everybody" },
	{ 0 },
};

const struct setting dns_settings[] = {
	[DNS_SERVERS] = { .name = "servers", .type = SET_LIST, .def = "", .def_text = "{ }", .help = "recursive resolvers, ADDRESS or ADDRESS@PORT; none: those of /etc/resolv.conf" },
	[DNS_TIMEOUT] = { .name = "timeout", .type = SET_DURATION, .def = "3s", .min = 100, .max = 60000, .help = "for one question" },
	[DNS_TRUST_AD] = { .name = "trust_ad", .type = SET_BOOL, .def = "true", .help = "believe the AD bit of resolvers on loopback" },
	[DNS_REQUIRED] = { .name = "required", .type = SET_BOOL, .def = "false", .help = "true: no answer in time defers the message" },
	[DNS_CACHE] = { .name = "cache", .type = SET_SIZE, .def = "32M", .min = MEGA, .max = 65536 * MEGA, .help = "memory for answers" },
	{ 0 }
};

/* ---- what the machine knows of itself */

/* Lower case, without a trailing dot. */
static char *plain_name(TALLOC_CTX *mem, const char *text)
{
	char *name = talloc_strdup(mem, text);
	size_t n = strlen(name);

	if (n > 1 && name[n - 1] == '.')
		name[n - 1] = '\0';
	for (char *p = name; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return name;
}

static char *machine_name(TALLOC_CTX *mem)
{
	char name[256] = "";

	if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0' || check_host_name(name) != NULL)
		return talloc_strdup(mem, "localhost");
	return plain_name(mem, name);
}

static bool from_socket(const struct sockaddr *address, struct ip *ip)
{
	*ip = (struct ip){ .family = 0 };
	if (address != NULL && address->sa_family == AF_INET) {
		ip->family = 4;
		memcpy(ip->addr, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
	} else if (address != NULL && address->sa_family == AF_INET6) {
		ip->family = 6;
		memcpy(ip->addr, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
	}
	return ip->family != 0;
}

/* The addresses of all interfaces but loopback as text, each once. */
static const char **machine_ips(TALLOC_CTX *mem, size_t *n_r)
{
	struct ifaddrs *all = NULL;
	const char **list = talloc_zero_array(mem, const char *, 1);
	size_t n = 0;

	if (getifaddrs(&all) != 0)
		all = NULL;
	for (const struct ifaddrs *a = all; a != NULL; a = a->ifa_next) {
		char text[IP_TEXT_MAX];
		struct ip ip;
		bool known = false;

		if ((a->ifa_flags & IFF_LOOPBACK) != 0 || !from_socket(a->ifa_addr, &ip))
			continue;
		ip_print(&ip, text);
		for (size_t i = 0; i < n; i++)
			known |= strcmp(list[i], text) == 0;
		if (known)
			continue;
		list = talloc_realloc(mem, list, const char *, n + 2);
		list[n++] = talloc_strdup(list, text);
		list[n] = NULL;
	}
	if (all != NULL)
		freeifaddrs(all);
	*n_r = n;
	return list;
}

/* ---- building */

static const struct node *find_option(const struct node *tree, const char *name)
{
	for (const struct node *node = tree != NULL ? tree->children : NULL; node != NULL; node = node->next)
		if (node->kind == NODE_VALUE && strcmp(node->name, name) == 0)
			return node;
	return NULL;
}

void global_find_directory(struct builder *b, const struct node *tree)
{
	bool known = config_row_index(b->config, &global_settings[G_DIRECTORY]) >= 0;
	const struct node *node = known ? find_option(tree, global_settings[G_DIRECTORY].name) : NULL;
	const char *written = node != NULL ? node->values[0] : "";
	char *here = getcwd(NULL, 0);
	struct stat st;

	if (here == NULL || written[0] == '/')
		b->config->directory = talloc_strdup(b->config, written);
	else
		b->config->directory = talloc_asprintf(b->config, "%s%s%s", here, written[0] != '\0' && strcmp(here, "/") != 0 ? "/" : "", written);
	free(here);
	b->reader.directory = b->config->directory;
	if (written[0] != '\0' && (stat(b->config->directory, &st) != 0 || !S_ISDIR(st.st_mode)))
		config_error_add(b->errors, node->file, node->line, "directory: there is no folder %.200s; make it, or name another one", b->config->directory);
}

/* What was set at top level, or a new built-in value that is made to count as such. */
static struct value **at_top(struct builder *b, size_t row)
{
	ptrdiff_t index = config_row_index(b->config, &global_settings[row]);

	return index >= 0 ? &b->top.given[index] : NULL;
}

static void replace(struct value **place, struct value *value)
{
	if (*place != NULL) {
		value->file = (*place)->file;
		value->line = (*place)->line;
	}
	*place = value;
}

static void build_directory(struct builder *b)
{
	struct value **place = at_top(b, G_DIRECTORY), *value;

	if (place == NULL)
		return;
	value = value_string(b->config, b->config->directory);
	value->written = *place != NULL ? (*place)->written : "";
	replace(place, value);
}

static void build_hostname(struct builder *b)
{
	struct value **place = at_top(b, G_HOSTNAME);
	bool given = place != NULL && *place != NULL && (*place)->s[0] != '\0';
	char *name = given ? plain_name(b->config, (*place)->s) : machine_name(b->config);

	b->config->hostname = name;
	if (place != NULL)
		replace(place, value_string(b->config, name));
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void build_own_names(struct builder *b)
{
	struct config *config = b->config;
	struct value **place = at_top(b, G_OWN_NAMES);
	size_t n = place != NULL && *place != NULL ? (*place)->n_list : 0;

	config->own_names = talloc_array(config, const char *, n + 1);
	for (size_t i = 0; i < n; i++)
		config->own_names[i] = plain_name(config, (*place)->list[i]);
	config->own_names[n] = config->hostname;
	config->n_own_names = n + 1;
	qsort(config->own_names, n + 1, sizeof(config->own_names[0]), compare_texts);
}

static void build_own_ips(struct builder *b)
{
	struct config *config = b->config;
	struct value **place = at_top(b, G_OWN_IPS), *value;
	const char **list;
	size_t n;

	if (place == NULL)
		return;
	if (*place == NULL || (*place)->n_list == 0 || (*place)->append) {
		list = machine_ips(b->tmp, &n);
		value = value_list(config, list, n);
		if (*place != NULL)
			value_extend(value, *place);
		replace(place, value);
	}
	value = *place;
	config->own_nets = talloc_array(config, struct ipnet, value->n_list + 1);
	for (size_t i = 0; i < value->n_list; i++)
		if (ipnet_parse(value->list[i], true, &config->own_nets[config->n_own_nets]))
			config->n_own_nets++;
}

void global_build(struct builder *b)
{
	build_directory(b);
	build_hostname(b);
	build_own_names(b);
	build_own_ips(b);
}

/* ---- asking */

const char *config_hostname(const struct config *config)
{
	return config->hostname;
}

bool config_is_own_name(const struct config *config, const char *name)
{
	char plain[256];
	const char *key = plain;
	size_t n = strlen(name);

	if (n > 1 && name[n - 1] == '.')
		n--;
	if (n == 0 || n >= sizeof(plain))
		return false;
	for (size_t i = 0; i < n; i++)
		plain[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]);
	plain[n] = '\0';
	return bsearch(&key, config->own_names, config->n_own_names, sizeof(config->own_names[0]), compare_texts) != NULL;
}

bool config_is_own_ip(const struct config *config, const struct ip *ip)
{
	for (size_t i = 0; i < config->n_own_nets; i++)
		if (ipnet_contains(&config->own_nets[i], ip))
			return true;
	return false;
}
