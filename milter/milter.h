/* milter.h - the daemon's parts: callbacks, macros, replies, listener, signals */
#ifndef WINNOW_MILTER_MILTER_H
#define WINNOW_MILTER_MILTER_H

#include "libmilter.h"

#include "winnow.h"

/* One SMTP connection as libmilter's private data; made at negotiation, freed at close. */
struct connection {
	struct winnow_session *session;  /* NULL until connect */
	bool leading_space;              /* values of headers come and go with their leading space */
	bool no_reply_header, no_reply_data;
	bool postfix;                    /* the queue id of the message before stays visible until the first accepted recipient */
	bool accepted;                   /* a recipient of this message was accepted */
	struct connection *next, *previous;      /* of those that are open: callbacks.c */
};

/* ---- callbacks.c */

/* The table for smfi_register(); engine is handed to every session. */
struct smfiDesc *callbacks(struct winnow_engine *engine);

/* After smfi_main() has returned callbacks may go on, and others may begin: those do nothing from here on, the ones that run are waited for, ten seconds at most.
 * true: none runs any more, and every connection that was left open is closed. */
bool callbacks_finish(void);

/* How many run now. */
unsigned callbacks_running(void);

/* ---- guard.c: libmilter's reader of packets, made safe */

/* Threads that read a packet now, and packets read so far. */
unsigned guard_reading(void);
unsigned long guard_packets(void);

/* Is this a libmilter with a pool of workers? */
bool guard_pool(void);

/* ---- nudge.c: no session waits for a worker that is busy elsewhere */

/* Starts the thread that sees to it. nudge_stop() before listener_stop(). */
void nudge_start(void);
void nudge_stop(void);

/* ---- macros.c: which macros are read at which stage */

/* Asks the MTA for the macros of connect that it does not send by itself. */
void macros_request(SMFICTX *ctx);

/* Pointers are valid until the next callback. */
void macros_client(SMFICTX *ctx, struct winnow_client *client_r, bool *postfix_r);
struct winnow_tls macros_tls(SMFICTX *ctx);
struct winnow_login macros_login(SMFICTX *ctx);
const char *macros_queue_id(SMFICTX *ctx);

/* The enhanced code with which the MTA itself refuses this recipient ("" if it gave none); NULL: it does not. */
const char *macros_refused(SMFICTX *ctx);

/* ---- reply.c: the only file that answers */

/* Says what the verdict says, for a stage before the end of the message. */
sfsistat reply_say(SMFICTX *ctx, const struct winnow_verdict *verdict);

/* The same at end of message: carries out the changes of an accepted one. */
sfsistat reply_end(SMFICTX *ctx, const struct connection *connection, struct winnow_engine *engine, const struct winnow_verdict *verdict);

/* "421 4.3.2 too busy": over sessions_max. */
sfsistat reply_busy(SMFICTX *ctx);

/* ---- listener.c */

/* Opens the socket that libmilter will accept on: spec is inet:PORT@HOST, inet6:PORT@HOST or unix:PATH. group, mode: of a unix socket ("" and 0: as they are).
 * 0, or -1 with a line on stderr. */
int listener_open(const char *spec, const char *group, unsigned mode);

/* New connections are refused from now on, sessions go on; another process may listen at once. */
void listener_stop(void);

/* Connects to it and hangs up. false: that cannot be done. From any thread. */
bool listener_nudge(void);

/* Removes a unix socket if it is still the one that was made here. */
void listener_remove(void);

/* Raises the limit of descriptors as far as it goes. */
void listener_raise_limits(void);

/* ---- signals.c */

/* Blocks the signals that are ours, before any thread is made. */
void signals_block(void);

/* Starts the thread that takes them. engine must live until signals_join(). 0 or -1. */
int signals_start(struct winnow_engine *engine);

/* Were we told to stop? smfi_main() may then fail: smfi_stop() closes the listener between its look at the flag and its look at the descriptor. */
bool signals_stopping(void);

/* After smfi_main() has returned: ends the thread. */
void signals_join(void);

#endif
