/* ours.c - the domains that we take mail for: `domains` and the domain sections */
#include "check/ours.h"

#include "policy/global.h"
#include "policy/policy.h"
#include "policy/table.h"

enum ours domain_is_ours(const struct txn *t, const char *domain)
{
	const struct config *config = policy_config(t->policy);
	struct table *domains = setting_table(t->policy, &global_settings[G_DOMAINS]);

	/* by the text, not by the content: a table whose file is empty for a moment must not open the relay */
	if (table_spec(domains)[0] == '\0' && !config_has_domains(config))
		return OURS_UNTOLD;
	if (config_domain(config, domain) != NULL)
		return OURS_YES;
	switch (table_lookup_domain(domains, domain, t->mem, NULL)) {
	case ANSWER_YES: return OURS_YES;
	case ANSWER_NO: return OURS_NO;
	default: return OURS_UNAVAILABLE;
	}
}
