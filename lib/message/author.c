/* author.c - the author domain: never the first of several, which is how the others would slip through */
#include "message/author.h"

#include <string.h>

#include "message/address.h"
#include "util/domain.h"

enum { MAILBOXES_MAX = 100 };

/* All mailboxes in one domain? */
static struct author of_list(TALLOC_CTX *mem, const struct mailbox_list *list)
{
	struct author author = { .state = AUTHOR_UNREADABLE, .malformed = list->malformed };

	if (list->cut) {
		author.state = AUTHOR_SEVERAL;
		return author;
	}
	for (size_t i = 0; i < list->n; i++) {
		const char *domain = domain_ascii(mem, list->v[i].address.domain);

		if (domain == NULL)
			return (struct author){ .state = list->n > 1 ? AUTHOR_SEVERAL : AUTHOR_UNREADABLE, .malformed = list->malformed };
		if (author.domain != NULL && strcmp(author.domain, domain) != 0)
			return (struct author){ .state = AUTHOR_SEVERAL, .malformed = list->malformed };
		author.state = AUTHOR_ONE;
		author.domain = domain;
	}
	return author;
}

struct author author_of(TALLOC_CTX *mem, const struct header_field *fields, size_t n)
{
	struct author author = { .state = AUTHOR_MISSING };
	const struct header_field *from = NULL;
	struct mailbox_list list;
	TALLOC_CTX *scratch;

	for (size_t i = 0; i < n; i++) {
		if (!header_name_equal(fields[i].name, "From"))
			continue;
		if (from != NULL)
			return (struct author){ .state = AUTHOR_SEVERAL };
		from = &fields[i];
	}
	if (from == NULL)
		return author;
	scratch = talloc_new(mem);
	list = address_list_parse(scratch, from->value, from->value_len, MAILBOXES_MAX);
	author = of_list(scratch, &list);
	if (author.state == AUTHOR_ONE) {
		author.domain = talloc_strdup(mem, author.domain);
		if (author.domain == NULL)
			author.state = AUTHOR_UNREADABLE;
	}
	talloc_free(scratch);
	return author;
}

const char *author_problem(enum author_state state)
{
	static const char *const problems[] = { "no From", "", "From of several domains", "From without a domain" };

	return problems[state];
}
