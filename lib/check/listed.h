/* listed.h - what a check makes of a table's answer */
#ifndef WINNOW_CHECK_LISTED_H
#define WINNOW_CHECK_LISTED_H

#include <stdbool.h>

#include "facts/txn.h"
#include "policy/table.h"

/* True for ANSWER_YES alone. A table that could not be asked accuses nobody: that is a note that bears the option's name. */
bool listed(struct txn *t, const char *option, enum answer answer);

#endif
