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

/* Takes off the name of the option that governs a finding, " (header.date_skew_max)": it is for our operator. */
static void cut_option(char *detail)
{
	char *open = strrchr(detail, '(');
	size_t len = open != NULL ? strspn(open + 1, "abcdefghijklmnopqrstuvwxyz0123456789_.") : 0;

	/* no option's name begins with a digit: that is an address, such as a DNS list's code */
	if (open != NULL && open > detail && open[-1] == ' ' && !(open[1] >= '0' && open[1] <= '9') && strcmp(open + 1 + len, ")") == 0)
		open[-1] = '\0';
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
		cut_option(detail);
		cut_at_word(detail, REPLY_DETAIL_MAX);
		/* the class's words stay whole: people search for them */
		text = talloc_asprintf(mem, "%s%s %s", text, end > 0 && text[end - 1] == '.' ? "" : ":", detail);
	}
	if (text != NULL && with_id)
		text = talloc_asprintf(mem, "%s [%s]", text, t->id);
	return text != NULL ? text : class_row(v->class)->text;
}
