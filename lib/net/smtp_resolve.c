/* smtp_resolve.c - the addresses of the MTA that mail of our own goes to */
#include "net/smtp_client.h"

#include <netdb.h>

size_t smtp_resolve(const char *host, struct ip ips[SMTP_ADDRESSES_MAX], const char **error_r)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG }, *list = NULL;
	size_t n = 0;
	int error;

	*error_r = "no address";
	if (ip_parse(host, &ips[0]))
		return 1;
	error = getaddrinfo(host, NULL, &hints, &list);
	if (error != 0)
		*error_r = gai_strerror(error);
	for (const struct addrinfo *a = list; error == 0 && a != NULL && n < SMTP_ADDRESSES_MAX; a = a->ai_next) {
		char text[NI_MAXHOST];

		if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST) == 0 && ip_parse(text, &ips[n]))
			n++;
	}
	if (list != NULL)
		freeaddrinfo(list);
	return n;
}
