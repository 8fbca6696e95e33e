/* test_dkim.c - DKIM's parts: tag lists, signatures, keys down to their numbers, canonical lengths, selection; the example of RFC 8463 through all of them */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dkim/verify.h"

#define BH "bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; "
#define RSA_P "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
#define ED_P "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

static void tag_lists_are_read_strictly(void **state)
{
	static const struct { const char *text, *problem; size_t n; } cases[] = {
		{ "a=1", NULL, 1 }, { "a=1;", NULL, 1 }, { " a = 1 ; b=2 ", NULL, 2 }, { "a=1;\r\n\tb=2; \r\n ", NULL, 2 }, { "a=", NULL, 1 }, { "a=b=c", NULL, 1 }, { "a1_x=y z", NULL, 1 },
		{ "a=1;A=2", NULL, 2 },
		{ "", "no tags", 0 }, { "  ", "a tag without \"=\"", 0 }, { ";", "a tag without \"=\"", 0 }, { "a=1;;b=2", "a tag without \"=\"", 0 }, { "a=1;;", "a tag without \"=\"", 0 },
		{ "a", "a tag without \"=\"", 0 }, { "=1", "a tag's name is none", 0 }, { "1a=1", "a tag's name is none", 0 }, { "a b=1", "a tag's name is none", 0 }, { "a-b=1", "a tag's name is none", 0 },
		{ "a=1;b=2;a=1", "a tag stands twice", 0 }, { "a=\x01", "a tag with control or 8-bit characters", 0 }, { "a=\xe9", "a tag with control or 8-bit characters", 0 },
		{ "a=\x7f", "a tag with control or 8-bit characters", 0 },
	};
	struct dkim_tags tags;
	char many[DKIM_TAGS_MAX * 8 + 8], *out = many;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *problem = dkim_tags_parse(cases[i].text, strlen(cases[i].text), &tags);

		if ((problem == NULL) != (cases[i].problem == NULL) || (problem != NULL && strcmp(problem, cases[i].problem) != 0) || (problem == NULL && tags.n != cases[i].n))
			fail_msg("\"%s\": %s", cases[i].text, problem != NULL ? problem : "read");
	}
	for (int i = 0; i <= DKIM_TAGS_MAX; i++)
		out += sprintf(out, "t%d=;", i);
	assert_string_equal(dkim_tags_parse(many, (size_t)(out - many), &tags), "too many tags");
}

static void base64_is_whole_or_nothing(void **state)
{
	static const struct { const char *text; int len; } cases[] = {
		{ "QQ==", 1 }, { "QUI=", 2 }, { "QUJD", 3 }, { "QUJDRA==", 4 }, { "", -1 }, { "QQ=", -1 }, { "QQ", -1 }, { "Q===", -1 }, { "====", -1 }, { "QQ==QQ==", -1 }, { "QU D", -1 },
		{ "QUJ*", -1 }, { "QUJ=QUJD", -1 },
	};
	unsigned char data[16];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = 0;
		bool good = dkim_base64(cases[i].text, strlen(cases[i].text), data, &len);

		if (good != (cases[i].len >= 0) || (good && len != (size_t)cases[i].len))
			fail_msg("\"%s\": %d, %zu", cases[i].text, good, len);
	}
}

