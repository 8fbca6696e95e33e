/* address_list.c - the mailboxes of From, To, ... (RFC 5322 sections 3.4 and 4.4) */
#include "message/address.h"

#include <string.h>

#include "message/address_spec.h"
#include "message/header.h"
#include "message/lex.h"

enum {
	WORD_MAX = 500,                  /* bytes in which an encoded word must end */
	LITERAL_MAX = 256,
};

enum last { NOTHING, WORD, DOT, AT };

/* What stands between two separators, read both ways: as words of a name and as an address. */
struct element {
	char *name;                      /* words with a space between them, quotes resolved */
	char *spec;                      /* as written, without blanks and comments */
	char *local;                     /* what stands before the @, quotes resolved */
	size_t n_name, n_spec, n_local;
	size_t at;                       /* of the @ in spec, if has_at */
	bool has_at;
	bool side_by_side;               /* two words with only blanks between them: a name, no address */
	bool bad;                        /* characters that belong in neither */
	enum last last;
};

struct reader {
	struct lex lex;
	TALLOC_CTX *parent;
	struct element e;
	struct mailbox_list list;
	size_t allocated, max;
	bool in_angle;                   /* words are no longer part of the name */
	bool in_group;
};

static void append(char *buffer, size_t *n, const char *bytes, size_t len)
{
	memcpy(buffer + *n, bytes, len);
	*n += len;
}

static void begin_spec(struct element *e)
{
	e->n_spec = e->n_local = e->at = 0;
	e->has_at = e->side_by_side = e->bad = false;
	e->last = NOTHING;
}

/* One word: as written, and what it means. */
static void add_word(struct reader *r, const char *written, size_t written_len, const char *meant, size_t meant_len)
{
	struct element *e = &r->e;

	if (!r->in_angle)
		append(e->name, &e->n_name, meant, meant_len);
	append(e->spec, &e->n_spec, written, written_len);
	if (!e->has_at)
		append(e->local, &e->n_local, meant, meant_len);
}

/* The length of an encoded word at p, 0 if there is none. Real ones hold commas, parentheses or @, so they must not be read as atoms. */
static size_t encoded_word_length(const char *p, const char *end)
{
	unsigned marks = 0;

	if (end - p < 2 || p[0] != '=' || p[1] != '?')
		return 0;
	if (end - p > WORD_MAX)
		end = p + WORD_MAX;
	for (const char *q = p + 2; q < end && !lex_blank(*q); q++) {
		if (*q == '?' && marks == 2 && q + 1 < end && q[1] == '=')
			return (size_t)(q + 2 - p);
		if (*q == '?' && marks < 2)
			marks++;
	}
	return 0;
}

static void read_atom(struct reader *r)
{
	const char *start = r->lex.p;
	size_t len = encoded_word_length(start, r->lex.end);

	if (r->e.last == WORD)
		r->e.side_by_side = true;
	if (len > 0) {
		r->lex.p += len;
		for (size_t i = 0; i < len; i++)
			r->e.side_by_side = r->e.side_by_side || !lex_atom_char(start[i]);
	} else {
		while (r->lex.p < r->lex.end && lex_atom_char(*r->lex.p))
			r->lex.p++;
	}
	add_word(r, start, (size_t)(r->lex.p - start), start, (size_t)(r->lex.p - start));
	r->e.last = WORD;
}

static void read_quoted(struct reader *r)
{
	struct element *e = &r->e;
	const char *start = r->lex.p;
	char *meant = e->local + e->n_local;     /* has room for it whether it stays there or not */
	size_t len = lex_quoted(&r->lex, meant);

	if (e->last == WORD || e->has_at)
		e->side_by_side = true;
	if (!r->in_angle)
		append(e->name, &e->n_name, meant, len);
	if (!e->has_at)
		e->n_local += len;
	for (const char *p = start; p < r->lex.p; p++) {
		if (*p != '\r' && *p != '\n')
			e->spec[e->n_spec++] = *p;
	}
	/* folds are gone here: a line end that is left was escaped. A tab may stand in a name, not in an address */
	for (size_t i = 0; i < len; i++) {
		e->bad = e->bad || (lex_control(meant[i]) && meant[i] != '\t');
		e->side_by_side = e->side_by_side || meant[i] == '\t';
	}
	e->last = WORD;
}

/* "[...]" after the @, or part of a name as in "[List] Anna". */
static void read_literal(struct reader *r)
{
	const char *start = r->lex.p, *p = start + 1;

	while (p < r->lex.end && p - start < LITERAL_MAX && !lex_blank(*p) && strchr("[]<>\"\\,", *p) == NULL)
		p++;
	r->lex.p = p < r->lex.end && *p == ']' ? p + 1 : start + 1;
	if (r->e.last != AT)
		r->e.bad = true;
	add_word(r, start, (size_t)(r->lex.p - start), start, (size_t)(r->lex.p - start));
	r->e.last = WORD;
}

