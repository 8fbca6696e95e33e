/* engine.c - the services, and the present configuration: reference count, reload by swap */
#include "engine/engine.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check/dmarc.h"
#include "check/skew.h"
#include "engine/geo.h"
#include "engine/history.h"
#include "engine/keep.h"
#include "engine/lists.h"
#include "engine/network.h"
#include "engine/salvage.h"
#include "engine/services.h"
#include "engine/sign_keys.h"
#include "message/mime.h"
#include "quarantine/ticket.h"
#include "util/clock.h"
#include "util/domain.h"

/* ---- texts */

static char *lines_of(const struct config_errors *errors)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (f == NULL)
		return NULL;
	for (size_t i = 0; i < errors->n; i++) {
		const struct config_error *e = &errors->v[i];

		if (e->line > 0)
			fprintf(f, "%s:%d: %s\n", e->file, e->line, e->text);
		else
			fprintf(f, "%s: %s\n", e->file, e->text);
	}
	if (errors->cut)
		fprintf(f, "... and more: mend these first\n");
	fclose(f);
	return text;
}

void winnow_free(void *text)
{
	free(text);
}

/* ---- configuration */

/* Loads, and adds what rows cannot say. 0, or -EINVAL with *errors_r a malloc'ed text. */
static int load(struct winnow_engine *engine, struct config **config_r, char **errors_r, char **notes_r)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct config_errors errors = { .mem = mem }, notes = { .mem = mem };
	int result;

	result = config_load(engine->config_path, engine->sections, engine->n_sections, engine->tables, config_r, &errors, &notes);
	if (result == 0) {
		services_validate(*config_r, &errors);
		lists_validate(*config_r, &errors);
		sign_keys_validate(*config_r, &errors);
		services_note(*config_r, &notes);
		geo_note(*config_r, &notes);
		if (errors.n > 0) {
			config_errors_sort(&errors);
			config_unref(*config_r);
			*config_r = NULL;
			result = -EINVAL;
		}
	}
	if (result != 0)
		*errors_r = lines_of(&errors);
	if (notes_r != NULL)
		*notes_r = notes.n > 0 ? lines_of(&notes) : NULL;
	talloc_free(mem);
	return result;
}

struct config *engine_config(struct winnow_engine *engine)
{
	struct config *config;

	pthread_mutex_lock(&engine->config_lock);
	config = config_ref(engine->config);
	pthread_mutex_unlock(&engine->config_lock);
	return config;
}

static struct log_options log_options_of(const struct winnow_engine *engine, const struct config *config)
{
	const struct policy *p = config_default_policy(config);

	return (struct log_options){
		.target = engine->foreground ? "stderr" : setting_string(p, &log_settings[LOG_SETTING_TARGET]),
		.facility = setting_string(p, &log_settings[LOG_SETTING_FACILITY]),
		.ident = "winnow-milter",
		.level = (enum log_level)log_level_parse(setting_string(p, &log_settings[LOG_SETTING_LEVEL])),
	};
}

static struct journal_options journal_options_of(const struct config *config)
{
	const struct policy *p = config_default_policy(config);

	return (struct journal_options){
		.path = setting_string(p, &journal_settings[JOURNAL_SETTING_PATH]),
		.keep = setting_ms(p, &journal_settings[JOURNAL_SETTING_KEEP]),
		.size_max = setting_size(p, &journal_settings[JOURNAL_SETTING_SIZE_MAX]),
	};
}

static const char *history_path(const struct config *config)
{
	return setting_string(config_default_policy(config), &dmarc_settings[DMARC_SETTING_HISTORY]);
}

/* Puts a configuration in force: what services take from it. */
static void apply(struct winnow_engine *engine, const struct config *config)
{
	const struct policy *p = config_default_policy(config);

	message_budget_set_max(engine->budget, (uint64_t)setting_size(p, &global_settings[G_MEMORY_TOTAL]));
	atomic_store(&engine->json, strcmp(setting_string(p, &log_settings[LOG_SETTING_FORMAT]), "json") == 0);
	sign_keys_load(engine->sign_keys, config);
}

/* ---- state */

