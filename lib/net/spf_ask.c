/* spf_ask.c - what the terms of a record ask: records, addresses, mail hosts, the client's names; limits are counted here, over the whole check */
#include "net/spf_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/mail_hosts.h"
#include "net/ptr.h"

enum { SHOWN = 8 };                      /* records of an answer in the trace */

struct answer {
	enum answer_status status;
	const char *const *records;
	size_t n;
};

static const char *type_name(uint16_t type)
{
	switch (type) {
	case DNS_A: return "A";
	case DNS_AAAA: return "AAAA";
	case DNS_MX: return "MX";
	case DNS_PTR: return "PTR";
	default: return "TXT";
	}
}

static void trace_answer(struct spf_run *run, uint16_t type, const char *name, const struct answer *a)
{
	static const char *const status[] = {
		[ANSWER_PENDING] = ": asked", [ANSWER_DATA] = "", [ANSWER_EMPTY] = ": no such record", [ANSWER_NXDOMAIN] = ": no such name", [ANSWER_FAILED] = ": failed",
		[ANSWER_LATE] = ": no answer in time",
	};
	char *shown;

	if (run->trace == NULL)
		return;
	shown = spf_printable(run->mem, name, strlen(name), SPF_NAME_LEN_MAX);
	spf_trace(run, "%s %s%s", type_name(type), shown != NULL ? shown : "", status[a->status]);
	for (size_t i = 0; i < a->n && i < SHOWN; i++) {
		shown = spf_printable(run->mem, a->records[i], strlen(a->records[i]), 2000);
		spf_trace(run, "    %s", shown != NULL ? shown : "");
	}
	if (a->n > SHOWN)
		spf_trace(run, "    and %zu more", a->n - SHOWN);
}

static bool is_void(const struct answer *a)
{
	return a->status == ANSWER_EMPTY || a->status == ANSWER_NXDOMAIN;
}

/* A name that came of macros, in presentation form: there a backslash is an escape. */
static const char *presentation(struct spf_run *run, const char *name)
{
	char *out;
	size_t n = 0;

	if (strchr(name, '\\') == NULL)
		return name;
	out = talloc_array(run->mem, char, strlen(name) * 2 + 1);
	if (out == NULL)
		return "";
	for (; *name != '\0'; name++) {
		if (*name == '\\')
			out[n++] = '\\';
		out[n++] = *name;
	}
	out[n] = '\0';
	return out;
}

/* Asks the table; the dot at the end of a name is no part of it. */
static struct answer ask(struct spf_run *run, uint16_t type, const char *name)
{
	struct answer a = { .status = ANSWER_EMPTY };
	size_t n = strlen(name);

	if (n > 0 && name[n - 1] == '.')
		name = talloc_strndup(run->mem, name, n - 1);
	a.status = name != NULL ? answers_get(run->answers, type, name, &a.records, &a.n) : ANSWER_FAILED;
	if (a.status == ANSWER_DATA && a.n == 0)
		a.status = ANSWER_FAILED;
	return a;
}

static void pend(struct spf_run *run)
{
	spf_stop(run, SPF_PENDING, "an answer is missing");
}

/* The same for a term: a missing answer, a failure and the third void look-up end the check. false: stopped, or the name cannot be asked for. */
static bool ask_for_term(struct spf_run *run, uint16_t type, const char *name, struct answer *a_r)
{
	*a_r = (struct answer){ .status = ANSWER_EMPTY };
	if (!spf_domain_valid(name, 1)) {
		spf_trace(run, "%s: no name that can be asked for", type_name(type));
		return false;
	}
	*a_r = ask(run, type, name);
	if (a_r->status == ANSWER_PENDING) {
		pend(run);
		return false;
	}
	trace_answer(run, type, name, a_r);
	if (a_r->status == ANSWER_FAILED || a_r->status == ANSWER_LATE) {
		char *shown = spf_printable(run->mem, name, strlen(name), SPF_NAME_LEN_MAX);

		spf_stop(run, SPF_TEMPERROR, "%s %s: %s", type_name(type), shown != NULL ? shown : "", a_r->status == ANSWER_LATE ? "no answer in time" : "the name servers failed");
		return false;
	}
	if (is_void(a_r) && run->depth > 0 && ++run->voids > SPF_VOIDS_MAX)
		spf_stop(run, SPF_PERMERROR, "more than %d void look-ups", SPF_VOIDS_MAX);
	return run->stop == SPF_NONE;
}

