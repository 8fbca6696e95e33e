/* finding.c - what checks report: findings, notes, and changes to the mail that they ask for */
#include "facts/finding.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "facts/txn.h"

enum { DETAIL_MAX = 400, NOTES_MAX = 32 };
enum { CHANGES_MAX = 100000 };       /* every field of a message may be forged (20,000 are kept): what we write and the recipients taken off must still fit */

char *printable(TALLOC_CTX *mem, const char *text, size_t max)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t n = strnlen(text, max + 1);
	bool cut = n > max;
	char *out, *o;

	if (cut)
		n = max;
	out = o = talloc_array(mem, char, n * 4 + 4);
	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 0x20 && c < 0x7f) {
			*o++ = (char)c;
		} else {
			*o++ = '\\';
			*o++ = 'x';
			*o++ = hex[c >> 4];
			*o++ = hex[c & 15];
		}
	}
	if (cut)
		o = stpcpy(o, "...");
	*o = '\0';
	return out;
}

__attribute__((format(printf, 2, 0))) static const char *format_detail(TALLOC_CTX *mem, const char *format, va_list ap)
{
	char raw[DETAIL_MAX * 4];

	vsnprintf(raw, sizeof(raw), format, ap);
	return printable(mem, raw, DETAIL_MAX);
}

static void free_text(const char *text)
{
	talloc_free((void *)(uintptr_t)text);
}

bool findings_add(TALLOC_CTX *mem, struct findings *list, const struct finding *f)
{
	struct finding *grown;

	for (size_t i = 0; i < list->n; i++) {
		if (list->v[i].class == f->class) {
			if (f->strength <= list->v[i].strength)
				return false;
			list->v[i] = *f;
			return true;
		}
	}
	grown = talloc_realloc(mem, list->v, struct finding, list->n + 1);
	if (grown == NULL)
		return false;
	list->v = grown;
	list->v[list->n++] = *f;
	return true;
}

const struct finding *findings_get(const struct findings *list, enum class_id class)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i].class == class)
			return &list->v[i];
	return NULL;
}

void findings_drop_stage(struct findings *list, enum stage stage)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (list->v[i].stage != stage)
			list->v[kept++] = list->v[i];
		else
			free_text(list->v[i].detail);
	}
	list->n = kept;
}

/* How a finding is told: in the reply too, with the enhanced code of a case. */
struct telling {
	bool shown;
	enum class_case special;
};

__attribute__((format(printf, 5, 0))) static void report(struct txn *t, enum class_id class, double strength, struct telling telling, const char *format, va_list ap)
{
	struct session *s = t->session;
	enum direction wanted = class_row(class)->direction;
	bool outbound = t->open ? t->outbound : s->outbound;
	struct finding f = { .class = class, .stage = t->stage, .check = t->check != NULL ? t->check : "engine",
		.shown = telling.shown, .special = telling.special };
	struct findings *list = &t->found;
	TALLOC_CTX *mem = t->lasting;

	if (wanted != DIRECTION_BOTH && (wanted == DIRECTION_OUT) != outbound)
		return;
	if (t->stage == STAGE_CONNECT || t->stage == STAGE_COMMAND) {
		list = &s->found;
		mem = s->mem;
	} else if (t->stage == STAGE_RCPT) {
		list = &t->found_rcpt;
		mem = t->mem;            /* goes with a recipient that is refused */
	}
	f.strength = strength < 0.0 || isnan(strength) ? 0.0 : strength > 1.0 ? 1.0 : strength;
	f.detail = format_detail(mem, format, ap);
	if (f.detail == NULL)
		return;                  /* out of memory */
	/* a session that goes on for ever must not gather details that nobody reads */
	if (!findings_add(mem, list, &f))
		free_text(f.detail);
}

void finding(struct txn *t, enum class_id class, double strength, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	report(t, class, strength, (struct telling){ 0 }, format, ap);
	va_end(ap);
}

void finding_shown(struct txn *t, enum class_id class, double strength, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	report(t, class, strength, (struct telling){ .shown = true }, format, ap);
	va_end(ap);
}

void finding_case(struct txn *t, enum class_id class, double strength, enum class_case special, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	report(t, class, strength, (struct telling){ .shown = true, .special = special }, format, ap);
	va_end(ap);
}

static void add_note(struct txn *t, const char *name, const char *reason)
{
	struct note *grown;

	if (reason == NULL)
		return;                  /* out of memory */
	for (size_t i = 0; i < t->n_notes; i++) {
		if (strcmp(t->notes[i].name, name) == 0) {
			free_text(t->notes[i].reason);   /* a table that is gone is noted for each of a thousand recipients */
			t->notes[i].reason = reason;
			return;
		}
	}
	grown = t->n_notes < NOTES_MAX ? talloc_realloc(t->lasting, t->notes, struct note, t->n_notes + 1) : NULL;
	if (grown == NULL) {
		free_text(reason);
		return;
	}
	t->notes = grown;
	t->notes[t->n_notes].name = talloc_strdup(t->lasting, name);
	t->notes[t->n_notes++].reason = reason;
}

void note(struct txn *t, const char *name, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add_note(t, name, format_detail(t->lasting, format, ap));
	va_end(ap);
}

void note_drop(struct txn *t, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->n_notes; i++) {
		if (strcmp(t->notes[i].name, name) != 0) {
			t->notes[kept++] = t->notes[i];
		} else {
			free_text(t->notes[i].name);
			free_text(t->notes[i].reason);
		}
	}
	t->n_notes = kept;
}

void unavailable(struct txn *t, const char *service, bool required, const char *format, ...)
{
	const char *reason;
	va_list ap;

	va_start(ap, format);
	reason = format_detail(t->lasting, format, ap);
	va_end(ap);
	if (!required) {
		add_note(t, service, reason);
		return;
	}
	finding(t, CLASS_INTERNAL_ERROR, 1.0, "%s: %s", service, reason != NULL ? reason : "out of memory");
	free_text(reason);
}

void change(struct txn *t, enum change_kind kind, const char *name, unsigned index, const char *value)
{
	struct change *c;

	if (t->n_changes >= CHANGES_MAX)
		return;
	/* grow by doubling: a message may bring ten thousand forged headers to delete */
	if ((t->n_changes & (t->n_changes - 1)) == 0) {
		size_t room = t->n_changes == 0 ? 1 : t->n_changes * 2;

		c = talloc_realloc(t->lasting, t->changes, struct change, room);
		if (c == NULL)
			return;
		t->changes = c;
	}
	c = &t->changes[t->n_changes++];
	*c = (struct change){ .kind = kind, .index = index };
	c->name = name != NULL ? talloc_strdup(t->lasting, name) : NULL;
	c->value = value != NULL ? talloc_strdup(t->lasting, value) : NULL;
}
