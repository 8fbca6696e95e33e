/* events_message.c - the events from DATA to the end of the message, and of the session */
#include "engine/engine.h"

#include <errno.h>
#include <string.h>

#include "check/access.h"
#include "check/structure.h"
#include "engine/classify.h"
#include "engine/history.h"
#include "engine/keep.h"
#include "engine/released.h"
#include "engine/sign.h"

enum {
	HEADER_TOTAL_MAX = 4 << 20, FIELDS_MAX = 20000,      /* beyond them fields are counted, not kept */
	PARTS_LIMIT = 100000, DEPTH_LIMIT = 1000             /* what is looked at where the operator sets no limit */
};

/* A message that the MTA still talks about, and that was not answered yet. */
static bool listening(const struct winnow_session *ws)
{
	return ws->t.open && ws->t.message != NULL;
}

/* DATA without a recipient: a dry run that names none. */
static void judge_without_recipient(struct winnow_session *ws)
{
	struct txn *t = &ws->t;

	t->policy = ws->dry != NULL && ws->dry->policy != NULL ? ws->dry->policy : config_default_policy(t->config);
	event_judge_envelope(ws, STAGE_MAIL);
}

/* The content begins: at DATA, or with what comes first of it from an MTA whose protocol has no DATA (before version 4). */
static void begin_content(struct winnow_session *ws)
{
	struct txn *t = &ws->t;
	struct message_limits limits = { .header_total_max = HEADER_TOTAL_MAX, .fields_max = FIELDS_MAX };
	const struct policy *p;

	if (!t->open || t->message != NULL || t->message_error != 0)
		return;
	if (ws->judged == NULL)
		judge_without_recipient(ws);
	t->policy = p = ws->judged;
	limits.memory_max = ws->dry != NULL ? SIZE_MAX / 2 : (size_t)setting_size(p, &global_settings[G_MEMORY_MAX]);
	limits.spool = setting_string(p, &global_settings[G_SPOOL]);
	t->message = message_new(t->lasting, ws->engine->budget, &limits);
	if (t->message == NULL) {
		t->message_error = -ENOMEM;      /* said at end of message: DATA is not answered */
		return;
	}
	event_fresh_answers(ws);
	stage_ask(t, STAGE_DATA);
	stage_judge(t, STAGE_DATA);
}

const struct winnow_verdict *winnow_data(struct winnow_session *ws, const char *queue_id)
{
	event_begin(ws);
	if (ws->t.open && ws->t.message == NULL)
		event_queue_id(&ws->t, queue_id);
	begin_content(ws);
	return &ws->verdict;
}

static void keep_error(struct txn *t, int error)
{
	if (error != 0 && t->message_error == 0)
		t->message_error = error;
}

void winnow_header(struct winnow_session *ws, const char *name, const char *value)
{
	begin_content(ws);
	if (listening(ws) && !ws->t.message->header_closed)
		keep_error(&ws->t, message_add_field(ws->t.message, name, value));
}

const struct winnow_verdict *winnow_eoh(struct winnow_session *ws)
{
	struct txn *t = &ws->t;

	event_begin(ws);
	begin_content(ws);
	if (!listening(ws) || t->message->header_closed)
		return &ws->verdict;
	keep_error(t, message_close_header(t->message));
	stage_ask(t, STAGE_EOH);
	stage_judge(t, STAGE_EOH);
	released_claim(ws);
	return event_refused(ws, STAGE_EOH, "message") ? event_over(ws) : &ws->verdict;
}

const struct winnow_verdict *winnow_body(struct winnow_session *ws, const void *data, size_t len)
{
	struct txn *t = &ws->t;
	size_t before;

	event_begin(ws);
	begin_content(ws);
	if (!listening(ws))
		return &ws->verdict;
	if (!t->message->header_closed)
		keep_error(t, message_close_header(t->message));
	keep_error(t, message_add_body(t->message, data, len));
	before = t->found.n;
	t->piece = data;
	t->piece_len = len;
	stage_judge(t, STAGE_BODY);
	t->piece = NULL;
	t->piece_len = 0;
	if (t->found.n == before)
		return &ws->verdict;
	return event_refused(ws, STAGE_BODY, "message") ? event_over(ws) : &ws->verdict;
}

static size_t limit_of(const struct policy *p, const struct setting *row, size_t limit)
{
	int64_t n = setting_int(p, row);

	return n <= 0 || (size_t)n > limit ? limit : (size_t)n;
}

