/* winnow.h - libwinnow: judges mail. Engine, session, events in, verdict out.
 *
 * An engine holds a configuration and services. A session is one SMTP connection; its events are handed in the order in which the MTA sees them,
 * by any thread, but by one at a time. Each event returns a verdict that lives until the session's next event. */
#ifndef WINNOW_H
#define WINNOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WINNOW_API __attribute__((visibility("default")))
#define WINNOW_VERSION "0.1.0"

struct winnow_engine;
struct winnow_session;

enum winnow_log_level { WINNOW_LOG_ERROR, WINNOW_LOG_WARNING, WINNOW_LOG_INFO, WINNOW_LOG_DEBUG };

struct winnow_options {
	const char *config_path;         /* NULL: built-in defaults */
	bool foreground;                 /* the log goes to stderr whatever log.target says */
	bool rough;                      /* a file with errors will do, for who asks beside a daemon: what it says of control, quarantine, journal and evidence; there are *errors_r and an engine then */
};

/* Makes an engine that has read its configuration and nothing else: no state, no log. That is enough for -t and winnowctl. NULL: *errors_r is a text, one line an error, "FILE:LINE: what, and what would be right" (free it with winnow_free).
 * *notes_r (may be NULL): lines worth saying at start, or NULL. */
WINNOW_API struct winnow_engine *winnow_engine_new(const struct winnow_options *options, char **errors_r, char **notes_r);
/* Makes the folders of state and gives them to uid and gid (0: leaves them as they are): while still root, before privileges go. 0 or -errno with *errors_r. */
WINNOW_API int winnow_engine_prepare(struct winnow_engine *engine, unsigned uid, unsigned gid, char **errors_r);
/* Opens log and services: from here on sessions may come. 0 or -errno with *errors_r. */
WINNOW_API int winnow_engine_start(struct winnow_engine *engine, char **errors_r);
WINNOW_API void winnow_engine_free(struct winnow_engine *engine);
WINNOW_API void winnow_free(void *text);

/* Reads the configuration again. 0, or -EINVAL with *errors_r as above: then the old one stays in force. Errors and success are logged too. */
WINNOW_API int winnow_engine_reload(struct winnow_engine *engine, char **errors_r);

/* A value of the present configuration by its name in the file ("listen", "dns.timeout"), as text (free it with winnow_free); NULL: no such option. */
WINNOW_API char *winnow_engine_setting(struct winnow_engine *engine, const char *name);

/* A line in the engine's log. */
WINNOW_API void winnow_log(struct winnow_engine *engine, enum winnow_log_level level, const char *format, ...) __attribute__((format(printf, 3, 4)));
WINNOW_API void winnow_log_reopen(struct winnow_engine *engine);

/* Sessions and transactions open now. */
WINNOW_API unsigned winnow_sessions_open(struct winnow_engine *engine);
WINNOW_API unsigned winnow_transactions_open(struct winnow_engine *engine);

/* ---- verdicts */

enum winnow_action {
	WINNOW_CONTINUE,                 /* go on; at end of message: accept it, with the changes */
	WINNOW_TEMPFAIL, WINNOW_REJECT,  /* answer code, xcode, text */
	WINNOW_DISCARD                   /* say yes, deliver nothing */
};

enum winnow_change_kind {
	WINNOW_ADD_HEADER,               /* on top of the message, the last one highest: insert each at position 0 in this order */
	WINNOW_DELETE_HEADER,            /* index: 1-based among fields of that name; already ordered from the last to the first */
	WINNOW_SET_HEADER, WINNOW_DELETE_RECIPIENT, WINNOW_CHANGE_SENDER, WINNOW_HOLD
};

struct winnow_change {
	enum winnow_change_kind kind;
	const char *name, *value;
	unsigned index;
};

struct winnow_verdict {
	enum winnow_action action;
	int code;                        /* 0 with WINNOW_CONTINUE */
	const char *xcode;
	const char *text;                /* one line, printable ASCII, at most 900 bytes; "%" is not doubled */
	bool close;                      /* the connection is to be closed (421, 521) */
	const struct winnow_change *changes;     /* end of message only */
	size_t n_changes;
	const char *id;
	const char *class_id;            /* deciding class, or NULL */
};

/* ---- events. Pointers need not outlive the call; NULL where the MTA said nothing. */

struct winnow_client {
	const char *address;             /* "192.0.2.1", "2001:db8::1", with or without "IPv6:"; NULL: unknown or a unix socket */
	unsigned port;
	const char *name;                /* as the MTA shows it: a name, "unknown" or "[address]" */
	const char *ptr;                 /* {client_ptr} */
	const char *resolve;             /* {client_resolve} */
	const char *daemon_name, *daemon_addr, *daemon_port;
	const char *mta_host;            /* j */
	bool only_421_closes;            /* the MTA hangs up after 421, and not after 521 as well: Sendmail */
};

