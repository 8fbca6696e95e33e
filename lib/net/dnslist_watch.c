/* dnslist_watch.c - what we know of each DNS list's own state, and whether it is believed */
#include "net/dnslist_watch.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/dnslist_rate.h"

struct entry {
	enum dnslist_kind kind;
	char *zone;
	bool self_test;
	enum dnslist_fault fault;
	unsigned silent;                 /* questions in a row without an answer */
	int64_t due;                     /* of the next test */
	struct dnslist_state state;
	struct dnslist_rate rate;
};

struct dnslist_watch {
	pthread_mutex_t lock;
	struct log *log;
	int64_t now;                     /* the last that was heard of time */
	bool (*gone)(void *context);     /* is no resolver left? NULL: one always is */
	void *context;
	struct entry *entries[DNSLIST_LISTS_MAX];
	size_t n;
};

struct dnslist_watch *dnslist_watch_new(struct log *log)
{
	struct dnslist_watch *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	pthread_mutex_init(&w->lock, NULL);
	w->log = log;
	return w;
}

void dnslist_watch_network(struct dnslist_watch *watch, bool (*gone)(void *context), void *context)
{
	watch->gone = gone;
	watch->context = context;
}

static void entry_free(struct entry *e)
{
	if (e != NULL)
		free(e->zone);
	free(e);
}

void dnslist_watch_free(struct dnslist_watch *watch)
{
	if (watch == NULL)
		return;
	for (size_t i = 0; i < watch->n; i++)
		entry_free(watch->entries[i]);
	pthread_mutex_destroy(&watch->lock);
	free(watch);
}

static struct entry *find(struct dnslist_watch *w, enum dnslist_kind kind, const char *zone)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->entries[i]->kind == kind && dnslist_same_zone(w->entries[i]->zone, zone))
			return w->entries[i];
	return NULL;
}

static struct entry *entry_new(const struct dnslist *list)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (e == NULL || (e->zone = strdup(list->zone)) == NULL) {
		free(e);
		return NULL;
	}
	e->kind = e->state.kind = list->kind;
	e->self_test = list->self_test;
	e->due = list->self_test ? INT64_MIN : INT64_MAX;
	dnslist_rate_init(&e->rate);
	return e;
}

static bool name_taken(struct entry *const *before, size_t n, const struct entry *e)
{
	for (size_t i = 0; i < n; i++)
		if (before[i]->kind == e->kind && strcmp(before[i]->state.shown, e->state.shown) == 0)
			return true;
	return false;
}

/* Two may have one name, as a public zone and the same with a key: what is counted and said must tell them apart. */
static void set_shown(struct entry *e, const char *shown, struct entry *const *before, size_t n)
{
	snprintf(e->state.shown, sizeof(e->state.shown), "%s", shown);
	for (unsigned k = 2; name_taken(before, n, e); k++)
		snprintf(e->state.shown, sizeof(e->state.shown), "%.110s (%u)", shown, k);
}

void dnslist_watch_set(struct dnslist_watch *watch, const struct dnslist *lists, size_t n)
{
	struct entry *fresh[DNSLIST_LISTS_MAX];
	size_t n_fresh = 0;

	pthread_mutex_lock(&watch->lock);
	for (size_t i = 0; i < n && i < DNSLIST_LISTS_MAX; i++) {
		struct entry *e = find(watch, lists[i].kind, lists[i].zone);

		if (e != NULL && e->self_test == lists[i].self_test) {
			size_t at = 0;

			while (watch->entries[at] != e)
				at++;
			watch->entries[at] = watch->entries[--watch->n];
		} else {
			e = entry_new(&lists[i]);
		}
		if (e == NULL)
			continue;            /* out of memory: the list is used, and not watched */
		set_shown(e, lists[i].shown, fresh, n_fresh);
		fresh[n_fresh++] = e;
	}
	for (size_t i = 0; i < watch->n; i++)
		entry_free(watch->entries[i]);
	memcpy(watch->entries, fresh, n_fresh * sizeof(fresh[0]));
	watch->n = n_fresh;
	pthread_mutex_unlock(&watch->lock);
}

enum dnslist_fault dnslist_watch_fault(struct dnslist_watch *watch, enum dnslist_kind kind, const char *zone)
{
	const struct entry *e;
	enum dnslist_fault fault;

	pthread_mutex_lock(&watch->lock);
	e = find(watch, kind, zone);
	fault = e != NULL ? e->fault : FAULT_NONE;
	pthread_mutex_unlock(&watch->lock);
	return fault;
}

/* ---- suspended, and back */

/* Under the lock; log_line() never waits for its target. */
__attribute__((format(printf, 3, 4))) static void say(struct dnslist_watch *w, enum log_level level, const char *format, ...)
{
	char line[600];
	va_list ap;

	if (w->log == NULL)
		return;
	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	log_line(w->log, level, line);
}

/* The next test comes when it would have come, but sooner for a list that only does not answer, and not sooner than in ten minutes for one whose test points were right all the time. */
static void suspend(struct dnslist_watch *w, struct entry *e, enum dnslist_fault fault)
{
	int64_t wait = fault == FAULT_SILENT ? DNSLIST_INTERVAL_SILENT : DNSLIST_INTERVAL;
	bool first = e->fault == FAULT_NONE;

	if (e->due > w->now + wait || fault == FAULT_RATE)
		e->due = w->now + wait;
	e->fault = fault;
	e->silent = 0;
	if (!first)
		return;                  /* it was said */
	e->state.suspensions++;
	say(w, LOG_LEVEL_WARNING, "%s %s: suspended: %s; until %s it says nothing of any client; %s", dnslist_kind_name(e->kind), e->state.shown, dnslist_fault_text(fault),
		e->self_test ? "its test points are right" : fault == FAULT_SILENT ? "a minute from now" : "ten minutes from now", dnslist_fault_remedy(fault));
}

