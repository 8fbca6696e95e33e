/* test_dkim_sign.c - signatures that we make, verified by the verifier, and what h= names */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dkim/verify.h"
#include "net/canon.h"
#include "net/dkim_sign.h"

/* RFC 8463 appendix A.2 */
static const char seed[] = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=\n";
static const char record[] = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

static const char *const headers[] = { "From", "Subject", "X-Old", "subject", NULL };
static const char *const oversign[] = { "From", "To", "Subject", "Date", "message-id", NULL };
static const char *const none[] = { NULL };

enum { NOW = 1700000000 };

static struct private_key *key_of(TALLOC_CTX *mem)
{
	const char *problem = NULL;
	struct private_key *key = private_key_read(mem, seed, strlen(seed), &problem);

	assert_non_null(key);
	return key;
}

static struct dkim_sign_options options_of(TALLOC_CTX *mem)
{
	return (struct dkim_sign_options){ .domain = "a.example", .selector = "s", .key = key_of(mem), .headers = headers, .oversign = oversign, .now = NOW };
}

static void digest_of(const struct verify *v, bool relaxed, uint8_t digest[HASH_SHA256])
{
	struct canon_body *body = canon_body_new(NULL, relaxed, -1);
	uint64_t octets;

	canon_body_add(body, v->body, v->body_len);
	assert_true(canon_body_end(body, digest, &octets));
	talloc_free(body);
}

/* Signs, verifies with one field more on top (NULL: none), and gives the value; a child of mem. */
static char *sign_and_verify(TALLOC_CTX *mem, const char *message, const struct dkim_sign_options *o, const char *top, enum dkim_result want)
{
	struct verify *v = verify_read(message, strlen(message)), *w;
	struct dkim_options options = { .signatures_max = 10, .bits_min = 1024, .now = NOW };
	struct dkim_library *library = dkim_library_new(NULL);
	struct zone *z = zone_new("");
	uint8_t digest[HASH_SHA256];
	const char *problem = NULL;
	struct dkim_facts *facts;
	char *value, *text;

	zone_add(z, talloc_asprintf(mem, "s._domainkey.a.example TXT %s", record));
	digest_of(v, o->relaxed_body, digest);
	value = dkim_sign(mem, v->fields, v->n_fields, digest, o, &problem);
	if (value == NULL)
		fail_msg("%s: %s", message, problem);
	text = talloc_asprintf(mem, "%sDKIM-Signature:%s\n%s", top != NULL ? top : "", value, message);
	w = verify_read(text, strlen(text));
	facts = verify_run(w, library, z, &options, 0, 5);
	assert_int_equal(facts->n, 1);
	if (facts->v[0].result != want)
		fail_msg("%s: %s %s", text, dkim_result_name(facts->v[0].result), facts->v[0].problem);
	talloc_free(w);
	talloc_free(v);
	talloc_free(z);
	talloc_free(library);
	return value;
}

static void every_form_passes(void **state)
{
	static const char *const messages[] = {
		"From: a@a.example\nSUBJECT:  b \n\tc  \nDate:x\nX-Old: 1\nX-Old: 2\n\nbody \t x\r\n\r\n", "From:a@a.example\n\n", "From: a@a.example\nReceived: x\n\n\r\n\r\n", "From: a@a.example\nTo: x\nTo: y\n\nno end",
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	struct dkim_sign_options o = options_of(mem);

	(void)state;
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		for (int form = 0; form < 4; form++) {
			o.relaxed_header = form & 1;
			o.relaxed_body = form & 2;
			sign_and_verify(mem, messages[i], &o, NULL, DKIM_PASS);
			sign_and_verify(mem, messages[i], &o, "X-New: 1\n", DKIM_PASS);
			sign_and_verify(mem, messages[i], &o, "To: z\n", DKIM_FAIL);
			sign_and_verify(mem, messages[i], &o, "From: z@a.example\n", DKIM_FAIL);
			sign_and_verify(mem, messages[i], &o, "Subject: z\n", DKIM_FAIL);
		}
	}
	talloc_free(mem);
}

