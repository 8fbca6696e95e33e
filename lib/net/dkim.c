/* dkim.c - libopendkim: it is fed fields and signatures that were read before, and keys that were judged before; what it then says of each signature becomes a result */
#include "net/dkim_private.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <opendkim/dkim.h>

#include "net/answers.h"
#include "util/domain.h"

/* What libopendkim gets to see: signatures whose tags were all read strictly, the fields that they cover, and for each of them a record "v=DKIM1; k=rsa; p=..." of
 * octets that were decoded before. It asks no network, makes no files, and never decides alone: its assertions abort the process, its flag "passed" is set for a
 * changed body, it takes rsa-sha1, l= that leaves half of the body unsigned, and any number of signatures (facts of its source, and measured). */

enum { DNS_TXT = 16, B_SHOWN = 8 };

struct dkim_library {
	DKIM_LIB *lib;
};

struct dkim_verifier {
	struct dkim_selection sel;
	struct dkim_facts *facts;
	TALLOC_CTX *mem;                 /* of the facts' strings */
	unsigned bits_min;
	DKIM *handle;                    /* NULL: there is nothing to verify */
	DKIM_SIGINFO **infos;            /* of sel.v; NULL: it was not fed, or is ignored */
	struct dkim_length simple, relaxed;
	bool lengths;                    /* a signature has l= */
	char last[2];                    /* of the body */
	uint64_t body;
};

const char *dkim_result_name(enum dkim_result result)
{
	static const char *const names[] = { "pending", "none", "pass", "fail", "policy", "neutral", "temperror", "permerror" };

	return names[result];
}

bool dkim_passes(const struct dkim_facts *facts, const char *domain)
{
	for (size_t i = 0; facts != NULL && facts->done && i < facts->n; i++)
		if (facts->v[i].result == DKIM_PASS && domain_within(domain, facts->v[i].domain))
			return true;
	return false;
}

/* ---- the library */

static const struct dkim_candidate *candidate_of(const struct dkim_verifier *v, const DKIM_SIGINFO *info)
{
	for (size_t i = 0; i < v->sel.n; i++)
		if (v->infos[i] == info)
			return &v->sel.v[i];
	return NULL;
}

/* The key of a signature, as a record of our own. It is only asked for those that have a usable one; "not found" otherwise. */
static DKIM_CBSTAT give_key(DKIM *handle, DKIM_SIGINFO *info, unsigned char *buf, size_t size)
{
	struct dkim_verifier *v = dkim_get_user_context(handle);
	const struct dkim_candidate *c = candidate_of(v, info);
	int n;

	if (c == NULL || !c->key_known || c->key.result != DKIM_PASS)
		return DKIM_CBSTAT_NOTFOUND;
	n = snprintf((char *)buf, size, "v=DKIM1; k=%s; p=%s", c->key.ed25519 ? "ed25519" : "rsa", c->key.p);
	return n > 0 && (size_t)n < size ? DKIM_CBSTAT_CONTINUE : DKIM_CBSTAT_NOTFOUND;
}

static int library_gone(struct dkim_library *library)
{
	if (library->lib != NULL)
		dkim_close(library->lib);
	return 0;
}

struct dkim_library *dkim_library_new(TALLOC_CTX *parent)
{
	struct dkim_library *library = talloc_zero(parent, struct dkim_library);
	unsigned flags = DKIM_LIBFLAGS_DELAYSIGPROC, bits = 512;     /* keys that are too short are found by us */
	bool good;

