/* judge.c - answers SPF questions for scripts: lines "clear", "zone NAME TYPE DATA", "ask IP HELO SENDER" (empty: "-"); one line for each question: result, terms, voids, mechanism, problem */
#include <stdio.h>
#include <string.h>

#include "spf/zone.h"

static const char *field(const char *text)
{
	return strcmp(text, "-") == 0 ? "" : text;
}

static void answer(struct zone *z, char *line)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	char *save = NULL, *ip = strtok_r(line, "\t", &save), *helo = strtok_r(NULL, "\t", &save), *sender = strtok_r(NULL, "\t", &save);
	struct spf_outcome at_once, queued;

	if (ip != NULL && helo != NULL && sender != NULL) {
		zone_unescape(helo);
		zone_unescape(sender);
		z->queued = false;
		zone_check(z, mem, ip, field(sender), field(helo), true, &at_once, NULL);
		z->queued = true;
		zone_check(z, mem, ip, field(sender), field(helo), false, &queued, NULL);
		/* the order in which answers come must not matter */
		if (at_once.result != queued.result || at_once.terms != queued.terms || at_once.voids != queued.voids)
			printf("differs: %s and %s\n", spf_result_name(at_once.result), spf_result_name(queued.result));
		else
			printf("%s\t%u\t%u\t%s\t%s\n", spf_result_name(at_once.result), at_once.terms, at_once.voids, at_once.mechanism, at_once.problem);
	} else {
		puts("usage");
	}
	fflush(stdout);
	talloc_free(mem);
}

int main(void)
{
	static char line[200000];
	struct zone *z = zone_new("");

	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, "clear") == 0) {
			talloc_free(z);
			z = zone_new("");
		} else if (strncmp(line, "zone ", 5) == 0) {
			zone_add(z, line + 5);
		} else if (strncmp(line, "ask\t", 4) == 0) {
			answer(z, line + 4);
		}
	}
	talloc_free(z);
	return 0;
}