static int make_folder(const char *path, char **error_r)
{
	char *parent = strdup(path), *slash;
	struct stat st;
	int result = 0;

	/* its parents are made too: var/ below a fresh clone */
	for (slash = strchr(parent + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(parent, 0755);
		*slash = '/';
	}
	free(parent);
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		result = -errno;
	if (result == 0 && stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		result = -ENOTDIR;
	if (result == 0 && access(path, W_OK | X_OK) != 0)
		result = -errno;
	if (result != 0 && asprintf(error_r, "%s: cannot be used as a folder: %s; make it writable for winnow-milter, or name another", path, strerror(-result)) < 0)
		*error_r = NULL;
	return result;
}

int winnow_engine_prepare(struct winnow_engine *engine, unsigned uid, unsigned gid, char **errors_r)
{
	const struct policy *p = config_default_policy(engine->config);
	struct journal_options journal = journal_options_of(engine->config);
	const char *paths[] = {
		setting_string(p, &global_settings[G_SPOOL]), setting_string(p, &quarantine_settings[QUARANTINE_PATH]), journal.keep > 0 ? journal.path : NULL,
	};
	int result = 0;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]) && paths[i] != NULL && result == 0; i++) {
		result = make_folder(paths[i], errors_r);
		if (result == 0 && uid != 0 && chown(paths[i], uid, gid) != 0) {
			result = -errno;
			if (asprintf(errors_r, "%s: cannot be given to the user that winnow-milter runs as: %s", paths[i], strerror(errno)) < 0)
				*errors_r = NULL;
		}
	}
	/* made here, while we are still root, for the user that we become; where that fails winnowctl says so, when something is to be released */
	if (result == 0)
		(void)ticket_key_make(setting_string(p, &quarantine_settings[QUARANTINE_TICKET_KEY]), uid, gid);
	return result;
}

static int open_journal(struct winnow_engine *engine, char **error_r)
{
	struct journal_options options = journal_options_of(engine->config);
	int result = journal_open(&options, engine->log, &engine->journal, error_r);

	if (result != 0) {
		char *text = talloc_asprintf(NULL, "journal: %s; mend it, or name another folder in journal.path, or do without: journal { keep = 0 }",
			*error_r != NULL ? *error_r : strerror(-result));

		talloc_free(*error_r);
		*error_r = text;
	}
	return result;
}

int winnow_engine_start(struct winnow_engine *engine, char **errors_r)
{
	struct log_options options = log_options_of(engine, engine->config);
	char *error = NULL;
	int result;

	result = log_open(&options, &engine->log, &error);
	if (result == 0)
		result = winnow_engine_prepare(engine, 0, 0, errors_r);
	if (result == 0)
		result = keep_open(engine, engine->config, &error);
	if (result == 0)
		result = open_journal(engine, &error);
	if (result == 0)
		result = network_open(engine, engine->config, &error);
	if (result == 0)
		result = geo_open(engine, engine->config, &error);
	if (result == 0)
		result = lists_open(engine, engine->config, &error);
	if (result == 0 && (engine->history = history_open(history_path(engine->config), engine->log)) == NULL) {
		result = -ENOMEM;
		error = talloc_strdup(NULL, "dmarc.history: its thread does not start");
	}
	if (result == 0)
		keep_begin(engine);
	if (error != NULL) {
		const char *hint = result == -EACCES ? "; if another user has made it (root, before `user` was set), give it with all that is in it to the user of winnow-milter: chown -R" : "";

		if (asprintf(errors_r, "%s%s", error, hint) < 0)
			*errors_r = NULL;
		talloc_free(error);
	}
	return result;
}

/* ---- life */

/* The configuration of a new engine, or the good part of it. 0 or -errno. */
static int load_first(struct winnow_engine *e, const struct winnow_options *options, char **errors_r, char **notes_r)
{
	int result = load(e, &e->config, errors_r, notes_r);

	return result != 0 && options->rough && e->config_path != NULL ? salvage_config(e->config_path, e->sections, e->n_sections, e->tables, &e->config) : result;
}

struct winnow_engine *winnow_engine_new(const struct winnow_options *options, char **errors_r, char **notes_r)
{
	struct winnow_engine *e = calloc(1, sizeof(*e));

