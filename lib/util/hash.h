/* hash.h - digests and keyed digests, by OpenSSL's libcrypto */
#ifndef WINNOW_UTIL_HASH_H
#define WINNOW_UTIL_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HASH_SHA256 = 32, HASH_SHA256_TEXT = 65 };

/* SHA-256 (FIPS 180-4) of len bytes. false: libcrypto refuses it, or has no memory; then the result is zero. */
bool hash_sha256(const void *data, size_t len, uint8_t digest_r[HASH_SHA256]);

/* HMAC-SHA-256 (RFC 2104). false as above. */
bool hash_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8_t digest_r[HASH_SHA256]);

/* Small hexadecimal digits and a NUL. */
void hash_text(const uint8_t digest[HASH_SHA256], char text_r[HASH_SHA256_TEXT]);

/* Are the bytes equal? The time it takes says nothing of where they differ. */
bool hash_equal(const void *a, const void *b, size_t len);

#endif
