/* arc.h - the ARC check's options, and what a trusted chain says for a message whose own proof broke on the way */
#ifndef WINNOW_CHECK_ARC_H
#define WINNOW_CHECK_ARC_H

#include "facts/txn.h"
#include "policy/setting.h"

enum { ARC_SETTING_ENABLED, ARC_SETTING_TRUSTED_SEALERS };
extern const struct setting arc_settings[];

/* Does a chain of sealers that arc.trusted_sealers names, from the last one downwards, state that the message passed for this author domain (org: its organizational domain) when the
 * first of them saw it? Then a comment for reports (RFC 8617 section 7.2.2), a child of mem; else NULL. A chain that does not pass, of which another sealer is the last one, or that
 * does not cover the whole body, says nothing. */
char *arc_vouches(struct txn *t, TALLOC_CTX *mem, const char *from, const char *org);

#endif
