/* control.c - the control socket: what winnowctl asks of a running daemon; a client that hangs costs one of a few threads, until its deadline or until another client needs it */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "ctl/ctl.h"
#include "places.h"
#include "socket.h"
#include "wire.h"

static struct {
	int fd, wake;                    /* the listener; an eventfd that ends its thread */
	char *path;
	dev_t device;
	ino_t inode;
	pthread_t thread;
	bool started;
	atomic_bool stopped;
	atomic_uint clients;
	struct winnow_engine *engine;
} control = { .fd = -1, .wake = -1 };

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- reading and writing under a deadline */

/* false: the deadline passed, or the daemon stops (nobody reads the eventfd empty: it wakes every thread). */
static bool wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd p[2] = { { .fd = fd, .events = events }, { .fd = control.wake, .events = POLLIN } };
	int64_t left;

	while ((left = deadline - now_ms()) > 0) {
		int n = poll(p, 2, (int)left);

		if (n > 0)
			return p[1].revents == 0;
		if (n < 0 && errno != EINTR)
			return false;
	}
	return false;
}

static ssize_t read_some(struct place *place, char *to, size_t room, int64_t deadline)
{
	ssize_t n;

	do {
		if (!wait_for(place->fd, POLLIN, deadline))
			return -1;
		n = read(place->fd, to, room);
	} while (n < 0 && (errno == EAGAIN || errno == EINTR));
	place_touch(place);
	return n;
}

static bool write_all(int fd, const char *data, size_t len, int64_t deadline)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			if (!wait_for(fd, POLLOUT, deadline))
				return false;
			continue;
		}
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* ---- a question */

struct question {
	char *line;                      /* what was read: the line and the beginning of the input */
	size_t have, line_len;
	json_t *json;
	char *argv[WIRE_ARGS_MAX + 1];
	int argc;
	char *input;
	size_t input_len;
};

static bool read_line(struct place *place, struct question *q)
{
	int64_t deadline = now_ms() + WIRE_LINE_SECONDS * 1000;
	char *end;

	q->line = malloc(WIRE_LINE_MAX);
	while (q->line != NULL && q->have < WIRE_LINE_MAX) {
		ssize_t n = read_some(place, q->line + q->have, WIRE_LINE_MAX - q->have, deadline);

		if (n <= 0)
			return false;
		end = memchr(q->line + q->have, '\n', (size_t)n);
		q->have += (size_t)n;
		if (end != NULL) {
			q->line_len = (size_t)(end - q->line);
			return true;
		}
	}
	return false;
}

/* NULL, or what is wrong with the question. */
static const char *read_words(struct question *q, bool *json_r)
{
	json_t *words;
	json_int_t input = 0;
	int as_json = 0;

	q->json = json_loadb(q->line, q->line_len, 0, NULL);
	if (q->json == NULL || json_unpack(q->json, "{s:o, s?b, s?I}", "argv", &words, "json", &as_json, "input", &input) != 0 || !json_is_array(words))
		return "the question is no JSON object with \"argv\"";
	if (json_array_size(words) < 1 || json_array_size(words) > WIRE_ARGS_MAX)
		return "the question has no words, or too many";
	if (input < 0 || input > WIRE_INPUT_MAX)
		return "the input is larger than the daemon takes (64 MB)";
	for (size_t i = 0; i < json_array_size(words); i++) {
		const char *word = json_string_value(json_array_get(words, i));

		if (word == NULL || strlen(word) != json_string_length(json_array_get(words, i)))
			return "a word of the question is no text";
		q->argv[q->argc++] = (char *)(uintptr_t)word;
	}
	q->input_len = (size_t)input;
	*json_r = as_json != 0;
	return NULL;
}

