/* journal_json.c - a record as the journal keeps it: JSON, the names it is found by, and what search compares; written by hand, because each message pays for it */
#include "engine/journal_private.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "message/header.h"

enum { ROW_MAX = 4 << 20, RCPTS_MAX = 5000 };

/* Where the bytes go; failed: memory is out, or it is too much. */
struct sheet {
	char *data;
	size_t len, size;
	bool own;                        /* data is malloc'ed */
	int error;
};

/* Room for n more bytes. */
static bool room(struct sheet *s, size_t n)
{
	size_t size = s->size;
	char *grown;

	if (s->error != 0)
		return false;
	if (n <= s->size - s->len)
		return true;
	while (size - s->len < n)
		size *= 2;
	if (size > ROW_MAX) {
		s->error = -EMSGSIZE;
		return false;
	}
	grown = s->own ? realloc(s->data, size) : malloc(size);
	if (grown == NULL) {
		s->error = -ENOMEM;
		return false;
	}
	if (!s->own)
		memcpy(grown, s->data, s->len);
	s->data = grown;
	s->size = size;
	s->own = true;
	return true;
}

static void put(struct sheet *s, const char *text, size_t len)
{
	if (!room(s, len))
		return;
	memcpy(s->data + s->len, text, len);
	s->len += len;
}

#define PUT(s, literal) put((s), "" literal, sizeof(literal) - 1)

static void put_number(struct sheet *s, uint64_t n)
{
	char digits[24], *p = digits + sizeof(digits);

	do
		*--p = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	put(s, p, (size_t)(digits + sizeof(digits) - p));
}

/* n with at least that many digits. */
static void put_padded(struct sheet *s, unsigned n, int digits)
{
	char text[8];

	for (int i = digits - 1; i >= 0; i--, n /= 10)
		text[i] = (char)('0' + n % 10);
	put(s, text, (size_t)digits);
}

/* In thousandths: no locale has a say in it. */
static void put_fraction(struct sheet *s, double x)
{
	int64_t n = x > 1e12 ? 1000000000000000 : x < -1e12 ? -1000000000000000 : llround(x * 1000);

	if (n < 0) {
		PUT(s, "-");
		n = -n;
	}
	put_number(s, (uint64_t)n / 1000);
	if (n % 1000 != 0) {
		PUT(s, ".");
		put_padded(s, (unsigned)(n % 1000), 3);
		while (s->error == 0 && s->data[s->len - 1] == '0')
			s->len--;
	}
}

/* Where the object stays ASCII: \uXXXX. */
static char *put_unit(char *o, uint32_t unit)
{
	static const char hex[] = "0123456789abcdef";

	*o++ = '\\';
	*o++ = 'u';
	for (int shift = 12; shift >= 0; shift -= 4)
		*o++ = hex[unit >> shift & 15];
	return o;
}

/* The code point at *p of well-formed UTF-8, which is left behind. */
static uint32_t next_code_point(const unsigned char **p)
{
	unsigned char c = *(*p)++;
	int more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	uint32_t cp = more == 0 ? c : c & (0x3fu >> more);

	while (more-- > 0)
		cp = cp << 6 | (*(*p)++ & 0x3f);
	return cp;
}

/* Text is printable ASCII by contract, or (utf8) such UTF-8; anything else is written so that the object stays valid: each byte as the character of that number. */
static void put_characters(struct sheet *s, const char *text, bool utf8)
{
	char *o;

	if (!room(s, strlen(text) * 6 + 2))
		return;
	o = s->data + s->len;
	*o++ = '"';
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0';) {
		uint32_t cp = utf8 ? next_code_point(&p) : *p++;

		if (cp == '"' || cp == '\\')
			*o++ = '\\';
		if (cp >= 0x20 && cp < 0x7f) {
			*o++ = (char)cp;
		} else if (cp < 0x10000) {
			o = put_unit(o, cp);
		} else {
			o = put_unit(o, 0xd800 + ((cp - 0x10000) >> 10));
			o = put_unit(o, 0xdc00 + ((cp - 0x10000) & 0x3ff));
		}
	}
	*o++ = '"';
	s->len = (size_t)(o - s->data);
}

static void put_string(struct sheet *s, const char *text)
{
	put_characters(s, text, false);
}

/* ,"key":"value" where there is a value; key comes with all that stands before the value. */
#define PUT_FIELD(s, key, value) do { const char *value_ = (value); if (value_ != NULL) { PUT((s), ",\"" key "\":"); put_string((s), value_); } } while (0)

