/* resolver_conf.h - which servers the resolver asks: those of the options, or of resolv.conf */
#ifndef WINNOW_NET_RESOLVER_CONF_H
#define WINNOW_NET_RESOLVER_CONF_H

#include "net/resolver_servers.h"

/* The servers in their order; how many. None: the options name some, and none of them can be read. */
size_t resolver_conf_servers(const struct resolver_options *options, struct resolver_address addresses_r[RESOLVER_SERVERS_MAX]);

#endif
