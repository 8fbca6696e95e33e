/* callbacks.c - libmilter's callbacks: convert, call the library, convert back */
#include "milter.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One daemon a process: libmilter has no place for it but here. */
static struct winnow_engine *the_engine;
static atomic_uint running;
static atomic_bool finished;

/* Those that are open. libmilter forgets them when it stops, and may close some of them only afterwards, when no callback does anything any more. */
static struct {
	pthread_mutex_t lock;
	struct connection *first;
} open_ones = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void connection_keep(struct connection *c)
{
	pthread_mutex_lock(&open_ones.lock);
	c->next = open_ones.first;
	if (c->next != NULL)
		c->next->previous = c;
	open_ones.first = c;
	pthread_mutex_unlock(&open_ones.lock);
}

static void connection_free(struct connection *c)
{
	pthread_mutex_lock(&open_ones.lock);
	if (c->next != NULL)
		c->next->previous = c->previous;
	if (c->previous != NULL)
		c->previous->next = c->next;
	else
		open_ones.first = c->next;
	pthread_mutex_unlock(&open_ones.lock);
	winnow_close(c->session);
	free(c);
}

/* Every callback begins here. false: the process ends, nothing may be touched any more. */
static bool enter(void)
{
	atomic_fetch_add(&running, 1);
	if (!atomic_load(&finished))
		return true;
	atomic_fetch_sub(&running, 1);
	return false;
}

static sfsistat leave(sfsistat status)
{
	atomic_fetch_sub(&running, 1);
	return status;
}

unsigned callbacks_running(void)
{
	return atomic_load(&running);
}

bool callbacks_finish(void)
{
	struct timespec step = { .tv_nsec = 10 * 1000000 };

	atomic_store(&finished, true);
	for (int i = 0; atomic_load(&running) > 0 && i < 1000; i++)
		nanosleep(&step, NULL);
	if (atomic_load(&running) > 0)
		return false;
	while (open_ones.first != NULL)
		connection_free(open_ones.first);
	return true;
}

static struct connection *connection_of(SMFICTX *ctx)
{
	return smfi_getpriv(ctx);
}

static struct winnow_session *session_of(SMFICTX *ctx)
{
	struct connection *c = connection_of(ctx);

	return c != NULL ? c->session : NULL;
}

static sfsistat cb_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long protocol, unsigned long f2, unsigned long f3, unsigned long *actions_r,
	unsigned long *protocol_r, unsigned long *f2_r, unsigned long *f3_r)
{
	const unsigned long wanted_actions = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_DELRCPT | SMFIF_QUARANTINE | SMFIF_CHGFROM | SMFIF_SETSYMLIST;
	/* only what needs no answer goes without: headers and DATA; at the others we may refuse */
	const unsigned long wanted_protocol = SMFIP_NR_HDR | SMFIP_NR_DATA | SMFIP_RCPT_REJ | SMFIP_HDR_LEADSPC;
	struct connection *c;

	(void)f2;
	(void)f3;
	if (!enter())
		return SMFIS_TEMPFAIL;
	c = calloc(1, sizeof(*c));
	if (c == NULL || smfi_setpriv(ctx, c) != MI_SUCCESS) {
		free(c);
		return leave(SMFIS_REJECT);
	}
	connection_keep(c);
	*actions_r = actions & wanted_actions;
	*protocol_r = protocol & wanted_protocol;
	*f2_r = *f3_r = 0;
	c->leading_space = (*protocol_r & SMFIP_HDR_LEADSPC) != 0;
	c->no_reply_header = (*protocol_r & SMFIP_NR_HDR) != 0;
	c->no_reply_data = (*protocol_r & SMFIP_NR_DATA) != 0;
	if (actions & SMFIF_SETSYMLIST)
		macros_request(ctx);
	return leave(SMFIS_CONTINUE);
}

static void client_address(const _SOCK_ADDR *address, struct winnow_client *client, char text[INET6_ADDRSTRLEN])
{
	if (address != NULL && address->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)address;

		client->address = inet_ntop(AF_INET, &in->sin_addr, text, INET6_ADDRSTRLEN);
		client->port = ntohs(in->sin_port);
	} else if (address != NULL && address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)address;

		client->address = inet_ntop(AF_INET6, &in6->sin6_addr, text, INET6_ADDRSTRLEN);
		client->port = ntohs(in6->sin6_port);
	}
}

static sfsistat cb_connect(SMFICTX *ctx, char *name, _SOCK_ADDR *address)
{
	struct connection *c = connection_of(ctx);
	struct winnow_client client = { .name = name };
	const struct winnow_verdict *verdict;
	char text[INET6_ADDRSTRLEN];

	if (!enter())
		return SMFIS_TEMPFAIL;
	if (c == NULL)
		return leave(SMFIS_TEMPFAIL);
	client_address(address, &client, text);
	macros_client(ctx, &client, &c->postfix);
	winnow_close(c->session);
	c->session = winnow_connect(the_engine, &client, &verdict);
	return leave(c->session == NULL ? reply_busy(ctx) : reply_say(ctx, verdict));
}

static sfsistat cb_helo(SMFICTX *ctx, char *name)
{
	struct winnow_tls tls = macros_tls(ctx);
	struct winnow_session *s;

	if (!enter())
		return SMFIS_TEMPFAIL;
	s = session_of(ctx);
	return leave(s == NULL ? SMFIS_TEMPFAIL : reply_say(ctx, winnow_helo(s, name, &tls)));
}