static void take_back(struct dnslist_watch *w, struct entry *e)
{
	if (e->fault == FAULT_NONE)
		return;
	if (e->fault == FAULT_RATE)
		dnslist_rate_accept(&e->rate);
	e->fault = FAULT_NONE;
	e->silent = 0;
	say(w, LOG_LEVEL_INFO, "%s %s: in use again%s", dnslist_kind_name(e->kind), e->state.shown, e->self_test ? ": its test points are right" : "");
}

void dnslist_watch_tested(struct dnslist_watch *watch, enum dnslist_kind kind, const char *zone, enum dnslist_fault fault, int64_t now)
{
	struct entry *e;

	pthread_mutex_lock(&watch->lock);
	e = find(watch, kind, zone);
	watch->now = now;
	if (e != NULL) {
		if (fault == FAULT_NONE)
			take_back(watch, e);
		else if (fault != FAULT_SILENT)
			suspend(watch, e, fault);
		e->due = !e->self_test && e->fault == FAULT_NONE ? INT64_MAX
			: now + (fault == FAULT_SILENT || e->fault == FAULT_SILENT ? DNSLIST_INTERVAL_SILENT : DNSLIST_INTERVAL);
	}
	pthread_mutex_unlock(&watch->lock);
}

/* Counts an answer, or that there was none. */
static void count_silence(const struct dnslist_watch *w, struct entry *e, const struct dnslist_answer *answer)
{
	if (answer->trouble != TROUBLE_OF_LATENESS && answer->trouble != TROUBLE_OF_FAILURE)
		e->silent = 0;
	else if (w->gone == NULL || !w->gone(w->context))
		e->silent++;
}

static void saw(struct dnslist_watch *w, struct entry *e, const struct dnslist_answer *answer, bool hit, bool alone, const struct ip *client)
{
	enum dnslist_fault fault = dnslist_fault_of(answer->trouble);
	bool usable = answer->says != DNSLIST_UNUSABLE;

	e->state.asked++;
	e->state.listed += usable && hit;
	e->state.not_listed += usable && !hit;
	e->state.unusable += !usable;
	if (e->fault != FAULT_NONE)
		return;                  /* an answer that was under way */
	count_silence(w, e, answer);
	if (fault != FAULT_NONE)
		suspend(w, e, fault);
	else if (e->silent >= DNSLIST_SILENT_MAX)
		suspend(w, e, FAULT_SILENT);
	else if (usable && (!hit || alone) && dnslist_rate_count(&e->rate, hit, client))
		suspend(w, e, FAULT_RATE);
}

void dnslist_watch_saw(struct dnslist_watch *watch, enum dnslist_kind kind, const char *zone, const struct dnslist_answer *answer, bool hit, bool alone, const struct ip *client)
{
	struct entry *e;

	pthread_mutex_lock(&watch->lock);
	e = find(watch, kind, zone);
	if (e != NULL)
		saw(watch, e, answer, hit, alone, client);
	pthread_mutex_unlock(&watch->lock);
}

/* ---- tests */

struct dnslist *dnslist_watch_due(struct dnslist_watch *watch, TALLOC_CTX *mem, int64_t now, size_t *n_r)
{
	struct dnslist *due = talloc_array(mem, struct dnslist, DNSLIST_LISTS_MAX);

	*n_r = 0;
	pthread_mutex_lock(&watch->lock);
	watch->now = now;
	for (size_t i = 0; due != NULL && i < watch->n; i++) {
		const struct entry *e = watch->entries[i];

		if (e->due <= now)
			due[(*n_r)++] = (struct dnslist){
				.kind = e->kind, .zone = talloc_strdup(due, e->zone), .shown = talloc_strdup(due, e->state.shown), .self_test = e->self_test,
			};
	}
	pthread_mutex_unlock(&watch->lock);
	return due;
}

void dnslist_watch_hurry(struct dnslist_watch *watch)
{
	pthread_mutex_lock(&watch->lock);
	for (size_t i = 0; i < watch->n; i++)
		if (watch->entries[i]->self_test && watch->entries[i]->fault != FAULT_RATE)
			watch->entries[i]->due = INT64_MIN;
	pthread_mutex_unlock(&watch->lock);
}

void dnslist_watch_back(struct dnslist_watch *watch)
{
	pthread_mutex_lock(&watch->lock);
	for (size_t i = 0; i < watch->n; i++)
		if (watch->entries[i]->fault == FAULT_SILENT)
			watch->entries[i]->due = INT64_MIN;
	pthread_mutex_unlock(&watch->lock);
}

size_t dnslist_watch_states(struct dnslist_watch *watch, struct dnslist_state states_r[DNSLIST_LISTS_MAX])
{
	size_t n;

	pthread_mutex_lock(&watch->lock);
	n = watch->n;
	for (size_t i = 0; i < n; i++) {
		states_r[i] = watch->entries[i]->state;
		states_r[i].fault = watch->entries[i]->fault;
	}
	pthread_mutex_unlock(&watch->lock);
	return n;
}
