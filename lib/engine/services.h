/* services.h - the services' option rows: GeoIP, store, quarantine, stages, log, journal, evidence */
#ifndef WINNOW_ENGINE_SERVICES_H
#define WINNOW_ENGINE_SERVICES_H

#include "policy/config.h"

enum { QUARANTINE_PATH, QUARANTINE_KEEP, QUARANTINE_SIZE_MAX, QUARANTINE_RELEASE, QUARANTINE_RATE_MAX, QUARANTINE_TICKET_KEY };
extern const struct setting quarantine_settings[];

/* stage_settings[STAGE_x] is that stage's deadline; STAGE_COMMAND and STAGE_BODY have none (name NULL is not used: they share rcpt's and eom's). */
extern const struct setting stage_settings[];
const struct setting *stage_deadline_row(enum stage stage);

enum { LOG_SETTING_TARGET, LOG_SETTING_FACILITY, LOG_SETTING_LEVEL, LOG_SETTING_FORMAT };
extern const struct setting log_settings[];

enum { JOURNAL_SETTING_PATH, JOURNAL_SETTING_KEEP, JOURNAL_SETTING_SIZE_MAX };
extern const struct setting journal_settings[];

enum { EVIDENCE_HEADERS, EVIDENCE_OUTGOING, EVIDENCE_PREFIX, EVIDENCE_AUTHENTICATION_RESULTS, EVIDENCE_RECEIVED_SPF, EVIDENCE_AUTHSERV_IDS, EVIDENCE_REPLY_ID };
extern const struct setting evidence_settings[];

enum { GEOIP_SETTING_COUNTRY, GEOIP_SETTING_ASN };
extern const struct setting geoip_settings[];

/* All sections: the top level, the services, the checks; ends with NULL. A talloc array, child of parent. *n_r: how many. */
const struct section **engine_sections(TALLOC_CTX *parent, size_t *n_r);

/* What the rows alone cannot say: addresses of DNS servers, the release URL, the evidence prefix. Errors with file and line. */
void services_validate(const struct config *config, struct config_errors *errors);

/* What is no error and worth a line at the start. */
void services_note(const struct config *config, struct config_errors *notes);

#endif
