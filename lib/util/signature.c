/* signature.c - what tells one version of a file from the next, by stat alone */
#include "util/signature.h"

struct signature signature_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return (struct signature){ 0 };
	return (struct signature){ .dev = st.st_dev, .ino = st.st_ino, .size = st.st_size, .mtime = st.st_mtim, .ctime = st.st_ctim };
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool signature_same_file(const struct signature *a, const struct signature *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

bool signature_same(const struct signature *a, const struct signature *b)
{
	return signature_same_file(a, b) && a->size == b->size && same_time(&a->mtime, &b->mtime) && same_time(&a->ctime, &b->ctime);
}

bool signature_none(const struct signature *s)
{
	static const struct signature none;

	return signature_same(s, &none);
}
