/* spool.c - the files of the quarantine: each copy as ID.eml, beside it ID.entry with what the index says of it */
#include "quarantine/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "quarantine/entry.h"
#include "util/clock.h"

enum {
	NAME_MAX_USED = 96,              /* "XX/" + id + ".entry" */
	READ_MAX = 0x0ff00000,           /* talloc's limit of one piece, nearly */
	STALE_SECONDS = 3600,
};

bool spool_id_valid(const char *id)
{
	size_t len = strlen(id);

	if (len < 4 || len > 64 || id[0] == '.' || id[len - 1] == '.' || id[len - 2] == '.')
		return false;
	return strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-") == len;
}

static void id_name(char name[NAME_MAX_USED], const char *id, const char *suffix)
{
	size_t len = strlen(id);

	snprintf(name, NAME_MAX_USED, "%c%c/%s%s", id[len - 2], id[len - 1], id, suffix);
}

/* File systems that cannot sync a folder say EINVAL: there is nothing to do then. */
static int sync_folder(int fd)
{
	return fsync(fd) == 0 || errno == EINVAL ? 0 : -errno;
}

/* What root makes in a folder of another user is that user's: winnowctl is often root's, the daemon seldom. */
static int give(int at, const char *name)
{
	struct stat st;

	if (geteuid() != 0)
		return 0;
	if (fstat(at, &st) != 0 || (st.st_uid != 0 && fchownat(at, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) != 0))
		return -errno;
	return 0;
}

/* Opens a folder below at, makes it if it is missing. Its descriptor or -errno. */
static int folder_open(int at, const char *name, bool make)
{
	int fd, r;

	if (make) {
		if (mkdirat(at, name, 0700) == 0) {
			r = give(at, name);
			if (r == 0)
				r = sync_folder(at);
			if (r != 0)
				return r;
		} else if (errno != EEXIST) {
			return -errno;
		}
	}
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : -errno;
}

/* Makes the folders above path. */
static int parents_make(const char *path)
{
	char *copy = strdup(path);
	int r = copy != NULL ? 0 : -ENOMEM;

	for (char *p = copy; r == 0 && (p = strchr(p + 1, '/')) != NULL;) {
		*p = '\0';
		if (mkdir(copy, 0755) != 0 && errno != EEXIST)
			r = -errno;
		*p = '/';
	}
	free(copy);
	return r;
}

/* PATH itself, and a sync of the folder that it stands in. */
static int top_make(const char *path)
{
	char *up;
	int fd, r = parents_make(path);

	if (r != 0)
		return r;
	if (mkdir(path, 0700) != 0)
		return errno == EEXIST ? 0 : -errno;
	up = talloc_asprintf(NULL, "%s/..", path);
	fd = up != NULL ? open(up, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd >= 0) {
		r = sync_folder(fd);
		close(fd);
	}
	talloc_free(up);
	return r;
}

