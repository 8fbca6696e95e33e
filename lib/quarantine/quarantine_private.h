/* quarantine_private.h - the quarantine's inside: who may write when; what quarantine.c and expire.c share */
#ifndef WINNOW_QUARANTINE_PRIVATE_H
#define WINNOW_QUARANTINE_PRIVATE_H

#include <pthread.h>

#include "quarantine/index.h"
#include "quarantine/spool.h"

struct quarantine {
	TALLOC_CTX *mem;                 /* the root; nothing is allocated below it after quarantine_open() */
	struct log *log;
	char *path, *index_path;
	bool make;
	struct spool spool;
	pthread_mutex_t write_lock, read_lock;     /* where both are held, write_lock was taken first */
	struct index *writer, *reader;   /* opened when they are first needed */
};

/* The right to write, among threads and processes: to change rows, and to name or remove files, as one step. Waits at most some seconds: -EBUSY. */
int quarantine_lock(struct quarantine *q, char **error_r);
void quarantine_unlock(struct quarantine *q);

/* Runs work() in one writing transaction; it returns 0 or -errno, and may be called twice: an index that turns out to be gone or damaged is made anew first. With the lock. */
int quarantine_transact(struct quarantine *q, int (*work)(struct quarantine *q, void *arg, char **error_r), void *arg, char **error_r);

/* Begins with new connections: what is at the path now counts. With the lock. 0 or -errno. */
int quarantine_renew(struct quarantine *q, char **error_r);

/* Runs a question on the reading connection; after damage once more. */
int quarantine_query(struct quarantine *q, int (*work)(struct index *index, void *arg, char **error_r), void *arg, char **error_r);

/* Every failure comes with a text: "quarantine: WHAT ID: ...". Returns r. */
int quarantine_failed(int r, const char *what, const char *id, char **error_r);

/* There is no copy of that id, which may be any text. Returns -ENOENT. */
int quarantine_unknown(const char *id, char **error_r);

#endif
