/* test_journal.c - the journal: what is put in is found again, by every name and every filter, whatever bytes it has */
#include "journal_help.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

#include <jansson.h>

static void a_record_is_found_by_id_queue_id_and_message_id(void **state)
{
	static const char *const keys[] = { "A44JKQ0QXSG01", "4bY7Zq2hXnz", "<20261125.1@mail.example.net>", "20261125.1@mail.example.net", "  20261125.1@mail.example.net " };
	static const char *const others[] = { "A44JKQ0QXSG02", "a44jkq0qxsg01", "4bY7Zq2hXn", "20261125.1@mail.example", "", "<>", "b@example.net", "not-spam" };
	struct lab *lab = *state;
	struct record r = plain_record("A44JKQ0QXSG01", NOW);

	r.queue_id = "4bY7Zq2hXnz";
	r.message_id = " <20261125.1@mail.example.net> (a comment)";
	lab_open(lab);
	put_plain(lab, "A44JKQ0QXSG00", NOW);
	journal_put(lab->journal, &r);
	journal_flush(lab->journal);
	for (int open = 1; open >= 0; open--) {
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			assert_int_equal(count_of(lab, keys[i]), 1);
		for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
			assert_int_equal(count_of(lab, others[i]), 0);
		/* and once more when nobody writes */
		lab_close(lab);
	}
}

static void all_records_of_an_id_are_found_the_oldest_first(void **state)
{
	static const char *const events[] = { "rcpt", "rcpt", "message" };
	struct lab *lab = *state;
	TALLOC_CTX *mem = talloc_new(NULL);
	struct journal_entry *entries;

	lab_open(lab);
	for (int i = 0; i < 3; i++) {
		struct record r = plain_record("SAME", NOW + i);

		r.event = events[i];
		journal_put(lab->journal, &r);
		put_plain(lab, "ANOTHER", NOW + i);
	}
	journal_flush(lab->journal);
	assert_int_equal(lab_find(lab, mem, "SAME", &entries), 3);
	for (int i = 0; i < 3; i++) {
		char wanted[40];

		snprintf(wanted, sizeof(wanted), "\"event\":\"%s\"", events[i]);
		assert_int_equal(entries[i].time, NOW + i);
		assert_non_null(strstr(entries[i].json, wanted));
	}
	talloc_free(mem);
}

static void a_refused_connection_has_neither_sender_nor_recipient(void **state)
{
	struct lab *lab = *state;
	struct record r = { .time = NOW, .id = "CONN", .event = "connect", .stage = STAGE_CONNECT, .client = "unknown", .policy = "default", .action = ACT_REJECT, .class = CLASS_IP_BLACKLISTED, .code = 554 };
	TALLOC_CTX *mem = talloc_new(NULL);
	struct journal_entry *entries;
	json_t *o;

	lab_open(lab);
	journal_put(lab->journal, &r);
	journal_flush(lab->journal);
	assert_int_equal(lab_find(lab, mem, "CONN", &entries), 1);
	o = json_loads(entries[0].json, 0, NULL);
	assert_non_null(o);
	assert_null(json_object_get(o, "from"));
	assert_int_equal(json_array_size(json_object_get(o, "rcpt")), 0);
	assert_string_equal(json_string_value(json_object_get(o, "class")), "ip-blacklisted");
	json_decref(o);
	talloc_free(mem);
}

