/* dns_fake.h - a DNS server on loopback, UDP and TCP, in a thread of its own: what it says hangs on the first label of the name; for tests of who asks it */
#ifndef WINNOW_TEST_DNS_FAKE_H
#define WINNOW_TEST_DNS_FAKE_H

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/clock.h"

/* First labels: dead* (nothing), slowN* (after N ms), sf* (SERVFAIL), refused*, formerr* (FORMERR to EDNS), trunc* (cut by UDP, whole by TCP), nx*, nxsoa*, nodata*, nosoa*, cname* (to end.example),
 * cnamenx*, loop* (CNAMEs in a circle), many* (40 addresses), huge* (TXT of 60 KB, by TCP), wrongid*, wrongname* (first a lie, then the truth), lower* (repeats the name in small letters),
 * half* (unreadable), probed by ".". Anything else: A 192.0.2.1, AAAA 2001:db8::1, MX, TXT, PTR, NS. A label "secure" anywhere: AD. */
struct fake_later {
	int64_t at;
	struct sockaddr_storage to;
	socklen_t to_len;
	size_t len;
	uint8_t packet[1300];
};

enum { FAKE_LATER_MAX = 4096, FAKE_PACKET_MAX = 65536 };

struct dns_fake {
	int udp, tcp;
	uint16_t port;
	pthread_t thread;
	atomic_bool silent, over, sulk, plain;   /* sulk: SERVFAIL to all; plain: had a question without EDNS */
	atomic_int udp_asked, tcp_asked, probes;
	atomic_int ad_wanted;                    /* questions with AD */
	atomic_uint ttl;
	atomic_bool mixed;                       /* a name came with letters of both cases */
	struct fake_later *later;
	size_t n_later;
	uint8_t out[FAKE_PACKET_MAX];
};

struct fake_question {
	const uint8_t *packet;
	size_t len, end;                         /* end of the question section */
	char name[1025], label[64];
	uint16_t type;
};

static uint8_t *fake16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}

static uint8_t *fake_name(uint8_t *p, const char *name)
{
	if (name == NULL)
		return fake16(p, 0xc00c);            /* the question's */
	if (ns_name_pton(name, p, 255) < 0)
		abort();
	while (*p != 0)
		p += 1 + *p;
	return p + 1;
}

/* owner NULL: the question's name. */
static uint8_t *fake_rr(uint8_t *p, int section, const char *owner, unsigned type, uint32_t ttl, const void *data, size_t len, uint8_t *packet)
{
	p = fake_name(p, owner);
	p = fake16(fake16(p, type), ns_c_in);
	p = fake16(fake16(p, ttl >> 16), ttl & 0xffff);
	p = fake16(p, (unsigned)len);
	memcpy(p, data, len);
	fake16(packet + section, ns_get16(packet + section) + 1);
	return p + len;
}

static uint8_t *fake_cname(uint8_t *p, const char *owner, const char *target, uint32_t ttl, uint8_t *packet)
{
	uint8_t data[255];
	size_t len = (size_t)(fake_name(data, target) - data);

	return fake_rr(p, 6, owner, ns_t_cname, ttl, data, len, packet);
}

static uint8_t *fake_soa(uint8_t *p, uint8_t *packet)
{
	uint8_t data[300], *d = fake_name(fake_name(data, "ns.example"), "root.example");

	for (int i = 0; i < 4; i++)
		d = fake16(fake16(d, 0), 100);
	d = fake16(fake16(d, 0), 7);                 /* minimum */
	return fake_rr(p, 8, "example", ns_t_soa, 300, data, (size_t)(d - data), packet);
}

