/* socket.h - the control socket's address: made and dialled */
#ifndef WINNOW_MILTER_SOCKET_H
#define WINNOW_MILTER_SOCKET_H

enum { SOCKET_ANSWER_SECONDS = 2 };      /* so long has who listens at our socket already to take us */

/* spec: a path, unix:PATH, inet:PORT@HOST or inet6:PORT@HOST (HOST an address). A descriptor, or -1 with errno: EAGAIN or EINPROGRESS: nobody took the connection within that many seconds.
 * Reading and writing wait no longer than that either, each time. */
int socket_connect(const char *spec, unsigned seconds);

/* Listens there; a unix socket of a process that is gone is replaced, one that answers is EADDRINUSE. Its rights are 0660. *path_r: the path of a unix socket, or NULL. */
int socket_listen(const char *spec, const char **path_r);

#endif