static void the_body_holds_the_findings_before_policy(void **state)
{
	struct lab *lab = *state;
	const struct finding found[] = { { CLASS_HELO_IS_US, STAGE_HELO, "helo", 1.0, "client says HELO \"us\"", false }, { CLASS_DATE_SKEW, STAGE_EOH, "header", 0.125, "old", false } };
	struct record_finding findings[] = {
		{ .finding = &found[0], .action = ACT_REJECT, .weight = NAN, .counted = true, .observed = true, .decided = true },
		{ .finding = &found[1], .action = ACT_SCORE, .weight = -1.5, .bypassed = true },
	};
	struct record_time times[] = { { "helo", 3 }, { "header", 4000000000 } };
	const struct note notes[] = { { "clamav", "timeout" } };
	const char *auth[] = { "dkim=fail d=a.example s=b a=rsa-sha256: \"bad\"" };
	struct record r = plain_record("BODY", NOW);
	TALLOC_CTX *mem = talloc_new(NULL);
	struct journal_entry *entries;
	json_t *o, *list, *expected;

	r.findings = findings;
	r.n_findings = 2;
	r.times = times;
	r.n_times = 2;
	r.notes = notes;
	r.n_notes = 1;
	r.auth = auth;
	r.n_auth = 1;
	r.allowed = true;
	lab_open(lab);
	journal_put(lab->journal, &r);
	journal_flush(lab->journal);
	assert_int_equal(lab_find(lab, mem, "BODY", &entries), 1);
	o = json_loads(entries[0].json, 0, NULL);
	list = json_pack("[{s:s,s:s,s:s,s:i,s:n,s:s,s:s,s:b,s:b,s:b,s:b},{s:s,s:s,s:s,s:f,s:f,s:s,s:s,s:b,s:b,s:b,s:b}]",
		"class", "helo-is-us", "check", "helo", "stage", "helo", "strength", 1, "weight", "action", "reject", "detail", "client says HELO \"us\"",
		"counted", 1, "observed", 1, "bypassed", 0, "decided", 1,
		"class", "date-skew", "check", "header", "stage", "eoh", "strength", 0.125, "weight", -1.5, "action", "score", "detail", "old",
		"counted", 0, "observed", 0, "bypassed", 1, "decided", 0);
	assert_non_null(list);
	assert_true(json_equal(json_object_get(o, "findings"), list));
	expected = json_pack("{s:i,s:I}", "helo", 3, "header", (json_int_t)4000000000);
	assert_true(json_equal(json_object_get(o, "times"), expected));
	assert_string_equal(json_string_value(json_object_get(json_object_get(o, "notes"), "clamav")), "timeout");
	assert_string_equal(json_string_value(json_array_get(json_object_get(o, "auth"), 0)), auth[0]);
	assert_true(json_is_true(json_object_get(o, "allowed")));
	assert_null(json_object_get(o, "proven"));
	json_decref(expected);
	json_decref(list);
	json_decref(o);
	talloc_free(mem);
}

static void a_date_is_written_as_the_calendar_has_it(void **state)
{
	static const int64_t seconds[] = { 0, 951782399, 951782400, 951868800, 1709251199, 1735689599, 1735689600, 1795608000, 4107542400, 253402300799 };
	struct lab *lab = *state;

	lab->keep = INT64_C(36500) * 86400000;
	lab_clock = 0;
	lab_open(lab);
	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
		char id[16];

		snprintf(id, sizeof(id), "T%zu", i);
		put_plain(lab, id, seconds[i] * 1000000 + 12345);
	}
	journal_flush(lab->journal);
	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct journal_entry *entries;
		time_t when = (time_t)seconds[i];
		char id[16], wanted[64];
		struct tm tm;

		snprintf(id, sizeof(id), "T%zu", i);
		assert_int_equal(lab_find(lab, mem, id, &entries), 1);
		gmtime_r(&when, &tm);
		strftime(wanted, sizeof(wanted), "{\"time\":\"%Y-%m-%dT%H:%M:%S.012345Z\"", &tm);
		assert_memory_equal(entries[0].json, wanted, strlen(wanted));
		talloc_free(mem);
	}
}

