/* test_policy.c - which policy is in force for whom, what it inherits, what it says of a class, and when two say the same */
#include "config_help.h"

#include <math.h>
#include <pthread.h>

static const struct policy *find(struct fixture *f, const char *name)
{
	const struct policy *policy = policy_find(f->config, name);

	assert_non_null(policy);
	assert_string_equal(policy_name(policy), name);
	return policy;
}

static void an_option_comes_from_the_policy_then_default_then_top_level_then_built_in(void **state)
{
	static const struct {
		const char *top, *base, *own;
		int in_base, in_own, in_other;
	} cases[] = {
		{ "", "", "", 5, 5, 5 },
		{ "1", "", "", 1, 1, 1 },
		{ "", "2", "", 2, 2, 2 },
		{ "", "", "3", 5, 3, 5 },
		{ "1", "2", "", 2, 2, 2 },
		{ "1", "", "3", 1, 3, 1 },
		{ "", "2", "3", 2, 3, 2 },
		{ "1", "2", "3", 2, 3, 2 },
	};
	struct fixture *f = *state;

	for (int order = 0; order < 2; order++) {
		for (size_t i = 0; i < COUNT(cases); i++) {
			char *top = talloc_asprintf(f, cases[i].top[0] ? "types { int = %s }\n" : "%s", cases[i].top);
			char *base = talloc_asprintf(f, cases[i].base[0] ? "policy \"default\" { types { int = %s } }\n" : "%s", cases[i].base);
			char *own = talloc_asprintf(f, cases[i].own[0] ? "policy \"a\" { types { int = %s } }\n" : "policy \"a\" { }\n", cases[i].own);

			load(f, talloc_asprintf(f, "%s%s%spolicy \"z\" { }\n", order ? own : top, base, order ? top : own));
			assert_int_equal(setting_int(find(f, "default"), &type_rows[T_INT]), cases[i].in_base);
			assert_int_equal(setting_int(find(f, "a"), &type_rows[T_INT]), cases[i].in_own);
			assert_int_equal(setting_int(find(f, "z"), &type_rows[T_INT]), cases[i].in_other);
		}
	}
}

static void what_stands_directly_in_a_policy_is_inherited_too(void **state)
{
	struct fixture *f = *state;

	load(f, "mode = tag\nthreshold = 0.8\ntag_subject = \"[spam] \"\npolicy \"default\" { threshold = 0.7 allow_authenticated = yes }\npolicy x { mode = observe  unsure_threshold = 0.1 }\n");
	assert_int_equal(policy_mode(find(f, "default")), MODE_TAG);
	assert_int_equal(policy_mode(find(f, "x")), MODE_OBSERVE);
	assert_true(setting_float(find(f, "x"), &policy_settings[POLICY_THRESHOLD]) == 0.7);
	assert_true(setting_float(find(f, "x"), &policy_settings[POLICY_UNSURE_THRESHOLD]) == 0.1);
	assert_true(setting_float(find(f, "default"), &policy_settings[POLICY_UNSURE_THRESHOLD]) == 0.3);
	assert_string_equal(setting_string(find(f, "x"), &policy_settings[POLICY_TAG_SUBJECT]), "[spam] ");
	assert_true(setting_bool(find(f, "x"), &policy_settings[POLICY_ALLOW_AUTHENTICATED]));
	for (int m = MODE_OBSERVE; m <= MODE_ENFORCE; m++) {
		load(f, talloc_asprintf(f, "mode = %s\n", mode_name((enum mode)m)));
		assert_int_equal(policy_mode(find(f, "default")), m);
	}
}

