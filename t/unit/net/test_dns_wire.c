/* test_dns_wire.c - names and questions as packets, and what packets say */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/dns_wire.h"

enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_MX = 15, TYPE_TXT = 16 };

static void names_are_read_as_dns_holds_them(void **state)
{
	static const char label63[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk";
	static const struct { const char *text; bool good; const char *bytes; size_t len; } cases[] = {
		{ "example.com", true, "\7example\3com", 13 },
		{ "Example.COM.", true, "\7example\3com", 13 },
		{ ".", true, "", 1 },
		{ "a\\.b.c\\000\\255", true, "\3a.b\3c\0\377", 9 },
		{ "\xc3\xbc.example", true, "\2\xc3\xbc\7example", 12 },
		{ label63, true, NULL, 65 },
		{ "", false, NULL, 0 }, { "..", false, NULL, 0 }, { "a..b", false, NULL, 0 }, { ".a", false, NULL, 0 }, { "a\\", false, NULL, 0 }, { "a\\999", false, NULL, 0 },
		{ "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl", false, NULL, 0 },
	};
	char text[300] = "";
	struct dns_name name;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (dns_name(cases[i].text, &name) != cases[i].good)
			fail_msg("\"%s\" is %s", cases[i].text, cases[i].good ? "refused" : "taken");
		if (cases[i].good)
			assert_int_equal(name.len, cases[i].len);
		if (cases[i].bytes != NULL)
			assert_memory_equal(name.bytes, cases[i].bytes, cases[i].len);
	}
	/* 253 characters are 255 octets */
	for (int i = 0; i < 126; i++)
		strcat(text, "a.");
	strcat(text, "a");
	assert_true(dns_name(text, &name));
	assert_int_equal(name.len, 255);
	strcat(text, "b");
	assert_false(dns_name(text, &name));
}

static void a_question_is_what_rfc_1035_says(void **state)
{
	static const uint8_t plain[] = "\x12\x34\x01\x20\0\1\0\0\0\0\0\0\1a\0\0\x10\0\1", edns[] = "\x12\x34\x01\x20\0\1\0\0\0\0\0\1\1a\0\0\x10\0\1\0\0\x29\4\xd0\0\0\0\0\0\0";
	uint8_t packet[DNS_QUERY_MAX];
	struct dns_name name;

	(void)state;
	assert_true(dns_name("A", &name));
	assert_int_equal(dns_query(packet, 0x1234, TYPE_TXT, &name, false), sizeof(plain) - 1);
	assert_memory_equal(packet, plain, sizeof(plain) - 1);
	assert_int_equal(dns_query(packet, 0x1234, TYPE_TXT, &name, true), sizeof(edns) - 1);
	assert_memory_equal(packet, edns, sizeof(edns) - 1);
}

static void letters_are_mixed_and_compared_exactly(void **state)
{
	uint8_t dice[DNS_NAME_MAX / 8 + 1], packet[DNS_QUERY_MAX];
	struct dns_name name, mixed;
	size_t len;

	(void)state;
	memset(dice, 0x55, sizeof(dice));
	assert_true(dns_name("ab-1.example.com", &name));
	mixed = name;
	dns_mix_case(&mixed, dice);
	assert_memory_equal(mixed.bytes, "\4aB-1\7ExAmPlE\3CoM", 18);
	len = dns_query(packet, 1, TYPE_A, &mixed, true);
	assert_true(dns_echoes(packet, len, &mixed));
	assert_false(dns_echoes(packet, len, &name));
	assert_false(dns_echoes(packet, 20, &mixed));
}

/* A packet in the making. */
struct made {
	uint8_t bytes[70000];
	size_t len;
};

static void put(struct made *m, const void *bytes, size_t len)
{
	memcpy(m->bytes + m->len, bytes, len);
	m->len += len;
}

static void begin(struct made *m, const char *name, uint16_t type, unsigned flags)
{
	struct dns_name n;

	assert_true(dns_name(name, &n));
	m->len = dns_query(m->bytes, 7, type, &n, false);
	m->bytes[2] = (uint8_t)(flags >> 8);
	m->bytes[3] = (uint8_t)flags;
}

/* section: 6 answer, 8 authority. owner: wire. */
static void record(struct made *m, int section, const char *owner, size_t owner_len, uint16_t type, uint32_t ttl, const void *data, size_t len)
{
	const uint8_t head[] = { (uint8_t)(type >> 8), (uint8_t)type, 0, 1, (uint8_t)(ttl >> 24), (uint8_t)(ttl >> 16), (uint8_t)(ttl >> 8), (uint8_t)ttl, (uint8_t)(len >> 8), (uint8_t)len };

	put(m, owner, owner_len);
	put(m, head, sizeof(head));
	put(m, data, len);
	if (++m->bytes[section + 1] == 0)
		m->bytes[section]++;
}