static void hostile_bytes_neither_break_the_object_nor_hide_the_record(void **state)
{
	static const char *const evil[] = { "\"},{\"id\":\"X\"", "\\", "\x01\x02\r\n\t", "\xff\xfe\x80", "%s%n", "';DROP TABLE records;--", "\xc3\xa9", "a\nb" };
	struct lab *lab = *state;

	lab_open(lab);
	for (size_t i = 0; i < sizeof(evil) / sizeof(evil[0]); i++) {
		struct record r = plain_record("EVIL", NOW);
		const char *rcpts[] = { evil[i], NULL };
		const struct note note = { evil[i], evil[i] };

		r.queue_id = evil[i];
		r.message_id = evil[i];
		r.subject = r.helo = r.ptr = r.user = r.from = r.detail = r.policy = evil[i];
		r.rcpts = rcpts;
		r.n_rcpts = 2;
		r.notes = &note;
		r.n_notes = 1;
		journal_put(lab->journal, &r);
	}
	journal_flush(lab->journal);
	{
		TALLOC_CTX *mem = talloc_new(NULL);
		struct journal_entry *entries;

		assert_int_equal(lab_find(lab, mem, "EVIL", &entries), sizeof(evil) / sizeof(evil[0]));
		for (size_t i = 0; i < sizeof(evil) / sizeof(evil[0]); i++) {
			json_error_t error;
			json_t *o = json_loads(entries[i].json, 0, &error);

			if (o == NULL)
				fail_msg("%s in %s", error.text, entries[i].json);
			assert_string_equal(json_string_value(json_object_get(o, "id")), "EVIL");
			for (const char *p = entries[i].json; *p != '\0'; p++)
				assert_true(*p >= 0x20 && *p < 0x7f);
			if ((evil[i][0] & 0x80) == 0 || strcmp(evil[i], "\xc3\xa9") == 0)
				assert_string_equal(json_string_value(json_object_get(o, "subject")), evil[i]);
			assert_int_equal(json_array_size(json_object_get(o, "rcpt")), 1);
			json_decref(o);
		}
		talloc_free(mem);
	}
	assert_int_equal(count_of(lab, "X"), 0);
	/* a record shows other bytes as \xNN, and so does who asks */
	{
		struct record r = plain_record("SHOWN", NOW);

		r.message_id = "<\\xC3\\xA9@example.net>";
		journal_put(lab->journal, &r);
		journal_flush(lab->journal);
		assert_int_equal(count_of(lab, "<\xc3\xa9@example.net>"), 1);
	}
}

static void a_record_with_thousands_of_recipients_is_kept_and_cut(void **state)
{
	enum { MANY = 6000 };
	struct lab *lab = *state;
	const char **rcpts = calloc(MANY, sizeof(*rcpts));
	struct record r = plain_record("MANY", NOW);
	const struct journal_query last_kept = { .rcpt = "u4999@example.com" }, first_cut = { .rcpt = "u5000@example.com" };
	TALLOC_CTX *mem = talloc_new(NULL);
	struct journal_entry *entries;
	json_t *o;

	for (int i = 0; i < MANY; i++)
		rcpts[i] = talloc_asprintf(mem, "u%d@example.com", i);
	r.rcpts = rcpts;
	r.n_rcpts = MANY;
	lab_open(lab);
	journal_put(lab->journal, &r);
	journal_flush(lab->journal);
	assert_int_equal(journal_dropped(lab->journal), 0);
	assert_int_equal(lab_find(lab, mem, "MANY", &entries), 1);
	o = json_loads(entries[0].json, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(o, "rcpt")), 5000);
	assert_int_equal(json_integer_value(json_object_get(o, "rcpts")), MANY);
	assert_int_equal(lab_search(lab, mem, &last_kept, &entries), 1);
	assert_int_equal(lab_search(lab, mem, &first_cut, &entries), 0);
	json_decref(o);
	free(rcpts);
	talloc_free(mem);
}

static void a_record_beyond_four_megabytes_is_dropped_and_counted(void **state)
{
	struct lab *lab = *state;
	char *long_text = malloc(5 << 20);
	struct record r = plain_record("LONG", NOW);

	memset(long_text, 'x', (5 << 20) - 1);
	long_text[(5 << 20) - 1] = '\0';
	r.subject = long_text;
	lab_open(lab);
	journal_put(lab->journal, &r);
	put_plain(lab, "NEXT", NOW);
	journal_flush(lab->journal);
	assert_int_equal(journal_dropped(lab->journal), 1);
	assert_int_equal(count_of(lab, "LONG"), 0);
	assert_int_equal(count_of(lab, "NEXT"), 1);
	free(long_text);
}

