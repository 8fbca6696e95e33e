/* mail_hosts.c - where mail for a domain goes: its MX, else itself (RFC 5321 section 5.1), or nowhere (RFC 7505) */
#include "net/mail_hosts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <arpa/nameser.h>

#include "net/idn.h"

/* ---- MX records */

static int by_preference(const void *a, const void *b)
{
	const struct mx *x = a, *y = b;

	return x->preference != y->preference ? (x->preference < y->preference ? -1 : 1) : strcasecmp(x->name, y->name);
}

size_t mx_read(const char *const *records, size_t n, struct mx *mx_r, size_t *nulls_r)
{
	size_t read = 0, nulls = 0;

	for (size_t i = 0; i < n; i++) {
		char *end;
		unsigned long preference = strtoul(records[i], &end, 10);

		if (end == records[i] || *end != ' ' || preference > 65535)
			continue;
		end += strspn(end, " ");
		if (strcmp(end, ".") == 0)
			nulls++;
		else if (end[0] != '\0')
			mx_r[read++] = (struct mx){ (unsigned)preference, end };
	}
	qsort(mx_r, read, sizeof(mx_r[0]), by_preference);
	if (nulls_r != NULL)
		*nulls_r = nulls;
	return read;
}

/* ---- questions */

struct question {
	TALLOC_CTX *mem;
	struct answers *answers;
	struct mail_hosts *out;
};

struct reply {
	enum answer_status status;
	const char *const *records;
	size_t n;
};

static void failed(struct question *q, const char *type, const char *name, enum answer_status status)
{
	const char *why = talloc_asprintf(q->mem, "%s %.253s: %s", type, name, status == ANSWER_LATE ? "no answer in time" : "the name servers failed");

	if (q->out->why[0] == '\0' && why != NULL)
		q->out->why = why;
}

static struct reply ask(struct question *q, ns_type type, const char *name)
{
	struct reply r;

	r.status = answers_get(q->answers, (uint16_t)type, name, &r.records, &r.n);
	if (r.status == ANSWER_DATA && r.n == 0)
		r.status = ANSWER_FAILED;
	if (r.status == ANSWER_FAILED || r.status == ANSWER_LATE)
		failed(q, type == ns_t_mx ? "MX" : type == ns_t_a ? "A" : "AAAA", name, r.status);
	return r;
}

static size_t read_addresses(const struct reply *r, struct ip *ips)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += ip_parse(r->records[i], &ips[n]);
	return n;
}

static bool is_silent(enum answer_status status)
{
	return status == ANSWER_FAILED || status == ANSWER_LATE;
}

/* A host's addresses: both families are asked for side by side. false: an answer is missing. *exists_r (may be NULL): the name is there, with or without addresses. */
static bool find_host(struct question *q, struct mail_host *host, bool *exists_r)
{
	struct reply four, six;
	struct ip *ips;

	four = ask(q, ns_t_a, host->name);
	six = ask(q, ns_t_aaaa, host->name);
	if (four.status == ANSWER_PENDING || six.status == ANSWER_PENDING)
		return false;
	if (exists_r != NULL)
		*exists_r |= four.status == ANSWER_EMPTY || six.status == ANSWER_EMPTY;
	host->state = HOST_UNKNOWN;
	ips = talloc_array(q->mem, struct ip, four.n + six.n + 1);
	if (ips == NULL)
		return true;
	host->n_ips = read_addresses(&four, ips);
	host->n_ips += read_addresses(&six, ips + host->n_ips);
	host->ips = ips;
	if (host->n_ips > 0)
		host->state = HOST_FOUND;
	else if (!is_silent(four.status) && !is_silent(six.status))
		host->state = HOST_MISSING;
	return true;
}

