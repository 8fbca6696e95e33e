/* dns_wire.c - questions of DNS as packets, and packets as answers (RFC 1035 section 4, RFC 6891); pure functions on bytes */
#include "net/dns_wire.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	PACKET_HEAD = 12, CHAIN_MAX = 16,     /* CNAMEs that are followed */
	LOOK_AT_MAX = DNS_RECORDS_MAX + CHAIN_MAX
};

/* ---- questions */

static size_t name_octets(const uint8_t *bytes)
{
	size_t at = 0;

	while (bytes[at] != 0)
		at += 1 + (size_t)bytes[at];
	return at + 1;
}

bool dns_name(const char *text, struct dns_name *name_r)
{
	if (text[0] == '\0' || ns_name_pton(text, name_r->bytes, sizeof(name_r->bytes)) < 0)
		return false;
	name_r->len = name_octets(name_r->bytes);
	/* the octets that say a label's length are below 64 and no letters */
	for (size_t i = 0; i < name_r->len; i++)
		if (name_r->bytes[i] >= 'A' && name_r->bytes[i] <= 'Z')
			name_r->bytes[i] = (uint8_t)(name_r->bytes[i] + 'a' - 'A');
	return true;
}

void dns_mix_case(struct dns_name *name, const uint8_t random[DNS_NAME_MAX / 8 + 1])
{
	for (size_t i = 0; i < name->len; i++)
		if (name->bytes[i] >= 'a' && name->bytes[i] <= 'z' && (random[i / 8] >> i % 8 & 1) != 0)
			name->bytes[i] = (uint8_t)(name->bytes[i] - ('a' - 'A'));
}

static uint8_t *put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return at + 2;
}

size_t dns_query(uint8_t packet_r[DNS_QUERY_MAX], uint16_t id, uint16_t type, const struct dns_name *name, bool edns)
{
	uint8_t *at = put16(packet_r, id);

	at = put16(at, 0x0120);                  /* RD, AD */
	at = put16(at, 1);
	at = put16(at, 0);
	at = put16(at, 0);
	at = put16(at, edns);
	memcpy(at, name->bytes, name->len);
	at = put16(at + name->len, type);
	at = put16(at, ns_c_in);
	if (!edns)
		return (size_t)(at - packet_r);
	*at++ = 0;                               /* OPT: the root's, its class the size that we take; c-ares counts on these 11 octets being the last */
	at = put16(at, ns_t_opt);
	at = put16(at, DNS_UDP_MAX);
	at = put16(at, 0);
	at = put16(at, 0);
	at = put16(at, 0);
	return (size_t)(at - packet_r);
}

bool dns_echoes(const uint8_t *packet, size_t len, const struct dns_name *name)
{
	return len >= PACKET_HEAD + name->len && memcmp(packet + PACKET_HEAD, name->bytes, name->len) == 0;
}

/* ---- records as text */

/* What is gathered before it becomes an answer. */
struct gathered {
	ns_msg msg;
	size_t n, used;
	bool over;                               /* more than an answer may hold */
	uint32_t ttl;
	uint32_t at[DNS_RECORDS_MAX];            /* where each record's text begins */
	char text[DNS_TEXT_MAX];
};

static void add(struct gathered *g, const char *text, size_t len)
{
	if (g->n == DNS_RECORDS_MAX || g->used + len + 1 > DNS_TEXT_MAX) {
		g->over = true;
		return;
	}
	g->at[g->n++] = (uint32_t)g->used;
	memmove(g->text + g->used, text, len);   /* TXT stands there already */
	g->text[g->used + len] = '\0';
	g->used += len + 1;
}

/* The name at an offset of a record's data, as text. The octets that it takes there, or -1. */
static int name_at(const struct gathered *g, const ns_rr *rr, size_t offset, char text_r[NS_MAXDNAME])
{
	int took;

	if (offset >= ns_rr_rdlen(*rr))
		return -1;
	took = ns_name_uncompress(ns_msg_base(g->msg), ns_msg_end(g->msg), ns_rr_rdata(*rr) + offset, text_r, NS_MAXDNAME);
	return took < 0 || offset + (size_t)took > ns_rr_rdlen(*rr) ? -1 : took;
}

static bool add_name(struct gathered *g, const ns_rr *rr)
{
	char name[NS_MAXDNAME];

	if (name_at(g, rr, 0, name) != ns_rr_rdlen(*rr))
		return false;
	add(g, name, strlen(name));
	return true;
}

static bool add_mx(struct gathered *g, const ns_rr *rr)
{
	char name[NS_MAXDNAME], text[NS_MAXDNAME + 8];
	int took = name_at(g, rr, 2, name), len;

	if (took < 0 || took + 2 != ns_rr_rdlen(*rr))
		return false;
	len = snprintf(text, sizeof(text), "%u %s", ns_get16(ns_rr_rdata(*rr)), name);
	add(g, text, (size_t)len);
	return true;
}

