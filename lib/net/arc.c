/* arc.c - validates a chain (RFC 8617 section 5.2): what was signed is known when the header has ended, then come the keys, then the body */
#include <stdio.h>
#include <string.h>

#include "net/answers.h"
#include "net/arc_private.h"
#include "net/canon.h"
#include "util/domain.h"

enum { TXT = 16 };

/* A key that one or more signatures need. */
struct wanted_key {
	bool known;
	enum dkim_result result;         /* DKIM_PASS: it can be used */
	const char *problem;
	unsigned char *data;
	size_t len;
};

struct link_keys {
	struct wanted_key seal, message; /* message: only of those that were hashed */
};

/* A body hash that message signatures compare with theirs. */
struct body {
	struct canon_body *canon;
	bool relaxed;
	int64_t l;
	bool good;
	uint8_t digest[HASH_SHA256];
	uint64_t octets;
};

enum { BODIES_MAX = 3 };                 /* that of the last signature; of earlier ones simple and relaxed, whole */

struct arc_validator {
	struct arc_facts *facts;
	struct arc_options options;
	struct arc_chain chain;
	struct link_keys *keys;
	struct body bodies[BODIES_MAX];
	size_t n_bodies;
	bool usable;                     /* a chain that can be validated */
};

const char *arc_result_name(enum arc_result result)
{
	static const char *const names[] = { "pending", "none", "pass", "fail", "temperror" };

	return names[result];
}

static void finish(struct arc_validator *v, enum arc_result result, const char *problem)
{
	v->facts->result = result;
	v->facts->problem = problem;
	v->facts->done = true;
	v->usable = false;
}

/* ---- the header */

/* Unfolded, printable; blanks around it are dropped. NULL: out of memory. */
static char *results_text(TALLOC_CTX *mem, const struct dkim_field *field, size_t from)
{
	char *out = talloc_array(mem, char, field->value_len - from + 1);
	size_t n = 0;

	if (out == NULL)
		return NULL;
	for (size_t i = from; i < field->value_len; i++) {
		char c = field->value[i];

		if (c == '\r' || c == '\n' || ((c == ' ' || c == '\t') && n == 0))
			continue;
		out[n++] = c == '\t' ? ' ' : c >= 0x20 && c < 0x7f ? c : '?';
	}
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
	return out;
}

static bool tell_sets(TALLOC_CTX *mem, struct arc_validator *v)
{
	struct arc_facts *f = v->facts;

	f->sets = talloc_zero_array(mem, struct arc_set, v->chain.n);
	if (f->sets == NULL)
		return false;
	for (size_t i = 0; i < v->chain.n; i++) {
		const struct arc_link *link = &v->chain.v[i];
		char *text = results_text(f->sets, link->results, link->results_rest);

		if (text == NULL)
			return false;
		f->sets[i] = (struct arc_set){
			.sealer = talloc_strdup(f->sets, link->seal_signature.d), .selector = talloc_strdup(f->sets, link->seal_signature.s),
			.signer = talloc_strdup(f->sets, link->message_signature.d), .signer_selector = talloc_strdup(f->sets, link->message_signature.s), .results = text,
		};
		if (f->sets[i].sealer == NULL || f->sets[i].selector == NULL || f->sets[i].signer == NULL || f->sets[i].signer_selector == NULL)
			return false;
	}
	f->n = v->chain.n;
	return true;
}

/* The hash of the body that a signature needs, made once for all that need the same. Of earlier ones only those of whole bodies are compared. false: out of memory. */
static bool want_body(struct arc_validator *v, const struct arc_signature *sig)
{
	struct body *body = &v->bodies[v->n_bodies];

	for (size_t i = 0; i < v->n_bodies; i++)
		if (v->bodies[i].relaxed == sig->relaxed_body && v->bodies[i].l == sig->l)
			return true;
	if (v->n_bodies > 0 && sig->l >= 0)
		return true;
	*body = (struct body){ .canon = canon_body_new(v, sig->relaxed_body, sig->l), .relaxed = sig->relaxed_body, .l = sig->l };
	v->n_bodies++;
	return body->canon != NULL;
}

