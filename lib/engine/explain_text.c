/* explain_text.c - a record of the journal as text, for `winnowctl explain` and `search` */
#include "engine/explain_text.h"

#include <string.h>
#include <time.h>

#include <jansson.h>

#include "engine/shown.h"
#include "facts/finding.h"

enum { VALUE_MAX = 500, RCPTS_SHOWN = 20, RCPTS_IN_LINE = 5 };

/* The value of a key as text that does nothing to a terminal; NULL: there is none. */
static const char *text(TALLOC_CTX *mem, const json_t *o, const char *key)
{
	const char *value = json_string_value(json_object_get(o, key));

	return value != NULL ? printable(mem, value, VALUE_MAX) : NULL;
}

static const char *text_or(TALLOC_CTX *mem, const json_t *o, const char *key, const char *otherwise)
{
	const char *value = text(mem, o, key);

	return value != NULL ? value : otherwise;
}

static bool truth(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

/* In the zone of who asks; --since and --until take it as it is printed. */
static const char *when(int64_t us, char buf[40])
{
	time_t seconds = (time_t)(us / 1000000);
	struct tm tm;

	if (localtime_r(&seconds, &tm) == NULL || strftime(buf, 40, "%Y-%m-%dT%H:%M:%S%z", &tm) == 0)
		strcpy(buf, "?");
	return buf;
}

/* The addresses of a list, at most max of them; all: how many there were, if not all are listed. */
static void put_addresses(FILE *f, TALLOC_CTX *mem, const json_t *list, json_int_t all, size_t max, const char *between)
{
	size_t n = json_array_size(list);

	if (n == 0)
		fputs("-", f);
	for (size_t i = 0; i < n && i < max; i++) {
		const char *rcpt = json_string_value(json_array_get(list, i));

		fprintf(f, "%s%s", i > 0 ? between : "", rcpt != NULL ? printable(mem, rcpt, VALUE_MAX) : "?");
	}
	if (n > max || all > (json_int_t)n)
		fprintf(f, "%s+%lld", between, (long long)((all > (json_int_t)n ? all : (json_int_t)n) - (json_int_t)(n < max ? n : max)));
}

static void put_rcpts(FILE *f, TALLOC_CTX *mem, const json_t *o, size_t max, const char *between)
{
	put_addresses(f, mem, json_object_get(o, "rcpt"), json_integer_value(json_object_get(o, "rcpts")), max, between);
}

/* ---- a line */

static void line_of(FILE *f, TALLOC_CTX *mem, int64_t time, const json_t *o)
{
	char time_text[40];

	fprintf(f, "%s\t%s\t%s\t%s\t%s\t%s\t", when(time, time_text), text_or(mem, o, "id", "-"), text_or(mem, o, "event", "-"), text_or(mem, o, "action", "-"),
		text_or(mem, o, "class", "-"), text_or(mem, o, "from", "-"));
	put_rcpts(f, mem, o, RCPTS_IN_LINE, ",");
	fprintf(f, "\t%s\t%s\n", text_or(mem, o, "client", "-"), text_or(mem, o, "detail", "-"));
}

void explain_line(FILE *f, const struct journal_entry *entry)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	json_t *o = json_loads(entry->json, 0, NULL);
	char time_text[40];

	if (json_is_object(o))
		line_of(f, mem, entry->time, o);
	else
		fprintf(f, "%s\t-\ta record that cannot be read\n", when(entry->time, time_text));
	json_decref(o);
	talloc_free(mem);
}

/* ---- the table of checks */

enum { CHECK, MICROSECONDS, FINDING, STAGE, STRENGTH, WEIGHT, ACTION, REMARK, DETAIL, COLUMNS };

struct grid {
	TALLOC_CTX *mem;
	const char *(*v)[COLUMNS];
	size_t n;
};

static const char **new_row(struct grid *g)
{
	const char *(*grown)[COLUMNS] = talloc_realloc_size(g->mem, g->v, (g->n + 1) * sizeof(*g->v));

	if (grown == NULL)
		return NULL;
	g->v = grown;
	for (size_t c = 0; c < COLUMNS; c++)
		g->v[g->n][c] = "-";
	g->v[g->n][DETAIL] = "";
	return g->v[g->n++];
}

