#!/usr/bin/env python3
"""through_milter.py BUILD: messages that python3-dkim signs, through winnow-milter as either MTA would send them, read back from Authentication-Results by python3-authres.
Exit 77: python3-dkim is not installed."""
import os
import re
import sys
import time

from signing import BODY, Ed25519, PLAIN, Rsa, SIGNED, raw, sign, txt

try:
	import authres
except ImportError as e:
	print('python3-authres is needed: %s' % e)
	sys.exit(77)

sys.path[:0] = [os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), folder) for folder in ('ctl', 'fake')]
from lab import Lab, main                                  # noqa: E402
from nameserver import DnsServer                           # noqa: E402
import daemon                                              # noqa: E402
import lab                                                 # noqa: E402

D = 'sender.example'
CONFIG = 'header { date_skew_max = 0 }\nstructure { line_length_max = 0 }\n'


class Milter(Lab):
	RSA, ED = Rsa(2048), Ed25519()

	def setUp(self):
		self.dns = DnsServer('%s A 192.0.2.1\n' % D + '\n'.join('%s._domainkey.%s TXT "%s" "%s"' % (s, D, k.record[:200], k.record[200:]) for s, k in (('sel', self.RSA), ('ed', self.ED), ('*', self.RSA))))
		self.addCleanup(self.dns.close)
		self.d = daemon.Daemon(lab.BUILD, CONFIG, dns=self.dns.server)
		self.addCleanup(self.d.clean)
		self.addCleanup(self.end, self.d)
		self.d.start()

	def results(self, message, kind='postfix', chunk=65535, accepted=True):
		"""[(result, {property: value}, reason)] of dkim, as python3-authres reads them"""
		m = self.connect(self.d, kind=kind)
		m.chunk = chunk
		self.assertTrue(m.mail('<bob@%s>' % D).ok)
		self.assertTrue(m.rcpt('<anna@example.com>').ok)
		reply = m.send(message)
		self.assertTrue(reply.ok, str(reply))
		m.quit()
		fields = [mod.value for mod in reply.mods if mod.name == 'Authentication-Results']
		self.assertEqual(len(fields), 1)
		for line in fields[0].split('\n'):
			self.assertLess(len(line), 900)
		parsed = authres.AuthenticationResultsHeader.parse('Authentication-Results: ' + re.sub(r'\n[ \t]+', ' ', fields[0].strip()))
		self.assertEqual(parsed.authserv_id, 'mx1.example.net')
		return [(r.result, {p.type + '.' + p.name: p.value for p in r.properties}, r.reason) for r in parsed.results if r.method == 'dkim']

	def test_every_algorithm_and_form_as_both_mtas(self):
		fields = [(b'From', b' Bob <bob@sender.example>'), (b'To', b'   Anna\r\n\t<anna@example.com>,\r\n  x@example.com'), (b'Subject', b'\tL=?utf-8?q?=C3=BC?=nch\r\n on  \t Friday'),
			(b'Date', b' Tue, 24 Nov 2026 10:00:00 +0000'), (b'Message-ID', b'<1@sender.example>'), (b'X-8bit', b' \xc3\xa9 \xe9')]
		for kind in 'postfix', 'sendmail':
			for canon in 'simple/simple', 'relaxed/relaxed', 'simple/relaxed':
				for key, selector, name in (self.RSA, 'sel', 'rsa-sha256'), (self.ED, 'ed', 'ed25519-sha256'):
					m = sign(raw(fields), key, selector, canon=canon, headers=SIGNED + [b'x-8bit'])
					(result, got, reason), = self.results(m, kind)
					self.assertEqual((result, reason), ('pass', None), '%s %s' % (kind, canon))
					self.assertEqual((got['header.d'], got['header.s'], got['header.a'], got['header.i']), (D, selector, name, '@' + D))
					self.assertEqual([r[0] for r in self.results(m.replace(b'at one', b'at two'), kind)], ['fail'])

	def test_bodies_and_pieces(self):
		for body in b'', b'\r\n\r\n', BODY, b'x' * 3000 + b' \t\r\n':
			for canon in 'simple/simple', 'relaxed/relaxed':
				m = sign(raw(body=body), self.ED, 'ed', canon=canon)
				for chunk in 1, 7, 65535:
					if len(body) < 100 or chunk > 1:
						self.assertEqual([r[0] for r in self.results(m, chunk=chunk)], ['pass'], (body, canon, chunk))

	def test_a_large_body_that_is_spooled(self):
		m = sign(raw(body=b'a line of  text\r\n' * 200000), self.RSA)
		self.assertEqual([r[0] for r in self.results(m)], ['pass'])

	def test_what_does_not_pass(self):
		self.assertEqual([(r[0], r[2]) for r in self.results(sign(raw(), self.RSA, sha1=True))], [('policy', 'rsa-sha1 is not accepted')])
		m = sign(raw(), self.RSA, length=True)
		self.assertEqual([(r[0], r[2]) for r in self.results(m + b'<p>buy this</p>\r\n')], [('policy', 'l= leaves a part of the body unsigned')])
		self.assertEqual([(r[0], r[2]) for r in self.results(sign(raw(), self.RSA, domain='other.example'))], [('permerror', 'no key')])
		both = self.results(sign(sign(raw(), self.RSA).replace(b'Lunch', b'Dinner'), self.ED, 'ed'))
		self.assertEqual([r[0] for r in both], ['pass', 'fail'])

	def test_explain_tells_what_was_found(self):
		self.results(sign(sign(raw(), self.RSA).replace(b'Lunch', b'Dinner'), self.ED, 'ed'))
		for _ in range(100):
			out, _ = self.ctl(self.d, 'explain', '<1@sender.example>', status=None)
			if 'dkim=' in out:
				break
			time.sleep(0.05)
		self.assertIn('auth      dkim=pass d=sender.example s=ed a=ed25519-sha256\n', out)
		self.assertIn('auth      dkim=fail d=sender.example s=sel a=rsa-sha256: bad signature\n', out)

	def test_of_a_hundred_signatures_ten_cost_anything(self):
		base = raw()
		fields = [sign(base, self.RSA, 's%d' % i)[:-len(base)] for i in range(200)]
		for n in 100, 200:
			self.dns.asked.clear()
			started = time.monotonic()
			got = self.results(b''.join(fields[:n]) + base)
			self.assertLess(time.monotonic() - started, 20)
			self.assertEqual([r[0] for r in got], ['pass'] * 10 + ['neutral'])
			self.assertEqual(got[-1][2], '%d more signatures were not looked at' % (n - 10))
			self.assertLessEqual(sum(1 for name, _ in self.dns.asked if '_domainkey' in name), 10)


if __name__ == '__main__':
	main()
