/* test_log.c - the log: nothing blocks its callers, nothing forges a line, nothing is lost silently */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <talloc.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/log.h"
#include "util/log_target.h"

enum { SECOND = 1000000 };

/* --- syslog(3) of this program: what libc would be asked; blocks on demand --- */

static struct {
	pthread_mutex_t lock;
	char last[256];
	char ident[64];
	int priority, calls;
	atomic_bool blocked;
} fake_syslog = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void take_syslog(int priority, const char *format, va_list ap)
{
	while (atomic_load(&fake_syslog.blocked))
		poll(NULL, 0, 10);
	pthread_mutex_lock(&fake_syslog.lock);
	fake_syslog.priority = priority;
	vsnprintf(fake_syslog.last, sizeof(fake_syslog.last), format, ap);
	fake_syslog.calls++;
	pthread_mutex_unlock(&fake_syslog.lock);
}

void syslog(int priority, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	take_syslog(priority, format, ap);
	va_end(ap);
}

void __syslog_chk(int priority, int flag, const char *format, ...) __attribute__((format(printf, 3, 4)));
void __syslog_chk(int priority, int flag, const char *format, ...)
{
	va_list ap;

	(void)flag;
	va_start(ap, format);
	take_syslog(priority, format, ap);
	va_end(ap);
}

void openlog(const char *ident, int option, int facility)
{
	(void)option;
	(void)facility;
	pthread_mutex_lock(&fake_syslog.lock);
	snprintf(fake_syslog.ident, sizeof(fake_syslog.ident), "%s", ident);
	pthread_mutex_unlock(&fake_syslog.lock);
}

static const char *fake_ident(void)
{
	static char ident[sizeof(fake_syslog.ident)];

	pthread_mutex_lock(&fake_syslog.lock);
	strcpy(ident, fake_syslog.ident);
	pthread_mutex_unlock(&fake_syslog.lock);
	return ident;
}

/* --- helpers --- */

static char directory[64];

static const char *path_of(const char *name)
{
	static char path[4][256];
	static unsigned next;
	char *p = path[next++ % 4];

	snprintf(p, 256, "%s/%s", directory, name);
	return p;
}

static int make_directory(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/test_log.XXXXXX");
	return mkdtemp(directory) != NULL ? 0 : -1;
}

