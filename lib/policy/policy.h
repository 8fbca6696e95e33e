/* policy.h - which policy is in force for whom, and what it says of a class */
#ifndef WINNOW_POLICY_POLICY_H
#define WINNOW_POLICY_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "facts/class.h"
#include "message/address.h"
#include "policy/config.h"

enum mode { MODE_OBSERVE, MODE_TAG, MODE_ENFORCE };

/* What a policy says of one class. */
struct class_rule {
	enum action action;              /* effective: the override or class_default_action(); ACT_REJECT instead of ACT_QUARANTINE where the policy keeps no copies */
	bool overridden;                 /* action was set by the operator: the code may have to change (verdict) */
	bool observe;
	double weight;                   /* in the combined score; NAN: not set */
	const char *text;                /* of the reply; NULL: the catalogue's */
	const char *file;                /* where the last override stands; NULL: none */
	int line;
};

/* The rows that stand directly in `policy "x" { }` and at top level. */
enum { POLICY_MODE, POLICY_THRESHOLD, POLICY_UNSURE_THRESHOLD, POLICY_QUARANTINE, POLICY_TAG_SUBJECT, POLICY_ALLOW_AUTHENTICATED,
       POLICY_ALLOW_SENDERS, POLICY_ALLOW_IPS, POLICY_BLOCK_SENDERS, POLICY_SETTING_COUNT };
extern const struct setting policy_settings[];

const char *policy_name(const struct policy *policy);
enum mode policy_mode(const struct policy *policy);
const char *mode_name(enum mode mode);
const struct class_rule *policy_class(const struct policy *policy, enum class_id id);

/* A hash of everything that takes effect (settings, tables by their text, class rules): equal for two policies that say the same under different names. */
uint64_t policy_fingerprint(const struct policy *policy);

/* The configuration that a policy belongs to. */
const struct config *policy_config(const struct policy *policy);

/* A domain section; fields are "" or NULL where unset. */
struct domain {
	const char *name;                /* lower case */
	const struct policy *policy;
	const char *route;
	struct table *recipients;        /* NULL: unset, all addresses exist */
	struct table *block_senders;     /* "sender-refused-by-domain" */
	struct table *allow_senders;
	const char *file;
	int line;
};

/* The section of exactly this domain (lower case), or NULL. */
const struct domain *config_domain(const struct config *config, const char *domain);

/* Does any domain section exist? */
bool config_has_domains(const struct config *config);

/* Inbound: the recipient's policy: table `policies` by address, domain, .parent; the domain's section; "default". Never NULL.
 * policies: the table (a row of the engine); a name in it that no policy bears falls back to "default" with *unknown_r set to that name (child of mem), else NULL;
 * policies_unavailable: the table could not be asked, and what came back is the policy of the domain's section or "default". */
extern const char policies_unavailable[];
const struct policy *policy_for_recipient(const struct config *config, struct table *policies, const struct address *recipient, TALLOC_CTX *mem, const char **unknown_r);

/* Outbound: by user, sender address, sender domain, in that order. user NULL: none. */
const struct policy *policy_for_sender(const struct config *config, struct table *policies, const char *user, const struct address *sender, TALLOC_CTX *mem, const char **unknown_r);

/* The policy of that name, or NULL. */
const struct policy *policy_find(const struct config *config, const char *name);

#endif
