/* table_watch.c - a table's file: loaded when a whole new version is there, kept in force when it is bad or gone */
#include "policy/table_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { QUIET_US = 1000000, MESSAGE_MAX = 1024 };

/* An editor that makes a new file of the old name, instead of renaming one into place, shows it empty or cut within a line for a moment. */
static bool looks_whole(const char *path, off_t size)
{
	int fd = size > 0 ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;
	char last = '\0';

	if (fd < 0)
		return false;
	if (pread(fd, &last, 1, size - 1) != 1)
		last = '\0';
	close(fd);
	return last == '\n';
}

/* Are they different versions of the table's file? What is written into one that is read live makes no new version, unless it was not good before. */
static bool differ(const struct table *table, const struct signature *a, const struct signature *b)
{
	return table->kind->reading == TABLE_READ_LIVE && !table->watch.bad ? !signature_same_file(a, b) : !signature_same(a, b);
}

/* "WHAT; what is in force now". */
static void report_kept(struct table *table, struct log *log, enum log_level level, const char *what)
{
	bool known;
	size_t n = table_count(table, &known);

	if (known && table->kind->reading != TABLE_READ_WHOLE)
		log_printf(log, level, "%s; what was opened before stays open", what);
	else if (known)
		log_printf(log, level, "%s; the %zu entries of before stay in force", what, n);
	else
		log_printf(log, level, "%s; the table stays empty", what);
}

int table_watch_begin(struct table *table, bool optional, char **error_r)
{
	struct watch *watch = &table->watch;
	struct content *content;
	bool known;
	int ret = 0;

	pthread_mutex_lock(&watch->lock);
	table_count(table, &known);
	if (!known) {
		/* taken before the load: what is written while it is read counts as a change */
		watch->seen = signature_of(table->path);
		watch->missing = signature_none(&watch->seen);
		if (!(watch->missing && optional && (errno == ENOENT || errno == ENOTDIR))) {
			content = table_load(table, error_r);
			if (content != NULL)
				table_swap(table, content);
			else
				ret = -1;
		}
	}
	pthread_mutex_unlock(&watch->lock);
	return ret;
}

static void report_read(struct table *table, struct log *log)
{
	bool known;

	if (table->kind->count != NULL)
		log_printf(log, LOG_LEVEL_INFO, "%s: read anew, %zu entries", table->path, table_count(table, &known));
	else
		log_printf(log, LOG_LEVEL_INFO, "%s: opened anew", table->path);
}

/* Called when the file at the path is not the one that was seen last, and ready. patient: it may not be whole yet, so that a bad one is no news. */
static void load_changed(struct table *table, struct log *log, const struct signature *now_there, int64_t now, bool patient)
{
	struct watch *watch = &table->watch;
	char *error = NULL;
	struct content *content = table_load(table, &error);
	struct signature after = signature_of(table->path);

	if (differ(table, now_there, &after)) {
		/* it was written or replaced while we read: whatever we got, the next look decides */
		watch->pending = after;
		watch->pending_since = now;
		if (content != NULL)
			talloc_free(content);
	} else if (content != NULL) {
		watch->seen = *now_there;
		watch->bad = false;
		table_swap(table, content);
		report_read(table, log);
	} else if (!patient) {
		watch->seen = *now_there;
		watch->bad = true;
		report_kept(table, log, LOG_LEVEL_ERROR, error != NULL ? error : table->path);
	}
	talloc_free(error);
}

static void note_missing(struct table *table, struct log *log, int error)
{
	struct watch *watch = &table->watch;
	char what[MESSAGE_MAX];

	if (watch->missing)
		return;
	watch->missing = true;
	watch->seen = watch->pending = (struct signature){ 0 };
	snprintf(what, sizeof(what), "%.900s: cannot be read any more: %s", table->path, strerror(error));
	report_kept(table, log, LOG_LEVEL_WARNING, what);
}

/* May a new file of that name be tried before its quiet second? What is read in place tells at loading whether it is whole. */
static bool may_be_ready(const struct table *table, const struct signature *there)
{
	return !signature_same_file(there, &table->watch.seen) && (table->kind->reading != TABLE_READ_WHOLE || looks_whole(table->path, there->size));
}

void table_watch_look(struct table *table, struct log *log, int64_t now)
{
	struct watch *watch = &table->watch;
	struct signature there;
	bool quiet;

	pthread_mutex_lock(&watch->lock);
	there = signature_of(table->path);
	if (signature_none(&there)) {
		note_missing(table, log, errno);
	} else if (differ(table, &there, &watch->seen)) {
		watch->missing = false;
		if (!signature_same(&there, &watch->pending)) {
			watch->pending = there;
			watch->pending_since = now;
		}
		quiet = now - watch->pending_since >= QUIET_US;
		if (quiet || may_be_ready(table, &there))
			load_changed(table, log, &there, now, !quiet && table->kind->reading != TABLE_READ_WHOLE);
	}
	pthread_mutex_unlock(&watch->lock);
}