	if (library == NULL)
		return NULL;
	talloc_set_destructor(library, library_gone);
	library->lib = dkim_init(NULL, NULL);
	good = library->lib != NULL && dkim_libfeature(library->lib, DKIM_FEATURE_ED25519) && dkim_libfeature(library->lib, DKIM_FEATURE_SHA256)
		&& dkim_options(library->lib, DKIM_OP_SETOPT, DKIM_OPTS_FLAGS, &flags, sizeof(flags)) == DKIM_STAT_OK
		&& dkim_options(library->lib, DKIM_OP_SETOPT, DKIM_OPTS_MINKEYBITS, &bits, sizeof(bits)) == DKIM_STAT_OK
		&& dkim_set_key_lookup(library->lib, give_key) == DKIM_STAT_OK;
	if (!good) {
		talloc_free(library);
		return NULL;
	}
	return library;
}

/* ---- feeding */

static void stop_signature(struct dkim_candidate *c, enum dkim_result result, const char *problem)
{
	if (c->sig.result != DKIM_PENDING)
		return;
	c->sig.result = result;
	c->sig.problem = problem;
}

/* Nothing more can be said of any signature. */
static void stop_all(struct dkim_verifier *v, enum dkim_result result, const char *problem)
{
	for (size_t i = 0; i < v->sel.n; i++)
		if (v->sel.v[i].verify)
			stop_signature(&v->sel.v[i], result, problem);
	if (v->handle != NULL)
		dkim_free(v->handle);
	v->handle = NULL;
}

/* name, ":" and the value with its leading blanks as they came; folds as CRLF. *len_r: its length. */
static char *join(TALLOC_CTX *mem, const struct dkim_field *f, size_t *len_r)
{
	char *text = talloc_array(mem, char, f->name_len + 1 + 2 * f->value_len + 1), *out = text;

	if (text == NULL)
		return NULL;
	out = mempcpy(out, f->name, f->name_len);
	*out++ = ':';
	for (size_t i = 0; i < f->value_len; i++) {
		if (f->value[i] == '\n' && out[-1] != '\r')
			*out++ = '\r';
		*out++ = f->value[i];
	}
	*out = '\0';
	*len_r = (size_t)(out - text);
	return text;
}

/* Feeds the wanted fields. fed: the candidates that libopendkim has taken as signatures, in its order; *n_r of them. NULL, or the problem. */
static const char *feed_fields(struct dkim_verifier *v, const struct dkim_field *fields, size_t n, const bool *wanted, size_t *fed, size_t *n_r)
{
	size_t next = 0;

	*n_r = 0;
	for (size_t i = 0; i < n; i++) {
		size_t len;
		char *text;
		DKIM_STAT status;

		while (next < v->sel.n && v->sel.v[next].field < i)
			next++;
		if (!wanted[i])
			continue;
		if (fields[i].name_len + fields[i].value_len > DKIM_FIELD_MAX)
			return "a signed field is too long";
		text = join(v, &fields[i], &len);
		if (text == NULL)
			return "no memory";
		status = dkim_header(v->handle, (unsigned char *)text, len);
		talloc_free(text);
		if (next < v->sel.n && v->sel.v[next].field == i) {
			if (status == DKIM_STAT_OK)
				fed[(*n_r)++] = next;
		} else if (status != DKIM_STAT_OK) {
			return "a signed field cannot be read";
		}
	}
	return NULL;
}

/* Which of libopendkim's signatures is which of ours: they come in the order of the header. */
static const char *match_signatures(struct dkim_verifier *v, const size_t *fed, size_t n)
{
	DKIM_SIGINFO **infos;
	int count;

	if (dkim_getsiglist(v->handle, &infos, &count) != DKIM_STAT_OK || count < 0 || (size_t)count != n)
		return "libopendkim has lost a signature";
	for (size_t i = 0; i < n; i++) {
		struct dkim_candidate *c = &v->sel.v[fed[i]];
		const unsigned char *domain = dkim_sig_getdomain(infos[i]);

		if (domain == NULL || strcasecmp((const char *)domain, c->sig.d) != 0)
			return "libopendkim has mistaken a signature";
		if (c->verify)
			v->infos[fed[i]] = infos[i];
		else
			dkim_sig_ignore(infos[i]);
	}
	return NULL;
}

