/* classify.c - the same engine on a file, without an MTA: a dry run that counts, keeps and remembers nothing */
#include "engine/classify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <jansson.h>

#include "check/skew.h"
#include "util/ip.h"

/* ---- the report */

static int exit_status(enum action action)
{
	switch (action) {
	case ACT_TEMPFAIL: return EX_TEMPFAIL;
	case ACT_REJECT: case ACT_QUARANTINE: return EX_NOPERM;
	case ACT_DISCARD: return 99;
	default: return EX_OK;
	}
}

static const char *remark(const struct record_finding *f)
{
	return f->decided ? "decided" : f->bypassed ? "opened by an allow list" : f->observed ? "observed" : f->counted ? "" : "ignored";
}

static void report_text(FILE *f, const struct record *r, const char *reply)
{
	fprintf(f, "%s", action_name(r->action));
	if (r->action != r->intended)
		fprintf(f, " (mode %s; intended: %s)", mode_name(r->mode), action_name(r->intended));
	fprintf(f, " by %s at %s, policy \"%s\"\n", class_row(r->class)->id, r->event, r->policy);
	if (reply != NULL)
		fprintf(f, "reply: %d %s %s\n", r->code, r->xcode, reply);
	for (size_t i = 0; i < r->n_findings; i++) {
		const struct record_finding *x = &r->findings[i];

		fprintf(f, "%s%-26s %-10s %-8s %.2f  %-10s %s%s%s\n", i == 0 ? "\nfinding                    check      stage    strength action\n" : "", class_row(x->finding->class)->id,
			x->finding->check, stage_name(x->finding->stage), x->finding->strength, action_name(x->action), x->finding->detail, remark(x)[0] != '\0' ? "; " : "", remark(x));
	}
	for (size_t i = 0; i < r->n_notes; i++)
		fprintf(f, "note: %s: %s\n", r->notes[i].name, r->notes[i].reason);
}

static char *report_json(const struct record *r, const char *reply)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:i, s:s, s:s?, s:s?, s:s, s:s}", "action", action_name(r->action), "intended", action_name(r->intended), "class",
		class_row(r->class)->id, "code", r->code, "xcode", r->xcode, "text", reply, "detail", r->detail, "policy", r->policy, "mode", mode_name(r->mode));
	json_t *findings = json_array(), *notes = json_array();
	char *text;

	json_object_set_new(o, "event", json_string(r->event));
	for (size_t i = 0; i < r->n_findings; i++) {
		const struct record_finding *x = &r->findings[i];

		json_array_append_new(findings, json_pack("{s:s, s:s, s:s, s:f, s:s, s:s, s:b, s:b, s:b}", "class", class_row(x->finding->class)->id, "check", x->finding->check, "stage",
			stage_name(x->finding->stage), "strength", x->finding->strength, "action", action_name(x->action), "detail", x->finding->detail, "decided", x->decided, "observed",
			x->observed, "bypassed", x->bypassed));
	}
	for (size_t i = 0; i < r->n_notes; i++)
		json_array_append_new(notes, json_pack("{s:s, s:s}", "name", r->notes[i].name, "reason", r->notes[i].reason));
	json_object_set_new(o, "findings", findings);
	json_object_set_new(o, "notes", notes);
	text = json_dumps(o, JSON_INDENT(1));
	json_decref(o);
	return text;
}

void classify_report(struct winnow_session *ws, const struct record *record)
{
	struct dry_run *dry = ws->dry;
	bool answered = record->action == ACT_REJECT || record->action == ACT_QUARANTINE || record->action == ACT_TEMPFAIL;
	const char *reply = answered ? ws->verdict.text : NULL;
	char *text = NULL;
	size_t len = 0;
	FILE *f;

	if (dry->json) {
		text = report_json(record, reply);
	} else if ((f = open_memstream(&text, &len)) != NULL) {
		report_text(f, record, reply);
		fclose(f);
	}
	talloc_free(dry->report);
	dry->report = text != NULL ? talloc_strdup(dry, text) : NULL;
	free(text);
	dry->status = exit_status(record->action);
}

/* ---- a file as an MTA would hand it on */

/* The length of a line without its end; *next_r: where the next one begins. */
static size_t line_at(const char *data, size_t len, size_t at, size_t *next_r)
{
	const char *end = memchr(data + at, '\n', len - at);
	size_t stop = end != NULL ? (size_t)(end - data) : len;

	*next_r = end != NULL ? stop + 1 : len;
	if (end != NULL && stop > at && data[stop - 1] == '\r')
		stop--;
	return stop - at;
}

/* "Name: value" with a name of printable characters; else the header block has ended. */
static size_t name_length(const char *line, size_t len)
{
	size_t n = 0;

	while (n < len && line[n] > ' ' && line[n] < 0x7f && line[n] != ':')
		n++;
	return n > 0 && n < len && line[n] == ':' ? n : 0;
}