/* An address where a name should stand: MTAs take it. */
static bool is_literal(struct question *q, struct mail_host *host)
{
	struct ip ip;

	if (!ip_parse(host->name, &ip))
		return false;
	host->ips = talloc_memdup(q->mem, &ip, sizeof(ip));
	host->n_ips = host->ips != NULL;
	host->state = host->n_ips > 0 ? HOST_FOUND : HOST_UNKNOWN;
	return true;
}

/* ---- the domain */

/* No MX: the domain is its own host. exists: what is known of its name so far. Servers that say NXDOMAIN of a type they do not know are believed only when
 * the addresses are missing too. */
static enum mail_state implicit_host(struct question *q, const char *name, bool exists)
{
	struct mail_host *host = talloc_zero(q->mem, struct mail_host);

	if (host == NULL)
		return MAIL_UNKNOWN;
	host->name = name;
	q->out->implicit = true;
	q->out->hosts = host;
	q->out->n = 1;
	if (!find_host(q, host, &exists))
		return MAIL_PENDING;
	switch (host->state) {
	case HOST_FOUND: return MAIL_TO_HOSTS;
	case HOST_MISSING: return exists ? MAIL_NO_RECORDS : MAIL_NO_NAME;
	default: return MAIL_UNKNOWN;
	}
}

static enum mail_state hosts_of_records(struct question *q, const struct reply *r, bool addresses)
{
	struct mx *mx = talloc_array(q->mem, struct mx, r->n);
	struct mail_host *hosts = talloc_zero_array(q->mem, struct mail_host, MAIL_HOSTS_MAX);
	bool pending = false;
	size_t n, nulls;

	if (mx == NULL || hosts == NULL)
		return MAIL_UNKNOWN;
	n = mx_read(r->records, r->n, mx, &nulls);
	if (n == 0)
		return nulls > 0 ? MAIL_NULL_MX : MAIL_UNKNOWN;
	q->out->cut = n > MAIL_HOSTS_MAX;
	q->out->hosts = hosts;
	q->out->n = q->out->cut ? MAIL_HOSTS_MAX : n;
	for (size_t i = 0; i < q->out->n; i++) {
		hosts[i].name = mx[i].name;
		hosts[i].preference = mx[i].preference;
		if (addresses && !is_literal(q, &hosts[i]))
			pending |= !find_host(q, &hosts[i], NULL);
	}
	return pending ? MAIL_PENDING : MAIL_TO_HOSTS;
}

static enum mail_state find(struct question *q, const char *domain, enum mail_question question)
{
	const char *name = idn_ascii(q->mem, domain);
	struct reply mx;

	if (name == NULL) {
		q->out->why = "it cannot be written as a name of DNS";
		return MAIL_UNKNOWN;
	}
	if (question == MAIL_ASK_HOST)
		return implicit_host(q, name, false);
	mx = ask(q, ns_t_mx, name);
	switch (mx.status) {
	case ANSWER_PENDING: return MAIL_PENDING;
	case ANSWER_DATA: return hosts_of_records(q, &mx, question == MAIL_ASK_ADDRESSES);
	case ANSWER_EMPTY: case ANSWER_NXDOMAIN: return implicit_host(q, name, mx.status == ANSWER_EMPTY);
	default: return MAIL_UNKNOWN;
	}
}

enum mail_state mail_hosts(TALLOC_CTX *mem, struct answers *answers, const char *domain, enum mail_question question, struct mail_hosts *hosts_r)
{
	struct question q = { .mem = mem, .answers = answers, .out = hosts_r };

	*hosts_r = (struct mail_hosts){ .why = "" };
	hosts_r->state = find(&q, domain, question);
	if (hosts_r->state == MAIL_UNKNOWN && hosts_r->why[0] == '\0')
		hosts_r->why = "records that cannot be read, or no memory";
	return hosts_r->state;
}

bool mail_hosts_missing(const struct mail_hosts *hosts)
{
	if (hosts->cut)
		return false;
	for (size_t i = 0; i < hosts->n; i++)
		if (hosts->hosts[i].state != HOST_MISSING)
			return false;
	return hosts->n > 0;
}
