/* zone.h - a network for SPF tests: a zone in text, answers at once or one by one in any order; included once by each program */
#ifndef WINNOW_T_SPF_ZONE_H
#define WINNOW_T_SPF_ZONE_H

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/spf_private.h"

#pragma GCC diagnostic ignored "-Wunused-function"

enum { ZONE_QUEUE_MAX = 1024, ZONE_CNAMES_MAX = 8 };

/* A line: "NAME TYPE DATA"; TYPE A, AAAA, MX, TXT, PTR, CNAME. DATA may hold \xNN. "!fail", "!late" instead of DATA: that answer; TYPE "*": to all types; "!nodata": the name exists. */
struct zone_line {
	struct zone_line *next;
	char *name, *type, *data;
};

struct zone {
	TALLOC_CTX *mem;
	struct zone_line *lines;
	bool queued;                     /* answers come by zone_step() alone */
	unsigned seed;
	struct { struct answers *answers; uint16_t type; char *name; } queue[ZONE_QUEUE_MAX];
	size_t n_queue, asked;
	struct asker asker;
};

static const char *zone_type(uint16_t type)
{
	return type == DNS_A ? "A" : type == DNS_AAAA ? "AAAA" : type == DNS_MX ? "MX" : type == DNS_TXT ? "TXT" : "PTR";
}

static void zone_unescape(char *s)
{
	char *out = s;

	for (; *s != '\0'; s++) {
		unsigned c;

		if (s[0] == '\\' && s[1] == 'x' && isxdigit((unsigned char)s[2]) && isxdigit((unsigned char)s[3]) && sscanf(s + 2, "%2x", &c) == 1 && c != 0) {
			*out++ = (char)c;
			s += 3;
		} else {
			*out++ = *s;
		}
	}
	*out = '\0';
}

static void zone_add(struct zone *z, const char *line)
{
	struct zone_line *l = talloc_zero(z->mem, struct zone_line), **end = &z->lines;
	char *copy = talloc_strdup(l, line), *save = NULL;

	l->name = strtok_r(copy, " ", &save);
	l->type = strtok_r(NULL, " ", &save);
	l->data = strtok_r(NULL, "", &save);
	if (l->name == NULL || l->type == NULL) {
		talloc_free(l);
		return;
	}
	if (l->data == NULL)
		l->data = talloc_strdup(l, "");
	zone_unescape(l->name);
	zone_unescape(l->data);
	while (*end != NULL)
		end = &(*end)->next;
	*end = l;
}

static void zone_give(struct zone *z, struct answers *answers, uint16_t type, const char *asked)
{
	const char *records[512], *name = asked;
	size_t n = 0;

	for (int i = 0; i < ZONE_CNAMES_MAX; i++) {
		const char *alias = NULL;
		bool exists = false;

		for (struct zone_line *l = z->lines; l != NULL; l = l->next) {
			bool all = strcmp(l->type, "*") == 0;

			if (strcasecmp(l->name, name) != 0)
				continue;
			exists = true;
			if ((all || strcmp(l->type, zone_type(type)) == 0) && l->data[0] == '!') {
				if (strcmp(l->data, "!late") != 0 && strcmp(l->data, "!nodata") != 0)
					answers_give(answers, type, asked, ANSWER_FAILED, NULL, 0);
				if (strcmp(l->data, "!nodata") != 0)
					return;
				continue;
			}
			if (strcmp(l->type, "CNAME") == 0)
				alias = l->data;
			else if (strcmp(l->type, zone_type(type)) == 0 && n < 512)
				records[n++] = l->data;
		}
		if (n > 0 || alias == NULL) {
			answers_give(answers, type, asked, n > 0 ? ANSWER_DATA : exists ? ANSWER_EMPTY : ANSWER_NXDOMAIN, records, n);
			return;
		}
		name = alias;
	}
	answers_give(answers, type, asked, ANSWER_FAILED, NULL, 0);     /* aliases without end */
}

static void zone_ask(void *context, struct answers *answers, uint16_t type, const char *name)
{
	struct zone *z = context;

	z->asked++;
	if (!z->queued) {
		zone_give(z, answers, type, name);
		return;
	}
	z->queue[z->n_queue].answers = answers;
	z->queue[z->n_queue].type = type;
	z->queue[z->n_queue++].name = talloc_strdup(z->mem, name);
}

/* Gives one of the answers that are outstanding; false: there is none. */
static bool zone_step(struct zone *z)
{
	size_t i;

	if (z->n_queue == 0)
		return false;
	z->seed = z->seed * 1103515245 + 12345;
	i = z->seed / 65536 % z->n_queue;
	zone_give(z, z->queue[i].answers, z->queue[i].type, z->queue[i].name);
	talloc_free(z->queue[i].name);
	z->queue[i] = z->queue[--z->n_queue];
	return true;
}

static struct zone *zone_new(const char *text)
{
	struct zone *z = talloc_zero(NULL, struct zone);
	char *copy = talloc_strdup(z, text), *save = NULL;

	z->mem = z;
	z->asker = (struct asker){ zone_ask, z };
	for (char *line = strtok_r(copy, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
		zone_add(z, line);
	return z;
}

/* Runs a check to its end: what is silent reads late at last. sender: "local@domain" or "". *runs_r (may be NULL): how often it was run. Strings of the outcome: children of mem. */
static enum spf_result zone_check(struct zone *z, TALLOC_CTX *mem, const char *client, const char *sender, const char *helo, bool trace, struct spf_outcome *outcome_r, int *runs_r)
{
	struct answers *answers = answers_new(&z->asker);
	const char *at = strrchr(sender, '@');
	struct spf_question q = {
		.local = at != NULL ? talloc_strndup(mem, sender, (size_t)(at - sender)) : "", .domain = at != NULL ? at + 1 : sender[0] != '\0' ? sender : helo, .helo = helo, .trace = trace,
	};
	int runs = 1;

	ip_parse(client, &q.client);
	while (spf_check(mem, answers, &q, outcome_r) == SPF_PENDING) {
		runs++;
		if (zone_step(z))
			continue;
		answers_late(answers, true);
		if (spf_check(mem, answers, &q, outcome_r) == SPF_PENDING)
			abort();
		break;
	}
	z->n_queue = 0;
	answers_unref(answers);
	if (runs_r != NULL)
		*runs_r = runs;
	return outcome_r->result;
}

#endif
