/* dmarc_report.c - aggregate reports (RFC 9990): rows of one day gathered by policy domain, as XML */
#include "net/dmarc_report.h"

#include <stdlib.h>
#include <string.h>

#include "util/domain.h"
#include "util/ip.h"

enum { GATHER_FIRST = 16384, HEAD_ROOM = 4096 };

struct published {
	char *domain, *text, *rua;
	int64_t received;
};

struct dmarc_reports {
	int64_t begin;
	struct dmarc_record_count *records;
	struct published *published;
	size_t n_records, records_limit, n_published, published_limit;
	uint64_t left_out;
	bool full;                       /* of different records: nothing more is taken */
};

/* ---- XML */

/* Text of an element: printable ASCII; anything else a message may hold is "?". */
static void put_text(FILE *f, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		switch (*p) {
		case '&': fputs("&amp;", f); break;
		case '<': fputs("&lt;", f); break;
		case '>': fputs("&gt;", f); break;
		case '"': fputs("&quot;", f); break;
		case '\'': fputs("&apos;", f); break;
		default: putc(*p >= 0x20 && *p < 0x7f ? *p : '?', f);
		}
	}
}

static void put(FILE *f, const char *indent, const char *element, const char *text)
{
	fprintf(f, "%s<%s>", indent, element);
	put_text(f, text);
	fprintf(f, "</%s>\n", element);
}

static void put_optional(FILE *f, const char *indent, const char *element, const char *text)
{
	if (text[0] != '\0')
		put(f, indent, element, text);
}

static const char *reason_type(const char *type)
{
	static const char *const types[] = { "local_policy", "mailing_list", "policy_test_mode", "trusted_forwarder" };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(type, types[i]) == 0)
			return type;
	return "other";
}

static const char *disposition(const struct dmarc_row *row)
{
	return row->result == DMARC_PASS ? "pass" : row->disposition == DMARC_POLICY_UNSET ? "none" : dmarc_policy_name(row->disposition);
}

static const char *pass_or_fail(bool pass)
{
	return pass ? "pass" : "fail";
}

static void put_auth_results(FILE *f, const struct dmarc_row *row)
{
	fputs("    <auth_results>\n", f);
	for (size_t i = 0; i < row->n_signatures; i++) {
		if (!domain_valid(row->signatures[i].domain, 1) || row->signatures[i].selector[0] == '\0')
			continue;
		fputs("      <dkim>\n", f);
		put(f, "        ", "domain", row->signatures[i].domain);
		put(f, "        ", "selector", row->signatures[i].selector);
		put(f, "        ", "result", dkim_result_name(row->signatures[i].result));
		fputs("      </dkim>\n", f);
	}
	if (row->spf_domain[0] != '\0') {
		fputs("      <spf>\n", f);
		put(f, "        ", "domain", row->spf_domain);
		/* HELO has no scope of its own in RFC 9990: it counts as the sender's domain where there is no sender */
		put(f, "        ", "scope", "mfrom");
		put(f, "        ", "result", spf_result_name(row->spf));
		fputs("      </spf>\n", f);
	}
	fputs("    </auth_results>\n", f);
}

/* The record with \1 where the count goes, behind the domain that it belongs to. A malloc'ed text. */
static char *record_key(const struct dmarc_row *row)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (f == NULL)
		return NULL;
	fprintf(f, "%s\1  <record>\n    <row>\n", row->domain);
	put(f, "      ", "source_ip", row->client);
	fputs("      <count>\1</count>\n      <policy_evaluated>\n", f);
	put(f, "        ", "disposition", disposition(row));
	put(f, "        ", "dkim", pass_or_fail(row->dkim_aligned));
	put(f, "        ", "spf", pass_or_fail(row->spf_aligned));
	if (row->reason[0] != '\0') {
		fputs("        <reason>\n", f);
		put(f, "          ", "type", reason_type(row->reason));
		put_optional(f, "          ", "comment", row->comment);
		fputs("        </reason>\n", f);
	}
	fputs("      </policy_evaluated>\n    </row>\n    <identifiers>\n", f);
	put(f, "      ", "header_from", row->from);
	put_optional(f, "      ", "envelope_from", row->envelope_from);
	put_optional(f, "      ", "envelope_to", row->envelope_to);
	fputs("    </identifiers>\n", f);
	put_auth_results(f, row);
	fputs("  </record>\n", f);
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

