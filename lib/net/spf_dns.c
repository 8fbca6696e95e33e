/* spf_dns.c - libspf2, which evaluates: it is served records of plain terms with names of our own, and what it then asks is answered from the table */
#include "net/spf_private.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spf2/spf.h>
#include <spf2/spf_dns.h>
#include <spf2/spf_record.h>

/* What libspf2 sees of a check: the sender "x@r.spf", the client's address, a text such as "v=spf1 -ip4:192.0.2.0/24 +a:1.spf/24" of at most
 * SPF_PART_MAX terms, and answers about "N.spf", which is the term N of the part. No byte of a record, a name or a sender gets there. Its own limits
 * are out of reach; its results are those of one part: redirects and the counters of the whole check are ours. Its entries would give loopback clients
 * "pass" without a look at the record: its compiler and interpreter are called instead. */

enum { TEXT_MAX = SPF_PART_MAX * 64 + 8, UNREACHABLE = 1 << 30 };

struct spf_library {
	SPF_dns_server_t layer;
	SPF_server_t *server;
	/* the part that is being evaluated; an include evaluates others meanwhile */
	struct spf_frame *frame;
	const struct spf_term *terms;
	size_t n;
};

/* ---- answers */

/* The term that a name stands for, NULL: libspf2 asks for something that it was not given. */
static const struct spf_term *term_of(const struct spf_library *l, const char *name)
{
	char *end;
	unsigned long i = strtoul(name, &end, 10);

	return end != name && strcmp(end, ".spf") == 0 && i < l->n ? &l->terms[i] : NULL;
}

static SPF_dns_rr_t *give_addresses(SPF_dns_rr_t *rr, const struct ip *ips, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (SPF_dns_rr_buf_realloc(rr, (int)i, sizeof(SPF_dns_rr_data_t)) != SPF_E_SUCCESS)
			break;
		if (ips[i].family == 6)
			memcpy(&rr->rr[i]->aaaa, ips[i].addr, 16);
		else
			memcpy(&rr->rr[i]->a, ips[i].addr, 4);
		rr->num_rr = (int)i + 1;
	}
	rr->herrno = rr->num_rr > 0 ? NETDB_SUCCESS : NO_DATA;
	return rr;
}

static SPF_dns_rr_t *give_text(SPF_dns_rr_t *rr, const char *text)
{
	size_t size = strlen(text) + 1;

	if (SPF_dns_rr_buf_realloc(rr, 0, size) != SPF_E_SUCCESS)
		return rr;
	memcpy(rr->rr[0]->txt, text, size);
	rr->num_rr = 1;
	rr->herrno = NETDB_SUCCESS;
	return rr;
}

/* `exists` terms are those that match or do not; `a` terms bring addresses, which libspf2 compares; `include` a record that passes or does not. */
static void answer_term(struct spf_run *run, struct spf_library *l, const struct spf_term *term, ns_type type, SPF_dns_rr_t *rr)
{
	static const struct ip some = { .family = 4, .addr = { 127, 0, 0, 2 } };
	struct spf_frame *frame = l->frame;

	frame->asked = term;
	if (type == ns_t_txt) {
		bool match = spf_ask_match(run, frame, term);

		give_text(rr, match ? "v=spf1 +all" : "v=spf1 ?all");
	} else if (term->mechanism == SPF_MECH_A || term->mechanism == SPF_MECH_MX) {
		size_t n = 0;
		const struct ip *ips = spf_ask_addresses(run, frame, term, &n);

		/* a prefix of 0 bits was served as `exists`, which asks for A whatever the client's family: any address will do */
		if (type == ns_t_a && n > 0 && ips[0].family == 6)
			give_addresses(rr, &some, 1);
		else
			give_addresses(rr, ips, n);
	} else {
		give_addresses(rr, &some, spf_ask_match(run, frame, term) ? 1 : 0);
	}
}

