/* test_smtp_client.c - the client against servers of every kind: each conversation is a script */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "net/smtp_client.h"
#include "util/clock.h"

#include "unit/net/smtp_script.h"

#define EHLO "<EHLO us.example"
#define OFFERS ">250-mx.example\r\n250-PIPELINING\r\n250-size 1000000\r\n250-8BITMIME\r\n250-\r\n250-SMTPUTF8\r\n250 HELP\r\n"

static struct smtp_script script;

static struct smtp_client *begin(const char *const *steps, const struct smtp_limits *limits)
{
	struct smtp_client *c = smtp_new(limits);

	script_begin(&script, steps);
	assert_non_null(c);
	return c;
}

static int connected(struct smtp_client *c)
{
	struct ip ip;

	assert_true(ip_parse("127.0.0.1", &ip));
	return smtp_connect(c, &ip, script.port);
}

static void end(struct smtp_client *c)
{
	const char *wrong;

	smtp_free(c);
	wrong = script_end(&script);
	if (wrong != NULL)
		fail_msg("the server wanted \"%s\", and heard \"%s\"", wrong, script.heard);
}

#define ASSERT_SAYS(call, n) do { assert_int_equal((call), 0); assert_int_equal(smtp_reply(c)->code, (n)); } while (0)
#define ASSERT_FAILS(call, e) do { int got = (call); if (got != (e)) fail_msg("%d (%s) instead of %d", got, smtp_error(c), (e)); assert_true(strlen(smtp_error(c)) > 10); } while (0)

/* Says hello to a server that has just greeted. */
static void greet(struct smtp_client *c)
{
	ASSERT_SAYS(connected(c), 220);
	ASSERT_SAYS(smtp_hello(c, "us.example"), 250);
}

static void a_message_goes_over_as_it_is(void **state)
{
	static const char *const steps[] = { ">220 mx.example ESMTP\r\n", EHLO, OFFERS, "<MAIL FROM:<bob@sender.example> SIZE=120 BODY=8BITMIME", ">250 2.1.0 Ok\r\n",
		"<RCPT TO:<anna@example.com>", ">250 2.1.5 Ok\r\n", "<RCPT TO:<\"a b\\\"c\"@example.com>", ">550-5.1.1 no\r\n550 5.1.1 such user\r\n", "<DATA", ">354 go on\r\n", "m",
		">250 2.0.0 Ok: queued as ABC\r\n", "<QUIT", ">221 2.0.0 Bye\r\n", NULL };
	static const char message[] = "Subject: x\r\n\r\n.\r\n..two\r\nbare\n.lf\ncr\rstays\r.\r\n\344\0nul\r\nno end";
	static const char stuffed[] = "Subject: x\r\n\r\n..\r\n...two\r\nbare\r\n..lf\r\ncr\rstays\r.\r\n\344\0nul\r\nno end\r\n.\r\n";
	const struct smtp_mail mail = { .size = 120, .eight_bit = true };

	(void)state;
	/* pieces of every length */
	for (size_t piece = 1; piece < sizeof(message); piece++) {
		struct smtp_client *c = begin(steps, NULL);

		greet(c);
		assert_string_equal(smtp_offer(c, "SIZE"), "1000000");
		assert_string_equal(smtp_offer(c, "smtputf8"), "");
		assert_null(smtp_offer(c, "SMTPUTF"));
		assert_null(smtp_offer(c, "mx.example"));
		ASSERT_SAYS(smtp_mail(c, "bob@sender.example", &mail), 250);
		assert_string_equal(smtp_reply(c)->xcode, "2.1.0");
		ASSERT_SAYS(smtp_rcpt(c, "anna@example.com"), 250);
		ASSERT_SAYS(smtp_rcpt(c, "\"a b\\\"c\"@example.com"), 550);
		assert_string_equal(smtp_reply(c)->text, "no\nsuch user");
		ASSERT_SAYS(smtp_data(c), 354);
		for (size_t at = 0; at < sizeof(message) - 1; at += piece)
			assert_int_equal(smtp_write(c, message + at, sizeof(message) - 1 - at < piece ? sizeof(message) - 1 - at : piece), 0);
		ASSERT_SAYS(smtp_end(c), 250);
		assert_string_equal(smtp_reply(c)->text, "Ok: queued as ABC");
		ASSERT_SAYS(smtp_quit(c), 221);
		assert_int_equal(script.message_len, sizeof(stuffed) - 1);
		assert_memory_equal(script.message, stuffed, sizeof(stuffed) - 1);
		end(c);
	}
}

