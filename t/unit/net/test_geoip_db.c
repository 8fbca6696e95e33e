/* test_geoip_db.c - country and network of addresses; files that are cut, damaged, nested without end, or something else */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/stat.h>
#include <talloc.h>

#include "geoip_help.h"

#define NETS "'192.0.2.0/24 NL' '192.0.2.128/25 DE' '198.51.100.7/32 ~FR' '203.0.113.0/24 nl' '10.1.0.0/16 XXX' "
#define NETS_6 "'2001:db8::/32 BE' '2001:db8:1::/48 LU' "

static struct geoip_db *opened(const char *path, enum geoip_kind kind)
{
	struct geoip_db *db;
	char *error;

	if (geoip_db_open(path, kind, &db, &error) != 0)
		fail_msg("%s", error);
	assert_null(error);
	return db;
}

static const char *country_of(const struct geoip_db *db, const char *address)
{
	static struct geoip_facts facts;
	struct ip ip;
	bool found;

	memset(&facts, 0, sizeof(facts));
	ip_parse(address, &ip);
	found = geoip_db_find(db, &ip, &facts);
	assert_int_equal(found, facts.country[0] != '\0');
	assert_int_equal(facts.asn, 0);
	return facts.country;
}

static void an_address_has_the_country_of_its_narrowest_network(void **state)
{
	static const struct { const char *address, *country; bool six; } cases[] = {
		{ "192.0.2.1", "NL" }, { "192.0.2.127", "NL" }, { "192.0.2.128", "DE" }, { "::ffff:192.0.2.1", "NL" }, { "198.51.100.7", "FR" }, { "198.51.100.8", "" },
		{ "8.8.8.8", "" }, { "unknown", "" }, { "203.0.113.7", "" }, { "10.1.2.3", "" },         /* what is no code is not believed */
		{ "2001:db8::1", "BE", true }, { "2001:db8:1::1", "LU", true }, { "2001:db9::1", "" },
	};
	static const char *const forms[] = { "size=24 " NETS NETS_6, "size=28 " NETS NETS_6, "size=32 " NETS NETS_6, "version=4 " NETS };

	(void)state;
	for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++) {
		struct geoip_db *db = opened(made("a", "country", forms[f]), GEOIP_COUNTRY);

		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			const char *want = f == 3 && cases[i].six ? "" : cases[i].country;

			if (strcmp(country_of(db, cases[i].address), want) != 0)
				fail_msg("%s: %s is not in %s", forms[f], cases[i].address, want);
		}
		geoip_db_unref(db);
	}
}

static void an_address_has_a_network_and_who_runs_it(void **state)
{
	static const struct { const char *address; uint32_t asn; const char *organisation; } cases[] = {
		{ "192.0.2.1", 64500, "Example Networks \"B.V.\"" }, { "198.51.100.1", 4294967295, "" }, { "203.0.113.1", 0, "" }, { "8.8.8.8", 0, "" },
		{ "2001:db8::1", 64501, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },      /* 80 of 90 */
	};
	struct geoip_db *db = opened(made("a", "asn", "'192.0.2.0/24 64500 Example Networks \"B.V.\"' '198.51.100.0/24 4294967295' '203.0.113.0/24 0 Nobody' "
		"\"2001:db8::/32 64501 $(printf '%090d' 0 | tr 0 a)\""), GEOIP_ASN);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct geoip_facts facts = { .country = "XX" };
		struct ip ip;

		assert_true(ip_parse(cases[i].address, &ip));
		assert_int_equal(geoip_db_find(db, &ip, &facts), cases[i].asn != 0);
		assert_int_equal(facts.asn, cases[i].asn);
		assert_string_equal(facts.organisation, cases[i].organisation);
		assert_string_equal(facts.country, "XX");
	}
	geoip_db_unref(db);
}

