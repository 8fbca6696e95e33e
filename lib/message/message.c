/* message.c - one message while it arrives: its fields, its bytes, the lengths of its lines */
#include "message/message.h"

#include <errno.h>
#include <string.h>

#include "message/bytes.h"

enum {
	ARENA_FIRST = 4096,
	ARENA_MAX = 65536,
	FIELDS_FIRST = 32,
	PIECES_MAX = 64,
};

/* The whole of a message; what others see comes first. */
struct message_all {
	struct message m;
	struct message_limits limits;
	struct bytes bytes;
	uint64_t seed;
	int error;                       /* -errno once it is broken */
	bool closed;
	/* copies of the fields */
	char *arena;                     /* free part of the newest piece */
	size_t arena_left, arena_next;
	size_t fields_size;
	size_t header_total;             /* bytes of the fields that are kept */
	uint32_t *slots;                 /* hash over names: position + 1 of the newest field of a name; a power of two, at most half full */
	size_t n_slots, n_names;
	/* the line that the body stands in */
	uint64_t line_len;
	bool line_cr;                    /* its last byte so far is a CR */
	bool first_line_over;
	size_t first_line_len;
};

static int message_destroy(struct message_all *a)
{
	bytes_done(&a->bytes);
	return 0;
}

/* The bytes are lost; fields and counts stay. Returns error. */
static int broken(struct message_all *a, int error)
{
	a->error = error;
	bytes_drop(&a->bytes);
	return error;
}

struct message *message_new(TALLOC_CTX *parent, struct message_budget *budget, const struct message_limits *limits)
{
	struct message_all *a = talloc_zero(parent, struct message_all);

	if (a == NULL)
		return NULL;
	talloc_set_name_const(a, "struct message");
	a->limits = *limits;
	a->seed = message_budget_seed(budget);
	a->arena_next = ARENA_FIRST;
	bytes_init(&a->bytes, a, budget, limits->spool, limits->memory_max);
	talloc_set_destructor(a, message_destroy);
	return &a->m;
}

static struct iovec piece(const void *data, size_t len)
{
	return (struct iovec){ (void *)(uintptr_t)data, len };
}

/* The field as it stands in the message: folds as CRLF. */
static int append_field(struct message_all *a, const char *name, size_t name_len, const char *value, size_t value_len)
{
	struct iovec iov[PIECES_MAX];
	const char *end = value + value_len;
	int n = 0, r;

	iov[n++] = piece(name, name_len);
	iov[n++] = piece(":", 1);
	for (;;) {
		const char *lf = memchr(value, '\n', (size_t)(end - value));
		const char *stop = lf != NULL ? lf : end;

		iov[n++] = piece(value, (size_t)(stop - value) - (lf != NULL && lf > value && lf[-1] == '\r'));
		iov[n++] = piece("\r\n", 2);
		if (lf == NULL || n + 2 > PIECES_MAX) {
			r = bytes_append(&a->bytes, iov, n);
			if (r != 0 || lf == NULL)
				return r;
			n = 0;
		}
		value = lf + 1;
	}
}

/* Counts what the field adds to the message, kept or not. */
static void count_field(struct message_all *a, size_t name_len, const char *value, size_t value_len)
{
	const char *end = value + value_len;
	size_t before = name_len + 1;

	for (;;) {
		const char *lf = memchr(value, '\n', (size_t)(end - value));
		size_t line = before + (size_t)((lf != NULL ? lf : end) - value);

		if (lf != NULL && lf > value && lf[-1] == '\r')
			line--;
		if (line > a->m.line_max)
			a->m.line_max = line;
		a->m.size += line + 2;
		if (lf == NULL)
			return;
		before = 0;
		value = lf + 1;
	}
}

static char *arena_take(struct message_all *a, size_t n, int *r)
{
	char *taken;

	if (n > a->arena_left) {
		size_t size = n > a->arena_next ? n : a->arena_next;

		*r = bytes_charge(&a->bytes, size);
		if (*r != 0)
			return NULL;
		taken = talloc_size(a, size);
		if (taken == NULL) {
			bytes_discharge(&a->bytes, size);
			*r = -ENOMEM;
			return NULL;
		}
		a->arena = taken;
		a->arena_left = size;
		if (a->arena_next < ARENA_MAX)
			a->arena_next *= 2;
	}
	taken = a->arena;
	a->arena += n;
	a->arena_left -= n;
	return taken;
}

