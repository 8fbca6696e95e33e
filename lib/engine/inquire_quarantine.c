/* inquire_quarantine.c - the kept copies for people: listed, shown, released, deleted; beside a running daemon or without one */
#include "engine/engine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "engine/released.h"
#include "engine/services.h"
#include "engine/shown.h"
#include "net/smtp_client.h"
#include "quarantine/release.h"

enum { RELEASE_TOTAL_MS = 1800000 };

/* ---- values */

static json_t *json_text(const char *text)
{
	json_t *s = json_string(text != NULL ? text : "");

	/* bytes from a message may be no UTF-8 */
	if (s == NULL) {
		char *safe = printable(NULL, text, 4000);

		s = json_string(safe != NULL ? safe : "");
		talloc_free(safe);
	}
	return s;
}

static const char *time_text(int64_t microseconds, char buf[32])
{
	time_t seconds = (time_t)(microseconds / 1000000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(buf, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return buf;
}

static json_t *entry_json(const struct quarantine_entry *e)
{
	char when[32];
	json_t *o = json_object(), *to = json_array();

	for (size_t i = 0; e->recipients != NULL && e->recipients[i] != NULL; i++)
		json_array_append_new(to, json_text(e->recipients[i]));
	json_object_set_new(o, "id", json_text(e->id));
	json_object_set_new(o, "qid", json_text(e->queue_id));
	json_object_set_new(o, "time", json_string(time_text(e->time, when)));
	json_object_set_new(o, "class", json_text(e->class));
	json_object_set_new(o, "detail", json_text(e->detail));
	json_object_set_new(o, "policy", json_text(e->policy));
	json_object_set_new(o, "client", json_text(e->client));
	json_object_set_new(o, "helo", json_text(e->helo));
	json_object_set_new(o, "from", json_text(e->sender));
	json_object_set_new(o, "rcpt", to);
	json_object_set_new(o, "subject", json_text(e->subject));
	json_object_set_new(o, "msgid", json_text(e->message_id));
	json_object_set_new(o, "size", json_integer((json_int_t)e->size));
	json_object_set_new(o, "released", e->released != 0 ? json_string(time_text(e->released, when)) : json_null());
	return o;
}

/* Bytes of a message must not act on the terminal that shows them. */
static void put_safe(FILE *f, const char *text)
{
	char *safe = shown(NULL, text != NULL ? text : "", 200);

	fputs(safe != NULL ? safe : "", f);
	talloc_free(safe);
}

/* Opens the quarantine of the configuration: for reading, or for writing beside a daemon that writes too; then an index that is lost or damaged is made anew, but no folder. */
static int open_it(struct winnow_engine *engine, bool write, struct quarantine **q_r, char **error_r)
{
	struct config *config = engine_config(engine);
	const char *path = setting_string(config_default_policy(config), &quarantine_settings[QUARANTINE_PATH]);
	char *error = NULL;
	bool there = access(path, F_OK) == 0;
	int result = quarantine_open(path, write && there, engine->log, q_r, &error);

	if (result != 0 && asprintf(error_r, "%s%s", error != NULL ? error : strerror(-result),
			!there ? "; has winnow-milter run with this configuration (quarantine.path)?" : result == -EACCES ? "; ask as root, or as the user that winnow-milter runs as" : "") < 0)
		*error_r = NULL;
	talloc_free(error);
	config_unref(config);
	return result;
}

/* Closes and frees what was used. error: talloc'ed; *error_r: malloc'ed. */
static int finish(struct quarantine *q, TALLOC_CTX *mem, int result, char *error, char **error_r)
{
	if (result != 0)
		*error_r = strdup(error != NULL ? error : strerror(-result));
	talloc_free(error);
	quarantine_close(q);
	talloc_free(mem);
	return result;
}

/* ---- list */

static void entry_line(FILE *f, const struct quarantine_entry *e)
{
	char when[32];

	fprintf(f, "%s\t%s\t", e->id, time_text(e->time, when));
	fprintf(f, "%s\t%s\t", e->released != 0 ? time_text(e->released, when) : "-", e->class != NULL ? e->class : "");
	put_safe(f, e->sender != NULL && e->sender[0] != '\0' ? e->sender : "<>");
	putc('\t', f);
	for (size_t i = 0; e->recipients != NULL && e->recipients[i] != NULL; i++) {
		fputs(i > 0 ? "," : "", f);
		put_safe(f, e->recipients[i]);
	}
	fprintf(f, "\t%" PRIu64 "\t", e->size);
	put_safe(f, e->subject);
	putc('\n', f);
}

int winnow_quarantine_list(struct winnow_engine *engine, const struct winnow_copies *which, bool json, char **text_r, char **error_r)
{
	const struct quarantine_filter filter = { .class = which->class_id, .sender = which->from, .recipient = which->rcpt, .since = which->since, .limit = which->limit };
	TALLOC_CTX *mem = talloc_new(NULL);
	struct quarantine_entry *entries;
	struct quarantine *q;
	char *error = NULL;
	size_t n = 0, len = 0;
	int result;

	*text_r = *error_r = NULL;
	if (which->class_id != NULL && class_find(which->class_id) == CLASS_COUNT)
		return finish(NULL, mem, -EINVAL, talloc_asprintf(NULL, "there is no class \"%s\"; winnowctl classes lists them", which->class_id), error_r);
	result = open_it(engine, false, &q, error_r);
	if (result != 0) {
		talloc_free(mem);
		return result;
	}
	result = quarantine_list(q, mem, &filter, &entries, &n, &error);
	if (result == 0 && json) {
		json_t *array = json_array();

		for (size_t i = 0; i < n; i++)
			json_array_append_new(array, entry_json(&entries[i]));
		*text_r = json_dumps(array, JSON_INDENT(1));
		json_decref(array);
	} else if (result == 0) {
		FILE *f = open_memstream(text_r, &len);

		fputs("id\ttime\treleased\tclass\tfrom\trcpt\tsize\tsubject\n", f);
		for (size_t i = 0; i < n; i++)
			entry_line(f, &entries[i]);
		fclose(f);
	}
	return finish(q, mem, result, error, error_r);
}

/* ---- show */

static void show_entry(FILE *f, const struct quarantine_entry *e)
{
	static const char *const names[] = { "id", "qid", "class", "detail", "policy", "client", "helo", "from", "subject", "msgid" };
	const char *values[] = { e->id, e->queue_id, e->class, e->detail, e->policy, e->client, e->helo, e->sender, e->subject, e->message_id };
	char when[32];

	fprintf(f, "time: %s\n", time_text(e->time, when));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		fprintf(f, "%s: ", names[i]);
		put_safe(f, values[i]);
		putc('\n', f);
	}
	for (size_t i = 0; e->recipients != NULL && e->recipients[i] != NULL; i++) {
		fputs("rcpt: ", f);
		put_safe(f, e->recipients[i]);
		putc('\n', f);
	}
	if (e->released != 0)
		fprintf(f, "released: %s\n", time_text(e->released, when));
	fprintf(f, "size: %" PRIu64 "\n\n", e->size);
}

/* A message that is no UTF-8 is shown byte by byte, as Latin-1. */
static json_t *message_json(TALLOC_CTX *mem, const char *data, size_t len)
{
	json_t *message = json_stringn(data, len);
	char *wide = message == NULL ? talloc_array(mem, char, len * 2 + 1) : NULL;
	size_t w = 0;

	if (wide == NULL)
		return message;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)data[i];

		if (c >= 0x80)
			wide[w++] = (char)(0xc0 | c >> 6);
		wide[w++] = (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c);
	}
	return json_stringn(wide, w);
}

