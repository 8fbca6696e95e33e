/* socket.c - the control socket's address: made and dialled */
#include "socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_un un;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} u;
	socklen_t len;
	const char *path;
};

static int read_inet(const char *text, int family, struct address *a)
{
	const char *at = strchr(text, '@');
	long port = strtol(text, NULL, 10);

	if (port < 1 || port > 65535) {
		errno = EINVAL;
		return -1;
	}
	if (family == AF_INET) {
		a->u.in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		a->len = sizeof(a->u.in);
		if (at != NULL && inet_pton(AF_INET, at + 1, &a->u.in.sin_addr) != 1)
			goto bad;
	} else {
		a->u.in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = IN6ADDR_LOOPBACK_INIT };
		a->len = sizeof(a->u.in6);
		if (at != NULL && inet_pton(AF_INET6, at + 1, &a->u.in6.sin6_addr) != 1)
			goto bad;
	}
	return 0;
bad:
	errno = EINVAL;
	return -1;
}

static int read_address(const char *spec, struct address *a)
{
	memset(a, 0, sizeof(*a));
	if (strncmp(spec, "inet:", 5) == 0)
		return read_inet(spec + 5, AF_INET, a);
	if (strncmp(spec, "inet6:", 6) == 0)
		return read_inet(spec + 6, AF_INET6, a);
	a->path = strncmp(spec, "unix:", 5) == 0 ? spec + 5 : strncmp(spec, "local:", 6) == 0 ? spec + 6 : spec;
	if (a->path[0] == '\0' || strlen(a->path) >= sizeof(a->u.un.sun_path)) {
		errno = a->path[0] == '\0' ? EINVAL : ENAMETOOLONG;
		return -1;
	}
	a->u.un.sun_family = AF_UNIX;
	strcpy(a->u.un.sun_path, a->path);
	a->len = sizeof(a->u.un);
	return 0;
}

/* Its deadline covers the connection too: a listener that takes nobody lets connect() wait for a place in its queue. */
static int dial(const struct address *a, unsigned seconds)
{
	int fd = socket(a->u.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), error;
	struct timeval time = { .tv_sec = seconds };

	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time));
	if (connect(fd, &a->u.any, a->len) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

int socket_connect(const char *spec, unsigned seconds)
{
	struct address a;

	return read_address(spec, &a) == 0 ? dial(&a, seconds) : -1;
}

int socket_listen(const char *spec, const char **path_r)
{
	struct address a;
	struct stat st;
	int fd, one = 1, error;
	mode_t old;

	if (read_address(spec, &a) != 0)
		return -1;
	*path_r = a.path;
	if (a.path != NULL && lstat(a.path, &st) == 0 && S_ISSOCK(st.st_mode)) {
		fd = dial(&a, SOCKET_ANSWER_SECONDS);
		if (fd >= 0 || errno == EAGAIN) {
			if (fd >= 0)
				close(fd);
			errno = EADDRINUSE;
			return -1;
		}
		unlink(a.path);
	}
	fd = socket(a.u.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	old = umask(0117);
	if (bind(fd, &a.u.any, a.len) == 0 && listen(fd, 64) == 0) {
		umask(old);
		return fd;
	}
	error = errno;
	umask(old);
	close(fd);
	errno = error;
	return -1;
}
