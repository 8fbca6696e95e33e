/* table_cidr.c - "cidr:PATH": a line is NETWORK [VALUE]; the first line that holds the address answers, as in Postfix's cidr_table(5) */
#include "policy/table_private.h"

#include <string.h>
#include <strings.h>

#include "policy/keys.h"
#include "policy/lines.h"
#include "policy/networks.h"

struct cidr {
	struct networks *networks;
	const char **values;
	uint32_t n, max;
};

/* [2001:db8::]/32 and [2001:db8::/32] are 2001:db8::/32, as in Postfix. */
static void drop_brackets(char *text)
{
	char *close = text[0] == '[' ? strchr(text, ']') : NULL;

	if (close == NULL)
		return;
	memmove(close, close + 1, strlen(close));
	memmove(text, text + 1, strlen(text));
}

static bool is_word(const char *line, const char *word)
{
	size_t n = strlen(word);

	return strncasecmp(line, word, n) == 0 && (line[n] == '\0' || line[n] == ' ' || line[n] == '\t');
}

static bool add(struct cidr *cidr, const struct ipnet *net, const char *value)
{
	if (cidr->n == cidr->max) {
		uint32_t max = cidr->max != 0 ? cidr->max * 2 : 16;
		const char **grown = max < INT32_MAX ? talloc_realloc(cidr, cidr->values, const char *, max) : NULL;

		if (grown == NULL)
			return false;
		cidr->values = grown;
		cidr->max = max;
	}
	cidr->values[cidr->n] = value;
	return networks_add(cidr->networks, net, cidr->n++);
}

static bool add_line(struct cidr *cidr, TALLOC_CTX *parent, const struct lines *lines, char *line, char **error_r)
{
	char *end = lines_skip_word(line), *value = lines_cut_comment(lines_skip_blanks(end));
	struct ipnet net;

	if (*line == '!') {
		*error_r = lines_error(lines, parent, "patterns with ! are not known here: write the exceptions in lines before the network that holds them");
		return false;
	}
	if (is_word(line, "if") || is_word(line, "endif")) {
		*error_r = lines_error(lines, parent, "if and endif are not known here: write each network in a line of its own, the first one that matches answers");
		return false;
	}
	*end = '\0';
	drop_brackets(line);
	if (!ipnet_parse(line, false, &net)) {
		char *what = network_complaint(parent, line);

		*error_r = lines_error(lines, parent, "%s", what != NULL ? what : "no memory");
		talloc_free(what);
		return false;
	}
	if (!add(cidr, &net, value)) {
		*error_r = lines_error(lines, parent, "there are more networks than memory takes");
		return false;
	}
	return true;
}

void *table_cidr_parse(TALLOC_CTX *parent, const char *name, char *text, size_t len, char **error_r)
{
	struct cidr *cidr = talloc_zero(parent, struct cidr);
	struct lines lines;
	char *line;
	int ret;

	if (cidr == NULL || (cidr->networks = networks_new(cidr)) == NULL)
		return NULL;
	lines_begin(&lines, name, text, len);
	while ((ret = lines_next(&lines, parent, &line, error_r)) > 0)
		if (!add_line(cidr, parent, &lines, line, error_r))
			break;
	if (ret != 0 || networks_seal(cidr->networks, NETWORKS_FIRST, NULL, NULL, NULL) != 0)
		TALLOC_FREE(cidr);
	return cidr;
}

static void *load(TALLOC_CTX *parent, const char *argument, char **error_r)
{
	size_t len;
	char *text = lines_read(parent, argument, &len, error_r);

	return text != NULL ? table_cidr_parse(parent, argument, text, len, error_r) : NULL;
}

static enum answer lookup_ip(const void *content, const struct ip *ip, TALLOC_CTX *mem, const char **value_r)
{
	const struct cidr *cidr = content;
	uint32_t item;

	(void)mem;
	if (!networks_find(cidr->networks, ip, &item))
		return ANSWER_NO;
	*value_r = cidr->values[item];
	return ANSWER_YES;
}

static enum answer lookup(const void *content, const char *key, TALLOC_CTX *mem, const char **value_r)
{
	struct ip ip;

	return ip_parse(key, &ip) ? lookup_ip(content, &ip, mem, value_r) : ANSWER_NO;
}

static size_t count(const void *content)
{
	return ((const struct cidr *)content)->n;
}

const struct table_kind table_kind_cidr = {
	.name = "cidr", .is_file = true, .whole_key = true, .load = load, .lookup = lookup, .lookup_ip = lookup_ip, .count = count,
};
