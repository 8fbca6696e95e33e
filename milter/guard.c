/* guard.c - what libmilter takes on trust from whoever connects to it, made safe before it looks */
#include "milter.h"

#include <dlfcn.h>
#include <pthread.h>
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

/* In a build with a pool of workers a packet is read once its first byte is there, by a worker that others wait for: its rest must follow. In a build
 * with a thread for each connection the timeout is that of an idle session, and stays. */
enum { PACKET_SECONDS = 15 };

static struct {
	pthread_once_t once;
	read_packet *own;                            /* libmilter's */
	bool pool;
	atomic_uint reading;
	atomic_ulong packets;
} reader = { .once = PTHREAD_ONCE_INIT };

static void find_reader(void)
{
	void *symbol = dlsym(RTLD_NEXT, "mi_rd_cmd");

	memcpy(&reader.own, &symbol, sizeof(reader.own));
	reader.pool = dlsym(RTLD_DEFAULT, "mi_pool_controller_init") != NULL;
}

unsigned guard_reading(void)
{
	return atomic_load_explicit(&reader.reading, memory_order_relaxed);
}

unsigned long guard_packets(void)
{
	return atomic_load_explicit(&reader.packets, memory_order_relaxed);
}

bool guard_pool(void)
{
	pthread_once(&reader.once, find_reader);
	return reader.own != NULL && reader.pool;
}

char *mi_rd_cmd(int sd, struct timeval *timeout, char *command, size_t *len_r, char *name)
{
	struct timeval soon = { .tv_sec = PACKET_SECONDS };
	char *data;

	pthread_once(&reader.once, find_reader);
	atomic_fetch_add_explicit(&reader.reading, 1, memory_order_relaxed);
	data = reader.own(sd, reader.pool && timeout->tv_sec > soon.tv_sec ? &soon : timeout, command, len_r, name);
	atomic_fetch_sub_explicit(&reader.reading, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&reader.packets, 1, memory_order_relaxed);
	if (data == NULL || *len_r == 0)
		return data;
	if (*command == 'D')
		*len_r = even_macros(data, *len_r);
	else if (*command == 'U')
		data[*len_r - 1] = '\0';                  /* handed on as a string without a look at its end */
	return data;
}