static bool begin(TALLOC_CTX *mem, struct arc_validator *v, const struct dkim_field *fields, size_t n)
{
	if (!tell_sets(mem, v) || !arc_chain_hash(v, fields, n, &v->chain))
		return false;
	v->keys = talloc_zero_array(v, struct link_keys, v->chain.n);
	if (v->keys == NULL)
		return false;
	for (size_t i = v->chain.n; i-- > 0 && v->chain.v[i].message_hashed;)
		if (!want_body(v, &v->chain.v[i].message_signature))
			return false;
	return true;
}

struct arc_validator *arc_validator_new(TALLOC_CTX *mem, const struct dkim_field *fields, size_t n, const struct arc_options *options, struct arc_facts *facts)
{
	struct arc_validator *v = talloc_zero(mem, struct arc_validator);
	const char *problem;

	*facts = (struct arc_facts){ .result = ARC_PENDING, .problem = "" };
	if (v == NULL)
		return NULL;
	v->facts = facts;
	v->options = *options;
	problem = arc_chain_read(v, fields, n, &v->chain);
	facts->ended = v->chain.ended;
	if (options->incomplete) {
		finish(v, ARC_TEMPERROR, "the header was not kept whole");
	} else if (problem != NULL) {
		const char *copy = talloc_strdup(mem, problem);

		finish(v, strcmp(problem, "no memory") != 0 ? ARC_FAIL : ARC_TEMPERROR, copy != NULL ? copy : "no memory");
	} else if (v->chain.n == 0) {
		finish(v, ARC_NONE, "");
	} else {
		v->usable = true;
		if (!begin(mem, v, fields, n))
			finish(v, ARC_TEMPERROR, "no memory");
	}
	return v;
}

/* ---- keys */

static void judge_key(struct arc_validator *v, struct wanted_key *key, const char *const *records, size_t n, bool ed25519)
{
	TALLOC_CTX *scratch = talloc_new(v);
	struct dkim_key found;

	dkim_key_choose(scratch, records, n, ed25519, &found);
	key->result = found.result;
	key->problem = found.problem;
	if (found.result == DKIM_PASS && !ed25519 && found.bits < v->options.bits_min) {
		key->result = DKIM_PERMERROR;
		key->problem = "the key is too short";
	}
	if (key->result == DKIM_PASS) {
		key->data = talloc_size(v, strlen(found.p) + 1);
		if (key->data == NULL || !dkim_base64(found.p, strlen(found.p), key->data, &key->len)) {
			key->result = DKIM_TEMPERROR;
			key->problem = "no memory";
		}
	}
	talloc_free(scratch);
}

/* false: the answer is missing. */
static bool look_for_key(struct arc_validator *v, struct answers *answers, const struct arc_signature *sig, struct wanted_key *key)
{
	char name[3 * ANSWER_NAME_MAX];
	const char *const *records = NULL;
	enum answer_status status;
	size_t n = 0;

	if (key->known)
		return true;
	if (snprintf(name, sizeof(name), "%s._domainkey.%s", sig->s, sig->d) > DOMAIN_LEN_MAX) {
		key->known = true;
		key->result = DKIM_PERMERROR;
		key->problem = "no key can have that name";
		return true;
	}
	status = answers_get(answers, TXT, name, &records, &n);
	if (status == ANSWER_PENDING)
		return false;
	key->known = true;
	if (status == ANSWER_FAILED || status == ANSWER_LATE) {
		key->result = DKIM_TEMPERROR;
		key->problem = "the look-up of the key failed";
	} else {
		judge_key(v, key, records, n, sig->ed25519);
	}
	return true;
}

bool arc_validator_keys(struct arc_validator *v, struct answers *answers)
{
	bool all = true;

	for (size_t i = v->chain.n; v->usable && i-- > 0;) {
		struct arc_link *link = &v->chain.v[i];

		all &= look_for_key(v, answers, &link->seal_signature, &v->keys[i].seal);
		if (link->message_hashed)
			all &= look_for_key(v, answers, &link->message_signature, &v->keys[i].message);
	}
	return all;
}

/* ---- the body */

void arc_validator_body(struct arc_validator *v, const void *data, size_t len)
{
	for (size_t i = 0; v->usable && i < v->n_bodies; i++)
		canon_body_add(v->bodies[i].canon, data, len);
}

