/* route.h - SMTP routes as Postfix writes them: HOST = its MX, [HOST] = its address, either with :PORT */
#ifndef WINNOW_POLICY_ROUTE_H
#define WINNOW_POLICY_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "util/ip.h"

enum { ROUTE_HOST_MAX = 255, ROUTE_PORT = 25 };

struct route {
	char host[ROUTE_HOST_MAX + 1];   /* without its brackets */
	bool mx;                         /* its MX are meant; not of an address */
	struct ip ip;                    /* family 0: host is a name */
	uint16_t port;                   /* ROUTE_PORT where none is written */
};

/* What is wrong with a route, and what would be right; NULL: nothing. "" is the absence of one, and right. */
const char *route_fault(const char *text);

/* Reads a route. false: there is none, or route_fault() says why. */
bool route_parse(const char *text, struct route *route_r);

#endif
