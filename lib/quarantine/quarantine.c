/* quarantine.c - copies of refused messages: a spool of files and an SQLite index of them */
#include "quarantine/quarantine_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "util/clock.h"

enum { LOCK_MS = 4000, LOCK_PAUSE_US = 2000 };

int quarantine_failed(int r, const char *what, const char *id, char **error_r)
{
	if (r != 0 && *error_r == NULL)
		*error_r = talloc_asprintf(NULL, "quarantine: %s%s%s: %s", what, id != NULL ? " " : "", id != NULL ? id : "", strerror(-r));
	return r;
}

int quarantine_unknown(const char *id, char **error_r)
{
	if (*error_r == NULL)
		*error_r = talloc_asprintf(NULL, "quarantine: no such id%s%s; winnowctl quarantine list shows those that are kept", spool_id_valid(id) ? ": " : "", spool_id_valid(id) ? id : "");
	return -ENOENT;
}

/* ---- the lock: a mutex among threads, and flock() on the folder among processes. SQLite's own covers the rows alone, not the files that belong to them. */

int quarantine_lock(struct quarantine *q, char **error_r)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_US * 1000L };
	int64_t until = clock_mono() + LOCK_MS * 1000LL;
	struct timespec at;

	clock_gettime(CLOCK_REALTIME, &at);
	at.tv_sec += LOCK_MS / 1000;
	if (pthread_mutex_timedlock(&q->write_lock, &at) == 0) {
		while (flock(q->spool.top, LOCK_EX | LOCK_NB) != 0) {
			if (errno != EWOULDBLOCK && errno != EINTR)
				return 0;                /* a file system that knows no such locks: SQLite's must do */
			if (clock_mono() >= until) {
				pthread_mutex_unlock(&q->write_lock);
				return quarantine_failed(-EBUSY, "another process writes for too long", NULL, error_r);
			}
			nanosleep(&pause, NULL);
		}
		return 0;
	}
	return quarantine_failed(-EBUSY, "too many wait to write", NULL, error_r);
}

void quarantine_unlock(struct quarantine *q)
{
	flock(q->spool.top, LOCK_UN);
	pthread_mutex_unlock(&q->write_lock);
}

/* ---- the index, opened when it is needed, and made anew when it is lost */

struct rebuild {
	struct index *index;
	size_t n;
	char *error;
};

static int rebuild_one(void *arg, const struct quarantine_entry *entry)
{
	struct rebuild *b = arg;

	b->n++;
	return index_insert(b->index, entry, &b->error);
}

/* A new index gets its table and what the spool holds in one transaction: there is none that knows only a part. */
static int rebuild(struct quarantine *q, struct index *index, char **error_r)
{
	struct rebuild b = { .index = index };
	struct spool_walk walk = { .each = rebuild_one, .arg = &b };
	int r = index_begin(index, &b.error);

	if (r == 0)
		r = index_make(index, &b.error);
	if (r == 0)
		r = spool_each(&q->spool, &walk);
	if (r == 0)
		r = index_commit(index, &b.error);
	if (r != 0) {
		index_rollback(index);
		*error_r = talloc_asprintf(NULL, "quarantine index %s: not made anew from the spool: %s", q->index_path, b.error != NULL ? b.error : strerror(-r));
	} else if (b.n > 0) {
		log_printf(q->log, LOG_LEVEL_WARNING, "quarantine index %s: rebuilt from the spool, %zu copies", q->index_path, b.n);
	}
	if (walk.unread > 0)
		log_printf(q->log, LOG_LEVEL_ERROR, "quarantine %s/spool: %u of its folders cannot be read; their copies are missing in the index", q->path, walk.unread);
	talloc_free(b.error);
	return r;
}

/* No connection of this process stays on a file that is replaced. The writer's is the last one: only it can move what SQLite's log holds into the file. */
static void close_both(struct quarantine *q)
{
	pthread_mutex_lock(&q->read_lock);
	index_close(q->reader);
	q->reader = NULL;
	pthread_mutex_unlock(&q->read_lock);
	index_close(q->writer);
	q->writer = NULL;
}

static int open_writer(struct quarantine *q, bool *made_r, char **error_r)
{
	char *aside;
	int r = index_open(q->index_path, true, &q->writer, made_r, error_r);

	if (r != INDEX_DAMAGED)
		return r;
	close_both(q);
	r = index_set_aside(q->index_path, &aside);
	log_printf(q->log, LOG_LEVEL_ERROR, "%s; set aside as %s", *error_r != NULL ? *error_r : "quarantine index damaged", aside != NULL ? aside : "?");
	talloc_free(aside);
	talloc_free(*error_r);
	*error_r = NULL;
	return r == 0 ? index_open(q->index_path, true, &q->writer, made_r, error_r) : r;
}

