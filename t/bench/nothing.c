/* nothing.c - a milter that does nothing but what every milter must: the measure for ours. Same callbacks, same negotiation, four headers added. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <libmilter/mfapi.h>

static sfsistat negotiate(SMFICTX *ctx, unsigned long f0, unsigned long f1, unsigned long f2, unsigned long f3, unsigned long *o0, unsigned long *o1, unsigned long *o2,
	unsigned long *o3)
{
	static char list[] = "j _ v {daemon_name} {daemon_addr} {daemon_port} {client_addr} {client_name} {client_port} {client_ptr} {client_connections} {client_resolve}";

	(void)f2;
	(void)f3;
	*o0 = f0 & (SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_DELRCPT | SMFIF_QUARANTINE | SMFIF_CHGFROM | SMFIF_SETSYMLIST);
	*o1 = f1 & (SMFIP_NR_HDR | SMFIP_NR_DATA | SMFIP_RCPT_REJ | SMFIP_HDR_LEADSPC);
	*o2 = *o3 = 0;
	smfi_setsymlist(ctx, SMFIM_CONNECT, list);
	return SMFIS_CONTINUE;
}

static sfsistat on_connect(SMFICTX *ctx, char *name, _SOCK_ADDR *address) { (void)ctx; (void)name; (void)address; return SMFIS_CONTINUE; }
static sfsistat on_helo(SMFICTX *ctx, char *name) { (void)ctx; (void)name; return SMFIS_CONTINUE; }
static sfsistat on_path(SMFICTX *ctx, char **argv) { (void)ctx; (void)argv; return SMFIS_CONTINUE; }
static sfsistat on_data(SMFICTX *ctx) { (void)ctx; return SMFIS_NOREPLY; }
static sfsistat on_header(SMFICTX *ctx, char *name, char *value) { (void)ctx; (void)name; (void)value; return SMFIS_NOREPLY; }
static sfsistat on_plain(SMFICTX *ctx) { (void)ctx; return SMFIS_CONTINUE; }
static sfsistat on_body(SMFICTX *ctx, unsigned char *data, size_t len) { (void)ctx; (void)data; (void)len; return SMFIS_CONTINUE; }
static sfsistat on_unknown(SMFICTX *ctx, const char *line) { (void)ctx; (void)line; return SMFIS_CONTINUE; }

static sfsistat on_eom(SMFICTX *ctx)
{
	static char names[4][20] = { "X-Nothing-ID", "X-Nothing-Action", "X-Nothing-Evidence", "X-Nothing-Class" }, value[] = " Message looked like non-spam (0.00)";

	for (int i = 0; i < 4; i++)
		smfi_insheader(ctx, 0, names[i], value);
	return SMFIS_CONTINUE;
}

int main(int argc, char **argv)
{
	static char name[] = "nothing";
	struct smfiDesc table = {
		.xxfi_name = name, .xxfi_version = SMFI_VERSION, .xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_DELRCPT | SMFIF_QUARANTINE | SMFIF_CHGFROM | SMFIF_SETSYMLIST,
		.xxfi_connect = on_connect, .xxfi_helo = on_helo, .xxfi_envfrom = on_path, .xxfi_envrcpt = on_path, .xxfi_header = on_header, .xxfi_eoh = on_plain,
		.xxfi_body = on_body, .xxfi_eom = on_eom, .xxfi_abort = on_plain, .xxfi_close = on_plain, .xxfi_unknown = on_unknown, .xxfi_data = on_data, .xxfi_negotiate = negotiate,
	};
	int one = 1;

	if (argc != 2 || smfi_register(table) != MI_SUCCESS || smfi_setconn(argv[1]) != MI_SUCCESS || smfi_opensocket(true) != MI_SUCCESS) {
		fprintf(stderr, "usage: nothing SOCKET\n");
		return 2;
	}
	for (int fd = 3; fd < 16; fd++)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return smfi_main() != MI_SUCCESS;
}
