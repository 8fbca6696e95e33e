/* fuzz_address.c - any bytes as an envelope path and as an address list */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "message/address.h"
#include "message/header.h"

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void check_domain(const char *domain)
{
	size_t len = strlen(domain);

	must(len <= 255 && utf8_valid(domain, len));
	for (const char *p = domain; *p != 0; p++)
		must((*p & 0x80) != 0 || (*p > 32 && *p < 127 && (*p < 'A' || *p > 'Z') && (*domain == '[' || strchr("<>@\"(),;:\\/ ", *p) == NULL)));
}

/* What came out must go in again and come out the same. */
static void check_again(TALLOC_CTX *parent, const struct address *address, bool strict)
{
	struct address again;

	if (strict)
		must(address_parse_path(parent, address->text, &again));
	else if (!address_parse_path(parent, address->text, &again))
		return;                          /* dots that only a list may have */
	must(strcmp(again.text, address->text) == 0 && strcmp(again.local, address->local) == 0 && strcmp(again.domain, address->domain) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *parent = talloc_new(NULL);
	char *path = talloc_strndup(parent, (const char *)data, size);
	struct mailbox_list list;
	struct address address;

	if (address_parse_path(parent, path, &address)) {
		check_domain(address.domain);
		must(strlen(address.text) <= 320);
		check_again(parent, &address, true);
	}
	must(strlen(address.text) <= size && strlen(address.local) <= size && strlen(address.domain) <= size);

	list = address_list_parse(parent, (const char *)data, size, 50);
	must(list.n <= 50);
	for (size_t i = 0; i < list.n; i++) {
		const struct mailbox *box = &list.v[i];

		must(utf8_valid(box->name, strlen(box->name)));
		must(*box->address.local != 0 && *box->address.domain != 0);
		check_domain(box->address.domain);
		check_again(parent, &box->address, false);
	}
	talloc_free(parent);
	return 0;
}