/* Letters in one case and without blanks at the end, as header_name_equal() compares. */
static uint64_t name_hash(const struct message_all *a, const char *name, size_t len)
{
	uint64_t hash = 14695981039346656037u ^ a->seed;

	while (len > 0 && (name[len - 1] == ' ' || name[len - 1] == '\t'))
		len--;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		hash = (hash ^ (c >= 'A' && c <= 'Z' ? c + 32u : c)) * 1099511628211u;
	}
	return hash ^ (hash >> 32);
}

/* The slot that holds the newest field of that name, or the empty one where it belongs. */
static uint32_t *name_slot(const struct message_all *a, const char *name, size_t len)
{
	size_t i = name_hash(a, name, len) & (a->n_slots - 1);

	while (a->slots[i] != 0 && !header_name_equal(a->m.fields[a->slots[i] - 1].name, name))
		i = (i + 1) & (a->n_slots - 1);
	return &a->slots[i];
}

static int slots_grow(struct message_all *a)
{
	uint32_t *old = a->slots;
	size_t n_old = a->n_slots, n = n_old ? n_old * 2 : 2 * FIELDS_FIRST;
	int r = bytes_charge(&a->bytes, (n - n_old) * sizeof(*old));

	if (r != 0)
		return r;
	a->slots = talloc_zero_array(a, uint32_t, n);
	if (a->slots == NULL) {
		a->slots = old;
		bytes_discharge(&a->bytes, (n - n_old) * sizeof(*old));
		return -ENOMEM;
	}
	a->n_slots = n;
	for (size_t i = 0; i < n_old; i++)
		if (old[i] != 0)
			*name_slot(a, a->m.fields[old[i] - 1].name, a->m.fields[old[i] - 1].name_len) = old[i];
	talloc_free(old);
	return 0;
}

static int fields_grow(struct message_all *a)
{
	size_t n = a->fields_size ? a->fields_size * 2 : FIELDS_FIRST;
	struct header_field *grown;
	int r = bytes_charge(&a->bytes, (n - a->fields_size) * sizeof(*grown));

	if (r != 0)
		return r;
	grown = talloc_realloc(a, a->m.fields, struct header_field, n);
	if (grown == NULL) {
		bytes_discharge(&a->bytes, (n - a->fields_size) * sizeof(*grown));
		return -ENOMEM;
	}
	a->m.fields = grown;
	a->fields_size = n;
	return 0;
}

static int keep_field(struct message_all *a, const char *name, size_t name_len, const char *value, size_t value_len)
{
	struct header_field *f;
	uint32_t *slot;
	char *copy;
	int r = 0;

	if (a->m.n_fields == a->fields_size)
		r = fields_grow(a);
	if (r == 0 && 2 * (a->n_names + 1) > a->n_slots)
		r = slots_grow(a);
	if (r != 0)
		return r;
	copy = arena_take(a, name_len + value_len + 2, &r);
	if (copy == NULL)
		return r;
	memcpy(copy, name, name_len + 1);
	memcpy(copy + name_len + 1, value, value_len + 1);
	r = append_field(a, name, name_len, value, value_len);
	if (r != 0)
		return r;
	slot = name_slot(a, name, name_len);
	f = &a->m.fields[a->m.n_fields++];
	*f = (struct header_field){ .name = copy, .value = copy + name_len + 1, .name_len = name_len, .value_len = value_len };
	f->index = *slot != 0 ? a->m.fields[*slot - 1].index + 1 : 1;
	a->n_names += *slot == 0;
	*slot = (uint32_t)a->m.n_fields;
	return 0;
}

int message_add_field(struct message *message, const char *name, const char *value)
{
	struct message_all *a = (struct message_all *)message;
	size_t name_len = strlen(name), value_len = strlen(value), total = name_len + value_len + 3;
	int r;

	if (message->header_closed || a->closed)
		return -EINVAL;
	count_field(a, name_len, value, value_len);
	if (a->error != 0)
		return a->error;
	if (message->header_cut || message->n_fields >= UINT32_MAX - 1
	    || (a->limits.fields_max != 0 && message->n_fields >= a->limits.fields_max)
	    || (a->limits.header_total_max != 0 && total > a->limits.header_total_max - a->header_total)) {
		message->header_cut = true;
		return 0;
	}
	r = keep_field(a, name, name_len, value, value_len);
	if (r != 0)
		return broken(a, r);
	a->header_total += total;
	return 0;
}