bool spf_count_term(struct spf_run *run)
{
	if (++run->terms > SPF_TERMS_MAX)
		spf_stop(run, SPF_PERMERROR, "more than %d terms that ask DNS", SPF_TERMS_MAX);
	return run->stop == SPF_NONE;
}

const char *spf_ask_record(struct spf_run *run, const char *domain)
{
	const char *found = NULL;
	struct answer a;

	if (!ask_for_term(run, DNS_TXT, presentation(run, domain), &a))
		return NULL;
	for (size_t i = 0; i < a.n; i++) {
		if (!spf_is_record(a.records[i]))
			continue;
		if (found != NULL) {
			spf_stop(run, SPF_PERMERROR, "%.253s has two records", domain);
			return NULL;
		}
		found = a.records[i];
	}
	return found;
}

/* ---- names of the client */

/* Does name equal domain, or end in it behind a dot? A dot at the end of either does not matter. */
static bool is_below(const char *name, const char *domain)
{
	size_t n = strlen(name), d = strlen(domain);

	n -= n > 0 && name[n - 1] == '.';
	d -= d > 0 && domain[d - 1] == '.';
	return d > 0 && n >= d && strncasecmp(name + n - d, domain, d) == 0 && (n == d || name[n - d - 1] == '.');
}

static uint16_t address_type(const struct spf_run *run)
{
	return run->question->client.family == 6 ? DNS_AAAA : DNS_A;
}

/* The client's names by PTR, the first ten; failures are as if there were none (section 5.5). false: stopped. */
static bool client_names(struct spf_run *run, bool for_macro, struct answer *a_r)
{
	char name[PTR_QUESTION_MAX];

	ptr_question(&run->question->client, name);
	*a_r = ask(run, DNS_PTR, name);
	if (a_r->status == ANSWER_PENDING) {
		pend(run);
		return false;
	}
	trace_answer(run, DNS_PTR, name, a_r);
	if (is_void(a_r) && !(for_macro && run->name_counted)) {
		run->name_counted |= for_macro;
		if (++run->voids > SPF_VOIDS_MAX)
			spf_stop(run, SPF_PERMERROR, "more than %d void look-ups", SPF_VOIDS_MAX);
	}
	if (a_r->n > SPF_PTR_MAX)
		a_r->n = SPF_PTR_MAX;
	return run->stop == SPF_NONE;
}

/* Has one of the answers the client's address? */
static bool holds_client(const struct spf_run *run, const struct answer *a)
{
	struct ip ip;

	for (size_t i = 0; i < a->n; i++)
		if (ip_parse(a->records[i], &ip) && ip_equal(&ip, &run->question->client))
			return true;
	return false;
}

/* Which of the names are the client's own, by their addresses: good[i]. Those not below `domain` are not asked for unless all is set. false: stopped. */
static bool validate_names(struct spf_run *run, const struct answer *names, const char *domain, bool all, bool good[SPF_PTR_MAX])
{
	bool pending = false;

	for (size_t i = 0; i < names->n; i++) {
		struct answer a;

		good[i] = false;
		if (!spf_domain_valid(names->records[i], 1) || (!all && !is_below(names->records[i], domain)))
			continue;
		a = ask(run, address_type(run), names->records[i]);
		if (a.status != ANSWER_PENDING)
			trace_answer(run, address_type(run), names->records[i], &a);
		pending |= a.status == ANSWER_PENDING;
		good[i] = holds_client(run, &a);
	}
	if (pending)
		pend(run);
	return run->stop == SPF_NONE;
}

/* The value of %{p} (section 7.3): the domain itself, a name below it, any, "unknown" (NULL). */
static const char *validated_name(struct spf_run *run, const char *domain)
{
	bool good[SPF_PTR_MAX] = { false };
	const char *best = NULL;
	struct answer names;
	int rank = 0;

	if (!client_names(run, true, &names) || !validate_names(run, &names, domain, true, good))
		return NULL;
	for (size_t i = 0; i < names.n; i++) {
		int r = !good[i] ? 0 : !is_below(names.records[i], domain) ? 1 : is_below(domain, names.records[i]) ? 3 : 2;

		if (r > rank) {
			rank = r;
			best = names.records[i];
		}
	}
	return best != NULL ? talloc_strndup(run->mem, best, strlen(best) - (best[strlen(best) - 1] == '.')) : NULL;
}

