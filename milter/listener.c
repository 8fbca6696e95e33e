/* listener.c - the socket on which the MTA connects: opened, made quick, closed without disturbing sessions */
#include "milter.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "socket.h"

static struct {
	int fd;                          /* -1: none */
	char *spec;
	const char *path;                /* of a unix socket */
	dev_t device;
	ino_t inode;
} listener = { .fd = -1 };

/* libmilter keeps the descriptor to itself: it is the one that listens now and did not before. */
static int find_listening(int from)
{
	for (int fd = from; fd < from + 1024; fd++) {
		int accepting = 0;
		socklen_t len = sizeof(accepting);

		if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepting, &len) == 0 && accepting)
			return fd;
	}
	return -1;
}

static int give_to_group(const char *path, const char *group, unsigned mode)
{
	struct group *g = group[0] != '\0' ? getgrnam(group) : NULL;

	if (group[0] != '\0' && g == NULL) {
		fprintf(stderr, "winnow-milter: listen_group \"%s\" does not exist; create it, or leave listen_group empty\n", group);
		return -1;
	}
	if ((g != NULL && chown(path, (uid_t)-1, g->gr_gid) != 0) || chmod(path, (mode_t)mode) != 0) {
		fprintf(stderr, "winnow-milter: %s: %s\n", path, strerror(errno));
		return -1;
	}
	return 0;
}

static int open_failed(const char *spec, int error)
{
	fprintf(stderr, "winnow-milter: cannot listen on %s: %s; is another winnow-milter running, or may this user not use that port or folder?\n", spec,
		error != 0 ? strerror(error) : "the address cannot be used");
	return -1;
}

/* libmilter would take a unix socket away from a daemon that runs. */
static bool is_answered(const char *spec)
{
	int fd = socket_connect(spec, SOCKET_ANSWER_SECONDS);

	if (fd >= 0)
		close(fd);
	return fd >= 0 || errno == EAGAIN;       /* one that hangs with a full queue holds it, too */
}

int listener_open(const char *spec, const char *group, unsigned mode)
{
	int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC), one = 1;
	const char *path = strncmp(spec, "unix:", 5) == 0 ? spec + 5 : strncmp(spec, "local:", 6) == 0 ? spec + 6 : NULL;
	mode_t old;

	if (lowest >= 0)
		close(lowest);
	if (path != NULL && is_answered(spec))
		return open_failed(spec, EADDRINUSE);
	if (smfi_setconn((char *)(uintptr_t)spec) != MI_SUCCESS) {
		fprintf(stderr, "winnow-milter: \"%s\" is no socket; write inet:PORT@HOST, inet6:PORT@HOST or unix:PATH\n", spec);
		return -1;
	}
	old = umask(path != NULL ? 0777 & ~mode : 077);
	errno = 0;
	if (smfi_opensocket(true) != MI_SUCCESS) {
		int error = errno;

		umask(old);
		return open_failed(spec, error);
	}
	umask(old);
	listener.fd = find_listening(lowest >= 0 ? lowest : 3);
	if (listener.fd < 0)
		return open_failed(spec, 0);
	(void)fcntl(listener.fd, F_SETFD, FD_CLOEXEC);
	listener.spec = strdup(spec);
	if (path == NULL) {
		/* libmilter writes each packet by itself: without this every message waits 40 ms; accepted sockets inherit it */
		(void)setsockopt(listener.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	} else {
		struct stat st;

		if (give_to_group(path, group, mode) != 0)
			return -1;
		if (stat(path, &st) == 0) {
			listener.path = strdup(path);
			listener.device = st.st_dev;
			listener.inode = st.st_ino;
		}
	}
	return 0;
}

bool listener_nudge(void)
{
	return listener.spec != NULL && is_answered(listener.spec);
}

void listener_stop(void)
{
	int silent = eventfd(0, EFD_CLOEXEC);

	if (silent < 0 || listener.fd < 0)
		return;
	/* libmilter goes on polling the descriptor, and never notices that nobody will knock any more */
	listener_remove();
	(void)dup3(silent, listener.fd, O_CLOEXEC);
	close(silent);
}

void listener_remove(void)
{
	struct stat st;

	if (listener.path != NULL && lstat(listener.path, &st) == 0 && st.st_dev == listener.device && st.st_ino == listener.inode)
		unlink(listener.path);
	free((void *)(uintptr_t)listener.path);
	listener.path = NULL;
}

void listener_raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}