static bool read_input(struct place *place, struct question *q)
{
	int64_t deadline = now_ms() + WIRE_TOTAL_SECONDS * 1000;
	size_t at = q->have - q->line_len - 1;

	q->input = malloc(q->input_len + 1);
	if (q->input == NULL)
		return false;
	at = at < q->input_len ? at : q->input_len;
	memcpy(q->input, q->line + q->line_len + 1, at);
	while (at < q->input_len) {
		ssize_t n = read_some(place, q->input + at, q->input_len - at, deadline);

		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	q->input[at] = '\0';
	return true;
}

static int run(const struct question *q, bool json, FILE *out, FILE *err)
{
	const struct command *command = ctl_find(q->argv[0]);
	struct ctl ctl = { .json = json, .engine = control.engine, .in_daemon = true, .out = out, .err = err, .input = q->input, .input_len = q->input_len };

	if (command == NULL || (command->where != RUN_IN_DAEMON && command->where != RUN_BEST_IN_DAEMON)) {
		fprintf(err, "winnowctl: the daemon does not run \"%s\"; are daemon and winnowctl of the same version?\n", q->argv[0]);
		return EX_USAGE;
	}
	return command->run(&ctl, q->argc, (char **)(uintptr_t)q->argv);
}

static void answer(int fd, int status, const char *out, size_t out_len, const char *err, size_t err_len)
{
	int64_t deadline = now_ms() + WIRE_TOTAL_SECONDS * 1000;
	char head[128];
	int n = snprintf(head, sizeof(head), "{\"status\": %d, \"out\": %zu, \"err\": %zu}\n", status, out_len, err_len);

	if (write_all(fd, head, (size_t)n, deadline) && write_all(fd, out, out_len, deadline))
		(void)write_all(fd, err, err_len, deadline);
}

static void complain(int fd, const char *what)
{
	char text[256];
	int n = snprintf(text, sizeof(text), "winnowctl: %s\n", what);

	answer(fd, EX_PROTOCOL, "", 0, text, (size_t)n);
}

/* Runs the command and answers. */
static void run_and_answer(struct place *place, const struct question *q, bool json)
{
	char *out = NULL, *err = NULL;
	size_t out_len = 0, err_len = 0;
	FILE *to = open_memstream(&out, &out_len), *complaints = open_memstream(&err, &err_len);
	int status = EX_OSERR;

	if (to != NULL && complaints != NULL) {
		place_busy(place, true);
		status = run(q, json, to, complaints);
		place_busy(place, false);
	}
	if (to != NULL)
		fclose(to);
	if (complaints != NULL)
		fclose(complaints);
	answer(place->fd, status, out, out_len, err, err_len);
	free(out);
	free(err);
}

static void serve(struct place *place)
{
	struct question q = { 0 };
	const char *wrong;
	bool json = false;

	if (!read_line(place, &q))
		complain(place->fd, atomic_load(&control.stopped) ? "the daemon is stopping" : "the question did not come in time, or is too long");
	else if ((wrong = read_words(&q, &json)) != NULL)
		complain(place->fd, wrong);
	else if (!read_input(place, &q))
		complain(place->fd, "the input did not come in time");
	else
		run_and_answer(place, &q, json);
	free(q.input);
	free(q.line);
	json_decref(q.json);
}

static void *client(void *argument)
{
	struct place *place = argument;

	serve(place);
	place_leave(place);
	atomic_fetch_sub(&control.clients, 1);
	return NULL;
}

/* ---- the listener */

static void take_client(void)
{
	int fd = accept4(control.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct place *place;
	pthread_attr_t attr;
	pthread_t thread;

	if (fd < 0) {
		struct timespec ts = { .tv_nsec = 50 * 1000000 };

		nanosleep(&ts, NULL);            /* out of descriptors: it must not spin */
		return;
	}
	place = place_take(fd);
	if (place == NULL) {
		answer(fd, EX_TEMPFAIL, "", 0, "winnowctl: the daemon runs 16 other commands; try again\n", 56);
		close(fd);
		return;
	}
	atomic_fetch_add(&control.clients, 1);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attr, client, place) != 0) {
		place_leave(place);
		atomic_fetch_sub(&control.clients, 1);
	}
	pthread_attr_destroy(&attr);
}

