/* events.c - one function for each event of the MTA: order, store facts, run the stage, decide */
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/classify.h"
#include "util/clock.h"

enum { TEXT_MAX = 1024, SESSION_POOL = 384, TXN_POOL = 8192 };

/* ---- memory of a session and of its message */

/* Replaces a string of the session: a client that greets a million times must not make us grow. */
static void set_text(TALLOC_CTX *mem, const char **field, const char *value)
{
	talloc_free((void *)(uintptr_t)*field);
	*field = value != NULL ? talloc_strndup(mem, value, TEXT_MAX) : NULL;
}

static const char *text_or_empty(TALLOC_CTX *mem, const char *value)
{
	return value != NULL ? talloc_strndup(mem, value, TEXT_MAX) : "";
}

void event_end_message(struct winnow_session *ws)
{
	struct txn *t = &ws->t;

	if (!t->open)
		return;
	config_unref(t->config);
	talloc_free(t->lasting);
	*t = (struct txn){ .session = &ws->s, .mem = ws->s.mem, .lasting = ws->s.mem, .id = ws->s.id, .size_announced = -1 };
	ws->judged = NULL;
	ws->claim = NULL;
	ws->word = (struct list_word){ 0 };
	atomic_fetch_sub(&ws->engine->transactions, 1);
}

void event_begin(struct winnow_session *ws)
{
	talloc_free_children(ws->reply_mem);
	ws->verdict = (struct winnow_verdict){ .action = WINNOW_CONTINUE, .id = ws->t.id };
	ws->t.now = clock_wall();
	ws->t.answer_by = 0;
}

/* ---- connect */

static bool listed(const char *const *list, const char *a, const char *b)
{
	for (; *list != NULL; list++)
		if ((a[0] != '\0' && strcasecmp(*list, a) == 0) || (b[0] != '\0' && strcasecmp(*list, b) == 0))
			return true;
	return false;
}

static void client_name(struct session *s, const struct winnow_client *c)
{
	const char *name = c->name, *ptr = c->ptr;

	if (name != NULL && (name[0] == '[' || name[0] == '\0' || strcasecmp(name, "unknown") == 0))
		name = NULL;
	if (ptr != NULL && (ptr[0] == '[' || ptr[0] == '\0' || strcasecmp(ptr, "unknown") == 0))
		ptr = NULL;
	/* Sendmail says how it went; for Postfix a name is one that was verified, and a PTR without a name one that was not */
	if (c->resolve != NULL && c->resolve[0] != '\0')
		s->resolve = strcmp(c->resolve, "OK") == 0 ? RESOLVE_OK : strcmp(c->resolve, "FORGED") == 0 ? RESOLVE_FORGED
			: strcmp(c->resolve, "TEMP") == 0 ? RESOLVE_TEMP : RESOLVE_FAIL;
	else
		s->resolve = s->client.family == 0 ? RESOLVE_UNKNOWN : name != NULL ? RESOLVE_OK : ptr != NULL ? RESOLVE_FORGED : RESOLVE_FAIL;
	if (s->resolve == RESOLVE_OK)
		set_text(s->mem, &s->client_name, name);
	set_text(s->mem, &s->client_ptr, ptr != NULL ? ptr : name);
}

