/* keep.c - the quarantine as a service: opened at start, kept across reloads, opened again when it can be used again */
#include "engine/keep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/keep_expire.h"
#include "engine/keep_rate.h"
#include "engine/services.h"
#include "message/header.h"
#include "util/clock.h"

/* One that is open, with a count of its users: a reload may replace it while a copy is being written. */
struct kept_quarantine {
	atomic_uint refs;
	struct quarantine *quarantine;
	char *path;
};

void keep_let_go(struct kept_quarantine *k)
{
	if (k == NULL || atomic_fetch_sub(&k->refs, 1) != 1)
		return;
	quarantine_close(k->quarantine);
	free(k->path);
	free(k);
}

struct quarantine *keep_held(const struct kept_quarantine *k)
{
	return k->quarantine;
}

const char *keep_held_path(const struct kept_quarantine *k)
{
	return k->path;
}

struct kept_quarantine *keep_hold(struct winnow_engine *engine)
{
	struct kept_quarantine *k;

	pthread_mutex_lock(&engine->config_lock);
	k = engine->quarantine;
	if (k != NULL)
		atomic_fetch_add(&k->refs, 1);
	pthread_mutex_unlock(&engine->config_lock);
	return k;
}

static void replace(struct winnow_engine *engine, struct kept_quarantine *k)
{
	struct kept_quarantine *old;

	pthread_mutex_lock(&engine->config_lock);
	old = engine->quarantine;
	engine->quarantine = k;
	pthread_mutex_unlock(&engine->config_lock);
	keep_let_go(old);
}

/* Lets the engine's own hold go, unless another thread has put another one in its place meanwhile. */
static void drop(struct winnow_engine *engine, struct kept_quarantine *k)
{
	bool present;

	pthread_mutex_lock(&engine->config_lock);
	present = engine->quarantine == k;
	if (present)
		engine->quarantine = NULL;
	pthread_mutex_unlock(&engine->config_lock);
	if (present)
		keep_let_go(k);
}

int keep_open(struct winnow_engine *engine, const struct config *config, char **error_r)
{
	const char *path = setting_string(config_default_policy(config), &quarantine_settings[QUARANTINE_PATH]);
	struct kept_quarantine *k = keep_hold(engine);
	bool same = k != NULL && strcmp(k->path, path) == 0;
	int result;

	keep_let_go(k);
	if (same)
		return 0;
	k = calloc(1, sizeof(*k));
	if (k == NULL)
		return -ENOMEM;
	k->path = strdup(path);
	result = k->path == NULL ? -ENOMEM : quarantine_open(path, true, engine->log, &k->quarantine, error_r);
	if (result != 0) {
		free(k->path);
		free(k);
		replace(engine, NULL);
		return result;
	}
	atomic_init(&k->refs, 1);
	replace(engine, k);
	return 0;
}

struct kept_quarantine *keep_hold_good(struct winnow_engine *engine, char **error_r)
{
	struct kept_quarantine *k = keep_hold(engine);
	struct config *config;

	*error_r = NULL;
	if (k != NULL && quarantine_is_at(k->quarantine, k->path))
		return k;
	if (k != NULL) {
		winnow_log(engine, WINNOW_LOG_WARNING, "quarantine: %s is not the folder any more that it was; it is opened anew", k->path);
		drop(engine, k);
		keep_let_go(k);
	}
	config = engine_config(engine);  /* not a message's own: a reload may have named another folder */
	k = keep_open(engine, config, error_r) == 0 ? keep_hold(engine) : NULL;
	config_unref(config);
	return k;
}

void keep_begin(struct winnow_engine *engine)
{
	engine->keep_rate = keep_rate_new(engine->id_salt);
	engine->keeper = keeper_start(engine);
}

void keep_changed(struct winnow_engine *engine)
{
	keeper_wake(engine->keeper);
}

void keep_close(struct winnow_engine *engine)
{
	keeper_stop(engine->keeper);
	engine->keeper = NULL;
	keep_rate_free(engine->keep_rate);
	engine->keep_rate = NULL;
	replace(engine, NULL);
}

bool keep_allowed(struct winnow_session *ws, bool take)
{
	struct keep_rate *rate = ws->engine->keep_rate;
	int64_t max = setting_int(ws->t.policy, &quarantine_settings[QUARANTINE_RATE_MAX]);

	if (rate == NULL || ws->dry != NULL || ws->s.trusted)
		return true;
	return take ? keep_rate_take(rate, &ws->s.client, clock_mono(), max) : !keep_rate_full(rate, &ws->s.client, clock_mono(), max);
}

int keep_read(struct winnow_engine *engine, TALLOC_CTX *mem, const char *id, struct quarantine_entry *entry_r, char **data_r, size_t *len_r)
{
	char *error;
	struct kept_quarantine *k = keep_hold_good(engine, &error);
	int result = -EIO;

	if (k != NULL)
		result = quarantine_show(k->quarantine, mem, id, entry_r, data_r, len_r, &error);
	talloc_free(error);
	if (k != NULL)
		keep_let_go(k);
	return result;
}

static const char *field_text(const struct txn *t, const char *name)
{
	const struct header_field *f = message_field(t->message, name, 0);

	return f != NULL ? header_decode(t->mem, f->value, f->value_len) : NULL;
}

static int copy_message(struct winnow_session *ws, struct kept_quarantine *k, char **error_r)
{
	struct txn *t = &ws->t;
	const char **recipients = talloc_zero_array(t->mem, const char *, t->n_rcpts + 1);
	char *client = talloc_array(t->mem, char, IP_TEXT_MAX);
	struct quarantine_entry entry = {
		.id = t->id, .queue_id = t->queue_id, .time = t->now, .class = class_row(ws->decided.class)->id,
		.detail = ws->decided.finding != NULL ? ws->decided.finding->detail : NULL, .policy = policy_name(t->policy), .helo = ws->s.helo,
		.sender = t->sender.text, .recipients = recipients, .subject = field_text(t, "Subject"), .message_id = field_text(t, "Message-ID"), .size = t->message->size,
	};
	const char *data;
	size_t len;
	int result;

	if (recipients == NULL || client == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < t->n_rcpts; i++)
		recipients[i] = t->rcpts[i]->address.text;
	entry.client = ip_print(&ws->s.client, client);
	result = message_bytes(t->message, &data, &len);
	return result != 0 ? result : quarantine_keep(k->quarantine, &entry, data, len, error_r);
}

/* Will the same quarantine do again? A full disk gets room again, another process its turn; what else failed is opened anew, so that a folder that was moved or mended is found. */
static bool stays_good(int result)
{
	return result == 0 || result == -EEXIST || result == -ENOSPC || result == -EDQUOT || result == -EFBIG || result == -EBUSY || result == -ENOMEM;
}

int keep_copy(struct winnow_session *ws)
{
	struct winnow_engine *engine = ws->engine;
	char *error;
	struct kept_quarantine *k = keep_hold_good(engine, &error);
	int result;

	if (k == NULL) {
		result = -EIO;
	} else {
		result = copy_message(ws, k, &error);
		if (!stays_good(result))
			drop(engine, k);
		keep_let_go(k);
	}
	if (result == 0) {
		keeper_kept(engine->keeper, ws->t.message->size);
	} else {
		if (engine->keep_rate != NULL && !ws->s.trusted)
			keep_rate_return(engine->keep_rate, &ws->s.client, clock_mono());
		winnow_log(engine, WINNOW_LOG_ERROR, "quarantine: the copy of %s could not be kept, the message is deferred: %s", ws->t.id, error != NULL ? error : strerror(-result));
	}
	talloc_free(error);
	return result;
}
