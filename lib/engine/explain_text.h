/* explain_text.h - a record of the journal as text */
#ifndef WINNOW_ENGINE_EXPLAIN_TEXT_H
#define WINNOW_ENGINE_EXPLAIN_TEXT_H

#include <stdio.h>

#include "engine/journal.h"

/* All of it: who, what, the verdict, a table of the checks with their findings, the notes. Printable ASCII, whatever the record holds; the subject UTF-8, as shown() makes it. */
void explain_entry(FILE *f, const struct journal_entry *entry);

/* A line: time, id, event, action, class, from, rcpt, client, detail, with tabs between. */
void explain_line(FILE *f, const struct journal_entry *entry);

#endif
