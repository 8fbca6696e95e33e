/* shown.h - text from outside for people to read: UTF-8 stays, what acts on a terminal does not */
#ifndef WINNOW_ENGINE_SHOWN_H
#define WINNOW_ENGINE_SHOWN_H

#include <stddef.h>
#include <stdio.h>

#include <talloc.h>

/* Copies text as well-formed UTF-8 of one line: controls, marks that reorder what is read, and, where text is no UTF-8, all bytes above 127 become \xNN. At most max bytes of it, never a part of
 * a character, then "...". Child of mem; NULL: out of memory. printable() (facts/finding.h) is for what has to be ASCII. */
char *shown(TALLOC_CTX *mem, const char *text, size_t max);

/* Writes lines of text with any bytes, NULs too, in the same way; tabs stay, and line ends without a carriage return. */
void shown_write(FILE *f, const char *text, size_t len);

#endif
