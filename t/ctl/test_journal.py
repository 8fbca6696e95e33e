# test_journal.py BUILD: winnowctl explain and search, beside the daemon and when it is down; what a reload does to the journal
import json
import os
import re
import subprocess
import time
import unittest

from lab import Lab, mail, main

CONFIG = '''domains = ""
domain "example.com" { recipients = "inline:anna@example.com, bert@example.com" }
block_ips = "inline:198.51.100.0/24"
class "subject-invalid" { observe = true }
'''
HEAD = ['time', 'id', 'event', 'action', 'class', 'from', 'rcpt', 'client', 'detail']
SEARCHES = [                                               # arguments, ids as the names of what happened
	([], ['reject', 'message', 'rcpt', 'connection']), (['--limit', '1'], ['reject']),
	(['--class', 'helo-is-us'], ['reject']), (['--action', 'reject'], ['reject', 'rcpt', 'connection']), (['--action', 'accept'], ['message']),
	(['--from', 'bob@example.net'], ['message', 'rcpt']), (['--from', 'BOB@example.net', '--rcpt', 'anna@example.com'], ['message']), (['--from', '<>'], ['reject']),
	(['--from', 'example.net'], ['message', 'rcpt']), (['--rcpt', 'nobody@example.com'], ['rcpt']), (['--rcpt', '@example.com'], ['reject', 'message', 'rcpt']),
	(['--ip', '198.51.100.9'], ['connection']), (['--ip', '198.51.100.0/24'], ['connection']), (['--ip', '0.0.0.0/0', '--action', 'accept'], ['message']),
	(['--ip', '2001:db8::/32'], []), (['--since', '1h'], ['reject', 'message', 'rcpt', 'connection']), (['--until', '1h'], []),
	(['--since', '2020-01-01', '--until', '2020-01-02T10:00'], []), (['--since', '2020-01-01T10:00:00Z'], ['reject', 'message', 'rcpt', 'connection']),
	(['--until', '2099-12-31T23:59:59+0100', '--class', 'helo-is-us'], ['reject']),
]
MISTAKES = [                                               # arguments, a word of the complaint
	(['search', '--since', 'yesterday'], 'write 2026-11-25'), (['search', '--until', '2026-02-31'], 'no time'), (['search', '--since', '5y'], 'no time'),
	(['search', '--since', '2026-11-25T25:00'], 'no time'), (['search', '--since', '2026-11-25T10:00+9'], 'no time'),
	(['search', '--limit', '0'], '--limit'), (['search', '--limit', '-1'], '--limit'), (['search', '--limit', '5x'], '--limit'), (['search', '--limit'], 'missing'),
	(['search', '--ip', 'example.com'], 'no address'), (['search', '--class', 'spam'], 'winnowctl classes'), (['search', '--action', 'refuse'], 'tempfail'),
	(['search', '--sender', 'x'], 'no flag'), (['search', 'x'], 'flags only'), (['explain'], 'usage'), (['explain', ''], 'usage'), (['explain', 'a', 'b'], 'usage'),
]


