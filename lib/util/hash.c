/* hash.c - digests, keyed digests and signatures over digests, by OpenSSL's libcrypto */
#include "util/hash.h"

#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

bool hash_sha256(const void *data, size_t len, uint8_t digest_r[HASH_SHA256])
{
	unsigned n = 0;

	memset(digest_r, 0, HASH_SHA256);
	return EVP_Digest(data, len, digest_r, &n, EVP_sha256(), NULL) == 1 && n == HASH_SHA256;
}

bool hash_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8_t digest_r[HASH_SHA256])
{
	unsigned n = 0;

	memset(digest_r, 0, HASH_SHA256);
	return key_len <= INT_MAX && HMAC(EVP_sha256(), key, (int)key_len, data, len, digest_r, &n) != NULL && n == HASH_SHA256;
}

/* ---- a digest that grows */

struct hash {
	EVP_MD_CTX *md;
	bool failed;
};

static int free_hash(struct hash *hash)
{
	EVP_MD_CTX_free(hash->md);
	return 0;
}

static struct hash *make(TALLOC_CTX *parent)
{
	struct hash *hash = talloc_zero(parent, struct hash);

	if (hash == NULL)
		return NULL;
	hash->md = EVP_MD_CTX_new();
	talloc_set_destructor(hash, free_hash);
	if (hash->md == NULL)
		TALLOC_FREE(hash);
	return hash;
}

struct hash *hash_new(TALLOC_CTX *parent)
{
	struct hash *hash = make(parent);

	if (hash != NULL)
		hash->failed = EVP_DigestInit_ex(hash->md, EVP_sha256(), NULL) != 1;
	return hash;
}

struct hash *hash_copy(TALLOC_CTX *parent, const struct hash *hash)
{
	struct hash *copy = make(parent);

	if (copy != NULL)
		copy->failed = hash->failed || EVP_MD_CTX_copy_ex(copy->md, hash->md) != 1;
	return copy;
}

void hash_add(struct hash *hash, const void *data, size_t len)
{
	if (EVP_DigestUpdate(hash->md, data, len) != 1)
		hash->failed = true;
}

bool hash_end(struct hash *hash, uint8_t digest_r[HASH_SHA256])
{
	unsigned n = 0;
	bool good = hash != NULL && !hash->failed && EVP_DigestFinal_ex(hash->md, digest_r, &n) == 1 && n == HASH_SHA256;

	if (!good)
		memset(digest_r, 0, HASH_SHA256);
	talloc_free(hash);
	return good;
}

/* ---- signatures */

bool hash_verify_rsa(const void *key, size_t key_len, const uint8_t digest[HASH_SHA256], const void *signature, size_t signature_len)
{
	const unsigned char *der = key;
	EVP_PKEY *pkey = key_len <= LONG_MAX ? d2i_PUBKEY(NULL, &der, (long)key_len) : NULL;
	EVP_PKEY_CTX *context = pkey != NULL && EVP_PKEY_get_id(pkey) == EVP_PKEY_RSA ? EVP_PKEY_CTX_new(pkey, NULL) : NULL;
	bool good = context != NULL && EVP_PKEY_verify_init(context) == 1 && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1
		&& EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 && EVP_PKEY_verify(context, signature, signature_len, digest, HASH_SHA256) == 1;

	EVP_PKEY_CTX_free(context);
	EVP_PKEY_free(pkey);
	ERR_clear_error();               /* a queue of this thread's: nobody reads it */
	return good;
}

bool hash_verify_ed25519(const void *key, size_t key_len, const uint8_t digest[HASH_SHA256], const void *signature, size_t signature_len)
{
	EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, key_len);
	EVP_MD_CTX *context = pkey != NULL ? EVP_MD_CTX_new() : NULL;
	bool good = context != NULL && EVP_DigestVerifyInit(context, NULL, NULL, NULL, pkey) == 1 && EVP_DigestVerify(context, signature, signature_len, digest, HASH_SHA256) == 1;

	EVP_MD_CTX_free(context);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	return good;
}

void hash_text(const uint8_t digest[HASH_SHA256], char text_r[HASH_SHA256_TEXT])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < HASH_SHA256; i++) {
		text_r[2 * i] = digits[digest[i] >> 4];
		text_r[2 * i + 1] = digits[digest[i] & 15];
	}
	text_r[2 * HASH_SHA256] = '\0';
}

bool hash_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}
