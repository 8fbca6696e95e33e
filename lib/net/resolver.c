/* resolver.c - asks DNS for all sessions: one table of answers, questions that are out joined, one thread that speaks with the servers */
#include "net/resolver.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <talloc.h>

#include "net/resolver_conf.h"
#include "net/resolver_private.h"
#include "util/clock.h"

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
	error = pthread_create(&r->thread, NULL, resolver_run, r);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -error;
}

int resolver_open(const struct resolver_options *options, struct log *log, struct resolver **resolver_r, char **error_r)
{
	struct resolver *r = calloc(1, sizeof(*r));
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = RESOLVER_WAKE };
	int result;

	*error_r = NULL;
	if (r == NULL)
		return -ENOMEM;
	r->asker = (struct asker){ ask, r };
	r->log = log;
	r->timeout = options->timeout;
	r->trust_ad = options->trust_ad;
	r->far = options->far;
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
	resolver_first_servers(r);
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
	same = n == r->n_addresses && r->timeout == options->timeout && r->trust_ad == options->trust_ad && r->far == options->far;
	for (size_t i = 0; same && i < n; i++)
		same = ip_equal(&addresses[i].ip, &r->addresses[i].ip) && addresses[i].port == r->addresses[i].port;
	if (!same && n > 0) {
		memcpy(r->addresses, addresses, sizeof(addresses));
		r->n_addresses = n;
		r->timeout = options->timeout;
		r->trust_ad = options->trust_ad;
		r->far = options->far;
		r->change = true;
	}
	pthread_mutex_unlock(&r->lock);
	if (!same)
		wake(r);
}

void resolver_close(struct resolver *r)
{
	if (r == NULL)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_mutex_unlock(&r->lock);
	wake(r);
	pthread_join(r->thread, NULL);
	resolver_servers_free(r->servers);
	resolver_free_questions(r);
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

bool resolver_gone(struct resolver *r)
{
	struct resolver_state states[RESOLVER_SERVERS_MAX];
	size_t n = resolver_states(r, states);

	for (size_t i = 0; i < n; i++)
		if (!states[i].gone)
			return false;
	return n > 0;
}

struct resolver_counts resolver_counts(struct resolver *r)
{
	struct resolver_cache_use use = resolver_cache_use(r->cache);

	return (struct resolver_counts){
		.known = atomic_load(&r->known), .joined = atomic_load(&r->joined), .asked = atomic_load(&r->asked), .late = atomic_load(&r->late), .failed = atomic_load(&r->failed),
		.returns = atomic_load(&r->returns),
		.bytes = use.bytes, .kept = use.kept, .out = use.out,
	};
}
