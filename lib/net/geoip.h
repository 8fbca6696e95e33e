/* geoip.h - country and network of an address, from files that are watched and replaced while we run */
#ifndef WINNOW_NET_GEOIP_H
#define WINNOW_NET_GEOIP_H

#include "net/geoip_db.h"
#include "util/log.h"

struct geoip_options {
	const char *path[GEOIP_KINDS];   /* "": none */
	bool still;                      /* no thread: files are looked at by geoip_look() alone (tests) */
};

/* Any thread may ask. Owner: the engine. */
struct geoip;

/* Reads the files and starts the thread that looks at them each two seconds. log: NULL, or must outlive it. 0 or -errno with *error_r (talloc'ed, child of NULL; NULL: out of memory). */
int geoip_open(const struct geoip_options *options, struct log *log, struct geoip **geoip_r, char **error_r);

/* A reload: other files are read, those of before are looked at at once. What cannot be used is logged, and what was there before stays. */
void geoip_change(struct geoip *geoip, const struct geoip_options *options);

/* One look at all files. A new version counts when two looks have seen it unchanged. A bad one, or none, is logged once, and what was read before stays. */
void geoip_look(struct geoip *geoip);

/* Ends the thread. NULL is allowed. */
void geoip_close(struct geoip *geoip);

/* What the files tell of an address; all empty if geoip is NULL or nothing is known. Never waits for a file. */
void geoip_find(struct geoip *geoip, const struct ip *ip, struct geoip_facts *facts_r);

#endif
