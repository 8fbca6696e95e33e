/* geo.h - GeoIP as a service: its files opened at start, changed by a reload */
#ifndef WINNOW_ENGINE_GEO_H
#define WINNOW_ENGINE_GEO_H

#include "engine/engine.h"

/* Can the files that the configuration names be used? A note where one cannot, or is old: mail does not wait for a download that failed. */
void geo_note(const struct config *config, struct config_errors *notes);

/* From here on sessions have country and network. 0 or -errno with *error_r (talloc child of NULL). */
int geo_open(struct winnow_engine *engine, const struct config *config, char **error_r);

/* A reload: changed files are read, others too if their option has changed. */
void geo_change(struct winnow_engine *engine, const struct config *config);

/* No session is left. */
void geo_close(struct winnow_engine *engine);

#endif
