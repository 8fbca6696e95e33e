/* sender.c - envelope senders of submissions: readable, and the user's own */
#include "check/check.h"

#include <string.h>
#include <strings.h>

#include "check/listed.h"
#include "policy/table.h"

enum { ENABLED, LOGIN_MAPS };

static const struct setting settings[] = {
	[ENABLED] = SETTING_ENABLED,
	[LOGIN_MAPS] = { .name = "login_maps", .type = SET_TABLE, .scope = SCOPE_POLICY, .def = "",
		.help = "sender -> users that may use it, as Postfix's smtpd_sender_login_maps; empty: any" },
	{ 0 }
};

static const enum class_id reports[] = { CLASS_SENDER_INVALID, CLASS_COUNT };

/* Is user among the names, separated by commas and blanks? */
static bool names_user(const char *names, const char *user)
{
	static const char separators[] = ", \t\r\n";
	size_t length = strlen(user);

	for (names += strspn(names, separators); *names; names += strspn(names, separators)) {
		size_t n = strcspn(names, separators);

		if (n == length && strncasecmp(names, user, n) == 0)
			return true;
		names += n;
	}
	return false;
}

/* As Postfix's reject_sender_login_mismatch for users that are logged in: who may use an address stands in the map, others may not. */
static void judge_owner(struct txn *t)
{
	struct table *maps = setting_table(t->policy, &settings[LOGIN_MAPS]);
	const char *users = "";
	enum answer answer;

	if (table_is_empty(maps))
		return;
	answer = table_lookup_address(maps, &t->sender, t->mem, &users);
	if (listed(t, "sender.login_maps", answer)) {
		if (!names_user(users, t->auth_user))
			finding(t, CLASS_SENDER_INVALID, 1.0, "sender %.150s is not one that user %.100s may use (sender.login_maps)", t->sender.text, t->auth_user);
	} else if (answer == ANSWER_NO) {
		finding(t, CLASS_SENDER_INVALID, 1.0, "sender %.150s of user %.100s is not in sender.login_maps", t->sender.text, t->auth_user);
	}
}

static void judge_mail(struct txn *t)
{
	if (!t->outbound)
		return;
	if (!t->sender_valid)
		finding(t, CLASS_SENDER_INVALID, 1.0, "sender %.250s is malformed", t->sender.text);
	else if (t->null_sender)
		return;
	else if (t->sender.domain[0] == '\0')
		finding(t, CLASS_SENDER_INVALID, 1.0, "sender %.250s has no domain", t->sender.text);
	else if (t->auth_user != NULL)
		judge_owner(t);
}

const struct check check_sender = {
	.name = "sender",
	.judge = { [STAGE_MAIL] = judge_mail },
	.settings = settings,
	.reports = reports,
	.help = "envelope senders",
};
