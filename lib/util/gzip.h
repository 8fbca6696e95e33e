/* gzip.h - compresses a text as gzip does (RFC 1952), by zlib */
#ifndef WINNOW_UTIL_GZIP_H
#define WINNOW_UTIL_GZIP_H

#include <stddef.h>

#include <talloc.h>

/* Without name and time: the same text gives the same bytes. Child of mem; NULL: out of memory. */
char *gzip(TALLOC_CTX *mem, const char *text, size_t len, size_t *len_r);

#endif
