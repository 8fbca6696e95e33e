/* sign.h - outbound mail is signed (DKIM), last of all, as the MTA will send it */
#ifndef WINNOW_ENGINE_SIGN_H
#define WINNOW_ENGINE_SIGN_H

#include "engine/engine.h"

/* Asks for the signatures of an accepted outbound message, over its header with all changes that were asked for so far. Nothing to sign, or a dry run: nothing happens.
 * NULL, or why it could not be signed (a child of t->mem, or a constant): it must not leave then. */
const char *sign_message(struct winnow_session *ws);

#endif
