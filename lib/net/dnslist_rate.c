/* dnslist_rate.c - has a DNS list begun to list far more clients than it used to? */
#include "net/dnslist_rate.h"

#include <math.h>
#include <stddef.h>

/* A list of which nothing is known may list 60 of 100 clients: twenty hits in a row alone make it suspect. Whatever was seen, a usual share is never thought to be over 90 or
 * under 5 of 100: a list that lists everybody stays suspect, and a rare list may have a bad day. Far over: fifty times the odds. Believed: e^9 to 1. */
#define USUAL_FIRST 0.6
#define USUAL_LEAST 0.05
#define USUAL_MOST 0.9
#define FAR_ODDS 50.0
#define BELIEVED 9.0
#define WEIGHT_FIRST 20.0
#define WEIGHT_MOST 1000.0
enum { EVENTS_MIN = 20 };

void dnslist_rate_init(struct dnslist_rate *rate)
{
	*rate = (struct dnslist_rate){ .usual = USUAL_FIRST, .weight = WEIGHT_FIRST };
}

static double clamp(double x, double least, double most)
{
	return x < least ? least : x > most ? most : x;
}

/* What was seen becomes part of what is usual. */
static void learn(struct dnslist_rate *r)
{
	r->weight += r->n;
	r->usual += ((double)r->hits - r->usual * r->n) / r->weight;
	r->usual = clamp(r->usual, USUAL_LEAST, USUAL_MOST);
	r->weight = clamp(r->weight, WEIGHT_FIRST, WEIGHT_MOST);
	r->n = r->hits = 0;
	r->sum = 0;
}

/* FNV-1a; never 0, which is an empty place. */
static uint32_t hash(const struct ip *client)
{
	struct ipnet net = ipnet_of(client, client->family == 6 ? 64 : 32);
	uint32_t h = 2166136261u ^ net.ip.family;

	for (size_t i = 0; i < sizeof(net.ip.addr); i++)
		h = (h ^ net.ip.addr[i]) * 16777619u;
	h ^= h >> 15;
	return h != 0 ? h : 1;
}

static bool counted_of_late(struct dnslist_rate *r, const struct ip *client)
{
	uint32_t h = hash(client), *place = &r->recent[h % DNSLIST_RECENT];
	bool known = *place == h;

	*place = h;
	return known;
}

bool dnslist_rate_count(struct dnslist_rate *rate, bool hit, const struct ip *client)
{
	double odds, broken;

	if (counted_of_late(rate, client))
		return false;
	odds = rate->usual / (1 - rate->usual) * FAR_ODDS;
	broken = odds / (1 + odds);
	rate->sum += hit ? log(broken / rate->usual) : log((1 - broken) / (1 - rate->usual));
	rate->n++;
	rate->hits += hit;
	if (rate->sum <= 0)
		learn(rate);
	return rate->n >= EVENTS_MIN && rate->sum >= BELIEVED;
}

void dnslist_rate_accept(struct dnslist_rate *rate)
{
	double seen = rate->n > 0 ? (double)rate->hits / rate->n : rate->usual;

	rate->usual = clamp((rate->usual + seen) / 2, USUAL_LEAST, USUAL_MOST);
	rate->n = rate->hits = 0;
	rate->sum = 0;
}
