/* fuzz_mail_hosts.c - any domain, and any text as its MX and addresses: hosts come sorted, bounded, and with the addresses that can be read */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/nameser.h>

#include "net/mail_hosts.h"

static void require(int condition)
{
	if (!condition)
		abort();
}

/* Lines: the domain; then records, "M" or "A" or "6" before the text; "!" before a letter: that question fails, "-" nothing is said. */
struct lines {
	char *line[1024];
	size_t n;
};

static void answer(void *context, struct answers *answers, uint16_t type, const char *name)
{
	const struct lines *l = context;
	char letter = type == ns_t_mx ? 'M' : type == ns_t_a ? 'A' : '6';
	const char *records[1024];
	size_t n = 0;

	for (size_t i = 1; i < l->n; i++) {
		const char *line = l->line[i];

		if (line[0] == '-' && line[1] == letter)
			return;
		if (line[0] == '!' && line[1] == letter) {
			answers_give(answers, type, name, ANSWER_FAILED, NULL, 0);
			return;
		}
		if (line[0] == letter)
			records[n++] = line + 1;
	}
	answers_give(answers, type, name, n > 0 ? ANSWER_DATA : ANSWER_NXDOMAIN, records, n);
}

static void check(const struct mail_hosts *h, enum mail_question question)
{
	require(h->n <= MAIL_HOSTS_MAX && (h->state != MAIL_UNKNOWN || h->why[0] != '\0'));
	require(h->state != MAIL_TO_HOSTS || h->n > 0);
	require(!mail_hosts_missing(h) || h->state != MAIL_UNKNOWN);
	for (size_t i = 0; i < h->n; i++) {
		require(h->implicit || strcmp(h->hosts[i].name, ".") != 0);
		require(i == 0 || h->hosts[i - 1].preference <= h->hosts[i].preference);
		require((h->hosts[i].n_ips > 0) == (h->hosts[i].state == HOST_FOUND));
		require(question == MAIL_ASK_NAMES || h->hosts[i].state != HOST_UNASKED);
		for (size_t j = 0; j < h->hosts[i].n_ips; j++)
			require(h->hosts[i].ips[j].family == 4 || h->hosts[i].ips[j].family == 6);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct lines l = { .n = 0 };

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	for (char *line = text, *end; line != NULL && l.n < 1024; line = end) {
		end = strchr(line, '\n');
		if (end != NULL)
			*end++ = '\0';
		l.line[l.n++] = line;
	}
	for (int q = MAIL_ASK_NAMES; q <= MAIL_ASK_HOST; q++) {
		const struct asker asker = { answer, &l };
		struct answers *answers = answers_new(&asker);
		TALLOC_CTX *mem = talloc_new(NULL);
		struct mail_hosts h;

		if (mail_hosts(mem, answers, l.line[0], (enum mail_question)q, &h) == MAIL_PENDING) {
			answers_late(answers, true);
			require(mail_hosts(mem, answers, l.line[0], (enum mail_question)q, &h) != MAIL_PENDING);
		}
		check(&h, (enum mail_question)q);
		talloc_free(mem);
		answers_unref(answers);
	}
	free(text);
	return 0;
}
