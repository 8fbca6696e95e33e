/* dnsbl_rows.c - DNS lists as they are configured: the rows, ready-made sections for those that are known, and what a section says of an answer */
#include "check/dnsbl.h"

#include <string.h>
#include <strings.h>

#include "policy/policy.h"

static const char *check_zone(const char *title)
{
	return dnslist_zone_good(title) ? NULL : "write the name of a DNS list's zone, as \"zen.spamhaus.org\" (letters, digits, hyphens and dots, at most 189 characters)";
}

const char *dnsbl_check_name(const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++)
		if (text[i] < 0x20 || text[i] > 0x7e || text[i] == '"' || text[i] == '\\')
			return "a list's name is shown in replies and headers: printable ASCII without quotes and backslashes";
	return n <= 60 ? NULL : "a list's name has at most 60 characters";
}

const struct setting dnsbl_settings[] = {
	[DNSBL_ENABLED] = SETTING_ENABLED,
	[DNSBL_LISTS_MIN] = { .name = "lists_min", .type = SET_INT, .scope = SCOPE_POLICY, .def = "2", .min = 1, .max = DNSLIST_LISTS_MAX, .unit = "operators",
		.help = "lists of different operators that make the class dnsbl-multiple" },
	[DNSBL_ALLOW_LISTS_MIN] = { .name = "allow_lists_min", .type = SET_INT, .scope = SCOPE_POLICY, .def = "2", .min = 1, .max = DNSLIST_LISTS_MAX, .unit = "lists",
		.help = "allow lists that make the class dnswl" },
	[DNSBL_SKIP] = { .name = "skip", .type = SET_LIST, .check = setting_check_network,
		.def = "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 127.0.0.0/8, 169.254.0.0/16, 100.64.0.0/10, ::1, fe80::/10, fc00::/7",
		.help = "client networks that no list is asked for" },
	{ 0 }
};

#define CODES(row, text, words) { .name = row, .type = SET_LIST, .def = text, .check = dnslist_code_check, .help = words }
#define NAME { .name = "name", .type = SET_STRING, .def = "", .check = dnsbl_check_name, .help = "shown instead of the zone; empty: the zone, and KEY where it holds one" }
#define SELF_TEST { .name = "self_test", .type = SET_BOOL, .def = "true", .help = "suspend the list while 127.0.0.2 is not listed or 127.0.0.1 is" }

const struct setting blocklist_settings[] = {
	[BLOCKLIST_XBL] = CODES("xbl", "", "codes that mean: a machine that was taken over (class xbl)"),
	[BLOCKLIST_PBL] = CODES("pbl", "", "codes that mean: an address that should not send mail directly (class pbl)"),
	[BLOCKLIST_RBL] = CODES("rbl", "", "codes that refuse by themselves (class rbl)"),
	[BLOCKLIST_INTERNAL] = CODES("internal", "", "codes of a list of your own (class ip-blacklisted-internal)"),
	[BLOCKLIST_COUNT] = CODES("count", "127.0.0.0/8", "codes that count towards dnsbl.lists_min"),
	[BLOCKLIST_OPERATOR] = { .name = "operator", .type = SET_STRING, .def = "", .help = "lists of one operator count once; empty: the zone" },
	[BLOCKLIST_NAME] = NAME,
	[BLOCKLIST_SELF_TEST] = SELF_TEST,
	{ 0 }
};

const struct setting allowlist_settings[] = {
	[ALLOWLIST_COUNT] = CODES("count", "127.0.0.0/8", "codes that count towards dnsbl.allow_lists_min; of DNSWL, where nothing is written: trust 1 to 3"),
	[ALLOWLIST_ALONE] = CODES("alone", "", "codes that suffice alone (class dnswl)"),
	[ALLOWLIST_NAME] = NAME,
	[ALLOWLIST_SELF_TEST] = SELF_TEST,
	{ 0 }
};

