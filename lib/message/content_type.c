/* content_type.c - reads Content-Type as leniently as mail programs do (RFC 2045 section 5.1, RFC 2231) */
#include "message/header.h"

#include <string.h>

#include "message/charset.h"
#include "message/lex.h"

enum {
	PARAMETERS_MAX = 256,            /* further ones are not read: they are compared with each other */
	SECTIONS_MAX = 64,               /* of one parameter that is split by RFC 2231 */
};

enum { NOT_SPLIT = -1 };

struct parameter {
	const char *name, *value;        /* lower case; as the quotes held it */
	size_t name_len, value_len;
	int section;                     /* name*N=, or NOT_SPLIT */
	bool encoded;                    /* name*=, name*N*= */
};

struct reader {
	struct lex lex;
	char *scratch;                   /* names and values, one after the other: never longer than the field */
	struct parameter *v;
	size_t n;
	bool malformed;
};

static void copy_lower(char *out, const char *in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = lex_lower(in[i]);
}

/* A token in lower case, a child of parent. NULL: there is none. */
static char *read_token(TALLOC_CTX *parent, struct lex *lex)
{
	const char *start = lex->p;
	char *token;
	size_t n;

	while (lex->p < lex->end && lex_token_char(*lex->p))
		lex->p++;
	n = (size_t)(lex->p - start);
	token = n > 0 ? talloc_array(parent, char, n + 1) : NULL;
	if (token != NULL) {
		copy_lower(token, start, n);
		token[n] = 0;
	}
	return token;
}

/* Splits "name*1*" into its name, section and mark (RFC 2231 section 7). What does not have this form is an ordinary name. */
static void split_name(struct parameter *parameter)
{
	const char *star = memchr(parameter->name, '*', parameter->name_len);
	const char *p, *end = parameter->name + parameter->name_len;
	int section = 0;

	if (star == NULL)
		return;
	p = star + 1;
	while (p < end && lex_digit(*p) && section < SECTIONS_MAX)
		section = section * 10 + (*p++ - '0');
	if (section >= SECTIONS_MAX || (p < end && (*p != '*' || p + 1 != end)))
		return;
	parameter->section = p == star + 1 || !lex_digit(p[-1]) ? NOT_SPLIT : section;
	parameter->encoded = p < end || p == star + 1;
	parameter->name_len = (size_t)(star - parameter->name);
}

static void read_value(struct reader *r, struct parameter *parameter)
{
	struct lex *lex = &r->lex;

	lex_cfws(lex);
	parameter->value = r->scratch;
	if (lex->p < lex->end && *lex->p == '"') {
		parameter->value_len = lex_quoted(lex, r->scratch);
	} else {
		/* not only a token: unquoted values hold any of /?=:@ in real mail */
		while (lex->p < lex->end && !lex_blank(*lex->p) && *lex->p != ';' && *lex->p != '(' && *lex->p != '"')
			r->scratch[parameter->value_len++] = *lex->p++;
		if (parameter->value_len == 0)
			r->malformed = true;
	}
	r->scratch += parameter->value_len;
}

static bool same_parameter(const struct parameter *a, const struct parameter *b)
{
	return a->name_len == b->name_len && a->section == b->section && a->encoded == b->encoded && memcmp(a->name, b->name, a->name_len) == 0;
}

/* One "name = value"; whatever else stands there is skipped up to the next semicolon. */
static void read_parameter(struct reader *r)
{
	struct parameter parameter = { .name = r->scratch, .section = NOT_SPLIT };
	struct lex *lex = &r->lex;
	const char *start = lex->p;

	while (lex->p < lex->end && lex_token_char(*lex->p))
		lex->p++;
	parameter.name_len = (size_t)(lex->p - start);
	lex_cfws(lex);
	if (parameter.name_len == 0 || lex->p >= lex->end || *lex->p != '=') {
		r->malformed = true;
		while (lex->p < lex->end && *lex->p != ';')
			lex->p++;
		return;
	}
	copy_lower(r->scratch, start, parameter.name_len);
	r->scratch += parameter.name_len;
	split_name(&parameter);
	lex->p++;
	read_value(r, &parameter);
	for (size_t i = 0; i < r->n; i++) {
		if (same_parameter(&r->v[i], &parameter)) {
			r->malformed = true;
			return;
		}
	}
	r->v[r->n++] = parameter;
}

static void read_parameters(struct reader *r)
{
	for (;;) {
		lex_cfws(&r->lex);
		while (r->lex.p < r->lex.end && *r->lex.p == ';') {
			r->lex.p++;
			lex_cfws(&r->lex);
		}
		if (r->lex.p >= r->lex.end)
			break;
		if (r->n == PARAMETERS_MAX) {
			r->malformed = true;
			break;
		}
		read_parameter(r);
	}
}

/* Appends a section's value to out, %XX resolved if it is encoded; returns the new length. */
static size_t append_section(const struct parameter *parameter, size_t skip, char *out, size_t n)
{
	const char *value = parameter->value;

	for (size_t i = skip; i < parameter->value_len; i++) {
		if (parameter->encoded && value[i] == '%' && i + 2 < parameter->value_len && lex_hex(value[i + 1]) >= 0 && lex_hex(value[i + 2]) >= 0) {
			out[n++] = (char)(lex_hex(value[i + 1]) << 4 | lex_hex(value[i + 2]));
			i += 2;
		} else {
			out[n++] = value[i];
		}
	}
	return n;
}

