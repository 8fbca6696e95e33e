/* table_pcre.c - "pcre:PATH": a line is /re/flags VALUE or !/re/flags VALUE; the first line that matches answers, as in Postfix's pcre_table(5)
 * Case does not matter and . matches a line end, as there; the flags i and s toggle that, m and x are PCRE's. In VALUE $1 to $9, ${1} and $(1) are what the groups took, $$ is $. */
#include "policy/table_private.h"

#include <string.h>

#include "policy/lines.h"
#include "policy/pattern.h"

enum { GROUPS = 9, REFERENCES_MAX = 64 };

struct rule {
	struct pattern *pattern;
	const char *value;
	bool negated;
	bool expands;                    /* value holds a $ */
};

struct pcre {
	struct rule *v;
	size_t n, max;
};

/* --- values --- */

/* The reference at p, which stands at $. Returns its length, 0: it is none; *group_r: its number, -1: $$. */
static size_t read_reference(const char *p, int *group_r)
{
	char close = p[1] == '{' ? '}' : p[1] == '(' ? ')' : '\0';
	const char *digit = close != '\0' ? p + 2 : p + 1;

	if (p[1] == '$') {
		*group_r = -1;
		return 2;
	}
	if (*digit < '1' || *digit > '9')
		return 0;
	*group_r = *digit - '0';
	if (close != '\0')
		return digit[1] == close ? 4 : 0;
	return digit[1] >= '0' && digit[1] <= '9' ? 0 : 2;
}

/* NULL if all references of a rule's value are right, else what is wrong. */
static const char *check_value(const struct rule *rule)
{
	unsigned references = 0;

	for (const char *p = strchr(rule->value, '$'); p != NULL; p = strchr(p, '$')) {
		int group;
		size_t n = read_reference(p, &group);

		if (n == 0)
			return "after $ a group is expected: write $1 to $9, ${1} or $(1), and $$ for the character itself";
		if (group > 0 && rule->negated)
			return "a pattern with ! has no groups to take $1 from";
		if (group > 0 && (unsigned)group > pattern_groups(rule->pattern))
			return "the value refers to a group that the pattern does not have";
		if (++references > REFERENCES_MAX)
			return "the value has more than 64 references";
		p += n;
	}
	return NULL;
}

static const char *expand(TALLOC_CTX *mem, const char *value, const char *subject, const struct span *spans)
{
	char *out = talloc_strdup(mem, "");

	while (out != NULL && *value != '\0') {
		const char *dollar = strchrnul(value, '$');
		int group;

		out = talloc_strndup_append_buffer(out, value, (size_t)(dollar - value));
		if (out == NULL || *dollar == '\0')
			break;
		value = dollar + read_reference(dollar, &group);
		if (group < 0)
			out = talloc_strndup_append_buffer(out, "$", 1);
		else if (spans[group].start != SIZE_MAX && spans[group].end > spans[group].start)
			out = talloc_strndup_append_buffer(out, subject + spans[group].start, spans[group].end - spans[group].start);
	}
	return out;
}

/* --- lines --- */

static bool is_delimiter(char c)
{
	return c > ' ' && c < 0x7f && !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && c != '\\';
}

/* The flags up to a blank. NULL: one of them is unknown (*bad_r). */
static char *read_flags(char *p, unsigned *flags_r, char *bad_r)
{
	static const struct { char letter; unsigned flag; } known[] = {
		{ 'i', PATTERN_CASELESS }, { 'm', PATTERN_MULTILINE }, { 's', PATTERN_DOTALL }, { 'x', PATTERN_EXTENDED },
	};

	*flags_r = PATTERN_CASELESS | PATTERN_DOTALL;
	for (; *p != '\0' && *p != ' ' && *p != '\t'; p++) {
		size_t i = 0;

		while (i < sizeof(known) / sizeof(known[0]) && known[i].letter != *p)
			i++;
		if (i == sizeof(known) / sizeof(known[0])) {
			*bad_r = *p;
			return NULL;
		}
		*flags_r ^= known[i].flag;
	}
	return p;
}

/* The end of the expression that begins at p: the delimiter that has no backslash before it. */
static char *find_delimiter(char *p, char delimiter)
{
	for (; *p != '\0' && *p != delimiter; p++)
		if (*p == '\\' && p[1] != '\0')
			p++;
	return *p == delimiter ? p : NULL;
}

