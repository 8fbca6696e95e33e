/* geoip.c - country and network of an address, from files that are watched and replaced while we run */
#include "net/geoip.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <talloc.h>

#include "util/signature.h"

enum { LOOK_SECONDS = 2 };

struct source {
	char *path;                      /* NULL: none */
	struct geoip_db *db;             /* under lock; NULL: none */
	struct signature seen;           /* the version that was read, or found bad */
	struct signature pending;        /* a newer one, which may not be whole yet */
};

struct geoip {
	struct log *log;
	bool still;
	pthread_mutex_t looking;         /* one look, or change, at a time */
	struct source of[GEOIP_KINDS];
	pthread_mutex_t lock;            /* guards each db for as long as it takes to count a reference; and what follows */
	pthread_cond_t wake;
	bool running, stop;
	pthread_t thread;
};

static const char *const names[GEOIP_KINDS] = { [GEOIP_COUNTRY] = "geoip.country", [GEOIP_ASN] = "geoip.asn" };

/* ---- which database is in force */

static struct geoip_db *hold(struct geoip *g, enum geoip_kind kind)
{
	struct geoip_db *db;

	pthread_mutex_lock(&g->lock);
	db = g->of[kind].db;
	if (db != NULL)
		geoip_db_ref(db);
	pthread_mutex_unlock(&g->lock);
	return db;
}

static void swap(struct geoip *g, enum geoip_kind kind, struct geoip_db *db)
{
	struct geoip_db *old;

	pthread_mutex_lock(&g->lock);
	old = g->of[kind].db;
	g->of[kind].db = db;
	pthread_mutex_unlock(&g->lock);
	geoip_db_unref(old);                     /* look-ups that still use it have references of their own */
}

void geoip_find(struct geoip *g, const struct ip *ip, struct geoip_facts *facts_r)
{
	*facts_r = (struct geoip_facts){ .asn = 0 };
	for (int kind = 0; g != NULL && kind < GEOIP_KINDS; kind++) {
		struct geoip_db *db = hold(g, kind);

		if (db != NULL)
			(void)geoip_db_find(db, ip, facts_r);
		geoip_db_unref(db);
	}
}

/* ---- reading; looking is held */

static void report_kept(struct geoip *g, enum geoip_kind kind, enum log_level level, const char *what)
{
	struct geoip_db *db = hold(g, kind);

	log_printf(g->log, level, "%s: %s; %s%s", names[kind], what, db != NULL ? "in force stays " : "nothing is known without it", db != NULL ? geoip_db_about(db) : "");
	geoip_db_unref(db);
}

/* Reads the version that is there. */
static void read_anew(struct geoip *g, enum geoip_kind kind, const struct signature *there)
{
	struct source *s = &g->of[kind];
	struct geoip_db *db;
	char *error;
	int result = geoip_db_open(s->path, kind, &db, &error);

	s->seen = *there;
	if (result == 0) {
		swap(g, kind, db);
		log_printf(g->log, LOG_LEVEL_INFO, "%s: %s: read anew, %s", names[kind], s->path, geoip_db_about(db));
	} else if (result == -EAGAIN) {
		s->seen = s->pending = (struct signature){ 0 };
	} else {
		report_kept(g, kind, LOG_LEVEL_ERROR, error != NULL ? error : strerror(-result));
	}
	talloc_free(error);
}

static void note_missing(struct geoip *g, enum geoip_kind kind, int error)
{
	struct source *s = &g->of[kind];
	char *what;

	if (signature_none(&s->seen) && signature_none(&s->pending))
		return;                          /* said already */
	s->seen = s->pending = (struct signature){ 0 };
	what = talloc_asprintf(NULL, "%s: cannot be read any more: %s", s->path, strerror(error));
	report_kept(g, kind, LOG_LEVEL_WARNING, what != NULL ? what : s->path);
	talloc_free(what);
}

/* at_once: somebody says that it is whole. */
static void look(struct geoip *g, enum geoip_kind kind, bool at_once)
{
	struct source *s = &g->of[kind];
	struct signature there;

	if (s->path == NULL)
		return;
	there = signature_of(s->path);
	if (signature_none(&there))
		note_missing(g, kind, errno);
	else if (signature_same(&there, &s->seen))
		return;
	else if (at_once || signature_same(&there, &s->pending))
		read_anew(g, kind, &there);
	else
		s->pending = there;
}

