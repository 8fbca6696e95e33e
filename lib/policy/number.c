/* number.c - numbers, durations and sizes as the configuration writes them; no locale, no rounding */
#include "policy/number.h"

#include <string.h>

#define NUMBER_MAX INT64_C(9000000000000000)

struct unit {
	const char *name;
	int64_t factor;
};

/* The largest first. */
static const struct unit time_units[] = { { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 }, { NULL, 0 } };
static const struct unit size_units[] = { { "G", 1 << 30 }, { "M", 1 << 20 }, { "K", 1 << 10 }, { "", 1 }, { NULL, 0 } };

/* Reads digits and returns what stands behind them; NULL: there are none, or too many. */
static const char *read_digits(const char *text, int64_t *r)
{
	int64_t value = 0;
	const char *p;

	for (p = text; *p >= '0' && *p <= '9'; p++) {
		value = value * 10 + (*p - '0');
		if (value > NUMBER_MAX)
			return NULL;
	}
	*r = value;
	return p > text ? p : NULL;
}

bool number_int(const char *text, int64_t *r)
{
	bool negative = text[0] == '-';
	int64_t value;
	const char *rest = read_digits(text + negative, &value);

	if (rest == NULL || *rest != '\0')
		return false;
	*r = negative ? -value : value;
	return true;
}

/* All digits as one whole number, divided once by a power of ten: both are exact, so the result is the nearest double. */
bool number_float(const char *text, double *r)
{
	bool negative = text[0] == '-', point = false;
	unsigned digits = 0;
	double whole = 0, divisor = 1;

	for (const char *p = text + negative; *p != '\0'; p++) {
		if (*p == '.' && !point) {
			point = true;
			continue;
		}
		if (*p < '0' || *p > '9' || ++digits > 15)
			return false;
		whole = whole * 10 + (*p - '0');
		if (point)
			divisor *= 10;
	}
	if (digits == 0)
		return false;
	*r = negative && whole != 0 ? -whole / divisor : whole / divisor;
	return true;
}

static bool scale(int64_t value, int64_t factor, int64_t *r)
{
	if (value > NUMBER_MAX / factor)
		return false;
	*r = value * factor;
	return true;
}

bool number_duration(const char *text, int64_t *ms_r)
{
	int64_t value;
	const char *rest = read_digits(text, &value);

	if (rest == NULL)
		return false;
	if (*rest == '\0')
		return scale(value, 1000, ms_r);
	for (const struct unit *u = time_units; u->name != NULL; u++)
		if (strcmp(rest, u->name) == 0)
			return scale(value, u->factor, ms_r);
	return false;
}

bool number_size(const char *text, int64_t *bytes_r)
{
	int64_t value;
	const char *rest = read_digits(text, &value);

	if (rest == NULL)
		return false;
	for (const struct unit *u = size_units; u->name != NULL; u++)
		if (strcasecmp(rest, u->name) == 0)
			return scale(value, u->factor, bytes_r);
	return false;
}

static char *unit_text(TALLOC_CTX *mem, const struct unit *units, int64_t value)
{
	while (value % units->factor != 0)
		units++;
	return talloc_asprintf(mem, "%lld%s", (long long)(value / units->factor), units->name);
}

char *number_float_text(TALLOC_CTX *mem, double value)
{
	char *text = talloc_asprintf(mem, "%.15g", value), *comma = strchr(text, ',');

	if (comma != NULL)
		*comma = '.';                  /* a program that links the library may have set a locale */
	return text;
}

char *number_duration_text(TALLOC_CTX *mem, int64_t ms)
{
	return ms == 0 ? talloc_strdup(mem, "0") : unit_text(mem, time_units, ms);
}

char *number_size_text(TALLOC_CTX *mem, int64_t bytes)
{
	return bytes == 0 ? talloc_strdup(mem, "0") : unit_text(mem, size_units, bytes);
}
