/* guard.c - what libmilter takes on trust from whoever connects to it, made safe before it looks */
#include "milter.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/time.h>

typedef char *read_packet(int sd, struct timeval *timeout, char *command, size_t *len_r, char *name);

/* libmilter reads a packet by this function, and its call binds to ours, as that of sigwait() does in signals.c. Weak: where libmilter is linked
 * statically, its own stays. */
__attribute__((visibility("default"), weak)) read_packet mi_rd_cmd;

/* smfi_getsymval() steps through a list of macros by twos until a NULL: behind a name without a value it reads past the list and follows what it
 * finds there (8.12 to 8.18). Such a list loses its last name. */
static size_t even_macros(const char *data, size_t len)
{
	size_t even = 0, n = 0;

	for (size_t i = 1; i < len; i++) {           /* data[0] is the stage */
		if (data[i] != '\0')
			continue;
		if (++n % 2 == 0)
			even = i;
	}
	return n % 2 == 0 ? len : even + 1;
}

static read_packet *libmilters_own(void)
{
	static _Atomic(read_packet *) known;
	read_packet *own = atomic_load_explicit(&known, memory_order_acquire);

	if (own == NULL) {
		void *symbol = dlsym(RTLD_NEXT, "mi_rd_cmd");

		memcpy(&own, &symbol, sizeof(own));
		atomic_store_explicit(&known, own, memory_order_release);
	}
	return own;
}

char *mi_rd_cmd(int sd, struct timeval *timeout, char *command, size_t *len_r, char *name)
{
	char *data = libmilters_own()(sd, timeout, command, len_r, name);

	if (data == NULL || *len_r == 0)
		return data;
	if (*command == 'D')
		*len_r = even_macros(data, *len_r);
	else if (*command == 'U')
		data[*len_r - 1] = '\0';                  /* handed on as a string without a look at its end */
	return data;
}
