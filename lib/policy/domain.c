/* domain.c - the domain sections, and whose policy is in force for an address */
#include "policy/policy.h"

#include <stdlib.h>
#include <string.h>

#include "policy/hint.h"
#include "policy/inside.h"
#include "policy/route.h"

enum { DOMAIN_POLICY, DOMAIN_ROUTE, DOMAIN_RECIPIENTS, DOMAIN_BLOCK_SENDERS, DOMAIN_ALLOW_SENDERS, DOMAIN_COUNT };

const struct setting domain_settings[] = {
	[DOMAIN_POLICY] = { .name = "policy", .type = SET_STRING, .scope = SCOPE_DOMAIN, .def = "default", .help = "its policy" },
	[DOMAIN_ROUTE] = { .name = "route", .type = SET_STRING, .scope = SCOPE_DOMAIN, .def = "", .check = route_fault,
		.help = "where its mail goes: HOST = its MX, [HOST] = its address, :PORT; empty: the table routes" },
	[DOMAIN_RECIPIENTS] = { .name = "recipients", .type = SET_TABLE, .scope = SCOPE_DOMAIN, .def = NULL, .help = "addresses that exist; unset: all" },
	[DOMAIN_BLOCK_SENDERS] = { .name = "block_senders", .type = SET_TABLE, .scope = SCOPE_DOMAIN, .def = "", .help = "senders that the domain refuses" },
	[DOMAIN_ALLOW_SENDERS] = { .name = "allow_senders", .type = SET_TABLE, .scope = SCOPE_DOMAIN, .def = "", .help = "senders that the domain allows" },
	{ 0 },
};

/* Lower case, without a trailing dot; NULL: it is no domain. Bytes of UTF-8 pass (RFC 6531). */
static char *domain_name(TALLOC_CTX *mem, const char *text)
{
	char *name = talloc_strdup(mem, text);
	size_t n = strlen(name), label = 0;

	if (n > 1 && name[n - 1] == '.')
		name[--n] = '\0';
	if (n == 0 || n > 253)
		return NULL;
	for (size_t i = 0; i <= n; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c >= 'A' && c <= 'Z')
			name[i] = (char)(c - 'A' + 'a');
		if (c == '.' || c == '\0') {
			if (label == 0 || label > 63 || name[i - 1] == '-')
				return NULL;
			label = 0;
			continue;
		}
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (c == '-' && label > 0) || c >= 0x80))
			return NULL;
		label++;
	}
	return name;
}

static void unknown_policy(struct builder *b, const struct node *node)
{
	struct hint hint = { .wanted = node->values[0] };

	if (b->errors->cut)
		return;
	for (size_t i = 0; i < b->config->n_policies; i++)
		hint_offer(&hint, b->config->policies[i]->name);
	if (hint.best != NULL)
		config_error_add(b->errors, node->file, node->line, "there is no policy \"%.80s\"; did you mean \"%s\"?", node->values[0], hint.best);
	else
		config_error_add(b->errors, node->file, node->line, "there is no policy \"%.80s\"; write policy \"%.80s\" { ... } at top level, or name another one", node->values[0], node->values[0]);
}

static void read_domain(struct builder *b, const struct node *node, struct domain *domain)
{
	const struct node *seen[DOMAIN_COUNT] = { NULL };
	const struct value *values[DOMAIN_COUNT] = { NULL };

	for (const struct node *child = node->children; child != NULL; child = child->next) {
		size_t i = 0;

		while (domain_settings[i].name != NULL && strcmp(domain_settings[i].name, child->name) != 0)
			i++;
		if (domain_settings[i].name == NULL || child->kind == NODE_SECTION) {
			names_unknown_among(b, child, "section domain", domain_settings);
		} else if (seen[i] != NULL) {
			names_doubled(b, child, child->name, seen[i]);
		} else {
			seen[i] = child;
			values[i] = value_read(&b->reader, "domain", &domain_settings[i], child, domain->file);
		}
	}
	if (values[DOMAIN_POLICY] != NULL) {
		domain->policy = policy_find(b->config, values[DOMAIN_POLICY]->s);
		if (domain->policy == NULL)
			unknown_policy(b, seen[DOMAIN_POLICY]);
	}
	if (values[DOMAIN_ROUTE] != NULL)
		domain->route = values[DOMAIN_ROUTE]->s;
	domain->recipients = values[DOMAIN_RECIPIENTS] != NULL ? values[DOMAIN_RECIPIENTS]->table : NULL;
	domain->block_senders = values[DOMAIN_BLOCK_SENDERS] != NULL ? values[DOMAIN_BLOCK_SENDERS]->table : NULL;
	domain->allow_senders = values[DOMAIN_ALLOW_SENDERS] != NULL ? values[DOMAIN_ALLOW_SENDERS]->table : NULL;
}

