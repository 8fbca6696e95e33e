/* judge.c - validates chains for scripts: lines "clear", "key NAME TEXT" ("!fail": it cannot be had), "message N" and N octets; answers: result, oldest-pass, flags, sets, problem */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arc/message.h"

static void answer(struct zone *z, const char *data, size_t len)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct text_message *m = talloc(mem, struct text_message);
	struct arc_options options = { .bits_min = 1024, .now = 1700000000 };
	struct arc_facts at_once, queued;

	text_message_read(mem, data, len, m);
	z->queued = false;
	text_message_validate(z, mem, m, &options, 1, &at_once);
	z->queued = true;
	text_message_validate(z, mem, m, &options, 4096, &queued);
	/* neither the order of answers nor the pieces of the body matter */
	if (at_once.result != queued.result || at_once.oldest_pass != queued.oldest_pass || !at_once.done)
		printf("differs: %s and %s\n", arc_result_name(at_once.result), arc_result_name(queued.result));
	else
		printf("%s\t%u\t%s%s\t%zu\t%s\n", arc_result_name(at_once.result), at_once.oldest_pass, at_once.partial ? "partial" : "", at_once.ended ? "ended" : "", at_once.n, at_once.problem);
	fflush(stdout);
	talloc_free(mem);
}

int main(void)
{
	static char line[20000];
	struct zone *z = zone_new("");

	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, "clear") == 0) {
			talloc_free(z);
			z = zone_new("");
		} else if (strncmp(line, "key ", 4) == 0) {
			char *name = line + 4, *text = strchr(name, ' ');

			*text++ = '\0';
			zone_add(z, talloc_asprintf(z, "%s TXT %s", name, text));
		} else if (strncmp(line, "message ", 8) == 0) {
			size_t len = strtoul(line + 8, NULL, 10);
			char *data = malloc(len + 1);

			if (fread(data, 1, len, stdin) != len)
				return 1;
			answer(z, data, len);
			free(data);
		}
	}
	talloc_free(z);
	return 0;
}
