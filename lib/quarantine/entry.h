/* entry.h - an entry of the quarantine as text: ID.entry beside its copy, from which a lost index is made anew (inside of spool.c) */
#ifndef WINNOW_QUARANTINE_ENTRY_H
#define WINNOW_QUARANTINE_ENTRY_H

#include <stdbool.h>
#include <stddef.h>

#include <talloc.h>

#include "quarantine/quarantine.h"

/* Lines "key value"; blanks, controls, non-ASCII and % in values are %XX; a key that is missing is NULL. Child of mem; NULL: out of memory. */
char *entry_print(TALLOC_CTX *mem, const struct quarantine_entry *entry);

/* Reads it back; strings are children of mem. Unknown keys are skipped. false: it is no such text, or memory is out. */
bool entry_parse(TALLOC_CTX *mem, const char *text, size_t len, struct quarantine_entry *entry_r);

#endif
