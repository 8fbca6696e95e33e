/* number.h - numbers, durations and sizes as the configuration writes them; no locale, no rounding. Internal to policy/ */
#ifndef WINNOW_POLICY_NUMBER_H
#define WINNOW_POLICY_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include <talloc.h>

/* The whole text must be one; false: it is none, or beyond 9e15. *r is left alone then. */
bool number_int(const char *text, int64_t *r);            /* "-12" */
bool number_float(const char *text, double *r);           /* "0.9", "-2", ".5": at most 15 digits, no exponent */
bool number_duration(const char *text, int64_t *ms_r);    /* "90" (seconds), "200ms", "90s", "5m", "48h", "7d" */
bool number_size(const char *text, int64_t *bytes_r);     /* "1024", "16K", "50M", "2G" (or k, m, g) */

/* In the largest unit that says it exactly; children of mem. */
char *number_float_text(TALLOC_CTX *mem, double value);
char *number_duration_text(TALLOC_CTX *mem, int64_t ms);
char *number_size_text(TALLOC_CTX *mem, int64_t bytes);

#endif