	*errors_r = NULL;
	if (e == NULL)
		return NULL;
	mime_init();
	e->config_path = options->config_path != NULL ? strdup(options->config_path) : NULL;
	e->foreground = options->foreground;
	pthread_mutex_init(&e->config_lock, NULL);
	e->sections = engine_sections(NULL, &e->n_sections);
	e->tables = table_set_new(NULL);
	e->budget = message_budget_new(NULL, UINT64_MAX);
	e->skew_watch = skew_watch_new(NULL);
	e->dkim = dkim_library_new(NULL);
	e->sign_keys = sign_keys_new();
	e->suffixes = suffix_list_new(NULL);
	e->stats = stats_new();
	pthread_mutex_init(&e->reload_lock, NULL);
	if (getrandom(&e->id_salt, sizeof(e->id_salt), GRND_NONBLOCK) != (ssize_t)sizeof(e->id_salt))
		e->id_salt = (uint64_t)clock_wall() ^ ((uint64_t)getpid() << 32);
	if (e->sections == NULL || e->tables == NULL || e->budget == NULL || e->skew_watch == NULL || e->dkim == NULL || e->sign_keys == NULL || e->stats == NULL
			|| load_first(e, options, errors_r, notes_r) != 0) {
		winnow_engine_free(e);
		return NULL;
	}
	apply(e, e->config);
	return e;
}

void winnow_engine_free(struct winnow_engine *engine)
{
	if (engine == NULL)
		return;
	lists_close(engine);
	network_close(engine);
	geo_close(engine);
	keep_close(engine);
	journal_close(engine->journal);
	history_close(engine->history);
	config_unref(engine->config);
	table_set_free(engine->tables);
	log_close(engine->log);
	talloc_free(engine->sections);
	talloc_free(engine->budget);
	talloc_free(engine->skew_watch);
	talloc_free(engine->dkim);
	talloc_free(engine->suffixes);
	sign_keys_free(engine->sign_keys);
	stats_free(engine->stats);
	pthread_mutex_destroy(&engine->reload_lock);
	pthread_mutex_destroy(&engine->config_lock);
	free(engine->config_path);
	free(engine);
	/* GMime stays: once shut down it cannot be begun again in a process, and a program may make a second engine */
}

static void log_lines(struct winnow_engine *engine, const char *text)
{
	char *copy = strdup(text != NULL ? text : ""), *save = NULL;

	for (char *line = copy != NULL ? strtok_r(copy, "\n", &save) : NULL; line != NULL; line = strtok_r(NULL, "\n", &save))
		winnow_log(engine, WINNOW_LOG_ERROR, "reload: %s", line);
	free(copy);
}

/* One service did not take the new configuration: that is said, the others do. */
static void not_taken(struct winnow_engine *engine, const char *service, char *error, const char *consequence)
{
	winnow_log(engine, WINNOW_LOG_ERROR, "reload: %s: %s; %s", service, error != NULL ? error : "out of memory", consequence);
}

/* Services that run take what is new for them, before a session sees the new configuration. */
static void change_services(struct winnow_engine *engine, const struct config *fresh)
{
	struct log_options options = log_options_of(engine, fresh);
	struct journal_options journal = journal_options_of(fresh);
	char *error = NULL, *folder_error = NULL;

	if (log_change(engine->log, &options, &error) != 0)
		not_taken(engine, "log", error, "the old target stays");
	TALLOC_FREE(error);
	if (make_folder(setting_string(config_default_policy(fresh), &global_settings[G_SPOOL]), &folder_error) != 0)
		not_taken(engine, "spool", folder_error, "messages over memory_max are deferred until it can be used");
	free(folder_error);
	if (keep_open(engine, fresh, &error) != 0)
		not_taken(engine, "quarantine", error, "refusals that keep a copy are deferred until it can be used");
	TALLOC_FREE(error);
	if (engine->journal != NULL && journal_change(engine->journal, &journal, &error) != 0)
		not_taken(engine, "journal", error, "the old one stays in use");
	TALLOC_FREE(error);
	if (engine->history != NULL)
		history_change(engine->history, history_path(fresh));
	network_change(engine, fresh);
	lists_change(engine, fresh);
	geo_change(engine, fresh);
}

/* Sockets, identity and pid file are taken at the start, as root. */
static void say_what_waits(struct winnow_engine *engine, const struct config *old, const struct config *fresh)
{
	static const int rows[] = { G_LISTEN, G_LISTEN_GROUP, G_LISTEN_MODE, G_CONTROL, G_CONTROL_GROUP, G_USER, G_GROUP, G_PID_FILE };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!config_same(old, fresh, &global_settings[rows[i]]))
			winnow_log(engine, WINNOW_LOG_WARNING, "reload: `%s` has changed: it takes effect at the next start of winnow-milter", global_settings[rows[i]].name);
}

