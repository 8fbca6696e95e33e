/* keep.h - the quarantine as a service: opened at start, kept across reloads, opened again when it can be used again */
#ifndef WINNOW_ENGINE_KEEP_H
#define WINNOW_ENGINE_KEEP_H

#include "engine/engine.h"

/* Opens the quarantine that config names, unless the one that is open has that path; the old one is closed when its last user is done. 0 or -errno with *error_r (talloc child of NULL). */
int keep_open(struct winnow_engine *engine, const struct config *config, char **error_r);

/* Closes it: no session is left. */
void keep_close(struct winnow_engine *engine);

#endif