static void domains_are_what_dns_can_be_asked_for(void **state)
{
	static const struct { const char *text; unsigned labels; bool good; } cases[] = {
		{ "a.b", 2, true }, { "a", 2, false }, { "a", 1, true }, { "a-b_c.example", 2, true }, { "", 1, false }, { "a..b", 2, false }, { ".a", 1, false }, { "a.", 1, false },
		{ "a b.c", 2, false }, { "a\xe9.b", 2, false }, { "a\\.b", 2, false }, { "a(b.c", 2, false },
		{ "0123456789012345678901234567890123456789012345678901234567890123.b", 2, false }, { "012345678901234567890123456789012345678901234567890123456789012.b", 2, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (dkim_domain_valid(cases[i].text, cases[i].labels) != cases[i].good)
			fail_msg("\"%s\"", cases[i].text);
}

static void signatures_are_read_before_the_library_sees_them(void **state)
{
	static const struct { const char *value; enum dkim_result result; const char *problem; } cases[] = {
		{ "v=1; a=rsa-sha256; d=A.Example; s=s1.x; h=From:To; " BH "b=AAAA", DKIM_PENDING, "" },
		{ "v=1; a=ed25519-sha256; c=relaxed; d=a.example; s=s; h=x : From ::; q=dns/txt:other; " BH "b=A A\n\tAA; x=4000; t=1; l=0", DKIM_PENDING, "" },
		{ "v=1; a=rsa-sha1; d=a.example; s=s; h=from; bh=uoq1oCgLlTqpdDX/iUbLy7J1Wic=; b=AAAA", DKIM_POLICY, "rsa-sha1 is not accepted" },
		{ "a=rsa-sha256; d=a.example; s=s; h=from; " BH "b=AAAA", DKIM_NEUTRAL, "v= is missing" },
		{ "v=1; d=a.example; s=s; h=from; " BH "b=AAAA", DKIM_NEUTRAL, "a= is missing" },
		{ "v=1; a=RSA-SHA256; d=a.example; s=s; h=from; " BH "b=AAAA", DKIM_NEUTRAL, "a= is not known" },
		{ "v=1; a=rsa-sha256; s=s; h=from; " BH "b=AAAA", DKIM_NEUTRAL, "d= is no domain" },
		{ "v=1; a=rsa-sha256; d=a.example; h=from; " BH "b=AAAA", DKIM_NEUTRAL, "s= is no selector" },
		{ "v=1; a=rsa-sha256; d=a.example; s=s; " BH "b=AAAA", DKIM_NEUTRAL, "h= is missing" },
		{ "v=1; a=rsa-sha256; d=a.example; s=s; h=from:a b; " BH "b=AAAA", DKIM_PENDING, "" },
		{ "v=1; a=rsa-sha256; d=a.example; s=s; h=from; b=AAAA", DKIM_NEUTRAL, "bh= is missing" },
		{ "v=1; a=rsa-sha256; d=a.example; s=s; h=from; " BH, DKIM_NEUTRAL, "b= is missing" },
		{ "v=1; a=rsa-sha256; d=a.example; s=s; h=from; " BH "b=AAA", DKIM_NEUTRAL, "b= is no signature" },
		{ "v=1; a=rsa-sha256; d=a.example; s=s; h=from; " BH "b =AAAA", DKIM_NEUTRAL, "b= cannot be told from other tags" },
		{ "v=1; a=rsa-sha256; c=; d=a.example; s=s; h=from; " BH "b=AAAA", DKIM_NEUTRAL, "c= is not known" },
		{ "v=1; a=rsa-sha256; d=a.example; s=s; h=from; l=; " BH "b=AAAA", DKIM_NEUTRAL, "l= is no length" },
		{ "v=1; a=rsa-sha256; d=a.example; s=s; h=from; x=1300; " BH "b=AAAA", DKIM_PENDING, "" },
		{ "v=1; a=rsa-sha256; d=a.example; s=s; h=from; x=700; " BH "b=AAAA", DKIM_FAIL, "signature expired" },
		{ "v=1; a=rsa-sha256; d=a.example; s=s; h=from; t=1300; " BH "b=AAAA", DKIM_PENDING, "" },
		{ "v=1; a=rsa-sha256; d=a.example; s=s; h=from; t=1301; " BH "b=AAAA", DKIM_FAIL, "signed in the future" },
		{ "v=1; a=rsa-sha256; d=a.example; s=s; h=from; t=5; x=5; " BH "b=AAAA", DKIM_NEUTRAL, "x= is not after t=" },
		{ "nothing", DKIM_NEUTRAL, "a tag without \"=\"" },
	};
	TALLOC_CTX *mem = talloc_new(NULL);
	struct dkim_signature s;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(dkim_signature_parse(mem, cases[i].value, strlen(cases[i].value), 1000, &s));
		if (s.result != cases[i].result || strcmp(s.problem, cases[i].problem) != 0)
			fail_msg("%s: %s, %s", cases[i].value, dkim_result_name(s.result), s.problem);
		assert_non_null(s.d);
		assert_non_null(s.s);
		assert_non_null(s.i);
		assert_non_null(s.b);
		assert_non_null(s.h);
	}
	assert_true(dkim_signature_parse(mem, cases[0].value, strlen(cases[0].value), 1000, &s));
	assert_string_equal(s.d, "a.example");
	assert_string_equal(s.i, "@a.example");
	assert_int_equal(s.names, 2);
	assert_true(dkim_signature_parse(mem, cases[1].value, strlen(cases[1].value), 1000, &s));
	assert_string_equal(s.b, "AAAA");
	assert_string_equal(s.h, "x:From::");
	assert_int_equal(s.l, 0);
	talloc_free(mem);
}

/* An RSA key in DER with that modulus and exponent, as the value of p=. */
static char *rsa_key(TALLOC_CTX *mem, size_t octets, unsigned char top, const unsigned char *exponent, size_t exponent_len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static const unsigned char algorithm[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00 };
	size_t zero = top >= 0x80, n = octets + zero, key = 4 + n + 2 + exponent_len, bits = 1 + 4 + key, all = sizeof(algorithm) + 4 + bits, len;
	unsigned char *der = talloc_zero_size(mem, all + 8), *p = der;
	char *text = talloc_zero_size(mem, all * 2), *out = text;

#define HEAD(tag, length) (*p++ = (tag), *p++ = 0x82, *p++ = (unsigned char)((length) >> 8), *p++ = (unsigned char)(length))
	HEAD(0x30, all);
	p = mempcpy(p, algorithm, sizeof(algorithm));
	HEAD(0x03, bits);
	*p++ = 0;
	HEAD(0x30, key);
	HEAD(0x02, n);
	p += zero;
	memset(p, 0x55, octets);
	*p = top;
	p += octets;
	*p++ = 0x02;
	*p++ = (unsigned char)exponent_len;
	p = mempcpy(p, exponent, exponent_len);
	len = (size_t)(p - der);
	for (size_t i = 0; i < len; i += 3) {
		unsigned long group = (unsigned long)der[i] << 16 | (i + 1 < len ? (unsigned long)der[i + 1] << 8 : 0) | (i + 2 < len ? der[i + 2] : 0);

		*out++ = digits[group >> 18];
		*out++ = digits[group >> 12 & 63];
		*out++ = i + 1 < len ? digits[group >> 6 & 63] : '=';
		*out++ = i + 2 < len ? digits[group & 63] : '=';
	}
	return text;
}

static void the_numbers_of_a_key_are_looked_at(void **state)
{
	static const struct { size_t octets; unsigned char top, exponent[10]; size_t exponent_len; unsigned bits; const char *problem; } cases[] = {
		{ 256, 0x80, { 1, 0, 1 }, 3, 2048, "" }, { 256, 0x01, { 3 }, 1, 2041, "" }, { 512, 0xff, { 1, 0, 1 }, 3, 4096, "" }, { 513, 0x01, { 1, 0, 1 }, 3, 0, "the key is too long" },
		{ 256, 0x80, { 1, 0, 0 }, 3, 0, "the key's exponent is not usable" }, { 256, 0x80, { 1 }, 1, 0, "the key's exponent is not usable" },
		{ 256, 0x80, { 1, 0, 0, 0, 0, 0, 0, 0, 1 }, 9, 0, "the key's exponent is not usable" }, { 256, 0x80, { 0x81 }, 1, 0, "the key cannot be read" },
		{ 256, 0x00, { 3 }, 1, 0, "the key cannot be read" }, { 256, 0x80, { 0, 1 }, 2, 0, "the key cannot be read" },
	};
	TALLOC_CTX *mem = talloc_new(NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *p = rsa_key(mem, cases[i].octets, cases[i].top, cases[i].exponent, cases[i].exponent_len), *record = talloc_asprintf(mem, "v=DKIM1; p=%s", p);
		struct dkim_key key;

		assert_true(dkim_key_parse(mem, record, false, &key));
		if (strcmp(key.problem, cases[i].problem) != 0 || key.bits != cases[i].bits)
			fail_msg("case %zu: %s, %u bits", i, key.problem, key.bits);
		assert_int_equal(key.result, cases[i].problem[0] == '\0' ? DKIM_PASS : DKIM_PERMERROR);
		/* every octet less is an error, and none is read beyond */
		for (size_t n = strlen(record) - 4; n > strlen("v=DKIM1; p="); n -= 4) {
			char *cut = talloc_strndup(mem, record, n);

			assert_true(dkim_key_parse(mem, cut, false, &key));
			assert_int_equal(key.result, DKIM_PERMERROR);
			talloc_free(cut);
		}
	}
	talloc_free(mem);
}

static void several_records_have_one_answer_in_any_order(void **state)
{
	static const struct { const char *records[3]; bool ed25519; enum dkim_result result; const char *problem; } cases[] = {
		{ { "p=" RSA_P }, false, DKIM_PASS, "" }, { { "v=spf1 -all", "p=" RSA_P, "p=" }, false, DKIM_PASS, "" }, { { "p=" RSA_P, "v=DKIM1;p=" RSA_P }, false, DKIM_PASS, "" },
		{ { "k=ed25519; p=" ED_P, "p=" RSA_P }, true, DKIM_PASS, "" }, { { "k=ed25519; p=" ED_P, "p=" RSA_P }, false, DKIM_PASS, "" },
		{ { "k=ed25519; p=" ED_P, "k=ed25519; p=01234567890123456789012345678901234567890123" }, true, DKIM_PASS, "" },
		{ { "k=ed25519; p=" ED_P, "k=ed25519; p=0123456789012345678901234567890123456789012=" }, true, DKIM_PERMERROR, "there are several keys" },
		{ { "p=", "k=ed25519; p=" ED_P }, false, DKIM_PERMERROR, "the key is revoked" }, { { "v=spf1 -all" }, false, DKIM_PERMERROR, "no key record" },
		{ { NULL }, false, DKIM_PERMERROR, "no key" }, { { "p=;x" }, false, DKIM_PERMERROR, "no key record" },
	};
	TALLOC_CTX *mem = talloc_new(NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *forth[3], *back[3];
		size_t n = 0;
		struct dkim_key key;

		while (n < 3 && cases[i].records[n] != NULL)
			n++;
		for (size_t k = 0; k < n; k++)
			forth[k] = back[n - 1 - k] = cases[i].records[k];
		for (int order = 0; order < 2; order++) {
			dkim_key_choose(mem, order == 0 ? forth : back, n, cases[i].ed25519, &key);
			if (key.result != cases[i].result || strcmp(key.problem, cases[i].problem) != 0)
				fail_msg("case %zu, order %d: %s, %s", i, order, dkim_result_name(key.result), key.problem);
		}
	}
	talloc_free(mem);
}

static void the_canonical_length_of_a_body(void **state)
{
	static const struct { const char *body; uint64_t simple, relaxed; } cases[] = {
		{ "", 2, 0 }, { "\r\n", 2, 0 }, { "\r\n\r\n", 2, 0 }, { "a\r\n", 3, 3 }, { "a", 3, 3 }, { "a\r\n\r\n\r\n", 3, 3 }, { "\r\na", 5, 5 }, { " \r\n", 3, 0 }, { "a \t\r\n", 5, 3 },
		{ "a  b\r\n", 6, 5 }, { "a\r\n \r\n", 6, 3 }, { "a\r\n\r\nb\r\n", 8, 8 }, { "a\rb", 5, 5 }, { "a\nb", 5, 5 }, { "a\r", 4, 4 }, { "\ta", 4, 4 }, { "a ", 4, 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *body = cases[i].body;
		size_t len = strlen(body);

		for (size_t cut = 0; cut <= len; cut++) {
			struct dkim_length simple = dkim_length_new(false), relaxed = dkim_length_new(true);

			dkim_length_add(&simple, body, cut);
			dkim_length_add(&simple, body + cut, len - cut);
			dkim_length_add(&relaxed, body, cut);
			dkim_length_add(&relaxed, body + cut, len - cut);
			assert_int_equal(dkim_length_end(&simple), cases[i].simple);
			assert_int_equal(dkim_length_end(&relaxed), cases[i].relaxed);
		}
	}
}

static const char example[] =
	"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n d=football.example.com; i=@football.example.com;\r\n q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
	" subject : date : message-id : from : subject : date;\r\n bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"
	" Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
	"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n d=football.example.com; i=@football.example.com;\r\n q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
	" date : message-id : from : subject : date;\r\n bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n"
	" DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n"
	"From: Joe SixPack <joe@football.example.com>\r\nTo: Suzie Q <suzie@shopping.example.net>\r\nSubject: Is dinner ready?\r\nDate: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
	"Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\r\nHi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
static const char example_zone[] = "brisbane._domainkey.football.example.com TXT v=DKIM1; k=ed25519; p=" ED_P "\ntest._domainkey.football.example.com TXT v=DKIM1; k=rsa; p=" RSA_P "\n";

static struct dkim_facts *run(struct verify **v_r, struct zone *z, struct dkim_library *library, const char *message, size_t max, bool incomplete)
{
	static const char *const from[] = { "football.example.com" };
	struct dkim_options options = { .signatures_max = max, .bits_min = 1024, .now = 1700000000, .from = from, .n_from = 1, .incomplete = incomplete };

	*v_r = verify_read(message, strlen(message));
	return verify_run(*v_r, library, z, &options, 0, 5);
}

static void the_example_of_rfc_8463_passes_whenever_its_keys_come(void **state)
{
	struct dkim_library *library = dkim_library_new(NULL);
	struct zone *z = zone_new(example_zone);

	(void)state;
	assert_non_null(library);
	for (int queued = 0; queued < 2; queued++) {
		struct verify *v;
		struct dkim_facts *facts;

		z->queued = queued;
		facts = run(&v, z, library, example, 10, false);
		assert_true(facts->done);
		assert_int_equal(facts->n, 2);
		for (size_t i = 0; i < 2; i++) {
			assert_int_equal(facts->v[i].result, DKIM_PASS);
			assert_string_equal(facts->v[i].domain, "football.example.com");
			assert_string_equal(facts->v[i].problem, "");
		}
		assert_int_equal(facts->v[0].bits, 0);
		assert_int_equal(facts->v[1].bits, 1024);
		assert_string_equal(facts->v[0].b, "/gCrinpc");
		assert_true(dkim_passes(facts, "football.example.com"));
		assert_true(dkim_passes(facts, "Bounce.Football.example.com"));
		assert_false(dkim_passes(facts, "example.com"));
		assert_false(dkim_passes(facts, "xfootball.example.com"));
		talloc_free(v);
	}
	assert_false(dkim_passes(NULL, "football.example.com"));
	talloc_free(z);
	talloc_free(library);
}

static void what_the_library_would_take_is_not_taken(void **state)
{
	struct dkim_library *library = dkim_library_new(NULL);
	struct zone *z = zone_new(example_zone);
	struct verify *v;
	struct dkim_facts *facts = run(&v, z, library, example, 1, false);
	size_t asked = z->asked;
	char *text, *silent;

	(void)state;
	assert_int_equal(facts->n, 1);
	assert_int_equal(facts->beyond, 1);
	assert_int_equal(asked, 1);
	talloc_free(v);
	/* fields of the header were dropped: nothing is known of what remains */
	facts = run(&v, z, library, example, 10, true);
	assert_int_equal(facts->n, 2);
	assert_int_equal(facts->v[0].result, DKIM_NEUTRAL);
	assert_int_equal(z->asked, asked);
	talloc_free(v);
	/* libopendkim's flag "passed" stays for a changed body */
	text = talloc_strdup(z, example);
	memcpy(strstr(text, "lost"), "won ", 4);
	facts = run(&v, z, library, text, 10, false);
	assert_int_equal(facts->v[0].result, DKIM_FAIL);
	assert_string_equal(facts->v[0].problem, "the body was changed");
	assert_int_equal(facts->v[1].result, DKIM_FAIL);
	talloc_free(v);
	/* one key that never comes does not hold up the other */
	talloc_free(z);
	silent = talloc_asprintf(NULL, "%stest._domainkey.football.example.com TXT !late\n", "brisbane._domainkey.football.example.com TXT v=DKIM1; k=ed25519; p=" ED_P "\n");
	z = zone_new(silent);
	z->queued = true;
	facts = run(&v, z, library, example, 10, false);
	assert_int_equal(facts->v[0].result, DKIM_PASS);
	assert_int_equal(facts->v[1].result, DKIM_TEMPERROR);
	talloc_free(v);
	talloc_free(silent);
	talloc_free(z);
	talloc_free(library);
}

static void a_verifier_that_is_left_alone_gives_everything_back(void **state)
{
	struct dkim_library *library = dkim_library_new(NULL);
	struct verify *v = verify_read(example, strlen(example));
	struct dkim_options options = { .signatures_max = 10, .bits_min = 1024, .now = 1700000000 };
	struct dkim_facts facts;
	struct dkim_verifier *d;

	(void)state;
	d = dkim_verifier_new(v, library, v->fields, v->n_fields, &options, &facts);
	assert_non_null(d);
	dkim_verifier_body(d, "Hi.\r\n", 5);
	assert_false(facts.done);
	talloc_free(d);                          /* the client hung up */
	d = dkim_verifier_new(v, library, v->fields, v->n_fields, &options, &facts);
	dkim_verifier_body(d, "", 0);
	dkim_verifier_end(d);                    /* no key was ever asked for */
	dkim_verifier_end(d);
	assert_int_equal(facts.n, 2);
	assert_int_equal(facts.v[0].result, DKIM_TEMPERROR);
	talloc_free(v);
	talloc_free(library);
}

struct shared {
	struct dkim_library *library;
	bool good;
};

static void *many_runs(void *argument)
{
	struct shared *shared = argument;
	struct zone *z = zone_new(example_zone);

	shared->good = true;
	for (int i = 0; i < 40; i++) {
		struct verify *v;
		struct dkim_facts *facts = run(&v, z, shared->library, example, 10, false);

		shared->good &= facts->n == 2 && facts->v[0].result == DKIM_PASS && facts->v[1].result == DKIM_PASS;
		talloc_free(v);
	}
	talloc_free(z);
	return NULL;
}

static void threads_share_one_library(void **state)
{
	struct dkim_library *library = dkim_library_new(NULL);
	struct shared shared[4];
	pthread_t threads[4];

	(void)state;
	for (int i = 0; i < 4; i++) {
		shared[i] = (struct shared){ .library = library };
		assert_int_equal(pthread_create(&threads[i], NULL, many_runs, &shared[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_true(shared[i].good);
	}
	talloc_free(library);
}

static void fields_are_wanted_from_below_as_often_as_they_are_named(void **state)
{
	static const char message[] =
		"DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=1; h=from:x:x:y; " BH "b=AAAA\r\nX: 1\r\nDKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=2; h=from:x:dkim-signature; " BH "b=AAAA\r\n"
		"x : 2\r\nZ: 1\r\nFrom: a\r\nX: 3\r\nFrom: b\r\nDKIM-Signature: v=1; a=rsa-sha1; d=a.example; s=3; h=from; bh=uoq1oCgLlTqpdDX/iUbLy7J1Wic=; b=AAAA\r\nDKIM-Signature: broken\r\n\r\n";
	static const bool wanted_then[] = { true, false, true, true, false, false, true, true, false, false };
	struct verify *v = verify_read(message, strlen(message));
	struct dkim_options options = { .signatures_max = 10, .now = 1000 };
	struct dkim_selection sel;
	bool wanted[10] = { false };
	size_t octets;

	(void)state;
	assert_int_equal(v->n_fields, 10);
	assert_true(dkim_select(v, v->fields, v->n_fields, &options, &sel));
	assert_int_equal(sel.fields, 4);
	assert_int_equal(sel.verified, 2);
	assert_true(dkim_wanted_fields(v, &sel, v->fields, v->n_fields, wanted, &octets));
	assert_memory_equal(wanted, wanted_then, sizeof(wanted));
	/* without the broken one the lowest is that of SHA-1: covered by the second, and fed though it is not verified */
	memset(wanted, 0, sizeof(wanted));
	assert_true(dkim_select(v, v->fields, 9, &options, &sel));
	assert_true(dkim_wanted_fields(v, &sel, v->fields, 9, wanted, &octets));
	assert_true(wanted[8]);
	talloc_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tag_lists_are_read_strictly),
		cmocka_unit_test(base64_is_whole_or_nothing),
		cmocka_unit_test(domains_are_what_dns_can_be_asked_for),
		cmocka_unit_test(signatures_are_read_before_the_library_sees_them),
		cmocka_unit_test(the_numbers_of_a_key_are_looked_at),
		cmocka_unit_test(several_records_have_one_answer_in_any_order),
		cmocka_unit_test(the_canonical_length_of_a_body),
		cmocka_unit_test(the_example_of_rfc_8463_passes_whenever_its_keys_come),
		cmocka_unit_test(what_the_library_would_take_is_not_taken),
		cmocka_unit_test(a_verifier_that_is_left_alone_gives_everything_back),
		cmocka_unit_test(threads_share_one_library),
		cmocka_unit_test(fields_are_wanted_from_below_as_often_as_they_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
