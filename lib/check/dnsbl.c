/* dnsbl.c - what DNS lists say of the client: asked at connect, judged at RCPT; allow lists open there, and label at the end */
#include "check/dnsbl.h"

#include <arpa/nameser.h>
#include <string.h>
#include <strings.h>

#include "check/check.h"
#include "facts/chain.h"

static const enum class_id reports[] = {
	CLASS_XBL, CLASS_PBL, CLASS_RBL, CLASS_DNSBL_MULTIPLE, CLASS_IP_BLACKLISTED_INTERNAL, CLASS_DNSWL, CLASS_COUNT
};

/* ---- asking */

static bool skipped(const struct txn *t)
{
	const char *const *network = setting_list(t->policy, &dnsbl_settings[DNSBL_SKIP]);
	struct ipnet net;

	for (; *network != NULL; network++)
		if (ipnet_parse(*network, true, &net) && ipnet_contains(&net, &t->session->client))
			return true;
	return false;
}

static bool applies(const struct txn *t)
{
	return txn_of_stranger(t) && !skipped(t);
}

/* The answer so far; the question goes out the first time. */
static enum answer_status ask(const struct txn *t, const struct dnsbl_list *list, const char *const **records_r, size_t *n_r)
{
	char name[DNSLIST_NAME_MAX];

	*n_r = 0;
	if (!dnslist_name(name, &t->session->client, list->id.zone))
		return ANSWER_FAILED;
	return answers_get(t->session->answers, ns_t_a, name, records_r, n_r);
}

/* All of them; those that are suspended are not asked. */
static struct dnsbl_list *lists_in_use(const struct txn *t, TALLOC_CTX *mem, size_t *n_r)
{
	struct dnsbl_list *lists = dnsbl_lists(mem, policy_config(t->policy), n_r);

	for (size_t i = 0; i < *n_r && t->session->dnslist_watch != NULL; i++)
		lists[i].fault = dnslist_watch_fault(t->session->dnslist_watch, lists[i].id.kind, lists[i].id.zone);
	return lists;
}

/* The answers come while the client greets; nothing is kept but that they are asked. */
static void ask_connect(struct txn *t)
{
	const char *const *records;
	TALLOC_CTX *mem;
	size_t n, n_lists;
	struct dnsbl_list *lists;

	if (t->session->answers == NULL || !applies(t))
		return;
	mem = talloc_new(NULL);
	lists = lists_in_use(t, mem, &n_lists);
	for (size_t i = 0; i < n_lists; i++)
		if (lists[i].fault == FAULT_NONE)
			ask(t, &lists[i], &records, &n);
	talloc_free(mem);
}

/* Does no other operator's list of this kind say the same? */
static bool alone(const struct dnsbl_facts *f, const struct dnsbl_list *list)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].rows != 0 && f->v[i].id.kind == list->id.kind && strcasecmp(dnsbl_operator(&f->v[i]), dnsbl_operator(list)) != 0)
			return false;
	return true;
}

/* Tells the watch what was seen: once in a session, and never of a message that is only tried. */
static void count(struct txn *t, const struct dnsbl_facts *f)
{
	struct session *s = t->session;

	if (s->dnslist_watch == NULL || s->stats == NULL || s->dnslists_counted)
		return;
	s->dnslists_counted = true;
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].answered)
			dnslist_watch_saw(s->dnslist_watch, f->v[i].id.kind, f->v[i].id.zone, &f->v[i].answer, f->v[i].rows != 0, alone(f, &f->v[i]), &s->client);
}

static enum chain_state run(struct txn *t, void *state)
{
	struct dnsbl_facts *f = state;
	const char *const *records;
	bool pending = false;
	size_t n;

	for (size_t i = 0; i < f->n; i++) {
		struct dnsbl_list *list = &f->v[i];
		enum answer_status status;

		if (list->answered || list->fault != FAULT_NONE)
			continue;
		status = ask(t, list, &records, &n);
		pending |= status == ANSWER_PENDING;
		if (status == ANSWER_PENDING)
			continue;
		dnslist_read(list->id.kind, status, records, n, &list->answer);
		list->answered = true;
		list->rows = dnsbl_matches(t->lasting, list);
	}
	if (pending)
		return CHAIN_PENDING;
	f->judged = true;
	count(t, f);
	return CHAIN_DONE;
}

static void ask_rcpt(struct txn *t)
{
	if (t->session->answers == NULL || t->dnsbl != NULL || !applies(t))
		return;
	t->dnsbl = talloc_zero(t->lasting, struct dnsbl_facts);
	if (t->dnsbl == NULL)
		return;
	t->dnsbl->v = lists_in_use(t, t->dnsbl, &t->dnsbl->n);
	if (t->dnsbl->n > 0)
		chain_start(t, run, t->dnsbl, STAGE_RCPT);
}

/* ---- judging */

/* Does it list the client with a code of that row of its section? */
static bool says(const struct dnsbl_list *list, int row)
{
	return (list->rows & 1U << row) != 0;
}

/* Appends "Spamhaus ZEN (127.0.0.4)". */
static char *add_list(char *text, const struct dnsbl_list *list)
{
	char codes[200];

	dnslist_codes_text(&list->answer, codes, sizeof(codes));
	return talloc_asprintf_append_buffer(text, "%s%s (%s)", text != NULL && text[0] != '\0' ? ", " : "", list->id.shown, codes);
}