/* NULL if the line is a rule, else what is wrong, static or a child of pcre. */
static const char *read_rule(struct pcre *pcre, char *line, struct rule *rule)
{
	char *start = line, *end, *rest, *error = NULL, bad;
	const char *what;
	unsigned flags;

	*rule = (struct rule){ .negated = *line == '!' };
	if (rule->negated)
		start = lines_skip_blanks(line + 1);
	if (strncmp(line, "if", 2) == 0 || strncmp(line, "endif", 5) == 0)
		return "if and endif are not known here: write the condition into each pattern, as /^(?=.*condition).*pattern/";
	if (!is_delimiter(*start))
		return "a pattern is expected: write /re/flags VALUE";
	end = find_delimiter(start + 1, *start);
	if (end == NULL)
		return talloc_asprintf(pcre, "the pattern has no closing %c", *start);
	rest = read_flags(end + 1, &flags, &bad);
	if (rest == NULL)
		return talloc_asprintf(pcre, "the flag \"%c\" is not known: use i, m, s or x, and a blank before the value", bad);
	rule->pattern = pattern_new(pcre, start + 1, (size_t)(end - start - 1), flags, &error);
	if (rule->pattern == NULL)
		return error != NULL ? error : "no memory";
	rule->value = lines_skip_blanks(rest);
	rule->expands = strchr(rule->value, '$') != NULL;
	what = check_value(rule);
	return what;
}

static bool add(struct pcre *pcre, const struct rule *rule)
{
	if (pcre->n == pcre->max) {
		size_t max = pcre->max != 0 ? pcre->max * 2 : 16;
		struct rule *grown = talloc_realloc(pcre, pcre->v, struct rule, max);

		if (grown == NULL)
			return false;
		pcre->v = grown;
		pcre->max = max;
	}
	pcre->v[pcre->n++] = *rule;
	return true;
}

void *table_pcre_parse(TALLOC_CTX *parent, const char *name, char *text, size_t len, char **error_r)
{
	struct pcre *pcre = talloc_zero(parent, struct pcre);
	struct lines lines;
	char *line;
	int ret;

	if (pcre == NULL)
		return NULL;
	lines_begin(&lines, name, text, len);
	while ((ret = lines_next(&lines, parent, &line, error_r)) > 0) {
		struct rule rule;
		const char *what = read_rule(pcre, line, &rule);

		if (what == NULL && !add(pcre, &rule))
			what = "no memory";
		if (what != NULL) {
			*error_r = lines_error(&lines, parent, "%s", what);
			break;
		}
	}
	if (ret != 0)
		TALLOC_FREE(pcre);
	return pcre;
}

static void *load(TALLOC_CTX *parent, const char *argument, char **error_r)
{
	size_t len;
	char *text = lines_read(parent, argument, &len, error_r);

	return text != NULL ? table_pcre_parse(parent, argument, text, len, error_r) : NULL;
}

static enum answer lookup(const void *content, const char *key, TALLOC_CTX *mem, const char **value_r)
{
	const struct pcre *pcre = content;
	size_t len = strlen(key);

	for (size_t i = 0; i < pcre->n; i++) {
		const struct rule *rule = &pcre->v[i];
		struct span spans[GROUPS + 1];
		enum answer answer = pattern_match(rule->pattern, key, len, spans, rule->expands ? GROUPS + 1 : 0);

		if (answer == ANSWER_UNAVAILABLE)
			return answer;   /* a later line may only answer when this one does not match: unknown */
		if ((answer == ANSWER_YES) == rule->negated)
			continue;
		if (rule->negated)
			for (unsigned k = 0; k <= GROUPS; k++)
				spans[k] = (struct span){ SIZE_MAX, SIZE_MAX };
		*value_r = rule->expands ? expand(mem, rule->value, key, spans) : rule->value;
		return *value_r != NULL ? ANSWER_YES : ANSWER_UNAVAILABLE;
	}
	return ANSWER_NO;
}

static size_t count(const void *content)
{
	return ((const struct pcre *)content)->n;
}

const struct table_kind table_kind_pcre = {
	.name = "pcre", .is_file = true, .whole_key = true, .load = load, .lookup = lookup, .count = count,
};
