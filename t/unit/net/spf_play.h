/* spf_play.h - plays questions against a zone, at once and with answers in random order; included once by each SPF test, behind cmocka.h */
#ifndef WINNOW_T_SPF_PLAY_H
#define WINNOW_T_SPF_PLAY_H

#include "spf/zone.h"

struct question {
	const char *client, *sender;
	enum spf_result want;
	const char *mechanism;           /* that matched; NULL: not looked at */
	const char *helo;                /* NULL: mx.client.example */
};

#define V4 "192.0.2.1"
#define V6 "2001:db8::1"

static void play(const char *text, const struct question *questions, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct question *q = &questions[i];
		const char *helo = q->helo != NULL ? q->helo : "mx.client.example";
		TALLOC_CTX *mem = talloc_new(NULL);
		struct zone *z = zone_new(text);
		struct spf_outcome o, queued;

		zone_check(z, mem, q->client, q->sender, helo, true, &o, NULL);
		if (o.result != q->want || (q->mechanism != NULL && strcmp(o.mechanism, q->mechanism) != 0))
			fail_msg("%s <%s>: %s by \"%s\" (%s), not %s\n%s", q->client, q->sender, spf_result_name(o.result), o.mechanism, o.problem, spf_result_name(q->want), o.trace);
		assert_true((o.problem[0] != '\0') == (o.result == SPF_TEMPERROR || o.result == SPF_PERMERROR));
		/* the same, answers coming one by one in another order each time */
		z->queued = true;
		for (unsigned seed = 1; seed <= 3; seed++) {
			z->seed = seed * 7919;
			zone_check(z, mem, q->client, q->sender, helo, false, &queued, NULL);
			if (queued.result != o.result || queued.terms != o.terms || queued.voids != o.voids || strcmp(queued.mechanism, o.mechanism) != 0)
				fail_msg("%s <%s>: %s, and %s where answers come one by one", q->client, q->sender, spf_result_name(o.result), spf_result_name(queued.result));
		}
		talloc_free(z);
		talloc_free(mem);
	}
}

#define PLAY(zone_text, questions) play(zone_text, questions, sizeof(questions) / sizeof((questions)[0]))

#endif
