/* chain.h - questions that need answers to know the next question (SPF includes, MX then A): pure functions over the table of answers, run again as answers come */
#ifndef WINNOW_FACTS_CHAIN_H
#define WINNOW_FACTS_CHAIN_H

#include "facts/class.h"
#include "net/answers.h"

struct txn;

enum chain_state { CHAIN_PENDING, CHAIN_DONE };

/* Looks into t->session->answers by answers_get(). CHAIN_PENDING: an answer that it needs is not there; it is run again, from its beginning, when answers came.
 * When the deadline of the stage passed what is pending reads ANSWER_LATE, and it is run once more: it must then come to an end. It never waits. */
typedef enum chain_state chain_run(struct txn *t, void *state);

struct chain {
	chain_run *run;
	void *state;                     /* of the check; lives as long as the transaction or session */
	enum stage wanted;               /* the first stage whose judges need it */
	enum chain_state progress;
};

/* Starts a chain, in an ask hook of MAIL or later: it is run at once, so that its first questions go out, and finished before the judges of stage `wanted`.
 * A session without a network (no asker) has no answers: the chain is not started and false comes back. Before MAIL an ask hook only sends its first questions,
 * by answers_get(): a chain belongs to its message. What a chain keeps beyond its stage it copies: at the next MAIL, and at DATA, the table may be another one. */
bool chain_start(struct txn *t, chain_run *run, void *state, enum stage wanted);

#endif
