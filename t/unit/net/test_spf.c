/* test_spf.c - results of check_host() by the sections of RFC 7208: a zone, questions, what they must give; whatever the order in which answers come */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "unit/net/spf_play.h"

static void domains_that_cannot_be_asked_for_give_none(void **state)
{
	static const char zone[] = "d.example TXT v=spf1 -all\n" "xn--d-0fa.example TXT v=spf1 exists:%{d}.ok.example -all\nxn--d-0fa.example.ok.example A 127.0.0.2\n" "[192.0.2.9] TXT v=spf1 -all\nlocalhost TXT v=spf1 -all\n";
	static const struct question questions[] = {
		{ V4, "a@d.example", SPF_FAIL, "-all" },
		{ V4, "a@D.EXAMPLE", SPF_FAIL, "-all" },
		{ V4, "a@d.example.", SPF_FAIL, "-all" },
		{ V4, "a@d.example..", SPF_NONE },
		{ V4, "@d.example", SPF_FAIL },
		{ V4, "\"a@b\"@d.example", SPF_FAIL },
		{ V4, "a@localhost", SPF_NONE },
		{ V4, "a@[192.0.2.9]", SPF_NONE },
		{ V4, "a@a..d.example", SPF_NONE },
		{ V4, "a@.d.example", SPF_NONE },
		{ V4, "a@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.d.example", SPF_NONE },
		{ V4, "a@d .example", SPF_NONE },
		{ V4, "a@d\xc3\xa4.example", SPF_PASS },      /* U-labels are asked for as A-labels (section 4.3) */
		{ V4, "a@d\xff.example", SPF_NONE },
		{ V4, "a@", SPF_NONE },
		{ V4, "", SPF_FAIL, "-all", "d.example" },
		{ V4, "", SPF_NONE, "", "localhost" },
		{ V4, "", SPF_NONE, "", "[192.0.2.9]" },
		{ V4, "", SPF_NONE, "", "" },
		{ "unknown", "a@d.example", SPF_NONE },
	};

	(void)state;
	PLAY(zone, questions);
}

static void the_record_is_selected_by_its_version(void **state)
{
	static const char zone[] =
		"none.example A 192.0.2.1\n" "other.example TXT hello\n" "ten.example TXT v=spf10 -all\n" "tab.example TXT v=spf1\\x09-all\n" "joined.example TXT v=spf1-all\n"
		"two.example TXT v=spf1 -all\ntwo.example TXT V=SPF1 +all\n" "same.example TXT v=spf1 -all\nsame.example TXT v=spf1 -all\n"
		"mixed.example TXT v=spf10 +all\nmixed.example TXT \\xff\\xfe\\x01binary\nmixed.example TXT v=spf1 -all\nmixed.example TXT google-site-verification=x\n"
		"case.example TXT V=SpF1 -ALL\n" "bare.example TXT v=spf1\n" "blank.example TXT v=spf1   -all   \n" "bytes.example TXT v=spf1 a:\\xe9.example -all\n" "ctrl.example TXT v=spf1 x=\\x01 +all\n"
		"alias.example CNAME case.example\n" "loop.example CNAME loop.example\n" "fails.example TXT !fail\n" "silent.example TXT !late\n";
	static const struct question questions[] = {
		{ V4, "a@missing.example", SPF_NONE },
		{ V4, "a@none.example", SPF_NONE },
		{ V4, "a@other.example", SPF_NONE },
		{ V4, "a@ten.example", SPF_NONE },
		{ V4, "a@tab.example", SPF_NONE },
		{ V4, "a@joined.example", SPF_NONE },
		{ V4, "a@two.example", SPF_PERMERROR },
		{ V4, "a@same.example", SPF_PERMERROR },
		{ V4, "a@mixed.example", SPF_FAIL },
		{ V4, "a@case.example", SPF_FAIL, "-ALL" },
		{ V4, "a@bare.example", SPF_NEUTRAL, "" },
		{ V4, "a@blank.example", SPF_FAIL },
		{ V4, "a@bytes.example", SPF_PERMERROR },
		{ V4, "a@ctrl.example", SPF_PERMERROR },
		{ V4, "a@alias.example", SPF_FAIL },
		{ V4, "a@loop.example", SPF_TEMPERROR },
		{ V4, "a@fails.example", SPF_TEMPERROR },
		{ V4, "a@silent.example", SPF_TEMPERROR },
	};

	(void)state;
	PLAY(zone, questions);
}

