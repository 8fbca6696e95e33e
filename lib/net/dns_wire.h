/* dns_wire.h - questions of DNS as packets, and packets as answers (RFC 1035 section 4, RFC 6891); pure functions on bytes */
#ifndef WINNOW_NET_DNS_WIRE_H
#define WINNOW_NET_DNS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/dns_answer.h"

enum {
	DNS_NAME_MAX = 255,              /* octets of a name in a packet (RFC 1035 section 2.3.4) */
	DNS_QUERY_MAX = 12 + DNS_NAME_MAX + 4 + 11,
	DNS_UDP_MAX = 1232               /* octets of an answer by UDP: what crosses every path whole */
};

enum dns_rcode { DNS_NOERROR = 0, DNS_FORMERR = 1, DNS_SERVFAIL = 2, DNS_NXDOMAIN = 3, DNS_NOTIMP = 4, DNS_REFUSED = 5 };

/* A name as it stands in packets. */
struct dns_name {
	size_t len;                      /* the root's octet included */
	uint8_t bytes[DNS_NAME_MAX];
};

/* Reads a name in presentation form; a dot at its end does not matter, "." is the root. Letters become small.
 * false: DNS cannot hold such a name (empty, an empty label, one of over 63 octets, over 255 in all). */
bool dns_name(const char *text, struct dns_name *name_r);

/* Makes letters of a name great at random: an answer that repeats them exactly was not guessed (draft-vixie-dnsext-dns0x20). */
void dns_mix_case(struct dns_name *name, const uint8_t random[DNS_NAME_MAX / 8 + 1]);

/* Writes a question with RD and AD (RFC 6840 section 5.7: "I understand AD") and, if wanted, EDNS. The octets written. */
size_t dns_query(uint8_t packet_r[DNS_QUERY_MAX], uint16_t id, uint16_t type, const struct dns_name *name, bool edns);

/* Does the packet repeat the question with exactly these letters? */
bool dns_echoes(const uint8_t *packet, size_t len, const struct dns_name *name);

/* Reads an answer to (type, name). Records: addresses as text; MX "10 mx.example.com"; TXT its strings joined, octets as they are, but NUL as 0x01, which is as little allowed
 * in any record that mail knows; names without the dot at their end, "." is the root, octets that are no letters escaped as in zone files; SOA its seven fields; any other
 * type as "\# LENGTH HEX" (RFC 3597). Rcodes other than NOERROR and NXDOMAIN: ANSWER_FAILED, and so is an answer beyond DNS_TEXT_MAX or DNS_RECORDS_MAX.
 * secure is the packet's AD bit: whether to believe it is the caller's to say.
 * 0 with one reference in *answer_r, -EBADMSG (unreadable, or no answer to this question), or -ENOMEM. */
int dns_read(const uint8_t *packet, size_t len, uint16_t type, const struct dns_name *name, struct dns_answer **answer_r);

#endif
