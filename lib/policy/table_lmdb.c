/* table_lmdb.c - "lmdb:PATH": the file PATH.lmdb as Postfix's postmap writes it, looked up where it lies by a reader of our own
 *
 * Why not liblmdb: it trusts the file, which it maps. A page that is damaged, or a file that is cut while mail flows, ends the process with SIGSEGV, SIGBUS or an assertion,
 * and its readers' slots belong to threads. Reading the file whole into memory, first in a child, would cost start and reload time and memory for each entry.
 * Here a look-up reads by pread the two meta pages and one page for each level of the tree; every number in them is checked before it is used.
 *
 * Layout (data version 1, pages of 4 KB as a rule, numbers as the machine has them, 64 bits):
 *   page   number 8, -, flags 2, lower 2, upper 2 | pages 4; from byte 16 on the offsets of its nodes, 2 each, sorted by key; the nodes from upper on
 *   node   low 4, flags 2, key size 2, key, data. In a leaf low is the data's size; in a branch low and flags are the child's page, and the first key counts as the least.
 *   meta   pages 0 and 1, behind the header: magic 4, version 4, address 8, map size 8, two trees of 48 (free pages, entries), last page 8, transaction 8
 *   tree   page size 4 (in that of the free pages), flags 2, depth 2, branches 8, leaves 8, overflow pages 8, entries 8, root 8
 * A writer changes no page that the newest transaction uses: it writes copies, then the older one of the two meta pages. Pages that transaction N gave up are used again
 * by N + 2 at the earliest, when N + 1 has replaced the meta page of N - 1. So what was read from a meta page's tree is of one piece if that meta page is still the same afterwards;
 * no lock is needed, and while postmap writes a new version (one transaction) the one of before answers. */
#include "policy/table_private.h"

#include <string.h>

#include "policy/mapfile.h"

enum {
	HEADER = 16, NODE_HEADER = 8,
	META = HEADER + 136,             /* bytes of a meta page that are used */
	PAGE_MIN = 256, PAGE_MAX = 32768,
	DEPTH_MAX = 32,
	KEY_LONGEST = 511,               /* of LMDB */
	TRIES = 200,                     /* a thousand short reads: a millisecond */
	IS_BRANCH = 0x01, IS_LEAF = 0x02, IS_OVERFLOW = 0x04, IS_META = 0x08, IS_SORT = IS_BRANCH | IS_LEAF | IS_OVERFLOW | IS_META | 0x20 | 0x40,
	NODE_BIG = 0x01,                 /* the data is the number of the overflow page where it lies */
};

#define NO_ROOT UINT64_MAX               /* of an empty tree */

/* What one look-up works with. */
struct view {
	struct mapfile *file;
	char why[MAPFILE_WHY_MAX];
	uint8_t meta[META];              /* the newer of the two, as it was read */
	uint64_t meta_at;
	uint32_t page_size;
	uint64_t last_page, root, entries;
	unsigned depth;
	uint8_t page[PAGE_MAX];
};

static uint16_t get16(const uint8_t *p)
{
	uint16_t n;

	memcpy(&n, p, sizeof(n));
	return n;
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t n;

	memcpy(&n, p, sizeof(n));
	return n;
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t n;

	memcpy(&n, p, sizeof(n));
	return n;
}

static bool damaged(struct view *v, uint64_t pgno, const char *what)
{
	return mapfile_fail(v->why, "is damaged: page %llu %s", (unsigned long long)pgno, what);
}

/* --- the meta pages --- */

static bool read_meta(struct view *v, uint8_t meta[META], uint64_t at)
{
	if (!mapfile_read(v->file, meta, META, at, v->why))
		return false;
	if ((get16(meta + 10) & IS_SORT) != IS_META || get32(meta + HEADER) != 0xbeefc0de)
		return mapfile_fail(v->why, at == 0 ? "is no LMDB file" : "is damaged: its second page is no meta page");
	if (get32(meta + HEADER + 4) != 1)
		return mapfile_fail(v->why, "is LMDB's data version %u, and 1 is known here", get32(meta + HEADER + 4));
	return true;
}

/* What the meta page says, checked as far as it goes. */
static bool take_meta(struct view *v)
{
	const uint8_t *tree = v->meta + HEADER + 24 + 48;
	uint16_t flags = get16(tree + 4), depth = get16(tree + 6);

	v->entries = get64(tree + 32);
	v->root = get64(tree + 40);
	v->last_page = get64(v->meta + HEADER + 120);
	v->depth = depth;
	if ((flags & 0x7fff) != 0)
		return mapfile_fail(v->why, "is no table of Postfix: its keys are sorted in another way (flags %#x)", flags);
	if (v->last_page < 1 || v->last_page >= UINT64_C(1) << 44 || (v->root != NO_ROOT && (depth < 1 || depth > DEPTH_MAX)))
		return damaged(v, v->meta_at != 0, "holds impossible numbers");
	return true;
}

