/* dkim_select.c - which signatures of a message are verified, and which of its fields they cover: whatever stands there, the work is bounded */
#include "net/dkim_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/domain.h"

static const char signature_field[] = "DKIM-Signature";

bool dkim_field_is(const struct dkim_field *f, const char *name, size_t len)
{
	size_t n = f->name_len;

	while (n > 0 && (f->name[n - 1] == ' ' || f->name[n - 1] == '\t'))
		n--;
	return n == len && strncasecmp(f->name, name, len) == 0;
}

/* ---- order */

/* How many labels do they have in common, from the right? */
static unsigned common_labels(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b), i = 0;
	unsigned labels = 0;

	for (; i < n && i < m; i++) {
		int x = a[n - 1 - i] | 0x20, y = b[m - 1 - i] | 0x20;

		if (x != y)
			return labels;
		labels += a[n - 1 - i] == '.';
	}
	return labels + ((i == n || a[n - 1 - i] == '.') && (i == m || b[m - 1 - i] == '.'));
}

/* Near to From first: the same domain, one above or below, a sister of two labels. What is aligned in the end, DMARC says: organizational domains are a question of their own. */
static int rank_of(const char *d, const struct dkim_options *o)
{
	int best = 3;

	for (size_t i = 0; i < o->n_from; i++) {
		const char *from = o->from[i];
		int rank = strcasecmp(d, from) == 0 ? 0 : domain_within(d, from) || domain_within(from, d) ? 1 : common_labels(d, from) >= 2 ? 2 : 3;

		if (rank < best)
			best = rank;
	}
	return best;
}

static int by_rank(const void *a, const void *b)
{
	const struct dkim_candidate *x = *(struct dkim_candidate *const *)a, *y = *(struct dkim_candidate *const *)b;

	return x->rank != y->rank ? x->rank - y->rank : x->field < y->field ? -1 : 1;
}

static bool same_key(const struct dkim_signature *a, const struct dkim_signature *b)
{
	return strcmp(a->d, b->d) == 0 && strcmp(a->s, b->s) == 0 && strcmp(a->algorithm, b->algorithm) == 0;
}

/* ---- selection */

/* A hash of the body that no other selected signature needs is one more pass over it. */
static bool body_is_affordable(struct dkim_candidate *const *order, size_t before, const struct dkim_candidate *c)
{
	size_t different = 0;

	for (size_t i = 0; i < before; i++) {
		const struct dkim_signature *s = &order[i]->sig;
		bool known = false;

		if (!order[i]->verify)
			continue;
		if (s->relaxed_body == c->sig.relaxed_body && s->l == c->sig.l)
			return true;
		for (size_t k = 0; k < i && !known; k++)
			known = order[k]->verify && order[k]->sig.relaxed_body == s->relaxed_body && order[k]->sig.l == s->l;
		different += !known;
	}
	return different < DKIM_BODIES_MAX;
}

/* Marks those that are verified. Signatures that cannot be have a result already, and are shown up to the same number. */
static void choose(struct dkim_candidate **order, size_t n, const struct dkim_options *o, struct dkim_selection *sel)
{
	size_t verified = 0, others = 0;

	for (size_t i = 0; i < n; i++) {
		struct dkim_candidate *c = order[i];
		bool duplicate = false;

		for (size_t k = 0; k < i && c->sig.result == DKIM_PENDING && !duplicate; k++)
			duplicate = order[k]->verify && same_key(&order[k]->sig, &c->sig);
		if (duplicate) {
			sel->duplicates++;
			continue;
		}
		if (c->sig.result == DKIM_PENDING && verified < o->signatures_max && !body_is_affordable(order, i, c)) {
			c->sig.result = DKIM_NEUTRAL;
			c->sig.problem = "too many different hashes of the body";
		}
		if (c->sig.result == DKIM_PENDING ? verified >= o->signatures_max : others >= o->signatures_max) {
			sel->beyond++;
			continue;
		}
		c->shown = true;
		c->verify = c->sig.result == DKIM_PENDING;
		verified += c->verify;
		others += !c->verify;
	}
	sel->verified = verified;
}

