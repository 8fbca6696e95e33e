/* structure.h - the options of structure.c: the engine reads two of them when it closes a message */
#ifndef WINNOW_CHECK_STRUCTURE_H
#define WINNOW_CHECK_STRUCTURE_H

#include "policy/setting.h"

enum {
	STRUCTURE_ENABLED, STRUCTURE_LINE_LENGTH_MAX, STRUCTURE_DEPTH_MAX, STRUCTURE_PARTS_MAX, STRUCTURE_SIZE_MAX, STRUCTURE_SIZE_MAX_OUTGOING,
	STRUCTURE_SETTING_COUNT
};

/* STRUCTURE_DEPTH_MAX (global) and STRUCTURE_PARTS_MAX (the transaction's policy) are the limits of message_close(); 0: none. */
extern const struct setting structure_settings[];

#endif