static void session_facts(struct winnow_session *ws, const struct winnow_client *c, const struct policy *p)
{
	struct session *s = &ws->s;

	ip_parse(c->address != NULL ? c->address : "", &s->client);
	s->client_port = (uint16_t)c->port;
	client_name(s, c);
	s->daemon_name = text_or_empty(s->mem, c->daemon_name);
	s->daemon_addr = text_or_empty(s->mem, c->daemon_addr);
	s->daemon_port = text_or_empty(s->mem, c->daemon_port);
	s->mta_host = text_or_empty(s->mem, c->mta_host);
	s->only_421_closes = c->only_421_closes;
	if (listed(setting_list(p, &global_settings[G_SUBMISSION_LISTENERS]), s->daemon_name, s->daemon_port))
		s->listener = LISTENER_SUBMISSION;
	else if (listed(setting_list(p, &global_settings[G_OUTBOUND_LISTENERS]), s->daemon_name, s->daemon_port))
		s->listener = LISTENER_OUTBOUND;
	s->relay = table_lookup_ip(setting_table(p, &global_settings[G_RELAY_NETWORKS]), &s->client, NULL, NULL) == ANSWER_YES;
	s->trusted = table_lookup_ip(setting_table(p, &global_settings[G_TRUSTED_NETWORKS]), &s->client, NULL, NULL) == ANSWER_YES;
	s->outbound = (ws->dry != NULL && ws->dry->outbound) || s->listener != LISTENER_INBOUND || s->relay;
	s->skew_watch = ws->dry == NULL ? ws->engine->skew_watch : NULL;
	s->dnslist_watch = ws->engine->dnslist_watch;
	s->stats = ws->dry == NULL ? ws->engine->stats : NULL;
	s->dkim = ws->engine->dkim;
	s->geoip = ws->engine->geoip;
	s->answers = ws->engine->asker != NULL ? answers_new(ws->engine->asker) : NULL;
}

void event_fresh_answers(struct winnow_session *ws)
{
	struct answers *fresh;

	if (ws->s.answers == NULL || answers_count(ws->s.answers) <= ANSWERS_MAX / 4 || (fresh = answers_new(ws->engine->asker)) == NULL)
		return;
	answers_unref(ws->s.answers);
	ws->s.answers = fresh;
}

static int session_gone(struct winnow_session *ws)
{
	answers_unref(ws->s.answers);
	atomic_fetch_sub(&ws->engine->sessions, 1);
	return 0;
}

/* Lends the present configuration to an event outside a message. */
static void lend(struct winnow_session *ws, struct config *config)
{
	ws->t.config = config;
	ws->t.policy = config_default_policy(config);
}

static void give_back(struct winnow_session *ws)
{
	config_unref(ws->t.config);
	ws->t.config = NULL;
	ws->t.policy = NULL;
}

struct winnow_session *event_session(struct winnow_engine *engine, struct dry_run *dry)
{
	struct config *config = engine_config(engine);
	int64_t max = setting_int(config_default_policy(config), &global_settings[G_SESSIONS_MAX]);
	struct winnow_session *ws = NULL;

	config_unref(config);
	if (atomic_fetch_add(&engine->sessions, 1) < max || max <= 0)
		ws = talloc_pooled_object(NULL, struct winnow_session, 10, SESSION_POOL);
	if (ws == NULL) {
		atomic_fetch_sub(&engine->sessions, 1);
		return NULL;
	}
	memset(ws, 0, sizeof(*ws));
	ws->engine = engine;
	ws->dry = dry;
	ws->s.mem = ws;
	talloc_set_destructor(ws, session_gone);
	ws->reply_mem = talloc_new(ws);
	engine_id(engine, ws->s.id);
	ws->t = (struct txn){ .session = &ws->s, .mem = ws, .lasting = ws, .id = ws->s.id, .size_announced = -1 };
	return ws;
}

const struct winnow_verdict *event_connect(struct winnow_session *ws, const struct winnow_client *client)
{
	struct config *config = engine_config(ws->engine);

	event_begin(ws);
	session_facts(ws, client, config_default_policy(config));
	if (ws->dry == NULL)
		stats_connection(ws->engine->stats, ws->s.outbound);
	lend(ws, config);
	stage_ask(&ws->t, STAGE_CONNECT);
	stage_judge(&ws->t, STAGE_CONNECT);
	event_refused(ws, STAGE_CONNECT, "connect");
	give_back(ws);
	return &ws->verdict;
}

struct winnow_session *winnow_connect(struct winnow_engine *engine, const struct winnow_client *client, const struct winnow_verdict **verdict_r)
{
	struct winnow_session *ws = event_session(engine, NULL);

	if (ws != NULL)
		*verdict_r = event_connect(ws, client);
	return ws;
}

/* ---- helo, commands */

