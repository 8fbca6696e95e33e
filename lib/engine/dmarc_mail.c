/* dmarc_mail.c - an aggregate report as a message (RFC 9990 section 3.5), and its way to the MTA */
#include "engine/dmarc_mail.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "facts/finding.h"

enum { LINE_OCTETS = 57, TOTAL_MS = 300000 };        /* 76 characters of base64 */

/* ---- the message */

static void put_base64(FILE *f, const unsigned char *data, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		unsigned n = (unsigned)data[i] << 16 | (i + 1 < len ? (unsigned)data[i + 1] << 8 : 0) | (i + 2 < len ? data[i + 2] : 0);

		putc(digits[n >> 18], f);
		putc(digits[n >> 12 & 63], f);
		putc(i + 1 < len ? digits[n >> 6 & 63] : '=', f);
		putc(i + 2 < len ? digits[n & 63] : '=', f);
		if (i % LINE_OCTETS == LINE_OCTETS - 3 || i + 3 >= len)
			fputs("\r\n", f);
	}
}

/* A quoted string of a display name. */
static void put_name(FILE *f, const char *name)
{
	putc('"', f);
	for (const unsigned char *p = (const unsigned char *)name; *p != '\0'; p++)
		putc(*p < 0x20 || *p >= 0x7f || *p == '"' || *p == '\\' ? '?' : *p, f);
	putc('"', f);
}

static void put_time(FILE *f, int64_t seconds, bool day_only)
{
	time_t t = (time_t)seconds;
	char text[64];
	struct tm tm;

	gmtime_r(&t, &tm);
	if (day_only)
		strftime(text, sizeof(text), "%Y-%m-%d", &tm);
	else
		strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S +0000", &tm);
	fputs(text, f);
}

static void put_header(FILE *f, const struct dmarc_mail *m)
{
	fputs("From: ", f);
	put_name(f, m->org);
	fprintf(f, " <%s>\r\nTo: <%s>\r\nSubject: Report Domain: %s\r\n\tSubmitter: %s\r\n\tReport-ID: <%s>\r\nDate: ", m->sender, m->to, m->domain, m->submitter, m->id);
	put_time(f, m->now, false);
	/* the report's own: sent again it is the same message */
	fprintf(f, "\r\nMessage-ID: <%s>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"dmarc-report\"\r\n\r\n", m->id);
}

char *dmarc_mail_text(TALLOC_CTX *mem, const struct dmarc_mail *m)
{
	char *text = NULL, *copy;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (f == NULL)
		return NULL;
	put_header(f, m);
	fprintf(f, "--dmarc-report\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nThis is a DMARC aggregate report (RFC 9990) for %s of ", m->domain);
	put_time(f, m->begin, true);
	fprintf(f, " (UTC), by %s.\r\n\r\n--dmarc-report\r\nContent-Type: application/gzip\r\nContent-Transfer-Encoding: base64\r\n"
		"Content-Disposition: attachment;\r\n\tfilename=\"%s!%s!%lld!%lld.xml.gz\"\r\n\r\n", m->submitter, m->submitter, m->domain, (long long)m->begin, (long long)m->end);
	put_base64(f, (const unsigned char *)m->gz, m->gz_len);
	fputs("\r\n--dmarc-report--\r\n", f);
	copy = fclose(f) == 0 ? talloc_strdup(mem, text) : NULL;
	free(text);
	return copy;
}

/* ---- its way */

struct way {
	TALLOC_CTX *mem;
	struct smtp_client *smtp;
	enum dmarc_mail_outcome outcome;
	const char *word;
};

/* Did the server say yes (2yz; 3yz at DATA)? If not, that is the outcome. */
static bool good(struct way *w, int result, int wanted, bool connecting)
{
	const struct smtp_reply *reply = smtp_reply(w->smtp);

	if (result != 0) {
		bool ours = result == -EINVAL || result == -EOPNOTSUPP;

		w->outcome = ours ? DMARC_MAIL_REFUSED : connecting ? DMARC_MAIL_UNREACHABLE : DMARC_MAIL_LATER;
		w->word = printable(w->mem, smtp_error(w->smtp), 300);
		return false;
	}
	w->word = printable(w->mem, talloc_asprintf(w->mem, "%d %s%s%s", reply->code, reply->xcode, reply->xcode[0] != '\0' ? " " : "", reply->text), 300);
	w->outcome = reply->code / 100 == wanted ? DMARC_MAIL_SENT : connecting ? DMARC_MAIL_UNREACHABLE : reply->code / 100 == 5 ? DMARC_MAIL_REFUSED : DMARC_MAIL_LATER;
	return w->outcome == DMARC_MAIL_SENT;
}

static bool connected(struct way *w, const char *host, uint16_t port, const char *hello)
{
	struct ip ips[SMTP_ADDRESSES_MAX];
	const char *error;
	size_t n = smtp_resolve(host, ips, &error);
	int result = -ENOENT;

	if (n == 0) {
		w->outcome = DMARC_MAIL_UNREACHABLE;
		w->word = talloc_asprintf(w->mem, "%s: %s", host, error);
		return false;
	}
	for (size_t i = 0; i < n && result != 0; i++)
		result = smtp_connect(w->smtp, &ips[i], port);
	return good(w, result, 2, true) && good(w, smtp_hello(w->smtp, hello), 2, true);
}

static void speak(struct way *w, const struct dmarc_mail *mail, const char *text)
{
	const struct smtp_mail options = { .size = strlen(text) };
	int result;

	if (!good(w, smtp_mail(w->smtp, mail->sender, &options), 2, false) || !good(w, smtp_rcpt(w->smtp, mail->to), 2, false) || !good(w, smtp_data(w->smtp), 3, false))
		return;
	result = smtp_write(w->smtp, text, strlen(text));
	good(w, result == 0 ? smtp_end(w->smtp) : result, 2, false);
}

enum dmarc_mail_outcome dmarc_mail_send(TALLOC_CTX *mem, const char *host, uint16_t port, const char *hello, const struct dmarc_mail *mail, const char *text, const char **word_r)
{
	const struct smtp_limits limits = { .total = TOTAL_MS };
	struct way w = { .mem = mem, .smtp = smtp_new(&limits), .outcome = DMARC_MAIL_LATER, .word = "out of memory" };

	if (w.smtp != NULL && connected(&w, host, port, hello))
		speak(&w, mail, text);
	if (w.smtp != NULL)
		(void)smtp_quit(w.smtp);
	smtp_free(w.smtp);
	*word_r = w.word != NULL ? w.word : "";
	return w.outcome;
}
