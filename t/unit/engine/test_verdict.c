/* test_verdict.c - plays t/verdict/verdict.tsv, the specification of precedence, against verdict_decide() */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/services.h"
#include "engine/verdict.h"

enum { NAME, POLICY, STAGE, FACTS, FINDINGS, ACTION, INTENDED, CLASS_OF, CODE, XCODE, WHEN, COLUMNS };

/* of all configurations: they point into them */
static const struct section **sections;
static size_t n_sections;
static struct table_set *tables;

static struct config *config_of(const char *policy)
{
	char path[] = "/tmp/winnow-verdict-XXXXXX";
	TALLOC_CTX *mem = talloc_new(NULL);
	struct config_errors errors = { .mem = mem };
	struct config *config = NULL;
	FILE *f = fdopen(mkstemp(path), "w");

	fprintf(f, "policy \"default\" {\n%s\n}\n", strcmp(policy, "-") == 0 ? "" : policy);
	fclose(f);
	if (config_load(path, sections, n_sections, tables, &config, &errors, NULL) != 0)
		print_error("%s: %s\n", policy, errors.n > 0 ? errors.v[0].text : "?");
	unlink(path);
	talloc_free(mem);
	assert_non_null(config);
	return config;
}

static enum stage stage_of(const char *name)
{
	for (int s = 0; s < STAGE_COUNT; s++)
		if (strcmp(stage_name((enum stage)s), name) == 0)
			return (enum stage)s;
	fail_msg("no stage %s", name);
	return STAGE_COUNT;
}

static void read_findings(char *text, enum stage stage, struct findings *list)
{
	char *save = NULL;

	for (char *word = strtok_r(text, ",", &save); word != NULL && strcmp(word, "-") != 0; word = strtok_r(NULL, ",", &save)) {
		char *colon = strchr(word, ':');
		struct finding f = { .stage = stage, .strength = colon != NULL ? atof(colon + 1) : 1.0, .detail = "" };

		if (colon != NULL)
			*colon = '\0';
		f.class = class_find(word);
		if (f.class == CLASS_COUNT)
			fail_msg("no class %s", word);
		findings_add(NULL, list, &f);
	}
}

/* Is it one of the words? "allowed" ends "dns-allowed" too. */
static bool has(const char *facts, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = facts; (p = strstr(p, word)) != NULL; p += len)
		if ((p == facts || p[-1] == ',') && (p[len] == '\0' || p[len] == ','))
			return true;
	return false;
}

static void play(char *field[COLUMNS])
{
	struct config *config = config_of(field[POLICY]);
	struct findings found = { 0 };
	const char *rate = strstr(field[FACTS], "rate=");
	struct verdict_input in = {
		.policy = config_default_policy(config), .stage = stage_of(field[STAGE]),
		.word = { .allowed = has(field[FACTS], "allowed"), .proven = strstr(field[FACTS], "proven") != NULL, .dnswl = strstr(field[FACTS], "dns-allowed") != NULL },
		.no_recipient_left = strstr(field[FACTS], "only-holes") != NULL, .only_421_closes = strstr(field[FACTS], "only-421") != NULL,
		.no_copies = strstr(field[FACTS], "rate-exceeded") != NULL, .released = strstr(field[FACTS], "released") != NULL, .rate_behaviour = rate != NULL ? rate + 5 : NULL,
	};
	struct verdict v;
	char code[8];

	read_findings(field[FINDINGS], in.stage, &found);
	in.lists[in.stage == STAGE_RCPT ? 2 : 1] = &found;
	verdict_decide(&in, &v);
	if (strstr(field[FACTS], "no-copy") != NULL && v.action == ACT_QUARANTINE)
		verdict_without_copy(&v);
	snprintf(code, sizeof(code), "%d", v.code);
	assert_string_equal(action_name(v.action), field[ACTION]);
	assert_string_equal(action_name(v.intended), field[INTENDED]);
	assert_string_equal(class_row(v.class)->id, field[CLASS_OF]);
	assert_string_equal(code, field[CODE]);
	assert_string_equal(v.xcode, field[XCODE]);
	assert_string_equal(v.now ? "now" : "wait", field[WHEN]);
	assert_int_equal(v.close, v.code == 421 || v.code == 521);
	talloc_free(found.v);
	config_unref(config);
}