/* The block lists that hold the client with a code of that row, as text; NULL: none. */
static char *who_lists(const struct txn *t, int row)
{
	char *text = NULL;

	for (size_t i = 0; i < t->dnsbl->n; i++) {
		const struct dnsbl_list *list = &t->dnsbl->v[i];

		if (list->id.kind != DNSLIST_BLOCK || !says(list, row))
			continue;
		text = add_list(text != NULL ? text : talloc_strdup(t->mem, ""), list);
	}
	return text;
}

static void judge_meanings(struct txn *t)
{
	static const struct { int row; enum class_id class; } meanings[] = { { BLOCKLIST_XBL, CLASS_XBL }, { BLOCKLIST_PBL, CLASS_PBL }, { BLOCKLIST_RBL, CLASS_RBL } };
	char ip[IP_TEXT_MAX], *internal = who_lists(t, BLOCKLIST_INTERNAL);

	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		char *lists = who_lists(t, meanings[i].row);

		if (lists != NULL)
			finding_shown(t, meanings[i].class, 1.0, "%s is listed by %s", ip_print(&t->session->client, ip), lists);
	}
	if (internal != NULL)
		finding(t, CLASS_IP_BLACKLISTED_INTERNAL, 1.0, "%s is listed by %s", ip_print(&t->session->client, ip), internal);
}

/* Has one before it the same operator, and counts? */
static bool operator_counted(const struct txn *t, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (t->dnsbl->v[i].id.kind == DNSLIST_BLOCK && says(&t->dnsbl->v[i], BLOCKLIST_COUNT)
		    && strcasecmp(dnsbl_operator(&t->dnsbl->v[i]), dnsbl_operator(&t->dnsbl->v[at])) == 0)
			return true;
	return false;
}

static void judge_number(struct txn *t)
{
	int64_t operators = 0, min = setting_int(t->policy, &dnsbl_settings[DNSBL_LISTS_MIN]);
	char ip[IP_TEXT_MAX], *lists = who_lists(t, BLOCKLIST_COUNT);

	for (size_t i = 0; i < t->dnsbl->n && lists != NULL; i++)
		if (t->dnsbl->v[i].id.kind == DNSLIST_BLOCK && says(&t->dnsbl->v[i], BLOCKLIST_COUNT))
			operators += !operator_counted(t, i);
	if (lists != NULL && operators >= min)
		finding_shown(t, CLASS_DNSBL_MULTIPLE, 1.0, "%s is listed by %s", ip_print(&t->session->client, ip), lists);
}

/* The allow lists that together suffice, as text; NULL: they do not. */
static char *who_allows(const struct txn *t)
{
	int64_t lists = 0;
	bool suffices = false;
	char *text = talloc_strdup(t->mem, "");

	for (size_t i = 0; t->dnsbl != NULL && i < t->dnsbl->n; i++) {
		const struct dnsbl_list *list = &t->dnsbl->v[i];
		bool by_itself;

		if (list->id.kind != DNSLIST_ALLOW)
			continue;
		by_itself = says(list, ALLOWLIST_ALONE);
		if (!by_itself && !says(list, ALLOWLIST_COUNT))
			continue;
		suffices |= by_itself;
		lists++;
		text = add_list(text, list);
	}
	return suffices || (lists > 0 && lists >= setting_int(t->policy, &dnsbl_settings[DNSBL_ALLOW_LISTS_MIN])) ? text : NULL;
}

/* Lists that say nothing accuse nobody: they are named, all in one note. */
static void note_unusable(struct txn *t)
{
	char *text = NULL;

	for (size_t i = 0; i < t->dnsbl->n; i++) {
		const struct dnsbl_list *list = &t->dnsbl->v[i];

		if (list->fault == FAULT_NONE && list->answer.says != DNSLIST_UNUSABLE)
			continue;
		text = text == NULL ? talloc_strdup(t->mem, "") : talloc_strdup_append_buffer(text, "; ");
		text = talloc_asprintf_append_buffer(text, "%s%s: %s", list->id.shown, list->fault != FAULT_NONE ? " is suspended" : "",
			list->fault != FAULT_NONE ? dnslist_fault_text(list->fault) : dnslist_trouble_text(list->answer.trouble));
	}
	if (text != NULL)
		note(t, "dnsbl", "%s", text);
}

/* What is ignored, observed or only scores opens nothing. */
static bool may_open(const struct txn *t)
{
	const struct class_rule *rule = policy_class(t->policy, CLASS_DNSWL);

	return rule->action > ACT_SCORE && !rule->observe;
}

static void judge_rcpt(struct txn *t)
{
	if (t->dnsbl == NULL || !t->dnsbl->judged)
		return;
	note_unusable(t);
	judge_meanings(t);
	judge_number(t);
	t->rcpt->word.dnswl = may_open(t) && who_allows(t) != NULL;
}

static void judge_eom(struct txn *t)
{
	char ip[IP_TEXT_MAX], *lists;

	if (t->dnsbl == NULL || !t->dnsbl->judged)
		return;
	lists = who_allows(t);
	if (lists != NULL)
		finding(t, CLASS_DNSWL, 1.0, "%s is listed by %s", ip_print(&t->session->client, ip), lists);
}

const struct check check_dnsbl = {
	.name = "dnsbl",
	.ask = { [STAGE_CONNECT] = ask_connect, [STAGE_RCPT] = ask_rcpt },
	.judge = { [STAGE_RCPT] = judge_rcpt, [STAGE_EOM] = judge_eom },
	.settings = dnsbl_settings,
	.sections = dnsbl_sections,
	.reports = reports,
	.help = "DNS lists of clients (each has a section of its own, below)",
};
