/* pattern.h - regular expressions with limits: the one user of PCRE2 */
#ifndef WINNOW_POLICY_PATTERN_H
#define WINNOW_POLICY_PATTERN_H

#include <stddef.h>

#include <talloc.h>

#include "policy/table.h"

enum {
	PATTERN_CASELESS = 1, PATTERN_MULTILINE = 2, PATTERN_DOTALL = 4, PATTERN_EXTENDED = 8,   /* PCRE's i, m, s, x */
};

struct pattern;

/* Bytes of the subject; start == end == SIZE_MAX: the group took no part in the match. */
struct span {
	size_t start, end;
};

/* Compiles (with JIT where the system allows it) text of len bytes, in UTF-8. Immutable: threads may share it. NULL with *error_r = "what (at offset N)" (child of parent). */
struct pattern *pattern_new(TALLOC_CTX *parent, const char *text, size_t len, unsigned flags, char **error_r);

/* Capturing groups in it. */
unsigned pattern_groups(const struct pattern *pattern);

/* Searches subject (any bytes: what is not UTF-8 matches nothing). spans: n of them are filled, the whole match first (n 0: not wanted).
 * ANSWER_UNAVAILABLE: it ran into the limits of steps or memory before it was decided (about 1 ms), or there is no memory. */
enum answer pattern_match(const struct pattern *pattern, const char *subject, size_t len, struct span *spans, unsigned n);

#endif
