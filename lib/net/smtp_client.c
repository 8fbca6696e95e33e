/* smtp_client.c - speaks SMTP as a client: a command at a time, under deadlines, with any server (RFC 5321) */
#include "net/smtp_client.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/clock.h"

enum { IN_MAX = 4096, OUT_MAX = 65536, COMMAND_MAX = 2048 };

static const int64_t default_ms[SMTP_STEPS] = {
	[SMTP_CONNECT] = 30000, [SMTP_GREETING] = 60000, [SMTP_COMMAND] = 60000, [SMTP_DATA] = 120000, [SMTP_BLOCK] = 180000, [SMTP_END] = 600000, [SMTP_QUIT] = 2000,
};

struct smtp_client {
	int fd;                          /* -1: not connected */
	int failure;                     /* -errno: the connection is over */
	int64_t step_us[SMTP_STEPS], end;                /* end: of everything, on the monotonic clock; INT64_MAX: never */
	int64_t until;                   /* of the present step */
	char in[IN_MAX];
	size_t in_at, in_len;
	char out[OUT_MAX];
	size_t out_len;
	char last;                       /* byte of the message, as it was written; '\n' before the first */
	bool answered;                   /* the server has said its word on the message before its end */
	struct smtp_reader reader;
	struct smtp_reply reply;
	char offers[SMTP_TEXT_MAX + 1];  /* lines of EHLO's reply, the first one left out, a NUL behind each; then an empty one */
	char peer[IP_TEXT_MAX + 8], error[256];
};

struct smtp_client *smtp_new(const struct smtp_limits *limits)
{
	struct smtp_client *c = talloc_named_const(NULL, sizeof(*c), "smtp_client");
	int64_t total = limits != NULL ? limits->total : 0;

	if (c == NULL)
		return NULL;
	memset(c, 0, sizeof(*c));
	c->fd = -1;
	c->failure = -ENOTCONN;
	for (int i = 0; i < SMTP_STEPS; i++)
		c->step_us[i] = 1000 * (limits != NULL && limits->step[i] > 0 ? limits->step[i] : default_ms[i]);
	c->end = total > 0 ? clock_mono() + 1000 * total : INT64_MAX;
	return c;
}

static void hang_up(struct smtp_client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

void smtp_free(struct smtp_client *c)
{
	if (c == NULL)
		return;
	hang_up(c);
	talloc_free(c);
}

const struct smtp_reply *smtp_reply(const struct smtp_client *c)
{
	return &c->reply;
}

const char *smtp_error(const struct smtp_client *c)
{
	return c->error;
}

/* The end of the connection: what was being done, and why it came to nothing. */
static int fail(struct smtp_client *c, int error, const char *what)
{
	const char *why = error == -ETIMEDOUT ? "no answer in time" : error == -ECONNRESET || error == -EPIPE ? "the connection was closed"
		: error == -EPROTO ? "what came is no SMTP" : error == -EMSGSIZE ? "a reply without end" : strerror(-error);

	hang_up(c);
	c->failure = error == -EPIPE ? -ECONNRESET : error;
	snprintf(c->error, sizeof(c->error), "%s: %s: %s", c->peer, what, why);
	return c->failure;
}

static void begin_step(struct smtp_client *c, enum smtp_step step)
{
	int64_t until = clock_mono() + c->step_us[step];

	c->until = until < c->end ? until : c->end;
}

/* What the socket is ready for, or -errno; 0 only where at_once is set and nothing is. */
static int ready(const struct smtp_client *c, short events, bool at_once)
{
	for (;;) {
		struct pollfd p = { .fd = c->fd, .events = events };
		int64_t left = at_once ? 0 : (c->until - clock_mono() + 999) / 1000;
		int n;

		if (left <= 0 && !at_once)
			return -ETIMEDOUT;
		n = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);
		if (n > 0)
			return p.revents;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0 && at_once)
			return 0;
	}
}

