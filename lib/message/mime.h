/* mime.h - the structure of a message: its parts as GMime reads them, within limits */
#ifndef WINNOW_MESSAGE_MIME_H
#define WINNOW_MESSAGE_MIME_H

#include <stdbool.h>
#include <stddef.h>

#include <talloc.h>

#include "message/header.h"

struct mime_part {
	unsigned depth;                  /* 0: the message itself */
	struct content_type type;
};

/* Counts leaves, multiparts, and the children of message/rfc822. */
struct mime {
	struct mime_part *parts;         /* in order of appearance */
	size_t n_parts;                  /* counting stops at parts_max + 1 */
	bool too_many;                   /* more than parts_max */
	bool too_deep;                   /* deeper levels than depth_max were not looked at */
	bool partial;                    /* a message/partial (RFC 2046 section 5.2.2) at the top or in any part */
};

/* Once per process, before any thread: initialises GMime. mime_shutdown: after all threads ended. Both counted. */
void mime_init(void);
void mime_shutdown(void);

/* Reads the structure of a whole message (header block, blank line, body; CRLF). Child of parent; never NULL but when memory is out.
 * Bounded: time linear in len, stack independent of what is nested. */
struct mime *mime_parse(TALLOC_CTX *parent, const char *data, size_t len, size_t parts_max, size_t depth_max);

#endif
