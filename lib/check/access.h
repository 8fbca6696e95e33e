/* access.h - the allow lists once the message is known */
#ifndef WINNOW_CHECK_ACCESS_H
#define WINNOW_CHECK_ACCESS_H

#include "facts/txn.h"

/* End of message, after the judges: DKIM says now what SPF could not at RCPT. A sender whom the recipients' lists name, and whose domain a passing signature is of, is proven;
 * with allow_authenticated it counts from here on. Changes the word of the first accepted recipient, which all of the message's recipients share. */
void access_prove(struct txn *t);

#endif
