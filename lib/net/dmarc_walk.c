/* dmarc_walk.c - discovery: the tree walk of RFC 9989 section 4.10, or the public suffix list of RFC 7489 section 6.6.3 */
#include "net/dmarc_private.h"

#include <stdio.h>
#include <string.h>

#include "util/domain.h"

enum { TXT = 16 };

static const char prefix[] = "_dmarc.";

/* What stands at one name. */
enum look { LOOK_PENDING, LOOK_FAILED, LOOK_RECORD, LOOK_NONE };

/* The one record of a name; records of something else are passed over, two of DMARC are as none (RFC 9989 section 4.10). */
static enum look look_at(struct answers *answers, const char *domain, struct dmarc_walk *walk, const char **text_r)
{
	const char *const *records;
	char name[sizeof(prefix) + DOMAIN_LEN_MAX];
	enum answer_status status;
	size_t n, found = 0;

	*text_r = NULL;
	if (strlen(domain) + strlen(prefix) > DOMAIN_LEN_MAX)
		return LOOK_NONE;                /* no such name can be */
	snprintf(name, sizeof(name), "%s%s", prefix, domain);
	status = answers_get(answers, TXT, name, &records, &n);
	if (status == ANSWER_PENDING)
		return LOOK_PENDING;
	if (status == ANSWER_FAILED || status == ANSWER_LATE) {
		walk->failed = domain;
		return LOOK_FAILED;
	}
	if (status == ANSWER_DATA || status == ANSWER_EMPTY)
		walk->name_seen = true;          /* so long as this is the start, or below it */
	for (size_t i = 0; i < n; i++)
		if (dmarc_is_record(records[i])) {
			*text_r = records[i];
			found++;
		}
	return found == 1 ? LOOK_RECORD : LOOK_NONE;
}

static void found_policy(struct dmarc_walk *walk, const char *domain, const char *text)
{
	walk->domain = domain;
	walk->text = text;
}

static char psd_of(const char *text)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct dmarc_record record = { .psd = 'u' };

	if (mem != NULL)
		dmarc_record_parse(mem, text, &record);
	talloc_free(mem);
	return record.psd;
}

/* The next name up; NULL: start was the top. */
static const char *above(const char *domain)
{
	unsigned labels = domain_labels(domain);

	return labels == 1 ? NULL : domain_last_labels(domain, labels > DMARC_WALK_LABELS + 1 ? DMARC_WALK_LABELS : labels - 1);
}

/* Section 4.10.2: psd=n is the organizational domain, psd=y stands right above it; else the name with the fewest labels that has a record.
 * Section 4.10.1: the policy is the start's own, its organizational domain's, that of the public suffix. */
static void tree_walk(struct answers *answers, const char *start, struct dmarc_walk *walk)
{
	const char *org = NULL, *org_text = NULL, *text;
	bool seen_at_start = false;
	int asked = 0;

	for (const char *domain = start; domain != NULL && asked < DMARC_WALK_MAX; domain = above(domain), asked++) {
		enum look look = look_at(answers, domain, walk, &text);
		char psd;

		if (domain == start)
			seen_at_start = walk->name_seen;
		walk->name_seen = seen_at_start;
		if (look == LOOK_PENDING || look == LOOK_FAILED) {
			walk->state = look == LOOK_PENDING ? DMARC_WALK_PENDING : DMARC_WALK_FAILED;
			return;
		}
		if (look == LOOK_NONE)
			continue;
		if (domain == start)
			found_policy(walk, domain, text);
		psd = psd_of(text);
		if (psd == 'y' && domain != start) {
			const char *below = domain_last_labels(start, domain_labels(domain) + 1);

			/* the last record that was found is the organizational domain's only if it stands right below */
			if (walk->text == NULL)
				found_policy(walk, org == below ? below : domain, org == below ? org_text : text);
			org = below;
			break;
		}
		org = domain;
		org_text = text;
		if (psd != 'u')
			break;
	}
	if (walk->text == NULL && org_text != NULL)
		found_policy(walk, org, org_text);
	walk->org = org != NULL ? org : start;
	walk->state = DMARC_WALK_DONE;
}

static void by_suffix(struct answers *answers, const struct suffix_list *suffixes, const char *start, struct dmarc_walk *walk)
{
	const char *org = suffix_list_registrable(suffixes, start), *text;
	enum look look = look_at(answers, start, walk, &text);
	const char *domain = start;

	if (org == NULL)
		org = start;                     /* a public suffix stands for itself alone */
	walk->org = org;
	if (look == LOOK_NONE && org != start) {
		bool seen = walk->name_seen;

		domain = org;
		look = look_at(answers, org, walk, &text);
		walk->name_seen = seen;
	}
	walk->state = look == LOOK_PENDING ? DMARC_WALK_PENDING : look == LOOK_FAILED ? DMARC_WALK_FAILED : DMARC_WALK_DONE;
	if (look == LOOK_RECORD)
		found_policy(walk, domain, text);
}

void dmarc_discover(struct answers *answers, const struct suffix_list *suffixes, const char *start, struct dmarc_walk *walk_r)
{
	*walk_r = (struct dmarc_walk){ .state = DMARC_WALK_PENDING };
	if (suffixes != NULL)
		by_suffix(answers, suffixes, start, walk_r);
	else
		tree_walk(answers, start, walk_r);
}
