/* lists_check.c - winnowctl check --network: the test points of every DNS list, and what is wrong with it in words */
#include "engine/lists.h"

#include <arpa/nameser.h>

#include "check/dnsbl.h"
#include "engine/network.h"
#include "util/clock.h"

static bool fails(const struct dnslist_answer a[DNSLIST_POINTS])
{
	return a[POINT_LISTED].trouble == TROUBLE_OF_FAILURE || a[POINT_NOT_LISTED].trouble == TROUBLE_OF_FAILURE;
}

/* Many lists know no IPv6 at all: that is not wrong. */
static const char *families(const struct dnslist_answer a[DNSLIST_POINTS])
{
	return a[POINT_LISTED_IPV6].says == DNSLIST_LISTED ? "IPv4 and IPv6" : "IPv4 (it has no test point for IPv6)";
}

/* One line; true: something is wrong. */
static bool say(FILE *f, struct answers *answers, const struct dnslist *list, const struct dnslist_answer a[DNSLIST_POINTS], int64_t deadline)
{
	enum dnslist_fault fault = dnslist_test(list->kind, a);

	fprintf(f, "%s %s: ", dnslist_kind_name(list->kind), list->shown);
	if (fault == FAULT_NONE)
		return fprintf(f, "good, %s\n", families(a)) < 0;
	else if (fault == FAULT_LISTS_NOTHING && network_ask(answers, ns_t_soa, list->zone, deadline) == ANSWER_NXDOMAIN)
		fprintf(f, "there is no such zone; is its name written right, does the list still exist, is its key right?\n");
	else if (fault == FAULT_LISTS_NOTHING && !list->self_test)
		return fprintf(f, "answers; it has no test points (self_test = false)\n") < 0;
	else if (fault == FAULT_SILENT && fails(a))
		fprintf(f, "its servers answer with an error (REFUSED or SERVFAIL); %s\n", dnslist_fault_remedy(fault));
	else
		fprintf(f, "%s; %s\n", dnslist_fault_text(fault), dnslist_fault_remedy(fault));
	return true;
}

int lists_check(FILE *f, const struct config *config, const struct resolver_options *options)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	int64_t deadline = clock_mono() + options->timeout * 1000;
	struct dnslist_answer (*said)[DNSLIST_POINTS];
	struct resolver *resolver = NULL;
	struct answers *answers = NULL;
	char *error = NULL;
	size_t n;
	int wrong = 0;
	struct dnsbl_list *configured = dnsbl_lists(mem, config, &n);
	struct dnslist *lists = talloc_array(mem, struct dnslist, n);

	said = (void *)talloc_array(mem, struct dnslist_answer, n * DNSLIST_POINTS);
	if (n > 0 && lists != NULL && said != NULL && resolver_open(options, NULL, &resolver, &error) == 0)
		answers = answers_new(resolver_asker(resolver));
	for (size_t i = 0; answers != NULL && i < n; i++)
		lists[i] = configured[i].id;
	if (answers != NULL) {
		lists_ask(answers, lists, n, DNSLIST_POINTS, deadline, NULL, said);
		for (size_t i = 0; i < n; i++)
			wrong += say(f, answers, &lists[i], said[i], deadline + options->timeout * 1000);
	} else if (n > 0) {
		fprintf(f, "DNS lists could not be asked: %s\n", error != NULL ? error : "out of memory");
		wrong = 1;
	}
	answers_unref(answers);
	resolver_close(resolver);
	talloc_free(error);
	talloc_free(mem);
	return wrong;
}
