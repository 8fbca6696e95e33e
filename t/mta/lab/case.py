# case.py - what the tests of t/mta have in common: a lab for each file of tests, the catalogue, assertions on replies, copies and log lines
import os
import sys
import unittest

from lab import Lab, as_root

SKIPPED = 77                                                  # what CMakeLists.txt calls a skipped test
CATALOGUE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'lint', 'classes.tsv')


def catalogue():
	"""The specification: class id -> row."""
	with open(CATALOGUE) as f:
		lines = [line.rstrip('\n').split('\t') for line in f if line.strip()]
	return {row[0]: dict(zip(lines[0], row)) for row in lines[1:]}


class LabCase(unittest.TestCase):
	"""settings and socket: of the lab, which all tests of the class share."""
	settings, socket, parameters = '', 'inet', ''
	rows = catalogue()

	@classmethod
	def setUpClass(cls):
		cls.lab = Lab(os.environ['WINNOW_BUILD'], cls.settings, cls.socket, cls.parameters).__enter__()

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
			sys.stderr.write('%s\n--- milter\n%s\n--- Postfix\n%s\n' % (self.id(), self.lab.daemon.text()[-2500:], self.lab.postfix.text()[-1500:]))

	def refused(self, reply, cls, stage=None, code=None):
		"""A refusal of that class: code, enhanced code and text of the catalogue, the id at the end; returns the log line of that id."""
		row = self.rows[cls]
		self.assertEqual((reply.code, reply.xcode), (int(code or row['code']), row['xcode']), reply)
		self.assertIn(row['text'].rstrip('.'), reply.text)
		self.assertIsNotNone(reply.id, 'no [ID] in %s' % reply)
		if stage:
			self.assertEqual(reply.stage, stage, reply)
		line = self.lab.daemon.line(reply.id, **{'class': cls})
		self.log(line, action='quarantine' if row['quarantine'] == 'y' else row['action'], code=str(reply.code), xcode=reply.xcode)
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


def main():
	if not as_root():
		print('skipped: Postfix can be started by root alone, and there is no sudo without a password')
		sys.exit(SKIPPED)
	unittest.main(verbosity=2)