/* 2026-11-25T10:31:01.123456Z; days to a date as in Hinnant's civil_from_days. */
static void put_time(struct sheet *s, int64_t us)
{
	int64_t day, rest, era;
	unsigned in_era, year, in_year, month;

	if (us < 0 || us > 253402300799999999)
		us = 0;
	day = us / 86400000000 + 719468;
	rest = us % 86400000000;
	era = day / 146097;
	in_era = (unsigned)(day - era * 146097);
	year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	in_year = in_era - (365 * year + year / 4 - year / 100);
	month = (5 * in_year + 2) / 153;
	PUT(s, "\"");
	put_padded(s, year + (unsigned)era * 400 + (month >= 10), 4);
	PUT(s, "-");
	put_padded(s, month < 10 ? month + 3 : month - 9, 2);
	PUT(s, "-");
	put_padded(s, in_year - (153 * month + 2) / 5 + 1, 2);
	PUT(s, "T");
	put_padded(s, (unsigned)(rest / 3600000000), 2);
	PUT(s, ":");
	put_padded(s, (unsigned)(rest / 60000000 % 60), 2);
	PUT(s, ":");
	put_padded(s, (unsigned)(rest / 1000000 % 60), 2);
	PUT(s, ".");
	put_padded(s, (unsigned)(rest % 1000000), 6);
	PUT(s, "Z\"");
}

/* ---- the parts of the object */

static void put_bool(struct sheet *s, const char *key, size_t len, bool value)
{
	put(s, key, len);
	if (value)
		PUT(s, "true");
	else
		PUT(s, "false");
}

#define PUT_BOOL(s, key, value) put_bool((s), ",\"" key "\":", sizeof(",\"" key "\":") - 1, (value))

static void put_finding(struct sheet *s, const struct record_finding *f)
{
	PUT(s, "{\"class\":");
	put_string(s, class_row(f->finding->class)->id);
	PUT_FIELD(s, "check", f->finding->check);
	PUT_FIELD(s, "stage", stage_name(f->finding->stage));
	PUT(s, ",\"strength\":");
	put_fraction(s, f->finding->strength);
	PUT(s, ",\"weight\":");
	if (isnan(f->weight))
		PUT(s, "null");
	else
		put_fraction(s, f->weight);
	PUT_FIELD(s, "action", action_name(f->action));
	PUT_FIELD(s, "detail", f->finding->detail);
	PUT_BOOL(s, "counted", f->counted);
	PUT_BOOL(s, "observed", f->observed);
	PUT_BOOL(s, "bypassed", f->bypassed);
	PUT_BOOL(s, "decided", f->decided);
	PUT(s, "}");
}

static void put_addresses(struct sheet *s, const char **list, size_t n_list)
{
	for (size_t i = 0, n = 0; i < n_list && i < RCPTS_MAX; i++) {
		if (list[i] == NULL)
			continue;
		if (n++ > 0)
			PUT(s, ",");
		put_string(s, list[i]);
	}
}

static void put_lists(struct sheet *s, const struct record *r)
{
	PUT(s, ",\"rcpt\":[");
	put_addresses(s, r->rcpts, r->n_rcpts);
	if (r->n_dropped > 0) {
		PUT(s, "],\"blackhole\":[");
		put_addresses(s, r->dropped, r->n_dropped);
	}
	PUT(s, "]");
	if (r->n_rcpts > RCPTS_MAX) {
		PUT(s, ",\"rcpts\":");
		put_number(s, r->n_rcpts);
	}
	PUT(s, ",\"findings\":[");
	for (size_t i = 0; i < r->n_findings; i++) {
		if (i > 0)
			PUT(s, ",");
		put_finding(s, &r->findings[i]);
	}
	PUT(s, "],\"notes\":{");
	for (size_t i = 0; i < r->n_notes; i++) {
		if (i > 0)
			PUT(s, ",");
		put_string(s, r->notes[i].name);
		PUT(s, ":");
		put_string(s, r->notes[i].reason != NULL ? r->notes[i].reason : "");
	}
	PUT(s, "},\"auth\":[");
	for (size_t i = 0; i < r->n_auth; i++) {
		if (i > 0)
			PUT(s, ",");
		put_string(s, r->auth[i]);
	}
	PUT(s, "],\"times\":{");
	for (size_t i = 0; i < r->n_times; i++) {
		if (i > 0)
			PUT(s, ",");
		put_string(s, r->times[i].check);
		PUT(s, ":");
		put_number(s, r->times[i].microseconds);
	}
	PUT(s, "}");
}

