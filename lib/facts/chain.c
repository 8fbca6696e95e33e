/* chain.c - starts chains; the engine's stage.c runs them to their end */
#include "facts/chain.h"

#include <talloc.h>

#include "facts/txn.h"

bool chain_start(struct txn *t, chain_run *run, void *state, enum stage wanted)
{
	struct chain *grown;

	if (t->session->answers == NULL)
		return false;
	grown = talloc_realloc(t->lasting, t->chains, struct chain, t->n_chains + 1);
	if (grown == NULL)
		return false;
	t->chains = grown;
	t->chains[t->n_chains++] = (struct chain){ .run = run, .state = state, .wanted = wanted, .progress = run(t, state) };
	return true;
}
