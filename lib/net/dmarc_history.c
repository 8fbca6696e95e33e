/* dmarc_history.c - a row of the DMARC history: what reports (RFC 9990) need of one message, as the lines that opendmarc-import reads */
#include "net/dmarc_history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	WORD_MAX = 512, COMMENT_MAX = 300,               /* octets of a value that are written */
	LINE_MAX_READ = 65536,
	ALIGNED = 4, NOT_ALIGNED = 5                     /* DMARC_POLICY_*_ALIGNMENT_* of libopendmarc */
};

/* OpenDMARC's numbers of results (opendmarc-ar.h). */
enum { ARES_PASS = 0, ARES_SOFTFAIL = 2, ARES_NEUTRAL = 3, ARES_TEMPERROR = 4, ARES_PERMERROR = 5, ARES_NONE = 6, ARES_FAIL = 7, ARES_POLICY = 8 };

static const int spf_codes[] = {
	[SPF_PENDING] = ARES_NONE, [SPF_NONE] = ARES_NONE, [SPF_NEUTRAL] = ARES_NEUTRAL, [SPF_PASS] = ARES_PASS, [SPF_FAIL] = ARES_FAIL, [SPF_SOFTFAIL] = ARES_SOFTFAIL,
	[SPF_TEMPERROR] = ARES_TEMPERROR, [SPF_PERMERROR] = ARES_PERMERROR,
};
static const int dkim_codes[] = {
	[DKIM_PENDING] = ARES_TEMPERROR, [DKIM_NONE] = ARES_NONE, [DKIM_PASS] = ARES_PASS, [DKIM_FAIL] = ARES_FAIL, [DKIM_POLICY] = ARES_POLICY, [DKIM_NEUTRAL] = ARES_NEUTRAL,
	[DKIM_TEMPERROR] = ARES_TEMPERROR, [DKIM_PERMERROR] = ARES_PERMERROR,
};
static const enum dmarc_result results[] = { DMARC_NONE, DMARC_PASS, DMARC_FAIL, DMARC_TEMPERROR, DMARC_PERMERROR };
static const char *const fo_names[] = { "0", "1", "d", "s" };

/* ---- writing */

/* One word of printable ASCII, whatever the text; "": as "-" where the line would lose its value. */
static void put_word(FILE *f, const char *text, size_t max, const char *empty)
{
	size_t n = 0;

	if (text == NULL || text[0] == '\0') {
		fputs(empty, f);
		return;
	}
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0' && n < max; p++, n++) {
		if (*p > 0x20 && *p < 0x7f && *p != '%')
			putc(*p, f);
		else
			fprintf(f, "%%%02X", (unsigned)*p);
	}
}

static void put_line(FILE *f, const char *key, const char *value)
{
	fprintf(f, "%s ", key);
	put_word(f, value, WORD_MAX, "-");
	putc('\n', f);
}

/* " NAME=VALUE", where there is a value. */
static void put_more(FILE *f, const char *name, const char *value, size_t max)
{
	if (value == NULL || value[0] == '\0')
		return;
	fprintf(f, " %s=", name);
	put_word(f, value, max, "");
}

static int policy_letter(enum dmarc_policy policy)
{
	return policy == DMARC_POLICY_UNSET ? 0 : dmarc_policy_name(policy)[0];
}

/* What opendmarc_get_policy_to_enforce() would say. */
static int policy_code(const struct dmarc_row *row)
{
	enum dmarc_policy wanted = row->policy;

	if (row->result == DMARC_PASS)
		return 15;
	return row->result != DMARC_FAIL ? 14 : wanted == DMARC_POLICY_REJECT ? 16 : wanted == DMARC_POLICY_QUARANTINE ? 17 : 18;
}

