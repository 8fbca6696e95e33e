/* keep.h - the quarantine as a service: opened at start, kept across reloads, opened again when it can be used again */
#ifndef WINNOW_ENGINE_KEEP_H
#define WINNOW_ENGINE_KEEP_H

#include "engine/engine.h"

/* Opens the quarantine that config names, unless the one that is open has that path; the old one is closed when its last user is done. 0 or -errno with *error_r (talloc child of NULL). */
int keep_open(struct winnow_engine *engine, const struct config *config, char **error_r);

/* The service begins, after keep_open(): old copies are removed from now on, and new ones counted (quarantine.rate_max). */
void keep_begin(struct winnow_engine *engine);

/* The configuration has changed. */
void keep_changed(struct winnow_engine *engine);

/* Ends it: no session is left. */
void keep_close(struct winnow_engine *engine);

/* May a copy of this client's message be kept? take: one is; then keep_copy() follows. A trusted client's always, as nothing of it is counted. */
bool keep_allowed(struct winnow_session *ws, bool take);

/* Keeps a copy of the message: 0 when it is on disk, or -errno: it is logged. */
int keep_copy(struct winnow_session *ws);

/* A copy that was kept, as quarantine_show(). -ENOENT: there is none. */
int keep_read(struct winnow_engine *engine, TALLOC_CTX *mem, const char *id, struct quarantine_entry *entry_r, char **data_r, size_t *len_r);

/* The quarantine as it is open now, held until it is let go; NULL: it could not be opened. */
struct kept_quarantine *keep_hold(struct winnow_engine *engine);
/* The same, opened anew where it was lost, or where another folder stands at its path now. NULL, with *error_r (talloc child of NULL; it may be NULL too): it cannot be opened. */
struct kept_quarantine *keep_hold_good(struct winnow_engine *engine, char **error_r);
struct quarantine *keep_held(const struct kept_quarantine *held);
const char *keep_held_path(const struct kept_quarantine *held);
void keep_let_go(struct kept_quarantine *held);

#endif
