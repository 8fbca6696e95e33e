/* smtp_client.h - speaks SMTP as a client: a command at a time, under deadlines, with any server (RFC 5321) */
#ifndef WINNOW_NET_SMTP_CLIENT_H
#define WINNOW_NET_SMTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <talloc.h>

#include "net/smtp_reply.h"
#include "util/ip.h"

/* What is waited for. */
enum smtp_step {
	SMTP_CONNECT, SMTP_GREETING, SMTP_COMMAND,       /* EHLO to RSET, each */
	SMTP_DATA,                       /* the go-ahead */
	SMTP_BLOCK,                      /* until 64 KB of a message are taken */
	SMTP_END,                        /* the word on the message */
	SMTP_QUIT,
	SMTP_STEPS
};

/* Milliseconds; 0: 30 s to connect, 60 s for a command, 120 s for DATA, 180 s for a block, 600 s for the message (RFC 5321 section 4.5.3.2, but for the commands), 2 s for QUIT.
 * A server that sends a byte now and then does not gain time. */
struct smtp_limits {
	int64_t step[SMTP_STEPS];
	int64_t total;                   /* of the whole connection, whatever is said; 0: no limit */
};

/* One connection, used by one thread at a time. */
struct smtp_client;

enum { SMTP_ADDRESSES_MAX = 8 };

/* The addresses of a host by the system's resolver; a text that is an address is its own. May wait. How many; 0: *error_r says why. */
size_t smtp_resolve(const char *host, struct ip ips_r[SMTP_ADDRESSES_MAX], const char **error_r);

/* NULL: out of memory. limits: NULL for the defaults; copied. */
struct smtp_client *smtp_new(const struct smtp_limits *limits);

/* Closes the connection without a word. NULL is allowed. */
void smtp_free(struct smtp_client *client);

/* All of these: 0 when the server answered: whatever it said, smtp_reply() holds it (code 421 too, after which it closes).
 * -errno: there is no answer, or none that could be one; smtp_error() says what happened; the connection is closed, and every further call fails in the same way.
 * -ETIMEDOUT, -ECONNREFUSED, ..., -ECONNRESET: it was closed; -EPROTO: no SMTP, or words out of turn; -EMSGSIZE: a reply without end;
 * -EINVAL: an address with bytes that no path has (RFC 5321 section 4.1.2); -EOPNOTSUPP: an address that needs SMTPUTF8 (RFC 6531), and the server has it not: these two close nothing. */
int smtp_connect(struct smtp_client *client, const struct ip *ip, uint16_t port);       /* and the greeting; after one that failed, another address may be tried */
int smtp_hello(struct smtp_client *client, const char *name);                           /* EHLO, and HELO where that is refused with 5yz */
int smtp_rcpt(struct smtp_client *client, const char *recipient);
int smtp_data(struct smtp_client *client);
int smtp_reset(struct smtp_client *client);
int smtp_quit(struct smtp_client *client);

struct smtp_mail {
	uint64_t size;                   /* of the message, told where SIZE is offered (RFC 1870); 0: not told */
	bool eight_bit;                  /* it has bytes above 127: BODY=8BITMIME where that is offered (RFC 6152) */
	bool utf8;                       /* a recipient is not ASCII: SMTPUTF8 */
};

/* sender: "" for the null sender. */
int smtp_mail(struct smtp_client *client, const char *sender, const struct smtp_mail *mail);

/* After 354: the message in pieces of any length, line ends CRLF (LF alone becomes CRLF, CR alone stays); dots are doubled here. 0 or -errno.
 * A server that refuses in the middle: 0, and smtp_end() returns what it said. */
int smtp_write(struct smtp_client *client, const char *data, size_t len);

/* The end of the message, with a line end before it if that is missing, and the server's word. */
int smtp_end(struct smtp_client *client);

const struct smtp_reply *smtp_reply(const struct smtp_client *client);
const char *smtp_error(const struct smtp_client *client);

/* The parameters of an extension of EHLO ("" if it has none); NULL: it is not offered. Valid until the next smtp_hello(). */
const char *smtp_offer(const struct smtp_client *client, const char *extension);

/* Reads "smtp://HOST", "smtp://HOST:PORT", HOST a name, an IPv4 address or an IPv6 address in brackets; without a port: 25. *host_r: child of mem, without brackets. */
bool smtp_url_parse(TALLOC_CTX *mem, const char *url, char **host_r, uint16_t *port_r);

#endif
