/* arc_private.h - the parts of ARC: fields, sets; for lib/net/arc*.c and their tests alone */
#ifndef WINNOW_NET_ARC_PRIVATE_H
#define WINNOW_NET_ARC_PRIVATE_H

#include "net/arc.h"
#include "net/dkim_private.h"
#include "util/hash.h"

enum {
	ARC_SIGNATURE_MAX = 1024,        /* octets of b=: RSA-4096 has 512 */
	ARC_LOOKED_AT_MAX = 10           /* ARC-Message-Signatures that are verified, from the last one downwards: each hashes the header again */
};

/* A signature: of a seal, or of the message. Strings are children of the mem it was read with. */
struct arc_signature {
	unsigned instance;
	char *d, *s;                     /* lower case; as written */
	bool ed25519;
	unsigned char *b;
	size_t b_len;
	size_t cut, cut_len;             /* where the value of b= stands in the field, with the blanks around it */
	/* ARC-Seal */
	enum { ARC_CV_NONE, ARC_CV_PASS, ARC_CV_FAIL } cv;
	/* ARC-Message-Signature */
	unsigned char bh[HASH_SHA256];
	bool relaxed_header, relaxed_body;
	int64_t l;                       /* -1: the whole body */
	int64_t x;                       /* -1: never expires */
	const char *h;                   /* names with colons between them, points into the field */
	size_t h_len;
};

/* ---- arc_field.c: sections 4.1.1 to 4.1.3. NULL, or what is wrong (a constant); "no memory" is one of them. */

const char *arc_read_results(const struct dkim_field *field, unsigned *instance_r, size_t *rest_r);   /* *rest_r: where what follows "i=N;" begins */
const char *arc_read_message_signature(TALLOC_CTX *mem, const struct dkim_field *field, struct arc_signature *signature_r);
const char *arc_read_seal(TALLOC_CTX *mem, const struct dkim_field *field, struct arc_signature *signature_r);

/* ---- arc_chain.c */

/* A set as it stands in the header. */
struct arc_link {
	const struct dkim_field *results, *message, *seal;
	size_t results_rest;
	struct arc_signature message_signature, seal_signature;
	uint8_t message_digest[HASH_SHA256], seal_digest[HASH_SHA256];   /* that were signed */
	bool message_hashed;             /* one of the last ones */
};

struct arc_chain {
	struct arc_link *v;              /* v[i - 1] has instance i */
	size_t n;
	bool ended;                      /* cv=fail in the last seal */
};

/* Collects the sets and judges their order (section 5.2, steps 1 to 3). NULL: it stands, or there is none (n 0). Else what is wrong, a child of mem or a constant. */
const char *arc_chain_read(TALLOC_CTX *mem, const struct dkim_field *fields, size_t n, struct arc_chain *chain_r);

/* Makes the digests that seals and message signatures have signed. false: libcrypto failed, or out of memory. */
bool arc_chain_hash(TALLOC_CTX *mem, const struct dkim_field *fields, size_t n, struct arc_chain *chain);

#endif
