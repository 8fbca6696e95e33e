/* services.c - the services' option rows: GeoIP, store, quarantine, stages, log, journal, evidence */
#include "engine/services.h"

#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "check/dmarc.h"
#include "engine/sign_keys.h"
#include "message/address.h"
#include "net/resolver_servers.h"
#include "net/smtp_client.h"
#include "policy/global.h"
#include "policy/policy.h"
#include "util/ip.h"

enum { SECOND = 1000, DAY = 86400 * SECOND };
#define MEGA 1048576.0

const struct setting geoip_settings[] = {
	[GEOIP_SETTING_COUNTRY] = { .name = "country", .type = SET_PATH, .def = "", .help = "MaxMind's file of countries, as GeoLite2-Country.mmdb; read again when it changes; empty: not asked" },
	[GEOIP_SETTING_ASN] = { .name = "asn", .type = SET_PATH, .def = "", .help = "and of networks, as GeoLite2-ASN.mmdb" },
	{ 0 }
};

static const struct setting sqlite_settings[] = {
	{ .name = "path", .type = SET_PATH, .def = "var/state", .help = "folder of the state; made with mode 0700" },
	{ .name = "size_max", .type = SET_SIZE, .def = "1G", .min = MEGA, .max = 1e15, .help = "largest state file" },
	{ .name = "required", .type = SET_BOOL, .def = "false", .help = "true: a store that does not answer defers the message" },
	{ 0 }
};

static const struct setting memory_settings[] = {
	{ .name = "required", .type = SET_BOOL, .def = "false", .help = "true: a store that does not answer defers the message" },
	{ 0 }
};

const struct setting quarantine_settings[] = {
	[QUARANTINE_PATH] = { .name = "path", .type = SET_PATH, .def = "var/quarantine", .help = "copies and their index; made with mode 0700" },
	[QUARANTINE_KEEP] = { .name = "keep", .type = SET_DURATION, .def = "30d", .max = 36500.0 * DAY, .help = "how long a copy is kept; 0: until size_max is reached" },
	[QUARANTINE_SIZE_MAX] = { .name = "size_max", .type = SET_SIZE, .def = "10G", .min = MEGA, .max = 1e15, .help = "all copies; the oldest go first" },
	[QUARANTINE_RELEASE] = { .name = "release", .type = SET_STRING, .def = "smtp://127.0.0.1:10026", .help = "where released mail is sent: an MTA that takes it from this machine" },
	[QUARANTINE_RATE_MAX] = { .name = "rate_max", .type = SET_INT, .def = "60", .max = 1e9, .unit = "copies",
		.help = "kept of one client network in a minute; beyond it mail is refused without a copy; 0: no limit" },
	[QUARANTINE_TICKET_KEY] = { .name = "ticket_key", .type = SET_PATH, .def = "var/ticket.key", .help = "key of the tickets by which released mail is known again; made at first use" },
	{ 0 }
};

const struct setting stage_settings[] = {
	{ .name = "connect_timeout", .type = SET_DURATION, .def = "5s", .min = 100, .max = 600 * SECOND, .help = "deadline of the stage; keep below the MTA's" },
	{ .name = "helo_timeout", .type = SET_DURATION, .def = "5s", .min = 100, .max = 600 * SECOND, .help = "the same" },
	{ .name = "mail_timeout", .type = SET_DURATION, .def = "10s", .min = 100, .max = 600 * SECOND, .help = "the same" },
	{ .name = "rcpt_timeout", .type = SET_DURATION, .def = "20s", .min = 100, .max = 600 * SECOND, .help = "the same; Postfix gives a milter 30 s" },
	{ .name = "data_timeout", .type = SET_DURATION, .def = "10s", .min = 100, .max = 600 * SECOND, .help = "the same" },
	{ .name = "eoh_timeout", .type = SET_DURATION, .def = "10s", .min = 100, .max = 600 * SECOND, .help = "the same" },
	{ .name = "eom_timeout", .type = SET_DURATION, .def = "90s", .min = 100, .max = 600 * SECOND, .help = "the same; Postfix gives a milter 300 s" },
	{ 0 }
};

