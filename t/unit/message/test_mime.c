/* test_mime.c - the structure of messages: what counts as a part, what is partial, what hostile nesting costs */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <talloc.h>

#include "message/mime.h"

#define ALL 1000

static int setup(void **state)
{
	(void)state;
	mime_init();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mime_shutdown();
	return 0;
}

struct text {
	FILE *f;
	char *data;
	size_t len;
};

static void text_begin(struct text *t)
{
	t->f = open_memstream(&t->data, &t->len);
	assert_non_null(t->f);
}

static struct mime *text_parse(struct text *t, size_t parts_max, size_t depth_max)
{
	struct mime *mime;

	fclose(t->f);
	mime = mime_parse(NULL, t->data, t->len, parts_max, depth_max);
	assert_non_null(mime);
	free(t->data);
	return mime;
}

struct structure {
	const char *what, *message;
	const char *parts;               /* "depth type/subtype" of each, with blanks between */
	bool partial;
};

#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n\r\n"

static const struct structure structures[] = {
	{ "nothing at all", "", "0text/plain", false },
	{ "a header block without end", "Subject: x", "0text/plain", false },
	{ "no Content-Type", "Subject: x\r\n\r\nhello\r\n", "0text/plain", false },
	{ "HTML", "Content-Type: text/html\r\n\r\n<p>\r\n", "0text/html", false },
	{ "text that looks like parts", "Content-Type: text/plain; boundary=b\r\n\r\n--b\r\nContent-Type: message/partial\r\n\r\n--b--\r\n", "0text/plain", false },
	{ "two leaves", MIXED "--b\r\n\r\none\r\n--b\r\nContent-Type: text/html\r\n\r\ntwo\r\n--b--\r\n", "0multipart/mixed 1text/plain 1text/html", false },
	{ "bare LF as line ends", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n", "0multipart/mixed 1text/plain", false },
	{ "blanks after the delimiter", MIXED "--b \t\r\n\r\none\r\n--b-- \r\n--b\r\n\r\nx", "0multipart/mixed 1text/plain", false },
	{ "no closing delimiter", MIXED "--b\r\n\r\none\r\n--b\r\n\r\ntwo", "0multipart/mixed 1text/plain 1text/plain", false },
	{ "an empty last part", MIXED "--b\r\n", "0multipart/mixed 1text/plain", false },
	{ "preamble and epilogue are no parts", MIXED "Content-Type: message/partial\r\n\r\n--b\r\n\r\none\r\n--b--\r\nContent-Type: message/partial\r\n\r\n--b\r\n\r\n",
		"0multipart/mixed 1text/plain", false },
	{ "a multipart without boundary", "Content-Type: multipart/mixed\r\n\r\n--\r\n\r\n--b\r\n\r\n", "0multipart/mixed", false },
	{ "a boundary that begins like another", MIXED "--b\r\nContent-Type: multipart/alternative; boundary=bb\r\n\r\n--bb\r\n\r\n--bb--\r\n--b\r\n\r\n--b--\r\n",
		"0multipart/mixed 1multipart/alternative 2text/plain 1text/plain", false },
	{ "an inner multipart that the outer delimiter ends", MIXED "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--b\r\n\r\n--c\r\n\r\n",
		"0multipart/mixed 1multipart/mixed 2text/plain 1text/plain", false },
	{ "a boundary that closes like another opens", "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: multipart/mixed; boundary=\"x--\"\r\n\r\n--x--\r\n\r\n--x----\r\n--x\r\n\r\n",
		"0multipart/mixed 1multipart/mixed 2text/plain 1text/plain", false },
	{ "an attached message", MIXED "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\nContent-Type: text/html\r\n\r\n<p>\r\n--b--\r\n",
		"0multipart/mixed 1message/rfc822 2text/html", false },
	{ "an attached message with parts", MIXED "--b\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\n--c--\r\n\r\n--b\r\n\r\n",
		"0multipart/mixed 1message/rfc822 2multipart/mixed 3text/plain 1text/plain", false },
	{ "an attached message without a byte", MIXED "--b\r\nContent-Type: message/rfc822\r\n\r\n--b--\r\n", "0multipart/mixed 1message/rfc822", false },
	{ "an attached message in base64 is a leaf", MIXED "--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nContent-Type: message/partial\r\n\r\n",
		"0multipart/mixed 1message/rfc822", false },
	{ "base64 on a multipart hides nothing", "Content-Transfer-Encoding: base64\r\n" MIXED "--b\r\nContent-Type: message/partial; id=1\r\n\r\n--b--\r\n",
		"0multipart/mixed 1message/partial", true },
	{ "a message that is only a message", "Content-Type: message/rfc822\r\n\r\nContent-Type: message/rfc822\r\n\r\nx: y\r\n\r\n", "0message/rfc822 1message/rfc822 2text/plain", false },
	{ "a digest", "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: x\r\n\r\nhi\r\n--b\r\nContent-Type: text/plain\r\n\r\n--b--\r\n",
		"0multipart/digest 1message/rfc822 2text/plain 1text/plain", false },
	{ "a part that is nothing but a header block", MIXED "--b\r\nContent-Type: text/html\r\n--b\r\nContent-Type: text/css\r\n--b--\r\n", "0multipart/mixed 1text/html 1text/css", false },
	{ "lines that are no fields do not end the block", MIXED "--b\r\nno field\r\nContent-Type: message/partial\r\n\r\n", "0multipart/mixed 1message/partial", true },
	{ "a closing delimiter does not end the block", MIXED "--b\r\n--b--\r\nContent-Type: message/partial\r\n\r\n", "0multipart/mixed 1message/partial", true },
	{ "a delimiter in the header block's fold", MIXED "--b\r\nSubject: x\r\n --b\r\n\r\n", "0multipart/mixed 1text/plain", false },

	{ "partial at the top", "Content-Type: message/partial; id=\"a@b\"; number=1; total=2\r\n\r\nx\r\n", "0message/partial", true },
	{ "partial in capitals, a blank before the colon", "CONTENT-TYPE : MESSAGE/PARTIAL\r\n\r\n", "0message/partial", true },
	{ "partial with comments", "Content-Type: (a) message (b;c) / (d(e)) partial (f); id=1\r\n\r\n", "0message/partial", true },
	{ "partial in a folded field", "Content-Type:\r\n message/partial;\r\n\tid=1\r\n\r\n", "0message/partial", true },
	{ "partial with parameters split by RFC 2231", "Content-Type: message/partial; id*0=a; id*1=b; number*=''1\r\n\r\n", "0message/partial", true },
	{ "partial in the second Content-Type", "Content-Type: text/plain\r\nContent-Type: message/partial; id=1\r\n\r\n", "0text/plain", true },
	{ "partial before the second Content-Type", "Content-Type: message/partial; id=1\r\nContent-Type: text/plain\r\n\r\n", "0message/partial", true },
	{ "partial in an attached message", "Content-Type: message/rfc822\r\n\r\nContent-Type: message/partial\r\n\r\n", "0message/rfc822 1message/partial", true },
	{ "partial in the body only", "Content-Type: text/plain\r\n\r\nContent-Type: message/partial\r\n", "0text/plain", false },
	{ "partial in another field only", "Subject: Content-Type: message/partial\r\nX-Content-Type: message/partial\r\n\r\n", "0text/plain", false },
	{ "partially is another type", "Content-Type: message/partially\r\n\r\n", "0message/partially", false },
	{ "partial of something else", "Content-Type: text/partial\r\n\r\n", "0text/partial", false },

	{ "two Content-Type fields, a part behind the second one's boundary", "Content-Type: multipart/mixed; boundary=a\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/partial\r\n\r\n--a--\r\n",
		"0multipart/mixed 1message/partial", true },
	{ "a multipart that only the second field announces", "Content-Type: text/plain\r\n" MIXED "--b\r\n\r\n", "0text/plain 1text/plain", false },
	{ "two boundaries in one field, the first is used", "Content-Type: multipart/mixed; boundary=a; boundary=b\r\n\r\n--a\r\nContent-Type: message/partial\r\n\r\n", "0multipart/mixed 1message/partial", true },
	{ "two boundaries in one field, the second is used", "Content-Type: multipart/mixed; boundary=a; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: message/partial\r\n\r\n",
		"0multipart/mixed 1message/partial", true },
};

static void parts_are_found_where_mail_programs_see_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(structures) / sizeof(structures[0]); i++) {
		const struct structure *s = &structures[i];
		size_t len = strlen(s->message);
		char *exact = malloc(len ? len : 1);      /* so that a sanitizer sees every byte read too far */
		struct mime *mime;
		char *got;

		memcpy(exact, s->message, len);
		mime = mime_parse(NULL, exact, len, ALL, ALL);
		free(exact);
		assert_non_null(mime);
		got = talloc_strdup(mime, "");
		for (size_t k = 0; k < mime->n_parts; k++)
			got = talloc_asprintf_append(got, "%s%u%s/%s", k ? " " : "", mime->parts[k].depth, mime->parts[k].type.type, mime->parts[k].type.subtype);
		if (strcmp(got, s->parts) != 0 || mime->partial != s->partial || mime->too_many || mime->too_deep)
			fail_msg("%s: \"%s\"%s instead of \"%s\"%s", s->what, got, mime->partial ? " partial" : "", s->parts, s->partial ? " partial" : "");
		talloc_free(mime);
	}
}

