/* date.h - the Date field (RFC 5322 section 3.3, obsolete forms of 4.3) */
#ifndef WINNOW_MESSAGE_DATE_H
#define WINNOW_MESSAGE_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads a date leniently (facts: no day name or a wrong one, 1-2 digit day, no seconds, second 60, comments, 2- and 3-digit years, zone names, -0000 and unknown zones as UTC).
 * value may hold any byte and need not be NUL-terminated. true: *seconds_r = seconds since 1970 (64 bits). false: not a date (wrong month name, ISO form, day 32, ...). */
bool date_parse(const char *value, size_t len, int64_t *seconds_r);

#endif
