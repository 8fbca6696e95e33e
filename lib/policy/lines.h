/* lines.h - files of lines that operators keep: read whole, bounded, and handed out line by line with their numbers */
#ifndef WINNOW_POLICY_LINES_H
#define WINNOW_POLICY_LINES_H

#include <stddef.h>

#include <talloc.h>

enum {
	LINES_FILE_MAX = 64 << 20,       /* bytes of a file */
	LINES_LINE_MAX = 64 << 10,       /* bytes of a line */
};

struct lines {
	const char *name;                /* for errors; as given */
	char *next, *end;
	unsigned number;                 /* of the line that was handed out last, from 1 */
};

/* Reads a regular file whole: a child of parent with a NUL behind its *len_r bytes. NULL with *error_r = "PATH: what" (child of parent). Never waits (a FIFO is an error). */
char *lines_read(TALLOC_CTX *parent, const char *path, size_t *len_r, char **error_r);

/* Starts at the first line of text, which is cut up in place; text[len] must be writable. A byte order mark is skipped. */
void lines_begin(struct lines *lines, const char *name, char *text, size_t len);

/* The next line that is neither empty nor begins with #, without blanks at both ends and without its LF or CRLF.
 * 1; 0: there is none; -1 with *error_r (child of parent): it is too long or holds a NUL. */
int lines_next(struct lines *lines, TALLOC_CTX *parent, char **line_r, char **error_r);

/* "NAME:NUMBER: what", a child of parent. */
char *lines_error(const struct lines *lines, TALLOC_CTX *parent, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Cuts what follows # after a blank, and the blanks before it. Returns text. */
char *lines_cut_comment(char *text);

/* Blanks as in these files: space and tab. */
char *lines_skip_blanks(char *p);
char *lines_skip_word(char *p);

#endif
