/* release.h - a copy goes to its recipients after all: over SMTP to an MTA, with its envelope and a ticket */
#ifndef WINNOW_QUARANTINE_RELEASE_H
#define WINNOW_QUARANTINE_RELEASE_H

#include "net/smtp_client.h"
#include "quarantine/quarantine.h"

struct release_order {
	const char *id;
	const char *to;                  /* instead of the recipients; NULL: them */
	const char *host;                /* name or address of the MTA */
	uint16_t port;
	const char *hello;               /* our name */
	const char *field;               /* name of the field with the ticket, put on top of the message */
	const char *key_path;            /* ticket.h; made if it is missing */
	const struct smtp_limits *limits;
	int64_t (*now)(void);            /* microseconds since 1970; NULL: clock_wall */
};

enum release_outcome {
	RELEASE_DONE,                    /* for every recipient */
	RELEASE_LATER,                   /* for some recipient not now: no connection, no answer, 4yz */
	RELEASE_REFUSED                  /* for some recipient not at all: 5yz, or it cannot be said to this MTA */
};

/* What the MTA said; code 0: nothing. Strings are never NULL. */
struct release_word {
	int code;
	const char *xcode, *text;
};

struct release_rcpt {
	const char *address;
	bool taken;
	struct release_word word;        /* on this recipient, or on the message if that was not taken */
};

struct release_report {
	enum release_outcome outcome;
	bool taken;                      /* by the MTA, for at least one recipient */
	struct release_rcpt *rcpts;
	size_t n_rcpts;
	struct release_word word;        /* on the message, or where that was not sent at the step that came to nothing */
	const char *step;                /* what came to nothing: "connection", "EHLO", "MAIL", "RCPT", "DATA", "message"; NULL: all went well */
	const char *reason, *remedy;     /* NULL with RELEASE_DONE */
	int64_t before;                  /* when it was released before; 0: never */
};

/* Sends a copy byte for byte (dots and line ends as SMTP wants them) with its sender and recipients, and marks it: releasing before its bytes go, so that it is known when it comes back
 * through us, released when the MTA took it. It stays in the quarantine. 0 with *report_r (strings are children of mem); -ENOENT: no such id; -errno with *error_r (talloc child of NULL):
 * the copy, the key or the index. */
int quarantine_release(struct quarantine *quarantine, TALLOC_CTX *mem, const struct release_order *order, struct release_report *report_r, char **error_r);

#endif
