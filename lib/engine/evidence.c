/* evidence.c - what is written into accepted mail: X-Winnow-*, Authentication-Results; and what is removed because it is forged */
#include "engine/engine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "check/dnsbl.h"
#include "check/spf.h"
#include "engine/services.h"
#include "message/authres.h"

enum { EVIDENCE_MAX = 900, FOLD_AT = 76 };

/* ---- removal */

/* Our own ids, lower case: hostname and evidence.authserv_ids. */
static const char **own_ids(struct txn *t, size_t *n_r)
{
	const char *const *more = setting_list(t->policy, &evidence_settings[EVIDENCE_AUTHSERV_IDS]);
	size_t n = 0;
	const char **ids;

	while (more[n] != NULL)
		n++;
	ids = talloc_array(t->mem, const char *, n + 1);
	if (ids == NULL)
		return NULL;
	ids[0] = config_hostname(t->config);
	for (size_t i = 0; i < n; i++) {
		char *id = talloc_strdup(ids, more[i]);

		for (char *c = id; c != NULL && *c != '\0'; c++)
			*c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
		ids[i + 1] = id != NULL ? id : "";
	}
	*n_r = n + 1;
	return ids;
}

/* From the last to the first: each deletion renumbers the fields of that name behind it (CVE-2022-48521). A trusted relay's Authentication-Results stay. */
static void remove_forged(struct winnow_session *ws)
{
	struct txn *t = &ws->t;
	const char *prefix = setting_string(t->policy, &evidence_settings[EVIDENCE_PREFIX]);
	size_t prefix_len = strlen(prefix), n_ids = 0;
	const char **ids = own_ids(t, &n_ids);
	bool received_spf = !ws->s.trusted && setting_bool(t->policy, &evidence_settings[EVIDENCE_RECEIVED_SPF]);

	for (size_t i = t->message->n_fields; i-- > 0;) {
		const struct header_field *f = &t->message->fields[i];
		bool forged = strncasecmp(f->name, prefix, prefix_len) == 0 && f->name[prefix_len] == '-';

		if (!forged && !ws->s.trusted && ids != NULL && header_name_equal(f->name, "Authentication-Results"))
			forged = authres_is_ours(f->value, f->value_len, ids, n_ids);
		forged |= received_spf && header_name_equal(f->name, "Received-SPF");
		if (forged)
			change(t, CHANGE_DELETE_HEADER, f->name, f->index, NULL);
	}
}

/* ---- the evidence line */

struct line {
	char *text;
	size_t column, items, dropped;
};

/* Appends an item to the header value, on a line of its own where the line would get long. */
static void add_item(struct line *l, char separator, const char *word)
{
	size_t len = strlen(word);

	if (l->text == NULL)
		return;
	if (strlen(l->text) + len > EVIDENCE_MAX) {
		l->dropped++;
		return;
	}
	if (l->items++ > 0)
		l->text = talloc_asprintf_append_buffer(l->text, "%c", separator);
	if (l->items > 1 && l->column + len + 2 > FOLD_AT) {
		l->text = talloc_asprintf_append_buffer(l->text, "\n\t%s", word);
		l->column = 8 + len;
	} else {
		l->text = talloc_asprintf_append_buffer(l->text, "%s%s", separator == ',' ? "" : " ", word);
		l->column += len + 2;
	}
}

static void add_finding(TALLOC_CTX *mem, struct line *l, enum class_id class, double strength, const char *remark)
{
	char *word = talloc_asprintf(mem, "%s (%.2f%s)", class_evidence(class), strength, remark);

	if (word != NULL)
		add_item(l, ';', word);
	talloc_free(word);
}

/* Where it came from. Not in what leaves us: to strangers it would tell where our users are. */
static void add_origin(const struct txn *t, struct line *l)
{
	const struct session *s = t->session;
	char word[40];

	if (t->outbound)
		return;
	snprintf(word, sizeof(word), "country=%s", s->country);
	if (s->country[0] != '\0')
		add_item(l, ';', word);
	snprintf(word, sizeof(word), "asn=%" PRIu32, s->asn);
	if (s->asn != 0)
		add_item(l, ';', word);
}

/* Does the note tell what was done, not what was missing? Then its reason begins with a word that is shown. */
static bool is_event(const struct note *note)
{
	return strcmp(note->name, "released") == 0 || strcmp(note->name, "override") == 0;
}

