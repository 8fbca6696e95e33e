/* address_spec.h - what paths and lists share: is it a domain, and an address put together. Internal to message/ */
#ifndef WINNOW_MESSAGE_ADDRESS_SPEC_H
#define WINNOW_MESSAGE_ADDRESS_SPEC_H

#include <stdbool.h>
#include <stddef.h>

#include <talloc.h>

#include "message/address.h"

enum { ADDRESS_MAX = 320 };      /* octets of local@domain: 64 + 1 + 255 */

/* Makes the address of its parts: the local part as written and as meant, and the domain (NULL: none), which is put in lower case and loses a trailing dot.
 * Strings are "" when memory is out. */
void address_build(TALLOC_CTX *parent, const char *written, size_t written_len, const char *local, size_t local_len, const char *domain, size_t domain_len,
	struct address *address_r);

#endif