/* The header is over: libopendkim hashes it. */
static const char *close_header(struct dkim_verifier *v, const size_t *fed, size_t n)
{
	const char *problem;
	DKIM_STAT status = dkim_eoh(v->handle);

	if (status == DKIM_STAT_SYNTAX)
		return "From cannot be read";
	if (status != DKIM_STAT_OK)
		return "libopendkim cannot read the header";
	problem = match_signatures(v, fed, n);
	for (size_t i = 0; problem == NULL && i < v->sel.n; i++)
		if (v->sel.v[i].verify && v->infos[i] == NULL)
			stop_signature(&v->sel.v[i], DKIM_NEUTRAL, "libopendkim cannot read it");
	return problem;
}

static const char *feed_header(struct dkim_verifier *v, const struct dkim_library *library, const struct dkim_field *fields, size_t n)
{
	bool *wanted = talloc_zero_array(v, bool, n);
	size_t *fed = talloc_array(v, size_t, v->sel.n), octets, n_fed;
	const char *problem = "no memory";
	DKIM_STAT status;

	v->infos = talloc_zero_array(v, DKIM_SIGINFO *, v->sel.n);
	if (wanted != NULL && fed != NULL && v->infos != NULL && dkim_wanted_fields(v, &v->sel, fields, n, wanted, &octets))
		problem = octets > DKIM_FED_MAX ? "the signed fields are too long" : NULL;
	if (problem == NULL) {
		v->handle = dkim_verify(library->lib, (const unsigned char *)"winnow", NULL, &status);
		problem = v->handle == NULL || dkim_set_user_context(v->handle, v) != DKIM_STAT_OK ? "no memory" : NULL;
	}
	if (problem == NULL)
		problem = feed_fields(v, fields, n, wanted, fed, &n_fed);
	if (problem == NULL)
		problem = close_header(v, fed, n_fed);
	talloc_free(wanted);
	talloc_free(fed);
	return problem;
}

static int verifier_gone(struct dkim_verifier *v)
{
	if (v->handle != NULL)
		dkim_free(v->handle);
	return 0;
}

/* Without From there is nothing that a signature could stand for: as if there were none. */
static bool has_from(const struct dkim_field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (dkim_field_is(&fields[i], "From", 4))
			return true;
	return false;
}

struct dkim_verifier *dkim_verifier_new(TALLOC_CTX *mem, struct dkim_library *library, const struct dkim_field *fields, size_t n, const struct dkim_options *options, struct dkim_facts *facts)
{
	struct dkim_verifier *v = talloc_zero(mem, struct dkim_verifier);
	const char *problem;

	*facts = (struct dkim_facts){ 0 };
	if (v == NULL)
		return NULL;
	v->facts = facts;
	v->mem = mem;
	v->bits_min = options->bits_min;
	v->simple = dkim_length_new(false);
	v->relaxed = dkim_length_new(true);
	talloc_set_destructor(v, verifier_gone);
	if (!dkim_select(v, fields, n, options, &v->sel)) {
		talloc_free(v);
		return NULL;
	}
	facts->fields = v->sel.fields;
	facts->duplicates = v->sel.duplicates;
	facts->beyond = v->sel.beyond;
	if (!has_from(fields, n))
		v->sel.n = v->sel.verified = 0;
	for (size_t i = 0; i < v->sel.n; i++)
		v->lengths |= v->sel.v[i].verify && v->sel.v[i].sig.l >= 0;
	if (v->sel.verified > 0) {
		problem = feed_header(v, library, fields, n);
		if (problem != NULL)
			stop_all(v, DKIM_NEUTRAL, problem);
	}
	return v;
}

/* ---- keys */

