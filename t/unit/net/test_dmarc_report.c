/* test_dmarc_report.c - aggregate reports: what is gathered, how large it may be, and whom it may go to */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/dmarc_report.h"

enum { TXT = 16, BEGIN = 86400 * 20000 };

static struct dmarc_row row_from(const char *domain, const char *client)
{
	return (struct dmarc_row){
		.id = "1", .reporter = "r", .received = BEGIN + 5, .client = client, .from = domain, .envelope_from = "", .envelope_to = "", .helo = "", .spf_domain = "", .domain = domain,
		.reason = "", .comment = "", .result = DMARC_FAIL, .disposition = DMARC_POLICY_NONE, .record = { .p = DMARC_POLICY_NONE, .rua = "mailto:a@b.example", .ruf = "" },
	};
}

static const struct dmarc_report_head head = { "Org", "d@example.net", "id", "winnow", BEGIN };

static void rows_are_gathered_by_domain_and_counted(void **state)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct dmarc_reports *reports = dmarc_reports_new(mem, BEGIN);
	const struct dmarc_report *list;
	size_t n;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		struct dmarc_row row = row_from(i % 4 == 0 ? "a.example" : "a.example.net", i % 2 == 0 ? "192.0.2.1" : "2001:db8::1");

		row.received = i == 7 ? BEGIN + 9 : BEGIN + 5;
		if (i == 7)
			row.record.p = DMARC_POLICY_REJECT;
		dmarc_reports_add(reports, &row);
	}
	list = dmarc_reports_end(reports, &n);
	assert_int_equal(n, 2);
	assert_string_equal(list[0].domain, "a.example");
	assert_int_equal(list[0].n, 1);
	assert_int_equal(list[0].messages, 25000);
	assert_int_equal(list[1].n, 2);
	assert_int_equal(list[1].messages, 75000);
	assert_int_equal(list[1].records[0].count, 50000);
	assert_non_null(strstr(list[1].published, "<p>reject</p>"));             /* as last seen */
	assert_int_equal(dmarc_reports_left_out(reports), 0);
	talloc_free(mem);
}

static void other_days_and_rows_that_say_nothing_are_passed_over(void **state)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct dmarc_reports *reports = dmarc_reports_new(mem, BEGIN);
	struct dmarc_row rows[] = { row_from("a.example", "192.0.2.1"), row_from("b.example", "192.0.2.1"), row_from("c.example", "unknown"), row_from("bad domain", "192.0.2.1"),
		row_from("", "192.0.2.1") };
	size_t n;

	(void)state;
	rows[0].received = BEGIN - 1;
	rows[1].received = BEGIN + 86400;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		dmarc_reports_add(reports, &rows[i]);
	dmarc_reports_end(reports, &n);
	assert_int_equal(n, 0);
	talloc_free(mem);
}

static void a_report_that_is_too_large_keeps_the_most_frequent(void **state)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct dmarc_reports *reports = dmarc_reports_new(mem, BEGIN);
	const struct dmarc_report *list;
	char *xml, client[32];
	size_t n;

	(void)state;
	for (int i = 0; i < 1000; i++)
		for (int k = 0; k < (i == 500 ? 3 : 1); k++) {
			struct dmarc_row row = row_from("a.example", client);

			snprintf(client, sizeof(client), "192.0.%d.%d", i / 250, i % 250);
			dmarc_reports_add(reports, &row);
		}
	list = dmarc_reports_end(reports, &n);
	xml = dmarc_report_xml(mem, list, &head, 20000);
	assert_in_range(strlen(xml), 10000, 20000);
	assert_non_null(strstr(xml, "<error>too large: the "));
	assert_non_null(strstr(xml, "<source_ip>192.0.2.0</source_ip>\n      <count>3</count>"));
	assert_string_equal(xml + strlen(xml) - strlen("  </record>\n</feedback>\n"), "  </record>\n</feedback>\n");
	assert_null(strstr(dmarc_report_xml(mem, list, &head, 1 << 24), "<error>"));
	talloc_free(mem);
}

static void texts_are_escaped(void **state)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct dmarc_reports *reports = dmarc_reports_new(mem, BEGIN);
	struct dmarc_row row = row_from("a.example", "192.0.2.1");
	size_t n;
	char *xml;

	(void)state;
	row.envelope_from = "<&>\"'\n\001\xff]]>";
	row.reason = "<no such>";
	row.comment = "x</comment>";
	dmarc_reports_add(reports, &row);
	xml = dmarc_report_xml(mem, dmarc_reports_end(reports, &n), &head, 1 << 20);
	assert_non_null(strstr(xml, "<envelope_from>&lt;&amp;&gt;&quot;&apos;???]]&gt;</envelope_from>"));
	assert_non_null(strstr(xml, "<type>other</type>\n          <comment>x&lt;/comment&gt;</comment>"));
	talloc_free(mem);
}

