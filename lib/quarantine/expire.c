/* expire.c - copies leave the quarantine: by hand, by age, by size; and what a fault left is mended */
#include "quarantine/quarantine_private.h"

#include <errno.h>
#include <string.h>
#include <time.h>

enum { BATCH = 32, LOOK = 200, PAUSE_US = 2000 };

static bool stopped(const struct quarantine_limits *limits)
{
	return limits->stop != NULL && limits->stop(limits->arg);
}

/* ---- by hand */

struct removal {
	const char *id;
	bool had;
	uint64_t size;
};

static int remove_row(struct quarantine *q, void *arg, char **error_r)
{
	struct removal *out = arg;

	return index_delete(q->writer, out->id, &out->had, &out->size, error_r);
}

int quarantine_delete(struct quarantine *q, const char *id, char **error_r)
{
	struct removal out = { .id = id };
	bool file;
	int r;

	*error_r = NULL;
	if (!spool_id_valid(id))
		return quarantine_unknown(id, error_r);
	r = quarantine_lock(q, error_r);
	if (r != 0)
		return r;
	file = spool_has(&q->spool, id);
	r = quarantine_transact(q, remove_row, &out, error_r);
	if (r != 0) {
		(void)quarantine_failed(r, "not deleted:", id, error_r);
	} else if (!out.had && !file) {
		r = quarantine_unknown(id, error_r);
	} else {
		r = quarantine_failed(spool_remove(&q->spool, id), "the files cannot be removed:", id, error_r);
	}
	quarantine_unlock(q);
	return r;
}

/* ---- by age and size */

struct batch {
	const struct quarantine_limits *limits;
	struct quarantine_expired *result;
	TALLOC_CTX *mem;
	char **ids;
	size_t n, deleted;
	uint64_t bytes;                  /* of the deleted ones */
	bool summed;                     /* result->copies and bytes are known */
};

/* Deletes the rows of some copies that are too old, or else of the oldest while there is too much. */
static int remove_rows(struct quarantine *q, void *arg, char **error_r)
{
	struct batch *b = arg;
	struct quarantine_expired *x = b->result;
	int64_t newest;
	bool aged;
	int r = index_oldest(q->writer, b->mem, b->limits->before, BATCH, &b->ids, &b->n, error_r);

	b->deleted = 0;
	b->bytes = 0;
	aged = r == 0 && b->n > 0;
	if (r == 0 && !aged && !b->summed)
		r = index_sums(q->writer, &x->copies, &x->bytes, &newest, error_r);
	if (r == 0 && !aged && x->bytes > b->limits->size_max)
		r = index_oldest(q->writer, b->mem, INT64_MAX, BATCH, &b->ids, &b->n, error_r);
	while (r == 0 && b->deleted < b->n && (aged || x->bytes - b->bytes > b->limits->size_max)) {
		uint64_t size;
		bool had;

		r = index_delete(q->writer, b->ids[b->deleted], &had, &size, error_r);
		b->bytes += size;
		b->deleted++;
	}
	b->summed = r == 0 && !aged;
	return r;
}

static int expire_batch(struct quarantine *q, struct batch *b, char **error_r)
{
	int r = quarantine_lock(q, error_r);

	if (r != 0)
		return r;
	r = quarantine_transact(q, remove_rows, b, error_r);
	for (size_t i = 0; r == 0 && i < b->deleted; i++) {
		int gone = spool_id_valid(b->ids[i]) ? spool_remove(&q->spool, b->ids[i]) : 0;

		if (gone != 0)
			log_printf(q->log, LOG_LEVEL_WARNING, "quarantine %s: the files of %s cannot be removed: %s", q->path, b->ids[i], strerror(-gone));
	}
	quarantine_unlock(q);
	if (r == 0) {
		b->result->deleted += b->deleted;
		b->result->deleted_bytes += b->bytes;
		b->result->copies -= b->summed ? b->deleted : 0;
		b->result->bytes -= b->summed ? b->bytes : 0;
	}
	return r;
}

int quarantine_expire(struct quarantine *q, const struct quarantine_limits *limits, struct quarantine_expired *result_r, char **error_r)
{
	const struct timespec pause = { .tv_nsec = PAUSE_US * 1000L };
	struct batch b = { .limits = limits, .result = result_r, .deleted = 1 };
	int r = 0;

	*error_r = NULL;
	*result_r = (struct quarantine_expired){ 0 };
	while (r == 0 && b.deleted > 0 && !stopped(limits)) {
		b.mem = talloc_new(NULL);
		r = expire_batch(q, &b, error_r);
		talloc_free(b.mem);
		nanosleep(&pause, NULL);
	}
	return quarantine_failed(r, "old copies cannot be removed", NULL, error_r);
}

static int ask_sums(struct index *index, void *arg, char **error_r)
{
	void **out = arg;

	return index_sums(index, out[0], out[1], out[2], error_r);
}

int quarantine_sums(struct quarantine *q, uint64_t *copies_r, uint64_t *bytes_r, int64_t *newest_r, char **error_r)
{
	void *out[] = { copies_r, bytes_r, newest_r };

	*error_r = NULL;
	*copies_r = *bytes_r = 0;
	*newest_r = 0;
	return quarantine_failed(quarantine_query(q, ask_sums, out, error_r), "no sums", NULL, error_r);
}

/* ---- mending */

