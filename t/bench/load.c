/* load.c - an MTA that sends messages to a milter as fast as it answers: SESSIONS at once, MESSAGES each (or at a rate); prints messages, seconds, and percentiles in microseconds */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { BODY = 7400, OFFERED_ACTIONS = 0x1ff, OFFERED_PROTOCOL = 0x1fffff, NR_HDR = 0x80, NR_DATA = 0x10000 };

struct job {
	pthread_t thread;
	const char *socket;
	int messages, done, idle_seconds;
	bool apart;                      /* each message in a session of its own */
	int64_t first, gap;              /* when the first message is due, and the time between two; gap 0: as fast as answers come */
	int64_t *micros;
};

static char body[BODY + 1];

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int dial(const char *spec)
{
	int fd, one = 1;

	if (strncmp(spec, "unix:", 5) == 0) {
		struct sockaddr_un un = { .sun_family = AF_UNIX };

		snprintf(un.sun_path, sizeof(un.sun_path), "%s", spec + 5);
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (connect(fd, (struct sockaddr *)&un, sizeof(un)) != 0)
			die(spec);
	} else {
		struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(strchr(spec, ':') + 1)) };

		in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(fd, (struct sockaddr *)&in, sizeof(in)) != 0)
			die(spec);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	}
	return fd;
}

/* Packets are gathered and written when an answer is wanted, as MTAs do. */
struct wire {
	int fd;
	char out[65536], in[65536];
	size_t n;
};

static void put(struct wire *w, char command, const void *data, size_t len)
{
	uint32_t size = htonl((uint32_t)len + 1);

	memcpy(w->out + w->n, &size, 4);
	w->out[w->n + 4] = command;
	memcpy(w->out + w->n + 5, data, len);
	w->n += len + 5;
}

static void flush_out(struct wire *w)
{
	for (size_t at = 0; at < w->n;) {
		ssize_t n = write(w->fd, w->out + at, w->n - at);

		if (n <= 0)
			die("write");
		at += (size_t)n;
	}
	w->n = 0;
}

static void take(struct wire *w, void *to, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = read(w->fd, (char *)to + at, len - at);

		if (n <= 0)
			die("the milter closed the connection");
		at += (size_t)n;
	}
}

/* The answer's letter; header changes and the like are skipped. */
static char answer(struct wire *w)
{
	uint32_t size;

	flush_out(w);
	for (;;) {
		take(w, &size, 4);
		size = ntohl(size);
		if (size < 1 || size > sizeof(w->in))
			die("packet");
		take(w, w->in, size);
		if (strchr("himp+-2eqb", w->in[0]) == NULL)
			return w->in[0];
	}
}

static void expect(struct wire *w, const char *what)
{
	char a = answer(w);

	if (a != 'c') {
		fprintf(stderr, "%s: answer %c\n", what, a);
		exit(1);
	}
}

#define TEXT(s) s, sizeof(s) - 1

static void open_session(struct wire *w, const char *spec)
{
	uint32_t offer[3] = { htonl(6), htonl(OFFERED_ACTIONS), htonl(OFFERED_PROTOCOL) };

	w->fd = dial(spec);
	w->n = 0;
	put(w, 'O', offer, sizeof(offer));
	if (answer(w) != 'O')
		die("negotiation");
	put(w, 'D', TEXT("Cj\0mx.bench.test\0{daemon_name}\0mx.bench.test\0{client_addr}\000198.51.100.9\0{client_name}\0mail.sender.example\0v\0Postfix 3.7.11\0"));
	put(w, 'C', TEXT("mail.sender.example\0004\x9c\x41" "198.51.100.9\0"));
	expect(w, "connect");
	put(w, 'D', TEXT("H"));
	put(w, 'H', TEXT("mail.sender.example\0"));
	expect(w, "helo");
}

static void close_session(struct wire *w)
{
	put(w, 'Q', "", 0);
	flush_out(w);
	close(w->fd);
}

static void header(struct wire *w, const char *name, const char *value)
{
	char both[1024];
	size_t n = strlen(name) + 1, v = strlen(value) + 1;

	memcpy(both, name, n);
	memcpy(both + n, value, v);
	put(w, 'L', both, n + v);
}

