/* test_arc.c - one chain of two sets: what is told of it, what breaks it, what waits; chains of every shape are in t/arc */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arc/message.h"

/* Made by t/arc/chain.py: an RSA key, and that of RFC 8463. The first sealer used Ed25519, a footer came behind it, the second is simple/simple. */
static const char zone[] =
	"s1._domainkey.example.org TXT v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDnVGJM2f8UL/NDEvKxDjoZrzFeHEVhgpCTg9nGXDgCl4Mn+pLbQGsFWpD5SoElSW1LmeNNzb4gZaUos8hqeLW3nxjUKLkqqQyNdDyAvOtZB91DuOgu39JKwj6XZva/asxdgbTJsPKVlmlr9XwwIkb8xM1eatVouEy8PamMgcChTQIDAQAB\n"
	"ed._domainkey.example.net TXT v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n";

static const char message[] =
	"ARC-Seal: i=2; a=rsa-sha256; t=12345; cv=pass; d=example.org; s=s1; b=OWN8TTV1S562HY4Sc2x/S+1FZPCuOxrBNZ7qLm+yMlLGWauGf637bHFsIkZIMUcRMTmCJxFzBgw2nRfwe9GpMZ/3FxCn9cfkMXqErci9BZjjjyza+eX7oI0QAhqYpmVtAF8lrWSnwwz5QJT/PeVGrbn/+KjHXFO+k2imBtJjTtc=\r\n"
	"ARC-Message-Signature: i=2; a=rsa-sha256; c=simple/simple; d=example.org; s=s1; t=12345; h=from:subject:to; bh=ApRiRBQZgAKfmtMOfryw9ObKV7CSiwfbcvfK2KM42Ok=; b=Xp/nV+oYoHF/zXNmo0hmAaSL7S/eIBzk0iIER1poAbzdqYhgqBX9r1kHxQ8TGrKTw44Ek11E0497bRE0PqAG64oiZ1X21N0IlNzHvbm2vCZXyBrQddH1P0cPmNmyioaPnAUVc72qCB2OIUj+JZOYTspxLlHYQiPNVeNMQY5Ey08=\r\n"
	"ARC-Authentication-Results: i=2; mx.example.org; spf=pass smtp.mailfrom=example.com\r\n"
	"ARC-Seal: i=1; a=ed25519-sha256; t=12345; cv=none; d=example.net; s=ed; b=q0p0xuvJd8RHBwfRh1ZMgpcN/d6siCXks1tebFic9LERqrM3SiDiW2+2iLHrOQqQCnecUN1IzA04AduNKYEvAw==\r\n"
	"ARC-Message-Signature: i=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.net; s=ed; t=12345; h=from:subject:to; bh=Ba3gj8+xBPQLJTahTfzW6RbWQ/XPgESxkCi2B66PSQg=; b=XRuImuODNSt4uTTAB0o+h2v46CI+k3Jjl3M6JsIQLVjita+x6vWA42WIqafZB+yKuFiPtbz27Yc1pZl718h9Dg==\r\n"
	"ARC-Authentication-Results: i=1; mx.example.org; dmarc=pass\r\n"
	"\theader.from=example.com; spf=pass\r\n"
	"From: Anna <anna@example.com>\r\n"
	"Subject: Hello\r\n"
	"To: list@example.org\r\n"
	"\r\n"
	"Hello \r\n"
	"-- \r\n"
	"footer\r\n";

static const struct arc_options options = { .bits_min = 1024, .now = 1700000000 };

/* The facts' strings are children of mem. */
static struct arc_facts validate(TALLOC_CTX *mem, const char *keys, const char *text, size_t len, const struct arc_options *how)
{
	struct text_message *m = talloc(NULL, struct text_message);
	struct zone *z = zone_new(keys);
	struct arc_facts facts, queued;

	text_message_read(m, text, len, m);
	text_message_validate(z, mem, m, how, 1, &facts);
	z->queued = true;
	text_message_validate(z, mem, m, how, 4096, &queued);
	assert_int_equal(facts.result, queued.result);
	assert_true(facts.done && queued.done);
	talloc_free(z);
	talloc_free(m);
	return facts;
}

static void a_good_chain_tells_who_sealed_and_what_they_saw(void **state)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct arc_facts f = validate(mem, zone, message, strlen(message), &options);

	(void)state;
	assert_string_equal(f.problem, "");
	assert_int_equal(f.result, ARC_PASS);
	assert_int_equal(f.n, 2);
	assert_int_equal(f.oldest_pass, 2);
	assert_false(f.partial || f.ended);
	assert_string_equal(f.sets[0].sealer, "example.net");
	assert_string_equal(f.sets[0].selector, "ed");
	assert_string_equal(f.sets[1].signer, "example.org");
	assert_string_equal(f.sets[1].signer_selector, "s1");
	assert_string_equal(f.sets[0].results, "mx.example.org; dmarc=pass header.from=example.com; spf=pass");
	assert_string_equal(f.sets[1].results, "mx.example.org; spf=pass smtp.mailfrom=example.com");
	talloc_free(mem);
}