static bool add_soa(struct gathered *g, const ns_rr *rr)
{
	char mname[NS_MAXDNAME], rname[NS_MAXDNAME], text[2 * NS_MAXDNAME + 60];
	int one = name_at(g, rr, 0, mname), two = one < 0 ? -1 : name_at(g, rr, (size_t)one, rname), len;
	const uint8_t *p = ns_rr_rdata(*rr) + one + two;

	if (two < 0 || one + two + 20 != ns_rr_rdlen(*rr))
		return false;
	len = snprintf(text, sizeof(text), "%s %s %lu %lu %lu %lu %lu", mname, rname, ns_get32(p), ns_get32(p + 4), ns_get32(p + 8), ns_get32(p + 12), ns_get32(p + 16));
	add(g, text, (size_t)len);
	return true;
}

static bool add_address(struct gathered *g, const ns_rr *rr, int family, size_t len)
{
	char text[INET6_ADDRSTRLEN];

	if (ns_rr_rdlen(*rr) != len || inet_ntop(family, ns_rr_rdata(*rr), text, sizeof(text)) == NULL)
		return false;
	add(g, text, strlen(text));
	return true;
}

static bool add_txt(struct gathered *g, const ns_rr *rr)
{
	const uint8_t *p = ns_rr_rdata(*rr), *end = p + ns_rr_rdlen(*rr);
	char *text = g->text + g->used;          /* joined where it is to stand */
	size_t len = 0;

	/* no string at all is against RFC 1035 section 3.3.14; it spoils no other record */
	while (p < end) {
		size_t part = *p++;

		if (part > (size_t)(end - p))
			return false;
		if (g->used + len + part + 1 > DNS_TEXT_MAX) {
			g->over = true;
			return true;
		}
		memcpy(text + len, p, part);
		len += part;
		p += part;
	}
	for (char *nul = memchr(text, '\0', len); nul != NULL; nul = memchr(nul, '\0', len - (size_t)(nul - text)))
		*nul = '\x01';
	add(g, text, len);
	return true;
}

static bool add_other(struct gathered *g, const ns_rr *rr)
{
	size_t len = ns_rr_rdlen(*rr);
	char text[2048];
	int at;

	if (2 * len + 20 > sizeof(text)) {
		g->over = true;
		return true;
	}
	at = snprintf(text, sizeof(text), "\\# %zu%s", len, len > 0 ? " " : "");
	for (size_t i = 0; i < len; i++)
		at += snprintf(text + at, sizeof(text) - (size_t)at, "%02x", ns_rr_rdata(*rr)[i]);
	add(g, text, (size_t)at);
	return true;
}

static bool add_record(struct gathered *g, const ns_rr *rr)
{
	switch (ns_rr_type(*rr)) {
	case ns_t_a: return add_address(g, rr, AF_INET, 4);
	case ns_t_aaaa: return add_address(g, rr, AF_INET6, 16);
	case ns_t_mx: return add_mx(g, rr);
	case ns_t_txt: return add_txt(g, rr);
	case ns_t_soa: return add_soa(g, rr);
	case ns_t_ns: case ns_t_ptr: case ns_t_cname: case ns_t_dname: return add_name(g, rr);
	default: return add_other(g, rr);
	}
}

/* ---- packets */

static bool same_owner(const ns_rr *rr, const char *name)
{
	return strcasecmp(ns_rr_name(*rr), name) == 0;
}

static void least(uint32_t *ttl, uint32_t other)
{
	if (other > INT32_MAX)
		other = 0;                       /* RFC 2181 section 8 */
	if (other < *ttl)
		*ttl = other;
}

/* Follows one CNAME of name. 1: it goes on; 0: there is none; -1: unreadable. */
static int follow(struct gathered *g, char name[NS_MAXDNAME])
{
	char next[NS_MAXDNAME];
	ns_rr rr;

	for (int i = 0; i < ns_msg_count(g->msg, ns_s_an); i++) {
		if (ns_parserr(&g->msg, ns_s_an, i, &rr) != 0)
			return -1;
		if (ns_rr_type(rr) != ns_t_cname || ns_rr_class(rr) != ns_c_in || !same_owner(&rr, name))
			continue;
		if (name_at(g, &rr, 0, next) < 0)
			return -1;
		strcpy(name, next);
		least(&g->ttl, (uint32_t)ns_rr_ttl(rr));
		return 1;
	}
	return 0;
}

/* Gathers the records of the name at the chain's end. */
static bool gather(struct gathered *g, uint16_t type, const char *name)
{
	ns_rr rr;

	for (int i = 0; i < ns_msg_count(g->msg, ns_s_an) && !g->over; i++) {
		if (ns_parserr(&g->msg, ns_s_an, i, &rr) != 0)
			return false;
		if (ns_rr_type(rr) != type || ns_rr_class(rr) != ns_c_in || !same_owner(&rr, name))
			continue;
		if (!add_record(g, &rr))
			return false;
		least(&g->ttl, (uint32_t)ns_rr_ttl(rr));
	}
	return true;
}