const struct winnow_verdict *winnow_helo(struct winnow_session *ws, const char *name, const struct winnow_tls *tls)
{
	struct session *s = &ws->s;

	event_end_message(ws);
	event_begin(ws);
	set_text(s->mem, &s->helo, name);
	set_text(s->mem, &s->tls_version, tls != NULL && tls->version != NULL && tls->version[0] != '\0' ? tls->version : NULL);
	set_text(s->mem, &s->tls_cipher, tls != NULL ? tls->cipher : NULL);
	set_text(s->mem, &s->tls_bits, tls != NULL ? tls->bits : NULL);
	if (s->answers != NULL) {
		lend(ws, engine_config(ws->engine));
		stage_ask(&ws->t, STAGE_HELO);
		give_back(ws);
	}
	return &ws->verdict;
}

const struct winnow_verdict *winnow_command(struct winnow_session *ws, const char *line)
{
	struct txn *t = &ws->t;
	struct config *own = t->open ? NULL : engine_config(ws->engine);
	const struct policy *policy = t->policy;
	enum stage stage = t->stage;
	TALLOC_CTX *mem = t->mem;

	(void)line;
	event_begin(ws);
	t->mem = ws->reply_mem;                  /* a session of commands without end must leave nothing behind */
	ws->s.unknown_commands++;
	if (own != NULL)
		lend(ws, own);
	else
		t->policy = config_default_policy(t->config);
	stage_judge(t, STAGE_COMMAND);
	event_refused(ws, STAGE_COMMAND, "command");
	t->policy = policy;
	t->stage = stage;
	t->mem = mem;
	if (own != NULL)
		give_back(ws);
	return &ws->verdict;
}

/* ---- mail */

static void mail_parameters(struct txn *t, const char *const *argv)
{
	for (; *argv != NULL; argv++) {
		if (strncasecmp(*argv, "SIZE=", 5) == 0) {
			char *end;
			unsigned long long n = strtoull(*argv + 5, &end, 10);

			if ((*argv)[5] >= '0' && (*argv)[5] <= '9' && *end == '\0')    /* RFC 1870: digits alone */
				t->size_announced = n > INT64_MAX ? INT64_MAX : (int64_t)n;
		} else if (strcasecmp(*argv, "SMTPUTF8") == 0) {
			t->smtputf8 = true;
		}
	}
}

static void warn_policy(struct winnow_session *ws, const char *unknown, const char *who)
{
	if (unknown != NULL && unknown != policies_unavailable)
		winnow_log(ws->engine, WINNOW_LOG_WARNING, "policies: the policy \"%s\" that the table names for %s does not exist; \"default\" is used; define it, or mend the table", unknown, who);
}

/* Which policy is meant is not known: a milder one must not let in what it refuses, so the answer is "later". */
static void defer_without_policy(struct txn *t, const char *unknown)
{
	if (unknown == policies_unavailable)
		finding(t, CLASS_INTERNAL_ERROR, 1.0, "the table policies cannot be asked");
}

static bool begin_message(struct winnow_session *ws, const char *const *argv, const struct winnow_login *login, const char *queue_id)
{
	struct txn *t = &ws->t;
	TALLOC_CTX *mem = talloc_pool(NULL, TXN_POOL);
	char *id;

	if (mem == NULL)
		return false;
	*t = (struct txn){ .session = &ws->s, .mem = mem, .lasting = mem, .now = t->now, .size_announced = -1, .open = true };
	atomic_fetch_add(&ws->engine->transactions, 1);
	ws->s.transactions++;
	t->config = engine_config(ws->engine);
	t->id = id = talloc_array(mem, char, 16);
	if (id == NULL)
		return false;
	engine_id(ws->engine, id);
	ws->verdict.id = t->id;
	t->queue_id = queue_id != NULL ? talloc_strndup(mem, queue_id, TEXT_MAX) : NULL;
	t->sender_valid = address_parse_path(mem, argv[0] != NULL ? argv[0] : "", &t->sender);
	t->null_sender = t->sender_valid && t->sender.text[0] == '\0';
	if (argv[0] != NULL)
		mail_parameters(t, argv + 1);
	if (login != NULL && login->user != NULL && login->user[0] != '\0') {
		t->auth_user = talloc_strndup(mem, login->user, TEXT_MAX);
		t->auth_type = talloc_strndup(mem, login->type != NULL ? login->type : "", TEXT_MAX);
	}
	t->outbound = ws->s.outbound || t->auth_user != NULL;
	return true;
}

