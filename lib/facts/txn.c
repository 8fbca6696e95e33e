/* txn.c - one message within a session: who it comes from */
#include "facts/txn.h"

bool txn_of_stranger(const struct txn *t)
{
	const struct session *s = t->session;

	return !t->outbound && !s->outbound && !s->trusted && !s->relay && s->client.family != 0;
}