static const char *number(TALLOC_CTX *mem, const json_t *value, int decimals)
{
	char *s = json_is_number(value) ? talloc_asprintf(mem, "%.*f", decimals, json_number_value(value)) : NULL;

	return s != NULL ? s : "-";
}

static void finding_row(struct grid *g, const json_t *f, const char *microseconds)
{
	const char **row = new_row(g);

	if (row == NULL)
		return;
	row[CHECK] = text_or(g->mem, f, "check", "-");
	row[MICROSECONDS] = microseconds;
	row[FINDING] = text_or(g->mem, f, "class", "-");
	row[STAGE] = text_or(g->mem, f, "stage", "-");
	row[STRENGTH] = number(g->mem, json_object_get(f, "strength"), 2);
	row[WEIGHT] = number(g->mem, json_object_get(f, "weight"), 2);
	row[ACTION] = text_or(g->mem, f, "action", "-");
	row[REMARK] = truth(f, "decided") ? "decided" : truth(f, "observed") ? "observed" : truth(f, "bypassed") ? "bypassed" : truth(f, "counted") ? "-" : "no part";
	row[DETAIL] = text_or(g->mem, f, "detail", "");
}

/* Findings of one check; NULL: of those that have no time. How many. */
static size_t findings_of(struct grid *g, const json_t *findings, const char *check, const json_t *times, const char *microseconds)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(findings); i++) {
		const json_t *f = json_array_get(findings, i);
		const char *name = json_string_value(json_object_get(f, "check"));
		bool wanted = check != NULL ? name != NULL && strcmp(name, check) == 0 : name == NULL || json_object_get(times, name) == NULL;

		if (wanted)
			finding_row(g, f, n++ == 0 ? microseconds : "");
	}
	return n;
}

static void print_grid(FILE *f, const struct grid *g)
{
	size_t width[COLUMNS] = { 0 };

	for (size_t r = 0; r < g->n; r++)
		for (size_t c = 0; c < COLUMNS; c++)
			width[c] = strlen(g->v[r][c]) > width[c] ? strlen(g->v[r][c]) : width[c];
	for (size_t r = 0; r < g->n; r++) {
		for (size_t c = 0; c < REMARK; c++)
			fprintf(f, "%*s  ", c == MICROSECONDS ? (int)width[c] : -(int)width[c], g->v[r][c]);
		if (g->v[r][DETAIL][0] != '\0')
			fprintf(f, "%-*s  %s\n", (int)width[REMARK], g->v[r][REMARK], g->v[r][DETAIL]);
		else
			fprintf(f, "%s\n", g->v[r][REMARK]);
	}
}

static void print_checks(FILE *f, TALLOC_CTX *mem, json_t *o)
{
	static const char *const heads[COLUMNS] = { "check", "us", "finding", "stage", "strength", "weight", "action", "remark", "detail" };
	json_t *times = json_object_get(o, "times"), *findings = json_object_get(o, "findings"), *value;
	struct grid g = { .mem = mem };
	const char **row = new_row(&g), *name;

	if (row == NULL)
		return;
	memcpy(row, heads, sizeof(heads));
	findings_of(&g, findings, NULL, times, "-");
	json_object_foreach(times, name, value) {
		const char *microseconds = number(mem, value, 0);

		if (findings_of(&g, findings, name, times, microseconds) > 0)
			continue;
		row = new_row(&g);
		if (row != NULL) {
			row[CHECK] = printable(mem, name, VALUE_MAX);
			row[MICROSECONDS] = microseconds;
		}
	}
	fputs("\n", f);
	print_grid(f, &g);
}

/* ---- all of it */

/* What is known of where the client is. */
static void print_origin(FILE *f, TALLOC_CTX *mem, const json_t *o)
{
	const char *iprev = text(mem, o, "iprev"), *country = text(mem, o, "country"), *as_name = text(mem, o, "as_name");
	const json_t *asn = json_object_get(o, "asn");
	const char *between = "origin    ";

	if (iprev != NULL) {
		fprintf(f, "%siprev %s", between, iprev);
		between = ", ";
	}
	if (country != NULL) {
		fprintf(f, "%scountry %s", between, country);
		between = ", ";
	}
	if (asn != NULL) {
		fprintf(f, "%sAS%s%s%s", between, number(mem, asn, 0), as_name != NULL ? " " : "", as_name != NULL ? as_name : "");
		between = ", ";
	}
	if (between[0] == ',')
		fputs("\n", f);
}

