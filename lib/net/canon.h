/* canon.h - canonical forms of fields and bodies, hashed as they are made (RFC 6376 section 3.4) */
#ifndef WINNOW_NET_CANON_H
#define WINNOW_NET_CANON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <talloc.h>

#include "net/dkim.h"
#include "util/hash.h"

/* Adds a field. cut, cut_len: a part of its value that is left out, as the signature itself is (section 3.7); line_end: CRLF follows. Line ends within it become CRLF first. */
void canon_field(struct hash *hash, const struct dkim_field *field, bool relaxed, size_t cut, size_t cut_len, bool line_end);

/* The hash of a body that comes in pieces: any bytes, any length, CRLF may be split. Child of parent. limit: octets of the canonical body that are hashed (l=); -1: all of them.
 * NULL: out of memory. */
struct canon_body;
struct canon_body *canon_body_new(TALLOC_CTX *parent, bool relaxed, int64_t limit);
void canon_body_add(struct canon_body *body, const void *data, size_t len);

/* The body has ended. *octets_r: of the canonical body, hashed or not. false: libcrypto failed. The digest may be asked for once. */
bool canon_body_end(struct canon_body *body, uint8_t digest_r[HASH_SHA256], uint64_t *octets_r);

#endif
