/* dkim.h - the DKIM check's options, for the engine and the tests */
#ifndef WINNOW_CHECK_DKIM_H
#define WINNOW_CHECK_DKIM_H

#include "message/message.h"
#include "net/dkim.h"
#include "policy/setting.h"

enum { DKIM_SETTING_ENABLED, DKIM_SETTING_SIGNATURES_MAX, DKIM_SETTING_KEY_BITS_MIN };
extern const struct setting dkim_settings[];

/* The fields of a message as DKIM and ARC take them; they point into it. Child of mem; NULL: out of memory. */
struct dkim_field *dkim_fields_of(TALLOC_CTX *mem, const struct message *message);

#endif