static int remove_directory(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

static char *slurp(const char *path)
{
	static char text[1 << 20];
	int fd = open(path, O_RDONLY);
	ssize_t n, all = 0;

	assert_true(fd >= 0);
	while ((n = read(fd, text + all, sizeof(text) - 1 - (size_t)all)) > 0)
		all += n;
	text[all] = '\0';
	close(fd);
	return text;
}

static struct log *open_log(const char *target, enum log_level level)
{
	const struct log_options options = { .target = target, .facility = "mail", .ident = "testing", .level = level };
	struct log *log;
	char *error;

	assert_int_equal(log_open(&options, &log, &error), 0);
	return log;
}

/* The n-th line (from 0) without its date, NULL if there is none. Cuts text. */
static char *text_of_line(char *text, unsigned n)
{
	char *line = text, *end, *body;

	while (n-- > 0 && line != NULL) {
		line = strchr(line, '\n');
		line = line != NULL ? line + 1 : NULL;
	}
	if (line == NULL || *line == '\0')
		return NULL;
	end = strchr(line, '\n');
	assert_non_null(end);
	*end = '\0';
	body = strstr(line, "]: ");
	assert_non_null(body);
	return body + 3;
}

static unsigned count_lines(const char *text)
{
	unsigned n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

/* A FIFO as log file with a reader that does not read: a target that blocks after 64 KB. */
static int make_blocked_fifo(const char *path)
{
	int fd;

	assert_int_equal(mkfifo(path, 0600), 0);
	fd = open(path, O_RDONLY | O_NONBLOCK);
	assert_true(fd >= 0);
	return fd;
}

static void drain(int fd, char *out, size_t size, const char *until)
{
	size_t n = 0;
	int64_t end = clock_mono() + 20 * SECOND;

	out[0] = '\0';
	while (strstr(out, until) == NULL && clock_mono() < end) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		ssize_t got;

		if (poll(&pfd, 1, 100) <= 0)
			continue;
		if (n > size / 2) {
			memmove(out, out + n - 4096, 4097);
			n = 4096;
		}
		got = read(fd, out + n, size - 1 - n);
		if (got > 0)
			n += (size_t)got;
		out[n] = '\0';
	}
}

/* --- tests --- */

static void a_file_gets_lines_with_date_ident_and_pid(void **state)
{
	struct log *log = open_log(path_of("plain"), LOG_LEVEL_INFO);
	char want[64], *text;
	struct stat st;

	(void)state;
	umask(022);
	log_line(log, LOG_LEVEL_INFO, "first");
	log_printf(log, LOG_LEVEL_ERROR, "second %d%%\n", 100);
	log_line(log, LOG_LEVEL_DEBUG, "not at this level");
	log_line(log, LOG_LEVEL_INFO, "");
	log_close(log);
	text = slurp(path_of("plain"));
	assert_int_equal(count_lines(text), 3);
	snprintf(want, sizeof(want), "Z testing[%ld]: first\n", (long)getpid());
	assert_ptr_equal(strstr(text, want), text + strlen("2026-11-25T10:00:00.123"));
	assert_int_equal(text[4], '-');
	assert_int_equal(text[10], 'T');
	assert_string_equal(text_of_line(slurp(path_of("plain")), 1), "second 100%");
	assert_string_equal(text_of_line(slurp(path_of("plain")), 2), "");
	assert_int_equal(stat(path_of("plain"), &st), 0);
	assert_int_equal(st.st_mode & 0137, 0);
}

static void the_date_is_that_of_the_line_in_utc(void **state)
{
	const struct log_options options = { .target = path_of("date"), .ident = "winnow", .level = LOG_LEVEL_INFO };
	struct log_target *target;
	atomic_bool hurry = false;
	char *error, want[80];

	(void)state;
	assert_int_equal(log_target_open(&options, &target, &error), 0);
	assert_int_equal(log_target_write(target, LOG_LEVEL_INFO, INT64_C(1795600800123456), "text", 4, &hurry), 0);
	log_target_close(target);
	snprintf(want, sizeof(want), "2026-11-25T10:00:00.123Z winnow[%ld]: text\n", (long)getpid());
	assert_string_equal(slurp(path_of("date")), want);
}

static void an_object_has_its_own_date(void **state)
{
	struct log *log = open_log(path_of("object"), LOG_LEVEL_INFO);

	(void)state;
	log_line(log, LOG_LEVEL_INFO, "{\"time\":\"2026-11-25T10:00:00.000000Z\"}");
	log_close(log);
	assert_string_equal(slurp(path_of("object")), "{\"time\":\"2026-11-25T10:00:00.000000Z\"}\n");
}

static void what_could_forge_a_line_is_shown_as_hex(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "plain ASCII ~ 100% \\n", "plain ASCII ~ 100% \\n" },
		{ "a\nb", "a\\x0Ab" },
		{ "a\r\nNov 25 10:00:00 mx postfix: forged", "a\\x0D\\x0ANov 25 10:00:00 mx postfix: forged" },
		{ "tab\there", "tab\\x09here" },
		{ "\x1b[2Jcleared", "\\x1B[2Jcleared" },
		{ "\x7f", "\\x7F" },
		{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x93\xa7", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x93\xa7" },
		{ "\xc3\xbc and \xfc", "\\xC3\\xBC and \\xFC" },                /* one bad byte: no byte above 127 passes */
		{ "cut \xe2\x82", "cut \\xE2\\x82" },
		{ "overlong \xc0\x8a", "overlong \\xC0\\x8A" },
		{ "overlong \xe0\x80\x8a", "overlong \\xE0\\x80\\x8A" },
		{ "surrogate \xed\xa0\x80", "surrogate \\xED\\xA0\\x80" },
		{ "too high \xf4\x90\x80\x80", "too high \\xF4\\x90\\x80\\x80" },
		{ "highest \xf4\x8f\xbf\xbf", "highest \xf4\x8f\xbf\xbf" },
		{ "C1 \xc2\x9b" "2J", "C1 \\xC2\\x9B2J" },
		{ "line separator \xe2\x80\xa8", "line separator \\xE2\\x80\\xA8" },
		{ "override \xe2\x80\xae", "override \\xE2\\x80\\xAE" },
		{ "isolate \xe2\x81\xa7", "isolate \\xE2\\x81\\xA7" },
		{ "lone \x80", "lone \\x80" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char out[256];
		size_t n = log_escape(cases[i].text, strlen(cases[i].text), out);

		out[n] = '\0';
		assert_string_equal(out, cases[i].want);
	}
	assert_int_equal(log_escape("a\0b", 3, (char[16]){ 0 }), 6);
}

