/* fuzz_cdb.c - files that say they are Postfix's cdb: tables */
#include "fuzz_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_map(&table_kind_cdb, data, size);
}
