/* stage.c - ask, wait, judge: the hooks of a stage, chains run again as answers come, deadlines */
#include "engine/engine.h"

#include "engine/services.h"
#include "facts/chain.h"
#include "util/clock.h"

static bool enabled(const struct txn *t, const struct check *check)
{
	return setting_bool(t->policy, &check->settings[0]);
}

/* Calls one hook, and counts what it took. */
static void call(struct txn *t, size_t i, void (*hook)(struct txn *))
{
	int64_t before;

	if (hook == NULL || !enabled(t, checks[i]))
		return;
	before = clock_mono();
	t->check = checks[i]->name;
	hook(t);
	t->check = NULL;
	t->spent[i] += (uint32_t)(clock_mono() - before);
}

void stage_ask(struct txn *t, enum stage stage)
{
	t->stage = stage;
	for (size_t i = 0; checks[i] != NULL; i++)
		call(t, i, checks[i]->ask[stage]);
}

/* Runs what is pending and wanted by that stage; true: something still is. */
static bool run_chains(struct txn *t, enum stage stage)
{
	bool pending = false;

	for (size_t i = 0; i < t->n_chains; i++) {
		struct chain *c = &t->chains[i];

		if (c->progress == CHAIN_PENDING && c->wanted <= stage)
			c->progress = c->run(t, c->state);
		pending |= c->progress == CHAIN_PENDING && c->wanted <= stage;
	}
	return pending;
}

int64_t stage_deadline(const struct txn *t, enum stage stage)
{
	return clock_mono() + setting_ms(t->policy, stage_deadline_row(stage)) * 1000;
}

/* Answers that come for one chain let all of them go on, so that a stage costs its slowest chain, not their sum. */
static void finish_chains(struct txn *t, enum stage stage)
{
	struct answers *answers = t->session->answers;
	int64_t deadline;
	uint64_t seen = 0;

	if (answers == NULL || t->n_chains == 0)
		return;
	deadline = stage_deadline(t, stage);
	if (t->answer_by != 0 && t->answer_by < deadline)
		deadline = t->answer_by;
	run_chains(t, STAGE_COUNT);              /* those of later stages go a step further too: their next questions run meanwhile */
	while (run_chains(t, stage)) {
		if (answers_wait(answers, &seen, deadline))
			continue;
		answers_late(answers, true);
		run_chains(t, stage);
		answers_late(answers, false);
		break;
	}
}

void stage_judge(struct txn *t, enum stage stage)
{
	int64_t before = clock_mono();

	t->stage = stage;
	finish_chains(t, stage);
	for (size_t i = 0; checks[i] != NULL; i++)
		call(t, i, checks[i]->judge[stage]);
	if (t->session->stats != NULL)
		stats_stage(t->session->stats, stage, clock_mono() - before);
}