static const char block_example[] =
	"# The lists that are known. Ask their operators' terms before: most are free for small sites alone, and none answers public resolvers.\n"
	"# Spamhaus ZEN: SBL, CSS, DROP (.2 .3 .9), XBL (.4 to .7), PBL (.10 .11), botnet controllers (.30). The one that refuses by itself.\n"
	"blocklist \"zen.spamhaus.org\" {\n"
	"\txbl = { \"127.0.0.4/30\" }\n"
	"\tpbl = { \"127.0.0.10/31\" }\n"
	"\trbl = { \"127.0.0.2/31\", \"127.0.0.9\", \"127.0.0.30\" }\n"
	"\toperator = \"spamhaus\"\n"
	"\tname = \"Spamhaus ZEN\"\n"
	"}\n"
	"# The same with a key of Spamhaus' Data Query Service, instead of the public zone: the key stands for abcdefghijklmnopqrstuvwxyz. It is never shown.\n"
	"blocklist \"abcdefghijklmnopqrstuvwxyz.zen.dq.spamhaus.net\" {\n"
	"\txbl = { \"127.0.0.4/30\" }\n"
	"\tpbl = { \"127.0.0.10/31\" }\n"
	"\trbl = { \"127.0.0.2/31\", \"127.0.0.9\", \"127.0.0.30\" }\n"
	"\toperator = \"spamhaus\"\n"
	"\tname = \"Spamhaus ZEN\"\n"
	"}\n"
	"# The others count: two operators that list a client refuse it together.\n"
	"blocklist \"bl.spamcop.net\" {\n"
	"\tcount = { \"127.0.0.2\" }\n"
	"\tname = \"SpamCop\"\n"
	"}\n"
	"# Barracuda answers registered resolvers alone.\n"
	"blocklist \"b.barracudacentral.org\" {\n"
	"\tcount = { \"127.0.0.2\" }\n"
	"\tname = \"Barracuda\"\n"
	"}\n"
	"# PSBL: spam traps.\n"
	"blocklist \"psbl.surriel.com\" {\n"
	"\tcount = { \"127.0.0.2\" }\n"
	"\tname = \"PSBL\"\n"
	"}\n"
	"# Mailspike: .2 a wave of spam, .10 to .12 a reputation from worst to bad.\n"
	"blocklist \"bl.mailspike.net\" {\n"
	"\tcount = { \"127.0.0.2\", \"127.0.0.[10..12]\" }\n"
	"\toperator = \"mailspike\"\n"
	"\tname = \"Mailspike\"\n"
	"}\n"
	"blocklist \"bl.blocklist.de\" {\n"
	"\tname = \"blocklist.de\"\n"
	"}\n"
	"blocklist \"dnsbl.dronebl.org\" {\n"
	"\tname = \"DroneBL\"\n"
	"}\n"
	"blocklist \"bl.spameatingmonkey.net\" {\n"
	"\tname = \"Spam Eating Monkey\"\n"
	"}\n";

static const char allow_example[] =
	"# DNSWL: the last octet is the trust, 0 none to 3 high; medium and high suffice alone.\n"
	"allowlist \"list.dnswl.org\" {\n"
	"\tcount = { \"127.0.[2..20].[1..3]\" }\n"
	"\talone = { \"127.0.[2..20].[2;3]\" }\n"
	"\tname = \"DNSWL\"\n"
	"}\n"
	"# Mailspike's reputation: .18 good, .19 very good, .20 excellent. Whether it has test points is not written anywhere.\n"
	"allowlist \"rep.mailspike.net\" {\n"
	"\tcount = { \"127.0.0.[18..20]\" }\n"
	"\tname = \"Mailspike reputation\"\n"
	"\tself_test = false\n"
	"}\n";

const struct section dnsbl_sections[] = {
	{ .name = "blocklist", .title = "ZONE", .titled = true, .titled_max = DNSLIST_LISTS_MAX / 2, .check_title = check_zone, .show_title = dnslist_shown, .rows = blocklist_settings, .example = block_example,
		.help = "a DNS list of clients that send spam; asked at connect, for strangers alone" },
	{ .name = "allowlist", .title = "ZONE", .titled = true, .titled_max = DNSLIST_LISTS_MAX / 2, .check_title = check_zone, .show_title = dnslist_shown, .rows = allowlist_settings, .example = allow_example,
		.help = "a DNS list of clients that are known to be good: opens what an allow list may open, never malware, phishing, DMARC" },
	{ 0 }
};

/* ---- lists of a configuration */

