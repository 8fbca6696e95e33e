/* message.h - one message while it arrives: fields, bytes in memory or in an unlinked file, line lengths */
#ifndef WINNOW_MESSAGE_MESSAGE_H
#define WINNOW_MESSAGE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <talloc.h>

#include "message/header.h"
#include "message/mime.h"

/* Bytes of all messages in memory together; shared by all sessions, changed atomically. Owner: the engine. */
struct message_budget;
struct message_budget *message_budget_new(TALLOC_CTX *parent, uint64_t max);
void message_budget_set_max(struct message_budget *budget, uint64_t max);
uint64_t message_budget_used(const struct message_budget *budget);

struct message_limits {
	size_t memory_max;               /* a message larger than this moves to a file */
	const char *spool;               /* folder of that file; must outlive the message; NULL: there is none, the message stays in memory while the budget lasts */
	size_t header_total_max;         /* bytes of header fields that are kept; beyond them fields are counted and dropped (header_cut); 0: no limit */
	size_t fields_max;               /* the same for their number */
};

struct message {
	struct header_field *fields;     /* in order of arrival */
	size_t n_fields;
	bool header_cut;                 /* fields beyond the limits were dropped */
	bool header_closed;
	uint64_t size;                   /* bytes of header block (dropped fields too), blank line and body, with CRLF line ends */
	uint64_t body_size;
	size_t line_max;                 /* longest physical line in octets without its line end, header and body */
	bool first_body_line_known;      /* the first line of the body is complete (a closed message's always is, if there is one) or 80 bytes long */
	char first_body_line[81];        /* its beginning (a header block that ended early begins here) */
	const struct mime *mime;         /* structure; NULL until message_close() */
};

/* A new message: a talloc child of parent; what it holds of the budget is given back when it is freed. NULL: out of memory.
 * budget must outlive it; limits are copied (spool is not). */
struct message *message_new(TALLOC_CTX *parent, struct message_budget *budget, const struct message_limits *limits);

/* Takes a field (name and value as libmilter gives them with HDR_LEADSPC), closes the header block, takes a piece of the body (any bytes, any length, CRLF may be split).
 * The first piece of the body closes the header block if nobody did. -EINVAL: a field after the header block, anything after message_close(); nothing changes.
 * 0; -ENOSPC, -EIO, -ENOMEM, ...: the message cannot be kept (spool full, memory_total reached and no spool): it is broken from then on, further calls return the same error,
 * what is counted goes on being counted. */
int message_add_field(struct message *message, const char *name, const char *value);
int message_close_header(struct message *message);
int message_add_body(struct message *message, const void *data, size_t len);

/* The message is complete: its structure is read (at most once; at most parts_max + 1 parts and depth_max levels). 0 or the error of before. */
int message_close(struct message *message, size_t parts_max, size_t depth_max);

/* All bytes of the message, header block first (the fields that were kept, with CRLF line ends), then the body as it arrived.
 * Valid until the message is freed or grows. 0 or -errno. */
int message_bytes(struct message *message, const char **data_r, size_t *len_r);

/* First field of that name at or after position from; NULL if none. Its position is field - message->fields. */
const struct header_field *message_field(const struct message *message, const char *name, size_t from);

#endif
