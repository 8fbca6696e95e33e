/* clock.h - the two clocks: one for deadlines, one for dates */
#ifndef WINNOW_UTIL_CLOCK_H
#define WINNOW_UTIL_CLOCK_H

#include <stdint.h>

/* Microseconds since 1970 (CLOCK_REALTIME): dates, records. May jump. */
int64_t clock_wall(void);

/* Microseconds of CLOCK_MONOTONIC: deadlines and durations. Never jumps. */
int64_t clock_mono(void);

#endif
