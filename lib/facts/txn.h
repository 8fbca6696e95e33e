/* txn.h - one message within a session: envelope, recipients, message, findings; empty until MAIL, emptied after each message */
#ifndef WINNOW_FACTS_TXN_H
#define WINNOW_FACTS_TXN_H

#include <stdbool.h>
#include <stdint.h>

#include <talloc.h>

#include "facts/finding.h"
#include "facts/session.h"
#include "message/address.h"
#include "message/author.h"
#include "message/message.h"
#include "net/arc.h"
#include "net/dkim.h"
#include "net/dmarc.h"
#include "net/spf.h"

struct chain;
struct dnsbl_facts;
struct config;
struct destination;
struct mail_hosts;
struct policy;

enum { CHECKS_MAX = 48 };

/* What the recipient's lists say of this sender. */
struct list_word {
	bool listed;                     /* an allow list names the sender, proven or not */
	bool allowed;                    /* an allow list names the sender or the client, and that counts */
	bool proven;                     /* ... by address, or with SPF, DKIM or DMARC pass for the listed domain */
	bool dnswl;                      /* DNS white lists name the client: opens what an allow list opens without proof */
	bool blocked;                    /* the recipient's or its domain's block list names the sender */
};

/* What SPF says of the client, by identity; result SPF_PENDING: not asked, or nothing came yet. */
struct spf_facts {
	struct spf_outcome mail;         /* MAIL FROM; of the null sender its HELO name */
	struct spf_outcome helo;         /* not asked with a null sender: it is the same */
	bool mail_judged, helo_judged;   /* the policy in force looks at it: it may be shown, and prove */
};

/* What DMARC says of the author domain, and why it was not followed. */
struct dmarc_facts {
	struct author author;
	struct dmarc_outcome outcome;    /* DMARC_PENDING until the end of the message */
	const char *override;            /* reason type of RFC 9990 ("local_policy", "trusted_forwarder"); NULL: none. Allow lists are the verdict's business */
	const char *comment;             /* of the override; never NULL where there is one */
};

struct rcpt {
	const char *raw;                 /* exactly as it came, brackets included */
	struct address address;
	bool valid;                      /* the path could be read */
	const struct policy *policy;
	struct list_word word;
	struct destination *destination; /* check/destination.h; NULL: nothing was asked of where its mail goes */
	bool refused_by_mta;
	bool blackhole;                  /* the policy lets its mail vanish: taken off at end of message */
};

struct txn {
	struct session *session;
	TALLOC_CTX *mem;                 /* for hooks: lives as long as what is judged, a recipient at RCPT, else the message */
	TALLOC_CTX *lasting;             /* of this message, a root of its own; before MAIL the session's */
	struct config *config;           /* pinned while the transaction lasts */
	const struct policy *policy;     /* in force while a hook runs; never NULL in a hook */
	enum stage stage;
	const char *check;               /* whose hook runs; NULL: the engine */
	uint32_t spent[CHECKS_MAX];      /* microseconds that each check took for this message, by its place in the registry */
	int64_t now;                     /* wall clock in microseconds at the present event: checks read this, never the clock */
	int64_t answer_by;               /* clock_mono: the present event is answered by then, whatever its stages may take; 0: their deadlines alone */
	const char *id;                  /* shown in replies, headers, log */
	const char *queue_id;            /* NULL until the MTA says it */
	bool open;                       /* MAIL was seen */
	bool outbound;
	/* MAIL */
	struct address sender;           /* text "" for the null sender */
	bool sender_valid;               /* the path could be read */
	bool null_sender;
	int64_t size_announced;          /* SIZE=; -1: none */
	bool smtputf8;
	const char *auth_user, *auth_type;   /* NULL: not authenticated */
	struct spf_facts *spf;           /* NULL: not asked */
	struct dnsbl_facts *dnsbl;       /* check/dnsbl.h; NULL: not asked */
	struct mail_hosts *sender_hosts; /* where mail for the sender's domain goes; NULL: not asked. Strings of the table of answers: not to be read from DATA on */
	/* RCPT */
	struct rcpt *rcpt;               /* the one being judged; NULL outside RCPT */
	struct rcpt **rcpts;             /* accepted, in order */
	size_t n_rcpts;
	size_t rcpts_refused;            /* by us or the MTA, in this transaction */
	/* DATA to end */
	struct message *message;         /* NULL until DATA */
	int message_error;               /* -errno: the message could not be kept */
	const char *piece;               /* STAGE_BODY: what has just arrived of the body; NULL outside */
	size_t piece_len;
	struct dkim_facts *dkim;         /* NULL: not verified; its results are there at the end of the message */
	struct dkim_verifier *dkim_verifier;   /* of check/dkim.c */
	struct arc_facts *arc;           /* NULL: not validated; its result is there at the end of the message */
	struct arc_validator *arc_validator;   /* of check/arc.c */
	struct dmarc_facts *dmarc;       /* NULL: not evaluated; as above */
	/* what was found */
	struct findings found;           /* of mail, and of data to end; of the accepted recipients */
	struct findings found_rcpt;      /* of the recipient being judged */
	struct note *notes;
	size_t n_notes;
	struct change *changes;
	size_t n_changes;
	struct chain *chains;            /* facts/chain.h */
	size_t n_chains;
};

/* Does it come from a stranger on the way in? Not from who logged in, a trusted or relay client, or our own machine: these are not judged by their address. */
bool txn_of_stranger(const struct txn *t);

#endif
