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

/* ---- private keys: an RSA or Ed25519 key that signs digests. Several threads may use one at once. */
struct private_key;

enum { PRIVATE_KEY_TEXT_MAX = 65536 };

/* Reads one from PEM (PKCS #8, PKCS #1; no passphrase), or an Ed25519 key from the base64 of its 32 octets, as dkimpy writes it. A child of parent.
 * NULL with *problem_r (a constant): what it is instead. */
struct private_key *private_key_read(TALLOC_CTX *parent, const char *text, size_t len, const char **problem_r);

/* The same key, counted: it lives as long as either. A child of parent; NULL: out of memory. */
struct private_key *private_key_share(TALLOC_CTX *parent, const struct private_key *key);

bool private_key_is_ed25519(const struct private_key *key);
unsigned private_key_bits(const struct private_key *key);

/* Its public half in the form that the functions above verify with, in base64 (p= of RFC 6376 section 3.6.1, RFC 8463). Child of mem; NULL: out of memory. */
char *private_key_public(TALLOC_CTX *mem, const struct private_key *key);

/* A signature over the digest, as above. A child of mem, its length by talloc_get_size(); NULL: libcrypto refuses it, or has no memory. */
unsigned char *private_key_sign(TALLOC_CTX *mem, const struct private_key *key, const uint8_t digest[HASH_SHA256]);

/* Base64 (RFC 4648) without line ends. Child of mem; NULL: out of memory. */
char *base64_text(TALLOC_CTX *mem, const void *data, size_t len);

/* Small hexadecimal digits and a NUL. */
void hash_text(const uint8_t digest[HASH_SHA256], char text_r[HASH_SHA256_TEXT]);

/* Are the bytes equal? The time it takes says nothing of where they differ. */
bool hash_equal(const void *a, const void *b, size_t len);

#endif
