# release.py - copies that are released go back through the same MTA and the milter before it, and arrive
import json
import random
import subprocess

from lab import mail
from lab.case import LabCase
from lab.daemon import CONFIG

OLD = 'Mon, 1 Jan 2001 12:00:00 +0000'                        # many of them would be taken for our own clock's fault
LINE = 'x' * 1200 + '\r\n'
ODD = b''.join(random.Random(5).choice((b'', b'.', b'..', b'From ', b'\xe9\xff ')) + b'line %d %%s \t\r\n' % n for n in range(300)) + b'.\r\n..\r\n\r\n\r\n'


class ReleaseCase(LabCase):
	settings = 'domains = "inline:sink.test"\n'
	samples = (                                              # what makes it odd, the message, lines of the header block that the MTA writes anew
		('a letter', mail.letter(date=OLD), ()),
		('odd lines', mail.letter(body=ODD + LINE.encode()), ()),
		('long lines', mail.letter(body='x' * 20000 + '\r\n' + 'y' * 999 + '\r\n'), ()),
		('no end of line', mail.letter(body=LINE + 'the end'), ()),
		('no body', mail.letter(date=OLD, body=''), ()),
		('8-bit names', mail.letter(body=LINE, subject='gr\xfc\xdfe', sender='"B\xf6b" <bob@sender.example>'), ()),
		('no domain', mail.letter(body=LINE, sender='root (Cron Daemon)', to='root, anna@sink.test'), (b'From', b'To')),
		('forged ticket', mail.letter(body=LINE, top=b'X-Winnow-Release: AAAA 00\r\nReturn-Path: <x@y.example>\r\n', more=b'Bcc: secret@sink.test\r\nX-Fold: a\r\n\tb\r\n c\r\n'), ()),
		('two subjects', mail.letter(more=b'Subject: another\r\n'), ()),
	)

	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		d = cls.lab.daemon
		d.common = (d.common if cls.kind == 'sendmail' else CONFIG).replace('/quarantine" }', '/quarantine"  ticket_key = "ticket.key"  release = "smtp://127.0.0.1:%d" }' % cls.lab.mta.ports['mx'])
		d.configure(cls.settings)
		d.reload()

	def copy(self, message, sender='bob@sender.example', to=('anna@sink.test',)):
		where = dict(addr='203.0.113.7') if self.kind == 'sendmail' else dict(addr='203.0.113.7', name='mail.sender.example')
		client = self.lab.client(**where)
		reply = client.send(sender, to, message)
		client.close()
		self.assertTrue(reply.code >= 550 and reply.stage == 'eom', reply)
		return reply.id

	def release(self, *words, status=0):
		d = self.lab.daemon
		r = subprocess.run([d.ctl_program, '-c', d.config_path, 'quarantine', 'release', '--json'] + list(words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=d.folder, timeout=60)
		self.assertEqual(r.returncode, status, r)
		return json.loads(r.stdout)

	def arrived(self, queue_id):
		return self.lab.sink.wait(queue_id)

	def test_whatever_it_looks_like_it_arrives_and_is_known_on_the_way(self):
		for what, message, rewritten in self.samples:
			with self.subTest(what):
				identity = self.copy(message)
				text = self.release(identity)[0]['text']
				queue_id = next(w for w in text.replace('queued as', '').split() if w not in ('Ok:', 'Message'))
				got = self.arrived(queue_id)
				line = self.lab.daemon.line(got.one('X-Winnow-ID'), event='message')
				self.log(line, action='accept', notes='released:' + identity, **{'class': 'not-spam'})
				self.assertIn('released=' + identity, got.one('X-Winnow-Evidence'))
				self.assertEqual(got.all('X-Winnow-Release'), [])
				_, kept = self.lab.daemon.ctl('quarantine', 'show', '--json', identity)
				body = message.partition(b'\r\n\r\n')[2]
				self.assertEqual(got.body.rstrip(b'\r\n'), body.rstrip(b'\r\n'))
				self.assertIn('"released": "20', kept)
				for name in (b'Subject', b'From', b'Message-ID'):
					if name not in rewritten:
						values = [v for v in message.partition(b'\r\n\r\n')[0].split(b'\r\n') if v.startswith(name + b':')]
						self.assertTrue(all(v in got.head for v in values), (name, got.head))

	def test_the_envelope_is_kept_and_can_be_changed(self):
		identity = self.copy(mail.letter(body=LINE), '', ('anna@sink.test',))
		for words, to in (((), 'anna@sink.test'), (('--to', 'boss@sink.test'), 'boss@sink.test')):
			queue_id = next(w for w in self.release(identity, *words)[0]['text'].replace('queued as', '').split() if w not in ('Ok:', 'Message'))
			got = self.arrived(queue_id)
			self.assertEqual((got.sender, got.recipients), ('', [to]))

	def test_who_may_not_relay_may_not_by_a_release_either(self):
		identity = self.copy(mail.letter(body=LINE))
		report = self.release(identity, '--to', 'boss@other.test', status=69)[0]
		self.assertEqual((report['released'], report['rcpt'][0]['code']), (False, 550))
