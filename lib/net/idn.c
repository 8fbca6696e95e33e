/* idn.c - internationalized domain names as DNS holds them; the only user of libidn2 */
#include "net/idn.h"

#include <stdbool.h>

#include <idn2.h>

static bool is_ascii(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

char *idn_ascii(TALLOC_CTX *mem, const char *domain)
{
	char *made, *copy;

	/* what is ASCII is asked for as it stands: labels that IDNA would not register exist all the same (underscores, "r3---sn") */
	if (is_ascii(domain))
		return talloc_strdup(mem, domain);
	if (idn2_to_ascii_8z(domain, &made, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return NULL;
	copy = talloc_strdup(mem, made);
	idn2_free(made);
	return copy;
}
