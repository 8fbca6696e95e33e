#!/usr/bin/env python3
"""ours.py BUILD JUDGE: outbound mail through winnow-milter as either MTA would hand it over and send it on; python3-dkim and libopendkim (JUDGE) verify what was signed.
Exit 77: python3-dkim is not installed."""
import os
import re
import sys
import time

from signing import BODY, Ed25519, Judge, Rsa, dkim, tags

sys.path[:0] = [os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), folder) for folder in ('ctl', 'fake', 'play')]
from lab import Lab, main                                  # noqa: E402
from message import delivered                              # noqa: E402
from nameserver import DnsServer                           # noqa: E402
import daemon                                              # noqa: E402
import lab                                                 # noqa: E402

JUDGE = sys.argv.pop(2)
dkim.time = time                                           # we sign now
D = 'ours.example'
FORMS = ['%s/%s' % (h, b) for h in ('simple', 'relaxed') for b in ('simple', 'relaxed')]
CONFIG = '''relay_networks = "inline:203.0.113.0/24"
domains = "inline:%s"
header { date_skew_max = 0 }
structure { line_length_max = 0 }
''' % D
FIELDS = [(b'From', b' Bob <bob@ours.example>'), (b'To', b'   Anna\r\n\t<anna@example.com>,\r\n  x@example.com'), (b'Subject', b'\tL=?utf-8?q?=C3=BC?=nch\r\n on  \t Friday  '),
	(b'Date', b' Tue, 24 Nov 2026 10:00:00 +0000'), (b'Message-ID', b'<1@ours.example>'), (b'X-8bit', b' \xc3\xa9 \xe9')]


def raw(fields, body=BODY):
	return b''.join(n + b':' + v + b'\r\n' for n, v in fields) + b'\r\n' + body