static void control_characters_cannot_forge_a_line_in_the_file(void **state)
{
	struct log *log = open_log(path_of("forge"), LOG_LEVEL_INFO);
	char *text;

	(void)state;
	log_line(log, LOG_LEVEL_INFO, "helo=evil\n2026-11-25T10:00:00.123Z testing[1]: forged\r\n\n");
	log_line(log, LOG_LEVEL_INFO, "%s%n is not a format");
	log_close(log);
	text = slurp(path_of("forge"));
	assert_int_equal(count_lines(text), 2);
	assert_string_equal(text_of_line(slurp(path_of("forge")), 0), "helo=evil\\x0A2026-11-25T10:00:00.123Z testing[1]: forged\\x0D");
	assert_string_equal(text_of_line(slurp(path_of("forge")), 1), "%s%n is not a format");
}

static void very_long_lines_are_cut_and_medium_ones_are_whole(void **state)
{
	struct log *log = open_log(path_of("long"), LOG_LEVEL_INFO);
	char *longest = malloc(LOG_LINE_MAX * 2 + 1), *line;

	(void)state;
	memset(longest, 'x', LOG_LINE_MAX * 2);
	longest[LOG_LINE_MAX * 2] = '\0';
	log_line(log, LOG_LEVEL_INFO, longest);
	log_printf(log, LOG_LEVEL_INFO, "%.*s", 5000, longest);
	memcpy(longest + LOG_LINE_MAX - 1, "\xc3\xbc", 2);
	log_line(log, LOG_LEVEL_INFO, longest);
	log_close(log);
	assert_int_equal(strlen(text_of_line(slurp(path_of("long")), 0)), LOG_LINE_MAX);
	assert_int_equal(strlen(text_of_line(slurp(path_of("long")), 1)), 5000);
	line = text_of_line(slurp(path_of("long")), 2);
	assert_int_equal(strlen(line), LOG_LINE_MAX - 1);
	free(longest);
}

static void a_full_pipe_never_blocks_the_caller_and_drops_are_counted_and_told(void **state)
{
	enum { LINES = 30000 };
	int fd = make_blocked_fifo(path_of("fifo"));
	struct log *log = open_log(path_of("fifo"), LOG_LEVEL_INFO);
	static char out[1 << 20];
	int64_t begun = clock_mono();
	uint64_t dropped;
	char want[100];

	(void)state;
	for (int i = 0; i < LINES; i++)
		log_printf(log, LOG_LEVEL_INFO, "line %d of many that nobody reads", i);
	assert_true(clock_mono() - begun < 5 * SECOND);
	dropped = log_dropped(log);
	assert_true(dropped > LINES / 2);
	assert_true(dropped <= LINES - 4096);            /* a whole queue was taken, and what the pipe held meanwhile */
	drain(fd, out, sizeof(out), "were dropped");
	snprintf(want, sizeof(want), "]: log: %llu lines were dropped", (unsigned long long)dropped);
	assert_non_null(strstr(out, want));
	assert_int_equal(log_dropped(log), dropped);
	log_line(log, LOG_LEVEL_INFO, "all is well again");
	drain(fd, out, sizeof(out), "all is well again\n");
	assert_non_null(strstr(out, "all is well again\n"));
	assert_null(strstr(out, "were dropped"));        /* told once */
	log_close(log);
	close(fd);
}

