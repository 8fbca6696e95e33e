/* mime.c - the structure of a message: one pass over its lines, with a stack of the boundaries that are open
 *
 * Why not GMimeParser for the whole message: GMime 3.2.13 needs 1.4 GB and 8 s for 9 MB of empty parts, 1.5 GB and 5 s for 9 MB of tiny header fields in one part,
 * four times the size of a long preamble, and compares each line that begins with "--" with up to 1024 open boundaries; and GLib ends the process when memory is out.
 * So the lines are read here, by GMime's rules of what opens and closes a part, and GMime reads what it is good at: the values of Content-Type. */
#include "message/mime.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include <gmime/gmime.h>

enum {
	BOUNDARIES_MAX = 4,              /* different boundaries that one entity may announce */
	GMIME_TYPES_MAX = 4,             /* Content-Type fields of one entity that GMime reads, too */
	GMIME_VALUE_MAX = 8192,          /* ... if they are not longer than this */
	DEPTH_MAX = 1000,                /* whatever the caller allows (GMime: 1024); 16 bits must number the boundaries */
	TYPES_MAX = 64,                  /* Content-Type fields of one entity that are parsed at all */
};

/* An open multipart. */
struct frame {
	unsigned depth;
	bool digest, ambiguous;
	size_t first_key;
};

struct key {
	const char *text;                /* the boundary without blanks at its end */
	size_t len, frame;
	uint32_t hash;
	uint16_t next;
};

struct walk {
	const char *p, *end;             /* p: always the beginning of a line */
	struct mime *mime;
	size_t parts_max, depth_max, parts_size;
	TALLOC_CTX *mem;
	struct frame *frames;
	size_t n_frames, frames_size;
	struct key *keys;                /* of all frames, the innermost last */
	uint16_t buckets[256];           /* number of the innermost key with a hash, or 0; key.next leads outwards */
	uint32_t seed;                   /* of the hashes: nobody outside can write lines that collide */
	size_t n_keys, keys_size, key_len_max;
	bool failed;                     /* out of memory */
};

/* What the header block of one message or part says. */
struct entity {
	struct content_type type;
	unsigned n_types;
	bool multipart, digest, message;
	bool encoded, encoding_known;
	const char *boundaries[BOUNDARIES_MAX];
	size_t n_boundaries;
};

void mime_init(void)
{
	g_mime_init();
}

void mime_shutdown(void)
{
	g_mime_shutdown();
}

static uint32_t hash(const struct walk *w, const char *text, size_t len)
{
	uint32_t h = 2166136261u ^ w->seed;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)text[i]) * 16777619u;
	return h;
}

/* Numbers of keys begin with 1. */
static uint16_t *bucket(struct walk *w, uint32_t h)
{
	return &w->buckets[h >> 24];
}

/* The number of the innermost key with that text, or 0. */
static uint16_t key_find(const struct walk *w, const char *text, size_t len, bool closing)
{
	uint32_t h = hash(w, text, len);
	uint16_t i = w->buckets[h >> 24];

	for (; i != 0; i = w->keys[i - 1].next) {
		const struct key *k = &w->keys[i - 1];

		/* where several boundaries are announced, or one twice, none may close the multipart: for some readers it goes on */
		if (k->hash == h && k->len == len && memcmp(k->text, text, len) == 0 && !(closing && w->frames[k->frame].ambiguous))
			return i;
	}
	return 0;
}

/* The line without its end; *next is the line after it. */
static size_t line_len(const char *p, const char *end, const char **next)
{
	const char *lf = memchr(p, '\n', (size_t)(end - p));
	size_t len = (size_t)((lf != NULL ? lf : end) - p);

	*next = lf != NULL ? lf + 1 : end;
	return lf != NULL && len > 0 && p[len - 1] == '\r' ? len - 1 : len;
}

/* Is the line a delimiter of an open multipart (RFC 2046 section 5.1.1; blanks may follow)? The innermost that it fits wins. Its frame, or -1. */
static ssize_t delimiter(const struct walk *w, const char *line, size_t len, bool *last_r)
{
	uint16_t opens, closes = 0;

	if (w->n_keys == 0 || len < 2 || line[0] != '-' || line[1] != '-')
		return -1;
	line += 2;
	len -= 2;
	while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t' || line[len - 1] == '\r'))
		len--;
	if (len > w->key_len_max + 2)
		return -1;
	opens = key_find(w, line, len, false);
	if (len >= 2 && line[len - 2] == '-' && line[len - 1] == '-')
		closes = key_find(w, line, len - 2, true);
	*last_r = closes > opens;
	return opens == 0 && closes == 0 ? -1 : (ssize_t)w->keys[(closes > opens ? closes : opens) - 1].frame;
}

