/* date.h - the Date field (RFC 5322 section 3.3, obsolete forms of 4.3) */
#ifndef WINNOW_MESSAGE_DATE_H
#define WINNOW_MESSAGE_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads a date leniently: no day name or a wrong one, 1-2 digit day, no seconds, second 60, comments, 2- and 3-digit years, zone names; -0000, unknown, implausible
 * (over 14 hours, 60 minutes) and missing zones as UTC. The day must exist in its month; years 0 to 9999 of the Gregorian calendar, whatever TZ is.
 * value may hold any byte and need not be NUL-terminated. true: *seconds_r = seconds since 1970 (64 bits; second 60 is the next minute's 0).
 * false: not a date (other month names, ISO form, day 32, text after the zone, ...); *seconds_r is untouched. */
bool date_parse(const char *value, size_t len, int64_t *seconds_r);

#endif