bool dkim_select(TALLOC_CTX *mem, const struct dkim_field *fields, size_t n, const struct dkim_options *o, struct dkim_selection *sel)
{
	struct dkim_candidate **order;
	size_t read;

	*sel = (struct dkim_selection){ 0 };
	for (size_t i = 0; i < n; i++)
		sel->fields += dkim_field_is(&fields[i], signature_field, sizeof(signature_field) - 1);
	if (sel->fields == 0)
		return true;
	read = sel->fields < DKIM_READ_MAX ? sel->fields : DKIM_READ_MAX;
	sel->beyond = sel->fields - read;
	sel->v = talloc_zero_array(mem, struct dkim_candidate, read);
	order = talloc_array(sel->v, struct dkim_candidate *, read);
	if (order == NULL)
		return false;
	for (size_t i = 0; i < n && sel->n < read; i++) {
		struct dkim_candidate *c = &sel->v[sel->n];

		if (!dkim_field_is(&fields[i], signature_field, sizeof(signature_field) - 1))
			continue;
		if (!dkim_signature_parse(sel->v, fields[i].value, fields[i].value_len, o->now, &c->sig))
			return false;
		if (o->incomplete && c->sig.result == DKIM_PENDING) {
			c->sig.result = DKIM_NEUTRAL;
			c->sig.problem = "the header is too long";
		}
		c->field = i;
		c->rank = rank_of(c->sig.d, o);
		order[sel->n++] = c;
	}
	qsort(order, sel->n, sizeof(order[0]), by_rank);
	choose(order, sel->n, o, sel);
	talloc_free(order);
	return true;
}

/* ---- the fields that are covered */

struct need {
	const char *name;
	size_t len;
	size_t count;                    /* how many fields of that name are wanted, from below */
	const struct dkim_candidate *of;
};

static int by_name(const void *a, const void *b)
{
	const struct need *x = a, *y = b;
	int c = strncasecmp(x->name, y->name, x->len < y->len ? x->len : y->len);

	return c != 0 ? c : x->len != y->len ? (x->len < y->len ? -1 : 1) : 0;
}

static int by_name_and_signature(const void *a, const void *b)
{
	const struct need *x = a, *y = b;
	int c = by_name(a, b);

	return c != 0 ? c : x->of != y->of ? (x->of < y->of ? -1 : 1) : 0;
}

/* One row for each name: the largest number of times that one signature names it. */
static size_t merge(struct need *needs, size_t n)
{
	size_t rows = 0;

	qsort(needs, n, sizeof(needs[0]), by_name_and_signature);
	for (size_t i = 0; i < n;) {
		size_t count = 1, next = i + 1;

		while (next < n && by_name_and_signature(&needs[i], &needs[next]) == 0) {
			count++;
			next++;
		}
		if (rows > 0 && by_name(&needs[rows - 1], &needs[i]) == 0) {
			if (count > needs[rows - 1].count)
				needs[rows - 1].count = count;
		} else {
			needs[rows] = needs[i];
			needs[rows++].count = count;
		}
		i = next;
	}
	return rows;
}

static struct need *collect(TALLOC_CTX *mem, const struct dkim_selection *sel, size_t *n_r)
{
	struct need *needs;
	size_t total = 1, n = 0;

	for (size_t i = 0; i < sel->n; i++)
		total += sel->v[i].verify ? sel->v[i].sig.names : 0;
	needs = talloc_array(mem, struct need, total);
	for (size_t i = 0; needs != NULL && i < sel->n; i++) {
		const char *list = sel->v[i].sig.h, *end = list + strlen(list), *name;
		size_t len;

		if (!sel->v[i].verify)
			continue;
		while ((name = dkim_list_next(&list, end, &len)) != NULL)
			needs[n++] = (struct need){ .name = name, .len = len, .of = &sel->v[i] };
	}
	*n_r = needs != NULL ? merge(needs, n) : 0;
	return needs;
}

/* A DKIM-Signature field that is covered is fed to libopendkim as a signature too, and then ignored: only such as were read without a fault, and not many. */
static bool signature_is_wanted(const struct dkim_selection *sel, size_t field, bool covered, size_t *covered_n)
{
	for (size_t i = 0; i < sel->n; i++) {
		const struct dkim_candidate *c = &sel->v[i];

		if (c->field != field)
			continue;
		if (!c->verify && covered && c->sig.result != DKIM_NEUTRAL)
			return ++*covered_n <= DKIM_COVERED_MAX;
		return c->verify;
	}
	return false;
}

bool dkim_wanted_fields(TALLOC_CTX *mem, const struct dkim_selection *sel, const struct dkim_field *fields, size_t n, bool *wanted, size_t *octets_r)
{
	size_t rows, covered = 0;
	struct need *needs = collect(mem, sel, &rows);

	*octets_r = 0;
	if (needs == NULL)
		return false;
	for (size_t i = n; i-- > 0;) {
		struct need key = { .name = fields[i].name, .len = fields[i].name_len }, *need;

		while (key.len > 0 && (key.name[key.len - 1] == ' ' || key.name[key.len - 1] == '\t'))
			key.len--;
		need = bsearch(&key, needs, rows, sizeof(needs[0]), by_name);
		if (need != NULL && need->count > 0) {
			need->count--;
			wanted[i] = true;
		}
		if (dkim_field_is(&fields[i], signature_field, sizeof(signature_field) - 1))
			wanted[i] = signature_is_wanted(sel, i, wanted[i], &covered);
		if (wanted[i])
			*octets_r += fields[i].name_len + fields[i].value_len + 1;
	}
	talloc_free(needs);
	return true;
}