static char *published_text(TALLOC_CTX *mem, const struct dmarc_row *row)
{
	static const char *const fo_names[] = { "0", "1", "d", "s" };
	const struct dmarc_record *r = &row->record;
	char *text = NULL, *copy;
	size_t len, n = 0;
	FILE *f = open_memstream(&text, &len);

	if (f == NULL)
		return NULL;
	fputs("  <policy_published>\n", f);
	put(f, "    ", "domain", row->domain);
	put(f, "    ", "discovery_method", row->psl ? "psl" : "treewalk");
	put(f, "    ", "p", r->p == DMARC_POLICY_UNSET ? "none" : dmarc_policy_name(r->p));
	put_optional(f, "    ", "sp", dmarc_policy_name(r->sp));
	put_optional(f, "    ", "np", dmarc_policy_name(r->np));
	for (size_t i = 0; i < 4; i++)
		if (r->fo & (1u << i))
			fprintf(f, "%s%s", n++ == 0 ? "    <fo>" : ":", fo_names[i]);
	fputs(n > 0 ? "</fo>\n" : "", f);
	put(f, "    ", "adkim", r->strict_dkim ? "s" : "r");
	put(f, "    ", "aspf", r->strict_spf ? "s" : "r");
	put(f, "    ", "testing", r->testing ? "y" : "n");
	fputs("  </policy_published>\n", f);
	copy = fclose(f) == 0 ? talloc_strdup(mem, text) : NULL;
	free(text);
	return copy;
}

/* ---- gathering */

struct dmarc_reports *dmarc_reports_new(TALLOC_CTX *mem, int64_t begin)
{
	struct dmarc_reports *r = talloc_zero(mem, struct dmarc_reports);

	if (r == NULL)
		return NULL;
	r->begin = begin;
	r->records_limit = r->published_limit = GATHER_FIRST;
	r->records = talloc_array(r, struct dmarc_record_count, r->records_limit);
	r->published = talloc_array(r, struct published, r->published_limit);
	if (r->records == NULL || r->published == NULL)
		TALLOC_FREE(r);
	return r;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct dmarc_record_count *)a)->key, ((const struct dmarc_record_count *)b)->key);
}

static int by_domain(const void *a, const void *b)
{
	const struct published *x = a, *y = b;
	int order = strcmp(x->domain, y->domain);

	return order != 0 ? order : (x->received < y->received) - (x->received > y->received);
}

/* Equal records become one. */
static void merge_records(struct dmarc_reports *r)
{
	size_t n = 0;

	qsort(r->records, r->n_records, sizeof(*r->records), by_key);
	for (size_t i = 0; i < r->n_records; i++) {
		if (n > 0 && strcmp(r->records[n - 1].key, r->records[i].key) == 0) {
			r->records[n - 1].count += r->records[i].count;
			talloc_free(r->records[i].key);
		} else {
			r->records[n++] = r->records[i];
		}
	}
	r->n_records = n;
}

/* Of each domain the newest stays. */
static void merge_published(struct dmarc_reports *r)
{
	size_t n = 0;

	qsort(r->published, r->n_published, sizeof(*r->published), by_domain);
	for (size_t i = 0; i < r->n_published; i++) {
		if (n > 0 && strcmp(r->published[n - 1].domain, r->published[i].domain) == 0)
			talloc_free(r->published[i].domain);     /* with its other texts */
		else
			r->published[n++] = r->published[i];
	}
	r->n_published = n;
}

/* Room for one more of each; false: there is none. What is left after merging may fill half of it, so that merging costs little however many come. */
static bool make_room(struct dmarc_reports *r)
{
	if (r->full)
		return false;
	if (r->n_records == r->records_limit) {
		merge_records(r);
		r->full = r->n_records > DMARC_REPORT_RECORDS;
		if (r->n_records > r->records_limit / 2 && !r->full) {
			struct dmarc_record_count *more = talloc_realloc(r, r->records, struct dmarc_record_count, r->records_limit * 2);

			if (more == NULL)
				return false;
			r->records = more;
			r->records_limit *= 2;
		}
	}
	if (r->n_published == r->published_limit) {
		merge_published(r);
		r->full |= r->n_published > DMARC_REPORT_RECORDS;
		if (r->n_published > r->published_limit / 2 && !r->full) {
			struct published *more = talloc_realloc(r, r->published, struct published, r->published_limit * 2);

			if (more == NULL)
				return false;
			r->published = more;
			r->published_limit *= 2;
		}
	}
	return !r->full;
}

