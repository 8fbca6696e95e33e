/* date.c - the Date field (RFC 5322 section 3.3, obsolete forms of 4.3) */
#include "message/date.h"

#include "message/lex.h"

/* Is it this word (lower case), in any case? */
static bool is_word(const char *p, size_t len, const char *word)
{
	size_t i;

	for (i = 0; i < len && word[i] != 0; i++) {
		if (lex_lower(p[i]) != word[i])
			return false;
	}
	return i == len && word[i] == 0;
}

static bool letter(char c)
{
	c = lex_lower(c);
	return c >= 'a' && c <= 'z';
}

/* A number of at most max digits, with comments and blanks around it. Returns how many digits it has; 0 if there is none or it is longer. */
static size_t read_number(struct lex *lex, size_t max, int *number_r)
{
	size_t n = 0;

	lex_cfws(lex);
	*number_r = 0;
	for (; lex->p < lex->end && lex_digit(*lex->p); lex->p++) {
		if (++n > max)
			return 0;
		*number_r = *number_r * 10 + (*lex->p - '0');
	}
	lex_cfws(lex);
	return n;
}

static bool read_char(struct lex *lex, char c)
{
	if (lex->p >= lex->end || *lex->p != c)
		return false;
	lex->p++;
	return true;
}

/* Whatever stands before the day: its name in any language, true or not. */
static void skip_day_name(struct lex *lex)
{
	lex_cfws(lex);
	while (lex->p < lex->end && !lex_digit(*lex->p) && !lex_blank(*lex->p) && !lex_control(*lex->p) && *lex->p != ',' && *lex->p != '(')
		lex->p++;
	lex_cfws(lex);
	read_char(lex, ',');
}

/* 0 for January; -1: no month. */
static int read_month(struct lex *lex)
{
	static const char *const months[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec" };
	const char *start = lex->p;

	while (lex->p < lex->end && letter(*lex->p))
		lex->p++;
	for (int i = 0; i < 12; i++) {
		if (is_word(start, (size_t)(lex->p - start), months[i]))
			return i;
	}
	return -1;
}

/* Seconds east of UTC. Names that mean nothing certain, military letters among them, are UTC (RFC 5322 section 4.3). */
static int zone_name(const char *p, size_t len)
{
	static const struct {
		const char *name;
		int hours;
	} zones[] = {
		{ "est", -5 }, { "edt", -4 }, { "cst", -6 }, { "cdt", -5 }, { "mst", -7 }, { "mdt", -6 }, { "pst", -8 }, { "pdt", -7 },
	};

	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		if (is_word(p, len, zones[i].name))
			return zones[i].hours * 3600;
	}
	return 0;
}

static int zone_number(const char *p, size_t len)
{
	int hours, minutes;

	if (len != 5)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if (!lex_digit(p[i]))
			return 0;
	}
	hours = (p[1] - '0') * 10 + (p[2] - '0');
	minutes = (p[3] - '0') * 10 + (p[4] - '0');
	if (hours > 14 || minutes > 59)
		return 0;
	return (p[0] == '-' ? -1 : 1) * (hours * 60 + minutes) * 60;
}

/* The zone, and that nothing but its name again ("+0200 CEST") stands behind it. */
static bool read_zone(struct lex *lex, int *offset_r)
{
	const char *start;
	size_t len;

	lex_cfws(lex);
	start = lex->p;
	while (lex->p < lex->end && (letter(*lex->p) || lex_digit(*lex->p) || *lex->p == '+' || *lex->p == '-' || *lex->p == ':'))
		lex->p++;
	len = (size_t)(lex->p - start);
	*offset_r = len > 0 && (*start == '+' || *start == '-') ? zone_number(start, len) : zone_name(start, len);
	if (len > 0 && lex_digit(*start))
		return false;
	lex_cfws(lex);
	while (lex->p < lex->end && letter(*lex->p))
		lex->p++;
	lex_cfws(lex);
	return lex->p == lex->end;
}

static bool leap_year(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return month == 1 && leap_year(year) ? 29 : days[month];
}

/* Days from 1 January 1970 to the first of that month. Years are counted from March, so that the leap day is the last; 400 years make it whole numbers for year 0 too. */
static int64_t days_since_1970(int year, int month)
{
	int y = year + 400 - (month < 2 ? 1 : 0);
	int m = (month + 10) % 12;

	return (int64_t)y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 - (719468 + 146097);
}

static bool read_time(struct lex *lex, int64_t *seconds_r)
{
	int hour, minute, second = 0;

	if (read_number(lex, 2, &hour) == 0 || !read_char(lex, ':') || read_number(lex, 2, &minute) == 0)
		return false;
	if (read_char(lex, ':') && read_number(lex, 2, &second) == 0)
		return false;
	*seconds_r = hour * 3600 + minute * 60 + second;
	return hour < 24 && minute < 60 && second <= 60;
}

bool date_parse(const char *value, size_t len, int64_t *seconds_r)
{
	struct lex lex = { .p = value, .end = value + len };
	int day, month, year, offset;
	int64_t time_of_day;
	size_t digits;

	skip_day_name(&lex);
	if (read_number(&lex, 2, &day) == 0)
		return false;
	month = read_month(&lex);
	if (month < 0)
		return false;
	digits = read_number(&lex, 4, &year);
	if (digits < 2)
		return false;
	if (digits == 2)
		year += year < 50 ? 2000 : 1900;
	else if (digits == 3)
		year += 1900;
	if (day < 1 || day > days_in_month(year, month))
		return false;
	if (!read_time(&lex, &time_of_day) || !read_zone(&lex, &offset))
		return false;
	*seconds_r = (days_since_1970(year, month) + day - 1) * 86400 + time_of_day - offset;
	return true;
}
