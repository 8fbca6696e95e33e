/* finding.h - what checks report: findings, notes, and changes to the mail that they ask for */
#ifndef WINNOW_FACTS_FINDING_H
#define WINNOW_FACTS_FINDING_H

#include <stdbool.h>
#include <stddef.h>

#include <talloc.h>

#include "facts/class.h"

struct txn;

struct finding {
	enum class_id class;
	enum stage stage;                /* where it was made */
	const char *check;               /* who made it: a check's name, or "engine" */
	double strength;                 /* 0..1 */
	const char *detail;              /* one line, printable ASCII; never NULL */
	bool shown;                      /* the detail may be told to the sender, in the reply */
	enum class_case special;         /* its enhanced code is the case's, where it is refused */
};

/* A growing list; at most one finding a class is kept, the strongest (the first among equals). */
struct findings {
	struct finding *v;
	size_t n;
};

/* Reports a finding at the present stage: kept with the session (connect, command), the recipient (rcpt) or the transaction.
 * A class that the catalogue gives to the other direction is not kept: direction is the catalogue's business, not each check's.
 * The detail is made printable (other bytes as \xNN) and cut at 400 bytes. */
void finding(struct txn *t, enum class_id class, double strength, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same, with a detail that the sender may read in the reply: it says nothing of our lists, tables and recipients. */
void finding_shown(struct txn *t, enum class_id class, double strength, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same as finding_shown(), for a case of the class that has an enhanced code of its own. */
void finding_case(struct txn *t, enum class_id class, double strength, enum class_case special, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The same into a list of one's choice; the array grows as a child of mem, the finding's strings are not copied. false: the list has a stronger one of that class, or memory is out. */
bool findings_add(TALLOC_CTX *mem, struct findings *list, const struct finding *f);

/* The finding of that class in the list, or NULL. */
const struct finding *findings_get(const struct findings *list, enum class_id class);

/* Drops the findings that were made at that stage, by finding(): their details are freed. */
void findings_drop_stage(struct findings *list, enum stage stage);

/* A service that did not answer, or something that was not looked at: "clamav=timeout". name: a service or check; kept once each with the last reason.
 * Shown as unavailable=NAME in evidence and notes=NAME:reason in the log. Kept until the message ends. */
struct note {
	const char *name, *reason;
};

void note(struct txn *t, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Takes a note back that later facts made untrue. */
void note_drop(struct txn *t, const char *name);

/* A required service failed: internal-error; an optional one: a note. */
void unavailable(struct txn *t, const char *service, bool required, const char *format, ...) __attribute__((format(printf, 4, 5)));

enum change_kind {
	CHANGE_ADD_HEADER,               /* put on top: name, value */
	CHANGE_DELETE_HEADER,            /* name, index (1-based among that name) */
	CHANGE_SET_HEADER,               /* the first of that name gets this value (added where there is none) */
	CHANGE_DELETE_RECIPIENT,         /* value: exactly as it came in RCPT */
	CHANGE_SENDER,                   /* value: the new envelope sender */
	CHANGE_HOLD                      /* value: the reason */
};

struct change {
	enum change_kind kind;
	const char *name, *value;
	unsigned index;
};

/* Asks for a change, carried out at end of message if the message is accepted. Strings are copied. */
void change(struct txn *t, enum change_kind kind, const char *name, unsigned index, const char *value);

/* Copies text as printable ASCII: other bytes as \xNN; at most max bytes, then "...". Child of mem. */
char *printable(TALLOC_CTX *mem, const char *text, size_t max);

#endif
