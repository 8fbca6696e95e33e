/* networks.c - a set of networks that answers in one binary search
 * Networks nest or are apart, so that their bounds cut the addresses into at most 2n + 1 ranges with one answer each: that is worked out once, when the set is sealed. */
#include "policy/networks.h"

#include <errno.h>
#include <stdlib.h>

#define NOTHING UINT32_MAX

/* an address as a number; not a struct, so the rule against typedefs does not meet it */
typedef unsigned __int128 address_number;

struct network {
	address_number first, last;
	uint32_t item;
};

/* Where an answer begins that holds until the next one's start. */
struct ranges {
	address_number *start;
	uint32_t *item;
	uint32_t n;
};

struct family {
	struct network *v;
	uint32_t n, max;
	struct ranges ranges;
};

struct networks {
	struct family family[2];         /* IPv4, IPv6 */
};

/* The networks around the present position, the narrowest on top: at most one for each number of bits. */
struct nest {
	struct { address_number last; uint32_t item; } v[130];
	unsigned n;
};

struct networks *networks_new(TALLOC_CTX *parent)
{
	return talloc_zero(parent, struct networks);
}

static address_number number_of(const struct ip *ip)
{
	address_number number = 0;

	for (int i = 0; i < (ip->family == 4 ? 4 : 16); i++)
		number = number << 8 | ip->addr[i];
	return number;
}

bool networks_add(struct networks *networks, const struct ipnet *net, uint32_t item)
{
	struct family *f = &networks->family[net->ip.family == 4 ? 0 : 1];
	unsigned host_bits = (net->ip.family == 4 ? 32u : 128u) - net->bits;
	struct network *grown;

	if (f->n == f->max) {
		uint32_t max = f->max != 0 ? f->max * 2 : 16;

		if (max > INT32_MAX)
			return false;
		grown = talloc_realloc(networks, f->v, struct network, max);
		if (grown == NULL)
			return false;
		f->v = grown;
		f->max = max;
	}
	f->v[f->n] = (struct network){ .first = number_of(&net->ip), .item = item };
	f->v[f->n].last = f->v[f->n].first + (host_bits < 128 ? ((address_number)1 << host_bits) - 1 : ~(address_number)0);
	f->n++;
	return true;
}

/* By start, the wider before what it holds, the smaller item before the larger. */
static int compare(const void *a, const void *b)
{
	const struct network *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	if (x->last != y->last)
		return x->last > y->last ? -1 : 1;
	return x->item < y->item ? -1 : x->item > y->item;
}

static void answer_from(struct ranges *r, address_number start, uint32_t item)
{
	if (r->n > 0 && r->start[r->n - 1] == start) {
		r->item[r->n - 1] = item;
	} else {
		r->start[r->n] = start;
		r->item[r->n++] = item;
	}
}

/* Leaves the networks that end before first: behind each one, what holds it answers again. */
static void leave(struct ranges *r, struct nest *nest, const address_number *first)
{
	while (nest->n > 0 && (first == NULL || nest->v[nest->n - 1].last < *first)) {
		address_number last = nest->v[--nest->n].last;

		if (last != ~(address_number)0)
			answer_from(r, last + 1, nest->n > 0 ? nest->v[nest->n - 1].item : NOTHING);
	}
}

static int build_ranges(struct networks *networks, struct family *f, enum networks_rule rule)
{
	struct nest nest = { .n = 0 };
	struct ranges *r = &f->ranges;

	r->start = talloc_array(networks, address_number, (size_t)f->n * 2);
	r->item = talloc_array(networks, uint32_t, (size_t)f->n * 2);
	if (r->start == NULL || r->item == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < f->n; i++) {
		const struct network *net = &f->v[i];
		uint32_t item = net->item;

		if (i > 0 && net->first == net[-1].first && net->last == net[-1].last)
			continue;
		leave(r, &nest, &net->first);
		if (rule == NETWORKS_FIRST && nest.n > 0 && nest.v[nest.n - 1].item < item)
			item = nest.v[nest.n - 1].item;
		nest.v[nest.n].last = net->last;
		nest.v[nest.n++].item = item;
		answer_from(r, net->first, item);
	}
	leave(r, &nest, NULL);
	return 0;
}

int networks_seal(struct networks *networks, enum networks_rule rule, bool (*same)(const void *context, uint32_t a, uint32_t b), const void *context, uint32_t *item_r)
{
	for (int i = 0; i < 2; i++) {
		struct family *f = &networks->family[i];
		int ret;

		if (f->n == 0)
			continue;
		qsort(f->v, f->n, sizeof(f->v[0]), compare);
		for (uint32_t k = 1; k < f->n && same != NULL; k++) {
			if (compare(&f->v[k - 1], &f->v[k]) != 0 && f->v[k].first == f->v[k - 1].first && f->v[k].last == f->v[k - 1].last
				&& !same(context, f->v[k - 1].item, f->v[k].item)) {
				*item_r = f->v[k].item;
				return -EEXIST;
			}
		}
		ret = build_ranges(networks, f, rule);
		if (ret != 0)
			return ret;
		TALLOC_FREE(f->v);
	}
	return 0;
}

bool networks_find(const struct networks *networks, const struct ip *ip, uint32_t *item_r)
{
	const struct ranges *r = &networks->family[ip->family == 4 ? 0 : 1].ranges;
	address_number number;
	uint32_t low = 0, n = r->n;

	if (n == 0 || ip->family == 0)
		return false;
	number = number_of(ip);
	/* the last start that is not behind number */
	while (n > 1) {
		uint32_t half = n / 2;

		if (r->start[low + half] <= number)
			low += half;
		n -= half;
	}
	if (r->start[low] > number || r->item[low] == NOTHING)
		return false;
	*item_r = r->item[low];
	return true;
}
