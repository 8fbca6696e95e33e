/* policy.c - which policy is in force for whom, and what it says of a class */
#include "policy/policy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "policy/hint.h"
#include "policy/inside.h"

const struct setting policy_settings[] = {
	[POLICY_MODE] = { .name = "mode", .type = SET_STRING, .scope = SCOPE_POLICY, .def = "enforce", .choices = "observe tag enforce",
		.help = "observe: decide and record, refuse nothing; tag: mark, refuse nothing; enforce: act" },
	[POLICY_THRESHOLD] = { .name = "threshold", .type = SET_FLOAT, .scope = SCOPE_POLICY, .def = "0.9", .max = 1, .help = "combined score: spam at or over it" },
	[POLICY_UNSURE_THRESHOLD] = { .name = "unsure_threshold", .type = SET_FLOAT, .scope = SCOPE_POLICY, .def = "0.3", .max = 1, .help = "X-Winnow-Class: unsure from here" },
	[POLICY_QUARANTINE] = { .name = "quarantine", .type = SET_BOOL, .scope = SCOPE_POLICY, .def = "true",
		.help = "keep copies; false: classes with action quarantine refuse at their own stage" },
	[POLICY_TAG_SUBJECT] = { .name = "tag_subject", .type = SET_STRING, .scope = SCOPE_POLICY, .def = "", .help = "put before Subject by action tag and mode tag" },
	[POLICY_ALLOW_AUTHENTICATED] = { .name = "allow_authenticated", .type = SET_BOOL, .scope = SCOPE_POLICY, .def = "false",
		.help = "an allowed sender counts only with SPF, DKIM or DMARC pass for its domain" },
	[POLICY_ALLOW_SENDERS] = { .name = "allow_senders", .type = SET_TABLE, .scope = SCOPE_POLICY, .def = "", .help = "the recipients' list of allowed senders" },
	[POLICY_ALLOW_IPS] = { .name = "allow_ips", .type = SET_TABLE, .scope = SCOPE_POLICY, .def = "", .help = "the recipients' list of allowed clients" },
	[POLICY_BLOCK_SENDERS] = { .name = "block_senders", .type = SET_TABLE, .scope = SCOPE_POLICY, .def = "", .help = "the recipients' list of refused senders" },
	{ 0 },
};

static const char *const mode_names[] = { [MODE_OBSERVE] = "observe", [MODE_TAG] = "tag", [MODE_ENFORCE] = "enforce" };

/* ---- building */

const struct value *builder_over(struct builder *b, size_t row, struct value *given, const struct value *inherited)
{
	const struct config *config = b->config;

	if (given != NULL && !given->append)
		return given;
	for (size_t i = 0; inherited == NULL && i < config->n_groups; i++) {
		const struct group *group = &config->groups[i];

		if (row >= group->first && row < group->first + group->n)
			inherited = value_default(&b->reader, group->section->name, config->rows[row], b->path != NULL ? b->path : "built-in defaults");
	}
	if (inherited == NULL)                /* a default table that cannot be read: an error was added */
		return given;
	return given != NULL ? value_append(b->config, inherited, given) : inherited;
}

/* policy "default": itself, top level, built in. NULL values are left only where there was an error. */
static void resolve_base(struct builder *b, struct policy *policy, const struct scope *own)
{
	policy->values = talloc_zero_array(b->config, const struct value *, b->config->n_rows + 1);
	for (size_t row = 0; row < b->config->n_rows; row++) {
		struct value *given = own->given[row];

		if (given != NULL && !given->append)
			policy->values[row] = given;
		else
			policy->values[row] = builder_over(b, row, given, builder_over(b, row, b->top.given[row], NULL));
	}
}

static void resolve(struct builder *b, struct policy *policy, const struct scope *own)
{
	const struct policy *base = b->config->base;
	bool any = false;

	for (size_t row = 0; row < b->config->n_rows; row++)
		any |= own->given[row] != NULL;
	if (!any) {
		policy->values = base->values;
		return;
	}
	policy->values = talloc_zero_array(b->config, const struct value *, b->config->n_rows + 1);
	for (size_t row = 0; row < b->config->n_rows; row++)
		policy->values[row] = own->given[row] != NULL ? builder_over(b, row, own->given[row], base->values[row]) : base->values[row];
}

