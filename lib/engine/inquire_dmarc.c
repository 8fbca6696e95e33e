/* inquire_dmarc.c - `winnowctl dmarc report`: aggregate reports (RFC 9990) from the history, shown or sent */
#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "check/dmarc.h"
#include "check/ours.h"
#include "engine/dmarc_mail.h"
#include "engine/network.h"
#include "engine/services.h"
#include "net/dmarc_report.h"
#include "util/clock.h"
#include "util/domain.h"
#include "util/gzip.h"

enum { XML_MAX = 64 << 20, GZ_MAX = 8 << 20, ASK_US = 30000000, REMEMBER_FROM = 10, REMEMBER_TO = 60 };

struct sending {
	struct winnow_engine *engine;
	const struct winnow_dmarc_report *how;
	TALLOC_CTX *mem;
	struct config *config;
	const struct policy *policy;
	const char *history, *sender, *org, *host, *mta;
	uint16_t port;
	int64_t begin;                   /* of the day, seconds since 1970 */
	char day[16];
	int sent_fd;                     /* what was sent: lines "DOMAIN ADDRESS" */
	char *sent;
	FILE *text;
	json_t *json;                    /* NULL: text */
	bool unreachable, later, refused;
	char *error;
};

static void fail(struct sending *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void fail(struct sending *s, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (s->error == NULL && vasprintf(&s->error, format, ap) < 0)
		s->error = NULL;
	va_end(ap);
}

/* ---- the history */

static void take(void *reports, const struct dmarc_row *row)
{
	dmarc_reports_add(reports, row);
}

/* 0 or -errno. Nobody writes meanwhile: the writer waits for this lock. */
static int read_file(const char *path, struct dmarc_reports *reports)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), result;
	FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;

	if (f == NULL)
		return -errno;
	(void)flock(fd, LOCK_SH);
	result = dmarc_history_read(f, take, reports);
	fclose(f);
	return result;
}

/* The file, and the one that logrotate has made of it last. */
static int read_history(struct sending *s, struct dmarc_reports *reports)
{
	const char *older = talloc_asprintf(s->mem, "%s.1", s->history);
	int result = older != NULL ? read_file(older, reports) : -ENOMEM, newer;

	if (result != 0 && result != -ENOENT) {
		fail(s, "%s: %s", older, strerror(-result));
		return result;
	}
	newer = read_file(s->history, reports);
	if (newer == -ENOENT && result == 0)
		newer = 0;                       /* just rotated, and nothing came since */
	if (newer != 0)
		fail(s, "dmarc.history: %s: %s", s->history, strerror(-newer));
	return newer;
}

/* Is it, or a domain above it, one that we take mail for, or the reports' own? */
static bool ours(const struct sending *s, const char *domain)
{
	struct txn t = { .policy = s->policy, .mem = s->mem, .config = s->config };
	const char *at = strrchr(s->sender, '@');

	if (at != NULL && domain_within(domain, at + 1))
		return true;
	for (unsigned n = domain_labels(domain); n >= 2; n--) {
		enum ours answer = domain_is_ours(&t, domain_last_labels(domain, n));

		if (answer == OURS_YES || answer == OURS_UNAVAILABLE)
			return true;
	}
	return false;
}

/* ---- what was sent before */

static char *sent_path(const struct sending *s, int64_t begin)
{
	time_t seconds = (time_t)begin;
	char day[16];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	return talloc_asprintf(s->mem, "%s.sent-%s", s->history, day);
}