class Journal(Lab):
	CONFIG = CONFIG

	def play(self, d):
		"""A refused connection; a transaction with a refused recipient and an accepted message; a refused null sender. Their ids by name."""
		refused = self.connect(d, '198.51.100.9')
		ids = {'connection': refused.refusal.text[-14:-1]}
		m = self.connect(d)
		m.mail('<bob@example.net>')
		no = m.rcpt('<nobody@example.com>')
		self.assertEqual(no.code, 550)
		m.rcpt('<anna@example.com>')
		end = m.send(mail('<20261125.7@mail.example.net>', 'lunch'))
		self.assertTrue(end.ok, end)
		self.queue_id = m.queue_id
		ids['message'] = next(x.value.strip() for x in end.mods if x.name == 'X-Winnow-ID')
		ids['rcpt'] = no.text[-14:-1]
		m = self.connect(d, helo='mx1.example.net')
		m.mail('<>')
		ids['reject'] = m.rcpt('<anna@example.com>').text[-14:-1]
		return ids

	def records(self, d, key):
		return json.loads(self.ctl(d, 'explain', '--json', key)[0])

	def test_explain_finds_by_every_name(self):
		d = self.start()
		ids = self.play(d)
		self.records(d, ids['reject'])                         # the last one is on disk
		self.assertEqual(ids['message'], ids['rcpt'])
		for key in (ids['message'], '[%s]' % ids['message'], ids['message'].lower(), ' %s ' % ids['message']):
			self.assertEqual([r['event'] for r in self.records(d, key)], ['rcpt', 'message'], key)
		for key in (self.queue_id, '<20261125.7@mail.example.net>', '20261125.7@mail.example.net'):
			self.assertIn('message', [r['event'] for r in self.records(d, key)], key)
		r = self.records(d, ids['connection'])[0]
		self.assertEqual((r['event'], r['class'], r['client'], r['rcpt']), ('connect', 'ip-blacklisted', '198.51.100.9', []))
		r = self.records(d, ids['message'])[1]
		self.assertEqual((r['qid'], r['from'], r['rcpt'], r['subject'], r['msgid'], r['action'], r['code']),
			(self.queue_id, 'bob@example.net', ['anna@example.com'], 'lunch', '<20261125.7@mail.example.net>', 'accept', 250))
		self.assertTrue(all(isinstance(v, int) and v > 0 for v in r['times'].values()) and r['times'], r['times'])

	def test_a_subject_is_shown_as_its_reader_sees_it(self):
		d = self.start()
		m = self.connect(d)
		m.mail('<bob@example.net>')
		m.rcpt('<anna@example.com>')
		self.assertTrue(m.send(mail('<8@x.example>', '=?utf-8?Q?Gr=C3=BC=C3=9Fe_=F0=9F=98=80_=1B[31m=E2=80=AE?=')).ok)
		shown = 'Gr\u00fc\u00dfe \U0001f600 \\x1B[31m\\xE2\\x80\\xAE'
		self.assertEqual(self.records(d, '8@x.example')[0]['subject'], shown)
		self.assertIn('\nsubject   %s\n' % shown, self.ctl(d, 'explain', '8@x.example')[0])
		self.assertTrue(self.ctl(d, 'search', '--json')[0].isascii())

	def test_black_holes_are_named(self):
		d = self.start(CONFIG + 'recipient { blackhole = "inline:bert@example.com" }\n')
		m = self.connect(d)
		m.mail('<bob@example.net>')
		for rcpt in 'anna', 'bert':
			self.assertTrue(m.rcpt('<%s@example.com>' % rcpt).ok)
		self.assertTrue(m.send(mail('<9@x.example>')).ok)
		r = self.records(d, '9@x.example')[0]
		self.assertEqual((r['rcpt'], r['blackhole']), (['anna@example.com', 'bert@example.com'], ['bert@example.com']))
		self.assertRegex(self.ctl(d, 'explain', '9@x.example')[0], r'(?m)^rcpt +anna@example.com, bert@example.com\nblackhole bert@example.com$')

	def test_a_search_for_an_address_that_is_not_ascii(self):
		d = self.start('domains = ""\ndomain "example.com" { }\nspf { enabled = false }\n')
		m = self.connect(d)
		m.mail('<b\u00f6b@example.net>', 'SMTPUTF8')
		m.rcpt('<anna@example.com>')
		m.send(mail('<10@x.example>'))
		self.assertEqual(len(self.records(d, '10@x.example')), 1)
		self.assertEqual(len(json.loads(self.ctl(d, 'search', '--json', '--from', 'b\u00f6b@example.net')[0])), 1)

	def test_explain_is_for_people(self):
		d = self.start()
		ids = self.play(d)
		text = self.ctl(d, 'explain', ids['reject'])[0]
		for pattern in (r'(?m)^id +%s' % ids['reject'], r'(?m)^time +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000$', r'(?m)^event +rcpt', r'(?m)^client +203\.0\.113\.7, mail\.example\.net, HELO mx1',
				r'(?m)^from +<>$', r'(?m)^rcpt +anna@example\.com$', r'(?m)^verdict +reject 550 5\.7\.1, class helo-is-us, policy default, mode enforce$',
				r'(?m)^check +us +finding +stage +strength +weight +action +remark +detail$', r'(?m)^helo +[\d-]+ +helo-is-us +helo +1\.00 +- +reject +decided +client'):
			self.assertRegex(text, pattern)
		self.assertNotRegex(text, r'(?m) $')
		# two records, a blank line between
		text = self.ctl(d, 'explain', ids['message'])[0]
		self.assertEqual(len(re.findall(r'(?m)^id ', text)), 2)
		self.assertRegex(text, r'(?m)^recipient +[\d-]+ +destination-not-configured +rcpt .*decided')
		self.assertRegex(text, r'(?m)^subject +lunch$')

	def test_what_is_observed_or_bypassed_says_so(self):
		d = self.start(CONFIG + 'policy "default" { mode = "observe"  allow_senders = "inline:eve@example.net" }\n')
		m = self.connect(d, helo='mx1.example.net')
		m.mail('<eve@example.net>')
		m.rcpt('<anna@example.com>')
		self.assertTrue(m.send(mail('<2@x.example>', '', '-60d')).ok)
		r = self.records(d, '2@x.example')[0]
		found = {f['class']: f for f in r['findings']}
		self.assertEqual((r['action'], r['mode']), ('accept', 'observe'))
		self.assertTrue(r['allowed'])
		self.assertEqual([c for c in found if found[c]['decided']], [r['class']])
		self.assertTrue(any(f['bypassed'] for f in found.values()), found)
		text = self.ctl(d, 'explain', '2@x.example')[0]
		self.assertRegex(text, r'(?m)^lists +the sender is allowed')
		self.assertRegex(text, r'mode observe \(intended: ')
		self.assertRegex(text, r' bypassed ')

	def test_search_filters_and_works_when_the_daemon_is_down(self):
		d = self.start()
		ids = self.play(d)
		self.records(d, ids['reject'])                         # the last one is on disk
		for down in (None, d.kill, d.start, d.stop):
			if down:
				down()
			for args, names in SEARCHES:
				out = self.ctl(d, 'search', *args)[0]
				rows = [line.split('\t') for line in out.splitlines()]
				self.assertEqual(rows[0], HEAD)
				self.assertEqual([r[1] for r in rows[1:]], [ids[n] for n in names], (down, args, out))
				self.assertTrue(all(len(r) == len(HEAD) for r in rows))
				self.assertEqual([r['id'] for r in json.loads(self.ctl(d, 'search', '--json', *args)[0])], [ids[n] for n in names], args)
		self.assertEqual(len(self.records(d, ids['message'])), 2)

	def test_mistakes_are_told(self):
		d = self.start()
		for args, word in MISTAKES:
			out, err = self.ctl(d, *args, status=64)
			self.assertEqual(out, '')
			self.assertIn(word, err, args)
		out, err = self.ctl(d, 'explain', 'A44JKQ0QXSG01', status=1)
		for word in ('no record of "A44JKQ0QXSG01"', 'brackets', 'id=', 'X-Winnow-ID', 'queue id', 'Message-ID', '14d'):
			self.assertIn(word, err)

	def test_who_may_not_read_is_told(self):
		d = self.start()
		d.stop()
		os.chmod(d.dir, 0o755)
		if os.getuid() != 0:
			os.chmod(d.path('var/journal'), 0)
			self.addCleanup(os.chmod, d.path('var/journal'), 0o700)
		for args in (['search'], ['explain', 'x']):
			self.assertIn('ask as root', self.ctl(d, *args, status=77, user=65534 if os.getuid() == 0 else None)[1])

	def test_no_journal_yet(self):
		d = self.start('journal { path = "elsewhere"  keep = 0 }\n')
		self.play_one(d)
		self.assertFalse(os.path.exists(d.path('elsewhere')))
		self.assertIn('journal.keep', self.ctl(d, 'search', status=66)[1])
		self.ctl(d, 'explain', 'x', status=1)

	def play_one(self, d):
		m = self.connect(d, helo='mx1.example.net')
		m.mail('<a@example.net>')
		return m.rcpt('<anna@example.com>').text[-14:-1]

	def reload(self, d, lines, pattern):
		mark = d.log_size()
		d.write_config(lines)
		d.signal('HUP')
		self.wait_for_log(d, pattern, mark)

	def test_a_reload_moves_the_journal_or_leaves_it(self):
		d = self.start(CONFIG)
		first = self.play_one(d)
		self.records(d, first)
		self.reload(d, CONFIG + 'journal { path = "second" }\n', 'is in force')
		second = self.play_one(d)
		self.assertEqual(len(self.records(d, second)), 1)
		self.ctl(d, 'explain', first, status=1)
		# a folder that cannot be used: the old one stays, and the daemon says so
		self.reload(d, CONFIG + 'journal { path = "log/file" }\n', r'reload: journal: .*log/file.*the old one stays in use')
		third = self.play_one(d)
		d.write_config(CONFIG + 'journal { path = "second" }\n')
		self.assertEqual(len(self.records(d, third)), 1)

	def test_a_start_without_a_usable_folder_says_what_to_do(self):
		d = self.start()
		d.stop()
		d.write('var2', 'a file')
		d.write_config(CONFIG + 'journal { path = "var2/journal" }\n')
		r = subprocess.run([d.program, '-f', '-c', d.conf], cwd=d.dir, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
		self.assertNotEqual(r.returncode, 0)
		self.assertIn('var2/journal', r.stdout.decode())
		self.assertRegex(r.stdout.decode(), 'name another')

	def test_a_killed_daemon_leaves_what_it_has_written(self):
		d = self.start()
		ids = []
		for i in range(5):
			ids.append(self.play_one(d))
			self.records(d, ids[-1])
			time.sleep(0.01 * i)
			d.kill()
			self.assertEqual(len(self.records(d, ids[0])), 1)
			d.start()
		for i in ids:
			self.assertEqual(len(self.records(d, i)), 1)
		self.assertNotIn('damaged', d.log())


if __name__ == '__main__':
	main()
