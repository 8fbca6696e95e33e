/* release.c - a copy goes to its recipients after all: over SMTP to an MTA, with its envelope and a ticket */
#include "quarantine/release.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "quarantine/quarantine_private.h"
#include "quarantine/ticket.h"
#include "util/clock.h"

struct run {
	const struct release_order *order;
	TALLOC_CTX *mem;
	struct quarantine_entry entry;
	char *data;
	size_t len;
	char *top;                       /* the field with the ticket */
	struct smtp_client *smtp;
	struct release_report *report;
};

static struct release_word word_of(const struct run *x)
{
	const struct smtp_reply *r = smtp_reply(x->smtp);
	char *text = talloc_strdup(x->mem, r->text);

	for (char *p = text; p != NULL && *p != '\0'; p++)
		*p = *p == '\n' ? ' ' : *p;
	return (struct release_word){ r->code, talloc_strdup(x->mem, r->xcode), text != NULL ? text : "" };
}

static void stop(struct run *x, enum release_outcome outcome, const char *step, const char *reason, const char *remedy)
{
	x->report->outcome = outcome;
	x->report->step = step;
	x->report->reason = reason != NULL ? reason : "out of memory";
	x->report->remedy = remedy;
}

/* What a step came to: true if the reply is of the wanted kind (2: 2yz, 3: 3yz); else the report says why not. */
static bool went_well(struct run *x, const char *step, int r, int wanted)
{
	const struct release_word word = word_of(x);

	x->report->word = r == 0 ? word : (struct release_word){ 0, "", "" };
	if (r != 0) {
		bool ours = r == -EINVAL || r == -EOPNOTSUPP;

		stop(x, ours ? RELEASE_REFUSED : RELEASE_LATER, step, talloc_strdup(x->mem, smtp_error(x->smtp)),
			ours ? "release it to another address (--to)" : "is quarantine.release the address of an MTA that takes mail from this machine?");
		return false;
	}
	if (word.code / 100 == wanted)
		return true;
	stop(x, word.code / 100 == 4 ? RELEASE_LATER : RELEASE_REFUSED, step, talloc_asprintf(x->mem, "%s: %d %s%s%s", step, word.code, word.xcode, word.xcode[0] != '\0' ? " " : "", word.text),
		word.code / 100 == 4 ? "try again later" : "the MTA's log says more");
	return false;
}

/* ---- connection */

static bool connected(struct run *x)
{
	struct ip ips[SMTP_ADDRESSES_MAX];
	const char *error;
	int r = -ENOENT;
	size_t n = smtp_resolve(x->order->host, ips, &error);

	if (n == 0) {
		stop(x, RELEASE_LATER, "connection", talloc_asprintf(x->mem, "%s: %s", x->order->host, error), "is quarantine.release right?");
		return false;
	}
	for (size_t i = 0; i < n && r != 0; i++)
		r = smtp_connect(x->smtp, &ips[i], x->order->port);
	return went_well(x, "connection", r, 2) && went_well(x, "EHLO", smtp_hello(x->smtp, x->order->hello), 2);
}

/* ---- envelope */

static bool has_eight_bit(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)data[i] >= 0x80)
			return true;
	return false;
}

static bool ascii(const char *text)
{
	return !has_eight_bit(text, strlen(text));
}

static bool list_recipients(struct run *x)
{
	struct release_report *report = x->report;
	const char *const one[] = { x->order->to, NULL };
	const char *const *list = x->order->to != NULL ? one : x->entry.recipients;
	size_t n = 0;

	while (list != NULL && list[n] != NULL)
		n++;
	report->rcpts = talloc_zero_array(x->mem, struct release_rcpt, n > 0 ? n : 1);
	if (n == 0 || report->rcpts == NULL) {
		stop(x, RELEASE_REFUSED, "RCPT", "its recipients are not known", "release it to an address (--to)");
		return false;
	}
	report->n_rcpts = n;
	for (size_t i = 0; i < n; i++)
		report->rcpts[i] = (struct release_rcpt){ list[i], false, { 0, "", "" } };
	return true;
}

/* Says each recipient; true if at least one was taken and the connection holds. */
static bool said_recipients(struct run *x)
{
	struct release_report *report = x->report;
	bool any = false;

	for (size_t i = 0; i < report->n_rcpts; i++) {
		struct release_rcpt *rcpt = &report->rcpts[i];
		int r = smtp_rcpt(x->smtp, rcpt->address);

		if (r == -EINVAL || r == -EOPNOTSUPP) {
			rcpt->word = (struct release_word){ 553, "", talloc_strdup(x->mem, smtp_error(x->smtp)) };
			continue;
		}
		if (r != 0)
			return went_well(x, "RCPT", r, 2);
		rcpt->word = word_of(x);
		rcpt->taken = rcpt->word.code / 100 == 2;
		any |= rcpt->taken;
	}
	return any;
}

