/* resolver_servers.c - the servers that the resolver asks, each with a channel of c-ares, its health and its breaker; used by the resolver's thread alone */
#include "net/resolver_servers.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <ctype.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>

#include <ares.h>

#include "net/resolver_health.h"
#include "util/clock.h"

enum {
	TRIES = 2, PARTS = 3,                    /* c-ares waits 1 part, then 2: together the timeout */
	SUSPECT_PARTS = 6,                       /* of the timeout: so long nothing has come, ask another */
	TICK_US = 50000, RECEIVE_BUFFER = 1 << 20, RANDOM_POOL = 4096
};

enum way { UDP, TCP, WAYS };

struct server;

/* c-ares's view of one server, by one way. */
struct channel {
	struct server *server;
	enum way way;
	ares_channel ares;                       /* NULL: not made yet */
};

struct server {
	struct resolver_servers *all;
	size_t index;
	struct resolver_address address;
	char name[IP_TEXT_MAX + 8];
	bool near, trusted;                      /* near: on loopback, where nobody guesses our questions */
	bool plain;                              /* it does not understand EDNS */
	struct channel channels[WAYS];
	struct health health;
	atomic_bool gone;                        /* health.open, for others to read */
	atomic_int trouble;
	atomic_uint_fast64_t asked, answered, failed, silent;
};

struct resolver_servers {
	const struct resolver_ear *ear;
	struct log *log;
	int epoll;
	int64_t timeout, suspect;                /* us */
	size_t out;                              /* attempts that c-ares has */
	bool closing;
	int64_t next_tick;
	uint8_t random[RANDOM_POOL];
	size_t random_left;
	size_t n;
	struct server v[RESOLVER_SERVERS_MAX];
};

/* One question to one server. */
struct attempt {
	struct server *server;
	enum way way;
	bool probe;
	uint16_t type;
	void *tag;
	struct dns_name name;                    /* as it was sent */
};

/* ---- addresses */

bool resolver_address_parse(const char *text, struct resolver_address *address_r)
{
	const char *at = strchr(text, '@');
	size_t len = at != NULL ? (size_t)(at - text) : strlen(text);
	char address[IP_TEXT_MAX];

	*address_r = (struct resolver_address){ .port = 53 };
	if (len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	if (at != NULL) {
		char *end;
		long port = isdigit((unsigned char)at[1]) ? strtol(at + 1, &end, 10) : 0;

		if (port < 1 || port > 65535 || *end != '\0')
			return false;
		address_r->port = (uint16_t)port;
	}
	return ip_parse(address, &address_r->ip);
}

static bool loopback(const struct ip *ip)
{
	static const uint8_t one[16] = { [15] = 1 };

	return ip->family == 4 ? ip->addr[0] == 127 : memcmp(ip->addr, one, sizeof(one)) == 0;
}

/* ---- channels */

static uint64_t event_data(const struct channel *c, int fd)
{
	return (uint64_t)c->server->index << 40 | (uint64_t)c->way << 32 | (uint32_t)fd;
}

static void socket_state(void *data, ares_socket_t fd, int readable, int writable)
{
	const struct channel *c = data;
	struct epoll_event e = { .events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u), .data.u64 = event_data(c, fd) };

	if (e.events == 0)
		(void)epoll_ctl(c->server->all->epoll, EPOLL_CTL_DEL, fd, NULL);
	else if (epoll_ctl(c->server->all->epoll, EPOLL_CTL_MOD, fd, &e) != 0)
		(void)epoll_ctl(c->server->all->epoll, EPOLL_CTL_ADD, fd, &e);
}

