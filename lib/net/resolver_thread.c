/* resolver_thread.c - the resolver's thread: a question's way from server to server until it is settled */
#include "net/resolver_private.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "util/clock.h"

enum { EVENTS = 64, SECOND_US = 1000000, HEDGE_PARTS = 6 /* of the timeout: then a second server is asked too */ };

/* ---- lists */

static void list_add(struct list *l, struct question *q)
{
	q->list = l;
	q->next = NULL;
	q->before = l->last;
	*(l->last != NULL ? &l->last->next : &l->first) = q;
	l->last = q;
}

static void list_remove(struct question *q)
{
	struct list *l = q->list;

	*(q->before != NULL ? &q->before->next : &l->first) = q->next;
	*(q->next != NULL ? &q->next->before : &l->last) = q->before;
	q->list = NULL;
}

/* ---- ends */

static void free_question(struct question *q)
{
	list_remove(q);
	dns_answer_unref(q->failed);
	free(q);
}

static void free_if_done(struct question *q)
{
	if (q->settled && q->attempts == 0)
		free_question(q);
}

/* How long an answer is kept: microseconds. */
static int64_t keep_for(const struct dns_answer *a, bool *brief_r)
{
	int64_t most = a->status == ANSWER_DATA ? RESOLVER_KEEP_MOST : RESOLVER_KEEP_EMPTY_MOST, ttl = a->ttl;

	*brief_r = a->status == ANSWER_FAILED || a->status == ANSWER_LATE;
	if (*brief_r || (a->status != ANSWER_DATA && ttl == 0))
		return RESOLVER_KEEP_BRIEF * (int64_t)SECOND_US;
	ttl = ttl < RESOLVER_KEEP_LEAST ? RESOLVER_KEEP_LEAST : ttl > most ? most : ttl;
	return ttl * SECOND_US;
}

/* What is kept says what is known of the name: an answer that came too late too. kept: false when it says something of the servers alone. */
static void settle(struct resolver *r, struct question *q, struct dns_answer *answer, bool kept)
{
	int64_t now = clock_mono(), keep;
	bool brief = true;

	if (!q->settled) {
		list_remove(q);
		list_add(&r->ghosts, q);
		q->settled = true;
	}
	keep = answer != NULL ? keep_for(answer, &brief) : 0;
	resolver_cache_settle(r->cache, q->type, q->text, answer, kept && answer != NULL ? now + keep : 0, brief);
}

static void settle_late(struct resolver *r, struct question *q, bool kept)
{
	struct dns_answer *answer = q->failed != NULL ? dns_answer_ref(q->failed) : dns_answer_new(ANSWER_LATE, NULL, NULL, 0);

	atomic_fetch_add(q->failed != NULL ? &r->failed : &r->late, 1);
	settle(r, q, answer, kept || q->failed != NULL);
	dns_answer_unref(answer);
	free_if_done(q);
}

/* ---- a question's way */

/* Asks the next server. false: there is none. */
static bool ask_next(struct resolver *r, struct question *q, int64_t now)
{
	int which = resolver_servers_choose(r->servers, q->tried, now);

	if (which < 0)
		return false;
	q->tried |= 1u << which;
	q->attempts++;
	resolver_servers_ask(r->servers, which, q->type, &q->name, q, now);
	return true;
}

/* One server has ended with it. */
static void on_ended(void *context, void *tag, struct dns_answer *answer)
{
	struct resolver *r = context;
	struct question *q = tag;

	q->attempts--;
	if (answer != NULL && answer->status != ANSWER_FAILED) {
		settle(r, q, answer, true);
		free_if_done(q);
		return;
	}
	if (q->settled) {
		free_if_done(q);
		return;
	}
	if (answer != NULL && q->failed == NULL)
		q->failed = dns_answer_ref(answer);
	/* nothing in time, from the only one: silence is the name's; nobody there: the server's, and says nothing of the name */
	if (!ask_next(r, q, clock_mono()) && q->attempts == 0)
		settle_late(r, q, clock_mono() >= q->deadline - r->hedge_us);
}

static void on_changed(void *context, bool back, bool none_left)
{
	struct resolver *r = context;

	r->none_left = none_left;
	if (!back)
		return;
	resolver_cache_renew(r->cache, false);
	atomic_fetch_add(&r->returns, 1);
}