static void print_head(FILE *f, TALLOC_CTX *mem, int64_t time, const json_t *o)
{
	const char *qid = text(mem, o, "qid"), *ptr = text(mem, o, "ptr"), *helo = text(mem, o, "helo"), *tls = text(mem, o, "tls"), *user = text(mem, o, "user"),
		*subject = json_string_value(json_object_get(o, "subject")), *msgid = text(mem, o, "msgid"), *detail = text(mem, o, "detail"), *mode = text_or(mem, o, "mode", "-");
	const json_t *black = json_object_get(o, "blackhole");
	char time_text[40];

	fprintf(f, "id        %s%s%s\n", text_or(mem, o, "id", "-"), qid != NULL ? ", queue id " : "", qid != NULL ? qid : "");
	fprintf(f, "time      %s\n", when(time, time_text));
	fprintf(f, "event     %s, direction %s, stage %s\n", text_or(mem, o, "event", "-"), text_or(mem, o, "direction", "-"), text_or(mem, o, "stage", "-"));
	fprintf(f, "client    %s, %s%s%s%s%s%s%s\n", text_or(mem, o, "client", "-"), ptr != NULL ? ptr : "no verified name", helo != NULL ? ", HELO " : "", helo != NULL ? helo : "",
		tls != NULL ? ", " : "", tls != NULL ? tls : "", user != NULL ? ", user " : "", user != NULL ? user : "");
	print_origin(f, mem, o);
	fprintf(f, "from      %s\nrcpt      ", text_or(mem, o, "from", "-"));
	put_rcpts(f, mem, o, RCPTS_SHOWN, ", ");
	fputs("\n", f);
	if (json_array_size(black) > 0) {
		fputs("blackhole ", f);
		put_addresses(f, mem, black, 0, RCPTS_SHOWN, ", ");
		fputs("\n", f);
	}
	if (subject != NULL)
		fprintf(f, "subject   %s\n", shown(mem, subject, VALUE_MAX));
	if (msgid != NULL)
		fprintf(f, "msgid     %s\n", msgid);
	if (json_object_get(o, "size") != NULL)
		fprintf(f, "size      %s\n", number(mem, json_object_get(o, "size"), 0));
	fprintf(f, "verdict   %s %s %s, class %s, policy %s, mode %s", text_or(mem, o, "action", "-"), number(mem, json_object_get(o, "code"), 0), text_or(mem, o, "xcode", "-"),
		text_or(mem, o, "class", "-"), text_or(mem, o, "policy", "-"), mode);
	if (strcmp(mode, "enforce") != 0)
		fprintf(f, " (intended: %s)", text_or(mem, o, "intended", "-"));
	fputs("\n", f);
	if (detail != NULL)
		fprintf(f, "detail    %s\n", detail);
	if (truth(o, "allowed"))
		fprintf(f, "lists     the sender is allowed, %s\n", truth(o, "proven") ? "and proven" : "without proof");
}

void explain_entry(FILE *f, const struct journal_entry *entry)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	json_t *o = json_loads(entry->json, 0, NULL), *value;
	const char *name;
	char time_text[40];
	size_t i;

	if (json_is_object(o)) {
		print_head(f, mem, entry->time, o);
		json_array_foreach(json_object_get(o, "auth"), i, value)
			fprintf(f, "auth      %s\n", json_is_string(value) ? printable(mem, json_string_value(value), VALUE_MAX) : "");
		print_checks(f, mem, o);
		json_object_foreach(json_object_get(o, "notes"), name, value)
			fprintf(f, "note      %s: %s\n", printable(mem, name, VALUE_MAX), json_is_string(value) ? printable(mem, json_string_value(value), VALUE_MAX) : "");
	} else {
		fprintf(f, "time      %s\na record that cannot be read\n", when(entry->time, time_text));
	}
	json_decref(o);
	talloc_free(mem);
}
