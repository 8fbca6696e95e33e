/* fuzz_smtp_reply.c - any bytes as a server's reply, whole and in pieces: both ways must come to the same */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/smtp_reply.h"

static void require(int condition)
{
	if (!condition)
		abort();
}

static void check(const struct smtp_reply *reply, int result)
{
	require(result == 0 || result == 1 || result == -EPROTO || result == -EMSGSIZE);
	require(reply->text_len < SMTP_TEXT_MAX && strlen(reply->text) == reply->text_len && strlen(reply->xcode) < sizeof(reply->xcode));
	require(result != 1 || (reply->code >= 200 && reply->code <= 599));
	require(reply->xcode[0] == '\0' || reply->xcode[0] == '0' + reply->code / 100);
	for (size_t i = 0; i < reply->text_len; i++)
		require((unsigned char)reply->text[i] >= ' ' || reply->text[i] == '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct smtp_reader *reader = malloc(2 * sizeof(*reader));
	struct smtp_reply *reply = malloc(2 * sizeof(*reply));
	size_t used = 0, at = 0;
	int whole, pieces = 0;

	smtp_reader_begin(&reader[0], &reply[0]);
	whole = smtp_reader_take(&reader[0], &reply[0], (const char *)data, size, &used);
	check(&reply[0], whole);
	require(used <= size && (whole != 0 || used == size));
	smtp_reader_begin(&reader[1], &reply[1]);
	while (pieces == 0 && at < size) {
		size_t n = 1 + data[at] % 7, got;

		pieces = smtp_reader_take(&reader[1], &reply[1], (const char *)data + at, n < size - at ? n : size - at, &got);
		at += got;
	}
	check(&reply[1], pieces);
	require(whole == pieces && used == at && reply[0].code == reply[1].code && strcmp(reply[0].text, reply[1].text) == 0 && strcmp(reply[0].xcode, reply[1].xcode) == 0);
	free(reader);
	free(reply);
	return 0;
}