static int reload(struct winnow_engine *engine, char **errors_r)
{
	struct config *fresh, *old;

	*errors_r = NULL;
	if (load(engine, &fresh, errors_r, NULL) != 0) {
		winnow_log(engine, WINNOW_LOG_ERROR, "reload: the configuration has errors; the old one stays in force");
		log_lines(engine, *errors_r);
		return -EINVAL;
	}
	if (engine->log != NULL)                 /* it was started */
		change_services(engine, fresh);
	apply(engine, fresh);
	pthread_mutex_lock(&engine->config_lock);
	old = engine->config;
	engine->config = fresh;
	pthread_mutex_unlock(&engine->config_lock);
	keep_changed(engine);
	say_what_waits(engine, old, fresh);
	config_unref(old);
	winnow_log(engine, WINNOW_LOG_INFO, "reload: %s is in force", engine->config_path != NULL ? engine->config_path : "the built-in configuration");
	return 0;
}

int winnow_engine_reload(struct winnow_engine *engine, char **errors_r)
{
	int result;

	pthread_mutex_lock(&engine->reload_lock);
	result = reload(engine, errors_r);
	stats_reload(engine->stats, result == 0, clock_wall());
	pthread_mutex_unlock(&engine->reload_lock);
	return result;
}

/* ---- small questions */

/* The row of an option by its name in the file; of those that stand directly in a policy too. */
static const struct setting *find_row(const struct winnow_engine *engine, const char *name)
{
	const char *dot = strrchr(name, '.'), *row_name = dot != NULL ? dot + 1 : name;
	size_t section_len = dot != NULL ? (size_t)(dot - name) : 0;

	for (size_t i = 0; i < engine->n_sections; i++) {
		const struct section *section = engine->sections[i];

		if (strlen(section->name) != section_len || strncmp(section->name, name, section_len) != 0)
			continue;
		for (const struct setting *row = section->rows; row->name != NULL; row++)
			if (strcmp(row->name, row_name) == 0)
				return row;
	}
	for (const struct setting *row = policy_settings; dot == NULL && row->name != NULL; row++)
		if (strcmp(row->name, row_name) == 0)
			return row;
	return NULL;
}

char *winnow_engine_setting(struct winnow_engine *engine, const char *name)
{
	const struct setting *row = find_row(engine, name);
	struct config *config;
	char *result, *text;

	if (row == NULL)
		return NULL;
	config = engine_config(engine);
	if (row->type == SET_STRING || row->type == SET_PATH) {
		result = strdup(setting_string(config_default_policy(config), row));
	} else {
		text = config_value_text(NULL, config_default_policy(config), row);
		result = text != NULL ? strdup(text) : NULL;
		talloc_free(text);
	}
	config_unref(config);
	return result;
}

void winnow_log(struct winnow_engine *engine, enum winnow_log_level level, const char *format, ...)
{
	char line[2048];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	log_line(engine != NULL ? engine->log : NULL, (enum log_level)level, line);
}

void winnow_log_reopen(struct winnow_engine *engine)
{
	if (engine->log != NULL)
		log_reopen(engine->log);
}

unsigned winnow_sessions_open(struct winnow_engine *engine)
{
	return atomic_load(&engine->sessions);
}

unsigned winnow_transactions_open(struct winnow_engine *engine)
{
	return atomic_load(&engine->transactions);
}

char *winnow_stats(struct winnow_engine *engine, enum winnow_stats_format format)
{
	struct dnslist_state lists[DNSLIST_LISTS_MAX];
	struct stats_gauges gauges = {
		.sessions = winnow_sessions_open(engine), .transactions = winnow_transactions_open(engine), .message_bytes = message_budget_used(engine->budget),
		.log_dropped = engine->log != NULL ? log_dropped(engine->log) : 0, .lists = lists,
	};
	struct stats_network network;

	if (engine->resolver != NULL) {
		stats_network_look(&network, engine->resolver);
		gauges.network = &network;
	}
	gauges.n_lists = engine->dnslist_watch != NULL ? dnslist_watch_states(engine->dnslist_watch, lists) : 0;
	return stats_text(engine->stats, &gauges, format);
}

void engine_id(struct winnow_engine *engine, char id_r[16])
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";      /* Crockford: none that are misread on the phone */
	uint64_t ms = (uint64_t)(clock_wall() / 1000) & 0xffffffffff;
	uint64_t n = ms << 24 | (engine->id_salt & 0xfff) << 12 | (atomic_fetch_add(&engine->id_counter, 1) & 0xfff);

	for (int i = 12; i >= 0; i--, n >>= 5)
		id_r[i] = digits[n & 31];
	id_r[13] = '\0';
}