class Ours(Lab):
	RSA, ED = Rsa(2048), Ed25519()
	RECORDS = {'r1._domainkey.' + D: RSA.record, 'e1._domainkey.' + D: ED.record}

	def begin(self, keys=None, options='', more='', dns=''):
		"""A daemon whose key files are there."""
		server = DnsServer('\n'.join(['%s MX 10 mx.%s' % (D, D)] + ['%s TXT "%s" "%s"' % (n, r[:200], r[200:]) for n, r in self.RECORDS.items()]) + '\n' + dns)
		self.addCleanup(server.close)
		keys = 'inline:%s=r1:rsa.key e1:ed.key' % D if keys is None else keys
		d = daemon.Daemon(lab.BUILD, CONFIG + more + 'sign { keys = "%s"  %s }\n' % (keys, options), dns=server.server)
		d.write('rsa.key', self.RSA.private)
		d.write('ed.key', self.ED.private)
		for name in 'rsa.key', 'ed.key':
			os.chmod(d.path(name), 0o600)
		return d

	def submit(self, d, message, kind='postfix', chunk=65535):
		"""(reply, the message as the MTA sends it on)"""
		m = self.connect(d, kind=kind, address='203.0.113.7')
		m.chunk = chunk
		self.assertTrue(m.mail('<bob@%s>' % D).ok)
		self.assertTrue(m.rcpt('<anna@example.com>').ok)
		reply = m.send(message)
		sent = delivered(m.fields, reply.mods) if reply.ok else []
		m.quit()
		head = ''.join('%s:%s\n' % f for f in sent).encode('utf8', 'surrogateescape').replace(b'\r\n', b'\n').replace(b'\n', b'\r\n')
		return reply, head + b'\r\n' + message.partition(b'\r\n\r\n')[2]

	def signatures(self, message):
		return [{n.decode(): v for n, v in tags(f).items()} for f in re.findall(rb'(?m)^DKIM-Signature:.*\r\n(?:[ \t].*\r\n)*', message)]

	def judged(self, message, records=None):
		"""What python3-dkim and libopendkim say of the signatures, from the top."""
		records = self.RECORDS if records is None else records
		theirs = []
		for n in range(len(self.signatures(message))):
			try:
				theirs.append(dkim.DKIM(message).verify(n, dnsfunc=lambda name, timeout=5: records.get(name.decode().rstrip('.'), '').encode()))
			except dkim.ValidationError:
				theirs.append(False)
		judge = Judge(JUDGE)
		judge.set(now=int(time.time()))
		judge.keys(*['%s TXT %s' % (n, r) for n, r in records.items()])
		results = judge.verify(message)
		self.assertEqual(judge.close(), 0)
		return theirs, [r[0] for r in results]

	def good(self, message, n=2):
		self.assertEqual(self.judged(message), ([True] * n, ['pass'] * n), message)

	def bad(self, message, n=2):
		theirs, results = self.judged(message)
		self.assertEqual((any(theirs), 'pass' in results, len(results)), (False, False, n), message)

	def test_every_form_as_both_mtas(self):
		for form in FORMS:
			d = self.started(self.begin(options='canonicalization = "%s"' % form))
			for kind in 'postfix', 'sendmail':
				for body in BODY, b'', b'\r\n\r\n', b'x' * 3000 + b' \t\r\n', b'no line end':
					reply, sent = self.submit(d, raw(FIELDS, body), kind, chunk=7 if len(body) < 100 else 1000)
					self.assertTrue(reply.ok, str(reply))
					self.assertEqual([(s['a'], s['c'], s['d'], s['s']) for s in self.signatures(sent)],
						[(b'rsa-sha256', form.encode(), D.encode(), b'r1'), (b'ed25519-sha256', form.encode(), D.encode(), b'e1')])
					self.good(sent)
			self.bad(sent + b'more\r\n')
			self.bad(sent.replace(b'Friday', b'Monday'))

	def test_what_is_added_later_breaks_the_signature(self):
		d = self.started(self.begin())
		reply, sent = self.submit(d, raw(FIELDS))
		self.good(sent)
		self.good(b'Received: from a by b\r\nX-Other: 1\r\nComments: any\r\n' + sent)
		for name in 'From', 'To', 'Cc', 'Subject', 'Date', 'Message-ID', 'Reply-To', 'MIME-Version', 'Content-Type':
			self.bad(name.encode() + b': bob@other.example\r\n' + sent)
		for s in self.signatures(sent):
			names = s['h'].lower().split(b':')
			self.assertEqual([names.count(n) for n in (b'from', b'to', b'subject', b'date', b'message-id', b'cc', b'sender')], [2, 2, 2, 2, 2, 1, 0])
			self.assertNotIn(b'l', s)
			self.assertNotIn(b'x', s)

	def test_what_an_mta_completes_may_be_missing(self):
		d = self.started(self.begin())
		reply, sent = self.submit(d, raw([f for f in FIELDS if f[0] not in (b'Date', b'Message-ID')]))
		self.good(sent)
		self.good(b'Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nMessage-ID: <a@b>\r\n' + sent)

	def test_our_own_changes_are_signed(self):
		d = self.started(self.begin(more='evidence { outgoing = true }\n',
			options='headers = { "X-Winnow-Outgoing-Class", "X-Winnow-Class", "Authentication-Results", "X-8bit" }  lifetime = "2d"'))
		forged = [(b'X-Winnow-Class', b' ham'), (b'X-Winnow-Class', b' spam'), (b'Authentication-Results', b' mx1.example.net; dkim=pass')]
		for kind in 'postfix', 'sendmail':
			reply, sent = self.submit(d, raw(forged + FIELDS + forged), kind)
			self.assertIn(b'X-Winnow-Outgoing-Class: ham', sent)
			self.assertNotIn(b'\nX-Winnow-Class', sent)
			self.good(sent)
			self.bad(sent.replace(b'Outgoing-Class: ham', b'Outgoing-Class: spam'))
			for s in self.signatures(sent):
				self.assertEqual(int(s['x']) - int(s['t']), 2 * 86400)
				self.assertLess(abs(int(s['t']) - time.time()), 60)
				self.assertEqual([s['h'].lower().split(b':').count(n) for n in (b'authentication-results', b'x-winnow-class', b'x-8bit')], [1, 0, 1])

	def test_a_tagged_subject_is_signed(self):
		d = self.started(self.begin(more='mode = "tag"\ntag_subject = "[odd]"\n', options='canonicalization = "simple/simple"'))
		for kind in 'postfix', 'sendmail':
			for subject in [], [(b'SUBJECT', b' one'), (b'X-Between', b' 1')]:
				fields = [f for f in FIELDS if f[0] not in (b'Subject', b'Date')]
				reply, sent = self.submit(d, raw(fields[:1] + subject + fields[1:] + [(b'Date', b' Tue, 24 Nov 2026 10:00:00 +0000')] * 2), kind)
				self.assertIn(b': [odd]' + (b' one' if subject else b''), sent)
				self.good(sent)
				self.bad(sent.replace(b'[odd]', b'[even]'))

	def test_who_is_signed_for(self):
		d = self.started(self.begin('inline:.%s=r1:rsa.key, other.example=e1:ed.key' % D))
		for author, want in (b' bob@sub.ours.example', [D.encode()]), (b' bob@a.b.OURS.example', [D.encode()]), (b' bob@other.example', [b'other.example']), (b' bob@ours.example', []), \
				(b' bob@x.other.example', []), (b' a@other.example, b@third.example', []):
			reply, sent = self.submit(d, raw([(b'From', author)] + FIELDS[1:]))
			self.assertTrue(reply.ok, str(reply))
			self.assertEqual([s['d'] for s in self.signatures(sent)], want, author)
		self.assertEqual(self.judged(self.submit(d, raw([(b'From', b' bob@sub.ours.example')] + FIELDS[1:]))[1])[1], ['pass'])

	def test_inbound_mail_is_not_signed(self):
		d = self.started(self.begin())
		m = self.connect(d, address='198.51.100.7')
		m.mail('<bob@%s>' % D)
		self.assertTrue(m.rcpt('<anna@%s>' % D).ok)
		reply = m.send(raw(FIELDS))
		self.assertTrue(reply.ok, str(reply))
		self.assertNotIn('DKIM-Signature', [mod.name for mod in reply.mods])

	def test_what_cannot_be_signed_is_deferred_and_keys_are_read_at_reload(self):
		d = self.begin('file:{dir}/keys')
		d.write('keys', '%s r1:rsa.key\n' % D)
		self.started(d)
		d.write('rsa.key', b'no key')
		os.chmod(d.path('rsa.key'), 0o600)
		self.good(self.submit(d, raw(FIELDS))[1], 1)           # the one that was read
		mark = len(d.log())
		d.write('keys', '%s r1:rsa.key, e2:gone.key\n' % D)
		self.assertTrue(self.deferred(d))
		self.wait_for_log(d, r'sign: id=\w+ is deferred: \S*gone.key: No such file', mark)
		out, err = self.ctl(d, 'reload', status=78)
		self.assertIn('rsa.key: it holds no private key', out + err)
		d.write('rsa.key', self.RSA.private)
		os.chmod(d.path('rsa.key'), 0o604)
		d.write('gone.key', self.ED.private)
		os.chmod(d.path('gone.key'), 0o600)
		out, err = self.ctl(d, 'reload', status=78)
		self.assertIn('others may read or change this private key', out + err)
		os.chmod(d.path('rsa.key'), 0o640)
		self.ctl(d, 'reload')
		reply, sent = self.submit(d, raw(FIELDS))
		self.assertEqual([s['s'] for s in self.signatures(sent)], [b'r1', b'e2'])

	def deferred(self, d):
		"""A table is watched: within two seconds a submission is deferred."""
		for _ in range(100):
			reply, _ = self.submit(d, raw(FIELDS))
			if not reply.ok:
				self.assertEqual((reply.code, reply.xcode, reply.mods), (451, '4.3.0', []))
				return True
			time.sleep(0.05)
		return False

	def test_errors_have_file_line_and_remedy(self):
		d = self.begin('inline:ours.example=r1:rsa.key, b.example=r1, c.example=_bad!:rsa.key, d.example=x:none.key, e.example=x:open.key, f=x:rsa.key, g.example=, h.example=x:small.key')
		d.listen = 'unix:' + d.path('milter.sock')
		d.write('open.key', self.RSA.private)
		os.chmod(d.path('open.key'), 0o644)
		d.write('small.key', Rsa(768).private)
		os.chmod(d.path('small.key'), 0o600)
		d.write_config(d.lines)
		self.addCleanup(d.clean)
		_, err = self.ctl(d, 'check', status=1)
		with open(d.conf) as f:
			line = next(n for n, text in enumerate(f.read().splitlines(), 1) if text.startswith('sign'))
		found = [text for text in err.splitlines() if text.startswith('%s:%d: ' % (d.conf, line))]
		for want in ('"b.example": "r1": write SELECTOR:KEYFILE', '"c.example": "_bad!" is no selector', 'none.key: No such file', 'open.key: others may read or change this private key (mode 0644): chmod 0600',
				'"f" is no domain of From', '"g.example": no key is named', 'an RSA key of 768 bits is not taken by all verifiers: make one of 2048'):
			self.assertEqual(len([f for f in found if want in f]), 1, (want, err))
		self.assertEqual(len(found), 7, err)

	def test_sign_test_compares_key_and_record(self):
		d = self.started(self.begin('inline:ours.example=r1:rsa.key e1:ed.key, bad.example=r1:rsa.key e1:rsa.key no:ed.key rev:rsa.key', dns='\n'.join([
			'r1._domainkey.bad.example TXT "v=DKIM1; p=%s"' % self.ED.p, 'e1._domainkey.bad.example TXT "%s"' % self.ED.record, 'rev._domainkey.bad.example TXT "v=DKIM1; p="'])))
		out, _ = self.ctl(d, 'sign', 'test', 'Ours.Example')
		self.assertEqual(re.findall(r'(?m)^(\S+): (\S+ ?\S* ?\S*), \S+: (.*)$', out), [('r1._domainkey.ours.example', 'rsa 2048 bits', 'the record fits'), ('e1._domainkey.ours.example', 'ed25519', 'the record fits')])
		out, err = self.ctl(d, 'sign', 'test', 'bad.example', status=1)
		lines = re.findall(r'(?m)^(\S+)\._domainkey.*key: (.*)$', out + err)
		self.assertEqual([n for n, _ in lines], ['r1', 'e1', 'no', 'rev'])
		self.assertNotIn('the record fits', [t for _, t in lines])
		self.assertEqual(lines[2][1], 'there is no record')
		self.assertIn('no._domainkey.bad.example TXT "v=DKIM1; k=ed25519; p=%s"' % self.ED.p, out + err)
		for domain, why in ('third.example', 'sign.keys names no key for it'), ('no domain', 'no domain'), ('', 'no domain'):
			out, err = self.ctl(d, 'sign', 'test', domain, status=1)
			self.assertIn(why, out + err)


if __name__ == '__main__':
	main()
