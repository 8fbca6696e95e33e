/* judge.c - verifies messages for scripts. Lines: "clear", "zone NAME TYPE DATA", "set NAME NUMBER" (max, bits, now, split, chunk), "from DOMAIN", "message OCTETS" and that many octets.
 * One line for each signature: result, d, s, i, a, b, bits, flags, problem; then "end FIELDS DUPLICATES BEYOND QUESTIONS" */
#include <stdio.h>
#include <string.h>

#include "dkim/verify.h"

struct state {
	struct zone *z;
	struct dkim_library *library;
	struct dkim_options options;
	size_t split, chunk;
	char from[256];
	const char *from_list[1];
};

static void report(const struct dkim_facts *facts, size_t asked)
{
	for (size_t i = 0; i < facts->n; i++) {
		const struct dkim_outcome *o = &facts->v[i];

		printf("%s\t%s\t%s\t%s\t%s\t%s\t%u\t%s%s\t%s\n", dkim_result_name(o->result), o->domain, o->selector, o->identity, o->algorithm, o->b, o->bits, o->testing ? "t" : "",
			o->secure ? "s" : "", o->problem);
	}
	printf("end %zu %zu %zu %zu\n", facts->fields, facts->duplicates, facts->beyond, asked);
	fflush(stdout);
}

static bool judge(struct state *s, size_t len)
{
	char *data = malloc(len + 1);
	struct dkim_facts *facts;
	struct verify *v;

	if (data == NULL || fread(data, 1, len, stdin) != len)
		return false;
	s->options.from = s->from_list;
	s->options.n_from = s->from[0] != '\0';
	s->z->asked = 0;
	v = verify_read(data, len);
	facts = verify_run(v, s->library, s->z, &s->options, s->split, s->chunk);
	report(facts, s->z->asked);
	talloc_free(v);
	free(data);
	return true;
}

static void set(struct state *s, const char *name, long long n)
{
	if (strcmp(name, "max") == 0)
		s->options.signatures_max = (size_t)n;
	else if (strcmp(name, "bits") == 0)
		s->options.bits_min = (unsigned)n;
	else if (strcmp(name, "now") == 0)
		s->options.now = n;
	else if (strcmp(name, "split") == 0)
		s->split = (size_t)n;
	else if (strcmp(name, "chunk") == 0)
		s->chunk = (size_t)n;
}

int main(void)
{
	static char line[200000];
	struct state s = { .z = zone_new(""), .library = dkim_library_new(NULL), .options = { .signatures_max = 10, .bits_min = 1024 } };

	s.from_list[0] = s.from;
	while (s.library != NULL && fgets(line, sizeof(line), stdin) != NULL) {
		char name[32];
		long long n;

		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, "clear") == 0) {
			talloc_free(s.z);
			s.z = zone_new("");
		} else if (strncmp(line, "zone ", 5) == 0) {
			zone_add(s.z, line + 5);
		} else if (strncmp(line, "from ", 5) == 0) {
			snprintf(s.from, sizeof(s.from), "%.255s", line + 5);
		} else if (sscanf(line, "set %31s %lld", name, &n) == 2) {
			set(&s, name, n);
		} else if (sscanf(line, "message %lld", &n) == 1 && !judge(&s, (size_t)n)) {
			break;
		}
	}
	talloc_free(s.z);
	talloc_free(s.library);
	return 0;
}
