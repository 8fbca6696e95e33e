/* listed.c - what a check makes of a table's answer */
#include "check/listed.h"

bool listed(struct txn *t, const char *option, enum answer answer)
{
	if (answer == ANSWER_UNAVAILABLE)
		note(t, option, "the table could not be asked");
	return answer == ANSWER_YES;
}
