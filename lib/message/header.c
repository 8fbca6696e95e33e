/* header.c - header fields: names, unfolding, encoded words (RFC 5322 section 2.2, RFC 2047) */
#include "message/header.h"

#include <string.h>

#include "message/charset.h"
#include "message/lex.h"

/* Length of a name without the blanks that the obsolete syntax allows before the colon. */
static size_t name_length(const char *name)
{
	size_t n = strlen(name);

	while (n > 0 && (name[n - 1] == ' ' || name[n - 1] == '\t'))
		n--;
	return n;
}

bool header_name_equal(const char *a, const char *b)
{
	size_t n = name_length(a);

	if (n != name_length(b))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (lex_lower(a[i]) != lex_lower(b[i]))
			return false;
	}
	return true;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* The length of a line end at p that is followed by a blank; 0 if there is none. */
static size_t fold_length(const char *p, const char *end)
{
	size_t n = p < end && *p == '\r' ? 1 : 0;

	if (p + n >= end || p[n] != '\n')
		return 0;
	return p + n + 1 < end && is_space(p[n + 1]) ? n + 1 : 0;
}

char *header_unfold(TALLOC_CTX *parent, const char *value, size_t len)
{
	const char *p = value, *end = value + len;
	char *text = talloc_array(parent, char, len + 1);
	size_t n = 0, fold;

	if (text == NULL)
		return NULL;
	while (p < end) {
		fold = fold_length(p, end);
		p += fold;
		if (n > 0 || !is_space(*p))
			text[n++] = *p != 0 ? *p : 1;
		p++;
	}
	while (n > 0 && is_space(text[n - 1]))
		n--;
	text[n] = 0;
	return text;
}

/* Encoded words. Adjacent words of one charset may share a character, so what they decode to is gathered until another charset or ordinary text follows. */
struct decoder {
	const char *p, *end;
	const char *no_end_before;       /* words that begin before it have no end: they are not searched again */
	struct charset_pool *pool;
	char *out;                       /* 4 bytes for each byte of input */
	size_t n;
	char *bytes;                     /* what the words from..to hold, not converted yet */
	size_t n_bytes;
	const char *from, *to;           /* NULL: no words are pending */
	const char *charset;
	size_t charset_len;
};

struct word {
	const char *charset, *text, *end;
	size_t charset_len, text_len;
	bool base64;
};

enum { CHARSET_TEXT_MAX = 80 };  /* charset and language */

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (lex_digit(c))
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Finds the "?=" that ends the text of a word in Q. A blank and the start of another word show that this one has no end. */
static const char *find_quoted_end(struct decoder *d, const char *p)
{
	if (p < d->no_end_before)
		return NULL;
	for (; p + 1 < d->end; p++) {
		if (p[0] == '?' && p[1] == '=')
			return p;
		if (is_space(p[0]) && p[1] == '=' && p + 2 < d->end && p[2] == '?')
			break;
	}
	d->no_end_before = p;
	return NULL;
}

/* The same for B, where no other question mark may occur. */
static const char *find_base64_end(const struct decoder *d, const char *p)
{
	while (p < d->end && (base64_digit(*p) >= 0 || *p == '=' || is_space(*p)))
		p++;
	return d->end - p >= 2 && p[0] == '?' && p[1] == '=' ? p : NULL;
}

/* Is there an encoded word at p ("=?" was seen) that we can decode? */
static bool word_read(struct decoder *d, const char *p, struct word *word_r)
{
	const char *q = p + 2, *language, *end;

	word_r->charset = q;
	while (q < d->end && q - word_r->charset < CHARSET_TEXT_MAX && lex_token_char(*q))
		q++;
	word_r->charset_len = (size_t)(q - word_r->charset);
	if (d->end - q < 3 || q[0] != '?' || q[2] != '?' || (lex_lower(q[1]) != 'b' && lex_lower(q[1]) != 'q'))
		return false;
	language = memchr(word_r->charset, '*', word_r->charset_len);
	if (language != NULL)
		word_r->charset_len = (size_t)(language - word_r->charset);
	if (!charset_known(d->pool, word_r->charset, word_r->charset_len))
		return false;
	word_r->base64 = lex_lower(q[1]) == 'b';
	word_r->text = q + 3;
	end = word_r->base64 ? find_base64_end(d, word_r->text) : find_quoted_end(d, word_r->text);
	if (end == NULL)
		return false;
	word_r->text_len = (size_t)(end - word_r->text);
	word_r->end = end + 2;
	return true;
}

