/* spf.c - check_host() of RFC 7208 section 4: selects a record, hands its terms to libspf2 in parts, follows redirect=; result, reason, trace */
#include "net/spf_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "net/idn.h"

const char *spf_result_name(enum spf_result result)
{
	static const char *const names[] = { "pending", "none", "neutral", "pass", "fail", "softfail", "temperror", "permerror" };

	return names[result];
}

void spf_stop(struct spf_run *run, enum spf_result result, const char *format, ...)
{
	va_list args;
	char *text;

	if (run->stop != SPF_NONE)
		return;
	va_start(args, format);
	text = talloc_vasprintf(run->mem, format, args);
	va_end(args);
	run->stop = result;
	run->problem = text != NULL ? text : "no memory";
}

void spf_trace(struct spf_run *run, const char *format, ...)
{
	va_list args;

	if (run->trace == NULL)
		return;
	run->trace = talloc_asprintf_append_buffer(run->trace, "%*s", (int)run->depth * 2, "");
	va_start(args, format);
	if (run->trace != NULL)
		run->trace = talloc_vasprintf_append_buffer(run->trace, format, args);
	va_end(args);
	if (run->trace != NULL)
		run->trace = talloc_strdup_append_buffer(run->trace, "\n");
}

/* ---- one record */

static bool asks(const struct spf_term *t)
{
	return t->mechanism != SPF_MECH_ALL && t->mechanism != SPF_MECH_IP4 && t->mechanism != SPF_MECH_IP6;
}

/* A part ends with its first term that asks DNS: so it is known which one matched. */
static size_t part_size(const struct spf_record *record, size_t from)
{
	size_t n = 0;

	while (n < SPF_PART_MAX && from + n < record->n)
		if (asks(&record->terms[from + n++]))
			break;
	return n;
}

/* The term of a part that matched: the one that was asked about, which is the last; else the first that matches alone. */
static const struct spf_term *which(struct spf_run *run, struct spf_frame *frame, const struct spf_term *terms, size_t n)
{
	if (frame->asked != NULL)
		return frame->asked;
	for (size_t i = 0; i + 1 < n; i++)
		if (!asks(&terms[i]) && spf_evaluate(run, frame, &terms[i], 1) != SPF_NONE)
			return &terms[i];
	return &terms[n - 1];
}

/* SPF_NONE: no term matches, or stopped. */
static enum spf_result evaluate(struct spf_run *run, struct spf_frame *frame)
{
	const struct spf_record *record = &frame->record;

	for (size_t from = 0, n; from < record->n; from += n) {
		enum spf_result result;

		n = part_size(record, from);
		frame->asked = NULL;
		result = spf_evaluate(run, frame, record->terms + from, n);
		if (run->stop != SPF_NONE)
			return SPF_NONE;
		if (result != SPF_NONE) {
			frame->matched = which(run, frame, record->terms + from, n);
			spf_trace(run, "%.*s matches: %s", (int)frame->matched->text_len, frame->matched->text, spf_result_name(result));
			return result;
		}
	}
	return SPF_NONE;
}

/* The record of a domain, read. false: none, or stopped. */
static bool frame_of(struct spf_run *run, const char *domain, struct spf_frame *frame_r)
{
	const char *problem, *text = spf_ask_record(run, domain);

	*frame_r = (struct spf_frame){ .domain = domain };
	if (run->stop != SPF_NONE || text == NULL)
		return false;
	if (!spf_parse(run->mem, text, &frame_r->record, &problem))
		spf_stop(run, SPF_PERMERROR, "%.253s: %s", domain, problem);
	return run->stop == SPF_NONE;
}

enum spf_result spf_check_host(struct spf_run *run, const char *domain, struct spf_frame *frame_r)
{
	struct spf_frame frame = { .domain = domain };
	enum spf_result result = SPF_NONE;
	bool bare = true;                        /* nothing but redirects so far */
	bool first = true;

	for (;; first = false) {
		/* section 4.3; a name that cannot be is as one without a record */
		bool found = spf_domain_valid(domain, 2) && frame_of(run, domain, &frame);

		if (run->stop != SPF_NONE)
			break;
		if (!found && !first)
			spf_stop(run, SPF_PERMERROR, "redirect: there is no record");
		if (!found)
			break;
		run->depth++;
		result = evaluate(run, &frame);
		if (run->stop == SPF_NONE && result == SPF_NONE && frame.record.redirect != NULL && !frame.record.has_all && spf_count_term(run))
			domain = spf_ask_target(run, &frame, frame.record.redirect, frame.record.redirect_len);
		else
			domain = NULL;
		if (domain != NULL)
			spf_trace(run, "redirect=%.*s", (int)frame.record.redirect_len, frame.record.redirect);
		run->depth--;
		if (domain == NULL) {
			if (run->stop == SPF_NONE && result == SPF_NONE)
				result = SPF_NEUTRAL;
			break;
		}
		bare &= frame.record.n == 0;
	}
	if (frame_r != NULL) {
		*frame_r = frame;
		if (!bare)
			frame_r->record.n = 0;           /* the terms of others decided before: "never sends" is not said of this one */
	}
	return run->stop == SPF_NONE ? result : SPF_NONE;
}

/* ---- the entry */