static void terms_are_evaluated_from_left_to_right(void **state)
{
	static const char zone[] =
		"q.example TXT v=spf1 ?ip4:192.0.2.1 ~ip4:192.0.2.2 -ip4:192.0.2.3 +ip4:192.0.2.4 ip4:192.0.2.5\n"
		"first.example TXT v=spf1 ip4:192.0.2.0/24 -all\n" "after.example TXT v=spf1 -all ip4:192.0.2.0/24\n" "syntax.example TXT v=spf1 ip4:192.0.2.0/24 -all foo\n"
		"syntax2.example TXT v=spf1 +all ip4:1.2.3\n" "unasked.example TXT v=spf1 ip4:192.0.2.0/24 a:fails.example include:missing.example -all\n" "fails.example * !fail\n"
		"nodir.example TXT v=spf1 moo=bar\n" "mods.example TXT v=spf1 x=%{d} -all y= y=\n" "badmod.example TXT v=spf1 x=%{d -all\n";
	static const struct question questions[] = {
		{ "192.0.2.1", "a@q.example", SPF_NEUTRAL, "?ip4:192.0.2.1" },
		{ "192.0.2.2", "a@q.example", SPF_SOFTFAIL, "~ip4:192.0.2.2" },
		{ "192.0.2.3", "a@q.example", SPF_FAIL, "-ip4:192.0.2.3" },
		{ "192.0.2.4", "a@q.example", SPF_PASS, "+ip4:192.0.2.4" },
		{ "192.0.2.5", "a@q.example", SPF_PASS, "ip4:192.0.2.5" },
		{ "192.0.2.6", "a@q.example", SPF_NEUTRAL, "" },
		{ V4, "a@first.example", SPF_PASS },
		{ V4, "a@after.example", SPF_FAIL, "-all" },
		{ V4, "a@syntax.example", SPF_PERMERROR },
		{ V4, "a@syntax2.example", SPF_PERMERROR },
		{ V4, "a@unasked.example", SPF_PASS },
		{ "198.51.100.1", "a@unasked.example", SPF_TEMPERROR },
		{ V4, "a@nodir.example", SPF_NEUTRAL },
		{ V4, "a@mods.example", SPF_FAIL },
		{ V4, "a@badmod.example", SPF_PERMERROR },
	};

	(void)state;
	PLAY(zone, questions);
}

static void networks_match_their_own_family(void **state)
{
	static const char zone[] =
		"n4.example TXT v=spf1 ip4:192.0.2.128/25 ip4:198.51.100.7 -all\n" "n6.example TXT v=spf1 ip6:2001:db8:1::/48 ip6:2001:db8::7 -all\n"
		"zero4.example TXT v=spf1 ip4:1.2.3.4/0 -all\n" "zero6.example TXT v=spf1 ip6:::1/0 -all\n" "host.example TXT v=spf1 ip4:192.0.2.77/24 -all\n"
		"mapped.example TXT v=spf1 ip6:::ffff:192.0.2.1 -all\n" "odd6.example TXT v=spf1 ip6:2001:db8:8000::/33 ~all\n" "one4.example TXT v=spf1 -ip4:128.0.0.0/1 +all\n";
	static const struct question questions[] = {
		{ "192.0.2.127", "a@n4.example", SPF_FAIL },
		{ "192.0.2.128", "a@n4.example", SPF_PASS, "ip4:192.0.2.128/25" },
		{ "198.51.100.7", "a@n4.example", SPF_PASS, "ip4:198.51.100.7" },
		{ "198.51.100.8", "a@n4.example", SPF_FAIL },
		{ "::ffff:198.51.100.7", "a@n4.example", SPF_PASS },
		{ V6, "a@n4.example", SPF_FAIL },
		{ "2001:db8:1:ffff::", "a@n6.example", SPF_PASS },
		{ "2001:db8:2::", "a@n6.example", SPF_FAIL },
		{ "2001:db8::7", "a@n6.example", SPF_PASS },
		{ V4, "a@n6.example", SPF_FAIL },
		{ V4, "a@zero4.example", SPF_PASS, "ip4:1.2.3.4/0" },
		{ V6, "a@zero4.example", SPF_FAIL },
		{ V6, "a@zero6.example", SPF_PASS, "ip6:::1/0" },
		{ V4, "a@zero6.example", SPF_FAIL },
		{ V4, "a@host.example", SPF_PASS },
		{ V4, "a@mapped.example", SPF_FAIL },
		{ "::ffff:192.0.2.1", "a@mapped.example", SPF_FAIL },
		{ "2001:db8:8001::", "a@odd6.example", SPF_PASS },
		{ "2001:db8:7fff::", "a@odd6.example", SPF_SOFTFAIL },
		{ "128.0.0.1", "a@one4.example", SPF_FAIL },
		{ "127.0.0.1", "a@one4.example", SPF_PASS, "+all" },
		{ "127.0.0.1", "a@n4.example", SPF_FAIL },
		{ "::1", "a@n6.example", SPF_FAIL },
	};

	(void)state;
	PLAY(zone, questions);
}