static void lists_of_a_policy_are_not_those_of_the_top_level(void **state)
{
	struct fixture *f = *state;
	const struct policy *p = load(f, "allow_senders = \"inline:all@x.example\"\npolicy \"default\" { allow_senders = \"inline:mine@x.example\"  quarantine = no }\nquarantine { path = \"q\" }\n");

	assert_string_equal(table_spec(setting_table(p, &global_settings[G_ALLOW_SENDERS])), "inline:all@x.example");
	assert_string_equal(table_spec(setting_table(p, &policy_settings[POLICY_ALLOW_SENDERS])), "inline:mine@x.example");
	assert_string_equal(table_spec(setting_table(p, &policy_settings[POLICY_BLOCK_SENDERS])), "");
	assert_false(setting_bool(p, &policy_settings[POLICY_QUARANTINE]));
	assert_string_equal(config_value_text(f, p, &quarantine_rows[0]), "\"q\"");
}

static void options_of_global_scope_are_the_same_in_every_policy(void **state)
{
	struct fixture *f = *state;

	load(f, "policy x { mode = tag }\nsessions_max = 7\nrate { connections_max = 8 }\n");
	assert_int_equal(setting_int(find(f, "x"), &global_settings[G_SESSIONS_MAX]), 7);
	assert_int_equal(setting_int(find(f, "x"), &rate_rows[RATE_MAX]), 8);
	assert_string_equal(setting_string(find(f, "x"), &global_settings[G_HOSTNAME]), config_hostname(f->config));
}

static void a_limit_is_short_for_the_options_of_its_class(void **state)
{
	struct fixture *f = *state;

	load(f, "limit \"message-rate\" { max = 7  window = \"2h\" }\npolicy \"default\" { limit \"connections-ratelimited\" { max = 9 window = 5m } }\n"
		"policy x { limit \"message-rate\" { max = 8 } limit \"oversized\" { max = \"1M\" } }\n");
	assert_int_equal(setting_int(find(f, "default"), &rate_rows[RATE_MESSAGES]), 7);
	assert_int_equal(setting_ms(find(f, "default"), &rate_rows[RATE_MESSAGES_WINDOW]), 7200000);
	assert_int_equal(setting_int(find(f, "x"), &rate_rows[RATE_MESSAGES]), 8);
	assert_int_equal(setting_ms(find(f, "x"), &rate_rows[RATE_MESSAGES_WINDOW]), 7200000);
	assert_int_equal(setting_int(find(f, "x"), &rate_rows[RATE_MAX]), 9);
	assert_int_equal(setting_ms(find(f, "x"), &rate_rows[RATE_WINDOW]), 300000);
	assert_int_equal(setting_size(find(f, "x"), &rate_rows[RATE_FIRST]), 1 << 20);
	assert_int_equal(setting_size(find(f, "x"), &rate_rows[RATE_SECOND]), 50 << 20);      /* the first where it has two */
	refused(f, "limit \"message-rate\" { max = many }\n", 1, "rate.messages_max: \"many\" is no whole number");
}

static void class_rules_are_inherited_attribute_by_attribute(void **state)
{
	struct fixture *f = *state;
	const struct class_rule *r;

	load(f, "class \"spf-fail\" { action = tempfail  weight = 1.5 }\n"
		"policy \"default\" {\n class \"spf-fail\" { text = \"100% no\" } class \"xbl\" { }\n}\n"
		"policy x {\n class \"spf-fail\" {\n  weight = -2  observe = yes } }\npolicy z { class \"xbl\" { action = ignore } }\n");
	r = policy_class(find(f, "default"), CLASS_SPF_FAIL);
	assert_int_equal(r->action, ACT_TEMPFAIL);
	assert_true(r->overridden && !r->observe && r->weight == 1.5);
	assert_string_equal(r->text, "100% no");
	assert_int_equal(r->line, 3);
	r = policy_class(find(f, "x"), CLASS_SPF_FAIL);
	assert_int_equal(r->action, ACT_TEMPFAIL);
	assert_true(r->overridden && r->observe && r->weight == -2);
	assert_string_equal(r->text, "100% no");
	assert_int_equal(r->line, 6);
	assert_string_equal(r->file, talloc_asprintf(f, "%s/t.conf", f->folder));
	r = policy_class(find(f, "z"), CLASS_SPF_FAIL);
	assert_true(r->weight == 1.5 && !r->observe);
	assert_int_equal(policy_class(find(f, "z"), CLASS_XBL)->action, ACT_IGNORE);
	r = policy_class(find(f, "default"), CLASS_XBL);
	assert_int_equal(r->action, ACT_REJECT);
	assert_false(r->overridden);
	assert_true(isnan(r->weight));
	assert_null(r->text);
	assert_null(r->file);                 /* an empty section overrides nothing */
}

