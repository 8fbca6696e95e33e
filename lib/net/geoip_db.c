/* geoip_db.c - one database of MaxMind's format in memory of our own: country or network of an address; the one file that knows libmaxminddb
 *
 * The library maps the file it is given, and a mapped file that is cut in place kills who reads it (SIGBUS). So it never gets the operator's file, but a copy of it in an anonymous
 * file (memfd_create(2)) that nobody else has: 9 MB a country file. It also follows what stands in the file without looking how deep it goes: version 1.7.1 dies at a value of
 * 3,000,000 nested lists. So each value is measured by us before it reads it. */
#include "net/geoip_db.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <maxminddb.h>
#include <talloc.h>

enum {
	FILE_MAX = 1 << 30,
	METADATA_MAX = 128 << 10,        /* octets at the end of the file among which the library looks for the metadata */
	DEPTH_MAX = 16, VALUES_MAX = 4096,       /* of one record; those of MaxMind's city files have about 150 values, 4 deep */
	PROBE_NODES = 5000, PROBE_RECORDS = 200, /* looked at before a file is believed */
	TYPE_SHOWN = 40
};

static const char marker[] = "\xab\xcd\xefMaxMind.com";

struct geoip_db {
	atomic_uint refs;
	enum geoip_kind kind;
	MMDB_s mmdb;
	char about[TYPE_SHOWN + 32];
};

static int fail(char **error_r, int error, const char *name, const char *what)
{
	*error_r = talloc_asprintf(NULL, "%s: %s", name, what);
	return error;
}

/* ---- measuring a value */

struct section {
	const uint8_t *bytes;
	size_t size;
};

/* The control octets of a value, and where what belongs to it begins. */
struct head {
	unsigned type;
	size_t size;                     /* of a pointer: where it points to */
	size_t next;
};

static bool read_number(const struct section *s, size_t at, unsigned octets, size_t *number_r)
{
	*number_r = 0;
	if (s->size < octets || at > s->size - octets)
		return false;
	for (unsigned i = 0; i < octets; i++)
		*number_r = *number_r << 8 | s->bytes[at + i];
	return true;
}

static bool read_pointer(const struct section *s, size_t at, uint8_t control, struct head *head_r)
{
	static const size_t base[] = { 0, 2048, 526336, 0 };
	unsigned form = control >> 3 & 3;
	size_t number;

	if (!read_number(s, at, form + 1, &number))
		return false;
	head_r->size = form == 3 ? number : ((size_t)(control & 7) << 8 * (form + 1) | number) + base[form];
	head_r->next = at + form + 1;
	return true;
}

static bool read_head(const struct section *s, size_t at, struct head *head_r)
{
	static const size_t base[] = { 29, 285, 65821 };
	size_t number, more;
	uint8_t control;

	if (at >= s->size)
		return false;
	control = s->bytes[at++];
	head_r->type = control >> 5;
	if (head_r->type == MMDB_DATA_TYPE_EXTENDED) {
		if (!read_number(s, at++, 1, &number))
			return false;
		head_r->type = (unsigned)number + 7;
	}
	if (head_r->type == MMDB_DATA_TYPE_POINTER)
		return read_pointer(s, at, control, head_r);
	head_r->size = control & 31;
	if (head_r->size >= 29) {
		more = head_r->size - 28;
		if (!read_number(s, at, (unsigned)more, &number))
			return false;
		head_r->size = base[more - 1] + number;
		at += more;
	}
	head_r->next = at;
	return true;
}

/* Is the value at *at small enough to be read, what its pointers point to included? *at moves behind it. left: values that it may still have. */
static bool measure(const struct section *s, size_t *at, unsigned depth, unsigned *left)
{
	struct head head;
	size_t target;

	if (depth > DEPTH_MAX || *left == 0 || !read_head(s, *at, &head))
		return false;
	--*left;
	*at = head.next;
	switch (head.type) {
	case MMDB_DATA_TYPE_POINTER:
		target = head.size;
		return measure(s, &target, depth + 1, left);
	case MMDB_DATA_TYPE_MAP:
	case MMDB_DATA_TYPE_ARRAY:
		for (size_t n = head.type == MMDB_DATA_TYPE_MAP ? head.size * 2 : head.size; n > 0; n--)
			if (!measure(s, at, depth + 1, left))
				return false;
		return true;
	case MMDB_DATA_TYPE_BOOLEAN:
		return true;
	default:
		*at += head.size;
		return *at <= s->size;
	}
}

