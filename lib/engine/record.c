/* record.c - a decision as data: gathered from session, transaction and verdict */
#include "engine/record.h"

#include <stdlib.h>
#include <string.h>

#include "engine/classify.h"
#include "engine/engine.h"
#include "engine/shown.h"

enum { VALUE_MAX = 400, SUBJECT_MAX = 200 };

static const char *safe(const struct txn *t, const char *value)
{
	return value != NULL ? printable(t->mem, value, VALUE_MAX) : NULL;
}

static void add_recipients(struct record *r, const struct txn *t)
{
	size_t n = t->rcpt != NULL ? 1 : t->n_rcpts;

	r->rcpts = n > 0 ? talloc_array(t->mem, const char *, n) : NULL;
	if (r->rcpts == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		r->rcpts[i] = safe(t, t->rcpt != NULL ? t->rcpt->address.text : t->rcpts[i]->address.text);
	r->n_rcpts = n;
}

/* What evidence.c takes off the envelope. */
static void add_dropped(struct record *r, const struct txn *t)
{
	if (t->rcpt != NULL || t->message == NULL || r->mode != MODE_ENFORCE || r->no_recipient_left || r->action > ACT_HOLD)
		return;
	r->dropped = talloc_array(t->mem, const char *, t->n_rcpts);
	for (size_t i = 0; r->dropped != NULL && i < t->n_rcpts; i++)
		if (t->rcpts[i]->blackhole)
			r->dropped[r->n_dropped++] = safe(t, t->rcpts[i]->address.text);
}

static void add_findings(struct record *r, const struct txn *t, const struct verdict *v, const struct verdict_input *in)
{
	size_t n = 0;

	for (size_t k = 0; k < sizeof(in->lists) / sizeof(in->lists[0]); k++)
		n += in->lists[k] != NULL ? in->lists[k]->n : 0;
	r->findings = n > 0 ? talloc_array(t->mem, struct record_finding, n) : NULL;
	if (r->findings == NULL)
		return;
	for (size_t k = 0; k < sizeof(in->lists) / sizeof(in->lists[0]); k++) {
		for (size_t i = 0; in->lists[k] != NULL && i < in->lists[k]->n; i++) {
			const struct finding *f = &in->lists[k]->v[i];
			const struct class_rule *rule = policy_class(in->policy, f->class);
			bool counted = verdict_counts(f, in);

			r->findings[r->n_findings++] = (struct record_finding){
				.finding = f, .action = rule->action, .weight = rule->weight, .observed = counted && rule->observe, .counted = counted,
				.bypassed = !counted && (in->word.allowed || in->word.dnswl) && class_row(f->class)->bypass != BYPASS_NO, .decided = f->class == v->class,
			};
		}
	}
}

static void add_times(struct record *r, const struct txn *t)
{
	r->times = talloc_array(t->mem, struct record_time, CHECKS_MAX);
	for (size_t i = 0; r->times != NULL && i < CHECKS_MAX && checks[i] != NULL; i++)
		if (t->spent[i] > 0)
			r->times[r->n_times++] = (struct record_time){ checks[i]->name, t->spent[i] };
}

static void add_message(struct record *r, const struct txn *t)
{
	const struct header_field *id, *subject;

	if (t->message == NULL)
		return;
	r->size = t->message->size;
	id = message_field(t->message, "Message-ID", 0);
	if (id != NULL)
		r->message_id = safe(t, header_unfold(t->mem, id->value, id->value_len));
	subject = message_field(t->message, "Subject", 0);
	if (subject != NULL)
		r->subject = shown(t->mem, header_decode(t->mem, subject->value, subject->value_len < 1000 ? subject->value_len : 1000), SUBJECT_MAX);
}

static void add_auth_line(struct record *r, const char *line)
{
	if (line != NULL)
		r->auth[r->n_auth++] = line;
}

static void add_spf(struct record *r, const struct txn *t, const struct spf_outcome *o, const char *identity)
{
	add_auth_line(r, talloc_asprintf(t->mem, "spf=%s %s=%s%s%s%s%s", spf_result_name(o->result), identity, o->domain, o->mechanism[0] != '\0' ? " by " : "", o->mechanism,
		o->problem[0] != '\0' ? ": " : "", o->problem));
}

static void add_auth(struct record *r, const struct txn *t)
{
	size_t n = t->dkim != NULL && t->dkim->done ? t->dkim->n : 0;

	r->auth = talloc_array(t->mem, const char *, n + 2);
	if (r->auth == NULL)
		return;
	if (t->spf != NULL && t->spf->mail_judged)
		add_spf(r, t, &t->spf->mail, t->null_sender ? "helo" : "mailfrom");
	if (t->spf != NULL && t->spf->helo_judged)
		add_spf(r, t, &t->spf->helo, "helo");
	for (size_t i = 0; i < n; i++) {
		const struct dkim_outcome *o = &t->dkim->v[i];

		add_auth_line(r, talloc_asprintf(t->mem, "dkim=%s d=%s s=%s a=%s%s%s%s%s", dkim_result_name(o->result), o->domain, o->selector, o->algorithm, o->testing ? " test key" : "",
			o->secure ? " dnssec" : "", o->problem[0] != '\0' ? ": " : "", o->problem));
	}
}

void record_write(struct winnow_session *ws, const char *event, const struct verdict_input *in)
{
	const struct txn *t = &ws->t;
	const struct session *s = &ws->s;
	const struct verdict *v = &ws->decided;
	char *ip = talloc_array(t->mem, char, IP_TEXT_MAX), *line;
	struct record r = {
		.time = t->now, .id = t->id, .queue_id = safe(t, t->queue_id), .event = event, .stage = in->stage,
		.direction = (t->open ? t->outbound : s->outbound) ? DIRECTION_OUT : DIRECTION_IN, .ptr = safe(t, s->client_name), .helo = safe(t, s->helo),
		.tls = safe(t, s->tls_version), .user = safe(t, t->auth_user), .from = !t->open ? NULL : t->null_sender ? "<>" : safe(t, t->sender.text),
		.policy = safe(t, policy_name(t->policy)), .mode = policy_mode(t->policy), .action = v->action, .intended = v->intended, .class = v->class, .code = v->code,
		.xcode = v->xcode, .detail = v->finding != NULL ? v->finding->detail : NULL, .notes = t->notes, .n_notes = t->n_notes,
		.iprev = evidence_iprev(s), .country = s->country[0] != '\0' ? s->country : NULL, .asn = s->asn, .as_name = safe(t, s->as_name),
		.allowed = in->word.allowed, .proven = in->word.proven, .no_recipient_left = in->no_recipient_left,
	};

	if (ip == NULL)
		return;
	r.client = ip_print(&s->client, ip);
	add_recipients(&r, t);
	add_dropped(&r, t);
	add_findings(&r, t, v, in);
	add_auth(&r, t);
	add_times(&r, t);
	add_message(&r, t);
	if (ws->dry != NULL) {
		classify_report(ws, &r);
		return;
	}
	stats_record(ws->engine->stats, &r);
	journal_put(ws->engine->journal, &r);
	line = record_text(&r, atomic_load(&ws->engine->json));
	if (line != NULL)
		log_line(ws->engine->log, LOG_LEVEL_INFO, line);
	free(line);
}
