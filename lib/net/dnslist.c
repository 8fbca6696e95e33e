/* dnslist.c - DNS block and allow lists (RFC 5782): names to ask, and what an answer says */
#include "net/dnslist.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { IPV6_TEXT = 64, ZONE_MAX = 253 - IPV6_TEXT, LABEL_MAX = 63, KEY_LEN_MIN = 20 };

const char *dnslist_kind_name(enum dnslist_kind kind)
{
	return kind == DNSLIST_ALLOW ? "allowlist" : "blocklist";
}

/* ---- names */

/* The zone's length without a dot at its end. */
static size_t zone_length(const char *zone)
{
	size_t len = strlen(zone);

	return len > 0 && zone[len - 1] == '.' ? len - 1 : len;
}

bool dnslist_same_zone(const char *a, const char *b)
{
	return zone_length(a) == zone_length(b) && strncasecmp(a, b, zone_length(a)) == 0;
}

static bool label_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool dnslist_zone_good(const char *zone)
{
	size_t len = zone_length(zone), label = 0;

	if (len == 0 || len > ZONE_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (zone[i] == '.' ? label == 0 : !label_character(zone[i]) || label == LABEL_MAX)
			return false;
		label = zone[i] == '.' ? 0 : label + 1;
	}
	return label > 0;
}

static bool name_ipv4(char name_r[DNSLIST_NAME_MAX], const uint8_t a[4], const char *zone)
{
	int len = (int)zone_length(zone);

	return snprintf(name_r, DNSLIST_NAME_MAX, "%u.%u.%u.%u.%.*s", a[3], a[2], a[1], a[0], len, zone) <= 253 && len > 0;
}

static bool name_ipv6(char name_r[DNSLIST_NAME_MAX], const uint8_t a[16], const char *zone)
{
	static const char hex[] = "0123456789abcdef";
	size_t len = zone_length(zone);
	char *p = name_r;

	if (len == 0 || len > ZONE_MAX)
		return false;
	for (int i = 15; i >= 0; i--) {
		*p++ = hex[a[i] & 15];
		*p++ = '.';
		*p++ = hex[a[i] >> 4];
		*p++ = '.';
	}
	memcpy(p, zone, len);
	p[len] = '\0';
	return true;
}

bool dnslist_name(char name_r[DNSLIST_NAME_MAX], const struct ip *ip, const char *zone)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (ip->family == 4)
		return name_ipv4(name_r, ip->addr, zone);
	if (ip->family != 6)
		return false;
	return memcmp(ip->addr, mapped, sizeof(mapped)) == 0 ? name_ipv4(name_r, ip->addr + 12, zone) : name_ipv6(name_r, ip->addr, zone);
}

bool dnslist_point_name(char name_r[DNSLIST_NAME_MAX], enum dnslist_point point, const char *zone)
{
	uint8_t a[16] = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = point == POINT_LISTED || point == POINT_LISTED_IPV6 ? 2 : 1 };

	return point <= POINT_NOT_LISTED ? name_ipv4(name_r, a + 12, zone) : name_ipv6(name_r, a, zone);
}

/* Before a name of Spamhaus' key service the first label is a key; elsewhere a long one of letters and digits mixed may be one: hiding a name that is none does no harm. */
static bool looks_like_key(const char *zone, size_t len, size_t label)
{
	static const char service[] = ".dq.spamhaus.net";
	bool digit = false, letter = false;

	if (len > sizeof(service) && strncasecmp(zone + len - (sizeof(service) - 1), service, sizeof(service) - 1) == 0 && label >= KEY_LEN_MIN)
		return true;
	for (size_t i = 0; i < label; i++) {
		digit |= zone[i] >= '0' && zone[i] <= '9';
		letter |= (zone[i] | 32) >= 'a' && (zone[i] | 32) <= 'z';
		if (zone[i] == '-' || zone[i] == '_')
			return false;
	}
	return label >= KEY_LEN_MIN && digit && letter;
}