static bool open_channel(struct server *s, enum way way)
{
	struct channel *c = &s->channels[way];
	char lookups[] = "b", nothing[] = "/dev/null";
	struct ares_options options = {
		.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS | ARES_FLAG_NOCHECKRESP | (way == TCP ? ARES_FLAG_USEVC : 0),
		.timeout = (int)((s->all->timeout / 1000 + PARTS - 1) / PARTS), .tries = TRIES, .ednspsz = DNS_UDP_MAX, .lookups = lookups, .resolvconf_path = nothing,
		.socket_receive_buffer_size = RECEIVE_BUFFER, .sock_state_cb = socket_state, .sock_state_cb_data = c,
	};
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ | ARES_OPT_LOOKUPS | ARES_OPT_RESOLVCONF | ARES_OPT_SOCK_RCVBUF | ARES_OPT_SOCK_STATE_CB
		| ARES_OPT_DOMAINS;
	struct ares_addr_port_node node = { .family = s->address.ip.family == 4 ? AF_INET : AF_INET6, .udp_port = s->address.port, .tcp_port = s->address.port };

	if (c->ares != NULL)
		return true;
	if (ares_init_options(&c->ares, &options, mask) != ARES_SUCCESS) {
		c->ares = NULL;
		return false;
	}
	if (s->address.ip.family == 4)
		memcpy(&node.addr.addr4, s->address.ip.addr, sizeof(node.addr.addr4));
	else
		memcpy(&node.addr.addr6, s->address.ip.addr, sizeof(node.addr.addr6));
	if (ares_set_servers_ports(c->ares, &node) == ARES_SUCCESS)
		return true;
	ares_destroy(c->ares);
	c->ares = NULL;
	return false;
}

/* ---- asking */

static void random_bytes(struct resolver_servers *all, void *to, size_t n)
{
	if (all->random_left < n) {
		/* blocks at most until the kernel has seeded itself after a boot */
		while (getrandom(all->random, sizeof(all->random), 0) != (ssize_t)sizeof(all->random))
			;
		all->random_left = sizeof(all->random);
	}
	all->random_left -= n;
	memcpy(to, all->random + all->random_left, n);
}

static void on_answer(void *arg, int status, int timeouts, unsigned char *packet, int len);

static void send_attempt(struct attempt *a)
{
	struct server *s = a->server;
	uint8_t packet[DNS_QUERY_MAX], dice[DNS_NAME_MAX / 8 + 1];
	uint16_t id;
	size_t len;

	if (!open_channel(s, a->way)) {
		s->all->out++;
		on_answer(a, ARES_ENOMEM, 0, NULL, 0);
		return;
	}
	random_bytes(s->all, &id, sizeof(id));
	if (a->way == UDP && !s->near) {
		random_bytes(s->all, dice, sizeof(dice));
		dns_mix_case(&a->name, dice);
	}
	len = dns_query(packet, id, a->type, &a->name, !s->plain);
	s->all->out++;
	ares_send(s->channels[a->way].ares, packet, (int)len, on_answer, a);
}

static void ask(struct server *s, bool probe, uint16_t type, const struct dns_name *name, void *tag)
{
	struct attempt *a = malloc(sizeof(*a));

	if (a == NULL) {
		if (!probe)
			s->all->ear->ended(s->all->ear->context, tag, NULL);
		return;
	}
	*a = (struct attempt){ .server = s, .probe = probe, .type = type, .tag = tag, .name = *name };
	send_attempt(a);
}

void resolver_servers_ask(struct resolver_servers *all, int which, uint16_t type, const struct dns_name *name, void *tag, int64_t now)
{
	struct server *s = &all->v[which];

	atomic_fetch_add(&s->asked, 1);
	health_sent(&s->health, now);
	ask(s, false, type, name, tag);
}

int resolver_servers_choose(const struct resolver_servers *all, uint32_t tried, int64_t now)
{
	int second = -1;

	for (size_t i = 0; i < all->n; i++) {
		if ((tried >> i & 1) != 0 || all->v[i].health.open)
			continue;
		if (!health_suspect(&all->v[i].health, all->suspect, now))
			return (int)i;
		if (second < 0)
			second = (int)i;
	}
	return second;
}

/* ---- what comes */

static bool none_left(const struct resolver_servers *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (!all->v[i].health.open)
			return false;
	return true;
}

