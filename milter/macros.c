/* macros.c - which MTA macros we read at which stage; where Postfix and Sendmail differ */
#include "milter.h"

#include <string.h>

/* Macros of earlier stages and messages stay visible: each is read at its own stage alone. */
static const char *macro(SMFICTX *ctx, const char *name)
{
	const char *value = smfi_getsymval(ctx, (char *)(uintptr_t)name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

void macros_request(SMFICTX *ctx)
{
	static char list[] = "j _ v {daemon_name} {daemon_addr} {daemon_port} {client_addr} {client_name} {client_port} {client_ptr} {client_connections} {client_resolve}";

	(void)smfi_setsymlist(ctx, SMFIM_CONNECT, list);
}

void macros_client(SMFICTX *ctx, struct winnow_client *client_r, bool *postfix_r)
{
	const char *version = macro(ctx, "v");

	client_r->ptr = macro(ctx, "{client_ptr}");
	client_r->resolve = macro(ctx, "{client_resolve}");
	client_r->daemon_name = macro(ctx, "{daemon_name}");
	client_r->daemon_addr = macro(ctx, "{daemon_addr}");
	client_r->daemon_port = macro(ctx, "{daemon_port}");
	client_r->mta_host = macro(ctx, "j");
	*postfix_r = version != NULL && strncmp(version, "Postfix", 7) == 0;
	client_r->only_421_closes = !*postfix_r;
}

struct winnow_tls macros_tls(SMFICTX *ctx)
{
	return (struct winnow_tls){ macro(ctx, "{tls_version}"), macro(ctx, "{cipher}"), macro(ctx, "{cipher_bits}") };
}

struct winnow_login macros_login(SMFICTX *ctx)
{
	return (struct winnow_login){ macro(ctx, "{auth_authen}"), macro(ctx, "{auth_type}") };
}

const char *macros_queue_id(SMFICTX *ctx)
{
	return macro(ctx, "i");
}

const char *macros_refused(SMFICTX *ctx)
{
	const char *mailer = macro(ctx, "{rcpt_mailer}"), *code;

	if (mailer == NULL || strcmp(mailer, "error") != 0)
		return NULL;
	code = macro(ctx, "{rcpt_host}");
	return code != NULL ? code : "";
}
