# case.py - what the tests of t/mta have in common: a lab for each file of tests, the catalogue, assertions on replies, copies, log lines and samples
import os
import sys
import unittest

from lab import Lab, as_root
from lab.samples import samples

SKIPPED = 77                                                  # what CMakeLists.txt calls a skipped test
CATALOGUE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'lint', 'classes.tsv')


def catalogue():
	"""The specification: class id -> row."""
	with open(CATALOGUE) as f:
		lines = [line.rstrip('\n').split('\t') for line in f if line.strip()]
	return {row[0]: dict(zip(lines[0], row)) for row in lines[1:]}


class LabCase(unittest.TestCase):
	"""settings, socket, parameters, kind: of the lab, which all tests of the class share."""
	settings, socket, parameters, kind = '', 'inet', '', 'postfix'
	rows = catalogue()

	@classmethod
	def setUpClass(cls):
		cls.lab = Lab(os.environ['WINNOW_BUILD'], cls.settings, cls.socket, cls.parameters, cls.kind).__enter__()

	@classmethod
	def tearDownClass(cls):
		daemon = cls.lab.daemon
		status = daemon.stop()
		text = daemon.text()
		cls.lab.__exit__()
		if status != 0:
			raise AssertionError('winnow-milter ended with %s:\n%s' % (status, text[-3000:]))
		for word in ('Sanitizer', 'runtime error:'):
			if word in text:
				raise AssertionError('winnow-milter said "%s":\n%s' % (word, text[max(0, text.index(word) - 500):][:4000]))

	def run(self, result=None):
		"""When a test fails, what milter and MTA said last is worth more than the assertion."""
		before = len(result.failures) + len(result.errors)
		super().run(result)
		if len(result.failures) + len(result.errors) > before:
			sys.stderr.write('%s\n--- milter\n%s\n--- %s\n%s\n' % (self.id(), self.lab.daemon.text()[-2500:], self.lab.mta.name, self.lab.mta.text()[-1500:]))

	def refused(self, reply, cls, stage=None, code=None, xcode=None):
		"""A refusal of that class: code, enhanced code and text of the catalogue, the id at the end; returns the log line of that id."""
		row = self.rows[cls]
		self.assertEqual((reply.code, reply.xcode), (int(code or row['code']), xcode or row['xcode']), reply)
		self.assertIn(row['text'].rstrip('.'), reply.text)
		self.assertIsNotNone(reply.id, 'no [ID] in %s' % reply)
		if stage:
			self.assertEqual(reply.stage, stage, reply)
		line = self.lab.daemon.line(reply.id, **{'class': cls})
		deferred = reply.code < 500 <= int(row['code'])
		self.log(line, action='tempfail' if deferred else 'quarantine' if row['quarantine'] == 'y' else row['action'], code=str(reply.code), xcode=reply.xcode)
		return line

	def log(self, line, **words):
		"""The log line holds these words, and every key that is promised."""
		promised = 'id qid event stage direction client from rcpt policy action code xcode class'.split()
		self.assertEqual([k for k in promised if k not in line], [], line)
		self.assertEqual({k: line[k] for k in words}, words, line)

	def delivered(self, reply, cls='not-spam', brand='X-Winnow-', **words):
		"""Accepted and delivered once, evidence and log agree; returns the copy."""
		self.assertEqual(reply.code, 250, reply)
		self.assertIsNotNone(reply.queue_id, reply)
		copy = self.lab.sink.wait(reply.queue_id)
		line = self.lab.daemon.line(copy.one(brand + 'ID'), event='message')
		row = self.rows[cls]
		self.log(line, qid=copy.queue_id, **words)
		self.assertEqual(line['class'], cls)
		self.assertTrue((copy.one(brand + 'Evidence') or '').startswith((row['evidence'] or row['title']) + ' ('), copy.one(brand + 'Evidence'))
		self.assertEqual(copy.one(brand + 'Policy'), line['policy'])
		return copy


class SampleCase(LabCase):
	"""A test for each sample that the MTA can play: reply, copy, log line."""
	def expect(self, sample):
		reply = sample.play(self.lab)
		row = self.rows[sample.cls]
		self.assertEqual((reply.code, reply.stage), (sample.code, sample.stage), reply)
		if sample.own_words:
			self.assertEqual(reply.xcode, sample.xcode)
			line = self.lab.daemon.line(None, **{'class': sample.cls})
			self.log(line, action=row['action'], code=row['code'], xcode=row['xcode'])
		elif not reply.ok:
			line = self.refused(reply, sample.cls, code=sample.code, xcode=sample.xcode)
		elif sample.delivered:
			line = self.accepted(sample, reply)
		else:
			line = self.lab.daemon.line(None, **{'class': sample.cls})   # dropped: no id anywhere but in the log
			self.log(line, action='discard', code='250', qid=reply.queue_id)
		self.log(line, client=self.lab.mta.address(sample.addr), direction='out' if sample.outbound else 'in')
		if not reply.ok and sample.delivered:                     # one recipient was refused, the others have their copy
			self.assertEqual(self.lab.sink.wait(reply.queue_id).recipients, sample.to[:1])
		if line['event'] == 'message':
			self.assertEqual(line['from'], sample.sender or '<>')
		if sample.talk is None and line['event'] in ('rcpt', 'message'):
			self.assertIn(line['rcpt'], sample.to)
		if row['quarantine'] == 'y' and not reply.ok:
			self.kept(reply.id, sample)

	def accepted(self, sample, reply):
		observed = sample.cls not in ('not-spam', 'whitelisted')
		copy = self.delivered(reply, sample.cls, sample.brand, action='accept')
		self.assertEqual(copy.one(sample.brand + 'Class'), 'spam' if observed else 'whitelisted' if sample.cls == 'whitelisted' else 'ham')
		self.assertEqual(copy.one(sample.brand + 'Mode'), 'observe' if observed else None)
		self.assertEqual(copy.one(sample.brand + 'Action'), 'quarantine' if observed else 'accept')
		addr = self.lab.mta.address(sample.addr)
		if not sample.login and self.lab.mta.has_name(sample.addr):
			self.assertEqual(copy.one('Authentication-Results'), 'mx.lab.test; iprev=pass policy.iprev=' + ('"%s"' % addr if ':' in addr else addr) + '; dkim=none')
		elif not sample.login:
			self.assertEqual(copy.one('Authentication-Results'), 'mx.lab.test; iprev=permerror policy.iprev=' + addr + '; dkim=none')
		else:
			self.assertEqual(copy.one('Authentication-Results'), 'mx.lab.test; auth=pass smtp.auth=' + sample.login)
		return self.lab.daemon.line(copy.one(sample.brand + 'ID'))

	def kept(self, identity, sample):
		"""The quarantine has a copy under the id of the reply."""
		status, text = self.lab.daemon.ctl('quarantine', 'show', identity)
		self.assertEqual(status, 0, text)
		self.assertIn(sample.to[0], text)
		self.assertIn('Message-ID: ', text)

	@classmethod
	def add(cls):
		for n, sample in enumerate(samples(cls.kind)):
			setattr(cls, 'test_%02d_%s' % (n, ''.join(c if c.isalnum() else '_' for c in sample.title)), lambda self, sample=sample: self.expect(sample))


def main():
	if not as_root():
		print('skipped: an MTA can be started by root alone, and there is no sudo without a password')
		sys.exit(SKIPPED)
	unittest.main(verbosity=2)