static void nothing_but_the_result_stays_allocated(void **state)
{
	TALLOC_CTX *root = talloc_new(NULL);
	struct mime *mime = mime_parse(root, structures[5].message, strlen(structures[5].message), ALL, ALL);
	size_t blocks = talloc_total_blocks(root);

	(void)state;
	assert_true(blocks < 20);
	talloc_free(mime);
	assert_int_equal(talloc_total_blocks(root), 1);
	talloc_free(root);
}

static struct mime *leaves(size_t n, size_t parts_max)
{
	struct text t;

	text_begin(&t);
	fputs(MIXED, t.f);
	for (size_t i = 0; i < n; i++)
		fputs("--b\r\nContent-Type: text/plain\r\n\r\nx\r\n", t.f);
	fputs("--b--\r\n", t.f);
	return text_parse(&t, parts_max, ALL);
}

static void a_hundred_parts_pass_and_one_more_is_too_many(void **state)
{
	struct mime *mime;

	(void)state;
	mime = leaves(99, 100);
	assert_int_equal(mime->n_parts, 100);
	assert_false(mime->too_many);
	talloc_free(mime);
	mime = leaves(100, 100);
	assert_int_equal(mime->n_parts, 101);
	assert_true(mime->too_many);
	talloc_free(mime);
	mime = leaves(10000, 100);
	assert_int_equal(mime->n_parts, 101);
	assert_true(mime->too_many);
	talloc_free(mime);
}

