/* fuzz_lmdb.c - files that say they are Postfix's lmdb: tables */
#include "fuzz_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_map(&table_kind_lmdb, data, size);
}
