/* stats_network.c - what the resolver has counted, for people and for Prometheus */
#include "engine/stats_network.h"

void stats_network_look(struct stats_network *network_r, struct resolver *resolver)
{
	network_r->counts = resolver_counts(resolver);
	network_r->n_servers = resolver_states(resolver, network_r->servers);
}

static const char *trouble_name(enum resolver_trouble trouble)
{
	static const char *const names[] = {
		[TROUBLE_NONE] = "none", [TROUBLE_SILENT] = "silent", [TROUBLE_NOBODY] = "nobody-listens", [TROUBLE_SERVFAIL] = "servfail", [TROUBLE_REFUSED] = "refused",
		[TROUBLE_UNREADABLE] = "unreadable", [TROUBLE_OTHER] = "other-error",
	};

	return names[trouble];
}

/* ---- people */

void stats_network_people(FILE *f, const struct stats_network *network)
{
	const struct resolver_counts *c = &network->counts;

	fprintf(f, "\nDNS: %llu questions asked, %llu answered from memory, %llu joined to one that was out; %llu got no answer in time, %llu failed\n", (unsigned long long)c->asked,
		(unsigned long long)c->known, (unsigned long long)c->joined, (unsigned long long)c->late, (unsigned long long)c->failed);
	fprintf(f, "     now: %zu answers kept in %zu KB, %zu questions out\n", c->kept, c->bytes / 1024, c->out);
	fprintf(f, "\n%-28s %10s %10s %10s %10s  %s\n", "DNS server", "asked", "answered", "failed", "silent", "state");
	for (size_t i = 0; i < network->n_servers; i++) {
		const struct resolver_state *s = &network->servers[i];

		fprintf(f, "%-28s %10llu %10llu %10llu %10llu  %s", s->name, (unsigned long long)s->asked, (unsigned long long)s->answered, (unsigned long long)s->failed,
			(unsigned long long)s->silent, s->gone ? "gone" : "there");
		fprintf(f, s->trouble != TROUBLE_NONE ? ", last trouble: %s\n" : "\n", trouble_name(s->trouble));
	}
}

/* ---- Prometheus */

static void head(FILE *f, const char *name, const char *type, const char *text)
{
	fprintf(f, "# HELP %s %s\n# TYPE %s %s\n", name, text, name, type);
}

static void servers_prometheus(FILE *f, const struct stats_network *network)
{
	head(f, "winnow_dns_server_up", "gauge", "0: it answers nothing, its breaker is open");
	for (size_t i = 0; i < network->n_servers; i++)
		fprintf(f, "winnow_dns_server_up{server=\"%s\"} %d\n", network->servers[i].name, !network->servers[i].gone);
	head(f, "winnow_dns_server_questions_total", "counter", "questions sent to a server, and what came of them");
	for (size_t i = 0; i < network->n_servers; i++) {
		const struct resolver_state *s = &network->servers[i];
		const struct { const char *name; uint64_t n; } outcomes[] = { { "asked", s->asked }, { "answered", s->answered }, { "failed", s->failed }, { "silent", s->silent } };

		for (size_t k = 0; k < sizeof(outcomes) / sizeof(outcomes[0]); k++)
			fprintf(f, "winnow_dns_server_questions_total{server=\"%s\",outcome=\"%s\"} %llu\n", s->name, outcomes[k].name, (unsigned long long)outcomes[k].n);
	}
}

void stats_network_prometheus(FILE *f, const struct stats_network *network)
{
	const struct resolver_counts *c = &network->counts;

	head(f, "winnow_dns_questions_total", "counter", "questions: asked of a server, known already, joined to one that was out");
	fprintf(f, "winnow_dns_questions_total{how=\"asked\"} %llu\nwinnow_dns_questions_total{how=\"known\"} %llu\nwinnow_dns_questions_total{how=\"joined\"} %llu\n",
		(unsigned long long)c->asked, (unsigned long long)c->known, (unsigned long long)c->joined);
	head(f, "winnow_dns_unanswered_total", "counter", "questions that got no answer in time, or that every server failed");
	fprintf(f, "winnow_dns_unanswered_total{why=\"late\"} %llu\nwinnow_dns_unanswered_total{why=\"failed\"} %llu\n", (unsigned long long)c->late, (unsigned long long)c->failed);
	head(f, "winnow_dns_answers_kept", "gauge", "answers in memory now");
	fprintf(f, "winnow_dns_answers_kept %zu\n", c->kept);
	head(f, "winnow_dns_answers_bytes", "gauge", "and what they take");
	fprintf(f, "winnow_dns_answers_bytes %zu\n", c->bytes);
	head(f, "winnow_dns_questions_out", "gauge", "questions that wait for an answer now");
	fprintf(f, "winnow_dns_questions_out %zu\n", c->out);
	servers_prometheus(f, network);
}

/* ---- JSON */

json_t *stats_network_json(const struct stats_network *network)
{
	const struct resolver_counts *c = &network->counts;
	json_t *servers = json_array();

	for (size_t i = 0; i < network->n_servers; i++) {
		const struct resolver_state *s = &network->servers[i];

		json_array_append_new(servers, json_pack("{s:s, s:b, s:s, s:I, s:I, s:I, s:I}", "server", s->name, "gone", (int)s->gone, "trouble", trouble_name(s->trouble),
			"asked", (json_int_t)s->asked, "answered", (json_int_t)s->answered, "failed", (json_int_t)s->failed, "silent", (json_int_t)s->silent));
	}
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "asked", (json_int_t)c->asked, "known", (json_int_t)c->known, "joined", (json_int_t)c->joined,
		"late", (json_int_t)c->late, "failed", (json_int_t)c->failed, "kept", (json_int_t)c->kept, "bytes", (json_int_t)c->bytes, "out", (json_int_t)c->out, "servers", servers);
}