static void judge_key(struct dkim_verifier *v, struct dkim_candidate *c)
{
	const struct dkim_key *key = &c->key;

	c->key_known = true;
	if (key->result != DKIM_PASS)
		stop_signature(c, key->result, key->problem);
	else if (!key->ed25519 && key->bits < v->bits_min)
		stop_signature(c, DKIM_POLICY, "the key is too short");
	else if (key->strict && (strchr(c->sig.i, '@') == NULL || strcasecmp(strchr(c->sig.i, '@') + 1, c->sig.d) != 0))
		stop_signature(c, DKIM_PERMERROR, "the key is not for subdomains");
}

/* One signature's key; false: the answer is missing. */
static bool find_key(struct dkim_verifier *v, struct dkim_candidate *c, struct answers *answers)
{
	char *name = talloc_asprintf(v, "%s._domainkey.%s", c->sig.s, c->sig.d);
	const char *const *records;
	enum answer_status status = ANSWER_FAILED;
	size_t n = 0;

	if (name != NULL)
		status = answers_get(answers, DNS_TXT, name, &records, &n);
	if (status == ANSWER_DATA || status == ANSWER_EMPTY || status == ANSWER_NXDOMAIN) {
		dkim_key_choose(v, records, n, strcmp(c->sig.algorithm, "ed25519-sha256") == 0, &c->key);
		c->secure = answers_secure(answers, DNS_TXT, name);
		judge_key(v, c);
	} else if (status == ANSWER_LATE) {
		stop_signature(c, DKIM_TEMPERROR, "no answer in time for its key");
	} else if (status == ANSWER_FAILED) {
		stop_signature(c, DKIM_TEMPERROR, "the name servers failed for its key");
	}
	talloc_free(name);
	return status != ANSWER_PENDING;
}

bool dkim_verifier_keys(struct dkim_verifier *v, struct answers *answers)
{
	bool all = true;

	for (size_t i = 0; i < v->sel.n; i++)
		if (v->sel.v[i].verify && !v->sel.v[i].key_known && v->sel.v[i].sig.result == DKIM_PENDING)
			all &= find_key(v, &v->sel.v[i], answers);
	return all;
}

/* ---- body and end */

void dkim_verifier_body(struct dkim_verifier *v, const void *data, size_t len)
{
	const char *text = data;

	if (len == 0 || v->handle == NULL)
		return;
	v->last[0] = len > 1 ? text[len - 2] : v->last[1];
	v->last[1] = text[len - 1];
	v->body += len;
	if (v->lengths) {
		dkim_length_add(&v->simple, data, len);
		dkim_length_add(&v->relaxed, data, len);
	}
	if (dkim_body(v->handle, (unsigned char *)(uintptr_t)data, len) != DKIM_STAT_OK)
		stop_all(v, DKIM_NEUTRAL, "libopendkim cannot read the body");
}

static void judge_library_error(struct dkim_candidate *c, int error)
{
	switch (error) {
	case DKIM_SIGERROR_BADSIG:
		stop_signature(c, DKIM_FAIL, "bad signature");
		break;
	case DKIM_SIGERROR_TOOLARGE_L:
		stop_signature(c, DKIM_FAIL, "l= is more than the body has");
		break;
	case DKIM_SIGERROR_EXPIRED:
		stop_signature(c, DKIM_FAIL, "signature expired");
		break;
	case DKIM_SIGERROR_FUTURE:
		stop_signature(c, DKIM_FAIL, "signed in the future");
		break;
	case DKIM_SIGERROR_KEYDECODE:
		stop_signature(c, DKIM_PERMERROR, "the key cannot be read");
		break;
	default:
		stop_signature(c, DKIM_NEUTRAL, "it could not be verified");
	}
}

