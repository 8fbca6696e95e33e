/* fixture.h - a configuration from text, a session and a message for the tests of checks; included once by each test program */
#ifndef WINNOW_T_CHECK_FIXTURE_H
#define WINNOW_T_CHECK_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <talloc.h>

#include "check/check.h"
#include "policy/config.h"
#include "policy/global.h"
#include "policy/table.h"

#pragma GCC diagnostic ignored "-Wunused-function"

#define FIXTURE_NOW INT64_C(1795514400)  /* Tue, 24 Nov 2026 10:00:00 +0000 */

struct fixture {
	TALLOC_CTX *mem;
	struct table_set *tables;
	struct config *config;
	struct message_budget *budget;
	struct session s;
	struct txn t;
};

/* Loads the text as a configuration file; any error in it fails the test. */
static struct config *fixture_config(struct table_set *tables, const char *text)
{
	static struct section sections[2 * CHECKS_MAX + 2];
	static const struct section *list[2 * CHECKS_MAX + 2];
	const char *folder = getenv("TMPDIR");
	struct config_errors errors = { 0 };
	struct config *config = NULL;
	char path[256];
	size_t n = 0;
	int fd, r;

	sections[n++] = (struct section){ .name = "", .rows = global_settings };
	sections[n++] = (struct section){ .name = "dns", .rows = dns_settings };
	for (size_t i = 0; checks[i] != NULL && n <= CHECKS_MAX; i++) {
		sections[n++] = (struct section){ .name = checks[i]->name, .rows = checks[i]->settings, .help = checks[i]->help };
		for (const struct section *further = checks[i]->sections; further != NULL && further->name != NULL; further++)
			sections[n++] = *further;
	}
	for (size_t i = 0; i < n; i++)
		list[i] = &sections[i];
	snprintf(path, sizeof(path), "%.200s/winnow-check-XXXXXX", folder != NULL ? folder : "/tmp");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	errors.mem = talloc_new(NULL);
	r = config_load(path, list, n, tables, &config, &errors, NULL);
	unlink(path);
	for (size_t i = 0; i < errors.n; i++)
		print_error("%d: %s\n", errors.v[i].line, errors.v[i].text);
	talloc_free(errors.mem);
	assert_int_equal(r, 0);
	return config;
}

/* A stranger at 11.22.33.44 came to an inbound listener without TLS and has said EHLO; no message yet. */
static struct fixture *fixture_new(const char *conf)
{
	struct fixture *f = talloc_zero(NULL, struct fixture);

	f->mem = f;
	f->tables = table_set_new(NULL);
	f->config = fixture_config(f->tables, conf);
	f->budget = message_budget_new(f->mem, 64 << 20);
	f->s.mem = f->mem;
	f->s.daemon_name = f->s.daemon_addr = f->s.mta_host = "";
	f->s.daemon_port = "25";
	f->s.helo = "mail.sender.example";
	assert_true(ip_parse("11.22.33.44", &f->s.client));
	f->t.session = &f->s;
	f->t.mem = f->t.lasting = talloc_new(f->mem);
	f->t.config = f->config;
	f->t.policy = config_default_policy(f->config);
	f->t.now = FIXTURE_NOW * 1000000;
	f->t.size_announced = -1;
	return f;
}

static void fixture_free(struct fixture *f)
{
	struct config *config = f->config;
	struct table_set *tables = f->tables;

	talloc_free(f);
	config_unref(config);
	table_set_free(tables);
}

static void fixture_client(struct fixture *f, const char *ip)
{
	if (ip == NULL)
		f->s.client = (struct ip){ 0 };
	else
		assert_true(ip_parse(ip, &f->s.client));
}

/* The session is outbound by its listener or network. */
static void fixture_outbound(struct fixture *f)
{
	f->s.outbound = f->t.outbound = true;
}

static void fixture_mail(struct fixture *f, const char *path)
{
	f->t.open = true;
	f->t.sender_valid = address_parse_path(f->t.mem, path, &f->t.sender);
	f->t.null_sender = f->t.sender_valid && f->t.sender.text[0] == '\0';
}

/* Outbound: the policy of that user or sender. */
static void fixture_login(struct fixture *f, const char *user)
{
	f->t.outbound = true;
	f->t.auth_user = user;
	f->t.auth_type = user != NULL ? "PLAIN" : NULL;
}

/* The recipient that is judged; its policy comes into force (inbound). */
static void fixture_rcpt(struct fixture *f, const char *path)
{
	struct rcpt *r = talloc_zero(f->t.mem, struct rcpt);
	const char *unknown;

	r->raw = talloc_strdup(r, path);
	r->valid = address_parse_path(r, path, &r->address);
	r->policy = f->t.outbound ? f->t.policy
		: policy_for_recipient(f->config, setting_table(config_default_policy(f->config), &global_settings[G_POLICIES]), &r->address, f->t.mem, &unknown);
	f->t.rcpt = r;
	f->t.policy = r->policy;
}