static sfsistat cb_mail(SMFICTX *ctx, char **argv)
{
	struct connection *c = connection_of(ctx);
	struct winnow_login login = macros_login(ctx);

	if (!enter())
		return SMFIS_TEMPFAIL;
	if (c == NULL || c->session == NULL)
		return leave(SMFIS_TEMPFAIL);
	c->accepted = false;
	return leave(reply_say(ctx, winnow_mail(c->session, (const char *const *)argv, &login, c->postfix ? NULL : macros_queue_id(ctx))));
}

static sfsistat cb_rcpt(SMFICTX *ctx, char **argv)
{
	struct connection *c = connection_of(ctx);
	const char *refused = macros_refused(ctx);
	sfsistat status;

	if (!enter())
		return SMFIS_TEMPFAIL;
	if (c == NULL || c->session == NULL)
		return leave(SMFIS_TEMPFAIL);
	status = reply_say(ctx, winnow_rcpt(c->session, (const char *const *)argv, refused, c->postfix && !c->accepted ? NULL : macros_queue_id(ctx)));
	c->accepted |= status == SMFIS_CONTINUE && refused == NULL;
	return leave(status);
}

static sfsistat cb_data(SMFICTX *ctx)
{
	struct connection *c = connection_of(ctx);

	if (!enter())
		return SMFIS_TEMPFAIL;
	/* what is wrong here is said at end of headers: a refusal in a callback without reply hangs the session */
	if (c != NULL && c->session != NULL)
		(void)winnow_data(c->session, macros_queue_id(ctx));
	return leave(c != NULL && c->no_reply_data ? SMFIS_NOREPLY : SMFIS_CONTINUE);
}

static sfsistat cb_header(SMFICTX *ctx, char *name, char *value)
{
	struct connection *c = connection_of(ctx);
	char *spaced = NULL;

	if (!enter())
		return SMFIS_TEMPFAIL;
	if (c != NULL && c->session != NULL) {
		/* an MTA that does not tell leading spaces has taken one away */
		if (!c->leading_space && (spaced = malloc(strlen(value) + 2)) != NULL) {
			spaced[0] = ' ';
			strcpy(spaced + 1, value);
		}
		winnow_header(c->session, name, spaced != NULL ? spaced : value);
		free(spaced);
	}
	return leave(c != NULL && c->no_reply_header ? SMFIS_NOREPLY : SMFIS_CONTINUE);
}

static sfsistat cb_eoh(SMFICTX *ctx)
{
	struct winnow_session *s;

	if (!enter())
		return SMFIS_TEMPFAIL;
	s = session_of(ctx);
	return leave(s == NULL ? SMFIS_TEMPFAIL : reply_say(ctx, winnow_eoh(s)));
}

static sfsistat cb_body(SMFICTX *ctx, unsigned char *data, size_t len)
{
	struct winnow_session *s;

	if (!enter())
		return SMFIS_TEMPFAIL;
	s = session_of(ctx);
	return leave(s == NULL ? SMFIS_TEMPFAIL : reply_say(ctx, winnow_body(s, data, len)));
}

static sfsistat cb_eom(SMFICTX *ctx)
{
	struct connection *c = connection_of(ctx);
	sfsistat status;

	if (!enter())
		return SMFIS_TEMPFAIL;
	if (c == NULL || c->session == NULL)
		return leave(SMFIS_TEMPFAIL);
	c->accepted = false;
	status = reply_end(ctx, c, the_engine, winnow_eom(c->session, macros_queue_id(ctx)));
	winnow_abort(c->session);                /* a session that idles from here on keeps nothing of the message, its verdict neither */
	return leave(status);
}

static sfsistat cb_unknown(SMFICTX *ctx, const char *line)
{
	struct winnow_session *s;

	if (!enter())
		return SMFIS_TEMPFAIL;
	s = session_of(ctx);
	return leave(s == NULL ? SMFIS_CONTINUE : reply_say(ctx, winnow_command(s, line)));
}

static sfsistat cb_abort(SMFICTX *ctx)
{
	struct connection *c = connection_of(ctx);

	if (!enter())
		return SMFIS_TEMPFAIL;
	if (c != NULL) {
		c->accepted = false;
		if (c->session != NULL)
			winnow_abort(c->session);
	}
	return leave(SMFIS_CONTINUE);
}

static sfsistat cb_close(SMFICTX *ctx)
{
	struct connection *c = connection_of(ctx);

	if (!enter())
		return SMFIS_TEMPFAIL;
	if (c != NULL) {
		(void)smfi_setpriv(ctx, NULL);
		connection_free(c);
	}
	return leave(SMFIS_CONTINUE);
}

struct smfiDesc *callbacks(struct winnow_engine *engine)
{
	static char name[] = "winnow";
	static struct smfiDesc table = {
		.xxfi_name = name, .xxfi_version = SMFI_VERSION, .xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_DELRCPT | SMFIF_QUARANTINE | SMFIF_CHGFROM | SMFIF_SETSYMLIST,
		.xxfi_connect = cb_connect, .xxfi_helo = cb_helo, .xxfi_envfrom = cb_mail, .xxfi_envrcpt = cb_rcpt, .xxfi_header = cb_header, .xxfi_eoh = cb_eoh,
		.xxfi_body = cb_body, .xxfi_eom = cb_eom, .xxfi_abort = cb_abort, .xxfi_close = cb_close, .xxfi_unknown = cb_unknown, .xxfi_data = cb_data,
		.xxfi_negotiate = cb_negotiate,
	};

	the_engine = engine;
	return &table;
}
