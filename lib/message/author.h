/* author.h - the author domain of a message (RFC 9989 section 3.2.2): that of its From, if it has one and no more */
#ifndef WINNOW_MESSAGE_AUTHOR_H
#define WINNOW_MESSAGE_AUTHOR_H

#include "message/header.h"

enum author_state {
	AUTHOR_MISSING,                  /* no From */
	AUTHOR_ONE,                      /* one From, all its mailboxes in one domain */
	AUTHOR_SEVERAL,                  /* several From fields, several domains, or more mailboxes than anybody needs: none of them is "the" author */
	AUTHOR_UNREADABLE                /* no mailbox with a domain that DNS could know stands there */
};

struct author {
	enum author_state state;
	const char *domain;              /* A-labels, lower case; NULL unless AUTHOR_ONE */
	bool malformed;                  /* the field can be read in two ways, or not to its end: what a mail program shows may be something else */
};

/* Reads From among n fields: groups, comments, quoted strings, encoded words in names. domain is a child of mem. */
struct author author_of(TALLOC_CTX *mem, const struct header_field *fields, size_t n);

/* "no From", ...: why there is no author domain; "" where there is one */
const char *author_problem(enum author_state state);

#endif
