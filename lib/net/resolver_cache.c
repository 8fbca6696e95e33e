/* resolver_cache.c - the resolver's table of answers: bounded, each as long as its TTL allows; questions that are out, and who waits for them */
#include "net/resolver_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { SHARDS = 16, BUCKETS_LEAST = 256, BUCKETS_MOST = 1 << 20, ENTRY_BYTES = 512 /* of one, as a guess */ };

struct waiter {
	struct waiter *next;
	struct answers *answers;
};

struct slot {
	struct slot *next;                       /* of its bucket */
	struct slot *older, *newer;              /* of all that are kept, by their last use */
	uint64_t hash;
	uint16_t type;
	bool out, brief;                         /* out: a question is; then it is not in the list of use, and stays */
	unsigned generation;                     /* when a brief answer came */
	unsigned epoch;                          /* when it came: answers of other servers */
	struct waiter *waiters;
	struct dns_answer *answer;               /* NULL: only while it is out */
	int64_t until;
	size_t len;
	char name[];
};

struct shard {
	pthread_mutex_t lock;
	struct slot **buckets;
	size_t n_buckets;                        /* a power of two */
	struct slot *oldest, *newest;
	size_t bytes, bytes_max, kept, out;
	char apart[64];                          /* locks of two shards are not in one cache line */
};

struct resolver_cache {
	struct shard shards[SHARDS];
	uint64_t seed;
	atomic_size_t out;
	atomic_uint generation, epoch;
};

/* ---- making */

static size_t buckets_for(size_t bytes)
{
	size_t n = BUCKETS_LEAST;

	while (n < BUCKETS_MOST && n * ENTRY_BYTES < bytes)
		n *= 2;
	return n;
}

struct resolver_cache *resolver_cache_new(size_t bytes)
{
	struct resolver_cache *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	if (getrandom(&c->seed, sizeof(c->seed), GRND_NONBLOCK) != (ssize_t)sizeof(c->seed))
		c->seed = (uint64_t)(uintptr_t)c;
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *s = &c->shards[i];

		pthread_mutex_init(&s->lock, NULL);
		s->bytes_max = bytes / SHARDS;
		s->n_buckets = buckets_for(s->bytes_max);
		s->buckets = calloc(s->n_buckets, sizeof(*s->buckets));
		if (s->buckets == NULL) {
			for (size_t j = i + 1; j < SHARDS; j++)
				pthread_mutex_init(&c->shards[j].lock, NULL);
			resolver_cache_free(c);
			return NULL;
		}
	}
	return c;
}

/* FNV-1a from a secret start, stirred: whoever chooses names cannot choose buckets. */
static uint64_t hash_of(const struct resolver_cache *c, uint16_t type, const char *name, size_t len)
{
	uint64_t h = (c->seed ^ type) * 0x9e3779b97f4a7c15;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)name[i]) * 0x100000001b3;
	h = (h ^ h >> 33) * 0xff51afd7ed558ccd;
	h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53;
	return h ^ h >> 33;
}

static struct shard *shard_of(struct resolver_cache *c, uint64_t hash)
{
	return &c->shards[hash >> 60];
}

/* ---- slots; the shard's lock is held */

static size_t bytes_of(const struct slot *slot)
{
	return sizeof(*slot) + slot->len + 1 + (slot->answer != NULL ? slot->answer->size : 0) + 4 * sizeof(void *);     /* what malloc keeps for both */
}

static struct slot **place_of(struct shard *s, uint64_t hash, uint16_t type, const char *name, size_t len)
{
	struct slot **at = &s->buckets[hash & (s->n_buckets - 1)];

	while (*at != NULL && ((*at)->hash != hash || (*at)->type != type || (*at)->len != len || memcmp((*at)->name, name, len) != 0))
		at = &(*at)->next;
	return at;
}

static void list_out(struct shard *s, struct slot *slot)
{
	*(slot->older != NULL ? &slot->older->newer : &s->oldest) = slot->newer;
	*(slot->newer != NULL ? &slot->newer->older : &s->newest) = slot->older;
	slot->older = slot->newer = NULL;
}