void geoip_look(struct geoip *g)
{
	pthread_mutex_lock(&g->looking);
	for (int kind = 0; kind < GEOIP_KINDS; kind++)
		look(g, kind, false);
	pthread_mutex_unlock(&g->looking);
}

/* Another file than before, or none. 0 or -errno with *error_r: then all stays. */
static int take_path(struct geoip *g, enum geoip_kind kind, const char *path, char **error_r)
{
	struct source *s = &g->of[kind];
	struct signature there = { 0 };
	struct geoip_db *db = NULL;
	char *copy = NULL;
	int result = 0;

	if (path[0] != '\0') {
		copy = strdup(path);
		/* taken before it is read: what is written meanwhile counts as a change */
		there = signature_of(path);
		result = copy != NULL ? geoip_db_open(path, kind, &db, error_r) : -ENOMEM;
	}
	if (result != 0) {
		free(copy);
		return result;
	}
	swap(g, kind, db);
	free(s->path);
	s->path = copy;
	s->seen = there;
	s->pending = (struct signature){ 0 };
	if (db != NULL)
		log_printf(g->log, LOG_LEVEL_INFO, "%s: %s: %s", names[kind], path, geoip_db_about(db));
	return 0;
}

/* ---- the thread */

static void *watch(void *arg)
{
	struct geoip *g = arg;

	pthread_mutex_lock(&g->lock);
	while (!g->stop) {
		struct timespec until;

		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += LOOK_SECONDS;
		while (!g->stop && pthread_cond_timedwait(&g->wake, &g->lock, &until) == 0)
			;
		if (g->stop)
			break;
		pthread_mutex_unlock(&g->lock);
		geoip_look(g);
		pthread_mutex_lock(&g->lock);
	}
	pthread_mutex_unlock(&g->lock);
	return NULL;
}

/* As soon as there is a file; looking is held. Signals stay with the program's own threads. */
static void start_thread(struct geoip *g)
{
	sigset_t all, old;
	int error;

	if (g->still || g->running || (g->of[GEOIP_COUNTRY].path == NULL && g->of[GEOIP_ASN].path == NULL))
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&g->thread, NULL, watch, g);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	g->running = error == 0;
	if (error != 0)
		log_printf(g->log, LOG_LEVEL_ERROR, "geoip: the thread that watches files does not start: %s; changed files are read at a reload", strerror(error));
}

/* ---- life */

int geoip_open(const struct geoip_options *options, struct log *log, struct geoip **geoip_r, char **error_r)
{
	struct geoip *g = calloc(1, sizeof(*g));
	pthread_condattr_t attr;
	int result = 0;

	*geoip_r = NULL;
	*error_r = NULL;
	if (g == NULL)
		return -ENOMEM;
	g->log = log;
	g->still = options->still;
	pthread_mutex_init(&g->looking, NULL);
	pthread_mutex_init(&g->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&g->wake, &attr);
	pthread_condattr_destroy(&attr);
	for (int kind = 0; kind < GEOIP_KINDS && result == 0; kind++)
		result = take_path(g, kind, options->path[kind], error_r);
	if (result != 0) {
		geoip_close(g);
		return result;
	}
	start_thread(g);
	*geoip_r = g;
	return 0;
}

void geoip_change(struct geoip *g, const struct geoip_options *options)
{
	pthread_mutex_lock(&g->looking);
	for (int kind = 0; kind < GEOIP_KINDS; kind++) {
		const char *path = options->path[kind], *before = g->of[kind].path != NULL ? g->of[kind].path : "";
		char *error = NULL;
		int result;

		if (strcmp(path, before) == 0) {
			look(g, kind, true);
			continue;
		}
		result = take_path(g, kind, path, &error);
		if (result != 0)
			report_kept(g, kind, LOG_LEVEL_ERROR, error != NULL ? error : strerror(-result));
		talloc_free(error);
	}
	start_thread(g);
	pthread_mutex_unlock(&g->looking);
}

void geoip_close(struct geoip *g)
{
	if (g == NULL)
		return;
	pthread_mutex_lock(&g->lock);
	g->stop = true;
	pthread_cond_signal(&g->wake);
	pthread_mutex_unlock(&g->lock);
	if (g->running)
		pthread_join(g->thread, NULL);
	for (int kind = 0; kind < GEOIP_KINDS; kind++) {
		geoip_db_unref(g->of[kind].db);
		free(g->of[kind].path);
	}
	pthread_cond_destroy(&g->wake);
	pthread_mutex_destroy(&g->lock);
	pthread_mutex_destroy(&g->looking);
	free(g);
}