static void without_a_file_every_class_has_its_default_action(void **state)
{
	struct fixture *f = *state;
	const struct policy *p = load(f, "");

	for (int id = 0; id < CLASS_COUNT; id++) {
		assert_int_equal(policy_class(p, (enum class_id)id)->action, class_default_action((enum class_id)id));
		assert_false(policy_class(p, (enum class_id)id)->overridden);
	}
}

static void every_action_that_a_class_may_have_is_taken_and_no_other(void **state)
{
	struct fixture *f = *state;

	for (int action = 0; action < ACT_COUNT; action++) {
		char *text = talloc_asprintf(f, "class \"spf-fail\" { action = \"%s\" }\n", action_name((enum action)action));

		if (action == ACT_ACCEPT)
			refused(f, text, 1, "\"accept\" is not known; write one of reject, tempfail, quarantine, hold, discard, tag, score, ignore");
		else
			assert_int_equal(policy_class(load(f, text), CLASS_SPF_FAIL)->action, action);
	}
	refused(f, "class \"spf-fail\" { weight = 101 }\n", 1, "is out of range");
	refused(f, "class \"spf-fail\" { text = \"na\xc3\xafve\" }\n", 1, "printable ASCII");
	refused(f, "class \"spf-fail\" { text = \"a\\r\\nb\" }\n", 1, "control characters");
	refused(f, talloc_asprintf(f, "class \"spf-fail\" { text = \"%0401d\" }\n", 0), 1, "at most 400");
	load(f, talloc_asprintf(f, "class \"spf-fail\" { text = \"%0400d\" }\n", 0));
}

static void a_policy_that_keeps_no_copies_refuses_instead(void **state)
{
	struct fixture *f = *state;

	load(f, "class \"xbl\" { action = quarantine }\npolicy \"default\" { quarantine = no }\npolicy x { quarantine = yes }\npolicy z { class \"spf-fail\" { action = quarantine } class \"rbl\" { action = tag } }\n");
	assert_int_equal(policy_class(find(f, "default"), CLASS_SPF_FAIL)->action, ACT_REJECT);
	assert_false(policy_class(find(f, "default"), CLASS_SPF_FAIL)->overridden);
	assert_int_equal(policy_class(find(f, "default"), CLASS_XBL)->action, ACT_REJECT);
	assert_int_equal(policy_class(find(f, "x"), CLASS_SPF_FAIL)->action, ACT_QUARANTINE);
	assert_int_equal(policy_class(find(f, "x"), CLASS_XBL)->action, ACT_QUARANTINE);
	assert_int_equal(policy_class(find(f, "z"), CLASS_SPF_FAIL)->action, ACT_REJECT);
	assert_int_equal(policy_class(find(f, "z"), CLASS_RBL)->action, ACT_TAG);
	assert_int_equal(policy_class(find(f, "z"), CLASS_PBL)->action, ACT_REJECT);
}

static void thresholds_must_not_contradict_each_other(void **state)
{
	struct fixture *f = *state;

	refused(f, "threshold = 0.2\n", 1, "unsure_threshold (0.3) is over threshold (0.2) in policy \"default\"");
	refused(f, "threshold = 0.5\nunsure_threshold = 0.6\npolicy x { mode = tag }\n", 2, "unsure_threshold (0.6) is over threshold (0.5)");
	refused(f, "unsure_threshold = 0.6\npolicy x {\n threshold = 0.5 }\n", 3, "in policy \"x\"");
	refused(f, "threshold = 0.5\npolicy x {\n unsure_threshold = 0.6 }\n", 3, "in policy \"x\"");
	load(f, "threshold = 0.5\npolicy x { unsure_threshold = 0.5 }\n");
	refused(f, "threshold = 1.1\n", 1, "is out of range");
}

