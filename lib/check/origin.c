/* origin.c - where a client comes from: its name, confirmed (iprev), its country and network; facts for the score, evidence and log, no classes of its own
 *
 * A name that the MTA gives as verified is believed: Postfix and Sendmail have looked up the PTR and the name's addresses, and asking again tells nothing new. Only where there is none
 * do we ask, because an MTA that looks up no names (smtpd_peername_lookup = no) and one whose look-up failed say the same as one that has found no PTR. What we find then
 * stands in the session in place of the MTA's word, for all its messages. */
#include <string.h>

#include <talloc.h>

#include "check/check.h"
#include "facts/chain.h"
#include "net/geoip.h"
#include "net/ptr.h"

static const struct setting settings[] = { SETTING_ENABLED, { 0 } };

static const enum class_id reports[] = { CLASS_COUNT };

/* Strangers on their way in, at addresses that can have a PTR of public DNS. */
static bool wants_name(const struct txn *t)
{
	const struct session *s = t->session;

	return s->answers != NULL && !s->name_asked && s->resolve != RESOLVE_OK && txn_of_stranger(t) && !ip_is_private(&s->client);
}

static const char *copy(struct session *s, const char *name)
{
	return name != NULL ? talloc_strdup(s->mem, name) : NULL;
}

/* A look-up that failed leaves the question open for the session's next message. */
static void take(struct session *s, const struct ptr_outcome *o)
{
	static const enum resolve results[] = {
		[PTR_PENDING] = RESOLVE_TEMP, [PTR_PASS] = RESOLVE_OK, [PTR_FAIL] = RESOLVE_FORGED, [PTR_TEMPERROR] = RESOLVE_TEMP, [PTR_PERMERROR] = RESOLVE_FAIL,
	};

	s->resolve = results[o->result];
	s->name_asked = o->result != PTR_TEMPERROR;
	if (o->result == PTR_PASS)
		s->client_name = copy(s, o->name);
	if (s->client_ptr == NULL)
		s->client_ptr = copy(s, o->name);
}

static enum chain_state run_name(struct txn *t, void *state)
{
	struct ptr_outcome o;

	(void)state;
	if (ptr_check(t->session->answers, &t->session->client, &o) == PTR_PENDING)
		return CHAIN_PENDING;
	take(t->session, &o);
	return CHAIN_DONE;
}

static bool begun(const struct txn *t)
{
	for (size_t i = 0; i < t->n_chains; i++)
		if (t->chains[i].run == run_name)
			return true;
	return false;
}

/* ---- asking */

/* Before MAIL only the questions go out: what stands in the files costs microseconds, and is known of those too who are refused at once. Ours and submissions have a country as well:
 * the log of a stolen password shows it. */
static void ask_connect(struct txn *t)
{
	struct session *s = t->session;
	struct geoip_facts facts;
	struct ptr_outcome o;

	geoip_find(s->geoip, &s->client, &facts);
	memcpy(s->country, facts.country, sizeof(s->country));
	s->asn = facts.asn;
	if (facts.organisation[0] != '\0' && s->as_name == NULL)
		s->as_name = copy(s, facts.organisation);
	if (wants_name(t))
		(void)ptr_check(s->answers, &s->client, &o);
}

static void ask_helo(struct txn *t)
{
	struct ptr_outcome o;

	if (wants_name(t))
		(void)ptr_check(t->session->answers, &t->session->client, &o);
}

static void ask_mail(struct txn *t)
{
	if (wants_name(t) && !begun(t))
		chain_start(t, run_name, NULL, STAGE_RCPT);
}

/* ---- judging */

/* Silence is no fault of the client's. */
static void judge_rcpt(struct txn *t)
{
	if (wants_name(t) && begun(t) && t->session->resolve == RESOLVE_TEMP)
		note(t, "ptr", "no answer in time, or servers that fail");
}

const struct check check_origin = {
	.name = "origin",
	.ask = { [STAGE_CONNECT] = ask_connect, [STAGE_HELO] = ask_helo, [STAGE_MAIL] = ask_mail },
	.judge = { [STAGE_RCPT] = judge_rcpt },
	.settings = settings,
	.reports = reports,
	.help = "where a client comes from: its name (PTR, asked where the MTA has verified none), country and network",
};
