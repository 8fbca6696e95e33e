/* record.h - a decision as data: what the log, the journal, the counters and `explain` are made from */
#ifndef WINNOW_ENGINE_RECORD_H
#define WINNOW_ENGINE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/verdict.h"
#include "facts/class.h"
#include "facts/finding.h"

/* A finding as it was made, before any policy, and what the policy made of it. */
struct record_finding {
	const struct finding *finding;
	enum action action;              /* of the policy's class rule */
	double weight;                   /* in the combined score; NAN: none */
	bool observed, bypassed;         /* recorded only; opened by an allow list */
	bool counted;                    /* it could decide: not ignored, not bypassed */
	bool decided;                    /* it did */
};

struct record_time {
	const char *check;
	uint32_t microseconds;
};

/* Strings are printable ASCII (but for subject), and live as long as the transaction. NULL: not known. */
struct record {
	int64_t time;                    /* microseconds since 1970 */
	const char *id, *queue_id, *message_id;
	const char *event;               /* "connect", "command", "mail", "rcpt", "message" */
	enum stage stage;
	enum direction direction;
	const char *client, *ptr, *helo, *tls, *user;
	const char *iprev, *country, *as_name;   /* of the client; ptr is its name if that is verified */
	uint32_t asn;                    /* 0: not known */
	const char *from;                /* "<>": null sender; NULL: no MAIL yet */
	const char **rcpts;              /* at event "rcpt" the one that was judged */
	size_t n_rcpts;
	const char **dropped;            /* those of them that are black holes, in a message that goes to the others */
	size_t n_dropped;
	const char *subject;             /* decoded to UTF-8, as shown() makes it */
	uint64_t size;                   /* 0: no message */
	const char *policy;
	enum mode mode;
	enum action action, intended;
	enum class_id class;
	int code;
	const char *xcode, *detail;      /* detail of the deciding finding */
	bool allowed, proven;            /* what the recipient's lists say of the sender */
	bool no_recipient_left;          /* every accepted recipient is a black hole */
	struct record_finding *findings;
	size_t n_findings;
	const struct note *notes;
	size_t n_notes;
	const char **auth;               /* what SPF and the signatures said: "dkim=pass d=example.com s=sel" */
	size_t n_auth;
	struct record_time *times;       /* checks that took at least a microsecond */
	size_t n_times;
};

/* The log line of a record, a malloc'ed text: key=value, or one JSON object. NULL: out of memory. */
char *record_text(const struct record *record, bool json);

#endif