static void opened(struct server *s, const char *why)
{
	bool none = none_left(s->all);

	atomic_store(&s->gone, true);
	log_printf(s->all->log, LOG_LEVEL_WARNING, "dns: %s %s; it is asked once a second until it is back%s", s->name, why,
		none ? ": no server is left, every question counts as unanswered" : "");
	s->all->ear->changed(s->all->ear->context, false, none);
}

static void closed(struct server *s, int64_t now)
{
	atomic_store(&s->gone, false);
	log_printf(s->all->log, LOG_LEVEL_WARNING, "dns: %s answers again, after %.1f s", s->name, (double)(now - s->health.opened) / 1e6);
	s->all->ear->changed(s->all->ear->context, true, false);
}

/* Nothing came; why is in c-ares's status. */
static void nothing_came(struct attempt *a, int status)
{
	struct server *s = a->server;

	if (status == ARES_ETIMEOUT) {
		atomic_store(&s->trouble, TROUBLE_SILENT);
	} else {
		atomic_store(&s->trouble, TROUBLE_NOBODY);
		if (health_nobody(&s->health, a->probe, clock_mono()))
			opened(s, "cannot be reached: nothing listens there");
		s->all->next_tick = 0;           /* a probe is due */
	}
	if (!a->probe) {
		atomic_fetch_add(&s->silent, 1);
		s->all->ear->ended(s->all->ear->context, a->tag, NULL);
	}
}

/* Something that can be read came. */
static void tell(struct attempt *a, struct dns_answer *answer)
{
	struct server *s = a->server;

	if (answer->status == ANSWER_FAILED) {
		atomic_fetch_add(&s->failed, 1);
		atomic_store(&s->trouble, answer->rcode == DNS_SERVFAIL ? TROUBLE_SERVFAIL : answer->rcode == DNS_REFUSED ? TROUBLE_REFUSED
			: answer->rcode == DNS_NOERROR ? TROUBLE_UNREADABLE : TROUBLE_OTHER);
	} else {
		atomic_fetch_add(&s->answered, 1);
	}
	answer->secure &= s->trusted;
	s->all->ear->ended(s->all->ear->context, a->tag, answer);
}

/* false: it is asked again. */
static bool something_came(struct attempt *a, const uint8_t *packet, size_t len)
{
	struct server *s = a->server;
	int64_t now = clock_mono();
	struct dns_answer *answer;
	int result;

	if (health_answered(&s->health))
		closed(s, now);
	if (a->probe)
		return true;
	result = dns_read(packet, len, a->type, &a->name, &answer);
	if (result == 0 && answer->rcode == DNS_FORMERR && !s->plain) {
		s->plain = true;                 /* c-ares went on without EDNS already, for one question: from now on all go so */
		dns_answer_unref(answer);
		send_attempt(a);
		return false;
	}
	/* other letters than ours: guessed, or a server that does not repeat them; cut in two: c-ares, once it has left out EDNS. TCP tells */
	if (a->way == UDP && (result == -EBADMSG || !dns_echoes(packet, len, &a->name))) {
		dns_answer_unref(answer);
		a->way = TCP;
		send_attempt(a);
		return false;
	}
	if (answer == NULL)
		answer = dns_answer_new(ANSWER_FAILED, NULL, NULL, 0);
	if (answer != NULL)
		tell(a, answer);
	else
		s->all->ear->ended(s->all->ear->context, a->tag, NULL);
	dns_answer_unref(answer);
	return true;
}

static void on_answer(void *arg, int status, int timeouts, unsigned char *packet, int len)
{
	struct attempt *a = arg;
	bool over = true;

	(void)timeouts;
	a->server->all->out--;
	if (a->server->all->closing)
		;
	else if (status == ARES_SUCCESS)
		over = something_came(a, packet, (size_t)len);
	else
		nothing_came(a, status);
	if (over)
		free(a);
}

/* ---- events and time */

