/* lines.c - files of lines that operators keep: read whole, bounded, and handed out line by line with their numbers */
#include "policy/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* All of the file, which may shrink or grow while it is read: at most size bytes, less at its end. -errno on failure. */
static ssize_t read_up_to(int fd, char *buf, size_t size)
{
	size_t n = 0;

	while (n < size) {
		ssize_t got = read(fd, buf + n, size - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	return (ssize_t)n;
}

char *lines_read(TALLOC_CTX *parent, const char *path, size_t *len_r, char **error_r)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *text = NULL;
	struct stat st;
	ssize_t n;

	*len_r = 0;
	if (fd < 0 || fstat(fd, &st) != 0) {
		*error_r = talloc_asprintf(parent, "%s: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		*error_r = talloc_asprintf(parent, "%s: is no regular file", path);
	} else if (st.st_size > LINES_FILE_MAX) {
		*error_r = talloc_asprintf(parent, "%s: is larger than %d MB", path, LINES_FILE_MAX >> 20);
	} else if ((text = talloc_size(parent, (size_t)st.st_size + 1)) == NULL) {
		*error_r = talloc_asprintf(parent, "%s: %s", path, strerror(ENOMEM));
	} else if ((n = read_up_to(fd, text, (size_t)st.st_size)) < 0) {
		*error_r = talloc_asprintf(parent, "%s: %s", path, strerror((int)-n));
		talloc_free(text);
		text = NULL;
	} else {
		text[n] = '\0';
		*len_r = (size_t)n;
	}
	if (fd >= 0)
		close(fd);
	return text;
}

void lines_begin(struct lines *lines, const char *name, char *text, size_t len)
{
	size_t mark = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	*lines = (struct lines){ .name = name, .next = text + mark, .end = text + len };
}

int lines_next(struct lines *lines, TALLOC_CTX *parent, char **line_r, char **error_r)
{
	while (lines->next < lines->end) {
		char *line = lines->next;
		char *end = memchr(line, '\n', (size_t)(lines->end - line));

		if (end == NULL)
			end = lines->end;
		lines->next = end + 1;
		lines->number++;
		if (memchr(line, '\0', (size_t)(end - line)) != NULL) {
			*error_r = lines_error(lines, parent, "the line holds a NUL byte: write text, in UTF-8");
			return -1;
		}
		if (end - line > LINES_LINE_MAX) {
			*error_r = lines_error(lines, parent, "the line is longer than %d KB", LINES_LINE_MAX >> 10);
			return -1;
		}
		while (line < end && is_blank(*line))
			line++;
		if (end > line && end[-1] == '\r')
			end--;
		while (end > line && is_blank(end[-1]))
			end--;
		*end = '\0';
		if (*line == '\0' || *line == '#')
			continue;
		*line_r = line;
		return 1;
	}
	return 0;
}

char *lines_error(const struct lines *lines, TALLOC_CTX *parent, const char *format, ...)
{
	char *text = talloc_asprintf(parent, "%s:%u: ", lines->name, lines->number);
	va_list ap;

	va_start(ap, format);
	if (text != NULL)
		text = talloc_vasprintf_append(text, format, ap);
	va_end(ap);
	return text;
}

char *lines_cut_comment(char *text)
{
	for (char *p = text; *p != '\0'; p++) {
		if (*p == '#' && (p == text || is_blank(p[-1]))) {
			while (p > text && is_blank(p[-1]))
				p--;
			*p = '\0';
			break;
		}
	}
	return text;
}

char *lines_skip_blanks(char *p)
{
	while (is_blank(*p))
		p++;
	return p;
}

char *lines_skip_word(char *p)
{
	while (*p != '\0' && !is_blank(*p))
		p++;
	return p;
}