static void children_of_attached_messages_count(void **state)
{
	(void)state;
	for (size_t max = 6; max <= 7; max++) {
		struct text t;
		struct mime *mime;

		text_begin(&t);
		fputs(MIXED, t.f);
		for (int i = 0; i < 3; i++)
			fputs("--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ny\r\n", t.f);
		mime = text_parse(&t, max, ALL);
		assert_int_equal(mime->n_parts, 7);
		assert_int_equal(mime->too_many, max == 6);
		talloc_free(mime);
	}
}

/* Levels of multiparts or messages around one text. */
static struct mime *levels(size_t n, bool multipart, const char *inside, size_t depth_max)
{
	struct text t;

	text_begin(&t);
	for (size_t i = 0; i < n; i++) {
		if (multipart)
			fprintf(t.f, "Content-Type: multipart/mixed; boundary=b%zu\r\n\r\n--b%zu\r\n", i, i);
		else
			fputs("Content-Type: message/rfc822\r\n\r\n", t.f);
	}
	fputs(inside, t.f);
	return text_parse(&t, 1000000, depth_max);
}

static void levels_down_to_the_limit_are_looked_at(void **state)
{
	(void)state;
	for (int multipart = 0; multipart < 2; multipart++) {
		struct mime *mime = levels(50, multipart, "Content-Type: message/partial\r\n\r\n", 50);

		assert_int_equal(mime->n_parts, 51);
		assert_int_equal(mime->parts[50].depth, 50);
		assert_true(mime->partial);
		assert_false(mime->too_deep);
		talloc_free(mime);
		mime = levels(51, multipart, "Content-Type: message/partial\r\n\r\n", 50);
		assert_int_equal(mime->n_parts, 51);
		assert_false(mime->partial);
		assert_true(mime->too_deep);
		talloc_free(mime);
	}
}

