/* fuzz_spf_macro.c - a domain-spec (first line) with the values that it is made of: local part, domain, HELO, name, an IPv6 address (a line each) */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/spf_private.h"

static void must(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	char *text = talloc_strndup(mem, (const char *)data, size), *none = talloc_strdup(mem, ""), *line[6] = { text, none, none, none, none, none }, *name;
	struct spf_macros m;
	size_t len;

	for (int i = 1; i < 6; i++) {
		char *end = strchr(line[i - 1], '\n');

		if (end == NULL)
			break;
		*end = '\0';
		line[i] = end + 1;
	}
	len = strlen(line[0]);
	m = (struct spf_macros){ .local = line[1], .sender_domain = line[2], .domain = line[2], .helo = line[3], .validated = line[4][0] != '\0' ? line[4] : NULL };
	if (!ip_parse(line[5], &m.client))
		m.client = (struct ip){ .family = 4, .addr = { 192, 0, 2, 1 } };
	spf_macro_wants_name(line[0], len);
	if (spf_macro_valid(line[0], len, false)) {
		/* a domain-spec is a macro-string that ends as one */
		name = spf_macro_expand(mem, &m, line[0], len);
		must(name != NULL);
		if (domain_valid(name, 1))
			must(strlen(name) <= DOMAIN_LEN_MAX + 1);
	} else {
		must(!spf_macro_valid(line[0], len, true));
	}
	talloc_free(mem);
	return 0;
}
