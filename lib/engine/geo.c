/* geo.c - GeoIP as a service: its files opened at start, changed by a reload */
#include "engine/geo.h"

#include <string.h>

#include "engine/services.h"
#include "net/geoip.h"
#include "util/clock.h"

enum { OLD_DAYS = 60 };                  /* MaxMind's come twice a week, and forbid to use those of more than 30 days */

static const struct setting *row_of(enum geoip_kind kind)
{
	return &geoip_settings[kind == GEOIP_COUNTRY ? GEOIP_SETTING_COUNTRY : GEOIP_SETTING_ASN];
}

static struct geoip_options options_of(const struct config *config)
{
	struct geoip_options options = { .still = false };

	for (int kind = 0; kind < GEOIP_KINDS; kind++)
		options.path[kind] = setting_string(config_default_policy(config), row_of(kind));
	return options;
}

static void note_age(const struct setting *row, const struct geoip_db *db, const char *file, int line, struct config_errors *notes)
{
	int64_t days = (clock_wall() / 1000000 - geoip_db_built(db)) / 86400;

	if (days > OLD_DAYS)
		config_error_add(notes, file, line, "geoip.%s: %s: it is %lld days old; let geoipupdate fetch it twice a week", row->name, geoip_db_about(db), (long long)days);
}

void geo_note(const struct config *config, struct config_errors *notes)
{
	for (int kind = 0; kind < GEOIP_KINDS; kind++) {
		const struct setting *row = row_of(kind);
		const char *path = setting_string(config_default_policy(config), row), *file = NULL;
		struct geoip_db *db = NULL;
		char *error = NULL;
		int line = 0;

		if (path[0] == '\0')
			continue;
		config_origin(config_default_policy(config), row, &file, &line);
		file = file != NULL ? file : "built-in default";
		if (geoip_db_open(path, kind, &db, &error) == 0)
			note_age(row, db, file, line, notes);
		else
			config_error_add(notes, file, line, "geoip.%s: %s; nothing is known of %s until it is there: fetch it anew (geoipupdate), name another file, or leave the option empty",
				row->name, error != NULL ? error : "out of memory", kind == GEOIP_COUNTRY ? "countries" : "networks");
		geoip_db_unref(db);
		talloc_free(error);
	}
}

int geo_open(struct winnow_engine *engine, const struct config *config, char **error_r)
{
	struct geoip_options options = options_of(config);

	return geoip_open(&options, engine->log, &engine->geoip, error_r);
}

void geo_change(struct winnow_engine *engine, const struct config *config)
{
	struct geoip_options options = options_of(config);

	if (engine->geoip != NULL)
		geoip_change(engine->geoip, &options);
}

void geo_close(struct winnow_engine *engine)
{
	geoip_close(engine->geoip);
	engine->geoip = NULL;
}
