/* verify.h - a message in bytes through the verifier, as an MTA would hand it on, with a zone for keys; included once by each program */
#ifndef WINNOW_T_DKIM_VERIFY_H
#define WINNOW_T_DKIM_VERIFY_H

#include <stdlib.h>
#include <string.h>

#include "net/answers.h"
#include "net/dkim_private.h"
#include "../spf/zone.h"

#pragma GCC diagnostic ignored "-Wunused-function"

struct verify {
	TALLOC_CTX *mem;
	struct dkim_field *fields;
	size_t n_fields;
	const char *body;
	size_t body_len;
};

static size_t verify_line(const char *data, size_t len, size_t at, size_t *next_r)
{
	const char *lf = memchr(data + at, '\n', len - at);
	size_t stop = lf != NULL ? (size_t)(lf - data) : len;

	*next_r = lf != NULL ? stop + 1 : len;
	return stop - at - (stop > at && data[stop - 1] == '\r');
}

/* Takes the message apart: names and values as libmilter gives them (leading blanks kept, folds as LF). NULs end a value. */
static struct verify *verify_read(const char *data, size_t len)
{
	struct verify *v = talloc_zero(NULL, struct verify);
	size_t at = 0, next;

	v->mem = v;
	while (at < len) {
		size_t line = verify_line(data, len, at, &next);
		const char *colon = memchr(data + at, ':', line);
		struct dkim_field *f;
		char *value;

		if (line == 0) {
			at = next;
			break;
		}
		if (colon == NULL || colon == data + at)
			break;
		v->fields = talloc_realloc(v, v->fields, struct dkim_field, v->n_fields + 1);
		f = &v->fields[v->n_fields++];
		f->name = talloc_strndup(v, data + at, (size_t)(colon - (data + at)));
		value = talloc_strndup(v, colon + 1, line - (size_t)(colon + 1 - (data + at)));
		while (next < len && (data[next] == ' ' || data[next] == '\t')) {
			at = next;
			line = verify_line(data, len, at, &next);
			value = talloc_asprintf_append_buffer(value, "\n%.*s", (int)line, data + at);
		}
		f->value = value;
		f->name_len = strlen(f->name);
		f->value_len = strlen(f->value);
		at = next;
	}
	v->body = data + at;
	v->body_len = len - at;
	return v;
}

/* Verifies; split: where the body is cut once more than by chunk (0: nowhere); chunk: octets of its pieces (0: one). late: keys come after the body. Facts are children of v. */
static struct dkim_facts *verify_run(struct verify *v, struct dkim_library *library, struct zone *z, const struct dkim_options *options, size_t split, size_t chunk)
{
	struct dkim_facts *facts = talloc_zero(v, struct dkim_facts);
	struct answers *answers = answers_new(&z->asker);
	struct dkim_verifier *d = dkim_verifier_new(v, library, v->fields, v->n_fields, options, facts);
	bool known;

	if (d == NULL)
		abort();
	known = dkim_verifier_keys(d, answers);
	for (size_t at = 0, n; at < v->body_len; at += n) {
		/* each piece in memory of its own, so that a sanitizer sees what is read beyond it */
		char *piece;

		n = chunk > 0 && v->body_len - at > chunk ? chunk : v->body_len - at;
		if (at < split && at + n > split)
			n = split - at;
		piece = malloc(n);
		memcpy(piece, v->body + at, n);
		dkim_verifier_body(d, piece, n);
		free(piece);
	}
	while (!known && zone_step(z))
		known = dkim_verifier_keys(d, answers);
	if (!known) {
		answers_late(answers, true);
		if (!dkim_verifier_keys(d, answers))
			abort();
	}
	dkim_verifier_end(d);
	talloc_free(d);
	z->n_queue = 0;
	answers_unref(answers);
	return facts;
}

#endif