char *dnslist_shown(TALLOC_CTX *mem, const char *zone)
{
	size_t len = zone_length(zone), at = 0;
	char *shown = talloc_strdup(mem, "");

	/* the text may be no zone at all: then it is shown in an error */
	while (at < len && shown != NULL) {
		size_t label = 0, rest;
		bool key;

		while (at + label < len && label_character(zone[at + label]))
			label++;
		key = looks_like_key(zone + at, len - at, label);
		rest = at + label < len;
		shown = talloc_asprintf_append_buffer(shown, "%.*s%.*s", key ? 3 : (int)label, key ? "KEY" : zone + at, (int)rest, zone + at + label);
		at += label + rest;
	}
	return shown;
}

/* ---- answers */

static bool read_address(const char *text, uint32_t *address_r)
{
	struct ip ip;

	if (!ip_parse(text, &ip) || ip.family != 4)
		return false;
	*address_r = (uint32_t)ip.addr[0] << 24 | (uint32_t)ip.addr[1] << 16 | (uint32_t)ip.addr[2] << 8 | ip.addr[3];
	return true;
}

/* What is never a listing, whatever is configured. */
static enum dnslist_trouble trouble_of(enum dnslist_kind kind, uint32_t address)
{
	if (address >> 24 != 127)
		return TROUBLE_OF_STRANGERS;
	if (address >> 16 == (127 << 8 | 255))
		return address == 0x7ffffffc ? TROUBLE_OF_TYPING : address == 0x7ffffffe ? TROUBLE_OF_RESOLVER : TROUBLE_OF_QUOTA;
	if (address == 0x7f000001 || address == 0x7f0001ff || address == 0x7f0002ff)
		return TROUBLE_OF_REFUSAL;
	if (kind == DNSLIST_ALLOW && (address == 0x7f0000ff || address >> 8 == 0x7f000a))
		return TROUBLE_OF_REFUSAL;
	return TROUBLE_OF_NONE;
}

static void unusable(struct dnslist_answer *a, enum dnslist_trouble trouble)
{
	a->says = DNSLIST_UNUSABLE;
	a->trouble = trouble;
}

void dnslist_read(enum dnslist_kind kind, enum answer_status status, const char *const *records, size_t n, struct dnslist_answer *answer_r)
{
	struct dnslist_answer *a = answer_r;

	*a = (struct dnslist_answer){ .says = DNSLIST_NOT_LISTED };
	if (status == ANSWER_FAILED)
		unusable(a, TROUBLE_OF_FAILURE);
	else if (status == ANSWER_LATE || status == ANSWER_PENDING)
		unusable(a, TROUBLE_OF_LATENESS);
	if (status != ANSWER_DATA)
		return;
	for (size_t i = 0; i < n; i++) {
		enum dnslist_trouble trouble;
		uint32_t address = 0;

		trouble = read_address(records[i], &address) ? trouble_of(kind, address) : TROUBLE_OF_STRANGERS;
		if (a->n < DNSLIST_CODES_MAX && address != 0)
			a->codes[a->n++] = address;
		if (trouble != TROUBLE_OF_NONE && a->says != DNSLIST_UNUSABLE)
			unusable(a, trouble);
	}
	if (a->says != DNSLIST_UNUSABLE && a->n > 0)
		a->says = DNSLIST_LISTED;
}

void dnslist_codes_text(const struct dnslist_answer *answer, char *text_r, size_t room)
{
	size_t len = 0;

	text_r[0] = '\0';
	for (size_t i = 0; i < answer->n && len < room; i++) {
		uint32_t c = answer->codes[i];
		int more = snprintf(text_r + len, room - len, "%s%u.%u.%u.%u", i > 0 ? ", " : "", c >> 24, c >> 16 & 255, c >> 8 & 255, c & 255);

		len += (size_t)(more > 0 ? more : 0);
	}
}

const char *dnslist_trouble_text(enum dnslist_trouble trouble)
{
	switch (trouble) {
	case TROUBLE_OF_FAILURE: return "its servers failed";
	case TROUBLE_OF_LATENESS: return "no answer in time";
	case TROUBLE_OF_NONE: return "";
	default: return dnslist_fault_text(dnslist_fault_of(trouble));
	}
}

/* ---- test points */