/* A domain in A-labels, and nothing that a header or a name of a file could take for something else. */
static bool good_domain(const char *domain)
{
	return domain_valid(domain, 1) && domain[strspn(domain, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] == '\0';
}

void dmarc_reports_add(struct dmarc_reports *r, const struct dmarc_row *row)
{
	struct published seen = { .received = row->received };
	struct ip ip;
	char *key;

	if (row->received < r->begin || row->received >= r->begin + DMARC_REPORT_DAY || !ip_parse(row->client, &ip) || !good_domain(row->domain) || !good_domain(row->from))
		return;
	key = make_room(r) ? record_key(row) : NULL;
	seen.domain = key != NULL ? talloc_strdup(r, row->domain) : NULL;
	if (seen.domain != NULL) {
		seen.text = published_text(seen.domain, row);
		seen.rua = talloc_strdup(seen.domain, row->record.rua);
		r->records[r->n_records] = (struct dmarc_record_count){ talloc_strdup(r, key), 1 };
	}
	if (seen.domain == NULL || seen.text == NULL || seen.rua == NULL || r->records[r->n_records].key == NULL) {
		r->left_out++;
		talloc_free(seen.domain);
	} else {
		r->n_records++;
		r->published[r->n_published++] = seen;
	}
	free(key);
}

static int by_count(const void *a, const void *b)
{
	const struct dmarc_record_count *x = a, *y = b;

	return x->count != y->count ? (x->count < y->count ? 1 : -1) : by_key(a, b);
}

const struct dmarc_report *dmarc_reports_end(struct dmarc_reports *r, size_t *n_r)
{
	struct dmarc_report *list;
	size_t at = 0;

	merge_records(r);
	merge_published(r);
	*n_r = 0;
	list = talloc_array(r, struct dmarc_report, r->n_published + 1);
	/* keys begin with the domain and \1, which sorts before anything that a longer domain goes on with: both lists have the same order */
	for (size_t i = 0; list != NULL && i < r->n_published; i++) {
		size_t len = strlen(r->published[i].domain), first = at;
		struct dmarc_report *report = &list[(*n_r)++];

		*report = (struct dmarc_report){ .domain = r->published[i].domain, .rua = r->published[i].rua, .published = r->published[i].text, .records = &r->records[first] };
		for (; at < r->n_records && strncmp(r->records[at].key, report->domain, len) == 0 && r->records[at].key[len] == '\1'; at++)
			report->messages += r->records[at].count;
		report->n = at - first;
		qsort(&r->records[first], report->n, sizeof(*r->records), by_count);
	}
	return list;
}

uint64_t dmarc_reports_left_out(const struct dmarc_reports *reports)
{
	return reports->left_out;
}

/* ---- the document */

static void put_metadata(FILE *f, const struct dmarc_report *report, const struct dmarc_report_head *head, size_t n)
{
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\">\n  <version>1.0</version>\n  <report_metadata>\n", f);
	put(f, "    ", "org_name", head->org);
	put(f, "    ", "email", head->email);
	put(f, "    ", "report_id", head->id);
	fprintf(f, "    <date_range>\n      <begin>%lld</begin>\n      <end>%lld</end>\n    </date_range>\n", (long long)head->begin, (long long)head->begin + DMARC_REPORT_DAY - 1);
	if (n < report->n)
		fprintf(f, "    <error>too large: the %zu least frequent of %zu records are left out</error>\n", report->n - n, report->n);
	put(f, "    ", "generator", head->generator);
	fputs("  </report_metadata>\n", f);
}

char *dmarc_report_xml(TALLOC_CTX *mem, const struct dmarc_report *report, const struct dmarc_report_head *head, size_t size_max)
{
	size_t size = HEAD_ROOM, n = 0, len = 0;
	char *text = NULL, *copy;
	FILE *f;

	while (n < report->n && (size += strlen(report->records[n].key) + 20) <= size_max)
		n++;
	n = n == 0 ? report->n > 0 : n;          /* a report has at least one record */
	f = open_memstream(&text, &len);
	if (f == NULL)
		return NULL;
	put_metadata(f, report, head, n);
	fputs(report->published, f);
	for (size_t i = 0; i < n; i++) {
		const char *before = strchr(report->records[i].key, '\1') + 1, *after = strchr(before, '\1');

		fprintf(f, "%.*s%llu%s", (int)(after - before), before, (unsigned long long)report->records[i].count, after + 1);
	}
	fputs("</feedback>\n", f);
	copy = fclose(f) == 0 ? talloc_strdup(mem, text) : NULL;
	free(text);
	return copy;
}
