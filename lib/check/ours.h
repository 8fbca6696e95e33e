/* ours.h - the domains that we take mail for */
#ifndef WINNOW_CHECK_OURS_H
#define WINNOW_CHECK_OURS_H

#include "facts/txn.h"

enum ours {
	OURS_UNTOLD,                     /* neither `domains` nor a domain section stands in the configuration: the MTA alone knows */
	OURS_NO, OURS_YES,
	OURS_UNAVAILABLE                 /* the table could not be asked */
};

/* Is mail for domain (lower case) ours to take, by its section or the table `domains`? */
enum ours domain_is_ours(const struct txn *t, const char *domain);

#endif