static void a_matches_addresses_of_the_name(void **state)
{
	static const char zone[] =
		"a.example TXT v=spf1 a -all\na.example A 192.0.2.1\na.example A 192.0.2.9\na.example AAAA 2001:db8::1\n"
		"b.example TXT v=spf1 a:a.example/24//64 -all\n" "c.example TXT v=spf1 a:a.example//64 -all\n" "zero.example TXT v=spf1 a:a.example/0//0 -all\n" "void0.example TXT v=spf1 a:missing.example/0//0 -all\n"
		"alias.example TXT v=spf1 a:www.alias.example ~all\nwww.alias.example CNAME a.example\n" "fails.example TXT v=spf1 a:sf.example -all\nsf.example * !fail\n" "silent.example TXT v=spf1 a:sl.example -all\nsl.example * !late\n"
		"dead.example TXT v=spf1 a:missing.example -all\n" "long.example TXT v=spf1 a:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example -all\n" "empty.example TXT v=spf1 a:x..example -all\n"
		"dot.example TXT v=spf1 a:a.example. -all\n" "six.example TXT v=spf1 a:only6.example -all\nonly6.example AAAA 2001:db8::1\nonly6.example AAAA ::ffff:192.0.2.1\n";
	static const struct question questions[] = {
		{ V4, "x@a.example", SPF_PASS, "a" },
		{ "192.0.2.9", "x@a.example", SPF_PASS },
		{ "192.0.2.2", "x@a.example", SPF_FAIL },
		{ V6, "x@a.example", SPF_PASS },
		{ "2001:db8::2", "x@a.example", SPF_FAIL },
		{ "192.0.2.200", "x@b.example", SPF_PASS, "a:a.example/24//64" },
		{ "192.0.3.200", "x@b.example", SPF_FAIL },
		{ "2001:db8::ffff", "x@b.example", SPF_PASS },
		{ "2001:db8:0:1::", "x@b.example", SPF_FAIL },
		{ "192.0.2.2", "x@c.example", SPF_FAIL },
		{ "203.0.113.1", "x@zero.example", SPF_PASS },
		{ "fe80::1", "x@zero.example", SPF_PASS },
		{ "203.0.113.1", "x@void0.example", SPF_FAIL },
		{ "fe80::1", "x@void0.example", SPF_FAIL },
		{ V4, "x@alias.example", SPF_PASS },
		{ V4, "x@fails.example", SPF_TEMPERROR },
		{ V4, "x@silent.example", SPF_TEMPERROR },
		{ V4, "x@dead.example", SPF_FAIL },
		{ V4, "x@long.example", SPF_FAIL },
		{ V4, "x@empty.example", SPF_FAIL },
		{ V4, "x@dot.example", SPF_PASS },
		{ V4, "x@six.example", SPF_FAIL },
		{ V6, "x@six.example", SPF_PASS },
	};

	(void)state;
	PLAY(zone, questions);
}