/* Loads policies a and b that say this, besides a common base. */
static bool same_fingerprint(struct fixture *f, const char *a, const char *b)
{
	load(f, talloc_asprintf(f, "policy \"default\" { class \"xbl\" { weight = 1 } types { list = { q } } }\npolicy \"a\" { %s }\npolicy \"b\" { %s }\n", a, b));
	return policy_fingerprint(find(f, "a")) == policy_fingerprint(find(f, "b"));
}

static void policies_that_say_the_same_have_one_fingerprint(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{ "", "", true },
		{ "mode = tag", "\n\n mode = \"tag\"", true },
		{ "", "mode = enforce", true },                      /* what is in force anyway */
		{ "types { duration = 90 }", "types { duration = 90s }", true },
		{ "types { size = 1024 bool = yes }", "types { bool = on size = 1K }", true },
		{ "types { list = { q } }", "types { list = q }", true },
		{ "types { float = 1 }", "types { float = 1.0 }", true },
		{ "types { table = \"inline:a\" }", "types { table = \"inline:a\" }", true },
		{ "class \"xbl\" { weight = 1 }", "", true },
		{ "class \"spf-fail\" { action = quarantine }", "", true },
		{ "class \"spf-fail\" { action = reject }", "quarantine = no class \"spf-fail\" { action = quarantine }", false },
		{ "mode = tag", "mode = observe", false },
		{ "threshold = 0.8", "threshold = 0.81", false },
		{ "quarantine = no", "", false },
		{ "types { int = 1 }", "types { int = 2 }", false },
		{ "types { int = 1 int_any = 2 }", "types { int = 2 int_any = 1 }", false },
		{ "types { string = ab }", "types { string = ba }", false },
		{ "types { list = { a, b } }", "types { list = { ab } }", false },
		{ "types { list = { a, b } }", "types { list = { b, a } }", false },
		{ "types { list = { } }", "", false },
		{ "types { table = \"inline:a\" }", "types { table = \"inline:b\" }", false },
		{ "types { unset = \"\" }", "", false },
		{ "limit \"message-rate\" { max = 3 }", "", false },
		{ "limit \"message-rate\" { max = 3 }", "rate { messages_max = 3 }", true },
		{ "class \"xbl\" { weight = 1.5 }", "", false },
		{ "class \"rbl\" { weight = 0 }", "", false },
		{ "class \"rbl\" { action = tag }", "", false },
		{ "class \"rbl\" { observe = true }", "", false },
		{ "class \"rbl\" { observe = false }", "", true },
		{ "class \"rbl\" { text = x }", "", false },
		{ "class \"rbl\" { text = x }", "class \"pbl\" { text = x }", false },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(cases); i++)
		if (same_fingerprint(f, cases[i].a, cases[i].b) != cases[i].same)
			fail_msg("%s | %s", cases[i].a, cases[i].b);
}

static void a_fingerprint_outlives_a_reload_that_changes_only_what_all_share(void **state)
{
	struct fixture *f = *state;
	uint64_t before = policy_fingerprint(load(f, "sessions_max = 7\nrate { connections_max = 8 }\nthreshold = 0.8\n"));

	assert_true(policy_fingerprint(load(f, "sessions_max = 8\nthreshold = 0.8\n")) == before);
	assert_false(policy_fingerprint(load(f, "sessions_max = 7\nrate { connections_max = 8 }\nthreshold = 0.81\n")) == before);
}

/* ---- for whom */

static const char recipients_conf[] =
	"policies = \"inline:anna@a.example=person, @b.example=at, b.example=domain, .c.example=parent, user7=user, bert@u.example=login, ghost@a.example=gone, <>=bounces\"\n"
	"policy person { }\npolicy at { }\npolicy domain { }\npolicy parent { }\npolicy user { }\npolicy login { }\npolicy section { }\npolicy bounces { }\n"
	"domain \"A.example.\" { policy = section  route = \"[192.0.2.25]:25\" }\n"
	"domain \"c.example\" { }\n"
	"domain \"x.c.example\" { policy = section }\n";

