/* record.c - the log line of a message, a refused connection or a refused recipient: one record, written as text or JSON */
#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "engine/services.h"

enum { FIELDS = 40, RCPT_MAX = 10, VALUE_MAX = 400 };

struct field {
	const char *key;
	const char *text;                /* NULL: number */
	long long number;
};

/* Built on the transaction's memory; a field without a value is left out of it. */
struct record {
	struct field v[FIELDS];
	size_t n;
	TALLOC_CTX *mem;
};

static void add_text(struct record *r, const char *key, const char *value)
{
	if (value != NULL && r->n < FIELDS)
		r->v[r->n++] = (struct field){ .key = key, .text = printable(r->mem, value, VALUE_MAX) };
}

/* The same for text that we made ourselves, of any length. */
static void add_own(struct record *r, const char *key, const char *value)
{
	if (value != NULL && r->n < FIELDS)
		r->v[r->n++] = (struct field){ .key = key, .text = value };
}

static void add_number(struct record *r, const char *key, long long number)
{
	if (r->n < FIELDS)
		r->v[r->n++] = (struct field){ .key = key, .number = number };
}

/* ---- what is in it */

static char *recipients_text(const struct txn *t)
{
	char *text;

	if (t->rcpt != NULL)
		return printable(t->mem, t->rcpt->address.text, VALUE_MAX);
	if (t->n_rcpts == 0)
		return NULL;
	text = talloc_strdup(t->mem, "");
	for (size_t i = 0; text != NULL && i < t->n_rcpts && i < RCPT_MAX; i++)
		text = talloc_asprintf_append_buffer(text, "%s%s", i > 0 ? "," : "", printable(t->mem, t->rcpts[i]->address.text, 320));
	if (t->n_rcpts > RCPT_MAX && text != NULL)
		text = talloc_asprintf_append_buffer(text, ",+%zu", t->n_rcpts - RCPT_MAX);
	return text;
}

/* The other findings as id:strength; what an allow list opened is marked, so that one sees what the list did. */
static char *findings_text(const struct txn *t, const struct verdict *v, const struct verdict_input *in)
{
	char *text = NULL;

	for (size_t k = 0; k < sizeof(in->lists) / sizeof(in->lists[0]); k++) {
		for (size_t i = 0; in->lists[k] != NULL && i < in->lists[k]->n; i++) {
			const struct finding *f = &in->lists[k]->v[i];

			if (f == v->finding || (f->class == v->class && v->finding != NULL) || !verdict_counts(f, in))
				continue;
			text = text == NULL ? talloc_asprintf(t->mem, "%s:%.2f", class_row(f->class)->id, f->strength)
				: talloc_asprintf_append_buffer(text, ",%s:%.2f", class_row(f->class)->id, f->strength);
		}
	}
	return text;
}

/* Findings that are only observed, and those that an allow list opened: they did not decide. */
static char *aside_text(const struct txn *t, const struct verdict_input *in, bool bypassed)
{
	char *text = NULL;

	for (size_t k = 0; k < sizeof(in->lists) / sizeof(in->lists[0]); k++) {
		for (size_t i = 0; in->lists[k] != NULL && i < in->lists[k]->n; i++) {
			const struct finding *f = &in->lists[k]->v[i];
			bool counts = verdict_counts(f, in);
			bool wanted = bypassed ? !counts && in->word.allowed && class_row(f->class)->bypass != BYPASS_NO
				: counts && policy_class(in->policy, f->class)->observe;

			if (wanted)
				text = text == NULL ? talloc_strdup(t->mem, class_row(f->class)->id) : talloc_asprintf_append_buffer(text, ",%s", class_row(f->class)->id);
		}
	}
	return text;
}

static char *notes_text(const struct txn *t)
{
	char *text = NULL;

	for (size_t i = 0; i < t->n_notes; i++)
		text = text == NULL ? talloc_asprintf(t->mem, "%s:%s", t->notes[i].name, t->notes[i].reason)
			: talloc_asprintf_append_buffer(text, "; %s:%s", t->notes[i].name, t->notes[i].reason);
	return text;
}

