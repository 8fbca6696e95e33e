/* header.c - the header block: byte-order marks, how often fields stand, their length, Subject, Date (RFC 5322, 6532) */
#include "check/check.h"

#include <string.h>
#include <strings.h>

#include "check/skew.h"
#include "message/date.h"
#include "message/header.h"

enum { ENABLED, DATE_SKEW_MAX, SINGLETONS, FROM_REQUIRED, LENGTH_MAX, TRACE_LENGTH_MAX, SUBJECT_UTF8 };

static const struct setting settings[] = {
	[ENABLED] = SETTING_ENABLED,
	[DATE_SKEW_MAX] = { .name = "date_skew_max", .type = SET_DURATION, .scope = SCOPE_POLICY, .def = "7d",
		.help = "distance of Date from now, either way; 0: any; suspended while most of at least 20 messages are skewed alike (our own clock)",
		.limit = LIMIT_MAX, .limit_of = CLASS_DATE_SKEW },
	[SINGLETONS] = { .name = "singletons", .type = SET_LIST, .scope = SCOPE_POLICY,
		.def = "From, Sender, Reply-To, To, Cc, Bcc, Message-ID, In-Reply-To, References, Subject, Date", .help = "may stand once" },
	[FROM_REQUIRED] = { .name = "from_required", .type = SET_BOOL, .scope = SCOPE_POLICY, .def = "true",
		.help = "a message without From is malformed" },
	[LENGTH_MAX] = { .name = "length_max", .type = SET_SIZE, .scope = SCOPE_POLICY, .def = "16K",
		.help = "a header's value, folds included; 0: no limit", .limit = LIMIT_MAX, .limit_of = CLASS_HEADER_TOO_LONG },
	[TRACE_LENGTH_MAX] = { .name = "trace_length_max", .type = SET_SIZE, .scope = SCOPE_POLICY, .def = "48K",
		.help = "the same for Received, ARC-*, DKIM-Signature, Authentication-Results and X-*; 0: no limit" },
	[SUBJECT_UTF8] = { .name = "subject_utf8", .type = SET_BOOL, .scope = SCOPE_POLICY, .def = "false",
		.help = "well-formed raw UTF-8 in Subject passes without SMTPUTF8" },
	{ 0 }
};

static const enum class_id reports[] = {
	CLASS_HEADER_BOM, CLASS_HEADER_COUNT, CLASS_HEADER_TOO_LONG, CLASS_SUBJECT_INVALID, CLASS_DATE_SKEW, CLASS_COUNT
};

/* ---- header-bom ---- */

/* UTF-32's 00 00 FE FF needs no row: no NUL comes through a milter, what is left of it is UTF-16's. */
static const struct mark {
	const char *bytes, *name;
	bool base64;                     /* letters that base64 may begin with, too */
} marks[] = {
	{ "\xEF\xBB\xBF", "UTF-8", false }, { "\xFE\xFF", "UTF-16 (big-endian)", false }, { "\xFF\xFE", "UTF-16 (little-endian)", false },
	{ "+/v8", "UTF-7", true }, { "+/v9", "UTF-7", true }, { "+/v+", "UTF-7", true }, { "+/v/", "UTF-7", true },
};
enum { MARKS = sizeof(marks) / sizeof(marks[0]), BASE64_LONG = 16 };

static const struct mark *mark_in_name(const char *name)
{
	for (int i = 0; i < MARKS; i++)
		if (strstr(name, marks[i].bytes) != NULL)
			return &marks[i];
	return NULL;
}

