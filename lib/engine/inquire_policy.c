/* inquire_policy.c - `winnowctl policy ADDRESS`: what is in force for whom, and the file and line that each setting came from */
#include "engine/engine.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

/* Where the lines go: one of both. */
struct listing {
	FILE *text;
	json_t *array;
};

static void add(struct listing *l, const char *name, const char *value, const char *file, int line)
{
	if (l->array != NULL) {
		json_array_append_new(l->array, json_pack("{s:s, s:s, s:s?, s:i}", "name", name, "value", value, "file", file, "line", line));
		return;
	}
	if (file != NULL)
		fprintf(l->text, "%-44s %-28s %s:%d\n", name, value, file, line);
	else
		fprintf(l->text, "%-44s %-28s built in\n", name, value);
}

static void add_rows(struct listing *l, TALLOC_CTX *mem, const char *section, const struct setting *rows, const struct policy *policy)
{
	for (const struct setting *row = rows; row->name != NULL; row++) {
		const char *file;
		char *name;
		int line;

		if (row->scope != SCOPE_POLICY)
			continue;
		name = talloc_asprintf(mem, "%s%s%s", section, section[0] != '\0' ? "." : "", row->name);
		config_origin(policy, row, &file, &line);
		add(l, name, config_value_text(mem, policy, row), file, line);
	}
}

/* Classes that the operator changed. */
static void add_classes(struct listing *l, TALLOC_CTX *mem, const struct policy *policy)
{
	for (int i = 0; i < CLASS_COUNT; i++) {
		const struct class_rule *rule = policy_class(policy, (enum class_id)i);
		char *value;

		if (rule->file == NULL && rule->action == class_default_action((enum class_id)i))
			continue;
		value = talloc_strdup(mem, action_name(rule->action));
		if (!isnan(rule->weight))
			value = talloc_asprintf_append(value, ", weight %g", rule->weight);
		if (rule->observe)
			value = talloc_asprintf_append(value, ", observed");
		if (rule->text != NULL)
			value = talloc_asprintf_append(value, ", own text");
		add(l, talloc_asprintf(mem, "class \"%s\"", class_row((enum class_id)i)->id), value, rule->file, rule->line);
	}
}

static void add_all(struct listing *l, TALLOC_CTX *mem, const struct winnow_engine *engine, const struct policy *policy)
{
	add_rows(l, mem, "", policy_settings, policy);
	for (size_t i = 0; i < engine->n_sections; i++)
		if (engine->sections[i]->name[0] != '\0')
			add_rows(l, mem, engine->sections[i]->name, engine->sections[i]->rows, policy);
	add_classes(l, mem, policy);
}

char *winnow_policy(struct winnow_engine *engine, const char *address, bool outbound, bool json)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct config *config = engine_config(engine);
	struct table *policies = setting_table(config_default_policy(config), &global_settings[G_POLICIES]);
	const struct policy *policy;
	const struct domain *domain;
	const char *unknown = NULL;
	struct listing l = { 0 };
	struct address a;
	char *text = NULL;
	size_t len = 0;

	if (!address_parse_path(mem, address, &a)) {
		talloc_free(mem);
		config_unref(config);
		return NULL;
	}
	policy = outbound ? policy_for_sender(config, policies, address, &a, mem, &unknown) : policy_for_recipient(config, policies, &a, mem, &unknown);
	domain = config_domain(config, a.domain);
	if (json) {
		json_t *object = json_object();

		l.array = json_array();
		add_all(&l, mem, engine, policy);
		json_object_set_new(object, "address", json_string(address));
		json_object_set_new(object, "policy", json_string(policy_name(policy)));
		json_object_set_new(object, "domain", domain != NULL ? json_pack("{s:s, s:s?, s:i}", "name", domain->name, "file", domain->file, "line", domain->line) : json_null());
		json_object_set_new(object, "settings", l.array);
		text = json_dumps(object, JSON_INDENT(1));
		json_decref(object);
	} else if ((l.text = open_memstream(&text, &len)) != NULL) {
		fprintf(l.text, "%s: policy \"%s\"\n", address, policy_name(policy));
		if (unknown != NULL)
			fprintf(l.text, "the table `policies` names \"%s\", which no policy bears: \"default\" is used\n", unknown);
		if (domain != NULL)
			fprintf(l.text, "domain \"%s\" at %s:%d\n", domain->name, domain->file, domain->line);
		fputc('\n', l.text);
		add_all(&l, mem, engine, policy);
		fclose(l.text);
	}
	config_unref(config);
	talloc_free(mem);
	return text;
}