int winnow_quarantine_show(struct winnow_engine *engine, const char *id, enum winnow_show how, char **text_r, size_t *len_r, char **error_r)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct quarantine_entry entry;
	struct quarantine *q;
	char *data = NULL, *error = NULL;
	size_t len = 0;
	int result;

	*text_r = *error_r = NULL;
	*len_r = 0;
	result = open_it(engine, false, &q, error_r);
	if (result != 0) {
		talloc_free(mem);
		return result;
	}
	result = quarantine_show(q, mem, id, &entry, &data, &len, &error);
	if (result == 0 && how == WINNOW_SHOW_JSON) {
		json_t *o = entry_json(&entry);

		json_object_set_new(o, "message", message_json(mem, data, len));
		*text_r = json_dumps(o, JSON_INDENT(1));
		*len_r = *text_r != NULL ? strlen(*text_r) : 0;
		json_decref(o);
	} else if (result == 0) {
		FILE *f = open_memstream(text_r, len_r);

		show_entry(f, &entry);
		if (how == WINNOW_SHOW_TERMINAL)
			shown_write(f, data, len);
		else
			fwrite(data, 1, len, f);
		fclose(f);
	}
	return finish(q, mem, result, error, error_r);
}

/* ---- delete */

int winnow_quarantine_delete(struct winnow_engine *engine, const char *id, char **error_r)
{
	struct quarantine *q;
	char *error = NULL;
	int result;

	*error_r = NULL;
	result = open_it(engine, true, &q, error_r);
	if (result != 0)
		return result;
	result = quarantine_delete(q, id, &error);
	return finish(q, NULL, result, error, error_r);
}

/* ---- release */

static void put_word(FILE *f, const struct release_word *w)
{
	fprintf(f, "%d %s%s", w->code, w->xcode, w->xcode[0] != '\0' ? " " : "");
	put_safe(f, w->text);
}

