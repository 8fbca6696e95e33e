#!/usr/bin/env python3
# test_attach.py - the lines that contrib/run prints: they are those of the tests, they leave Winnow its time, and an smtpd in its chroot finds the socket
import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import mail                                         # noqa: E402
from lab.case import LabCase, main                           # noqa: E402
from lab.daemon import CONFIG, eventually                    # noqa: E402
from lab.sendmail import TIMES                               # noqa: E402

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
UNITS = {'ms': 0.001, 's': 1, 'm': 60, 'h': 3600}


def seconds(text):
	number, unit = re.fullmatch(r'(\d+)(ms|s|m|h)', text).groups()
	return int(number) * UNITS[unit]


def attach(listen):
	return subprocess.check_output([os.path.join(TOP, 'contrib', 'attach'), listen], text=True)


class Lines(LabCase):
	settings = 'domains = "inline:sink.test"\n'

	def test_each_kind_of_socket_is_written_as_postfix_and_sendmail_want_it(self):
		for listen, postfix in (('inet:8893@127.0.0.1', 'inet:127.0.0.1:8893'), ('inet6:8893@::1', 'inet:[::1]:8893'), ('unix:/run/w.sock', 'unix:/run/w.sock'),
				('unix:/var/spool/postfix/winnow/milter.sock', 'unix:winnow/milter.sock')):
			with self.subTest(listen=listen):
				text = attach(listen)
				self.assertIn('    smtpd_milters = %s\n' % postfix, text)
				self.assertIn("    INPUT_MAIL_FILTER(`winnow', `S=%s, F=T, T=%s')dnl\n" % (listen, TIMES), text)

	def test_sendmail_waits_longer_than_we_take(self):
		with open(os.path.join(TOP, 'etc', 'winnow.conf')) as f:
			ours = {stage: seconds(value) for stage, value in re.findall(r'^\t#(connect|helo|mail|rcpt|data|eoh|eom)_timeout = "(\w+)"', f.read(), re.M)}
		self.assertEqual(sorted(ours), sorted('connect helo mail rcpt data eoh eom'.split()))
		times = {letter: seconds(value) for letter, value in re.findall(r'([CSRE]):(\w+)', TIMES)}
		self.assertGreater(times['E'], ours.pop('eom') * 1.5)
		self.assertGreater(times['R'], max(ours.values()) * 1.5)

	def test_the_readme_says_the_same(self):
		with open(os.path.join(TOP, 'README')) as f:
			self.assertIn("T=%s')dnl" % TIMES, f.read())

	def test_an_smtpd_in_its_chroot_reaches_the_socket_that_is_printed(self):
		daemon, postfix = self.lab.daemon, self.lab.postfix
		self.assertIn('install -d -g postfix -m 2750 /var/spool/postfix/winnow\n', attach('inet:8893@127.0.0.1'))
		folder = os.path.join(postfix.folder, 'spool', 'winnow')
		subprocess.run(['install', '-d', '-g', 'postfix', '-m', '2750', folder], check=True)
		daemon.stop()
		daemon.kind, daemon.path = 'unix', os.path.join(folder, 'milter.sock')
		daemon.common = CONFIG.replace('listen_mode = "0666"', 'listen_group = "postfix"')
		daemon.configure(self.settings)
		daemon.start()
		with open(os.path.join(postfix.etc, 'master.cf')) as f:
			services = re.sub(r'(?m)^(127.0.0.1:\d+ inet n - )n', r'\1y', f.read())
		postfix.write('master.cf', services)
		self.assertEqual(services.count(' inet n - y '), 3)
		subprocess.run(['postconf', '-c', postfix.etc, '-e', 'smtpd_milters = unix:winnow/milter.sock'], check=True)
		postfix.process.send_signal(signal.SIGHUP)

		def send():
			client = self.lab.client(addr='203.0.113.7', name='mail.sender.example')
			reply = client.send('bob@sender.example', ['anna@sink.test'], mail.letter()) if client.greeting.ok else client.greeting
			client.close()
			return reply

		eventually(lambda: send().code == 250)
		self.delivered(send(), client='203.0.113.7')


if __name__ == '__main__':
	main()
