/* hash.c - digests, keyed digests and signatures over digests, by OpenSSL's libcrypto */
#include "util/hash.h"

#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
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

/* ---- private keys */

enum { ED25519_OCTETS = 32, ED25519_TEXT = 44 };

struct private_key {
	EVP_PKEY *pkey;
};

static int free_private_key(struct private_key *key)
{
	EVP_PKEY_free(key->pkey);
	return 0;
}

/* Takes pkey over. */
static struct private_key *own_key(TALLOC_CTX *parent, EVP_PKEY *pkey)
{
	struct private_key *key = talloc(parent, struct private_key);

	if (key == NULL) {
		EVP_PKEY_free(pkey);
		return NULL;
	}
	key->pkey = pkey;
	talloc_set_destructor(key, free_private_key);
	return key;
}

/* Nobody is there to be asked for a passphrase; *context remembers that one was wanted. */
static int no_passphrase(char *buffer, int size, int writing, void *context)
{
	(void)buffer;
	(void)size;
	(void)writing;
	*(bool *)context = true;
	return -1;
}

static EVP_PKEY *read_pem(const char *text, size_t len, bool *locked_r)
{
	BIO *bio = BIO_new_mem_buf(text, (int)len);
	EVP_PKEY *pkey = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, locked_r) : NULL;

	BIO_free(bio);
	return pkey;
}

/* The base64 of 32 octets, and blanks behind it. */
static EVP_PKEY *read_seed(const char *text, size_t len)
{
	unsigned char seed[ED25519_TEXT / 4 * 3];
	EVP_PKEY *pkey = NULL;

	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r' || text[len - 1] == ' '))
		len--;
	if (len == ED25519_TEXT && text[ED25519_TEXT - 1] == '=' && text[ED25519_TEXT - 2] != '=' && EVP_DecodeBlock(seed, (const unsigned char *)text, ED25519_TEXT) == sizeof(seed))
		pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_OCTETS);
	OPENSSL_cleanse(seed, sizeof(seed));
	return pkey;
}

struct private_key *private_key_read(TALLOC_CTX *parent, const char *text, size_t len, const char **problem_r)
{
	bool locked = false;
	EVP_PKEY *pkey = len <= PRIVATE_KEY_TEXT_MAX ? read_seed(text, len) : NULL;
	struct private_key *key = NULL;

	if (pkey == NULL && len <= PRIVATE_KEY_TEXT_MAX)
		pkey = read_pem(text, len, &locked);
	ERR_clear_error();
	if (pkey == NULL) {
		*problem_r = locked ? "it is locked by a passphrase" : "it holds no private key";
	} else if (EVP_PKEY_get_id(pkey) != EVP_PKEY_RSA && EVP_PKEY_get_id(pkey) != EVP_PKEY_ED25519) {
		*problem_r = "it is no key of RSA or Ed25519";
		EVP_PKEY_free(pkey);
	} else {
		*problem_r = "there is no memory";
		key = own_key(parent, pkey);
	}
	return key;
}

struct private_key *private_key_share(TALLOC_CTX *parent, const struct private_key *key)
{
	return EVP_PKEY_up_ref(key->pkey) == 1 ? own_key(parent, key->pkey) : NULL;
}

bool private_key_is_ed25519(const struct private_key *key)
{
	return EVP_PKEY_get_id(key->pkey) == EVP_PKEY_ED25519;
}

unsigned private_key_bits(const struct private_key *key)
{
	int bits = EVP_PKEY_get_bits(key->pkey);

	return bits > 0 ? (unsigned)bits : 0;
}

char *private_key_public(TALLOC_CTX *mem, const struct private_key *key)
{
	unsigned char raw[ED25519_OCTETS], *der = NULL;
	size_t len = sizeof(raw);
	char *text = NULL;
	int n;

	if (private_key_is_ed25519(key))
		return EVP_PKEY_get_raw_public_key(key->pkey, raw, &len) == 1 ? base64_text(mem, raw, len) : NULL;
	n = i2d_PUBKEY(key->pkey, &der);
	if (n > 0)
		text = base64_text(mem, der, (size_t)n);
	OPENSSL_free(der);
	ERR_clear_error();
	return text;
}

static bool sign_rsa(EVP_PKEY *pkey, const uint8_t digest[HASH_SHA256], unsigned char *out, size_t *len)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(pkey, NULL);
	bool good = context != NULL && EVP_PKEY_sign_init(context) == 1 && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1
		&& EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 && EVP_PKEY_sign(context, out, len, digest, HASH_SHA256) == 1;

	EVP_PKEY_CTX_free(context);
	return good;
}

static bool sign_ed25519(EVP_PKEY *pkey, const uint8_t digest[HASH_SHA256], unsigned char *out, size_t *len)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good = context != NULL && EVP_DigestSignInit(context, NULL, NULL, NULL, pkey) == 1 && EVP_DigestSign(context, out, len, digest, HASH_SHA256) == 1;

	EVP_MD_CTX_free(context);
	return good;
}

unsigned char *private_key_sign(TALLOC_CTX *mem, const struct private_key *key, const uint8_t digest[HASH_SHA256])
{
	int size = EVP_PKEY_get_size(key->pkey);
	size_t len = size > 0 ? (size_t)size : 0;
	unsigned char *out = talloc_array(mem, unsigned char, len);
	bool good = out != NULL && (private_key_is_ed25519(key) ? sign_ed25519 : sign_rsa)(key->pkey, digest, out, &len);

	ERR_clear_error();
	if (!good)
		TALLOC_FREE(out);
	return good ? talloc_realloc(mem, out, unsigned char, len) : NULL;
}

char *base64_text(TALLOC_CTX *mem, const void *data, size_t len)
{
	char *text = len <= INT_MAX / 2 ? talloc_array(mem, char, (len + 2) / 3 * 4 + 1) : NULL;

	if (text != NULL)
		EVP_EncodeBlock((unsigned char *)text, data, (int)len);
	return text;
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
