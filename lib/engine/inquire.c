/* inquire.c - what people ask of an engine: the catalogue, the quarantine, the file of defaults */
#include "engine/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "engine/services.h"

/* ---- the catalogue */

static const char *const columns[] = { "id", "direction", "stage", "action", "code", "xcode", "quarantine", "bypass", "seeds", "title", "text", "evidence", "decided_by", "in_force" };
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

static void class_columns(const struct class_row *row, enum action in_force, char code[8], const char *out[COLUMNS])
{
	static const char *const bypass[] = { [BYPASS_NO] = "n", [BYPASS_YES] = "y", [BYPASS_PROOF] = "p" };
	const char *values[COLUMNS] = {
		row->id, direction_name(row->direction), stage_name(row->stage), action_name(row->action), code, row->xcode, row->keep ? "y" : "n",
		bypass[row->bypass], row->seeds, row->title, row->text, row->evidence, row->decided_by, action_name(in_force),
	};

	snprintf(code, 8, "%d", row->code);
	memcpy(out, values, sizeof(values));
}

static void write_tsv(FILE *f, const char *const values[COLUMNS])
{
	for (size_t c = 0; c < COLUMNS; c++)
		fprintf(f, "%s%s", c > 0 ? "\t" : "", values[c]);
	putc('\n', f);
}

char *winnow_classes(struct winnow_engine *engine, bool json)
{
	struct config *config = engine_config(engine);
	json_t *array = json_array();
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	write_tsv(f, columns);
	for (int i = 0; i < CLASS_COUNT; i++) {
		const char *values[COLUMNS];
		char code[8];
		json_t *row = json_object();

		class_columns(class_row((enum class_id)i), policy_class(config_default_policy(config), (enum class_id)i)->action, code, values);
		write_tsv(f, values);
		for (size_t c = 0; c < COLUMNS; c++)
			json_object_set_new(row, columns[c], json_string(values[c]));
		json_array_append_new(array, row);
	}
	fclose(f);
	if (json) {
		free(text);
		text = json_dumps(array, JSON_INDENT(1));
	}
	json_decref(array);
	config_unref(config);
	return text;
}

/* ---- the quarantine */

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
	return o;
}

/* Bytes of a message must not act on the terminal that shows them. */
static void put_safe(FILE *f, const char *text)
{
	char *safe = printable(NULL, text != NULL ? text : "", 200);

	fputs(safe != NULL ? safe : "", f);
	talloc_free(safe);
}

static void entry_line(FILE *f, const struct quarantine_entry *e)
{
	char when[32];

	fprintf(f, "%s\t%s\t%s\t", e->id, time_text(e->time, when), e->class != NULL ? e->class : "");
	put_safe(f, e->sender != NULL && e->sender[0] != '\0' ? e->sender : "<>");
	putc('\t', f);
	for (size_t i = 0; e->recipients != NULL && e->recipients[i] != NULL; i++) {
		fputs(i > 0 ? "," : "", f);
		put_safe(f, e->recipients[i]);
	}
	fprintf(f, "\t%llu\t", (unsigned long long)e->size);
	put_safe(f, e->subject);
	putc('\n', f);
}

/* Opens the quarantine of the configuration for reading, beside a daemon that writes. */
static int open_to_read(struct winnow_engine *engine, struct quarantine **q_r, char **error_r)
{
	struct config *config = engine_config(engine);
	const char *path = setting_string(config_default_policy(config), &quarantine_settings[QUARANTINE_PATH]);
	char *error = NULL;
	int result = quarantine_open(path, false, engine->log, q_r, &error);

	if (result != 0)
		*error_r = strdup(error != NULL ? error : strerror(-result));
	talloc_free(error);
	config_unref(config);
	return result;
}

int winnow_quarantine_list(struct winnow_engine *engine, size_t limit, bool json, char **text_r, char **error_r)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct quarantine_entry *entries;
	struct quarantine *q;
	char *error = NULL;
	size_t n = 0, len = 0;
	int result;

	*text_r = *error_r = NULL;
	result = open_to_read(engine, &q, error_r);
	if (result != 0) {
		talloc_free(mem);
		return result;
	}
	result = quarantine_list(q, mem, limit, &entries, &n, &error);
	if (result != 0) {
		*error_r = strdup(error != NULL ? error : strerror(-result));
		talloc_free(error);
	} else if (json) {
		json_t *array = json_array();

		for (size_t i = 0; i < n; i++)
			json_array_append_new(array, entry_json(&entries[i]));
		*text_r = json_dumps(array, JSON_INDENT(1));
		json_decref(array);
	} else {
		FILE *f = open_memstream(text_r, &len);

		fputs("id\ttime\tclass\tfrom\trcpt\tsize\tsubject\n", f);
		for (size_t i = 0; i < n; i++)
			entry_line(f, &entries[i]);
		fclose(f);
	}
	quarantine_close(q);
	talloc_free(mem);
	return result;
}

static void show_text(FILE *f, const struct quarantine_entry *e, const char *data, size_t len)
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
	fprintf(f, "size: %llu\n\n", (unsigned long long)e->size);
	fwrite(data, 1, len, f);
}

int winnow_quarantine_show(struct winnow_engine *engine, const char *id, bool json, char **text_r, size_t *len_r, char **error_r)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct quarantine_entry entry;
	struct quarantine *q;
	char *data = NULL, *error = NULL;
	size_t len = 0;
	int result;

	*text_r = *error_r = NULL;
	*len_r = 0;
	result = open_to_read(engine, &q, error_r);
	if (result != 0) {
		talloc_free(mem);
		return result;
	}
	result = quarantine_show(q, mem, id, &entry, &data, &len, &error);
	if (result != 0) {
		*error_r = strdup(error != NULL ? error : strerror(-result));
		talloc_free(error);
	} else if (json) {
		json_t *o = entry_json(&entry), *message = json_stringn(data, len);

		/* a message that is no UTF-8 is shown byte by byte, as Latin-1 */
		if (message == NULL) {
			char *wide = talloc_array(mem, char, len * 2 + 1);
			size_t w = 0;

			for (size_t i = 0; wide != NULL && i < len; i++) {
				unsigned char c = (unsigned char)data[i];

				if (c >= 0x80)
					wide[w++] = (char)(0xc0 | c >> 6);
				wide[w++] = (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c);
			}
			message = json_stringn(wide != NULL ? wide : "", w);
		}
		json_object_set_new(o, "message", message);
		*text_r = json_dumps(o, JSON_INDENT(1));
		*len_r = *text_r != NULL ? strlen(*text_r) : 0;
		json_decref(o);
	} else {
		FILE *f = open_memstream(text_r, len_r);

		show_text(f, &entry, data, len);
		fclose(f);
	}
	quarantine_close(q);
	talloc_free(mem);
	return result;
}

/* ---- the file of defaults */

char *winnow_defaults(void)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	size_t n = 0;
	const struct section **sections = engine_sections(mem, &n);
	char *text = sections != NULL ? config_defaults_text(mem, sections, n) : NULL;
	char *result = text != NULL ? strdup(text) : NULL;

	talloc_free(mem);
	return result;
}