static void headers(struct wire *w)
{
	char date[64];
	time_t t = time(NULL);
	struct tm tm;

	strftime(date, sizeof(date), " %a, %d %b %Y %H:%M:%S +0000", gmtime_r(&t, &tm));
	header(w, "Received", " from laptop.sender.example (unknown [198.51.100.77])\n\tby mail.sender.example with ESMTPSA id 4BOIPQabcdef\n\tfor <anna@example.com>");
	header(w, "DKIM-Signature", " v=1; a=rsa-sha256; c=relaxed/relaxed; d=sender.example; s=sel;\n\th=from:to:subject:date:message-id; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\n\tb=abc");
	header(w, "From", " Bob <bob@sender.example>");
	header(w, "To", " Anna <anna@example.com>");
	header(w, "Subject", " Lunch on Friday, at the small place near the station");
	header(w, "Date", date);
	header(w, "Message-ID", " <20261125.1.2@sender.example>");
	header(w, "MIME-Version", " 1.0");
	header(w, "Content-Type", " text/plain; charset=utf-8");
	header(w, "Content-Transfer-Encoding", " 8bit");
	header(w, "User-Agent", " Bench");
	header(w, "X-Mailer", " Bench");
	header(w, "List-Id", " <list.sender.example>");
}

static void message(struct wire *w)
{
	put(w, 'A', "", 0);
	put(w, 'D', TEXT("M{mail_addr}\0bob@sender.example\0"));
	put(w, 'M', TEXT("<bob@sender.example>\0SIZE=8192\0"));
	expect(w, "mail");
	put(w, 'D', TEXT("R{rcpt_addr}\0anna@example.com\0{rcpt_mailer}\0relay\0"));
	put(w, 'R', TEXT("<anna@example.com>\0"));
	expect(w, "rcpt");
	put(w, 'D', TEXT("Ti\0004BOIPQabcdef\0"));
	put(w, 'T', "", 0);
	headers(w);
	put(w, 'N', "", 0);
	expect(w, "eoh");
	put(w, 'B', body, BODY);
	expect(w, "body");
	put(w, 'D', TEXT("Ei\0004BOIPQabcdef\0"));
	put(w, 'E', "", 0);
	expect(w, "eom");
}

static void wait_until(int64_t when)
{
	int64_t left = when - now();

	if (left > 0)
		usleep((useconds_t)left);
}

static void *session(void *argument)
{
	struct job *j = argument;
	struct wire *w = malloc(sizeof(*w));

	open_session(w, j->socket);
	for (int i = 0; i < j->messages; i++) {
		int64_t before;

		wait_until(j->first + i * j->gap);
		before = now();

		message(w);
		j->micros[j->done++] = now() - before;
		if (j->apart && i + 1 < j->messages) {
			close_session(w);
			open_session(w, j->socket);
		}
	}
	if (j->idle_seconds > 0)
		sleep((unsigned)j->idle_seconds);
	close_session(w);
	free(w);
	return NULL;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	int sessions = argc > 2 ? atoi(argv[2]) : 0, messages = argc > 3 ? atoi(argv[3]) : 0, idle = argc > 4 ? atoi(argv[4]) : 0, rate = argc > 5 ? atoi(argv[5]) : 0,
		total = 0;
	bool apart = argc > 6 && strcmp(argv[6], "apart") == 0;
	pthread_attr_t small;
	int64_t *all, start;
	struct job *jobs;

	if (sessions < 1) {
		fprintf(stderr, "usage: load unix:PATH|inet:PORT SESSIONS MESSAGES [SECONDS_IDLE_AT_THE_END [MESSAGES_A_SECOND [apart]]]\n");
		return 2;
	}
	for (int i = 0; i < BODY; i++)
		body[i] = i % 72 == 70 ? '\r' : i % 72 == 71 ? '\n' : (char)('a' + i % 23);
	jobs = calloc((size_t)sessions, sizeof(*jobs));
	all = calloc((size_t)(sessions * messages) + 1, sizeof(*all));
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 256 * 1024);
	start = now();
	for (int i = 0; i < sessions; i++) {
		jobs[i] = (struct job){ .socket = argv[1], .messages = messages, .micros = all + i * messages, .idle_seconds = idle, .apart = apart };
		if (rate > 0) {
			/* all sessions together make the rate, one after the other */
			jobs[i].gap = (int64_t)sessions * 1000000 / rate;
			jobs[i].first = start + 500000 + (int64_t)i * 1000000 / rate;
		}
		if (pthread_create(&jobs[i].thread, &small, session, &jobs[i]) != 0)
			die("thread");
	}
	for (int i = 0; i < sessions; i++) {
		pthread_join(jobs[i].thread, NULL);
		total += jobs[i].done;
	}
	qsort(all, (size_t)total, sizeof(*all), compare);
	printf("messages %d seconds %.3f p50 %lld p99 %lld\n", total, (double)(now() - start) / 1e6, total ? (long long)all[total / 2] : 0,
		total ? (long long)all[total * 99 / 100] : 0);
	free(jobs);
	free(all);
	return 0;
}
