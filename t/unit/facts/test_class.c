/* test_class.c - the catalogue: each row by itself, and against the specification column by column */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "facts/class.h"

enum { COLUMNS = 13 };

static void each_row_is_sound(void **state)
{
	(void)state;
	assert_int_equal(CLASS_COUNT, 81);
	for (int i = 0; i < CLASS_COUNT; i++) {
		const struct class_row *r = class_row((enum class_id)i);
		char first = (char)('0' + r->code / 100);

		print_message("%s\n", r->id);
		assert_int_equal(class_find(r->id), i);
		assert_int_equal(strspn(r->id, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(r->id));
		assert_int_equal(r->xcode[0], first);
		assert_int_equal(r->xcode[1], '.');
		switch (r->action) {
		case ACT_REJECT: assert_int_equal(r->code / 100, 5); break;
		case ACT_TEMPFAIL: assert_int_equal(r->code / 100, 4); break;
		case ACT_DISCARD: case ACT_ACCEPT: assert_int_equal(r->code, 250); break;
		default: fail_msg("%s: action %s is none of the catalogue's", r->id, action_name(r->action));
		}
		assert_true(r->text[0] != '\0' && r->title[0] != '\0' && r->decided_by[0] != '\0');
		for (const char *c = r->text; *c != '\0'; c++)
			assert_true(*c >= 0x20 && *c < 0x7f && *c != '%');
		assert_int_equal(class_default_action((enum class_id)i), r->keep ? ACT_QUARANTINE : r->action);
	}
}

static void names_of_stages_and_actions_are_known_both_ways(void **state)
{
	(void)state;
	for (int i = 0; i < STAGE_COUNT; i++)
		assert_non_null(stage_name((enum stage)i));
	assert_string_equal(stage_name(STAGE_ANY), "any");
	for (int i = 0; i < ACT_COUNT; i++)
		assert_int_equal(action_find(action_name((enum action)i)), i);
	assert_int_equal(action_find("refuse"), ACT_COUNT);
	assert_int_equal(class_find("no-such-class"), CLASS_COUNT);
}

static size_t split(char *line, char *field[COLUMNS])
{
	size_t n = 0;

	line[strcspn(line, "\r\n")] = '\0';
	while (n < COLUMNS && line != NULL)
		field[n++] = strsep(&line, "\t");
	return n;
}

static void rows_say_what_the_specification_says(void **state)
{
	static const char *const bypass[] = { "n", "y", "p" };
	FILE *f = fopen("t/lint/classes.tsv", "r");
	char *line = NULL;
	size_t room = 0;
	int i = -1;

	(void)state;
	assert_non_null(f);
	for (; getline(&line, &room, f) > 0; i++) {
		char *field[COLUMNS], code[8];
		const struct class_row *r;

		assert_int_equal(split(line, field), COLUMNS);
		if (i < 0) {
			assert_string_equal(field[0], "id");
			continue;
		}
		assert_true(i < CLASS_COUNT);
		r = class_row((enum class_id)i);
		snprintf(code, sizeof(code), "%d", r->code);
		assert_string_equal(r->id, field[0]);
		assert_string_equal(direction_name(r->direction), field[1]);
		assert_string_equal(stage_name(r->stage), field[2]);
		assert_string_equal(action_name(r->action), field[3]);
		assert_string_equal(code, field[4]);
		assert_string_equal(r->xcode, field[5]);
		assert_string_equal(r->keep ? "y" : "n", field[6]);
		assert_string_equal(bypass[r->bypass], field[7]);
		assert_string_equal(r->seeds, field[8]);
		assert_string_equal(r->title, field[9]);
		assert_string_equal(r->text, field[10]);
		assert_string_equal(r->evidence, field[11]);
		assert_string_equal(class_evidence((enum class_id)i), field[11][0] ? field[11] : field[9]);
		assert_string_equal(r->decided_by, field[12]);
	}
	free(line);
	fclose(f);
	assert_int_equal(i, CLASS_COUNT);
}

static void a_case_has_its_own_code_in_its_own_class_alone(void **state)
{
	(void)state;
	assert_string_equal(class_xcode(CLASS_DNS_MISSING, CASE_NULL_MX), "5.7.27");
	assert_string_equal(class_xcode(CLASS_DNS_MISSING, CASE_USUAL), "5.1.8");
	assert_string_equal(class_xcode(CLASS_SENDER_INVALID, CASE_NULL_MX), "5.1.8");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_is_sound),
		cmocka_unit_test(names_of_stages_and_actions_are_known_both_ways),
		cmocka_unit_test(rows_say_what_the_specification_says),
		cmocka_unit_test(a_case_has_its_own_code_in_its_own_class_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
