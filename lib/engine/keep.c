/* keep.c - the quarantine as a service: opened at start, kept across reloads, opened again when it can be used again */
#include "engine/keep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/services.h"
#include "message/header.h"
#include "util/clock.h"

/* One that is open, with a count of its users: a reload may replace it while a copy is being written. */
struct kept_quarantine {
	atomic_uint refs;
	struct quarantine *quarantine;
	char *path;
};

static void release(struct kept_quarantine *k)
{
	if (k == NULL || atomic_fetch_sub(&k->refs, 1) != 1)
		return;
	quarantine_close(k->quarantine);
	free(k->path);
	free(k);
}

static struct kept_quarantine *present(struct winnow_engine *engine)
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
	release(old);
}

int keep_open(struct winnow_engine *engine, const struct config *config, char **error_r)
{
	const char *path = setting_string(config_default_policy(config), &quarantine_settings[QUARANTINE_PATH]);
	struct kept_quarantine *k = present(engine);
	bool same = k != NULL && strcmp(k->path, path) == 0;
	int result;

	release(k);
	if (same)
		return 0;
	k = calloc(1, sizeof(*k));
	if (k == NULL)
		return -ENOMEM;
	result = quarantine_open(path, true, engine->log, &k->quarantine, error_r);
	if (result != 0) {
		free(k);
		replace(engine, NULL);
		return result;
	}
	atomic_init(&k->refs, 1);
	k->path = strdup(path);
	replace(engine, k);
	return 0;
}

void keep_close(struct winnow_engine *engine)
{
	replace(engine, NULL);
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

int keep_copy(struct winnow_session *ws)
{
	struct winnow_engine *engine = ws->engine;
	struct kept_quarantine *k = present(engine);
	char *error = NULL;
	int result;

	if (k == NULL) {
		struct config *config = engine_config(engine);   /* not the message's own: a reload may have named another folder */

		if (keep_open(engine, config, &error) == 0)
			k = present(engine);
		config_unref(config);
	}
	if (k == NULL) {
		result = -EIO;
	} else {
		result = copy_message(ws, k, &error);
		/* what failed is opened anew for the next copy: a folder that was moved or mended is found again */
		if (result != 0 && result != -EEXIST)
			replace(engine, NULL);
		release(k);
	}
	if (result != 0)
		winnow_log(engine, WINNOW_LOG_ERROR, "quarantine: the copy of %s could not be kept, the message is deferred: %s", ws->t.id, error != NULL ? error : strerror(-result));
	talloc_free(error);
	return result;
}
