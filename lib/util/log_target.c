/* log_target.c - where log lines go: syslog, stderr or a file; and what may stand in a line */
#include "util/log_target.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <talloc.h>

enum {
	HEADER_MAX = 512,                /* date, ident and pid before the text in a file */
	CHUNK = 4096,                    /* a pipe that poll() calls writable takes this much without blocking (PIPE_BUF) */
	POLL_MS = 200,                   /* how soon a blocked writer sees that it shall hurry */
};

enum kind { KIND_SYSLOG, KIND_STDERR, KIND_FILE };

struct log_target {
	enum kind kind;
	int fd;
	bool is_regular;                 /* never blocks in poll()'s sense: written in one piece */
	bool torn;                       /* the last write ended within a line */
	bool begun;
	char *path;
	char *ident;
	int facility;
	char scratch[HEADER_MAX + LOG_LINE_MAX * 4 + 2];
};

static const int priorities[] = {
	[LOG_LEVEL_ERROR] = LOG_ERR, [LOG_LEVEL_WARNING] = LOG_WARNING, [LOG_LEVEL_INFO] = LOG_INFO, [LOG_LEVEL_DEBUG] = LOG_DEBUG,
};

static int parse_facility(const char *text)
{
	static const int locals[] = { LOG_LOCAL0, LOG_LOCAL1, LOG_LOCAL2, LOG_LOCAL3, LOG_LOCAL4, LOG_LOCAL5, LOG_LOCAL6, LOG_LOCAL7 };

	if (text == NULL || strcmp(text, "mail") == 0)
		return LOG_MAIL;
	if (strcmp(text, "daemon") == 0)
		return LOG_DAEMON;
	if (strncmp(text, "local", 5) == 0 && text[5] >= '0' && text[5] <= '7' && text[6] == '\0')
		return locals[text[5] - '0'];
	return -1;
}

/* Never waits: a FIFO without a reader is an error, and writing to a full one says EAGAIN. */
static int open_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);

	return fd < 0 ? -errno : fd;
}

static void use_fd(struct log_target *target, int fd)
{
	struct stat st;

	target->fd = fd;
	target->is_regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	target->torn = false;
}

static int choose_kind(struct log_target *target, const struct log_options *options, char **error_r)
{
	const char *name = options->target != NULL ? options->target : "";
	int fd;

	if (strcmp(name, "syslog") == 0) {
		target->kind = KIND_SYSLOG;
		target->facility = parse_facility(options->facility);
		if (target->facility < 0) {
			*error_r = talloc_asprintf(NULL, "log: there is no facility \"%s\": use mail, daemon or local0 to local7", options->facility);
			return -EINVAL;
		}
		return 0;
	}
	if (strcmp(name, "stderr") == 0) {
		target->kind = KIND_STDERR;
		use_fd(target, STDERR_FILENO);
		return 0;
	}
	if (strchr(name, '/') == NULL) {
		*error_r = talloc_asprintf(NULL, "log: \"%s\" is neither syslog nor stderr nor a path", name);
		return -EINVAL;
	}
	target->kind = KIND_FILE;
	target->path = talloc_strdup(target, name);
	fd = target->path != NULL ? open_file(name) : -ENOMEM;
	if (fd < 0) {
		*error_r = talloc_asprintf(NULL, "log: %s: %s", name, strerror(-fd));
		return fd;
	}
	use_fd(target, fd);
	return 0;
}

int log_target_open(const struct log_options *options, struct log_target **target_r, char **error_r)
{
	struct log_target *target = talloc_named_const(NULL, sizeof(*target), "struct log_target");
	int ret = -ENOMEM;

	*target_r = NULL;
	*error_r = NULL;
	if (target != NULL) {
		memset(target, 0, sizeof(*target));
		target->fd = -1;
		target->ident = talloc_strdup(target, options->ident != NULL ? options->ident : "winnow");
		if (target->ident != NULL)
			ret = choose_kind(target, options, error_r);
	}
	if (ret != 0) {
		if (*error_r == NULL)
			*error_r = talloc_strdup(NULL, "log: out of memory");
		talloc_free(target);
		return ret;
	}
	*target_r = target;
	return 0;
}

void log_target_begin(struct log_target *target)
{
	target->begun = true;
	if (target->kind == KIND_SYSLOG)
		openlog(target->ident, LOG_PID | LOG_NDELAY, target->facility);
}

int log_target_reopen(struct log_target *target)
{
	int fd;

	if (target->kind != KIND_FILE)
		return 0;
	fd = open_file(target->path);
	if (fd < 0)
		return fd;
	close(target->fd);
	use_fd(target, fd);
	return 0;
}