/* Reads one reply. */
static int read_reply(struct smtp_client *c, const char *what)
{
	smtp_reader_begin(&c->reader, &c->reply);
	for (;;) {
		size_t used;
		ssize_t n;
		int r = smtp_reader_take(&c->reader, &c->reply, c->in + c->in_at, c->in_len - c->in_at, &used);

		c->in_at += used;
		if (r < 0)
			return fail(c, r, what);
		if (r > 0)
			return 0;
		r = ready(c, POLLIN, false);
		if (r < 0)
			return fail(c, r, what);
		n = recv(c->fd, c->in, sizeof(c->in), 0);
		if (n == 0)
			return fail(c, -ECONNRESET, what);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return fail(c, -errno, what);
		c->in_at = 0;
		c->in_len = n > 0 ? (size_t)n : 0;
	}
}

/* Has the server something to say that nobody asked for? */
static bool speaks(const struct smtp_client *c)
{
	return c->in_at < c->in_len || ready(c, POLLIN, true) > 0;
}

/* Writes what is in c->out. What the server says meanwhile is its word on the message: then the rest is not sent. */
static int flush(struct smtp_client *c, const char *what, bool message)
{
	size_t at = 0;

	while (at < c->out_len) {
		int r = ready(c, message ? POLLIN | POLLOUT : POLLOUT, false);
		ssize_t n;

		if (r < 0)
			return fail(c, r, what);
		if (message && (r & POLLIN) != 0) {
			r = read_reply(c, what);
			if (r == 0 && c->reply.code < 400)
				r = fail(c, -EPROTO, what);
			c->answered = r == 0;
			c->out_len = 0;
			return r;
		}
		n = send(c->fd, c->out + at, c->out_len - at, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return fail(c, -errno, what);
		if (n > 0)
			at += (size_t)n;
	}
	c->out_len = 0;
	return 0;
}

/* ---- connection */

static int open_socket(struct smtp_client *c, const struct ip *ip, uint16_t port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	const struct sockaddr *to = ip->family == 4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6;
	socklen_t len = ip->family == 4 ? sizeof(v4) : sizeof(v6);
	int r, one = 1, error = 0;

	if (ip->family != 4 && ip->family != 6)
		return -EAFNOSUPPORT;
	memcpy(&v4.sin_addr, ip->addr, 4);
	memcpy(&v6.sin6_addr, ip->addr, 16);
	c->fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return -errno;
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(c->fd, to, len) == 0)
		return 0;
	if (errno != EINPROGRESS && errno != EINTR)
		return -errno;
	r = ready(c, POLLOUT, false);
	len = sizeof(error);
	if (r < 0)
		return r;
	return getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 ? -errno : -error;
}

int smtp_connect(struct smtp_client *c, const struct ip *ip, uint16_t port)
{
	char text[IP_TEXT_MAX];
	int r;

	hang_up(c);
	c->in_at = c->in_len = c->out_len = 0;
	c->offers[0] = c->error[0] = '\0';
	c->reply.code = 0;
	ip_print(ip, text);
	snprintf(c->peer, sizeof(c->peer), ip->family == 6 ? "[%s]:%u" : "%s:%u", text, (unsigned)port);
	begin_step(c, SMTP_CONNECT);
	r = open_socket(c, ip, port);
	if (r != 0)
		return fail(c, r, "no connection");
	c->failure = 0;
	begin_step(c, SMTP_GREETING);
	return read_reply(c, "the greeting");
}

/* ---- commands */

/* Sends c->out, a whole command, and reads what the server says to it. name: for the error. */
static int command(struct smtp_client *c, enum smtp_step step, const char *name)
{
	int r;

	if (c->failure != 0)
		return c->failure;
	begin_step(c, step);
	if (speaks(c)) {
		/* a server that shuts down says 421 to nobody; anything else would be taken for the answer to what comes next */
		r = read_reply(c, name);
		return r != 0 || c->reply.code == 421 ? r : fail(c, -EPROTO, name);
	}
	r = flush(c, name, false);
	return r != 0 ? r : read_reply(c, name);
}