struct winnow_tls { const char *version, *cipher, *bits; };

struct winnow_login { const char *user, *type; };

/* Opens a session. NULL: out of memory or over sessions_max: answer 421 4.3.2. */
WINNOW_API struct winnow_session *winnow_connect(struct winnow_engine *engine, const struct winnow_client *client, const struct winnow_verdict **verdict_r);
WINNOW_API const struct winnow_verdict *winnow_helo(struct winnow_session *session, const char *name, const struct winnow_tls *tls);
/* argv: the path, then ESMTP parameters; ends with NULL. */
WINNOW_API const struct winnow_verdict *winnow_mail(struct winnow_session *session, const char *const *argv, const struct winnow_login *login, const char *queue_id);
/* refused_xcode: the MTA itself refused this recipient ({rcpt_mailer} is "error"); "" if it gave no code; NULL: it did not. */
WINNOW_API const struct winnow_verdict *winnow_rcpt(struct winnow_session *session, const char *const *argv, const char *refused_xcode, const char *queue_id);
WINNOW_API const struct winnow_verdict *winnow_data(struct winnow_session *session, const char *queue_id);
/* No verdict: this event is not answered. value: with its leading space. */
WINNOW_API void winnow_header(struct winnow_session *session, const char *name, const char *value);
WINNOW_API const struct winnow_verdict *winnow_eoh(struct winnow_session *session);
WINNOW_API const struct winnow_verdict *winnow_body(struct winnow_session *session, const void *data, size_t len);
WINNOW_API const struct winnow_verdict *winnow_eom(struct winnow_session *session, const char *queue_id);
WINNOW_API const struct winnow_verdict *winnow_command(struct winnow_session *session, const char *line);
/* The message is over: without end of message, or what its verdict points to is not needed any more; idempotent. */
WINNOW_API void winnow_abort(struct winnow_session *session);
/* The connection is over; session may be NULL. */
WINNOW_API void winnow_close(struct winnow_session *session);

/* ---- what people ask (offline too) */

/* The catalogue as TSV, a first line of names, with the action in force in the default policy as last column. winnow_free. */
WINNOW_API char *winnow_classes(struct winnow_engine *engine, bool json);

/* Which kept copies; NULL and 0: any. from, rcpt: an address, "<>", or a domain; since: microseconds since 1970. */
struct winnow_copies {
	const char *class_id, *from, *rcpt;
	int64_t since;
	size_t limit;                    /* 0: all */
};

/* The kept copies, the newest first, as a table or JSON array. 0 or -errno with *error_r (winnow_free); -EINVAL: there is no such class. */
WINNOW_API int winnow_quarantine_list(struct winnow_engine *engine, const struct winnow_copies *which, bool json, char **text_r, char **error_r);
enum winnow_show {
	WINNOW_SHOW_BYTES,               /* its entry as "name: value" lines, a blank line, and the message byte for byte */
	WINNOW_SHOW_TERMINAL,            /* the same, but what acts on a terminal is shown as \xNN */
	WINNOW_SHOW_JSON                 /* an object with the message as a string */
};

/* One copy. 0; -ENOENT: no such copy; -errno; with *error_r. */
WINNOW_API int winnow_quarantine_show(struct winnow_engine *engine, const char *id, enum winnow_show how, char **text_r, size_t *len_r, char **error_r);

/* Deletes a copy, whoever is using the quarantine. 0; -ENOENT: no such copy; -errno; with *error_r. */
WINNOW_API int winnow_quarantine_delete(struct winnow_engine *engine, const char *id, char **error_r);

enum winnow_release {
	WINNOW_RELEASE_DONE,             /* to every recipient */
	WINNOW_RELEASE_LATER,            /* for some recipient the MTA did not take it now */
	WINNOW_RELEASE_REFUSED,          /* for some recipient it refused it */
	WINNOW_RELEASE_UNKNOWN,          /* no such copy */
	WINNOW_RELEASE_FAILED            /* the copy, its index or the key cannot be read or written */
};

/* Sends a copy over SMTP to quarantine.release, with a ticket by which the engine knows it when it comes back, to its recipients or to one address alone; it stays in the quarantine.
 * *text_r: who has it now and who has not, as lines or a JSON object; *error_r: what went wrong, and what to do; each may be NULL (winnow_free). */
WINNOW_API enum winnow_release winnow_quarantine_release(struct winnow_engine *engine, const char *id, const char *to, bool json, char **text_r, char **error_r);