int message_close_header(struct message *message)
{
	struct message_all *a = (struct message_all *)message;
	struct iovec iov = piece("\r\n", 2);
	int r;

	if (message->header_closed)
		return a->error;
	message->header_closed = true;
	message->size += 2;
	if (a->error != 0)
		return a->error;
	r = bytes_append(&a->bytes, &iov, 1);
	return r != 0 ? broken(a, r) : 0;
}

/* Copies the beginning of the body's first line, which may come in many pieces. */
static void first_line(struct message_all *a, const char *data, size_t len)
{
	char *line = a->m.first_body_line;
	const size_t room = sizeof(a->m.first_body_line) - 1 - a->first_line_len;
	const char *lf = memchr(data, '\n', len);
	size_t n = lf != NULL ? (size_t)(lf - data) : len;

	memcpy(line + a->first_line_len, data, n < room ? n : room);
	a->first_line_len += n < room ? n : room;
	/* the CR may have come with the piece before */
	if (lf != NULL && n <= room && a->first_line_len > 0 && line[a->first_line_len - 1] == '\r')
		a->first_line_len--;
	line[a->first_line_len] = '\0';
	a->first_line_over = a->m.first_body_line_known = lf != NULL || n >= room;
}

/* Measures the lines of a piece of the body; the state goes on from piece to piece. */
static void count_lines(struct message_all *a, const char *data, size_t len)
{
	const char *end = data + len, *lf;
	uint64_t line = a->line_len, max = a->m.line_max;
	bool cr = a->line_cr;

	while ((lf = memchr(data, '\n', (size_t)(end - data))) != NULL) {
		line += (uint64_t)(lf - data);
		if (lf > data)
			cr = lf[-1] == '\r';
		line -= cr;
		if (line > max)
			max = line;
		line = 0;
		cr = false;
		data = lf + 1;
	}
	if (end > data) {
		line += (uint64_t)(end - data);
		cr = end[-1] == '\r';
	}
	/* a line that has not ended counts already, but not a CR that may be half of its end */
	if (line - cr > max)
		max = line - cr;
	a->line_len = line;
	a->line_cr = cr;
	a->m.line_max = (size_t)max;
}

int message_add_body(struct message *message, const void *data, size_t len)
{
	struct message_all *a = (struct message_all *)message;
	struct iovec iov = piece(data, len);
	int r;

	if (a->closed)
		return -EINVAL;
	message_close_header(message);
	if (len == 0)
		return a->error;
	message->size += len;
	message->body_size += len;
	if (!a->first_line_over)
		first_line(a, data, len);
	count_lines(a, data, len);
	if (a->error != 0)
		return a->error;
	r = bytes_append(&a->bytes, &iov, 1);
	return r != 0 ? broken(a, r) : 0;
}

int message_close(struct message *message, size_t parts_max, size_t depth_max)
{
	struct message_all *a = (struct message_all *)message;
	const char *data;
	size_t len;
	int r;

	if (a->closed)
		return a->error;
	message_close_header(message);
	a->closed = true;
	if (a->line_len > message->line_max)
		message->line_max = (size_t)a->line_len;
	if (message->body_size > 0)
		message->first_body_line_known = true;
	r = message_bytes(message, &data, &len);
	if (r != 0)
		return r;
	message->mime = mime_parse(a, data, len, parts_max, depth_max);
	return message->mime != NULL ? 0 : broken(a, -ENOMEM);
}

int message_bytes(struct message *message, const char **data_r, size_t *len_r)
{
	struct message_all *a = (struct message_all *)message;

	*data_r = "";
	*len_r = 0;
	return a->error != 0 ? a->error : bytes_map(&a->bytes, data_r, len_r);
}

const struct header_field *message_field(const struct message *message, const char *name, size_t from)
{
	for (size_t i = from; i < message->n_fields; i++) {
		const struct header_field *f = &message->fields[i];

		/* the first letter spares most of the comparisons */
		if (((f->name[0] ^ name[0]) & ~0x20) == 0 && header_name_equal(f->name, name))
			return f;
	}
	return NULL;
}
