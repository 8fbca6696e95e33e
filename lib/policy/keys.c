/* keys.c - what inline: and file: tables hold: keys by hash, and those that read as addresses or networks by address too */
#include "policy/keys.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "policy/networks.h"

enum { FIRST_SLOTS = 32, SHOWN_MAX = 100 };

struct entry {
	const char *key, *value;
	uint32_t hash;
	uint32_t number;
};

struct keys {
	TALLOC_CTX *parent;
	const char *place;
	struct entry *v;
	uint32_t n, max;
	uint32_t *slots;                 /* open addressing, at most half full: index of the entry + 1, 0 is free */
	uint32_t mask;
	struct networks *networks;
};

/* FNV-1a, its halves folded. The content is the operator's: what strangers send is only looked up, it cannot make chains grow. */
static uint32_t hash_of(const char *key)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *key != '\0'; key++)
		h = (h ^ (unsigned char)*key) * UINT64_C(0x100000001b3);
	return (uint32_t)(h ^ h >> 32);
}

struct keys *keys_new(TALLOC_CTX *parent, const char *place)
{
	struct keys *keys = talloc_zero(parent, struct keys);

	if (keys == NULL)
		return NULL;
	keys->parent = parent;
	keys->place = talloc_strdup(keys, place);
	keys->slots = talloc_zero_array(keys, uint32_t, FIRST_SLOTS);
	keys->mask = FIRST_SLOTS - 1;
	keys->networks = networks_new(keys);
	if (keys->place == NULL || keys->slots == NULL || keys->networks == NULL)
		TALLOC_FREE(keys);
	return keys;
}

/* The slot that holds key, or the free one where it belongs. */
static uint32_t *find_slot(const struct keys *keys, const char *key, uint32_t hash)
{
	for (uint32_t i = hash;; i++) {
		uint32_t *slot = &keys->slots[i & keys->mask];
		const struct entry *e;

		if (*slot == 0)
			return slot;
		e = &keys->v[*slot - 1];
		if (e->hash == hash && strcmp(e->key, key) == 0)
			return slot;
	}
}

static bool grow(struct keys *keys)
{
	uint32_t max = keys->max != 0 ? keys->max * 2 : FIRST_SLOTS / 2;
	struct entry *v;
	uint32_t *slots, mask = max * 2 - 1;

	if (max > INT32_MAX / 2)
		return false;
	v = talloc_realloc(keys, keys->v, struct entry, max);
	if (v == NULL)
		return false;
	keys->v = v;
	slots = talloc_zero_array(keys, uint32_t, (size_t)max * 2);
	if (slots == NULL)
		return false;
	for (uint32_t k = 0; k < keys->n; k++) {
		uint32_t i = v[k].hash;

		while (slots[i & mask] != 0)
			i++;
		slots[i & mask] = k + 1;
	}
	talloc_free(keys->slots);
	keys->slots = slots;
	keys->mask = mask;
	keys->max = max;
	return true;
}

char *network_complaint(TALLOC_CTX *parent, const char *text)
{
	char right[IP_TEXT_MAX];
	struct ipnet net;

	if (ipnet_parse(text, true, &net))
		return talloc_asprintf(parent, "%.*s has host bits: write %s/%u", SHOWN_MAX, text, ip_print(&net.ip, right), net.bits);
	return talloc_asprintf(parent, "\"%.*s\" is no address or network: write it as 192.0.2.0/24, 2001:db8::/32 or a lone address", SHOWN_MAX, text);
}

/* Only digits and dots or colons, at least two of these: 192.0.2.300, 192.0.2, 192.0.2.*, 2001:db8:::1. No domain, and no user's name. */
static bool looks_like_address(const char *key)
{
	unsigned dots = 0, colons = 0;

	for (const char *p = key; *p != '\0'; p++) {
		dots += *p == '.';
		colons += *p == ':';
	}
	return (dots > 1 && key[strspn(key, "0123456789.*")] == '\0') || (colons > 1 && key[strspn(key, "0123456789abcdef:")] == '\0');
}

/* Meant as an address, or an address before a slash: meant as a network, whatever follows. */
static bool is_meant_as_network(const char *key)
{
	const char *slash = strchr(key, '/');
	char address[IP_TEXT_MAX];
	struct ip ip;

	if (slash == NULL)
		return looks_like_address(key);
	if ((size_t)(slash - key) >= sizeof(address))
		return false;
	memcpy(address, key, (size_t)(slash - key));
	address[slash - key] = '\0';
	return ip_parse(address, &ip);
}

