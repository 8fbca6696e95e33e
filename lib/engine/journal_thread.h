/* journal_thread.h - the journal's inside: its queue, and what its one writing thread owns */
#ifndef WINNOW_ENGINE_JOURNAL_THREAD_H
#define WINNOW_ENGINE_JOURNAL_THREAD_H

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>

#include "engine/journal_private.h"

enum {
	QUEUE_ROWS = 20000, QUEUE_BYTES = 16 << 20, CHUNK_BYTES = 65536,
	HURRY_ROWS = 2000, HURRY_BYTES = 2 << 20         /* so many do not wait for company */
};

/* The queue is a list of these, rows one after the other in each. */
struct chunk {
	struct chunk *next;
	size_t used, size;
	alignas(8) char data[];
};

struct journal {
	atomic_bool off;                 /* no journal is kept */
	atomic_uint_fast64_t dropped;
	_Atomic(struct log *) log;
	int64_t (*now)(void);
	char *path;                      /* NULL: off; the thread that changes options reads and writes it */

	pthread_mutex_t lock;            /* guards what follows; held for copies only, never while anything is written */
	pthread_cond_t work;             /* the writer waits here */
	pthread_cond_t progress;         /* journal_flush and journal_close wait here */
	bool asleep, gathering, urgent;  /* as in util/log.c: a record wakes the writer that sleeps, and is given a moment of company */
	bool stop, ended, abandoned;
	bool replace;                    /* next is to be taken over; NULL: off */
	struct journal_db *next;
	char *next_path;
	bool look;                       /* look at once for what has to go */
	int64_t keep, size_max;
	struct chunk *first, *last, *spare;
	size_t rows, bytes;              /* queued and not yet committed */
	uint64_t asked, done;            /* flushes */

	pthread_t thread;                /* from here on the writer's own */
	struct journal_db *db;           /* NULL: off, or lost */
	char *db_path;
	struct chunk *taken;             /* being written, from taken->data + at on */
	size_t at;
	int64_t next_look, next_report;
	uint64_t reported;               /* drops that were told */
	bool failing;
	int64_t wall, mono, quiet_until; /* of the last look; until when age is not believed */
};

/* The thread's function; its argument is the journal. */
void *journal_writer(void *journal);

/* Its file does not wait for a lock that another holds once the journal is to end. */
bool journal_hurry(void *journal);

/* For a file that was just opened: its newest record tells what time it was. */
void journal_first_clock(struct journal *journal);

void journal_free(struct journal *journal);

#endif