static void a_queue_full_of_long_lines_drops_too(void **state)
{
	enum { LINES = 400, LENGTH = 20000 };
	int fd = make_blocked_fifo(path_of("fifo2"));
	struct log *log = open_log(path_of("fifo2"), LOG_LEVEL_INFO);
	char line[LENGTH + 1];

	(void)state;
	memset(line, 'y', LENGTH);
	line[LENGTH] = '\0';
	for (int i = 0; i < LINES; i++)
		log_line(log, LOG_LEVEL_INFO, line);
	assert_in_range(log_dropped(log), LINES - (4 << 20) / LENGTH - 8, LINES - (4 << 20) / LENGTH + 8);
	log_close(log);
	close(fd);
}

static void closing_a_log_whose_target_is_blocked_ends_soon(void **state)
{
	int fd = make_blocked_fifo(path_of("fifo3"));
	struct log *log = open_log(path_of("fifo3"), LOG_LEVEL_INFO);
	int64_t begun;

	(void)state;
	for (int i = 0; i < 5000; i++)
		log_line(log, LOG_LEVEL_INFO, "nobody reads this, ever, and it is long enough to fill the pipe soon");
	begun = clock_mono();
	log_close(log);
	assert_true(clock_mono() - begun > SECOND);      /* it gave the target its chance */
	assert_true(clock_mono() - begun < 6 * SECOND);
	close(fd);
}

static void a_blocked_syslog_blocks_nobody(void **state)
{
	struct log *log = open_log("syslog", LOG_LEVEL_INFO);
	int64_t begun = clock_mono();

	(void)state;
	atomic_store(&fake_syslog.blocked, true);
	for (int i = 0; i < 10000; i++)
		log_line(log, LOG_LEVEL_INFO, "journald is stopped");
	assert_true(log_dropped(log) > 5000);
	assert_true(clock_mono() - begun < 5 * SECOND);
	begun = clock_mono();
	log_close(log);                                  /* its thread is within syslog(3) and is left there */
	assert_true(clock_mono() - begun < 6 * SECOND);
	assert_string_equal(fake_ident(), "testing");    /* what it needs is still there */
	atomic_store(&fake_syslog.blocked, false);
	begun = clock_mono();
	while (strcmp(fake_ident(), "winnow") != 0 && clock_mono() - begun < 10 * SECOND)
		poll(NULL, 0, 10);
	assert_string_equal(fake_ident(), "winnow");     /* and it cleans up when it comes back */
}

static void syslog_gets_level_facility_and_ident(void **state)
{
	const struct log_options options = { .target = "syslog", .facility = "local3", .ident = "winnow-milter", .level = LOG_LEVEL_DEBUG };
	struct log *log;
	char *error;

	(void)state;
	assert_int_equal(log_open(&options, &log, &error), 0);
	assert_string_equal(fake_syslog.ident, "winnow-milter");
	log_line(log, LOG_LEVEL_WARNING, "a %s\nb");
	log_flush(log);
	pthread_mutex_lock(&fake_syslog.lock);
	assert_string_equal(fake_syslog.last, "a %s\\x0Ab");
	assert_int_equal(fake_syslog.priority, LOG_LOCAL3 | LOG_WARNING);
	pthread_mutex_unlock(&fake_syslog.lock);
	log_line(log, LOG_LEVEL_DEBUG, "fine");
	log_flush(log);
	pthread_mutex_lock(&fake_syslog.lock);
	assert_int_equal(fake_syslog.priority, LOG_LOCAL3 | LOG_DEBUG);
	pthread_mutex_unlock(&fake_syslog.lock);
	log_close(log);
	assert_string_equal(fake_syslog.ident, "winnow");   /* libc is left with a name that stays valid */
}