/* How a message came, for winnow_classify(); NULL: not known. */
struct winnow_classification {
	const char *ip, *helo, *from;
	const char *const *rcpts;        /* ends with NULL; none: the default policy judges, no recipient is */
	const char *user;
	bool tls, outbound;
	const char *policy;              /* instead of the recipient's */
};

/* Judges a message as it stands in a file, in a dry run: nothing is counted, kept or remembered, and no state is needed. *status_r: 0 accept (also tag, hold), 75 tempfail,
 * 77 reject or quarantine, 99 discard. 0 with *text_r (winnow_free), or -errno with *error_r. */
WINNOW_API int winnow_classify(struct winnow_engine *engine, const struct winnow_classification *how, const char *message, size_t len, bool json, int *status_r, char **text_r,
	char **error_r);

enum winnow_stats_format { WINNOW_STATS_TEXT, WINNOW_STATS_JSON, WINNOW_STATS_PROMETHEUS };

/* Counters and histograms since start. winnow_free. */
WINNOW_API char *winnow_stats(struct winnow_engine *engine, enum winnow_stats_format format);

/* What is in force for a recipient (outbound: a sender or user), with the file and line of each setting. NULL: address is none. winnow_free. */
WINNOW_API char *winnow_policy(struct winnow_engine *engine, const char *address, bool outbound, bool json);

/* Why: the journal's records with that id, queue id or Message-ID, each with its checks, or a JSON array of the records; beside a running daemon or without one.
 * 0 with *text_r (winnow_free); -ENOENT: none, -EACCES: no right to read the journal, or another -errno, with *error_r. */
WINNOW_API int winnow_explain(struct winnow_engine *engine, const char *id, bool json, char **text_r, char **error_r);

/* What winnow_search() asks for; NULL and 0: any. from, rcpt: an address, "<>", or a domain; ip: an address or network; times in microseconds since 1970, until is not included. */
struct winnow_query {
	const char *from, *rcpt, *ip, *class_id, *action;
	int64_t since, until;
	size_t limit;                    /* 0: 100 */
};

/* The journal's records that fit, the newest first, as a table or JSON array. 0 with *text_r (winnow_free), or -errno with *error_r; -EINVAL: the query's ip, class or action is none. */
WINNOW_API int winnow_search(struct winnow_engine *engine, const struct winnow_query *query, bool json, char **text_r, char **error_r);

/* Asks the network what the configuration names, each DNS server by itself: a line each, what is wrong and what to do. How many are wrong, 0: none; -ENOMEM. *text_r: winnow_free. */
WINNOW_API int winnow_check_network(struct winnow_engine *engine, char **text_r);

/* The commented file of all defaults: etc/winnow.conf is made from it. winnow_free. */
WINNOW_API char *winnow_defaults(void);

/* What SPF (RFC 7208) says: a line "result=pass|fail|softfail|neutral|none|permerror|temperror", then identity, domain, the term that matched or the problem, and the trace of questions,
 * answers and terms; json: an object. from: the envelope sender, "" is the null sender; helo: "" if unknown. Waits at most spf.timeout for the network. 0, or -EINVAL with *error_r.
 * Free both with winnow_free. */
WINNOW_API int winnow_spf(struct winnow_engine *engine, const char *ip, const char *from, const char *helo, bool json, char **text_r, char **error_r);

/* Which aggregate reports (RFC 9990). */
struct winnow_dmarc_report {
	int64_t day;                     /* microseconds since 1970, in the day (UTC); 0: yesterday */
	const char *domain;              /* whose policy record it is; NULL: all */
	bool print;                      /* shown as XML documents, one after the other, and not sent */
};

/* Makes the reports of a day from dmarc.history, and sends each that is asked for through quarantine.release, but for our own domains; what was sent is remembered beside the history,
 * so that a run that was broken off can be done again. *text_r: a line or JSON object for each address (winnow_free). 0: all were sent; -EAGAIN: some can be sent later; -EREMOTEIO: some
 * were refused; -EBUSY: another is sending; -EINVAL: not configured, or a day that is not over; -errno of the history; with *error_r (winnow_free). */
WINNOW_API int winnow_dmarc_report(struct winnow_engine *engine, const struct winnow_dmarc_report *how, bool json, char **text_r, char **error_r);

/* Compares each key that signs mail of this domain with its record in DNS: a line each; of what does not fit the record that would. How many do not fit, 0: none; -EINVAL: no domain, or
 * no usable key for it; -ENOMEM. *text_r: winnow_free. */
WINNOW_API int winnow_sign_test(struct winnow_engine *engine, const char *domain, char **text_r);

#ifdef __cplusplus
}
#endif
#endif