/* libspf2's question. What stops the whole check ends libspf2's evaluation as a temporary error, which is then not looked at. NULL would abort the process. */
static SPF_dns_rr_t *lookup(SPF_dns_server_t *layer, const char *domain, ns_type type, int should_cache)
{
	struct spf_run *run = layer->hook;
	struct spf_library *l = run->library;
	const struct spf_term *term = term_of(l, domain);
	SPF_dns_rr_t *rr = SPF_dns_rr_new_init(layer, domain, type, 0, NO_DATA);

	(void)should_cache;
	if (rr == NULL)
		abort();                         /* as libspf2 would do with NULL: it cannot be told that there is no memory */
	if (term == NULL)
		spf_stop(run, SPF_TEMPERROR, "internal error: libspf2 asked for %.100s", domain);
	if (run->stop == SPF_NONE)
		answer_term(run, l, term, type, rr);
	if (run->stop != SPF_NONE) {
		rr->num_rr = 0;
		rr->herrno = TRY_AGAIN;
	}
	return rr;
}

/* ---- what is served */

/* ` -ip4:192.0.2.0/24`; terms that cannot match this client's family are left out. Returns what was written. */
static size_t write_network(char *out, size_t size, const struct spf_term *t, bool six)
{
	char address[IP_TEXT_MAX];
	struct in6_addr a6;

	if ((t->mechanism == SPF_MECH_IP6) != six)
		return 0;
	/* libspf2 takes no prefix of 0 bits */
	if ((six ? t->bits6 : t->bits4) == 0)
		return (size_t)snprintf(out, size, " %call", t->qualifier);
	if (!six)
		return (size_t)snprintf(out, size, " %cip4:%s/%u", t->qualifier, ip_print(&t->ip, address), t->bits4);
	/* not by ip_print, nor inet_ntop: "::ffff:192.0.2.1" is a text that libspf2 might read otherwise */
	memcpy(&a6, t->ip.addr, 16);
	return (size_t)snprintf(out, size, " %cip6:%x:%x:%x:%x:%x:%x:%x:%x/%u", t->qualifier, ntohs(a6.s6_addr16[0]), ntohs(a6.s6_addr16[1]), ntohs(a6.s6_addr16[2]),
		ntohs(a6.s6_addr16[3]), ntohs(a6.s6_addr16[4]), ntohs(a6.s6_addr16[5]), ntohs(a6.s6_addr16[6]), ntohs(a6.s6_addr16[7]), t->bits6);
}

static size_t write_term(char *out, size_t size, const struct spf_term *t, size_t i, bool six)
{
	unsigned bits = six ? t->bits6 : t->bits4;

	switch (t->mechanism) {
	case SPF_MECH_ALL:
		return (size_t)snprintf(out, size, " %call", t->qualifier);
	case SPF_MECH_IP4: case SPF_MECH_IP6:
		return write_network(out, size, t, six);
	case SPF_MECH_INCLUDE:
		return (size_t)snprintf(out, size, " %cinclude:%zu.spf", t->qualifier, i);
	case SPF_MECH_A: case SPF_MECH_MX:
		if (bits > 0)
			return (size_t)snprintf(out, size, " %ca:%zu.spf%s/%u", t->qualifier, i, six ? "/" : "", bits);
		break;
	case SPF_MECH_EXISTS: case SPF_MECH_PTR:
		break;
	}
	return (size_t)snprintf(out, size, " %cexists:%zu.spf", t->qualifier, i);
}

/* The text of a part; *n_r: how many terms it has. */
static void write_part(char text[TEXT_MAX], const struct spf_term *terms, size_t n, bool six, int *n_r)
{
	size_t used = (size_t)snprintf(text, TEXT_MAX, "v=spf1");

	*n_r = 0;
	for (size_t i = 0; i < n; i++) {
		size_t wrote = write_term(text + used, TEXT_MAX - used, &terms[i], i, six);

		used += wrote;
		*n_r += wrote > 0;
	}
}

/* ---- evaluation */

static int library_gone(struct spf_library *l)
{
	if (l->server != NULL)
		SPF_server_free(l->server);      /* not the layer: one without `destroy` is not libspf2's */
	return 0;
}

static struct spf_library *library_of(struct spf_run *run)
{
	SPF_response_t *response = NULL;
	struct spf_library *l = run->library;