/* charset'language'value: where the value begins. 0: it does not have that form. */
static size_t charset_prefix(const struct parameter *parameter, size_t *charset_len_r)
{
	const char *first = memchr(parameter->value, '\'', parameter->value_len), *second;

	if (first == NULL)
		return 0;
	second = memchr(first + 1, '\'', parameter->value_len - (size_t)(first + 1 - parameter->value));
	if (second == NULL)
		return 0;
	*charset_len_r = (size_t)(first - parameter->value);
	return (size_t)(second + 1 - parameter->value);
}

/* A string without NUL inside. */
static char *string(TALLOC_CTX *parent, const char *bytes, size_t n)
{
	char *text = talloc_array(parent, char, n + 1);

	if (text == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++)
		text[i] = bytes[i] != 0 ? bytes[i] : 1;
	text[n] = 0;
	return text;
}

/* Joins sections[0], [1], ... up to the first that is missing, and converts them to UTF-8 if they name a charset. NULL if there is no section 0. */
static char *join_sections(TALLOC_CTX *parent, const struct parameter *const *sections)
{
	size_t total = 0, n = 0, charset_len = 0, skip = 0, converted = CHARSET_FAILED;
	char *bytes, *text = NULL;

	for (size_t i = 0; i < SECTIONS_MAX && sections[i] != NULL; i++)
		total += sections[i]->value_len;
	if (sections[0] == NULL)
		return NULL;
	bytes = talloc_array(NULL, char, 5 * total + 1);
	if (bytes == NULL)
		return NULL;
	if (sections[0]->encoded)
		skip = charset_prefix(sections[0], &charset_len);
	for (size_t i = 0; i < SECTIONS_MAX && sections[i] != NULL; i++)
		n = append_section(sections[i], i == 0 ? skip : 0, bytes, n);
	if (charset_len > 0) {
		struct charset_pool *pool = charset_pool_new(bytes);

		if (pool != NULL)
			converted = charset_convert(pool, sections[0]->value, charset_len, bytes, n, bytes + total, 4 * total);
	}
	text = converted == CHARSET_FAILED ? string(parent, bytes, n) : string(parent, bytes + total, converted);
	talloc_free(bytes);
	return text;
}

/* A parameter in its two forms: *plain_r as it stands in name=, *extended_r as RFC 2231 has it. NULL where there is none. */
static void find_parameter(TALLOC_CTX *parent, struct reader *r, const char *name, char **plain_r, char **extended_r)
{
	const struct parameter *sections[SECTIONS_MAX] = { NULL }, *whole = NULL;

	*plain_r = *extended_r = NULL;
	for (size_t i = 0; i < r->n; i++) {
		const struct parameter *parameter = &r->v[i];

		if (parameter->name_len != strlen(name) || memcmp(parameter->name, name, parameter->name_len) != 0)
			continue;
		if (parameter->section == NOT_SPLIT && !parameter->encoded)
			*plain_r = string(parent, parameter->value, parameter->value_len);
		else if (parameter->section == NOT_SPLIT)
			whole = parameter;
		else if (sections[parameter->section] == NULL)
			sections[parameter->section] = parameter;
		else
			r->malformed = true;             /* name*1= and name*1*= */
	}
	if (whole != NULL && sections[0] != NULL)
		r->malformed = true;
	if (whole != NULL) {
		sections[0] = whole;
		sections[1] = NULL;
	}
	*extended_r = join_sections(parent, sections);
}

/* A parameter that has no business in two forms: RFC 2231 wins, difference is remembered. */
static char *find_single(TALLOC_CTX *parent, struct reader *r, const char *name)
{
	char *plain, *extended;

	find_parameter(parent, r, name, &plain, &extended);
	if (plain != NULL && extended != NULL && strcmp(plain, extended) != 0)
		r->malformed = true;
	return extended != NULL ? extended : plain;
}

/* type "/" subtype; text/plain where they cannot be read (RFC 2045 section 5.2) */
static void read_type(TALLOC_CTX *parent, struct reader *r, struct content_type *type_r)
{
	struct lex *lex = &r->lex;

	lex_cfws(lex);
	type_r->subtype = NULL;
	type_r->type = read_token(parent, lex);
	lex_cfws(lex);
	if (type_r->type != NULL && lex->p < lex->end && *lex->p == '/') {
		lex->p++;
		lex_cfws(lex);
		type_r->subtype = read_token(parent, lex);
	}
	if (type_r->type == NULL || type_r->subtype == NULL) {
		type_r->type = "text";
		type_r->subtype = "plain";
		r->malformed = true;
	}
}

void content_type_parse(TALLOC_CTX *parent, const char *value, size_t len, struct content_type *type_r)
{
	struct reader r = { .lex = { .p = value, .end = value + len } };
	TALLOC_CTX *scratch = talloc_new(NULL);
	char *plain, *extended;

	*type_r = (struct content_type){ .type = "text", .subtype = "plain" };
	lex_blanks(&r.lex);
	r.scratch = talloc_array(scratch, char, len + 1);
	r.v = talloc_array(scratch, struct parameter, PARAMETERS_MAX);
	if (r.lex.p < r.lex.end && r.scratch != NULL && r.v != NULL) {
		read_type(parent, &r, type_r);
		read_parameters(&r);
		type_r->boundary = find_single(parent, &r, "boundary");
		char *charset = find_single(parent, &r, "charset");
		if (charset != NULL)
			copy_lower(charset, charset, strlen(charset));
		type_r->charset = charset;
		find_parameter(parent, &r, "name", &plain, &extended);
		/* programs write both: name= for old readers */
		type_r->name = extended != NULL ? extended : plain;
		if (type_r->name != NULL)
			type_r->name = header_decode(parent, type_r->name, strlen(type_r->name));
	}
	type_r->malformed = r.malformed || r.lex.bad;
	talloc_free(scratch);
}
