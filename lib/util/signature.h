/* signature.h - what tells one version of a file from the next, by stat alone */
#ifndef WINNOW_UTIL_SIGNATURE_H
#define WINNOW_UTIL_SIGNATURE_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

/* All zero: no file. */
struct signature {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
};

/* What stands at the path now; of none (errno says why) all zero. */
struct signature signature_of(const char *path);

/* Is it no file? */
bool signature_none(const struct signature *s);

/* The same version? The same file, whatever was written into it since? */
bool signature_same(const struct signature *a, const struct signature *b);
bool signature_same_file(const struct signature *a, const struct signature *b);

#endif
