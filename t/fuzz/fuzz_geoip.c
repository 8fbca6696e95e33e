/* fuzz_geoip.c - files that say they are MaxMind databases: what a look-up calls of libmaxminddb, and the metadata at opening */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <talloc.h>

#include "net/geoip_db.h"

static void ask(const struct geoip_db *db, enum geoip_kind kind, const char *address)
{
	struct geoip_facts facts = { .asn = 0 };
	struct ip ip;

	if (!ip_parse(address, &ip))
		abort();
	if (geoip_db_find(db, &ip, &facts) != (kind == GEOIP_COUNTRY ? facts.country[0] != '\0' : facts.asn != 0))
		abort();
	if (strlen(facts.organisation) > GEOIP_ORGANISATION_MAX || (facts.country[0] != '\0' && strlen(facts.country) != 2))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const addresses[] = { "192.0.2.1", "198.51.100.7", "0.0.0.0", "255.255.255.255", "2001:db8::1", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" };

	for (int kind = 0; kind < GEOIP_KINDS; kind++) {
		struct geoip_db *db;
		char *error;

		if (geoip_db_new(data, size, "seed", kind, &db, &error) != 0 && (db != NULL || error == NULL))
			abort();   /* each refusal says why */
		for (size_t i = 0; db != NULL && i < sizeof(addresses) / sizeof(addresses[0]); i++)
			ask(db, kind, addresses[i]);
		geoip_db_unref(db);
		talloc_free(error);
	}
	return 0;
}