/* It was accepted: the next one comes after it. */
static void fixture_accept(struct fixture *f)
{
	f->t.rcpts = talloc_realloc(f->t.mem, f->t.rcpts, struct rcpt *, f->t.n_rcpts + 1);
	f->t.rcpts[f->t.n_rcpts++] = f->t.rcpt;
	f->t.rcpt = NULL;
}

static void fixture_message(struct fixture *f)
{
	static const struct message_limits limits = { .memory_max = 8 << 20, .spool = "/nonexistent", .header_total_max = 256 << 10, .fields_max = 1000 };

	talloc_free(f->t.message);
	f->t.message = message_new(f->t.mem, f->budget, &limits);
	assert_non_null(f->t.message);
}

static void fixture_field(struct fixture *f, const char *name, const char *value)
{
	assert_int_equal(message_add_field(f->t.message, name, value), 0);
}

/* "Name: value" lines, each ended by LF, folds by LF and a blank; as libmilter hands them on. */
static void fixture_fields(struct fixture *f, const char *text)
{
	char *copy = talloc_strdup(f->t.mem, text);

	for (char *line = copy, *end; *line; line = end) {
		char *colon = strchr(line, ':');

		assert_non_null(colon);
		for (end = strchr(line, '\n'); end != NULL && (end[1] == ' ' || end[1] == '\t'); end = strchr(end + 1, '\n'))
			;
		assert_non_null(end);
		*end++ = '\0';
		*colon = '\0';
		fixture_field(f, line, colon + 1);
	}
	talloc_free(copy);
}

static void fixture_body(struct fixture *f, const void *data, size_t len)
{
	if (!f->t.message->header_closed)
		assert_int_equal(message_close_header(f->t.message), 0);
	assert_int_equal(message_add_body(f->t.message, data, len), 0);
}

static void fixture_close(struct fixture *f, size_t parts_max, size_t depth_max)
{
	if (!f->t.message->header_closed)
		assert_int_equal(message_close_header(f->t.message), 0);
	assert_int_equal(message_close(f->t.message, parts_max, depth_max), 0);
}

/* The finding of that class in any of the lists, or NULL. */
static const struct finding *fixture_finding(const struct fixture *f, enum class_id class)
{
	const struct finding *found = findings_get(&f->s.found, class);

	if (found == NULL)
		found = findings_get(&f->t.found, class);
	return found != NULL ? found : findings_get(&f->t.found_rcpt, class);
}

static const char *fixture_note(const struct fixture *f, const char *name)
{
	for (size_t i = 0; i < f->t.n_notes; i++)
		if (strcmp(f->t.notes[i].name, name) == 0)
			return f->t.notes[i].reason;
	return NULL;
}

static void fixture_forget(struct fixture *f)
{
	f->s.found.n = f->t.found.n = f->t.found_rcpt.n = f->t.n_notes = 0;
}

/* Runs one hook; every class that it reports must be one that the check says it may report. */
static void fixture_judge(struct fixture *f, const struct check *check, enum stage stage)
{
	const struct findings *lists[] = { &f->s.found, &f->t.found, &f->t.found_rcpt };

	assert_non_null(check->judge[stage]);
	f->t.stage = stage;
	check->judge[stage](&f->t);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		for (size_t j = 0; j < lists[i]->n; j++) {
			enum class_id class = lists[i]->v[j].class;
			const enum class_id *may = check->reports;

			while (*may != CLASS_COUNT && *may != class)
				may++;
			if (*may == CLASS_COUNT && class != CLASS_INTERNAL_ERROR)
				fail_msg("%s reports %s", check->name, class_row(class)->id);
		}
	}
}

/* detail NULL: the class must not be reported; otherwise it must be, with these words in its line of detail. label names the case. */
static void fixture_expect(const struct fixture *f, const char *label, enum class_id class, const char *detail)
{
	const struct finding *found = fixture_finding(f, class);

	if (detail == NULL && found != NULL)
		fail_msg("%s: %s reported: %s", label, class_row(class)->id, found->detail);
	if (detail != NULL && found == NULL)
		fail_msg("%s: %s not reported", label, class_row(class)->id);
	if (detail != NULL && strstr(found->detail, detail) == NULL)
		fail_msg("%s: %s: '%s' is not in the detail: %s", label, class_row(class)->id, detail, found->detail);
}

#endif
