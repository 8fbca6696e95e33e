/* mapfile.h - a database that somebody else writes, read where it lies */
#ifndef WINNOW_POLICY_MAPFILE_H
#define WINNOW_POLICY_MAPFILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <talloc.h>

enum {
	MAPFILE_VALUE_MAX = 64 << 10,    /* bytes of a value */
	MAPFILE_WHY_MAX = 160,           /* bytes of a reason, with its NUL */
};

/* Read by positioned reads, never mapped: a file that is cut or damaged while it is read gives an error, not a signal that ends the process. */
struct mapfile {
	int fd;
	struct stat opened;              /* as it was when it was opened */
	atomic_ulong reads;              /* for tests: what look-ups cost does not depend on the machine */
};

/* Opens a regular file: a child of parent that closes it when it is freed. Never waits (a FIFO is an error). NULL with why[MAPFILE_WHY_MAX] set. */
struct mapfile *mapfile_open(TALLOC_CTX *parent, const char *path, char *why);

/* Exactly n bytes from offset on. false with why[MAPFILE_WHY_MAX] set: the file ends before, or cannot be read. Any thread. */
bool mapfile_read(struct mapfile *file, void *out, size_t n, uint64_t offset, char *why);

/* Has it not been written since it was opened? */
bool mapfile_is_unchanged(const struct mapfile *file);

/* Sets why. Always false: "return mapfile_fail(...)". */
bool mapfile_fail(char *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* How a table of such a kind tells at opening what is wrong, and what would mend it: "PATH: WHY; postmap KIND:PATH-WITHOUT-SUFFIX writes it". A child of parent. */
char *mapfile_error(TALLOC_CTX *parent, const char *path, const char *kind, const char *suffix, const char *why);

#endif
