/* released.h - a copy that was released from the quarantine comes back through us: it is known by its ticket, and not judged by its content again */
#ifndef WINNOW_ENGINE_RELEASED_H
#define WINNOW_ENGINE_RELEASED_H

#include "engine/engine.h"

/* The field's name is evidence.prefix and this; its value "ID TICKET" (quarantine/ticket.h). Every field with the prefix is taken out of what is delivered. */
#define RELEASED_FIELD "-Release"

/* At end of headers: sets ws->claim if a trusted client brings the ticket of a copy that was released within the last day, and the header block is that copy's.
 * The MTA may have put fields on top or at the end, left some out, and completed addresses. What speaks against it becomes the note "release". */
void released_claim(struct winnow_session *ws);

/* At end of message: drops the claim if the body is not the copy's; else it gets the note "released". */
void released_confirm(struct winnow_session *ws);

#endif
