# signed.py - mail that python3-dkim signs, through an MTA: the same for Postfix and Sendmail
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', '..', 'dkim'))
from signing import Ed25519, Rsa, SIGNED, sign               # noqa: E402

from lab import mail                                         # noqa: E402
from lab.case import LabCase                                 # noqa: E402

SETTINGS = 'domains = "inline:sink.test"\n'
BODY = b'Hi Anna,\r\n\r\n.\r\n..a  b \t\r\n\xe9\xff\r\n' + b'a line of  text\r\n' * 5000 + b'\r\n\r\n'
FIELDS = b'X-Fold: one\r\n two\r\n\tthree\r\nX-Wide:   value  \r\n'


class Signed(LabCase):
	settings = SETTINGS

	@classmethod
	def setUpClass(cls):
		cls.rsa, cls.ed25519 = Rsa(2048), Ed25519()
		super().setUpClass()
		for selector, key in ('sel', cls.rsa), ('ed', cls.ed25519):
			cls.lab.daemon.dns.zone.add('%s._domainkey.sender.example TXT "%s" "%s"' % (selector, key.record[:200], key.record[200:]))

	def results(self, message):
		"""What Authentication-Results of the delivered copy says of dkim."""
		client = self.lab.client(addr='203.0.113.7', name='mail.sender.example')
		try:
			copy = self.delivered(client.send('bob@sender.example', ['anna@sink.test'], message))
		finally:
			client.close()
		said = copy.one('Authentication-Results')
		return [part.split()[0] for part in said.split(';') if part.strip().startswith('dkim=')], said

	def test_what_was_signed_passes_and_what_was_altered_does_not(self):
		for canon in 'simple/simple', 'relaxed/relaxed':
			for key, selector in (self.rsa, 'sel'), (self.ed25519, 'ed'):
				m = sign(mail.letter(body=BODY, more=FIELDS), key, selector, canon=canon, headers=SIGNED + [b'x-fold', b'x-wide'])
				found, said = self.results(m)
				self.assertEqual(found, ['dkim=pass'], '%s: %s' % (canon, said))
				self.assertIn('header.d=sender.example', said)
				found, said = self.results(m.replace(b'a line of  text\r\n', b'a line of other text\r\n', 1))
				self.assertEqual(found, ['dkim=fail'], said)
				self.assertIn('the body was changed', said)
				found, said = self.results(m.replace(b'Lunch', b'Dinner'))
				self.assertEqual(found, ['dkim=fail'], said)

	def test_two_signatures_one_of_them_by_nobody(self):
		base = mail.letter(body=BODY)
		found, said = self.results(sign(sign(base, self.rsa), self.ed25519, 'gone'))
		self.assertEqual(found, ['dkim=permerror', 'dkim=pass'], said)
