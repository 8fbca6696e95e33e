/* idn.h - internationalized domain names as DNS holds them (RFC 5890, UTS 46) */
#ifndef WINNOW_NET_IDN_H
#define WINNOW_NET_IDN_H

#include <talloc.h>

/* The domain with U-labels as A-labels ("xn--..."); ASCII comes back as it is, whatever it is. Child of mem.
 * NULL: no name of DNS can be made of it (not UTF-8, letters that no domain has, too long), or no memory. */
char *idn_ascii(TALLOC_CTX *mem, const char *domain);

#endif