static void mx_matches_addresses_of_mail_hosts(void **state)
{
	static const char zone[] =
		"m.example TXT v=spf1 mx -all\nm.example MX 20 h2.example\nm.example MX 10 h1.example\nm.example A 192.0.2.99\nh1.example A 192.0.2.1\nh2.example A 192.0.2.2\nh2.example AAAA 2001:db8::2\n"
		"net.example TXT v=spf1 ~mx:m.example/24//64 -all\n" "null.example TXT v=spf1 mx -all\nnull.example MX 0 .\nnull.example A 192.0.2.1\n" "nomx.example TXT v=spf1 mx -all\nnomx.example A 192.0.2.1\n"
		"ten.example TXT v=spf1 mx -all\n" "ten.example MX 1 h1.example\nten.example MX 2 h1.example\nten.example MX 3 h1.example\nten.example MX 4 h1.example\nten.example MX 5 h1.example\n"
		"ten.example MX 6 h1.example\nten.example MX 7 h1.example\nten.example MX 8 h1.example\nten.example MX 9 h1.example\nten.example MX 10 h2.example\n"
		"eleven.example TXT v=spf1 mx -all\neleven.example MX 1 h1.example\neleven.example MX 2 h1.example\neleven.example MX 3 h1.example\neleven.example MX 4 h1.example\neleven.example MX 5 h1.example\n"
		"eleven.example MX 6 h1.example\neleven.example MX 7 h1.example\neleven.example MX 8 h1.example\neleven.example MX 9 h1.example\neleven.example MX 10 h2.example\neleven.example MX 11 h2.example\n"
		"sick.example TXT v=spf1 mx -all\nsick.example MX 10 sf.example\nsick.example MX 20 h1.example\nsf.example * !fail\n" "fails.example TXT v=spf1 mx:sf.example -all\n"
		"dangling.example TXT v=spf1 mx -all\ndangling.example MX 1 x1.example\ndangling.example MX 2 x2.example\ndangling.example MX 3 h1.example\n"
		"dangling3.example TXT v=spf1 mx -all\ndangling3.example MX 1 x1.example\ndangling3.example MX 2 x2.example\ndangling3.example MX 3 x3.example\n"
		"odd.example TXT v=spf1 mx -all\nodd.example MX 10 bad..name\nodd.example MX 20 h1.example.\n";
	static const struct question questions[] = {
		{ "192.0.2.1", "x@m.example", SPF_PASS, "mx" },
		{ "192.0.2.2", "x@m.example", SPF_PASS },
		{ "192.0.2.99", "x@m.example", SPF_FAIL },
		{ "2001:db8::2", "x@m.example", SPF_PASS },
		{ "192.0.2.200", "x@net.example", SPF_SOFTFAIL, "~mx:m.example/24//64" },
		{ "2001:db8::99", "x@net.example", SPF_SOFTFAIL },
		{ V4, "x@null.example", SPF_FAIL },
		{ V4, "x@nomx.example", SPF_FAIL },
		{ "192.0.2.2", "x@ten.example", SPF_PASS },
		{ "192.0.2.1", "x@eleven.example", SPF_PERMERROR },
		{ "192.0.2.1", "x@sick.example", SPF_TEMPERROR },
		{ V4, "x@fails.example", SPF_TEMPERROR },
		{ "192.0.2.1", "x@dangling.example", SPF_PASS },
		{ "192.0.2.1", "x@dangling3.example", SPF_PERMERROR },
		{ "192.0.2.1", "x@odd.example", SPF_PASS },
	};

	(void)state;
	PLAY(zone, questions);
}