/* ---- search */

static void put_for_search(struct lab *lab)
{
	static const char *const two[] = { "Anna@Example.COM", "bert@other.example" }, *const one[] = { "carl@sub.example.com" };
	struct record r[4];

	for (int i = 0; i < 4; i++)
		r[i] = plain_record((const char *const[]){ "R0", "R1", "R2", "R3" }[i], NOW + i * INT64_C(1000000));
	r[0].from = "B@Spammer.Example";
	r[0].rcpts = (const char **)(uintptr_t)two;
	r[0].n_rcpts = 2;
	r[1].from = "<>";
	r[1].client = "2001:db8::25";
	r[1].rcpts = (const char **)(uintptr_t)one;
	r[1].n_rcpts = 1;
	r[2].action = ACT_REJECT;
	r[2].class = CLASS_HELO_IS_US;
	r[2].from = NULL;
	r[2].client = "unknown";
	r[3].from = "\"odd@local\"@spammer.example";
	r[3].client = "203.0.113.200";
	for (int i = 0; i < 4; i++)
		journal_put(lab->journal, &r[i]);
	journal_flush(lab->journal);
}

static void search_filters_by_every_flag(void **state)
{
	static const struct {
		struct journal_query query;
		const char *ids;         /* the newest first */
	} cases[] = {
		{ { 0 }, "R3R2R1R0" },
		{ { .limit = 2 }, "R3R2" },
		{ { .from = "b@spammer.example" }, "R0" },
		{ { .from = "<b@SPAMMER.example>" }, "R0" },
		{ { .from = "spammer.example" }, "R3R0" },
		{ { .from = "@spammer.example" }, "R3R0" },
		{ { .from = "mer.example" }, "" },
		{ { .from = "<>" }, "R1" },
		{ { .from = "b@spammer" }, "" },
		{ { .rcpt = "anna@example.com" }, "R0" },
		{ { .rcpt = "bert@other.example" }, "R0" },
		{ { .rcpt = "example.com" }, "R0" },
		{ { .rcpt = "@sub.example.com" }, "R1" },
		{ { .rcpt = "other.example", .from = "<>" }, "" },
		{ { .ip = "203.0.113.7" }, "R0" },
		{ { .ip = "203.0.113.0/24" }, "R3R0" },
		{ { .ip = "2001:db8::/32" }, "R1" },
		{ { .ip = "0.0.0.0/0" }, "R3R0" },
		{ { .class = "helo-is-us" }, "R2" },
		{ { .action = "accept" }, "R3R1R0" },
		{ { .action = "reject", .class = "helo-is-us" }, "R2" },
		{ { .action = "reject", .class = "not-spam" }, "" },
		{ { .since = NOW + 1000000 }, "R3R2R1" },
		{ { .until = NOW + 1000000 }, "R0" },
		{ { .since = NOW + 1000000, .until = NOW + 3000000 }, "R2R1" },
		{ { .since = NOW + 1000000, .until = NOW + 3000000, .action = "accept", .limit = 5 }, "R1" },
	};
	struct lab *lab = *state;

	lab_open(lab);
	put_for_search(lab);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct journal_entry *entries;
		size_t n = lab_search(lab, mem, &cases[i].query, &entries);
		char ids[64] = "";

		for (size_t k = 0; k < n; k++)
			strncat(ids, strstr(entries[k].json, "\"id\":\"") + 6, 2);
		if (strcmp(ids, cases[i].ids) != 0)
			fail_msg("case %zu: %s instead of %s", i, ids, cases[i].ids);
		talloc_free(mem);
	}
}

static void search_says_what_is_wrong_with_a_query(void **state)
{
	static const struct journal_query bad[] = { { .ip = "example.com" }, { .ip = "1.2.3.4/33" }, { .class = "nonsense" }, { .action = "refuse" } };
	static const char *const words[] = { "no address", "no address", "winnowctl classes", "tempfail" };
	struct lab *lab = *state;
	struct journal_reader *reader;

	lab_open(lab);
	reader = lab_reader(lab);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct journal_entry *entries;
		char *error = NULL;
		size_t n;

		assert_int_equal(journal_search(reader, NULL, &bad[i], &entries, &n, &error), -EINVAL);
		assert_non_null(strstr(error, words[i]));
		talloc_free(error);
	}
	journal_reader_close(reader);
}

