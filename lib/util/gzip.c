/* gzip.c - compresses a text as gzip does (RFC 1952), by zlib */
#include "util/gzip.h"

#include <limits.h>
#include <stdint.h>

#include <zlib.h>

enum { WINDOW_AND_GZIP = 15 + 16, MEMORY_LEVEL = 8 };

char *gzip(TALLOC_CTX *mem, const char *text, size_t len, size_t *len_r)
{
	z_stream z = { .next_in = (unsigned char *)(uintptr_t)text, .avail_in = (unsigned)len };
	unsigned char *out;
	size_t room;

	*len_r = 0;
	if (len > UINT_MAX / 2 || deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, WINDOW_AND_GZIP, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		return NULL;
	room = deflateBound(&z, len);
	out = talloc_size(mem, room);
	if (out != NULL) {
		z.next_out = out;
		z.avail_out = (unsigned)room;
		if (deflate(&z, Z_FINISH) != Z_STREAM_END)
			TALLOC_FREE(out);
		*len_r = z.total_out;
	}
	deflateEnd(&z);
	return (char *)out;
}
