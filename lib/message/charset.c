/* charset.c - bytes of any charset to UTF-8; what is well-formed UTF-8 */
#include "message/charset.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "message/header.h"
#include "message/lex.h"

enum { NAME_MAX_LEN = 40, KEPT_OPEN = 4, OPENED_MAX = 32 };

#define REPLACEMENT "\xef\xbf\xbd"

struct converter {
	char name[NAME_MAX_LEN + 1];     /* as the C library calls it */
	size_t unit;                     /* bytes to skip where nothing is readable */
	iconv_t iconv;
};

struct charset_pool {
	struct converter *open[KEPT_OPEN];
	unsigned oldest;
	unsigned opened;
};

/* Names that the C library does not know, or that are used for more than they say: what is labelled Latin 1 is Windows 1252, "gb2312" is its successor, and so on,
 * as all mail programs read them. An empty target: it is (or should be) UTF-8. */
static const struct {
	const char *name, *target;
} aliases[] = {
	{ "utf-8", "" }, { "utf8", "" }, { "us-ascii", "" }, { "ascii", "" }, { "unicode-1-1-utf-8", "" },
	{ "iso-8859-1", "WINDOWS-1252" }, { "iso8859-1", "WINDOWS-1252" }, { "iso_8859-1", "WINDOWS-1252" }, { "latin1", "WINDOWS-1252" },
	{ "iso-8859-8-i", "ISO-8859-8" }, { "iso-8859-8-e", "ISO-8859-8" },
	{ "gb2312", "GB18030" }, { "gb_2312-80", "GB18030" }, { "gbk", "GB18030" }, { "x-gbk", "GB18030" }, { "cp936", "GB18030" },
	{ "shift_jis", "CP932" }, { "shift-jis", "CP932" }, { "x-sjis", "CP932" }, { "sjis", "CP932" }, { "windows-31j", "CP932" },
	{ "euc-kr", "CP949" }, { "ks_c_5601-1987", "CP949" }, { "ks_c_5601-1989", "CP949" }, { "ksc5601", "CP949" }, { "ks_c_5601", "CP949" },
	{ "big5", "BIG5-HKSCS" }, { "x-euc-jp", "EUC-JP" }, { "windows-874", "CP874" }, { "x-mac-cyrillic", "MAC-CYRILLIC" },
	{ "unicode-1-1-utf-7", "UTF-7" },
};

/* Families that are handed to the C library under their own names. */
static const char *const families[] = {
	"iso-8859-", "windows-12", "cp12", "cp437", "cp85", "cp86", "cp87", "cp93", "cp94", "cp95", "ibm", "koi8-", "utf-7", "utf-16", "utf-32", "iso-2022-jp",
	"iso-2022-kr", "gb18030", "big5-hkscs", "euc-jp", "euc-tw", "tis-620", "viscii", "tcvn", "macintosh", "johab", "armscii-8", "georgian-",
};

static int close_converter(struct converter *converter)
{
	iconv_close(converter->iconv);
	return 0;
}

struct charset_pool *charset_pool_new(TALLOC_CTX *parent)
{
	return talloc_zero(parent, struct charset_pool);
}

/* The C library's name of a charset, "" for UTF-8, NULL if we don't convert it. Letters, digits and -_.: only: a slash would be an option of iconv_open(). */
static const char *library_name(const char *name, size_t len, char buffer[NAME_MAX_LEN + 1])
{
	if (len == 0 || len > NAME_MAX_LEN)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		char c = lex_lower(name[i]);

		if (!lex_digit(c) && !(c >= 'a' && c <= 'z') && (c == 0 || strchr("-_.:", c) == NULL))
			return NULL;
		buffer[i] = c;
	}
	buffer[len] = 0;
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		if (strcmp(buffer, aliases[i].name) == 0)
			return aliases[i].target;
	}
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (strncmp(buffer, families[i], strlen(families[i])) == 0)
			return buffer;
	}
	return NULL;
}

static struct converter *converter_open(struct charset_pool *pool, const char *library)
{
	struct converter *converter;