/* Reads words up to one of < > , ; : or the end. */
static void read_words(struct reader *r)
{
	struct lex *lex = &r->lex;
	struct element *e = &r->e;

	for (;;) {
		if (lex_cfws(lex) && !r->in_angle && e->n_name > 0 && e->name[e->n_name - 1] != ' ')
			e->name[e->n_name++] = ' ';
		if (lex->p == lex->end)
			return;
		switch (*lex->p) {
		case '<':
		case '>':
		case ',':
		case ';':
		case ':':
			return;
		case '"':
			read_quoted(r);
			break;
		case '[':
			read_literal(r);
			break;
		case '@':
			e->bad = e->bad || e->has_at;
			if (!e->has_at)
				e->at = e->n_spec;
			e->has_at = true;
			add_word(r, lex->p++, 1, "@", 1);
			e->last = AT;
			break;
		case '.':
			add_word(r, lex->p++, 1, ".", 1);
			e->last = DOT;
			break;
		default:
			if (lex_atom_char(*lex->p)) {
				read_atom(r);
				break;
			}
			e->bad = true;
			add_word(r, lex->p, 1, lex->p, 1);
			lex->p++;
			e->last = WORD;
			break;
		}
	}
}

static bool spec_valid(const struct element *e)
{
	return e->has_at && !e->side_by_side && !e->bad && e->n_local > 0 && e->n_spec <= ADDRESS_MAX && utf8_valid(e->spec, e->n_spec) &&
		address_domain_valid(e->spec + e->at + 1, e->n_spec - e->at - 1);
}

/* Adds what was read last as a mailbox. false: there is no room for more. */
static bool add_mailbox(struct reader *r, bool with_name)
{
	struct mailbox_list *list = &r->list;
	const struct element *e = &r->e;
	struct mailbox *box;

	if (!spec_valid(e)) {
		list->malformed = true;
		return true;
	}
	if (list->n == r->max) {
		list->cut = true;
		return false;
	}
	if (list->n == r->allocated) {
		size_t allocated = r->allocated == 0 ? 4 : 2 * r->allocated;
		struct mailbox *v = talloc_realloc(r->parent, list->v, struct mailbox, allocated);

		if (v == NULL) {
			list->cut = true;
			return false;
		}
		list->v = v;
		r->allocated = allocated;
	}
	box = &list->v[list->n++];
	address_build(r->parent, e->spec, e->at, e->local, e->n_local, e->spec + e->at + 1, e->n_spec - e->at - 1, &box->address);
	box->name = with_name && e->n_name > 0 ? header_decode(r->parent, e->name, e->n_name) : NULL;
	if (box->name == NULL)
		box->name = "";
	return true;
}

/* "@a,@b:" in an angle bracket. */
static void skip_route(struct reader *r)
{
	struct lex *lex = &r->lex;

	lex_cfws(lex);
	if (lex->p == lex->end || *lex->p != '@')
		return;
	while (lex->p < lex->end && strchr("<>;\":", *lex->p) == NULL) {
		if (*lex->p == '[') {
			while (lex->p < lex->end && *lex->p != ']' && *lex->p != '>')
				lex->p++;
		} else if (*lex->p == '(') {
			lex_cfws(lex);
		} else {
			lex->p++;
		}
	}
	if (lex->p < lex->end && *lex->p == ':')
		lex->p++;
	else
		r->list.malformed = true;
}

/* p stands at "<", the name has been read. false: the list is full. */
static bool read_angle(struct reader *r)
{
	struct lex *lex = &r->lex;
	bool more;

	/* "ceo@bank.example <x@evil.example>": which of them programs show differs */
	if (r->e.bad || r->e.has_at)
		r->list.malformed = true;
	lex->p++;
	for (; lex->p < lex->end && *lex->p == '<'; lex->p++)
		r->list.malformed = true;
	begin_spec(&r->e);
	r->in_angle = true;
	skip_route(r);
	read_words(r);
	r->in_angle = false;
	if (lex->p < lex->end && (*lex->p == ':' || *lex->p == '<')) {
		r->list.malformed = true;
		return true;
	}
	more = add_mailbox(r, true);
	if (lex->p < lex->end && *lex->p == '>')
		lex->p++;
	else
		r->list.malformed = true;
	for (; lex->p < lex->end && *lex->p == '>'; lex->p++)
		r->list.malformed = true;
	lex_cfws(lex);
	if (lex->p < lex->end && *lex->p != ',' && *lex->p != ';')
		r->list.malformed = true;
	return more;
}

/* One element and the separator behind it. false: nothing more to read. */
static bool read_element(struct reader *r)
{
	struct lex *lex = &r->lex;

	r->e.n_name = 0;
	begin_spec(&r->e);
	read_words(r);
	if (lex->p < lex->end && *lex->p == '<')
		return read_angle(r);
	if (lex->p < lex->end && *lex->p == ':') {
		if (r->in_group || r->e.bad || r->e.last == NOTHING)
			r->list.malformed = true;
		r->in_group = true;
	} else if (r->e.last != NOTHING && !add_mailbox(r, false)) {
		return false;
	}
	if (lex->p == lex->end)
		return false;
	if (*lex->p == '>' || (*lex->p == ';' && !r->in_group))
		r->list.malformed = true;
	if (*lex->p == ';')
		r->in_group = false;
	lex->p++;
	return true;
}

struct mailbox_list address_list_parse(TALLOC_CTX *parent, const char *value, size_t len, size_t max)
{
	TALLOC_CTX *scratch = talloc_new(NULL);
	struct reader r = { .lex = { .p = value, .end = value + len }, .parent = parent, .max = max };

	r.e.name = talloc_array(scratch, char, len + 1);
	r.e.spec = talloc_array(scratch, char, len + 1);
	r.e.local = talloc_array(scratch, char, len + 1);
	if (r.e.name != NULL && r.e.spec != NULL && r.e.local != NULL) {
		while (read_element(&r))
			;
	} else {
		r.list.malformed = true;
	}
	talloc_free(scratch);
	if (r.in_group || r.lex.bad)
		r.list.malformed = true;
	return r.list;
}