/* Says words over what the rule is so far. */
static void rule_override(struct class_rule *rule, const struct class_words *words)
{
	if (words == NULL || (words->action == NULL && words->weight == NULL && words->text == NULL && words->observe == NULL))
		return;
	if (words->action != NULL) {
		rule->action = action_find(words->action->s);
		rule->overridden = true;
	}
	if (words->weight != NULL)
		rule->weight = words->weight->f;
	if (words->text != NULL)
		rule->text = words->text->s;
	if (words->observe != NULL)
		rule->observe = words->observe->b;
	rule->file = words->file;
	rule->line = words->line;
}

/* top level, policy "default", the policy itself (own and base may be the same). */
static void resolve_rules(struct builder *b, struct policy *policy, const struct scope *base, const struct scope *own)
{
	const struct value *quarantine = policy->values[POLICY_QUARANTINE];

	policy->rules = talloc_zero_array(b->config, struct class_rule, CLASS_COUNT);
	for (int id = 0; id < CLASS_COUNT; id++) {
		struct class_rule *rule = &policy->rules[id];

		rule->action = class_default_action((enum class_id)id);
		rule->weight = NAN;
		rule_override(rule, b->top.classes[id]);
		rule_override(rule, base->classes[id]);
		if (own != base)
			rule_override(rule, own->classes[id]);
		if (rule->action == ACT_QUARANTINE && !quarantine->b)
			rule->action = ACT_REJECT;    /* no copies are kept */
	}
}

static uint64_t mix(uint64_t hash, uint64_t next)
{
	hash = (hash ^ next) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ (hash >> 29);
}

static uint64_t hash_text(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; text != NULL && *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return hash;
}

/* `overridden` is not in it: it changes a code only where it changes the action. */
static uint64_t fingerprint(const struct config *config, const struct policy *policy)
{
	uint64_t hash = 1;

	for (size_t row = 0; row < config->n_rows; row++)
		if (config->rows[row]->scope == SCOPE_POLICY)
			hash = mix(hash, policy->values[row]->hash);
	for (int id = 0; id < CLASS_COUNT; id++) {
		const struct class_rule *rule = &policy->rules[id];
		uint64_t weight = 0;

		if (!isnan(rule->weight))
			memcpy(&weight, &(double){ rule->weight + 1000 }, sizeof(weight));      /* 0 is not unset */
		hash = mix(hash, (uint64_t)rule->action * 2 + rule->observe);
		hash = mix(hash, weight);
		hash = mix(hash, rule->text != NULL ? hash_text(rule->text) : 0);
	}
	return hash;
}

/* Thresholds that contradict each other: said once, where the later one stands. */
static void check_thresholds(struct builder *b, const struct policy *policy)
{
	const struct value *spam = policy->values[POLICY_THRESHOLD], *unsure = policy->values[POLICY_UNSURE_THRESHOLD], *at = unsure;
	const struct policy *base = b->config->base;

	if (unsure->f <= spam->f || (policy != base && spam == base->values[POLICY_THRESHOLD] && unsure == base->values[POLICY_UNSURE_THRESHOLD]))
		return;
	if (at->file == NULL || (policy != base && spam != base->values[POLICY_THRESHOLD]))
		at = spam;
	config_error_add(b->errors, at->file, at->line, "unsure_threshold (%g) is over threshold (%g) in policy \"%s\"; lower the one or raise the other", unsure->f, spam->f, policy->name);
}

static bool complete(const struct config *config, const struct policy *policy)
{
	for (size_t row = 0; row < config->n_rows; row++)
		if (policy->values[row] == NULL)
			return false;
	return true;
}