static void put_body(struct sheet *s, const struct record *r)
{
	PUT(s, "{\"time\":");
	put_time(s, r->time);
	PUT_FIELD(s, "id", r->id);
	PUT_FIELD(s, "qid", r->queue_id);
	PUT_FIELD(s, "event", r->event);
	PUT_FIELD(s, "action", action_name(r->action));
	PUT_FIELD(s, "class", class_row(r->class)->id);
	PUT(s, ",\"code\":");
	put_number(s, r->code > 0 ? (uint64_t)r->code : 0);
	PUT_FIELD(s, "xcode", r->xcode);
	PUT_FIELD(s, "stage", stage_name(r->stage));
	PUT_FIELD(s, "mode", mode_name(r->mode));
	PUT_FIELD(s, "intended", action_name(r->intended));
	PUT_FIELD(s, "direction", direction_name(r->direction));
	PUT_FIELD(s, "client", r->client);
	PUT_FIELD(s, "ptr", r->ptr);
	PUT_FIELD(s, "iprev", r->iprev);
	PUT_FIELD(s, "country", r->country);
	if (r->asn != 0) {
		PUT(s, ",\"asn\":");
		put_number(s, r->asn);
	}
	PUT_FIELD(s, "as_name", r->as_name);
	PUT_FIELD(s, "helo", r->helo);
	PUT_FIELD(s, "tls", r->tls);
	PUT_FIELD(s, "user", r->user);
	PUT_FIELD(s, "from", r->from);
	PUT_FIELD(s, "policy", r->policy);
	if (r->subject != NULL) {
		PUT(s, ",\"subject\":");
		put_characters(s, r->subject, utf8_valid(r->subject, strlen(r->subject)));
	}
	PUT_FIELD(s, "msgid", r->message_id);
	if (r->size > 0) {
		PUT(s, ",\"size\":");
		put_number(s, r->size);
	}
	PUT_FIELD(s, "detail", r->detail);
	if (r->allowed)
		PUT(s, ",\"allowed\":true");
	if (r->proven)
		PUT(s, ",\"proven\":true");
	if (r->no_recipient_left)
		PUT(s, ",\"no_recipient_left\":true");
	put_lists(s, r);
	PUT(s, "}");
}

/* ---- what stands beside it */

const char *journal_name(const char *text, size_t *len_r)
{
	const char *open = strchr(text, '<'), *close = open != NULL ? strchr(open, '>') : NULL;
	size_t len;

	if (close != NULL) {
		text = open + 1;
		len = (size_t)(close - text);
	} else {
		text += strspn(text, " \t\r\n");
		len = strlen(text);
	}
	while (len > 0 && (*text == ' ' || *text == '\t')) {
		text++;
		len--;
	}
	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
		len--;
	*len_r = len;
	return text;
}

int64_t journal_hash(const char *name, size_t len)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)name[i]) * 0x100000001b3;
	return (int64_t)(h ^ h >> 32);
}

static void put_names(struct sheet *s, const struct record *r)
{
	const char *const names[] = { r->id, r->queue_id, r->message_id };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len = 0;
		const char *name = names[i] != NULL ? journal_name(names[i], &len) : NULL;

		if (len > 0) {
			put(s, name, len);
			PUT(s, "\n");
		}
	}
}

static void put_lower(struct sheet *s, const char *text)
{
	size_t len = strlen(text);

	if (!room(s, len))
		return;
	for (size_t i = 0; i < len; i++)
		s->data[s->len++] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + 32) : text[i];
}

static void put_rcpts(struct sheet *s, const struct record *r)
{
	for (size_t i = 0; i < r->n_rcpts && i < RCPTS_MAX; i++) {
		if (r->rcpts[i] == NULL)
			continue;
		put_lower(s, r->rcpts[i]);
		PUT(s, "\n");
	}
}

/* How much came since *from, and the new *from. */
static uint32_t part(const struct sheet *s, size_t *from)
{
	size_t len = s->len - *from;

	*from = s->len;
	return (uint32_t)len;
}

int journal_row_make(const struct record *record, void *space, size_t size, struct journal_row **row_r)
{
	struct journal_row head = { .time = record->time, .event = record->event, .class = class_row(record->class)->id, .action = action_name(record->action) };
	struct sheet s = { .data = space, .len = sizeof(head), .size = size };
	size_t from = s.len;

	put_names(&s, record);
	head.names = part(&s, &from);
	if (record->from != NULL)
		put_lower(&s, record->from);
	head.from = part(&s, &from);
	put_rcpts(&s, record);
	head.rcpts = part(&s, &from);
	put_body(&s, record);
	head.body = part(&s, &from);
	while (s.error == 0 && s.len % 8 != 0)
		PUT(&s, "\0");
	if (s.error != 0) {
		if (s.own)
			free(s.data);
		return s.error;
	}
	ip_parse(record->client != NULL ? record->client : "", &head.client);
	head.size = (uint32_t)s.len;
	memcpy(s.data, &head, sizeof(head));
	*row_r = (struct journal_row *)(void *)s.data;
	return 0;
}