static const struct body *body_of(const struct arc_validator *v, const struct arc_signature *sig)
{
	for (size_t i = 0; i < v->n_bodies; i++)
		if (v->bodies[i].relaxed == sig->relaxed_body && v->bodies[i].l == sig->l)
			return &v->bodies[i];
	return NULL;
}

/* ---- the end */

/* NULL: the signature is one over that digest. *temporary_r: nobody knows. */
static const char *verify(const struct arc_signature *sig, const struct wanted_key *key, const uint8_t digest[HASH_SHA256], bool *temporary_r)
{
	*temporary_r = !key->known || key->result == DKIM_TEMPERROR;
	if (!key->known)
		return "the key did not come";
	if (key->result != DKIM_PASS)
		return key->problem;
	if (sig->ed25519 ? hash_verify_ed25519(key->data, key->len, digest, sig->b, sig->b_len) : hash_verify_rsa(key->data, key->len, digest, sig->b, sig->b_len))
		return NULL;
	return "the signature does not verify";
}

/* NULL: a message signature holds, over header and body. */
static const char *verify_message(const struct arc_validator *v, size_t i, bool *temporary_r)
{
	const struct arc_link *link = &v->chain.v[i];
	const struct arc_signature *sig = &link->message_signature;
	const struct body *body = body_of(v, sig);

	*temporary_r = false;
	if (body == NULL)
		return "the body's length is not looked at";
	if (!body->good) {
		*temporary_r = true;
		return "no memory";
	}
	if (sig->l > 0 && (uint64_t)sig->l > body->octets)
		return "the body is shorter than l=";
	if (!hash_equal(body->digest, sig->bh, HASH_SHA256))
		return "the body hash differs";
	if (sig->x >= 0 && sig->x + DKIM_DRIFT < v->options.now)
		return "it has expired";
	return verify(sig, &v->keys[i].message, link->message_digest, temporary_r);
}

/* The lowest instance down to which all message signatures hold; 0: all of them (RFC 8617 section 5.2, step 5). The last one does. */
static unsigned oldest_pass(const struct arc_validator *v)
{
	size_t i = v->chain.n - 1;
	bool temporary;

	while (i > 0 && v->chain.v[i - 1].message_hashed && verify_message(v, i - 1, &temporary) == NULL)
		i--;
	return i == 0 ? 0 : (unsigned)i + 1;
}

/* What is wrong for good decides; what might be wrong comes second. */
struct fault {
	enum arc_result result;
	const char *field;
	size_t instance;
	const char *problem;
};

static void blame(struct fault *fault, const char *field, size_t i, const char *problem, bool temporary)
{
	if (problem == NULL || fault->result == ARC_FAIL || (temporary && fault->result == ARC_TEMPERROR))
		return;
	*fault = (struct fault){ .result = temporary ? ARC_TEMPERROR : ARC_FAIL, .field = field, .instance = i + 1, .problem = problem };
}

void arc_validator_end(struct arc_validator *v)
{
	struct fault fault = { .result = ARC_PASS };
	size_t last = v->chain.n - 1;
	const char *problem;
	bool temporary;
	char *text;

	if (!v->usable)
		return;
	for (size_t i = 0; i < v->n_bodies; i++)
		v->bodies[i].good = canon_body_end(v->bodies[i].canon, v->bodies[i].digest, &v->bodies[i].octets);
	problem = verify_message(v, last, &temporary);
	blame(&fault, "ARC-Message-Signature", last, problem, temporary);
	for (size_t i = v->chain.n; i-- > 0 && fault.result != ARC_FAIL;) {
		problem = verify(&v->chain.v[i].seal_signature, &v->keys[i].seal, v->chain.v[i].seal_digest, &temporary);
		blame(&fault, "ARC-Seal", i, problem, temporary);
	}
	if (fault.result == ARC_PASS) {
		const struct arc_signature *sig = &v->chain.v[last].message_signature;

		v->facts->partial = sig->l >= 0 && (uint64_t)sig->l < body_of(v, sig)->octets;
		v->facts->oldest_pass = oldest_pass(v);
		finish(v, ARC_PASS, "");
		return;
	}
	text = talloc_asprintf(v->facts->sets, "%s %zu: %s", fault.field, fault.instance, fault.problem);
	finish(v, fault.result, text != NULL ? text : "no memory");
}
