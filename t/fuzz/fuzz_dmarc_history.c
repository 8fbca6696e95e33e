/* fuzz_dmarc_history.c - a DMARC history of any bytes: read, each row written and read again, gathered, and made into reports */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/dmarc_report.h"

struct context {
	TALLOC_CTX *mem;
	struct dmarc_reports *reports;
	char *again;                     /* the last row, as written anew */
};

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void keep(void *context, const struct dmarc_row *row)
{
	struct context *c = context;

	c->again = dmarc_row_text(c->mem, row);
}

static void read_bytes(const char *data, size_t len, void (*each)(void *, const struct dmarc_row *), void *context)
{
	FILE *f = len > 0 ? fmemopen((void *)(uintptr_t)data, len, "r") : NULL;

	if (f != NULL) {
		must(dmarc_history_read(f, each, context) == 0);
		fclose(f);
	}
}

/* A row that was written is a row, and the same when it is written again. */
static void see(void *context, const struct dmarc_row *row)
{
	struct context *c = context, second = { .mem = c->mem }, third = { .mem = c->mem };
	char *text = dmarc_row_text(c->mem, row);

	must(text != NULL);
	for (const char *p = text; *p != '\0'; p++)
		must(*p == '\n' || (*p >= 0x20 && *p < 0x7f));
	read_bytes(text, strlen(text), keep, &second);
	must(second.again != NULL);
	read_bytes(second.again, strlen(second.again), keep, &third);
	must(third.again != NULL);
	if (c->reports == NULL)
		c->reports = dmarc_reports_new(c->mem, row->received < 0 || row->received > INT32_MAX ? 0 : row->received - row->received % DMARC_REPORT_DAY);
	dmarc_reports_add(c->reports, row);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct dmarc_report_head head = { "Org", "d@example.net", "id", "winnow", 86400 };
	struct context c = { .mem = talloc_new(NULL) };
	const struct dmarc_report *list;
	size_t n = 0;

	read_bytes((const char *)data, size, see, &c);
	list = c.reports != NULL ? dmarc_reports_end(c.reports, &n) : NULL;
	for (size_t i = 0; i < n; i++) {
		char *xml = dmarc_report_xml(c.mem, &list[i], &head, 1 << 16);

		must(xml != NULL && list[i].n > 0);
		for (const char *p = xml; *p != '\0'; p++)
			must(*p == '\n' || (*p >= 0x20 && *p < 0x7f));
	}
	talloc_free(c.mem);
	return 0;
}
