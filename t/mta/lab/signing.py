# signing.py - outbound mail that we sign, through an MTA: what it passes on verifies; the same for Postfix and Sendmail
import os
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', '..', 'dkim'))
from signing import Ed25519, Rsa, dkim                       # noqa: E402

from lab import mail                                         # noqa: E402
from lab.case import LabCase                                 # noqa: E402
from lab.daemon import eventually                            # noqa: E402

SETTINGS = '''domains = "inline:sink.test"
relay_networks = "inline:192.0.2.0/28, 127.0.2.0/28"
policies = "inline:simple.test=simple"
policy "simple" { sign { canonicalization = "simple/simple" } }
evidence { outgoing = true }
sign { keys = "file:%(keys)s/table"
	headers = { "Subject", "To", "Date", "Message-ID", "X-Fold", "X-Wide", "X-Winnow-Outgoing-Class" } }
'''
TABLE = 'relaxed.test r1:%(keys)s/rsa.key, e1:%(keys)s/ed.key\nsimple.test r1:%(keys)s/rsa.key e1:%(keys)s/ed.key\nbroken.test r1:%(keys)s/%(third)s\n'
BODY = b'Hi Anna,\r\n\r\n.\r\n..a  b \t\r\n' + b'a line of  text\r\n' * 5000 + b'\r\n\r\n'
FIELDS = b'X-Fold: one\r\n two\r\n\tthree\r\nX-Wide:   value  \r\n'


class Signing(LabCase):
	@classmethod
	def setUpClass(cls):
		cls.rsa, cls.ed25519 = Rsa(2048), Ed25519()
		cls.keys = tempfile.mkdtemp(prefix='keys-')
		for name, key in ('rsa.key', cls.rsa), ('ed.key', cls.ed25519):
			with open(os.path.join(cls.keys, name), 'wb') as f:
				f.write(key.private)
			os.chmod(f.name, 0o600)
		cls.name_third('rsa.key')
		cls.settings = SETTINGS % dict(keys=cls.keys)
		dkim.time = time                                     # we sign now
		super().setUpClass()

	@classmethod
	def name_third(cls, name):
		"""The table anew, with that file as the key of broken.test."""
		path = os.path.join(cls.keys, 'table')
		with open(path + '.new', 'w') as f:
			f.write(TABLE % dict(keys=cls.keys, third=name))
		os.replace(path + '.new', path)

	@classmethod
	def tearDownClass(cls):
		super().tearDownClass()
		shutil.rmtree(cls.keys)

	def submit(self, domain, message):
		client = self.lab.client(addr='192.0.2.9', name='host.' + domain)
		try:
			return client.send('bob@' + domain, ['anna@remote.example'], message)
		finally:
			client.close()

	def copy(self, reply):
		self.assertEqual(reply.code, 250, reply)
		return self.lab.sink.wait(reply.queue_id)

	def verdicts(self, data):
		"""What python3-dkim says of both signatures."""
		said = []
		for n in range(2):
			record = {b'r1': self.rsa.record, b'e1': self.ed25519.record}
			try:
				said.append(dkim.DKIM(data).verify(n, dnsfunc=lambda name, timeout=5: record[name.split(b'.')[0]].encode()))
			except dkim.ValidationError:
				said.append(False)
		return said

	def test_what_leaves_verifies_and_what_is_altered_does_not(self):
		for domain in 'relaxed.test', 'simple.test':
			sender = 'Bob <bob@%s>' % domain
			for letter in (mail.letter(body=BODY, more=FIELDS, sender=sender, to='Anna <anna@remote.example>'), mail.letter(body='', sender=sender),
					('From: %s\r\nTo: anna@remote.example\r\nSubject: no date\r\n\r\nno id\r\n' % sender).encode()):
				copy = self.copy(self.submit(domain, letter))
				self.assertEqual(len(copy.all('DKIM-Signature')), 2)
				self.assertEqual(copy.one('X-Winnow-Outgoing-Class'), 'ham')
				self.assertIn('c=%s;' % ('relaxed/relaxed' if domain == 'relaxed.test' else 'simple/simple'), copy.all('DKIM-Signature')[0])
				self.assertEqual(self.verdicts(copy.data), [True, True], copy.head)
				self.assertEqual(self.verdicts(copy.data + b'more\r\n'), [False, False])
				self.assertEqual(self.verdicts(b'Subject: other\r\n' + copy.data), [False, False])
				self.assertEqual(self.verdicts(copy.data.replace(b'Outgoing-Class: ham', b'Outgoing-Class: spam')), [False, False])

	def test_a_key_that_cannot_be_used_defers(self):
		letter = mail.letter(sender='bob@broken.test')
		self.assertEqual(len(self.copy(self.submit('broken.test', letter)).all('DKIM-Signature')), 1)
		self.name_third('gone.key')
		reply = eventually(lambda: (lambda r: r if r.code != 250 else None)(self.submit('broken.test', letter)), pause=0.2)
		self.refused(reply, 'internal-error')
		self.name_third('rsa.key')
		reply = eventually(lambda: (lambda r: r if r.code == 250 else None)(self.submit('broken.test', letter)), pause=0.2)
		self.assertEqual(len(self.copy(reply).all('DKIM-Signature')), 1)