static void a_large_message_goes_over(void **state)
{
	static const char *const steps[] = { ">220 x\r\n", EHLO, ">250 x\r\n", "<MAIL FROM:<>", ">250 x\r\n", "<RCPT TO:<a@b>", ">250 x\r\n", "<DATA", ">354 x\r\n", "m", ">250 x\r\n",
		"<RSET", ">250 x\r\n", NULL };
	const struct smtp_mail mail = { .size = 5, .eight_bit = true, .utf8 = true };
	struct smtp_client *c = begin(steps, NULL);
	size_t lines = 200000;

	(void)state;
	greet(c);
	ASSERT_SAYS(smtp_mail(c, "", &mail), 250);           /* nothing of it is offered */
	ASSERT_SAYS(smtp_rcpt(c, "a@b"), 250);
	ASSERT_SAYS(smtp_data(c), 354);
	for (size_t i = 0; i < lines; i++)
		assert_int_equal(smtp_write(c, ".line\n", 6), 0);
	ASSERT_SAYS(smtp_end(c), 250);
	ASSERT_SAYS(smtp_reset(c), 250);
	assert_int_equal(script.message_len, lines * 8 + 3);
	end(c);
}

static void an_empty_message_ends_with_its_dot(void **state)
{
	static const char *const steps[] = { ">220 x\r\n", EHLO, ">250 x\r\n", "<DATA", ">354 x\r\n", "<.", ">250 x\r\n", NULL };
	struct smtp_client *c = begin(steps, NULL);

	(void)state;
	greet(c);
	ASSERT_SAYS(smtp_data(c), 354);
	ASSERT_SAYS(smtp_end(c), 250);
	end(c);
}

static void helo_is_said_where_ehlo_is_not_known(void **state)
{
	static const char *const steps[] = { ">220 x\r\n", EHLO, ">502 5.5.1 what\r\n", "<HELO us.example", ">250 SIZE\r\n", "<MAIL FROM:<a@b>", ">250 x\r\n", NULL };
	const struct smtp_mail mail = { .size = 5 };
	struct smtp_client *c = begin(steps, NULL);

	(void)state;
	greet(c);
	assert_null(smtp_offer(c, "SIZE"));
	ASSERT_SAYS(smtp_mail(c, "a@b", &mail), 250);
	end(c);
}

static void a_server_that_cannot_now_is_no_error(void **state)
{
	static const char *const steps[] = { ">421 4.3.2 too busy\r\n", NULL };
	static const char *const later[] = { ">220 x\r\n", EHLO, ">421 4.3.2 too busy\r\n", NULL };
	struct smtp_client *c = begin(steps, NULL);

	(void)state;
	ASSERT_SAYS(connected(c), 421);
	end(c);
	c = begin(later, NULL);
	ASSERT_SAYS(connected(c), 220);
	ASSERT_SAYS(smtp_hello(c, "us.example"), 421);
	ASSERT_FAILS(smtp_rcpt(c, "a@b"), -ECONNRESET);
	end(c);
}

static void addresses_that_are_not_ascii_need_smtputf8(void **state)
{
	static const char *const with[] = { ">220 x\r\n", EHLO, OFFERS, "<MAIL FROM:<b\303\266b@x> BODY=8BITMIME SMTPUTF8", ">250 x\r\n", "<RCPT TO:<\303\244@x>", ">250 x\r\n", NULL };
	static const char *const without[] = { ">220 x\r\n", EHLO, ">250-x\r\n250 8BITMIME\r\n", "<MAIL FROM:<bob@x>", ">250 x\r\n", "<RCPT TO:<anna@x>", ">250 x\r\n", NULL };
	const struct smtp_mail mail = { 0 };
	struct smtp_client *c = begin(with, NULL);

	(void)state;
	greet(c);
	ASSERT_SAYS(smtp_mail(c, "b\303\266b@x", &mail), 250);
	ASSERT_SAYS(smtp_rcpt(c, "\303\244@x"), 250);
	end(c);
	c = begin(without, NULL);
	greet(c);
	ASSERT_FAILS(smtp_mail(c, "b\303\266b@x", &mail), -EOPNOTSUPP);
	ASSERT_SAYS(smtp_mail(c, "bob@x", &mail), 250);
	ASSERT_FAILS(smtp_rcpt(c, "\303\244@x"), -EOPNOTSUPP);
	ASSERT_SAYS(smtp_rcpt(c, "anna@x"), 250);
	end(c);
}

