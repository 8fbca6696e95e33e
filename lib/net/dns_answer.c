/* dns_answer.c - an answer of DNS: one piece of memory that never changes, shared by the resolver's table and all who asked */
#include "net/dns_answer.h"

#include <stdlib.h>
#include <string.h>

struct dns_answer *dns_answer_new(enum answer_status status, const char *canonical, const char *const *records, size_t n)
{
	size_t kept = status == ANSWER_DATA ? n : 0, size = sizeof(struct dns_answer) + (kept + 1) * sizeof(char *);
	size_t canonical_len = canonical != NULL ? strlen(canonical) + 1 : 0;
	struct dns_answer *a;
	char *text;

	for (size_t i = 0; i < kept; i++)
		size += strlen(records[i]) + 1;
	a = malloc(size + canonical_len);
	if (a == NULL)
		return NULL;
	*a = (struct dns_answer){ .status = status, .size = size + canonical_len, .n = kept };
	atomic_init(&a->refs, 1);
	text = (char *)&a->records[kept + 1];
	for (size_t i = 0; i < kept; i++) {
		size_t len = strlen(records[i]) + 1;

		a->records[i] = memcpy(text, records[i], len);
		text += len;
	}
	a->records[kept] = NULL;
	if (canonical != NULL)
		a->canonical = memcpy(text, canonical, canonical_len);
	return a;
}

struct dns_answer *dns_answer_ref(struct dns_answer *answer)
{
	atomic_fetch_add_explicit(&answer->refs, 1, memory_order_relaxed);
	return answer;
}

void dns_answer_unref(struct dns_answer *answer)
{
	if (answer != NULL && atomic_fetch_sub(&answer->refs, 1) == 1)
		free(answer);
}
