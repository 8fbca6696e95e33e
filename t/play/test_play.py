# test_play.py - the player's own test: what must hold holds, and what is wrong is reported as wrong
import os
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import catalogue                                           # noqa: E402
import daemon                                              # noqa: E402
import dialogue                                            # noqa: E402
import message                                             # noqa: E402
import play                                                # noqa: E402
import player                                              # noqa: E402
import wire                                                # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
CLASSES = catalogue.load()
GO = 'connect 203.0.113.7 mail.spammer.example\nhelo mail.spammer.example\nmail <a@spammer.example>\n'
ONE = GO + 'rcpt <ok@example.com>\nsend\n'


def reply_packet(text):
	return wire.reply_text(text.encode() + b'\0')


class Texts(unittest.TestCase):
	def test_escapes_make_raw_bytes(self):
		self.assertEqual(message.expand(r'a\x00\xEF\t\\b'), b'a\x00\xef\t\\b')
		self.assertEqual(message.expand(r'x\repeat(3,ab\n)y'), b'xab\r\nab\r\nab\r\ny')
		self.assertEqual(message.expand(r'\repeat(2,\repeat(2,(x)))'), b'(x)(x)(x)(x)')
		self.assertEqual(message.expand('\u00fc'), b'\xc3\xbc')
		for bad in (r'\q', r'\x1', r'\repeat(3', r'\repeat(x,y)', r'\date(7)', '\\'):
			with self.assertRaises(message.TextError, msg=bad):
				message.expand(bad)

	def test_dates_are_relative_and_zones_keep_the_instant(self):
		with mock.patch('time.time', return_value=1764064800.0):
			self.assertEqual(message.date(), 'Tue, 25 Nov 2025 10:00:00 +0000')
			self.assertEqual(message.date('+8d1h'), 'Wed, 03 Dec 2025 11:00:00 +0000')
			self.assertEqual(message.date('-7d', '-1130'), 'Mon, 17 Nov 2025 22:30:00 -1130')
			self.assertEqual(message.date('0', 'EST'), 'Tue, 25 Nov 2025 10:00:00 EST')

	def test_a_draft_is_a_clean_message_unless_told_otherwise(self):
		d = message.Draft('bob@a.example')
		fields, body = message.read_as('postfix', d.bytes())
		self.assertEqual([n for n, _ in fields], [b'From', b'To', b'Subject', b'Date', b'Message-ID'])
		self.assertIn(b'bob@a.example', fields[0][1])
		self.assertTrue(body.startswith(b'Hi Anna,\r\n\r\n'))
		d.header('Subject: one')
		d.header('SUBJECT: two')
		d.left_out.add('date')
		fields, _ = message.read_as('postfix', d.bytes())
		self.assertEqual(fields[-2:], [(b'Subject', b' one'), (b'SUBJECT', b' two')])
		self.assertEqual(len(fields), 5)

	def test_postfix_and_sendmail_read_a_message_differently(self):
		raw = b'A: b\0c\r\n d\r\nX\xff: y\r\nB: c\r\n\r\nbody'
		self.assertEqual(message.read_as('postfix', raw), ([(b'A', b' b')], b'X\xff: y\r\nB: c\r\n\r\nbody'))
		self.assertEqual(message.read_as('sendmail', raw), ([(b'A', b' bc\n d'), (b'X\xff', b' y'), (b'B', b' c')], b'body'))
		self.assertEqual(message.read_as('postfix', b'A: b\nB: c\rd\n\nx\n'), ([(b'A', b' b'), (b'B', b' c d')], b'x\r\n'))
		with self.assertRaises(message.MtaRefuses):
			message.read_as('sendmail', b'A: b\nB: c\r\n\r\n')
		with self.assertRaises(message.MtaRefuses):
			message.read_as('sendmail', b'A: ' + b'x' * 33000 + b'\r\n\r\n')
		self.assertEqual(len(message.read_as('postfix', b'A: ' + b'x' * 70000 + b'\r\n\r\n')[0][0][1]), 60000)

	def test_changes_are_applied_one_after_the_other(self):
		fields = [(b'A', b' %d' % i) for i in range(1, 5)]
		down = [wire.Mod('m', 'a', '', i) for i in (3, 2)]
		self.assertEqual(message.delivered(fields, down), [('A', ' 1'), ('A', ' 4')])
		self.assertEqual(message.delivered(fields, down[::-1]), [('A', ' 1'), ('A', ' 3')])
		self.assertEqual(message.delivered(fields[:1], [wire.Mod('i', 'X', 'y', 0), wire.Mod('m', 'A', 'new', 1), wire.Mod('m', 'B', '', 1)]), [('X', ' y'), ('A', ' new')])

	def test_replies_are_read_strictly(self):
		self.assertEqual(reply_packet('550 5.7.1 a 100%% b'), (550, '5.7.1', 'a 100% b'))
		self.assertEqual(reply_packet('450-4.7.1 a\r\n450 4.7.1 b'), (450, '4.7.1', 'a b'))
		for bad in ('550 5.7.1 100% b', '550 a', '250 2.0.0 ok', '550 4.7.1 x', '550-5.7.1 a', '550 5.7.1 a\r\n550 5.7.1 b', '550 5.7.1 a\nb', '550 5.7.1 \u00fc', '550 5.7.1 ' + 'x' * 980):
			with self.assertRaises(wire.WireError, msg=bad):
				reply_packet(bad)

	def test_records_are_found_in_text_and_json(self):
		text = daemon.record('Nov 25 x winnow: id=A1 event=message class=not-spam from="<a b@c>" detail="a \\"q\\" x=1" notes=')
		self.assertEqual(text, {'id': 'A1', 'event': 'message', 'class': 'not-spam', 'from': '<a b@c>', 'detail': 'a "q" x=1', 'notes': ''})
		self.assertEqual(daemon.record('Nov 25 {"id":"A","event":"rcpt","class":"xbl","code":554}')['code'], '554')
		self.assertIsNone(daemon.record('listening on unix:x class=y'))
		self.assertIsNone(daemon.record('{"id": broken }'))

	def test_the_catalogue_knows_where_a_class_answers(self):
		for class_id, outbound, stage in (('ip-blacklisted', False, 'connect'), ('helo-invalid', False, 'rcpt'), ('sender-invalid', True, 'mail'),
				('oversized', False, 'rcpt'), ('oversized', True, 'mail'), ('header-bom', False, 'eoh'), ('header-count', False, 'eom'), ('internal-error', False, 'eom'),
				('unrecognized-commands', False, 'command'), ('blackhole', False, 'eom')):
			self.assertEqual(catalogue.stage(CLASSES[class_id], outbound), stage, class_id)


