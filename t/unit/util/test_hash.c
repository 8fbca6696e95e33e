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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha_256_gives_the_published_digests),
		cmocka_unit_test(hmac_gives_the_published_digests),
		cmocka_unit_test(equal_bytes_are_equal_and_others_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