static void h_names_what_is_there_and_once_more_what_is_oversigned(void **state)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct dkim_sign_options o = options_of(mem);
	char *value = sign_and_verify(mem, "X-Old: 1\nFrom: a@a.example\nX-Old: 2\nSubject: s\nDate: d\n\n", &o, NULL, DKIM_PASS);

	(void)state;
	/* Message-ID is not there, and an MTA may add it */
	assert_non_null(strstr(value, "h=From:From:Subject:Subject:X-Old:X-Old:To:Date:Date;"));
	assert_null(strstr(value, "x="));
	assert_non_null(strstr(value, " v=1; a=ed25519-sha256; c=simple/simple; d=a.example;\n\ts=s; t=1700000000;"));
	o.expires = 4000000000;          /* libopendkim looks at the clock itself */
	o.relaxed_header = o.relaxed_body = true;
	o.headers = o.oversign = none;
	value = sign_and_verify(mem, "From: a@a.example\nTo: x\n\n", &o, "From: b@a.example\n", DKIM_PASS);
	assert_non_null(strstr(value, "h=From;"));
	assert_non_null(strstr(value, "t=1700000000; x=4000000000;"));
	o.now = NOW - 1000;
	o.expires = NOW - 400;
	sign_and_verify(mem, "From: a@a.example\n\n", &o, NULL, DKIM_FAIL);
	talloc_free(mem);
}

static void long_lists_are_folded_and_longer_ones_refused(void **state)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct dkim_sign_options o = options_of(mem);
	char *message = talloc_strdup(mem, "From: a@a.example\n"), *value;
	uint8_t digest[HASH_SHA256] = { 0 };
	const char *problem = NULL;
	struct verify *v;

	(void)state;
	for (int i = 0; i < 200; i++)
		message = talloc_asprintf_append_buffer(message, "X-Old: %d\n", i);
	o.relaxed_header = true;
	value = sign_and_verify(mem, talloc_asprintf(mem, "%s\n", message), &o, NULL, DKIM_PASS);
	for (const char *p = value; p != NULL && *p != '\0'; p = strchr(p + 1, '\n'))
		assert_in_range(strcspn(p + 1, "\n"), 1, 78);
	for (int i = 0; i < 200; i++)
		message = talloc_asprintf_append_buffer(message, "X-Old: %d\n", i);
	v = verify_read(message, strlen(message));
	assert_null(dkim_sign(mem, v->fields, v->n_fields, digest, &o, &problem));
	assert_string_equal(problem, "it has more fields than a signature can name");
	talloc_free(v);
	v = verify_read("To: x\n\n", 7);
	assert_null(dkim_sign(mem, v->fields, v->n_fields, digest, &o, &problem));
	assert_string_equal(problem, "it has no From");
	talloc_free(v);
	talloc_free(mem);
}

static void a_key_is_compared_with_the_records_at_its_name(void **state)
{
	static const struct { const char *records[2]; size_t n; const char *want; } cases[] = {
		{ { record }, 1, NULL },
		{ { "v=spf1 -all", record }, 2, NULL },
		{ { "v=DKIM1; k=ed25519; p=" }, 1, "" },
		{ { "v=DKIM1; k=ed25519; p=EVpYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=" }, 1, "the record holds another key" },
		{ { "v=DKIM1; k=rsa; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=" }, 1, "" },
		{ { NULL }, 0, "no key" },
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	struct private_key *key = key_of(mem);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *got = dkim_sign_compare(mem, key, cases[i].records, cases[i].n);

		if ((got == NULL) != (cases[i].want == NULL) || (got != NULL && cases[i].want[0] != '\0' && strcmp(got, cases[i].want) != 0))
			fail_msg("case %zu: %s", i, got != NULL ? got : "fits");
	}
	assert_true(dkim_sign_name_valid("a.b", true) && dkim_sign_name_valid("a", false));
	assert_false(dkim_sign_name_valid("a", true) || dkim_sign_name_valid("a b", false) || dkim_sign_name_valid("", false));
	talloc_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_passes),
		cmocka_unit_test(h_names_what_is_there_and_once_more_what_is_oversigned),
		cmocka_unit_test(long_lists_are_folded_and_longer_ones_refused),
		cmocka_unit_test(a_key_is_compared_with_the_records_at_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
