/* registry.c - the list of checks, in the order in which they judge */
#include "check/check.h"

/* A new check is a file and two lines here. recipient before relay: who is told that a domain is not set up here is not told that he may not relay. */
extern const struct check check_access, check_rate, check_conduct, check_helo, check_origin, check_sender, check_spf, check_relay, check_tls, check_recipient, check_bounce,
	check_dnsbl, check_header, check_structure, check_dkim;

const struct check *const checks[] = {
	&check_access, &check_rate, &check_conduct, &check_helo, &check_origin, &check_sender, &check_spf, &check_recipient, &check_relay, &check_tls, &check_bounce,
	&check_dnsbl, &check_header, &check_structure, &check_dkim,
	NULL,
};
