/* dnslist.h - DNS block and allow lists (RFC 5782): names to ask, codes, what an answer says; pure functions */
#ifndef WINNOW_NET_DNSLIST_H
#define WINNOW_NET_DNSLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <talloc.h>

#include "net/answers.h"
#include "util/ip.h"

enum dnslist_kind { DNSLIST_BLOCK, DNSLIST_ALLOW };

/* "blocklist", "allowlist": the section of such a list. */
const char *dnslist_kind_name(enum dnslist_kind kind);

/* ---- names (RFC 5782 sections 2.1 and 2.4) */

enum { DNSLIST_NAME_MAX = 256 };

/* May this text be asked below: letters, digits, hyphens, underscores and dots, labels of 1 to 63, with room for 64 characters of an IPv6 address? */
bool dnslist_zone_good(const char *zone);

/* Do both name the same zone? Case and a dot at the end do not matter. */
bool dnslist_same_zone(const char *a, const char *b);

/* The name to ask for a client: 99.2.0.192.ZONE, or 32 nibbles; an IPv4-mapped address as IPv4. false: no address, or the zone is too long. */
bool dnslist_name(char name_r[DNSLIST_NAME_MAX], const struct ip *ip, const char *zone);

/* Test points (RFC 5782 section 5): 127.0.0.2 is on every list, 127.0.0.1 on none; of lists that know IPv6 also ::FFFF:7F00:2 and ::FFFF:7F00:1. */
enum dnslist_point { POINT_LISTED, POINT_NOT_LISTED, POINT_NOT_LISTED_IPV6, POINT_LISTED_IPV6, DNSLIST_POINTS };
bool dnslist_point_name(char name_r[DNSLIST_NAME_MAX], enum dnslist_point point, const char *zone);

/* What may be shown of a zone: its text, but for what looks like a key (Spamhaus DQS: KEY.zen.dq.spamhaus.net), which becomes "KEY". Child of mem. */
char *dnslist_shown(TALLOC_CTX *mem, const char *zone);

/* ---- codes */

/* For each of the four octets, those that fit. An IPv4 network is one such product too. */
struct dnslist_code {
	uint32_t octet[4][8];
};

struct dnslist_codes {
	struct dnslist_code *v;
	size_t n;
};

/* Reads an address or network "127.0.0.4/30", Postfix's pattern "127.0.[0..255].[2;3]", or bits of the last octet "&88" (any of 8, 16, 64).
 * NULL, or what is wrong and what would be right; static text. For the check of a setting row: dnslist_code_check(). */
const char *dnslist_code_parse(const char *text, struct dnslist_code *code_r);
const char *dnslist_code_check(const char *text);

/* All of them; texts that cannot be read match nothing. Child of mem. */
struct dnslist_codes dnslist_codes_parse(TALLOC_CTX *mem, const char *const *texts);

/* Is one of n addresses (host order) among the codes? */
bool dnslist_codes_match(const struct dnslist_codes *codes, const uint32_t *addresses, size_t n);

/* ---- answers */

/* What became of a question to a list. Only the first two say something of who was asked about. */
enum dnslist_says { DNSLIST_NOT_LISTED, DNSLIST_LISTED, DNSLIST_UNUSABLE };

/* Why an answer is of no use. */
enum dnslist_trouble {
	TROUBLE_OF_NONE,
	TROUBLE_OF_FAILURE,              /* SERVFAIL, REFUSED, unreadable */
	TROUBLE_OF_LATENESS,             /* nothing in time */
	TROUBLE_OF_TYPING,               /* 127.255.255.252: there is no such zone */
	TROUBLE_OF_RESOLVER,             /* 127.255.255.254: asked through a public resolver */
	TROUBLE_OF_QUOTA,                /* 127.255.255.255 and the rest of 127.255.0.0/16: asked too often, or without the right */
	TROUBLE_OF_REFUSAL,              /* 127.0.0.1, 127.0.1.255, 127.0.2.255; of allow lists 127.0.0.255 and 127.0.10.0/24: the list does not answer us */
	TROUBLE_OF_STRANGERS             /* outside 127.0.0.0/8: the zone is parked, or a resolver invents addresses */
};

/* As in "zen.example: TEXT". */
const char *dnslist_trouble_text(enum dnslist_trouble trouble);

enum { DNSLIST_CODES_MAX = 16 };

struct dnslist_answer {
	enum dnslist_says says;
	enum dnslist_trouble trouble;
	uint32_t codes[DNSLIST_CODES_MAX];       /* host order, as they came; what is beyond is not looked at */
	size_t n;
};

/* Reads an answer to an A question (status not ANSWER_PENDING). One address that is never a listing makes all of it unusable. */
void dnslist_read(enum dnslist_kind kind, enum answer_status status, const char *const *records, size_t n, struct dnslist_answer *answer_r);

/* "127.0.0.2, 127.0.0.9": at most room characters. */
void dnslist_codes_text(const struct dnslist_answer *answer, char *text_r, size_t room);

/* ---- test points, judged */

enum dnslist_fault {
	FAULT_NONE,
	FAULT_SILENT,                    /* no answer */
	FAULT_LISTS_ALL,                 /* 127.0.0.1 is listed */
	FAULT_LISTS_ALL_IPV6,            /* ::FFFF:7F00:1 is */
	FAULT_LISTS_NOTHING,             /* 127.0.0.2 is not */
	FAULT_TYPING, FAULT_RESOLVER, FAULT_QUOTA, FAULT_REFUSAL, FAULT_STRANGERS,   /* as the troubles */
	FAULT_RATE                       /* it lists far more clients than it used to */
};

/* What the answers to the test points say of the list. That 127.0.0.2 is not listed as IPv6 is no fault: many lists know no IPv6. */
enum dnslist_fault dnslist_test(enum dnslist_kind kind, const struct dnslist_answer answers[DNSLIST_POINTS]);

/* What a single answer says of the list: FAULT_NONE unless it is one that no list in order gives. */
enum dnslist_fault dnslist_fault_of(enum dnslist_trouble trouble);

/* As in "zen.example: suspended: TEXT". */
const char *dnslist_fault_text(enum dnslist_fault fault);

/* What to do about it. */
const char *dnslist_fault_remedy(enum dnslist_fault fault);

#endif