void domains_build(struct builder *b)
{
	struct config *config = b->config;
	struct named *named = talloc_array(b->tmp, struct named, b->n_domain_nodes + 1);
	size_t n = 0;

	for (size_t i = 0; i < b->n_domain_nodes; i++) {
		const struct node *node = b->domain_nodes[i];
		char *name = domain_name(config, node->title);

		if (name != NULL)
			named[n++] = (struct named){ .name = name, .node = node };
		else
			config_error_add(b->errors, node->file, node->line, "\"%.80s\" is no domain; write one like \"example.com\" (for all its subdomains at once: the table policies)", node->title);
	}
	n = builder_sort_names(b, named, n);
	config->domains = talloc_zero_array(config, struct domain, n + 1);
	config->n_domains = n;
	for (size_t i = 0; i < n; i++) {
		struct domain *domain = &config->domains[i];

		*domain = (struct domain){ .name = named[i].name, .policy = config->base, .route = "", .file = builder_file(b, named[i].node), .line = named[i].node->line };
		read_domain(b, named[i].node, domain);
	}
}

/* ---- asking */

static int compare_name(const void *name, const void *domain)
{
	return strcmp(name, ((const struct domain *)domain)->name);
}

const struct domain *config_domain(const struct config *config, const char *domain)
{
	return bsearch(domain, config->domains, config->n_domains, sizeof(config->domains[0]), compare_name);
}

bool config_has_domains(const struct config *config)
{
	return config->n_domains > 0;
}

/* The policy that a table names; a name that no policy bears is the caller's to tell. */
static const struct policy *named_policy(const struct config *config, const char *name, const char **unknown_r)
{
	const struct policy *policy = policy_find(config, name);

	if (policy == NULL)
		*unknown_r = name;
	return policy != NULL ? policy : config->base;
}

static const struct policy *policy_of_domain(const struct config *config, const char *domain)
{
	const struct domain *section = config_domain(config, domain);

	return section != NULL ? section->policy : config->base;
}

const char policies_unavailable[] = "(the table cannot be asked)";

/* One question to the table `policies`: true if it named a policy, or could not say. */
static bool named_by_table(const struct config *config, enum answer answer, const char *name, const char **unknown_r, const struct policy **policy_r)
{
	if (answer == ANSWER_UNAVAILABLE)
		*unknown_r = policies_unavailable;
	if (answer == ANSWER_YES)
		*policy_r = named_policy(config, name, unknown_r);
	return answer == ANSWER_YES;
}

const struct policy *policy_for_recipient(const struct config *config, struct table *policies, const struct address *recipient, TALLOC_CTX *mem, const char **unknown_r)
{
	const struct policy *policy;
	const char *name = NULL;
	enum answer answer = table_lookup_address(policies, recipient, mem, &name);

	*unknown_r = NULL;
	return named_by_table(config, answer, name, unknown_r, &policy) ? policy : policy_of_domain(config, recipient->domain);
}

const struct policy *policy_for_sender(const struct config *config, struct table *policies, const char *user, const struct address *sender, TALLOC_CTX *mem, const char **unknown_r)
{
	const struct policy *policy;
	const char *name = NULL;
	enum answer answer = user != NULL && user[0] != '\0' ? table_lookup(policies, user, mem, &name) : ANSWER_NO;

	*unknown_r = NULL;
	if (named_by_table(config, answer, name, unknown_r, &policy))
		return policy;
	answer = table_lookup_address(policies, sender, mem, &name);
	return named_by_table(config, answer, name, unknown_r, &policy) ? policy : policy_of_domain(config, sender->domain);
}
