/* released.c - a copy that was released from the quarantine comes back through us: it is known by its ticket, and not judged by its content again */
#include "engine/released.h"

#include <errno.h>
#include <string.h>

#include "engine/keep.h"
#include "engine/services.h"
#include "quarantine/compare.h"
#include "quarantine/ticket.h"

#define HOUR_US (3600 * 1000000LL)
#define DAY_US (24 * HOUR_US)

/* A copy with the right ticket; its header block fits. Child of the message's memory. */
struct release_claim {
	const char *id;
	const char *body;                /* of the copy, behind the empty line */
	size_t body_len;
};

static bool loopback(const struct ip *ip)
{
	static const uint8_t one[16] = { [15] = 1 };

	return ip->family == 4 ? ip->addr[0] == 127 : ip->family == 6 && memcmp(ip->addr, one, 16) == 0;
}

/* "ID TICKET": false if it is something else. */
static bool read_ticket(TALLOC_CTX *mem, const struct header_field *f, char **id_r, char **ticket_r)
{
	char *text = header_unfold(mem, f->value, f->value_len), *gap = text != NULL ? strchr(text, ' ') : NULL;

	if (gap == NULL)
		return false;
	*gap = '\0';
	*id_r = text;
	*ticket_r = gap + 1 + strspn(gap + 1, " ");
	return true;
}

static bool lately(int64_t time, int64_t now)
{
	return time != 0 && time > now - DAY_US && time < now + HOUR_US;
}

static void look(struct winnow_session *ws, const char *id, const char *ticket)
{
	struct txn *t = &ws->t;
	struct release_claim *claim = talloc_zero(t->lasting, struct release_claim);
	struct quarantine_entry entry;
	uint8_t key[TICKET_KEY];
	const char *wrong;
	char *data;
	size_t len;
	int r;

	if (claim == NULL)
		return;
	r = ticket_key_read(setting_string(t->policy, &quarantine_settings[QUARANTINE_TICKET_KEY]), key);
	if (r != 0) {
		note(t, "release", "%s: the key of the tickets cannot be read: %s", id, strerror(-r));
		return;
	}
	r = keep_read(ws->engine, claim, id, &entry, &data, &len);
	if (r != 0) {
		note(t, "release", "%s: %s", id, r == -ENOENT ? "there is no such copy" : strerror(-r));
	} else if (!ticket_fits(key, id, data, len, ticket)) {
		note(t, "release", "%s: the ticket does not fit", id);
	} else if (!lately(entry.releasing, t->now) && !lately(entry.released, t->now)) {
		note(t, "release", "%s: it was not released within the last day", id);
	} else if (!compare_header(claim, data, len, t->message->fields, t->message->n_fields, &claim->body, &wrong)) {
		note(t, "release", "%s: the header block is not that of the copy: %s", id, wrong);
	} else {
		claim->id = entry.id;
		claim->body_len = len - (size_t)(claim->body - data);
		ws->claim = claim;
		return;
	}
	talloc_free(claim);
}

void released_claim(struct winnow_session *ws)
{
	struct txn *t = &ws->t;
	TALLOC_CTX *mem;
	const struct header_field *f;
	char *name, *id, *ticket;

	if (ws->claim != NULL || ws->dry != NULL || t->message == NULL || t->message_error != 0 || (!ws->s.trusted && !loopback(&ws->s.client)))
		return;
	mem = talloc_new(NULL);
	name = talloc_asprintf(mem, "%s" RELEASED_FIELD, setting_string(t->policy, &evidence_settings[EVIDENCE_PREFIX]));
	/* ours is the first: what the copy brought itself is below */
	f = name != NULL ? message_field(t->message, name, 0) : NULL;
	if (f != NULL && read_ticket(mem, f, &id, &ticket))
		look(ws, id, ticket);
	talloc_free(mem);
}

void released_confirm(struct winnow_session *ws)
{
	struct txn *t = &ws->t;
	const char *data;
	size_t len;
	bool same;

	released_claim(ws);              /* an MTA whose protocol has no end of headers */
	if (ws->claim == NULL)
		return;
	same = t->message_error == 0 && message_bytes(t->message, &data, &len) == 0
		&& compare_body(ws->claim->body, ws->claim->body_len, data + len - t->message->body_size, t->message->body_size);
	if (same) {
		note(t, "released", "%s", ws->claim->id);
		return;
	}
	note(t, "release", "%s: the body is not that of the copy", ws->claim->id);
	talloc_free(ws->claim);
	ws->claim = NULL;
}
