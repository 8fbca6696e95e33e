/* dkim_tags.c - tag lists (RFC 6376 section 3.2), base64, domains: what signatures and keys are made of, read strictly */
#include "net/dkim_private.h"

#include <string.h>
#include <strings.h>

enum { NAME_MAX_LEN = 253, LABEL_MAX = 63 };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ---- tag lists */

static void trim(const char **from, const char **to)
{
	while (*from < *to && is_blank(**from))
		++*from;
	while (*to > *from && is_blank((*to)[-1]))
		--*to;
}

/* name [FWS] "=" [FWS] value, without blanks around it; the value may be empty. */
static const char *read_tag(const char *p, const char *end, struct dkim_tag *t)
{
	const char *equals = memchr(p, '=', (size_t)(end - p)), *name_end;

	if (equals == NULL)
		return "a tag without \"=\"";
	*t = (struct dkim_tag){ .name = p };
	name_end = equals;
	trim(&t->name, &name_end);
	t->name_len = (size_t)(name_end - t->name);
	t->gap = name_end != equals;
	if (t->name_len == 0 || !is_alpha(t->name[0]))
		return "a tag's name is none";
	for (size_t i = 1; i < t->name_len; i++)
		if (!is_alpha(t->name[i]) && !is_digit(t->name[i]) && t->name[i] != '_')
			return "a tag's name is none";
	t->value = equals + 1;
	trim(&t->value, &end);
	t->value_len = (size_t)(end - t->value);
	for (size_t i = 0; i < t->value_len; i++)
		if (!is_blank(t->value[i]) && (t->value[i] <= 0x20 || t->value[i] >= 0x7f))
			return "a tag with control or 8-bit characters";
	return NULL;
}

static const struct dkim_tag *find(const struct dkim_tags *tags, const char *name, size_t len)
{
	for (size_t i = 0; i < tags->n; i++)
		if (tags->v[i].name_len == len && memcmp(tags->v[i].name, name, len) == 0)
			return &tags->v[i];
	return NULL;
}

const struct dkim_tag *dkim_tags_find(const struct dkim_tags *tags, const char *name)
{
	return find(tags, name, strlen(name));
}

const char *dkim_tags_parse(const char *text, size_t len, struct dkim_tags *tags)
{
	const char *end = text + len;

	tags->n = 0;
	while (text < end) {
		const char *semicolon = memchr(text, ';', (size_t)(end - text)), *stop = semicolon != NULL ? semicolon : end;
		const char *from = text, *to = stop, *problem;
		struct dkim_tag t;

		text = semicolon != NULL ? semicolon + 1 : end;
		trim(&from, &to);
		if (from == to && semicolon == NULL && tags->n > 0)
			break;                   /* one semicolon may close the list */
		problem = read_tag(from, to, &t);
		if (problem != NULL)
			return problem;
		if (find(tags, t.name, t.name_len) != NULL)
			return "a tag stands twice";
		if (tags->n == DKIM_TAGS_MAX)
			return "too many tags";
		tags->v[tags->n++] = t;
	}
	return tags->n > 0 ? NULL : "no tags";
}

char *dkim_tag_text(TALLOC_CTX *mem, const struct dkim_tag *tag)
{
	char *out = talloc_array(mem, char, tag->value_len + 1);
	size_t n = 0;

	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < tag->value_len; i++)
		if (!is_blank(tag->value[i]))
			out[n++] = tag->value[i];
	out[n] = '\0';
	return out;
}

const char *dkim_list_next(const char **list, const char *end, size_t *len)
{
	while (*list < end) {
		const char *colon = memchr(*list, ':', (size_t)(end - *list)), *from = *list, *to = colon != NULL ? colon : end;

		*list = colon != NULL ? colon + 1 : end;
		trim(&from, &to);
		if (from < to) {
			*len = (size_t)(to - from);
			return from;
		}
	}
	return NULL;
}

/* ---- base64 */

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (is_digit(c))
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool dkim_base64(const char *text, size_t len, unsigned char *data, size_t *len_r)
{
	size_t n = 0, padding;

	if (len == 0 || len % 4 != 0)
		return false;
	padding = (text[len - 1] == '=') + (size_t)(text[len - 1] == '=' && text[len - 2] == '=');
	for (size_t i = 0; i < len; i += 4) {
		unsigned long group = 0;
		size_t digits = i + 4 == len ? 4 - padding : 4;

		for (size_t k = 0; k < 4; k++) {
			int digit = k < digits ? base64_digit(text[i + k]) : 0;

			if (digit < 0)
				return false;
			group = group << 6 | (unsigned long)digit;
		}
		for (size_t k = 0; k < digits - 1; k++)
			data[n++] = (unsigned char)(group >> (16 - 8 * k));
	}
	*len_r = n;
	return true;
}

/* ---- domains */

bool dkim_domain_valid(const char *text, unsigned labels_min)
{
	size_t len = strlen(text), label = 0;
	unsigned labels = 0;

	if (len == 0 || len > NAME_MAX_LEN)
		return false;
	for (const char *p = text;; p++) {
		if (*p == '.' || *p == '\0') {
			if (label == 0 || label > LABEL_MAX)
				return false;
			labels++;
			label = 0;
			if (*p == '\0')
				return labels >= labels_min;
		} else if (is_alpha(*p) || is_digit(*p) || *p == '-' || *p == '_') {
			label++;
		} else {
			return false;
		}
	}
}
