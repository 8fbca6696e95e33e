/* place.h - a quarantine in a private folder, for the tests of this folder */
#ifndef WINNOW_TEST_PLACE_H
#define WINNOW_TEST_PLACE_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <talloc.h>
#include <unistd.h>

#include "quarantine/quarantine.h"

struct place {
	char top[64], path[80];
	TALLOC_CTX *mem;
	char *error;
};

static inline int place_make(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	*state = p;
	if (p == NULL)
		return -1;
	strcpy(p->top, "/tmp/winnow-quarantine.XXXXXX");
	if (mkdtemp(p->top) == NULL)
		return -1;
	snprintf(p->path, sizeof(p->path), "%s/q", p->top);
	p->mem = talloc_new(NULL);
	return 0;
}

static inline int place_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int place_remove(void **state)
{
	struct place *p = *state;

	nftw(p->top, place_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	talloc_free(p->error);
	talloc_free(p->mem);
	free(p);
	return 0;
}

static inline char *place_name(struct place *p, const char *name)
{
	return talloc_asprintf(p->mem, "%s/%s", p->path, name);
}

/* Opens it for writing. */
static inline struct quarantine *place_open(struct place *p)
{
	struct quarantine *q;
	int r = quarantine_open(p->path, true, NULL, &q, &p->error);

	if (r != 0)
		fail_msg("quarantine_open: %d %s", r, p->error);
	return q;
}

static inline void place_keep(struct place *p, struct quarantine *q, const struct quarantine_entry *entry, const char *data)
{
	struct quarantine_entry e = *entry;
	int r;

	e.size = strlen(data);
	r = quarantine_keep(q, &e, data, strlen(data), &p->error);
	if (r != 0)
		fail_msg("keep %s: %d %s", e.id, r, p->error);
}

/* The ids that a list gives, with blanks between. */
static inline char *place_list(struct place *p, struct quarantine *q, const struct quarantine_filter *filter)
{
	static const struct quarantine_filter all = { 0 };
	struct quarantine_entry *v;
	char *got = talloc_strdup(p->mem, "");
	size_t n;
	int r = quarantine_list(q, p->mem, filter != NULL ? filter : &all, &v, &n, &p->error);

	if (r != 0)
		fail_msg("list: %d %s", r, p->error);
	for (size_t i = 0; i < n; i++)
		got = talloc_asprintf_append(got, "%s%s", i ? " " : "", v[i].id);
	return got;
}

static inline struct quarantine_entry place_entry(struct place *p, struct quarantine *q, const char *id)
{
	struct quarantine_entry e;
	char *data;
	size_t len;
	int r = quarantine_show(q, p->mem, id, &e, &data, &len, &p->error);

	if (r != 0)
		fail_msg("show %s: %d %s", id, r, p->error);
	return e;
}

/* The result of a call that must fail, and that it says why. */
static inline void place_fails(struct place *p, int r, int expected)
{
	if (r != expected)
		fail_msg("%d (%s) instead of %d", r, p->error != NULL ? p->error : "no text", expected);
	assert_non_null(p->error);
	assert_true(strlen(p->error) > 10);
	talloc_free(p->error);
	p->error = NULL;
}

#endif
