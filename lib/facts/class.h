/* class.h - the catalogue of reasons as data; the only reader of classes.def */
#ifndef WINNOW_FACTS_CLASS_H
#define WINNOW_FACTS_CLASS_H

#include <stdbool.h>

enum class_id {
#define CLASS(name, ...) CLASS_##name,
#include "classes.def"
#undef CLASS
	CLASS_COUNT
};

/* Cases of a class that have an enhanced code of their own (RFC 7505: a null MX). */
enum class_case {
	CASE_USUAL,
#define CLASS(...)
#define CODE(name, ...) CASE_##name,
#include "classes.def"
#undef CODE
#undef CLASS
	CASE_COUNT
};

enum direction { DIRECTION_IN, DIRECTION_OUT, DIRECTION_BOTH };

/* Where a finding is made. Arrays of hooks are indexed by it. */
enum stage {
	STAGE_CONNECT, STAGE_HELO, STAGE_MAIL, STAGE_RCPT, STAGE_COMMAND, STAGE_DATA, STAGE_EOH, STAGE_BODY, STAGE_EOM,
	STAGE_COUNT,
	STAGE_ANY = STAGE_COUNT          /* in the catalogue only */
};

/* What is done, weakest first: the strongest wins (architecture: reject > quarantine > discard > tempfail > hold > tag > accept). */
enum action {
	ACT_IGNORE,                      /* the finding does not count at all */
	ACT_SCORE,                       /* it feeds the combined score only */
	ACT_ACCEPT,                      /* it labels an accepted message */
	ACT_TAG, ACT_HOLD, ACT_TEMPFAIL, ACT_DISCARD, ACT_QUARANTINE, ACT_REJECT,
	ACT_COUNT
};

/* What an allow list may open. */
enum bypass { BYPASS_NO, BYPASS_YES, BYPASS_PROOF };

struct class_row {
	const char *id;
	enum direction direction;
	enum stage stage;                /* STAGE_ANY: of no stage of its own */
	enum action action;              /* reject, tempfail, discard or accept: as the catalogue says */
	int code;
	const char *xcode;               /* enhanced code, RFC 3463 */
	bool keep;                       /* a copy is kept: acts as ACT_QUARANTINE by default */
	enum bypass bypass;
	const char *seeds;
	const char *title;
	const char *text;                /* of the reply */
	const char *evidence;            /* what headers and log show; "" in the catalogue becomes the title (see class_evidence) */
	const char *decided_by;
};

/* The row of a class; id < CLASS_COUNT. */
const struct class_row *class_row(enum class_id id);

/* The enhanced code of a case of that class; the row's where the case is not one of it. */
const char *class_xcode(enum class_id id, enum class_case special);

/* What evidence shows of a class: its evidence text, or its title. */
const char *class_evidence(enum class_id id);

/* The class named id ("helo-is-us"), or CLASS_COUNT. */
enum class_id class_find(const char *id);

/* The action a class has when no policy says otherwise: its row's, or ACT_QUARANTINE where a copy is kept. */
enum action class_default_action(enum class_id id);

const char *stage_name(enum stage stage);        /* "connect", ... "eom"; "any" */
const char *action_name(enum action action);     /* "ignore", "score", "accept", "tag", "hold", "tempfail", "discard", "quarantine", "reject" */
const char *direction_name(enum direction d);    /* "in", "out", "both" */

/* "reject", ... to the action, or ACT_COUNT. */
enum action action_find(const char *name);

#endif