	if (l != NULL)
		return l;
	l = talloc_zero(run->mem, struct spf_library);
	if (l == NULL)
		return NULL;
	talloc_set_destructor(l, library_gone);
	l->layer = (SPF_dns_server_t){ .lookup = lookup, .name = "answers", .hook = run };
	l->server = SPF_server_new_dns(&l->layer, 0);
	if (l->server == NULL) {
		talloc_free(l);
		return NULL;
	}
	SPF_server_set_max_dns_mech(l->server, UNREACHABLE);
	SPF_server_set_explanation(l->server, "-", &response);     /* else it makes a text for each refusal */
	if (response != NULL)
		SPF_response_free(response);
	SPF_server_set_rec_dom(l->server, "r.spf");
	run->library = l;
	return l;
}

static SPF_request_t *request_for(const struct spf_library *l, const struct ip *client)
{
	SPF_request_t *request = SPF_request_new(l->server);
	struct in_addr a;
	struct in6_addr a6;

	if (request == NULL)
		return NULL;
	if (client->family == 6) {
		memcpy(&a6, client->addr, 16);
		SPF_request_set_ipv6(request, a6);
	} else {
		memcpy(&a, client->addr, 4);
		SPF_request_set_ipv4(request, a);
	}
	if (SPF_request_set_env_from(request, "x@r.spf") != SPF_E_SUCCESS) {
		SPF_request_free(request);
		return NULL;
	}
	request->cur_dom = "r.spf";
	return request;
}

static enum spf_result result_of(struct spf_run *run, SPF_response_t *response)
{
	if (SPF_response_reason(response) == SPF_REASON_DEFAULT)
		return SPF_NONE;
	switch (SPF_response_result(response)) {
	case SPF_RESULT_PASS: return SPF_PASS;
	case SPF_RESULT_FAIL: return SPF_FAIL;
	case SPF_RESULT_SOFTFAIL: return SPF_SOFTFAIL;
	case SPF_RESULT_NEUTRAL: return SPF_NEUTRAL;
	default:
		/* nothing that it was served can give another */
		spf_stop(run, SPF_TEMPERROR, "internal error: libspf2 says %s", SPF_strresult(SPF_response_result(response)));
		return SPF_NONE;
	}
}

static enum spf_result interpret(struct spf_run *run, const char *text, int served)
{
	struct spf_library *l = run->library;
	SPF_request_t *request = request_for(l, &run->question->client);
	SPF_response_t *response = request != NULL ? SPF_response_new(request) : NULL;
	SPF_record_t *record = NULL;
	enum spf_result result = SPF_NONE;

	if (response == NULL) {
		spf_stop(run, SPF_TEMPERROR, "no memory");
	} else if (SPF_record_compile(l->server, response, &record, text) != SPF_E_SUCCESS || record->num_mech != served) {
		/* it drops without a word what its buffer cannot hold: parts are small enough */
		spf_stop(run, SPF_TEMPERROR, "internal error: libspf2 cannot read its part");
	} else {
		response->spf_record_exp = record;
		SPF_record_interpret(record, request, response, 0);
		if (run->stop == SPF_NONE)
			result = result_of(run, response);
	}
	if (record != NULL)
		SPF_record_free(record);
	if (response != NULL)
		SPF_response_free(response);
	if (request != NULL)
		SPF_request_free(request);
	return result;
}

enum spf_result spf_evaluate(struct spf_run *run, struct spf_frame *frame, const struct spf_term *terms, size_t n)
{
	struct spf_library *l = library_of(run), outer;
	char text[TEXT_MAX];
	enum spf_result result;
	int served;

	if (l == NULL) {
		spf_stop(run, SPF_TEMPERROR, "no memory");
		return SPF_NONE;
	}
	write_part(text, terms, n, run->question->client.family == 6, &served);
	if (served == 0)
		return SPF_NONE;
	outer = *l;
	l->frame = frame;
	l->terms = terms;
	l->n = n;
	result = interpret(run, text, served);
	l->frame = outer.frame;
	l->terms = outer.terms;
	l->n = outer.n;
	return result;
}
