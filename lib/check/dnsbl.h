/* dnsbl.h - DNS block and allow lists: their sections of the configuration, and what they said of a client */
#ifndef WINNOW_CHECK_DNSBL_H
#define WINNOW_CHECK_DNSBL_H

#include "facts/txn.h"
#include "net/dnslist_watch.h"
#include "policy/setting.h"

/* Rows of dnsbl { }, of each blocklist "ZONE" { } and of each allowlist "ZONE" { }. */
enum { DNSBL_ENABLED, DNSBL_LISTS_MIN, DNSBL_ALLOW_LISTS_MIN, DNSBL_SKIP };
enum { BLOCKLIST_XBL, BLOCKLIST_PBL, BLOCKLIST_RBL, BLOCKLIST_INTERNAL, BLOCKLIST_COUNT, BLOCKLIST_OPERATOR, BLOCKLIST_NAME, BLOCKLIST_SELF_TEST, BLOCKLIST_ROWS };
enum { ALLOWLIST_COUNT, ALLOWLIST_ALONE, ALLOWLIST_NAME, ALLOWLIST_SELF_TEST, ALLOWLIST_ROWS };
extern const struct setting dnsbl_settings[], blocklist_settings[], allowlist_settings[];

/* The titled sections, for config_load(); ends with { 0 }. */
extern const struct section dnsbl_sections[];

/* A list of the configuration and, in a transaction, what it said. */
struct dnsbl_list {
	struct dnslist id;
	const struct policy *entry;      /* its section */
	enum dnslist_fault fault;        /* suspended: it is not asked */
	bool answered;
	struct dnslist_answer answer;
	unsigned rows;                   /* those of its section that hold a code of the answer: 1 << row; the codes are read once in a message, and only where a client is listed */
};

/* What the lists said of the client; a fact of the transaction. */
struct dnsbl_facts {
	struct dnsbl_list *v;
	size_t n;
	bool judged;                     /* the chain came to its end */
};

/* The lists of a configuration, block lists first; a talloc array, child of mem. */
struct dnsbl_list *dnsbl_lists(TALLOC_CTX *mem, const struct config *config, size_t *n_r);

/* Which rows of its section hold one of the answer's codes: 1 << row; 0 where it does not say that the client is listed. */
unsigned dnsbl_matches(TALLOC_CTX *mem, const struct dnsbl_list *list);

/* Whose list it is: lists of one operator count once. */
const char *dnsbl_operator(const struct dnsbl_list *list);

/* May this text name a list? For the check of a row: NULL, or what would be right. */
const char *dnsbl_check_name(const char *text);

#endif
