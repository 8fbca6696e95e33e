/* destination.c - where a recipient's mail goes: the MX of domains that are not ours, the routes of those that are (RFC 5321 section 5.1) */
#include "check/destination.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "check/listed.h"
#include "check/ours.h"
#include "facts/chain.h"
#include "net/mail_hosts.h"
#include "policy/global.h"
#include "policy/policy.h"
#include "policy/route.h"

struct destination {
	bool ours;                       /* it has a route; else a stranger's domain */
	const char *name;                /* that is asked for */
	enum mail_question question;
	struct route route;              /* where ours */
	TALLOC_CTX *mem;                 /* of the last run */
	struct mail_hosts hosts;         /* MAIL_PENDING: nothing was asked, or nothing came */
};

/* ---- asking */

static enum chain_state run(struct txn *t, void *state)
{
	struct destination *d = state;

	talloc_free(d->mem);
	d->mem = talloc_new(d);
	return mail_hosts(d->mem, t->session->answers, d->name, d->question, &d->hosts) == MAIL_PENDING ? CHAIN_PENDING : CHAIN_DONE;
}

/* The domain's route: its section's, else the table's. false: it has none that can be read. */
static bool find_route(struct txn *t, const char *domain, struct route *route_r)
{
	const struct domain *section = config_domain(policy_config(t->policy), domain);
	const char *text = section != NULL ? section->route : "";

	if (text[0] == '\0' && !listed(t, "routes", table_lookup_domain(setting_table(t->policy, &global_settings[G_ROUTES]), domain, t->mem, &text)))
		return false;
	if (route_parse(text, route_r))
		return true;
	if (text[0] != '\0')
		note(t, "routes", "\"%.100s\" of %.150s is no route: %s", text, domain, route_fault(text));
	return false;
}

/* A name without a dot stands in the hosts file, if anywhere: DNS says nothing of it. */
static bool is_in_dns(const char *host)
{
	return strchr(host, '.') != NULL;
}

/* What is to be known of the domain; false: nothing. */
static bool wanted(struct txn *t, const char *domain, struct destination *d)
{
	switch (domain_is_ours(t, domain)) {
	case OURS_NO:
		d->question = MAIL_ASK_ADDRESSES;
		d->name = domain;
		return t->session->answers != NULL;
	case OURS_YES: case OURS_UNTOLD:
		d->ours = true;
		if (!find_route(t, domain, &d->route))
			return false;
		d->question = d->route.mx ? MAIL_ASK_ADDRESSES : MAIL_ASK_HOST;
		d->name = d->route.host;
		return true;
	default:
		return false;
	}
}

void destination_ask(struct txn *t)
{
	const struct address *a = &t->rcpt->address;
	struct destination *d;

	if (t->outbound || !t->rcpt->valid || a->domain[0] == '\0' || a->domain[0] == '[' || t->rcpt->destination != NULL)
		return;
	d = talloc_zero(t->rcpt, struct destination);
	if (d == NULL || !wanted(t, a->domain, d)) {
		talloc_free(d);
		return;
	}
	t->rcpt->destination = d;
	if (t->session->answers == NULL || d->route.ip.family != 0 || !is_in_dns(d->name))
		return;
	/* most answers are there at once; a chain outlives a recipient that is refused, and so must its state */
	if (run(t, d) == CHAIN_DONE)
		return;
	if (!d->ours && (d->name = talloc_strdup(d, d->name)) == NULL)
		return;
	chain_start(t, run, talloc_steal(t->lasting, d), STAGE_RCPT);
}

/* ---- judging */

static void dns_says_nothing(struct txn *t, const struct destination *d)
{
	unavailable(t, "recipient", setting_bool(t->policy, &dns_settings[DNS_REQUIRED]), "where mail for %.150s goes: %.250s", d->name, d->hosts.why);
}

static bool is_us(const struct config *config, const struct mail_host *host, bool loopback)
{
	if (config_is_own_name(config, host->name))
		return true;
	for (size_t i = 0; i < host->n_ips; i++)
		if (config_is_own_ip(config, &host->ips[i]) || (loopback && ip_is_loopback(&host->ips[i])))
			return true;
	return false;
}