/* The message is complete: its structure is read, or what kept us from keeping it is said. */
static void close_message(struct winnow_session *ws)
{
	struct txn *t = &ws->t;

	t->stage = STAGE_EOM;
	if (t->message == NULL) {
		finding(t, CLASS_INTERNAL_ERROR, 1.0, "no memory for the message");
		return;
	}
	if (!t->message->header_closed)
		keep_error(t, message_close_header(t->message));
	if (t->message_error == 0)
		keep_error(t, message_close(t->message, limit_of(t->policy, &structure_settings[STRUCTURE_PARTS_MAX], PARTS_LIMIT),
			limit_of(t->policy, &structure_settings[STRUCTURE_DEPTH_MAX], DEPTH_LIMIT)));
	if (t->message_error == 0)
		return;
	finding(t, CLASS_INTERNAL_ERROR, 1.0, "the message could not be kept while it arrived (%s): is there room and right in spool, is memory_total large enough?",
		strerror(-t->message_error));
	winnow_log(ws->engine, WINNOW_LOG_ERROR, "spool: %s: %s", setting_string(t->policy, &global_settings[G_SPOOL]), strerror(-t->message_error));
}

static void copy_changes(struct winnow_session *ws)
{
	static const enum winnow_change_kind kinds[] = {
		[CHANGE_ADD_HEADER] = WINNOW_ADD_HEADER, [CHANGE_DELETE_HEADER] = WINNOW_DELETE_HEADER, [CHANGE_SET_HEADER] = WINNOW_SET_HEADER,
		[CHANGE_DELETE_RECIPIENT] = WINNOW_DELETE_RECIPIENT, [CHANGE_SENDER] = WINNOW_CHANGE_SENDER, [CHANGE_HOLD] = WINNOW_HOLD,
	};
	struct txn *t = &ws->t;
	struct winnow_change *out = talloc_zero_array(ws->reply_mem, struct winnow_change, t->n_changes);
	size_t n = 0;

	/* copied, so that the message's memory goes at once and not with the session's next event */
	for (size_t i = 0; out != NULL && i < t->n_changes; i++) {
		const struct change *c = &t->changes[i];

		out[n++] = (struct winnow_change){ .kind = kinds[c->kind], .name = talloc_strdup(out, c->name), .value = talloc_strdup(out, c->value), .index = c->index };
	}
	ws->verdict.changes = out;
	ws->verdict.n_changes = n;
}

/* Accepted: what is written into it, and last the signature over that. What should be signed and cannot be is deferred. */
static void accept_message(struct winnow_session *ws, struct verdict_input *in)
{
	struct verdict *v = &ws->decided;
	const char *problem;

	evidence_changes(ws, in);
	problem = sign_message(ws);
	if (problem == NULL) {
		copy_changes(ws);
		return;
	}
	verdict_without_copy(v);
	finding(&ws->t, CLASS_INTERNAL_ERROR, 1.0, "the message could not be signed: %s", problem);
	v->finding = findings_get(&ws->t.found, CLASS_INTERNAL_ERROR);
	winnow_log(ws->engine, WINNOW_LOG_ERROR, "sign: id=%s is deferred: %s", ws->t.id, problem);
	event_reply(ws);
}

/* What is done with a message that was judged to its end. */
static void answer_message(struct winnow_session *ws, struct verdict_input *in)
{
	struct verdict *v = &ws->decided;

	if (v->action == ACT_QUARANTINE && ws->dry == NULL && keep_copy(ws) != 0) {
		verdict_without_copy(v);
		finding(&ws->t, CLASS_INTERNAL_ERROR, 1.0, "no copy could be kept in the quarantine");
		v->finding = findings_get(&ws->t.found, CLASS_INTERNAL_ERROR);
	}
	if (v->now) {
		event_reply(ws);
	} else if (v->action == ACT_DISCARD) {
		ws->verdict.action = WINNOW_DISCARD;
	} else {
		accept_message(ws, in);
	}
	ws->verdict.class_id = class_row(v->class)->id;
	if (!v->now)
		ws->s.messages++;
}

const struct winnow_verdict *winnow_eom(struct winnow_session *ws, const char *queue_id)
{
	struct txn *t = &ws->t;
	struct verdict_input in;

	event_begin(ws);
	if (!t->open)
		return event_failed(ws, "the end of a message that never began");       /* to go on would be to accept it unseen */
	event_queue_id(t, queue_id);
	begin_content(ws);
	t->policy = ws->judged;
	close_message(ws);
	if (t->message != NULL && t->message_error == 0) {
		stage_ask(t, STAGE_EOM);
		stage_judge(t, STAGE_EOM);
		access_prove(t);
	}
	released_confirm(ws);
	in = event_input(ws, STAGE_EOM);
	event_decide(ws, &in);
	answer_message(ws, &in);
	record_write(ws, "message", &in);
	history_message(ws, &in);
	ws->verdict.id = talloc_strdup(ws->reply_mem, t->id);
	event_end_message(ws);
	return &ws->verdict;
}

void winnow_abort(struct winnow_session *ws)
{
	event_begin(ws);
	event_end_message(ws);
}

void winnow_close(struct winnow_session *ws)
{
	if (ws == NULL)
		return;
	event_end_message(ws);
	talloc_free(ws);
}
