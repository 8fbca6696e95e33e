/* dmarc.h - the DMARC check's options, for the engine and the tests */
#ifndef WINNOW_CHECK_DMARC_H
#define WINNOW_CHECK_DMARC_H

#include "policy/setting.h"

enum { DMARC_SETTING_ENABLED, DMARC_SETTING_DISCOVERY, DMARC_SETTING_OVERRIDE_IPS, DMARC_SETTING_HISTORY, DMARC_SETTING_REPORT_SENDER, DMARC_SETTING_REPORT_ORG };
extern const struct setting dmarc_settings[];

#endif
