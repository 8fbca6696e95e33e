/* keep_rate.c - how many copies each client network has had in the last minute (quarantine.rate_max) */
#include "engine/keep_rate.h"

#include <stdlib.h>
#include <string.h>

#include <pthread.h>

enum {
	SETS = 512, WAYS = 8,
	SLOT_SECONDS = 5, SLOTS = 13             /* the one that is running, and a whole minute behind it */
};

struct network {
	uint8_t key[9];                          /* family, then 24 or 64 bits; family 0 with used: clients without an address */
	bool used;
	int64_t slot;                            /* the last one counted in */
	uint32_t counts[SLOTS];                  /* by slot modulo SLOTS */
};

struct keep_rate {
	pthread_mutex_t lock;
	uint64_t seed;
	struct network networks[SETS][WAYS];
};

struct keep_rate *keep_rate_new(uint64_t seed)
{
	struct keep_rate *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->seed = seed;
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

void keep_rate_free(struct keep_rate *r)
{
	if (r == NULL)
		return;
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static void key_of(const struct ip *ip, uint8_t key[9])
{
	memset(key, 0, 9);
	key[0] = ip->family;
	memcpy(key + 1, ip->addr, ip->family == 4 ? 3 : ip->family == 6 ? 8 : 0);
}

/* Which of the table's rows (a multiplicative hash with a secret seed). */
static size_t set_of(const struct keep_rate *r, const uint8_t key[9])
{
	uint64_t h = r->seed ^ key[0];

	for (int i = 1; i < 9; i++)
		h = (h ^ key[i]) * 0x9e3779b97f4a7c15u;
	return (size_t)(h >> 40) % SETS;
}

/* Forgets what is more than a minute old; the copies that are left. */
static uint64_t copies(struct network *n, int64_t slot)
{
	uint64_t sum = 0;

	if (slot - n->slot >= SLOTS || slot < n->slot) {
		memset(n->counts, 0, sizeof(n->counts));
		n->slot = slot;
	}
	while (n->slot < slot)
		n->counts[++n->slot % SLOTS] = 0;
	for (int i = 0; i < SLOTS; i++)
		sum += n->counts[i];
	return sum;
}

/* The network's entry; where there is none and make is set, the one with the fewest copies is given to it. */
static struct network *find(struct keep_rate *r, const struct ip *ip, int64_t slot, bool make)
{
	struct network *least = NULL, *set;
	uint64_t fewest = UINT64_MAX;
	uint8_t key[9];

	key_of(ip, key);
	set = r->networks[set_of(r, key)];
	for (int i = 0; i < WAYS; i++) {
		uint64_t n;

		if (set[i].used && memcmp(set[i].key, key, sizeof(key)) == 0)
			return &set[i];
		n = set[i].used ? copies(&set[i], slot) : 0;
		if (n < fewest) {
			fewest = n;
			least = &set[i];
		}
	}
	if (!make)
		return NULL;
	*least = (struct network){ .used = true, .slot = slot };
	memcpy(least->key, key, sizeof(key));
	return least;
}

static bool ask(struct keep_rate *r, const struct ip *ip, int64_t now, int64_t max, bool take)
{
	int64_t slot = now / (SLOT_SECONDS * 1000000LL);
	struct network *n;
	bool full;

	if (max <= 0)
		return false;
	pthread_mutex_lock(&r->lock);
	n = find(r, ip, slot, take);
	full = n != NULL && copies(n, slot) >= (uint64_t)max;
	if (take && !full)
		n->counts[slot % SLOTS]++;
	pthread_mutex_unlock(&r->lock);
	return full;
}

bool keep_rate_full(struct keep_rate *r, const struct ip *ip, int64_t now, int64_t max)
{
	return ask(r, ip, now, max, false);
}

bool keep_rate_take(struct keep_rate *r, const struct ip *ip, int64_t now, int64_t max)
{
	return !ask(r, ip, now, max, true);
}

void keep_rate_return(struct keep_rate *r, const struct ip *ip, int64_t now)
{
	int64_t slot = now / (SLOT_SECONDS * 1000000LL);
	struct network *n;

	pthread_mutex_lock(&r->lock);
	n = find(r, ip, slot, false);
	if (n != NULL && copies(n, slot) > 0) {
		while (n->counts[slot % SLOTS] == 0)     /* it was counted in the slot before */
			slot--;
		n->counts[slot % SLOTS]--;
	}
	pthread_mutex_unlock(&r->lock);
}