static void list_in(struct shard *s, struct slot *slot)
{
	slot->older = s->newest;
	slot->newer = NULL;
	*(s->newest != NULL ? &s->newest->newer : &s->oldest) = slot;
	s->newest = slot;
}

/* It is kept no longer. */
static void unkeep(struct shard *s, struct slot *slot)
{
	list_out(s, slot);
	s->bytes -= bytes_of(slot);
	s->kept--;
	dns_answer_unref(slot->answer);
	slot->answer = NULL;
}

static void remove_slot(struct shard *s, struct slot *slot)
{
	struct slot **at = &s->buckets[slot->hash & (s->n_buckets - 1)];

	while (*at != slot)
		at = &(*at)->next;
	*at = slot->next;
	free(slot);
}

static void make_room(struct shard *s)
{
	while (s->bytes > s->bytes_max && s->oldest != NULL) {
		struct slot *slot = s->oldest;

		unkeep(s, slot);
		remove_slot(s, slot);
	}
}

static void keep(struct shard *s, struct slot *slot, struct dns_answer *answer)
{
	slot->answer = dns_answer_ref(answer);
	list_in(s, slot);
	s->bytes += bytes_of(slot);
	s->kept++;
	make_room(s);
}

static struct slot *add_slot(struct slot **at, uint64_t hash, uint16_t type, const char *name, size_t len)
{
	struct slot *slot = calloc(1, sizeof(*slot) + len + 1);

	if (slot == NULL)
		return NULL;
	memcpy(slot->name, name, len);
	slot->len = len;
	slot->hash = hash;
	slot->type = type;
	*at = slot;
	return slot;
}

/* ---- asking */

static bool fresh(const struct resolver_cache *c, const struct slot *slot, int64_t now)
{
	return slot->answer != NULL && now < slot->until && slot->epoch == atomic_load(&c->epoch) && (!slot->brief || slot->generation == atomic_load(&c->generation));
}

/* Notes who waits, and sends the slot out if it is not. */
static enum cache_word wait_for(struct resolver_cache *c, struct shard *s, struct slot *slot, struct answers *who)
{
	struct waiter *w;

	if (!slot->out && atomic_fetch_add(&c->out, 1) >= RESOLVER_OUT_MAX) {
		atomic_fetch_sub(&c->out, 1);
		return CACHE_FULL;
	}
	w = malloc(sizeof(*w));
	if (w == NULL) {
		if (!slot->out)
			atomic_fetch_sub(&c->out, 1);
		return CACHE_FULL;
	}
	*w = (struct waiter){ slot->waiters, answers_ref(who) };
	slot->waiters = w;
	if (slot->out)
		return CACHE_JOINED;
	if (slot->answer != NULL)
		unkeep(s, slot);                 /* it has passed its time */
	slot->out = true;
	s->out++;
	return CACHE_ASK;
}

enum cache_word resolver_cache_ask(struct resolver_cache *c, uint16_t type, const char *name, struct answers *who, int64_t now, struct dns_answer **answer_r)
{
	size_t len = strlen(name);
	uint64_t hash = hash_of(c, type, name, len);
	struct shard *s = shard_of(c, hash);
	enum cache_word word = CACHE_FULL;
	struct slot **at, *slot;

	*answer_r = NULL;
	pthread_mutex_lock(&s->lock);
	at = place_of(s, hash, type, name, len);
	slot = *at != NULL ? *at : add_slot(at, hash, type, name, len);
	if (slot != NULL && fresh(c, slot, now)) {
		list_out(s, slot);
		list_in(s, slot);
		*answer_r = dns_answer_ref(slot->answer);
		word = CACHE_KNOWN;
	} else if (slot != NULL) {
		word = wait_for(c, s, slot, who);
		if (word == CACHE_FULL && slot->answer == NULL)
			remove_slot(s, slot);
	}
	pthread_mutex_unlock(&s->lock);
	return word;
}