static void put_origin(FILE *f, const struct dmarc_row *row)
{
	fputs("job ", f);
	put_word(f, row->id, WORD_MAX, "-");
	put_more(f, "to", row->envelope_to, WORD_MAX);
	put_more(f, "helo", row->helo, WORD_MAX);
	put_more(f, "result", dmarc_result_name(row->result), WORD_MAX);
	put_more(f, "disposition", dmarc_policy_name(row->disposition), WORD_MAX);
	put_more(f, "reason", row->reason, WORD_MAX);
	put_more(f, "comment", row->comment, COMMENT_MAX);
	putc('\n', f);
	put_line(f, "reporter", row->reporter);
	fprintf(f, "received %lld\n", (long long)row->received);
	put_line(f, "ipaddr", row->client);
	put_line(f, "from", row->from);
	/* the tool drops a message without a domain here: that of HELO stands in, as OpenDMARC does it */
	fputs("mfrom ", f);
	put_word(f, row->envelope_from != NULL && row->envelope_from[0] != '\0' ? row->envelope_from : row->helo, WORD_MAX, "unknown.invalid");
	if (row->envelope_from == NULL || row->envelope_from[0] == '\0')
		fputs(" null=y", f);
	fprintf(f, "\nspf %d", spf_codes[row->spf]);
	put_more(f, "domain", row->spf_domain, WORD_MAX);
	put_more(f, "scope", row->spf_helo ? "helo" : "mfrom", WORD_MAX);
	putc('\n', f);
	for (size_t i = 0; i < row->n_signatures && i < DMARC_ROW_SIGNATURES; i++) {
		fputs("dkim ", f);
		put_word(f, row->signatures[i].domain, WORD_MAX, "-");
		putc(' ', f);
		put_word(f, row->signatures[i].selector, WORD_MAX, "-");
		fprintf(f, " %d\n", dkim_codes[row->signatures[i].result]);
	}
}

/* URIs have their own %XX; what is none, or is too long, is left out. */
static void put_uris(FILE *f, const char *list)
{
	bool any = false;

	for (const char *at = list, *comma; *at != '\0'; at = *comma != '\0' ? comma + 1 : comma) {
		size_t good = 0, len;

		comma = strchrnul(at, ',');
		len = (size_t)(comma - at);
		while (good < len && at[good] > 0x20 && at[good] < 0x7f)
			good++;
		if (good < len || len == 0 || len > WORD_MAX)
			continue;
		fprintf(f, "rua %.*s\n", (int)len, at);
		any = true;
	}
	if (!any)
		fputs("rua -\n", f);
}

static void put_policy(FILE *f, const struct dmarc_row *row)
{
	const struct dmarc_record *r = &row->record;

	fputs("pdomain ", f);
	put_word(f, row->domain, WORD_MAX, "-");
	put_more(f, "discovery", row->psl ? "psl" : "treewalk", WORD_MAX);
	fprintf(f, "\npolicy %d\n", policy_code(row));
	put_uris(f, r->rua != NULL ? r->rua : "");
	fprintf(f, "pct %d\nadkim %d\naspf %d\np %d", r->pct >= 0 ? r->pct : 100, r->strict_dkim ? 's' : 'r', r->strict_spf ? 's' : 'r', policy_letter(r->p));
	put_more(f, "np", dmarc_policy_name(r->np), WORD_MAX);
	fprintf(f, " t=%c", r->testing ? 'y' : 'n');
	for (size_t i = 0, n = 0; i < 4; i++)
		if (r->fo & (1u << i))
			fprintf(f, "%s%s", n++ == 0 ? " fo=" : ":", fo_names[i]);
	fprintf(f, "\nsp %d\nalign_dkim %d\nalign_spf %d\n", policy_letter(r->sp), row->dkim_aligned ? ALIGNED : NOT_ALIGNED, row->spf_aligned ? ALIGNED : NOT_ALIGNED);
	/* the table of its messages wants both; 1: ARC had no say in it */
	fprintf(f, "arc %d\narc_policy 1 json:[]\naction %d\n", row->arc == ARC_PASS ? ARES_PASS : row->arc == ARC_FAIL ? ARES_FAIL : ARES_NONE, (int)row->action);
}

char *dmarc_row_text(TALLOC_CTX *mem, const struct dmarc_row *row)
{
	char *text = NULL, *copy;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (f == NULL)
		return NULL;
	put_origin(f, row);
	put_policy(f, row);
	copy = fclose(f) == 0 ? talloc_strdup(mem, text) : NULL;
	free(text);
	return copy;
}

/* ---- reading */

