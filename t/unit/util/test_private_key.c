/* test_private_key.c - private keys of util/hash.h: the published pair, PEM, what is no key, signatures against the public half */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "util/hash.h"

static const char rsa_pem[] =
	"-----BEGIN RSA PRIVATE KEY-----\n"
	"MIICXQIBAAKBgQCurbEHP6wIPndNr4CfsTEyMQ1PYch24RQuAELmmgdLV1Dke0kX\n"
	"luUcFE8bg681hcS97VQPRtTIf2gSbIWVSgD2A5KweJfMjU/rt6Ah3b+C5OfvFWSQ\n"
	"j2hE54iAxXS4jqIATBhq58DrsSgUhTJO35Zxqcd7fVUbD54fRvFh4njf4QIDAQAB\n"
	"AoGAMNAk6kumvV8HY9Qpc3bGsqn2eDpxFJdtVjWIfHyKkUlDN7YkBM2MFL6wJJY1\n"
	"/hT1l8WcefBnQegoow1kfwWBIsfnB+UqUi0wsNwW1T5GTIrum9KIEWEVWjQF+86x\n"
	"QEd3Oj40y7bz2CW3e66s8QBOsHPVKxxo6TDshlMV7WZfa6kCQQDlJ/JyFvoVTDxd\n"
	"SO3OtS1BmKMMUaE+abKV3E7j9faG2cGQe6HwrPbdMGudnqM+xIZSzXpzkgdN/gyl\n"
	"aJzyLfNfAkEAwyQK4DMOP0csAEvVk9A6nU+YD9dN5+w2xPazs9rcop0VegLpgqTs\n"
	"ugdaF6AzFtRsvoigUEvuWj7EDM0BQ980vwJAbHmHc+hag6Bt5r6yC6qJ/MYzUI6H\n"
	"pJLGPdhm49Q32cfUr/9GPjayOSxFlPxWTE0dRK8N6w1SNeIvvFEUEjQcQwJBAIub\n"
	"8qf5/vxoh+NiXdfVhsnbEvhqWhNOHNUHhwNq1qUEa0QSZ0uPgMmKzvrOIx73NSGP\n"
	"j9pCqLEp7IsX9ArB2vMCQQCaTvmKnhY+Xq638Ur3pJjQll/txP2deXi2va3WFosF\n"
	"rPl9Ul1RciMNqsRyuzlywHQGej+/YwdfIC7zHHpNUYH8\n"
	"-----END RSA PRIVATE KEY-----\n";
static const char ed25519_pem[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VwBCIEIPcRREUgz4HYAMrfOg7R/+vRkbA4dmvpm32Vqe5uZUR4\n"
	"-----END PRIVATE KEY-----\n";
static const char ec_pem[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgRZo3XucXD/zz2SFI\n"
	"ORN0PkfYHA3/qtULXnB1D2MhE82hRANCAASxba/GdVflWNldLs2RHRzGW5OX4Hx0\n"
	"RM0t6lmJe9qYdTSb7feeozp5duRnVr0jTcTgS47qEYgdmBvrhVcS0THJ\n"
	"-----END PRIVATE KEY-----\n";
static const char locked_pem[] =
	"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
	"MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhFhEwlcH55PQICCAAw\n"
	"DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEECn7lrluCuUrBRPP6clD5QcEQFsD\n"
	"31Eht5DF+cw8ZroViRBFgSUS/zFusmML3dnBHNkV3pKbNROw2NJeVlo7BZRRoprs\n"
	"IkjjqkSkwHyQbATkakg=\n"
	"-----END ENCRYPTED PRIVATE KEY-----\n";

/* RFC 8463 appendix A.2; RFC 8032 section 7.1, test 1 */
static const char seed[] = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";

static struct private_key *read_text(const char *text, const char **problem_r)
{
	*problem_r = NULL;
	return private_key_read(NULL, text, strlen(text), problem_r);
}

/* Base64 of the public half back into octets, by hand: nothing of ours is trusted here. */
static size_t decode(const char *text, unsigned char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = 0;
	unsigned bits = 0, held = 0;

	for (; *text != '\0' && *text != '='; text++) {
		held = held << 6 | (unsigned)(strchr(digits, *text) - digits);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (unsigned char)(held >> bits);
		}
	}
	return n;
}

static void the_published_seed_has_the_published_public_key(void **state)
{
	const char *problem;
	struct private_key *key = read_text(seed, &problem);
	char *public = private_key_public(key, key);

	(void)state;
	assert_true(private_key_is_ed25519(key));
	assert_string_equal(public, "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
	talloc_free(key);
}

static void what_is_signed_verifies_and_nothing_else_does(void **state)
{
	static const struct { const char *text; bool ed25519; size_t len; } cases[] = { { rsa_pem, false, 128 }, { ed25519_pem, true, 64 }, { seed, true, 64 } };
	uint8_t digest[HASH_SHA256], other[HASH_SHA256];

	(void)state;
	assert_true(hash_sha256("a", 1, digest) && hash_sha256("b", 1, other));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *problem;
		struct private_key *first = read_text(cases[i].text, &problem), *key = private_key_share(NULL, first);
		bool (*verify)(const void *, size_t, const uint8_t *, const void *, size_t) = cases[i].ed25519 ? hash_verify_ed25519 : hash_verify_rsa;
		unsigned char public[1000], *signature;
		size_t n = decode(private_key_public(first, first), public);

		talloc_free(first);              /* the other one lives on */
		assert_int_equal(private_key_is_ed25519(key), cases[i].ed25519);
		signature = private_key_sign(key, key, digest);
		assert_int_equal(talloc_get_size(signature), cases[i].len);
		assert_true(verify(public, n, digest, signature, cases[i].len));
		assert_false(verify(public, n, other, signature, cases[i].len));
		signature[5] ^= 1;
		assert_false(verify(public, n, digest, signature, cases[i].len));
		talloc_free(key);
	}
}

static void what_is_no_key_is_named(void **state)
{
	static const struct { const char *text, *problem; } cases[] = {
		{ "", "it holds no private key" },
		{ "\n\n", "it holds no private key" },
		{ "no key", "it holds no private key" },
		{ "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "it holds no private key" },
		{ "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2==", "it holds no private key" },
		{ "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", "it holds no private key" },
		{ "nWGx*e/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=", "it holds no private key" },
		{ ec_pem, "it is no key of RSA or Ed25519" },
		{ locked_pem, "it is locked by a passphrase" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *problem;

		assert_null(read_text(cases[i].text, &problem));
		assert_string_equal(problem, cases[i].problem);
	}
}

static void base64_is_that_of_rfc_4648(void **state)
{
	static const struct { const char *data, *text; } cases[] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "foobar", "Zm9vYmFy" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = base64_text(NULL, cases[i].data, strlen(cases[i].data));

		assert_string_equal(text, cases[i].text);
		talloc_free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_seed_has_the_published_public_key),
		cmocka_unit_test(what_is_signed_verifies_and_nothing_else_does),
		cmocka_unit_test(what_is_no_key_is_named),
		cmocka_unit_test(base64_is_that_of_rfc_4648),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
