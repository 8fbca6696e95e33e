/* classify.h - the same engine on a file, without an MTA: a dry run that counts, keeps and remembers nothing */
#ifndef WINNOW_ENGINE_CLASSIFY_H
#define WINNOW_ENGINE_CLASSIFY_H

#include "engine/engine.h"
#include "engine/record.h"

/* Hangs on a session that only classifies. */
struct dry_run {
	const struct policy *policy;     /* instead of the recipient's; NULL: as it is */
	bool outbound;
	char *report;                    /* of the last decision; talloc child of this; NULL: none yet */
	bool json;
	int status;                      /* exit status of `winnowctl classify`: 0, 75, 77, 99 */
};

/* What record_write() does for such a session: the report is made, nothing is logged or counted. */
void classify_report(struct winnow_session *ws, const struct record *record);

#endif