static void ptr_matches_validated_names_and_never_fails_by_itself(void **state)
{
	static const char zone[] =
		"p.example TXT v=spf1 ptr -all\n" "o.example TXT v=spf1 ptr:p.example ?all\n" "1.2.0.192.in-addr.arpa PTR mail.p.example\nmail.p.example A 192.0.2.1\n" "2.2.0.192.in-addr.arpa PTR MAIL.P.EXAMPLE.\n"
		"3.2.0.192.in-addr.arpa PTR xp.example\nxp.example A 192.0.2.3\n" "4.2.0.192.in-addr.arpa PTR p.example\np.example A 192.0.2.4\n" "5.2.0.192.in-addr.arpa PTR !fail\n" "6.2.0.192.in-addr.arpa PTR !late\n"
		"7.2.0.192.in-addr.arpa PTR sf.p.example\n7.2.0.192.in-addr.arpa PTR good.p.example\nsf.p.example A !fail\ngood.p.example A 192.0.2.7\n"
		"8.2.0.192.in-addr.arpa PTR n1.p.example\n8.2.0.192.in-addr.arpa PTR n2.p.example\n8.2.0.192.in-addr.arpa PTR n3.p.example\n8.2.0.192.in-addr.arpa PTR n4.p.example\n"
		"9.2.0.192.in-addr.arpa PTR a1.other\n9.2.0.192.in-addr.arpa PTR a2.other\n9.2.0.192.in-addr.arpa PTR a3.other\n9.2.0.192.in-addr.arpa PTR a4.other\n9.2.0.192.in-addr.arpa PTR a5.other\n"
		"9.2.0.192.in-addr.arpa PTR a6.other\n9.2.0.192.in-addr.arpa PTR a7.other\n9.2.0.192.in-addr.arpa PTR a8.other\n9.2.0.192.in-addr.arpa PTR a9.other\n9.2.0.192.in-addr.arpa PTR a10.other\n"
		"9.2.0.192.in-addr.arpa PTR eleven.p.example\neleven.p.example A 192.0.2.9\n"
		"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR six.p.example\nsix.p.example AAAA 2001:db8::1\n";
	static const struct question questions[] = {
		{ "192.0.2.1", "x@p.example", SPF_PASS, "ptr" },
		{ "192.0.2.1", "x@o.example", SPF_PASS, "ptr:p.example" },
		{ "192.0.2.2", "x@p.example", SPF_FAIL },
		{ "192.0.2.3", "x@p.example", SPF_FAIL },
		{ "192.0.2.4", "x@p.example", SPF_PASS },
		{ "192.0.2.5", "x@p.example", SPF_FAIL },
		{ "192.0.2.6", "x@p.example", SPF_FAIL },
		{ "192.0.2.7", "x@p.example", SPF_PASS },
		{ "192.0.2.8", "x@p.example", SPF_FAIL },
		{ "192.0.2.9", "x@p.example", SPF_FAIL },
		{ "192.0.2.10", "x@p.example", SPF_FAIL },
		{ V6, "x@p.example", SPF_PASS },
	};

	(void)state;
	PLAY(zone, questions);
}

