/* hash.h - digests, keyed digests and signatures over digests, by OpenSSL's libcrypto */
#ifndef WINNOW_UTIL_HASH_H
#define WINNOW_UTIL_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <talloc.h>

enum { HASH_SHA256 = 32, HASH_SHA256_TEXT = 65 };

/* SHA-256 (FIPS 180-4) of len bytes. false: libcrypto refuses it, or has no memory; then the result is zero. */
bool hash_sha256(const void *data, size_t len, uint8_t digest_r[HASH_SHA256]);

/* HMAC-SHA-256 (RFC 2104). false as above. */
bool hash_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8_t digest_r[HASH_SHA256]);

/* A SHA-256 that grows. Child of parent; NULL: out of memory. Once something failed it gives false at its end. */
struct hash;
struct hash *hash_new(TALLOC_CTX *parent);
struct hash *hash_copy(TALLOC_CTX *parent, const struct hash *hash);     /* with all that was added so far */
void hash_add(struct hash *hash, const void *data, size_t len);

/* Its digest; the hash is used up, and freed. hash NULL: false. false as above. */
bool hash_end(struct hash *hash, uint8_t digest_r[HASH_SHA256]);

/* Is signature one over this SHA-256 digest? RSA: PKCS #1 v1.5, the key a SubjectPublicKeyInfo in DER (RFC 6376 section 3.6.1).
 * Ed25519: the signature is over the digest's 32 octets, the key has 32 octets (RFC 8463). What is no key, or no memory: false. */
bool hash_verify_rsa(const void *key, size_t key_len, const uint8_t digest[HASH_SHA256], const void *signature, size_t signature_len);
bool hash_verify_ed25519(const void *key, size_t key_len, const uint8_t digest[HASH_SHA256], const void *signature, size_t signature_len);

/* Small hexadecimal digits and a NUL. */
void hash_text(const uint8_t digest[HASH_SHA256], char text_r[HASH_SHA256_TEXT]);

/* Are the bytes equal? The time it takes says nothing of where they differ. */
bool hash_equal(const void *a, const void *b, size_t len);

#endif
