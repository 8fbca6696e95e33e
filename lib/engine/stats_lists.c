/* stats_lists.c - what is counted of DNS lists, for people and for Prometheus */
#include "engine/stats_lists.h"

void stats_lists_people(FILE *f, const struct dnslist_state *lists, size_t n)
{
	if (n > 0)
		fprintf(f, "\n%-38s %10s %10s %10s  %s\n", "DNS list", "asked", "listed", "unusable", "state");
	for (size_t i = 0; i < n; i++) {
		const struct dnslist_state *l = &lists[i];
		const char *kind = dnslist_kind_name(l->kind);

		fprintf(f, "%s %-28s %10llu %10llu %10llu  %s%s\n", kind, l->shown, (unsigned long long)l->asked, (unsigned long long)l->listed, (unsigned long long)l->unusable,
			l->fault != FAULT_NONE ? "suspended: " : "in use", dnslist_fault_text(l->fault));
	}
}

static void answers(FILE *f, const struct dnslist_state *l, const char *what, uint64_t n)
{
	fprintf(f, "winnow_dnslist_answers_total{kind=\"%s\",list=\"%s\",answer=\"%s\"} %llu\n", dnslist_kind_name(l->kind), l->shown, what, (unsigned long long)n);
}

void stats_lists_prometheus(FILE *f, const struct dnslist_state *lists, size_t n)
{
	fprintf(f, "# HELP winnow_dnslist_answers_total sessions that a DNS list was asked for, by what it said\n# TYPE winnow_dnslist_answers_total counter\n");
	for (size_t i = 0; i < n; i++) {
		answers(f, &lists[i], "listed", lists[i].listed);
		answers(f, &lists[i], "not_listed", lists[i].not_listed);
		answers(f, &lists[i], "unusable", lists[i].unusable);
	}
	fprintf(f, "# HELP winnow_dnslist_suspended 1: the list is suspended now\n# TYPE winnow_dnslist_suspended gauge\n");
	for (size_t i = 0; i < n; i++)
		fprintf(f, "winnow_dnslist_suspended{kind=\"%s\",list=\"%s\"} %d\n", dnslist_kind_name(lists[i].kind), lists[i].shown, lists[i].fault != FAULT_NONE);
	fprintf(f, "# HELP winnow_dnslist_suspensions_total times that a DNS list was suspended\n# TYPE winnow_dnslist_suspensions_total counter\n");
	for (size_t i = 0; i < n; i++)
		fprintf(f, "winnow_dnslist_suspensions_total{kind=\"%s\",list=\"%s\"} %llu\n", dnslist_kind_name(lists[i].kind), lists[i].shown, (unsigned long long)lists[i].suspensions);
}

json_t *stats_lists_json(const struct dnslist_state *lists, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++) {
		const struct dnslist_state *l = &lists[i];

		json_array_append_new(array, json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:b, s:s, s:I}", "kind", dnslist_kind_name(l->kind), "list", l->shown, "asked", (json_int_t)l->asked,
			"listed", (json_int_t)l->listed, "not_listed", (json_int_t)l->not_listed, "unusable", (json_int_t)l->unusable, "suspended", l->fault != FAULT_NONE,
			"why", dnslist_fault_text(l->fault), "suspensions", (json_int_t)l->suspensions));
	}
	return array;
}