static void every_byte_that_is_covered_counts(void **state)
{
	size_t len = strlen(message), failed = 0;
	char *copy = strdup(message);

	(void)state;
	for (size_t i = 0; i < len; i += 5) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct arc_facts f;

		copy[i] ^= 1;
		f = validate(mem, zone, copy, len, &options);
		/* case of names, and a bit of what a base64 does not use, may differ */
		if (f.result == ARC_PASS && memchr("=:+/", message[i], 4) == NULL)
			fail_msg("octet %zu, %.20s", i, message + i);
		failed += f.result != ARC_PASS;
		copy[i] ^= 1;
		talloc_free(mem);
	}
	assert_true(failed > len / 5 - 20);
	free(copy);
}

static void keys_that_do_not_come_are_no_failure(void **state)
{
	static const struct { const char *keys; enum arc_result want; const char *problem; } cases[] = {
		{ "s1._domainkey.example.org TXT !late\ned._domainkey.example.net TXT !late\n", ARC_TEMPERROR, "ARC-Message-Signature 2: the look-up of the key failed" },
		{ "s1._domainkey.example.org TXT !fail\n", ARC_FAIL, "ARC-Seal 1: no key" },
		{ "ed._domainkey.example.net TXT !fail\n", ARC_FAIL, "ARC-Message-Signature 2: no key" },
		{ "", ARC_FAIL, "ARC-Message-Signature 2: no key" },
	};
	TALLOC_CTX *mem = talloc_new(NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arc_facts f = validate(mem, cases[i].keys, message, strlen(message), &options);

		assert_string_equal(f.problem, cases[i].problem);
		assert_int_equal(f.result, cases[i].want);
	}
	talloc_free(mem);
}

static void the_end_may_come_before_the_keys(void **state)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct text_message *m = talloc(mem, struct text_message);
	struct zone *z = zone_new(zone);
	struct answers *answers = answers_new(&z->asker);
	struct arc_validator *v;
	struct arc_facts f;

	(void)state;
	z->queued = true;
	text_message_read(m, message, strlen(message), m);
	v = arc_validator_new(mem, m->fields, m->n, &options, &f);
	assert_false(f.done);
	assert_int_equal(f.n, 2);
	assert_false(arc_validator_keys(v, answers));
	assert_int_equal(z->n_queue, 2);
	arc_validator_body(v, m->body, m->body_len);
	arc_validator_end(v);
	assert_true(f.done);
	assert_int_equal(f.result, ARC_TEMPERROR);
	arc_validator_end(v);                    /* once more does nothing */
	arc_validator_body(v, "x", 1);
	assert_true(arc_validator_keys(v, answers));
	z->n_queue = 0;
	answers_unref(answers);
	talloc_free(z);
	talloc_free(mem);
}

static void what_cannot_be_validated_is_known_at_once(void **state)
{
	static const char none[] = "From: a@b.example\r\n\r\nx", broken[] = "ARC-Seal: i=1\r\nFrom: a@b.example\r\n\r\nx";
	struct arc_options cut = options;
	TALLOC_CTX *mem = talloc_new(NULL);
	struct arc_facts f = validate(mem, "", none, strlen(none), &options);

	(void)state;
	assert_int_equal(f.result, ARC_NONE);
	assert_string_equal(f.problem, "");
	f = validate(mem, "", broken, strlen(broken), &options);
	assert_int_equal(f.result, ARC_FAIL);
	assert_string_equal(f.problem, "ARC-Seal 1 has no a= or no b=");
	cut.incomplete = true;
	f = validate(mem, zone, message, strlen(message), &cut);
	assert_int_equal(f.result, ARC_TEMPERROR);
	cut.incomplete = false;
	cut.bits_min = 2048;
	f = validate(mem, zone, message, strlen(message), &cut);
	assert_int_equal(f.result, ARC_FAIL);
	assert_string_equal(f.problem, "ARC-Message-Signature 2: the key is too short");
	talloc_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_chain_tells_who_sealed_and_what_they_saw),
		cmocka_unit_test(every_byte_that_is_covered_counts),
		cmocka_unit_test(keys_that_do_not_come_are_no_failure),
		cmocka_unit_test(the_end_may_come_before_the_keys),
		cmocka_unit_test(what_cannot_be_validated_is_known_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