/* Hands on the header block; where the body begins. */
static size_t feed_header(struct winnow_session *ws, const char *data, size_t len)
{
	size_t at = 0, next;

	if (len > 5 && memcmp(data, "From ", 5) == 0)
		(void)line_at(data, len, 0, &at);        /* the first line of a mailbox */
	while (at < len) {
		size_t line = line_at(data, len, at, &next), name = name_length(data + at, line);
		char *field, *value;

		if (line == 0)
			return next;
		if (name == 0)
			return at;
		field = talloc_strndup(NULL, data + at, name);
		value = talloc_strndup(field, data + at + name + 1, line - name - 1);
		while (next < len && (data[next] == ' ' || data[next] == '\t')) {
			at = next;
			line = line_at(data, len, at, &next);
			value = talloc_asprintf_append_buffer(value, "\n%.*s", (int)(line < 1000000 ? line : 1000000), data + at);
		}
		winnow_header(ws, field, value != NULL ? value : "");
		talloc_free(field);
		at = next;
	}
	return at;
}

/* The body, with CRLF line ends. */
static const struct winnow_verdict *feed_body(struct winnow_session *ws, const char *data, size_t len)
{
	const struct winnow_verdict *v = NULL;
	char block[65536];
	size_t at = 0, n = 0;

	while (at < len) {
		if (data[at] == '\n' && (at == 0 || data[at - 1] != '\r'))
			block[n++] = '\r';
		block[n++] = data[at++];
		if (n >= sizeof(block) - 2 || at == len) {
			v = winnow_body(ws, block, n);
			n = 0;
			if (v->action != WINNOW_CONTINUE)
				return v;
		}
	}
	return v;
}

/* ---- the run */

static int not_continued(const struct winnow_verdict *v)
{
	return v != NULL && v->action != WINNOW_CONTINUE;
}

static void run(struct winnow_session *ws, const struct winnow_classification *how, const char *data, size_t len)
{
	const char *const mail[] = { how->from != NULL ? how->from : "<>", NULL };
	struct winnow_tls tls = { .version = how->tls ? "TLSv1.3" : NULL };
	struct winnow_login login = { how->user, how->user != NULL ? "PLAIN" : NULL };
	bool accepted = how->rcpts == NULL || how->rcpts[0] == NULL;
	size_t body;

	if ((how->helo != NULL || how->tls) && not_continued(winnow_helo(ws, how->helo, &tls)))
		return;
	if (not_continued(winnow_mail(ws, mail, &login, NULL)))
		return;
	for (size_t i = 0; how->rcpts != NULL && how->rcpts[i] != NULL; i++) {
		const char *const rcpt[] = { how->rcpts[i], NULL };

		accepted |= !not_continued(winnow_rcpt(ws, rcpt, NULL, NULL));
	}
	if (!accepted)
		return;
	winnow_data(ws, NULL);
	body = feed_header(ws, data, len);
	if (not_continued(winnow_eoh(ws)) || not_continued(feed_body(ws, data + body, len - body)))
		return;
	winnow_eom(ws, NULL);
}

int winnow_classify(struct winnow_engine *engine, const struct winnow_classification *how, const char *data, size_t len, bool json, int *status_r, char **text_r, char **error_r)
{
	struct winnow_client client = { .address = how->ip, .name = how->ip };
	struct dry_run *dry = talloc_zero(NULL, struct dry_run);
	struct config *config = engine_config(engine);
	const struct winnow_verdict *verdict;
	struct winnow_session *ws;
	int result = -ENOMEM;
	struct ip ip;

	*text_r = *error_r = NULL;
	dry->json = json;
	dry->outbound = how->outbound;
	dry->policy = how->policy != NULL ? policy_find(config, how->policy) : NULL;
	if (how->policy != NULL && dry->policy == NULL) {
		if (asprintf(error_r, "there is no policy \"%s\"", how->policy) < 0)
			*error_r = NULL;
		result = -ENOENT;
	} else if (how->ip != NULL && !ip_parse(how->ip, &ip)) {
		if (asprintf(error_r, "\"%s\" is no address of a client; write 192.0.2.1 or 2001:db8::1", how->ip) < 0)
			*error_r = NULL;
		result = -EINVAL;
	} else if ((ws = event_session(engine, dry)) != NULL) {
		verdict = event_connect(ws, &client);
		if (verdict->action == WINNOW_CONTINUE)
			run(ws, how, data, len);
		winnow_close(ws);
		*status_r = dry->status;
		*text_r = dry->report != NULL ? strdup(dry->report) : NULL;
		result = *text_r != NULL ? 0 : -ENOMEM;
	}
	config_unref(config);
	talloc_free(dry);
	return result;
}