static bool is_small(const struct section *s, size_t at)
{
	unsigned left = VALUES_MAX;

	return measure(s, &at, 0, &left);
}

/* ---- records */

/* The value of a key, or of a key in the map of a key; of that type. */
static bool get(MMDB_entry_s *entry, const char *outer, const char *inner, uint32_t type, MMDB_entry_data_s *value_r)
{
	return MMDB_get_value(entry, value_r, outer, inner, (const char *)NULL) == MMDB_SUCCESS && value_r->has_data && value_r->type == type;
}

static bool capital(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* Where the address is used, or where its owner is registered. */
static bool read_country(MMDB_entry_s *entry, struct geoip_facts *facts)
{
	MMDB_entry_data_s v;

	if (!get(entry, "country", "iso_code", MMDB_DATA_TYPE_UTF8_STRING, &v) && !get(entry, "registered_country", "iso_code", MMDB_DATA_TYPE_UTF8_STRING, &v))
		return false;
	if (v.data_size != 2 || !capital(v.utf8_string[0]) || !capital(v.utf8_string[1]))
		return false;
	memcpy(facts->country, v.utf8_string, 2);
	facts->country[2] = '\0';
	return true;
}

static bool read_asn(MMDB_entry_s *entry, struct geoip_facts *facts)
{
	MMDB_entry_data_s v;
	size_t len;

	if (!get(entry, "autonomous_system_number", NULL, MMDB_DATA_TYPE_UINT32, &v) || v.uint32 == 0)
		return false;
	facts->asn = v.uint32;
	facts->organisation[0] = '\0';
	if (get(entry, "autonomous_system_organization", NULL, MMDB_DATA_TYPE_UTF8_STRING, &v)) {
		len = strnlen(v.utf8_string, v.data_size < GEOIP_ORGANISATION_MAX ? v.data_size : GEOIP_ORGANISATION_MAX);
		memcpy(facts->organisation, v.utf8_string, len);
		facts->organisation[len] = '\0';
	}
	return true;
}

static bool read_record(const struct geoip_db *db, MMDB_entry_s *entry, struct geoip_facts *facts)
{
	const struct section data = { db->mmdb.data_section, db->mmdb.data_section_size };

	return is_small(&data, entry->offset) && (db->kind == GEOIP_COUNTRY ? read_country(entry, facts) : read_asn(entry, facts));
}

bool geoip_db_find(const struct geoip_db *db, const struct ip *ip, struct geoip_facts *facts)
{
	union { struct sockaddr any; struct sockaddr_in four; struct sockaddr_in6 six; } address;
	MMDB_lookup_result_s found;
	int error = MMDB_SUCCESS;

	memset(&address, 0, sizeof(address));
	if (ip->family == 4) {
		address.four.sin_family = AF_INET;
		memcpy(&address.four.sin_addr, ip->addr, 4);
	} else if (ip->family == 6) {
		address.six.sin6_family = AF_INET6;
		memcpy(&address.six.sin6_addr, ip->addr, 16);
	} else {
		return false;
	}
	found = MMDB_lookup_sockaddr(&db->mmdb, &address.any, &error);
	return error == MMDB_SUCCESS && found.found_entry && read_record(db, &found.entry, facts);
}

/* ---- opening */

/* Is each member of the list at that place a string? The library forgets memory where one is not. */
static bool all_strings(const struct section *s, size_t at)
{
	struct head list, member;

	if (!read_head(s, at, &list) || (list.type == MMDB_DATA_TYPE_POINTER && !read_head(s, list.size, &list)) || list.type != MMDB_DATA_TYPE_ARRAY)
		return false;
	for (at = list.next; list.size > 0; list.size--) {
		if (!read_head(s, at, &member))
			return false;
		at = member.type == MMDB_DATA_TYPE_POINTER ? member.next : member.next + member.size;
		if (member.type == MMDB_DATA_TYPE_POINTER && !read_head(s, member.size, &member))
			return false;
		if (member.type != MMDB_DATA_TYPE_UTF8_STRING)
			return false;
	}
	return true;
}

/* The metadata: small, and a map whose languages are strings. */
static bool metadata_good(const struct section *s)
{
	static const char key[] = "languages";
	struct head map, name;
	size_t at;

	if (!is_small(s, 0) || !read_head(s, 0, &map) || map.type != MMDB_DATA_TYPE_MAP)
		return false;
	for (at = map.next; map.size > 0; map.size--) {
		unsigned left = VALUES_MAX;
		bool languages = read_head(s, at, &name) && name.type == MMDB_DATA_TYPE_UTF8_STRING && name.size == strlen(key) && memcmp(s->bytes + name.next, key, name.size) == 0;

		if (!measure(s, &at, 0, &left) || (languages && !all_strings(s, at)) || !measure(s, &at, 0, &left))
			return false;
	}
	return true;
}

/* The metadata stand behind the last marker; the library reads them as it reads records, so they are measured too. */
static bool metadata_found(const uint8_t *bytes, size_t size)
{
	size_t from = size > METADATA_MAX ? size - METADATA_MAX : 0, len = sizeof(marker) - 1;

	for (size_t at = size; at-- > from;) {
		const struct section metadata = { bytes + at + len, size - at - len };

		if (bytes[at] == (uint8_t)marker[0] && size - at >= len && memcmp(bytes + at, marker, len) == 0)
			return metadata_good(&metadata);
	}
	return false;
}

static bool write_all(int fd, const uint8_t *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, bytes, size);

		if (n < 0 && errno != EINTR)
			return false;
		bytes += n > 0 ? n : 0;
		size -= n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* Gives the library what is in the anonymous file. */
static int open_copy(int fd, const char *name, struct geoip_db *db, char **error_r)
{
	char path[40];
	int status;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	status = MMDB_open(path, MMDB_MODE_MMAP, &db->mmdb);
	if (status == MMDB_SUCCESS)
		return 0;
	/* of the copy, not of what is in it */
	if (status == MMDB_FILE_OPEN_ERROR || status == MMDB_IO_ERROR)
		return fail(error_r, -EIO, name, "its copy in memory cannot be opened: is /proc there?");
	if (status == MMDB_OUT_OF_MEMORY_ERROR)
		return -ENOMEM;
	return fail(error_r, -EBADMSG, name, MMDB_strerror(status));
}

/* A file whose first records can be read, and tell something, is what it was named for. */
static int probe(const struct geoip_db *db, const char *name, char **error_r)
{
	struct geoip_facts facts;
	unsigned records = 0;

	for (uint32_t i = 0; i < db->mmdb.metadata.node_count && i < PROBE_NODES && records < PROBE_RECORDS; i++) {
		MMDB_search_node_s node;

		if (MMDB_read_node(&db->mmdb, i, &node) != MMDB_SUCCESS)
			return fail(error_r, -EBADMSG, name, "it is damaged");
		for (int side = 0; side < 2; side++) {
			uint8_t type = side == 0 ? node.left_record_type : node.right_record_type;

			if (type != MMDB_RECORD_TYPE_DATA)
				continue;
			if (read_record(db, side == 0 ? &node.left_record_entry : &node.right_record_entry, &facts))
				return 0;
			records++;
		}
	}
	return fail(error_r, -EBADMSG, name, db->kind == GEOIP_COUNTRY ? "no record in it tells a country (country.iso_code): is it a MaxMind country file?"
		: "no record in it tells a network (autonomous_system_number): is it a MaxMind ASN file?");
}

static void describe(struct geoip_db *db)
{
	time_t built = (time_t)geoip_db_built(db);
	const char *type = db->mmdb.metadata.database_type;
	struct tm tm;
	size_t n = 0;

	for (; type != NULL && *type != '\0' && n < TYPE_SHOWN; type++)
		if (*type >= 0x20 && *type < 0x7f)
			db->about[n++] = *type;
	if (gmtime_r(&built, &tm) == NULL || strftime(db->about + n, sizeof(db->about) - n, " of %Y-%m-%d", &tm) == 0)
		db->about[n] = '\0';
}

/* What is in the anonymous file becomes a database. */
static int make(int fd, const char *name, enum geoip_kind kind, struct geoip_db **db_r, char **error_r)
{
	struct geoip_db *db = calloc(1, sizeof(*db));
	int result;

	if (db == NULL)
		return -ENOMEM;
	atomic_init(&db->refs, 1);
	db->kind = kind;
	result = open_copy(fd, name, db, error_r);
	if (result != 0) {
		free(db);
		return result;
	}
	result = probe(db, name, error_r);
	if (result != 0) {
		geoip_db_unref(db);
		return result;
	}
	describe(db);
	*db_r = db;
	return 0;
}

int geoip_db_new(const void *bytes, size_t size, const char *name, enum geoip_kind kind, struct geoip_db **db_r, char **error_r)
{
	int fd, result;

	*db_r = NULL;
	*error_r = NULL;
	if (!metadata_found(bytes, size))
		return fail(error_r, -EBADMSG, name, "it is no MaxMind database, or not the whole of one");
	fd = memfd_create("geoip", MFD_CLOEXEC);
	if (fd < 0)
		return fail(error_r, -errno, name, strerror(errno));
	result = write_all(fd, bytes, size) ? make(fd, name, kind, db_r, error_r) : fail(error_r, -errno, name, strerror(errno));
	close(fd);
	return result;
}

/* Reads a file that others may write to meanwhile: what is read counts if it is the same before and after. */
static int read_whole(int fd, uint8_t **bytes_r, size_t *size_r, const char **what_r)
{
	struct stat before, after;
	uint8_t *bytes;
	size_t size = 0;
	ssize_t n = 1;

	if (fstat(fd, &before) != 0)
		return -errno;
	*what_r = !S_ISREG(before.st_mode) ? "it is no file" : before.st_size > FILE_MAX ? "it is larger than 1 GB" : before.st_size == 0 ? "it is empty" : NULL;
	if (*what_r != NULL)
		return -EINVAL;
	bytes = malloc((size_t)before.st_size);
	if (bytes == NULL)
		return -ENOMEM;
	while (n > 0 && size < (size_t)before.st_size) {
		n = pread(fd, bytes + size, (size_t)before.st_size - size, (off_t)size);
		size += n > 0 ? (size_t)n : 0;
	}
	if (n < 0 || fstat(fd, &after) != 0) {
		free(bytes);
		return -errno;
	}
	if (size != (size_t)before.st_size || after.st_size != before.st_size || memcmp(&after.st_mtim, &before.st_mtim, sizeof(after.st_mtim)) != 0) {
		free(bytes);
		*what_r = "it is being written";
		return -EAGAIN;
	}
	*bytes_r = bytes;
	*size_r = size;
	return 0;
}

int geoip_db_open(const char *path, enum geoip_kind kind, struct geoip_db **db_r, char **error_r)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), result;
	const char *what = NULL;
	uint8_t *bytes = NULL;
	size_t size = 0;

	*db_r = NULL;
	*error_r = NULL;
	if (fd < 0)
		return fail(error_r, -errno, path, strerror(errno));
	result = read_whole(fd, &bytes, &size, &what);
	close(fd);
	if (result != 0)
		return fail(error_r, result, path, what != NULL ? what : strerror(-result));
	result = geoip_db_new(bytes, size, path, kind, db_r, error_r);
	free(bytes);
	return result;
}

/* ---- life */

struct geoip_db *geoip_db_ref(struct geoip_db *db)
{
	atomic_fetch_add(&db->refs, 1);
	return db;
}

void geoip_db_unref(struct geoip_db *db)
{
	if (db == NULL || atomic_fetch_sub(&db->refs, 1) != 1)
		return;
	MMDB_close(&db->mmdb);
	free(db);
}

const char *geoip_db_about(const struct geoip_db *db)
{
	return db->about;
}

int64_t geoip_db_built(const struct geoip_db *db)
{
	return (int64_t)db->mmdb.metadata.build_epoch;
}