static void a_database_says_what_it_is_and_of_when(void **state)
{
	struct geoip_db *db = opened(made("a", "country", "built=1763596800 '192.0.2.0/24 NL'"), GEOIP_COUNTRY);

	(void)state;
	assert_string_equal(geoip_db_about(db), "GeoLite2-Country of 2025-11-20");
	assert_int_equal(geoip_db_built(db), 1763596800);
	geoip_db_unref(db);
	db = opened(made("a", "country", "built=18446744073709551615 \"type=$(printf 'a\\033[2J%060d' 0)\" '192.0.2.0/24 NL'"), GEOIP_COUNTRY);
	assert_memory_equal(geoip_db_about(db), "a[2J000000000000000000000000000000000000", 40);
	geoip_db_unref(db);
}

/* What no writer would write is refused, or not found; never read to its end. */
static void damaged_records_are_nothing_and_the_others_are_there(void **state)
{
	static const char *const damages[] = { "deep", "nested", "self", "far", "ring", "cut", "endless", "number", "types", "key" };

	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		char arguments[200];
		struct geoip_db *db;

		snprintf(arguments, sizeof(arguments), "'192.0.2.0/24 !%s' '198.51.100.0/24 NL'", damages[i]);
		db = opened(made("a", "country", arguments), GEOIP_COUNTRY);
		if (strcmp(country_of(db, "192.0.2.1"), "") != 0 || strcmp(country_of(db, "198.51.100.1"), "NL") != 0)
			fail_msg("%s", damages[i]);
		geoip_db_unref(db);
		snprintf(arguments, sizeof(arguments), "'192.0.2.0/24 !%s' '198.51.100.0/24 64500 A B'", damages[i]);
		db = opened(made("a", "asn", arguments), GEOIP_ASN);
		assert_string_equal(country_of(db, "192.0.2.1"), "");
		geoip_db_unref(db);
	}
}

static void refused(const char *path, enum geoip_kind kind, const char *why)
{
	struct geoip_db *db;
	char *error = NULL;

	assert_true(geoip_db_open(path, kind, &db, &error) < 0);
	assert_null(db);
	assert_non_null(error);
	if (strncmp(error, path, strlen(path)) != 0 || strstr(error, why) == NULL)
		fail_msg("%s, not %s", error, why);
	talloc_free(error);
}

static void what_is_no_database_is_refused_with_the_reason(void **state)
{
	(void)state;
	refused(at("none"), GEOIP_COUNTRY, "No such file");
	refused(folder, GEOIP_COUNTRY, "no file");
	assert_int_equal(mkfifo(at("pipe"), 0600), 0);
	refused(at("pipe"), GEOIP_COUNTRY, "no file");
	spill(at("text"), "", 0);
	refused(at("text"), GEOIP_COUNTRY, "empty");
	spill(at("text"), "<html>404</html>\n", 17);
	refused(at("text"), GEOIP_ASN, "no MaxMind database");
	spill(at("text"), "\xab\xcd\xefMaxMind.com", 14);
	refused(at("text"), GEOIP_ASN, "no MaxMind database");
	refused(made("a", "asn", "'192.0.2.0/24 64500 A'"), GEOIP_COUNTRY, "no record in it tells a country");
	refused(made("a", "country", "'192.0.2.0/24 NL'"), GEOIP_ASN, "no record in it tells a network");
	refused(made("a", "country", ""), GEOIP_COUNTRY, "no record in it");
	refused(made("a", "country", "damage=nested '192.0.2.0/24 NL'"), GEOIP_COUNTRY, "no MaxMind database");
	refused(made("a", "country", "damage=endless '192.0.2.0/24 NL'"), GEOIP_COUNTRY, "no MaxMind database");
	refused(made("a", "country", "damage=ring '192.0.2.0/24 NL'"), GEOIP_COUNTRY, "no MaxMind database");
	assert_int_equal(truncate(made("a", "country", "'192.0.2.0/24 NL'"), (off_t)2 << 30), 0);
	refused(at("a"), GEOIP_COUNTRY, "larger than 1 GB");
}

