/* mime.h - the structure of a message: its parts, within limits */
#ifndef WINNOW_MESSAGE_MIME_H
#define WINNOW_MESSAGE_MIME_H

#include <stdbool.h>
#include <stddef.h>

#include <talloc.h>

#include "message/header.h"

struct mime_part {
	unsigned depth;                  /* 0: the message itself */
	struct content_type type;        /* of the first Content-Type field; without one text/plain, in a multipart/digest message/rfc822 */
};

/* Counts leaves, multiparts, and the children of message/rfc822. */
struct mime {
	struct mime_part *parts;         /* in order of appearance */
	size_t n_parts;                  /* counting stops at parts_max + 1 */
	bool too_many;                   /* more than parts_max */
	bool too_deep;                   /* deeper levels than depth_max were not looked at */
	bool partial;                    /* a message/partial (RFC 2046 section 5.2.2) at the top or in any part */
};

/* Before any thread: initialises GMime (counted). mime_shutdown: after all threads ended, at the end of a process: GMime cannot be begun again after the last one. */
void mime_init(void);
void mime_shutdown(void);

/* Reads the structure of a whole message (header block, blank line, body; CRLF or LF). Child of parent; never NULL but when memory is out.
 * Parts begin and end where GMime's parser sees them, but its parser itself is not let loose on strangers' bytes (mime.c says why).
 * Each Content-Type is read by content_type_parse() and by GMime; where the two or several Content-Type fields of one entity disagree, all that they say counts:
 * it is a multipart if one says so, with each boundary that is announced, and partial if one says so.
 * At most depth_max levels, and never more than 1000. Bounded: time linear in len, stack independent of what is nested, memory by parts_max and the longest Content-Type. */
struct mime *mime_parse(TALLOC_CTX *parent, const char *data, size_t len, size_t parts_max, size_t depth_max);

#endif
