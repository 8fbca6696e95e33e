/* global.h - options that checks and engine both read: the top level, and who answers our questions */
#ifndef WINNOW_POLICY_GLOBAL_H
#define WINNOW_POLICY_GLOBAL_H

#include "policy/setting.h"

/* Rows of the top level, in the order of options.md. */
enum {
	G_LISTEN, G_DIRECTORY, G_CONTROL, G_CONTROL_GROUP, G_LISTEN_GROUP, G_LISTEN_MODE, G_SESSIONS_MAX, G_MEMORY_TOTAL, G_USER, G_GROUP, G_PID_FILE,
	G_SPOOL, G_MEMORY_MAX, G_HOSTNAME, G_OWN_NAMES, G_OWN_IPS, G_DOMAINS, G_ROUTES, G_POLICIES, G_RELAY_NETWORKS, G_TRUSTED_NETWORKS,
	G_SUBMISSION_LISTENERS, G_OUTBOUND_LISTENERS, G_BLOCK_IPS, G_BLOCK_IPS_OUTGOING, G_BLOCK_SENDERS, G_BLOCK_SENDERS_OUTGOING, G_ALLOW_SENDERS, G_ALLOW_IPS,
	GLOBAL_COUNT
};
extern const struct setting global_settings[];

/* The section `dns`: the engine opens the resolver by it; checks read DNS_REQUIRED: what DNS does not answer in time defers the message. */
enum { DNS_SERVERS, DNS_TIMEOUT, DNS_TRUST_AD, DNS_REQUIRED, DNS_CACHE };
extern const struct setting dns_settings[];

/* hostname of the configuration, or the machine's name; lower case. Lives as long as the configuration. */
const char *config_hostname(const struct config *config);

struct ipnet;
struct ip;

/* Is it one of our own names (hostname, own_names; case and a trailing dot do not matter) or addresses (own_ips; by default the machine's but loopback)? */
bool config_is_own_name(const struct config *config, const char *name);
bool config_is_own_ip(const struct config *config, const struct ip *ip);

#endif
