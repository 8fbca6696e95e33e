/* dkim_private.h - the parts of DKIM: tag lists, signatures, keys, selection; for lib/net/dkim*.c, for arc*.c, which reads the same tags and keys, and their tests */
#ifndef WINNOW_NET_DKIM_PRIVATE_H
#define WINNOW_NET_DKIM_PRIVATE_H

#include "net/dkim.h"

enum {
	DKIM_NAMES_MAX = 300,            /* field names in h= */
	DKIM_H_MAX = 4000,               /* octets of h= without blanks: libopendkim cuts at 4095 */
	DKIM_FIELD_MAX = 60000,          /* octets of a field: libopendkim cannot canonicalise more than 65535 */
	DKIM_FED_MAX = 512 * 1024,       /* octets of all fields that libopendkim is fed */
	DKIM_BODIES_MAX = 4,             /* different hashes of the body: a message of 50 MB is hashed by each */
	DKIM_READ_MAX = 1000,            /* signatures that are read at all */
	DKIM_COVERED_MAX = 10,           /* signatures that others cover, and that are not verified themselves */
	DKIM_TAGS_MAX = 64,              /* in a tag list */
	DKIM_KEY_TEXT_MAX = 4096,        /* octets of a key record */
	DKIM_BITS_MAX = 4096,            /* verifiers must take 1024 to 4096 (RFC 8301 section 3.2); libopendkim's buffer for a key holds no more */
	DKIM_DRIFT = 300                 /* seconds that clocks may differ; libopendkim's own */
};

/* ---- dkim_tags.c: section 3.2, and what both kinds of tag lists need */

struct dkim_tag {
	const char *name, *value;        /* the value without blanks around it; folds and blanks within remain */
	size_t name_len, value_len;
	bool gap;                        /* blanks stand between name and "=" */
};

struct dkim_tags {
	struct dkim_tag v[DKIM_TAGS_MAX];
	size_t n;
};

/* Reads a tag list strictly; texts point into it. NULL, or what is wrong (a constant). Linear but for the search for duplicates, which is bounded. */
const char *dkim_tags_parse(const char *text, size_t len, struct dkim_tags *tags_r);

/* The tag of that name (case matters), or NULL. */
const struct dkim_tag *dkim_tags_find(const struct dkim_tags *tags, const char *name);

/* The value without any blanks; a child of mem, NULL: no memory. */
char *dkim_tag_text(TALLOC_CTX *mem, const struct dkim_tag *tag);

/* Decodes base64 strictly (RFC 4648; no blanks, padding as it should be). data_r: room for len / 4 * 3 octets. false: it is none, or empty. */
bool dkim_base64(const char *text, size_t len, unsigned char *data_r, size_t *len_r);

/* Is it a domain of ASCII letters, digits, "-" and "_", in labels of 1 to 63, at most 253 in all, without a dot at its end? labels_min: 2 for d=, 1 for s=. */
bool dkim_domain_valid(const char *text, unsigned labels_min);

/* Entry by entry of "a : b:c", blanks dropped: the next one, or NULL at the end. Empty ones are skipped. */
const char *dkim_list_next(const char **list, const char *end, size_t *len_r);

/* ---- dkim_signature.c: section 3.5 */

struct dkim_signature {
	char *d, *s, *i, *b;             /* as in dkim_outcome, b in full */
	const char *algorithm;           /* a constant */
	char *h;                         /* without blanks */
	size_t names;                    /* in it */
	bool relaxed_body;
	int64_t l;                       /* -1: the whole body */
	int64_t t, x;                    /* seconds; -1: not given */
	enum dkim_result result;         /* DKIM_PENDING: it can be verified */
	const char *problem;             /* why not; a constant */
};

/* Reads the value of a DKIM-Signature field. What could be read is there even if there is a problem: the strings are children of mem, "" where unreadable.
 * Syntax that is not understood is neutral; rsa-sha1 is policy (RFC 8301); what has expired by now fails. false: no memory. */
bool dkim_signature_parse(TALLOC_CTX *mem, const char *value, size_t len, int64_t now, struct dkim_signature *signature_r);

/* ---- dkim_key.c: section 3.6.1, RFC 8463 */

struct dkim_key {
	char *p;                         /* base64, as it was in the record but for blanks */
	bool ed25519;
	unsigned bits;                   /* RSA: of the modulus */
	bool testing, strict;            /* t=y, t=s */
	enum dkim_result result;         /* DKIM_PASS: it can be used */
	const char *problem;             /* why not; a constant */
};

/* Judges one TXT record as a key for an algorithm. False: this is no key record at all (another version, no tag list with p=). */
bool dkim_key_parse(TALLOC_CTX *mem, const char *record, bool ed25519, struct dkim_key *key_r);

/* Judges all records at the name: one that can be used decides, two different ones are a permerror (section 3.6.2.2), else the best of the bad ones does. */
void dkim_key_choose(TALLOC_CTX *mem, const char *const *records, size_t n, bool ed25519, struct dkim_key *key_r);

/* ---- dkim_select.c */

struct dkim_candidate {
	struct dkim_signature sig;
	size_t field;                    /* its place in the header */
	int rank;                        /* 0: its domain is one of From's; 3: nothing in common */
	bool verify;                     /* selected */
	bool shown;                      /* a result is given for it; the selected ones are shown */
	bool key_known;
	struct dkim_key key;
	bool secure;
};

struct dkim_selection {
	struct dkim_candidate *v;        /* those that were read, in the order of the header */
	size_t n, verified;
	size_t fields, duplicates, beyond;
};

/* Reads and selects. false: no memory. */
bool dkim_select(TALLOC_CTX *mem, const struct dkim_field *fields, size_t n, const struct dkim_options *options, struct dkim_selection *selection_r);

/* Which fields the selected signatures cover: of each name as many, counted from below, as one of them names it; their own fields too. wanted: n flags, all false.
 * false: no memory. *octets_r: of all wanted ones. */
bool dkim_wanted_fields(TALLOC_CTX *mem, const struct dkim_selection *selection, const struct dkim_field *fields, size_t n, bool *wanted, size_t *octets_r);

/* Is that field's name this one? Blanks before its colon and case do not matter. */
bool dkim_field_is(const struct dkim_field *field, const char *name, size_t len);

/* ---- dkim_length.c: the length of the canonical body (section 3.4), to compare l= with */

struct dkim_length {
	bool relaxed;
	uint64_t octets;                 /* but those that may turn out to be blank lines at the end */
	uint64_t blank_lines;
	bool cr, space, line_empty;
};

struct dkim_length dkim_length_new(bool relaxed);
void dkim_length_add(struct dkim_length *length, const char *data, size_t len);
uint64_t dkim_length_end(struct dkim_length *length);

#endif
