/* canon.c - canonical forms (RFC 6376 section 3.4): a machine of a few states over bytes, what it gives goes into a hash by the block */
#include "net/canon.h"

#include <string.h>

/* What was made and is not hashed yet. */
struct out {
	struct hash *hash;
	size_t n;
	char text[2048];
};

static void flush(struct out *out)
{
	if (out->n > 0)
		hash_add(out->hash, out->text, out->n);
	out->n = 0;
}

static void put(struct out *out, char c)
{
	if (out->n == sizeof(out->text))
		flush(out);
	out->text[out->n++] = c;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* ---- fields */

static void put_name(struct out *out, const struct dkim_field *field)
{
	size_t n = field->name_len;

	while (n > 0 && is_blank(field->name[n - 1]))
		n--;
	for (size_t i = 0; i < n; i++)
		put(out, field->name[i] >= 'A' && field->name[i] <= 'Z' ? (char)(field->name[i] + 'a' - 'A') : field->name[i]);
}

/* Line ends are LF, or CRLF. */
static bool is_line_end(const struct dkim_field *field, size_t i)
{
	return field->value[i] == '\n' || (field->value[i] == '\r' && i + 1 < field->value_len && field->value[i + 1] == '\n');
}

static void put_relaxed(struct out *out, const struct dkim_field *field, size_t cut, size_t cut_len)
{
	bool space = false, begun = false;

	put_name(out, field);
	put(out, ':');
	for (size_t i = 0; i < field->value_len; i++) {
		if ((i >= cut && i - cut < cut_len) || is_line_end(field, i))
			continue;
		if (is_blank(field->value[i])) {
			space = begun;
			continue;
		}
		if (space)
			put(out, ' ');
		space = false;
		begun = true;
		put(out, field->value[i]);
	}
}

static void put_simple(struct out *out, const struct dkim_field *field, size_t cut, size_t cut_len)
{
	for (size_t i = 0; i < field->name_len; i++)
		put(out, field->name[i]);
	put(out, ':');
	for (size_t i = 0; i < field->value_len; i++) {
		if (i >= cut && i - cut < cut_len)
			continue;
		if (field->value[i] == '\n' && (i == 0 || field->value[i - 1] != '\r'))
			put(out, '\r');
		put(out, field->value[i]);
	}
}

void canon_field(struct hash *hash, const struct dkim_field *field, bool relaxed, size_t cut, size_t cut_len, bool line_end)
{
	struct out out = { .hash = hash };

	if (relaxed)
		put_relaxed(&out, field, cut, cut_len);
	else
		put_simple(&out, field, cut, cut_len);
	if (line_end) {
		put(&out, '\r');
		put(&out, '\n');
	}
	flush(&out);
}

/* ---- bodies */

struct canon_body {
	struct out out;
	bool relaxed;
	int64_t limit;
	uint64_t octets;                 /* made so far */
	uint64_t blank_lines;            /* that are hashed only if something follows */
	bool cr, space;                  /* seen, and not decided */
	bool line;                       /* the line has content */
};

struct canon_body *canon_body_new(TALLOC_CTX *parent, bool relaxed, int64_t limit)
{
	struct canon_body *body = talloc_zero(parent, struct canon_body);

	if (body == NULL)
		return NULL;
	body->relaxed = relaxed;
	body->limit = limit;
	body->out.hash = hash_new(body);
	if (body->out.hash == NULL)
		TALLOC_FREE(body);
	return body;
}

static void give(struct canon_body *body, char c)
{
	if (body->limit < 0 || body->octets < (uint64_t)body->limit)
		put(&body->out, c);
	body->octets++;
}

static void give_line_end(struct canon_body *body)
{
	give(body, '\r');
	give(body, '\n');
}

/* A character of a line that is not blank to the end. */
static void content(struct canon_body *body, char c)
{
	for (; body->blank_lines > 0; body->blank_lines--)
		give_line_end(body);
	if (body->space)
		give(body, ' ');
	body->space = false;
	body->line = true;
	give(body, c);
}

static void end_line(struct canon_body *body)
{
	body->space = false;
	if (body->line)
		give_line_end(body);
	else
		body->blank_lines++;
	body->line = false;
}

void canon_body_add(struct canon_body *body, const void *data, size_t len)
{
	const char *p = data, *end = p + len;

	for (; p < end; p++) {
		if (body->cr) {
			body->cr = false;
			if (*p == '\n') {
				end_line(body);
				continue;
			}
			content(body, '\r');             /* it was no line end */
		}
		if (*p == '\r')
			body->cr = true;
		else if (body->relaxed && is_blank(*p))
			body->space = true;
		else
			content(body, *p);
	}
}

bool canon_body_end(struct canon_body *body, uint8_t digest_r[HASH_SHA256], uint64_t *octets_r)
{
	struct hash *hash = body->out.hash;

	if (body->cr)
		content(body, '\r');
	body->cr = false;
	if (body->line)
		end_line(body);
	if (!body->relaxed && body->octets == 0)
		give_line_end(body);                     /* section 3.4.3: an empty body is one line end */
	flush(&body->out);
	*octets_r = body->octets;
	body->out.hash = NULL;
	return hash_end(hash, digest_r);
}