static struct address address_of(struct fixture *f, const char *text)
{
	const char *at = strrchr(text, '@');

	return (struct address){ .text = text, .local = talloc_strndup(f, text, at != NULL ? (size_t)(at - text) : strlen(text)), .domain = at != NULL ? at + 1 : "" };
}

static void recipients_are_asked_by_address_then_domain_then_section(void **state)
{
	static const struct {
		const char *address, *policy, *unknown;
	} cases[] = {
		{ "anna@a.example", "person", NULL },
		{ "bert@a.example", "section", NULL },
		{ "x@b.example", "at", NULL },
		{ "x@c.example", "default", NULL },
		{ "x@y.c.example", "parent", NULL },
		{ "x@x.c.example", "parent", NULL },          /* the table before the sections */
		{ "x@sub.a.example", "default", NULL },       /* a section is of its domain alone */
		{ "x@nowhere.example", "default", NULL },
		{ "ghost@a.example", "default", "gone" },
		{ "postmaster", "default", NULL },
	};
	struct fixture *f = *state;
	const struct policy *base = load(f, recipients_conf);
	struct table *policies = setting_table(base, &global_settings[G_POLICIES]);

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct address a = address_of(f, cases[i].address);
		const char *unknown = "x";
		const struct policy *p = policy_for_recipient(f->config, policies, &a, f, &unknown);

		if (strcmp(policy_name(p), cases[i].policy) != 0)
			fail_msg("%s: %s", cases[i].address, policy_name(p));
		if (cases[i].unknown != NULL)
			assert_string_equal(unknown, cases[i].unknown);
		else
			assert_null(unknown);
	}
	assert_string_equal(policy_name(policy_for_recipient(f->config, NULL, &(struct address){ "x@a.example", "x", "a.example" }, f, &(const char *){ NULL })), "section");
}

static void senders_are_asked_by_user_then_address_then_domain_then_section(void **state)
{
	static const struct {
		const char *user, *address, *policy;
	} cases[] = {
		{ "user7", "anna@a.example", "user" },
		{ "USER7", "anna@a.example", "user" },
		{ "bert@u.example", "x@b.example", "login" },
		{ "nobody", "anna@a.example", "person" },
		{ NULL, "anna@a.example", "person" },
		{ "", "anna@a.example", "person" },
		{ "x@b.example", "x@nowhere.example", "default" },   /* a user is asked as he is, not by his domain */
		{ NULL, "x@b.example", "at" },
		{ NULL, "x@y.c.example", "parent" },
		{ NULL, "bert@a.example", "section" },
		{ NULL, "x@nowhere.example", "default" },
		{ NULL, "", "bounces" },
	};
	struct fixture *f = *state;
	struct table *policies = setting_table(load(f, recipients_conf), &global_settings[G_POLICIES]);

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct address a = address_of(f, cases[i].address);
		const char *unknown = "x";
		const struct policy *p = policy_for_sender(f->config, policies, cases[i].user, &a, f, &unknown);

		if (strcmp(policy_name(p), cases[i].policy) != 0)
			fail_msg("%s: %s", cases[i].address, policy_name(p));
		assert_null(unknown);
	}
}