static const char *copy(TALLOC_CTX *mem, const char *text, size_t len)
{
	const char *out = spf_printable(mem, text, len, 500);

	return out != NULL ? out : "";
}

static void fill(TALLOC_CTX *mem, const struct spf_run *run, const struct spf_frame *frame, enum spf_result result, struct spf_outcome *o)
{
	const struct spf_term *t = frame->matched;

	o->result = run->stop != SPF_NONE ? run->stop : result;
	o->terms = run->terms;
	o->voids = run->voids;
	if (o->result == SPF_PENDING)
		return;
	o->domain = copy(mem, run->macros.sender_domain, strlen(run->macros.sender_domain));
	if (run->stop != SPF_NONE)
		o->problem = copy(mem, run->problem, strlen(run->problem));
	else if (t != NULL)
		o->mechanism = copy(mem, t->text, t->text_len);
	o->never_sends = o->result == SPF_FAIL && frame->record.n == 1 && t != NULL && t->mechanism == SPF_MECH_ALL;
	if (run->trace != NULL)
		o->trace = talloc_steal(mem, run->trace);
}

/* Literals, and what holds blanks, control characters or 8-bit, are no domains that have records. One dot at the end was taken off before. */
static bool may_be_domain(const char *text)
{
	if (text[0] == '[' || (text[0] != '\0' && text[strlen(text) - 1] == '.'))
		return false;
	for (; *text != '\0'; text++)
		if ((unsigned char)*text <= 0x20 || (unsigned char)*text >= 0x7f)
			return false;
	return true;
}

enum spf_result spf_check(TALLOC_CTX *mem, struct answers *answers, const struct spf_question *question, struct spf_outcome *outcome_r)
{
	struct spf_run run = { .mem = talloc_new(mem), .answers = answers, .question = question, .stop = SPF_NONE, .problem = "" };
	struct spf_frame frame = { 0 };
	size_t len = strlen(question->domain);
	enum spf_result result = SPF_NONE;
	char *domain = NULL;

	*outcome_r = (struct spf_outcome){ .result = SPF_TEMPERROR, .domain = "", .mechanism = "", .problem = "no memory", .trace = "" };
	if (run.mem != NULL)
		domain = talloc_strndup(run.mem, question->domain, len > 0 && question->domain[len - 1] == '.' ? len - 1 : len);
	if (domain != NULL) {
		char *ascii = idn_ascii(run.mem, domain);        /* section 4.3: U-labels are asked for as A-labels */

		domain = ascii != NULL ? ascii : domain;
	}
	if (domain == NULL) {
		talloc_free(run.mem);
		return SPF_TEMPERROR;
	}
	outcome_r->problem = "";
	run.trace = question->trace ? talloc_strdup(run.mem, "") : NULL;
	run.macros = (struct spf_macros){
		.local = question->local[0] != '\0' ? question->local : "postmaster", .sender_domain = domain, .helo = question->helo, .client = question->client,
	};
	if (question->client.family != 0 && may_be_domain(domain))
		result = spf_check_host(&run, domain, &frame);
	fill(mem, &run, &frame, result, outcome_r);
	talloc_free(run.mem);
	return outcome_r->result;
}

/* ---- Received-SPF */

/* A dot-atom as it is, all else as a quoted-string (RFC 7208 section 9.1). */
static char *value_text(TALLOC_CTX *mem, const char *text)
{
	char *safe = spf_printable(mem, text, strlen(text), 255);
	char *out;
	size_t n = 0;

	if (safe == NULL || (safe[0] != '\0' && safe[strspn(safe, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+")] == '\0' && safe[0] != '.'))
		return safe;
	out = talloc_array(mem, char, strlen(safe) * 2 + 3);
	if (out == NULL)
		return NULL;
	out[n++] = '"';
	for (const char *c = safe; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			out[n++] = '\\';
		out[n++] = *c;
	}
	out[n++] = '"';
	out[n] = '\0';
	return out;
}

char *spf_received(TALLOC_CTX *mem, const struct spf_question *question, const struct spf_outcome *outcome, const char *identity, const char *receiver)
{
	char ip[IP_TEXT_MAX];
	char *sender = talloc_asprintf(mem, "%s@%s", question->local[0] != '\0' ? question->local : "postmaster", outcome->domain);
	char *text = talloc_asprintf(mem, " %s (%s)", spf_result_name(outcome->result), value_text(mem, receiver));

	if (sender == NULL || text == NULL)
		return NULL;
	text = talloc_asprintf_append_buffer(text, "\n\treceiver=%s; identity=%s; client-ip=%s;", value_text(mem, receiver), identity,
		value_text(mem, ip_print(&question->client, ip)));
	if (text != NULL)
		text = talloc_asprintf_append_buffer(text, "\n\tenvelope-from=%s; helo=%s;", value_text(mem, sender), value_text(mem, question->helo));
	if (text != NULL && outcome->mechanism[0] != '\0')
		text = talloc_asprintf_append_buffer(text, "\n\tmechanism=%s;", value_text(mem, outcome->mechanism));
	if (text != NULL && outcome->problem[0] != '\0')
		text = talloc_asprintf_append_buffer(text, "\n\tproblem=%s;", value_text(mem, outcome->problem));
	return text;
}
