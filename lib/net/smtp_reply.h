/* smtp_reply.h - what an SMTP server answers, read line by line from any bytes (RFC 5321 section 4.2) */
#ifndef WINNOW_NET_SMTP_REPLY_H
#define WINNOW_NET_SMTP_REPLY_H

#include <stddef.h>

enum {
	SMTP_LINE_MAX = 4096,            /* bytes of a line: the RFC allows 512 */
	SMTP_LINES_MAX = 200,            /* lines of a reply */
	SMTP_TEXT_MAX = 8192             /* bytes of a reply's text that are kept */
};

struct smtp_reply {
	int code;                        /* 200 to 599; 0: none was read */
	char xcode[12];                  /* enhanced code (RFC 2034); "" if there is none that fits the code */
	char text[SMTP_TEXT_MAX];        /* without code and enhanced code, lines joined by LF; controls and NUL are "?", other bytes as they came */
	size_t text_len;
};

struct smtp_reader {
	char line[SMTP_LINE_MAX];
	size_t len;
	unsigned lines;
	int error;
};

/* Begins a new reply. */
void smtp_reader_begin(struct smtp_reader *reader, struct smtp_reply *reply);

/* Takes the next bytes, in pieces of any length; *used_r: how many belong to this reply. Lines may end with LF alone.
 * 1: the reply is complete; 0: there is more to come; -EPROTO: that is no reply of SMTP; -EMSGSIZE: a line without end, or lines without end. An error is the end. */
int smtp_reader_take(struct smtp_reader *reader, struct smtp_reply *reply, const char *data, size_t len, size_t *used_r);

#endif
