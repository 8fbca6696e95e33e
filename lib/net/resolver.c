/* resolver.c - asks DNS for all sessions: one table of answers, questions that are out joined, one thread that speaks with the servers */
#include "net/resolver.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <talloc.h>

#include "net/resolver_cache.h"
#include "net/resolver_conf.h"
#include "util/clock.h"

enum { EVENTS = 64, SECOND_US = 1000000 };
#define WAKE UINT64_MAX

/* A question that is out. The thread's own, from when it takes it off the queue; freed when it is settled and no server has it any longer. */
struct question {
	struct question *next, *before;          /* next: of the queue, then of its list */
	struct list *list;
	bool settled;                            /* who waited was told; a server may still say something */
	int64_t deadline, hedge;                 /* when it counts as late, and when another server is asked too */
	uint32_t tried;                          /* servers, a bit each */
	unsigned attempts;                       /* servers that have it */
	struct dns_answer *failed;               /* what a server said that was no answer */
	uint16_t type;
	struct dns_name name;
	char text[];
};

/* In the order in which they were asked: all wait equally long. */
struct list {
	struct question *first, *last;
};

struct resolver {
	struct asker asker;
	struct log *log;
	struct resolver_cache *cache;
	int epoll, wake;
	pthread_t thread;

	pthread_mutex_t lock;                    /* guards what follows, up to the thread's own */
	struct question *queue, *queue_last;
	struct resolver_address addresses[RESOLVER_SERVERS_MAX];
	size_t n_addresses;
	int64_t timeout;                         /* ms */
	bool trust_ad, change, stop;
	struct resolver_servers *servers;        /* replaced by the thread */

	struct list young, old, ghosts;          /* asked of one server; of others too, or of all; settled */
	struct resolver_ear ear;
	bool none_left;                          /* all are gone: nothing more will come of what is out */
	int64_t question_us, hedge_us;