/* The state of the newest transaction. */
static bool begin(struct view *v)
{
	uint8_t second[META];

	if (!read_meta(v, v->meta, 0))
		return false;
	v->meta_at = 0;
	v->page_size = get32(v->meta + HEADER + 24);
	if (v->page_size < PAGE_MIN || v->page_size > PAGE_MAX || (v->page_size & (v->page_size - 1)) != 0)
		return mapfile_fail(v->why, "is damaged or of another sort of machine: pages of %u bytes", v->page_size);
	if (!read_meta(v, second, v->page_size))
		return false;
	if (get64(second + HEADER + 128) > get64(v->meta + HEADER + 128)) {
		memcpy(v->meta, second, META);
		v->meta_at = v->page_size;
	}
	return take_meta(v);
}

/* Was all of one piece that was read since begin()? */
static bool still_valid(struct view *v)
{
	uint8_t now[META];
	char why[MAPFILE_WHY_MAX];

	return mapfile_read(v->file, now, META, v->meta_at, why) && memcmp(now, v->meta, META) == 0;
}

/* --- pages and nodes --- */

static bool read_page(struct view *v, uint64_t pgno, unsigned sort)
{
	unsigned lower, upper;

	if (pgno < 2 || pgno > v->last_page)
		return damaged(v, pgno, "does not exist, and another one points to it");
	if (!mapfile_read(v->file, v->page, v->page_size, pgno * v->page_size, v->why))
		return false;
	lower = get16(v->page + 12);
	upper = get16(v->page + 14);
	if (get64(v->page) != pgno || (get16(v->page + 10) & IS_SORT) != sort)
		return damaged(v, pgno, "is not what should be there");
	if (lower < HEADER || lower > upper || upper > v->page_size || lower % 2 != 0 || (sort == IS_BRANCH && lower == HEADER))
		return damaged(v, pgno, "holds impossible numbers");
	return true;
}

static unsigned nodes_of(const struct view *v)
{
	return (get16(v->page + 12) - HEADER) / 2u;
}

/* Node i of the page: its header and its key lie within the page. NULL with why set. */
static const uint8_t *node_at(struct view *v, unsigned i)
{
	unsigned offset = get16(v->page + HEADER + 2 * i);

	if (offset < get16(v->page + 14) || offset + NODE_HEADER > v->page_size || offset + NODE_HEADER + get16(v->page + offset + 6) > v->page_size) {
		damaged(v, get64(v->page), "holds an entry that leaves it");
		return NULL;
	}
	return v->page + offset;
}

static int compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

/* The first node from `first` on whose key is not before key; nodes_of() if there is none. *same_r: it is key. */
static bool search_page(struct view *v, unsigned first, const char *key, size_t len, unsigned *i_r, bool *same_r)
{
	unsigned low = first, high = nodes_of(v);

	*same_r = false;
	while (low < high) {
		unsigned middle = (low + high) / 2;
		const uint8_t *node = node_at(v, middle);
		int order;

		if (node == NULL)
			return false;
		order = compare(node + NODE_HEADER, get16(node + 6), (const uint8_t *)key, len);
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
			*same_r = order == 0;
		}
	}
	*i_r = low;
	return true;
}

/* Goes down to the leaf where key is or would be. *met_r: key stood on the way there, so that what is just before it may be in the leaf before. */
static bool go_down(struct view *v, const char *key, size_t len, bool *met_r)
{
	uint64_t pgno = v->root;

	*met_r = false;
	for (unsigned level = v->depth; level > 1; level--) {
		const uint8_t *node;
		unsigned i;
		bool same;

		if (!read_page(v, pgno, IS_BRANCH) || !search_page(v, 1, key, len, &i, &same))
			return false;
		node = node_at(v, same ? i : i - 1);
		if (node == NULL)
			return false;
		pgno = get32(node) | (uint64_t)get16(node + 4) << 32;
		*met_r |= same;
	}
	return read_page(v, pgno, IS_LEAF);
}

/* --- values --- */

static enum answer out_of_memory(struct view *v)
{
	mapfile_fail(v->why, "no memory for what it holds");
	return ANSWER_UNAVAILABLE;
}

/* A value of size bytes on overflow pages. */
static enum answer read_big(struct view *v, uint64_t pgno, uint32_t size, TALLOC_CTX *mem, const char **value_r)
{
	uint8_t header[HEADER];
	char *value;
	bool good;

	if (pgno < 2 || pgno > v->last_page)
		good = damaged(v, pgno, "does not exist, and a value should be there");
	else if ((good = mapfile_read(v->file, header, HEADER, pgno * v->page_size, v->why))) {
		if (get64(header) != pgno || (get16(header + 10) & IS_SORT) != IS_OVERFLOW || size > (uint64_t)get32(header + 12) * v->page_size - HEADER)
			good = damaged(v, pgno, "is not the value that should be there");
	}
	if (!good)
		return ANSWER_UNAVAILABLE;
	value = talloc_size(mem, (size_t)size + 1);
	if (value == NULL)
		return out_of_memory(v);
	if (!mapfile_read(v->file, value, size, pgno * v->page_size + HEADER, v->why))
		return ANSWER_UNAVAILABLE;
	value[size] = '\0';
	*value_r = value;
	return ANSWER_YES;
}