void resolver_servers_event(struct resolver_servers *all, uint64_t data, uint32_t events)
{
	size_t index = data >> 40, way = data >> 32 & 0xff;
	int fd = (int)(uint32_t)data;

	if (index < all->n && way < WAYS && all->v[index].channels[way].ares != NULL)
		ares_process_fd(all->v[index].channels[way].ares, (events & ~(uint32_t)EPOLLOUT) != 0 ? fd : ARES_SOCKET_BAD, (events & EPOLLOUT) != 0 ? fd : ARES_SOCKET_BAD);
}

static void look_after(struct server *s, int64_t now)
{
	static const struct dns_name root = { .len = 1 };

	if (health_look(&s->health, now))
		opened(s, "answers nothing");
	if (health_probe(&s->health, s->all->suspect, now))
		ask(s, true, ns_t_ns, &root, NULL);
}

void resolver_servers_tick(struct resolver_servers *all, int64_t now)
{
	if (all->out > 0 && now >= all->next_tick) {
		all->next_tick = now + TICK_US;
		for (size_t i = 0; i < all->n; i++)
			for (size_t way = 0; way < WAYS; way++)
				if (all->v[i].channels[way].ares != NULL)
					ares_process_fd(all->v[i].channels[way].ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	}
	for (size_t i = 0; i < all->n; i++)
		look_after(&all->v[i], now);
}

int64_t resolver_servers_due(const struct resolver_servers *all)
{
	int64_t next = all->out > 0 ? all->next_tick : INT64_MAX;

	for (size_t i = 0; i < all->n; i++) {
		int64_t due = health_next(&all->v[i].health, all->suspect);

		next = due < next ? due : next;
	}
	return next;
}

/* ---- life */

struct resolver_servers *resolver_servers_new(const struct resolver_address *addresses, size_t n, int64_t timeout, bool trust_ad, bool far, int epoll, struct log *log, const struct resolver_ear *ear)
{
	struct resolver_servers *all = calloc(1, sizeof(*all));

	if (all == NULL || ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
		free(all);
		return NULL;
	}
	all->ear = ear;
	all->log = log;
	all->epoll = epoll;
	all->timeout = timeout * 1000;
	all->suspect = all->timeout / SUSPECT_PARTS;
	for (size_t i = 0; i < n && i < RESOLVER_SERVERS_MAX; i++) {
		struct server *s = &all->v[all->n++];
		char text[IP_TEXT_MAX];

		*s = (struct server){ .all = all, .index = i, .address = addresses[i], .near = !far && loopback(&addresses[i].ip) };
		s->trusted = trust_ad && s->near;
		snprintf(s->name, sizeof(s->name), "%s@%u", ip_print(&s->address.ip, text), s->address.port);
		for (size_t way = 0; way < WAYS; way++)
			s->channels[way] = (struct channel){ .server = s, .way = (enum way)way };
		if (!open_channel(s, UDP)) {
			resolver_servers_free(all);
			return NULL;
		}
	}
	return all;
}

void resolver_servers_free(struct resolver_servers *all)
{
	if (all == NULL)
		return;
	all->closing = true;
	for (size_t i = 0; i < all->n; i++)
		for (size_t way = 0; way < WAYS; way++)
			if (all->v[i].channels[way].ares != NULL)
				ares_destroy(all->v[i].channels[way].ares);
	free(all);
}

size_t resolver_servers_states(const struct resolver_servers *all, struct resolver_state *states_r, size_t max)
{
	for (size_t i = 0; i < all->n && i < max; i++) {
		const struct server *s = &all->v[i];
		struct resolver_state *r = &states_r[i];

		*r = (struct resolver_state){
			.gone = atomic_load(&s->gone), .trouble = (enum resolver_trouble)atomic_load(&s->trouble), .asked = atomic_load(&s->asked),
			.answered = atomic_load(&s->answered), .failed = atomic_load(&s->failed), .silent = atomic_load(&s->silent),
		};
		memcpy(r->name, s->name, sizeof(r->name));
	}
	return all->n;
}