int quarantine_renew(struct quarantine *q, char **error_r)
{
	bool made = false;
	int r;

	talloc_free(*error_r);
	*error_r = NULL;
	close_both(q);
	r = open_writer(q, &made, error_r);
	if (r == 0 && made)
		r = rebuild(q, q->writer, error_r);
	if (r != 0) {
		index_close(q->writer);
		q->writer = NULL;
	}
	return r;
}

int quarantine_transact(struct quarantine *q, int (*work)(struct quarantine *q, void *arg, char **error_r), void *arg, char **error_r)
{
	int r = 0;

	for (int attempt = 0; attempt < 2; attempt++) {
		if (q->writer == NULL || attempt > 0 || index_gone(q->writer))
			r = quarantine_renew(q, error_r);
		if (r != 0)
			break;
		r = index_begin(q->writer, error_r);
		if (r == 0)
			r = work(q, arg, error_r);
		if (r == 0)
			r = index_commit(q->writer, error_r);
		if (r != 0)
			index_rollback(q->writer);
		if (r != INDEX_DAMAGED)
			break;
	}
	return r == INDEX_DAMAGED ? -EIO : r;
}

static int ask_reader(struct quarantine *q, int (*work)(struct index *index, void *arg, char **error_r), void *arg, char **error_r)
{
	bool made;
	int r = 0;

	pthread_mutex_lock(&q->read_lock);
	if (q->reader != NULL && index_gone(q->reader)) {
		index_close(q->reader);
		q->reader = NULL;
	}
	if (q->reader == NULL)
		r = index_open(q->index_path, false, &q->reader, &made, error_r);
	if (r == -ENOENT && q->make)
		r = INDEX_DAMAGED;       /* who may write makes it anew */
	if (r == 0)
		r = work(q->reader, arg, error_r);
	if (r != 0 && r != -ENOENT) {
		/* a new connection next time: the file may be another one then */
		index_close(q->reader);
		q->reader = NULL;
	}
	pthread_mutex_unlock(&q->read_lock);
	return r;
}

int quarantine_query(struct quarantine *q, int (*work)(struct index *index, void *arg, char **error_r), void *arg, char **error_r)
{
	int r = ask_reader(q, work, arg, error_r);

	if (r == INDEX_DAMAGED && q->make) {
		r = quarantine_lock(q, error_r);
		if (r == 0) {
			r = quarantine_renew(q, error_r);
			quarantine_unlock(q);
		}
		if (r == 0)
			r = ask_reader(q, work, arg, error_r);
	}
	return r == INDEX_DAMAGED ? -EIO : r;
}

/* ---- life */

int quarantine_open(const char *path, bool make, struct log *log, struct quarantine **quarantine_r, char **error_r)
{
	struct spool spool;
	struct quarantine *q;
	TALLOC_CTX *mem;
	char *real;
	int r;

	*quarantine_r = NULL;
	*error_r = NULL;
	r = spool_open(&spool, path, make, error_r);
	if (r != 0)
		return quarantine_failed(r, path, NULL, error_r);
	mem = talloc_new(NULL);
	q = talloc_zero(mem, struct quarantine);
	real = realpath(path, NULL);
	if (q == NULL || real == NULL) {
		free(real);
		talloc_free(mem);
		spool_close(&spool);
		return quarantine_failed(-ENOMEM, path, NULL, error_r);
	}
	q->mem = mem;
	q->log = log;
	q->make = make;
	q->spool = spool;
	q->path = talloc_strdup(q, real);
	q->index_path = talloc_asprintf(q, "%s/index.sqlite", real);
	free(real);
	pthread_mutex_init(&q->write_lock, NULL);
	pthread_mutex_init(&q->read_lock, NULL);
	if (q->path == NULL || q->index_path == NULL) {
		r = -ENOMEM;
	} else if (make) {
		r = quarantine_lock(q, error_r);
		if (r == 0) {
			r = quarantine_renew(q, error_r);
			quarantine_unlock(q);
		}
	} else {
		bool made;

		r = index_open(q->index_path, false, &q->reader, &made, error_r);
	}
	if (r != 0) {
		quarantine_close(q);
		return quarantine_failed(r, path, NULL, error_r);
	}
	*quarantine_r = q;
	return 0;
}

void quarantine_close(struct quarantine *q)
{
	if (q == NULL)
		return;
	close_both(q);
	spool_close(&q->spool);
	pthread_mutex_destroy(&q->write_lock);
	pthread_mutex_destroy(&q->read_lock);
	talloc_free(q->mem);
}

bool quarantine_is_at(const struct quarantine *q, const char *path)
{
	struct stat open, there;

	if (stat(path, &there) != 0)
		return errno != ENOENT && errno != ENOTDIR;
	return fstat(q->spool.top, &open) != 0 || (open.st_dev == there.st_dev && open.st_ino == there.st_ino);
}

