/* domain.h - names of domains: whether they can be asked for, as A-labels, what lies below what, and what is registered below a public suffix */
#ifndef WINNOW_UTIL_DOMAIN_H
#define WINNOW_UTIL_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>

#include <talloc.h>

enum { DOMAIN_LEN_MAX = 253, DOMAIN_LABEL_MAX = 63 };   /* octets of a name without a dot at its end, of a label (RFC 1035 section 2.3.4) */

/* Is it a domain that can be asked for: labels of 1 to 63 octets, at most 253 in all, one dot at the end tolerated? labels_min: 2 for identities of mail. */
bool domain_valid(const char *domain, unsigned labels_min);

/* The domain as DNS and signatures know it: A-labels (UTS 46, nontransitional), lower case, without a dot at its end. Letters, digits, hyphen, underscore, and UTF-8 are taken.
 * NULL: it is none of that (a literal, an empty or long label, bytes that are no UTF-8), or out of memory. Child of mem. */
char *domain_ascii(TALLOC_CTX *mem, const char *domain);

/* Is name the domain itself or a name below it? Case does not matter; neither has a dot at its end. */
bool domain_within(const char *name, const char *domain);

/* How many labels, of a valid name without a dot at its end */
unsigned domain_labels(const char *domain);

/* Its last n labels, a pointer into it; all of it where it has no more. */
const char *domain_last_labels(const char *domain, unsigned n);

/* The public suffix list that the system has now. Child of parent; may be read by any thread. NULL: there is none, or out of memory. */
struct suffix_list;
struct suffix_list *suffix_list_new(TALLOC_CTX *parent);

/* The name below a public suffix that domain is, or belongs to: a pointer into domain, which has A-labels in lower case. NULL: domain is itself a public suffix. */
const char *suffix_list_registrable(const struct suffix_list *list, const char *domain);

#endif
