/* shown.c - text from outside for people to read: UTF-8 stays, what acts on a terminal does not */
#include "engine/shown.h"

#include <stdbool.h>
#include <string.h>

#include "util/log_target.h"

enum { PIECE = 16384 };

char *shown(TALLOC_CTX *mem, const char *text, size_t max)
{
	size_t len = strnlen(text, max + 1);
	bool cut = len > max;
	char *out;

	if (cut) {
		len = max;
		/* back to where the character that is cut begins; it has four bytes at most */
		for (int i = 0; i < 3 && len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80; i++)
			len--;
	}
	out = talloc_array(mem, char, len * 4 + 4);
	if (out == NULL)
		return NULL;
	len = log_escape(text, len, out);
	strcpy(out + len, cut ? "..." : "");
	return out;
}

void shown_write(FILE *f, const char *text, size_t len)
{
	char out[PIECE * 4];

	for (const char *end = text + len; text < end;) {
		size_t n = 0, room = (size_t)(end - text) < PIECE ? (size_t)(end - text) : PIECE;

		while (n < room && text[n] != '\n' && text[n] != '\t')
			n++;
		fwrite(out, 1, log_escape(text, n > 0 && n < room && text[n] == '\n' && text[n - 1] == '\r' ? n - 1 : n, out), f);
		if (n < room)
			putc(text[n++], f);
		text += n;
	}
}