static const char *shown(TALLOC_CTX *mem, const struct policy *entry, const struct setting *name)
{
	const char *text = setting_string(entry, name);

	return text[0] != '\0' ? text : dnslist_shown(mem, policy_name(entry));
}

static struct dnsbl_list list_of(TALLOC_CTX *mem, enum dnslist_kind kind, const struct policy *entry)
{
	bool block = kind == DNSLIST_BLOCK;

	return (struct dnsbl_list){
		.id = {
			.kind = kind, .zone = policy_name(entry),
			.shown = shown(mem, entry, block ? &blocklist_settings[BLOCKLIST_NAME] : &allowlist_settings[ALLOWLIST_NAME]),
			.self_test = setting_bool(entry, block ? &blocklist_settings[BLOCKLIST_SELF_TEST] : &allowlist_settings[ALLOWLIST_SELF_TEST]),
		},
		.entry = entry,
	};
}

struct dnsbl_list *dnsbl_lists(TALLOC_CTX *mem, const struct config *config, size_t *n_r)
{
	size_t blocks = config_titled_count(config, blocklist_settings), allows = config_titled_count(config, allowlist_settings);
	struct dnsbl_list *lists = talloc_array(mem, struct dnsbl_list, blocks + allows);

	*n_r = lists != NULL ? blocks + allows : 0;
	for (size_t i = 0; i < *n_r; i++) {
		enum dnslist_kind kind = i < blocks ? DNSLIST_BLOCK : DNSLIST_ALLOW;

		lists[i] = list_of(lists, kind, config_titled(config, i < blocks ? blocklist_settings : allowlist_settings, i < blocks ? i : i - blocks));
		if (lists[i].id.shown == NULL) {         /* out of memory: no list is better than one that shows its key */
			*n_r = 0;
			break;
		}
	}
	return lists;
}

const char *dnsbl_operator(const struct dnsbl_list *list)
{
	const char *text = list->id.kind == DNSLIST_BLOCK ? setting_string(list->entry, &blocklist_settings[BLOCKLIST_OPERATOR]) : "";

	return text[0] != '\0' ? text : list->id.zone;
}

/* DNSWL lists those that it does not trust, too. */
static bool is_dnswl(const struct dnsbl_list *list)
{
	static const char zone[] = "dnswl.org";
	size_t n = strlen(list->id.zone);

	n -= n > 0 && list->id.zone[n - 1] == '.';
	return n >= sizeof(zone) - 1 && strncasecmp(list->id.zone + n - (sizeof(zone) - 1), zone, sizeof(zone) - 1) == 0;
}

/* Does this row of its section hold one of the answer's codes? */
static bool row_matches(TALLOC_CTX *mem, const struct dnsbl_list *list, int row)
{
	static const char *const trusted[] = { "127.0.[0..255].[1..3]", NULL };
	const struct setting *setting = list->id.kind == DNSLIST_BLOCK ? &blocklist_settings[row] : &allowlist_settings[row];
	struct dnslist_codes codes;
	const char *file = NULL;
	int line = 0;
	bool yes;

	config_origin(list->entry, setting, &file, &line);
	codes = dnslist_codes_parse(mem, list->id.kind == DNSLIST_ALLOW && row == ALLOWLIST_COUNT && file == NULL && is_dnswl(list) ? trusted : setting_list(list->entry, setting));
	yes = dnslist_codes_match(&codes, list->answer.codes, list->answer.n);
	talloc_free(codes.v);
	return yes;
}

unsigned dnsbl_matches(TALLOC_CTX *mem, const struct dnsbl_list *list)
{
	static const int block[] = { BLOCKLIST_XBL, BLOCKLIST_PBL, BLOCKLIST_RBL, BLOCKLIST_INTERNAL, BLOCKLIST_COUNT, -1 }, allow[] = { ALLOWLIST_COUNT, ALLOWLIST_ALONE, -1 };
	unsigned rows = 0;

	if (list->answer.says != DNSLIST_LISTED)
		return 0;
	for (const int *row = list->id.kind == DNSLIST_BLOCK ? block : allow; *row >= 0; row++)
		if (row_matches(mem, list, *row))
			rows |= 1U << *row;
	return rows;
}
