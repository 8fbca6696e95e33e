/* fuzz_date.c - any bytes as a date */
#include <stdint.h>
#include <stdlib.h>

#include "message/date.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int64_t seconds = INT64_MAX;

	/* from year 0 to 9999, half a day of zones on either side */
	if (date_parse((const char *)data, size, &seconds)) {
		if (seconds < -62167219200 - 15 * 3600 || seconds > 253402300800 + 15 * 3600)
			abort();
	} else if (seconds != INT64_MAX) {
		abort();
	}
	return 0;
}
