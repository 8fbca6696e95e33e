/* lookup.c - lookup TABLE DOMAIN: what opening a table costs, and one look-up of an address in it; the fastest of some rounds, in microseconds */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/table.h"

enum { ROUNDS = 30, OPENINGS = 20, LOOKUPS = 1000 };

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static struct table *open_or_die(struct table_set *set, const char *spec)
{
	char *error = NULL;
	struct table *table = table_open(set, spec, "", false, &error);

	if (table == NULL) {
		fprintf(stderr, "lookup: %s\n", error);
		exit(1);
	}
	return table;
}

static double opening(struct table_set *set, const char *spec)
{
	double began = now_us();

	for (int i = 0; i < OPENINGS; i++)
		table_close(open_or_die(set, spec));
	return (now_us() - began) / OPENINGS;
}

/* user@domain: three questions, of which the last is answered. */
static double looking_up(struct table *table, const struct address *address)
{
	double began = now_us();

	for (int i = 0; i < LOOKUPS; i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		const char *value;

		if (table_lookup_address(table, address, mem, &value) != ANSWER_YES) {
			fprintf(stderr, "lookup: %s is not in the table\n", address->domain);
			exit(1);
		}
		talloc_free(mem);
	}
	return (now_us() - began) / LOOKUPS;
}

int main(int argc, char **argv)
{
	struct table_set *set = table_set_new_still(NULL);
	struct address address = { "user", "user", "" };
	double open_us = 1e9, lookup_us = 1e9;
	struct table *table;

	if (argc != 3) {
		fprintf(stderr, "usage: lookup TABLE DOMAIN\n");
		return 64;
	}
	address.domain = argv[2];
	for (int i = 0; i < ROUNDS; i++) {
		double us = opening(set, argv[1]);

		open_us = us < open_us ? us : open_us;
	}
	table = open_or_die(set, argv[1]);
	for (int i = 0; i < ROUNDS; i++) {
		double us = looking_up(table, &address);

		lookup_us = us < lookup_us ? us : lookup_us;
	}
	table_close(table);
	table_set_free(set);
	printf("%.2f %.2f\n", open_us, lookup_us);
	return 0;
}