static void ask_all(const struct geoip_db *db)
{
	static const char *const addresses[] = { "192.0.2.1", "192.0.2.200", "198.51.100.7", "0.0.0.0", "255.255.255.255", "2001:db8::1", "ffff::", "::" };
	struct geoip_facts facts;
	struct ip ip;

	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		memset(&facts, 0, sizeof(facts));
		assert_true(ip_parse(addresses[i], &ip));
		if (geoip_db_find(db, &ip, &facts))
			assert_true(strlen(facts.country) == 2 || facts.asn != 0);
		assert_true(strlen(facts.organisation) <= GEOIP_ORGANISATION_MAX);
	}
}

static void try_bytes(const char *bytes, size_t size, bool bad)
{
	struct geoip_db *db;
	char *error;

	for (int kind = 0; kind < GEOIP_KINDS; kind++) {
		int result = geoip_db_new(bytes, size, "x", kind, &db, &error);

		assert_int_equal(result == 0, db != NULL);
		assert_int_equal(result == 0, error == NULL);
		if (bad && result == 0)
			fail_msg("%zu octets are a database", size);
		if (result == 0)
			ask_all(db);
		geoip_db_unref(db);
		talloc_free(error);
	}
}

static void a_file_cut_anywhere_is_refused(void **state)
{
	size_t size;
	char *bytes = slurp(made("a", "country", "size=28 " NETS NETS_6), &size);

	(void)state;
	for (size_t cut = 0; cut < size; cut++) {
		char *exact = malloc(cut + !cut);        /* so that a sanitizer sees one octet too many */

		memcpy(exact, bytes, cut);
		try_bytes(exact, cut, true);
		free(exact);
	}
	free(bytes);
}

static void an_octet_damaged_anywhere_hurts_nobody(void **state)
{
	static const unsigned char damage[] = { 0x00, 0xff, 0x80, 0x01 };
	static const char *const kinds[] = { "country", "asn" };
	static const char *const contents[] = { NETS NETS_6, "version=4 '192.0.2.0/24 64500 A B' '198.51.100.0/24 1 C'" };
	size_t size;

	(void)state;
	for (int k = 0; k < 2; k++) {
		char *bytes = slurp(made("a", kinds[k], contents[k]), &size);

		for (size_t i = 0; i < size; i++) {
			char before = bytes[i];

			for (size_t d = 0; d < sizeof(damage); d++) {
				bytes[i] = (char)(before ^ (char)damage[d]);
				try_bytes(bytes, size, false);
			}
			bytes[i] = before;
		}
		free(bytes);
	}
}

static void a_file_that_is_cut_while_it_is_in_use_is_not_missed(void **state)
{
	const char *path = made("a", "country", NETS);
	struct geoip_db *db = opened(path, GEOIP_COUNTRY), *again = geoip_db_ref(db);

	(void)state;
	assert_int_equal(truncate(path, 0), 0);
	geoip_db_unref(db);
	assert_string_equal(country_of(again, "192.0.2.1"), "NL");
	geoip_db_unref(again);
	geoip_db_unref(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_has_the_country_of_its_narrowest_network),
		cmocka_unit_test(an_address_has_a_network_and_who_runs_it),
		cmocka_unit_test(a_database_says_what_it_is_and_of_when),
		cmocka_unit_test(damaged_records_are_nothing_and_the_others_are_there),
		cmocka_unit_test(what_is_no_database_is_refused_with_the_reason),
		cmocka_unit_test(a_file_cut_anywhere_is_refused),
		cmocka_unit_test(an_octet_damaged_anywhere_hurts_nobody),
		cmocka_unit_test(a_file_that_is_cut_while_it_is_in_use_is_not_missed),
	};

	return cmocka_run_group_tests(tests, folder_made, folder_removed);
}