/* Passed, over this body, without an error, not ignored; and all of the body. */
static void judge_signature(struct dkim_verifier *v, struct dkim_candidate *c, DKIM_SIGINFO *info)
{
	unsigned flags = dkim_sig_getflags(info);
	int error = dkim_sig_geterror(info), hash = dkim_sig_getbh(info);

	if (hash == DKIM_SIGBH_MISMATCH && error != DKIM_SIGERROR_TOOLARGE_L)
		stop_signature(c, DKIM_FAIL, "the body was changed");
	if (error != DKIM_SIGERROR_OK)
		judge_library_error(c, error);
	if ((flags & DKIM_SIGFLAG_PASSED) == 0 || (flags & DKIM_SIGFLAG_IGNORE) != 0 || hash != DKIM_SIGBH_MATCH)
		stop_signature(c, DKIM_NEUTRAL, "it could not be verified");
	if (c->sig.l >= 0 && (uint64_t)c->sig.l < (c->sig.relaxed_body ? v->relaxed : v->simple).octets)
		stop_signature(c, DKIM_POLICY, "l= leaves a part of the body unsigned");
	stop_signature(c, DKIM_PASS, "");
}

static void run_library(struct dkim_verifier *v)
{
	bool wanted = false;

	for (size_t i = 0; i < v->sel.n; i++) {
		if (v->infos[i] == NULL)
			continue;
		if (v->sel.v[i].sig.result == DKIM_PENDING && v->sel.v[i].key_known)
			wanted = true;
		else
			dkim_sig_ignore(v->infos[i]);
	}
	if (!wanted)
		return;
	/* a body that does not end in CRLF is hashed as if it did (sections 3.4.3 and 3.4.4); libopendkim would not */
	if (v->body > 0 && (v->last[0] != '\r' || v->last[1] != '\n'))
		dkim_verifier_body(v, "\r\n", 2);
	if (v->handle == NULL)
		return;
	v->simple.octets = dkim_length_end(&v->simple);
	v->relaxed.octets = dkim_length_end(&v->relaxed);
	dkim_eom(v->handle, NULL);
	for (size_t i = 0; i < v->sel.n; i++)
		if (v->infos[i] != NULL && v->sel.v[i].sig.result == DKIM_PENDING && v->sel.v[i].key_known)
			judge_signature(v, &v->sel.v[i], v->infos[i]);
}

/* As many characters of b= as tell it apart from all others here. */
static size_t b_shown(const struct dkim_verifier *v, size_t of)
{
	const char *b = v->sel.v[of].sig.b;
	size_t len = strlen(b), shown = B_SHOWN;

	for (size_t i = 0; i < v->sel.n; i++) {
		size_t same = 0;

		if (i == of || !v->sel.v[i].shown)
			continue;
		while (b[same] != '\0' && b[same] == v->sel.v[i].sig.b[same])
			same++;
		if (same >= shown)
			shown = same + 1;
	}
	return shown < len ? shown : len;
}

static void tell(struct dkim_verifier *v, size_t i, struct dkim_outcome *o)
{
	const struct dkim_candidate *c = &v->sel.v[i];

	*o = (struct dkim_outcome){
		.result = c->sig.result, .domain = talloc_steal(v->mem, c->sig.d), .selector = talloc_steal(v->mem, c->sig.s), .identity = talloc_steal(v->mem, c->sig.i),
		.algorithm = c->sig.algorithm, .b = talloc_strndup(v->mem, c->sig.b, b_shown(v, i)), .problem = c->sig.problem, .bits = c->key.bits,
		.testing = c->key.testing, .secure = c->secure,
	};
	if (o->b == NULL)
		o->b = "";
}

void dkim_verifier_end(struct dkim_verifier *v)
{
	struct dkim_facts *facts = v->facts;

	if (facts->done)
		return;
	facts->done = true;
	if (v->handle != NULL)
		run_library(v);
	stop_all(v, DKIM_TEMPERROR, "its key did not come");
	facts->v = talloc_array(v->mem, struct dkim_outcome, v->sel.n);
	for (size_t i = 0; facts->v != NULL && i < v->sel.n; i++)
		if (v->sel.v[i].shown)
			tell(v, i, &facts->v[facts->n++]);
}
