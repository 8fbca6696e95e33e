/* ticket.h - what makes a released copy known when it comes back: a keyed digest of its id and its bytes */
#ifndef WINNOW_QUARANTINE_TICKET_H
#define WINNOW_QUARANTINE_TICKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/hash.h"

enum { TICKET_KEY = 32, TICKET_TEXT = HASH_SHA256_TEXT };

/* Reads the key. 0; -ENOENT: there is none yet; -EBADMSG: it is no key; -errno. */
int ticket_key_read(const char *path, uint8_t key_r[TICKET_KEY]);

/* Makes a key of random bytes, mode 0600, and the folders above it (0755), unless one is there; its owner becomes uid and gid if uid is not 0. Several processes may try at once: one key comes of it. 0 or -errno. */
int ticket_key_make(const char *path, unsigned uid, unsigned gid);

/* The ticket of a copy as it was kept: 64 hexadecimal digits. false: no digest can be had. */
bool ticket_write(const uint8_t key[TICKET_KEY], const char *id, const char *data, size_t len, char text_r[TICKET_TEXT]);

/* Is it the ticket of this copy? */
bool ticket_fits(const uint8_t key[TICKET_KEY], const char *id, const char *data, size_t len, const char *text);

#endif