static void frames_cut(struct walk *w, size_t n)
{
	if (n >= w->n_frames)
		return;
	for (; w->n_keys > w->frames[n].first_key; w->n_keys--)
		*bucket(w, w->keys[w->n_keys - 1].hash) = w->keys[w->n_keys - 1].next;
	w->n_frames = n;
}

static void frame_push(struct walk *w, const struct entity *e, unsigned depth)
{
	if (w->n_frames == w->frames_size) {
		w->frames_size = 2 * w->frames_size + 8;
		w->frames = talloc_realloc(w->mem, w->frames, struct frame, w->frames_size);
	}
	if (w->n_keys + BOUNDARIES_MAX > w->keys_size) {
		w->keys_size = 2 * w->keys_size + 8 * BOUNDARIES_MAX;
		w->keys = talloc_realloc(w->mem, w->keys, struct key, w->keys_size);
	}
	if (w->frames == NULL || w->keys == NULL) {
		w->failed = true;
		return;
	}
	w->frames[w->n_frames] = (struct frame){ .depth = depth, .digest = e->digest, .ambiguous = e->n_boundaries > 1, .first_key = w->n_keys };
	for (size_t i = 0; i < e->n_boundaries; i++) {
		const char *text = e->boundaries[i];
		size_t len = strlen(text);
		uint32_t h = hash(w, text, len);
		uint16_t outer = key_find(w, text, len, false);

		/* marks all that share it: the innermost that was there before is marked already if others are */
		if (outer != 0)
			w->frames[w->keys[outer - 1].frame].ambiguous = w->frames[w->n_frames].ambiguous = true;
		w->keys[w->n_keys++] = (struct key){ .text = text, .len = len, .frame = w->n_frames, .hash = h, .next = *bucket(w, h) };
		*bucket(w, h) = (uint16_t)w->n_keys;
		if (len > w->key_len_max)
			w->key_len_max = len;
	}
	w->n_frames++;
}

static void boundary_add(struct walk *w, struct entity *e, const char *boundary)
{
	size_t len = strlen(boundary);

	while (len > 0 && (boundary[len - 1] == ' ' || boundary[len - 1] == '\t'))
		len--;
	for (size_t i = 0; i < e->n_boundaries; i++)
		if (strlen(e->boundaries[i]) == len && memcmp(e->boundaries[i], boundary, len) == 0)
			return;
	if (e->n_boundaries == BOUNDARIES_MAX)
		return;
	e->boundaries[e->n_boundaries] = talloc_strndup(w->mem, boundary, len);
	if (e->boundaries[e->n_boundaries] == NULL)
		w->failed = true;
	else
		e->n_boundaries++;
}

/* A value that is not well formed may announce two boundaries, and readers differ in which they take (CVE-2024-28054): each is one. */
static void boundaries_scan(struct walk *w, struct entity *e, const char *value, size_t len)
{
	const char *const end = value + len, *p = value;

	while ((size_t)(end - p) > 8 && e->n_boundaries < BOUNDARIES_MAX) {
		const char *start;
		char *text;
		bool quoted;

		if (strncasecmp(p++, "boundary", 8) != 0)
			continue;
		for (p += 7; p < end && (*p == ' ' || *p == '\t'); p++)
			;
		if (p == end || *p != '=')
			continue;
		for (p++; p < end && (*p == ' ' || *p == '\t'); p++)
			;
		quoted = p < end && *p == '"';
		for (start = p += quoted; p < end && (quoted ? *p != '"' : strchr("; \t\r\n", *p) == NULL); p++)
			;
		text = talloc_strndup(w->mem, start, (size_t)(p - start));
		if (text == NULL)
			w->failed = true;
		else
			boundary_add(w, e, text);
		talloc_free(text);
	}
}

