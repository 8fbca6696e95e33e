#!/usr/bin/env python3
# test_samples.py - each message of lab/samples.py gets its answer, its headers and its line in the log, through a real Postfix
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab.case import LabCase, main                           # noqa: E402
from lab.samples import SAMPLES, SETTINGS                    # noqa: E402


class Samples(LabCase):
	settings, socket = SETTINGS, 'unix'

	def expect(self, sample):
		reply = sample.play(self.lab)
		row = self.rows[sample.cls]
		self.assertEqual((reply.code, reply.stage), (sample.code, sample.stage), reply)
		if not reply.ok:
			line = self.refused(reply, sample.cls)
		elif sample.delivered:
			line = self.accepted(sample, reply)
		else:
			line = self.lab.daemon.line(None, **{'class': sample.cls})   # dropped: no id anywhere but in the log
			self.log(line, action='discard', code='250', qid=reply.queue_id)
		self.log(line, client=sample.addr, direction='out' if sample.outbound else 'in')
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
		if not sample.login:
			self.assertEqual(copy.one('Authentication-Results'), 'mx.lab.test; iprev=pass policy.iprev=' + ('"%s"' % sample.addr if ':' in sample.addr else sample.addr))
		else:
			self.assertEqual(copy.one('Authentication-Results'), 'mx.lab.test; auth=pass smtp.auth=' + sample.login)
		return self.lab.daemon.line(copy.one(sample.brand + 'ID'))

	def kept(self, identity, sample):
		"""The quarantine has a copy under the id of the reply."""
		status, text = self.lab.daemon.ctl('quarantine', 'show', identity)
		self.assertEqual(status, 0, text)
		self.assertIn(sample.to[0], text)
		self.assertIn('Message-ID: ', text)


def test_of(sample):
	return lambda self: self.expect(sample)


for n, each in enumerate(SAMPLES):
	setattr(Samples, 'test_%02d_%s' % (n, ''.join(c if c.isalnum() else '_' for c in each.title)), test_of(each))

if __name__ == '__main__':
	main()
