/* test_geoip.c - files that are replaced, cut, removed and renamed while addresses are looked up */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <talloc.h>

#include "geoip_help.h"
#include "net/geoip.h"

struct world {
	struct log *log;
	struct geoip *geoip;
};

static struct geoip_options files(const char *country, const char *asn)
{
	return (struct geoip_options){ .path = { country, asn }, .still = true };
}

static void begin(struct world *w, const char *country, const char *asn)
{
	struct log_options options = { .target = at("log"), .ident = "t", .level = LOG_LEVEL_INFO };
	struct geoip_options paths = files(country, asn);
	char *error;

	unlink(at("log"));
	assert_int_equal(log_open(&options, &w->log, &error), 0);
	assert_int_equal(geoip_open(&paths, w->log, &w->geoip, &error), 0);
	assert_null(error);
}

static void end(struct world *w)
{
	geoip_close(w->geoip);
	log_close(w->log);
}

/* How many lines of the log hold that text? */
static int said(struct world *w, const char *text)
{
	char line[2000];
	int n = 0;
	FILE *f;

	log_flush(w->log);
	f = fopen(at("log"), "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		n += strstr(line, text) != NULL;
	fclose(f);
	return n;
}

/* "NL 64500", of 192.0.2.1 */
static const char *known(struct geoip *geoip)
{
	static char text[40];
	struct geoip_facts facts;
	struct ip ip;

	ip_parse("192.0.2.1", &ip);
	memset(&facts, 'x', sizeof(facts));
	geoip_find(geoip, &ip, &facts);
	snprintf(text, sizeof(text), "%s %u", facts.country, (unsigned)facts.asn);
	return text;
}

static void look_twice(struct world *w)
{
	geoip_look(w->geoip);
	geoip_look(w->geoip);
}

static void both_files_answer_together(void **state)
{
	struct world w;

	(void)state;
	made("c", "country", "'192.0.2.0/24 NL'");
	made("a", "asn", "'192.0.2.0/24 64500 A'");
	begin(&w, at("c"), at("a"));
	assert_string_equal(known(w.geoip), "NL 64500");
	assert_int_equal(said(&w, "geoip.country: "), 1);
	end(&w);
	begin(&w, at("c"), "");
	assert_string_equal(known(w.geoip), "NL 0");
	end(&w);
	begin(&w, "", "");
	assert_string_equal(known(w.geoip), " 0");
	end(&w);
	assert_string_equal(known(NULL), " 0");
	geoip_close(NULL);
}

static void a_file_that_cannot_be_used_is_an_error_at_the_start(void **state)
{
	struct geoip_options paths = files(made("c", "country", "'192.0.2.0/24 NL'"), at("none"));
	struct geoip *geoip;
	char *error;

	(void)state;
	assert_int_equal(geoip_open(&paths, NULL, &geoip, &error), -ENOENT);
	assert_null(geoip);
	assert_non_null(strstr(error, "none: No such file"));
	talloc_free(error);
}

static void a_new_version_counts_when_two_looks_have_seen_it_unchanged(void **state)
{
	struct world w;

	(void)state;
	begin(&w, made("c", "country", "'192.0.2.0/24 NL'"), "");
	look_twice(&w);
	assert_int_equal(said(&w, "read anew"), 0);
	/* renamed into place */
	made("new", "country", "'192.0.2.0/24 DE'");
	assert_int_equal(rename(at("new"), at("c")), 0);
	geoip_look(w.geoip);
	assert_string_equal(known(w.geoip), "NL 0");
	geoip_look(w.geoip);
	assert_string_equal(known(w.geoip), "DE 0");
	/* it grows while it is looked at */
	made("c", "country", "'192.0.2.0/24 FR'");
	geoip_look(w.geoip);
	made("c", "country", "'192.0.2.0/24 FR' '198.51.100.0/24 NL'");
	geoip_look(w.geoip);
	assert_string_equal(known(w.geoip), "DE 0");
	geoip_look(w.geoip);
	assert_string_equal(known(w.geoip), "FR 0");
	look_twice(&w);
	assert_int_equal(said(&w, "read anew"), 2);
	end(&w);
}

static void a_bad_version_is_said_once_and_the_old_one_stays(void **state)
{
	struct world w;
	size_t size;
	char *bytes;

	(void)state;
	begin(&w, made("c", "country", "'192.0.2.0/24 NL'"), made("a", "asn", "'192.0.2.0/24 64500 A'"));
	/* cut in place: what was read is in memory of our own */
	bytes = slurp(at("c"), &size);
	assert_int_equal(truncate(at("c"), (off_t)size / 2), 0);
	assert_string_equal(known(w.geoip), "NL 64500");
	for (int i = 0; i < 5; i++)
		geoip_look(w.geoip);
	assert_string_equal(known(w.geoip), "NL 64500");
	assert_int_equal(said(&w, "in force stays GeoLite2-Country of "), 1);
	/* the wrong kind of file */
	made("a", "country", "'192.0.2.0/24 NL'");
	look_twice(&w);
	look_twice(&w);
	assert_int_equal(said(&w, "no record in it tells a network"), 1);
	assert_string_equal(known(w.geoip), "NL 64500");
	/* good again */
	spill(at("c"), bytes, size);
	look_twice(&w);
	assert_int_equal(said(&w, "read anew"), 1);
	free(bytes);
	end(&w);
}

static void a_file_that_goes_is_said_once_and_missed_by_nobody(void **state)
{
	struct world w;

	(void)state;
	begin(&w, made("c", "country", "'192.0.2.0/24 NL'"), "");
	unlink(at("c"));
	for (int i = 0; i < 5; i++)
		geoip_look(w.geoip);
	assert_string_equal(known(w.geoip), "NL 0");
	assert_int_equal(said(&w, "cannot be read any more: No such file"), 1);
	made("c", "country", "'192.0.2.0/24 DE'");
	look_twice(&w);
	assert_string_equal(known(w.geoip), "DE 0");
	unlink(at("c"));
	look_twice(&w);
	assert_int_equal(said(&w, "cannot be read any more"), 2);
	end(&w);
}

static void a_reload_reads_at_once_and_takes_other_files(void **state)
{
	struct geoip_options paths;
	struct world w;

	(void)state;
	begin(&w, made("c", "country", "'192.0.2.0/24 NL'"), "");
	/* the same file, another version */
	made("c", "country", "'192.0.2.0/24 DE' '198.51.100.0/24 DE'");
	paths = files(at("c"), "");
	geoip_change(w.geoip, &paths);
	assert_string_equal(known(w.geoip), "DE 0");
	/* others */
	made("other", "country", "'192.0.2.0/24 BE'");
	made("a", "asn", "'192.0.2.0/24 64500 A'");
	paths = files(at("other"), at("a"));
	geoip_change(w.geoip, &paths);
	assert_string_equal(known(w.geoip), "BE 64500");
	/* one that cannot be used: the one before stays, and is watched */
	paths = files(at("none"), "");
	geoip_change(w.geoip, &paths);
	assert_string_equal(known(w.geoip), "BE 0");
	assert_int_equal(said(&w, "none: No such file or directory; in force stays GeoLite2-Country"), 1);
	made("other", "country", "'192.0.2.0/24 LU'");
	look_twice(&w);
	assert_string_equal(known(w.geoip), "LU 0");
	/* none */
	paths = files("", "");
	geoip_change(w.geoip, &paths);
	assert_string_equal(known(w.geoip), " 0");
	look_twice(&w);
	end(&w);
}

static atomic_bool over;

static void *ask(void *arg)
{
	while (!atomic_load(&over)) {
		struct geoip_facts facts;
		struct ip ip;

		ip_parse("192.0.2.1", &ip);
		geoip_find(arg, &ip, &facts);
		if (strcmp(facts.country, "NL") != 0 && strcmp(facts.country, "DE") != 0)
			return arg;
	}
	return NULL;
}

static void look_ups_go_on_while_files_are_swapped(void **state)
{
	pthread_t threads[3];
	struct world w;

	(void)state;
	made("one", "country", "'192.0.2.0/24 NL'");
	made("two", "country", "'192.0.2.0/24 DE'");
	begin(&w, at("one"), "");
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask, w.geoip), 0);
	for (int i = 0; i < 300; i++) {
		struct geoip_options paths = files(at(i % 2 == 0 ? "two" : "one"), "");

		geoip_change(w.geoip, &paths);
	}
	atomic_store(&over, true);
	for (int i = 0; i < 3; i++) {
		void *wrong;

		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_files_answer_together),
		cmocka_unit_test(a_file_that_cannot_be_used_is_an_error_at_the_start),
		cmocka_unit_test(a_new_version_counts_when_two_looks_have_seen_it_unchanged),
		cmocka_unit_test(a_bad_version_is_said_once_and_the_old_one_stays),
		cmocka_unit_test(a_file_that_goes_is_said_once_and_missed_by_nobody),
		cmocka_unit_test(a_reload_reads_at_once_and_takes_other_files),
		cmocka_unit_test(look_ups_go_on_while_files_are_swapped),
	};

	return cmocka_run_group_tests(tests, folder_made, folder_removed);
}