static uint8_t *fake_data(uint8_t *p, const char *owner, const struct fake_question *q, uint32_t ttl, uint8_t *packet)
{
	static const uint8_t txt[] = "\x0bv=spf1 -all\x06 a\0b\xff\"" "", one[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
	uint8_t data[300] = { 0, 10 };

	switch (q->type) {
	case ns_t_a: return fake_rr(p, 6, owner, ns_t_a, ttl, "\xc0\x00\x02\x01", 4, packet);
	case ns_t_aaaa: return fake_rr(p, 6, owner, ns_t_aaaa, ttl, one, 16, packet);
	case ns_t_txt: return fake_rr(p, 6, owner, ns_t_txt, ttl, txt, 19, packet);
	case ns_t_mx: return fake_rr(p, 6, owner, ns_t_mx, ttl, data, (size_t)(fake_name(data + 2, "mx.example") - data), packet);
	default: return fake_rr(p, 6, owner, q->type, ttl, data, (size_t)(fake_name(data, "host.example") - data), packet);
	}
}

static bool fake_is(const struct fake_question *q, const char *what)
{
	return strncasecmp(q->label, what, strlen(what)) == 0;
}

static uint8_t *fake_many(uint8_t *p, struct dns_fake *f)
{
	for (unsigned i = 0; i < 40; i++) {
		const uint8_t ip[4] = { 192, 0, 2, (uint8_t)i };

		p = fake_rr(p, 6, NULL, ns_t_a, f->ttl + i, ip, 4, f->out);
	}
	return p;
}

static uint8_t *fake_huge(uint8_t *p, struct dns_fake *f)
{
	uint8_t data[256 * 200];

	for (size_t i = 0; i < 200; i++) {
		data[256 * i] = 255;
		memset(data + 256 * i + 1, 'x', 255);
	}
	return fake_rr(p, 6, NULL, ns_t_txt, f->ttl, data, sizeof(data), f->out);
}

/* Writes the answer into f->out; its length, 0: nothing is said. */
static size_t fake_answer(struct dns_fake *f, const struct fake_question *q, bool by_tcp)
{
	uint8_t *p = f->out + q->end;
	bool edns = ns_get16(q->packet + 10) != 0;
	unsigned rcode = 0;

	memcpy(f->out, q->packet, q->end);
	f->out[2] = 0x81;
	f->out[3] = (uint8_t)(0x80 | (strstr(q->name, "secure") != NULL ? 0x20 : 0));
	memset(f->out + 6, 0, 6);
	if (fake_is(q, "dead"))
		return 0;
	if (atomic_load(&f->sulk) || fake_is(q, "sf")) {
		rcode = ns_r_servfail;
	} else if (fake_is(q, "refused")) {
		rcode = ns_r_refused;
	} else if (fake_is(q, "formerr") && edns) {
		rcode = ns_r_formerr;
	} else if (fake_is(q, "trunc") || fake_is(q, "huge")) {
		if (!by_tcp)
			f->out[2] |= 2;
		else
			p = fake_is(q, "huge") ? fake_huge(p, f) : fake_data(p, NULL, q, f->ttl, f->out);
	} else if (fake_is(q, "nx")) {
		rcode = ns_r_nxdomain;
		p = fake_soa(p, f->out);
	} else if (fake_is(q, "nodata")) {
		p = fake_soa(p, f->out);
	} else if (fake_is(q, "cnamenx")) {
		rcode = ns_r_nxdomain;
		p = fake_soa(fake_cname(p, NULL, "nx.example", 9, f->out), f->out);
	} else if (fake_is(q, "cname")) {
		/* out of order, and one in great letters */
		p = fake_cname(p, "Middle.example", "end.example", 5, f->out);
		p = fake_data(p, "end.example", q, 60, f->out);
		p = fake_cname(p, NULL, "middle.EXAMPLE", 50, f->out);
	} else if (fake_is(q, "loop")) {
		p = fake_cname(fake_cname(p, NULL, "other.example", 50, f->out), "other.example", q->name, 50, f->out);
	} else if (fake_is(q, "many")) {
		p = fake_many(p, f);
	} else if (fake_is(q, "half")) {
		f->out[7] = 3;                       /* records that are not there */
	} else if (!fake_is(q, "nosoa")) {
		p = fake_data(p, NULL, q, f->ttl, f->out);
	}
	if (!edns)
		atomic_store(&f->plain, true);
	if (fake_is(q, "lower"))
		for (size_t i = 12; i < q->end - 4; i++)
			f->out[i] = (uint8_t)(f->out[i] >= 'A' && f->out[i] <= 'Z' ? f->out[i] + 32 : f->out[i]);
	f->out[3] |= (uint8_t)rcode;
	return (size_t)(p - f->out);
}

static bool fake_read(struct dns_fake *f, const uint8_t *packet, size_t len, struct fake_question *q)
{
	size_t at = 12, i = 0;

	*q = (struct fake_question){ .packet = packet, .len = len };
	while (at < len && packet[at] != 0)
		at += 1 + packet[at];
	if (at + 5 > len || ns_name_ntop(packet + 12, q->name, sizeof(q->name)) < 0)
		return false;
	for (; i < packet[12] && i < 63; i++)
		q->label[i] = (char)packet[13 + i];
	q->type = (uint16_t)ns_get16(packet + at + 1);
	q->end = at + 5;
	if (packet[12] == 0)
		atomic_fetch_add(&f->probes, 1);
	for (const char *c = q->name; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			atomic_store(&f->mixed, true);
	if ((packet[3] & 0x20) != 0)
		atomic_fetch_add(&f->ad_wanted, 1);
	return true;
}

static void fake_lie(struct dns_fake *f, const struct fake_question *q, size_t len, const struct sockaddr_storage *to, socklen_t to_len)
{
	uint8_t lie[1300];

	memcpy(lie, f->out, len);
	lie[len - 1] = 99;                           /* an address that nobody asked for */
	if (fake_is(q, "wrongid"))
		lie[0] ^= 0x55;
	else
		lie[13] = 'X';
	(void)sendto(f->udp, lie, len, 0, (const struct sockaddr *)to, to_len);
}

static void fake_udp(struct dns_fake *f)
{
	struct fake_question q;
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	uint8_t packet[1500];
	ssize_t n = recvfrom(f->udp, packet, sizeof(packet), MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);
	size_t len;

	if (n < 12 || !fake_read(f, packet, (size_t)n, &q) || atomic_load(&f->silent))
		return;
	atomic_fetch_add(&f->udp_asked, 1);
	len = fake_answer(f, &q, false);
	if (fake_is(&q, "wrong"))
		fake_lie(f, &q, len, &from, from_len);
	if (fake_is(&q, "slow") && f->n_later < FAKE_LATER_MAX) {
		struct fake_later *l = &f->later[f->n_later++];

		*l = (struct fake_later){ .at = clock_mono() + atoi(q.label + 4) * 1000LL, .to = from, .to_len = from_len, .len = len };
		memcpy(l->packet, f->out, len);
	} else if (len > 0) {
		(void)sendto(f->udp, f->out, len, 0, (struct sockaddr *)&from, from_len);
	}
}

static void fake_tcp(struct dns_fake *f)
{
	int fd = accept(f->tcp, NULL, NULL);
	struct timeval patience = { .tv_sec = 1 };
	struct fake_question q;
	uint8_t packet[1500], head[2];

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	while (!atomic_load(&f->silent) && recv(fd, head, 2, MSG_WAITALL) == 2) {
		ssize_t n = recv(fd, packet, ns_get16(head), MSG_WAITALL);
		size_t len;

		if (n < 12 || !fake_read(f, packet, (size_t)n, &q))
			break;
		atomic_fetch_add(&f->tcp_asked, 1);
		len = fake_answer(f, &q, true);
		fake16(head, (unsigned)len);
		if (len > 0 && (send(fd, head, 2, MSG_NOSIGNAL) != 2 || send(fd, f->out, len, MSG_NOSIGNAL) != (ssize_t)len))
			break;
	}
	close(fd);
}

static void fake_send_due(struct dns_fake *f)
{
	int64_t now = clock_mono();
	size_t kept = 0;

	for (size_t i = 0; i < f->n_later; i++) {
		struct fake_later *l = &f->later[i];

		if (l->at <= now)
			(void)sendto(f->udp, l->packet, l->len, 0, (struct sockaddr *)&l->to, l->to_len);
		else
			f->later[kept++] = *l;
	}
	f->n_later = kept;
}

static void *fake_run(void *arg)
{
	struct dns_fake *f = arg;
	struct pollfd fds[] = { { .fd = f->udp, .events = POLLIN }, { .fd = f->tcp, .events = POLLIN } };

	while (!atomic_load(&f->over)) {
		if (poll(fds, 2, f->n_later > 0 ? 1 : 10) > 0) {
			for (int i = 0; i < 64 && (fds[0].revents & POLLIN) != 0; i++)
				fake_udp(f);
			if ((fds[1].revents & POLLIN) != 0)
				fake_tcp(f);
		}
		fake_send_due(f);
	}
	return NULL;
}

/* port 0: the kernel chooses one. address: of loopback, in host order. */
static inline struct dns_fake *fake_begin(uint32_t address, uint16_t port)
{
	struct dns_fake *f = calloc(1, sizeof(*f));
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(address) }, .sin_port = htons(port) };
	int room = 1 << 20, yes = 1;

	f->later = calloc(FAKE_LATER_MAX, sizeof(*f->later));
	atomic_init(&f->ttl, 60);
	for (int attempt = 0;; attempt++) {
		socklen_t len = sizeof(at);

		f->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		f->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		setsockopt(f->udp, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
		setsockopt(f->tcp, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
		at.sin_port = htons(port);
		if (bind(f->udp, (struct sockaddr *)&at, sizeof(at)) == 0 && getsockname(f->udp, (struct sockaddr *)&at, &len) == 0 && bind(f->tcp, (struct sockaddr *)&at, sizeof(at)) == 0
		    && listen(f->tcp, 16) == 0)
			break;
		close(f->udp);
		close(f->tcp);
		if (attempt == 20)
			abort();
	}
	f->port = ntohs(at.sin_port);
	pthread_create(&f->thread, NULL, fake_run, f);
	return f;
}

static inline void fake_end(struct dns_fake *f)
{
	atomic_store(&f->over, true);
	pthread_join(f->thread, NULL);
	close(f->udp);
	close(f->tcp);
	free(f->later);
	free(f);
}

#endif
