/* quarantine.c - copies of refused messages: a spool of files and an SQLite index of them */
#include "quarantine/quarantine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>

#include "quarantine/index.h"
#include "quarantine/spool.h"

struct quarantine {
	TALLOC_CTX *mem;                 /* the root; nothing is allocated below it after quarantine_open() */
	struct log *log;
	char *path, *index_path;
	bool make;
	struct spool spool;
	pthread_mutex_t write_lock, read_lock;     /* where both are held, write_lock was taken first */
	struct index *writer, *reader;   /* opened when they are first needed */
};

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

/* A new index learns what the spool holds, in one transaction. What cannot be read is missing in lists, no more. */
static void rebuild(struct quarantine *q, struct index *index)
{
	struct rebuild b = { .index = index };
	int r = index_begin(index, &b.error);

	if (r == 0)
		r = spool_each(&q->spool, rebuild_one, &b);
	if (r == 0)
		r = index_commit(index, &b.error);
	if (r != 0) {
		index_rollback(index);
		log_printf(q->log, LOG_LEVEL_ERROR, "quarantine index %s: not rebuilt from the spool: %s", q->index_path, b.error != NULL ? b.error : strerror(-r));
	} else if (b.n > 0) {
		log_printf(q->log, LOG_LEVEL_WARNING, "quarantine index %s: rebuilt from the spool, %zu copies", q->index_path, b.n);
	}
	talloc_free(b.error);
}

/* Opens the writing connection if there is none; a damaged file is set aside and begun anew. The caller holds write_lock. */
static int writer_open(struct quarantine *q, char **error_r)
{
	bool made = false;
	char *aside;
	int r;

	if (q->writer != NULL)
		return 0;
	r = index_open(q->index_path, true, &q->writer, &made, error_r);
	if (r == INDEX_DAMAGED) {
		pthread_mutex_lock(&q->read_lock);
		index_close(q->reader);
		q->reader = NULL;
		pthread_mutex_unlock(&q->read_lock);
		r = index_set_aside(q->index_path, &aside);
		log_printf(q->log, LOG_LEVEL_ERROR, "%s; set aside as %s", *error_r != NULL ? *error_r : "quarantine index damaged", aside != NULL ? aside : "?");
		talloc_free(aside);
		talloc_free(*error_r);
		*error_r = NULL;
		if (r == 0)
			r = index_open(q->index_path, true, &q->writer, &made, error_r);
	}
	if (r == 0 && made)
		rebuild(q, q->writer);
	return r;
}

/* After INDEX_DAMAGED: looks again through a new connection, since another process may have set the file aside already. */
static int writer_renew(struct quarantine *q, char **error_r)
{
	talloc_free(*error_r);
	*error_r = NULL;
	index_close(q->writer);
	q->writer = NULL;
	return writer_open(q, error_r);
}

/* The reading connection. The caller holds read_lock. */
static int reader_open(struct quarantine *q, char **error_r)
{
	bool made;

	return q->reader != NULL ? 0 : index_open(q->index_path, false, &q->reader, &made, error_r);
}

/* Every failure comes with a text. */
static int failed(int r, const char *what, const char *id, char **error_r)
{
	if (r != 0 && *error_r == NULL)
		*error_r = talloc_asprintf(NULL, "quarantine: %s%s%s: %s", what, id != NULL ? " " : "", id != NULL ? id : "", strerror(-r));
	return r;
}

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
		return failed(r, path, NULL, error_r);
	mem = talloc_new(NULL);
	q = talloc_zero(mem, struct quarantine);
	real = realpath(path, NULL);
	if (q == NULL || real == NULL) {
		free(real);
		talloc_free(mem);
		spool_close(&spool);
		return failed(-ENOMEM, path, NULL, error_r);
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
	if (q->path == NULL || q->index_path == NULL)
		r = -ENOMEM;
	else if (make)
		r = writer_open(q, error_r);
	else
		r = reader_open(q, error_r);
	if (r != 0) {
		quarantine_close(q);
		return failed(r, path, NULL, error_r);
	}
	*quarantine_r = q;
	return 0;
}

void quarantine_close(struct quarantine *q)
{
	if (q == NULL)
		return;
	index_close(q->reader);
	index_close(q->writer);
	spool_close(&q->spool);
	pthread_mutex_destroy(&q->write_lock);
	pthread_mutex_destroy(&q->read_lock);
	talloc_free(q->mem);
}