const struct setting log_settings[] = {
	[LOG_SETTING_TARGET] = { .name = "target", .type = SET_STRING, .def = "syslog", .help = "syslog, stderr, or the path of a file; -f: stderr" },
	[LOG_SETTING_FACILITY] = { .name = "facility", .type = SET_STRING, .def = "mail", .help = "of syslog",
		.choices = "mail daemon user local0 local1 local2 local3 local4 local5 local6 local7" },
	[LOG_SETTING_LEVEL] = { .name = "level", .type = SET_STRING, .def = "info", .choices = "error warning info debug", .help = "lines above it are not written" },
	[LOG_SETTING_FORMAT] = { .name = "format", .type = SET_STRING, .def = "text", .choices = "text json", .help = "text: key=value; json: the same record as an object" },
	{ 0 }
};

const struct setting journal_settings[] = {
	[JOURNAL_SETTING_PATH] = { .name = "path", .type = SET_PATH, .def = "var/journal", .help = "folder of the decision records; made with mode 0700" },
	[JOURNAL_SETTING_KEEP] = { .name = "keep", .type = SET_DURATION, .def = "14d", .max = 36500.0 * DAY, .help = "how long a record is kept; 0: none is written" },
	[JOURNAL_SETTING_SIZE_MAX] = { .name = "size_max", .type = SET_SIZE, .def = "1G", .min = MEGA, .max = 1e15, .help = "of the file; the oldest records go first" },
	{ 0 }
};

const struct setting evidence_settings[] = {
	[EVIDENCE_HEADERS] = { .name = "headers", .type = SET_BOOL, .scope = SCOPE_POLICY, .def = "true", .help = "add X-Winnow-* to inbound mail" },
	[EVIDENCE_OUTGOING] = { .name = "outgoing", .type = SET_BOOL, .scope = SCOPE_POLICY, .def = "false", .help = "and X-Winnow-Outgoing-* to outbound mail" },
	[EVIDENCE_PREFIX] = { .name = "prefix", .type = SET_STRING, .def = "X-Winnow", .help = "their brand; every field that begins with it is removed from foreign mail" },
	[EVIDENCE_AUTHENTICATION_RESULTS] = { .name = "authentication_results", .type = SET_BOOL, .scope = SCOPE_POLICY, .def = "true", .help = "add Authentication-Results" },
	[EVIDENCE_RECEIVED_SPF] = { .name = "received_spf", .type = SET_BOOL, .scope = SCOPE_POLICY, .def = "false", .help = "add Received-SPF; foreign ones are removed then" },
	[EVIDENCE_AUTHSERV_IDS] = { .name = "authserv_ids", .type = SET_LIST, .def = "", .def_text = "{ }",
		.help = "further ids of ours: forged Authentication-Results that bear them are removed" },
	[EVIDENCE_REPLY_ID] = { .name = "reply_id", .type = SET_BOOL, .def = "true", .help = "close SMTP replies with [ID]" },
	{ 0 }
};

static const struct section service_sections[] = {
	{ .name = "", .rows = global_settings, .help = NULL },
	{ .name = "dns", .rows = dns_settings, .help = "who answers our questions" },
	{ .name = "geoip", .rows = geoip_settings, .help = "where an address is: for the score, the log and winnowctl explain" },
	{ .name = "store", .title = "sqlite", .rows = sqlite_settings, .help = "what we remember between messages" },
	{ .name = "store", .title = "memory", .rows = memory_settings, .help = "the same, forgotten at exit" },
	{ .name = "quarantine", .rows = quarantine_settings, .help = "copies of refused messages" },
	{ .name = "stages", .rows = stage_settings, .help = "how long a stage may take" },
	{ .name = "log", .rows = log_settings, .help = "one line a message, refused connection or refused recipient" },
	{ .name = "journal", .rows = journal_settings, .help = "decision records for winnowctl explain and search" },
	{ .name = "evidence", .rows = evidence_settings, .help = "what we write into mail and replies" },
	{ .name = "sign", .rows = sign_settings, .help = "outbound mail is signed (DKIM), last of all; where a key cannot be used it is deferred, in every mode: it never leaves unsigned" },
};

const struct setting *stage_deadline_row(enum stage stage)
{
	static const int row[STAGE_COUNT] = {
		[STAGE_CONNECT] = 0, [STAGE_HELO] = 1, [STAGE_MAIL] = 2, [STAGE_RCPT] = 3, [STAGE_COMMAND] = 3, [STAGE_DATA] = 4, [STAGE_EOH] = 5, [STAGE_BODY] = 6,
		[STAGE_EOM] = 6,
	};

	return &stage_settings[row[stage]];
}

static size_t count_sections(const struct section *sections)
{
	size_t n = 0;

	while (sections != NULL && sections[n].name != NULL)
		n++;
	return n;
}

