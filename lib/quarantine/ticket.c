/* ticket.c - what makes a released copy known when it comes back: a keyed digest of its id and its bytes */
#include "quarantine/ticket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <talloc.h>

int ticket_key_read(const char *path, uint8_t key_r[TICKET_KEY])
{
	uint8_t bytes[TICKET_KEY + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	memset(key_r, 0, TICKET_KEY);
	if (fd < 0)
		return -errno;
	n = read(fd, bytes, sizeof(bytes));
	close(fd);
	if (n < 0)
		return -EIO;
	if (n != TICKET_KEY)
		return -EBADMSG;
	memcpy(key_r, bytes, TICKET_KEY);
	return 0;
}

/* A whole key under a name of its own. 0 or -errno. */
static int write_key(const char *path, unsigned uid, unsigned gid)
{
	uint8_t key[TICKET_KEY];
	int fd, r = 0;

	if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
		return -EIO;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (write(fd, key, sizeof(key)) != (ssize_t)sizeof(key))
		r = errno != 0 ? -errno : -EIO;
	else if ((uid != 0 && fchown(fd, uid, gid) != 0) || fsync(fd) != 0)
		r = -errno;
	if (close(fd) != 0 && r == 0)
		r = -errno;
	return r;
}

/* Makes the folders above path, where there are none. */
static void make_folders(const char *path)
{
	char *copy = talloc_strdup(NULL, path);

	for (char *p = copy; p != NULL && (p = strchr(p + 1, '/')) != NULL;) {
		*p = '\0';
		(void)mkdir(copy, 0755);         /* what fails is said by who opens the file */
		*p = '/';
	}
	talloc_free(copy);
}

int ticket_key_make(const char *path, unsigned uid, unsigned gid)
{
	uint64_t random;
	char *temp;
	int r;

	if (access(path, F_OK) == 0)
		return 0;
	make_folders(path);
	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -EIO;
	temp = talloc_asprintf(NULL, "%s.%016llx", path, (unsigned long long)random);
	if (temp == NULL)
		return -ENOMEM;
	r = write_key(temp, uid, gid);
	/* never half a key, and never another one than who came first made */
	if (r == 0 && link(temp, path) != 0 && errno != EEXIST)
		r = -errno;
	unlink(temp);
	talloc_free(temp);
	return r;
}

bool ticket_write(const uint8_t key[TICKET_KEY], const char *id, const char *data, size_t len, char text_r[TICKET_TEXT])
{
	static const char purpose[] = "winnow release 1";
	uint8_t digest[HASH_SHA256], block[sizeof(purpose) + 80 + HASH_SHA256];
	size_t id_len = strlen(id) + 1;

	if (id_len > 80 || !hash_sha256(data, len, digest))
		return false;
	memcpy(block, purpose, sizeof(purpose));
	memcpy(block + sizeof(purpose), id, id_len);
	memcpy(block + sizeof(purpose) + id_len, digest, sizeof(digest));
	if (!hash_hmac_sha256(key, TICKET_KEY, block, sizeof(purpose) + id_len + sizeof(digest), digest))
		return false;
	hash_text(digest, text_r);
	return true;
}

bool ticket_fits(const uint8_t key[TICKET_KEY], const char *id, const char *data, size_t len, const char *text)
{
	char right[TICKET_TEXT];

	return strlen(text) == TICKET_TEXT - 1 && ticket_write(key, id, data, len, right) && hash_equal(right, text, TICKET_TEXT - 1);
}
