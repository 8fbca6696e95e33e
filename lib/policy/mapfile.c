/* mapfile.c - a database that somebody else writes, read where it lies */
#include "policy/mapfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int close_file(struct mapfile *file)
{
	close(file->fd);
	return 0;
}

struct mapfile *mapfile_open(TALLOC_CTX *parent, const char *path, char *why)
{
	struct mapfile *file = talloc_zero(parent, struct mapfile);

	if (file == NULL) {
		mapfile_fail(why, "%s", strerror(ENOMEM));
		return NULL;
	}
	file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (file->fd >= 0)
		talloc_set_destructor(file, close_file);
	if (file->fd < 0 || fstat(file->fd, &file->opened) != 0)
		mapfile_fail(why, "%s", strerror(errno));
	else if (!S_ISREG(file->opened.st_mode))
		mapfile_fail(why, "is no regular file");
	else
		return file;
	talloc_free(file);
	return NULL;
}

bool mapfile_read(struct mapfile *file, void *out, size_t n, uint64_t offset, char *why)
{
	char *p = out;

	atomic_fetch_add_explicit(&file->reads, 1, memory_order_relaxed);
	if (offset > INT64_MAX - n)
		return mapfile_fail(why, "is damaged: it points behind the end of all files");
	while (n > 0) {
		ssize_t got = pread(file->fd, p, n, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return mapfile_fail(why, "%s", strerror(errno));
		if (got == 0)
			return mapfile_fail(why, "ends at byte %llu, within what belongs to it", (unsigned long long)offset);
		p += got;
		n -= (size_t)got;
		offset += (uint64_t)got;
	}
	return true;
}

bool mapfile_is_unchanged(const struct mapfile *file)
{
	const struct stat *was = &file->opened;
	struct stat now;

	/* the change time does not count: a rename and a chmod set it too */
	return fstat(file->fd, &now) == 0 && now.st_size == was->st_size && now.st_mtim.tv_sec == was->st_mtim.tv_sec && now.st_mtim.tv_nsec == was->st_mtim.tv_nsec;
}

bool mapfile_fail(char *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, MAPFILE_WHY_MAX, format, args);
	va_end(args);
	return false;
}

char *mapfile_error(TALLOC_CTX *parent, const char *path, const char *kind, const char *suffix, const char *why)
{
	size_t n = strlen(path), cut = strlen(suffix);

	return talloc_asprintf(parent, "%s: %s; postmap %s:%.*s writes it", path, why, kind, (int)(n >= cut ? n - cut : n), path);
}