/* Removes what a process that ended in the middle of a copy left: its name begins with the process's number. */
static void tmp_clean(int tmp)
{
	int fd = openat(tmp, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(d)) != NULL) {
		long pid = strtol(entry->d_name, NULL, 10);
		struct stat st;

		if (pid <= 0 || fstatat(tmp, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if ((kill((pid_t)pid, 0) != 0 && errno == ESRCH) || st.st_mtime + STALE_SECONDS < clock_wall() / 1000000)
			unlinkat(tmp, entry->d_name, 0);
	}
	closedir(d);
}

int spool_open(struct spool *spool, const char *path, bool make, char **error_r)
{
	const char *what = "";
	int r = make ? top_make(path) : 0;

	*spool = (struct spool){ -1, -1, -1 };
	if (r == 0 && (spool->top = r = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		r = -errno;
	if (r >= 0) {
		what = "/spool";
		spool->spool = r = folder_open(spool->top, "spool", make);
	}
	if (r >= 0) {
		what = "/tmp";
		spool->tmp = folder_open(spool->top, "tmp", make);
		if (make) {
			r = spool->tmp;
			if (r >= 0)
				tmp_clean(r);
		}
	}
	if (r >= 0)
		return 0;
	*error_r = talloc_asprintf(NULL, "quarantine folder %s%s: %s", path, what, strerror(-r));
	spool_close(spool);
	return r;
}

void spool_close(struct spool *spool)
{
	if (spool->tmp >= 0)
		close(spool->tmp);
	if (spool->spool >= 0)
		close(spool->spool);
	if (spool->top >= 0)
		close(spool->top);
	*spool = (struct spool){ -1, -1, -1 };
}

static int write_synced(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return fsync(fd) == 0 ? 0 : -errno;
}

/* A new file in PATH/tmp; name becomes "" again if it fails. */
static int temp_write(struct spool *spool, char name[SPOOL_TEMP_MAX], const char *data, size_t len)
{
	uint64_t random;
	int fd, r;

	name[0] = '\0';
	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -errno;
	snprintf(name, SPOOL_TEMP_MAX, "%ld-%016" PRIx64, (long)getpid(), random);
	fd = openat(spool->tmp, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		r = -errno;
		name[0] = '\0';
		return r;
	}
	r = write_synced(fd, data, len);
	if (close(fd) != 0 && r == 0)
		r = -errno;
	if (r != 0) {
		unlinkat(spool->tmp, name, 0);
		name[0] = '\0';
	}
	return r;
}

int spool_write(struct spool *spool, const struct quarantine_entry *entry, const char *data, size_t len, struct spool_copy *copy_r)
{
	TALLOC_CTX *mem;
	char *text;
	int r;

	*copy_r = (struct spool_copy){ 0 };
	if (spool->tmp < 0)
		return -EROFS;
	mem = talloc_new(NULL);
	text = entry_print(mem, entry);
	r = text == NULL ? -ENOMEM : temp_write(spool, copy_r->eml, data, len);
	if (r == 0)
		r = temp_write(spool, copy_r->entry, text, strlen(text));
	if (r != 0)
		spool_discard(spool, copy_r);
	talloc_free(mem);
	return r;
}

void spool_discard(struct spool *spool, struct spool_copy *copy)
{
	if (copy->eml[0] != '\0')
		unlinkat(spool->tmp, copy->eml, 0);
	if (copy->entry[0] != '\0')
		unlinkat(spool->tmp, copy->entry, 0);
	copy->eml[0] = copy->entry[0] = '\0';
}

int spool_name(struct spool *spool, const char *id, struct spool_copy *copy)
{
	char name[NAME_MAX_USED];
	int folder = folder_open(spool->spool, id + strlen(id) - 2, true), r = 0;

	if (folder < 0)
		return folder;
	/* the entry first: what is found as ID.eml is complete */
	id_name(name, id, ".entry");
	if (renameat(spool->tmp, copy->entry, spool->spool, name) != 0) {
		r = -errno;
	} else {
		copy->entry[0] = '\0';
		id_name(name, id, ".eml");
		if (renameat(spool->tmp, copy->eml, spool->spool, name) != 0)
			r = -errno;
		else
			copy->eml[0] = '\0';
	}
	if (r == 0)
		r = sync_folder(folder);
	close(folder);
	copy->named = r == 0;
	if (r != 0)
		spool_remove(spool, id);
	return r;
}

int spool_remove(struct spool *spool, const char *id)
{
	static const char *const suffixes[] = { ".eml", ".entry" };
	int r = 0;

	for (size_t i = 0; i < 2; i++) {
		char name[NAME_MAX_USED];

		id_name(name, id, suffixes[i]);
		if (unlinkat(spool->spool, name, 0) != 0 && errno != ENOENT && r == 0)
			r = -errno;
	}
	return r;
}

bool spool_has(struct spool *spool, const char *id)
{
	char name[NAME_MAX_USED];

	id_name(name, id, ".eml");
	return faccessat(spool->spool, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

static int read_file(int at, const char *name, TALLOC_CTX *mem, char **data_r, size_t *len_r)
{
	struct stat st;
	char *data;
	size_t len = 0;
	ssize_t n = 1;
	int fd = openat(at, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EIO;
	}
	if (st.st_size > READ_MAX) {
		close(fd);
		return -EFBIG;
	}
	data = talloc_array(mem, char, (size_t)st.st_size + 1);
	while (data != NULL && len < (size_t)st.st_size && n > 0) {
		n = read(fd, data + len, (size_t)st.st_size - len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			len += (size_t)n;
	}
	close(fd);
	if (data == NULL || n < 0) {
		talloc_free(data);
		return data == NULL ? -ENOMEM : -EIO;
	}
	data[len] = '\0';
	*data_r = data;
	*len_r = len;
	return 0;
}

int spool_read(struct spool *spool, TALLOC_CTX *mem, const char *id, char **data_r, size_t *len_r)
{
	char name[NAME_MAX_USED];

	id_name(name, id, ".eml");
	return read_file(spool->spool, name, mem, data_r, len_r);
}

/* The id of "ID" + suffix, if that is a file of the folder XX and of a good id. */
static bool file_id(int folder, const char *xx, const char *file, const char *suffix, char id[SPOOL_ID_MAX], struct stat *st)
{
	size_t len = strlen(file), end = strlen(suffix);

	if (len <= end || len - end >= SPOOL_ID_MAX || strcmp(file + len - end, suffix) != 0)
		return false;
	memcpy(id, file, len - end);
	id[len - end] = '\0';
	return spool_id_valid(id) && strcmp(id + strlen(id) - 2, xx) == 0 && fstatat(folder, file, st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st->st_mode);
}

static int each_file(int folder, const char *xx, const char *file, const struct spool_walk *walk)
{
	struct quarantine_entry entry;
	char id[SPOOL_ID_MAX], name[NAME_MAX_USED], *text;
	struct stat st;
	TALLOC_CTX *mem;
	size_t len;
	int r;

	if (walk->strays) {
		if (!file_id(folder, xx, file, ".entry", id, &st))
			return 0;
		snprintf(name, sizeof(name), "%s.eml", id);
		entry = (struct quarantine_entry){ .id = id };
		return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT ? walk->each(walk->arg, &entry) : 0;
	}
	r = file_id(folder, xx, file, ".eml", id, &st) ? 1 : 0;
	if (r > 0 && walk->wanted != NULL)
		r = walk->wanted(walk->arg, id);
	if (r <= 0)
		return r;
	mem = talloc_new(NULL);
	snprintf(name, sizeof(name), "%s.entry", id);
	if (read_file(folder, name, mem, &text, &len) != 0 || !entry_parse(mem, text, len, &entry) || entry.id == NULL || strcmp(entry.id, id) != 0)
		entry = (struct quarantine_entry){ .id = id, .time = (int64_t)st.st_mtime * 1000000, .size = (uint64_t)st.st_size };
	r = walk->each(walk->arg, &entry);
	talloc_free(mem);
	return r;
}

/* A folder that cannot be read is counted and left out: the others are worth having. */
static int each_folder(int spool, const char *xx, struct spool_walk *walk)
{
	int r = 0, fd = openat(spool, xx, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	if (d == NULL) {
		walk->unread += errno != ENOTDIR && errno != ELOOP;
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (r == 0 && (errno = 0, entry = readdir(d)) != NULL)
		r = each_file(fd, xx, entry->d_name, walk);
	walk->unread += r == 0 && errno != 0;
	closedir(d);
	return r;
}

int spool_each(struct spool *spool, struct spool_walk *walk)
{
	int r = 0, fd = openat(spool->spool, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	walk->unread = 0;
	if (d == NULL) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return r;
	}
	while (r == 0 && (entry = readdir(d)) != NULL) {
		if (strlen(entry->d_name) == 2 && strchr(entry->d_name, '.') == NULL)
			r = each_folder(spool->spool, entry->d_name, walk);
	}
	closedir(d);
	return r;
}
