/* ip.h - IP addresses and networks as values */
#ifndef WINNOW_UTIL_IP_H
#define WINNOW_UTIL_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IP_TEXT_MAX = 48 };                /* bytes that hold any address or network in text, NUL included */

/* An address; family 0 is "none known" (a session over a unix socket, an unknown family). */
struct ip {
	uint8_t family;                   /* 0, 4 or 6 */
	uint8_t addr[16];                 /* network order; IPv4 in the first four bytes, the rest zero */
};

struct ipnet {
	struct ip ip;                     /* host bits are zero */
	uint8_t bits;
};

/* Reads "192.0.2.1", "2001:db8::1", also with the prefix "IPv6:" that MTAs write; an IPv4-mapped IPv6 address becomes IPv4.
 * Surrounding blanks, zones (%eth0), brackets and anything behind the address are errors. false: *ip_r is family 0. */
bool ip_parse(const char *text, struct ip *ip_r);

/* Reads "192.0.2.0/24", "2001:db8::/32" or a lone address (all bits). Host bits that are set are an error unless lenient: then they are cleared. */
bool ipnet_parse(const char *text, bool lenient, struct ipnet *net_r);

/* Writes the address in its canonical text form (RFC 5952) and returns buf; family 0 gives "unknown". */
const char *ip_print(const struct ip *ip, char buf[IP_TEXT_MAX]);

bool ip_equal(const struct ip *a, const struct ip *b);

/* This machine whatever its addresses are: 127.0.0.0/8, ::1, and the unspecified addresses 0.0.0.0 and ::, which connect to it too. */
bool ip_is_loopback(const struct ip *ip);

/* Is it an address that nobody on the Internet has: unspecified, loopback, link-local, private (RFC 1918, RFC 4193) or shared (RFC 6598)? Family 0: no. */
bool ip_is_private(const struct ip *ip);

/* Is ip in net? Families differ or none: false. */
bool ipnet_contains(const struct ipnet *net, const struct ip *ip);

/* The network of ip with that many leading bits (clamped to the family's length). */
struct ipnet ipnet_of(const struct ip *ip, unsigned bits);

#endif
