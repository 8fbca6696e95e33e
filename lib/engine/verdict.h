/* verdict.h - findings and a policy to one action: the only place where precedence lives */
#ifndef WINNOW_ENGINE_VERDICT_H
#define WINNOW_ENGINE_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "facts/class.h"
#include "facts/finding.h"
#include "facts/txn.h"
#include "policy/policy.h"

struct verdict_input {
	const struct policy *policy;
	bool outbound;                           /* classes of inbound mail alone do not count */
	enum stage stage;                        /* now */
	const struct findings *lists[3];         /* of the session, the transaction, the recipient; NULL: none */
	struct list_word word;                   /* what the recipient's lists say of the sender */
	bool no_recipient_left;                  /* end of message: every accepted recipient is a black hole */
	const char *rate_behaviour;              /* rate.messages_connection_behaviour; NULL: "drop" */
	bool only_421_closes;                    /* the MTA hangs up after 421, and not after 521 */
	bool no_copies;                          /* this client has enough copies in the quarantine: what would be kept is refused at its own stage */
	bool released;                           /* a copy that was released from the quarantine: neither its content nor what had put it there is held against it again */
};

struct verdict {
	enum action action;                      /* what is done: accept, tag, hold, tempfail, discard, quarantine, reject */
	enum action intended;                    /* what the policy would do in mode enforce */
	enum class_id class;                     /* whose code and text: the deciding class of `intended`, or of `action` where a class acts in every mode */
	const struct finding *finding;           /* its finding; NULL for not-spam */
	bool now;                                /* a refusal or deferral that is given at this stage; everything else waits for the end of the message */
	bool blackhole;                          /* RCPT: the policy lets this recipient's mail vanish (in mode enforce it is taken off at end of message) */
	bool close;                              /* the connection is closed with the reply */
	int code;
	const char *xcode, *text;                /* text: the catalogue's or the operator's, without detail and id */
};

/* Pure: no clock, no memory, no services. The result points into the input. */
void verdict_decide(const struct verdict_input *input, struct verdict *verdict_r);

/* What the verdict wants could not be done, a copy kept or a signature made: it becomes a deferral (internal-error), so that nothing is lost or leaves unsigned. */
void verdict_without_copy(struct verdict *verdict);

/* Does a finding count in this policy for this sender: not ignored, not opened by an allow list? What evidence lists. */
bool verdict_counts(const struct finding *f, const struct verdict_input *input);

#endif
