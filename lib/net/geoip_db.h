/* geoip_db.h - one database of MaxMind's format in memory of our own: country or network of an address */
#ifndef WINNOW_NET_GEOIP_DB_H
#define WINNOW_NET_GEOIP_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/ip.h"

enum geoip_kind { GEOIP_COUNTRY, GEOIP_ASN, GEOIP_KINDS };

enum { GEOIP_ORGANISATION_MAX = 80 };     /* octets of a name that are kept */

/* What is known of an address. */
struct geoip_facts {
	char country[3];                 /* ISO 3166-1, two capital letters; "": not known */
	uint32_t asn;                    /* number of the network (RFC 6793); 0: not known */
	char organisation[GEOIP_ORGANISATION_MAX + 1];   /* who runs it; bytes as they stand in the file; "": not known */
};

/* Never changes; reference counted. */
struct geoip_db;

/* Copies the file at path. One reference for the caller. 0, or -errno with *error_r (talloc'ed, child of NULL; NULL: out of memory): "PATH: what is wrong with it".
 * Refused: no regular file, over 1 GB, cut, of another format, damaged where it was looked at, or one that tells nothing of that kind; -EAGAIN: it was written meanwhile. */
int geoip_db_open(const char *path, enum geoip_kind kind, struct geoip_db **db_r, char **error_r);

/* The same from bytes; name is for the error. */
int geoip_db_new(const void *bytes, size_t size, const char *name, enum geoip_kind kind, struct geoip_db **db_r, char **error_r);

struct geoip_db *geoip_db_ref(struct geoip_db *db);
void geoip_db_unref(struct geoip_db *db);        /* NULL is allowed */

/* Writes what it knows of the address into the fields of its kind. false: nothing, or the place is damaged; then nothing is written. */
bool geoip_db_find(const struct geoip_db *db, const struct ip *ip, struct geoip_facts *facts);

/* "GeoLite2-ASN of 2026-11-20", printable ASCII. */
const char *geoip_db_about(const struct geoip_db *db);

/* When it was built, in seconds since 1970. */
int64_t geoip_db_built(const struct geoip_db *db);

#endif
