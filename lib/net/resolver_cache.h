/* resolver_cache.h - the resolver's table of answers: bounded, each as long as its TTL allows; questions that are out, and who waits for them */
#ifndef WINNOW_NET_RESOLVER_CACHE_H
#define WINNOW_NET_RESOLVER_CACHE_H

#include "net/answers.h"
#include "net/dns_answer.h"

/* Questions that are out at once; beyond it they count as unanswered. */
enum { RESOLVER_OUT_MAX = 32768 };

/* Used by any thread: shards, each with its lock. A name here is in small letters, without the dot at its end. Times: microseconds of clock_mono(). */
struct resolver_cache;

/* bytes: of all answers and their names; what was asked longest ago goes first. NULL: out of memory. */
struct resolver_cache *resolver_cache_new(size_t bytes);

/* Whoever still waits is told ANSWER_LATE. NULL is allowed. */
void resolver_cache_free(struct resolver_cache *cache);

enum cache_word {
	CACHE_KNOWN,                     /* *answer_r: a reference for the caller */
	CACHE_JOINED,                    /* it is out already: who is told when it comes */
	CACHE_ASK,                       /* the same, and the caller has to ask it, and to end it by resolver_cache_settle() */
	CACHE_FULL                       /* RESOLVER_OUT_MAX, or no memory */
};

/* Who asks (type, name)? CACHE_JOINED and CACHE_ASK take a reference to who, and hand it the answer under that name. */
enum cache_word resolver_cache_ask(struct resolver_cache *cache, uint16_t type, const char *name, struct answers *who, int64_t now, struct dns_answer **answer_r);

/* The answer came: who waits is told, and it is kept until that time (0: not at all; then the next one asks again). brief: it says nothing of the name, and is forgotten by resolver_cache_renew().
 * Also for an answer that comes after its question was settled: it takes the place of that. answer NULL: out of memory; who waits is told nothing came. */
void resolver_cache_settle(struct resolver_cache *cache, uint16_t type, const char *name, struct dns_answer *answer, int64_t until, bool brief);

/* A server is back: failures and silence from before are forgotten. all: every answer is, since other servers are asked from now on. */
void resolver_cache_renew(struct resolver_cache *cache, bool all);

void resolver_cache_limit(struct resolver_cache *cache, size_t bytes);

/* Octets used by answers that are kept, their number, and questions that are out. */
struct resolver_cache_use {
	size_t bytes, kept, out;
};
struct resolver_cache_use resolver_cache_use(struct resolver_cache *cache);

#endif