/* ---- in */

struct entrance {
	const struct quarantine_entry *entry;
	struct spool_copy *copy;
};

/* Giving the files their names is part of the transaction: nobody else can take the id meanwhile, and a row never precedes its file. */
static int enter(struct quarantine *q, void *arg, char **error_r)
{
	struct entrance *in = arg;
	bool has;
	int r = index_has(q->writer, in->entry->id, &has, error_r);

	/* when the index had to be rebuilt after the files got their names, the row is there already */
	if (r == 0 && has && !in->copy->named)
		r = -EEXIST;
	if (r == 0 && !in->copy->named)
		r = spool_name(&q->spool, in->entry->id, in->copy);
	return r == 0 ? index_insert(q->writer, in->entry, error_r) : r;
}

int quarantine_keep(struct quarantine *q, const struct quarantine_entry *entry, const char *data, size_t len, char **error_r)
{
	struct spool_copy copy;
	struct entrance in = { entry, &copy };
	int r;

	*error_r = NULL;
	if (entry->id == NULL || !spool_id_valid(entry->id))
		return quarantine_failed(-EINVAL, "this id cannot name a file", NULL, error_r);
	/* the long part, the bytes and their sync, without a lock */
	r = spool_write(&q->spool, entry, data, len, &copy);
	if (r != 0)
		return quarantine_failed(r, "the copy cannot be written:", entry->id, error_r);
	r = quarantine_lock(q, error_r);
	if (r == 0) {
		/* the folder was moved while we wrote: the row would go to another place than the file */
		r = quarantine_is_at(q, q->path) ? quarantine_transact(q, enter, &in, error_r) : -ESTALE;
		if (r != 0 && copy.named)
			(void)spool_remove(&q->spool, entry->id);
		quarantine_unlock(q);
	}
	spool_discard(&q->spool, &copy);
	return quarantine_failed(r, "the copy cannot be kept:", entry->id, error_r);
}

struct marking {
	const char *id;
	enum quarantine_mark mark;
	int64_t time;
};

static int mark(struct quarantine *q, void *arg, char **error_r)
{
	const struct marking *m = arg;
	bool had = false;
	int r = index_mark(q->writer, m->id, m->mark, m->time, &had, error_r);

	return r == 0 && !had ? -ENOENT : r;
}

int quarantine_mark(struct quarantine *q, const char *id, enum quarantine_mark which, int64_t time, char **error_r)
{
	struct marking m = { id, which, time };
	int r;

	*error_r = NULL;
	r = quarantine_lock(q, error_r);
	if (r == 0) {
		r = quarantine_transact(q, mark, &m, error_r);
		quarantine_unlock(q);
	}
	return r == -ENOENT ? quarantine_unknown(id, error_r) : quarantine_failed(r, "the index cannot be written:", id, error_r);
}

/* ---- questions */

struct query {
	TALLOC_CTX *mem;
	const char *id;
	const struct quarantine_filter *filter;
	struct quarantine_entry *entry, **entries;
	size_t *n;
};

static int ask_list(struct index *index, void *arg, char **error_r)
{
	const struct query *what = arg;

	return index_list(index, what->mem, what->filter, what->entries, what->n, error_r);
}

static int ask_entry(struct index *index, void *arg, char **error_r)
{
	const struct query *what = arg;

	return index_get(index, what->mem, what->id, what->entry, error_r);
}

int quarantine_list(struct quarantine *q, TALLOC_CTX *mem, const struct quarantine_filter *filter, struct quarantine_entry **entries_r, size_t *n_r, char **error_r)
{
	struct query what = { .mem = mem, .filter = filter, .entries = entries_r, .n = n_r };

	*error_r = NULL;
	*entries_r = NULL;
	*n_r = 0;
	return quarantine_failed(quarantine_query(q, ask_list, &what, error_r), "no list", NULL, error_r);
}

int quarantine_show(struct quarantine *q, TALLOC_CTX *mem, const char *id, struct quarantine_entry *entry_r, char **data_r, size_t *len_r, char **error_r)
{
	struct query what = { .mem = mem, .id = id, .entry = entry_r };
	int r;

	*error_r = NULL;
	*entry_r = (struct quarantine_entry){ 0 };
	*data_r = NULL;
	*len_r = 0;
	if (!spool_id_valid(id))
		return quarantine_unknown(id, error_r);
	r = quarantine_query(q, ask_entry, &what, error_r);
	if (r != 0)
		return r == -ENOENT ? quarantine_unknown(id, error_r) : quarantine_failed(r, "no entry", id, error_r);
	r = spool_read(&q->spool, mem, id, data_r, len_r);
	return quarantine_failed(r, "the file of the copy is gone or cannot be read:", id, error_r);
}