static int simple_command(struct smtp_client *c, enum smtp_step step, const char *name)
{
	c->out_len = (size_t)snprintf(c->out, sizeof(c->out), "%s\r\n", name);
	return command(c, step, name);
}

static int hello(struct smtp_client *c, const char *verb, const char *name)
{
	if (name[0] == '\0' || strlen(name) > 255 || name[strcspn(name, " \t\r\n<>")] != '\0')
		name = "localhost";
	c->out_len = (size_t)snprintf(c->out, sizeof(c->out), "%s %s\r\n", verb, name);
	return command(c, SMTP_COMMAND, verb);
}

int smtp_hello(struct smtp_client *c, const char *name)
{
	int r = hello(c, "EHLO", name);
	const char *second;
	size_t n = 0;

	memset(c->offers, 0, sizeof(c->offers));
	if (r == 0 && c->reply.code >= 500)
		return hello(c, "HELO", name);
	second = r == 0 && c->reply.code == 250 ? strchr(c->reply.text, '\n') : NULL;
	for (; second != NULL && *second != '\0'; second++) {
		if (*second != '\n')
			c->offers[n++] = *second;
		else if (n > 0 && c->offers[n - 1] != '\0')
			n++;                     /* an empty line would end the list */
	}
	return r;
}

const char *smtp_offer(const struct smtp_client *c, const char *extension)
{
	size_t len = strlen(extension);

	for (const char *line = c->offers; *line != '\0'; line += strlen(line) + 1)
		if (strncasecmp(line, extension, len) == 0 && (line[len] == '\0' || line[len] == ' '))
			return line + len + (line[len] == ' ');
	return NULL;
}

/* A path that cannot end its command, and begins no second one: no blanks, controls and brackets outside quotes, no end of line within. */
static bool good_path(const char *path, bool *ascii_r)
{
	bool quoted = false;

	*ascii_r = true;
	for (const unsigned char *p = (const unsigned char *)path; *p != '\0'; p++) {
		if (*p < ' ' || *p == 0x7f || (!quoted && (*p == ' ' || *p == '<' || *p == '>')))
			return false;
		if (quoted && *p == '\\') {
			if (p[1] < ' ' || p[1] == 0x7f)
				return false;
			p++;
		} else if (*p == '"') {
			quoted = !quoted;
		}
		*ascii_r &= *p < 0x80;
	}
	return !quoted && strlen(path) <= 1000;
}

/* Looks an address over: 0, or an error that leaves the connection as it is. */
static int check_path(struct smtp_client *c, const char *path, bool *ascii_r)
{
	if (c->failure != 0)
		return c->failure;
	if (!good_path(path, ascii_r)) {
		snprintf(c->error, sizeof(c->error), "an address with bytes that SMTP has no way to say");
		return -EINVAL;
	}
	if (!*ascii_r && smtp_offer(c, "SMTPUTF8") == NULL) {
		snprintf(c->error, sizeof(c->error), "%s: an address that is not ASCII, and no SMTPUTF8 is offered", c->peer);
		return -EOPNOTSUPP;
	}
	return 0;
}

int smtp_mail(struct smtp_client *c, const char *sender, const struct smtp_mail *mail)
{
	bool ascii, utf8 = smtp_offer(c, "SMTPUTF8") != NULL;
	int r = check_path(c, sender, &ascii);
	FILE *f;

	if (r != 0)
		return r;
	f = fmemopen(c->out, COMMAND_MAX, "w");
	if (f == NULL)
		return fail(c, -ENOMEM, "MAIL");
	fprintf(f, "MAIL FROM:<%s>", sender);
	if (mail->size > 0 && smtp_offer(c, "SIZE") != NULL)
		fprintf(f, " SIZE=%" PRIu64, mail->size);
	if ((mail->eight_bit || !ascii) && smtp_offer(c, "8BITMIME") != NULL)
		fprintf(f, " BODY=8BITMIME");
	fprintf(f, "%s\r\n", (mail->utf8 || !ascii) && utf8 ? " SMTPUTF8" : "");
	c->out_len = (size_t)ftell(f);
	fclose(f);
	return command(c, SMTP_COMMAND, "MAIL");
}

