/* pattern.c - regular expressions with limits: the one user of PCRE2 */
#include "policy/pattern.h"

#include <stdint.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* A pattern that backtracks without end stops here: 0.2 ms with JIT, 1.5 ms without. */
enum { MATCH_LIMIT = 100000, DEPTH_LIMIT = 20000, HEAP_LIMIT_KB = 16384 };

struct pattern {
	pcre2_code *code;
	pcre2_match_context *limits;     /* read only once it is set up */
	uint32_t groups;
};

static int free_pattern(struct pattern *pattern)
{
	pcre2_match_context_free(pattern->limits);
	pcre2_code_free(pattern->code);
	return 0;
}

static uint32_t options_of(unsigned flags)
{
	/* \C could end within a character */
	uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;

	if (flags & PATTERN_CASELESS)
		options |= PCRE2_CASELESS;
	if (flags & PATTERN_MULTILINE)
		options |= PCRE2_MULTILINE;
	if (flags & PATTERN_DOTALL)
		options |= PCRE2_DOTALL;
	if (flags & PATTERN_EXTENDED)
		options |= PCRE2_EXTENDED;
	return options;
}

struct pattern *pattern_new(TALLOC_CTX *parent, const char *text, size_t len, unsigned flags, char **error_r)
{
	struct pattern *pattern = talloc_zero(parent, struct pattern);
	unsigned char message[256];
	PCRE2_SIZE offset;
	int code;

	if (pattern == NULL)
		return NULL;
	talloc_set_destructor(pattern, free_pattern);
	pattern->code = pcre2_compile((PCRE2_SPTR)text, len, options_of(flags), &code, &offset, NULL);
	if (pattern->code == NULL) {
		pcre2_get_error_message(code, message, sizeof(message));
		*error_r = talloc_asprintf(parent, "%s (at offset %zu of the pattern)", (const char *)message, (size_t)offset);
		TALLOC_FREE(pattern);
		return NULL;
	}
	pattern->limits = pcre2_match_context_create(NULL);
	if (pattern->limits == NULL) {
		TALLOC_FREE(pattern);
		return NULL;
	}
	pcre2_set_match_limit(pattern->limits, MATCH_LIMIT);
	pcre2_set_depth_limit(pattern->limits, DEPTH_LIMIT);
	pcre2_set_heap_limit(pattern->limits, HEAP_LIMIT_KB);
	pcre2_pattern_info(pattern->code, PCRE2_INFO_CAPTURECOUNT, &pattern->groups);
	/* where memory may not be both written and executed this fails, and the interpreter matches */
	pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE);
	return pattern;
}

unsigned pattern_groups(const struct pattern *pattern)
{
	return pattern->groups;
}

enum answer pattern_match(const struct pattern *pattern, const char *subject, size_t len, struct span *spans, unsigned n)
{
	pcre2_match_data *data = pcre2_match_data_create(n > 0 ? n : 1, NULL);
	const PCRE2_SIZE *bounds;
	int ret;

	if (data == NULL)
		return ANSWER_UNAVAILABLE;
	ret = pcre2_match(pattern->code, (PCRE2_SPTR)subject, len, 0, 0, data, pattern->limits);
	if (ret == PCRE2_ERROR_JIT_STACKLIMIT)   /* 32 KB are not enough for it: the interpreter has its own heap */
		ret = pcre2_match(pattern->code, (PCRE2_SPTR)subject, len, 0, PCRE2_NO_JIT, data, pattern->limits);
	if (ret >= 0) {
		unsigned filled = ret > 0 ? (unsigned)ret : n;   /* 0: matched, more groups than spans */

		bounds = pcre2_get_ovector_pointer(data);
		for (unsigned i = 0; i < n; i++)
			spans[i] = i < filled && bounds[2 * i] != PCRE2_UNSET ? (struct span){ bounds[2 * i], bounds[2 * i + 1] } : (struct span){ SIZE_MAX, SIZE_MAX };
	}
	pcre2_match_data_free(data);
	return ret >= 0 ? ANSWER_YES : ret == PCRE2_ERROR_NOMATCH ? ANSWER_NO : ANSWER_UNAVAILABLE;
}
