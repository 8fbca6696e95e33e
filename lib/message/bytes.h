/* bytes.h - the bytes of a message: a growing buffer that moves to an unlinked file, within a budget (inside of message.c) */
#ifndef WINNOW_MESSAGE_BYTES_H
#define WINNOW_MESSAGE_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <talloc.h>

struct message_budget;

/* A number that nobody outside knows: the hash over field names begins with it. */
uint64_t message_budget_seed(const struct message_budget *budget);

struct bytes {
	TALLOC_CTX *mem;                 /* parent of the buffer */
	struct message_budget *budget;
	const char *spool;               /* folder of the file; NULL: there is none, everything stays in memory */
	size_t memory_max;
	uint64_t charged;                /* what is held of the budget in all */
	char *buffer;
	size_t len, size;                /* of the buffer */
	int fd;                          /* -1 while the bytes are in the buffer */
	uint64_t file_len;
	void *map;
	size_t map_len;
};

void bytes_init(struct bytes *bytes, TALLOC_CTX *mem, struct message_budget *budget, const char *spool, size_t memory_max);

/* Frees what is not talloc'ed and gives everything back to the budget. For a destructor: allocates nothing. */
void bytes_done(struct bytes *bytes);

/* Takes n bytes of the budget for other copies of the message; if they are not there, the buffer moves to the file and gives its own back. 0; -ENOMEM or the error of the move. */
int bytes_charge(struct bytes *bytes, size_t n);
void bytes_discharge(struct bytes *bytes, uint64_t n);

/* Appends the pieces (which are used up). 0 or -errno: then the bytes are good for nothing but bytes_drop(). */
int bytes_append(struct bytes *bytes, struct iovec *pieces, int n);

/* All bytes in one piece, until the next call that changes them. 0 or -errno. */
int bytes_map(struct bytes *bytes, const char **data_r, size_t *len_r);

/* Forgets the bytes; what bytes_charge() took stays taken. */
void bytes_drop(struct bytes *bytes);

#endif
