/* resolver_health.c - is a server there? What one of them did lately, and the breaker that spares us asking one that is gone; pure, times are handed in */
#include "net/resolver_health.h"

void health_sent(struct health *h, int64_t now)
{
	if (h->waits_since == 0)
		h->waits_since = now;
}

bool health_answered(struct health *h)
{
	bool closes = h->open;

	h->waits_since = 0;
	h->probed = 0;
	h->misses = 0;
	h->open = false;
	return closes;
}

static bool open_now(struct health *h, int64_t now)
{
	if (h->open)
		return false;
	h->open = true;
	h->opened = now;
	return true;
}

bool health_nobody(struct health *h, bool probe, int64_t now)
{
	if (!probe) {
		if (!h->open && h->probed == 0)
			h->next_probe = 0;
		h->waits_since = 1;              /* long ago: suspect until something answers */
		return false;
	}
	h->probed = 0;
	h->misses = HEALTH_MISSES;
	return open_now(h, now);
}

bool health_suspect(const struct health *h, int64_t after, int64_t now)
{
	return h->waits_since != 0 && now - h->waits_since >= after;
}

bool health_look(struct health *h, int64_t now)
{
	if (h->probed == 0 || now - h->probed < HEALTH_PROBE_US)
		return false;
	h->probed = 0;
	h->misses++;
	return h->misses >= HEALTH_MISSES && open_now(h, now);
}

bool health_probe(struct health *h, int64_t after, int64_t now)
{
	if (h->probed != 0 || now < h->next_probe || !(h->open || health_suspect(h, after, now)))
		return false;
	h->probed = now;
	h->next_probe = now + HEALTH_PROBE_US;
	return true;
}

int64_t health_next(const struct health *h, int64_t after)
{
	int64_t at;

	if (h->probed != 0)
		return h->probed + HEALTH_PROBE_US;
	if (h->open)
		return h->next_probe;
	if (h->waits_since == 0)
		return INT64_MAX;
	at = h->waits_since + after;
	return at > h->next_probe ? at : h->next_probe;
}
