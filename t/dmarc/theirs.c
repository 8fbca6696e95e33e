/* theirs.c - asks libopendmarc as its manual says: identities, record, verdict */
#include "theirs.h"

#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include <opendmarc/dmarc.h>

/* The library copies what it is told without freeing what it had: its leaks are not ours, which are still found. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libopendmarc.so\n";
}

static const int spf_outcomes[] = { DMARC_POLICY_SPF_OUTCOME_NONE, DMARC_POLICY_SPF_OUTCOME_PASS, DMARC_POLICY_SPF_OUTCOME_FAIL, DMARC_POLICY_SPF_OUTCOME_TMPFAIL };
static const int dkim_outcomes[] = { DMARC_POLICY_DKIM_OUTCOME_NONE, DMARC_POLICY_DKIM_OUTCOME_PASS, DMARC_POLICY_DKIM_OUTCOME_FAIL, DMARC_POLICY_DKIM_OUTCOME_TMPFAIL };

static char verdict_of(int policy)
{
	switch (policy) {
	case DMARC_POLICY_PASS: return 'p';
	case DMARC_POLICY_REJECT: return 'r';
	case DMARC_POLICY_QUARANTINE: return 'q';
	case DMARC_POLICY_NONE: return 'n';
	default: return '-';
	}
}

void ask_them(const char *record, const char *from, const char *org, struct identity spf, struct identity dkim, struct theirs *t)
{
	DMARC_POLICY_T *context = opendmarc_policy_connect_init((u_char *)"192.0.2.1", 4);
	u_char **rua;

	memset(t, 0, sizeof(*t));
	opendmarc_policy_store_from_domain(context, (u_char *)from);
	opendmarc_policy_store_spf(context, (u_char *)spf.domain, spf_outcomes[spf.outcome], DMARC_POLICY_SPF_ORIGIN_MAILFROM, NULL);
	opendmarc_policy_store_dkim(context, (u_char *)dkim.domain, (u_char *)"s", dkim_outcomes[dkim.outcome], NULL);
	t->read = opendmarc_policy_store_dmarc(context, (u_char *)record, (u_char *)from, (u_char *)org) == DMARC_PARSE_OKAY;
	opendmarc_policy_fetch_p(context, &t->p);
	opendmarc_policy_fetch_sp(context, &t->sp);
	opendmarc_policy_fetch_adkim(context, &t->adkim);
	opendmarc_policy_fetch_aspf(context, &t->aspf);
	opendmarc_policy_fetch_pct(context, &t->pct);
	rua = opendmarc_policy_fetch_rua(context, NULL, 0, 0);
	for (; rua != NULL && *rua != NULL; rua++)
		snprintf(t->rua + strlen(t->rua), sizeof(t->rua) - strlen(t->rua), "%s%s", t->rua[0] != '\0' ? "," : "", (const char *)*rua);
	t->verdict = verdict_of(opendmarc_get_policy_to_enforce(context));
	opendmarc_policy_connect_shutdown(context);
}