/* A long run of base64 (one in four million begins with UTF-7's mark by chance) is what it looks like. */
static const struct mark *mark_at_start(const char *value)
{
	value += strspn(value, " \t\r\n");
	for (int i = 0; i < MARKS; i++) {
		size_t word;

		if (strncmp(value, marks[i].bytes, strlen(marks[i].bytes)) != 0)
			continue;
		word = strcspn(value, " \t\r\n");
		if (marks[i].base64 && word >= BASE64_LONG
		    && strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") >= word)
			return NULL;
		return &marks[i];
	}
	return NULL;
}

static void judge_marks(struct txn *t, const struct message *m)
{
	for (size_t i = 0; i < m->n_fields; i++) {
		const struct header_field *f = &m->fields[i];
		const struct mark *mark = mark_in_name(f->name);

		if (mark != NULL) {
			finding_shown(t, CLASS_HEADER_BOM, 1.0, "%s byte-order mark in the name of field %zu, %.100s", mark->name, i + 1, f->name);
			return;
		}
		mark = mark_at_start(f->value);
		if (mark != NULL) {
			finding_shown(t, CLASS_HEADER_BOM, 1.0, "%s byte-order mark before the value of %.100s", mark->name, f->name);
			return;
		}
	}
}

/* Fields that an MTA puts in where the sender wrote none. */
static bool is_added_by_mta(const char *name)
{
	static const char *const names[] = { "From", "Date", "Message-ID", "Received", "Return-Path" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (header_name_equal(name, names[i]))
			return true;
	return false;
}

/* Did the header block end at a first body line that names this field? It did if the block lacks From, or holds nothing but what MTAs add,
 * or if the field is a usual one and is not in it. A text that merely begins with "Note:" has its fields above it. */
static bool block_ended_early(const struct message *m, const char *name)
{
	static const char *const usual[] = { "From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Received" };
	size_t i;

	if (message_field(m, "From", 0) == NULL)
		return true;
	for (i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (strcasecmp(name, usual[i]) == 0 && message_field(m, name, 0) == NULL)
			return true;
	for (i = 0; i < m->n_fields; i++)
		if (!is_added_by_mta(m->fields[i].name))
			return false;
	return true;
}

/* MTAs end the header block at a line that is no field to them: a field behind a byte-order mark becomes the first line of the body. */
static void judge_first_line(struct txn *t, const struct message *m)
{
	const char *line = m->first_body_line;
	char name[sizeof(m->first_body_line)];
	size_t n;

	if (strncmp(line, "\xEF\xBB\xBF", 3) != 0)
		return;
	line += 3;
	n = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-");
	if (n == 0 || line[n] != ':')
		return;
	memcpy(name, line, n);
	name[n] = '\0';
	if (block_ended_early(m, name))
		finding_shown(t, CLASS_HEADER_BOM, 1.0, "UTF-8 byte-order mark before the field %s ended the header block", name);
}

/* ---- header-count ---- */

static void judge_count(struct txn *t, const struct message *m)
{
	const char *const *names = setting_list(t->policy, &settings[SINGLETONS]);

	for (; *names != NULL; names++) {
		unsigned count = 0;

		for (size_t i = 0; i < m->n_fields; i++)
			count += header_name_equal(m->fields[i].name, *names);
		if (count > 1) {
			finding_shown(t, CLASS_HEADER_COUNT, 1.0, "%u fields %.100s, at most 1 (header.singletons)", count, *names);
			return;
		}
	}
	/* a From may be among the fields that were too many to keep */
	if (!m->header_cut && setting_bool(t->policy, &settings[FROM_REQUIRED]) && message_field(m, "From", 0) == NULL)
		finding_shown(t, CLASS_HEADER_COUNT, 1.0, "no field From (header.from_required)");
}

/* ---- header-too-long ---- */

static bool is_trace(const char *name)
{
	return strncasecmp(name, "X-", 2) == 0 || strncasecmp(name, "ARC-", 4) == 0 || header_name_equal(name, "Received")
		|| header_name_equal(name, "DKIM-Signature") || header_name_equal(name, "Authentication-Results");
}

static void judge_length(struct txn *t, const struct message *m)
{
	if (m->header_cut) {
		finding_shown(t, CLASS_HEADER_TOO_LONG, 1.0, "header block over the limit of all fields together: only %zu fields were kept", m->n_fields);
		return;
	}
	for (size_t i = 0; i < m->n_fields; i++) {
		const struct header_field *f = &m->fields[i];
		const struct setting *row = &settings[is_trace(f->name) ? TRACE_LENGTH_MAX : LENGTH_MAX];
		int64_t max = setting_size(t->policy, row);
		size_t length = f->value_len - (f->value_len > 0 && f->value[0] == ' ');

		if (max > 0 && length > (uint64_t)max) {
			finding_shown(t, CLASS_HEADER_TOO_LONG, 1.0, "%.100s of %zu octets, at most %lld (header.%s)", f->name, length, (long long)max, row->name);
			return;
		}
	}
}

/* ---- subject-invalid ---- */

/* Control characters but tab and the line ends of folds; a CR alone is one. */
static bool has_control(const char *value, size_t len, unsigned char *c_r)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)value[i];

		*c_r = c;
		if (c == 0x7f || (c < 0x20 && c != '\t' && c != '\n' && c != '\r'))
			return true;
		if (c == '\r' && (i + 1 == len || value[i + 1] != '\n'))
			return true;
	}
	return false;
}

