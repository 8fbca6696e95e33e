/* inquire.c - what people ask of an engine: the catalogue, the file of defaults */
#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "engine/services.h"

/* ---- the catalogue */

static const char *const columns[] = { "id", "direction", "stage", "action", "code", "xcode", "quarantine", "bypass", "seeds", "title", "text", "evidence", "decided_by", "in_force" };
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

static void class_columns(const struct class_row *row, enum action in_force, char code[8], const char *out[COLUMNS])
{
	static const char *const bypass[] = { [BYPASS_NO] = "n", [BYPASS_YES] = "y", [BYPASS_PROOF] = "p" };
	const char *values[COLUMNS] = {
		row->id, direction_name(row->direction), stage_name(row->stage), action_name(row->action), code, row->xcode, row->keep ? "y" : "n",
		bypass[row->bypass], row->seeds, row->title, row->text, row->evidence, row->decided_by, action_name(in_force),
	};

	snprintf(code, 8, "%d", row->code);
	memcpy(out, values, sizeof(values));
}

static void write_tsv(FILE *f, const char *const values[COLUMNS])
{
	for (size_t c = 0; c < COLUMNS; c++)
		fprintf(f, "%s%s", c > 0 ? "\t" : "", values[c]);
	putc('\n', f);
}

char *winnow_classes(struct winnow_engine *engine, bool json)
{
	struct config *config = engine_config(engine);
	json_t *array = json_array();
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	write_tsv(f, columns);
	for (int i = 0; i < CLASS_COUNT; i++) {
		const char *values[COLUMNS];
		char code[8];
		json_t *row = json_object();

		class_columns(class_row((enum class_id)i), policy_class(config_default_policy(config), (enum class_id)i)->action, code, values);
		write_tsv(f, values);
		for (size_t c = 0; c < COLUMNS; c++)
			json_object_set_new(row, columns[c], json_string(values[c]));
		json_array_append_new(array, row);
	}
	fclose(f);
	if (json) {
		free(text);
		text = json_dumps(array, JSON_INDENT(1));
	}
	json_decref(array);
	config_unref(config);
	return text;
}

/* ---- the file of defaults */

char *winnow_defaults(void)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	size_t n = 0;
	const struct section **sections = engine_sections(mem, &n);
	char *text = sections != NULL ? config_defaults_text(mem, sections, n) : NULL;
	char *result = text != NULL ? strdup(text) : NULL;

	talloc_free(mem);
	return result;
}