static void add_verdict(struct record *r, const struct txn *t, const struct verdict *v, const struct verdict_input *in)
{
	add_own(r, "action", action_name(v->action));
	add_own(r, "class", class_row(v->class)->id);
	add_number(r, "code", v->code);
	add_own(r, "xcode", v->xcode);
	add_own(r, "stage", stage_name(in->stage));
	if (policy_mode(t->policy) != MODE_ENFORCE) {
		add_own(r, "mode", mode_name(policy_mode(t->policy)));
		add_own(r, "intended", action_name(v->intended));
	}
}

static void add_client(struct record *r, const struct session *s)
{
	char ip[IP_TEXT_MAX];

	add_text(r, "client", ip_print(&s->client, ip));
	add_text(r, "ptr", s->client_name);
	add_text(r, "helo", s->helo);
	add_text(r, "tls", s->tls_version);
}

static void add_message(struct record *r, const struct txn *t)
{
	const struct header_field *id;

	if (t->message == NULL)
		return;
	add_number(r, "size", (long long)t->message->size);
	id = message_field(t->message, "Message-ID", 0);
	if (id != NULL)
		add_text(r, "msgid", header_unfold(t->mem, id->value, id->value_len));
}

/* ---- how it is written */

static bool plain(const char *text)
{
	if (text[0] == '\0')
		return false;
	for (; *text != '\0'; text++)
		if (*text == ' ' || *text == '"' || *text == '\\' || *text == '\t')
			return false;
	return true;
}

static void write_value(FILE *f, const char *text)
{
	if (plain(text)) {
		fputs(text, f);
		return;
	}
	putc('"', f);
	for (; *text != '\0'; text++) {
		if (*text == '"')
			putc('\\', f);
		putc(*text, f);
	}
	putc('"', f);
}

static char *as_text(const struct record *r)
{
	char *line = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&line, &len);

	if (f == NULL)
		return NULL;
	for (size_t i = 0; i < r->n; i++) {
		fprintf(f, "%s%s=", i > 0 ? " " : "", r->v[i].key);
		if (r->v[i].text != NULL)
			write_value(f, r->v[i].text);
		else
			fprintf(f, "%lld", r->v[i].number);
	}
	fclose(f);
	return line;
}

static char *as_json(const struct record *r)
{
	json_t *object = json_object();
	char *line;

	for (size_t i = 0; i < r->n; i++)
		json_object_set_new(object, r->v[i].key, r->v[i].text != NULL ? json_string(r->v[i].text) : json_integer(r->v[i].number));
	line = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	return line;
}

void record_write(struct winnow_session *ws, const char *event, const struct verdict_input *in)
{
	const struct txn *t = &ws->t;
	struct record r = { .mem = t->mem };
	const char *rcpt = recipients_text(t);
	char *line;

	add_own(&r, "id", t->id);
	add_text(&r, "qid", t->queue_id != NULL ? t->queue_id : "-");
	add_own(&r, "event", event);
	add_verdict(&r, t, &ws->decided, in);
	add_own(&r, "direction", direction_name((t->open ? t->outbound : ws->s.outbound) ? DIRECTION_OUT : DIRECTION_IN));
	add_client(&r, &ws->s);
	add_text(&r, "user", t->auth_user);
	add_text(&r, "from", !t->open ? "-" : t->null_sender ? "<>" : t->sender.text);
	add_own(&r, "rcpt", rcpt != NULL ? rcpt : "-");
	add_text(&r, "policy", policy_name(t->policy));
	add_own(&r, "findings", findings_text(t, &ws->decided, in));
	add_own(&r, "observed", aside_text(t, in, false));
	add_own(&r, "bypassed", aside_text(t, in, true));
	add_own(&r, "notes", notes_text(t));
	if (ws->decided.finding != NULL)
		add_own(&r, "detail", ws->decided.finding->detail);
	add_message(&r, t);
	line = atomic_load(&ws->engine->json) ? as_json(&r) : as_text(&r);
	if (line != NULL)
		log_line(ws->engine->log, LOG_LEVEL_INFO, line);
	free(line);
}