static bool has_8bit(const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)value[i] >= 0x80)
			return true;
	return false;
}

static void judge_subject(struct txn *t, const struct message *m)
{
	const struct header_field *f;

	for (size_t i = 0; (f = message_field(m, "Subject", i)) != NULL; i = (size_t)(f - m->fields) + 1) {
		unsigned char c;

		if (has_control(f->value, f->value_len, &c)) {
			finding_shown(t, CLASS_SUBJECT_INVALID, 1.0, "control character 0x%02x in Subject", c);
			return;
		}
		if (!has_8bit(f->value, f->value_len))
			continue;
		if (!utf8_valid(f->value, f->value_len)) {
			finding_shown(t, CLASS_SUBJECT_INVALID, 1.0, "raw 8-bit characters in Subject that are not UTF-8");
			return;
		}
		if (!t->smtputf8 && !setting_bool(t->policy, &settings[SUBJECT_UTF8])) {
			finding_shown(t, CLASS_SUBJECT_INVALID, 1.0, "raw UTF-8 in Subject without SMTPUTF8 (header.subject_utf8)");
			return;
		}
	}
}

/* ---- date-skew ---- */

/* The first Date counts; one that cannot be read says nothing. */
static void judge_date(struct txn *t, const struct message *m)
{
	const int64_t far = INT64_MAX / 4 / 1000000;
	int64_t max = setting_ms(t->policy, &settings[DATE_SKEW_MAX]), date, diff;
	const struct header_field *f = message_field(m, "Date", 0);
	unsigned alike, seen;
	int side;

	if (f == NULL || max == 0 || !date_parse(f->value, f->value_len, &date))
		return;
	if (date > far || date < -far)
		date = date < 0 ? -far : far;
	diff = (date * 1000000 - t->now) / 1000;
	side = diff > max ? 1 : diff < -max ? -1 : 0;
	if (skew_watch_add(t->session->skew_watch, side, &alike, &seen) && side != 0)
		note(t, "date-skew", "suspended: %u of %u messages skewed alike, is our clock right?", alike, seen);
	else if (side != 0)
		finding_shown(t, CLASS_DATE_SKEW, 1.0, "Date is %.1f days in the %s, at most %.1f (header.date_skew_max)",
			(double)(diff < 0 ? -diff : diff) / 86400000.0, side > 0 ? "future" : "past", (double)max / 86400000.0);
}

static void judge_eoh(struct txn *t)
{
	const struct message *m = t->message;

	if (m == NULL)
		return;
	judge_marks(t, m);
	judge_count(t, m);
	judge_length(t, m);
	judge_subject(t, m);
	judge_date(t, m);
}

static void judge_eom(struct txn *t)
{
	if (t->message != NULL)
		judge_first_line(t, t->message);
}

const struct check check_header = {
	.name = "header",
	.judge = { [STAGE_EOH] = judge_eoh, [STAGE_EOM] = judge_eom },
	.settings = settings,
	.reports = reports,
	.help = "the header block",
};
