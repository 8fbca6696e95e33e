/* stats.c - counters and latency histograms, for people and for Prometheus */
#include "engine/stats.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "check/check.h"
#include "engine/stats_lists.h"
#include "util/clock.h"

/* Upper bounds in microseconds; the last bucket has none. */
static const int64_t bounds[] = { 10, 100, 1000, 5000, 10000, 50000, 100000, 500000, 1000000, 5000000, 30000000 };
enum { BUCKETS = sizeof(bounds) / sizeof(bounds[0]) + 1 };

struct histogram {
	atomic_ullong bucket[BUCKETS], sum;
};

struct stats {
	int64_t started;
	atomic_ullong connections[2], messages[2][ACT_COUNT], recipients_refused[2], connections_refused[2];
	atomic_ullong found[CLASS_COUNT], decided[CLASS_COUNT];
	struct histogram stage[STAGE_COUNT], check[CHECKS_MAX];
	atomic_llong reload_time;
	atomic_bool reload_good;
};

struct stats *stats_new(void)
{
	struct stats *s = calloc(1, sizeof(*s));

	if (s != NULL)
		stats_reload(s, true, s->started = clock_wall());
	return s;
}

void stats_free(struct stats *stats)
{
	free(stats);
}

static void observe(struct histogram *h, int64_t us)
{
	int i = 0;

	while (i < BUCKETS - 1 && us > bounds[i])
		i++;
	atomic_fetch_add_explicit(&h->bucket[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&h->sum, (unsigned long long)(us > 0 ? us : 0), memory_order_relaxed);
}

static void count(atomic_ullong *n)
{
	atomic_fetch_add_explicit(n, 1, memory_order_relaxed);
}

void stats_connection(struct stats *stats, bool outbound)
{
	count(&stats->connections[outbound]);
}

void stats_stage(struct stats *stats, enum stage stage, int64_t microseconds)
{
	observe(&stats->stage[stage], microseconds);
}

void stats_reload(struct stats *stats, bool good, int64_t now)
{
	atomic_store(&stats->reload_good, good);
	if (good)
		atomic_store(&stats->reload_time, now);
}

static size_t place_of(const char *check)
{
	size_t i = 0;

	while (checks[i] != NULL && checks[i]->name != check)
		i++;
	return i;
}

void stats_record(struct stats *stats, const struct record *r)
{
	int out = r->direction == DIRECTION_OUT;

	if (strcmp(r->event, "message") == 0)
		count(&stats->messages[out][r->action]);
	else if (strcmp(r->event, "connect") == 0)
		count(&stats->connections_refused[out]);
	else
		count(&stats->recipients_refused[out]);
	count(&stats->decided[r->class]);
	for (size_t i = 0; i < r->n_findings; i++)
		count(&stats->found[r->findings[i].finding->class]);
	/* a refused recipient or command has the times of its message so far, which goes on: they are counted at its end */
	if (strcmp(r->event, "rcpt") == 0 || strcmp(r->event, "command") == 0)
		return;
	for (size_t i = 0; i < r->n_times; i++) {
		size_t place = place_of(r->times[i].check);

		if (place < CHECKS_MAX)
			observe(&stats->check[place], r->times[i].microseconds);
	}
}

/* ---- out */

static unsigned long long get(const atomic_ullong *n)
{
	return atomic_load_explicit((atomic_ullong *)(uintptr_t)n, memory_order_relaxed);
}

static unsigned long long total(const struct histogram *h)
{
	unsigned long long n = 0;

	for (int i = 0; i < BUCKETS; i++)
		n += get(&h->bucket[i]);
	return n;
}

/* The bound below which a share of the observations lies, in microseconds. */
static int64_t percentile(const struct histogram *h, double share)
{
	unsigned long long n = 0, all = total(h);

	for (int i = 0; i < BUCKETS - 1; i++) {
		n += get(&h->bucket[i]);
		if ((double)n >= share * (double)all)
			return bounds[i];
	}
	return bounds[BUCKETS - 2];
}

static void help(FILE *f, const char *name, const char *type, const char *text)
{
	fprintf(f, "# HELP %s %s\n# TYPE %s %s\n", name, text, name, type);
}

static void put_histogram(FILE *f, const char *name, const char *label, const char *value, const struct histogram *h)
{
	unsigned long long n = 0;

	for (int i = 0; i < BUCKETS - 1; i++) {
		n += get(&h->bucket[i]);
		fprintf(f, "%s_bucket{%s=\"%s\",le=\"%g\"} %llu\n", name, label, value, (double)bounds[i] / 1e6, n);
	}
	fprintf(f, "%s_bucket{%s=\"%s\",le=\"+Inf\"} %llu\n", name, label, value, n + get(&h->bucket[BUCKETS - 1]));
	fprintf(f, "%s_sum{%s=\"%s\"} %.6f\n", name, label, value, (double)get(&h->sum) / 1e6);
	fprintf(f, "%s_count{%s=\"%s\"} %llu\n", name, label, value, n + get(&h->bucket[BUCKETS - 1]));
}

static void prometheus_counters(FILE *f, const struct stats *s)
{
	help(f, "winnow_connections_total", "counter", "SMTP connections seen");
	for (int d = 0; d < 2; d++)
		fprintf(f, "winnow_connections_total{direction=\"%s\"} %llu\n", direction_name((enum direction)d), get(&s->connections[d]));
	help(f, "winnow_connections_refused_total", "counter", "connections refused at connect");
	for (int d = 0; d < 2; d++)
		fprintf(f, "winnow_connections_refused_total{direction=\"%s\"} %llu\n", direction_name((enum direction)d), get(&s->connections_refused[d]));
	help(f, "winnow_refused_total", "counter", "senders, recipients and commands refused before the message");
	for (int d = 0; d < 2; d++)
		fprintf(f, "winnow_refused_total{direction=\"%s\"} %llu\n", direction_name((enum direction)d), get(&s->recipients_refused[d]));
	help(f, "winnow_messages_total", "counter", "messages decided");
	for (int d = 0; d < 2; d++)
		for (int a = ACT_ACCEPT; a < ACT_COUNT; a++)
			fprintf(f, "winnow_messages_total{direction=\"%s\",verdict=\"%s\"} %llu\n", direction_name((enum direction)d), action_name((enum action)a), get(&s->messages[d][a]));
	help(f, "winnow_findings_total", "counter", "findings by class; decisive: the class decided");
	for (int i = 0; i < CLASS_COUNT; i++) {
		fprintf(f, "winnow_findings_total{class=\"%s\",decisive=\"yes\"} %llu\n", class_row((enum class_id)i)->id, get(&s->decided[i]));
		fprintf(f, "winnow_findings_total{class=\"%s\",decisive=\"no\"} %llu\n", class_row((enum class_id)i)->id,
			get(&s->found[i]) > get(&s->decided[i]) ? get(&s->found[i]) - get(&s->decided[i]) : 0);
	}
}

static void prometheus(FILE *f, const struct stats *s, const struct stats_gauges *g)
{
	help(f, "winnow_build_info", "gauge", "always 1");
	fprintf(f, "winnow_build_info{version=\"%s\"} 1\n", WINNOW_VERSION);
	prometheus_counters(f, s);
	help(f, "winnow_stage_seconds", "histogram", "time of a stage, waiting included");
	for (int i = 0; i < STAGE_COUNT; i++)
		put_histogram(f, "winnow_stage_seconds", "stage", stage_name((enum stage)i), &s->stage[i]);
	help(f, "winnow_check_seconds", "histogram", "time that a check took for a message");
	for (size_t i = 0; i < CHECKS_MAX && checks[i] != NULL; i++)
		put_histogram(f, "winnow_check_seconds", "check", checks[i]->name, &s->check[i]);
	help(f, "winnow_sessions_open", "gauge", "SMTP connections open now");
	fprintf(f, "winnow_sessions_open %u\n", g->sessions);
	help(f, "winnow_transactions_open", "gauge", "messages under way now");
	fprintf(f, "winnow_transactions_open %u\n", g->transactions);
	help(f, "winnow_transaction_bytes", "gauge", "bytes of messages in memory now");
	fprintf(f, "winnow_transaction_bytes %llu\n", (unsigned long long)g->message_bytes);
	help(f, "winnow_log_dropped_total", "counter", "log lines dropped because the target did not take them");
	fprintf(f, "winnow_log_dropped_total %llu\n", (unsigned long long)g->log_dropped);
	if (g->network != NULL)
		stats_network_prometheus(f, g->network);
	stats_lists_prometheus(f, g->lists, g->n_lists);
	help(f, "winnow_config_reload_success", "gauge", "1: the last reload was good");
	fprintf(f, "winnow_config_reload_success %d\n", atomic_load((atomic_bool *)(uintptr_t)&s->reload_good));
	help(f, "winnow_config_last_reload_timestamp_seconds", "gauge", "when the present configuration was loaded");
	fprintf(f, "winnow_config_last_reload_timestamp_seconds %lld\n", (long long)atomic_load((atomic_llong *)(uintptr_t)&s->reload_time) / 1000000);
}

static void people(FILE *f, const struct stats *s, const struct stats_gauges *g)
{
	fprintf(f, "since %lld s; open now: %u sessions, %u messages, %llu KB of messages in memory\n", (long long)(clock_wall() - s->started) / 1000000, g->sessions, g->transactions,
		(unsigned long long)g->message_bytes / 1024);
	if (g->log_dropped > 0)
		fprintf(f, "log lines dropped: %llu\n", (unsigned long long)g->log_dropped);
	for (int d = 0; d < 2; d++) {
		fprintf(f, "\n%s: %llu connections, %llu refused at connect, %llu refused before the message\n", d ? "outbound" : "inbound", get(&s->connections[d]),
			get(&s->connections_refused[d]), get(&s->recipients_refused[d]));
		for (int a = ACT_COUNT - 1; a >= ACT_ACCEPT; a--)
			if (get(&s->messages[d][a]) > 0)
				fprintf(f, "  %-12s %10llu messages\n", action_name((enum action)a), get(&s->messages[d][a]));
	}
	fprintf(f, "\n%-28s %10s %10s\n", "class", "decided", "found");
	for (int i = 0; i < CLASS_COUNT; i++)
		if (get(&s->found[i]) + get(&s->decided[i]) > 0)
			fprintf(f, "%-28s %10llu %10llu\n", class_row((enum class_id)i)->id, get(&s->decided[i]), get(&s->found[i]));
	stats_lists_people(f, g->lists, g->n_lists);
	fprintf(f, "\n%-28s %10s %12s %12s\n", "stage or check", "times", "p50 <= us", "p99 <= us");
	for (int i = 0; i < STAGE_COUNT; i++)
		if (total(&s->stage[i]) > 0)
			fprintf(f, "%-28s %10llu %12lld %12lld\n", stage_name((enum stage)i), total(&s->stage[i]), (long long)percentile(&s->stage[i], 0.5),
				(long long)percentile(&s->stage[i], 0.99));
	for (size_t i = 0; i < CHECKS_MAX && checks[i] != NULL; i++)
		if (total(&s->check[i]) > 0)
			fprintf(f, "check %-22s %10llu %12lld %12lld\n", checks[i]->name, total(&s->check[i]), (long long)percentile(&s->check[i], 0.5),
				(long long)percentile(&s->check[i], 0.99));
	if (g->network != NULL)
		stats_network_people(f, g->network);
}

static json_t *histogram_json(const struct histogram *h)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "count", (json_int_t)total(h), "sum_us", (json_int_t)get(&h->sum), "p50_us", (json_int_t)percentile(h, 0.5), "p99_us",
		(json_int_t)percentile(h, 0.99));
}

