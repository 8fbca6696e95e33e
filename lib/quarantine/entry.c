/* entry.c - an entry of the quarantine as text: ID.entry beside its copy, from which a lost index is made anew */
#include "quarantine/entry.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_LINE "winnow-quarantine 1"

enum { STRINGS = 10, RECIPIENTS_MAX = 1000000 };

/* Where the strings of an entry are, in the order of keys. */
static const char *const keys[STRINGS] = { "id", "queue_id", "class", "detail", "policy", "client", "helo", "sender", "subject", "message_id" };

static const char **string_of(struct quarantine_entry *e, size_t i)
{
	const char **const strings[STRINGS] = { &e->id, &e->queue_id, &e->class, &e->detail, &e->policy, &e->client, &e->helo, &e->sender, &e->subject, &e->message_id };

	return strings[i];
}

static void put(FILE *f, const char *key, const char *value)
{
	if (value == NULL)
		return;
	fprintf(f, "%s ", key);
	for (const unsigned char *p = (const unsigned char *)value; *p != '\0'; p++) {
		if (*p > ' ' && *p < 127 && *p != '%')
			putc(*p, f);
		else
			fprintf(f, "%%%02X", *p);
	}
	putc('\n', f);
}

char *entry_print(TALLOC_CTX *mem, const struct quarantine_entry *entry)
{
	struct quarantine_entry e = *entry;
	char *text = NULL, *result;
	size_t len = 0, n = 0;
	FILE *f = open_memstream(&text, &len);
	bool bad;

	if (f == NULL)
		return NULL;
	fprintf(f, FIRST_LINE "\ntime %" PRId64 "\nsize %" PRIu64 "\n", e.time, e.size);
	for (size_t i = 0; i < STRINGS; i++)
		put(f, keys[i], *string_of(&e, i));
	if (e.recipients != NULL) {
		while (e.recipients[n] != NULL)
			n++;
		fprintf(f, "recipients %zu\n", n);
		for (size_t i = 0; i < n; i++)
			put(f, "recipient", e.recipients[i]);
	}
	bad = ferror(f) != 0;
	bad |= fclose(f) != 0;
	result = bad ? NULL : talloc_strndup(mem, text, len);
	free(text);
	return result;
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static char *unescape(TALLOC_CTX *mem, const char *value, size_t len)
{
	char *out = talloc_array(mem, char, len + 1);
	size_t n = 0;

	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		if (value[i] == '%' && len - i > 2 && hex(value[i + 1]) >= 0 && hex(value[i + 2]) >= 0) {
			out[n++] = (char)(hex(value[i + 1]) * 16 + hex(value[i + 2]));
			i += 2;
		} else {
			out[n++] = value[i];
		}
	}
	out[n] = '\0';
	return out;
}

struct parse {
	TALLOC_CTX *mem;
	struct quarantine_entry *e;
	const char **recipients;
	size_t n, max;
};

static bool line_take(struct parse *p, const char *line, size_t len)
{
	const char *blank = memchr(line, ' ', len);
	size_t key_len = blank != NULL ? (size_t)(blank - line) : len;
	const char *raw = blank != NULL ? blank + 1 : line + len;
	char *value = unescape(p->mem, raw, (size_t)(line + len - raw));

	if (value == NULL)
		return false;
	for (size_t i = 0; i < STRINGS; i++) {
		if (strlen(keys[i]) == key_len && memcmp(keys[i], line, key_len) == 0) {
			*string_of(p->e, i) = value;
			return true;
		}
	}
	if (key_len == 4 && memcmp(line, "time", 4) == 0) {
		p->e->time = strtoll(value, NULL, 10);
	} else if (key_len == 4 && memcmp(line, "size", 4) == 0) {
		p->e->size = strtoull(value, NULL, 10);
	} else if (key_len == 10 && memcmp(line, "recipients", 10) == 0 && p->recipients == NULL) {
		p->max = strtoul(value, NULL, 10);
		if (p->max > RECIPIENTS_MAX)
			return false;
		p->recipients = talloc_zero_array(p->mem, const char *, p->max + 1);
		p->e->recipients = p->recipients;
		return p->recipients != NULL;
	} else if (key_len == 9 && memcmp(line, "recipient", 9) == 0 && p->n < p->max) {
		p->recipients[p->n++] = value;
	}
	return true;
}

bool entry_parse(TALLOC_CTX *mem, const char *text, size_t len, struct quarantine_entry *entry_r)
{
	struct parse p = { .mem = mem, .e = entry_r };
	const char *const end = text + len;
	const size_t first = sizeof(FIRST_LINE) - 1;

	*entry_r = (struct quarantine_entry){ 0 };
	if (len <= first || memcmp(text, FIRST_LINE "\n", first + 1) != 0)
		return false;
	for (text += first + 1; text < end;) {
		const char *lf = memchr(text, '\n', (size_t)(end - text));

		if (lf == NULL)
			return false;
		if (!line_take(&p, text, (size_t)(lf - text)))
			return false;
		text = lf + 1;
	}
	return true;
}
