/* domain.c - names of domains; libpsl knows public suffixes */
#include "util/domain.h"

#include <string.h>
#include <strings.h>

#include <libpsl.h>

#include "util/idn.h"

enum { INPUT_MAX = 1024 };               /* octets of a name in UTF-8; what is longer has no A-labels of 253 */

bool domain_valid(const char *domain, unsigned labels_min)
{
	size_t n = strlen(domain), label = 0;
	unsigned labels = 1;

	if (n > 0 && domain[n - 1] == '.')
		n--;
	if (n == 0 || n > DOMAIN_LEN_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (domain[i] != '.') {
			if (++label > DOMAIN_LABEL_MAX)
				return false;
			continue;
		}
		if (label == 0)
			return false;
		label = 0;
		labels++;
	}
	return label > 0 && labels >= labels_min;
}

/* ---- A-labels */

/* What host names are made of, and the underscore of service names. */
static bool is_host_text(const char *text)
{
	return text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] == '\0';
}

static char *lower_case(TALLOC_CTX *mem, const char *text, size_t len)
{
	char *out = talloc_strndup(mem, text, len);

	for (char *c = out; c != NULL && *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c += 'a' - 'A';
	return out;
}

char *domain_ascii(TALLOC_CTX *mem, const char *domain)
{
	size_t len = strnlen(domain, INPUT_MAX + 1);
	bool ascii = true;
	char *out;

	if (len > INPUT_MAX)
		return NULL;
	if (len > 0 && domain[len - 1] == '.')
		len--;
	out = lower_case(mem, domain, len);
	for (const char *c = out; c != NULL && *c != '\0'; c++)
		ascii &= (unsigned char)*c < 0x80;
	if (out != NULL && !ascii) {
		char *made = idn_ascii(mem, out);

		talloc_free(out);
		out = made != NULL ? lower_case(mem, made, strlen(made)) : NULL;
		talloc_free(made);
	}
	if (out != NULL && is_host_text(out) && domain_valid(out, 1) && out[strlen(out) - 1] != '.')
		return out;
	talloc_free(out);
	return NULL;
}

/* ---- the tree of names */

bool domain_within(const char *name, const char *domain)
{
	size_t n = strlen(name), d = strlen(domain);

	return d > 0 && n >= d && strcasecmp(name + n - d, domain) == 0 && (n == d || name[n - d - 1] == '.');
}

unsigned domain_labels(const char *domain)
{
	unsigned n = 1;

	for (; *domain != '\0'; domain++)
		n += *domain == '.';
	return n;
}

const char *domain_last_labels(const char *domain, unsigned n)
{
	for (unsigned labels = domain_labels(domain); labels > n; labels--)
		domain = strchr(domain, '.') + 1;
	return domain;
}

/* ---- public suffixes */

struct suffix_list {
	psl_ctx_t *psl;
};

static int free_list(struct suffix_list *list)
{
	psl_free(list->psl);
	return 0;
}

struct suffix_list *suffix_list_new(TALLOC_CTX *parent)
{
	struct suffix_list *list = talloc_zero(parent, struct suffix_list);

	if (list == NULL)
		return NULL;
	list->psl = psl_latest(NULL);
	talloc_set_destructor(list, free_list);
	if (list->psl == NULL)
		TALLOC_FREE(list);
	return list;
}

const char *suffix_list_registrable(const struct suffix_list *list, const char *domain)
{
	return psl_registrable_domain(list->psl, domain);
}
