/* test_dmarc_history.c - rows of the DMARC history: written, read again, hostile */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/dmarc_history.h"

static struct dmarc_row row_of_a_failure(void)
{
	static struct dmarc_row_signature signatures[] = { { "bank.example", "s1", DKIM_FAIL }, { "spammer.example", "x", DKIM_PASS } };

	return (struct dmarc_row){
		.id = "01ABC", .reporter = "mx1.example.net", .received = 1795600000, .client = "203.0.113.7", .from = "www.bank.example", .envelope_from = "spammer.example",
		.envelope_to = "example.com", .helo = "mail.spammer.example", .spf_domain = "spammer.example", .spf = SPF_PASS, .signatures = signatures, .n_signatures = 2,
		.domain = "bank.example", .policy = DMARC_POLICY_REJECT, .result = DMARC_FAIL, .disposition = DMARC_POLICY_NONE, .reason = "local_policy", .comment = "arc=pass, 100% sure",
		.record = { .p = DMARC_POLICY_QUARANTINE, .sp = DMARC_POLICY_REJECT, .np = DMARC_POLICY_NONE, .testing = true, .pct = -1, .strict_spf = true, .fo = DMARC_FO_1 | DMARC_FO_S,
			.rua = "mailto:a@bank.example,mailto:b%2Cc@else.example", .ruf = "" },
		.action = DMARC_ACTION_ACCEPT, .arc = ARC_PASS,
	};
}

static void a_row_is_what_opendmarc_import_reads(void **state)
{
	struct dmarc_row row = row_of_a_failure();
	TALLOC_CTX *mem = talloc_new(NULL);

	(void)state;
	assert_string_equal(dmarc_row_text(mem, &row),
		"job 01ABC to=example.com helo=mail.spammer.example result=fail disposition=none reason=local_policy comment=arc=pass,%20100%25%20sure\n"
		"reporter mx1.example.net\nreceived 1795600000\nipaddr 203.0.113.7\nfrom www.bank.example\nmfrom spammer.example\n"
		"spf 0 domain=spammer.example scope=mfrom\ndkim bank.example s1 7\ndkim spammer.example x 0\npdomain bank.example discovery=treewalk\npolicy 16\n"
		"rua mailto:a@bank.example\nrua mailto:b%2Cc@else.example\npct 100\nadkim 114\naspf 115\np 113 np=none t=y fo=1:s\nsp 114\n"
		"align_dkim 5\nalign_spf 5\narc 0\narc_policy 1 json:[]\naction 2\n");
	talloc_free(mem);
}

struct seen {
	size_t n;
	char *again;                     /* the last row, written anew */
};

static void see(void *context, const struct dmarc_row *row)
{
	struct seen *seen = context;
	struct dmarc_row copy = *row;

	copy.policy = DMARC_POLICY_REJECT;
	seen->n++;
	talloc_free(seen->again);
	seen->again = dmarc_row_text(NULL, &copy);
}

static struct seen read_text(const char *text)
{
	FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	struct seen seen = { 0 };

	assert_non_null(f);
	assert_int_equal(dmarc_history_read(f, see, &seen), 0);
	fclose(f);
	return seen;
}

static void a_row_that_was_read_is_the_one_that_was_written(void **state)
{
	struct dmarc_row row = row_of_a_failure();
	TALLOC_CTX *mem = talloc_new(NULL);
	char *text = dmarc_row_text(mem, &row);
	struct seen seen = read_text(text);

	(void)state;
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.again, text);
	talloc_free(seen.again);
	row = (struct dmarc_row){ .id = "1", .reporter = "r", .client = "2001:db8::1", .from = "a.example", .domain = "a.example", .helo = "h.example", .spf_helo = true, .psl = true,
		.result = DMARC_PASS, .spf_aligned = true, .spf = SPF_PERMERROR, .record = { .p = DMARC_POLICY_NONE, .pct = 50 } };
	text = dmarc_row_text(mem, &row);
	assert_non_null(strstr(text, "\nmfrom h.example null=y\n"));
	assert_non_null(strstr(text, "\nrua -\n"));
	seen = read_text(text);
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.again, text);
	talloc_free(seen.again);
	talloc_free(mem);
}

static void no_value_breaks_a_row(void **state)
{
	static const char *const hostile[] = { "a\naction 0\njob forged", "a b=c to=evil.example", "\r\n", "%0A%0A", "\x80\xff\x01", " ", "-" };
	TALLOC_CTX *mem = talloc_new(NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct dmarc_row row = row_of_a_failure();
		struct dmarc_row_signature signature = { hostile[i], hostile[i], DKIM_FAIL };
		struct seen seen;
		char *text;
		size_t lines = 0;

		row.envelope_from = row.envelope_to = row.helo = row.spf_domain = row.comment = row.from = row.domain = row.client = row.record.rua = hostile[i];
		row.signatures = &signature;
		row.n_signatures = 1;
		text = dmarc_row_text(mem, &row);
		for (const char *p = text; *p != '\0'; p++) {
			lines += *p == '\n';
			assert_true(*p == '\n' || (*p >= 0x20 && *p < 0x7f));
		}
		assert_int_equal(lines, 22 - 1);         /* one signature, one rua */
		seen = read_text(text);
		assert_int_equal(seen.n, 1);
		if (strcmp(hostile[i], "-") != 0)        /* which stands for nothing */
			assert_string_equal(seen.again, text);
		talloc_free(seen.again);
	}
	talloc_free(mem);
}

static void a_torn_row_and_what_is_none_are_passed_over(void **state)
{
	struct dmarc_row row = row_of_a_failure();
	TALLOC_CTX *mem = talloc_new(NULL);
	char *text = dmarc_row_text(mem, &row), *file;
	struct seen seen;

	(void)state;
	file = talloc_asprintf(mem, "nonsense\n\naction 1\n%.*s\n%s%s", 60, text, text, "job x\naction 2");
	seen = read_text(file);
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.again, text);
	talloc_free(seen.again);
	talloc_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_is_what_opendmarc_import_reads),
		cmocka_unit_test(a_row_that_was_read_is_the_one_that_was_written),
		cmocka_unit_test(no_value_breaks_a_row),
		cmocka_unit_test(a_torn_row_and_what_is_none_are_passed_over),
	};

	return cmocka_run_group_tests_name("dmarc_history", tests, NULL, NULL);
}