class Dialogues(unittest.TestCase):
	def parse(self, text):
		return dialogue.parse(text, 'x.scn', CLASSES)

	def test_a_dialogue_is_read(self):
		d = self.parse('# c\nonly postfix\nconfig a = 1\nconfig\n\tb {\n\t\tc = 2\n\t}\n\nmail <"a b"@c\\x80> SIZE=10 \nsendmail: rcpt x\nloop 2\n\tunknown FOO bar\nexpect 550 5.7.1 helo-is-us at mail\n')
		self.assertEqual([s.word for s in d.setup], ['only', 'config', 'config'])
		self.assertEqual(d.setup[2].block, 'b {\n\tc = 2\n}\n')
		self.assertEqual(d.steps[0].args, ['<"a b"@c\udc80>', 'SIZE=10'])
		self.assertEqual((d.steps[1].kind, d.steps[2].block[0].args), ('sendmail', ['FOO bar']))
		self.assertEqual(d.steps[3].where, 'x.scn:13')
		self.assertEqual(d.kinds(['postfix', 'sendmail']), ['postfix'])

	def test_mistakes_are_reported_with_their_line(self):
		for bad in ('frobnicate', 'helo', 'expect 550 helo-is-us', 'expect 550 5.7.1 helo-is-them', 'expect 550 5.7.1 helo-is-us somewhere', 'expect maybe', 'expect-not foo',
				'helo x\n\tindented', '\tindented', 'message', 'expect-log (', 'helo x\nconfig y = 1', 'mail <x', 'only exim', 'helo x', 'loop 2\n\tnothing', 'expect-copies many',
				'message\n\t\ta\n\tb'):
			with self.assertRaises(dialogue.DialogueError, msg=bad) as e:
				self.parse(bad + '\n' + ('' if bad == 'helo x' else 'expect accept\n'))
			self.assertRegex(str(e.exception), r'^x\.scn(:\d+)?: ', bad)