static void *listen_thread(void *unused)
{
	struct pollfd p[2] = { { .fd = control.fd, .events = POLLIN }, { .fd = control.wake, .events = POLLIN } };

	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			break;
		if (p[1].revents != 0)
			break;
		if (p[0].revents != 0)
			take_client();
	}
	return unused;
}

static int set_owner(struct winnow_engine *engine, const char *path, unsigned uid)
{
	char *name = winnow_engine_setting(engine, "control_group");
	struct group *g = name != NULL && name[0] != '\0' ? getgrnam(name) : NULL;
	int result = 0;

	if (name != NULL && name[0] != '\0' && g == NULL) {
		fprintf(stderr, "winnow-milter: control_group \"%s\" does not exist; create it, or leave control_group empty\n", name);
		result = -1;
	} else if ((g != NULL || uid != 0) && chown(path, uid != 0 ? uid : (uid_t)-1, g != NULL ? g->gr_gid : (gid_t)-1) != 0) {
		fprintf(stderr, "winnow-milter: %s: %s\n", path, strerror(errno));
		result = -1;
	}
	winnow_free(name);
	return result;
}

/* The folder of a unix socket is made like other folders of state. */
static void make_folder(const char *spec)
{
	char *path = strdup(strncmp(spec, "unix:", 5) == 0 ? spec + 5 : spec), *slash = path != NULL ? strrchr(path, '/') : NULL;

	if (slash != NULL && slash != path && strncmp(spec, "inet", 4) != 0) {
		*slash = '\0';
		(void)mkdir(path, 0755);
	}
	free(path);
}

int control_open(struct winnow_engine *engine, unsigned uid)
{
	char *spec = winnow_engine_setting(engine, "control");
	const char *path = NULL;
	struct stat st;
	int result = 0;

	if (spec == NULL || spec[0] == '\0') {
		winnow_free(spec);
		return 0;
	}
	make_folder(spec);
	control.fd = socket_listen(spec, &path);
	if (control.fd < 0) {
		fprintf(stderr, "winnow-milter: control: cannot listen at %s: %s%s\n", spec, strerror(errno),
			errno == EADDRINUSE ? "; another winnow-milter answers there: stop it, or name another socket in `control`" : "; name a socket in `control` that can be made");
		winnow_free(spec);
		return -1;
	}
	if (path != NULL) {
		result = set_owner(engine, path, uid);
		if (stat(path, &st) == 0) {
			control.path = strdup(path);
			control.device = st.st_dev;
			control.inode = st.st_ino;
		}
	}
	winnow_free(spec);
	return result;
}

int control_start(struct winnow_engine *engine)
{
	control.engine = engine;
	if (control.fd < 0)
		return 0;
	(void)fcntl(control.fd, F_SETFL, O_NONBLOCK);
	control.wake = eventfd(0, EFD_CLOEXEC);
	control.started = control.wake >= 0 && pthread_create(&control.thread, NULL, listen_thread, NULL) == 0;
	return control.started ? 0 : -1;
}

static void remove_socket(void)
{
	struct stat st;

	if (control.path != NULL && lstat(control.path, &st) == 0 && st.st_dev == control.device && st.st_ino == control.inode)
		unlink(control.path);
	free(control.path);
	control.path = NULL;
}

bool control_stop(void)
{
	struct timespec step = { .tv_nsec = 10 * 1000000 };
	uint64_t one = 1;

	if (atomic_exchange(&control.stopped, true))
		return atomic_load(&control.clients) == 0;
	if (control.started && write(control.wake, &one, sizeof(one)) == sizeof(one))
		pthread_join(control.thread, NULL);
	remove_socket();
	if (control.fd >= 0)
		close(control.fd);
	for (int i = 0; atomic_load(&control.clients) > 0 && i < 500; i++)
		nanosleep(&step, NULL);
	return atomic_load(&control.clients) == 0;
}
