/* when.c - times as people write them */
#include "ctl.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

/* "2h": so long ago. */
static bool read_ago(const char *text, time_t now, time_t *time_r)
{
	static const struct { char unit; long long seconds; } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 7 * 86400 } };
	char *end;
	long long n;

	errno = 0;
	n = isdigit((unsigned char)text[0]) ? strtoll(text, &end, 10) : -1;
	if (n < 0 || errno != 0 || n > 100000000 || end[0] == '\0' || end[1] != '\0')
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (units[i].unit == end[0]) {
			*time_r = now - (time_t)(n * units[i].seconds);
			return true;
		}
	}
	return false;
}

/* "Z", "+0100", "+01:00" behind a time; nothing: the zone of who asks. */
static bool read_zone(const char *text, struct tm *tm, time_t *time_r)
{
	struct tm given = *tm;
	int hours, minutes, used = 0;

	if (text[0] == '\0') {
		tm->tm_isdst = -1;
		*time_r = mktime(tm);
	} else if (strcmp(text, "Z") == 0) {
		*time_r = timegm(tm);
	} else {
		if ((text[0] != '+' && text[0] != '-') || (sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 && sscanf(text + 1, "%2d%2d%n", &hours, &minutes, &used) != 2)
			|| text[1 + used] != '\0' || hours < 0 || minutes < 0 || minutes > 59)
			return false;
		*time_r = timegm(tm) - (text[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
	}
	/* the 31st of February would have become the 3rd of March */
	return tm->tm_mday == given.tm_mday && tm->tm_mon == given.tm_mon;
}

int ctl_time(struct ctl *ctl, const char *flag, const char *text, int64_t *time_r)
{
	static const char *const formats[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d" };
	time_t when = 0;
	bool good = read_ago(text, time(NULL), &when);

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]) && !good; i++) {
		struct tm tm = { 0 };
		const char *end = strptime(text, formats[i], &tm);

		if (end != NULL && *end == '.')
			end += 1 + strspn(end + 1, "0123456789");
		good = end != NULL && read_zone(end, &tm, &when);
	}
	if (!good) {
		fprintf(ctl->err, "winnowctl: %s \"%s\" is no time; write 2026-11-25, 2026-11-25T10:00, or how long ago: 90m, 2h, 7d\n", flag, text);
		return EX_USAGE;
	}
	*time_r = (int64_t)when * 1000000;
	return 0;
}