static void no_address_ends_its_command(void **state)
{
	static const char *const bad[] = { "a@b>\r\nRCPT TO:<c@d", "a@b\n", "a@b\rc", "a b@c", "a@b>", "<a@b", "a@b\177", "\"a@b", "\"a\\\"@b", "\"a\r\n\"@b", "\"a\\\r\"@b", "a@b\tc" };
	static const char *const steps[] = { ">220 x\r\n", EHLO, OFFERS, "<RCPT TO:<fine@b>", ">250 x\r\n", NULL };
	const struct smtp_mail mail = { 0 };
	struct smtp_client *c = begin(steps, NULL);
	char longest[1100];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	greet(c);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ASSERT_FAILS(smtp_rcpt(c, bad[i]), -EINVAL);
		ASSERT_FAILS(smtp_mail(c, bad[i], &mail), -EINVAL);
	}
	ASSERT_FAILS(smtp_rcpt(c, longest), -EINVAL);
	ASSERT_SAYS(smtp_rcpt(c, "fine@b"), 250);
	end(c);
}

static void our_name_ends_no_command_either(void **state)
{
	static const char *const steps[] = { ">220 x\r\n", "<EHLO localhost", ">250 x\r\n", NULL };
	struct smtp_client *c = begin(steps, NULL);

	(void)state;
	ASSERT_SAYS(connected(c), 220);
	ASSERT_SAYS(smtp_hello(c, "x\r\nMAIL FROM:<>"), 250);
	end(c);
}

/* ---- servers that mean no good */

static const struct smtp_limits hasty = { .step = { 300, 300, 300, 300, 300, 300, 300 } };

/* A server that never greets properly; how long it was waited for. */
static int64_t not_greeted(const char *step, int error, const struct smtp_limits *limits)
{
	const char *const steps[] = { step, NULL };
	struct smtp_client *c = begin(steps, limits);
	int64_t start = clock_mono();

	ASSERT_FAILS(connected(c), error);
	ASSERT_FAILS(smtp_hello(c, "us.example"), error);
	start = clock_mono() - start;
	smtp_free(c);
	script_end(&script);
	return start / 1000;
}

static void a_server_that_is_silent_drips_floods_or_closes_is_given_up_in_time(void **state)
{
	const struct smtp_limits total = { .total = 400 };

	(void)state;
	assert_in_range(not_greeted("wait", -ETIMEDOUT, &hasty), 290, 5000);
	assert_in_range(not_greeted("drip", -ETIMEDOUT, &hasty), 290, 5000);
	assert_in_range(not_greeted("wait", -ETIMEDOUT, &total), 390, 5000);
	assert_in_range(not_greeted("flood", -EMSGSIZE, &hasty), 0, 290);
	assert_in_range(not_greeted("reset", -ECONNRESET, &hasty), 0, 290);
	assert_in_range(not_greeted(">", -ECONNRESET, &hasty), 0, 290);
	assert_in_range(not_greeted(">220 ", -ECONNRESET, &hasty), 0, 290);
	assert_in_range(not_greeted(">SSH-2.0-OpenSSH_9.2p1\r\n", -EPROTO, &hasty), 0, 290);
}

static void nobody_listens(void **state)
{
	static const char *const steps[] = { NULL };
	struct smtp_client *c = begin(steps, &hasty);
	struct ip ip = { 0 };
	uint16_t port = script.port;

	(void)state;
	script_end(&script);
	assert_int_equal(smtp_connect(c, &ip, port), -EAFNOSUPPORT);
	assert_true(ip_parse("127.0.0.1", &ip));
	ASSERT_FAILS(smtp_connect(c, &ip, port), -ECONNREFUSED);
	assert_non_null(strstr(smtp_error(c), "127.0.0.1:"));
	/* and another address may be tried */
	script_begin(&script, (const char *const[]){ ">220 x\r\n", NULL });
	ASSERT_SAYS(connected(c), 220);
	end(c);
}

static void words_out_of_turn_are_taken_for_no_answer(void **state)
{
	static const char *const twice[] = { ">220 x\r\n250 x\r\n", "wait", NULL };
	static const char *const goes[] = { ">220 x\r\n421 4.3.2 going down\r\n", "wait", NULL };
	struct smtp_client *c = begin(twice, &hasty);

	(void)state;
	ASSERT_SAYS(connected(c), 220);
	ASSERT_FAILS(smtp_hello(c, "us.example"), -EPROTO);
	end(c);
	c = begin(goes, &hasty);
	ASSERT_SAYS(connected(c), 220);
	ASSERT_SAYS(smtp_hello(c, "us.example"), 421);
	end(c);
}