/* Adds what one reading of one field says. */
static void reading_add(struct walk *w, struct entity *e, const char *type, const char *subtype, const char *boundary)
{
	if (type == NULL || subtype == NULL)
		return;
	if (strcasecmp(type, "multipart") == 0) {
		e->multipart = true;
		e->digest |= strcasecmp(subtype, "digest") == 0;
		if (boundary != NULL)
			boundary_add(w, e, boundary);
	} else if (strcasecmp(type, "message") == 0) {
		w->mime->partial |= strcasecmp(subtype, "partial") == 0;
		e->message |= strcasecmp(subtype, "rfc822") == 0 || strcasecmp(subtype, "rfc2822") == 0 || strcasecmp(subtype, "global") == 0
			|| strcasecmp(subtype, "news") == 0;
	}
}

static bool contains(const char *text, size_t len, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= len; i++)
		if ((text[i] | 0x20) == word[0] && strncasecmp(text + i, word, n) == 0)
			return true;
	return false;
}

/* GMime's reading of a value. Only what may be a multipart or a message is worth it. */
static void gmime_reading_add(struct walk *w, struct entity *e, const char *value, size_t len)
{
	GMimeContentType *type;
	char *text;

	if (len > GMIME_VALUE_MAX || (!contains(value, len, "multipart") && !contains(value, len, "message")))
		return;
	text = talloc_strndup(w->mem, value, len);
	if (text == NULL) {
		w->failed = true;
		return;
	}
	type = g_mime_content_type_parse(NULL, text);
	if (type != NULL) {
		reading_add(w, e, g_mime_content_type_get_media_type(type), g_mime_content_type_get_media_subtype(type),
			g_mime_content_type_get_parameter(type, "boundary"));
		g_object_unref(type);
	}
	talloc_free(text);
}

static void content_type_add(struct walk *w, struct entity *e, const char *value, size_t len)
{
	struct content_type type;
	TALLOC_CTX *tmp;

	e->n_types++;
	if (e->n_types > TYPES_MAX) {
		/* nobody honest comes here; what looks like a split message counts as one */
		w->mime->partial |= contains(value, len, "message") && contains(value, len, "partial");
		return;
	}
	tmp = e->n_types == 1 ? NULL : talloc_new(w->mem);
	content_type_parse(tmp != NULL ? tmp : w->mime, value, len, &type);
	reading_add(w, e, type.type, type.subtype, type.boundary);
	if (e->n_types == 1)
		e->type = type;
	if (e->n_types <= GMIME_TYPES_MAX)
		gmime_reading_add(w, e, value, len);
	if (type.malformed && e->multipart)
		boundaries_scan(w, e, value, len);
	talloc_free(tmp);
}

/* An encoded message/rfc822 (forbidden by RFC 2046 section 5.2.1) is a leaf, as for GMime; the first field counts. */
static void encoding_add(struct entity *e, const char *value, size_t len)
{
	static const char *const encoded[] = { "base64", "quoted-printable", "uuencode", "x-uuencode", "x-uue" };

	if (e->encoding_known)
		return;
	e->encoding_known = true;
	while (len > 0 && (*value == ' ' || *value == '\t' || *value == '\r' || *value == '\n')) {
		value++;
		len--;
	}
	for (size_t i = 0; i < sizeof(encoded) / sizeof(encoded[0]); i++) {
		size_t n = strlen(encoded[i]);

		if (len >= n && strncasecmp(value, encoded[i], n) == 0
		    && (len == n || strchr(" \t\r\n;(", value[n]) != NULL))
			e->encoded = true;
	}
}

/* The value if the field has that name (blanks may stand before its colon), else NULL. */
static const char *field_value(const char *field, const char *end, const char *name)
{
	size_t n = strlen(name);

	if ((size_t)(end - field) <= n || strncasecmp(field, name, n) != 0)
		return NULL;
	for (field += n; field < end && (*field == ' ' || *field == '\t'); field++)
		;
	return field < end && *field == ':' ? field + 1 : NULL;
}

static void field_read(struct walk *w, struct entity *e, const char *field, const char *end)
{
	const char *value;

	if (field == NULL || (*field | 0x20) != 'c')
		return;
	if ((value = field_value(field, end, "Content-Type")) != NULL)
		content_type_add(w, e, value, (size_t)(end - value));
	else if ((value = field_value(field, end, "Content-Transfer-Encoding")) != NULL)
		encoding_add(e, value, (size_t)(end - value));
}