const struct winnow_verdict *event_over(struct winnow_session *ws)
{
	event_end_message(ws);
	return &ws->verdict;
}

const struct winnow_verdict *event_failed(struct winnow_session *ws, const char *why)
{
	const struct class_row *row = class_row(CLASS_INTERNAL_ERROR);

	winnow_log(ws->engine, WINNOW_LOG_ERROR, "id=%s: %s: deferred", ws->t.id, why);
	ws->verdict = (struct winnow_verdict){ .action = WINNOW_TEMPFAIL, .code = row->code, .xcode = row->xcode, .text = row->text, .id = ws->s.id, .class_id = row->id };
	return &ws->verdict;
}

const struct winnow_verdict *winnow_mail(struct winnow_session *ws, const char *const *argv, const struct winnow_login *login, const char *queue_id)
{
	struct txn *t = &ws->t;
	const char *unknown = NULL;

	event_end_message(ws);
	event_begin(ws);
	if (!begin_message(ws, argv, login, queue_id)) {
		event_failed(ws, "out of memory");
		return event_over(ws);
	}
	event_fresh_answers(ws);
	t->policy = config_default_policy(t->config);
	ws->asked = policy_fingerprint(t->policy);
	stage_ask(t, STAGE_MAIL);
	if (!t->outbound)
		return &ws->verdict;             /* helo and mail are judged at RCPT, with the recipient's policy */
	t->policy = ws->dry != NULL && ws->dry->policy != NULL ? ws->dry->policy : policy_for_sender(t->config, setting_table(t->policy, &global_settings[G_POLICIES]), t->auth_user, &t->sender, t->mem, &unknown);
	warn_policy(ws, unknown, t->auth_user != NULL ? t->auth_user : t->sender.text);
	event_judge_envelope(ws, STAGE_MAIL);
	defer_without_policy(t, unknown);
	return event_refused(ws, STAGE_MAIL, "mail") ? event_over(ws) : &ws->verdict;
}

/* ---- rcpt */

static bool same_word(const struct list_word *a, const struct list_word *b)
{
	return a->listed == b->listed && a->allowed == b->allowed && a->proven == b->proven && a->blocked == b->blocked;
}

void event_queue_id(struct txn *t, const char *queue_id)
{
	if (queue_id == NULL || queue_id[0] == '\0' || (t->queue_id != NULL && strcmp(t->queue_id, queue_id) == 0))
		return;
	talloc_free((void *)(uintptr_t)t->queue_id);
	t->queue_id = talloc_strndup(t->lasting, queue_id, TEXT_MAX);
}

void event_judge_envelope(struct winnow_session *ws, enum stage event)
{
	struct txn *t = &ws->t;

	ws->judged = t->policy;
	t->answer_by = stage_deadline(t, event);
	if (ws->asked != policy_fingerprint(t->policy)) {
		ws->asked = policy_fingerprint(t->policy);
		stage_ask(t, STAGE_CONNECT);
		stage_ask(t, STAGE_HELO);
		stage_ask(t, STAGE_MAIL);
	}
	stage_judge(t, STAGE_HELO);
	stage_judge(t, STAGE_MAIL);
}

/* Helo and mail are judged once for each policy: again only while no recipient has fixed the transaction's. */
static void judge_for(struct winnow_session *ws, const struct policy *policy)
{
	struct txn *t = &ws->t;
	TALLOC_CTX *of_recipient = t->mem;

	t->mem = t->lasting;
	if (ws->judged == NULL || policy_fingerprint(ws->judged) != policy_fingerprint(policy)) {
		findings_drop_stage(&t->found, STAGE_HELO);
		findings_drop_stage(&t->found, STAGE_MAIL);
		t->policy = policy;
		event_judge_envelope(ws, STAGE_RCPT);
	}
	t->policy = ws->judged;
	t->mem = of_recipient;
	stage_ask(t, STAGE_RCPT);
	stage_judge(t, STAGE_RCPT);
}