/* Some recipient was not taken: the whole is refused if that is for good, else it can be tried again. */
static void judge_recipients(struct run *x)
{
	struct release_report *report = x->report;
	enum release_outcome worst = RELEASE_DONE;
	const struct release_rcpt *which = NULL;

	for (size_t i = 0; i < report->n_rcpts; i++) {
		const struct release_rcpt *rcpt = &report->rcpts[i];
		enum release_outcome o = rcpt->taken ? RELEASE_DONE : rcpt->word.code / 100 == 4 ? RELEASE_LATER : RELEASE_REFUSED;

		if (o > worst) {
			worst = o;
			which = rcpt;
		}
	}
	if (which != NULL) {
		if (!report->taken)
			report->word = which->word;
		stop(x, worst, "RCPT", talloc_asprintf(x->mem, "%s: %d %s%s%s", which->address, which->word.code, which->word.xcode, which->word.xcode[0] != '\0' ? " " : "", which->word.text),
			worst == RELEASE_LATER ? "try again later, for those with --to" : "the MTA's log says more; another address can be named with --to");
	}
}

/* ---- the message */

static bool sent(struct run *x)
{
	int r;

	if (!went_well(x, "DATA", smtp_data(x->smtp), 3))
		return false;
	r = smtp_write(x->smtp, x->top, strlen(x->top));
	if (r == 0)
		r = smtp_write(x->smtp, x->data, x->len);
	if (r == 0)
		r = smtp_end(x->smtp);
	return went_well(x, "message", r, 2);
}

/* The MTA has it: whatever happens now, that is what has to be said. */
static int mark_released(struct quarantine *q, const struct run *x, int64_t now, char **error_r)
{
	int r = quarantine_mark(q, x->entry.id, QUARANTINE_RELEASED, now, error_r);
	char *why = *error_r;

	if (r == 0)
		return 0;
	/* deleted meanwhile, or expired: there is nothing left to mark */
	*error_r = r == -ENOENT ? NULL : talloc_asprintf(NULL, "the MTA has taken %s, but it could not be marked as released: %s", x->entry.id, why != NULL ? why : strerror(-r));
	talloc_free(why);
	return r == -ENOENT ? 0 : r;
}

static int speak(struct quarantine *q, struct run *x, char **error_r)
{
	struct release_report *report = x->report;
	const char *sender = x->entry.sender != NULL ? x->entry.sender : "";
	struct smtp_mail mail = { .size = strlen(x->top) + x->len, .eight_bit = has_eight_bit(x->data, x->len) };
	int64_t (*now)(void) = x->order->now != NULL ? x->order->now : clock_wall;
	int r;

	for (size_t i = 0; i < report->n_rcpts; i++)
		mail.utf8 |= !ascii(report->rcpts[i].address);
	if (!connected(x) || !went_well(x, "MAIL", smtp_mail(x->smtp, sender, &mail), 2))
		return 0;
	if (!said_recipients(x)) {
		if (report->step == NULL)
			judge_recipients(x);
		return 0;
	}
	/* before its bytes go: the MTA may ask us of it before it says that it took it */
	r = quarantine_mark(q, x->entry.id, QUARANTINE_RELEASING, now(), error_r);
	if (r != 0)
		return r;
	if (!sent(x)) {
		for (size_t i = 0; i < report->n_rcpts; i++)
			if (report->rcpts[i].taken)
				report->rcpts[i].word = report->word;
		return 0;
	}
	report->taken = true;
	judge_recipients(x);
	return mark_released(q, x, now(), error_r);
}

/* The key, made where there is none yet, for whom the quarantine belongs to. 0 or -errno with *error_r. */
static int ticket(struct quarantine *q, struct run *x, char **error_r)
{
	const char *path = x->order->key_path;
	uint8_t key[TICKET_KEY];
	char text[TICKET_TEXT];
	struct stat st;
	int r = ticket_key_read(path, key);

	if (r == -ENOENT && fstat(q->spool.top, &st) == 0) {
		r = ticket_key_make(path, geteuid() == 0 ? st.st_uid : 0, st.st_gid);
		if (r == 0)
			r = ticket_key_read(path, key);
	}
	if (r != 0) {
		*error_r = talloc_asprintf(NULL, "quarantine.ticket_key %s: %s; without it released mail would be caught again", path, r == -EBADMSG ? "it is no key of 32 bytes; remove it" : strerror(-r));
		return r;
	}
	if (!ticket_write(key, x->entry.id, x->data, x->len, text))
		return -ENOMEM;
	x->top = talloc_asprintf(x->mem, "%s: %s %s\r\n", x->order->field, x->entry.id, text);
	return x->top != NULL ? 0 : -ENOMEM;
}

int quarantine_release(struct quarantine *q, TALLOC_CTX *mem, const struct release_order *order, struct release_report *report_r, char **error_r)
{
	struct run x = { .order = order, .mem = mem, .report = report_r };
	int r;

	*report_r = (struct release_report){ .word = { 0, "", "" } };
	r = quarantine_show(q, mem, order->id, &x.entry, &x.data, &x.len, error_r);
	if (r != 0)
		return r;
	report_r->before = x.entry.released;
	r = ticket(q, &x, error_r);
	if (r != 0 || !list_recipients(&x))
		return r;
	x.smtp = smtp_new(order->limits);
	if (x.smtp == NULL)
		return -ENOMEM;
	r = speak(q, &x, error_r);
	for (size_t i = 0; i < report_r->n_rcpts && !report_r->taken; i++)
		report_r->rcpts[i].taken = false;        /* it was, for a while */
	(void)smtp_quit(x.smtp);
	smtp_free(x.smtp);
	return r;
}
