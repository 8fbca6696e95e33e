# lab.py - a winnow-milter with an MTA before it, and winnowctl beside it, for the tests of this folder
import os
import re
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'play'))
import daemon                                              # noqa: E402
import message                                             # noqa: E402
import mta                                                 # noqa: E402

BUILD = sys.argv[1] if len(sys.argv) > 1 else ''


def mail(message_id='<1@mail.example.net>', subject='lunch', date=''):
	"""A plain message as bytes."""
	return ('From: Bob <bob@example.net>\r\nTo: Anna <anna@example.com>\r\nSubject: %s\r\nMessage-ID: %s\r\nDate: %s\r\n\r\nHi Anna,\r\n'
		% (subject, message_id, message.date(date))).encode()


class Lab(unittest.TestCase):
	CONFIG = ''

	def start(self, config=None):
		d = daemon.Daemon(BUILD, config or self.CONFIG)
		return self.started(d)

	def started(self, d):
		"""With its control socket, which comes after the listener."""
		self.addCleanup(d.clean)
		self.addCleanup(self.end, d)
		d.start()
		for _ in range(500):
			if os.path.exists(d.path('control.sock')) or not d.running():
				break
			time.sleep(0.02)
		return d

	def end(self, d):
		"""Ends as it should, and no sanitizer has said anything."""
		try:
			if d.running():
				d.stop()
			self.assertIsNone(d.sanitizer_report())
		finally:
			d.kill()

	def connect(self, d, address='203.0.113.7', name='mail.example.net', helo='mail.example.net', kind='postfix'):
		m = mta.Mta(d.address, kind)
		self.addCleanup(m.drop)
		m.connect(address, name)
		if not m.refusal:
			m.helo(helo)
		return m

	def ctl(self, d, *args, status=0, user=None, env=None):
		"""(output, errors) of winnowctl, which has to end with that status (None: any)."""
		r = subprocess.run([d.ctl_program, '-c', d.conf] + list(args), cwd=d.dir, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30,
			user=user, env=dict(os.environ, TZ='UTC', **(env or {})))
		out, err = r.stdout.decode(), r.stderr.decode()
		self.assertIn(status, (r.returncode, None), '%s: %s%s' % (args, out, err))
		return out, err

	def wait_for_log(self, d, pattern, since=0):
		for _ in range(500):
			m = re.search(pattern, d.log(since))
			if m:
				return m
			time.sleep(0.02)
		self.fail('the log has no %s: %s' % (pattern, d.tail()))


def main():
	unittest.main(argv=sys.argv[:1] + sys.argv[2:])
