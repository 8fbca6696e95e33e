/* test_dnslist.c - DNS lists: the names that are asked, what an answer says, what test points say of a list, what is shown of a key */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <talloc.h>

#include "net/dnslist.h"

#define KEY "abcdefghij0123456789klmnop"
#define LABEL60 "a23456789-123456789-123456789-123456789-123456789-123456789-"

static void names_are_the_address_backwards(void **state)
{
	static const struct { const char *ip, *zone, *name; } cases[] = {
		{ "192.0.2.99", "zen.example", "99.2.0.192.zen.example" },
		{ "192.0.2.99", "zen.example.", "99.2.0.192.zen.example" },
		{ "0.0.0.0", "z", "0.0.0.0.z" },
		{ "255.254.253.252", "z.example", "252.253.254.255.z.example" },
		{ "::ffff:192.0.2.99", "zen.example", "99.2.0.192.zen.example" },
		{ "2001:db8:7ca6:22::45", "zen.example", "5.4.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.2.0.0.6.a.c.7.8.b.d.0.1.0.0.2.zen.example" },
		{ "::1", "z.example", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.z.example" },
		{ "192.0.2.99", "", NULL }, { "2001:db8::1", "", NULL }, { "192.0.2.99", ".", NULL },
	};
	struct ip mapped = { .family = 6, .addr = { [10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 99 } }, none = { 0 };
	char name[DNSLIST_NAME_MAX], zone[400];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip ip;

		assert_true(ip_parse(cases[i].ip, &ip));
		assert_int_equal(dnslist_name(name, &ip, cases[i].zone), cases[i].name != NULL);
		if (cases[i].name != NULL)
			assert_string_equal(name, cases[i].name);
	}
	assert_true(dnslist_name(name, &mapped, "zen.example"));
	assert_string_equal(name, "99.2.0.192.zen.example");
	assert_false(dnslist_name(name, &none, "zen.example"));
	memset(zone, 'a', sizeof(zone));
	zone[300] = '\0';
	assert_false(dnslist_name(name, &mapped, zone));
	mapped.addr[0] = 1;
	assert_false(dnslist_name(name, &mapped, zone));
}

static void test_points_have_names_for_both_kinds_of_address(void **state)
{
	static const char *const names[DNSLIST_POINTS] = {
		[POINT_LISTED] = "2.0.0.127.z.example", [POINT_NOT_LISTED] = "1.0.0.127.z.example",
		[POINT_LISTED_IPV6] = "2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.z.example",
		[POINT_NOT_LISTED_IPV6] = "1.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.z.example",
	};
	char name[DNSLIST_NAME_MAX];

	(void)state;
	for (int p = 0; p < DNSLIST_POINTS; p++) {
		assert_true(dnslist_point_name(name, (enum dnslist_point)p, "z.example"));
		assert_string_equal(name, names[p]);
	}
}

static void zones_are_names_with_room_for_an_address(void **state)
{
	static const struct { const char *zone; bool good; } cases[] = {
		{ "zen.spamhaus.org", true }, { "z", true }, { "zen.spamhaus.org.", true }, { "_tcp.a-b.example", true }, { KEY ".zen.dq.spamhaus.net", true },
		{ LABEL60 "." LABEL60 "." LABEL60 ".abcdef", true }, { LABEL60 "." LABEL60 "." LABEL60 ".abcdefg", false }, { LABEL60 "abc.x", true }, { LABEL60 "abcd.x", false },
		{ "", false }, { ".", false }, { "..", false }, { "a..b", false }, { ".a", false }, { "a b", false }, { "a/b", false }, { "z\xc3\xa9.example", false }, { "a\"b", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (dnslist_zone_good(cases[i].zone) != cases[i].good)
			fail_msg("%s", cases[i].zone);
}

static void a_key_in_a_zone_is_not_shown(void **state)
{
	static const struct { const char *zone, *shown; } cases[] = {
		{ KEY ".zen.dq.spamhaus.net", "KEY.zen.dq.spamhaus.net" },
		{ "ABCDEFGHIJKLMNOPQRSTUVWXYZ.sbl.DQ.Spamhaus.NET.", "KEY.sbl.DQ.Spamhaus.NET" },
		{ KEY "xyz.zen.dq.spamhaus.net", "KEY.zen.dq.spamhaus.net" },
		{ KEY ".lists.example", "KEY.lists.example" },
		/* others' keys are of other lengths */
		{ "0123456789abcdef0123456789abcdef.combined.mail.abusix.zone", "KEY.combined.mail.abusix.zone" }, { "a1b2c3d4e5f6g7h8i9j0.example", "KEY.example" },
		{ "zen.dq.spamhaus.net", "zen.dq.spamhaus.net" },
		{ "zen.spamhaus.org", "zen.spamhaus.org" }, { "abcdefghijklmnopqrstuvwxyz.example", "abcdefghijklmnopqrstuvwxyz.example" },
		{ "a-very-long-name-of-a-list-1.example", "a-very-long-name-of-a-list-1.example" }, { "z.", "z" }, { "", "" }, { KEY " zen dq spamhaus net-", "KEY zen dq spamhaus net-" }, { "a..b/" KEY, "a..b/KEY" },
	};
	TALLOC_CTX *mem = talloc_new(NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(dnslist_shown(mem, cases[i].zone), cases[i].shown);
	talloc_free(mem);
}

static struct dnslist_answer answer_of(enum dnslist_kind kind, const char *text)
{
	static const struct { const char *word; enum answer_status status; } words[] = {
		{ "", ANSWER_NXDOMAIN }, { "empty", ANSWER_EMPTY }, { "failed", ANSWER_FAILED }, { "late", ANSWER_LATE }, { "pending", ANSWER_PENDING },
	};
	const char *records[40] = { NULL };
	struct dnslist_answer answer;
	char copy[800], *save = NULL;
	size_t n = 0;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i].word) == 0) {
			dnslist_read(kind, words[i].status, NULL, 0, &answer);
			return answer;
		}
	}
	snprintf(copy, sizeof(copy), "%s", text);
	for (char *word = strtok_r(copy, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save))
		records[n++] = word;
	dnslist_read(kind, ANSWER_DATA, records, n, &answer);
	return answer;
}