static char *evidence_text(const struct txn *t, const struct verdict *v, const struct verdict_input *in)
{
	struct line l = { .text = talloc_strdup(t->mem, ""), .column = 20 };
	size_t missing = 0;

	add_finding(t->mem, &l, v->class, v->finding != NULL ? v->finding->strength : 0.0, "");
	for (size_t k = 0; k < sizeof(in->lists) / sizeof(in->lists[0]); k++) {
		for (size_t i = 0; in->lists[k] != NULL && i < in->lists[k]->n; i++) {
			const struct finding *f = &in->lists[k]->v[i];

			if (f->class != v->class && verdict_counts(f, in))
				add_finding(t->mem, &l, f->class, f->strength, policy_class(in->policy, f->class)->observe ? ", observed" : "");
		}
	}
	add_origin(t, &l);
	for (size_t i = 0; i < t->n_notes; i++) {
		const struct note *note = &t->notes[i];
		bool event = is_event(note);
		char *word = event ? talloc_asprintf(t->mem, "%s=%.*s", note->name, (int)strcspn(note->reason, " ,:;"), note->reason)
			: talloc_asprintf(t->mem, "%s%s", missing == 0 ? "unavailable=" : "", note->name);

		if (word != NULL)
			add_item(&l, event || missing == 0 ? ';' : ',', word);
		missing += !event;
	}
	if (l.dropped > 0 && l.text != NULL)
		l.text = talloc_asprintf_append_buffer(l.text, "; more=%zu", l.dropped);
	return l.text;
}

/* ---- our own fields */

static const char *mail_class(const struct verdict *v)
{
	if (v->intended <= ACT_ACCEPT)
		return v->class == CLASS_WHITELISTED ? "whitelisted" : "ham";
	if (v->intended == ACT_TEMPFAIL)
		return "unsure";                 /* it was not judged to the end */
	if (v->class == CLASS_MALWARE)
		return "virus";
	if (v->class == CLASS_PHISHING || v->class == CLASS_SAFEBROWSING)
		return "phish";
	return "spam";
}

/* Where nothing is refused the evidence names the action that was intended; a tagged message is an accepted one. */
static const char *shown_action(const struct verdict *v, const struct policy *policy)
{
	enum action action = policy_mode(policy) != MODE_ENFORCE ? v->intended : v->action;

	return action_name(action == ACT_TAG ? ACT_ACCEPT : action);
}

static void own_field(struct txn *t, const char *suffix, const char *value)
{
	char *name = talloc_asprintf(t->mem, "%s-%s%s", setting_string(t->policy, &evidence_settings[EVIDENCE_PREFIX]), t->outbound ? "Outgoing-" : "", suffix);

	if (name != NULL && value != NULL)
		change(t, CHANGE_ADD_HEADER, name, 0, value);
}

/* The last one added stands highest, so the order here is upside down. */
static void own_fields(struct winnow_session *ws, const struct verdict_input *in)
{
	struct txn *t = &ws->t;
	const struct verdict *v = &ws->decided;
	TALLOC_CTX *mem = t->mem;

	own_field(t, "ID", talloc_asprintf(mem, " %s", t->id));
	own_field(t, "Policy", talloc_asprintf(mem, " %s", printable(mem, policy_name(t->policy), 100)));
	if (policy_mode(t->policy) != MODE_ENFORCE)
		own_field(t, "Mode", talloc_asprintf(mem, " %s", mode_name(policy_mode(t->policy))));
	own_field(t, "Action", talloc_asprintf(mem, " %s", shown_action(v, t->policy)));
	own_field(t, "Evidence", evidence_text(t, v, in));
	own_field(t, "Class", talloc_asprintf(mem, " %s", mail_class(v)));
}

const char *evidence_iprev(const struct session *s)
{
	static const char *const results[] = {
		[RESOLVE_UNKNOWN] = NULL, [RESOLVE_OK] = "pass", [RESOLVE_FAIL] = "permerror", [RESOLVE_FORGED] = "fail", [RESOLVE_TEMP] = "temperror",
	};

	return s->client.family != 0 ? results[s->resolve] : NULL;
}

/* ";\n\tspf=pass smtp.mailfrom=example.com" (RFC 8601 section 2.7.2); of errors with the reason. */
static char *add_spf(TALLOC_CTX *mem, char *value, const struct spf_outcome *o, const char *property)
{
	value = talloc_asprintf_append_buffer(value, ";\n\tspf=%s", spf_result_name(o->result));
	if (value != NULL && o->problem[0] != '\0')
		value = talloc_asprintf_append_buffer(value, " reason=%s\n\t", authres_value(mem, o->problem));
	return value != NULL ? talloc_asprintf_append_buffer(value, " %s=%s", property, authres_value(mem, o->domain[0] != '\0' ? o->domain : "unknown")) : NULL;
}