static void a_server_that_takes_no_more_is_not_waited_for(void **state)
{
	static const char *const steps[] = { ">220 x\r\n", EHLO, ">250 x\r\n", "<DATA", ">354 x\r\n", "wait", NULL };
	struct smtp_client *c = begin(steps, &hasty);
	int64_t start;
	char block[4096] = { 'x' };
	int r = 0;

	(void)state;
	greet(c);
	ASSERT_SAYS(smtp_data(c), 354);
	start = clock_mono();
	for (int i = 0; i < 100000 && r == 0; i++)
		r = smtp_write(c, block, sizeof(block));
	assert_int_equal(r, -ETIMEDOUT);
	assert_true(clock_mono() - start < 10000000);
	ASSERT_FAILS(smtp_end(c), -ETIMEDOUT);
	end(c);
}

static void a_refusal_in_the_middle_of_the_message_is_the_answer(void **state)
{
	static const char *const steps[] = { ">220 x\r\n", EHLO, ">250 x\r\n", "<DATA", ">354 x\r\n", "some", ">552 5.3.4 too large\r\n", "wait", NULL };
	struct smtp_client *c = begin(steps, NULL);
	char block[4096] = { 'x' };

	(void)state;
	greet(c);
	ASSERT_SAYS(smtp_data(c), 354);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(smtp_write(c, block, sizeof(block)), 0);
	ASSERT_SAYS(smtp_end(c), 552);
	assert_string_equal(smtp_reply(c)->xcode, "5.3.4");
	assert_int_equal(smtp_reset(c), -ENOTCONN);
	end(c);
}

static void no_word_on_the_message_is_an_error(void **state)
{
	static const char *const closes[] = { ">220 x\r\n", EHLO, ">250 x\r\n", "<DATA", ">354 x\r\n", "m", NULL };
	static const char *const silent[] = { ">220 x\r\n", EHLO, ">250 x\r\n", "<DATA", ">354 x\r\n", "m", "wait", NULL };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct smtp_client *c = begin(i == 0 ? closes : silent, &hasty);

		greet(c);
		ASSERT_SAYS(smtp_data(c), 354);
		assert_int_equal(smtp_write(c, "x", 1), 0);
		ASSERT_FAILS(smtp_end(c), i == 0 ? -ECONNRESET : -ETIMEDOUT);
		end(c);
	}
}

static void urls_name_a_host_and_a_port(void **state)
{
	static const struct { const char *url, *host; uint16_t port; } good[] = {
		{ "smtp://127.0.0.1:10026", "127.0.0.1", 10026 }, { "smtp://mx.example.com", "mx.example.com", 25 }, { "SMTP://[::1]:2525", "::1", 2525 }, { "smtp://[2001:db8::1]", "2001:db8::1", 25 },
		{ "smtp://localhost:25/", "localhost", 25 }, { "smtp://a:65535", "a", 65535 },
	};
	static const char *const bad[] = { "", "smtp://", "smtp:127.0.0.1", "127.0.0.1:25", "lmtp://a", "smtp://a:", "smtp://a:0", "smtp://a:65536", "smtp://a:99999999999999999999", "smtp://a:25x",
		"smtp://a:-1", "smtp://a b", "smtp://::1", "smtp://[::1", "smtp://[127.0.0.1]", "smtp://[::1]x", "smtp://a/x", "smtp://user@a", "smtp://[]" };
	TALLOC_CTX *mem = talloc_new(NULL);
	uint16_t port;
	char *host;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(smtp_url_parse(mem, good[i].url, &host, &port));
		assert_string_equal(host, good[i].host);
		assert_int_equal(port, good[i].port);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (smtp_url_parse(mem, bad[i], &host, &port))
			fail_msg("%s was taken", bad[i]);
	talloc_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_goes_over_as_it_is),
		cmocka_unit_test(a_large_message_goes_over),
		cmocka_unit_test(an_empty_message_ends_with_its_dot),
		cmocka_unit_test(helo_is_said_where_ehlo_is_not_known),
		cmocka_unit_test(a_server_that_cannot_now_is_no_error),
		cmocka_unit_test(addresses_that_are_not_ascii_need_smtputf8),
		cmocka_unit_test(no_address_ends_its_command),
		cmocka_unit_test(our_name_ends_no_command_either),
		cmocka_unit_test(a_server_that_is_silent_drips_floods_or_closes_is_given_up_in_time),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(words_out_of_turn_are_taken_for_no_answer),
		cmocka_unit_test(a_server_that_takes_no_more_is_not_waited_for),
		cmocka_unit_test(a_refusal_in_the_middle_of_the_message_is_the_answer),
		cmocka_unit_test(no_word_on_the_message_is_an_error),
		cmocka_unit_test(urls_name_a_host_and_a_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
