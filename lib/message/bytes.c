/* bytes.c - the bytes of a message: a growing buffer that moves to an unlinked file, within a budget (inside of message.c) */
#include "message/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message/message.h"

enum { BUFFER_FIRST = 16384 };            /* most messages fit without growing */

struct message_budget {
	_Atomic uint64_t used, max;
	uint64_t seed;
};

struct message_budget *message_budget_new(TALLOC_CTX *parent, uint64_t max)
{
	struct message_budget *budget = talloc_zero(parent, struct message_budget);

	if (budget == NULL)
		return NULL;
	atomic_init(&budget->used, 0);
	atomic_init(&budget->max, max);
	/* without random bytes the address is all there is: still nothing that a sender knows */
	if (getrandom(&budget->seed, sizeof(budget->seed), GRND_NONBLOCK) != (ssize_t)sizeof(budget->seed))
		budget->seed = (uint64_t)(uintptr_t)budget;
	return budget;
}

void message_budget_set_max(struct message_budget *budget, uint64_t max)
{
	atomic_store(&budget->max, max);
}

uint64_t message_budget_used(const struct message_budget *budget)
{
	return atomic_load(&budget->used);
}

uint64_t message_budget_seed(const struct message_budget *budget)
{
	return budget->seed;
}

void bytes_init(struct bytes *bytes, TALLOC_CTX *mem, struct message_budget *budget, const char *spool, size_t memory_max)
{
	*bytes = (struct bytes){ .mem = mem, .budget = budget, .spool = spool, .memory_max = memory_max, .fd = -1 };
}

/* Takes n bytes of the budget; false: it would be exceeded, nothing is taken. Buffers leave an eighth of it alone:
 * a message can do without its buffer, not without its fields, and must not be turned away while others hold buffers. */
static bool charge_try(struct bytes *bytes, size_t n, bool buffer)
{
	uint64_t max = atomic_load(&bytes->budget->max), used = atomic_load(&bytes->budget->used);

	if (buffer && bytes->spool != NULL)
		max -= max / 8;
	do {
		if (n > max || used > max - n)
			return false;
	} while (!atomic_compare_exchange_weak(&bytes->budget->used, &used, used + n));
	bytes->charged += n;
	return true;
}

void bytes_discharge(struct bytes *bytes, uint64_t n)
{
	atomic_fetch_sub(&bytes->budget->used, n);
	bytes->charged -= n;
}

static void buffer_free(struct bytes *bytes)
{
	talloc_free(bytes->buffer);
	bytes_discharge(bytes, bytes->size);
	bytes->buffer = NULL;
	bytes->len = bytes->size = 0;
}

static void file_unmap(struct bytes *bytes)
{
	if (bytes->map != NULL)
		munmap(bytes->map, bytes->map_len);
	bytes->map = NULL;
}

static void file_close(struct bytes *bytes)
{
	file_unmap(bytes);
	if (bytes->fd >= 0)
		close(bytes->fd);
	bytes->fd = -1;
}

void bytes_drop(struct bytes *bytes)
{
	file_close(bytes);
	if (bytes->buffer != NULL)
		buffer_free(bytes);
}

void bytes_done(struct bytes *bytes)
{
	file_close(bytes);
	bytes_discharge(bytes, bytes->charged);
}

static int spool_open(const char *folder)
{
	char path[PATH_MAX];
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
		return -errno;
	/* file systems without unnamed files: a name that lives for a moment */
	if (snprintf(path, sizeof(path), "%s/message.XXXXXX", folder) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

static int file_write(struct bytes *bytes, struct iovec *iov, int n)
{
	file_unmap(bytes);
	while (n > 0) {
		ssize_t written = writev(bytes->fd, iov, n);

		if (written < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		bytes->file_len += (uint64_t)written;
		while (n > 0 && (size_t)written >= iov->iov_len) {
			written -= (ssize_t)iov->iov_len;
			iov++;
			n--;
		}
		if (n > 0) {
			iov->iov_base = (char *)iov->iov_base + written;
			iov->iov_len -= (size_t)written;
		}
	}
	return 0;
}

/* Moves the bytes to a file and gives the buffer back. 0 or -errno; -ENOMEM: there is no spool, or they are in the file already. */
static int spill(struct bytes *bytes)
{
	struct iovec iov = { bytes->buffer, bytes->len };
	int r;

	if (bytes->spool == NULL || bytes->fd >= 0)
		return -ENOMEM;
	r = spool_open(bytes->spool);
	if (r < 0)
		return r;
	bytes->fd = r;
	r = file_write(bytes, &iov, bytes->len > 0);
	if (r == 0 && bytes->buffer != NULL)
		buffer_free(bytes);
	return r;
}

int bytes_charge(struct bytes *bytes, size_t n)
{
	int r;

	if (charge_try(bytes, n, false))
		return 0;
	r = spill(bytes);
	if (r != 0)
		return r;
	return charge_try(bytes, n, false) ? 0 : -ENOMEM;
}

/* Room for n more bytes in the buffer. 1: the bytes belong into the file. */
static int buffer_room(struct bytes *bytes, size_t n)
{
	size_t need = bytes->len + n, size = bytes->size ? bytes->size : BUFFER_FIRST;
	char *grown;
	int r;

	if (bytes->fd >= 0)
		return 1;
	if (need <= bytes->size)
		return 0;
	while (size < need)
		size *= 2;
	if (bytes->spool != NULL && size > bytes->memory_max)
		size = bytes->memory_max;
	if (size < need || !charge_try(bytes, size - bytes->size, true)) {
		r = spill(bytes);
		return r != 0 ? r : 1;
	}
	grown = talloc_realloc(bytes->mem, bytes->buffer, char, size);
	if (grown == NULL) {
		bytes_discharge(bytes, size - bytes->size);
		return -ENOMEM;
	}
	bytes->buffer = grown;
	bytes->size = size;
	return 0;
}

int bytes_append(struct bytes *bytes, struct iovec *pieces, int n)
{
	size_t total = 0;
	int r;

	for (int i = 0; i < n; i++)
		total += pieces[i].iov_len;
	if (total == 0)
		return 0;
	r = buffer_room(bytes, total);
	if (r < 0)
		return r;
	if (r == 1)
		return file_write(bytes, pieces, n);
	for (int i = 0; i < n; i++) {
		memcpy(bytes->buffer + bytes->len, pieces[i].iov_base, pieces[i].iov_len);
		bytes->len += pieces[i].iov_len;
	}
	return 0;
}

int bytes_map(struct bytes *bytes, const char **data_r, size_t *len_r)
{
	void *map;

	*data_r = bytes->buffer != NULL ? bytes->buffer : "";
	*len_r = bytes->len;
	if (bytes->fd < 0)
		return 0;
	if (bytes->map == NULL && bytes->file_len > 0) {
		if (bytes->file_len > SIZE_MAX)
			return -EFBIG;
		map = mmap(NULL, (size_t)bytes->file_len, PROT_READ, MAP_PRIVATE, bytes->fd, 0);
		if (map == MAP_FAILED)
			return -errno;
		bytes->map = map;
		bytes->map_len = (size_t)bytes->file_len;
	}
	*data_r = bytes->map != NULL ? bytes->map : "";
	*len_r = (size_t)bytes->file_len;
	return 0;
}
