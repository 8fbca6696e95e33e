/* table_cdb.c - "cdb:PATH": the file PATH.cdb as Postfix's postmap writes it, looked up where it lies by a reader of our own
 *
 * Not libcdb: it maps the file, and one that is cut in place then ends the process with SIGBUS. Here each number of the file is checked before it is used.
 *
 * Layout (numbers of 4 bytes, low byte first): 256 times { offset, slots } of a hash table; records { key size, data size, key, data }; the tables of slots { hash, offset of the record }.
 * A file is never changed, postmap renames a new one into place. If somebody writes into one all the same, look-ups fail until it is whole and loaded anew: half a file must not answer NO. */
#include "policy/table_private.h"

#include <string.h>

#include "policy/mapfile.h"

enum {
	TABLES = 256, HEAD = TABLES * 8, PAIR = 8,
	SLOTS_AT_ONCE = 32,
	SLOTS_MAX = 1 << 16,             /* a chain of collisions that is longer is no work of a writer of cdb files */
	KEY_LONGEST = 1024,
};

struct cdb {
	struct mapfile *file;
	uint64_t size;
	size_t records;
	uint8_t head[HEAD];
};

static uint32_t get32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t hash_of(const char *key, size_t len)
{
	uint32_t h = 5381;

	while (len-- > 0)
		h = ((h << 5) + h) ^ (unsigned char)*key++;
	return h;
}

/* Is the record at offset that of key? ANSWER_UNAVAILABLE with why set. */
static enum answer read_record(const struct cdb *cdb, uint32_t offset, const char *key, size_t len, TALLOC_CTX *mem, const char **value_r, char *why)
{
	uint8_t head[PAIR], there[KEY_LONGEST];
	uint32_t key_size, size;
	char *value;

	if (offset < HEAD || offset + (uint64_t)PAIR > cdb->size) {
		mapfile_fail(why, "is damaged: a record at byte %u", offset);
		return ANSWER_UNAVAILABLE;
	}
	if (!mapfile_read(cdb->file, head, PAIR, offset, why))
		return ANSWER_UNAVAILABLE;
	key_size = get32(head);
	size = get32(head + 4);
	if (offset + (uint64_t)PAIR + key_size + size > cdb->size || size > MAPFILE_VALUE_MAX) {
		mapfile_fail(why, "is damaged, or a value has more than %d bytes: the record at byte %u", MAPFILE_VALUE_MAX, offset);
		return ANSWER_UNAVAILABLE;
	}
	if (key_size != len)
		return ANSWER_NO;
	if (!mapfile_read(cdb->file, there, len, offset + (uint64_t)PAIR, why))
		return ANSWER_UNAVAILABLE;
	if (memcmp(there, key, len) != 0)
		return ANSWER_NO;
	value = talloc_size(mem, (size_t)size + 1);
	if (value == NULL)
		mapfile_fail(why, "no memory for what it holds");
	if (value == NULL || !mapfile_read(cdb->file, value, size, offset + (uint64_t)PAIR + len, why))
		return ANSWER_UNAVAILABLE;
	value[size] = '\0';
	*value_r = value;
	return ANSWER_YES;
}

/* Goes through the slots from the key's own on, until one is free. */
static enum answer find(const struct cdb *cdb, const char *key, size_t len, TALLOC_CTX *mem, const char **value_r, char *why)
{
	uint32_t hash = hash_of(key, len), start = get32(cdb->head + hash % TABLES * PAIR), slots = get32(cdb->head + hash % TABLES * PAIR + 4);
	uint32_t next = slots > 0 ? hash / TABLES % slots : 0, left = slots;

	if (left > SLOTS_MAX)
		left = SLOTS_MAX;
	while (left > 0) {
		uint8_t chunk[SLOTS_AT_ONCE * PAIR];
		uint32_t n = left < SLOTS_AT_ONCE ? left : SLOTS_AT_ONCE;

		if (n > slots - next)
			n = slots - next;
		if (!mapfile_read(cdb->file, chunk, (size_t)n * PAIR, start + (uint64_t)next * PAIR, why))
			return ANSWER_UNAVAILABLE;
		for (uint32_t i = 0; i < n; i++) {
			uint32_t offset = get32(chunk + i * PAIR + 4);
			enum answer answer;

			if (offset == 0)
				return ANSWER_NO;
			if (get32(chunk + i * PAIR) != hash)
				continue;
			answer = read_record(cdb, offset, key, len, mem, value_r, why);
			if (answer != ANSWER_NO)
				return answer;
		}
		left -= n;
		next = (next + n) % slots;
	}
	if (slots <= SLOTS_MAX)
		return ANSWER_NO;
	mapfile_fail(why, "is damaged: a hash table without a free slot");
	return ANSWER_UNAVAILABLE;
}

/* The tables must lie within the file. */
static bool check_head(struct cdb *cdb, char *why)
{
	uint64_t slots = 0;

	if (!mapfile_read(cdb->file, cdb->head, HEAD, 0, why))
		return mapfile_fail(why, "is no CDB file, or not whole: %llu bytes", (unsigned long long)cdb->size);
	for (unsigned i = 0; i < TABLES; i++) {
		uint32_t start = get32(cdb->head + i * PAIR), n = get32(cdb->head + i * PAIR + 4);

		if (n > 0 && (start < HEAD || start + (uint64_t)n * PAIR > cdb->size))
			return mapfile_fail(why, "is no CDB file, or damaged, or not whole: hash table %u lies behind its end", i);
		slots += n;
	}
	cdb->records = slots / 2;
	return true;
}

static void *load(TALLOC_CTX *parent, const char *argument, char **error_r)
{
	struct cdb *cdb = talloc_zero(parent, struct cdb);
	char why[MAPFILE_WHY_MAX] = "no memory";

	if (cdb != NULL && (cdb->file = mapfile_open(cdb, argument, why)) != NULL) {
		cdb->size = (uint64_t)cdb->file->opened.st_size;
		if (check_head(cdb, why))
			return cdb;
	}
	talloc_free(cdb);
	*error_r = mapfile_error(parent, argument, "cdb", ".cdb", why);
	return NULL;
}

static enum answer lookup(const void *content, const char *key, TALLOC_CTX *mem, const char **value_r)
{
	const struct cdb *cdb = content;
	char why[MAPFILE_WHY_MAX];
	size_t len = strlen(key);
	enum answer answer;

	if (len + 1 > KEY_LONGEST)
		return ANSWER_NO;
	answer = find(cdb, key, len, mem, value_r, why);
	if (answer == ANSWER_NO)
		answer = find(cdb, key, len + 1, mem, value_r, why);      /* Postfix may have put the NUL into it */
	if (!mapfile_is_unchanged(cdb->file)) {
		mapfile_fail(why, "has been written in place, and is read anew when it is whole");
		answer = ANSWER_UNAVAILABLE;
	}
	if (answer == ANSWER_UNAVAILABLE)
		*value_r = talloc_strdup(mem, why);
	return answer;
}

static size_t count(const void *content)
{
	return ((const struct cdb *)content)->records;
}

const struct table_kind table_kind_cdb = {
	.name = "cdb", .is_file = true, .suffix = ".cdb", .reading = TABLE_READ_IN_PLACE, .load = load, .lookup = lookup, .count = count,
};