static void domain_sections_hold_what_they_say(void **state)
{
	static const struct {
		const char *route;
		bool good;
	} routes[] = {
		{ "mx.example.net", true }, { "mx.example.net:25", true }, { "[192.0.2.25]", true }, { "[192.0.2.25]:2526", true }, { "[2001:db8::1]:25", true }, { "[mx.example.net]:465", true },
		{ "", true }, { "mx:", false }, { "mx:0", false }, { "mx:65536", false }, { "mx:x", false }, { "[mx", false }, { "[]", false }, { "[]:25", false }, { ":25", false },
		{ "[192.0.2.25]25", false }, { "mx example", false }, { "user@mx", false }, { "smtp://mx", false },
	};
	static const char *const bad_names[] = { "a..example", ".example", "-a.example", "a-.example", "a b.example", "user@a.example", "*.example", "[192.0.2.1]", "a/b", "." };
	struct fixture *f = *state;
	const struct domain *d;

	load(f, "\ndomain \"A.Example.\" { policy = x  route = \"[192.0.2.25]:25\"  recipients = \"inline:anna@a.example\"  block_senders = \"inline:b@c\" }\npolicy x { }\ndomain \"b.example\" { }\n");
	assert_true(config_has_domains(f->config));
	d = config_domain(f->config, "a.example");
	assert_string_equal(d->name, "a.example");
	assert_string_equal(policy_name(d->policy), "x");
	assert_string_equal(d->route, "[192.0.2.25]:25");
	assert_string_equal(table_spec(d->recipients), "inline:anna@a.example");
	assert_string_equal(table_spec(d->block_senders), "inline:b@c");
	assert_null(d->allow_senders);
	assert_int_equal(d->line, 2);
	d = config_domain(f->config, "b.example");
	assert_ptr_equal(d->policy, config_default_policy(f->config));
	assert_string_equal(d->route, "");
	assert_null(d->recipients);
	assert_null(config_domain(f->config, "c.example"));
	assert_null(config_domain(f->config, ""));
	for (size_t i = 0; i < COUNT(routes); i++) {
		char *text = talloc_asprintf(f, "domain \"a.example\" { route = \"%s\" }\n", routes[i].route);

		if (routes[i].good)
			load(f, text);
		else
			refused(f, text, 1, "domain.route: ");
	}
	for (size_t i = 0; i < COUNT(bad_names); i++)
		refused(f, talloc_asprintf(f, "domain \"%s\" { }\n", bad_names[i]), 1, "is no domain");
	load(f, "domain \"m\xc3\xbcller.example\" { }\ndomain \"_x.1-2.example\" { }\ndomain \"local\" { }\n");
}

/* ---- life */

static void *take_and_drop(void *config)
{
	for (int i = 0; i < 20000; i++) {
		struct config *mine = config_ref(config);

		if (setting_int(config_default_policy(mine), &type_rows[T_INT]) != 7)
			abort();
		config_unref(mine);
	}
	config_unref(config);
	return NULL;
}

static void the_last_reference_frees_whichever_thread_holds_it(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[4];
	struct config *config;

	load(f, "types { int = 7  table = \"inline:a\" }\n");
	config = f->config;
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_drop, config_ref(config)), 0);
	config_unref(config);
	f->config = NULL;
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_option_comes_from_the_policy_then_default_then_top_level_then_built_in, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_stands_directly_in_a_policy_is_inherited_too, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lists_of_a_policy_are_not_those_of_the_top_level, set_up, tear_down),
		cmocka_unit_test_setup_teardown(options_of_global_scope_are_the_same_in_every_policy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_limit_is_short_for_the_options_of_its_class, set_up, tear_down),
		cmocka_unit_test_setup_teardown(class_rules_are_inherited_attribute_by_attribute, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_a_file_every_class_has_its_default_action, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_action_that_a_class_may_have_is_taken_and_no_other, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_policy_that_keeps_no_copies_refuses_instead, set_up, tear_down),
		cmocka_unit_test_setup_teardown(thresholds_must_not_contradict_each_other, set_up, tear_down),
		cmocka_unit_test_setup_teardown(policies_that_say_the_same_have_one_fingerprint, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_fingerprint_outlives_a_reload_that_changes_only_what_all_share, set_up, tear_down),
		cmocka_unit_test_setup_teardown(recipients_are_asked_by_address_then_domain_then_section, set_up, tear_down),
		cmocka_unit_test_setup_teardown(senders_are_asked_by_user_then_address_then_domain_then_section, set_up, tear_down),
		cmocka_unit_test_setup_teardown(domain_sections_hold_what_they_say, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_last_reference_frees_whichever_thread_holds_it, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