static void three_things_are_told_apart(void **state)
{
	static const struct { const char *records; enum dnslist_says block, allow; enum dnslist_trouble trouble; const char *codes; } cases[] = {
		{ "", DNSLIST_NOT_LISTED, DNSLIST_NOT_LISTED, TROUBLE_OF_NONE, "" },
		{ "empty", DNSLIST_NOT_LISTED, DNSLIST_NOT_LISTED, TROUBLE_OF_NONE, "" },
		{ "failed", DNSLIST_UNUSABLE, DNSLIST_UNUSABLE, TROUBLE_OF_FAILURE, "" },
		{ "late", DNSLIST_UNUSABLE, DNSLIST_UNUSABLE, TROUBLE_OF_LATENESS, "" },
		{ "pending", DNSLIST_UNUSABLE, DNSLIST_UNUSABLE, TROUBLE_OF_LATENESS, "" },
		{ "127.0.0.2", DNSLIST_LISTED, DNSLIST_LISTED, TROUBLE_OF_NONE, "127.0.0.2" },
		{ "127.0.0.2 127.0.0.9", DNSLIST_LISTED, DNSLIST_LISTED, TROUBLE_OF_NONE, "127.0.0.2, 127.0.0.9" },
		{ "127.0.0.11", DNSLIST_LISTED, DNSLIST_LISTED, TROUBLE_OF_NONE, "127.0.0.11" },
		{ "127.0.0.254", DNSLIST_LISTED, DNSLIST_LISTED, TROUBLE_OF_NONE, "127.0.0.254" },
		{ "127.0.1.2", DNSLIST_LISTED, DNSLIST_LISTED, TROUBLE_OF_NONE, "127.0.1.2" },
		{ "127.254.255.255", DNSLIST_LISTED, DNSLIST_LISTED, TROUBLE_OF_NONE, "127.254.255.255" },
		{ "127.255.255.252", DNSLIST_UNUSABLE, DNSLIST_UNUSABLE, TROUBLE_OF_TYPING, "127.255.255.252" },
		{ "127.255.255.254", DNSLIST_UNUSABLE, DNSLIST_UNUSABLE, TROUBLE_OF_RESOLVER, "127.255.255.254" },
		{ "127.255.255.255", DNSLIST_UNUSABLE, DNSLIST_UNUSABLE, TROUBLE_OF_QUOTA, "127.255.255.255" },
		{ "127.255.0.1", DNSLIST_UNUSABLE, DNSLIST_UNUSABLE, TROUBLE_OF_QUOTA, "127.255.0.1" },
		{ "127.0.0.1", DNSLIST_UNUSABLE, DNSLIST_UNUSABLE, TROUBLE_OF_REFUSAL, "127.0.0.1" },
		{ "127.0.1.255", DNSLIST_UNUSABLE, DNSLIST_UNUSABLE, TROUBLE_OF_REFUSAL, "127.0.1.255" },
		{ "127.0.2.255", DNSLIST_UNUSABLE, DNSLIST_UNUSABLE, TROUBLE_OF_REFUSAL, "127.0.2.255" },
		{ "127.0.0.255", DNSLIST_LISTED, DNSLIST_UNUSABLE, TROUBLE_OF_REFUSAL, "127.0.0.255" },
		{ "127.0.10.3", DNSLIST_LISTED, DNSLIST_UNUSABLE, TROUBLE_OF_REFUSAL, "127.0.10.3" },
		{ "127.0.11.3", DNSLIST_LISTED, DNSLIST_LISTED, TROUBLE_OF_NONE, "127.0.11.3" },
		{ "10.0.0.1", DNSLIST_UNUSABLE, DNSLIST_UNUSABLE, TROUBLE_OF_STRANGERS, "10.0.0.1" },
		{ "198.51.100.7 127.0.0.2", DNSLIST_UNUSABLE, DNSLIST_UNUSABLE, TROUBLE_OF_STRANGERS, "198.51.100.7, 127.0.0.2" },
		{ "127.0.0.2 127.255.255.255", DNSLIST_UNUSABLE, DNSLIST_UNUSABLE, TROUBLE_OF_QUOTA, "127.0.0.2, 127.255.255.255" },
		{ "126.255.255.255", DNSLIST_UNUSABLE, DNSLIST_UNUSABLE, TROUBLE_OF_STRANGERS, "126.255.255.255" },
		{ "128.0.0.2", DNSLIST_UNUSABLE, DNSLIST_UNUSABLE, TROUBLE_OF_STRANGERS, "128.0.0.2" },
		{ "0.0.0.0", DNSLIST_UNUSABLE, DNSLIST_UNUSABLE, TROUBLE_OF_STRANGERS, "" },
		{ "nonsense", DNSLIST_UNUSABLE, DNSLIST_UNUSABLE, TROUBLE_OF_STRANGERS, "" },
		{ "2001:db8::1", DNSLIST_UNUSABLE, DNSLIST_UNUSABLE, TROUBLE_OF_STRANGERS, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dnslist_answer block = answer_of(DNSLIST_BLOCK, cases[i].records), allow = answer_of(DNSLIST_ALLOW, cases[i].records);
		char text[200];

		if (block.says != cases[i].block || allow.says != cases[i].allow || allow.trouble != cases[i].trouble)
			fail_msg("%s: block %d, allow %d, trouble %d", cases[i].records, block.says, allow.says, allow.trouble);
		assert_int_equal(block.trouble, cases[i].block == DNSLIST_UNUSABLE ? cases[i].trouble : TROUBLE_OF_NONE);
		dnslist_codes_text(&block, text, sizeof(text));
		assert_string_equal(text, cases[i].codes);
		assert_int_equal(dnslist_trouble_text(allow.trouble)[0] != '\0', allow.says == DNSLIST_UNUSABLE);
	}
}

static void the_number_of_codes_is_bounded(void **state)
{
	const char *records[100];
	struct dnslist_answer answer;
	char texts[100][20], text[30];

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(texts[i], sizeof(texts[i]), "127.0.0.%d", i + 2);
		records[i] = texts[i];
	}
	dnslist_read(DNSLIST_BLOCK, ANSWER_DATA, records, 100, &answer);
	assert_int_equal(answer.says, DNSLIST_LISTED);
	assert_int_equal(answer.n, DNSLIST_CODES_MAX);
	dnslist_codes_text(&answer, text, sizeof(text));
	assert_string_equal(text, "127.0.0.2, 127.0.0.3, 127.0.0");
	/* an error is seen wherever it stands */
	records[99] = "127.255.255.255";
	dnslist_read(DNSLIST_BLOCK, ANSWER_DATA, records, 100, &answer);
	assert_int_equal(answer.says, DNSLIST_UNUSABLE);
}

