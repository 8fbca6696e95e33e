/* sign_keys.h - the private keys that outbound mail is signed with: read when the configuration is loaded, by their files */
#ifndef WINNOW_ENGINE_SIGN_KEYS_H
#define WINNOW_ENGINE_SIGN_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include <talloc.h>

#include "policy/config.h"
#include "util/hash.h"

enum { SIGN_KEYS, SIGN_HEADERS, SIGN_OVERSIGN, SIGN_CANONICALIZATION, SIGN_LIFETIME };
extern const struct setting sign_settings[];

enum { SIGNERS_MAX = 8 };                /* keys of one domain */

/* One signature that a domain's mail gets. */
struct signer {
	const char *selector, *path;
	struct private_key *key;
};

struct signers {
	const char *domain;              /* d=: of the entry; NULL: sign.keys names no key for this domain */
	struct signer v[SIGNERS_MAX];
	size_t n;
};

/* Owner: the engine. Any thread. NULL: out of memory. */
struct sign_keys;
struct sign_keys *sign_keys_new(void);
void sign_keys_free(struct sign_keys *keys);

/* Reads the keys of a configuration anew: those of inline: and file: tables; of other tables a key is read when it is first needed. What cannot be read now is tried again then. */
void sign_keys_load(struct sign_keys *keys, const struct config *config);

/* The signers of mail from that domain (lower case, A-labels): its entry's, or the nearest parent's (".example.com", which signs as example.com). Strings and keys are children of mem.
 * NULL, or why the mail cannot be signed (a child of mem, or a constant): then nothing in signers_r is to be used. */
const char *sign_keys_find(struct sign_keys *keys, const struct config *config, TALLOC_CTX *mem, const char *domain, struct signers *signers_r);

/* Every key that can be listed, held against its rules: errors with the line of sign.keys. */
void sign_keys_validate(const struct config *config, struct config_errors *errors);

#endif