static char *json_text(const struct stats *s, const struct stats_gauges *g)
{
	json_t *o = json_object(), *messages = json_object(), *classes = json_object(), *stages = json_object(), *times = json_object();
	char *text;

	json_object_set_new(o, "seconds", json_integer((json_int_t)(clock_wall() - s->started) / 1000000));
	json_object_set_new(o, "sessions_open", json_integer(g->sessions));
	json_object_set_new(o, "transactions_open", json_integer(g->transactions));
	json_object_set_new(o, "message_bytes", json_integer((json_int_t)g->message_bytes));
	json_object_set_new(o, "log_dropped", json_integer((json_int_t)g->log_dropped));
	for (int d = 0; d < 2; d++) {
		json_t *one = json_pack("{s:I, s:I, s:I}", "connections", (json_int_t)get(&s->connections[d]), "connections_refused", (json_int_t)get(&s->connections_refused[d]),
			"refused", (json_int_t)get(&s->recipients_refused[d]));

		for (int a = ACT_ACCEPT; a < ACT_COUNT; a++)
			json_object_set_new(one, action_name((enum action)a), json_integer((json_int_t)get(&s->messages[d][a])));
		json_object_set_new(messages, direction_name((enum direction)d), one);
	}
	for (int i = 0; i < CLASS_COUNT; i++)
		json_object_set_new(classes, class_row((enum class_id)i)->id, json_pack("{s:I, s:I}", "decided", (json_int_t)get(&s->decided[i]), "found", (json_int_t)get(&s->found[i])));
	for (int i = 0; i < STAGE_COUNT; i++)
		json_object_set_new(stages, stage_name((enum stage)i), histogram_json(&s->stage[i]));
	for (size_t i = 0; i < CHECKS_MAX && checks[i] != NULL; i++)
		json_object_set_new(times, checks[i]->name, histogram_json(&s->check[i]));
	json_object_set_new(o, "messages", messages);
	json_object_set_new(o, "classes", classes);
	json_object_set_new(o, "stages", stages);
	json_object_set_new(o, "checks", times);
	if (g->network != NULL)
		json_object_set_new(o, "dns", stats_network_json(g->network));
	json_object_set_new(o, "lists", stats_lists_json(g->lists, g->n_lists));
	text = json_dumps(o, JSON_INDENT(1));
	json_decref(o);
	return text;
}

char *stats_text(struct stats *stats, const struct stats_gauges *gauges, enum winnow_stats_format format)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f;

	if (format == WINNOW_STATS_JSON)
		return json_text(stats, gauges);
	f = open_memstream(&text, &len);
	if (f == NULL)
		return NULL;
	if (format == WINNOW_STATS_PROMETHEUS)
		prometheus(f, stats, gauges);
	else
		people(f, stats, gauges);
	fclose(f);
	return text;
}