static void begin(struct resolver *r, struct question *q, int64_t now)
{
	q->tried = 0;
	q->deadline = now + r->question_us;
	q->hedge = now + r->hedge_us;
	list_add(&r->young, q);
	if (!ask_next(r, q, now))
		settle_late(r, q, false);
}

/* Deadlines, second servers; when to look again. */
static int64_t look_at_time(struct resolver *r, int64_t now)
{
	struct question *q;
	int64_t next = INT64_MAX;

	if (r->none_left) {
		r->none_left = false;
		while ((q = r->young.first != NULL ? r->young.first : r->old.first) != NULL)
			settle_late(r, q, false);
	}
	while ((q = r->young.first) != NULL && q->hedge <= now) {
		list_remove(q);
		list_add(&r->old, q);
		ask_next(r, q, now);
	}
	while ((q = r->old.first) != NULL && q->deadline <= now)
		settle_late(r, q, true);
	if (r->young.first != NULL)
		next = r->young.first->hedge;
	if (r->old.first != NULL && r->old.first->deadline < next)
		next = r->old.first->deadline;
	return next;
}

/* ---- the thread */

/* Makes the servers anew, and asks them what the old ones had. */
static void renew_servers(struct resolver *r)
{
	struct resolver_servers *old = r->servers, *fresh;
	struct question *q;
	struct list all = { 0 };

	r->ear = (struct resolver_ear){ on_ended, on_changed, r };
	fresh = resolver_servers_new(r->addresses, r->n_addresses, r->timeout, r->trust_ad, r->far, r->epoll, r->log, &r->ear);
	if (fresh == NULL) {
		if (old != NULL)
			log_line(r->log, LOG_LEVEL_ERROR, "dns: the new servers cannot be asked: out of memory or descriptors; the old ones stay");
		return;
	}
	r->servers = fresh;
	resolver_servers_free(old);
	r->question_us = r->timeout * 1000;
	r->hedge_us = r->question_us / HEDGE_PARTS;
	if (old == NULL)
		return;
	resolver_cache_renew(r->cache, true);
	while ((q = r->ghosts.first) != NULL)
		free_question(q);
	while ((q = r->old.first != NULL ? r->old.first : r->young.first) != NULL) {
		list_remove(q);
		list_add(&all, q);
	}
	while ((q = all.first) != NULL) {
		list_remove(q);
		q->attempts = 0;
		begin(r, q, clock_mono());
	}
}

/* Takes what came since; false: the end. */
static bool take(struct resolver *r)
{
	struct question *q, *next;
	bool stop;

	pthread_mutex_lock(&r->lock);
	if (r->change)
		renew_servers(r);
	r->change = false;
	q = r->queue;
	r->queue = r->queue_last = NULL;
	stop = r->stop;
	pthread_mutex_unlock(&r->lock);
	for (; q != NULL; q = next) {
		next = q->next;
		begin(r, q, clock_mono());
	}
	return !stop;                            /* what was queued has begun, and is in a list */
}

static int wait_ms(int64_t until)
{
	int64_t left = until == INT64_MAX ? 60 * (int64_t)SECOND_US : until - clock_mono();

	return left <= 0 ? 0 : left > 60 * (int64_t)SECOND_US ? 60000 : (int)((left + 999) / 1000);
}

void *resolver_run(void *arg)
{
	struct resolver *r = arg;
	struct epoll_event events[EVENTS];
	bool going;
	int64_t next = INT64_MAX, other;

	do {
		int n = epoll_wait(r->epoll, events, EVENTS, wait_ms(next));
		uint64_t count;

		for (int i = 0; i < n; i++) {
			if (events[i].data.u64 != RESOLVER_WAKE)
				resolver_servers_event(r->servers, events[i].data.u64, events[i].events);
			else if (read(r->wake, &count, sizeof(count)) < 0 && errno != EAGAIN)
				break;
		}
		going = take(r);                 /* before the look at the time: what begins here has its times too */
		resolver_servers_tick(r->servers, clock_mono());
		next = look_at_time(r, clock_mono());
		other = resolver_servers_due(r->servers);
		next = other < next ? other : next;
	} while (going);
	return NULL;
}

void resolver_first_servers(struct resolver *resolver)
{
	renew_servers(resolver);
}

void resolver_free_questions(struct resolver *resolver)
{
	struct list *const lists[] = { &resolver->young, &resolver->old, &resolver->ghosts };

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		while (lists[i]->first != NULL)
			free_question(lists[i]->first);
}