static void a_renamed_file_is_opened_again(void **state)
{
	struct log *log = open_log(path_of("rotate"), LOG_LEVEL_INFO);

	(void)state;
	log_line(log, LOG_LEVEL_INFO, "one");
	log_flush(log);
	assert_int_equal(rename(path_of("rotate"), path_of("rotate.1")), 0);
	log_line(log, LOG_LEVEL_INFO, "two");
	log_flush(log);
	log_reopen(log);
	log_line(log, LOG_LEVEL_INFO, "three");
	log_close(log);
	assert_int_equal(count_lines(slurp(path_of("rotate.1"))), 2);
	assert_string_equal(text_of_line(slurp(path_of("rotate.1")), 1), "two");
	assert_int_equal(count_lines(slurp(path_of("rotate"))), 1);
	assert_string_equal(text_of_line(slurp(path_of("rotate")), 0), "three");
}

static void a_file_that_cannot_be_opened_again_stays_in_use(void **state)
{
	struct log *log;

	(void)state;
	assert_int_equal(mkdir(path_of("gone"), 0700), 0);
	log = open_log(path_of("gone/log"), LOG_LEVEL_INFO);
	assert_int_equal(rename(path_of("gone"), path_of("moved")), 0);
	log_reopen(log);
	log_line(log, LOG_LEVEL_INFO, "still here");
	log_close(log);
	assert_non_null(strstr(text_of_line(slurp(path_of("moved/log")), 0), "cannot be opened again"));
	assert_string_equal(text_of_line(slurp(path_of("moved/log")), 1), "still here");
}

static void a_changed_target_takes_what_is_queued(void **state)
{
	int fd = make_blocked_fifo(path_of("fifo4"));
	struct log *log = open_log(path_of("fifo4"), LOG_LEVEL_INFO);
	const struct log_options other = { .target = path_of("other"), .facility = "mail", .ident = "other", .level = LOG_LEVEL_DEBUG };
	const struct log_options bad = { .target = "/nonexistent/x/log", .facility = "mail", .ident = "other", .level = LOG_LEVEL_ERROR };
	char *error = NULL, *text;

	(void)state;
	for (int i = 0; i < 2000; i++)
		log_printf(log, LOG_LEVEL_INFO, "%04d: more than the pipe takes, so that the writer is stuck in the old target", i);
	assert_int_equal(log_change(log, &bad, &error), -ENOENT);
	assert_string_equal(error, "log: /nonexistent/x/log: No such file or directory");
	talloc_free(error);
	assert_int_equal(log_change(log, &other, &error), 0);
	log_line(log, LOG_LEVEL_DEBUG, "the last one, at the new level");
	log_close(log);
	text = slurp(path_of("other"));
	assert_non_null(strstr(text, "1999: more than"));
	assert_non_null(strstr(text, "the last one"));
	close(fd);
}

static void a_full_disk_is_counted_and_survived(void **state)
{
	struct log *log;

	(void)state;
	if (access("/dev/full", W_OK) != 0)
		skip();
	log = open_log("/dev/full", LOG_LEVEL_INFO);
	log_line(log, LOG_LEVEL_INFO, "lost");
	log_line(log, LOG_LEVEL_INFO, "lost too");
	log_flush(log);
	assert_int_equal(log_dropped(log), 2);
	log_close(log);
}

static void a_reader_that_went_away_ends_nothing(void **state)
{
	int fd = make_blocked_fifo(path_of("fifo5"));
	struct log *log = open_log(path_of("fifo5"), LOG_LEVEL_INFO);

	(void)state;
	close(fd);
	log_line(log, LOG_LEVEL_INFO, "SIGPIPE would kill us");
	log_flush(log);
	assert_int_equal(log_dropped(log), 1);
	log_close(log);
}

