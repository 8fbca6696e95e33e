/* geoip_help.h - GeoIP databases for tests, made by t/fake/mmdb.py; included once by each program, behind cmocka.h */
#ifndef WINNOW_T_GEOIP_HELP_H
#define WINNOW_T_GEOIP_HELP_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/geoip_db.h"

#pragma GCC diagnostic ignored "-Wunused-function"

static char folder[200];

static int folder_made(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof(folder), "%.150s/winnow-geoip-XXXXXX", tmp != NULL ? tmp : "/tmp");
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int folder_removed(void **state)
{
	char command[300];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

/* A path in the folder; eight of them may be used at a time. */
static const char *at(const char *name)
{
	static char path[8][300];
	static int i;

	i = (i + 1) % 8;
	snprintf(path[i], sizeof(path[i]), "%s/%s", folder, name);
	return path[i];
}

/* Writes a database over the file: kind country or asn, arguments as mmdb.py has them, each in single quotes. */
static const char *made(const char *name, const char *kind, const char *arguments)
{
	const char *path = at(name);
	char command[2000];

	snprintf(command, sizeof(command), "python3 -B t/fake/mmdb.py '%s' %s %s", path, kind, arguments);
	assert_int_equal(system(command), 0);
	return path;
}

static char *slurp(const char *path, size_t *size_r)
{
	FILE *f = fopen(path, "rb");
	char *bytes;

	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	*size_r = (size_t)ftell(f);
	rewind(f);
	bytes = malloc(*size_r + 1);
	assert_int_equal(fread(bytes, 1, *size_r, f), *size_r);
	fclose(f);
	return bytes;
}

static void spill(const char *path, const char *bytes, size_t size)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

#endif