	atomic_uint_fast64_t known, joined, asked, late, failed;
};

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
	if (back)
		resolver_cache_renew(r->cache, false);
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
static void renew_servers(struct resolver *r, bool first)
{
	struct resolver_servers *old = r->servers, *fresh;
	struct question *q;
	struct list all = { 0 };

	r->ear = (struct resolver_ear){ on_ended, on_changed, r };
	fresh = resolver_servers_new(r->addresses, r->n_addresses, r->timeout, r->trust_ad, r->epoll, r->log, &r->ear);
	if (fresh == NULL) {
		if (!first)
			log_line(r->log, LOG_LEVEL_ERROR, "dns: the new servers cannot be asked: out of memory or descriptors; the old ones stay");
		return;
	}
	r->servers = fresh;
	resolver_servers_free(old);
	r->question_us = r->timeout * 1000;
	r->hedge_us = r->question_us / 6;
	if (first)
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
		renew_servers(r, false);
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

static void *run(void *arg)
{
	struct resolver *r = arg;
	struct epoll_event events[EVENTS];
	int64_t next = INT64_MAX, other;

	while (take(r)) {
		int n = epoll_wait(r->epoll, events, EVENTS, wait_ms(next));
		uint64_t count;

		for (int i = 0; i < n; i++) {
			if (events[i].data.u64 != WAKE)
				resolver_servers_event(r->servers, events[i].data.u64, events[i].events);
			else if (read(r->wake, &count, sizeof(count)) < 0 && errno != EAGAIN)
				break;
		}
		other = resolver_servers_tick(r->servers, clock_mono());
		next = look_at_time(r, clock_mono());
		next = other < next ? other : next;
	}
	return NULL;
}

static void wake(struct resolver *r)
{
	uint64_t one = 1;

	while (write(r->wake, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

/* ---- asking */

static struct question *question_new(uint16_t type, const struct dns_name *name, const char *text)
{
	size_t len = strlen(text);
	struct question *q = calloc(1, sizeof(*q) + len + 1);

	if (q == NULL)
		return NULL;
	q->type = type;
	q->name = *name;
	memcpy(q->text, text, len);
	return q;
}

/* The name as the table's key. */
static bool key_of(const char *name, char key_r[ANSWER_NAME_MAX + 1])
{
	size_t len = strlen(name);

	if (len > 1 && name[len - 1] == '.' && name[len - 2] != '\\')
		len--;
	if (len > ANSWER_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		key_r[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + ('a' - 'A') : name[i]);
	key_r[len] = '\0';
	return true;
}

static void send_out(struct resolver *r, uint16_t type, const struct dns_name *name, const char *key)
{
	struct question *q = question_new(type, name, key);
	bool idle;

	if (q == NULL) {
		resolver_cache_settle(r->cache, type, key, NULL, 0, true);
		return;
	}
	atomic_fetch_add(&r->asked, 1);
	pthread_mutex_lock(&r->lock);
	idle = r->queue == NULL;
	*(r->queue_last != NULL ? &r->queue_last->next : &r->queue) = q;
	r->queue_last = q;
	pthread_mutex_unlock(&r->lock);
	if (idle)
		wake(r);
}

static void ask(void *context, struct answers *answers, uint16_t type, const char *name)
{
	struct resolver *r = context;
	char key[ANSWER_NAME_MAX + 1];
	struct dns_answer *answer;
	struct dns_name wire;

	if (!key_of(name, key) || !dns_name(key, &wire)) {
		answers_give(answers, type, name, ANSWER_NXDOMAIN, NULL, 0);
		return;
	}
	switch (resolver_cache_ask(r->cache, type, key, answers, clock_mono(), &answer)) {
	case CACHE_KNOWN:
		atomic_fetch_add(&r->known, 1);
		answers_share(answers, type, name, answer);
		dns_answer_unref(answer);
		break;
	case CACHE_JOINED:
		atomic_fetch_add(&r->joined, 1);
		break;
	case CACHE_ASK:
		send_out(r, type, &wire, key);
		break;
	case CACHE_FULL:
		answers_give(answers, type, name, ANSWER_LATE, NULL, 0);
		break;
	}
}

const struct asker *resolver_asker(struct resolver *resolver)
{
	return &resolver->asker;
}

/* ---- life */

static int fail(struct resolver *r, int error, char **error_r)
{
	*error_r = talloc_asprintf(NULL, "dns: %s", error == -EINVAL ? "none of the servers is an address" : strerror(-error));
	resolver_servers_free(r->servers);
	resolver_cache_free(r->cache);
	if (r->epoll >= 0)
		close(r->epoll);
	if (r->wake >= 0)
		close(r->wake);
	pthread_mutex_destroy(&r->lock);
	free(r);
	return error;
}

static int start_thread(struct resolver *r)
{
	sigset_t all, old;
	int error;

	sigfillset(&all);                        /* signals are for others */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&r->thread, NULL, run, r);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -error;
}

int resolver_open(const struct resolver_options *options, struct log *log, struct resolver **resolver_r, char **error_r)
{
	struct resolver *r = calloc(1, sizeof(*r));
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = WAKE };
	int result;

	*error_r = NULL;
	if (r == NULL)
		return -ENOMEM;
	r->asker = (struct asker){ ask, r };
	r->log = log;
	r->timeout = options->timeout;
	r->trust_ad = options->trust_ad;
	pthread_mutex_init(&r->lock, NULL);
	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->epoll < 0 || r->wake < 0 || epoll_ctl(r->epoll, EPOLL_CTL_ADD, r->wake, &e) != 0)
		return fail(r, -errno, error_r);
	r->n_addresses = resolver_conf_servers(options, r->addresses);
	if (r->n_addresses == 0)
		return fail(r, -EINVAL, error_r);
	r->cache = resolver_cache_new(options->cache);
	if (r->cache == NULL)
		return fail(r, -ENOMEM, error_r);
	renew_servers(r, true);
	if (r->servers == NULL)
		return fail(r, -ENOMEM, error_r);
	result = start_thread(r);
	if (result != 0)
		return fail(r, result, error_r);
	*resolver_r = r;
	return 0;
}

void resolver_change(struct resolver *r, const struct resolver_options *options)
{
	struct resolver_address addresses[RESOLVER_SERVERS_MAX] = { 0 };
	size_t n = resolver_conf_servers(options, addresses);
	bool same;

	resolver_cache_limit(r->cache, options->cache);
	pthread_mutex_lock(&r->lock);
	same = n == r->n_addresses && r->timeout == options->timeout && r->trust_ad == options->trust_ad;
	for (size_t i = 0; same && i < n; i++)
		same = ip_equal(&addresses[i].ip, &r->addresses[i].ip) && addresses[i].port == r->addresses[i].port;
	if (!same && n > 0) {
		memcpy(r->addresses, addresses, sizeof(addresses));
		r->n_addresses = n;
		r->timeout = options->timeout;
		r->trust_ad = options->trust_ad;
		r->change = true;
	}
	pthread_mutex_unlock(&r->lock);
	if (!same)
		wake(r);
}

void resolver_close(struct resolver *r)
{
	struct list *const lists[] = { &r->young, &r->old, &r->ghosts };

	if (r == NULL)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_mutex_unlock(&r->lock);
	wake(r);
	pthread_join(r->thread, NULL);
	resolver_servers_free(r->servers);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		while (lists[i]->first != NULL)
			free_question(lists[i]->first);
	resolver_cache_free(r->cache);
	close(r->epoll);
	close(r->wake);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* ---- what it does */

size_t resolver_states(struct resolver *r, struct resolver_state states_r[RESOLVER_SERVERS_MAX])
{
	size_t n;

	pthread_mutex_lock(&r->lock);
	n = resolver_servers_states(r->servers, states_r, RESOLVER_SERVERS_MAX);
	pthread_mutex_unlock(&r->lock);
	return n;
}

struct resolver_counts resolver_counts(struct resolver *r)
{
	struct resolver_cache_use use = resolver_cache_use(r->cache);

	return (struct resolver_counts){
		.known = atomic_load(&r->known), .joined = atomic_load(&r->joined), .asked = atomic_load(&r->asked), .late = atomic_load(&r->late), .failed = atomic_load(&r->failed),
		.bytes = use.bytes, .kept = use.kept, .out = use.out,
	};
}