/* A line for those that have it now, one for each that has not. */
static char *report_text(const char *id, const struct release_report *report)
{
	char *text = NULL, when[32];
	bool first = true;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (f == NULL)
		return NULL;
	for (size_t i = 0; i < report->n_rcpts && report->taken; i++) {
		if (!report->rcpts[i].taken)
			continue;
		fprintf(f, "%s%s", first ? id : "", first ? " released: " : ", ");
		put_safe(f, report->rcpts[i].address);
		first = false;
	}
	if (!first) {
		fputs(" (", f);
		put_word(f, &report->word);
		fprintf(f, ")%s%s\n", report->before != 0 ? "; it was released before, at " : "", report->before != 0 ? time_text(report->before, when) : "");
	}
	for (size_t i = 0; i < report->n_rcpts; i++) {
		if (report->rcpts[i].taken || report->rcpts[i].word.code == 0)
			continue;
		fprintf(f, "%s not released: ", id);
		put_safe(f, report->rcpts[i].address);
		fputs(" (", f);
		put_word(f, &report->rcpts[i].word);
		fputs(")\n", f);
	}
	fclose(f);
	return text;
}

static char *report_json(const char *id, const struct release_report *report)
{
	json_t *o = json_object(), *to = json_array();
	char *text;

	for (size_t i = 0; i < report->n_rcpts; i++) {
		const struct release_rcpt *rcpt = &report->rcpts[i];
		json_t *one = json_object();

		json_object_set_new(one, "rcpt", json_text(rcpt->address));
		json_object_set_new(one, "released", json_boolean(rcpt->taken));
		json_object_set_new(one, "code", json_integer(rcpt->word.code));
		json_object_set_new(one, "xcode", json_text(rcpt->word.xcode));
		json_object_set_new(one, "text", json_text(rcpt->word.text));
		json_array_append_new(to, one);
	}
	json_object_set_new(o, "id", json_text(id));
	json_object_set_new(o, "released", json_boolean(report->taken));
	json_object_set_new(o, "code", json_integer(report->word.code));
	json_object_set_new(o, "xcode", json_text(report->word.xcode));
	json_object_set_new(o, "text", json_text(report->word.text));
	json_object_set_new(o, "rcpt", to);
	if (report->reason != NULL) {
		json_object_set_new(o, "error", json_text(report->reason));
		json_object_set_new(o, "remedy", json_text(report->remedy));
	}
	text = json_dumps(o, JSON_INDENT(1));
	json_decref(o);
	return text;
}

static enum winnow_release outcome_of(int result, const struct release_report *report)
{
	if (result != 0)
		return result == -ENOENT ? WINNOW_RELEASE_UNKNOWN : WINNOW_RELEASE_FAILED;
	return report->outcome == RELEASE_DONE ? WINNOW_RELEASE_DONE : report->outcome == RELEASE_LATER ? WINNOW_RELEASE_LATER : WINNOW_RELEASE_REFUSED;
}

enum winnow_release winnow_quarantine_release(struct winnow_engine *engine, const char *id, const char *to, bool json, char **text_r, char **error_r)
{
	const struct smtp_limits limits = { .total = RELEASE_TOTAL_MS };
	struct release_report report = { 0 };
	TALLOC_CTX *mem = talloc_new(NULL);
	struct config *config = engine_config(engine);
	const struct policy *p = config_default_policy(config);
	struct release_order order = {
		.id = id, .to = to, .hello = config_hostname(config), .key_path = setting_string(p, &quarantine_settings[QUARANTINE_TICKET_KEY]), .limits = &limits,
		.field = talloc_asprintf(mem, "%s" RELEASED_FIELD, setting_string(p, &evidence_settings[EVIDENCE_PREFIX])),
	};
	struct quarantine *q = NULL;
	char *host = NULL, *error = NULL;
	int result;

	*text_r = *error_r = NULL;
	result = open_it(engine, true, &q, error_r);
	if (result == 0) {
		if (order.field == NULL || !smtp_url_parse(mem, setting_string(p, &quarantine_settings[QUARANTINE_RELEASE]), &host, &order.port))
			result = -EINVAL;
		order.host = host;
		result = result == 0 ? quarantine_release(q, mem, &order, &report, &error) : result;
		if (result == 0)
			*text_r = json ? report_json(id, &report) : report_text(id, &report);
		if (result == 0 && report.reason != NULL && asprintf(error_r, "%s: not released%s: %s; the copy stays; %s", id,
				report.taken ? " to all" : "", printable(mem, report.reason, 1000), report.remedy) < 0)
			*error_r = NULL;
		result = finish(q, NULL, result, error, error_r);
	}
	if (result != 0 && json) {
		json_t *o = json_pack("{s:o, s:b, s:o}", "id", json_text(id), "released", 0, "error", json_text(*error_r));

		*text_r = json_dumps(o, JSON_INDENT(1));
		json_decref(o);
	}
	config_unref(config);
	talloc_free(mem);
	return outcome_of(result, &report);
}
