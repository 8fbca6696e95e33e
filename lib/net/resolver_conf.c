/* resolver_conf.c - which servers the resolver asks: those of the options, or of resolv.conf */
#include "net/resolver_conf.h"

#include <stdio.h>
#include <string.h>

/* A line "nameserver ADDRESS"; blanks around it, and what stands behind it, do not matter (resolv.conf(5)). */
static bool read_line(char *line, struct resolver_address *address_r)
{
	char *save = NULL, *word = strtok_r(line, " \t\r\n", &save);
	char *value = word != NULL && strcmp(word, "nameserver") == 0 ? strtok_r(NULL, " \t\r\n", &save) : NULL;

	/* a zone (%eth0) is beyond us, and so is a port, which resolv.conf does not know */
	return value != NULL && strchr(value, '@') == NULL && resolver_address_parse(value, address_r);
}

size_t resolver_conf_servers(const struct resolver_options *options, struct resolver_address addresses_r[RESOLVER_SERVERS_MAX])
{
	bool given = options->servers != NULL && options->servers[0] != NULL;
	char line[1024];
	size_t n = 0;
	FILE *f;

	for (size_t i = 0; given && options->servers[i] != NULL && n < RESOLVER_SERVERS_MAX; i++)
		n += resolver_address_parse(options->servers[i], &addresses_r[n]);
	if (given)
		return n;
	f = fopen(options->resolv_conf != NULL ? options->resolv_conf : "/etc/resolv.conf", "re");
	while (f != NULL && n < RESOLVER_SERVERS_MAX && fgets(line, sizeof(line), f) != NULL)
		n += read_line(line, &addresses_r[n]);
	if (f != NULL)
		fclose(f);
	if (n == 0)
		n = resolver_address_parse("127.0.0.1", &addresses_r[0]);
	return n;
}
