/* dkim.h - the DKIM check's options, for the engine and the tests */
#ifndef WINNOW_CHECK_DKIM_H
#define WINNOW_CHECK_DKIM_H

#include "policy/setting.h"

enum { DKIM_SETTING_ENABLED, DKIM_SETTING_SIGNATURES_MAX, DKIM_SETTING_KEY_BITS_MIN };
extern const struct setting dkim_settings[];

#endif
