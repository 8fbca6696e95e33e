/* inquire_spf.c - `winnowctl spf`: what SPF says of a client and a sender, with everything that was asked on the way */
#include "engine/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "check/spf.h"
#include "engine/network.h"
#include "util/clock.h"

/* Runs the evaluation again as answers come, until spf.timeout. */
static void evaluate(struct winnow_engine *engine, TALLOC_CTX *mem, const struct spf_question *q, int64_t timeout_ms, struct spf_outcome *o)
{
	struct answers *answers = answers_new(engine->asker);
	int64_t deadline = clock_mono() + timeout_ms * 1000;
	uint64_t seen = 0;

	*o = (struct spf_outcome){ .result = SPF_TEMPERROR, .domain = q->domain, .mechanism = "", .problem = "no memory", .trace = "" };
	if (answers == NULL)
		return;
	while (spf_check(mem, answers, q, o) == SPF_PENDING) {
		if (answers_wait(answers, &seen, deadline))
			continue;
		answers_late(answers, true);
		spf_check(mem, answers, q, o);
		break;
	}
	answers_unref(answers);
}

/* A daemon has its resolver; beside one, or without, winnowctl opens its own. */
static void ask(struct winnow_engine *engine, TALLOC_CTX *mem, const struct spf_question *q, struct spf_outcome *o)
{
	struct config *config = engine_config(engine);
	int64_t timeout = setting_ms(config_default_policy(config), &spf_settings[SPF_SETTING_TIMEOUT]);
	bool own = engine->asker == NULL;
	char *error = NULL;

	if (own && network_open(engine, config, &error) != 0) {
		*o = (struct spf_outcome){ .result = SPF_TEMPERROR, .domain = printable(mem, q->domain, 253), .mechanism = "", .problem = "no resolver", .trace = "" };
		if (error != NULL)
			o->problem = talloc_asprintf(mem, "no resolver: %s", error);
		talloc_free(error);
	} else {
		evaluate(engine, mem, q, timeout, o);
	}
	if (own) {
		network_close(engine);
		engine->asker = NULL;
	}
	config_unref(config);
}

static char *as_json(const struct spf_outcome *o, const char *identity)
{
	json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:i, s:i, s:s}", "result", spf_result_name(o->result), "identity", identity,
		"domain", o->domain, "mechanism", o->mechanism, "problem", o->problem, "never_sends", o->never_sends, "terms", (int)o->terms, "voids", (int)o->voids, "trace", o->trace);
	char *text = object != NULL ? json_dumps(object, JSON_INDENT(1)) : NULL;

	json_decref(object);
	return text;
}

static char *as_text(const struct spf_outcome *o, const char *identity)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (f == NULL)
		return NULL;
	fprintf(f, "result=%s\nidentity=%s\ndomain=%s\n", spf_result_name(o->result), identity, o->domain);
	if (o->mechanism[0] != '\0')
		fprintf(f, "mechanism=%s\n", o->mechanism);
	if (o->problem[0] != '\0')
		fprintf(f, "problem=%s\n", o->problem);
	if (o->never_sends)
		fputs("never-sends=yes\n", f);
	fprintf(f, "terms=%u\nvoids=%u\n%s%s", o->terms, o->voids, o->trace[0] != '\0' ? "\n" : "", o->trace);
	fclose(f);
	return text;
}

int winnow_spf(struct winnow_engine *engine, const char *ip, const char *from, const char *helo, bool json, char **text_r, char **error_r)
{
	const char *at, *identity = from[0] != '\0' ? "mailfrom" : "helo";
	TALLOC_CTX *mem = talloc_new(NULL);
	size_t len = strlen(from);
	struct spf_question q = { .local = "", .helo = helo, .trace = true };
	struct spf_outcome o;

	*text_r = *error_r = NULL;
	if (!ip_parse(ip, &q.client)) {
		*error_r = strdup("--ip: no address; write 192.0.2.1 or 2001:db8::1");
		talloc_free(mem);
		return -EINVAL;
	}
	/* "<a@b>" as it stands in an envelope */
	if (len >= 2 && from[0] == '<' && from[len - 1] == '>')
		from = talloc_strndup(mem, from + 1, len - 2);
	at = strrchr(from, '@');
	if (from[0] == '\0') {
		q.domain = helo;
		identity = "helo";
	} else {
		q.domain = at != NULL ? at + 1 : from;
		q.local = at != NULL ? talloc_strndup(mem, from, (size_t)(at - from)) : "";
	}
	ask(engine, mem, &q, &o);
	*text_r = json ? as_json(&o, identity) : as_text(&o, identity);
	talloc_free(mem);
	return *text_r != NULL ? 0 : -ENOMEM;
}
