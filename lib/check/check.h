/* check.h - what a check is: hooks by stage, its options, the classes it may report */
#ifndef WINNOW_CHECK_CHECK_H
#define WINNOW_CHECK_CHECK_H

#include "facts/class.h"
#include "facts/finding.h"
#include "facts/txn.h"
#include "policy/policy.h"
#include "policy/setting.h"

/* Ask hooks of connect, helo and mail run at their event with the policy "default", and once more when the policy is known and another one: what they have asked
 * or begun they do not begin again.
 * A check may call: facts, policy look-ups, answers, message_*, finding, note, unavailable, change. Not: another check, libmilter, malloc or free, the clock (it reads t->now).
 * Hooks of connect and command act at once, with the policy "default". Those of helo and mail are run when the policy is known: at RCPT with the first recipient's
 * (inbound), at MAIL with the sender's (outbound). At rcpt t->rcpt is the recipient; later stages have the transaction's policy. */
struct check {
	const char *name;                          /* option section, metric label, heading in `explain` */
	void (*ask[STAGE_COUNT])(struct txn *);    /* start questions to the network; never waits */
	void (*judge[STAGE_COUNT])(struct txn *);  /* read facts and answers, report findings */
	const struct setting *settings;            /* rows; the first is SETTING_ENABLED; ends with { 0 } */
	const struct section *sections;            /* further sections, such as titled ones; ends with { 0 }; NULL: none */
	const enum class_id *reports;              /* what it may report; ends with CLASS_COUNT; asserted by a test */
	const char *help;                          /* one line above its section in etc/winnow.conf */
};

/* All checks in the order in which they judge; NULL ends the list. */
extern const struct check *const checks[];

#endif
