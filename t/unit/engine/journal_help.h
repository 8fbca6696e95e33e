/* journal_help.h - for the tests of the journal: a folder of its own, records, and what a journal says of them */
#ifndef WINNOW_T_JOURNAL_HELP_H
#define WINNOW_T_JOURNAL_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/journal_private.h"

#define DAY (86400 * INT64_C(1000000))
#define NOW (INT64_C(1795608000) * 1000000)      /* 2026-11-25T12:00:00Z */

struct lab {
	char folder[64], path[80], log_path[80];
	struct log *log;
	struct journal *journal;
	int64_t keep, size_max;
};

static int64_t lab_clock = NOW;

static inline int64_t lab_now(void)
{
	return lab_clock;
}

static inline struct journal_options lab_options(const struct lab *lab)
{
	return (struct journal_options){ .path = lab->path, .keep = lab->keep, .size_max = lab->size_max, .now = lab_now };
}

static inline void lab_open(struct lab *lab)
{
	struct journal_options options = lab_options(lab);
	char *error = NULL;

	if (journal_open(&options, lab->log, &lab->journal, &error) != 0)
		fail_msg("journal_open: %s", error);
}

static inline void lab_close(struct lab *lab)
{
	journal_close(lab->journal);
	lab->journal = NULL;
}

static inline int lab_setup(void **state)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct log_options options = { .facility = "mail", .ident = "test", .level = LOG_LEVEL_INFO };
	char *error = NULL;

	strcpy(lab->folder, "/tmp/winnow-journal-XXXXXX");
	assert_non_null(mkdtemp(lab->folder));
	snprintf(lab->path, sizeof(lab->path), "%s/j", lab->folder);
	snprintf(lab->log_path, sizeof(lab->log_path), "%s/log", lab->folder);
	options.target = lab->log_path;
	assert_int_equal(log_open(&options, &lab->log, &error), 0);
	lab->keep = 14 * DAY / 1000;
	lab->size_max = 1 << 30;
	lab_clock = NOW;
	*state = lab;
	return 0;
}

static inline int lab_teardown(void **state)
{
	struct lab *lab = *state;
	char command[120];

	lab_close(lab);
	log_close(lab->log);
	snprintf(command, sizeof(command), "rm -rf %s", lab->folder);
	assert_int_equal(system(command), 0);
	free(lab);
	return 0;
}

/* How often a word stands in the log. */
static inline int lab_logged(struct lab *lab, const char *word)
{
	char line[4096];
	int n = 0;
	FILE *f;

	log_flush(lab->log);
	f = fopen(lab->log_path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		n += strstr(line, word) != NULL;
	fclose(f);
	return n;
}

static inline struct record plain_record(const char *id, int64_t time)
{
	return (struct record){
		.time = time, .id = id, .event = "message", .stage = STAGE_EOM, .direction = DIRECTION_IN, .client = "203.0.113.7", .helo = "mail.example.net", .from = "b@example.net",
		.policy = "default", .mode = MODE_ENFORCE, .action = ACT_ACCEPT, .intended = ACT_ACCEPT, .class = CLASS_NOT_SPAM, .code = 250, .xcode = "2.0.0",
	};
}

static inline void put_plain(struct lab *lab, const char *id, int64_t time)
{
	struct record r = plain_record(id, time);

	journal_put(lab->journal, &r);
}

static inline struct journal_reader *lab_reader(struct lab *lab)
{
	struct journal_reader *reader = NULL;
	char *error = NULL;

	if (journal_reader_open(lab->path, &reader, &error) != 0)
		fail_msg("journal_reader_open: %s", error);
	return reader;
}

/* The records of a key: their number, and their JSON as children of mem. */
static inline size_t lab_find(struct lab *lab, TALLOC_CTX *mem, const char *key, struct journal_entry **entries_r)
{
	struct journal_reader *reader = lab_reader(lab);
	char *error = NULL;
	size_t n = 0;

	if (journal_find(reader, mem, key, entries_r, &n, &error) != 0)
		fail_msg("journal_find: %s", error);
	journal_reader_close(reader);
	return n;
}

static inline size_t count_of(struct lab *lab, const char *key)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct journal_entry *entries;
	size_t n = lab_find(lab, mem, key, &entries);

	talloc_free(mem);
	return n;
}

static inline size_t lab_search(struct lab *lab, TALLOC_CTX *mem, const struct journal_query *query, struct journal_entry **entries_r)
{
	struct journal_reader *reader = lab_reader(lab);
	char *error = NULL;
	size_t n = 0;

	if (journal_search(reader, mem, query, entries_r, &n, &error) != 0)
		fail_msg("journal_search: %s", error);
	journal_reader_close(reader);
	return n;
}

/* How many records there are. */
static inline size_t count_all(struct lab *lab)
{
	const struct journal_query all = { .limit = 1000000 };
	TALLOC_CTX *mem = talloc_new(NULL);
	struct journal_entry *entries;
	size_t n = lab_search(lab, mem, &all, &entries);

	talloc_free(mem);
	return n;
}

#endif