struct reading {
	TALLOC_CTX *mem;                 /* of the row */
	bool begun;
	struct dmarc_row row;
	void (*each)(void *context, const struct dmarc_row *row);
	void *context;
};

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A value as it was before put_word(). */
static const char *word_of(TALLOC_CTX *mem, const char *text)
{
	char *copy = talloc_strdup(mem, strcmp(text, "-") == 0 ? "" : text), *to = copy;

	if (copy == NULL)
		return "";
	for (const char *p = copy; *p != '\0'; p++) {
		if (p[0] == '%' && hex(p[1]) >= 0 && hex(p[2]) >= 0 && (hex(p[1]) > 0 || hex(p[2]) > 0)) {
			*to++ = (char)(hex(p[1]) * 16 + hex(p[2]));
			p += 2;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
	return copy;
}

static enum dmarc_policy policy_named(const char *name)
{
	for (enum dmarc_policy p = DMARC_POLICY_NONE; p <= DMARC_POLICY_REJECT; p++)
		if (strcmp(dmarc_policy_name(p), name) == 0)
			return p;
	return DMARC_POLICY_UNSET;
}

static enum dmarc_policy policy_lettered(const char *number)
{
	long letter = strtol(number, NULL, 10);

	return letter == 'r' ? DMARC_POLICY_REJECT : letter == 'q' ? DMARC_POLICY_QUARANTINE : letter == 'n' ? DMARC_POLICY_NONE : DMARC_POLICY_UNSET;
}

static int code_named(const int *codes, size_t n, const char *number, int otherwise)
{
	long code = strtol(number, NULL, 10);

	/* the first is "pending", which has no code of its own */
	for (size_t i = 1; i < n; i++)
		if (codes[i] == code)
			return (int)i;
	return otherwise;
}

static void take_fo(struct dmarc_record *r, const char *text)
{
	for (; *text != '\0'; text++)
		for (size_t i = 0; i < 4; i++)
			if (*text == fo_names[i][0])
				r->fo |= 1u << i;
}

/* A word behind a line's value. */
static void take_more(struct reading *x, const char *key, const char *name, const char *value)
{
	struct dmarc_row *row = &x->row;
	const char *text = word_of(x->mem, value);

	if (strcmp(key, "job") == 0) {
		const char **to = strcmp(name, "to") == 0 ? &row->envelope_to : strcmp(name, "helo") == 0 ? &row->helo : strcmp(name, "reason") == 0 ? &row->reason :
			strcmp(name, "comment") == 0 ? &row->comment : NULL;

		if (to != NULL)
			*to = text;
		if (strcmp(name, "disposition") == 0)
			row->disposition = policy_named(text);
		for (size_t i = 0; i < sizeof(results) / sizeof(results[0]) && strcmp(name, "result") == 0; i++)
			if (strcmp(dmarc_result_name(results[i]), text) == 0)
				row->result = results[i];
	} else if (strcmp(key, "mfrom") == 0 && strcmp(name, "null") == 0) {
		row->envelope_from = "";
	} else if (strcmp(key, "spf") == 0 && strcmp(name, "domain") == 0) {
		row->spf_domain = text;
	} else if (strcmp(key, "spf") == 0 && strcmp(name, "scope") == 0) {
		row->spf_helo = strcmp(text, "helo") == 0;
	} else if (strcmp(key, "pdomain") == 0 && strcmp(name, "discovery") == 0) {
		row->psl = strcmp(text, "psl") == 0;
	} else if (strcmp(key, "p") == 0 && strcmp(name, "np") == 0) {
		row->record.np = policy_named(text);
	} else if (strcmp(key, "p") == 0 && strcmp(name, "t") == 0) {
		row->record.testing = strcmp(text, "y") == 0;
	} else if (strcmp(key, "p") == 0 && strcmp(name, "fo") == 0) {
		take_fo(&row->record, text);
	}
}

static void take_signature(struct reading *x, const char *domain, char *rest)
{
	struct dmarc_row *row = &x->row;
	char *number = rest != NULL ? strchr(rest, ' ') : NULL;

	if (number == NULL || row->n_signatures == DMARC_ROW_SIGNATURES)
		return;
	*number++ = '\0';
	if (row->signatures == NULL)
		row->signatures = talloc_array(x->mem, struct dmarc_row_signature, DMARC_ROW_SIGNATURES);
	if (row->signatures != NULL)
		row->signatures[row->n_signatures++] = (struct dmarc_row_signature){
			word_of(x->mem, domain), word_of(x->mem, rest), (enum dkim_result)code_named(dkim_codes, sizeof(dkim_codes) / sizeof(dkim_codes[0]), number, DKIM_NONE) };
}

static void begin_row(struct reading *x)
{
	talloc_free(x->mem);
	x->mem = talloc_new(NULL);
	x->begun = x->mem != NULL;
	x->row = (struct dmarc_row){
		.id = "", .reporter = "", .client = "", .from = "", .envelope_from = "", .envelope_to = "", .helo = "", .spf_domain = "", .domain = "", .reason = "", .comment = "",
		.spf = SPF_NONE, .result = DMARC_NONE, .action = DMARC_ACTION_ACCEPT, .record = { .psd = 'u', .pct = -1, .rua = "", .ruf = "" },
	};
}

/* A key whose value is a text; false: it is none of them. */
static bool take_text(struct reading *x, const char *key, const char *value)
{
	struct dmarc_row *row = &x->row;
	const struct { const char *key, **to; } texts[] = {
		{ "job", &row->id }, { "reporter", &row->reporter }, { "ipaddr", &row->client }, { "from", &row->from }, { "mfrom", &row->envelope_from }, { "pdomain", &row->domain },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(key, texts[i].key) == 0) {
			*texts[i].to = word_of(x->mem, value);
			return true;
		}
	}
	if (strcmp(key, "rua") != 0)
		return false;
	if (strcmp(value, "-") != 0) {
		const char *more = talloc_asprintf(x->mem, "%s%s%s", row->record.rua, row->record.rua[0] != '\0' ? "," : "", value);

		row->record.rua = more != NULL && strlen(more) < LINE_MAX_READ ? more : row->record.rua;
	}
	return true;
}

static void take_number(struct reading *x, const char *key, const char *value)
{
	struct dmarc_row *row = &x->row;
	long n = strtol(value, NULL, 10);

	if (strcmp(key, "received") == 0)
		row->received = strtoll(value, NULL, 10);
	else if (strcmp(key, "spf") == 0)
		row->spf = (enum spf_result)code_named(spf_codes, sizeof(spf_codes) / sizeof(spf_codes[0]), value, SPF_NONE);
	else if (strcmp(key, "adkim") == 0)
		row->record.strict_dkim = n == 's';
	else if (strcmp(key, "aspf") == 0)
		row->record.strict_spf = n == 's';
	else if (strcmp(key, "p") == 0)
		row->record.p = policy_lettered(value);
	else if (strcmp(key, "sp") == 0)
		row->record.sp = policy_lettered(value);
	else if (strcmp(key, "pct") == 0)
		row->record.pct = n >= 0 && n <= 100 ? (int)n : 100;
	else if (strcmp(key, "align_dkim") == 0)
		row->dkim_aligned = n == ALIGNED;
	else if (strcmp(key, "align_spf") == 0)
		row->spf_aligned = n == ALIGNED;
	else if (strcmp(key, "arc") == 0)
		row->arc = n == ARES_PASS ? ARC_PASS : n == ARES_FAIL ? ARC_FAIL : ARC_NONE;
	else if (strcmp(key, "action") == 0)
		row->action = n >= DMARC_ACTION_REJECT && n <= DMARC_ACTION_QUARANTINE ? (enum dmarc_action)n : DMARC_ACTION_ACCEPT;
}

static void take_line(struct reading *x, char *line)
{
	char *save = NULL, *key = line, *value = strchr(line, ' '), *rest;

	if (value == NULL)
		return;
	*value++ = '\0';
	rest = strchr(value, ' ');
	if (rest != NULL)
		*rest++ = '\0';
	if (strcmp(key, "job") == 0)
		begin_row(x);
	if (!x->begun)
		return;
	if (strcmp(key, "dkim") == 0) {
		take_signature(x, value, rest);
		return;
	}
	if (!take_text(x, key, value))
		take_number(x, key, value);
	for (char *word = rest != NULL ? strtok_r(rest, " ", &save) : NULL; word != NULL; word = strtok_r(NULL, " ", &save)) {
		char *equals = strchr(word, '=');

		if (equals != NULL) {
			*equals = '\0';
			take_more(x, key, word, equals + 1);
		}
	}
	if (strcmp(key, "action") == 0) {
		x->each(x->context, &x->row);
		x->begun = false;
	}
}

int dmarc_history_read(FILE *file, void (*each)(void *context, const struct dmarc_row *row), void *context)
{
	struct reading x = { .each = each, .context = context };
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int result;

	errno = 0;
	while ((len = getline(&line, &room, file)) > 0) {
		if (line[len - 1] != '\n')
			break;                   /* its end is not written yet */
		line[len - 1] = '\0';
		if (len < LINE_MAX_READ && strlen(line) == (size_t)len - 1)
			take_line(&x, line);
	}
	result = ferror(file) ? (errno != 0 ? -errno : -EIO) : 0;
	free(line);
	talloc_free(x.mem);
	return result;
}