static void include_matches_when_the_other_passes(void **state)
{
	static const char zone[] =
		"pass.example TXT v=spf1 +all\nfail.example TXT v=spf1 -all\nsoft.example TXT v=spf1 ~all\nneut.example TXT v=spf1 ?all\nopen.example TXT v=spf1\nbad.example TXT v=spf1 foo\n"
		"two.example TXT v=spf1\ntwo.example TXT v=spf1\nsf.example TXT !fail\nhas.example A 192.0.2.1\n"
		"ip.example TXT v=spf1 include:pass.example -all\n" "if.example TXT v=spf1 include:fail.example ~all\n" "is.example TXT v=spf1 include:soft.example ~all\n" "in.example TXT v=spf1 include:neut.example ~all\n"
		"io.example TXT v=spf1 include:open.example ~all\n" "ib.example TXT v=spf1 include:bad.example ~all\n" "i2.example TXT v=spf1 include:two.example ~all\n" "it.example TXT v=spf1 include:sf.example ~all\n"
		"inone.example TXT v=spf1 include:has.example ~all\n" "inx.example TXT v=spf1 include:missing.example ~all\n" "iminus.example TXT v=spf1 -include:pass.example +all\n" "isoft.example TXT v=spf1 ~include:pass.example +all\n"
		"ilabel.example TXT v=spf1 include:%{h} +all\n" "deep.example TXT v=spf1 include:ip.example -all\n" "order.example TXT v=spf1 include:if.example include:ip.example -all\n"
		"loop.example TXT v=spf1 include:loop.example ~all\n" "loopa.example TXT v=spf1 include:loopb.example ~all\nloopb.example TXT v=spf1 include:loopa.example ~all\n"
		"self.example TXT v=spf1 ip4:192.0.2.1 include:self.example ~all\n" "inred.example TXT v=spf1 include:red.example -all\nred.example TXT v=spf1 redirect=pass.example\n";
	static const struct question questions[] = {
		{ V4, "x@ip.example", SPF_PASS, "include:pass.example" },
		{ V4, "x@if.example", SPF_SOFTFAIL, "~all" },
		{ V4, "x@is.example", SPF_SOFTFAIL },
		{ V4, "x@in.example", SPF_SOFTFAIL },
		{ V4, "x@io.example", SPF_SOFTFAIL },
		{ V4, "x@ib.example", SPF_PERMERROR },
		{ V4, "x@i2.example", SPF_PERMERROR },
		{ V4, "x@it.example", SPF_TEMPERROR },
		{ V4, "x@inone.example", SPF_PERMERROR },
		{ V4, "x@inx.example", SPF_PERMERROR },
		{ V4, "x@iminus.example", SPF_FAIL, "-include:pass.example" },
		{ V4, "x@isoft.example", SPF_SOFTFAIL },
		{ V4, "x@ilabel.example", SPF_PERMERROR, NULL, "localhost" },
		{ V4, "x@deep.example", SPF_PASS },
		{ V4, "x@order.example", SPF_PASS, "include:ip.example" },
		{ V4, "x@loop.example", SPF_PERMERROR },
		{ V4, "x@loopa.example", SPF_PERMERROR },
		{ V4, "x@self.example", SPF_PASS, "ip4:192.0.2.1" },
		{ "192.0.2.2", "x@self.example", SPF_PERMERROR },
		{ V4, "x@inred.example", SPF_PASS },
	};

	(void)state;
	PLAY(zone, questions);
}

static void redirect_comes_last_and_only_without_all(void **state)
{
	static const char zone[] =
		"t.example TXT v=spf1 a:%{d} -all\nt.example A 192.0.2.1\n" "r.example TXT v=spf1 redirect=t.example\nr.example A 192.0.2.2\n" "early.example TXT v=spf1 redirect=t.example ip4:192.0.2.7\n"
		"all.example TXT v=spf1 redirect=t.example ?all\n" "all2.example TXT v=spf1 ?all redirect=sf.example\n" "none.example TXT v=spf1 redirect=missing.example\n" "empty.example TXT v=spf1 redirect=a-only.example\na-only.example A 192.0.2.1\n"
		"sf.example TXT !fail\nfails.example TXT v=spf1 redirect=sf.example\n" "bad.example TXT v=spf1 redirect=syntax.example\nsyntax.example TXT v=spf1 foo\n" "chain.example TXT v=spf1 redirect=r.example\n"
		"loop.example TXT v=spf1 redirect=loop.example\n" "mac.example TXT v=spf1 redirect=%{l}.%{d}\nbob.mac.example TXT v=spf1 ~all\n" "twice.example TXT v=spf1 redirect=t.example redirect=t.example\n"
		"inv.example TXT v=spf1 redirect=%{h}\n" "exp.example TXT v=spf1 -all exp=sf.example\n";
	static const struct question questions[] = {
		{ V4, "x@r.example", SPF_PASS, "a:%{d}" },
		{ "192.0.2.2", "x@r.example", SPF_FAIL },
		{ "192.0.2.7", "x@early.example", SPF_PASS, "ip4:192.0.2.7" },
		{ V4, "x@early.example", SPF_PASS, "a:%{d}" },
		{ V4, "x@all.example", SPF_NEUTRAL, "?all" },
		{ V4, "x@all2.example", SPF_NEUTRAL },
		{ V4, "x@none.example", SPF_PERMERROR },
		{ V4, "x@empty.example", SPF_PERMERROR },
		{ V4, "x@fails.example", SPF_TEMPERROR },
		{ V4, "x@bad.example", SPF_PERMERROR },
		{ V4, "x@chain.example", SPF_PASS },
		{ V4, "x@loop.example", SPF_PERMERROR },
		{ V4, "bob@mac.example", SPF_SOFTFAIL },
		{ V4, "eve@mac.example", SPF_PERMERROR },
		{ V4, "x@twice.example", SPF_PERMERROR },
		{ V4, "x@inv.example", SPF_PERMERROR, NULL, "localhost" },
		{ V4, "x@exp.example", SPF_FAIL },
	};

	(void)state;
	PLAY(zone, questions);
}

