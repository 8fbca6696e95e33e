/* dmarc_report.h - aggregate reports (RFC 9990): rows of one day gathered by policy domain, as XML; and whom they may be sent to */
#ifndef WINNOW_NET_DMARC_REPORT_H
#define WINNOW_NET_DMARC_REPORT_H

#include "net/answers.h"
#include "net/dmarc_history.h"

enum { DMARC_REPORT_DAY = 86400, DMARC_REPORT_RECORDS = 1000000 };      /* seconds; different records of a day that are gathered at most */

/* A record, and how many messages it stands for. */
struct dmarc_record_count {
	char *key;                       /* the policy domain, what stands before the count and after it, between them \1 */
	uint64_t count;
};

/* What a domain published, as last seen, and its records, the most frequent first. */
struct dmarc_report {
	const char *domain, *rua;        /* mailto: URIs, comma between them; "": nobody wants it */
	const char *published;           /* the element policy_published */
	const struct dmarc_record_count *records;
	size_t n;
	uint64_t messages;
};

struct dmarc_reports;

/* Of the UTC day that begins then (seconds since 1970). Child of mem; NULL: out of memory. */
struct dmarc_reports *dmarc_reports_new(TALLOC_CTX *mem, int64_t begin);

/* Takes a row into account: one of another day, and one that no report may hold (no address, no domain), is passed over. Beyond DMARC_REPORT_RECORDS what is new is left out. */
void dmarc_reports_add(struct dmarc_reports *reports, const struct dmarc_row *row);

/* All rows are there: the reports in the order of their domains; children of reports. */
const struct dmarc_report *dmarc_reports_end(struct dmarc_reports *reports, size_t *n_r);

/* Messages whose record was left out. */
uint64_t dmarc_reports_left_out(const struct dmarc_reports *reports);

struct dmarc_report_head {
	const char *org, *email, *id, *generator;
	int64_t begin;
};

/* The document, at most about size_max bytes: the least frequent records go, and it says so. Nothing of a message can break out of an element. Child of mem; NULL: out of memory. */
char *dmarc_report_xml(TALLOC_CTX *mem, const struct dmarc_report *report, const struct dmarc_report_head *head, size_t size_max);

enum dmarc_report_to { DMARC_TO_PENDING, DMARC_TO_YES, DMARC_TO_NO, DMARC_TO_LATER };

/* May a report on domain go to this URI (RFC 9990 section 4)? A host with the same organizational domain is asked nothing; another must say in DNS that it takes it, and may name
 * another address at itself instead. Looks into the table by answers_get() and never waits; PENDING: run it again when answers came. YES: *address_r, "local@host", child of mem, and may
 * be several, comma between them; else *why_r. LATER: DNS did not answer. suffixes as in struct dmarc_question. */
enum dmarc_report_to dmarc_report_to(TALLOC_CTX *mem, struct answers *answers, const struct suffix_list *suffixes, const char *domain, const char *uri, const char **address_r,
	const char **why_r);

#endif
