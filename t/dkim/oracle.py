#!/usr/bin/env python3
"""oracle.py JUDGE: python3-dkim signs, our verifier judges: algorithms, canonical forms, chunks, keys, l=, many signatures. Exit 77: python3-dkim is not installed."""
import base64
import hashlib
import sys
import time
import unittest

from signing import BODY, Ed25519, Judge, NOW, PLAIN, Rsa, SIGNED, raw, sign, tags, txt

CANONS = ['simple/simple', 'simple/relaxed', 'relaxed/simple', 'relaxed/relaxed']
RSA, SMALL, ED = Rsa(2048), Rsa(768), Ed25519()
JUDGE = sys.argv[1]
D = 'sender.example'


def insert(*new):
	"""Tags put before b=."""
	return lambda fields: fields[:-1] + list(new) + fields[-1:]


def replace(name, value):
	return lambda fields: [(n, value if n == name else v) for n, v in fields]


class Oracle(unittest.TestCase):
	def setUp(self):
		self.judge = Judge(JUDGE)
		self.addCleanup(lambda: self.assertEqual(self.judge.close(), 0))
		self.judge.sender(D)
		self.keys()

	def keys(self, *lines):
		self.judge.keys(txt('sel', D, RSA.record), txt('ed', D, ED.record), *lines)

	def one(self, message, result, problem='', label=''):
		got = self.judge.verify(message)
		self.assertEqual(len(got), 1, label)
		self.assertEqual((got[0][0], got[0][8]), (result, problem), '%s: %s' % (label, message[:600]))
		return got[0]

	# -- what is signed
	def test_every_algorithm_and_canonical_form_passes_and_a_changed_message_does_not(self):
		for canon in CANONS:
			for key, selector in (RSA, 'sel'), (ED, 'ed'):
				m = sign(raw(), key, selector, canon=canon)
				got = self.one(m, 'pass', label=canon)
				self.assertEqual(got[1:5] + got[6:7], (D, selector, '@' + D, 'ed25519-sha256' if key is ED else 'rsa-sha256', str(key.bits)))
				self.assertEqual(got[5], tags(m)[b'b'][:8].decode())
				self.one(m.replace(b'at one', b'at two'), 'fail', 'the body was changed')
				self.one(m.replace(b'Lunch', b'Dinner'), 'fail', 'bad signature')
				self.one(m.replace(b'Date: Tue, 24 Nov 2026 10:00:00 +0000\r\n', b''), 'fail', 'bad signature')
				self.one(b'X-Unsigned: yes\r\n' + m, 'pass')

	def test_the_canonical_forms_are_exact(self):
		"""Blanks at the beginning as they came, folds, tabs, 8-bit, empty fields, blanks before the colon."""
		fields = [(b'From', b'Bob <bob@sender.example>'), (b'To', b'   Anna\r\n\t<anna@example.com>,\r\n  x@example.com'), (b'Subject', b'\tL\xe9unch\r\n on  \t Friday \t'),
			(b'Date', b' Tue, 24 Nov 2026 10:00:00 +0000'), (b'Message-ID', b''), (b'X-Empty', b' \t'), (b'x-UPPER', b' Yes')]
		for canon in CANONS:
			m = sign(raw(fields), RSA, canon=canon, headers=SIGNED + [b'x-empty', b'x-upper', b'x-absent', b'subject'])
			self.one(m, 'pass', label=canon)
			simple = canon.startswith('simple')
			self.one(m.replace(b'From:Bob', b'From: Bob'), 'fail' if simple else 'pass', 'bad signature' if simple else '', canon)
			self.one(m.replace(b'on  \t Friday', b'on Friday'), 'fail' if simple else 'pass', 'bad signature' if simple else '', canon)
			self.one(m.replace(b'x-UPPER', b'X-Upper'), 'fail' if simple else 'pass', 'bad signature' if simple else '', canon)
			self.one(b'Subject: another\r\n' + m, 'fail', 'bad signature', 'oversigned')
			self.one(b'X-Absent: now it is here\r\n' + m, 'fail', 'bad signature', 'oversigned')

	def test_a_field_above_the_signed_one_is_not_the_signed_one(self):
		m = sign(raw(), RSA)
		self.one(b'From: Eve <eve@sender.example>\r\n' + m, 'pass')
		self.one(m.replace(b'\r\n\r\n', b'\r\nFrom: Eve <eve@sender.example>\r\n\r\n', 1), 'fail', 'bad signature')

	def test_bodies_that_are_empty_or_end_without_a_line_end(self):
		for canon, digest in ('simple/simple', 'frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY='), ('relaxed/relaxed', '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='):
			m = sign(raw(body=b''), RSA, canon=canon)
			self.assertEqual(tags(m)[b'bh'].decode(), digest)
			self.one(m, 'pass', label=canon)
			self.one(m + b'\r\n\r\n', 'pass', label=canon)
		for canon in CANONS:
			m = sign(raw(body=b'one line'), RSA, canon=canon)
			self.one(m, 'pass', label=canon)
			self.one(m + b'\r\n\r\n', 'pass', label=canon)

	def test_no_piece_of_the_body_makes_a_difference(self):
		body = b' a \t b\r\n\r\n\r\nc  \r\n d\t\r\n\r\n' + b'e' * 40 + b'\r\n.\r\n \r\n\r\n'
		for canon in 'simple/simple', 'relaxed/relaxed':
			m = sign(raw(body=body), ED, 'ed', canon=canon)
			for n in range(len(body) + 1):
				self.judge.set(split=n)
				self.one(m, 'pass', label='%s cut at %d' % (canon, n))
			self.judge.set(split=0)
			for n in range(1, 8):
				self.judge.set(chunk=n)
				self.one(m, 'pass', label='%s in pieces of %d' % (canon, n))
			self.judge.set(chunk=0)

	def test_a_part_of_the_body_is_not_the_body(self):
		for canon in CANONS:
			m = sign(raw(), RSA, canon=canon, length=True)
			self.one(m, 'pass', label=canon)
			self.one(m + b'\r\n\r\n', 'pass', label=canon + ', blank lines')
			self.one(m + b'<p>and buy this</p>\r\n', 'policy', 'l= leaves a part of the body unsigned', canon)
			self.one(m[:-20], 'fail', 'l= is more than the body has', canon)
			self.one(m.replace(b'at one', b'at two'), 'fail', 'the body was changed', canon)
		digest = base64.b64encode(hashlib.sha256(b'').digest())
		m = sign(raw(), RSA, length=True, change=lambda f: replace(b'l', b'0')(replace(b'bh', digest)(f)))
		self.one(m, 'policy', 'l= leaves a part of the body unsigned')

	# -- what the signature says
	def test_rsa_sha1_never_passes(self):
		self.one(sign(raw(), RSA, sha1=True), 'policy', 'rsa-sha1 is not accepted')
		self.assertEqual(self.judge.asked, 0)

	def test_times(self):
		for change, result, problem in (
			(insert((b'x', b'%d' % (NOW + 86400))), 'fail', 'signature expired'), (insert((b'x', b'4000000000')), 'pass', ''), (insert((b'x', b'%d' % (NOW - 1))), 'neutral', 'x= is not after t='),
			(replace(b't', b'4000000000'), 'fail', 'signed in the future'), (insert((b'x', b'soon')), 'neutral', 'x= is no time'),
		):
			self.judge.set(now=NOW + (2 * 86400 if problem == 'signature expired' else 0))
			self.one(sign(raw(), RSA, change=change), result, problem)

	def test_identities(self):
		for identity, result, shown in ((b'bob@sender.example', 'pass', 'bob@sender.example'), (b'@mail.sender.example', 'pass', '@mail.sender.example'),
				(b'b=3Bob=20x@Sender.Example', 'pass', 'b;ob x@Sender.Example'), (b'bob@xsender.example', 'neutral', ''), (b'bob@example', 'neutral', ''), (b'bob', 'neutral', ''),
				(b'b=0Aob@sender.example', 'neutral', ''), (b'a@b@sender.example', 'neutral', ''), (b'x' * 300 + b'@sender.example', 'neutral', '')):
			got = self.one(sign(raw(), RSA, change=replace(b'i', identity)), result, '' if result == 'pass' else 'i= is not within d=')
			self.assertEqual(got[3], shown)
		got = self.one(sign(raw(), RSA, change=lambda fields: [f for f in fields if f[0] != b'i']), 'pass')
		self.assertEqual(got[3], '@sender.example')

	def test_what_cannot_be_understood_is_neutral(self):
		for change, problem in ((replace(b'v', b'2'), 'v= is not 1'), (replace(b'a', b'rsa-md5'), 'a= is not known'), (replace(b'c', b'relaxed/lax'), 'c= is not known'),
				(replace(b'd', b'example'), 'd= is no domain'), (replace(b'd', b'sender..example'), 'd= is no domain'), (replace(b's', b'a b;'), 'a tag without "="'),
				(replace(b's', b'-' * 64), 's= is no selector'), (replace(b'q', b'http'), 'q= names no method that is known'), (replace(b'h', b'to:subject'), 'h= does not name From'),
				(replace(b'h', b'from:' * 301), 'h= is too long'), (replace(b'bh', b'AAAA'), 'bh= is no hash'), (replace(b'bh', b'****'), 'bh= is no hash'),
				(insert((b'd', b'other.example')), 'a tag stands twice'), (insert((b'l', b'-1')), 'l= is no length'), (insert((b'l', b'9' * 19)), 'l= is no length'),
				(insert((b'xb', b'1')), 'b= cannot be told from other tags'), (insert((b'z', b'\xe9')), 'a tag with control or 8-bit characters')):
			self.one(sign(raw(), RSA, change=change), 'neutral', problem)
			self.assertEqual(self.judge.asked, 0, problem)
		self.one(sign(raw(), RSA, change=insert((b'xyz', b'1'), (b'z', b'From:bob=40sender.example|Subject:x'))), 'pass', label='unknown tags')
		self.one(sign(raw(), RSA).replace(b'; a=', b';\r\n\ta = '), 'fail', 'bad signature', 'simple change of the field')

	def test_a_message_without_from_has_no_signature(self):
		m = sign(raw(), RSA)
		self.assertEqual(self.judge.verify(m.replace(b'From: Bob <bob@sender.example>\r\n', b'')), [])
		self.one(m.replace(b'From: Bob <bob@sender.example>', b'From: (nobody'), 'neutral', 'From cannot be read')

	# -- keys
	def test_key_records(self):
		rsa, ed, other = RSA.p, ED.p, Rsa(1024).p
		for lines, key, result, problem in (
			(['p=' + rsa], RSA, 'pass', ''), (['v=DKIM1; h=sha1:sha256 ; s= email ; n=a note; p=' + rsa + ' ;'], RSA, 'pass', ''), (['v=DKIM1;t=y:s;p=' + rsa], RSA, 'pass', ''),
			(['v=DKIM1; p=' + ' '.join(rsa[i:i + 50] for i in range(0, len(rsa), 50))], RSA, 'pass', ''), (['k=rsa; g=nobody; p=' + rsa], RSA, 'pass', ''),
			(['v=DKIM1; p='], RSA, 'permerror', 'the key is revoked'), (['v=DKIM1; h=sha1; p=' + rsa], RSA, 'permerror', 'the key is for other hashes'),
			(['v=DKIM1; s=tlsrpt; p=' + rsa], RSA, 'permerror', 'the key is not for mail'), (['v=DKIM1; k=ed25519; p=' + ed], RSA, 'permerror', 'the key is for another algorithm'),
			([RSA.record], ED, 'permerror', 'the key is for another algorithm'), (['v=DKIM1; p=' + ed], ED, 'permerror', 'the key is for another algorithm'),
			(['v=DKIM1; k=ed25519; p=' + rsa], ED, 'permerror', 'the key has not 32 octets'), (['v=DKIM1; p=' + rsa[:-4]], RSA, 'permerror', 'the key is no SubjectPublicKeyInfo'),
			(['v=DKIM1; p=' + ed], RSA, 'permerror', 'the key is no SubjectPublicKeyInfo'), (['v=DKIM1; p=!' + rsa], RSA, 'permerror', 'the key is no base64'),
			(['v=DKIM2; p=' + rsa], RSA, 'permerror', 'no key record'), (['p=' + rsa + '; v=DKIM1'], RSA, 'permerror', 'no key record'), (['v=spf1 -all'], RSA, 'permerror', 'no key record'),
			(['v=DKIM1\\; k=rsa\\; p=' + rsa], RSA, 'permerror', 'no key record'), (['v=DKIM1; p=%s; p=%s' % (rsa, rsa)], RSA, 'permerror', 'no key record'), ([], RSA, 'permerror', 'no key'),
			(['v=spf1 -all', 'v=DKIM1; p=' + rsa], RSA, 'pass', ''), (['v=DKIM1; p=' + rsa, 'v=DKIM1; p='], RSA, 'pass', ''), (['v=DKIM1; p=' + rsa, 'p=' + rsa], RSA, 'pass', ''),
			([ED.record, RSA.record], RSA, 'pass', ''), ([ED.record, RSA.record], ED, 'pass', ''), (['v=DKIM1; p=' + rsa, 'v=DKIM1; p=' + other], RSA, 'permerror', 'there are several keys'),
			(['v=DKIM1; p=' + other], RSA, 'fail', 'bad signature'), (['!fail'], RSA, 'temperror', 'the name servers failed for its key'), (['!late'], RSA, 'temperror', 'no answer in time for its key'),
			(['!nodata'], RSA, 'permerror', 'no key'),
		):
			for order in (1, -1):
				self.judge.keys(*[txt('sel', D, line) for line in lines[::order]])
				self.one(sign(raw(), key), result, problem, lines)

	def test_sizes_of_keys(self):
		for bits, result, problem in ((512, 'policy', 'the key is too short'), (768, 'policy', 'the key is too short'), (1024, 'pass', ''), (3072, 'pass', ''), (4096, 'pass', ''),
				(4104, 'permerror', 'the key is too long')):
			key = SMALL if bits == 768 else Rsa(bits)
			self.judge.keys(txt('sel', D, key.record))
			got = self.one(sign(raw(), key), result, problem, bits)
			self.assertEqual(got[6], str(bits) if bits <= 4096 else '0')
		self.judge.set(bits=2048)
		self.keys(txt('short', D, Rsa(1024).record))
		self.one(sign(raw(), RSA), 'pass')
		self.one(sign(raw(), Rsa(1024), 'short'), 'policy', 'the key is too short')
		self.one(sign(raw(), ED, 'ed'), 'pass', label='Ed25519 has no such length')

	def test_a_key_for_its_own_domain_alone_and_one_that_is_tested(self):
		self.judge.keys(txt('sel', D, 't=s; p=' + RSA.p), txt('y', D, 't=y; p=' + RSA.p))
		self.one(sign(raw(), RSA), 'pass')
		self.one(sign(raw(), RSA, identity=b'bob@sender.example'), 'pass')
		self.one(sign(raw(), RSA, change=replace(b'i', b'bob@x.sender.example')), 'permerror', 'the key is not for subdomains')
		got = self.one(sign(raw(), RSA, 'y', change=replace(b'i', b'bob@x.sender.example')), 'pass')
		self.assertEqual(got[7], 't')
		got = self.one(sign(raw(), RSA, 'y').replace(b'at one', b'at two'), 'fail', 'the body was changed')
		self.assertEqual(got[7], 't')

	# -- several signatures
	def test_each_signature_has_its_result(self):
		self.keys(txt('list', 'list.example', RSA.record))
		m = sign(sign(raw(), ED, 'ed'), RSA)
		self.assertEqual(self.judge.results(m), ['pass', 'pass'])
		m = sign(m.replace(b'Lunch', b'[list] Lunch'), RSA, 'list', 'list.example')
		self.assertEqual(self.judge.results(m), ['pass', 'fail', 'fail'])
		m = sign(sign(raw(), RSA), RSA, 'gone')
		self.assertEqual([r[0] + r[8] for r in self.judge.verify(m)], ['permerrorno key', 'pass'])
		self.assertEqual(self.judge.results(sign(sign(raw(), RSA, length=True), ED, 'ed') + b'tail\r\n'), ['fail', 'policy'])

	def test_a_signature_may_cover_another(self):
		for covered in (sign(raw(), ED, 'ed'), sign(raw(), RSA, sha1=True), sign(raw(), RSA, 'gone'), sign(raw(), RSA, change=insert((b'x', b'%d' % (NOW + 1)))), sign(raw(), RSA, 'sel')):
			m = sign(covered, RSA, 'sel', headers=SIGNED + [b'dkim-signature'])
			self.judge.set(now=NOW + 1000)
			got = self.judge.verify(m)
			self.assertEqual(got[0][0], 'pass', covered[:100])
			self.assertEqual(self.judge.results(m.replace(b'Lunch', b'x'))[0], 'fail')
			self.assertEqual(self.judge.results(m.replace(b'DKIM-Signature:', b'DKIM-SIGNATURE :'))[0], 'pass')

	def test_of_many_signatures_some_are_verified_and_the_rest_cost_nothing(self):
		self.keys(txt('*', D, RSA.record), *[txt('s%d' % i, D, RSA.record) for i in range(200)])
		base = raw()
		good = b''.join(sign(base, RSA, 's%d' % i)[:-len(base)] for i in range(100))
		self.assertEqual(len(good.split(b'DKIM-Signature:')), 101)
		got = self.judge.verify(good + base)
		self.assertEqual([r[0] for r in got], ['pass'] * 10)
		self.assertEqual((self.judge.asked, self.judge.counts), (10, (100, 0, 90)))
		self.judge.set(max=3)
		self.assertEqual(self.judge.results(good + base), ['pass'] * 3)
		self.assertEqual(self.judge.asked, 3)
		# a thousand, of another form, of which nothing is understood: as fast
		self.judge.set(max=10)
		started = time.monotonic()
		got = self.judge.verify(b'DKIM-Signature: v=1; a=rsa-sha256; d=x\r\n' * 3000 + good + base)
		self.assertLess(len(got), 21)
		self.assertLess(time.monotonic() - started, 20)
		self.assertEqual(self.judge.counts[0], 3100)

	def test_different_lengths_of_the_body_are_not_all_hashed(self):
		self.keys(*[txt('s%d' % i, D, RSA.record) for i in range(10)])
		base = raw()
		fields = []
		for i in range(10):
			digest = base64.b64encode(hashlib.sha256(BODY[:i]).digest())
			fields.append(sign(base, RSA, 's%d' % i, canon='simple/simple', change=lambda f: insert((b'l', b'%d' % i))(replace(b'bh', digest)(f)))[:-len(base)])
		got = self.judge.verify(b''.join(fields) + base)
		self.assertEqual([r[0] for r in got], ['policy'] * 4 + ['neutral'] * 6)
		self.assertEqual(self.judge.asked, 4)

	def test_duplicates_are_looked_at_once(self):
		base = raw()
		field = sign(base, RSA)[:-len(base)]
		self.assertEqual(self.judge.results(field * 50 + base), ['pass'])
		self.assertEqual((self.judge.asked, self.judge.counts), (1, (50, 49, 0)))
		old = sign(base, RSA)[:-len(base)].replace(b't=1700000000', b't=1699999999')
		self.assertEqual(self.judge.results(field + old + base), ['pass'], 'the newest stands highest')

	def test_those_near_to_from_come_first(self):
		domains = ['other%d.test' % i for i in range(30)] + ['mail.sender.example', 'sender.example', 'news.sender.example', 'example']
		self.keys(*[txt('s', d, RSA.record) for d in domains])
		base = raw()
		m = b''.join(sign(base, RSA, 's', d, headers=SIGNED)[:-len(base)] for d in domains[:-1]) + base
		for sender, limit, wanted in (('sender.example', 1, {'sender.example'}), ('sender.example', 3, {'sender.example', 'mail.sender.example', 'news.sender.example'}),
				('x.mail.sender.example', 2, {'mail.sender.example', 'sender.example'}), ('a.sender.example', 1, {'sender.example'}), ('other7.test', 1, {'other7.test'}),
				('nobody.invalid', 2, {'other0.test', 'other1.test'})):
			self.judge.sender(sender)
			self.judge.set(max=limit)
			got = self.judge.verify(m)
			self.assertEqual(({r[1] for r in got}, {r[0] for r in got}), (wanted, {'pass'}), sender)

	def test_b_tells_signatures_apart(self):
		base = raw()
		a = sign(base, RSA)[:-len(base)]
		at = a.index(b'b=', a.index(b'bh=') + 3) + 2
		b = (a[:at + 12] + (b'A' if a[at + 12:at + 13] != b'A' else b'B') + a[at + 13:]).replace(b's=sel', b's=xyz')
		shown = [r[5] for r in self.judge.verify(a + b + base)]
		self.assertEqual([len(s) for s in shown], [13, 13])
		self.assertEqual(len(set(shown)), 2)


if __name__ == '__main__':
	unittest.main(argv=sys.argv[:1] + sys.argv[2:])