enum dnslist_fault dnslist_fault_of(enum dnslist_trouble trouble)
{
	static const enum dnslist_fault faults[] = {
		[TROUBLE_OF_NONE] = FAULT_NONE, [TROUBLE_OF_FAILURE] = FAULT_NONE, [TROUBLE_OF_LATENESS] = FAULT_NONE, [TROUBLE_OF_TYPING] = FAULT_TYPING,
		[TROUBLE_OF_RESOLVER] = FAULT_RESOLVER, [TROUBLE_OF_QUOTA] = FAULT_QUOTA, [TROUBLE_OF_REFUSAL] = FAULT_REFUSAL, [TROUBLE_OF_STRANGERS] = FAULT_STRANGERS,
	};

	return faults[trouble];
}

/* DNSWL's own answer to 127.0.0.2 is in 127.0.10.0/24: of an allow list's test point that is right. */
static bool is_listed(enum dnslist_kind kind, const struct dnslist_answer *a)
{
	return a->says == DNSLIST_LISTED || (kind == DNSLIST_ALLOW && a->trouble == TROUBLE_OF_REFUSAL && a->n > 0 && a->codes[0] >> 8 == 0x7f000a);
}

enum dnslist_fault dnslist_test(enum dnslist_kind kind, const struct dnslist_answer answers[DNSLIST_POINTS])
{
	const struct dnslist_answer *listed = &answers[POINT_LISTED], *not_listed = &answers[POINT_NOT_LISTED];
	enum dnslist_fault fault = dnslist_fault_of(not_listed->trouble);

	/* in this order: who lists everybody answers 127.0.0.2 as it should */
	if (is_listed(kind, not_listed))
		return FAULT_LISTS_ALL;
	if (fault != FAULT_NONE)
		return fault;
	if (is_listed(kind, &answers[POINT_NOT_LISTED_IPV6]))
		return FAULT_LISTS_ALL_IPV6;
	if (is_listed(kind, listed))
		return not_listed->says == DNSLIST_NOT_LISTED ? FAULT_NONE : FAULT_SILENT;
	fault = dnslist_fault_of(listed->trouble);
	if (fault != FAULT_NONE)
		return fault;
	return listed->says == DNSLIST_UNUSABLE ? FAULT_SILENT : FAULT_LISTS_NOTHING;
}

const char *dnslist_fault_text(enum dnslist_fault fault)
{
	switch (fault) {
	case FAULT_NONE: return "";
	case FAULT_SILENT: return "it does not answer";
	case FAULT_LISTS_ALL: return "it lists everybody (127.0.0.1 too)";
	case FAULT_LISTS_ALL_IPV6: return "it lists every IPv6 client (::FFFF:7F00:1 too)";
	case FAULT_LISTS_NOTHING: return "it does not list its test point 127.0.0.2";
	case FAULT_TYPING: return "it says that there is no such zone (127.255.255.252)";
	case FAULT_RESOLVER: return "it refuses the resolver that we ask as a public one (127.255.255.254)";
	case FAULT_QUOTA: return "it says that we are over quota (127.255.255.255)";
	case FAULT_REFUSAL: return "it refuses to answer us";
	case FAULT_STRANGERS: return "it answers with addresses outside 127.0.0.0/8";
	case FAULT_RATE: return "it lists far more clients than it used to";
	}
	return "";
}

const char *dnslist_fault_remedy(enum dnslist_fault fault)
{
	switch (fault) {
	case FAULT_NONE: return "";
	case FAULT_SILENT:
		return "does the resolver reach its servers, is its key right and enabled, and does it want this resolver's address to be registered?";
	case FAULT_LISTS_ALL:
	case FAULT_LISTS_ALL_IPV6: return "the zone is wildcarded or was given up; if that lasts, take the list out";
	case FAULT_LISTS_NOTHING: return "is the zone's name written right, does the list still exist, is its key right? If it has no test points, set self_test = false";
	case FAULT_TYPING: return "the zone's name is written wrong, or the key does not cover it";
	case FAULT_RESOLVER: return "name a recursive resolver of your own in dns.servers, best one on this machine, that asks itself and forwards to nobody public";
	case FAULT_QUOTA: return "get a key or a data feed from the list's operator, or take the list out";
	case FAULT_REFUSAL: return "ask its operator for the right to use it (registration, a key, less queries), or take it out";
	case FAULT_STRANGERS: return "the zone has expired and is parked, or the resolver in dns.servers invents addresses for names that do not exist";
	case FAULT_RATE: return "its test points are right; look at what it lists, or take it out";
	}
	return "";
}
