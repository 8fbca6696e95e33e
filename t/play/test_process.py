# test_process.py - winnow-milter as a process: what it makes and takes away, what a reload changes, and winnowctl beside it
import os
import socket
import subprocess
import threading
import time
import unittest
from email.utils import formatdate

from daemon import Daemon, DaemonError
from mta import Mta

BUILD = os.environ.get('WINNOW_BUILD', '.')


class Case(unittest.TestCase):
	def daemon(self, lines='', start=True):
		d = Daemon(BUILD, lines)
		self.addCleanup(d.clean)
		self.addCleanup(d.kill)
		if start:
			d.start()
			self.eventually(lambda: 'is ready' in d.log())   # it listens for the MTA before it has made the rest
		return d

	def ctl(self, d, *args, **options):
		return subprocess.run([d.ctl_program, '-c', d.conf] + list(args), cwd=d.dir, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30, **options)

	def pid(self, d):
		with open(d.path('pid')) as f:
			return int(f.read())

	def fails(self, d):
		"""A start that does not get far: its exit status. It may have listened for a moment."""
		try:
			d.start()
		except DaemonError:
			pass
		return d.process.wait(20)

	def eventually(self, what, seconds=5):
		end = time.monotonic() + seconds
		while not what():
			self.assertLess(time.monotonic(), end, 'it did not come')
			time.sleep(0.02)


