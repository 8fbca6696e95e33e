/* destination.h - where a recipient's mail goes, by DNS: the part of recipient.c that asks the network */
#ifndef WINNOW_CHECK_DESTINATION_H
#define WINNOW_CHECK_DESTINATION_H

#include "facts/txn.h"

/* At RCPT, t->rcpt. A domain that is not ours: is its MX us? One with a route: what is known of the route's host. Any other: nothing is asked. Idempotent. */
void destination_ask(struct txn *t);

/* Reports mx-not-configured, mx-points-to-us, unrouteable. */
void destination_judge(struct txn *t);

#endif