/* The node's value as a string: up to the NUL that Postfix puts behind it. */
static enum answer read_value(struct view *v, const uint8_t *node, TALLOC_CTX *mem, const char **value_r)
{
	const uint8_t *data = node + NODE_HEADER + get16(node + 6);
	size_t room = (size_t)(v->page + v->page_size - data);
	uint32_t size = get32(node);
	unsigned flags = get16(node + 4);

	if ((flags & ~(unsigned)NODE_BIG) != 0)
		damaged(v, get64(v->page), "holds an entry of an unknown sort");
	else if (size > MAPFILE_VALUE_MAX)
		mapfile_fail(v->why, "holds a value of %u bytes, %d are the limit", size, MAPFILE_VALUE_MAX);
	else if ((flags & NODE_BIG ? sizeof(uint64_t) : size) > room)
		damaged(v, get64(v->page), "holds an entry that leaves it");
	else if (flags & NODE_BIG)
		return read_big(v, get64(data), size, mem, value_r);
	else
		return (*value_r = talloc_strndup(mem, (const char *)data, size)) != NULL ? ANSWER_YES : out_of_memory(v);
	return ANSWER_UNAVAILABLE;
}

/* Is node i key, with or without a NUL behind it? */
static const uint8_t *is_key(struct view *v, unsigned i, const char *key, size_t len)
{
	const uint8_t *node = node_at(v, i);
	size_t n = node != NULL ? get16(node + 6) : 0;

	return node != NULL && (n == len || n == len + 1) && memcmp(node + NODE_HEADER, key, n) == 0 ? node : NULL;
}

/* Asks for key[len] with or without its NUL in one walk: nothing can be sorted between the two. */
static enum answer find(struct view *v, const char *key, size_t len, TALLOC_CTX *mem, const char **value_r)
{
	const uint8_t *node = NULL;
	bool met, same;
	unsigned i;

	if (v->root == NO_ROOT)
		return ANSWER_NO;
	if (!go_down(v, key, len + 1, &met) || !search_page(v, 0, key, len, &i, &same))
		return ANSWER_UNAVAILABLE;
	if (i < nodes_of(v))
		node = is_key(v, i, key, len);
	if (node == NULL && met) {
		if (!go_down(v, key, len, &met) || !search_page(v, 0, key, len, &i, &same))
			return ANSWER_UNAVAILABLE;
		node = i < nodes_of(v) ? is_key(v, i, key, len) : NULL;
	}
	return node != NULL ? read_value(v, node, mem, value_r) : ANSWER_NO;
}

/* --- the kind --- */

/* Asks until what was read is of one piece. why: MAPFILE_WHY_MAX bytes, set on ANSWER_UNAVAILABLE. */
static enum answer ask(struct mapfile *file, const char *key, size_t len, TALLOC_CTX *mem, const char **value_r, char *why)
{
	struct view v;

	v.file = file;
	for (int i = 0; i < TRIES; i++) {
		enum answer answer = ANSWER_UNAVAILABLE;

		if (!begin(&v)) {
			if (i == 0)
				continue;      /* a meta page may be seen half written, but hardly twice */
		} else {
			answer = find(&v, key, len, mem, value_r);
			if (!still_valid(&v))
				continue;
		}
		if (answer == ANSWER_UNAVAILABLE)
			memcpy(why, v.why, MAPFILE_WHY_MAX);
		return answer;
	}
	mapfile_fail(why, "is written faster than it can be read");
	return ANSWER_UNAVAILABLE;
}

static void *load(TALLOC_CTX *parent, const char *argument, char **error_r)
{
	char why[MAPFILE_WHY_MAX];
	struct mapfile *file = mapfile_open(parent, argument, why);
	const char *value;

	/* any question shows what every other would run into: no LMDB file, not Postfix's, no root */
	if (file == NULL || ask(file, "", 0, file, &value, why) == ANSWER_UNAVAILABLE) {
		*error_r = mapfile_error(parent, argument, "lmdb", ".lmdb", why);
		TALLOC_FREE(file);
	}
	return file;
}

static enum answer lookup(const void *content, const char *key, TALLOC_CTX *mem, const char **value_r)
{
	struct mapfile *file = (struct mapfile *)(uintptr_t)content;
	char why[MAPFILE_WHY_MAX];
	size_t len = strlen(key);
	enum answer answer;

	if (len > KEY_LONGEST)
		return ANSWER_NO;
	answer = ask(file, key, len, mem, value_r, why);
	if (answer == ANSWER_UNAVAILABLE)
		*value_r = talloc_strdup(mem, why);
	return answer;
}

static size_t count(const void *content)
{
	struct view v;

	v.file = (struct mapfile *)(uintptr_t)content;
	return begin(&v) ? v.entries : 1;     /* what cannot be read now is not empty */
}

unsigned long table_lmdb_reads(const void *content)
{
	return atomic_load(&((struct mapfile *)(uintptr_t)content)->reads);
}

const struct table_kind table_kind_lmdb = {
	.name = "lmdb", .is_file = true, .suffix = ".lmdb", .reading = TABLE_READ_LIVE, .load = load, .lookup = lookup, .count = count,
};
