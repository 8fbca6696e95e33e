/* smtp_reply.c - what an SMTP server answers, read line by line from any bytes (RFC 5321 section 4.2) */
#include "net/smtp_reply.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

void smtp_reader_begin(struct smtp_reader *r, struct smtp_reply *reply)
{
	r->len = 0;
	r->lines = 0;
	r->error = 0;
	reply->code = 0;
	reply->xcode[0] = '\0';
	reply->text[0] = '\0';
	reply->text_len = 0;
}

/* One to three digits: how many. */
static size_t number_at(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && n < 4 && digit(text[n]))
		n++;
	return n <= 3 ? n : 0;
}

/* The length of an enhanced code (class.subject.detail) at the beginning of the text, if its class is the code's; else 0. */
static size_t enhanced_length(const char *text, size_t len, char class)
{
	size_t subject, detail;

	if (len < 5 || text[0] != class || text[1] != '.')
		return 0;
	subject = number_at(text + 2, len - 2);
	if (subject == 0 || 2 + subject >= len || text[2 + subject] != '.')
		return 0;
	detail = number_at(text + 3 + subject, len - 3 - subject);
	if (detail == 0)
		return 0;
	len -= 3 + subject + detail;
	return len == 0 || text[3 + subject + detail] == ' ' ? 3 + subject + detail : 0;
}

static void add_text(struct smtp_reply *reply, bool first, const char *text, size_t len)
{
	if (!first && reply->text_len < SMTP_TEXT_MAX - 1)
		reply->text[reply->text_len++] = '\n';
	for (size_t i = 0; i < len && reply->text_len < SMTP_TEXT_MAX - 1; i++) {
		unsigned char c = (unsigned char)text[i];

		reply->text[reply->text_len++] = c == '\t' ? ' ' : c < ' ' || c == 0x7f ? '?' : (char)c;
	}
	reply->text[reply->text_len] = '\0';
}

/* 1: it was the last line; 0: more follow; -EPROTO. */
static int line_take(struct smtp_reader *r, struct smtp_reply *reply)
{
	const char *text = r->line;
	size_t len = r->len, enhanced;
	bool last;
	int code;

	if (len > 0 && text[len - 1] == '\r')
		len--;
	if (len < 3 || text[0] < '2' || text[0] > '5' || !digit(text[1]) || !digit(text[2]) || (len > 3 && text[3] != ' ' && text[3] != '-'))
		return -EPROTO;
	code = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
	/* RFC 5321 section 4.2.1: the code is the same in each line */
	if (reply->code != 0 && reply->code != code)
		return -EPROTO;
	reply->code = code;
	last = len == 3 || text[3] == ' ';
	len = len > 4 ? len - 4 : 0;
	text = len > 0 ? text + 4 : "";
	enhanced = enhanced_length(text, len, (char)('0' + code / 100));
	if (enhanced > 0) {
		if (reply->xcode[0] == '\0') {
			memcpy(reply->xcode, text, enhanced);
			reply->xcode[enhanced] = '\0';
		}
		enhanced += enhanced < len;
	}
	add_text(reply, r->lines == 0, text + enhanced, len - enhanced);
	r->lines++;
	return last;
}

int smtp_reader_take(struct smtp_reader *r, struct smtp_reply *reply, const char *data, size_t len, size_t *used_r)
{
	size_t at = 0;
	int result = r->error;

	while (result == 0 && at < len) {
		char c = data[at++];

		if (c != '\n') {
			if (r->len == SMTP_LINE_MAX)
				result = -EMSGSIZE;
			else
				r->line[r->len++] = c;
			continue;
		}
		result = line_take(r, reply);
		r->len = 0;
		if (result == 0 && r->lines == SMTP_LINES_MAX)
			result = -EMSGSIZE;
	}
	*used_r = at;
	if (result < 0)
		r->error = result;
	return result;
}