int smtp_rcpt(struct smtp_client *c, const char *recipient)
{
	bool ascii;
	int r = check_path(c, recipient, &ascii);

	if (r != 0)
		return r;
	c->out_len = (size_t)snprintf(c->out, COMMAND_MAX, "RCPT TO:<%s>\r\n", recipient);
	return command(c, SMTP_COMMAND, "RCPT");
}

int smtp_reset(struct smtp_client *c)
{
	return simple_command(c, SMTP_COMMAND, "RSET");
}

int smtp_quit(struct smtp_client *c)
{
	int r = simple_command(c, SMTP_QUIT, "QUIT");

	if (r == 0) {
		hang_up(c);
		c->failure = -ENOTCONN;
	}
	return r;
}

/* ---- the message */

int smtp_data(struct smtp_client *c)
{
	c->last = '\n';
	c->answered = false;
	return simple_command(c, SMTP_DATA, "DATA");
}

static int put(struct smtp_client *c, char byte)
{
	if (c->out_len == OUT_MAX) {
		int r;

		begin_step(c, SMTP_BLOCK);
		r = flush(c, "the message", true);
		if (r != 0 || c->answered)
			return r;
	}
	c->out[c->out_len++] = byte;
	c->last = byte;
	return 0;
}

int smtp_write(struct smtp_client *c, const char *data, size_t len)
{
	int r = c->failure;

	for (size_t i = 0; i < len && r == 0 && !c->answered; i++) {
		if (data[i] == '\n' && c->last != '\r')
			r = put(c, '\r');
		else if (data[i] == '.' && c->last == '\n')
			r = put(c, '.');
		if (r == 0 && !c->answered)
			r = put(c, data[i]);
	}
	return r;
}

int smtp_end(struct smtp_client *c)
{
	static const char end[] = "\r\n.\r\n";
	int r = c->failure;

	for (const char *p = c->last == '\n' ? end + 2 : end; *p != '\0' && r == 0 && !c->answered; p++)
		r = put(c, *p);
	begin_step(c, SMTP_BLOCK);
	if (r == 0 && !c->answered)
		r = flush(c, "the message", true);
	if (r == 0 && c->answered) {
		/* it did not wait for the end: what it takes the next bytes for is anybody's guess */
		hang_up(c);
		c->failure = -ENOTCONN;
		return 0;
	}
	begin_step(c, SMTP_END);
	return r != 0 ? r : read_reply(c, "the end of the message");
}

/* ---- where to */

bool smtp_url_parse(TALLOC_CTX *mem, const char *url, char **host_r, uint16_t *port_r)
{
	static const char scheme[] = "smtp://";
	const char *host = url + sizeof(scheme) - 1, *end;
	unsigned long port = 25;
	struct ip ip;

	*host_r = NULL;
	if (strncasecmp(url, scheme, sizeof(scheme) - 1) != 0)
		return false;
	if (host[0] == '[') {
		end = strchr(++host, ']');
		*host_r = end != NULL ? talloc_strndup(mem, host, (size_t)(end - host)) : NULL;
		if (*host_r == NULL || !ip_parse(*host_r, &ip) || ip.family != 6)
			return false;
		end++;
	} else {
		end = host + strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_");
		if (end == host || end - host > 253)
			return false;
		*host_r = talloc_strndup(mem, host, (size_t)(end - host));
	}
	if (*end == ':') {
		size_t digits = strspn(++end, "0123456789");

		port = 0;
		for (size_t i = 0; i < digits && digits <= 5; i++)
			port = port * 10 + (unsigned long)(end[i] - '0');
		end += digits;
	}
	if (*end == '/')
		end++;
	*port_r = (uint16_t)port;
	return *host_r != NULL && *end == '\0' && port >= 1 && port <= 65535;
}