static void what_follows_levels_that_are_too_deep_is_seen(void **state)
{
	struct text t;
	struct mime *mime;

	(void)state;
	text_begin(&t);
	fputs(MIXED "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\n--c--\r\n--b\r\nContent-Type: message/partial\r\n\r\n", t.f);
	mime = text_parse(&t, ALL, 1);
	assert_int_equal(mime->n_parts, 3);
	assert_true(mime->too_deep);
	assert_true(mime->partial);
	talloc_free(mime);
}

/* In a thread with a small stack: if it recursed for each level, or kept something for each line, it would not come back. */
/* cmocka cannot fail in a second thread: it says what does not hold. */
#define HOLDS(x) do { if (!(x)) return (void *)(uintptr_t)#x; } while (0)
static void *hostile(void *arg)
{
	struct mime *mime;
	struct text t;

	(void)arg;
	for (int multipart = 0; multipart < 2; multipart++) {
		mime = levels(100000, multipart, "", 50);
		HOLDS(mime->n_parts == 51);
		HOLDS(mime->too_deep);
		talloc_free(mime);
		mime = levels(100000, multipart, "Subject: inside\r\n\r\n", SIZE_MAX);
		HOLDS(mime->n_parts == 1001);
		HOLDS(mime->parts[1000].depth == 1000);
		HOLDS(mime->too_deep);
		talloc_free(mime);
	}
	mime = leaves(1000000, 100);
	HOLDS(mime->n_parts == 101);
	talloc_free(mime);

	text_begin(&t);
	fputs(MIXED "--b\r\n", t.f);
	for (int i = 0; i < 3000000; i++)
		fputs("c:\n", t.f);
	mime = text_parse(&t, 100, 50);
	HOLDS(mime->n_parts == 2);
	HOLDS(talloc_total_size(mime) < 10000);
	talloc_free(mime);

	text_begin(&t);
	for (int i = 0; i < 50; i++)
		fprintf(t.f, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i);
	fputs("\r\n", t.f);
	for (int i = 0; i < 3000000; i++)
		fputs("--\n", t.f);
	mime = text_parse(&t, 100, 50);
	HOLDS(mime->n_parts == 51);
	talloc_free(mime);

	text_begin(&t);
	for (int i = 0; i < 200000; i++)
		fputs("Content-Type: multipart/mixed; boundary=b\r\n", t.f);
	fputs("Content-Type: message/partial\r\n\r\n", t.f);
	mime = text_parse(&t, 100, 50);
	HOLDS(mime->n_parts == 1);
	HOLDS(mime->partial);
	HOLDS(talloc_total_size(mime) < 10000);
	talloc_free(mime);
	return NULL;
}
#undef HOLDS

static void hostile_nesting_needs_neither_stack_nor_memory(void **state)
{
	pthread_attr_t attr;
	pthread_t thread;
	void *broken = NULL;

	(void)state;
	pthread_attr_init(&attr);
	assert_int_equal(pthread_attr_setstacksize(&attr, 256 * 1024), 0);
	assert_int_equal(pthread_create(&thread, &attr, hostile, NULL), 0);
	pthread_join(thread, &broken);
	pthread_attr_destroy(&attr);
	if (broken != NULL)
		fail_msg("%s does not hold", (const char *)broken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_found_where_mail_programs_see_them),
		cmocka_unit_test(nothing_but_the_result_stays_allocated),
		cmocka_unit_test(a_hundred_parts_pass_and_one_more_is_too_many),
		cmocka_unit_test(children_of_attached_messages_count),
		cmocka_unit_test(levels_down_to_the_limit_are_looked_at),
		cmocka_unit_test(what_follows_levels_that_are_too_deep_is_seen),
		cmocka_unit_test(hostile_nesting_needs_neither_stack_nor_memory),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