/* Judges a recipient, with the policy that is the transaction's if it already has one. */
static void judge_recipient(struct winnow_session *ws, struct rcpt *r)
{
	struct txn *t = &ws->t;
	const char *unknown = NULL;

	t->policy = config_default_policy(t->config);
	r->policy = ws->judged;
	if (ws->dry != NULL && ws->dry->policy != NULL) {
		r->policy = ws->dry->policy;
	} else if (!t->outbound) {
		r->policy = policy_for_recipient(t->config, setting_table(t->policy, &global_settings[G_POLICIES]), &r->address, t->mem, &unknown);
		warn_policy(ws, unknown, r->address.text);
	}
	if (t->n_rcpts > 0 && policy_fingerprint(r->policy) != policy_fingerprint(ws->judged)) {
		judge_for(ws, ws->judged);
		finding(t, CLASS_MIXED_RECIPIENTS, 1.0, "%s has policy \"%s\", the recipients before have \"%s\"", r->address.text, policy_name(r->policy), policy_name(ws->judged));
		/* the first recipient's policy may observe: that must not let in mail for those whose policy enforces */
		if (policy_mode(r->policy) == MODE_ENFORCE)
			t->policy = r->policy;
		return;
	}
	judge_for(ws, r->policy);
	defer_without_policy(t, unknown);
	if (t->n_rcpts > 0 && !same_word(&r->word, &ws->word))
		finding(t, CLASS_MIXED_RECIPIENTS, 1.0, "the lists of %s say of this sender what those of the recipients before do not", r->address.text);
}

static bool accept_recipient(struct winnow_session *ws, struct rcpt *r)
{
	struct txn *t = &ws->t;
	struct rcpt **grown = talloc_realloc(t->lasting, t->rcpts, struct rcpt *, t->n_rcpts + 1);

	if (grown == NULL)
		return false;
	t->rcpts = grown;
	t->rcpts[t->n_rcpts++] = r;
	r->blackhole = ws->decided.blackhole;
	if (t->n_rcpts == 1)
		ws->word = r->word;
	for (size_t i = 0; i < t->found_rcpt.n; i++)
		findings_add(t->lasting, &t->found, &t->found_rcpt.v[i]);
	return true;
}

const struct winnow_verdict *winnow_rcpt(struct winnow_session *ws, const char *const *argv, const char *refused_xcode, const char *queue_id)
{
	struct txn *t = &ws->t;
	struct rcpt *r;
	bool no;

	event_begin(ws);
	if (!t->open)
		return &ws->verdict;
	event_queue_id(t, queue_id);
	r = talloc_zero(t->lasting, struct rcpt);
	if (r == NULL || (r->raw = talloc_strdup(r, argv[0] != NULL ? argv[0] : "")) == NULL)
		return event_failed(ws, "out of memory");        /* this recipient alone */
	r->valid = address_parse_path(r, r->raw, &r->address);
	if (refused_xcode != NULL) {
		t->rcpts_refused++;
		ws->s.refused_recipients += refused_xcode[0] != '4';     /* "later" is no sign of a bad sender */
		talloc_free(r);
		return &ws->verdict;
	}
	t->rcpt = r;
	t->mem = r;                              /* a hundred thousand refused recipients leave nothing behind */
	t->found_rcpt = (struct findings){ 0 };
	judge_recipient(ws, r);
	no = event_refused(ws, STAGE_RCPT, "rcpt");
	if (no) {
		t->rcpts_refused++;
		ws->s.refused_recipients += ws->decided.action == ACT_REJECT;
	} else if (!accept_recipient(ws, r)) {
		event_failed(ws, "out of memory");
		no = true;
	}
	t->found_rcpt = (struct findings){ 0 };
	t->rcpt = NULL;
	t->mem = t->lasting;
	if (no)
		talloc_free(r);
	if (t->n_rcpts == 0 && !t->outbound)
		t->policy = NULL;
	return &ws->verdict;
}
