/* ip.c - IP addresses and networks as values */
#include "util/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { GROUPS = 8, MAPPED_BITS = 96 };

static const uint8_t mapped_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static unsigned family_bits(const struct ip *ip)
{
	return ip->family == 4 ? 32 : ip->family == 6 ? 128 : 0;
}

static bool is_mapped(const uint8_t addr[16])
{
	return memcmp(addr, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

/* Like ip_parse; *mapped_r tells ipnet_parse that a prefix length behind the address counts from the IPv6 form. */
static bool parse_address(const char *text, struct ip *ip_r, bool *mapped_r)
{
	struct ip ip = { 0 };
	bool tagged = strncasecmp(text, "IPv6:", 5) == 0;

	*ip_r = ip;
	*mapped_r = false;
	if (!tagged && inet_pton(AF_INET, text, ip.addr) == 1) {
		ip.family = 4;
	} else if (inet_pton(AF_INET6, tagged ? text + 5 : text, ip.addr) == 1) {
		ip.family = 6;
		if (is_mapped(ip.addr)) {
			memmove(ip.addr, ip.addr + 12, 4);
			memset(ip.addr + 4, 0, 12);
			ip.family = 4;
			*mapped_r = true;
		}
	} else {
		return false;
	}
	*ip_r = ip;
	return true;
}

bool ip_parse(const char *text, struct ip *ip_r)
{
	bool mapped;

	return parse_address(text, ip_r, &mapped);
}

/* One to three digits without a leading zero, at most max. */
static bool parse_bits(const char *text, unsigned max, unsigned *bits_r)
{
	unsigned bits = 0;
	size_t n = strlen(text);

	if (n == 0 || n > 3 || (text[0] == '0' && n > 1))
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		bits = bits * 10 + (unsigned)(*text - '0');
	}
	*bits_r = bits;
	return bits <= max;
}

bool ipnet_parse(const char *text, bool lenient, struct ipnet *net_r)
{
	const char *slash = strchr(text, '/');
	char address[IP_TEXT_MAX];
	struct ip ip;
	bool mapped;
	unsigned bits;

	*net_r = (struct ipnet){ 0 };
	if (slash == NULL) {
		if (!parse_address(text, &ip, &mapped))
			return false;
		*net_r = (struct ipnet){ .ip = ip, .bits = (uint8_t)family_bits(&ip) };
		return true;
	}
	if ((size_t)(slash - text) >= sizeof(address))
		return false;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (!parse_address(address, &ip, &mapped) || !parse_bits(slash + 1, mapped ? 128 : family_bits(&ip), &bits))
		return false;
	if (mapped) {
		/* ::ffff:192.0.2.0/120 is 192.0.2.0/24; a shorter one than /96 holds more than IPv4 */
		if (bits < MAPPED_BITS)
			return false;
		bits -= MAPPED_BITS;
	}
	*net_r = ipnet_of(&ip, bits);
	if (!lenient && !ip_equal(&net_r->ip, &ip)) {
		*net_r = (struct ipnet){ 0 };
		return false;
	}
	return true;
}

/* The longest run of two or more zero groups, the first of equals (RFC 5952 section 4.2); length 0: none. */
static void find_zero_run(const uint16_t group[GROUPS], int *start_r, int *length_r)
{
	*start_r = *length_r = 0;
	for (int i = 0; i < GROUPS; i++) {
		int n = 0;

		while (i + n < GROUPS && group[i + n] == 0)
			n++;
		if (n >= 2 && n > *length_r) {
			*start_r = i;
			*length_r = n;
		}
		i += n;
	}
}

const char *ip_print(const struct ip *ip, char buf[IP_TEXT_MAX])
{
	const uint8_t *a = ip->addr;
	uint16_t group[GROUPS];
	int start, length;
	char *p = buf;

	if (ip->family == 4) {
		snprintf(buf, IP_TEXT_MAX, "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
		return buf;
	}
	if (ip->family != 6)
		return strcpy(buf, "unknown");
	if (is_mapped(a)) {
		snprintf(buf, IP_TEXT_MAX, "::ffff:%u.%u.%u.%u", a[12], a[13], a[14], a[15]);
		return buf;
	}
	for (int i = 0; i < GROUPS; i++)
		group[i] = (uint16_t)(a[2 * i] << 8 | a[2 * i + 1]);
	find_zero_run(group, &start, &length);
	*p = '\0';
	for (int i = 0; i < GROUPS; i++) {
		if (length > 0 && i == start) {
			p = stpcpy(p, "::");
			i += length - 1;
		} else {
			p += snprintf(p, (size_t)(buf + IP_TEXT_MAX - p), "%s%x", i > 0 && p[-1] != ':' ? ":" : "", (unsigned)group[i]);
		}
	}
	return buf;
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
	return a->family == b->family && memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

bool ip_is_loopback(const struct ip *ip)
{
	static const uint8_t zero[16];

	if (ip->family == 4)
		return ip->addr[0] == 127 || memcmp(ip->addr, zero, 4) == 0;
	return ip->family == 6 && memcmp(ip->addr, zero, 15) == 0 && ip->addr[15] <= 1;
}

bool ipnet_contains(const struct ipnet *net, const struct ip *ip)
{
	struct ipnet of;

	if (ip->family == 0 || ip->family != net->ip.family)
		return false;
	of = ipnet_of(ip, net->bits);
	return ip_equal(&of.ip, &net->ip);
}

struct ipnet ipnet_of(const struct ip *ip, unsigned bits)
{
	unsigned max = family_bits(ip);
	struct ipnet net = { .ip = *ip };

	if (bits > max)
		bits = max;
	net.bits = (uint8_t)bits;
	for (unsigned i = 0; i < sizeof(net.ip.addr); i++) {
		if (bits >= 8)
			bits -= 8;
		else {
			net.ip.addr[i] &= (uint8_t)(0xff00u >> bits);
			bits = 0;
		}
	}
	return net;
}

bool ip_is_private(const struct ip *ip)
{
	static const struct ipnet nets[] = {
		{ { 4, { 0 } }, 8 }, { { 4, { 10 } }, 8 }, { { 4, { 100, 64 } }, 10 }, { { 4, { 127 } }, 8 }, { { 4, { 169, 254 } }, 16 }, { { 4, { 172, 16 } }, 12 },
		{ { 4, { 192, 168 } }, 16 }, { { 6, { 0 } }, 127 }, { { 6, { 0xfc } }, 7 }, { { 6, { 0xfe, 0x80 } }, 10 },
	};

	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++)
		if (ipnet_contains(&nets[i], ip))
			return true;
	return false;
}
