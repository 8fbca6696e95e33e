/* network_check.c - winnowctl check --network: asks each DNS server and each DNS list, and says in words what is wrong with it */
#include "engine/network.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <talloc.h>

#include "engine/lists.h"
#include "util/clock.h"

/* What one server said. */
struct word {
	enum answer_status root, nothing;        /* to the root's name servers, and to a name that does not exist */
	enum resolver_trouble trouble;
	bool validates;
	double ms;
};

enum answer_status network_ask(struct answers *answers, uint16_t type, const char *name, int64_t deadline)
{
	enum answer_status status;
	const char *const *records;
	uint64_t seen = 0;
	size_t n;

	while ((status = answers_get(answers, type, name, &records, &n)) == ANSWER_PENDING)
		if (!answers_wait(answers, &seen, deadline))
			return ANSWER_LATE;
	return status;
}

/* With a resolver of its own, that knows this server alone. */
static bool ask_server(const struct resolver_options *options, const char *server, struct word *word_r)
{
	const char *const servers[] = { server, NULL };
	struct resolver_options one = *options;
	struct resolver_state states[RESOLVER_SERVERS_MAX];
	int64_t before = clock_mono(), deadline = before + options->timeout * 1000 + 1000000;
	struct resolver *resolver = NULL;
	struct answers *answers;
	char *error = NULL, name[64];

	one.servers = servers;
	if (resolver_open(&one, NULL, &resolver, &error) != 0) {
		talloc_free(error);
		return false;
	}
	answers = answers_new(resolver_asker(resolver));
	*word_r = (struct word){ .root = network_ask(answers, ns_t_ns, ".", deadline) };
	word_r->ms = (double)(clock_mono() - before) / 1000;
	word_r->validates = answers_secure(answers, ns_t_ns, ".");
	resolver_states(resolver, states);
	word_r->trouble = states[0].trouble;
	snprintf(name, sizeof(name), "winnow-check-%08llx.invalid", (unsigned long long)clock_wall() & 0xffffffff);
	word_r->nothing = word_r->root == ANSWER_DATA ? network_ask(answers, ns_t_a, name, deadline) : ANSWER_LATE;
	answers_unref(answers);
	resolver_close(resolver);
	return true;
}

static const char *what_is_wrong(const struct word *word)
{
	if (word->root == ANSWER_DATA && word->nothing == ANSWER_DATA)
		return "invents addresses for names that do not exist: DNS lists are of no use through it; name another in dns.servers, best one on this machine";
	if (word->root == ANSWER_DATA)
		return NULL;
	if (word->root == ANSWER_EMPTY || word->root == ANSWER_NXDOMAIN)
		return "says that the root has no name servers: it does not resolve; name a recursive resolver in dns.servers";
	switch (word->trouble) {
	case TROUBLE_NOBODY: return "cannot be reached: nothing listens there; start a resolver (package unbound), or name another in dns.servers";
	case TROUBLE_REFUSED: return "refuses us (REFUSED); allow this machine there (unbound: access-control), or name another in dns.servers";
	case TROUBLE_SERVFAIL: return "cannot resolve the root (SERVFAIL): does it reach the Internet, or what it forwards to?";
	case TROUBLE_UNREADABLE: return "answers what cannot be read: is it a DNS server?";
	case TROUBLE_OTHER: return "answers with an error that is neither REFUSED nor SERVFAIL: is it a recursive resolver?";
	default: return "says nothing in time (dns.timeout); is it up, and does a firewall let us ask it?";
	}
}

int winnow_check_network(struct winnow_engine *engine, char **text_r)
{
	struct config *config = engine_config(engine);
	struct resolver_options options = network_options(config);
	struct resolver_state states[RESOLVER_SERVERS_MAX];
	struct resolver *resolver = NULL;
	char *error = NULL;
	size_t len = 0, n = 0;
	FILE *f = open_memstream(text_r, &len);
	int wrong = 0;

	/* it alone knows which servers there are: those of resolv.conf too */
	if (f != NULL && resolver_open(&options, NULL, &resolver, &error) == 0)
		n = resolver_states(resolver, states);
	resolver_close(resolver);
	for (size_t i = 0; i < n; i++) {
		struct word word = { 0 };
		const char *trouble = ask_server(&options, states[i].name, &word) ? what_is_wrong(&word) : "could not be asked: out of memory or descriptors";

		wrong += trouble != NULL;
		if (trouble != NULL)
			fprintf(f, "dns %s: %s\n", states[i].name, trouble);
		else
			fprintf(f, "dns %s: good, %.1f ms%s\n", states[i].name, word.ms, word.validates ? ", DNSSEC validated" : ", DNSSEC not validated or not believed (dns.trust_ad)");
	}
	if (f != NULL && n > 0)
		wrong += lists_check(f, config, &options);
	if (f != NULL && n == 0)
		fprintf(f, "%s\n", error != NULL ? error : "dns: out of memory");
	if (f != NULL)
		fclose(f);
	talloc_free(error);
	config_unref(config);
	return f == NULL ? -ENOMEM : n == 0 ? 1 : wrong;
}