static void who_cannot_read_is_told_why(void **state)
{
	struct lab *lab = *state;
	struct journal_reader *reader;
	char *error = NULL;

	assert_int_equal(journal_reader_open(lab->path, &reader, &error), -ENOENT);
	assert_non_null(strstr(error, "journal.path"));
	talloc_free(error);
	lab_open(lab);
	lab_close(lab);
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0);
	else
		assert_int_equal(chmod(lab->path, 0), 0);
	assert_int_equal(journal_reader_open(lab->path, &reader, &error), -EACCES);
	assert_non_null(strstr(error, "ask as root"));
	talloc_free(error);
	assert_int_equal(seteuid(getuid()), 0);
	assert_int_equal(chmod(lab->path, 0700), 0);
}

/* ---- many at once */

enum { WRITERS = 3, READERS = 2, EACH = 400 };

struct worker {
	struct lab *lab;
	int number;
	size_t found;
};

static void *write_some(void *argument)
{
	struct worker *w = argument;

	for (int i = 0; i < EACH; i++) {
		char id[32];

		snprintf(id, sizeof(id), "W%d-%d", w->number, i);
		put_plain(w->lab, id, NOW);
		if (i % 100 == 99)
			usleep(20000);
	}
	return NULL;
}

static void *read_some(void *argument)
{
	struct worker *w = argument;
	struct journal_reader *reader = lab_reader(w->lab);
	size_t before = 0;

	for (int i = 0; i < 20; i++) {
		const struct journal_query all = { .limit = 100000 };
		TALLOC_CTX *mem = talloc_new(NULL);
		struct journal_entry *entries;
		char *error = NULL;
		size_t n = 0;

		/* a state is never half, and never older than the one before */
		if (journal_search(reader, mem, &all, &entries, &n, &error) != 0 || n < before)
			w->found = SIZE_MAX;
		before = n;
		talloc_free(error);
		talloc_free(mem);
		usleep(10000);
	}
	journal_reader_close(reader);
	if (w->found != SIZE_MAX)
		w->found = before;
	return NULL;
}

static void readers_read_while_sessions_write(void **state)
{
	struct lab *lab = *state;
	struct worker workers[WRITERS + READERS];
	pthread_t threads[WRITERS + READERS];

	lab_open(lab);
	for (int i = 0; i < WRITERS + READERS; i++) {
		workers[i] = (struct worker){ .lab = lab, .number = i };
		assert_int_equal(pthread_create(&threads[i], NULL, i < WRITERS ? write_some : read_some, &workers[i]), 0);
	}
	for (int i = 0; i < WRITERS + READERS; i++)
		pthread_join(threads[i], NULL);
	for (int i = WRITERS; i < WRITERS + READERS; i++)
		assert_true(workers[i].found <= WRITERS * EACH);
	journal_flush(lab->journal);
	assert_int_equal(journal_dropped(lab->journal), 0);
	assert_int_equal(count_all(lab), WRITERS * EACH);
	assert_int_equal(count_of(lab, "W1-399"), 1);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_record_is_found_by_id_queue_id_and_message_id),
		CASE(all_records_of_an_id_are_found_the_oldest_first),
		CASE(a_refused_connection_has_neither_sender_nor_recipient),
		CASE(the_body_holds_the_findings_before_policy),
		CASE(a_date_is_written_as_the_calendar_has_it),
		CASE(hostile_bytes_neither_break_the_object_nor_hide_the_record),
		CASE(a_record_with_thousands_of_recipients_is_kept_and_cut),
		CASE(a_record_beyond_four_megabytes_is_dropped_and_counted),
		CASE(search_filters_by_every_flag),
		CASE(search_says_what_is_wrong_with_a_query),
		CASE(who_cannot_read_is_told_why),
		CASE(readers_read_while_sessions_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