static void test_points_say_what_is_wrong_with_a_list(void **state)
{
	static const struct { const char *listed, *not_listed; enum dnslist_fault block, allow; const char *ipv6; } cases[] = {
		{ "127.0.0.2", "", FAULT_NONE, FAULT_NONE },
		{ "127.0.0.2", "", FAULT_NONE, FAULT_NONE, "late" }, { "127.0.0.2", "", FAULT_NONE, FAULT_NONE, "failed" }, { "127.0.0.2", "", FAULT_NONE, FAULT_NONE, "empty" },
		{ "127.0.0.2", "", FAULT_LISTS_ALL_IPV6, FAULT_LISTS_ALL_IPV6, "127.0.0.2" }, { "127.0.0.2", "127.0.0.2", FAULT_LISTS_ALL, FAULT_LISTS_ALL, "127.0.0.2" },
		{ "127.0.0.2 127.0.0.4 127.0.0.10", "empty", FAULT_NONE, FAULT_NONE },
		{ "127.0.10.0", "", FAULT_NONE, FAULT_NONE },
		{ "127.0.0.2", "127.0.0.2", FAULT_LISTS_ALL, FAULT_LISTS_ALL },
		{ "127.0.10.0", "127.0.10.0", FAULT_LISTS_ALL, FAULT_LISTS_ALL },
		{ "", "127.0.0.2", FAULT_LISTS_ALL, FAULT_LISTS_ALL },
		{ "late", "127.0.0.2", FAULT_LISTS_ALL, FAULT_LISTS_ALL },
		{ "", "", FAULT_LISTS_NOTHING, FAULT_LISTS_NOTHING },
		{ "empty", "late", FAULT_LISTS_NOTHING, FAULT_LISTS_NOTHING },
		{ "127.0.0.2", "late", FAULT_SILENT, FAULT_SILENT },
		{ "late", "late", FAULT_SILENT, FAULT_SILENT }, { "failed", "failed", FAULT_SILENT, FAULT_SILENT }, { "late", "", FAULT_SILENT, FAULT_SILENT },
		{ "127.255.255.252", "127.255.255.252", FAULT_TYPING, FAULT_TYPING },
		{ "127.255.255.254", "127.255.255.254", FAULT_RESOLVER, FAULT_RESOLVER }, { "127.255.255.254", "", FAULT_RESOLVER, FAULT_RESOLVER },
		{ "127.255.255.255", "late", FAULT_QUOTA, FAULT_QUOTA },
		{ "127.0.0.1", "127.0.0.1", FAULT_REFUSAL, FAULT_REFUSAL },
		{ "127.0.0.255", "127.0.0.255", FAULT_LISTS_ALL, FAULT_REFUSAL },
		{ "192.0.2.1", "192.0.2.1", FAULT_STRANGERS, FAULT_STRANGERS }, { "127.0.0.2", "192.0.2.1", FAULT_STRANGERS, FAULT_STRANGERS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int kind = 0; kind < 2; kind++) {
			enum dnslist_kind k = (enum dnslist_kind)kind;
			struct dnslist_answer said[DNSLIST_POINTS] = {
				[POINT_LISTED] = answer_of(k, cases[i].listed), [POINT_NOT_LISTED] = answer_of(k, cases[i].not_listed),
				[POINT_NOT_LISTED_IPV6] = answer_of(k, cases[i].ipv6 != NULL ? cases[i].ipv6 : ""),
			};
			enum dnslist_fault fault = dnslist_test(k, said);

			if (fault != (kind == DNSLIST_ALLOW ? cases[i].allow : cases[i].block))
				fail_msg("%s, %s: %d", cases[i].listed, cases[i].not_listed, fault);
			assert_int_equal(dnslist_fault_text(fault)[0] != '\0', fault != FAULT_NONE);
			assert_int_equal(dnslist_fault_remedy(fault)[0] != '\0', fault != FAULT_NONE);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_the_address_backwards),
		cmocka_unit_test(test_points_have_names_for_both_kinds_of_address),
		cmocka_unit_test(zones_are_names_with_room_for_an_address),
		cmocka_unit_test(a_key_in_a_zone_is_not_shown),
		cmocka_unit_test(three_things_are_told_apart),
		cmocka_unit_test(the_number_of_codes_is_bounded),
		cmocka_unit_test(test_points_say_what_is_wrong_with_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
