/* arc_chain.c - collects the sets of a message, judges how they follow each other, makes what was signed (RFC 8617 sections 5.1.1, 5.2) */
#include <string.h>

#include "net/arc_private.h"
#include "net/canon.h"

enum kind { KIND_RESULTS, KIND_MESSAGE, KIND_SEAL, KIND_NONE };

static const char *const names[] = { "ARC-Authentication-Results", "ARC-Message-Signature", "ARC-Seal", "" };

static enum kind kind_of(const struct dkim_field *field)
{
	for (int kind = 0; kind < KIND_NONE; kind++)
		if (dkim_field_is(field, names[kind], strlen(names[kind])))
			return (enum kind)kind;
	return KIND_NONE;
}

static const char *say(TALLOC_CTX *mem, enum kind kind, unsigned instance, const char *problem)
{
	char *text = instance > 0 ? talloc_asprintf(mem, "%s %u %s", names[kind], instance, problem) : talloc_asprintf(mem, "%s: %s", names[kind], problem);

	return text != NULL ? text : "no memory";
}

/* Takes one field into its set. links has room for all instances. NULL, or what is wrong. */
static const char *take(TALLOC_CTX *mem, const struct dkim_field *field, enum kind kind, struct arc_link *links)
{
	struct arc_signature *sig = NULL;
	const struct dkim_field **place;
	const char *problem;
	unsigned instance = 0;
	size_t rest = 0;

	if (kind == KIND_RESULTS) {
		problem = arc_read_results(field, &instance, &rest);
	} else {
		sig = talloc(mem, struct arc_signature);
		if (sig == NULL)
			return "no memory";
		problem = kind == KIND_SEAL ? arc_read_seal(mem, field, sig) : arc_read_message_signature(mem, field, sig);
		instance = sig->instance;
	}
	if (problem != NULL) {
		talloc_free(sig);
		return say(mem, kind, instance, problem);
	}
	place = kind == KIND_RESULTS ? &links[instance - 1].results : kind == KIND_SEAL ? &links[instance - 1].seal : &links[instance - 1].message;
	problem = *place != NULL ? say(mem, kind, instance, "stands there twice") : NULL;
	*place = field;
	if (kind == KIND_RESULTS)
		links[instance - 1].results_rest = rest;
	else
		*(kind == KIND_SEAL ? &links[instance - 1].seal_signature : &links[instance - 1].message_signature) = *sig;
	talloc_free(sig);
	return problem;
}

/* Instances without a gap, each with its three fields; the first says cv=none, all others cv=pass. */
static const char *judge(TALLOC_CTX *mem, struct arc_chain *chain)
{
	for (size_t i = chain->n; i-- > 0;) {
		const struct arc_link *link = &chain->v[i];
		unsigned instance = (unsigned)i + 1;

		if (link->results == NULL || link->message == NULL || link->seal == NULL)
			return say(mem, link->seal == NULL ? KIND_SEAL : link->message == NULL ? KIND_MESSAGE : KIND_RESULTS, instance, "is missing");
	}
	chain->ended = chain->n > 0 && chain->v[chain->n - 1].seal_signature.cv == ARC_CV_FAIL;
	if (chain->ended)
		return say(mem, KIND_SEAL, (unsigned)chain->n, "says that the chain had failed before");
	for (size_t i = 0; i < chain->n; i++)
		if (chain->v[i].seal_signature.cv != (i == 0 ? ARC_CV_NONE : ARC_CV_PASS))
			return say(mem, KIND_SEAL, (unsigned)i + 1, i == 0 ? "does not say cv=none" : "does not say cv=pass");
	return NULL;
}

const char *arc_chain_read(TALLOC_CTX *mem, const struct dkim_field *fields, size_t n, struct arc_chain *chain)
{
	*chain = (struct arc_chain){ 0 };
	for (size_t i = 0; i < n; i++) {
		enum kind kind = kind_of(&fields[i]);
		const char *problem;

		if (kind == KIND_NONE)
			continue;
		if (chain->v == NULL)
			chain->v = talloc_zero_array(mem, struct arc_link, ARC_SETS_MAX);
		problem = chain->v != NULL ? take(mem, &fields[i], kind, chain->v) : "no memory";
		if (problem != NULL)
			return problem;
	}
	for (unsigned i = 0; chain->v != NULL && i < ARC_SETS_MAX; i++)
		if (chain->v[i].results != NULL || chain->v[i].message != NULL || chain->v[i].seal != NULL)
			chain->n = i + 1;
	return judge(mem, chain);
}

/* ---- what was signed */

/* A seal signs all sets up to its own, in order; itself without its b= and without a line end (section 5.1.1). One hash grows over the sets. */
static bool hash_seals(TALLOC_CTX *mem, struct arc_chain *chain)
{
	struct hash *all = hash_new(mem);
	bool good = all != NULL;

	for (size_t i = 0; i < chain->n && good; i++) {
		struct arc_link *link = &chain->v[i];
		const struct arc_signature *sig = &link->seal_signature;
		struct hash *own;

		canon_field(all, link->results, true, 0, 0, true);
		canon_field(all, link->message, true, 0, 0, true);
		own = hash_copy(mem, all);
		if (own != NULL)
			canon_field(own, link->seal, true, sig->cut, sig->cut_len, false);
		good = hash_end(own, link->seal_digest);
		canon_field(all, link->seal, true, 0, 0, true);
	}
	talloc_free(all);
	return good;
}

/* The fields that h= names, of each name from the bottom upwards (RFC 6376 section 5.4.2), and the signature itself. used: n flags. */
static bool hash_message(TALLOC_CTX *mem, const struct dkim_field *fields, size_t n, struct arc_link *link, bool *used)
{
	const struct arc_signature *sig = &link->message_signature;
	const char *list = sig->h, *name;
	struct hash *hash = hash_new(mem);
	size_t len;

	if (hash == NULL)
		return false;
	memset(used, 0, n * sizeof(*used));
	used[link->message - fields] = true;     /* it does not cover itself that way */
	while ((name = dkim_list_next(&list, sig->h + sig->h_len, &len)) != NULL) {
		size_t i = n;

		while (i > 0 && (used[i - 1] || !dkim_field_is(&fields[i - 1], name, len)))
			i--;
		if (i == 0)
			continue;                /* fields that are not there are covered too: they must not come */
		used[i - 1] = true;
		canon_field(hash, &fields[i - 1], sig->relaxed_header, 0, 0, true);
	}
	canon_field(hash, link->message, sig->relaxed_header, sig->cut, sig->cut_len, false);
	link->message_hashed = hash_end(hash, link->message_digest);
	return link->message_hashed;
}

bool arc_chain_hash(TALLOC_CTX *mem, const struct dkim_field *fields, size_t n, struct arc_chain *chain)
{
	bool *used = talloc_array(mem, bool, n);
	bool good = used != NULL && hash_seals(mem, chain);

	for (size_t i = chain->n; i-- > 0 && good && chain->n - i <= ARC_LOOKED_AT_MAX;)
		good = hash_message(mem, fields, n, &chain->v[i], used);
	talloc_free(used);
	return good;
}
