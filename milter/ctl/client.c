/* client.c - asks the daemon to run a command */
#include "client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include <jansson.h>

#include "../socket.h"
#include "../wire.h"

static bool send_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static bool send_question(int fd, const struct ctl *ctl, int argc, char **argv)
{
	json_t *question = json_object(), *words = json_array();
	char *line;
	bool good;

	for (int i = 0; i < argc; i++)
		json_array_append_new(words, json_stringn(argv[i], strlen(argv[i])));
	json_object_set_new(question, "argv", words);
	json_object_set_new(question, "json", json_boolean(ctl->json));
	json_object_set_new(question, "input", json_integer((json_int_t)ctl->input_len));
	line = json_dumps(question, JSON_COMPACT);
	good = line != NULL && send_all(fd, line, strlen(line)) && send_all(fd, "\n", 1) && send_all(fd, ctl->input, ctl->input_len);
	free(line);
	json_decref(question);
	return good;
}

/* Copies len bytes of the answer. */
static bool copy(FILE *from, FILE *to, size_t len)
{
	char block[65536];

	while (len > 0) {
		size_t n = fread(block, 1, len < sizeof(block) ? len : sizeof(block), from);

		if (n == 0)
			return false;
		fwrite(block, 1, n, to);
		len -= n;
	}
	return true;
}

static int hangs(void)
{
	fprintf(stderr, "winnowctl: the daemon does not answer: it hangs, or has very much to do; its log may say why\n");
	return EX_UNAVAILABLE;
}

/* The command's exit status, or why there is none. sent: the whole question went out. */
static int read_answer(int fd, bool sent)
{
	FILE *f = fdopen(fd, "rb");
	char *line = NULL;
	size_t room = 0;
	json_int_t status, out = 0, err = 0;
	bool came = f != NULL && getline(&line, &room, f) > 0, silent = !came && (errno == EAGAIN || errno == EWOULDBLOCK);
	json_t *answer = came ? json_loads(line, 0, NULL) : NULL;

	if (silent) {
		status = hangs();
	} else if (!came && !sent) {
		fprintf(stderr, "winnowctl: the daemon closed the connection: it may be busy; try again\n");
		status = EX_TEMPFAIL;
	} else if (answer == NULL || json_unpack(answer, "{s:I, s:I, s:I}", "status", &status, "out", &out, "err", &err) != 0 || out < 0 || err < 0
		   || !copy(f, stdout, (size_t)out) || !copy(f, stderr, (size_t)err)) {
		fprintf(stderr, "winnowctl: the daemon's answer broke off; its log may say why\n");
		status = EX_PROTOCOL;
	}
	json_decref(answer);
	free(line);
	if (f != NULL)
		fclose(f);
	return (int)status;
}

/* Nobody waits for ever: a monitor's ping least of all. */
static unsigned deadline(const char *command)
{
	return strcmp(command, "ping") == 0 ? WIRE_PING_SECONDS : 2 * WIRE_TOTAL_SECONDS;
}

/* Where the daemon is said to listen: a malloc'ed text, or NULL. The file may have errors: the daemon runs with an older one. */
static char *configured_socket(const struct ctl *ctl, bool complain)
{
	struct winnow_options options = { .config_path = ctl->config, .rough = true };
	char *errors = NULL, *spec;
	struct winnow_engine *engine = winnow_engine_new(&options, &errors, NULL);

	if (engine == NULL && complain && errors != NULL)
		fputs(errors, stderr);
	winnow_free(errors);
	spec = engine != NULL ? winnow_engine_setting(engine, "control") : NULL;
	winnow_engine_free(engine);
	return spec;
}

/* A question is JSON, and that has no words of other bytes. */
static bool can_be_asked(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		json_t *word = json_string(argv[i]);

		if (word == NULL) {
			fprintf(stderr, "winnowctl: argument %d is no UTF-8; is that the terminal's charset?\n", i + 1);
			return false;
		}
		json_decref(word);
	}
	return true;
}

int client_ask(struct ctl *ctl, const char *socket, int argc, char **argv, bool complain)
{
	char *configured = socket == NULL ? configured_socket(ctl, complain) : NULL;
	const char *spec = socket != NULL ? socket : configured;
	int fd, status = -1;
	bool good;

	if (!can_be_asked(argc, argv)) {
		free(configured);
		return EX_USAGE;
	}
	fd = spec != NULL ? socket_connect(spec, deadline(argv[0])) : -1;
	if (fd < 0 && spec != NULL && (errno == EAGAIN || errno == EINPROGRESS)) {
		status = hangs();
	} else if (fd < 0) {
		if (complain && spec == NULL)
			fprintf(stderr, "winnowctl: the configuration cannot be read, so the control socket is not known: mend it, or name the socket by -s\n");
		else if (complain)
			fprintf(stderr, "winnowctl: no winnow-milter answers at %s: %s; is it running, is this its configuration (-c FILE), may you use that socket?\n", spec, strerror(errno));
	} else {
		/* a daemon that is busy says so without reading the question */
		good = send_question(fd, ctl, argc, argv);
		status = read_answer(fd, good);
	}
	free(configured);
	return status;
}
