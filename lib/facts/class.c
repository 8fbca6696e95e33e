/* class.c - the catalogue of reasons as data; the only reader of classes.def */
#include "facts/class.h"

#include <string.h>

#define DIR_IN DIRECTION_IN
#define DIR_OUT DIRECTION_OUT
#define DIR_BOTH DIRECTION_BOTH
#define KEEP_YES true
#define KEEP_NO false

static const struct class_row rows[CLASS_COUNT] = {
#define CLASS(name, id, dir, stage, act, code, xcode, keep, byp, seeds, title, text, evidence, decided_by) \
	[CLASS_##name] = { id, DIR_##dir, STAGE_##stage, ACT_##act, code, xcode, KEEP_##keep, BYPASS_##byp, seeds, title, text, evidence, decided_by },
#include "classes.def"
#undef CLASS
};

static const struct { enum class_id class; const char *xcode; } cases[CASE_COUNT] = {
	[CASE_USUAL] = { CLASS_COUNT, NULL },
#define CLASS(...)
#define CODE(name, class, xcode) [CASE_##name] = { CLASS_##class, xcode },
#include "classes.def"
#undef CODE
#undef CLASS
};

static const char *const stage_names[STAGE_COUNT + 1] = {
	[STAGE_CONNECT] = "connect", [STAGE_HELO] = "helo", [STAGE_MAIL] = "mail", [STAGE_RCPT] = "rcpt", [STAGE_COMMAND] = "command",
	[STAGE_DATA] = "data", [STAGE_EOH] = "eoh", [STAGE_BODY] = "body", [STAGE_EOM] = "eom", [STAGE_ANY] = "any",
};

static const char *const action_names[ACT_COUNT] = {
	[ACT_IGNORE] = "ignore", [ACT_SCORE] = "score", [ACT_ACCEPT] = "accept", [ACT_TAG] = "tag", [ACT_HOLD] = "hold",
	[ACT_TEMPFAIL] = "tempfail", [ACT_DISCARD] = "discard", [ACT_QUARANTINE] = "quarantine", [ACT_REJECT] = "reject",
};

const struct class_row *class_row(enum class_id id)
{
	return &rows[id];
}

const char *class_xcode(enum class_id id, enum class_case special)
{
	return cases[special].class == id ? cases[special].xcode : rows[id].xcode;
}

const char *class_evidence(enum class_id id)
{
	return rows[id].evidence[0] ? rows[id].evidence : rows[id].title;
}

enum class_id class_find(const char *id)
{
	for (int i = 0; i < CLASS_COUNT; i++)
		if (strcmp(rows[i].id, id) == 0)
			return (enum class_id)i;
	return CLASS_COUNT;
}

enum action class_default_action(enum class_id id)
{
	return rows[id].keep ? ACT_QUARANTINE : rows[id].action;
}

const char *stage_name(enum stage stage)
{
	return stage_names[stage];
}

const char *action_name(enum action action)
{
	return action_names[action];
}

const char *direction_name(enum direction d)
{
	static const char *const names[] = { "in", "out", "both" };

	return names[d];
}

enum action action_find(const char *name)
{
	for (int i = 0; i < ACT_COUNT; i++)
		if (strcmp(action_names[i], name) == 0)
			return (enum action)i;
	return ACT_COUNT;
}