static bool match_ptr(struct spf_run *run, const char *domain)
{
	bool good[SPF_PTR_MAX] = { false };
	struct answer names;

	if (!client_names(run, false, &names) || !validate_names(run, &names, domain, false, good))
		return false;
	for (size_t i = 0; i < names.n; i++)
		if (good[i])
			return true;
	return false;
}

/* ---- terms */

const char *spf_ask_target(struct spf_run *run, const struct spf_frame *frame, const char *spec, size_t len)
{
	struct spf_macros macros = run->macros;
	char *name;

	if (spec == NULL)
		return frame->domain;
	macros.domain = frame->domain;
	if (spf_macro_wants_name(spec, len)) {
		macros.validated = validated_name(run, frame->domain);
		if (run->stop != SPF_NONE)
			return NULL;
	}
	name = spf_macro_expand(run->mem, &macros, spec, len);
	if (name == NULL)
		spf_stop(run, SPF_TEMPERROR, "no memory");
	return name;
}

/* Adds the addresses of the client's family. */
static void add_addresses(struct spf_run *run, const struct answer *a, struct ip **ips, size_t *n)
{
	struct ip *grown = talloc_realloc(run->mem, *ips, struct ip, *n + a->n + 1);

	if (grown == NULL) {
		spf_stop(run, SPF_TEMPERROR, "no memory");
		return;
	}
	*ips = grown;
	for (size_t i = 0; i < a->n; i++)
		if (ip_parse(a->records[i], &grown[*n]) && grown[*n].family == run->question->client.family)
			++*n;
}

/* Section 5.4: an address look-up for each mail host, then the comparison. All are asked side by side. */
static void mx_addresses(struct spf_run *run, const char *name, struct ip **ips, size_t *n)
{
	struct mx hosts[SPF_MX_MAX];     /* in their order: what is found first does not depend on the order of the answer */
	struct answer a;
	size_t n_hosts;

	if (!ask_for_term(run, DNS_MX, presentation(run, name), &a))
		return;
	if (a.n > SPF_MX_MAX) {
		spf_stop(run, SPF_PERMERROR, "mx: more than %d mail hosts", SPF_MX_MAX);
		return;
	}
	n_hosts = mx_read(a.records, a.n, hosts, NULL);
	for (size_t i = 0; i < n_hosts; i++)
		if (spf_domain_valid(hosts[i].name, 1))
			ask(run, address_type(run), hosts[i].name);
	for (size_t i = 0; i < n_hosts && run->stop == SPF_NONE; i++)
		if (ask_for_term(run, address_type(run), hosts[i].name, &a))
			add_addresses(run, &a, ips, n);
}

const struct ip *spf_ask_addresses(struct spf_run *run, const struct spf_frame *frame, const struct spf_term *term, size_t *n_r)
{
	const char *name;
	struct ip *ips = NULL;
	struct answer a;

	*n_r = 0;
	if (!spf_count_term(run))
		return NULL;
	name = spf_ask_target(run, frame, term->spec, term->spec_len);
	if (name == NULL)
		return NULL;
	if (term->mechanism == SPF_MECH_MX)
		mx_addresses(run, name, &ips, n_r);
	else if (ask_for_term(run, address_type(run), presentation(run, name), &a))
		add_addresses(run, &a, &ips, n_r);
	return ips;
}

/* Section 5.2 */
static bool match_include(struct spf_run *run, const char *name)
{
	enum spf_result result = spf_check_host(run, name, NULL);

	if (run->stop == SPF_NONE && result == SPF_NONE) {
		char *shown = spf_printable(run->mem, name, strlen(name), SPF_NAME_LEN_MAX);

		spf_stop(run, SPF_PERMERROR, "include: %s has no record", shown != NULL ? shown : "");
	}
	return result == SPF_PASS;
}

bool spf_ask_match(struct spf_run *run, const struct spf_frame *frame, const struct spf_term *term)
{
	const char *name;
	struct answer a;

	if (!spf_count_term(run))
		return false;
	name = spf_ask_target(run, frame, term->spec, term->spec_len);
	if (name == NULL)
		return false;
	switch (term->mechanism) {
	case SPF_MECH_INCLUDE: return match_include(run, name);
	case SPF_MECH_PTR: return match_ptr(run, name);
	default: return ask_for_term(run, DNS_A, presentation(run, name), &a) && a.status == ANSWER_DATA;    /* A whatever the client's family (section 5.7) */
	}
}