static bool open_sent(struct sending *s)
{
	char *path = sent_path(s, s->begin);
	ssize_t n = -1;
	off_t size;

	s->sent_fd = path != NULL ? open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640) : -1;
	if (s->sent_fd >= 0 && flock(s->sent_fd, LOCK_EX | LOCK_NB) != 0) {
		fail(s, "another winnowctl is sending the reports of %s", s->day);
		return false;
	}
	size = s->sent_fd >= 0 ? lseek(s->sent_fd, 0, SEEK_END) : -1;
	s->sent = size >= 0 ? talloc_zero_size(s->mem, (size_t)size + 2) : NULL;
	if (s->sent != NULL) {
		s->sent[0] = '\n';
		n = pread(s->sent_fd, s->sent + 1, (size_t)size, 0);
	}
	if (n < 0) {
		fail(s, "%s: %s; what was sent is remembered there", path != NULL ? path : s->history, strerror(errno));
		return false;
	}
	for (int days = REMEMBER_FROM; days < REMEMBER_TO; days++) {
		char *old = sent_path(s, s->begin - days * (int64_t)DMARC_REPORT_DAY);

		if (old != NULL)
			(void)unlink(old);
		talloc_free(old);
	}
	return true;
}

static bool was_sent(const struct sending *s, const char *domain, const char *address)
{
	char *line = talloc_asprintf(s->mem, "\n%s %s\n", domain, address);
	bool found = line != NULL && strstr(s->sent, line) != NULL;

	talloc_free(line);
	return found;
}

/* On disk before the next one goes: a run that is broken off goes on here. */
static void remember(struct sending *s, const char *domain, const char *address)
{
	char *line = talloc_asprintf(s->mem, "%s %s\n", domain, address);

	if (line == NULL || write(s->sent_fd, line, strlen(line)) != (ssize_t)strlen(line) || fdatasync(s->sent_fd) != 0)
		fail(s, "what was sent cannot be remembered: %s; the next run would send it again", strerror(errno));
}

/* ---- a report */

static char *make_id(const struct sending *s, const char *domain)
{
	return talloc_asprintf(s->mem, "%s.%s@%s", s->day, domain, s->host);
}

static char *document(struct sending *s, const struct dmarc_report *report, size_t size_max)
{
	struct dmarc_report_head head = { .org = s->org, .email = s->sender, .id = make_id(s, report->domain), .generator = "winnow " WINNOW_VERSION, .begin = s->begin };

	return head.id != NULL ? dmarc_report_xml(s->mem, report, &head, size_max) : NULL;
}

/* Compressed, and small enough for a mail. */
static char *compressed(struct sending *s, const struct dmarc_report *report, size_t *len_r)
{
	char *gz = NULL;

	for (size_t max = XML_MAX; max > 65536; max /= 2) {
		char *xml = document(s, report, max);

		gz = xml != NULL ? gzip(s->mem, xml, strlen(xml), len_r) : NULL;
		talloc_free(xml);
		if (gz == NULL || *len_r <= GZ_MAX)
			break;
		TALLOC_FREE(gz);
	}
	return gz;
}

/* Whom it may go to; waits for DNS. */
static enum dmarc_report_to whom(struct sending *s, const char *domain, const char *uri, const char **address, const char **why)
{
	const struct suffix_list *suffixes = strcmp(setting_string(s->policy, &dmarc_settings[DMARC_SETTING_DISCOVERY]), "psl") == 0 ? s->engine->suffixes : NULL;
	struct answers *answers = answers_new(s->engine->asker);
	int64_t deadline = clock_mono() + ASK_US;
	enum dmarc_report_to to = DMARC_TO_LATER;
	uint64_t seen = 0;

	*why = "out of memory";
	while (answers != NULL && (to = dmarc_report_to(s->mem, answers, suffixes, domain, uri, address, why)) == DMARC_TO_PENDING) {
		if (answers_wait(answers, &seen, deadline))
			continue;
		answers_late(answers, true);
		to = dmarc_report_to(s->mem, answers, suffixes, domain, uri, address, why);
		break;
	}
	if (answers != NULL)
		answers_unref(answers);
	return to;
}

static void say(struct sending *s, const struct dmarc_report *report, const char *to, const char *outcome, const char *word)
{
	if (s->json != NULL)
		json_array_append_new(s->json, json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "day", s->day, "domain", report->domain, "to", printable(s->mem, to, 600), "outcome", outcome,
			"reason", printable(s->mem, word, 600), "messages", (json_int_t)report->messages, "records", (json_int_t)report->n));
	else
		fprintf(s->text, "%s %s %s: %s%s%s%s (%" PRIu64 " messages, %zu records)\n", s->day, report->domain, printable(s->mem, to, 600), outcome, word[0] != '\0' ? " (" : "",
			printable(s->mem, word, 600), word[0] != '\0' ? ")" : "", report->messages, report->n);
}

