/* rate.h - the options of rate.c: the reply to messages-per-connection is the engine's, which reads its behaviour here */
#ifndef WINNOW_CHECK_RATE_H
#define WINNOW_CHECK_RATE_H

#include "policy/setting.h"

enum { RATE_ENABLED, RATE_MESSAGES_CONNECTION_MAX, RATE_MESSAGES_CONNECTION_BEHAVIOUR, RATE_SETTING_COUNT };

/* RATE_MESSAGES_CONNECTION_BEHAVIOUR is "drop" (521 5.7.0, or 421 4.7.0 where the MTA closes at that alone), "reject" (550, it stays) or "defer" (451). */
extern const struct setting rate_settings[];

#endif
