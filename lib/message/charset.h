/* charset.h - bytes of any charset to UTF-8. Internal to message/; the only user of iconv(3) */
#ifndef WINNOW_MESSAGE_CHARSET_H
#define WINNOW_MESSAGE_CHARSET_H

#include <stdbool.h>
#include <stddef.h>

#include <talloc.h>

/* Converters opened while one field or text is read: a few stay open, and only so many are ever opened, because opening one loads a module of the C library.
 * Past that number further charsets are unknown. A talloc child of parent; NULL: out of memory. */
struct charset_pool;
struct charset_pool *charset_pool_new(TALLOC_CTX *parent);

/* Is it a charset that we convert? Only those that mail is written in: a name from outside never reaches iconv_open() as it is. Case does not matter. */
bool charset_known(struct charset_pool *pool, const char *name, size_t name_len);

/* Converts len bytes to at most size bytes of well-formed UTF-8, without a NUL at the end. What the charset does not have becomes U+FFFD, NUL becomes byte 1.
 * Returns the number of bytes, or CHARSET_FAILED: charset unknown, or the result is larger than size. Linear. */
#define CHARSET_FAILED ((size_t)-1)
size_t charset_convert(struct charset_pool *pool, const char *name, size_t name_len, const char *bytes, size_t len, char *out, size_t size);

/* The same for bytes that should be UTF-8 already. Needs 3 bytes at out for each of len. */
size_t charset_clean_utf8(const char *bytes, size_t len, char *out);

#endif