/* ---- whom it may go to */

static const struct { const char *name, *text; } zone[] = {
	{ "_dmarc.bank.example", "v=DMARC1; p=none" },
	{ "bank.example._report._dmarc.yes.example", "v=DMARC1" },
	{ "bank.example._report._dmarc.other.example", "v=DMARC1; rua=mailto:x@other.example,mailto:y@bank.example" },
	{ "bank.example._report._dmarc.away.example", "v=DMARC1; rua=mailto:y@elsewhere.example" },
	{ "bank.example._report._dmarc.junk.example", "spam" },
	{ "late.example", NULL }, { "_dmarc.late.example", NULL }, { "bank.example._report._dmarc.unsure.example", NULL },
};

static void answer(void *context, struct answers *answers, uint16_t type, const char *name)
{
	(void)context;
	for (size_t i = 0; i < sizeof(zone) / sizeof(zone[0]); i++) {
		if (strcmp(zone[i].name, name) != 0)
			continue;
		answers_give(answers, type, name, zone[i].text != NULL ? ANSWER_DATA : ANSWER_FAILED, &zone[i].text, zone[i].text != NULL ? 1 : 0);
		return;
	}
	answers_give(answers, type, name, ANSWER_NXDOMAIN, NULL, 0);
}

static void reports_go_only_to_who_takes_them(void **state)
{
	static const struct { const char *uri; enum dmarc_report_to to; const char *address; } cases[] = {
		{ "mailto:a@bank.example", DMARC_TO_YES, "a@bank.example" }, { "MAILTO:a@BANK.example.", DMARC_TO_YES, "a@bank.example" },
		{ "mailto:a@sub.bank.example", DMARC_TO_YES, "a@sub.bank.example" }, { "mailto:a%2Bb@bank.example?subject=x", DMARC_TO_YES, "a+b@bank.example" },
		{ "mailto:a@bank.example!10m", DMARC_TO_YES, "a@bank.example" },
		{ "mailto:a@yes.example", DMARC_TO_YES, "a@yes.example" }, { "mailto:a@other.example", DMARC_TO_YES, "x@other.example" },
		{ "mailto:a@away.example", DMARC_TO_YES, "a@away.example" },             /* another host is not believed */
		{ "mailto:a@no.example", DMARC_TO_NO, NULL }, { "mailto:a@junk.example", DMARC_TO_NO, NULL }, { "mailto:a@bank.example.evil.example", DMARC_TO_NO, NULL },
		{ "mailto:a@late.example", DMARC_TO_LATER, NULL }, { "mailto:a@unsure.example", DMARC_TO_LATER, NULL },
		{ "https://bank.example/", DMARC_TO_NO, NULL }, { "mailto:bank.example", DMARC_TO_NO, NULL }, { "mailto:@bank.example", DMARC_TO_NO, NULL },
		{ "mailto:a%0D%0ARCPT@bank.example", DMARC_TO_NO, NULL }, { "mailto:a%00@bank.example", DMARC_TO_NO, NULL }, { "mailto:a b@bank.example", DMARC_TO_NO, NULL },
		{ "mailto:a>@bank.example", DMARC_TO_NO, NULL }, { "mailto:a@bank", DMARC_TO_NO, NULL }, { "mailto:a@[192.0.2.1]", DMARC_TO_NO, NULL },
		{ "mailto:a%40evil.example@bank.example", DMARC_TO_NO, NULL }, { "mailto:", DMARC_TO_NO, NULL },
	};
	const struct asker asker = { .ask = answer };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct answers *answers = answers_new(&asker);
		const char *address = NULL, *why = NULL;
		enum dmarc_report_to to = DMARC_TO_PENDING;

		for (int run = 0; run < 20 && to == DMARC_TO_PENDING; run++)
			to = dmarc_report_to(mem, answers, NULL, "bank.example", cases[i].uri, &address, &why);
		if (to != cases[i].to)
			fail_msg("%s: %d", cases[i].uri, (int)to);
		if (cases[i].address != NULL)
			assert_string_equal(address, cases[i].address);
		else
			assert_non_null(why);
		answers_unref(answers);
		talloc_free(mem);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_gathered_by_domain_and_counted),
		cmocka_unit_test(other_days_and_rows_that_say_nothing_are_passed_over),
		cmocka_unit_test(a_report_that_is_too_large_keeps_the_most_frequent),
		cmocka_unit_test(texts_are_escaped),
		cmocka_unit_test(reports_go_only_to_who_takes_them),
	};

	return cmocka_run_group_tests_name("dmarc_report", tests, NULL, NULL);
}