/* Reads the header block at w->p, to its blank line or to the delimiter of a next part. Lines that are no fields are skipped, as GMime does. */
static void header_read(struct walk *w, struct entity *e)
{
	const char *field = NULL, *field_end = NULL, *next;
	bool last;

	while (w->p < w->end) {
		const char *line = w->p;
		size_t len = line_len(line, w->end, &next);

		if (len == 0) {
			w->p = next;
			break;
		}
		if (*line == '-' && delimiter(w, line, len, &last) >= 0 && !last)
			break;
		if (field == NULL || (*line != ' ' && *line != '\t')) {
			field_read(w, e, field, field_end);
			field = line;
		}
		field_end = line + len;
		w->p = next;
	}
	field_read(w, e, field, field_end);
}

/* Goes on to the line after the next delimiter. Its frame, or -1 at the end of the message. */
static ssize_t body_skip(struct walk *w, bool *last_r)
{
	if (w->n_keys == 0)
		return -1;
	while (w->p < w->end) {
		const char *line = w->p;
		size_t len = line_len(line, w->end, &w->p);
		ssize_t frame = delimiter(w, line, len, last_r);

		if (frame >= 0)
			return frame;
	}
	return -1;
}

/* Adds the part; false: it is one too many, or memory is out. */
static bool part_add(struct walk *w, const struct entity *e, unsigned depth)
{
	struct mime *mime = w->mime;

	if (mime->n_parts == w->parts_size) {
		size_t size = w->parts_size ? w->parts_size * 2 : 4;
		struct mime_part *parts = talloc_realloc(mime, mime->parts, struct mime_part, size);

		if (parts == NULL) {
			w->failed = true;
			return false;
		}
		mime->parts = parts;
		w->parts_size = size;
	}
	mime->parts[mime->n_parts++] = (struct mime_part){ .depth = depth, .type = e->type };
	mime->too_many = mime->n_parts > w->parts_max;
	return !mime->too_many;
}

/* Reads the entity at w->p and opens it. true: a message stands in it, its header block comes next. */
static bool entity_read(struct walk *w, unsigned depth, bool in_digest)
{
	struct entity e = { .type = { .type = "text", .subtype = "plain" } };
	const char *next;
	bool last;

	header_read(w, &e);
	if (e.n_types == 0 && in_digest) {
		e.type.type = "message";
		e.type.subtype = "rfc822";
		e.message = true;
	}
	if (!part_add(w, &e, depth))
		return false;
	e.message &= !e.encoded && w->p < w->end;
	if (!e.multipart && !e.message)
		return false;
	if (depth >= w->depth_max) {
		w->mime->too_deep = true;
		return false;
	}
	if (e.multipart)
		frame_push(w, &e, depth);
	/* an empty message/rfc822 has no child */
	return e.message && delimiter(w, w->p, line_len(w->p, w->end, &next), &last) < 0;
}

struct mime *mime_parse(TALLOC_CTX *parent, const char *data, size_t len, size_t parts_max, size_t depth_max)
{
	struct mime *mime = talloc_zero(parent, struct mime);
	struct walk w = { .p = data, .end = data + len, .mime = mime, .parts_max = parts_max };
	unsigned depth = 0;
	bool digest = false, last;
	ssize_t frame;

	if (mime == NULL || (w.mem = talloc_new(mime)) == NULL) {
		talloc_free(mime);
		return NULL;
	}
	w.depth_max = depth_max < DEPTH_MAX ? depth_max : DEPTH_MAX;
	w.seed = (uint32_t)((uintptr_t)mime >> 4) * 2654435761u;
	for (;;) {
		if (entity_read(&w, depth, digest)) {
			depth++;
			digest = false;
			continue;
		}
		if (w.failed || mime->too_many)
			break;
		while ((frame = body_skip(&w, &last)) >= 0 && last)
			frames_cut(&w, (size_t)frame);
		if (frame < 0)
			break;
		frames_cut(&w, (size_t)frame + 1);
		depth = w.frames[frame].depth + 1;
		digest = w.frames[frame].digest;
	}
	talloc_free(w.mem);
	if (w.failed) {
		talloc_free(mime);
		return NULL;
	}
	return mime;
}