#define OWN "\xc0\x0c", 2
static const char soa[] = "\2ns\0\4root\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\x64";

static struct dns_answer *read_it(struct made *m, const char *name, uint16_t type)
{
	struct dns_answer *a;
	struct dns_name n;

	assert_true(dns_name(name, &n));
	assert_int_equal(dns_read(m->bytes, m->len, type, &n, &a), 0);
	return a;
}

static void unreadable(struct made *m, const char *name, uint16_t type)
{
	struct dns_answer *a;
	struct dns_name n;

	assert_true(dns_name(name, &n));
	assert_int_equal(dns_read(m->bytes, m->len, type, &n, &a), -EBADMSG);
	assert_null(a);
}

static void the_least_ttl_counts_and_emptiness_has_that_of_the_soa(void **state)
{
	static struct made m;
	struct dns_answer *a;

	(void)state;
	begin(&m, "a.example", TYPE_A, 0x8180);
	record(&m, 6, OWN, TYPE_A, 300, "\1\2\3\4", 4);
	record(&m, 6, OWN, TYPE_A, 20, "\1\2\3\5", 4);
	record(&m, 6, "\1b\0", 3, TYPE_A, 1, "\1\2\3\6", 4);            /* another's */
	a = read_it(&m, "a.example", TYPE_A);
	assert_int_equal(a->ttl, 20);
	assert_int_equal(a->n, 2);
	assert_string_equal(a->records[1], "1.2.3.5");
	assert_false(a->secure);
	dns_answer_unref(a);
	begin(&m, "a.example", TYPE_A, 0x81a3);
	record(&m, 8, "\0", 1, 6, 3600, soa, sizeof(soa) - 1);
	a = read_it(&m, "a.example", TYPE_A);
	assert_int_equal(a->status, ANSWER_NXDOMAIN);
	assert_int_equal(a->ttl, 100);
	assert_true(a->secure);
	dns_answer_unref(a);
	begin(&m, "a.example", TYPE_A, 0x8180);
	a = read_it(&m, "a.example", TYPE_A);
	assert_int_equal(a->status, ANSWER_EMPTY);
	assert_int_equal(a->ttl, 0);
	dns_answer_unref(a);
	/* over 2^31: RFC 2181 section 8 */
	begin(&m, "a.example", TYPE_A, 0x8180);
	record(&m, 6, OWN, TYPE_A, 0x80000000, "\1\2\3\4", 4);
	a = read_it(&m, "a.example", TYPE_A);
	assert_int_equal(a->ttl, 0);
	dns_answer_unref(a);
}

static void a_null_mx_and_empty_strings_are_shown(void **state)
{
	static struct made m;
	struct dns_answer *a;

	(void)state;
	begin(&m, "a.example", TYPE_MX, 0x8180);
	record(&m, 6, OWN, TYPE_MX, 300, "\0\0\0", 3);
	a = read_it(&m, "a.example", TYPE_MX);
	assert_string_equal(a->records[0], "0 .");
	dns_answer_unref(a);
	begin(&m, "a.example", TYPE_TXT, 0x8180);
	record(&m, 6, OWN, TYPE_TXT, 300, "\0", 1);
	record(&m, 6, OWN, TYPE_TXT, 300, "\1a\0\2b\\", 6);
	a = read_it(&m, "a.example", TYPE_TXT);
	assert_int_equal(a->n, 2);
	assert_string_equal(a->records[0], "");
	assert_string_equal(a->records[1], "ab\\");
	dns_answer_unref(a);
	/* no string at all is against RFC 1035 section 3.3.14, and spoils no other record */
	begin(&m, "a.example", TYPE_TXT, 0x8180);
	record(&m, 6, OWN, TYPE_TXT, 300, "", 0);
	record(&m, 6, OWN, TYPE_TXT, 300, "\1a", 2);
	a = read_it(&m, "a.example", TYPE_TXT);
	assert_int_equal(a->n, 2);
	assert_string_equal(a->records[0], "");
	assert_string_equal(a->records[1], "a");
	dns_answer_unref(a);
	begin(&m, "a.example", 257, 0x8180);
	record(&m, 6, OWN, 257, 300, "\0\5issue", 7);
	a = read_it(&m, "a.example", 257);
	assert_string_equal(a->records[0], "\\# 7 00056973737565");
	dns_answer_unref(a);
}

