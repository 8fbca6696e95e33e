/* spf.h - the SPF check's options and identities, for evidence and winnowctl */
#ifndef WINNOW_CHECK_SPF_H
#define WINNOW_CHECK_SPF_H

#include "facts/txn.h"
#include "net/spf.h"
#include "policy/setting.h"

enum { SPF_SETTING_ENABLED, SPF_SETTING_CHECK_HELO, SPF_SETTING_TIMEOUT };
extern const struct setting spf_settings[];

/* The MAIL FROM identity of a message; that of the null sender is its HELO name (RFC 7208 section 2.4). Strings are the transaction's. */
struct spf_question spf_mail_identity(const struct txn *t);

/* The HELO identity of its session; domain "": there is none. */
struct spf_question spf_helo_identity(const struct txn *t);

#endif
