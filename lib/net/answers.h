/* answers.h - the answers of the network that one session has asked for: a table that fills while chains look into it */
#ifndef WINNOW_NET_ANSWERS_H
#define WINNOW_NET_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What became of a question. Only ANSWERED and the two empty ones say something of the name; the others are silence and never make anybody guilty. */
enum answer_status {
	ANSWER_PENDING,                  /* asked, nothing came yet */
	ANSWER_DATA,                     /* records */
	ANSWER_EMPTY,                    /* the name exists, without records of this type */
	ANSWER_NXDOMAIN,
	ANSWER_FAILED,                   /* SERVFAIL, REFUSED, unreadable */
	ANSWER_LATE                      /* no answer before the deadline */
};

enum { ANSWERS_MAX = 512, ANSWER_NAME_MAX = 255 };   /* questions in a table; length of a name */

struct answers;
struct dns_answer;                       /* dns_answer.h */

/* Who asks the network. ask() starts a question and returns at once; answers_give() follows from any thread, at once or later or never. */
struct asker {
	void (*ask)(void *context, struct answers *answers, uint16_t type, const char *name);
	void *context;
};

/* Reference counted, outside any session's talloc tree: an answer may come when the session is gone. One reference for the caller. NULL: out of memory. asker must outlive it. */
struct answers *answers_new(const struct asker *asker);
struct answers *answers_ref(struct answers *answers);
void answers_unref(struct answers *answers);

/* The answer to (type, name), or ANSWER_PENDING: then the question is registered and asked, the first time. name: case does not matter.
 * A dot at its end does not matter either. *records_r: n strings in presentation form, valid until the last unref; NULL and 0 unless ANSWER_DATA.
 * Too many questions or a name that is too long: ANSWER_FAILED. */
enum answer_status answers_get(struct answers *answers, uint16_t type, const char *name, const char *const **records_r, size_t *n_r);

/* Of an answer that answers_get() has given: was it validated by a resolver that we trust (DNSSEC)? Where did its CNAMEs end (NULL: it had none)? */
bool answers_secure(struct answers *answers, uint16_t type, const char *name);
const char *answers_canonical(struct answers *answers, uint16_t type, const char *name);

/* Questions in the table so far. */
size_t answers_count(struct answers *answers);

/* An answer came (any thread); strings are copied. What was answered before, or never asked, is ignored. */
void answers_give(struct answers *answers, uint16_t type, const char *name, enum answer_status status, const char *const *records, size_t n);

/* The same without copies: answers takes a reference of its own. */
void answers_share(struct answers *answers, uint16_t type, const char *name, struct dns_answer *answer);

/* Waits until an answer came since the count *seen (which is brought up to date), or until deadline (clock_mono). false: the deadline passed, or nothing is outstanding. */
bool answers_wait(struct answers *answers, uint64_t *seen, int64_t deadline);

/* How long answers_wait() has waited so far, all calls together, in microseconds: what an evaluation with a limit of its own measures. */
int64_t answers_waited(struct answers *answers);

/* Who has such a limit wants to be run again when it is reached: answers_wait() then returns true, once, though nothing came. The earliest wish counts. */
void answers_wake(struct answers *answers, int64_t waited);

/* While late is true what is pending reads ANSWER_LATE: the deadline of a stage passed, and its chains must come to an end. The questions stay asked, for later stages. */
void answers_late(struct answers *answers, bool late);

#endif