static bool good_name(struct builder *b, const struct node *node)
{
	size_t n = strlen(node->title);

	if (n <= 64 && strspn(node->title, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@+-") == n)
		return true;
	config_error_add(b->errors, node->file, node->line, "policy \"%.80s\": a policy's name holds letters, digits and . _ @ + - only, at most 64", node->title);
	return false;
}

struct policy *policy_new(struct builder *b, const char *name, const struct node *node)
{
	struct policy *policy = talloc_zero(b->config, struct policy);

	policy->config = b->config;
	policy->n_values = b->config->n_rows;
	policy->name = talloc_strdup(policy, name);
	policy->file = node != NULL ? builder_file(b, node) : NULL;
	policy->line = node != NULL ? node->line : 0;
	return policy;
}

/* Reads policy "default" first: the others inherit from it, and limits in it may be of global options. */
static struct policy *build_base(struct builder *b, const struct named *named, size_t n, struct scope *scope)
{
	static const struct node empty = { .title = "default" };
	const struct node *node = NULL;
	struct policy *base;

	for (size_t i = 0; i < n; i++)
		if (strcmp(named[i].name, "default") == 0)
			node = named[i].node;
	scope_init(b, scope, node != NULL ? node : &empty);
	if (node != NULL)
		scope_read(b, scope, node->children);
	base = policy_new(b, "default", node);
	resolve_base(b, base, scope);
	b->config->base = base;
	if (complete(b->config, base)) {
		resolve_rules(b, base, scope, scope);
		base->fingerprint = fingerprint(b->config, base);
		check_thresholds(b, base);
	}
	return base;
}

static void build_policy(struct builder *b, struct policy *policy, const struct node *node, const struct scope *base_scope)
{
	const struct policy *base = b->config->base;
	struct scope scope;
	bool any_class = false;

	scope_init(b, &scope, node);
	scope_read(b, &scope, node->children);
	for (int id = 0; id < CLASS_COUNT; id++)
		any_class |= scope.classes[id] != NULL;
	if (base->rules != NULL) {
		resolve(b, policy, &scope);
		if (any_class || policy->values[POLICY_QUARANTINE] != base->values[POLICY_QUARANTINE])
			resolve_rules(b, policy, base_scope, &scope);
		else
			policy->rules = base->rules;
		policy->fingerprint = fingerprint(b->config, policy);
		check_thresholds(b, policy);
	}
	talloc_free(scope.given);
	talloc_free(scope.seen);
	talloc_free(scope.classes);
}

void policies_build(struct builder *b)
{
	struct config *config = b->config;
	struct named *named = talloc_array(b->tmp, struct named, b->n_policy_nodes + 1);
	struct scope base_scope;
	struct policy *base;
	size_t n = 0;

	for (size_t i = 0; i < b->n_policy_nodes; i++)
		if (good_name(b, b->policy_nodes[i]))
			named[n++] = (struct named){ .name = b->policy_nodes[i]->title, .node = b->policy_nodes[i] };
	n = builder_sort_names(b, named, n);
	base = build_base(b, named, n, &base_scope);
	if (base->file == NULL) {              /* it always exists */
		named[n++] = (struct named){ .name = "default", .node = NULL };
		builder_sort_names(b, named, n);
	}
	config->policies = talloc_array(config, struct policy *, n);
	for (size_t i = 0; i < n; i++)
		config->policies[config->n_policies++] = strcmp(named[i].name, "default") == 0 ? base : policy_new(b, named[i].name, named[i].node);
	for (size_t i = 0; i < n; i++)
		if (config->policies[i] != base)
			build_policy(b, config->policies[i], named[i].node, &base_scope);
}

/* ---- asking */

static int compare_name(const void *name, const void *policy)
{
	return strcmp(name, (*(struct policy *const *)policy)->name);
}

const struct policy *policy_find(const struct config *config, const char *name)
{
	struct policy **found = bsearch(name, config->policies, config->n_policies, sizeof(config->policies[0]), compare_name);

	return found != NULL ? *found : NULL;
}

const char *policy_name(const struct policy *policy)
{
	return policy->name;
}

const char *mode_name(enum mode mode)
{
	return mode_names[mode];
}

enum mode policy_mode(const struct policy *policy)
{
	const char *name = setting_string(policy, &policy_settings[POLICY_MODE]);

	return name[0] == 'o' ? MODE_OBSERVE : name[0] == 't' ? MODE_TAG : MODE_ENFORCE;
}

const struct class_rule *policy_class(const struct policy *policy, enum class_id id)
{
	return &policy->rules[id];
}

uint64_t policy_fingerprint(const struct policy *policy)
{
	return policy->fingerprint;
}

const struct config *policy_config(const struct policy *policy)
{
	return policy->config;
}