static void every_row_of_the_table_holds(void **state)
{
	FILE *f = fopen("t/verdict/verdict.tsv", "r");
	char *line = NULL;
	size_t room = 0;
	int rows = 0;

	(void)state;
	assert_non_null(f);
	while (getline(&line, &room, f) > 0) {
		char *field[COLUMNS], *rest = line;
		int n = 0;

		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || line[0] == '\0')
			continue;
		while (n < COLUMNS && rest != NULL)
			field[n++] = strsep(&rest, "\t");
		print_message("%s\n", field[NAME]);
		assert_int_equal(n, COLUMNS);
		play(field);
		rows++;
	}
	free(line);
	fclose(f);
	assert_true(rows >= 80);
}

static void a_black_hole_is_marked_for_the_end_of_the_message(void **state)
{
	struct config *config = config_of("-");
	struct findings found = { 0 };
	struct finding f = { .class = CLASS_BLACKHOLE, .stage = STAGE_RCPT, .strength = 1.0, .detail = "" };
	struct verdict_input in = { .policy = config_default_policy(config), .stage = STAGE_RCPT, .lists = { NULL, NULL, &found } };
	struct verdict v;

	(void)state;
	verdict_decide(&in, &v);
	assert_false(v.blackhole);
	findings_add(NULL, &found, &f);
	verdict_decide(&in, &v);
	assert_true(v.blackhole);
	assert_false(v.now);
	talloc_free(found.v);
	config_unref(config);
}

/* What was found of the envelope of a released copy counts as ever, but for what it would be kept for. */
static void a_released_copy_is_forgiven_its_content_alone(void **state)
{
	static const struct { enum class_id class; enum stage stage; enum action action; } cases[] = {
		{ CLASS_SPF_FAIL, STAGE_MAIL, ACT_ACCEPT }, { CLASS_PBL, STAGE_RCPT, ACT_REJECT }, { CLASS_MALWARE, STAGE_EOM, ACT_ACCEPT }, { CLASS_HEADER_BOM, STAGE_EOH, ACT_ACCEPT },
	};
	struct config *config = config_of("-");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct finding f = { .class = cases[i].class, .stage = cases[i].stage, .strength = 1.0, .detail = "" };
		struct findings found = { &f, 1 };
		struct verdict_input in = { .policy = config_default_policy(config), .stage = STAGE_EOM, .lists = { NULL, &found }, .released = true };
		struct verdict v;

		verdict_decide(&in, &v);
		assert_int_equal(v.action, cases[i].action);
	}
	config_unref(config);
}

static void the_operator_s_text_is_given(void **state)
{
	struct config *config = config_of("class \"pbl\" { text = \"100% no\" }");
	struct findings found = { 0 };
	struct finding f = { .class = CLASS_PBL, .stage = STAGE_RCPT, .strength = 1.0, .detail = "" };
	struct verdict_input in = { .policy = config_default_policy(config), .stage = STAGE_RCPT, .lists = { NULL, NULL, &found } };
	struct verdict v;

	(void)state;
	findings_add(NULL, &found, &f);
	verdict_decide(&in, &v);
	assert_string_equal(v.text, "100% no");
	assert_int_equal(v.code, 554);
	talloc_free(found.v);
	config_unref(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_of_the_table_holds),
		cmocka_unit_test(a_black_hole_is_marked_for_the_end_of_the_message),
		cmocka_unit_test(a_released_copy_is_forgiven_its_content_alone),
		cmocka_unit_test(the_operator_s_text_is_given),
	};

	int failed;

	sections = engine_sections(NULL, &n_sections);
	tables = table_set_new(NULL);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	table_set_free(tables);
	talloc_free(sections);
	return failed;
}
