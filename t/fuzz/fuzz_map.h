/* fuzz_map.h - what the fuzz targets of databases share: the first byte is the length of a key, then come the key and the file */
#ifndef WINNOW_T_FUZZ_MAP_H
#define WINNOW_T_FUZZ_MAP_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "policy/table_private.h"

enum { FILE_MAX = 128 << 10 };

static inline void ask(const struct table_kind *kind, const void *content, const char *key)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	const char *value = NULL;
	enum answer answer = kind->lookup(content, key, mem, &value);

	/* a value is a string, and so is the reason why there is none */
	if (answer != ANSWER_NO && (value == NULL || strlen(value) > (1 << 16) || (answer == ANSWER_UNAVAILABLE && value[0] == '\0')))
		abort();
	/* nothing else wrote the file: it answers alike */
	if (kind->lookup(content, key, mem, &value) != answer)
		abort();
	talloc_free(mem);
}

static inline int fuzz_map(const struct table_kind *kind, const uint8_t *data, size_t size)
{
	static int fd = -1;
	TALLOC_CTX *mem = talloc_new(NULL);
	char path[64], key[256] = "", *error = NULL;
	void *content;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (size > 0 && data[0] < size && size <= FILE_MAX) {
		size_t skip = 1u + data[0];

		memcpy(key, data + 1, data[0]);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (ftruncate(fd, 0) != 0 || pwrite(fd, data + skip, size - skip, 0) != (ssize_t)(size - skip))
			abort();
		content = kind->load(mem, path, &error);
		if (content != NULL) {
			ask(kind, content, key);
			ask(kind, content, "key");
			ask(kind, content, "zzzz");
			kind->count(content);
			/* damaged behind our back */
			if (ftruncate(fd, (off_t)((size - skip) / 2)) != 0)
				abort();
			ask(kind, content, key);
		} else if (error == NULL || error[0] == '\0') {
			abort();   /* each refusal says why */
		}
	}
	talloc_free(mem);
	return 0;
}

#endif
