/* fuzz_dns_answer.c - any bytes as an answer of DNS to a question: what is read is bounded, of the right kind, and holds no NUL */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/dns_wire.h"

static void require(int condition)
{
	if (!condition)
		abort();
}

static void check(const struct dns_answer *a, const uint8_t *packet)
{
	size_t text = 0;

	require(a->status == ANSWER_DATA || a->status == ANSWER_EMPTY || a->status == ANSWER_NXDOMAIN || a->status == ANSWER_FAILED);
	require((a->status == ANSWER_DATA) == (a->n > 0) && a->n <= DNS_RECORDS_MAX && a->records[a->n] == NULL);
	require(a->status != ANSWER_NXDOMAIN || a->rcode == DNS_NXDOMAIN);
	require(a->rcode == (packet[3] & 15) && a->secure == ((packet[3] & 0x20) != 0));
	require(a->canonical == NULL || strlen(a->canonical) < 1025);
	for (size_t i = 0; i < a->n; i++)
		text += strlen(a->records[i]) + 1;
	require(text <= DNS_TEXT_MAX && a->size >= text);
}

/* Which question: that of the packet, so that more than the first line of defence is met. */
static int question(const uint8_t *data, size_t size, struct dns_name *name, uint16_t *type)
{
	size_t at = 12;

	while (at < size && data[at] != 0 && data[at] < 64)
		at += 1 + (size_t)data[at];
	if (at + 5 > size || data[at] != 0 || at + 1 - 12 > DNS_NAME_MAX)
		return 0;
	name->len = at + 1 - 12;
	memcpy(name->bytes, data + 12, name->len);
	*type = (uint16_t)(data[at + 1] << 8 | data[at + 2]);
	return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_name name, other;
	struct dns_answer *answer;
	uint16_t type;
	int result;

	require(dns_name("www.example.com", &other));
	result = dns_read(data, size, 1, &other, &answer);
	require((result == 0) == (answer != NULL) && (result == 0 || result == -EBADMSG));
	if (answer != NULL)
		check(answer, data);
	dns_answer_unref(answer);
	if (!question(data, size, &name, &type))
		return 0;
	result = dns_read(data, size, type, &name, &answer);
	require((result == 0) == (answer != NULL) && (result == 0 || result == -EBADMSG));
	if (answer != NULL)
		check(answer, data);
	dns_answer_unref(answer);
	return 0;
}