class Played(unittest.TestCase):
	"""Dialogues against the fake milter, as both MTAs."""
	@classmethod
	def setUpClass(cls):
		cls.build = tempfile.TemporaryDirectory(prefix='play-build-')
		os.mkdir(os.path.join(cls.build.name, 'milter'))
		for name, text in (('winnow-milter', 'exec "%s" "%s/fake_milter.py" "$@"' % (sys.executable, HERE)), ('winnowctl', 'echo "[]"')):
			path = os.path.join(cls.build.name, 'milter', name)
			with open(path, 'w') as f:
				f.write('#!/bin/sh\n' + text + '\n')
			os.chmod(path, 0o755)

	@classmethod
	def tearDownClass(cls):
		cls.build.cleanup()

	def play(self, text, kind='postfix'):
		return player.Player(dialogue.parse(text, 'x.scn', CLASSES), self.build.name, kind, CLASSES).play()

	def holds(self, text):
		for kind in ('postfix', 'sendmail'):
			self.assertIsNone(self.play(text, kind), text)

	def fails(self, text, pattern, kind='postfix'):
		problem = self.play(text, kind)
		self.assertIsNotNone(problem, text)
		self.assertRegex(problem, pattern)

	def test_an_accepted_message_holds(self):
		self.holds(ONE + 'expect accept not-spam\nexpect-header X-Winnow-Class ^ham$\nexpect-no-header X-Other\nexpect-rcpt-deleted <hole@example.com>\n'
			'expect-copies 0\nexpect-record event=message code=2..\nexpect-log event=message\nexpect-no-log nonsense\nexpect-not helo-is-us\nexpect-open\n')
		self.holds('listen inet\n' + ONE + 'expect accept not-spam as accept at eom\n')

	def test_a_refusal_holds_with_code_text_stage_and_record(self):
		self.holds(GO + 'rcpt <refuse.helo-is-us@example.com>\nexpect 550 5.7.1 helo-is-us\nexpect-reply-text ^You cannot\nexpect-record xcode=5.7.1\n')

	def test_each_wrong_expectation_fails_with_its_line(self):
		refused = GO + 'rcpt <refuse.helo-is-us@example.com>\n'
		for text, pattern in (
				(refused + 'expect accept\n', r'x\.scn:5: .*wanted accept, got 550'),
				(refused + 'expect 504 5.5.2 helo-invalid\n', 'wanted 504 5.5.2 helo-invalid, got 550 5.7.1'),
				(refused + 'expect 550 5.7.2 helo-is-us\n', 'wanted 550 5.7.2'),
				(refused + 'expect 550 5.7.1 helo-is-us at mail\n', 'wanted the reply at mail'),
				(refused + 'expect 550 5.7.1 helo-is-us as quarantine\n', 'action=quarantine'),
				(refused + 'expect 550 5.7.1 helo-is-us\nexpect-not helo-is-us\n', 'wanted no helo-is-us'),
				(refused + 'expect 550 5.7.1 helo-is-us\nexpect-reply-text foo\n', 'wanted /foo/'),
				(refused + 'expect 550 5.7.1 helo-is-us\nexpect-closed\n', 'wanted a closed connection'),
				(refused + 'expect 550 5.7.1 helo-is-us\nexpect-copies 1\n', 'wanted 1 copies'),
				(refused + 'expect 550 5.7.1 helo-is-us\nexpect-record code=551\n', 'wanted code=/551/'),
				(refused + 'rcpt <ok@example.com>\nexpect accept\n', 'nobody expected the last reply: 550'),
				(GO + 'rcpt <wrongtext@example.com>\nexpect 550 5.7.1 helo-is-us\n', 'wanted the text'),
				(GO + 'rcpt <noid@example.com>\nexpect 550 5.7.1 helo-is-us\n', r'wanted an \[ID\]'),
				(GO + 'rcpt <wronglog@example.com>\nexpect 550 5.7.1 helo-is-us\n', 'wanted class=helo-is-us in the log'),
				(GO + 'rcpt <percent@example.com>\nexpect 550 5.7.1 helo-is-us\n', 'a lone %'),
				(ONE + 'expect accept whitelisted\n', 'wanted class=whitelisted'),
				(ONE + 'expect discard\n', 'wanted discard'),
				(ONE + 'expect 550 5.7.1 helo-is-us\n', 'wanted 550 5.7.1 helo-is-us, got 250'),
				(ONE + 'expect accept\nexpect-not helo-invalid\n', 'wanted no helo-invalid'),
				(ONE + 'expect accept\nexpect-header X-Winnow-Class spam\n', 'wanted X-Winnow-Class: /spam/'),
				(ONE + 'expect accept\nexpect-no-header X-Winnow-Class\n', 'wanted no X-Winnow-Class'),
				(ONE + 'expect accept\nexpect-deleted X-Winnow-Class 1\n', 'wanted deletions of X-Winnow-Class: 1, got none'),
				(ONE + 'expect accept\nexpect-delivered 2 X-Winnow-Class\n', 'wanted 2 fields'),
				(ONE + 'expect accept\nexpect-rcpt-deleted none\n', 'wanted deleted recipients none'),
				(ONE + 'expect accept\nexpect-hold\n', 'wanted hold'),
				(ONE + 'expect accept\nexpect-no-log event=\n', 'wanted no /event=/'),
				(GO + 'rcpt <refuse.helo-is-us@example.com>\nexpect 550 5.7.1 helo-is-us\nsend\nexpect accept\n', 'wanted accept, got 554 5.5.1')):
			with mock.patch('expect.LOG_SECONDS', 0.3):
				self.fails(text, pattern)

	def test_forged_fields_are_deleted_and_counted(self):
		text = GO + 'rcpt <ok@example.com>\nheader X-Winnow-Class: a\nheader x-winnow-class: b\nheader X-Winnow-ID: forged\nsend\n'
		self.holds(text + 'expect accept not-spam\nexpect-deleted X-Winnow-Class 2 1\nexpect-delivered 1 X-Winnow-Class ham\nexpect-delivered 0 X-Winnow-Class ^.[ab]$\n')
		self.fails(text + 'expect accept\nexpect-deleted X-Winnow-Class 1 2\n', 'got 2 1')

	def test_a_daemon_that_breaks_the_protocol_or_dies_fails(self):
		for text, pattern in (
				('config fault unasked\n' + ONE + 'expect accept not-spam\n', 'nobody asked for'),
				('config fault nospace\n' + ONE + 'expect accept not-spam\n', 'without a space'),
				('config fault nostart\n' + ONE + 'expect accept\n', 'winnow-milter ended with 78'),
				('config fault exit3\n' + ONE + 'expect accept not-spam\n', 'exit status 3'),
				('config fault noexit\n' + ONE + 'expect accept not-spam\n', 'no end within'),
				('config fault lateoutput\n' + ONE + 'expect accept not-spam\n', 'sanitizer: src/x.c|sanitizer: runtime error'),
				('config fault silent\n' + GO + 'rcpt <refuse.helo-is-us@example.com>\nexpect 550 5.7.1 helo-is-us\n', 'wanted a record'),
				(GO + 'rcpt <crash@example.com>\nexpect accept\n', 'AddressSanitizer'),
				(GO + 'rcpt <close@example.com>\nexpect accept\n', 'the milter closed the connection'),
				(GO + 'rcpt <progress@example.com>\nexpect accept\n', 'progress at rcpt')):
			with mock.patch('expect.LOG_SECONDS', 0.3), mock.patch('daemon.STOP_SECONDS', 0.5):
				self.fails(text, pattern)

	def test_421_closes_and_later_steps_fail(self):
		self.holds(GO + 'rcpt <hangup@example.com>\nexpect 421 4.7.0 auth-denied at rcpt\nexpect-closed\nconnect 203.0.113.8\nhelo x\nexpect accept\n')
		self.fails(GO + 'rcpt <hangup@example.com>\nexpect 421 4.7.0 auth-denied at rcpt\nrcpt <ok@example.com>\nexpect accept\n', 'the connection was closed after')

	def test_the_two_mtas_differ_on_the_wire(self):
		refused = GO + 'rcpt-refused <no@example.com> 5.1.1 User unknown\nexpect-log refused by the MTA: <no@example.com> 5.1.1\nrcpt <ok@example.com>\nsend\nexpect accept\n'
		self.assertIsNone(self.play(refused))
		with mock.patch('expect.LOG_SECONDS', 0.3):
			self.fails(refused, 'wanted /refused by the MTA', 'sendmail')
		self.holds(GO + 'unknown FOO bar\npostfix: expect-log unknown: FOO\\0$|unknown: FOO.?\\n\nsendmail: expect-log unknown: FOO bar\nrcpt <ok@example.com>\nsend\nexpect accept\n')
		one = GO.replace('mail <', 'login alice\nmail <') + 'rcpt <ok@example.com>\nsend\nexpect accept\n'
		self.holds(one + 'postfix: expect-record qid=4PLAY.*\nsendmail: expect-record qid=5APLAY.*\n')
		self.holds(one + 'postfix: expect-record macros=.*auth_type.*client_addr.*daemon_port.*\nsendmail: expect-record macros=.*auth_ssf.*\n')
		with mock.patch('expect.LOG_SECONDS', 0.3):
			self.fails(one + 'expect-record macros=.*client_port.*\n', 'wanted macros')       # not in the milter's list

	def test_the_queue_id_comes_late_in_postfix_and_early_in_sendmail(self):
		first = GO + 'rcpt <refuse.helo-is-us@example.com>\nexpect 550 5.7.1 helo-is-us\n'
		self.holds(first + 'postfix: expect-record qid=-\nsendmail: expect-record qid=5APLAY.*\n')
		self.holds(GO + 'rcpt <ok@example.com>\nrcpt <refuse.helo-is-us@example.com>\nexpect 550 5.7.1 helo-is-us\npostfix: expect-record qid=4PLAY.*\n')

	def test_sessions_files_signals_and_loops(self):
		self.holds('file list\n\ta\nfolder sub\n' + GO + 'session two\n' + ONE + 'expect accept not-spam\nsession main\nrcpt <ok@example.com>\nsend upto eoh\nrset\nexpect accept\n'
			'loop 2\n\tmail <x@y.example>\n\trcpt <ok@example.com>\n\tsend\n\texpect accept not-spam\nwrite list\n\tb\nscribble list\n\tc\nremove list\nobstruct sub\nremove sub\n'
			'reload-config\n\tx = 1\nexpect-log read again\nnew-config\n\tx = 2\nsignal HUP\nexpect-log read again\nsignal TERM\nexpect-exit 0\n')
		self.fails(GO + 'signal TERM\nexpect-exit 1\n', 'wanted exit status 1, got 0')

	def test_files_may_be_geoip_databases(self):
		text = 'file geo country\n\t192.0.2.0/24 NL\n' + GO + 'write geo asn\n\t192.0.2.0/24 64500 Example Net\nscribble geo\n\ttext\nrcpt <ok@example.com>\nsend\nexpect accept\n'
		self.holds(text)
		with self.assertRaisesRegex(dialogue.DialogueError, 'GeoIP'):
			dialogue.parse(text.replace("geo asn", "geo isp"), "x", CLASSES)

	def test_a_dialogue_greets_again_after_tls(self):
		self.fails('connect 203.0.113.7\nhelo a\ntls\nmail <a@b>\nexpect accept\n', 'greets again after tls')
		self.holds('connect 203.0.113.7\nhelo a\ntls\nhelo a\nmail <a@b>\nexpect accept\n')

	def test_the_command_says_it_with_its_exit_status(self):
		with tempfile.TemporaryDirectory(prefix='play-scn-') as folder, open(os.devnull, 'w') as null, mock.patch('sys.stdout', null), mock.patch('sys.stderr', null):
			def run(name, text, *options):
				path = os.path.join(folder, name)
				with open(path, 'w') as f:
					f.write(text)
				return play.main(['--build', self.build.name, *options, path])
			self.assertEqual(run('good.scn', ONE + 'expect accept\n'), 0)
			self.assertEqual(run('bad.scn', ONE + 'expect discard\n'), 1)
			self.assertEqual(run('wrong.scn', 'frobnicate\n'), 2)
			self.assertEqual(run('good.scn', ONE + 'expect accept\n', '--only', 'x'), 2)
			self.assertEqual(run('one.scn', 'only postfix\n' + ONE + 'expect accept\n', '--as', 'sendmail'), 2)
			self.assertEqual(play.main(['--build', folder, os.path.join(folder, 'good.scn')]), 2)


if __name__ == '__main__':
	unittest.main()