/* Any of its MX: a backup too is set up by somebody who wants its mail to come here. Half the world's "MX localhost" does not mean us. */
static void judge_stranger(struct txn *t, const struct destination *d)
{
	const struct config *config = policy_config(t->policy);

	for (size_t i = 0; i < d->hosts.n; i++) {
		if (is_us(config, &d->hosts.hosts[i], false)) {
			finding(t, CLASS_MX_NOT_CONFIGURED, 1.0, "%s %.150s of %.150s is us, but the domain is not in domains and has no domain section",
				d->hosts.implicit ? "address" : "MX", d->hosts.hosts[i].name, d->name);
			return;
		}
	}
	if (d->hosts.state == MAIL_UNKNOWN)
		dns_says_nothing(t, d);
}

/* Does mail come in at that port? What listens at another port of this machine is another server (content filters, mail stores). */
static bool is_our_port(const struct session *s, uint16_t port)
{
	return port == ROUTE_PORT || strtol(s->daemon_port, NULL, 10) == port;
}

/* The host by which mail would come back: an MTA goes to none that is not before itself. NULL: none, or one before it may exist. */
static const struct mail_host *way_back(const struct config *config, const struct mail_hosts *hosts)
{
	const struct mail_host *self = NULL;

	for (size_t i = 0; i < hosts->n && self == NULL; i++)
		if (is_us(config, &hosts->hosts[i], true))
			self = &hosts->hosts[i];
	for (size_t i = 0; self != NULL && i < hosts->n && hosts->hosts[i].preference < self->preference; i++)
		if (hosts->hosts[i].state != HOST_MISSING)
			return NULL;
	return self;
}

/* An address or a name that DNS is not asked for, as a host that was found. */
static struct mail_host host_of_route(const struct route *route)
{
	static const struct ip localhost = { .family = 4, .addr = { 127, 0, 0, 1 } };
	struct mail_host host = { .name = route->host, .state = HOST_FOUND };

	if (route->ip.family != 0)
		host.ips = &route->ip;
	else if (strcasecmp(route->host, "localhost") == 0)
		host.ips = &localhost;
	host.n_ips = host.ips != NULL;
	return host;
}

static void judge_dead_end(struct txn *t, const struct destination *d)
{
	const struct mail_hosts *h = &d->hosts;
	const char *what = NULL;

	switch (h->state) {
	case MAIL_NULL_MX: what = "takes no mail (null MX)"; break;
	case MAIL_NO_NAME: what = "does not exist in DNS"; break;
	case MAIL_NO_RECORDS: what = h->implicit && !d->route.mx ? "has neither A nor AAAA" : "has neither MX nor A nor AAAA"; break;
	case MAIL_TO_HOSTS: what = mail_hosts_missing(h) ? "has no MX that exists" : NULL; break;
	case MAIL_UNKNOWN: dns_says_nothing(t, d); return;
	case MAIL_PENDING: return;
	}
	if (what != NULL)
		finding(t, CLASS_UNROUTEABLE, 1.0, "%.200s, to which mail for %.150s is routed, %s", d->name, t->rcpt->address.domain, what);
}

static void judge_route(struct txn *t, const struct destination *d)
{
	const struct config *config = policy_config(t->policy);
	const struct mail_host alone = host_of_route(&d->route);
	const struct mail_hosts only = { .state = MAIL_TO_HOSTS, .hosts = &alone, .n = 1, .why = "" };
	const struct mail_hosts *hosts = d->hosts.state == MAIL_PENDING ? &only : &d->hosts;
	const struct mail_host *back = way_back(config, hosts);

	if (back == NULL) {
		judge_dead_end(t, d);
		return;
	}
	/* a name of ours may stand in the hosts file alone: it is no dead end */
	if (is_our_port(t->session, d->route.port))
		finding(t, CLASS_MX_POINTS_TO_US, 1.0, "mail for %.150s is routed to %s%.150s%s, which %s", t->rcpt->address.domain, d->route.mx ? "" : "[", d->route.host,
			d->route.mx ? "" : "]", strcasecmp(back->name, d->route.host) == 0 ? "is us" : "leads back to us");
}

void destination_judge(struct txn *t)
{
	const struct destination *d = t->rcpt->destination;

	if (t->outbound || d == NULL)
		return;
	if (d->ours)
		judge_route(t, d);
	else
		judge_stranger(t, d);
}