struct mending {
	struct quarantine *q;
	const struct quarantine_limits *limits;
	const char *id;                  /* of the present step */
	const struct quarantine_entry *entry;
	bool has;
	unsigned long seen, adopted, dropped, strays;
	char **error_r;
};

/* Something is wrong with the copy: is it still, now that nobody else writes? Then work() makes it right. */
static int mend_one(struct mending *m, int (*work)(struct quarantine *q, void *arg, char **error_r))
{
	int r = quarantine_lock(m->q, m->error_r);

	if (r != 0)
		return r;
	r = quarantine_transact(m->q, work, m, m->error_r);
	quarantine_unlock(m->q);
	return r;
}

static int adopt(struct quarantine *q, void *arg, char **error_r)
{
	struct mending *m = arg;
	bool has;
	int r = index_has(q->writer, m->entry->id, &has, error_r);

	if (r != 0 || has || !spool_has(&q->spool, m->entry->id))
		return r;
	m->adopted++;
	return index_insert(q->writer, m->entry, error_r);
}

static int ask_has(struct index *index, void *arg, char **error_r)
{
	struct mending *m = arg;

	return index_has(index, m->id, &m->has, error_r);
}

/* A copy whose row is missing: an index that was put back from an old backup, or a process that was killed between naming the file and committing the row. */
static int lacks_row(void *arg, const char *id)
{
	const struct timespec pause = { .tv_nsec = PAUSE_US * 1000L };
	struct mending *m = arg;
	int r;

	if (stopped(m->limits))
		return -ECANCELED;
	if (++m->seen % LOOK == 0)
		nanosleep(&pause, NULL);
	m->id = id;
	r = quarantine_query(m->q, ask_has, m, m->error_r);
	return r == 0 ? !m->has : r;
}

static int see_copy(void *arg, const struct quarantine_entry *entry)
{
	struct mending *m = arg;

	m->entry = entry;
	return mend_one(m, adopt);
}

static int drop(struct quarantine *q, void *arg, char **error_r)
{
	struct mending *m = arg;
	uint64_t size;
	bool had;
	int r;

	if (spool_id_valid(m->id) && spool_has(&q->spool, m->id))
		return 0;
	r = index_delete(q->writer, m->id, &had, &size, error_r);
	m->dropped += r == 0 && had;
	return r;
}

static int sweep(struct quarantine *q, void *arg, char **error_r)
{
	struct mending *m = arg;
	bool has;
	int r = index_has(q->writer, m->id, &has, error_r);

	if (r != 0 || has || spool_has(&q->spool, m->id))
		return r;
	m->strays++;
	return spool_remove(&q->spool, m->id);
}

static int see_stray(void *arg, const struct quarantine_entry *entry)
{
	struct mending *m = arg;

	m->id = entry->id;
	return mend_one(m, sweep);
}

struct rows {
	TALLOC_CTX *mem;
	int64_t seq;
	char **ids;
	size_t n;
};

static int ask_rows(struct index *index, void *arg, char **error_r)
{
	struct rows *rows = arg;

	return index_ids(index, rows->mem, &rows->seq, LOOK, &rows->ids, &rows->n, error_r);
}

static int see_rows(struct mending *m)
{
	struct rows rows = { .seq = INT64_MIN, .n = 1 };
	int r = 0;

	while (r == 0 && rows.n > 0 && !stopped(m->limits)) {
		rows.mem = talloc_new(NULL);
		r = quarantine_query(m->q, ask_rows, &rows, m->error_r);
		for (size_t i = 0; r == 0 && i < rows.n; i++) {
			m->id = rows.ids[i];
			if (!spool_id_valid(m->id) || !spool_has(&m->q->spool, m->id))
				r = mend_one(m, drop);
		}
		talloc_free(rows.mem);
	}
	return r;
}

/* The whole file is read on a connection of its own: nobody waits for it. */
static int check_index(struct quarantine *q, char **error_r)
{
	struct index *index;
	bool made;
	int r = index_open(q->index_path, false, &index, &made, error_r);

	if (r == 0) {
		r = index_check(index, error_r);
		index_close(index);
	}
	if (r != INDEX_DAMAGED && r != -ENOENT)
		return r;
	r = quarantine_lock(q, error_r);
	if (r != 0)
		return r;
	r = quarantine_renew(q, error_r);
	quarantine_unlock(q);
	return r;
}

int quarantine_mend(struct quarantine *q, const struct quarantine_limits *limits, char **error_r)
{
	struct mending m = { .q = q, .limits = limits, .error_r = error_r };
	struct spool_walk copies = { .wanted = lacks_row, .each = see_copy, .arg = &m }, strays = { .each = see_stray, .arg = &m, .strays = true };
	int r;

	*error_r = NULL;
	r = check_index(q, error_r);
	if (r == 0)
		r = spool_each(&q->spool, &copies);
	if (r == 0)
		r = spool_each(&q->spool, &strays);
	if (r == 0)
		r = see_rows(&m);
	if (m.adopted > 0 || m.dropped > 0 || m.strays > 0)
		log_printf(q->log, LOG_LEVEL_WARNING, "quarantine %s: %lu copies that the index did not know are in it now, %lu rows without a file were dropped, %lu files without a copy removed",
			q->path, m.adopted, m.dropped, m.strays);
	return r == -ECANCELED ? 0 : quarantine_failed(r, "the index and the spool could not be compared", NULL, error_r);
}
