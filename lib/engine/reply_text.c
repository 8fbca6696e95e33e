/* reply_text.c - the text of a refusal: the class's words, what of the detail the sender may read, the id */
#include "engine/engine.h"

#include <string.h>

#include "engine/services.h"

enum { REPLY_DETAIL_MAX = 300, REPLY_MAX = 900 };

/* Cut at a word, so that what remains reads as a sentence. */
static void cut_at_word(char *text, size_t max)
{
	char *blank;

	if (strlen(text) <= max)
		return;
	text[max - 3] = '\0';
	blank = strrchr(text, ' ');
	strcpy(blank != NULL && blank > text + max / 2 ? blank : text + max - 3, "...");
}

const char *reply_text(const struct txn *t, const struct verdict *v, TALLOC_CTX *mem)
{
	bool with_id = setting_bool(t->policy, &evidence_settings[EVIDENCE_REPLY_ID]);
	char *text = printable(mem, v->text, REPLY_MAX - REPLY_DETAIL_MAX - 64);

	if (text != NULL && v->finding != NULL && v->finding->shown && v->finding->detail[0] != '\0') {
		char *detail = talloc_strdup(text, v->finding->detail);
		size_t end = strlen(text);

		if (detail == NULL)
			return text;
		cut_at_word(detail, REPLY_DETAIL_MAX);
		if (end > 0 && text[end - 1] == '.')
			text[end - 1] = '\0';    /* "... here: detail", not "... here.: detail" */
		text = talloc_asprintf(mem, "%s: %s", text, detail);
	}
	if (text != NULL && with_id)
		text = talloc_asprintf(mem, "%s [%s]", text, t->id);
	return text != NULL ? text : class_row(v->class)->text;
}
