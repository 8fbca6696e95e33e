/* socket.h - the control socket's address: made and dialled */
#ifndef WINNOW_MILTER_SOCKET_H
#define WINNOW_MILTER_SOCKET_H

/* spec: a path, unix:PATH, inet:PORT@HOST or inet6:PORT@HOST (HOST an address). A descriptor, or -1 with errno. */
int socket_connect(const char *spec);

/* Listens there; a unix socket of a process that is gone is replaced, one that answers is EADDRINUSE. Its rights are 0660. *path_r: the path of a unix socket, or NULL. */
int socket_listen(const char *spec, const char **path_r);

#endif
