/* hash.c - digests and keyed digests, by OpenSSL's libcrypto */
#include "util/hash.h"

#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

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