static char *error_at(const struct keys *keys, uint32_t number, const char *what)
{
	return talloc_asprintf(keys->parent, "%s%u: %s", keys->place, number, what != NULL ? what : strerror(ENOMEM));
}

static char *doubled(const struct keys *keys, const struct entry *old, const char *key, uint32_t number)
{
	return talloc_asprintf(keys->parent, "%s%u: \"%.*s\" stands there a second time, with another value than in %s%u: keep one of them",
		keys->place, number, SHOWN_MAX, key, keys->place, old->number);
}

bool keys_add(struct keys *keys, char *key, const char *value, unsigned number, char **error_r)
{
	struct ipnet net;
	uint32_t hash, *slot;

	for (char *p = key; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + ('a' - 'A'));
	if (keys->n == keys->max && !grow(keys)) {
		*error_r = error_at(keys, number, "there are more entries than memory takes");
		return false;
	}
	hash = hash_of(key);
	slot = find_slot(keys, key, hash);
	if (*slot != 0) {
		const struct entry *old = &keys->v[*slot - 1];

		if (strcmp(old->value, value) == 0)
			return true;
		*error_r = doubled(keys, old, key, number);
		return false;
	}
	if (ipnet_parse(key, false, &net)) {
		if (!networks_add(keys->networks, &net, keys->n)) {
			*error_r = error_at(keys, number, "there are more networks than memory takes");
			return false;
		}
	} else if (is_meant_as_network(key)) {
		char *what = network_complaint(keys, key);

		*error_r = error_at(keys, number, what);
		talloc_free(what);
		return false;
	} else if (key[0] == '*' && (key[1] == '.' || key[1] == '@')) {
		*error_r = talloc_asprintf(keys->parent, "%s%u: \"%.*s\" would match nothing: write %s%.*s", keys->place, number, SHOWN_MAX, key,
			key[1] == '@' ? "the domain alone, " : "a dot for all below a domain, ", SHOWN_MAX, key + 1 + (key[1] == '@'));
		return false;
	}
	keys->v[keys->n] = (struct entry){ .key = key, .value = value, .hash = hash, .number = number };
	*slot = ++keys->n;
	return true;
}

static bool have_same_value(const void *context, uint32_t a, uint32_t b)
{
	const struct keys *keys = context;

	return strcmp(keys->v[a].value, keys->v[b].value) == 0;
}

bool keys_seal(struct keys *keys, char **error_r)
{
	uint32_t second = 0;
	struct ipnet net, other;
	int ret = networks_seal(keys->networks, NETWORKS_NARROWEST, have_same_value, keys, &second);

	if (ret == 0)
		return true;
	if (ret != -EEXIST) {
		*error_r = talloc_asprintf(keys->parent, "%s%u: %s", keys->place, keys->n, strerror(-ret));
		return false;
	}
	/* the error path may be slow: which entry is the same network? */
	ipnet_parse(keys->v[second].key, false, &net);
	for (uint32_t i = 0; i < second; i++) {
		if (ipnet_parse(keys->v[i].key, false, &other) && other.bits == net.bits && ip_equal(&other.ip, &net.ip)) {
			*error_r = doubled(keys, &keys->v[i], keys->v[second].key, keys->v[second].number);
			return false;
		}
	}
	*error_r = error_at(keys, keys->v[second].number, "the network stands there a second time");
	return false;
}

enum answer keys_lookup(const void *content, const char *key, TALLOC_CTX *mem, const char **value_r)
{
	const struct keys *keys = content;
	uint32_t slot = *find_slot(keys, key, hash_of(key));

	(void)mem;
	if (slot == 0)
		return ANSWER_NO;
	*value_r = keys->v[slot - 1].value;
	return ANSWER_YES;
}

enum answer keys_lookup_ip(const void *content, const struct ip *ip, TALLOC_CTX *mem, const char **value_r)
{
	const struct keys *keys = content;
	uint32_t item;

	(void)mem;
	if (!networks_find(keys->networks, ip, &item))
		return ANSWER_NO;
	*value_r = keys->v[item].value;
	return ANSWER_YES;
}

void keys_each(const void *content, void (*visit)(void *context, const char *key, const char *value), void *context)
{
	const struct keys *keys = content;

	for (uint32_t i = 0; i < keys->n; i++)
		visit(context, keys->v[i].key, keys->v[i].value);
}

size_t keys_count(const void *content)
{
	return ((const struct keys *)content)->n;
}