static void stderr_gets_plain_lines(void **state)
{
	int saved = dup(STDERR_FILENO), fd = open(path_of("stderr"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct log *log;

	(void)state;
	dup2(fd, STDERR_FILENO);
	log = open_log("stderr", LOG_LEVEL_INFO);
	log_line(log, LOG_LEVEL_INFO, "through the queue");
	log_close(log);
	log_line(NULL, LOG_LEVEL_DEBUG, "without\ta log\n");
	log_printf(NULL, LOG_LEVEL_ERROR, "and %s", "formatted");
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fd);
	assert_string_equal(slurp(path_of("stderr")), "through the queue\nwithout\\x09a log\nand formatted\n");
}

static void wrong_options_are_refused_with_a_remedy(void **state)
{
	static const struct {
		const char *target, *facility, *error;
		int ret;
	} cases[] = {
		{ "syslog", "kern", "log: there is no facility \"kern\": use mail, daemon or local0 to local7", -EINVAL },
		{ "syslog", "local8", "log: there is no facility \"local8\": use mail, daemon or local0 to local7", -EINVAL },
		{ "syslgo", "mail", "log: \"syslgo\" is neither syslog nor stderr nor a path", -EINVAL },
		{ "", "mail", "log: \"\" is neither syslog nor stderr nor a path", -EINVAL },
		{ "/tmp", "mail", "log: /tmp: Is a directory", -EISDIR },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct log_options options = { .target = cases[i].target, .facility = cases[i].facility, .ident = "x" };
		struct log *log = (struct log *)&options;
		char *error = NULL;

		assert_int_equal(log_open(&options, &log, &error), cases[i].ret);
		assert_null(log);
		assert_string_equal(error, cases[i].error);
		talloc_free(error);
	}
}

static void *log_many(void *arg)
{
	for (int i = 0; i < 1000; i++)
		log_printf(arg, LOG_LEVEL_INFO, "%d from one of the threads, whole", i);
	return NULL;
}

static void many_threads_write_whole_lines(void **state)
{
	enum { THREADS = 4 };
	struct log *log = open_log(path_of("threads"), LOG_LEVEL_INFO);
	pthread_t threads[THREADS];
	unsigned lines, whole = 0;
	char *text;

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, log_many, log), 0);
	for (int i = 0; i < 20; i++)
		log_reopen(log);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	log_flush(log);
	assert_int_equal(log_dropped(log), 0);
	log_close(log);
	text = slurp(path_of("threads"));
	lines = count_lines(text);
	assert_int_equal(lines, THREADS * 1000);
	for (char *p = text; (p = strstr(p, " from one of the threads, whole\n")) != NULL; p++)
		whole++;
	assert_int_equal(whole, lines);
}

static void level_names_are_read(void **state)
{
	(void)state;
	assert_int_equal(log_level_parse("error"), LOG_LEVEL_ERROR);
	assert_int_equal(log_level_parse("warning"), LOG_LEVEL_WARNING);
	assert_int_equal(log_level_parse("info"), LOG_LEVEL_INFO);
	assert_int_equal(log_level_parse("debug"), LOG_LEVEL_DEBUG);
	assert_int_equal(log_level_parse("Debug"), -1);
	assert_int_equal(log_level_parse(""), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_gets_lines_with_date_ident_and_pid),
		cmocka_unit_test(the_date_is_that_of_the_line_in_utc),
		cmocka_unit_test(an_object_has_its_own_date),
		cmocka_unit_test(what_could_forge_a_line_is_shown_as_hex),
		cmocka_unit_test(control_characters_cannot_forge_a_line_in_the_file),
		cmocka_unit_test(very_long_lines_are_cut_and_medium_ones_are_whole),
		cmocka_unit_test(a_full_pipe_never_blocks_the_caller_and_drops_are_counted_and_told),
		cmocka_unit_test(a_queue_full_of_long_lines_drops_too),
		cmocka_unit_test(closing_a_log_whose_target_is_blocked_ends_soon),
		cmocka_unit_test(a_blocked_syslog_blocks_nobody),
		cmocka_unit_test(syslog_gets_level_facility_and_ident),
		cmocka_unit_test(a_renamed_file_is_opened_again),
		cmocka_unit_test(a_file_that_cannot_be_opened_again_stays_in_use),
		cmocka_unit_test(a_changed_target_takes_what_is_queued),
		cmocka_unit_test(a_full_disk_is_counted_and_survived),
		cmocka_unit_test(a_reader_that_went_away_ends_nothing),
		cmocka_unit_test(stderr_gets_plain_lines),
		cmocka_unit_test(wrong_options_are_refused_with_a_remedy),
		cmocka_unit_test(many_threads_write_whole_lines),
		cmocka_unit_test(level_names_are_read),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