static void what_is_no_answer_to_the_question_is_not_taken(void **state)
{
	static struct made m;

	(void)state;
	begin(&m, "a.example", TYPE_A, 0x8180);
	record(&m, 6, OWN, TYPE_A, 300, "\1\2\3\4", 4);
	unreadable(&m, "b.example", TYPE_A);
	unreadable(&m, "a.example", TYPE_TXT);
	m.bytes[2] = 0x01;                           /* a question */
	unreadable(&m, "a.example", TYPE_A);
	m.bytes[2] = 0x81;
	m.len--;
	unreadable(&m, "a.example", TYPE_A);
	m.len = 11;
	unreadable(&m, "a.example", TYPE_A);
	/* lengths that do not fit the type */
	begin(&m, "a.example", TYPE_A, 0x8180);
	record(&m, 6, OWN, TYPE_A, 300, "\1\2\3\4\5", 5);
	unreadable(&m, "a.example", TYPE_A);
	begin(&m, "a.example", TYPE_TXT, 0x8180);
	record(&m, 6, OWN, TYPE_TXT, 300, "\5abc", 4);
	unreadable(&m, "a.example", TYPE_TXT);
	begin(&m, "a.example", TYPE_MX, 0x8180);
	record(&m, 6, OWN, TYPE_MX, 300, "\0", 1);
	unreadable(&m, "a.example", TYPE_MX);
	begin(&m, "a.example", TYPE_MX, 0x8180);
	record(&m, 6, OWN, TYPE_MX, 300, "\0\1\1a\0x", 6);
	unreadable(&m, "a.example", TYPE_MX);
}

static void what_is_too_large_or_cut_is_no_answer(void **state)
{
	static struct made m;
	static const char part[] = "\310"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	struct dns_answer *a;

	(void)state;
	begin(&m, "a.example", TYPE_TXT, 0x8180);
	for (int i = 0; i < 163; i++)
		record(&m, 6, OWN, TYPE_TXT, 300, part, sizeof(part) - 1);
	a = read_it(&m, "a.example", TYPE_TXT);
	assert_int_equal(a->status, ANSWER_DATA);
	assert_int_equal(a->n, 163);
	dns_answer_unref(a);
	record(&m, 6, OWN, TYPE_TXT, 300, part, sizeof(part) - 1);
	a = read_it(&m, "a.example", TYPE_TXT);
	assert_int_equal(a->status, ANSWER_FAILED);
	assert_int_equal(a->n, 0);
	dns_answer_unref(a);
	begin(&m, "a.example", TYPE_A, 0x8180);
	for (int i = 0; i < 1000; i++)
		record(&m, 6, OWN, TYPE_A, 300, "\1\2\3\4", 4);
	a = read_it(&m, "a.example", TYPE_A);
	assert_int_equal(a->n, 1000);
	dns_answer_unref(a);
	record(&m, 6, OWN, TYPE_A, 300, "\1\2\3\4", 4);
	a = read_it(&m, "a.example", TYPE_A);
	assert_int_equal(a->status, ANSWER_FAILED);
	dns_answer_unref(a);
	begin(&m, "a.example", TYPE_A, 0x8380);
	record(&m, 6, OWN, TYPE_A, 300, "\1\2\3\4", 4);
	a = read_it(&m, "a.example", TYPE_A);
	assert_int_equal(a->status, ANSWER_FAILED);
	dns_answer_unref(a);
}

static void chains_are_followed_to_a_bound(void **state)
{
	static struct made m;

	(void)state;
	for (int links = 15; links <= 18; links++) {
		struct dns_answer *a;

		begin(&m, "a", TYPE_A, 0x8180);
		for (int i = 0; i < links; i++) {
			const char owner[] = { 1, (char)('a' + i), 0 }, target[] = { 1, (char)('b' + i), 0 };

			record(&m, 6, owner, 3, TYPE_CNAME, 300 - (uint32_t)i, target, 3);
		}
		record(&m, 6, (const char[]){ 1, (char)('a' + links), 0 }, 3, TYPE_A, 300, "\1\2\3\4", 4);
		a = read_it(&m, "a", TYPE_A);
		assert_int_equal(a->status, links <= 16 ? ANSWER_DATA : ANSWER_FAILED);
		if (links <= 16) {
			assert_int_equal(a->ttl, 300 - links + 1);
			assert_int_equal(a->canonical[0], 'a' + links);
		}
		dns_answer_unref(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_read_as_dns_holds_them),
		cmocka_unit_test(a_question_is_what_rfc_1035_says),
		cmocka_unit_test(letters_are_mixed_and_compared_exactly),
		cmocka_unit_test(the_least_ttl_counts_and_emptiness_has_that_of_the_soa),
		cmocka_unit_test(a_null_mx_and_empty_strings_are_shown),
		cmocka_unit_test(what_is_no_answer_to_the_question_is_not_taken),
		cmocka_unit_test(what_is_too_large_or_cut_is_no_answer),
		cmocka_unit_test(chains_are_followed_to_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
