/* events_verdict.c - from findings to the verdict that the caller of an event sees */
#include "engine/engine.h"

#include "check/rate.h"
#include "engine/keep.h"

struct verdict_input event_input(struct winnow_session *ws, enum stage stage)
{
	struct txn *t = &ws->t;
	struct verdict_input in = {
		.policy = t->policy, .outbound = t->open ? t->outbound : ws->s.outbound, .stage = stage, .lists = { &ws->s.found, &t->found, &t->found_rcpt }, .word = ws->word,
	};

	in.only_421_closes = ws->s.only_421_closes;
	in.rate_behaviour = setting_string(t->policy, &rate_settings[RATE_MESSAGES_CONNECTION_BEHAVIOUR]);
	if (stage == STAGE_RCPT)
		in.word = t->rcpt->word;
	else
		in.lists[2] = NULL;
	if (stage == STAGE_COMMAND)
		in.lists[1] = NULL;              /* it is no answer to what is wrong with the message */
	if (stage >= STAGE_DATA) {
		if (t->n_rcpts > 0)
			in.word = t->rcpts[0]->word;     /* it may have been proven since RCPT */
		in.no_recipient_left = t->n_rcpts > 0;
		for (size_t i = 0; i < t->n_rcpts; i++)
			in.no_recipient_left &= t->rcpts[i]->blackhole;
	}
	return in;
}

void event_reply(struct winnow_session *ws)
{
	const struct verdict *v = &ws->decided;

	ws->verdict.action = v->action == ACT_TEMPFAIL ? WINNOW_TEMPFAIL : WINNOW_REJECT;
	ws->verdict.code = v->code;
	ws->verdict.xcode = v->xcode;
	ws->verdict.text = reply_text(&ws->t, v, ws->reply_mem);
	ws->verdict.close = v->close;
	ws->verdict.class_id = class_row(v->class)->id;
	ws->verdict.id = talloc_strdup(ws->reply_mem, ws->t.id);
}

void event_decide(struct winnow_session *ws, struct verdict_input *in)
{
	in->released = ws->claim != NULL;
	verdict_decide(in, &ws->decided);
	if (ws->decided.action != ACT_QUARANTINE || keep_allowed(ws, in->stage == STAGE_EOM))
		return;
	in->no_copies = true;
	verdict_decide(in, &ws->decided);
	if (ws->decided.now)
		note(&ws->t, "quarantine", "rate");
}

bool event_refused(struct winnow_session *ws, enum stage stage, const char *event)
{
	struct verdict_input in = event_input(ws, stage);

	event_decide(ws, &in);
	if (!ws->decided.now)
		return false;
	event_reply(ws);
	record_write(ws, event, &in);
	return true;
}
