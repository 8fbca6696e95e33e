/* test_hash.c - digests against the published examples */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "util/hash.h"

/* FIPS 180-4's examples */
static void sha_256_gives_the_published_digests(void **state)
{
	static const struct { const char *data, *digest; } cases[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};
	uint8_t digest[HASH_SHA256];
	char text[HASH_SHA256_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(hash_sha256(cases[i].data, strlen(cases[i].data), digest));
		hash_text(digest, text);
		assert_string_equal(text, cases[i].digest);
	}
}

/* RFC 4231 section 4 */
static void hmac_gives_the_published_digests(void **state)
{
	static uint8_t b0[20], aa[131];
	struct { const void *key; size_t key_len; const char *data, *digest; } cases[] = {
		{ b0, sizeof(b0), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
		{ "Jefe", 4, "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
		{ aa, sizeof(aa), "Test Using Larger Than Block-Size Key - Hash Key First", "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
	};
	uint8_t digest[HASH_SHA256];
	char text[HASH_SHA256_TEXT];

	(void)state;
	memset(b0, 0x0b, sizeof(b0));
	memset(aa, 0xaa, sizeof(aa));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(hash_hmac_sha256(cases[i].key, cases[i].key_len, cases[i].data, strlen(cases[i].data), digest));
		hash_text(digest, text);
		assert_string_equal(text, cases[i].digest);
	}
}

static void equal_bytes_are_equal_and_others_are_not(void **state)
{
	(void)state;
	assert_true(hash_equal("abcd", "abcd", 4));
	assert_true(hash_equal("abcd", "abcx", 3));
	assert_false(hash_equal("abcd", "abcx", 4));
	assert_false(hash_equal("xbcd", "abcd", 4));
	assert_true(hash_equal("a", "b", 0));
}

static void a_digest_that_grows_is_the_same(void **state)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	uint8_t want[HASH_SHA256], got[HASH_SHA256];
	struct hash *hash = hash_new(mem), *copy;

	(void)state;
	hash_add(hash, "win", 3);
	copy = hash_copy(mem, hash);
	hash_add(hash, "now", 3);
	hash_add(hash, "", 0);
	assert_true(hash_sha256("winnow", 6, want));
	assert_true(hash_end(hash, got));
	assert_memory_equal(got, want, HASH_SHA256);
	assert_true(hash_sha256("win", 3, want));
	assert_true(hash_end(copy, got));
	assert_memory_equal(got, want, HASH_SHA256);
	assert_false(hash_end(NULL, got));
	assert_int_equal(talloc_total_blocks(mem), 1);
	talloc_free(mem);
}

/* Over SHA-256("winnow"), made by python3-dkim and PyNaCl; the Ed25519 key is that of RFC 8463. */
static void signatures_verify_and_no_other_bytes_do(void **state)
{
	static const uint8_t rsa_key[] = {
		0x30, 0x81, 0x9f, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x81, 0x8d, 0x00, 0x30, 0x81,
		0x89, 0x02, 0x81, 0x81, 0x00, 0xe7, 0x54, 0x62, 0x4c, 0xd9, 0xff, 0x14, 0x2f, 0xf3, 0x43, 0x12, 0xf2, 0xb1, 0x0e, 0x3a, 0x19, 0xaf, 0x31, 0x5e,
		0x1c, 0x45, 0x61, 0x82, 0x90, 0x93, 0x83, 0xd9, 0xc6, 0x5c, 0x38, 0x02, 0x97, 0x83, 0x27, 0xfa, 0x92, 0xdb, 0x40, 0x6b, 0x05, 0x5a, 0x90, 0xf9,
		0x4a, 0x81, 0x25, 0x49, 0x6d, 0x4b, 0x99, 0xe3, 0x4d, 0xcd, 0xbe, 0x20, 0x65, 0xa5, 0x28, 0xb3, 0xc8, 0x6a, 0x78, 0xb5, 0xb7, 0x9f, 0x18, 0xd4,
		0x28, 0xb9, 0x2a, 0xa9, 0x0c, 0x8d, 0x74, 0x3c, 0x80, 0xbc, 0xeb, 0x59, 0x07, 0xdd, 0x43, 0xb8, 0xe8, 0x2e, 0xdf, 0xd2, 0x4a, 0xc2, 0x3e, 0x97,
		0x66, 0xf6, 0xbf, 0x6a, 0xcc, 0x5d, 0x81, 0xb4, 0xc9, 0xb0, 0xf2, 0x95, 0x96, 0x69, 0x6b, 0xf5, 0x7c, 0x30, 0x22, 0x46, 0xfc, 0xc4, 0xcd, 0x5e,
		0x6a, 0xd5, 0x68, 0xb8, 0x4c, 0xbc, 0x3d, 0xa9, 0x8c, 0x81, 0xc0, 0xa1, 0x4d, 0x02, 0x03, 0x01, 0x00, 0x01,
	};
	static const uint8_t rsa_signature[] = {
		0x72, 0xa8, 0xc3, 0x64, 0x6d, 0x9c, 0x74, 0x25, 0xdb, 0x34, 0xbb, 0x42, 0x24, 0xd0, 0xa1, 0xa9, 0xab, 0x44, 0x0b, 0x63, 0x59, 0x2e, 0xa5, 0x5b,
		0x02, 0x84, 0x19, 0x3f, 0xa5, 0x69, 0x04, 0x0c, 0x37, 0xd9, 0x42, 0x0e, 0xd8, 0xf5, 0x3d, 0xcd, 0xca, 0xa4, 0xae, 0xd6, 0x33, 0xd4, 0x1f, 0x3e,
		0x89, 0x67, 0xbf, 0x42, 0x20, 0x6e, 0x83, 0xdc, 0x27, 0xad, 0x66, 0x51, 0xae, 0x68, 0xf5, 0xae, 0x97, 0xdf, 0xa0, 0x77, 0x1e, 0x0e, 0x2d, 0x74,
		0xaf, 0xf0, 0xe5, 0xa1, 0xd4, 0x83, 0x55, 0xe2, 0xc4, 0xae, 0x13, 0x29, 0xbe, 0x2d, 0x30, 0x6e, 0x31, 0x12, 0x86, 0xf6, 0xe2, 0xd2, 0x0e, 0x2f,
		0x30, 0x1e, 0x0e, 0xb7, 0x29, 0x81, 0x31, 0xe9, 0x5a, 0x16, 0xd4, 0x24, 0x4f, 0x9a, 0x85, 0x22, 0x76, 0x24, 0x32, 0xce, 0xeb, 0x91, 0x74, 0xb2,
		0xb3, 0x10, 0x93, 0x7c, 0xbb, 0x00, 0x5c, 0xc8,
	};
	static const uint8_t ed_key[] = {
		0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25,
		0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
	};
	static const uint8_t ed_signature[] = {
		0x2a, 0x8b, 0x4d, 0x62, 0x0d, 0x96, 0xac, 0xc6, 0x61, 0x16, 0xd3, 0x64, 0x32, 0x06, 0xda, 0x49, 0xf5, 0xe9, 0x3f, 0xff, 0x6a, 0x29, 0x9b, 0x9d,
		0xa4, 0xbb, 0xa1, 0x16, 0x8b, 0xbe, 0x23, 0x52, 0x93, 0xde, 0x45, 0x04, 0xfa, 0xc1, 0x7f, 0xc9, 0x0a, 0x19, 0x8e, 0xf8, 0x80, 0xa3, 0x8b, 0xde,
		0x7e, 0xd2, 0xf3, 0x85, 0x73, 0x1a, 0x68, 0x5e, 0x0b, 0x9d, 0xe1, 0xfb, 0x01, 0x5d, 0x6e, 0x06,
	};
	uint8_t digest[HASH_SHA256], bad[200];

	(void)state;
	assert_true(hash_sha256("winnow", 6, digest));
	assert_true(hash_verify_rsa(rsa_key, sizeof(rsa_key), digest, rsa_signature, sizeof(rsa_signature)));
	assert_true(hash_verify_ed25519(ed_key, sizeof(ed_key), digest, ed_signature, sizeof(ed_signature)));
	/* each signature with the other's key, cut, and with a bit that differs; no key at all */
	assert_false(hash_verify_rsa(rsa_key, sizeof(rsa_key), digest, ed_signature, sizeof(ed_signature)));
	assert_false(hash_verify_ed25519(ed_key, sizeof(ed_key), digest, rsa_signature, sizeof(rsa_signature)));
	assert_false(hash_verify_rsa(ed_key, sizeof(ed_key), digest, rsa_signature, sizeof(rsa_signature)));
	assert_false(hash_verify_ed25519(rsa_key, sizeof(rsa_key), digest, ed_signature, sizeof(ed_signature)));
	assert_false(hash_verify_rsa(rsa_key, sizeof(rsa_key) - 1, digest, rsa_signature, sizeof(rsa_signature)));
	assert_false(hash_verify_rsa(rsa_key, sizeof(rsa_key), digest, rsa_signature, sizeof(rsa_signature) - 1));
	assert_false(hash_verify_ed25519(ed_key, sizeof(ed_key), digest, ed_signature, sizeof(ed_signature) - 1));
	assert_false(hash_verify_rsa(NULL, 0, digest, rsa_signature, sizeof(rsa_signature)));
	for (size_t i = 0; i < sizeof(rsa_signature); i += 9) {
		memcpy(bad, rsa_signature, sizeof(rsa_signature));
		bad[i] ^= 1;
		assert_false(hash_verify_rsa(rsa_key, sizeof(rsa_key), digest, bad, sizeof(rsa_signature)));
	}
	for (size_t i = 0; i < sizeof(ed_signature); i++) {
		memcpy(bad, ed_signature, sizeof(ed_signature));
		bad[i] ^= 1;
		assert_false(hash_verify_ed25519(ed_key, sizeof(ed_key), digest, bad, sizeof(ed_signature)));
	}
	digest[31] ^= 1;
	assert_false(hash_verify_rsa(rsa_key, sizeof(rsa_key), digest, rsa_signature, sizeof(rsa_signature)));
	assert_false(hash_verify_ed25519(ed_key, sizeof(ed_key), digest, ed_signature, sizeof(ed_signature)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha_256_gives_the_published_digests),
		cmocka_unit_test(hmac_gives_the_published_digests),
		cmocka_unit_test(equal_bytes_are_equal_and_others_are_not),
		cmocka_unit_test(a_digest_that_grows_is_the_same),
		cmocka_unit_test(signatures_verify_and_no_other_bytes_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
