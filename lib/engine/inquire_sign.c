/* inquire_sign.c - `winnowctl sign test`: do the keys that sign a domain's mail and its records in DNS fit? */
#include "engine/engine.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <stdio.h>

#include "engine/network.h"
#include "engine/sign_keys.h"
#include "net/dkim_sign.h"
#include "util/clock.h"
#include "util/domain.h"

/* NULL: it fits. */
static const char *compare(TALLOC_CTX *mem, struct answers *answers, const struct signer *s, const char *name, int64_t deadline)
{
	enum answer_status status = network_ask(answers, ns_t_txt, name, deadline);
	const char *const *records = NULL;
	size_t n = 0;

	if (status == ANSWER_LATE)
		return "DNS did not answer in time";
	if (status == ANSWER_FAILED)
		return "DNS failed (SERVFAIL, REFUSED or an unreadable answer)";
	if (status == ANSWER_NXDOMAIN || status == ANSWER_EMPTY)
		return "there is no record";
	answers_get(answers, ns_t_txt, name, &records, &n);
	return dkim_sign_compare(mem, s->key, records, n);
}

/* One key: true if its record does not fit. */
static bool say(FILE *f, TALLOC_CTX *mem, struct answers *answers, const struct signer *s, const char *domain, int64_t deadline)
{
	bool ed25519 = private_key_is_ed25519(s->key);
	const char *name = talloc_asprintf(mem, "%s._domainkey.%s", s->selector, domain), *public = private_key_public(mem, s->key), *problem;

	if (name == NULL || public == NULL)
		return fprintf(f, "no memory\n") > 0;
	problem = compare(mem, answers, s, name, deadline);
	fprintf(f, "%s: %s", name, ed25519 ? "ed25519" : "rsa");
	if (!ed25519)
		fprintf(f, " %u bits", private_key_bits(s->key));
	fprintf(f, ", %s: %s\n", s->path, problem != NULL ? problem : "the record fits");
	if (problem != NULL)
		fprintf(f, "\tthis record would fit (in strings of at most 255 octets): %s TXT \"v=DKIM1; k=%s; p=%s\"\n", name, ed25519 ? "ed25519" : "rsa", public);
	return problem != NULL;
}

static int test(FILE *f, struct winnow_engine *engine, const struct config *config, TALLOC_CTX *mem, const char *domain)
{
	const char *name = domain_ascii(mem, domain), *problem;
	int64_t deadline = clock_mono() + network_options(config).timeout * 1000 + 1000000;
	struct answers *answers;
	struct signers signers;
	int wrong = 0;

	if (name == NULL || !dkim_sign_name_valid(name, true))
		return fprintf(f, "%s: no domain; write example.com\n", printable(mem, domain, 253)) > 0 ? -EINVAL : -ENOMEM;
	problem = sign_keys_find(engine->sign_keys, config, mem, name, &signers);
	if (problem != NULL || signers.domain == NULL)
		return fprintf(f, "%s: %s\n", name, problem != NULL ? problem : "sign.keys names no key for it: its mail leaves unsigned") > 0 ? -EINVAL : -ENOMEM;
	answers = answers_new(engine->asker);
	if (answers == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < signers.n; i++)
		wrong += say(f, mem, answers, &signers.v[i], signers.domain, deadline);
	answers_unref(answers);
	return wrong;
}

int winnow_sign_test(struct winnow_engine *engine, const char *domain, char **text_r)
{
	struct config *config = engine_config(engine);
	TALLOC_CTX *mem = talloc_new(NULL);
	bool own = engine->asker == NULL;
	char *error = NULL;
	size_t len = 0;
	FILE *f = open_memstream(text_r, &len);
	int result = -ENOMEM;

	if (f != NULL && own && network_open(engine, config, &error) != 0)
		fprintf(f, "no resolver: %s\n", error != NULL ? error : "out of memory");
	else if (f != NULL)
		result = test(f, engine, config, mem, domain);
	if (own) {
		network_close(engine);
		engine->asker = NULL;
	}
	if (f != NULL)
		fclose(f);
	talloc_free(error);
	talloc_free(mem);
	config_unref(config);
	return result;
}
