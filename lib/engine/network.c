/* network.c - the network as a service: the resolver, opened at start, kept across reloads */
#include "engine/network.h"

#include "policy/global.h"

struct resolver_options network_options(const struct config *config)
{
	const struct policy *p = config_default_policy(config);

	return (struct resolver_options){
		.servers = setting_list(p, &dns_settings[DNS_SERVERS]),
		.timeout = setting_ms(p, &dns_settings[DNS_TIMEOUT]),
		.trust_ad = setting_bool(p, &dns_settings[DNS_TRUST_AD]),
		.cache = (size_t)setting_size(p, &dns_settings[DNS_CACHE]),
	};
}

int network_open(struct winnow_engine *engine, const struct config *config, char **error_r)
{
	struct resolver_options options = network_options(config);
	int result = resolver_open(&options, engine->log, &engine->resolver, error_r);

	if (result == 0)
		engine->asker = resolver_asker(engine->resolver);
	return result;
}

void network_change(struct winnow_engine *engine, const struct config *config)
{
	struct resolver_options options = network_options(config);

	if (engine->resolver != NULL)
		resolver_change(engine->resolver, &options);
}

void network_close(struct winnow_engine *engine)
{
	resolver_close(engine->resolver);
	engine->resolver = NULL;
}
