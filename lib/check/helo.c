/* helo.c - what the client calls itself (RFC 5321 sections 2.3.5, 4.1.1.1, 4.1.3) */
#include "check/check.h"

#include <string.h>
#include <strings.h>

#include "policy/global.h"
#include "util/ip.h"

enum { ENABLED, ALLOW_LITERAL, ALLOW_UNDERSCORE, ALLOW_SINGLE_LABEL };
enum { NAME_MAX_LENGTH = 255, LABEL_MAX = 63 };

static const struct setting settings[] = {
	[ENABLED] = SETTING_ENABLED,
	[ALLOW_LITERAL] = { .name = "allow_literal", .type = SET_BOOL, .scope = SCOPE_POLICY, .def = "true",
		.help = "[192.0.2.1] and [IPv6:2001:db8::1] are valid greetings" },
	[ALLOW_UNDERSCORE] = { .name = "allow_underscore", .type = SET_BOOL, .scope = SCOPE_POLICY, .def = "false",
		.help = "names with an underscore pass" },
	[ALLOW_SINGLE_LABEL] = { .name = "allow_single_label", .type = SET_BOOL, .scope = SCOPE_POLICY, .def = "false",
		.help = "names without a dot pass" },
	{ 0 }
};

static const enum class_id reports[] = { CLASS_HELO_IS_US, CLASS_HELO_INVALID, CLASS_COUNT };

/* Reads "[192.0.2.1]" or "[IPv6:2001:db8::1]": the tag is needed for the one and not for the other. */
static bool literal_parse(const char *helo, struct ip *ip_r)
{
	size_t n = strlen(helo);
	char inner[IP_TEXT_MAX];
	const char *address = inner;
	bool tagged;

	*ip_r = (struct ip){ 0 };
	if (n < 2 || helo[0] != '[' || helo[n - 1] != ']' || n - 2 >= sizeof(inner))
		return false;
	memcpy(inner, helo + 1, n - 2);
	inner[n - 2] = '\0';
	tagged = strncasecmp(inner, "IPv6:", 5) == 0;
	if (tagged)
		address += 5;
	/* the parser takes a tag of its own: not a second one */
	if (strncasecmp(address, "IPv6:", 5) == 0 || (strchr(address, ':') != NULL) != tagged)
		return false;
	return ip_parse(address, ip_r);
}

static bool is_us(const struct config *config, const char *helo)
{
	struct ip ip;

	if (config_is_own_name(config, helo))
		return true;
	return (literal_parse(helo, &ip) || ip_parse(helo, &ip)) && config_is_own_ip(config, &ip);
}

/* What is wrong with a label, NULL: nothing. */
static const char *label_fault(const char *label, size_t n, bool allow_underscore)
{
	if (n == 0)
		return "it has an empty label";
	if (n > LABEL_MAX)
		return "it has a label of more than 63 octets";
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)label[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-')
			continue;
		if (c == '_' && allow_underscore)
			continue;
		return c == '_' ? "it holds an underscore (helo.allow_underscore)" : "it holds a character that no host name has";
	}
	if (label[0] == '-' || label[n - 1] == '-')
		return "a label begins or ends with a hyphen";
	return NULL;
}

/* What is wrong with a host name, NULL: nothing. One dot at the end is tolerated. */
static const char *name_fault(const char *name, bool allow_underscore, bool allow_single_label)
{
	size_t n = strlen(name), labels = 0;
	const char *label = name, *end;

	if (n > 0 && name[n - 1] == '.')
		n--;
	if (n == 0)
		return "it is empty";
	if (n > NAME_MAX_LENGTH)
		return "it has more than 255 octets";
	for (end = name + n; label <= end; labels++) {
		const char *dot = memchr(label, '.', (size_t)(end - label));
		size_t len = dot != NULL ? (size_t)(dot - label) : (size_t)(end - label);
		const char *fault = label_fault(label, len, allow_underscore);

		if (fault != NULL)
			return fault;
		if (dot == NULL && strspn(label, "0123456789") >= len)
			return "its last label is a number";
		label += len + 1;
	}
	if (labels == 1 && !allow_single_label)
		return "it is not fully qualified (helo.allow_single_label)";
	return NULL;
}

static const char *helo_fault(const struct policy *policy, const char *helo)
{
	struct ip ip;

	if (helo[0] == '[') {
		if (!literal_parse(helo, &ip))
			return "it is a malformed address literal";
		return setting_bool(policy, &settings[ALLOW_LITERAL]) ? NULL : "it is an address literal (helo.allow_literal)";
	}
	if (ip_parse(helo, &ip))
		return "it is a bare IP address";
	return name_fault(helo, setting_bool(policy, &settings[ALLOW_UNDERSCORE]), setting_bool(policy, &settings[ALLOW_SINGLE_LABEL]));
}

/* Clients that we trust, and those without an address (a unix socket: this machine), may greet as they like. */
static void judge_helo(struct txn *t)
{
	const struct session *s = t->session;
	const struct config *config = policy_config(t->policy);
	char ip[IP_TEXT_MAX];
	const char *fault;

	if (s->helo == NULL || t->outbound || s->trusted || s->client.family == 0)
		return;
	if (!s->relay && !ip_is_loopback(&s->client) && !config_is_own_ip(config, &s->client) && is_us(config, s->helo)) {
		finding(t, CLASS_HELO_IS_US, 1.0, "client %s says HELO %.200s", ip_print(&s->client, ip), s->helo);
		return;
	}
	fault = helo_fault(t->policy, s->helo);
	if (fault != NULL)
		finding_shown(t, CLASS_HELO_INVALID, 1.0, "HELO %.200s: %s", s->helo, fault);
}

const struct check check_helo = {
	.name = "helo",
	.judge = { [STAGE_HELO] = judge_helo },
	.settings = settings,
	.reports = reports,
	.help = "what the client calls itself",
};
