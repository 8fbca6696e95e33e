/* watch_help.h - what the tests of files that change share: a set without a thread, whose log can be read */
#ifndef WINNOW_T_WATCH_HELP_H
#define WINNOW_T_WATCH_HELP_H

#include "unit/policy/table_help.h"

#include <unistd.h>

#include "util/log.h"

enum { MS = 1000, SECOND = 1000000 };

/* A set without a thread, whose log lines can be read. */
struct world {
	struct log *log;
	struct table_set *set;
};

static inline const char *log_name(void)
{
	return path_of("log");
}

static inline int begin(void **state)
{
	static struct world world;
	const struct log_options options = { .target = log_name(), .ident = "t", .level = LOG_LEVEL_INFO };
	char *error;

	unlink(log_name());
	if (log_open(&options, &world.log, &error) != 0)
		return -1;
	world.set = table_set_new_still(world.log);
	*state = &world;
	return 0;
}

static inline int end(void **state)
{
	struct world *world = *state;

	table_set_free(world->set);
	log_close(world->log);
	return 0;
}

/* The log's lines since the last call, each without its date and the directory; joined with |. */
static inline const char *logged(struct world *world)
{
	static char out[4096], text[4096];
	FILE *f;

	log_flush(world->log);
	f = fopen(log_name(), "r");
	assert_non_null(f);
	out[0] = '\0';
	while (fgets(text, sizeof(text), f) != NULL) {
		char *line = strstr(text, "]: "), *found;

		assert_non_null(line);
		line += 3;
		line[strcspn(line, "\n")] = '\0';
		while ((found = strstr(line, directory)) != NULL)
			memmove(found, found + strlen(directory) + 1, strlen(found + strlen(directory) + 1) + 1);
		snprintf(out + strlen(out), sizeof(out) - strlen(out), "%s%s", out[0] != '\0' ? "|" : "", line);
	}
	fclose(f);
	assert_int_equal(truncate(log_name(), 0), 0);
	return out;
}

static inline void move(const char *from, const char *to)
{
	assert_int_equal(rename(path_of(from), path_of(to)), 0);
}

#define WATCH_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

#endif