static void send_to(struct sending *s, const struct dmarc_report *report, const char *address, const char *gz, size_t gz_len)
{
	struct dmarc_mail mail = {
		.sender = s->sender, .org = s->org, .submitter = s->host, .to = address, .domain = report->domain, .id = make_id(s, report->domain), .begin = s->begin,
		.end = s->begin + DMARC_REPORT_DAY - 1, .now = clock_wall() / 1000000, .gz = gz, .gz_len = gz_len,
	};
	enum dmarc_mail_outcome outcome = DMARC_MAIL_UNREACHABLE;
	const char *word = "the MTA cannot be reached";
	char *text;

	if (was_sent(s, report->domain, address)) {
		say(s, report, address, "was sent before", "");
		return;
	}
	text = gz != NULL && mail.id != NULL ? dmarc_mail_text(s->mem, &mail) : NULL;
	if (text == NULL) {
		outcome = DMARC_MAIL_LATER;
		word = "out of memory";
	} else if (!s->unreachable) {
		outcome = dmarc_mail_send(s->mem, s->mta, s->port, s->host, &mail, text, &word);
	}
	talloc_free(text);
	s->unreachable |= outcome == DMARC_MAIL_UNREACHABLE;
	s->later |= outcome == DMARC_MAIL_LATER || outcome == DMARC_MAIL_UNREACHABLE;
	s->refused |= outcome == DMARC_MAIL_REFUSED;
	if (outcome == DMARC_MAIL_SENT)
		remember(s, report->domain, address);
	say(s, report, address, outcome == DMARC_MAIL_SENT ? "sent" : outcome == DMARC_MAIL_REFUSED ? "refused" : "not sent, try again later", word);
}

static void send_report(struct sending *s, const struct dmarc_report *report)
{
	char *uris = talloc_strdup(s->mem, report->rua), *save = NULL;
	size_t gz_len = 0;
	char *gz = uris != NULL ? compressed(s, report, &gz_len) : NULL;

	for (char *uri = uris != NULL ? strtok_r(uris, ",", &save) : NULL; uri != NULL && s->error == NULL; uri = strtok_r(NULL, ",", &save)) {
		const char *addresses = NULL, *why;
		enum dmarc_report_to to = whom(s, report->domain, uri, &addresses, &why);
		char *list = to == DMARC_TO_YES ? talloc_strdup(s->mem, addresses) : NULL, *next = NULL;

		s->later |= to == DMARC_TO_LATER;
		if (to != DMARC_TO_YES)
			say(s, report, uri, to == DMARC_TO_LATER ? "not sent, try again later" : "not sent", why);
		for (char *one = list != NULL ? strtok_r(list, ",", &next) : NULL; one != NULL && s->error == NULL; one = strtok_r(NULL, ",", &next))
			send_to(s, report, one, gz, gz_len);
	}
	talloc_free(uris);
	talloc_free(gz);
}

/* ---- all of them */

static void each_report(struct sending *s, const struct dmarc_report *list, size_t n)
{
	for (size_t i = 0; i < n && s->error == NULL; i++) {
		if (list[i].rua[0] == '\0' || ours(s, list[i].domain) || (s->how->domain != NULL && strcasecmp(s->how->domain, list[i].domain) != 0))
			continue;
		if (s->how->print) {
			char *xml = document(s, &list[i], XML_MAX);

			fputs(xml != NULL ? xml : "", s->text);
			talloc_free(xml);
		} else {
			send_report(s, &list[i]);
		}
	}
}

