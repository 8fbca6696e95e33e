# faults.py - what the tests of this folder share: a name server, a winnow-milter that asks it, messages with the time that each answer took
import json
import os
import re
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), x) for x in ('ctl', 'fake', 'hostile')]

import lab                                                 # noqa: E402
from hostile import sanitized                              # noqa: E402
from nameserver import DnsServer                           # noqa: E402

BUSY = 2.5                                                 # seconds that a machine with other work may add to anything


class Faults(lab.Lab):
	def server(self, zone=''):
		s = DnsServer(zone)
		self.addCleanup(s.close)
		return s

	def daemon(self, config, *servers):
		"""config: in it {dns} stands for the list of servers."""
		return self.started(lab.daemon.Daemon(lab.BUILD, config.replace('{dns}', ', '.join('"%s"' % getattr(s, 'server', s) for s in servers))))

	def rcpt(self, m, sender, to='<anna@example.com>'):
		"""MAIL and RCPT: (the reply to RCPT, seconds it took)"""
		self.assertTrue(m.mail(sender).ok)
		start = time.monotonic()
		return m.rcpt(to), time.monotonic() - start

	def message(self, d, sender, m=None, helo='[203.0.113.7]', address='203.0.113.7'):
		"""A whole message: (the last reply, seconds from MAIL to it). HELO is a literal, of which DNS knows nothing."""
		m = m or self.connect(d, address, helo=helo)
		start = time.monotonic()
		reply, _ = self.rcpt(m, sender)
		if reply.ok:
			reply = m.send(lab.mail())
		return reply, time.monotonic() - start

	def accepted(self, reply):
		self.assertTrue(reply.ok, reply)
		return reply

	def refused(self, reply, code, text):
		self.assertEqual(reply.code, code, reply)
		self.assertIn(text, reply.text)

	def header(self, reply, name):
		"""A header that was added, unfolded."""
		return ' '.join(re.sub(r'\r?\n[ \t]+', ' ', m.value) for m in reply.mods if m.name == name and m.kind in ('insert', 'add'))

	def spf(self, reply):
		"""The result for MAIL FROM in Authentication-Results."""
		m = re.search(r'spf=(\w+)(?: reason="[^"]*")? smtp\.mailfrom', self.header(reply, 'Authentication-Results'))
		return m.group(1) if m else None

	def stats(self, d):
		return json.loads(self.ctl(d, 'stats', '--json')[0])

	def dns(self, d):
		return self.stats(d)['dns']

	def within(self, seconds, question, what):
		"""Asks until the answer is true."""
		end = time.monotonic() + seconds
		while not question():
			self.assertLess(time.monotonic(), end, what)
			time.sleep(0.05)

	def side_by_side(self, n, work):
		"""work(i) in n threads; the results, or the first error."""
		results, errors = [None] * n, []

		def one(i):
			try:
				results[i] = work(i)
			except Exception as e:                                # noqa: B902 - raised again below
				errors.append(e)
		threads = [threading.Thread(target=one, args=(i,)) for i in range(n)]
		for t in threads:
			t.start()
		for t in threads:
			t.join()
		if errors:
			raise errors[0]
		return results


def resident(d):
	"""KB of its own; 0 where a sanitizer keeps what was freed."""
	if sanitized(d.program):
		return 0
	with open('/proc/%d/status' % d.process.pid) as f:
		return int(re.search(r'RssAnon:\s+(\d+)', f.read()).group(1))


main = lab.main
