/* reply.c - a verdict to what libmilter says to the MTA: replies, headers, recipients, quarantine; the only file that does */
#include "milter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_REPLY = 450, LINES = 4, TEXT_MAX = 1000 };      /* RFC 5321 section 4.5.3.1.5: 512 octets a line, code and line end included */

/* Doubles every %: a lone one makes Postfix drop the character and Sendmail the whole reply. */
static void escape(const char *text, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '%')
			*out++ = '%';
		*out++ = text[i];
	}
	*out = '\0';
}

/* Where a line ends: at a blank if one is near. */
static size_t line_length(const char *text)
{
	size_t len = strlen(text), at = LINE_MAX_REPLY;

	if (len <= LINE_MAX_REPLY)
		return len;
	while (at > LINE_MAX_REPLY / 2 && text[at] != ' ')
		at--;
	return text[at] == ' ' ? at : LINE_MAX_REPLY;
}

static int set_reply(SMFICTX *ctx, int code, const char *xcode, const char *text)
{
	char buffer[LINES][2 * LINE_MAX_REPLY + 2], *line[LINES + 1] = { NULL };
	char rcode[8], x[16];

	snprintf(rcode, sizeof(rcode), "%d", code);
	snprintf(x, sizeof(x), "%s", xcode);
	for (size_t n = 0; n < LINES && (*text != '\0' || n == 0); n++) {
		size_t len = line_length(text);

		escape(text, len, buffer[n]);
		line[n] = buffer[n];
		text += len;
		text += strspn(text, " ");
	}
	return smfi_setmlreply(ctx, rcode, x, line[0], line[1], line[2], line[3], NULL);
}

sfsistat reply_say(SMFICTX *ctx, const struct winnow_verdict *verdict)
{
	switch (verdict->action) {
	case WINNOW_TEMPFAIL:
		(void)set_reply(ctx, verdict->code, verdict->xcode, verdict->text);
		return SMFIS_TEMPFAIL;
	case WINNOW_REJECT:
		(void)set_reply(ctx, verdict->code, verdict->xcode, verdict->text);
		return SMFIS_REJECT;
	case WINNOW_DISCARD:
		return SMFIS_DISCARD;
	default:
		return SMFIS_CONTINUE;
	}
}

sfsistat reply_busy(SMFICTX *ctx)
{
	(void)set_reply(ctx, 421, "4.3.2", "Too many sessions, please retry later");
	return SMFIS_TEMPFAIL;
}

/* A value as the MTA wants it: with its leading space if that was negotiated, without if not. */
static char *header_value(const struct connection *c, const char *value)
{
	return (char *)(uintptr_t)(!c->leading_space && value[0] == ' ' ? value + 1 : value);
}

static int carry_out(SMFICTX *ctx, const struct connection *c, const struct winnow_change *change)
{
	char *name = (char *)(uintptr_t)change->name, *value = (char *)(uintptr_t)change->value;

	switch (change->kind) {
	case WINNOW_ADD_HEADER:
		return smfi_insheader(ctx, 0, name, header_value(c, change->value));
	case WINNOW_DELETE_HEADER:
		return smfi_chgheader(ctx, name, (int)change->index, NULL);
	case WINNOW_SET_HEADER:
		return smfi_chgheader(ctx, name, 1, header_value(c, change->value));
	case WINNOW_DELETE_RECIPIENT:
		return smfi_delrcpt(ctx, value);
	case WINNOW_CHANGE_SENDER:
		return smfi_chgfrom(ctx, value, NULL);
	case WINNOW_HOLD:
		return smfi_quarantine(ctx, value);
	}
	return MI_FAILURE;
}

sfsistat reply_end(SMFICTX *ctx, const struct connection *c, struct winnow_engine *engine, const struct winnow_verdict *verdict)
{
	size_t failed = 0;

	if (verdict->action != WINNOW_CONTINUE)
		return reply_say(ctx, verdict);
	for (size_t i = 0; i < verdict->n_changes; i++)
		failed += carry_out(ctx, c, &verdict->changes[i]) != MI_SUCCESS;
	if (failed > 0)
		winnow_log(engine, WINNOW_LOG_WARNING, "id=%s: the MTA did not take %zu of %zu changes of headers or recipients", verdict->id, failed, verdict->n_changes);
	return SMFIS_CONTINUE;
}
