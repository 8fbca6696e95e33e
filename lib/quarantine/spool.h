/* spool.h - the files of the quarantine: each copy as ID.eml, beside it ID.entry with what the index says of it (inside of quarantine.c) */
#ifndef WINNOW_QUARANTINE_SPOOL_H
#define WINNOW_QUARANTINE_SPOOL_H

#include <stdbool.h>
#include <stddef.h>

#include <talloc.h>

#include "quarantine/quarantine.h"

struct spool {
	int top, spool, tmp;             /* descriptors of PATH, PATH/spool, PATH/tmp; tmp is -1 if it cannot be had (reading only) */
};

enum { SPOOL_TEMP_MAX = 40, SPOOL_ID_MAX = 65 };

/* A copy that is written and synced, but has not yet its name. */
struct spool_copy {
	char eml[SPOOL_TEMP_MAX], entry[SPOOL_TEMP_MAX];   /* names in PATH/tmp; "" if there is none (any more) */
	bool named;
};

/* Is the id one that can be a file name: 4 to 64 of A-Z a-z 0-9 . - with neither a dot at its beginning nor among its last two characters (they name a folder)? */
bool spool_id_valid(const char *id);

/* Opens the folders; makes them with mode 0700 (and parents with 0755) if make, and removes what dead processes left in PATH/tmp. 0 or -errno with *error_r. */
int spool_open(struct spool *spool, const char *path, bool make, char **error_r);
void spool_close(struct spool *spool);

/* Writes and syncs both files under temporary names. 0, or -errno: nothing is left. Any thread. */
int spool_write(struct spool *spool, const struct quarantine_entry *entry, const char *data, size_t len, struct spool_copy *copy_r);

/* Gives the files their names (what stood there is replaced) and syncs the folders. 0 or -errno. */
int spool_name(struct spool *spool, const char *id, struct spool_copy *copy);

/* Removes the temporary files; what has its name stays. */
void spool_discard(struct spool *spool, struct spool_copy *copy);

/* Removes the files of an id. 0, also if there are none, or -errno. */
int spool_remove(struct spool *spool, const char *id);

/* Is the file of that copy there? true too if that cannot be found out. */
bool spool_has(struct spool *spool, const char *id);

/* The bytes of a copy: a talloc child of mem, with a NUL behind them. 0 or -errno. */
int spool_read(struct spool *spool, TALLOC_CTX *mem, const char *id, char **data_r, size_t *len_r);

struct spool_walk {
	int (*wanted)(void *arg, const char *id);        /* asked before ID.entry is read: 1, 0 or -errno; NULL: all are */
	int (*each)(void *arg, const struct quarantine_entry *entry);
	void *arg;
	bool strays;                     /* not the copies, but each ID.entry that has lost its copy: only its id is given */
	unsigned unread;                 /* folders that could not be read */
};

/* Calls each() for every copy, with what its ID.entry says (or what little is known, if that cannot be read); its strings live until each() returns.
 * Stops when each() returns anything but 0, and returns that; else 0 or -errno. */
int spool_each(struct spool *spool, struct spool_walk *walk);

#endif
