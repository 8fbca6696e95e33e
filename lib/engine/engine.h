/* engine.h - the engine's inside: services, the present configuration, a session with its transaction; for lib/engine alone */
#ifndef WINNOW_ENGINE_ENGINE_H
#define WINNOW_ENGINE_ENGINE_H

#include <pthread.h>
#include <stdatomic.h>

#include "check/check.h"
#include "engine/journal.h"
#include "engine/verdict.h"
#include "facts/txn.h"
#include "net/answers.h"
#include "policy/global.h"
#include "policy/policy.h"
#include "quarantine/quarantine.h"
#include "util/log.h"
#include "engine/stats.h"
#include "winnow.h"

struct dkim_library;
struct dnslist_watch;
struct suffix_list;
struct dry_run;
struct geoip;
struct history;
struct keep_rate;
struct keeper;
struct kept_quarantine;
struct list_tests;
struct resolver;
struct release_claim;
struct sign_keys;
struct skew_watch;

struct winnow_engine {
	char *config_path;                       /* NULL: built in */
	bool foreground;
	const struct section **sections;
	size_t n_sections;
	struct log *log;                         /* NULL until winnow_engine_start() */
	struct table_set *tables;
	pthread_mutex_t config_lock;             /* guards config and quarantine */
	struct config *config;                   /* the present one */
	struct kept_quarantine *quarantine;      /* keep.c; NULL: could not be opened, or offline */
	struct keeper *keeper;                   /* keep_expire.h; NULL: offline */
	struct keep_rate *keep_rate;             /* keep_rate.h; NULL: offline */
	struct message_budget *budget;
	struct skew_watch *skew_watch;
	struct stats *stats;
	struct journal *journal;                 /* NULL until winnow_engine_start() */
	struct history *history;                 /* history.h; NULL until winnow_engine_start() */
	pthread_mutex_t reload_lock;             /* one reload at a time */
	struct resolver *resolver;               /* network.c; NULL until winnow_engine_start() */
	struct dkim_library *dkim;               /* set up once, before any session; libopendkim's options never change */
	struct sign_keys *sign_keys;             /* sign_keys.h */
	struct suffix_list *suffixes;            /* the system's list at start; NULL: there is none */
	const struct asker *asker;               /* the resolver's, or a test's; NULL: no network */
	struct dnslist_watch *dnslist_watch;     /* lists.c; NULL until winnow_engine_start() */
	struct list_tests *list_tests;           /* ... its thread */
	struct geoip *geoip;                     /* geo.c; NULL until winnow_engine_start() */
	atomic_uint sessions, transactions;
	atomic_bool json;                        /* log.format */
	uint64_t id_salt;
	atomic_uint id_counter;
};

struct winnow_session {
	struct session s;
	struct txn t;
	struct winnow_engine *engine;
	struct winnow_verdict verdict;           /* what the last event returned */
	struct verdict decided;                  /* the last decision */
	TALLOC_CTX *reply_mem;                   /* of the verdict's strings: until the next event */
	/* the first accepted recipient fixes these; while there is none, those of the last recipient judged */
	const struct policy *judged;             /* for which policy helo and mail were judged; NULL: not yet */
	uint64_t asked;                          /* for which policy they were asked last: its fingerprint */
	struct list_word word;
	struct release_claim *claim;             /* released.h; NULL: none */
	struct dry_run *dry;                     /* classify.h; NULL: real mail */
};

/* The present configuration, one reference for the caller. */
struct config *engine_config(struct winnow_engine *engine);

/* Writes a new id: 13 characters, unique in this process and, but for chance, elsewhere. */
void engine_id(struct winnow_engine *engine, char id_r[16]);

/* ---- events.c, events_message.c */

/* A new session of the engine, or NULL: over sessions_max, or no memory. dry: NULL, or what makes it a dry run (it must outlive the session). */
struct winnow_session *event_session(struct winnow_engine *engine, struct dry_run *dry);
const struct winnow_verdict *event_connect(struct winnow_session *ws, const struct winnow_client *client);

/* Every event begins here: the last verdict's strings go, the clock is read once. */
void event_begin(struct winnow_session *ws);

/* What the verdict is made from at a stage. */
struct verdict_input event_input(struct winnow_session *ws, enum stage stage);

/* Decides: ws->decided. Where copies of the client have come too fast, again without any; input says so then. */
void event_decide(struct winnow_session *ws, struct verdict_input *input);

/* Writes the reply of ws->decided into ws->verdict. */
void event_reply(struct winnow_session *ws);

/* Decides at a stage before the end of the message: true if something is refused now; then reply and log line are made. */
bool event_refused(struct winnow_session *ws, enum stage stage, const char *event);

/* The one place where a message ends: after its answer, abort, an early return, the next MAIL, close. Idempotent. */
void event_end_message(struct winnow_session *ws);

/* The message was refused: what the MTA still says of it is ignored, its memory goes. The verdict stays. */
const struct winnow_verdict *event_over(struct winnow_session *ws);

/* Nothing could be judged: the verdict defers. */
const struct winnow_verdict *event_failed(struct winnow_session *ws, const char *why);

/* Judges helo and mail with the policy in force, which becomes the one they were judged for, and asks before what only this policy asks. Its event is answered
 * within that event's deadline, what follows in it included. */
void event_judge_envelope(struct winnow_session *ws, enum stage event);

/* A message begins, or its content: questions of the one before, or of a thousand recipients, must not leave it without room for its own. What is out comes in vain. */
void event_fresh_answers(struct winnow_session *ws);

/* The MTA told its queue id. */
void event_queue_id(struct txn *t, const char *queue_id);

/* ---- stage.c */

/* Calls the ask hooks of a stage, in the policy in force. */
void stage_ask(struct txn *t, enum stage stage);

/* When a stage that begins now must end: clock_mono, by the policy in force. */
int64_t stage_deadline(const struct txn *t, enum stage stage);

/* Finishes the chains that stage wants, within the stage's deadline and t->answer_by, then calls its judge hooks. */
void stage_judge(struct txn *t, enum stage stage);

/* ---- the rest of the way out */

/* The reply's text: the class's, what of the detail may be shown, [id]. Printable ASCII, at most 900 bytes. Child of mem. */
const char *reply_text(const struct txn *t, const struct verdict *v, TALLOC_CTX *mem);

/* Asks for the changes of an accepted message: forged fields removed, our own added, subject tagged, black holes taken off. */
void evidence_changes(struct winnow_session *ws, const struct verdict_input *input);

/* The result of iprev (RFC 8601 section 2.7.3) by what is known of the client's name now; NULL: nobody has looked. */
const char *evidence_iprev(const struct session *s);

/* Writes the log line. event: "connect", "command", "mail", "rcpt" or "message". */
void record_write(struct winnow_session *ws, const char *event, const struct verdict_input *input);

#endif