/* Hands the answer to all who waited; no lock is held. */
static void tell(struct waiter *waiters, uint16_t type, const char *name, struct dns_answer *answer)
{
	struct waiter *next;

	for (struct waiter *w = waiters; w != NULL; w = next) {
		next = w->next;
		if (answer != NULL)
			answers_share(w->answers, type, name, answer);
		else
			answers_give(w->answers, type, name, ANSWER_LATE, NULL, 0);
		answers_unref(w->answers);
		free(w);
	}
}

void resolver_cache_settle(struct resolver_cache *c, uint16_t type, const char *name, struct dns_answer *answer, int64_t until, bool brief)
{
	size_t len = strlen(name);
	uint64_t hash = hash_of(c, type, name, len);
	struct shard *s = shard_of(c, hash);
	struct waiter *waiters = NULL;
	struct slot **at, *slot;

	pthread_mutex_lock(&s->lock);
	at = place_of(s, hash, type, name, len);
	slot = *at != NULL ? *at : until != 0 && answer != NULL ? add_slot(at, hash, type, name, len) : NULL;
	/* an earlier question's answer may have come after all, meanwhile: silence does not take its place */
	if (slot != NULL && !slot->out && slot->answer != NULL && brief && !slot->brief)
		slot = NULL;
	if (slot != NULL) {
		waiters = slot->waiters;
		slot->waiters = NULL;
		if (slot->out) {
			slot->out = false;
			s->out--;
			atomic_fetch_sub(&c->out, 1);
		} else if (slot->answer != NULL) {
			unkeep(s, slot);
		}
		slot->until = until;
		slot->brief = brief;
		slot->generation = atomic_load(&c->generation);
		slot->epoch = atomic_load(&c->epoch);
		if (until != 0 && answer != NULL)
			keep(s, slot, answer);
		else
			remove_slot(s, slot);
	}
	pthread_mutex_unlock(&s->lock);
	tell(waiters, type, name, answer);
}

/* ---- the whole */

void resolver_cache_renew(struct resolver_cache *c, bool all)
{
	atomic_fetch_add(all ? &c->epoch : &c->generation, 1);
}

/* More room wants more buckets, or lists get long. */
static void spread(struct shard *s, size_t n)
{
	struct slot **buckets = n > s->n_buckets ? calloc(n, sizeof(*buckets)) : NULL;
	struct slot *next;

	if (buckets == NULL)
		return;
	for (size_t i = 0; i < s->n_buckets; i++) {
		for (struct slot *slot = s->buckets[i]; slot != NULL; slot = next) {
			next = slot->next;
			slot->next = buckets[slot->hash & (n - 1)];
			buckets[slot->hash & (n - 1)] = slot;
		}
	}
	free(s->buckets);
	s->buckets = buckets;
	s->n_buckets = n;
}

void resolver_cache_limit(struct resolver_cache *c, size_t bytes)
{
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *s = &c->shards[i];

		pthread_mutex_lock(&s->lock);
		s->bytes_max = bytes / SHARDS;
		spread(s, buckets_for(s->bytes_max));
		make_room(s);
		pthread_mutex_unlock(&s->lock);
	}
}

struct resolver_cache_use resolver_cache_use(struct resolver_cache *c)
{
	struct resolver_cache_use use = { 0 };

	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *s = &c->shards[i];

		pthread_mutex_lock(&s->lock);
		use.bytes += s->bytes;
		use.kept += s->kept;
		use.out += s->out;
		pthread_mutex_unlock(&s->lock);
	}
	return use;
}

void resolver_cache_free(struct resolver_cache *c)
{
	struct slot *next;

	if (c == NULL)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *s = &c->shards[i];

		for (size_t b = 0; s->buckets != NULL && b < s->n_buckets; b++) {
			for (struct slot *slot = s->buckets[b]; slot != NULL; slot = next) {
				next = slot->next;
				tell(slot->waiters, slot->type, slot->name, NULL);
				dns_answer_unref(slot->answer);
				free(slot);
			}
		}
		free(s->buckets);
		pthread_mutex_destroy(&s->lock);
	}
	free(c);
}
