/* ptr.c - the client's name by PTR, confirmed by the name's own addresses: iprev (RFC 8601 section 3) */
#include "net/ptr.h"

#include <arpa/nameser.h>
#include <stdio.h>
#include <string.h>

enum { NAME_MAX_OCTETS = 253 };

void ptr_question(const struct ip *client, char name_r[PTR_QUESTION_MAX])
{
	const uint8_t *a = client->addr;

	if (client->family != 6) {
		snprintf(name_r, PTR_QUESTION_MAX, "%u.%u.%u.%u.in-addr.arpa", a[3], a[2], a[1], a[0]);
		return;
	}
	for (int i = 0; i < 16; i++)
		snprintf(name_r + i * 4, 5, "%x.%x.", a[15 - i] & 15, a[15 - i] >> 4);
	memcpy(name_r + 64, "ip6.arpa", 9);
}

/* A name that a host may have (RFC 1123 section 2.1), or that hosts do have: with underscores. What else a PTR holds is not passed on. */
static bool is_host_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= NAME_MAX_OCTETS && name[0] != '.' && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == len;
}

static bool holds(const char *const *records, size_t n, const struct ip *client)
{
	struct ip ip;

	for (size_t i = 0; i < n; i++)
		if (ip_parse(records[i], &ip) && ip_equal(&ip, client))
			return true;
	return false;
}

/* Silence about one name matters only if no other one confirms the address. */
static enum ptr_result confirm(struct answers *answers, const struct ip *client, const char *const *names, size_t n, struct ptr_outcome *o)
{
	uint16_t type = client->family == 6 ? ns_t_aaaa : ns_t_a;
	bool pending = false, failed = false;

	for (size_t i = 0; i < n && i < PTR_NAMES_MAX; i++) {
		const char *const *records;
		enum answer_status status;
		size_t n_records;

		if (!is_host_name(names[i]))
			continue;
		status = answers_get(answers, type, names[i], &records, &n_records);
		if (holds(records, n_records, client)) {
			o->name = names[i];
			return PTR_PASS;
		}
		if (o->name == NULL)
			o->name = names[i];
		pending |= status == ANSWER_PENDING;
		failed |= status == ANSWER_FAILED || status == ANSWER_LATE;
	}
	return pending ? PTR_PENDING : failed ? PTR_TEMPERROR : PTR_FAIL;
}

enum ptr_result ptr_check(struct answers *answers, const struct ip *client, struct ptr_outcome *outcome_r)
{
	char question[PTR_QUESTION_MAX];
	const char *const *names;
	size_t n;

	*outcome_r = (struct ptr_outcome){ .result = PTR_TEMPERROR };
	ptr_question(client, question);
	switch (answers_get(answers, ns_t_ptr, question, &names, &n)) {
	case ANSWER_PENDING: outcome_r->result = PTR_PENDING; break;
	case ANSWER_DATA: outcome_r->result = confirm(answers, client, names, n, outcome_r); break;
	case ANSWER_EMPTY: case ANSWER_NXDOMAIN: outcome_r->result = PTR_PERMERROR; break;
	case ANSWER_FAILED: case ANSWER_LATE: break;
	}
	return outcome_r->result;
}