/* The day: that of how, or yesterday. false: it is not over, and would be sent in part. */
static bool set_day(struct sending *s)
{
	int64_t now = clock_wall() / 1000000, today = now - now % DMARC_REPORT_DAY, wanted = s->how->day / 1000000;
	time_t seconds;
	struct tm tm;

	s->begin = s->how->day == 0 ? today - DMARC_REPORT_DAY : wanted - wanted % DMARC_REPORT_DAY;
	seconds = (time_t)s->begin;
	gmtime_r(&seconds, &tm);
	strftime(s->day, sizeof(s->day), "%Y-%m-%d", &tm);
	if (s->begin >= today && !s->how->print)
		fail(s, "%s (UTC) is not over: its reports can be shown (--print), and sent tomorrow", s->day);
	return s->error == NULL;
}

static bool set_up(struct sending *s)
{
	const char *org;
	char *host = NULL;

	s->policy = config_default_policy(s->config);
	s->history = setting_string(s->policy, &dmarc_settings[DMARC_SETTING_HISTORY]);
	s->sender = setting_string(s->policy, &dmarc_settings[DMARC_SETTING_REPORT_SENDER]);
	s->host = config_hostname(s->config);
	org = setting_string(s->policy, &dmarc_settings[DMARC_SETTING_REPORT_ORG]);
	s->org = org[0] != '\0' ? org : s->host;
	if (s->history[0] == '\0')
		fail(s, "dmarc.history is not set: there is nothing to report from; name a file there");
	else if (s->sender[0] == '\0' && !s->how->print)
		fail(s, "dmarc.report_sender is not set: no reports are sent (--print shows them); name the address there that they come from");
	else if (!smtp_url_parse(s->mem, setting_string(s->policy, &quarantine_settings[QUARANTINE_RELEASE]), &host, &s->port))
		fail(s, "quarantine.release is no address of an MTA");
	if (s->sender[0] == '\0')
		s->sender = talloc_asprintf(s->mem, "postmaster@%s", s->host);
	s->mta = host;
	return s->error == NULL && s->sender != NULL && set_day(s);
}

/* DNS: beside a daemon we have no resolver of its. */
static int report_all(struct sending *s)
{
	struct dmarc_reports *reports = dmarc_reports_new(s->mem, s->begin);
	const struct dmarc_report *list;
	char *error = NULL;
	size_t n = 0;
	int result;

	if (reports == NULL)
		return -ENOMEM;
	result = read_history(s, reports);
	if (result != 0)
		return result;
	list = dmarc_reports_end(reports, &n);
	if (dmarc_reports_left_out(reports) > 0 && s->json == NULL && !s->how->print)
		fprintf(s->text, "%s: %" PRIu64 " messages are left out: too many different ones\n", s->day, dmarc_reports_left_out(reports));
	if (!s->how->print) {
		if (!open_sent(s))
			return -EBUSY;
		result = s->engine->asker == NULL ? network_open(s->engine, s->config, &error) : 0;
		if (result != 0) {
			fail(s, "%s", error != NULL ? error : "no resolver");
			talloc_free(error);
			return result;
		}
	}
	if (list != NULL)
		each_report(s, list, n);
	return s->error != NULL ? -EIO : s->later ? -EAGAIN : s->refused ? -EREMOTEIO : 0;
}

int winnow_dmarc_report(struct winnow_engine *engine, const struct winnow_dmarc_report *how, bool json, char **text_r, char **error_r)
{
	struct sending s = { .engine = engine, .how = how, .mem = talloc_new(NULL), .config = engine_config(engine), .sent_fd = -1, .json = json && !how->print ? json_array() : NULL };
	bool own = engine->asker == NULL;
	size_t len = 0;
	int result = -EINVAL;

	*text_r = *error_r = NULL;
	s.text = open_memstream(text_r, &len);
	if (s.text != NULL && s.mem != NULL && set_up(&s))
		result = report_all(&s);
	if (own) {
		network_close(engine);
		engine->asker = NULL;
	}
	if (s.sent_fd >= 0)
		close(s.sent_fd);
	if (s.text != NULL)
		fclose(s.text);
	if (s.json != NULL) {
		free(*text_r);
		*text_r = json_dumps(s.json, JSON_INDENT(1));
		json_decref(s.json);
	}
	*error_r = s.error;
	config_unref(s.config);
	talloc_free(s.mem);
	return result;
}
