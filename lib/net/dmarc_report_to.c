/* dmarc_report_to.c - whom a report may be sent to: the domain's own hosts, and others that say in DNS that they take it (RFC 9990 section 4) */
#include "net/dmarc_report.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "net/dmarc_private.h"
#include "util/domain.h"

enum { TXT = 16, LOCAL_MAX = 64 };

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A character that a local part may have without quotes (RFC 5321 section 4.1.2). */
static bool is_atom(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr(".!#$%&'*+-/=?^_`{|}~", c) != NULL;
}

/* "mailto:local@host" (RFC 6068); what follows a "?" does not matter. NULL: no address that mail can go to. *host_r is part of it. */
static char *address_of(TALLOC_CTX *mem, const char *uri, const char **host_r)
{
	char local[LOCAL_MAX + 1], *host, *address;
	const char *at = strrchr(uri, '@'), *p = uri + strlen("mailto:");
	size_t n = 0;

	if (strncasecmp(uri, "mailto:", strlen("mailto:")) != 0 || at == NULL)
		return NULL;
	for (; p < at; p++) {
		char c = *p;

		if (c == '%' && hex(p[1]) >= 0 && hex(p[2]) >= 0) {
			c = (char)(hex(p[1]) * 16 + hex(p[2]));
			p += 2;
		}
		if (c == '\0' || !is_atom(c) || n == LOCAL_MAX)
			return NULL;
		local[n++] = c;
	}
	local[n] = '\0';
	host = talloc_strndup(mem, at + 1, strcspn(at + 1, "?!"));
	host = host != NULL ? domain_ascii(mem, host) : NULL;
	if (n == 0 || host == NULL || !domain_valid(host, 2))
		return NULL;
	address = talloc_asprintf(mem, "%s@%s", local, host);
	*host_r = address != NULL ? address + n + 1 : NULL;
	return address;
}

/* Have they the same organizational domain? YES, NO, PENDING, LATER. */
static enum dmarc_report_to same_organization(struct answers *answers, const struct suffix_list *suffixes, const char *domain, const char *host)
{
	struct dmarc_walk a, b;

	if (strcasecmp(domain, host) == 0)
		return DMARC_TO_YES;
	dmarc_discover(answers, suffixes, domain, &a);
	dmarc_discover(answers, suffixes, host, &b);
	if (a.state == DMARC_WALK_PENDING || b.state == DMARC_WALK_PENDING)
		return DMARC_TO_PENDING;
	if (a.state != DMARC_WALK_DONE || b.state != DMARC_WALK_DONE || a.org == NULL || b.org == NULL)
		return DMARC_TO_LATER;
	return strcasecmp(a.org, b.org) == 0 ? DMARC_TO_YES : DMARC_TO_NO;
}

/* The addresses of a list of URIs that are at that host, comma between them; NULL: none. */
static const char *at_host(TALLOC_CTX *mem, const char *uris, const char *wanted)
{
	char *list = talloc_strdup(mem, uris), *save = NULL, *found = NULL;

	for (char *uri = list != NULL ? strtok_r(list, ",", &save) : NULL; uri != NULL; uri = strtok_r(NULL, ",", &save)) {
		const char *host, *address = address_of(mem, uri, &host);

		if (address != NULL && strcasecmp(host, wanted) == 0)
			found = talloc_asprintf(mem, "%s%s%s", found != NULL ? found : "", found != NULL ? "," : "", address);
	}
	return found;
}

/* Another organization's host: what does it say? */
static enum dmarc_report_to ask_host(TALLOC_CTX *mem, struct answers *answers, const char *domain, const char *host, const char **address, const char **why_r)
{
	const char *name = talloc_asprintf(mem, "%s._report._dmarc.%s", domain, host), *const *records;
	enum answer_status status;
	size_t n;

	*why_r = "the name that its host would have to have in DNS is too long";
	if (name == NULL || strlen(name) > DOMAIN_LEN_MAX)
		return DMARC_TO_NO;
	status = answers_get(answers, TXT, name, &records, &n);
	*why_r = "DNS does not answer";
	if (status == ANSWER_PENDING || status == ANSWER_LATE || status == ANSWER_FAILED)
		return status == ANSWER_PENDING ? DMARC_TO_PENDING : DMARC_TO_LATER;
	for (size_t i = 0; i < n; i++) {
		struct dmarc_record record;

		if (!dmarc_is_record(records[i]) || !dmarc_record_parse(mem, records[i], &record))
			continue;
		/* it may name others, at the same host only */
		if (record.rua[0] != '\0' && at_host(mem, record.rua, host) != NULL)
			*address = at_host(mem, record.rua, host);
		return DMARC_TO_YES;
	}
	*why_r = "its host does not say in DNS that it takes reports on this domain";
	return DMARC_TO_NO;
}

enum dmarc_report_to dmarc_report_to(TALLOC_CTX *mem, struct answers *answers, const struct suffix_list *suffixes, const char *domain, const char *uri, const char **address_r,
	const char **why_r)
{
	const char *host = NULL, *address = address_of(mem, uri, &host);
	enum dmarc_report_to to;

	*address_r = NULL;
	*why_r = "no address that mail can go to";
	if (address == NULL)
		return DMARC_TO_NO;
	to = same_organization(answers, suffixes, domain, host);
	*why_r = "DNS does not answer";
	if (to == DMARC_TO_NO)
		to = ask_host(mem, answers, domain, host, &address, why_r);
	if (to == DMARC_TO_YES)
		*address_r = address;
	return to;
}