	for (unsigned i = 0; i < KEPT_OPEN; i++) {
		if (pool->open[i] != NULL && strcmp(pool->open[i]->name, library) == 0)
			return pool->open[i];
	}
	if (pool->opened >= OPENED_MAX)
		return NULL;
	pool->opened++;
	converter = talloc_zero(pool, struct converter);
	if (converter == NULL)
		return NULL;
	converter->iconv = iconv_open("UTF-8", library);
	if (converter->iconv == (iconv_t)-1) {
		talloc_free(converter);
		return NULL;
	}
	talloc_set_destructor(converter, close_converter);
	memcpy(converter->name, library, strlen(library) + 1);
	converter->unit = strncmp(library, "utf-16", 6) == 0 ? 2 : strncmp(library, "utf-32", 6) == 0 ? 4 : 1;
	talloc_free(pool->open[pool->oldest]);
	pool->open[pool->oldest] = converter;
	pool->oldest = (pool->oldest + 1) % KEPT_OPEN;
	return converter;
}

bool charset_known(struct charset_pool *pool, const char *name, size_t name_len)
{
	char buffer[NAME_MAX_LEN + 1];
	const char *library = library_name(name, name_len, buffer);

	return library != NULL && (*library == 0 || converter_open(pool, library) != NULL);
}

/* iconv() as often as something unreadable is met; each time at least one byte further. */
static size_t run(struct converter *converter, const char *bytes, size_t len, char *out, size_t size)
{
	char *in = (char *)bytes;          /* iconv() does not write there */
	char *to = out;
	size_t left = len, room = size;

	iconv(converter->iconv, NULL, NULL, NULL, NULL);
	while (left > 0 && iconv(converter->iconv, &in, &left, &to, &room) == (size_t)-1) {
		size_t skip = errno == EINVAL || left < converter->unit ? left : converter->unit;

		if (errno == E2BIG || room < strlen(REPLACEMENT))
			return CHARSET_FAILED;
		memcpy(to, REPLACEMENT, strlen(REPLACEMENT));
		to += strlen(REPLACEMENT);
		room -= strlen(REPLACEMENT);
		in += skip;
		left -= skip;
	}
	/* some charsets keep the last character back, because an accent might follow */
	if (iconv(converter->iconv, NULL, NULL, &to, &room) == (size_t)-1)
		return CHARSET_FAILED;
	for (char *p = out; p < to; p++) {
		if (*p == 0)
			*p = 1;
	}
	return (size_t)(to - out);
}

size_t charset_convert(struct charset_pool *pool, const char *name, size_t name_len, const char *bytes, size_t len, char *out, size_t size)
{
	char buffer[NAME_MAX_LEN + 1];
	const char *library = library_name(name, name_len, buffer);
	struct converter *converter;

	if (library == NULL)
		return CHARSET_FAILED;
	if (*library == 0)
		return len > size / 3 ? CHARSET_FAILED : charset_clean_utf8(bytes, len, out);
	converter = converter_open(pool, library);
	return converter == NULL ? CHARSET_FAILED : run(converter, bytes, len, out, size);
}

/* Length of the well-formed character at p, 0 if there is none (RFC 3629 section 4). */
static size_t utf8_length(const unsigned char *p, size_t len)
{
	static const struct {
		unsigned char first, last;       /* lead byte */
		unsigned char low, high;         /* second byte: no overlong forms, no surrogates, nothing above U+10FFFF */
		unsigned char length;
	} forms[] = {
		{ 0x00, 0x7f, 0, 0, 1 },
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		size_t length = forms[i].length;

		if (p[0] < forms[i].first || p[0] > forms[i].last)
			continue;
		if (length > len || (length > 1 && (p[1] < forms[i].low || p[1] > forms[i].high)))
			return 0;
		for (size_t k = 2; k < length; k++) {
			if ((p[k] & 0xc0) != 0x80)
				return 0;
		}
		return length;
	}
	return 0;
}

bool utf8_valid(const char *text, size_t len)
{
	size_t length;

	for (size_t i = 0; i < len; i += length) {
		length = utf8_length((const unsigned char *)text + i, len - i);
		if (length == 0)
			return false;
	}
	return true;
}

size_t charset_clean_utf8(const char *bytes, size_t len, char *out)
{
	size_t n = 0, length;

	for (size_t i = 0; i < len; i += length) {
		length = utf8_length((const unsigned char *)bytes + i, len - i);
		if (length == 0) {
			memcpy(out + n, REPLACEMENT, strlen(REPLACEMENT));
			n += strlen(REPLACEMENT);
			length = 1;
			continue;
		}
		memcpy(out + n, bytes + i, length);
		if (out[n] == 0)
			out[n] = 1;
		n += length;
	}
	return n;
}
