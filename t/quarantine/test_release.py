# test_release.py BUILD: winnowctl quarantine list, show, release, delete; and the released copy that comes back through the milter
import json
import os
import pty
import re
import subprocess
import termios
import time

from store import ReleaseMta, StoreCase, bad, hand_over, main, wide

CONFIG = '''quarantine { path = "quarantine"  release = "smtp://127.0.0.1:%d"  ticket_key = "ticket.key" }
class "line-too-long" { action = "quarantine" }
spf { enabled = false }
sender { enabled = false }
'''
FIELD = 'X-Winnow-Release'


class Release(StoreCase):
	def setUp(self):
		self.mta = ReleaseMta()
		self.addCleanup(self.mta.stop)
		self.seen = []

	def begin(self, more=''):
		d = self.start(CONFIG % self.mta.port + more)
		self.back(d)
		return d

	def back(self, d, change=lambda data: data, **where):
		"""The MTA asks the milter before it takes what is released."""
		def ask(sender, rcpts, data):
			return hand_over(d.address, sender, rcpts, change(b'Received: from localhost\r\n\tby release.example\r\n' + data), seen=self.seen, **where)
		self.mta.ask = ask

	def release(self, d, *args, status=0):
		return self.ctl(d, 'quarantine', 'release', *args, status=status)

	def record(self, d):
		"""The log's last record of a message."""
		for _ in range(200):
			found = [r for r in d.records() if r['event'] == 'message']
			if len(found) == self.expected:
				return found[-1]
			time.sleep(0.02)
		self.fail('%d records, not %d: %s' % (len(found), self.expected, d.tail()))

	def test_a_copy_goes_out_and_is_known_when_it_comes_back(self):
		d = self.begin()
		data = bad(7, 'gr\303\274n\r\n.dot\r\n..two\r\n' + 'x' * 2000)
		copy = self.keep(d, data, ('<anna@example.com>',), '<>')
		out, err = self.release(d, copy)
		self.assertEqual((out, err), ('%s released: anna@example.com (250 2.0.0 continue)\n' % copy, ''))
		sender, rcpts, sent = self.mta.taken[0]
		self.assertEqual((sender, rcpts), ('', ['anna@example.com']))
		top, rest = sent.split(b'\r\n', 1)
		self.assertRegex(top.decode(), '^%s: %s [0-9a-f]{64}$' % (FIELD, copy))
		self.assertEqual(rest, self.store(d).copies()[copy])
		reply = self.seen[0]
		names = [(m.kind, m.name, m.value) for m in reply.mods]
		self.assertIn(('change', FIELD, ''), names)                       # deleted
		evidence = next(m.value for m in reply.mods if m.kind == 'insert' and m.name == 'X-Winnow-Evidence')
		self.assertRegex(evidence, r'(?s)^ ?\S.*\(0\.00\).*released=%s' % copy)
		self.assertNotIn('unavailable', evidence)
		self.expected = 2
		r = self.record(d)
		self.assertEqual((r['action'], r['class'], r['notes']), ('accept', 'not-spam', 'released:' + copy))
		self.assertIn('date-skew', r['findings'])
		row = json.loads(self.ctl(d, 'quarantine', 'list', '--json')[0])[0]
		self.assertRegex(row['released'], r'^20\d\d-')
		self.assertIn(copy + '\t', self.ctl(d, 'quarantine', 'list')[0])
		self.assertIn('released: 20', self.ctl(d, 'quarantine', 'show', copy)[0])
		out, _ = self.release(d, copy, '--to', 'boss@example.org')
		self.assertIn('boss@example.org (250', out)
		self.assertIn('released before', out)
		self.assertEqual(os.stat(d.path('ticket.key')).st_mode & 0o7777, 0o600)
		self.assertEqual(len(d.copies()), 1)                              # nothing was kept again

	def test_a_subject_is_shown_as_its_reader_sees_it(self):
		d = self.begin()
		copy = self.keep(d, bad(1, subject='=?utf-8?Q?Gr=C3=BC=C3=9Fe_=F0=9F=98=80_=1B[31m=E2=80=AE?='))
		shown = 'Gr\u00fc\u00dfe \U0001f600 \\x1B[31m\\xE2\\x80\\xAE 1'
		self.assertTrue(self.ctl(d, 'quarantine', 'list')[0].endswith('\t%s\n' % shown))
		self.assertIn('\nsubject: %s\n' % shown, self.ctl(d, 'quarantine', 'show', copy)[0])

	def test_a_message_does_not_act_on_the_terminal_that_shows_it(self):
		d = self.begin()
		copy = self.keep(d, bad(1, 'a\033]0;title\007b\tc\r\ngr\u00fcn'))
		master, slave = pty.openpty()
		attributes = termios.tcgetattr(slave)
		attributes[1] &= ~termios.OPOST
		termios.tcsetattr(slave, termios.TCSANOW, attributes)
		subprocess.run([d.ctl_program, '-c', d.conf, 'quarantine', 'show', copy], cwd=d.dir, stdin=subprocess.DEVNULL, stdout=slave, check=True, timeout=30)
		os.close(slave)
		shown = b''
		try:
			while True:
				shown += os.read(master, 65536)
		except OSError:                                                   # the other end is closed
			os.close(master)
		self.assertIn('\na\\x1B]0;title\\x07b\tc\ngr\u00fcn'.encode(), shown)
		self.assertNotIn(b'\033', shown)
		self.assertIn('\r\na\033]0;title\007b\tc\r\n', self.ctl(d, 'quarantine', 'show', copy)[0])      # a pipe gets every byte

	def test_findings_at_every_content_stage_are_forgiven(self):
		d = self.begin('policy "default" { class "helo-invalid" { action = "quarantine" } }\n')
		for data in (bad(1, 'x' * 3000), bad(2, fields='Subject: again\r\n' * 5 + 'X-Winnow-Release: forged\r\n'), bad(3).replace(b'From: root (Cron)\r\n', b''), bad(4, '')):
			copy = self.keep(d, data, sender='<odd@example.net>')
			self.assertIn('released', self.release(d, copy)[0])
			self.assertTrue(self.seen[-1].ok)
			self.assertEqual(self.mta.taken[-1][2].split(b'\r\n', 1)[1], data)
		self.assertEqual(len(d.copies()), 4)

	def test_an_mta_may_add_complete_fold_and_leave_out(self):
		d = self.begin()
		copy = self.keep(d, bad(1, fields='Bcc: x@example.com\r\nX-Long: a\r\n\tb\r\n'))
		self.back(d, lambda data: b'Return-Path: <x>\r\nX-Other-Milter: y\r\n' + data.replace(b'From: root (Cron)', b'From: root@release.example (Cron)')
			.replace(b'Bcc: x@example.com\r\n', b'').replace(b'a\r\n\tb', b'a b\r\nX-Spam: no'))
		self.release(d, copy)
		self.assertTrue(self.seen[0].ok)
		self.back(d, lambda data: data, kind='sendmail')
		self.release(d, copy)
		self.assertTrue(self.seen[1].ok)

	def refused(self, d, copy, notes='-'):
		"""The copy comes back as something that is judged as any other message."""
		before = len(self.seen)
		out, err = self.release(d, copy, status=69)
		self.assertIn('the copy stays', err)
		self.assertGreaterEqual(self.seen[before].code, 550)
		self.expected += 1
		r = self.record(d)
		self.assertIn(r['class'], ('date-skew', 'header-count'))
		self.assertEqual(r.get('notes', '-'), notes)

	def test_no_ticket_a_wrong_one_and_one_of_another_message_help_nobody(self):
		d = self.begin()
		copy, other = self.keep(d, bad(1)), self.keep(d, bad(2))
		kept = self.store(d).copies()[copy]
		self.release(d, other)
		self.expected = 3
		field = re.compile(rb'X-Winnow-Release: (\S+) (\w+)')
		theirs, reason = field.search(self.mta.taken[-1][2]).group(0), 'release:%s: ' % copy
		other_digit = lambda m: b'X-Winnow-Release: ' + m.group(1) + b' ' + (b'0' if m.group(2)[:1] != b'0' else b'1') + m.group(2)[1:]
		for change, notes in (
			(lambda data: field.sub(b'X-Nothing: x', data), '-'),
			(lambda data: field.sub(rb'X-Winnow-Release: \1', data), '-'),
			(lambda data: field.sub(b'X-Winnow-Release:', data), '-'),
			(lambda data: field.sub(other_digit, data), reason + 'the ticket does not fit'),
			(lambda data: field.sub(rb'X-Winnow-Release: \1 \g<2>0', data), reason + 'the ticket does not fit'),
			(lambda data: field.sub(b'X-Winnow-Release: ' + other.encode() + rb' \2', data), 'release:%s: the ticket does not fit' % other),
			(lambda data: field.sub(rb'X-Winnow-Release: ../../winnow.conf \2', data), 'release:../../winnow.conf: there is no such copy'),
			(lambda data: field.sub(theirs, data), 'release:%s: the header block is not that of the copy: Subject' % other),
			(lambda data: data.replace(b'hello', b'hellx'), reason + 'the body is not that of the copy'),
			(lambda data: data + b'more\r\n', reason + 'the body is not that of the copy'),
			(lambda data: data.replace(b'Subject: report 1', b'Subject: buy 1'), reason + 'the header block is not that of the copy: Subject'),
			(lambda data: data.replace(b'To: anna', b'Subject: buy\r\nTo: anna'), reason + 'the header block is not that of the copy: Subject'),
		):
			self.back(d, change)
			self.refused(d, copy, notes)
		self.assertEqual(self.store(d).copies()[copy], kept)

	def test_who_is_not_trusted_cannot_bring_one_back(self):
		d = self.begin()
		copy = self.keep(d)
		self.expected = 1
		self.back(d, client='203.0.113.7')
		self.refused(d, copy)
		self.back(d, client='unknown')
		self.refused(d, copy)
		d.write_config(CONFIG % self.mta.port + 'trusted_networks = "inline:198.51.100.0/24"\n')
		self.ctl(d, 'reload')
		self.back(d, client='198.51.100.9')
		self.release(d, copy)

	def test_a_day_after_it_is_over(self):
		d = self.begin()
		copy = self.keep(d)
		self.release(d, copy)
		self.expected = 2
		data, now = self.mta.taken[0][2], int(time.time() * 1e6)
		cases = ((23 * 3600, 0, 250), (0, 23 * 3600, 250), (25 * 3600, 25 * 3600, 550), (-2 * 3600, -2 * 3600, 550), (None, None, 550))
		for begun, done, code in cases:
			self.store(d).change('UPDATE entries SET releasing = ?, released = ?', *(0 if x is None else now - x * 1000000 for x in (begun, done)))
			self.assertEqual(hand_over(d.address, '', ['anna@example.com'], data)[0], code, (begun, done))
		self.expected += len(cases)
		self.assertIn('not released within the last day', self.record(d)['notes'])
		self.ctl(d, 'quarantine', 'delete', copy)
		self.assertEqual(hand_over(d.address, '', ['anna@example.com'], data)[0], 550)
		self.expected += 1
		self.assertEqual(self.record(d)['notes'], 'release:%s: there is no such copy' % copy)

	def test_forged_fields_are_taken_out_of_what_is_delivered(self):
		d = self.begin()
		good = bad().replace(b'Date: ', b'X-Old-Date: ')
		for client in ('203.0.113.7', '127.0.0.1'):
			self.assertEqual(hand_over(d.address, 'bob@example.net', ['anna@example.com'], b'X-Winnow-Release: AAAA 00\r\n' + good, client=client, seen=self.seen)[0], 250)
			self.assertIn((FIELD, ''), [(m.name, m.value) for m in self.seen[-1].mods if m.kind == 'change'])

	def test_another_brand(self):
		d = self.begin('evidence { prefix = "X-Ours" }\n')
		copy = self.keep(d)
		self.release(d, copy)
		self.assertTrue(self.mta.taken[0][2].startswith(b'X-Ours-Release: '))
		self.assertIn(('X-Ours-Release', ''), [(m.name, m.value) for m in self.seen[-1].mods if m.kind == 'change'])

	def test_exit_codes_say_what_became_of_it(self):
		d = self.begin()
		copy, second = self.keep(d, bad(1), ('<anna@example.com>', '<bert@example.com>')), self.keep(d, bad(2))
		self.release(d, 'NOSUCHCOPY', status=66)
		self.mta.rcpt = lambda r: (550, '5.1.1 no such user') if r.startswith('bert') else (250, '2.1.5 Ok')
		out, err = self.release(d, copy, status=69)
		self.assertEqual(out.split('\n'), ['%s released: anna@example.com (250 2.0.0 continue)' % copy, '%s not released: bert@example.com (550 5.1.1 no such user)' % copy, ''])
		self.assertIn('not released to all: bert@example.com: 550 5.1.1 no such user', err)
		self.mta.rcpt = lambda r: (451, '4.2.1 mailbox busy')
		out, err = self.release(d, copy, second, status=75)
		self.assertIn('try again later', err)
		self.mta.rcpt = lambda r: (451, '4.2.1 busy') if r.startswith('bert') else (550, '5.1.1 no')
		self.release(d, copy, second, 'NOSUCHCOPY', status=69)
		self.mta.rcpt, self.mta.greeting = None, '554 5.7.1 not from there'
		_, err = self.release(d, copy, status=69)
		self.assertIn('554 5.7.1 not from there', err)
		self.mta.stop()
		_, err = self.release(d, copy, status=75)
		self.assertIn('quarantine.release', err)
		self.assertEqual(len(d.copies()), 2)
		self.ctl(d, 'quarantine', 'release', status=64)
		self.ctl(d, 'quarantine', 'release', copy, '--to', status=64)
		self.ctl(d, 'quarantine', 'release', copy, '--from', 'x', status=64)

	def test_a_copy_that_goes_while_it_is_released_was_released(self):
		d = self.begin()
		copy = self.keep(d)
		def ask(sender, rcpts, data):
			self.ctl(d, 'quarantine', 'delete', copy)
			return 250, '2.0.0 Ok'
		self.mta.ask = ask
		self.assertEqual(self.release(d, copy), ('%s released: anna@example.com (250 2.0.0 Ok)\n' % copy, ''))
		self.assertEqual(len(self.mta.taken), 1)

	def test_json_says_the_same(self):
		d = self.begin()
		copy = self.keep(d, bad(1), ('<anna@example.com>', '<bert@example.com>'))
		self.mta.rcpt = lambda r: (550, '5.1.1 no such user') if r.startswith('bert') else (250, '2.1.5 Ok')
		out, _ = self.release(d, '--json', copy, 'NOSUCHCOPY', status=69)
		first, second = json.loads(out)
		self.assertEqual((first['id'], first['released'], second['id'], second['released']), (copy, True, 'NOSUCHCOPY', False))
		self.assertEqual([(r['rcpt'], r['released'], r['code'], r['xcode']) for r in first['rcpt']], [('anna@example.com', True, 250, '2.1.5'), ('bert@example.com', False, 550, '5.1.1')])
		self.assertTrue(first['error'] and first['remedy'] and second['error'])
		out, err = self.ctl(d, 'quarantine', 'delete', '--json', copy, 'NOSUCHCOPY', '"}', status=66)
		self.assertEqual(json.loads(out), [{'id': copy, 'deleted': True}, {'id': 'NOSUCHCOPY', 'deleted': False}, {'id': None, 'deleted': False}])
		self.assertIn('no such id: NOSUCHCOPY; winnowctl quarantine list', err)

	def test_with_the_default_trusted_networks(self):
		# a line of the test's own that begins so takes the place of what all others start with
		d = self.begin('/*\ntrusted_networks: built in */\n')
		self.assertRegex(self.ctl(d, 'check')[0], 'good')
		copy = self.keep(d, wide(1), ('<anna@example.com>', '<bert@example.com>'))
		for client in '127.0.0.1', '127.9.9.9', 'IPv6:::1':
			self.back(d, client=client)
			out, err = self.release(d, copy)
			self.assertEqual(err, '')
			self.assertIn('released: anna@example.com, bert@example.com (250', out)
			self.assertIn('released=' + copy, next(m.value for m in self.seen[-1].mods if m.name == 'X-Winnow-Evidence'))
		self.assertEqual(len(d.copies()), 1)
		# its ticket gone, it is a message as any other: this machine's mail is judged by its content
		self.back(d, lambda data: re.sub(rb'X-Winnow-Release: [^\r]*', b'X-Other: x', data))
		self.release(d, copy, status=69)
		self.assertEqual(len(d.copies()), 2)
		self.back(d, client='198.51.100.7')
		self.release(d, copy, status=69)

	def test_without_a_daemon_everything_works(self):
		d = self.begin()
		copies = [self.keep(d, bad(n)) for n in range(3)]
		d.stop()
		os.unlink(d.path('quarantine/index.sqlite'))
		self.mta.ask = None
		out, err = self.release(d, copies[0])                             # makes the lost index anew
		self.assertIn('released: anna', out)
		self.assertIn('rebuilt from the spool, 3 copies', err)
		self.ctl(d, 'quarantine', 'delete', copies[1])
		self.assertEqual(sorted(self.store(d).copies()), sorted([copies[0], copies[2]]))
		self.assertEqual(sorted(self.store(d).rows()), sorted([copies[0], copies[2]]))
		d.start()
		self.assertEqual({e['id']: e['released'] is not None for e in d.copies()}, {copies[0]: True, copies[2]: False})
		self.mta.ask = None
		self.back(d)
		self.release(d, copies[2])
		self.assertTrue(self.seen[-1].ok)

	def test_lists_are_filtered(self):
		d = self.begin()
		a, b, c = (self.keep(d, bad(n), rcpts, sender) for n, (rcpts, sender) in enumerate((
			(('<anna@example.com>', '<bert@example.com>'), '<bob@example.net>'), (('<carl@example.org>',), '<>'), (('<anna@example.com>',), '<news@list.example>'))))
		def ids(*args):
			return [e['id'] for e in json.loads(self.ctl(d, 'quarantine', 'list', '--json', *args)[0])]
		self.assertEqual(ids(), [c, b, a])
		self.assertEqual(ids('--limit', '2'), [c, b])
		self.assertEqual(ids('--from', '<>'), [b])
		self.assertEqual(ids('--from', 'example.net'), [a])
		self.assertEqual(ids('--rcpt', 'anna@example.com', '--from', 'news@list.example'), [c])
		self.assertEqual(ids('--rcpt', '@example.org'), [b])
		self.assertEqual(ids('--class', 'date-skew', '--since', '1h'), [c, b, a])
		self.assertEqual(ids('--class', 'malware'), [])
		self.assertEqual(ids('--since', '2099-01-01'), [])
		for args, word in ((('--class', 'spam'), 'winnowctl classes'), (('--since', 'yesterday'), 'no time'), (('--limit', '0'), 'no number'), (('--limit',), 'missing'),
				(('x',), 'flags only'), (('--subject', 'x'), 'no flag')):
			_, err = self.ctl(d, 'quarantine', 'list', *args, status=64)
			self.assertIn(word, err)


if __name__ == '__main__':
	main()