const char *log_target_name(const struct log_target *target)
{
	return target->kind == KIND_FILE ? target->path : target->kind == KIND_STDERR ? "stderr" : "syslog";
}

void log_target_close(struct log_target *target)
{
	if (target == NULL)
		return;
	if (target->kind == KIND_SYSLOG && target->begun) {
		/* libc keeps the pointer, and other libraries of the process log too: leave it one that stays valid */
		openlog("winnow", LOG_PID, LOG_MAIL);
		closelog();
	}
	if (target->kind == KIND_FILE)
		close(target->fd);
	talloc_free(target);
}

/* All of p, or until *hurry is set while the target takes nothing. */
static int write_all(struct log_target *target, const char *p, size_t n, const atomic_bool *hurry)
{
	size_t done = 0;
	int ret = 0;

	while (done < n && ret == 0) {
		struct pollfd pfd = { .fd = target->fd, .events = POLLOUT };
		size_t chunk = n - done;
		ssize_t written;

		if (!target->is_regular) {
			if (chunk > CHUNK)
				chunk = CHUNK;
			if (poll(&pfd, 1, POLL_MS) == 0) {
				if (atomic_load(hurry))
					ret = -EAGAIN;
				continue;
			}
		}
		written = write(target->fd, p + done, chunk);
		if (written > 0)
			done += (size_t)written;
		else if (written == 0)
			ret = -EIO;
		else if (errno != EAGAIN && errno != EINTR)
			ret = -errno;
		else if (atomic_load(hurry))
			ret = -EAGAIN;
	}
	if (done > 0)
		target->torn = done < n;
	return ret;
}

static size_t put_date(char *out, size_t size, int64_t when, const char *ident)
{
	time_t seconds = (time_t)(when / 1000000);
	struct tm tm = { 0 };
	int n;

	gmtime_r(&seconds, &tm);
	n = snprintf(out, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %.128s[%ld]: ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
		tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(when % 1000000 / 1000), ident, (long)getpid());
	return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}

int log_target_write(struct log_target *target, enum log_level level, int64_t when, const char *text, size_t len, const atomic_bool *hurry)
{
	char *p = target->scratch;

	if (len > LOG_LINE_MAX)
		len = LOG_LINE_MAX;
	/* a line that was cut off (a full disk) must not grow together with the next one */
	if (target->torn)
		*p++ = '\n';
	/* a JSON object has its own, and is to be one line of JSON */
	if (target->kind == KIND_FILE && (len == 0 || text[0] != '{'))
		p += put_date(p, HEADER_MAX - 1, when, target->ident);
	p += log_escape(text, len, p);
	if (target->kind == KIND_SYSLOG) {
		*p = '\0';
		syslog(target->facility | priorities[level], "%s", target->scratch);
		return 0;
	}
	*p++ = '\n';
	return write_all(target, target->scratch, (size_t)(p - target->scratch), hurry);
}

/* Length of the valid UTF-8 sequence at p and its code point (RFC 3629: no overlong ones, no surrogates, at most U+10FFFF); 0: not valid. */
static size_t decode_utf8(const unsigned char *p, size_t n, uint32_t *cp_r)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;
	uint32_t cp;

	if (len == 0 || len > n)
		return 0;
	cp = len == 1 ? p[0] : p[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (p[i] & 0x3f);
	}
	if (cp < least[len] || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return 0;
	*cp_r = cp;
	return len;
}

/* C0, DEL and C1 controls, line and paragraph separators, marks that change the direction of text. */
static bool forges(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x200e || cp == 0x200f || (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

static char *put_hex(char *o, const unsigned char *p, size_t n)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < n; i++) {
		*o++ = '\\';
		*o++ = 'x';
		*o++ = hex[p[i] >> 4];
		*o++ = hex[p[i] & 15];
	}
	return o;
}

size_t log_escape(const char *text, size_t len, char *out)
{
	const unsigned char *p = (const unsigned char *)text;
	bool valid = true;
	uint32_t cp = 0;
	size_t n;
	char *o = out;

	for (size_t i = 0; i < len && valid; i += n) {
		n = decode_utf8(p + i, len - i, &cp);
		valid = n > 0;
	}
	for (size_t i = 0; i < len; i += n) {
		n = valid ? decode_utf8(p + i, len - i, &cp) : 1;
		if (!valid)
			cp = p[i] < 0x80 ? p[i] : 0x80;   /* a byte of no known meaning: as bad as a control */
		if (forges(cp)) {
			o = put_hex(o, p + i, n);
		} else {
			memcpy(o, p + i, n);
			o += n;
		}
	}
	return (size_t)(o - out);
}
