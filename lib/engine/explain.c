/* explain.c - the journal for people: why a message, connection or recipient got its verdict, and which ones there were */
#include "engine/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/explain_text.h"
#include "engine/services.h"

enum { LATE_US = 300000 };               /* what was just answered is on disk by then */

/* ---- what both do */

static int open_reader(struct winnow_engine *engine, struct journal_reader **reader_r, char **error_r)
{
	struct config *config = engine_config(engine);
	int result = journal_reader_open(setting_string(config_default_policy(config), &journal_settings[JOURNAL_SETTING_PATH]), reader_r, error_r);

	config_unref(config);
	return result;
}

/* The records as they are, in one array. */
static void write_array(FILE *f, const struct journal_entry *entries, size_t n)
{
	fputs("[", f);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s\n%s", i > 0 ? "," : "", entries[i].json);
	fputs("\n]", f);
}

/* Frees what was used; *text_r and *error_r are malloc'ed. */
static int finish(TALLOC_CTX *mem, struct journal_reader *reader, int result, char *error, char **error_r)
{
	journal_reader_close(reader);
	if (result != 0)
		*error_r = strdup(error != NULL ? error : strerror(-result));
	talloc_free(error);
	talloc_free(mem);
	return result;
}

/* ---- explain */

/* As people copy it: blanks around it, or the brackets of a reply. */
static char *bare(TALLOC_CTX *mem, const char *key)
{
	size_t len;

	key += strspn(key, " \t");
	len = strcspn(key, "\r\n");
	while (len > 0 && key[len - 1] == ' ')
		len--;
	if (len > 2 && key[0] == '[' && key[len - 1] == ']') {
		key++;
		len -= 2;
	}
	return talloc_strndup(mem, key, len);
}

static int find(struct journal_reader *reader, TALLOC_CTX *mem, char *key, struct journal_entry **entries_r, size_t *n_r, char **error_r)
{
	const struct timespec late = { .tv_nsec = LATE_US * 1000L };
	int result = journal_find(reader, mem, key, entries_r, n_r, error_r);

	if (result != 0 || *n_r > 0)
		return result;
	nanosleep(&late, NULL);
	result = journal_find(reader, mem, key, entries_r, n_r, error_r);
	if (result != 0 || *n_r > 0)
		return result;
	/* our ids have no small letters */
	for (char *p = key; *p != '\0'; p++)
		*p = *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p;
	return journal_find(reader, mem, key, entries_r, n_r, error_r);
}

static char *nothing(struct winnow_engine *engine, const char *key)
{
	struct config *config = engine_config(engine);
	const struct policy *p = config_default_policy(config);
	TALLOC_CTX *mem = talloc_new(NULL);
	char *shown = printable(mem, key, 200), *keep = config_value_text(mem, p, &journal_settings[JOURNAL_SETTING_KEEP]);
	char *text = talloc_asprintf(NULL, "no record of \"%s\"; the id stands in brackets at the end of an SMTP reply, as id= in the log and in the header %s-ID; "
		"a queue id or a Message-ID does too; records are kept for journal.keep = %s", shown, setting_string(p, &evidence_settings[EVIDENCE_PREFIX]), keep);

	talloc_free(mem);
	config_unref(config);
	return text;
}

int winnow_explain(struct winnow_engine *engine, const char *key, bool json, char **text_r, char **error_r)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct journal_reader *reader = NULL;
	struct journal_entry *entries = NULL;
	char *error = NULL, *wanted = bare(mem, key);
	size_t n = 0, len;
	int result;

	*text_r = *error_r = NULL;
	result = wanted != NULL ? open_reader(engine, &reader, &error) : -ENOMEM;
	if (result == 0)
		result = find(reader, mem, wanted, &entries, &n, &error);
	if (result == 0 && n == 0) {
		error = nothing(engine, key);
		result = -ENOENT;
	}
	if (result == 0) {
		FILE *f = open_memstream(text_r, &len);

		if (f != NULL) {
			if (json)
				write_array(f, entries, n);
			for (size_t i = 0; i < n && !json; i++) {
				fputs(i > 0 ? "\n" : "", f);
				explain_entry(f, &entries[i]);
			}
			fclose(f);
		}
		result = f != NULL ? 0 : -ENOMEM;
	}
	return finish(mem, reader, result, error, error_r);
}

/* ---- search */

int winnow_search(struct winnow_engine *engine, const struct winnow_query *query, bool json, char **text_r, char **error_r)
{
	struct journal_query q = {
		.from = query->from, .rcpt = query->rcpt, .ip = query->ip, .class = query->class_id, .action = query->action, .since = query->since, .until = query->until,
		.limit = query->limit,
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	struct journal_reader *reader = NULL;
	struct journal_entry *entries = NULL;
	char *error = NULL;
	size_t n = 0, len;
	int result;

	*text_r = *error_r = NULL;
	result = open_reader(engine, &reader, &error);
	if (result == 0)
		result = journal_search(reader, mem, &q, &entries, &n, &error);
	if (result == 0) {
		FILE *f = open_memstream(text_r, &len);

		if (f != NULL && json) {
			write_array(f, entries, n);
		} else if (f != NULL) {
			fputs("time\tid\tevent\taction\tclass\tfrom\trcpt\tclient\tdetail\n", f);
			for (size_t i = 0; i < n; i++)
				explain_line(f, &entries[i]);
		}
		if (f != NULL)
			fclose(f);
		result = f != NULL ? 0 : -ENOMEM;
	}
	return finish(mem, reader, result, error, error_r);
}