/* ";\n\tdnswl=pass dns.zone=list.example policy.ip=127.0.5.2" (RFC 8904 section 2), for each allow list that holds the client. */
static char *add_dnswl(TALLOC_CTX *mem, char *value, const struct dnsbl_list *list)
{
	char codes[200];

	dnslist_codes_text(&list->answer, codes, sizeof(codes));
	return talloc_asprintf_append_buffer(value, ";\n\tdnswl=pass dns.zone=%s policy.ip=%s", authres_value(mem, list->id.shown), authres_value(mem, codes));
}

static void received_spf(struct winnow_session *ws)
{
	struct txn *t = &ws->t;
	struct spf_question q = spf_mail_identity(t);
	char *value;

	if (t->spf == NULL || !t->spf->mail_judged)
		return;
	value = spf_received(t->mem, &q, &t->spf->mail, t->null_sender ? "helo" : "mailfrom", config_hostname(t->config));
	if (value != NULL)
		change(t, CHANGE_ADD_HEADER, "Received-SPF", 0, value);
}

/* A property and its value, on a line of its own where the line would get long. *column: where the line stands. */
static char *add_property(TALLOC_CTX *mem, char *value, const char *name, const char *text, size_t *column)
{
	const char *safe = authres_value(mem, text);
	size_t len = safe != NULL ? strlen(name) + strlen(safe) + 2 : 0;
	bool fold = *column + len > FOLD_AT;

	if (value == NULL || safe == NULL || text[0] == '\0')
		return value;
	*column = fold ? 8 + len : *column + len;
	return talloc_asprintf_append_buffer(value, "%s%s=%s", fold ? "\n\t" : " ", name, safe);
}

/* Each signature that was looked at (RFC 8601 section 2.7.1), and how many were not. header.b tells those of one domain apart. */
static char *add_dkim(TALLOC_CTX *mem, char *value, const struct dkim_facts *facts)
{
	for (size_t i = 0; value != NULL && i < facts->n; i++) {
		const struct dkim_outcome *o = &facts->v[i];
		const char *reason = o->problem[0] != '\0' && o->testing ? talloc_asprintf(mem, "%s; the key is a test", o->problem) : o->problem;
		size_t column;

		value = talloc_asprintf_append_buffer(value, ";\n\tdkim=%s", dkim_result_name(o->result));
		column = 13 + strlen(dkim_result_name(o->result));
		value = add_property(mem, value, "reason", reason != NULL ? reason : "", &column);
		value = add_property(mem, value, "header.d", o->domain, &column);
		value = add_property(mem, value, "header.i", o->identity, &column);
		value = add_property(mem, value, "header.s", o->selector, &column);
		value = add_property(mem, value, "header.a", o->algorithm, &column);
		value = add_property(mem, value, "header.b", o->b, &column);
	}
	if (value != NULL && facts->beyond > 0)
		value = talloc_asprintf_append_buffer(value, ";\n\tdkim=neutral reason=\"%zu more signatures were not looked at\"", facts->beyond);
	if (value != NULL && facts->n == 0 && facts->beyond == 0)
		value = talloc_asprintf_append_buffer(value, ";\n\tdkim=none");
	return value;
}

/* RFC 8617 section 10.2: where the message was altered last, and where it came from. A chain that was not evaluated says nothing: there is no word for it. */
static char *add_arc(TALLOC_CTX *mem, char *value, const struct arc_facts *facts, const struct ip *client)
{
	char number[16], ip[IP_TEXT_MAX];
	size_t column = 18;

	value = talloc_asprintf_append_buffer(value, ";\n\tarc=%s", arc_result_name(facts->result));
	value = add_property(mem, value, "reason", facts->problem, &column);
	if (facts->result == ARC_PASS) {
		snprintf(number, sizeof(number), "%u", facts->oldest_pass);
		value = add_property(mem, value, "header.oldest-pass", number, &column);
		if (client->family != 0)
			value = add_property(mem, value, "smtp.remote-ip", ip_print(client, ip), &column);
	}
	return value;
}

/* policy.dmarc is what the domain's owner asks for; why it was not done stands in the reason. */
static char *add_dmarc(TALLOC_CTX *mem, char *value, const struct dmarc_facts *facts)
{
	const struct dmarc_outcome *o = &facts->outcome;
	size_t column = 22;

	value = talloc_asprintf_append_buffer(value, ";\n\tdmarc=%s", dmarc_result_name(o->result));
	value = add_property(mem, value, "reason", facts->override != NULL ? facts->comment : o->problem, &column);
	value = add_property(mem, value, "header.from", o->from[0] != '\0' ? o->from : facts->author.domain != NULL ? facts->author.domain : "", &column);
	if (o->result == DMARC_FAIL)
		value = add_property(mem, value, "policy.dmarc", dmarc_policy_name(o->disposition), &column);
	return value;
}