class Life(Case):
	def test_what_was_made_is_gone_after_a_stop(self):
		d = self.daemon('pid_file = "pid"\n')
		self.assertEqual(self.pid(d), d.process.pid)
		d.stop()
		for name in 'pid', 'control.sock', 'milter.sock':
			self.assertFalse(os.path.exists(d.path(name)), name)

	def test_the_pid_file_of_a_daemon_that_was_started_meanwhile_stays(self):
		d = self.daemon('pid_file = "pid"\n')
		d.write('pid', '%d\n' % os.getpid(), whole=False)
		d.stop()
		self.assertEqual(self.pid(d), os.getpid())

	def test_that_it_only_observes_is_said_at_the_start(self):
		for lines, said in ('', False), ('mode = "observe"\n', True), ('policy "default" { mode = "observe" }\n', True), ('policy "x" { mode = "observe" }\n', False):
			d = self.daemon(lines)
			d.stop()
			self.assertEqual('mode = "observe"' in d.log(), said, (lines, d.log()))

	def test_a_start_that_fails_leaves_nothing_behind(self):
		d = self.daemon('pid_file = "pid"\n', start=False)
		d.write('quarantine/index.sqlite/x', 'no database')       # a folder where the index should be
		self.assertEqual(self.fails(d), 73)
		for name in 'pid', 'control.sock', 'milter.sock':
			self.assertFalse(os.path.exists(d.path(name)), name)

	def test_signals_are_heard_while_the_last_message_is_finished(self):
		d = self.daemon('log { target = "{dir}/lines" }\n')
		mta = Mta(d.address, 'postfix')
		mta.connect('203.0.113.7', 'mail.friend.example')
		mta.helo('mail.friend.example')
		mta.mail('<a@friend.example>')
		d.signal('TERM')
		self.eventually(lambda: 'stopping' in d.log())
		d.signal('HUP')
		self.eventually(lambda: 'no reload while stopping' in d.log())
		self.assertTrue(mta.rcpt('<anna@example.com>').ok)
		mta.rset()
		mta.drop()
		self.assertEqual(d.wait(), 0)

	@unittest.skipIf(os.geteuid(), 'only root gives up rights')
	def test_a_group_without_a_user_is_refused(self):
		d = self.daemon('group = "daemon"\n', start=False)
		self.assertRaisesRegex(DaemonError, 'ended with 67; log: .*name the user too', d.start)

	@unittest.skipUnless(os.geteuid() == 0, 'needs root')
	def test_what_root_has_made_and_another_user_cannot_open_is_said_with_its_remedy(self):
		d = self.daemon()
		os.chmod(d.dir, 0o777)
		d.stop()
		d.lines = 'user = "nobody"\n'
		self.assertEqual(self.fails(d), 73)
		self.assertRegex(d.log(), r'Permission denied.*chown -R')

	def test_a_file_where_a_folder_should_be_is_called_so(self):
		d = self.daemon('spool = "file"\n', start=False)
		d.write('file', 'x')
		self.assertEqual(self.fails(d), 73)
		self.assertRegex(d.log(), r'file: cannot be used as a folder: Not a directory')

	def test_a_user_that_does_not_exist_is_found_by_the_check(self):
		d = self.daemon()
		for lines, status in ('', 0), ('user = "no-such-user"\n', 1), ('group = "no-such-group"\n', 1):
			d.write_config(lines)
			r = subprocess.run([d.program, '-t', '-c', d.conf], cwd=d.dir, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
			self.assertEqual(r.returncode, status, r.stdout)

	def test_that_nobody_may_relay_is_noted_at_the_start(self):
		for lines, said in ('', True), ('relay_networks = "inline:127.0.0.0/8"\n', False), ('relay_networks = ""\n', False), ('domains = ""\n', False):
			d = self.daemon(lines)
			d.stop()
			self.assertEqual('relay_networks is not set' in d.log(), said, (lines, d.log()))

	def test_a_second_daemon_takes_no_socket_from_one_that_runs(self):
		d = self.daemon()
		for _ in range(2):
			r = subprocess.run([d.program, '-f', '-c', d.conf], cwd=d.dir, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
			self.assertIn(r.returncode, (71, 73), r.stdout)
			self.assertRegex(r.stdout, b'[Aa]nother winnow-milter')
			mta = Mta(d.address, 'postfix')
			self.assertEqual(mta.connect('203.0.113.7').code, 250)
			mta.quit()
			self.assertEqual(self.ctl(d, '-s', d.path('control.sock'), 'ping').returncode, 0)
			d.write_config('control = "other.sock"')

	def test_a_client_of_the_control_socket_that_says_nothing_does_not_delay_a_stop(self):
		d = self.daemon()
		s = socket.socket(socket.AF_UNIX)
		self.addCleanup(s.close)
		s.connect(d.path('control.sock'))
		time.sleep(0.2)
		begin = time.monotonic()
		d.stop()
		self.assertLess(time.monotonic() - begin, 2)


class Winnowctl(Case):
	def test_a_daemon_that_is_busy_is_heard_however_long_the_message(self):
		d = self.daemon()
		busy = b'winnowctl: busy; try again\n'
		server = socket.socket(socket.AF_UNIX)
		self.addCleanup(server.close)
		server.bind(d.path('busy.sock'))
		server.listen()

		def answer():
			s = server.accept()[0]
			s.sendall(b'{"status": 75, "out": 0, "err": %d}\n' % len(busy) + busy)
			s.close()
		thread = threading.Thread(target=answer)
		thread.start()
		d.write('message', 'From: a@friend.example\n\n' + 'text\n' * 1000000)
		r = self.ctl(d, '-s', d.path('busy.sock'), 'classify', d.path('message'))
		thread.join()
		self.assertEqual((r.returncode, r.stderr), (75, busy))

	def test_ping_of_a_daemon_that_hangs_comes_back(self):
		d = self.daemon()
		d.signal('STOP')
		self.addCleanup(d.signal, 'CONT')
		r = self.ctl(d, 'ping')
		self.assertEqual(r.returncode, 69)
		self.assertIn(b'does not answer', r.stderr)

	def test_what_is_no_address_is_no_question(self):
		d = self.daemon('domain "strict.example" { policy = "strict" }\npolicy "strict" { mode = "tag" }\n')
		for words, status, said in (('policy', 'a@strict.example'), 0, b'policy "strict"'), (('policy', 'strict.example'), 64, b'anybody@strict.example'), \
				(('policy', '--outbound', 'first.last'), 0, b'policy "default"'), (('classify', '--ip', '192.0.2.300', d.conf), 64, b'"192.0.2.300" is no address'), \
				(('polisy',), 64, b'"polisy" is no command'):
			r = self.ctl(d, *words)
			self.assertEqual(r.returncode, status, r)
			self.assertIn(said, r.stdout + r.stderr)

	def test_classify_believes_tls_without_a_greeting_and_outbound_without_a_user(self):
		d = self.daemon('tls { required = true  required_outgoing = true }\n')
		message = ('From: a@friend.example\nDate: %s\n\ntext\n' % formatdate()).encode()
		for flags, status in ((), 77), (('--tls',), 0), (('--outbound',), 77), (('--outbound', '--tls'), 0):
			r = self.ctl(d, 'classify', '--rcpt', 'anna@example.com', '--from', 'a@friend.example', *flags, '-', input=message)
			self.assertEqual(r.returncode, status, (flags, r.stdout, r.stderr))


class Reload(Case):
	def reload(self, d, lines):
		mark = d.log_size()
		d.write_config(lines)
		self.assertEqual(self.ctl(d, 'reload').returncode, 0)
		self.eventually(lambda: 'is in force' in d.log(mark))
		return d.log(mark)

	def send(self, d, size):
		mta = Mta(d.address, 'postfix')
		self.assertTrue(mta.connect('203.0.113.7', 'mail.friend.example').ok)
		mta.helo('mail.friend.example')
		mta.mail('<a@friend.example>')
		mta.rcpt('<anna@example.com>')
		reply = mta.send(b'From: a@friend.example\r\nDate: %s\r\n\r\n' % formatdate().encode() + b'text\r\n' * (size // 6))
		mta.quit()
		return reply

	def test_a_spool_that_a_reload_names_is_made(self):
		d = self.daemon('memory_max = "64K"\n')
		self.assertEqual(self.send(d, 200000).code, 250)
		self.reload(d, 'memory_max = "64K"\nspool = "new/spool"\n')
		reply = self.send(d, 200000)
		self.assertEqual(reply.code, 250, reply)

	def test_a_spool_that_cannot_be_made_is_said_by_the_reload(self):
		d = self.daemon()
		d.write('file', 'x')
		self.assertRegex(self.reload(d, 'spool = "file/spool"\n'), 'reload: spool: .*file/spool.*deferred')

	def test_what_waits_for_the_next_start_is_said(self):
		d = self.daemon()
		self.assertNotIn('next start', self.reload(d, ''))
		said = self.reload(d, 'pid_file = "pid"\nlisten_mode = "0600"\n')
		for name in 'pid_file', 'listen_mode':
			self.assertRegex(said, r'reload: `%s` .*next start' % name)


if __name__ == '__main__':
	unittest.main()
