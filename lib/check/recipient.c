/* recipient.c - recipients that do not exist, that are written badly, whose mail nobody wants, or whose mail has no way to go */
#include "check/check.h"

#include <string.h>

#include "check/destination.h"
#include "check/listed.h"
#include "message/header.h"
#include "policy/table.h"

enum { ENABLED, RESTRICTED_CHARS, RELAY_RECIPIENTS, BLACKHOLE };

static const struct setting settings[] = {
	[ENABLED] = SETTING_ENABLED,
	[RESTRICTED_CHARS] = { .name = "restricted_chars", .type = SET_STRING, .scope = SCOPE_POLICY, .def = "%!|/&;`$(){}<>\"\\ ",
		.def_text = "'%!|/&;`$(){}<>\"\\\\ '",
		.help = "characters that no local part may hold; control characters, a leading . or - and .. never may" },
	[RELAY_RECIPIENTS] = { .name = "relay_recipients", .type = SET_TABLE, .scope = SCOPE_POLICY, .def = NULL,
		.help = "addresses that exist, for domains without recipients; unset: all" },
	[BLACKHOLE] = { .name = "blackhole", .type = SET_TABLE, .scope = SCOPE_POLICY, .def = "",
		.help = "addresses accepted and delivered nowhere" },
	{ 0 }
};

static const enum class_id reports[] = {
	CLASS_MX_NOT_CONFIGURED, CLASS_MX_POINTS_TO_US, CLASS_UNROUTEABLE, CLASS_DESTINATION_NOT_CONFIGURED, CLASS_ADDRESS_CHARS, CLASS_BLACKHOLE, CLASS_COUNT
};

/* The domain's own table, else the policy's; without one all addresses exist. A recipient without a domain is the MTA's own ("postmaster"). */
static void judge_exists(struct txn *t)
{
	const struct address *a = &t->rcpt->address;
	const struct domain *domain;
	struct table *table;
	const char *option;
	enum answer answer;

	if (t->outbound || a->domain[0] == '\0')
		return;
	domain = config_domain(policy_config(t->policy), a->domain);
	if (domain != NULL && domain->recipients != NULL) {
		table = domain->recipients;
		option = "domain.recipients";
	} else {
		table = setting_table(t->policy, &settings[RELAY_RECIPIENTS]);
		option = "recipient.relay_recipients";
	}
	if (table == NULL)
		return;
	answer = table_lookup_address(table, a, t->mem, NULL);
	if (!listed(t, option, answer) && answer == ANSWER_NO)
		finding(t, CLASS_DESTINATION_NOT_CONFIGURED, 1.0, "recipient %.250s is not in %s", a->text, option);
}

/* The local part as it came, quotes and all: brackets and a source route taken off, up to the last @. */
static const char *raw_local(const char *raw, size_t *len_r)
{
	const char *end = raw + strlen(raw), *at, *colon;

	if (end > raw && *raw == '<') {
		raw++;
		if (end > raw && end[-1] == '>')
			end--;
	}
	if (*raw == '@' && (colon = memchr(raw, ':', (size_t)(end - raw))) != NULL)
		raw = colon + 1;
	at = memrchr(raw, '@', (size_t)(end - raw));
	*len_r = (size_t)((at != NULL ? at : end) - raw);
	return raw;
}

/* The octet at p, or the U+0080 to U+009F that begins there, is a control character. */
static bool is_control(const unsigned char *p, size_t left)
{
	return *p < 0x20 || *p == 0x7f || (*p == 0xc2 && left > 1 && p[1] >= 0x80 && p[1] <= 0x9f);
}

/* Judged are the octets that the MTA will pass on; what may reach a shell, a path or a gateway's routing is not to be found by unquoting first. */
static void judge_chars(struct txn *t)
{
	const char *restricted = setting_string(t->policy, &settings[RESTRICTED_CHARS]);
	const char *text = t->rcpt->address.text;
	size_t len;
	const char *local = raw_local(t->rcpt->raw, &len);

	for (size_t i = 0; i < len; i++) {
		if (is_control((const unsigned char *)local + i, len - i)) {
			finding(t, CLASS_ADDRESS_CHARS, 1.0, "control character in the local part of %.200s", text);
			return;
		}
		if (strchr(restricted, local[i]) != NULL) {
			finding(t, CLASS_ADDRESS_CHARS, 1.0, "character '%c' in the local part of %.200s (recipient.restricted_chars)", local[i], text);
			return;
		}
		if (local[i] == '@') {
			finding(t, CLASS_ADDRESS_CHARS, 1.0, "second @ in %.200s", text);
			return;
		}
	}
	if (!utf8_valid(local, len))
		finding(t, CLASS_ADDRESS_CHARS, 1.0, "octets that are not UTF-8 in the local part of %.200s", text);
	else if (len > 0 && (local[0] == '.' || local[0] == '-'))
		finding(t, CLASS_ADDRESS_CHARS, 1.0, "the local part of %.200s begins with '%c'", text, local[0]);
	else if (memmem(local, len, "..", 2) != NULL)
		finding(t, CLASS_ADDRESS_CHARS, 1.0, "two dots together in the local part of %.200s", text);
	else if (!t->rcpt->valid || len == 0)
		finding(t, CLASS_ADDRESS_CHARS, 1.0, "%.200s is not an address", t->rcpt->raw);
}

static void judge_rcpt(struct txn *t)
{
	destination_judge(t);
	judge_exists(t);
	judge_chars(t);
	if (!t->outbound && listed(t, "recipient.blackhole",
			table_lookup_address(setting_table(t->policy, &settings[BLACKHOLE]), &t->rcpt->address, t->mem, NULL)))
		finding(t, CLASS_BLACKHOLE, 1.0, "recipient %.200s is in recipient.blackhole", t->rcpt->address.text);
}

const struct check check_recipient = {
	.name = "recipient",
	.ask = { [STAGE_RCPT] = destination_ask },
	.judge = { [STAGE_RCPT] = judge_rcpt },
	.settings = settings,
	.reports = reports,
	.help = "recipients: which exist, how they may be written, which are delivered nowhere",
};