const struct section **engine_sections(TALLOC_CTX *parent, size_t *n_r)
{
	size_t services = sizeof(service_sections) / sizeof(service_sections[0]), n_checks = 0, further = 0, n = services;
	const struct section **list;
	struct section *made;

	for (; checks[n_checks] != NULL; n_checks++)
		further += count_sections(checks[n_checks]->sections);
	list = talloc_zero_array(parent, const struct section *, services + n_checks + further + 1);
	made = talloc_zero_array(list, struct section, n_checks);
	if (list == NULL || made == NULL)
		return NULL;
	for (size_t i = 0; i < services; i++)
		list[i] = &service_sections[i];
	for (size_t i = 0; i < n_checks; i++) {
		made[i] = (struct section){ .name = checks[i]->name, .rows = checks[i]->settings, .help = checks[i]->help };
		list[n++] = &made[i];
		for (size_t k = 0; k < count_sections(checks[i]->sections); k++)
			list[n++] = &checks[i]->sections[k];
	}
	*n_r = n;
	return list;
}

static void error_at(const struct config *config, const struct setting *row, struct config_errors *errors, const char *got, const char *remedy)
{
	const char *file = NULL;
	int line = 0;

	config_origin(config_default_policy(config), row, &file, &line);
	config_error_add(errors, file != NULL ? file : "built-in default", line, "%s: \"%s\" %s", row->name, got, remedy);
}

void services_validate(const struct config *config, struct config_errors *errors)
{
	const struct policy *policy = config_default_policy(config);
	const char *const *server = setting_list(policy, &dns_settings[DNS_SERVERS]);
	const char *release = setting_string(policy, &quarantine_settings[QUARANTINE_RELEASE]);
	const char *prefix = setting_string(policy, &evidence_settings[EVIDENCE_PREFIX]);
	const char *target = setting_string(policy, &log_settings[LOG_SETTING_TARGET]);
	const char *sender = setting_string(policy, &dmarc_settings[DMARC_SETTING_REPORT_SENDER]);
	static const char address_bytes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.!#$%&'*+-/=?^_`{|}~@";
	struct address reports;
	struct resolver_address address;
	size_t n = 0;
	TALLOC_CTX *mem = talloc_new(NULL);
	uint16_t port;
	char *host;
	size_t good = strspn(prefix, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-");

	for (; *server != NULL; server++, n++)
		if (!resolver_address_parse(*server, &address))
			error_at(config, &dns_settings[DNS_SERVERS], errors, *server, "is no DNS server; write ADDRESS or ADDRESS@PORT, as \"127.0.0.1@5353\"");
	if (n > RESOLVER_SERVERS_MAX)
		error_at(config, &dns_settings[DNS_SERVERS], errors, server[-1], "is one too many; name at most 8 servers");
	if (!smtp_url_parse(mem, release, &host, &port))
		error_at(config, &quarantine_settings[QUARANTINE_RELEASE], errors, release, "is no address to release to; write smtp://HOST:PORT");
	if (prefix[0] == '\0' || prefix[good] != '\0' || strlen(prefix) > 60)
		error_at(config, &evidence_settings[EVIDENCE_PREFIX], errors, prefix, "cannot begin a header name; use letters, digits and hyphens, as X-Winnow");
	if (sender[0] != '\0' && (!address_parse_path(mem, sender, &reports) || reports.domain[0] == '\0' || sender[strspn(sender, address_bytes)] != '\0'))
		error_at(config, &dmarc_settings[DMARC_SETTING_REPORT_SENDER], errors, sender, "is no address that reports could come from; write dmarc@example.com");
	if (target[0] == '\0')
		error_at(config, &log_settings[LOG_SETTING_TARGET], errors, target, "is no target; write syslog, stderr, or a path");
	talloc_free(mem);
}

void services_note(const struct config *config, struct config_errors *notes)
{
	const struct policy *policy = config_default_policy(config);
	const struct setting *row = &global_settings[G_RELAY_NETWORKS];
	bool ours = table_spec(setting_table(policy, &global_settings[G_DOMAINS]))[0] != '\0' || config_has_domains(config);
	const char *file = NULL;
	int line = 0;

	config_origin(policy, row, &file, &line);
	if (!ours || file != NULL)
		return;
	config_origin(policy, &global_settings[G_DOMAINS], &file, &line);
	config_error_add(notes, file != NULL ? file : "domains", line, "relay_networks is not set: in every mode, mail to other domains is refused unless its client logs in, "
		"this machine's own too; name there who may relay (as Postfix's mynetworks, 127.0.0.0/8 included)");
}
