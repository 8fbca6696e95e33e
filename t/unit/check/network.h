/* network.h - a zone behind the session of a fixture, and chains run to their end as the engine would; included once by tests that ask, behind fixture.h */
#ifndef WINNOW_T_CHECK_NETWORK_H
#define WINNOW_T_CHECK_NETWORK_H

#include "facts/chain.h"
#include "spf/zone.h"

struct network {
	struct fixture *f;
	struct zone *z;
};

/* queued: answers come one by one when the chains are run, not at once */
static struct network network_new(const char *conf, const char *zone_text, bool queued)
{
	struct network n = { .f = fixture_new(conf), .z = zone_new(zone_text) };

	n.z->queued = queued;
	n.f->s.answers = answers_new(&n.z->asker);
	return n;
}

static void network_free(struct network *n)
{
	answers_unref(n->f->s.answers);
	talloc_free(n->z);
	fixture_free(n->f);
}

/* Asks, twice as at a second policy, waits for the chains (what is silent reads late), judges. */
static void network_judge(struct network *n, const struct check *check, enum stage stage)
{
	struct txn *t = &n->f->t;

	t->stage = stage;
	check->ask[stage](t);
	check->ask[stage](t);
	for (int late = 0; late < 2; late++) {
		answers_late(n->f->s.answers, late);
		do
			for (size_t i = 0; i < t->n_chains; i++)
				if (t->chains[i].progress == CHAIN_PENDING)
					t->chains[i].progress = t->chains[i].run(t, t->chains[i].state);
		while (zone_step(n->z));
	}
	answers_late(n->f->s.answers, false);
	for (size_t i = 0; i < t->n_chains; i++)
		assert_int_equal(t->chains[i].progress, CHAIN_DONE);
	fixture_judge(n->f, check, stage);
}

#endif