/* How long nothing may be believed: RFC 2308 section 5. 0: there is no SOA. */
static uint32_t negative_ttl(struct gathered *g)
{
	char name[NS_MAXDNAME];
	uint32_t ttl = UINT32_MAX;
	ns_rr rr;
	int one, two;

	for (int i = 0; i < ns_msg_count(g->msg, ns_s_ns) && i < LOOK_AT_MAX; i++) {
		if (ns_parserr(&g->msg, ns_s_ns, i, &rr) != 0)
			return 0;
		if (ns_rr_type(rr) != ns_t_soa)
			continue;
		one = name_at(g, &rr, 0, name);
		two = one < 0 ? -1 : name_at(g, &rr, (size_t)one, name);
		if (two < 0 || one + two + 20 != ns_rr_rdlen(rr))
			return 0;
		least(&ttl, (uint32_t)ns_rr_ttl(rr));
		least(&ttl, (uint32_t)ns_get32(ns_rr_rdata(rr) + one + two + 16));
		return ttl;
	}
	return 0;
}

/* Is it an answer, and to this question? */
static bool answers_question(struct gathered *g, uint16_t type, const char *name)
{
	ns_rr rr;

	if (ns_msg_getflag(g->msg, ns_f_qr) != 1 || ns_msg_getflag(g->msg, ns_f_opcode) != 0 || ns_msg_count(g->msg, ns_s_qd) != 1
	    || ns_parserr(&g->msg, ns_s_qd, 0, &rr) != 0)
		return false;
	return ns_rr_type(rr) == type && ns_rr_class(rr) == ns_c_in && same_owner(&rr, name);
}

static int make(struct gathered *g, enum answer_status status, const char *canonical, struct dns_answer **answer_r)
{
	const char *records[DNS_RECORDS_MAX];

	for (size_t i = 0; i < g->n; i++)
		records[i] = g->text + g->at[i];
	*answer_r = dns_answer_new(status, canonical, records, g->n);
	if (*answer_r == NULL)
		return -ENOMEM;
	(*answer_r)->secure = ns_msg_getflag(g->msg, ns_f_ad) != 0;
	(*answer_r)->rcode = (uint8_t)ns_msg_getflag(g->msg, ns_f_rcode);
	(*answer_r)->ttl = g->ttl;
	return 0;
}

static int read_packet(struct gathered *g, uint16_t type, char name[NS_MAXDNAME], struct dns_answer **answer_r)
{
	int rcode = ns_msg_getflag(g->msg, ns_f_rcode), steps = 0, more = 1;
	const char *canonical;
	uint32_t negative;

	if (!answers_question(g, type, name))
		return -EBADMSG;
	/* cut though it came by TCP, or of a size that no honest answer has: not to be trusted to be whole */
	if ((rcode != DNS_NOERROR && rcode != DNS_NXDOMAIN) || ns_msg_getflag(g->msg, ns_f_tc) != 0 || ns_msg_count(g->msg, ns_s_an) > LOOK_AT_MAX)
		return make(g, ANSWER_FAILED, NULL, answer_r);
	g->ttl = UINT32_MAX;
	while (type != ns_t_cname && type != ns_t_any && more == 1 && steps <= CHAIN_MAX) {
		more = follow(g, name);
		steps += more == 1;
	}
	if (more < 0 || !gather(g, type, name))
		return -EBADMSG;
	canonical = steps > 0 ? name : NULL;
	if (steps > CHAIN_MAX || g->over) {
		g->n = 0;
		g->ttl = 0;
		return make(g, ANSWER_FAILED, NULL, answer_r);
	}
	if (g->n > 0 && rcode == DNS_NOERROR)
		return make(g, ANSWER_DATA, canonical, answer_r);
	negative = negative_ttl(g);
	g->n = 0;
	g->ttl = negative < g->ttl ? negative : g->ttl;
	return make(g, rcode == DNS_NXDOMAIN ? ANSWER_NXDOMAIN : ANSWER_EMPTY, canonical, answer_r);
}

int dns_read(const uint8_t *packet, size_t len, uint16_t type, const struct dns_name *name, struct dns_answer **answer_r)
{
	struct gathered *g;
	char text[NS_MAXDNAME];
	int result = -EBADMSG;

	*answer_r = NULL;
	if (len < PACKET_HEAD || len > UINT16_MAX || ns_name_ntop(name->bytes, text, sizeof(text)) < 0)
		return -EBADMSG;
	g = malloc(sizeof(*g));                  /* what is looked at is set before */
	if (g == NULL)
		return -ENOMEM;
	g->n = g->used = 0;
	g->over = false;
	g->ttl = 0;
	if (ns_initparse(packet, (int)len, &g->msg) == 0)
		result = read_packet(g, type, text, answer_r);
	free(g);
	return result;
}
