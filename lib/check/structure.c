/* structure.c - how the message is built: its size, its lines, its parts (RFC 5322 section 2.1.1, RFC 2046) */
#include "check/structure.h"

#include <string.h>

#include "check/check.h"
#include "message/header.h"

const struct setting structure_settings[] = {
	[STRUCTURE_ENABLED] = SETTING_ENABLED,
	[STRUCTURE_LINE_LENGTH_MAX] = { .name = "line_length_max", .type = SET_INT, .scope = SCOPE_POLICY, .def = "998",
		.help = "octets of a line without its line end, headers and body; 0: no limit", .unit = "octets",
		.limit = LIMIT_MAX, .limit_of = CLASS_LINE_TOO_LONG },
	[STRUCTURE_DEPTH_MAX] = { .name = "depth_max", .type = SET_INT, .scope = SCOPE_GLOBAL, .def = "50",
		.help = "levels of MIME; what is deeper is not looked at, with a note; 0: no limit", .unit = "levels" },
	[STRUCTURE_PARTS_MAX] = { .name = "parts_max", .type = SET_INT, .scope = SCOPE_POLICY, .def = "100",
		.help = "MIME parts, multiparts and parts of attached messages included; 0: no limit", .unit = "parts",
		.limit = LIMIT_MAX, .limit_of = CLASS_MIME_PARTS_EXCESSIVE },
	[STRUCTURE_SIZE_MAX] = { .name = "size_max", .type = SET_SIZE, .scope = SCOPE_POLICY, .def = "50M",
		.help = "size of an inbound message, announced or received; 0: no limit", .limit = LIMIT_MAX, .limit_of = CLASS_OVERSIZED },
	[STRUCTURE_SIZE_MAX_OUTGOING] = { .name = "size_max_outgoing", .type = SET_SIZE, .scope = SCOPE_POLICY, .def = "50M",
		.help = "size of an outbound message; 0: no limit" },
	{ 0 }
};

static const enum class_id reports[] = { CLASS_OVERSIZED, CLASS_MESSAGE_PARTIAL, CLASS_LINE_TOO_LONG, CLASS_MIME_PARTS_EXCESSIVE, CLASS_COUNT };

static const struct setting *size_row(const struct txn *t)
{
	return &structure_settings[t->outbound ? STRUCTURE_SIZE_MAX_OUTGOING : STRUCTURE_SIZE_MAX];
}

static void judge_mail(struct txn *t)
{
	const struct setting *row = size_row(t);
	int64_t max = setting_size(t->policy, row);

	if (max > 0 && t->size_announced > max)
		finding_shown(t, CLASS_OVERSIZED, 1.0, "%lld octets announced, at most %lld (structure.%s)", (long long)t->size_announced, (long long)max, row->name);
}

/* Runs after each piece of the body: once is enough. */
static void judge_size(struct txn *t)
{
	const struct setting *row = size_row(t);
	int64_t max = setting_size(t->policy, row);

	if (max == 0 || t->message == NULL || t->message->size <= (uint64_t)max || findings_get(&t->found, CLASS_OVERSIZED) != NULL)
		return;
	finding_shown(t, CLASS_OVERSIZED, 1.0, "message of %llu octets so far, at most %lld (structure.%s)",
		(unsigned long long)t->message->size, (long long)max, row->name);
}

/* At the end of the header block already: what it is needs no look at the body. Every Content-Type field, whichever the reader will believe. */
static void judge_eoh(struct txn *t)
{
	const struct header_field *field;

	if (t->message == NULL)
		return;
	for (size_t i = 0; (field = message_field(t->message, "Content-Type", i)) != NULL; i = (size_t)(field - t->message->fields) + 1) {
		struct content_type type;

		content_type_parse(t->mem, field->value, field->value_len, &type);
		if (strcmp(type.type, "message") == 0 && strcmp(type.subtype, "partial") == 0) {
			finding(t, CLASS_MESSAGE_PARTIAL, 1.0, "Content-Type of the message is message/partial");
			return;
		}
	}
}

static void judge_lines(struct txn *t)
{
	int64_t max = setting_int(t->policy, &structure_settings[STRUCTURE_LINE_LENGTH_MAX]);

	if (max > 0 && t->message->line_max > (uint64_t)max)
		finding_shown(t, CLASS_LINE_TOO_LONG, 1.0, "line of %zu octets, at most %lld (structure.line_length_max)", t->message->line_max, (long long)max);
}

static void judge_mime(struct txn *t, const struct mime *mime)
{
	int64_t max = setting_int(t->policy, &structure_settings[STRUCTURE_PARTS_MAX]);

	if (max > 0 && mime->too_many)
		finding_shown(t, CLASS_MIME_PARTS_EXCESSIVE, 1.0, "more than %lld MIME parts (structure.parts_max)", (long long)max);
	if (mime->partial && findings_get(&t->found, CLASS_MESSAGE_PARTIAL) == NULL)
		finding(t, CLASS_MESSAGE_PARTIAL, 1.0, "a part of the message is message/partial");
	if (mime->too_deep)
		note(t, "structure", "MIME deeper than %lld levels was not looked at (structure.depth_max)",
			(long long)setting_int(t->policy, &structure_settings[STRUCTURE_DEPTH_MAX]));
}

static void judge_eom(struct txn *t)
{
	if (t->message == NULL)
		return;
	judge_size(t);
	judge_lines(t);
	if (t->message->mime != NULL)
		judge_mime(t, t->message->mime);
}

const struct check check_structure = {
	.name = "structure",
	.judge = { [STAGE_MAIL] = judge_mail, [STAGE_EOH] = judge_eoh, [STAGE_BODY] = judge_size, [STAGE_EOM] = judge_eom },
	.settings = structure_settings,
	.reports = reports,
	.help = "how a message is built",
};