static void exists_and_macros_make_the_names(void **state)
{
	static const char zone[] =
		"e.example TXT v=spf1 exists:%{i}._spf.%{d} -all\n192.0.2.1._spf.e.example A 127.0.0.2\n2.0.0.1.0.d.b.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1._spf.e.example A 127.0.0.2\n"
		"six.example TXT v=spf1 exists:aaaa-only.example -all\naaaa-only.example AAAA 2001:db8::1\n" "l.example TXT v=spf1 exists:%{lr-}.%{v}.u.%{d} ~all\nb.a.in-addr.u.l.example A 127.0.0.2\n"
		"h.example TXT v=spf1 exists:%{h2}.h.%{o} -all\nclient.example.h.h.example A 127.0.0.2\n" "s.example TXT v=spf1 exists:%{S}.%{d} -all\nx%40s.example.s.example A 127.0.0.2\n"
		"in.example TXT v=spf1 include:cur.example -all\ncur.example TXT v=spf1 exists:%{d}.%{o}.check -all\ncur.example.in.example.check A 127.0.0.2\n"
		"p.example TXT v=spf1 exists:%{p}.p.check -all\n1.2.0.192.in-addr.arpa PTR other.example\n1.2.0.192.in-addr.arpa PTR mail.p.example\nmail.p.example A 192.0.2.1\nother.example A 192.0.2.1\nmail.p.example.p.check A 127.0.0.2\n"
		"unknown.p.check A 127.0.0.2\n" "q.example TXT v=spf1 exists:%{p}.q.check -all\nother.example.q.check A 127.0.0.2\n" "blank.example TXT v=spf1 exists:a%_b%%.%{d} -all\na\\x20b%.blank.example A 127.0.0.2\n"
		"sf.example TXT v=spf1 exists:fails.example -all\nfails.example A !fail\n" "slash.example TXT v=spf1 exists:%{l}.%{d} -all\na\\x5cb.slash.example TXT never\n";
	static const struct question questions[] = {
		{ V4, "x@e.example", SPF_PASS, "exists:%{i}._spf.%{d}" },
		{ "192.0.2.2", "x@e.example", SPF_FAIL },
		{ V6, "x@e.example", SPF_PASS },
		{ V6, "x@six.example", SPF_FAIL },
		{ V4, "a-b@l.example", SPF_PASS },
		{ V4, "a-c@l.example", SPF_SOFTFAIL },
		{ V4, "x@h.example", SPF_PASS },
		{ V4, "x@s.example", SPF_PASS },
		{ V4, "y@s.example", SPF_FAIL },
		{ V4, "x@in.example", SPF_PASS },
		{ V4, "x@p.example", SPF_PASS },
		{ "192.0.2.2", "x@p.example", SPF_PASS },
		{ V4, "x@q.example", SPF_PASS },
		{ V4, "x@blank.example", SPF_PASS },
		{ V4, "x@sf.example", SPF_TEMPERROR },
		{ V4, "a\\b@slash.example", SPF_FAIL },
	};

	(void)state;
	PLAY(zone, questions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domains_that_cannot_be_asked_for_give_none),
		cmocka_unit_test(the_record_is_selected_by_its_version),
		cmocka_unit_test(terms_are_evaluated_from_left_to_right),
		cmocka_unit_test(networks_match_their_own_family),
		cmocka_unit_test(a_matches_addresses_of_the_name),
		cmocka_unit_test(mx_matches_addresses_of_mail_hosts),
		cmocka_unit_test(ptr_matches_validated_names_and_never_fails_by_itself),
		cmocka_unit_test(include_matches_when_the_other_passes),
		cmocka_unit_test(redirect_comes_last_and_only_without_all),
		cmocka_unit_test(exists_and_macros_make_the_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
