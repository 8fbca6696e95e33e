/* compare.h - is this message the copy, after an MTA has handled it? */
#ifndef WINNOW_QUARANTINE_COMPARE_H
#define WINNOW_QUARANTINE_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

#include <talloc.h>

#include "message/header.h"

/* Are the fields those of the copy, in its order? data, len: the copy. An MTA may have added fields, above, below and between, but none that makes it another message (a second Subject);
 * left out Return-Path, Bcc and the like; completed From, To, Date and Message-ID where they were missing, and addresses ("root" to "root@example.com"); folded anew.
 * *body_r: where the copy's body begins. false: *wrong_r is the name of the field that is wrong, or what else is. Both point into data, fields and children of mem. */
bool compare_header(TALLOC_CTX *mem, const char *data, size_t len, const struct header_field *fields, size_t n_fields, const char **body_r, const char **wrong_r);

/* Are two bodies the same, but for CRLF or LF, and line ends behind the last line? */
bool compare_body(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
