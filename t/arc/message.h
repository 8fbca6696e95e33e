/* message.h - a message in text as fields and body, and a chain validated over it with keys from a zone; included once by each program */
#ifndef WINNOW_T_ARC_MESSAGE_H
#define WINNOW_T_ARC_MESSAGE_H

#include "net/arc.h"
#include "../spf/zone.h"

enum { FIELDS_MAX = 1000 };

struct text_message {
	struct dkim_field fields[FIELDS_MAX];
	size_t n;
	const char *body;
	size_t body_len;
};

/* Line ends in CRLF; folds become LF and a blank, as the MTA gives them. NULs become 1. Fields beyond FIELDS_MAX are dropped. Strings are children of mem. */
static void text_message_read(TALLOC_CTX *mem, const char *data, size_t len, struct text_message *m)
{
	const char *p = data, *end = data + len;

	m->n = 0;
	while (p < end && !(p + 1 < end && p[0] == '\r' && p[1] == '\n')) {
		const char *stop = p;
		char *text, *out, *colon;
		size_t n;

		for (;; stop++) {
			stop = memmem(stop, (size_t)(end - stop), "\r\n", 2);
			if (stop == NULL)
				stop = end;
			if (stop >= end - 2 || (stop[2] != ' ' && stop[2] != '\t'))
				break;
		}
		text = out = talloc_array(mem, char, (size_t)(stop - p) + 1);
		for (const char *c = p; c < stop; c++)
			if (*c != '\r' || c + 1 == stop || c[1] != '\n')
				*out++ = *c == '\0' ? '\1' : *c;
		n = (size_t)(out - text);
		*out = '\0';
		colon = memchr(text, ':', n);
		if (colon != NULL && m->n < FIELDS_MAX)
			m->fields[m->n++] = (struct dkim_field){ .name = text, .value = colon + 1, .name_len = (size_t)(colon - text), .value_len = n - (size_t)(colon + 1 - text) };
		p = stop == end ? end : stop + 2;
	}
	m->body = p < end ? p + 2 : end;
	m->body_len = (size_t)(end - m->body);
}

/* Validates; the body comes in pieces of growing size, from `first` octets on. now: for x=. */
static enum arc_result text_message_validate(struct zone *z, TALLOC_CTX *mem, const struct text_message *m, const struct arc_options *options, size_t first, struct arc_facts *facts)
{
	struct answers *answers = answers_new(&z->asker);
	struct dkim_field *copy = talloc_memdup(NULL, m->fields, m->n * sizeof(m->fields[0]) + 1);
	struct arc_validator *v = arc_validator_new(mem, copy, m->n, options, facts);
	size_t piece = first;

	talloc_free(copy);                       /* needed during that call only */
	while (!arc_validator_keys(v, answers)) {
		if (zone_step(z))
			continue;
		answers_late(answers, true);
		if (!arc_validator_keys(v, answers))
			abort();
	}
	answers_unref(answers);
	z->n_queue = 0;
	for (size_t at = 0; at < m->body_len; at += piece, piece = piece % 4099 + 1)
		arc_validator_body(v, m->body + at, piece < m->body_len - at ? piece : m->body_len - at);
	arc_validator_end(v);
	talloc_free(v);
	return facts->result;
}

#endif
