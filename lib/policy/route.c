/* route.c - SMTP routes as Postfix writes them: HOST = its MX, [HOST] = its address, either with :PORT */
#include "policy/route.h"

#include <stdlib.h>
#include <string.h>

/* Where the host stands in text: *host_r, *len_r, and what follows it (":PORT" or ""). false: it has none, or bytes that no host has. */
static bool split(const char *text, const char **host_r, size_t *len_r, const char **port_r)
{
	bool bracket = text[0] == '[';
	const char *end = bracket ? strchr(text, ']') : text + strcspn(text, ":");

	if (end == NULL || strcspn(text, " \t/@\"") < (size_t)(end - text))
		return false;
	*host_r = text + bracket;
	*len_r = (size_t)(end - *host_r);
	*port_r = end + bracket;
	return *len_r > 0 && *len_r <= ROUTE_HOST_MAX;
}

const char *route_fault(const char *text)
{
	static const char remedy[] = "write HOST (its MX) or [HOST] (its address), either with :PORT, as \"[192.0.2.25]:25\"";
	const char *host, *port;
	long number;
	size_t len;

	if (text[0] == '\0')
		return NULL;
	if (!split(text, &host, &len, &port))
		return remedy;
	if (*port == '\0')
		return NULL;
	if (*port != ':' || port[1] == '\0' || strspn(port + 1, "0123456789") != strlen(port + 1) || strlen(port + 1) > 5)
		return remedy;
	number = strtol(port + 1, NULL, 10);
	return number >= 1 && number <= 65535 ? NULL : "a port is a number from 1 to 65535";
}

bool route_parse(const char *text, struct route *route_r)
{
	const char *host, *port;
	size_t len;

	*route_r = (struct route){ .port = ROUTE_PORT };
	if (text[0] == '\0' || route_fault(text) != NULL || !split(text, &host, &len, &port))
		return false;
	memcpy(route_r->host, host, len);
	route_r->mx = !ip_parse(route_r->host, &route_r->ip) && text[0] != '[';
	if (*port == ':')
		route_r->port = (uint16_t)strtol(port + 1, NULL, 10);
	return true;
}