/* Both append what a word holds to d->bytes. In base64 missing padding and a digit too many are common and do not matter. */
static void decode_base64(struct decoder *d, const char *text, size_t len)
{
	unsigned bits = 0, n_bits = 0;

	for (size_t i = 0; i < len; i++) {
		int digit = base64_digit(text[i]);

		if (text[i] == '=')
			n_bits = 0;
		if (digit < 0)
			continue;
		bits = (bits << 6 | (unsigned)digit) & 0xffff;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			d->bytes[d->n_bytes++] = (char)(bits >> n_bits & 0xff);
		}
	}
}

static void decode_quoted(struct decoder *d, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '_') {
			c = ' ';
		} else if (c == '=' && i + 2 < len && lex_hex(text[i + 1]) >= 0 && lex_hex(text[i + 2]) >= 0) {
			c = (char)(lex_hex(text[i + 1]) << 4 | lex_hex(text[i + 2]));
			i += 2;
		}
		d->bytes[d->n_bytes++] = c;
	}
}

static void copy_text(struct decoder *d, const char *from, const char *to)
{
	d->n += charset_clean_utf8(from, (size_t)(to - from), d->out + d->n);
}

/* Writes the pending words, converted. */
static void flush_words(struct decoder *d)
{
	size_t n;

	if (d->from == NULL)
		return;
	n = charset_convert(d->pool, d->charset, d->charset_len, d->bytes, d->n_bytes, d->out + d->n, 4 * (size_t)(d->to - d->from));
	if (n == CHARSET_FAILED)
		copy_text(d, d->from, d->to);
	else
		d->n += n;
	d->from = NULL;
	d->n_bytes = 0;
}

static bool same_charset(const struct decoder *d, const struct word *word)
{
	if (d->charset_len != word->charset_len)
		return false;
	for (size_t i = 0; i < d->charset_len; i++) {
		if (lex_lower(d->charset[i]) != lex_lower(word->charset[i]))
			return false;
	}
	return true;
}

/* Takes the word at `start`; d->p stands where text that was not written yet begins. */
static void take_word(struct decoder *d, const char *start, const struct word *word)
{
	struct lex gap = { .p = d->p, .end = start };
	bool adjacent;

	lex_blanks(&gap);
	adjacent = d->from != NULL && gap.p == start;
	if (!adjacent || !same_charset(d, word)) {
		flush_words(d);
		if (!adjacent)
			copy_text(d, d->p, start);
	}
	if (word->base64)
		decode_base64(d, word->text, word->text_len);
	else
		decode_quoted(d, word->text, word->text_len);
	if (d->from == NULL)
		d->from = start;
	d->to = word->end;
	d->charset = word->charset;
	d->charset_len = word->charset_len;
	d->p = word->end;
}

/* The next "=?" at or behind p; NULL: none. */
static const char *find_start(const char *p, const char *end)
{
	while ((p = memchr(p, '=', (size_t)(end - p))) != NULL) {
		if (p + 1 < end && p[1] == '?')
			return p;
		p++;
	}
	return NULL;
}

static void decode_words(struct decoder *d)
{
	const char *search = d->p, *start;
	struct word word;

	while ((start = find_start(search, d->end)) != NULL) {
		search = start + 1;
		if (word_read(d, start, &word)) {
			take_word(d, start, &word);
			search = word.end;
		}
	}
	flush_words(d);
	copy_text(d, d->p, d->end);
}

char *header_decode(TALLOC_CTX *parent, const char *value, size_t len)
{
	char *text = header_unfold(parent, value, len), *result;
	struct decoder d = { .p = text, .no_end_before = text };
	size_t n;

	if (text == NULL)
		return NULL;
	n = strlen(text);
	d.end = text + n;
	if (find_start(text, d.end) == NULL && utf8_valid(text, n))
		return text;
	d.pool = charset_pool_new(text);
	d.bytes = talloc_array(text, char, n + 1);
	d.out = talloc_array(text, char, 4 * n + 1);
	if (d.pool == NULL || d.bytes == NULL || d.out == NULL) {
		talloc_free(text);
		return NULL;
	}
	decode_words(&d);
	d.out[d.n] = 0;
	result = talloc_memdup(parent, d.out, d.n + 1);
	talloc_free(text);
	return result;
}