/* One transaction around giving the files their names: nobody else can take the id meanwhile, and a row never precedes its file. */
static int enter(struct quarantine *q, const struct quarantine_entry *entry, struct spool_copy *copy, char **error_r)
{
	bool has;
	int r = index_begin(q->writer, error_r);

	if (r == 0)
		r = index_has(q->writer, entry->id, &has, error_r);
	/* when the index had to be rebuilt after the files got their names, the row is there already */
	if (r == 0 && has && !copy->named)
		r = -EEXIST;
	if (r == 0 && !copy->named)
		r = spool_name(&q->spool, entry->id, copy);
	if (r == 0)
		r = index_insert(q->writer, entry, error_r);
	if (r == 0)
		r = index_commit(q->writer, error_r);
	if (r != 0)
		index_rollback(q->writer);
	return r;
}

int quarantine_keep(struct quarantine *q, const struct quarantine_entry *entry, const char *data, size_t len, char **error_r)
{
	struct spool_copy copy;
	int r;

	*error_r = NULL;
	if (entry->id == NULL || !spool_id_valid(entry->id))
		return failed(-EINVAL, "this id cannot name a file", NULL, error_r);
	/* the long part, the bytes and their sync, without a lock */
	r = spool_write(&q->spool, entry, data, len, &copy);
	if (r != 0)
		return failed(r, "the copy cannot be written:", entry->id, error_r);
	pthread_mutex_lock(&q->write_lock);
	r = writer_open(q, error_r);
	if (r == 0)
		r = enter(q, entry, &copy, error_r);
	if (r == INDEX_DAMAGED) {
		r = writer_renew(q, error_r);
		if (r == 0)
			r = enter(q, entry, &copy, error_r);
	}
	if (r != 0 && copy.named)
		spool_remove(&q->spool, entry->id);
	pthread_mutex_unlock(&q->write_lock);
	spool_discard(&q->spool, &copy);
	return failed(r, "the copy cannot be kept:", entry->id, error_r);
}

/* What list and show have in common: a reader, and for who may write a second try after damage. */
struct query {
	TALLOC_CTX *mem;
	const char *id;                  /* of show; NULL: list */
	size_t limit;
	struct quarantine_entry *entry, **entries;
	size_t *n;
};

static int query_once(struct quarantine *q, const struct query *query, char **error_r)
{
	int r;

	pthread_mutex_lock(&q->read_lock);
	r = reader_open(q, error_r);
	if (r == 0 && query->id != NULL)
		r = index_get(q->reader, query->mem, query->id, query->entry, error_r);
	else if (r == 0)
		r = index_list(q->reader, query->mem, query->limit, query->entries, query->n, error_r);
	if (r != 0 && r != -ENOENT) {
		/* a new connection next time: the file may be another one then */
		index_close(q->reader);
		q->reader = NULL;
	}
	pthread_mutex_unlock(&q->read_lock);
	return r;
}

static int query_run(struct quarantine *q, const struct query *what, char **error_r)
{
	int r = query_once(q, what, error_r);

	if (r != INDEX_DAMAGED || !q->make)
		return r == INDEX_DAMAGED ? -EIO : r;
	pthread_mutex_lock(&q->write_lock);
	r = writer_renew(q, error_r);
	pthread_mutex_unlock(&q->write_lock);
	if (r == 0)
		r = query_once(q, what, error_r);
	return r == INDEX_DAMAGED ? -EIO : r;
}

int quarantine_list(struct quarantine *q, TALLOC_CTX *mem, size_t limit, struct quarantine_entry **entries_r, size_t *n_r, char **error_r)
{
	struct query what = { .mem = mem, .limit = limit, .entries = entries_r, .n = n_r };
	int r;

	*error_r = NULL;
	*entries_r = NULL;
	*n_r = 0;
	r = query_run(q, &what, error_r);
	return failed(r, "no list", NULL, error_r);
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
		return failed(-ENOENT, "no such id", NULL, error_r);
	r = query_run(q, &what, error_r);
	if (r != 0)
		return failed(r, r == -ENOENT ? "no such id:" : "no entry", id, error_r);
	r = spool_read(&q->spool, mem, id, data_r, len_r);
	return failed(r, "the file of the copy is gone or cannot be read:", id, error_r);
}
