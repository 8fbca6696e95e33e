/* record_text.c - the log line of a record: key=value for people and grep, or the same as a JSON object */
#include "engine/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

enum { RCPTS_SHOWN = 10 };

/* Where the fields go: one of both. */
struct out {
	FILE *text;
	json_t *json;
	bool first;
};

static bool plain(const char *text)
{
	return text[0] != '\0' && text[strcspn(text, " \"\\\t")] == '\0';
}

static void text_value(FILE *f, const char *text)
{
	if (plain(text)) {
		fputs(text, f);
		return;
	}
	putc('"', f);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', f);
		putc(*text, f);
	}
	putc('"', f);
}

static void add(struct out *o, const char *key, const char *value)
{
	if (value == NULL)
		return;
	if (o->json != NULL) {
		json_object_set_new(o->json, key, json_string(value));
		return;
	}
	fprintf(o->text, "%s%s=", o->first ? "" : " ", key);
	text_value(o->text, value);
	o->first = false;
}

static void add_number(struct out *o, const char *key, unsigned long long number)
{
	if (o->json != NULL)
		json_object_set_new(o->json, key, json_integer((json_int_t)number));
	else
		fprintf(o->text, " %s=%llu", key, number);
}

static void add_addresses(struct out *o, const char *key, const char *const *v, size_t n)
{
	char *list = NULL;
	size_t len = 0;
	FILE *f;

	if (n <= 1) {
		add(o, key, n == 1 && v[0] != NULL ? v[0] : "-");
		return;
	}
	f = open_memstream(&list, &len);
	if (f == NULL)
		return;
	for (size_t i = 0; i < n && i < RCPTS_SHOWN; i++)
		fprintf(f, "%s%s", i > 0 ? "," : "", v[i] != NULL ? v[i] : "?");
	if (n > RCPTS_SHOWN)
		fprintf(f, ",+%zu", n - RCPTS_SHOWN);
	fclose(f);
	add(o, key, list);
	free(list);
}

enum kind { OTHERS, OBSERVED, BYPASSED };

/* Findings as id:strength: those that count but did not decide; those that are only observed; those that an allow list opened. */
static void add_findings(struct out *o, const char *key, const struct record *r, enum kind kind)
{
	char *list = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&list, &len);

	if (f == NULL)
		return;
	for (size_t i = 0; i < r->n_findings; i++) {
		const struct record_finding *x = &r->findings[i];
		bool wanted = kind == OBSERVED ? x->observed : kind == BYPASSED ? x->bypassed : x->counted && !x->observed && !x->decided;

		if (wanted)
			fprintf(f, "%s%s:%.2f", ftell(f) > 0 ? "," : "", class_row(x->finding->class)->id, x->finding->strength);
	}
	fclose(f);
	if (len > 0)
		add(o, key, list);
	free(list);
}

static void add_notes(struct out *o, const struct record *r)
{
	char *list = NULL;
	size_t len = 0;
	FILE *f = r->n_notes > 0 ? open_memstream(&list, &len) : NULL;

	if (f == NULL)
		return;
	for (size_t i = 0; i < r->n_notes; i++)
		fprintf(f, "%s%s:%s", i > 0 ? "; " : "", r->notes[i].name, r->notes[i].reason);
	fclose(f);
	add(o, "notes", list);
	free(list);
}

/* Of the object alone: before a line of text stands the date of its target. */
static void add_time(struct out *o, const struct record *r)
{
	time_t seconds = (time_t)(r->time / 1000000);
	struct tm tm = { 0 };
	char text[64];

	gmtime_r(&seconds, &tm);
	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		(int)(r->time % 1000000));
	add(o, "time", text);
}

/* Id, queue id, verdict and class first, so that a line that syslog cuts still tells. */
static void fields(struct out *o, const struct record *r)
{
	add(o, "id", r->id);
	add(o, "qid", r->queue_id != NULL ? r->queue_id : "-");
	add(o, "event", r->event);
	add(o, "action", action_name(r->action));
	add(o, "class", class_row(r->class)->id);
	add_number(o, "code", (unsigned long long)r->code);
	add(o, "xcode", r->xcode);
	add(o, "stage", stage_name(r->stage));
	if (r->mode != MODE_ENFORCE) {
		add(o, "mode", mode_name(r->mode));
		add(o, "intended", action_name(r->intended));
	}
	add(o, "direction", direction_name(r->direction));
	add(o, "client", r->client);
	add(o, "ptr", r->ptr);
	add(o, "country", r->country);
	if (r->asn != 0)
		add_number(o, "asn", r->asn);
	add(o, "helo", r->helo);
	add(o, "tls", r->tls);
	add(o, "user", r->user);
	add(o, "from", r->from != NULL ? r->from : "-");
	add_addresses(o, "rcpt", r->rcpts, r->n_rcpts);
	if (r->n_dropped > 0)
		add_addresses(o, "blackhole", r->dropped, r->n_dropped);
	add(o, "policy", r->policy);
	add_findings(o, "findings", r, OTHERS);
	add_findings(o, "observed", r, OBSERVED);
	add_findings(o, "bypassed", r, BYPASSED);
	add_notes(o, r);
	add(o, "detail", r->detail);
	if (r->size > 0)
		add_number(o, "size", r->size);
	add(o, "msgid", r->message_id);
}

char *record_text(const struct record *record, bool json)
{
	struct out o = { .first = true };
	char *line = NULL;
	size_t len = 0;

	if (json) {
		o.json = json_object();
		add_time(&o, record);
		fields(&o, record);
		line = json_dumps(o.json, JSON_COMPACT);
		json_decref(o.json);
		return line;
	}
	o.text = open_memstream(&line, &len);
	if (o.text == NULL)
		return NULL;
	fields(&o, record);
	fclose(o.text);
	return line;
}
