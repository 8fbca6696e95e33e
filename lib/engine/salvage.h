/* salvage.h - what a configuration with errors still says of where things are */
#ifndef WINNOW_ENGINE_SALVAGE_H
#define WINNOW_ENGINE_SALVAGE_H

#include "policy/config.h"

/* Of the file at path: directory, control, hostname, and the sections quarantine, journal and evidence, as far as they are good; all else is as built in. For who asks beside a daemon that runs
 * with an older file; never to judge mail. 0: *config_r as config_load() gives it; -errno: nothing can be had. */
int salvage_config(const char *path, const struct section *const *sections, size_t n, struct table_set *tables, struct config **config_r);

#endif