/* One field with all methods, RFC 8601 section 2.2. */
static void authentication_results(struct winnow_session *ws)
{
	struct txn *t = &ws->t;
	const char *iprev = evidence_iprev(&ws->s);
	char ip[IP_TEXT_MAX];
	char *value = talloc_asprintf(t->mem, " %s", authres_value(t->mem, config_hostname(t->config)));
	bool any = false;

	if (t->auth_user != NULL && value != NULL) {
		value = talloc_asprintf_append_buffer(value, ";\n\tauth=pass smtp.auth=%s", authres_value(t->mem, t->auth_user));
		any = true;
	}
	if (iprev != NULL && value != NULL && t->auth_user == NULL) {
		value = talloc_asprintf_append_buffer(value, ";\n\tiprev=%s policy.iprev=%s", iprev, authres_value(t->mem, ip_print(&ws->s.client, ip)));
		any = true;
	}
	if (t->spf != NULL && t->spf->mail_judged && value != NULL) {
		value = add_spf(t->mem, value, &t->spf->mail, t->null_sender ? "smtp.helo" : "smtp.mailfrom");
		any = true;
	}
	if (t->spf != NULL && t->spf->helo_judged && value != NULL) {
		value = add_spf(t->mem, value, &t->spf->helo, "smtp.helo");
		any = true;
	}
	if (t->dkim != NULL && t->dkim->done && value != NULL) {
		value = add_dkim(t->mem, value, t->dkim);
		any = true;
	}
	if (t->dmarc != NULL && t->dmarc->outcome.result != DMARC_PENDING && value != NULL) {
		value = add_dmarc(t->mem, value, t->dmarc);
		any = true;
	}
	if (t->arc != NULL && t->arc->done && t->arc->result != ARC_TEMPERROR && value != NULL) {
		value = add_arc(t->mem, value, t->arc, &ws->s.client);
		any = true;
	}
	for (size_t i = 0; t->dnsbl != NULL && i < t->dnsbl->n && value != NULL; i++) {
		if (t->dnsbl->v[i].id.kind == DNSLIST_ALLOW && t->dnsbl->v[i].rows != 0) {
			value = add_dnswl(t->mem, value, &t->dnsbl->v[i]);
			any = true;
		}
	}
	if (!any && value != NULL)
		value = talloc_asprintf_append_buffer(value, "; none");
	if (value != NULL)
		change(t, CHANGE_ADD_HEADER, "Authentication-Results", 0, value);
}

static void tag_subject(struct txn *t)
{
	const char *tag = setting_string(t->policy, &policy_settings[POLICY_TAG_SUBJECT]);
	const struct header_field *subject = message_field(t->message, "Subject", 0);
	/* as it is spelled there: Postfix writes the name that we say, Sendmail keeps its own, and a signature covers it */
	const char *name = subject != NULL && subject->name_len == strlen("Subject") ? subject->name : "Subject";
	const char *old = subject != NULL ? subject->value + strspn(subject->value, " \t") : "";
	char *value;

	if (tag[0] == '\0' || strncmp(old, tag, strlen(tag)) == 0)
		return;
	value = talloc_asprintf(t->mem, " %s%s%s", tag, tag[strlen(tag) - 1] == ' ' ? "" : " ", old);
	if (value != NULL)
		change(t, CHANGE_SET_HEADER, name, 1, value);
}

static void remove_blackholes(struct txn *t)
{
	bool left = false;

	for (size_t i = 0; i < t->n_rcpts; i++)
		left |= !t->rcpts[i]->blackhole;
	for (size_t i = 0; left && i < t->n_rcpts; i++)
		if (t->rcpts[i]->blackhole)
			change(t, CHANGE_DELETE_RECIPIENT, NULL, 0, t->rcpts[i]->raw);
}

void evidence_changes(struct winnow_session *ws, const struct verdict_input *in)
{
	struct txn *t = &ws->t;

	if (t->message != NULL)
		remove_forged(ws);
	if (policy_mode(t->policy) == MODE_ENFORCE)
		remove_blackholes(t);
	if (ws->decided.action == ACT_TAG && t->message != NULL)
		tag_subject(t);
	if (setting_bool(t->policy, &evidence_settings[t->outbound ? EVIDENCE_OUTGOING : EVIDENCE_HEADERS]))
		own_fields(ws, in);
	if (setting_bool(t->policy, &evidence_settings[EVIDENCE_AUTHENTICATION_RESULTS]))
		authentication_results(ws);
	if (setting_bool(t->policy, &evidence_settings[EVIDENCE_RECEIVED_SPF]))
		received_spf(ws);
	if (ws->decided.action == ACT_HOLD)
		change(t, CHANGE_HOLD, NULL, 0, talloc_asprintf(t->mem, "%s [%s]", class_row(ws->decided.class)->id, t->id));
}
