/* smtp_script.h - an SMTP server that plays a script on loopback, in a thread of its own; for tests of who speaks with it */
#ifndef WINNOW_TEST_SMTP_SCRIPT_H
#define WINNOW_TEST_SMTP_SCRIPT_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A step: ">TEXT" says TEXT; "<TEXT" must hear a line that is TEXT ("<TEXT*": begins with it); "m" takes a message to its dot; "wait" says nothing until the client goes;
 * "drip" sends a byte of a line without end each 20 ms; "flood" sends lines of one reply without end; "some" reads 100,000 bytes of a message; "reset" closes by a reset. The script ends with a close. */
struct smtp_script {
	const char *const *steps;        /* ends with NULL */
	int listener;
	uint16_t port;
	pthread_t thread;
	char line[4096];
	char *message;                   /* as it came, dots doubled, with the last line ".\r\n"; of the last "m" */
	size_t message_len;
	const char *wrong;               /* the first step that did not hold */
	char heard[4096];                /* what was heard there */
	atomic_bool over;
};

static int script_byte(int fd)
{
	unsigned char c;

	return recv(fd, &c, 1, 0) == 1 ? c : -1;
}

static bool script_line(struct smtp_script *s, int fd)
{
	size_t n = 0;
	int c;

	while ((c = script_byte(fd)) >= 0 && n < sizeof(s->line) - 1) {
		s->line[n++] = (char)c;
		if (c == '\n')
			break;
	}
	s->line[n] = '\0';
	if (n < 2 || s->line[n - 1] != '\n' || s->line[n - 2] != '\r')
		return false;
	s->line[n - 2] = '\0';
	return true;
}

static bool script_message(struct smtp_script *s, int fd)
{
	size_t room = 1 << 16;
	ssize_t n;

	free(s->message);
	s->message = malloc(room);
	s->message_len = 0;
	while ((n = recv(fd, s->message + s->message_len, room - s->message_len, 0)) > 0) {
		s->message_len += (size_t)n;
		if (s->message_len >= 5 && memcmp(s->message + s->message_len - 5, "\r\n.\r\n", 5) == 0)
			return true;
		if (s->message_len == room)
			s->message = realloc(s->message, room *= 2);
	}
	return false;
}

static bool script_send(int fd, const char *text, size_t len)
{
	return send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* A client that goes is not seen while what it sent before fills the socket. */
static void script_wait(struct smtp_script *s, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };

	for (int i = 0; i < 1000 && !atomic_load(&s->over) && poll(&p, 1, 20) == 0; i++)
		;
}

static bool script_step(struct smtp_script *s, int fd, const char *step)
{
	static const struct timespec pause = { .tv_nsec = 20000000 };
	static char rest[100000];

	if (step[0] == '>')
		return script_send(fd, step + 1, strlen(step + 1));
	if (step[0] == '<') {
		size_t len = strlen(step + 1);

		if (!script_line(s, fd))
			return false;
		return step[len] == '*' ? strncmp(s->line, step + 1, len - 1) == 0 : strcmp(s->line, step + 1) == 0;
	}
	if (strcmp(step, "m") == 0)
		return script_message(s, fd);
	if (strcmp(step, "some") == 0)
		return recv(fd, rest, sizeof(rest), MSG_WAITALL) > 0;
	if (strcmp(step, "wait") == 0)
		script_wait(s, fd);
	if (strcmp(step, "drip") == 0)
		while (script_send(fd, "2", 1))
			nanosleep(&pause, NULL);
	if (strcmp(step, "flood") == 0)
		while (script_send(fd, "250-and\r\n", 9))
			;
	if (strcmp(step, "reset") == 0) {
		struct linger now = { 1, 0 };

		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	}
	return true;
}

static void *script_run(void *arg)
{
	struct smtp_script *s = arg;
	int fd = accept(s->listener, NULL, NULL);

	for (size_t i = 0; fd >= 0 && s->steps[i] != NULL; i++) {
		if (!script_step(s, fd, s->steps[i])) {
			s->wrong = s->steps[i];
			snprintf(s->heard, sizeof(s->heard), "%s", s->line);
			break;
		}
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

static inline void script_begin(struct smtp_script *s, const char *const *steps)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);

	memset(s, 0, sizeof(*s));
	s->steps = steps;
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(s->listener, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(s->listener, 4) != 0 || getsockname(s->listener, (struct sockaddr *)&at, &len) != 0)
		abort();
	s->port = ntohs(at.sin_port);
	pthread_create(&s->thread, NULL, script_run, s);
}

/* Waits for the end of the script. NULL: every step held; else the one that did not. */
static inline const char *script_end(struct smtp_script *s)
{
	atomic_store(&s->over, true);
	shutdown(s->listener, SHUT_RDWR);            /* nobody came */
	pthread_join(s->thread, NULL);
	close(s->listener);
	free(s->message);
	s->message = NULL;
	return s->wrong;
}

#endif
